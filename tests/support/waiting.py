"""Waiting for a condition in place of for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["until"]


async def until(condition: Callable[[], object]) -> None:
    """Let the other tasks run until `condition()` is true; the test's own limit ends a wait that never does."""
    while not condition():  # noqa: ASYNC110 - for conditions of which nobody tells
        await asyncio.sleep(0)
