"""The API before a running program: one HTTP server, in the same event loop.

It listens on loopback unless told otherwise. At the very first start it prints a token, once; only its digest is
stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import AsyncIterator

import click
import structlog
from litestar import Litestar

from fairlead.api import ApiSettings, HttpServer, Services, all_rules, create_app, create_status_app
from fairlead.errors import FairleadError
from fairlead.identity import Policy
from fairlead.main.health import ProgramHealth
from fairlead.main.program import Program
from fairlead.settings import Settings

__all__ = ["serve", "work"]

log = structlog.get_logger()


async def serve(settings: Settings, *, works: bool) -> None:
    """Run the program with its API until a signal says to stop. Raises FairleadError (`cannot-listen`)."""
    tls = _tls(settings)
    Policy(all_rules(), settings.identity.policy)  # what is wrong in it is told before anything is begun
    listening = _listen(settings.server.host, settings.server.port)
    program = Program(settings, works=works)
    stopping = _on_signals()
    await program.start()
    try:
        # Where tokens are Keystone's, none is given out here.
        token = await program.identity.ensure_first_token() if program.keystone is None else None
        services = _services(program)
        async with _served(create_app(services), services, listening, tls) as (serving, url):
            if token is not None:
                click.echo(f"First token, shown only now (project default, role admin): {token}")
            click.echo(f"Fairlead listens on {url}")
            await _first(stopping, serving)
    finally:
        await program.stop()
        log.info("program.stopped")


async def work(settings: Settings) -> None:
    """Run a worker without an API until a signal says to stop; how it is can be asked where the settings name a port."""
    tls, port = _tls(settings), settings.server.status_port
    listening = _listen(settings.server.host, port) if port is not None else None
    program = Program(settings)
    stopping = _on_signals()
    await program.start()
    try:
        services = _services(program)
        async with contextlib.AsyncExitStack() as stack:
            if listening is not None:
                app = create_status_app(services)
                _, url = await stack.enter_async_context(_served(app, services, listening, tls))
                click.echo(f"Fairlead tells how it is on {url}/ready")
            click.echo(f"Fairlead works as {program.worker}")
            await stopping.wait()
    finally:
        await program.stop()
        log.info("program.stopped")


def _services(program: Program) -> Services:
    settings = program.settings
    return Services(
        store=program.store,
        vault=program.vault,
        settings=ApiSettings(
            body_limit=settings.server.body_limit,
            upload_limit=settings.packages.upload_limit,
            page_size=settings.server.page_size,
            heartbeat=settings.server.heartbeat,
            public_url=settings.server.public_url,
            public_metrics=settings.server.public_metrics,
            policy=settings.identity.policy,
            challenge=challenge(settings),
        ),
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
        keystone=program.keystone,
    )


def challenge(settings: Settings) -> str:
    """What a request without a valid token is told."""
    if settings.identity.auth == "embedded":
        return "Bearer"
    return f'Keystone uri="{settings.keystone.public_url or settings.keystone.auth_url}"'


@contextlib.asynccontextmanager
async def _served(
    app: Litestar, services: Services, listening: socket.socket, tls: tuple[str, str] | None
) -> AsyncIterator[tuple[asyncio.Task[None], str]]:
    """The application, listening: the task that serves it, and where it is found."""
    host, port = listening.getsockname()[:2]
    server = HttpServer(app, services.stopping, host=host, port=port, tls=tls)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await _until_listening(server, serving)
        name = f"[{host}]" if ":" in host else host
        yield serving, f"{'https' if tls else 'http'}://{name}:{port}"
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


def _on_signals() -> asyncio.Event:
    """What is set when a signal says to stop."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def _until_listening(server: HttpServer, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            await serving
            raise FairleadError("The HTTP server ended as it was starting.", code="cannot-listen")
        await asyncio.sleep(0.01)


def _tls(settings: Settings) -> tuple[str, str] | None:
    """The files of the server's certificate and key. Raises FairleadError (`bad-certificate`) when they are of no use."""
    certificate, key = settings.server.certificate, settings.server.key
    if certificate is None and key is None:
        return None
    try:
        if certificate is None or key is None:
            raise ValueError("one of server.certificate and server.key is missing")
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        raise FairleadError(
            "The certificate that the server is to show cannot be used.",
            code="bad-certificate",
            place="server.certificate, server.key",
            cause=str(error),
            remedy="Name the PEM files of a certificate and of its key, without a passphrase; both or neither.",
        ) from error
    return certificate, key


def _listen(host: str, port: int) -> socket.socket:
    """The socket to serve on, bound before anything else is begun. Raises FairleadError (`cannot-listen`)."""
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
