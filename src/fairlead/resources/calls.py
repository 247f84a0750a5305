"""Calls to VIMs and waits for them, as the procedures make them: repeated while a VIM does not answer, and given up when
everything is to stop.

Nothing here knows what a call is for. What changes something has its intent written again before it is repeated, so a
worker that was superseded while a VIM did not answer does not make its call over the head of the one that came after
it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fairlead.errors import Cancelled, VimUnavailable
from fairlead.resources.kinds import Failed, Observed, Pending, Status, Vims
from fairlead.resources.names import Handle, Name
from fairlead.resources.records import Resource

__all__ = ["FIRST_PAUSE", "Calls", "noted"]

T = TypeVar("T")

FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_BUDGET = 60.0
"""Seconds from its first failure for which a call to a VIM that does not answer is repeated, within the step's own
deadline."""


class Calls:
    """The calls and waits of one plan.

    `halted` is set when no further call is to be made and nothing to be waited for any longer; `forced` completes when
    actions under way are to be given up too. `seen` has, by name, what the VIM last said of what was waited for.
    """

    def __init__(self, vims: Vims, halted: asyncio.Event, forced: Callable[[], Awaitable[object]]) -> None:
        self.seen: dict[Name, str] = {}
        self._vims = vims
        self._halted = halted
        self._forced = forced
        self._since = vims.now()

    async def call(
        self,
        resource: Resource[Any],
        call: Callable[[], Awaitable[T]],
        *,
        again: Callable[[], Awaitable[object]] | None = None,
    ) -> T:
        """Make a call that may be repeated, for as long as the VIM does not answer, writing its intent by `again`
        before each repetition. Raises what the call raises, and Cancelled when halted before it."""
        retries = self.retries(resource.name)
        while True:
            try:
                return await self.once(resource, call)
            except VimUnavailable as error:
                await retries(error)
            if again is not None:
                await again()

    async def once(self, resource: Resource[Any], call: Callable[[], Awaitable[T]]) -> T:
        """Make a call when its VIM has a slot for it, unless halted by then."""
        async with self._vims.slot(resource.vim, self._since):
            self.stop_if_halted(resource.name)
            return await call()

    def retries(self, name: Name) -> Callable[[VimUnavailable], Awaitable[None]]:
        """What to await after a failure: it pauses longer each time, and raises the failure when the budget is
        spent."""
        give_up: float | None = None
        pause = FIRST_PAUSE

        async def pause_or_raise(error: VimUnavailable) -> None:
            nonlocal pause, give_up
            if give_up is None:
                give_up = self._vims.now() + _BUDGET
            if self._halted.is_set() or self._vims.now() + pause > give_up:
                raise error
            await self.pause(name, pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, _LONGEST_PAUSE)

        return pause_or_raise

    async def wait(
        self, resource: Resource[Any], handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        """Wait through the VIM's watcher. Raises Cancelled when halted."""

        def seen(status: Status, observed: Observed | None) -> bool:
            self.seen[resource.name] = _words(status)
            return done(status, observed)

        return await self._unless(self._halted.wait, resource.name, lambda: self._vims.wait(resource, handle, seen))

    async def pause(self, name: Name, seconds: float) -> None:
        """Let time pass. Raises Cancelled when halted."""
        await self._unless(self._halted.wait, name, lambda: self._vims.sleep(seconds))

    async def act(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do an action to its end, which a failure elsewhere does not shorten. Raises Cancelled when forced."""
        return await self._unless(self._forced, what, work)

    async def _unless(self, stop: Callable[[], Awaitable[object]], name: str, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns, unless `stop` completes before it: then it is given up."""
        self.stop_if_halted(name)
        working, stopping = asyncio.ensure_future(work()), asyncio.ensure_future(stop())
        working.add_done_callback(noted)
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Cancelled(f"Stopped waiting for '{name}'.", resource=name)
        finally:
            working.cancel()
            stopping.cancel()

    def stop_if_halted(self, name: str) -> None:
        """Raises Cancelled when halted."""
        if self._halted.is_set():
            raise Cancelled(f"Stopped before '{name}' was done.", resource=name)


def noted(task: asyncio.Future[Any]) -> None:
    """For tasks that may fail while nobody waits for them any more: what they were for has failed already."""
    if not task.cancelled():
        task.exception()


def _words(status: Status) -> str:
    """What the VIM said, for whoever reads that it took too long."""
    if isinstance(status, Failed):
        return status.reason
    return status.detail if isinstance(status, Pending) else type(status).__name__.lower()
