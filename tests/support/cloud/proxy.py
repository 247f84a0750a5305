"""Proxies before one service of a cloud. One loses an answer: the call is passed on, and the connection closed in place of an
answer. The other cuts a call off in the middle of its body.
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

__all__ = ["cutting", "proxied"]

_OWN = ("host", "content-length", "transfer-encoding", "connection", "content-encoding")


@asynccontextmanager
async def proxied(endpoint: str, *, losing: str) -> AsyncIterator[str]:
    """The URL in place of `endpoint`. The first call that `losing`, a regular expression on `METHOD /path`, matches is lost."""
    upstream = urlsplit(endpoint)
    losses = [re.compile(losing)]

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
        url = f"{upstream.scheme}://{upstream.netloc}{request.raw_path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, data=body or None, headers=headers) as answer,
        ):
            content = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OWN}
            if losses and losses[0].search(f"{request.method} {request.path}"):
                losses.clear()
                if request.transport is not None:
                    request.transport.abort()
            return web.Response(status=answer.status, body=content, headers=kept)

    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{upstream.path}"
    finally:
        await runner.cleanup()


@contextmanager
def cutting(endpoint: str, call: str, *, after: int) -> Iterator[str]:
    """The URL in place of `endpoint`. The first call that `call` matches ends when `after` bytes of it have been passed on."""
    upstream = urlsplit(endpoint)
    cuts = [re.compile(call.encode())]
    lock = threading.Lock()

    class Cutting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            far = socket.create_connection((upstream.hostname or "", upstream.port or 80), timeout=120)
            back = threading.Thread(target=_pass_on, args=(far, self.request), daemon=True)
            back.start()
            with far:
                self._forward(far)
                back.join()

        def _forward(self, far: socket.socket) -> None:
            passed, doomed = 0, False
            while chunk := self.request.recv(65536):
                head = chunk.split(b"\r\n", 1)[0].rsplit(b" ", 1)[0]
                with lock:
                    if cuts and cuts[0].search(head):
                        cuts.clear()
                        doomed, passed = True, 0
                passed += len(chunk)
                far.sendall(chunk)
                if doomed and passed > after:
                    for end in (far, self.request):
                        end.shutdown(socket.SHUT_RDWR)
                    return
            with suppress(OSError):
                far.shutdown(socket.SHUT_WR)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Cutting) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{upstream.path}"
            assert not cuts, f"no call was {call}"
        finally:
            server.shutdown()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
