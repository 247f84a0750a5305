"""One watcher per VIM, on behalf of everybody who waits for something in it.

Nobody polls alone: all handles that are due are read together. How often a handle is read follows how long it has been
waited for (a thirtieth of that, between `shortest` and `longest`), so that short waits end promptly and long ones cost
little. Where a read takes long, reads of the same handle are apart by twice that time, or for as long as that is less
by a quarter of the time waited: a slow VIM is not asked without pause, and a short wait does not last twice as long for
it. A few reads may be under way at once, so that what is new or has changed need not wait for the answer about the
others. Where the VIM tells by itself what changed, that is followed, and reading is only the safety net. A failed read
is tried again: it never fails whoever waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog

from fairlead.clock import Clock
from fairlead.errors import VimError
from fairlead.resources import Handle, Kind, Observed, Status
from fairlead.vims.seam import Driver

__all__ = ["Watcher"]

log = structlog.get_logger()
_SHARE = 1 / 30
_SHARE_OF_SLOW = 0.25
_SPREAD = 0.5
"""The share of its interval by which a handle may be read early, to be read together with others."""
_READS = 4
"""How many reads may be under way at once."""
_NET = 15.0
"""Seconds between reads of a handle while the VIM's own stream is being followed."""
_AGAIN = 1.0
"""Seconds until a stream that was lost is asked for again; twice as many each time, and never more than `_AT_LAST`."""
_AT_LAST = 30.0


class _Waiter:
    __slots__ = ("done", "due", "future", "kind", "since", "spread")

    def __init__(
        self,
        kind: Kind[Any],
        done: Callable[[Status, Observed | None], bool],
        now: float,
        future: asyncio.Future[Status],
    ) -> None:
        self.kind = kind
        self.done = done
        self.since = now
        self.due = now
        self.spread = 0.0
        self.future = future


Key = tuple[str, Handle]


