"""A proxy before one service of a cloud, which loses one answer: the call is passed on, and the connection closed in place
of an answer.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

__all__ = ["proxied"]

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
