"""An engine that does not do as it should: a proxy on a socket of its own, between a driver and a real engine.

Each fault concerns calls by method and path. `refuse` answers with a status and words and passes nothing on; `lose` passes
the call on and closes the connection in place of an answer; `hang` passes nothing on and never answers.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web

__all__ = ["Fault", "Proxy", "proxied"]


class Fault(msgspec.Struct, kw_only=True):
    """What goes wrong, `times` times. `status` and `message` are for `refuse`."""

    on: str
    """A regular expression on `METHOD /path`, the path without its version."""
    effect: str
    status: int = 500
    message: str = "a fault"
    times: int = 1


class Proxy:
    """Passes calls on, but for the faults. `seen` has every call, `most` how many were there at once by sort of thing."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.most: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()
        self.over = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = re.sub(r"^/v[0-9.]+", "", request.path)
        call = f"{request.method} {path}"
        self.seen.append(call)
        fault = next((fault for fault in self.faults if fault.times > 0 and re.search(fault.on, call)), None)
        if fault is not None:
            fault.times -= 1
            if fault.effect == "refuse":
                return web.json_response({"message": fault.message}, status=fault.status)
            if fault.effect == "hang":
                await self.over.wait()
        sort = "/".join(call.split("/")[:2])
        self._at_once[sort] += 1
        self.most[sort] = max(self.most[sort], self._at_once[sort])
        answer = await self._pass_on(request)
        self._at_once[sort] -= 1
        if fault is not None and fault.effect == "lose" and request.transport is not None:
            request.transport.abort()
        return answer

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {"Content-Type": request.headers["Content-Type"]} if "Content-Type" in request.headers else {}
        connector = aiohttp.UnixConnector(self._engine.removeprefix("unix://"))
        async with aiohttp.ClientSession(connector=connector) as session:
            url = f"http://engine{request.raw_path}"
            async with session.request(request.method, url, data=body or None, headers=headers) as answer:
                content = await answer.read() if not request.path.endswith("/events") else b""
                return web.Response(status=answer.status, body=content, content_type="application/json")


@asynccontextmanager
async def proxied(
    engine: str, directory: Path, *, tcp: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy to `engine`, and its URL: on a socket in `directory`, or on a free port of this machine."""
    proxy = Proxy(engine)
    app = web.Application(client_max_size=2**30)
    app.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    socket = directory / "proxy.sock"
    if tcp:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        url = f"tcp://127.0.0.1:{runner.addresses[0][1]}"
    else:
        await web.UnixSite(runner, str(socket)).start()
        url = f"unix://{socket}"
    try:
        yield proxy, url
    finally:
        proxy.over.set()
        await runner.cleanup()
