"""One reader of the log for all who follow it.

A thousand clients that watch a thousand operations must not be a thousand pollers. While anybody follows, one task, the
tail, reads each new event once and hands it to those who asked for it, found by operation, subject or project. It is
woken by the commits of this process and looks for those of other processes every `poll` seconds. (PostgreSQL's NOTIFY
is not used: it takes one lock for the whole server at each commit.) A follower that does not keep up loses its queue,
not its events: it reads the log again from where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fairlead.clock import Clock
from fairlead.errors import StoreUnavailable
from fairlead.events.event import Event

__all__ = ["Follower", "Stretch", "Tail", "Wanted"]

_QUEUE = 1000
_HELD = 0.05
"""Seconds to the next look when an open writer holds rows back: it may end without a word, by rolling back."""

Key = tuple[str, str | None]


class Stretch(NamedTuple):
    """A part of the log. Everything up to the id `seen` has been looked at; `held`: an open writer hides what follows."""

    events: list[Event]
    seen: int
    held: bool


class Wanted(NamedTuple):
    """Which events somebody asks for; None stands for any."""

    project: str | None = None
    subject: str | None = None
    operation: str | None = None

    @property
    def key(self) -> Key:
        """The narrowest thing by which those who want an event are found."""
        if self.operation is not None:
            return "operation", self.operation
        if self.subject is not None:
            return "subject", self.subject
        return "project", self.project

    def has(self, event: Event) -> bool:
        return (
            self.project in (None, event.project)
            and self.subject in (None, event.subject)
            and self.operation in (None, event.operation)
        )


class Follower:
    """What one follower has been given so far."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.start = 0
        """Events after this id come through the queue; those up to it must be read."""
        self.failure: BaseException | None = None
        self._queue: deque[Event] = deque()
        self._overflown = False
        self._wake = asyncio.Event()

    def give(self, event: Event) -> None:
        if len(self._queue) >= _QUEUE:
            self._overflown = True
            self._queue.clear()
        if not self._overflown:
            self._queue.append(event)
        self._wake.set()

    def fail(self, error: BaseException) -> None:
        self.failure = error
        self._wake.set()

    def restart(self, start: int) -> None:
        self.start = start
        self._overflown = False
        self._queue.clear()
        self._wake.clear()

    async def take(self, patience: float | None) -> list[Event] | None:
        """What has come; empty after `patience` seconds without anything; None when too much came to be kept."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._wake.wait()
        self._wake.clear()
        if self.failure is not None:
            raise self.failure
        if self._overflown:
            return None
        batch = list(self._queue)
        self._queue.clear()
        return batch


class Tail:
    """Reads the end of the log while anybody follows it; belongs to the event loop that it was made in."""

    def __init__(self, read: Callable[[int | None], Awaitable[Stretch]], clock: Clock, poll: float) -> None:
        self._read = read
        self._clock = clock
        self._poll = poll
        self._loop = asyncio.get_running_loop()
        self._position = 0
        self._placed: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._followers: dict[Key, set[Follower]] = {}
        self._joining = 0
        self._woken = asyncio.Event()
        self._nudged = False

    def belongs_here(self) -> bool:
        return self._loop is asyncio.get_running_loop()

    def nudge(self) -> None:
        """Something was committed. May be called from any thread."""
        if not self._nudged:
            self._nudged = True
            with contextlib.suppress(RuntimeError):  # The loop has ended, and with it everyone who followed.
                self._loop.call_soon_threadsafe(self._wake)

    async def join(self, follower: Follower) -> None:
        """From the return on, `follower` is given every event that it wants after `follower.start`."""
        self._joining += 1
        try:
            if self._task is None or self._task.done():
                self._placed = self._loop.create_future()
                self._task = self._loop.create_task(self._run(self._placed), name="event log tail")
            assert self._placed is not None
            await asyncio.shield(self._placed)
            follower.restart(self._position)
            self._followers.setdefault(follower.wanted.key, set()).add(follower)
        finally:
            self._joining -= 1
            self._rest()

    def resume(self, follower: Follower) -> None:
        """`follower` lost its queue: it reads up to here by itself and gets the rest again."""
        follower.restart(self._position)

    def leave(self, follower: Follower) -> None:
        group = self._followers.get(follower.wanted.key, set())
        group.discard(follower)
        if not group:
            self._followers.pop(follower.wanted.key, None)
        self._rest()

    def _rest(self) -> None:
        if not self._followers and not self._joining and self._task is not None:
            self._task.cancel()
            self._task = None

    def _wake(self) -> None:
        self._nudged = False
        self._woken.set()

    async def _run(self, placed: asyncio.Future[None]) -> None:
        try:
            while True:
                try:
                    pause = await self._advance(placed)
                except StoreUnavailable:
                    pause = self._poll
                if pause:
                    await self._wait(pause)
        except Exception as error:  # noqa: BLE001 - told to everyone who follows
            if not placed.done():
                placed.set_exception(error)
            for group in self._followers.values():
                for follower in group:
                    follower.fail(error)
        finally:
            placed.cancel()

    async def _advance(self, placed: asyncio.Future[None]) -> float:
        """Read on once; the seconds until the next look."""
        self._woken.clear()
        if not placed.done():
            self._position = (await self._read(None)).seen
            placed.set_result(None)
        stretch = await self._read(self._position)
        for event in stretch.events:
            self._hand_out(event)
        self._position = stretch.seen
        if stretch.events:
            return 0.0
        return _HELD if stretch.held else self._poll

    def _hand_out(self, event: Event) -> None:
        keys = (
            ("operation", event.operation),
            ("subject", event.subject),
            ("project", event.project),
            ("project", None),
        )
        for key in keys:
            for follower in self._followers.get(key, ()):
                if follower.wanted.has(event):
                    follower.give(event)

    async def _wait(self, seconds: float) -> None:
        sleeper = self._loop.create_task(self._clock.sleep(seconds))
        sleeper.add_done_callback(self._slept)
        try:
            await self._woken.wait()
        finally:
            sleeper.cancel()

    def _slept(self, sleeper: asyncio.Task[None]) -> None:
        # A cancelled sleep would wake the next wait, which would cancel its own, and so on without end.
        if not sleeper.cancelled():
            self._woken.set()
