"""Blocking work beside the event loop: threads that are waited for, and work that is done once for all who want it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, ParamSpec, TypeVar

__all__ = ["Once", "settled", "to_end"]

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


async def settled(running: asyncio.Future[T]) -> T:
    """Wait for `running`. Cancelled, it still waits until that has ended, well or badly, and is cancelled then."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()
        raise


async def to_end(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `call` in a thread, and stay until the thread is done even when cancelled: nobody may pull its files away."""
    return await settled(asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs)))


class Once(Generic[K, T]):
    """Lets several who want the same thing at a time wait for one making of it; keeps nothing afterwards."""

    def __init__(self) -> None:
        self._making: dict[K, asyncio.Task[T]] = {}

    async def __call__(self, key: K, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(make())
            task.add_done_callback(lambda _: self._making.pop(key, None))
        # Whoever goes away leaves the others what they wait for.
        return await asyncio.shield(task)
