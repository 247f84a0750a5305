"""Who may call a VIM when more want to than it is given at once.

What began earlier goes before what began later. So of thirty operations that are accepted together the first are done
while the last still wait, and their machines are being built meanwhile; were each call served in the order of its
asking, all would go through the same stage at the same time and be done together, at the end. One turn in four goes to
whoever has waited longest, so that a large operation does not hold up the small ones behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count

__all__ = ["Turns"]

_FAIR = 4


class Turns:
    """`number` turns at once."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._given = 0
        self._arrivals = count()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._by_age: list[tuple[float, int]] = []
        self._in_line: deque[int] = deque()

    @asynccontextmanager
    async def turn(self, since: float) -> AsyncIterator[None]:
        """Entered when it is the turn of what began at `since`."""
        await self._take(since)
        try:
            yield
        finally:
            self._free += 1
            self._give()

    async def _take(self, since: float) -> None:
        arrival = next(self._arrivals)
        mine = self._waiting[arrival] = asyncio.get_running_loop().create_future()
        heappush(self._by_age, (since, arrival))
        self._in_line.append(arrival)
        self._give()
        try:
            await mine
        except asyncio.CancelledError:
            self._waiting.pop(arrival, None)
            if not mine.cancelled():  # it was given at the same moment
                self._free += 1
                self._give()
            raise

    def _give(self) -> None:
        while self._free and self._waiting:
            fair = (self._given + 1) % _FAIR == 0
            arrival = self._in_line.popleft() if fair else heappop(self._by_age)[1]
            waiting = self._waiting.pop(arrival, None)
            if waiting is not None and not waiting.done():
                self._given += 1
                self._free -= 1
                waiting.set_result(None)
