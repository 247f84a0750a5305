"""Blocking work beside the event loop: threads that are waited for, and work that is done once for all who want it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Generic, ParamSpec, TypeVar

__all__ = ["Once", "to_end"]

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


async def to_end(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `call` in a thread. Cancelled, it first waits until the thread is done: nobody may pull its files away."""
    running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()
        raise


class Once(Generic[K, T]):
    """Lets several who want the same thing at a time wait for one making of it; keeps nothing afterwards."""

    def __init__(self) -> None:
        self._making: dict[K, asyncio.Task[T]] = {}

    async def __call__(self, key: K, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(make())
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return await _shielded(task)


def _shielded(task: asyncio.Task[T]) -> Awaitable[T]:
    # Whoever goes away leaves the others what they wait for.
    return asyncio.shield(task)
