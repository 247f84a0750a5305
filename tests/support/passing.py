"""Time passing on a stepped clock: from wake to wake, and never while somebody still has something to do at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fairlead.clock import SteppedClock

__all__ = ["advance", "outcome", "settle"]

T = TypeVar("T")


async def settle() -> None:
    """Let everything run that need not wait for time to pass."""
    for _ in range(60):
        await asyncio.sleep(0)


async def advance(clock: SteppedClock, seconds: float) -> None:
    """Let `seconds` pass, waking sleepers one after the other."""
    until = clock.now() + seconds
    await settle()
    while (wake := clock.next_wake()) is not None and wake <= until:
        clock.step(wake - clock.now())
        await settle()
    clock.step(until - clock.now())
    await settle()


async def outcome(clock: SteppedClock, work: Awaitable[T], *, still: Callable[[], bool] = lambda: False) -> T:
    """What `work` returns; time passes as it needs, but stands while `still` holds."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await settle()
        wake = clock.next_wake()
        if not task.done() and wake is not None and not still():
            clock.step(wake - clock.now())
    return task.result()