class Watcher:
    """Watches one VIM while somebody waits."""

    def __init__(self, driver: Driver, clock: Clock, *, shortest: float = 0.03, longest: float = 2.0) -> None:
        self._driver = driver
        self._clock = clock
        self._shortest = shortest
        self._longest = longest
        self._waiters: dict[Key, list[_Waiter]] = {}
        self._loop: asyncio.Task[None] | None = None
        self._stream: asyncio.Task[None] | None = None
        self._following: set[str] = set()
        """The sorts of which the stream has told something: it may have nothing to say of others."""
        self._changed: set[Key] = set()
        self._asked: set[Key] = set()
        """What reads that are under way will tell of."""
        self._reads: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._failures = 0
        self._silent_until = 0.0

    async def wait(
        self, kind: Kind[Any], sort: str, handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        """Return the status of `handle` as soon as `done` holds of it. Has no deadline of its own."""
        key = (sort, handle)
        waiter = _Waiter(kind, done, self._clock.now(), asyncio.get_running_loop().create_future())
        self._waiters.setdefault(key, []).append(waiter)
        self._wake.set()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._watch(), name="watcher")
        if self._stream is None:
            self._follow()
        try:
            return await waiter.future
        finally:
            remaining = [other for other in self._waiters.get(key, ()) if other is not waiter]
            if remaining:
                self._waiters[key] = remaining
            else:
                self._waiters.pop(key, None)
                self._changed.discard(key)

    async def idle(self) -> None:
        """Return once nobody waits any more."""
        while self._waiters:
            futures = [waiter.future for waiters in self._waiters.values() for waiter in waiters]
            await asyncio.wait(futures)

    async def close(self) -> None:
        """Stop watching; whoever still waits is cancelled."""
        tasks = [task for task in (self._loop, self._stream, *self._reads) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.future.cancel()

    async def _watch(self) -> None:
        """Begin to read what is due, for as long as somebody waits."""
        while self._waiters:
            now = self._clock.now()
            due = self._due(now)
            if not due:
                await self._pause(now)
                continue
            told = self._changed & due
            self._changed -= told
            self._asked |= due
            read = asyncio.create_task(self._read(due, told), name="watcher-read")
            self._reads.add(read)
            read.add_done_callback(self._over)

    def _over(self, read: asyncio.Task[None]) -> None:
        """A read has ended: another may begin. Nobody is woken before it has left the number of those under way."""
        self._reads.discard(read)
        self._wake.set()

    async def _read(self, due: set[Key], told: set[Key]) -> None:
        """Read what is `due`; of what the VIM has `told` nobody hears again, so a failure does not forget it."""
        began = self._clock.now()
        try:
            observed = await self._driver.observe(_by_sort(due))
        except VimError as error:
            self._note_failure(told, error.code, error.cause)
        except Exception as error:  # noqa: BLE001 - whoever waits must not wait for a watcher that has ended
            self._note_failure(told, "internal-error", repr(error))
        else:
            self._failures = 0
            took = self._clock.now() - began
            for key in due:
                self._tell(key, observed.get(key), began, took)
        finally:
            self._asked -= due

    def _due(self, now: float) -> set[Key]:
        """What is to be read now: with what is due goes what would be due a little later anyway."""
        due: set[Key] = set()
        if len(self._reads) >= _READS or now < self._silent_until:
            return due
        urgent = False
        for key, waiters in self._waiters.items():
            if key in self._asked:
                continue
            changed = key in self._changed
            if changed or any(waiter.due - waiter.spread <= now for waiter in waiters):
                due.add(key)
                urgent = urgent or changed or any(waiter.due <= now for waiter in waiters)
        return due if urgent else set()

    async def _pause(self, now: float) -> None:
        """Until the next read is due, one has ended, a new waiter comes or the VIM tells of a change."""
        self._wake.clear()
        idle = self._waiters.keys() - self._asked
        if not idle or len(self._reads) >= _READS:
            await self._wake.wait()
            return
        next_due = now if self._changed & idle else min(waiter.due for key in idle for waiter in self._waiters[key])
        until = max(next_due, self._silent_until)
        sleeping = asyncio.ensure_future(self._clock.sleep(max(until - now, 0.001)))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    def _note_failure(self, told: set[Key], code: str, cause: str | None) -> None:
        self._changed |= told & self._waiters.keys()
        self._failures += 1
        if self._failures in (1, 10, 100):
            log.warning("vim.read-failed", code=code, cause=cause, failures=self._failures)
        pause = min(self._longest, 0.2 * 2 ** min(self._failures, 6))
        self._silent_until = self._clock.now() + pause

    def _tell(self, key: Key, observed: Observed | None, began: float, took: float) -> None:
        """Tell everybody but those who came after the read began: what they have just changed may not be in it."""
        now = self._clock.now()
        for waiter in self._waiters.get(key, ()):
            if waiter.future.done() or waiter.since > began:
                continue
            try:
                status = waiter.kind.status(observed)
                over = waiter.done(status, observed)
            except Exception as error:  # noqa: BLE001 - a kind that cannot read its VIM's words fails its own waiter only
                waiter.future.set_exception(error)
                continue
            if over:
                waiter.future.set_result(status)
            waited = now - waiter.since
            slow = min(took * 2, waited * _SHARE_OF_SLOW)
            interval = max(min(waited * _SHARE, self._longest), self._shortest, slow)
            interval = max(interval, _NET) if key[0] in self._following else interval
            waiter.due, waiter.spread = now + interval, interval * _SPREAD

    def _follow(self) -> None:
        if (stream := self._driver.changes()) is None:
            return

        async def follow() -> None:
            current: AsyncIterator[Key] | None = stream
            losses = 0
            while current is not None:
                try:
                    async for key in current:
                        self._following.add(key[0])
                        losses = 0
                        if key in self._waiters:
                            self._changed.add(key)
                            self._wake.set()
                except VimError as error:
                    _note_loss(losses, error.code, error.cause)
                except Exception as error:  # noqa: BLE001 - whoever waits must not be left to a stream that has ended
                    _note_loss(losses, "internal-error", repr(error))
                losses += 1
                self._following.clear()
                for waiters in self._waiters.values():
                    for waiter in waiters:
                        waiter.due = self._clock.now()
                self._wake.set()
                await self._clock.sleep(min(_AGAIN * 2 ** min(losses - 1, 10), _AT_LAST))
                current = self._driver.changes()

        self._stream = asyncio.create_task(follow(), name="vim-stream")


def _note_loss(before: int, code: str, cause: str | None) -> None:
    """Tell of a lost stream, and of one that cannot be had again after 10 and 100 times."""
    if before in (0, 9, 99):
        log.warning("vim.stream-lost", code=code, cause=cause, losses=before + 1)


def _by_sort(keys: set[Key]) -> dict[str, set[Handle]]:
    sorted_out: dict[str, set[Handle]] = {}
    for sort, handle in keys:
        sorted_out.setdefault(sort, set()).add(handle)
    return sorted_out
