"""The API before a running program: one HTTP server, in the same event loop.

It listens on loopback unless told otherwise. At the very first start it prints a token, once; only its digest is
stored.
"""

from __future__ import annotations

import asyncio
import signal
import socket

import click
import structlog

from fairlead.api import ApiSettings, HttpServer, Services, create_app
from fairlead.errors import FairleadError
from fairlead.main.health import ProgramHealth
from fairlead.main.program import Program
from fairlead.settings import Settings

__all__ = ["serve", "work"]

log = structlog.get_logger()


async def serve(settings: Settings, *, works: bool) -> None:
    """Run the program with its API until a signal says to stop."""
    listening = _listen(settings)
    program = Program(settings, works=works)
    await program.start()
    token = await program.identity.ensure_first_token()
    services = Services(
        store=program.store,
        vault=program.vault,
        settings=ApiSettings(
            body_limit=settings.server.body_limit,
            upload_limit=settings.packages.upload_limit,
            page_size=settings.server.page_size,
            heartbeat=settings.server.heartbeat,
            public_url=settings.server.public_url,
            public_metrics=settings.server.public_metrics,
        ),
        clock=program.clock,
        identity=program.identity,
        events=program.events,
        catalogue=program.catalogue,
        vims=program.vims,
        vnfs=program.vnfs,
        occurrences=program.occurrences,
        health=ProgramHealth(program),
        metrics=program.metrics,
    )
    server = HttpServer(create_app(services), services.stopping, host=settings.server.host, port=settings.server.port)
    stopping = asyncio.Event()
    _on_signals(stopping)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await _until_listening(server, serving)
        url = f"http://{settings.server.host}:{listening.getsockname()[1]}"
        if token is not None:
            click.echo(f"First token, shown only now (project default, role admin): {token}")
        click.echo(f"Fairlead listens on {url}")
        await _first(stopping, serving)
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        await program.stop()
        log.info("program.stopped")


async def work(settings: Settings) -> None:
    """Run a worker without an API until a signal says to stop."""
    program = Program(settings)
    stopping = asyncio.Event()
    _on_signals(stopping)
    await program.start()
    click.echo(f"Fairlead works as {program.worker}")
    try:
        await stopping.wait()
    finally:
        await program.stop()


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)


async def _until_listening(server: HttpServer, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            await serving
            raise FairleadError("The HTTP server ended as it was starting.", code="cannot-listen")
        await asyncio.sleep(0.01)


def _listen(settings: Settings) -> socket.socket:
    """The socket to serve on, bound before anything else is begun. Raises FairleadError (`cannot-listen`)."""
    host, port = settings.server.host, settings.server.port
    try:
        bound = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        raise FairleadError(
            f"Fairlead cannot listen on {host}, port {port}.",
            code="cannot-listen",
            cause=error.strerror,
            remedy="Choose another --port or --host, or stop what listens there.",
        ) from error
    # asyncio sees to this only for sockets that it makes itself; without it, what comes in two parts takes 40 ms longer.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


async def _first(stopping: asyncio.Event, serving: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
