"""The program with its API before it, as `fairlead serve` has it, and the fixtures of the tests of operations."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from fairlead.api import ApiSettings, HttpServer, Services, create_app
from fairlead.main.health import ProgramHealth
from fairlead.main.program import Program
from tests.operations.conftest import Start, start
from tests.support.running import eventually

__all__ = ["Start", "served", "start"]


@contextlib.asynccontextmanager
async def served(program: Program) -> AsyncIterator[str]:
    """The address of the program's API on a free port."""
    services = Services(
        store=program.store,
        vault=program.vault,
        settings=ApiSettings(),
        clock=program.clock,
        identity=program.identity,
        events=program.events,
        subscriptions=program.subscriptions,
        catalogue=program.catalogue,
        vims=program.vims,
        vnfs=program.vnfs,
        occurrences=program.occurrences,
        health=ProgramHealth(program),
        metrics=program.metrics,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(create_app(services), services.stopping)
    running = asyncio.create_task(server.serve(sockets=[listening]))

    async def started() -> bool:
        return server.started

    await eventually(started, what="the server")
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
