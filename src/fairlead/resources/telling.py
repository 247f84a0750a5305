"""What a long call tells of itself while it is made: an image of some gigabytes is sent by one.

A kind calls `tell` with a few words and need not know who listens, nor whether anybody does. Who runs a step listens,
and passes on what is told, as seldom as a reader can follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from fairlead.resources.calls import noted

__all__ = ["listening", "tell"]

_OFTEN = 5.0
"""Seconds between two words of one call that are passed on."""
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def tell(words: str) -> None:
    """Say how far the call is that is being made."""
    listener = _listener.get()
    if listener is not None:
        listener(words)


@contextmanager
def listening(pass_on: Callable[[str], Awaitable[None]], now: Callable[[], float]) -> Iterator[None]:
    """Pass on what the calls tell that are made within; what comes of that never fails them."""
    heard = -_OFTEN
    passing: set[asyncio.Future[None]] = set()

    def listen(words: str) -> None:
        nonlocal heard
        if now() - heard >= _OFTEN:
            heard = now()
            task = asyncio.ensure_future(pass_on(words))
            passing.add(task)
            task.add_done_callback(passing.discard)
            task.add_done_callback(noted)

    token = _listener.set(listen)
    try:
        yield
    finally:
        _listener.reset(token)
