"""The whole program in this process, on SQLite, with the real execution engine and a simulated VIM."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog

from fairlead.events import EventLog
from fairlead.operations import RUNNING
from tests.support.databases import create_tables
from tests.support.running import Running, running

__all__ = ["program", "until_at_rest"]


@contextlib.asynccontextmanager
async def program(directory: Path | None = None, **behaviour: Any) -> AsyncIterator[Running]:
    """A program with one simulated VIM that behaves so; its log is errors only. `directory` is a new one by default."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with contextlib.ExitStack() as stack:
        chosen = directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fairlead-bench-")))
        url = f"sqlite:///{chosen / 'fairlead.db'}"
        create_tables(url)
        async with running(url, chosen, engine=True, behaviour=behaviour) as started:
            yield started


async def until_at_rest(events: EventLog, begin: Callable[[], Awaitable[str]]) -> tuple[float, str]:
    """Begin an operation: the seconds from the request until its end was told, and its last state."""
    states = {str(state) for state in RUNNING}
    began = time.perf_counter()
    operation = await begin()
    async for event in events.follow(None, 0, operation=operation):
        if event.type == "operation.state" and event.data["state"] not in states:
            return time.perf_counter() - began, str(event.data["state"])
    raise RuntimeError("the event log has ended")
