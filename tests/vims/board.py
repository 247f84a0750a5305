"""A VIM that shows what the test writes on it: the smallest driver that there is.

It counts and times its reads, fails them when it is told to, and may have a stream of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Set
from typing import Any

from fairlead.clock import Clock
from fairlead.resources import Failed, Gone, Handle, Kind, Observed, Pending, Ready, Status
from fairlead.vims import Capacity, Check, Tagged

__all__ = ["Board", "Lamp"]

Key = tuple[str, Handle]


class Lamp:
    """A kind whose things are `off` (pending), `on` (ready), `broken` or gone; only what a watcher asks of a kind."""

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        states: dict[str, Status] = {"off": Pending("off"), "on": Ready({}), "broken": Failed("broken")}
        return states[observed["state"]]


class Board:
    """The driver. `shown` is what it shows, `reads` the times of its reads, `errors` are raised one by one."""

    def __init__(self, clock: Clock, *, takes: float = 0.0, push: bool = False) -> None:
        self.clock = clock
        self.shown: dict[str, str] = {}
        self.reads: list[float] = []
        self.asked: list[set[str]] = []
        self.errors: list[Exception] = []
        self.under_way = self.most = 0
        self.streams: list[asyncio.Queue[Key | Exception | None]] = []
        self._takes = takes
        self._push = push

    @property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        return {}

    @property
    def withheld(self) -> frozenset[str]:
        return frozenset()

    async def check(self) -> Check:
        return Check(reachable=True)

    async def capacity(self) -> Capacity:
        return Capacity()

    async def tagged(self) -> list[Tagged]:
        return []

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def observe(self, wanted: Mapping[str, Set[Handle]]) -> dict[Key, Observed | None]:
        self.reads.append(self.clock.now())
        self.asked.append({handle for handles in wanted.values() for handle in handles})
        seen = dict(self.shown)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self._takes:
                await self.clock.sleep(self._takes)
        finally:
            self.under_way -= 1
        if self.errors:
            raise self.errors.pop(0)
        keys = ((sort, handle) for sort, handles in wanted.items() for handle in handles)
        return {key: {"state": seen[key[1]]} if key[1] in seen else None for key in keys}

    def changes(self) -> AsyncIterator[Key] | None:
        return self._changes() if self._push else None

    async def _changes(self) -> AsyncIterator[Key]:
        queue: asyncio.Queue[Key | Exception | None] = asyncio.Queue()
        self.streams.append(queue)
        while (told := await queue.get()) is not None:
            if isinstance(told, Exception):
                raise told
            yield told

    def tell(self, told: Key | Exception | None) -> None:
        """Say on the stream what has changed, or end it, or break it."""
        self.streams[-1].put_nowait(told)
