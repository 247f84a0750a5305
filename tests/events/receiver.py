"""A subscriber for tests: a real server that keeps what it was sent and answers as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

__all__ = ["Receiver", "receiving"]


class Receiver:
    """`statuses` are the answers to the next notifications; without one it is 204. `testing` is that to a GET."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.refused: set[str] = set()
        """Subjects that it never takes."""
        self.testing = 204
        self.silent_from: int | None = None
        """The number of the first notification that it takes without a word: its sender waits in vain."""
        self.asked: list[str] = []
        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/token":
            assert request.headers["Authorization"].startswith("Basic ")
            return web.json_response({"access_token": "granted"})
        self.asked.append(request.method)
        self.headers.append(dict(request.headers))
        if request.method == "GET":
            return web.Response(status=self.testing)
        status = self.statuses.pop(0) if self.statuses else 204
        told = msgspec.json.decode(await request.read())
        if told.get("subject") in self.refused:
            status = 500
        self.got.append({**told, "answered": status})
        if self.silent_from is not None and len(self.got) >= self.silent_from:
            await asyncio.Event().wait()
        return web.Response(status=status)

    @property
    def taken(self) -> list[dict[str, Any]]:
        """What it has said yes to."""
        return [one for one in self.got if one["answered"] == 204]


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A subscriber that listens on this machine."""
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
