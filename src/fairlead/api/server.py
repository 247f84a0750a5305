"""The HTTP server: uvicorn, with the one thing added that event streams need.

uvicorn waits for its open answers when it stops, and an event stream is an answer without end; so the streams are told
first. Whatever stops the server (a signal, or `should_exit`) goes through `shutdown`.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from litestar import Litestar

__all__ = ["HttpServer"]

_GRACE = 10
"""Seconds that requests get to be finished when the server stops."""


class HttpServer(uvicorn.Server):
    """Serves `app`. `stopping` is the event of the application's `Services`; `tls` is a certificate's and its key's file."""

    def __init__(
        self,
        app: Litestar,
        stopping: asyncio.Event,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: tuple[str, str] | None = None,
    ) -> None:
        certificate: dict[str, Any] = {"ssl_certfile": tls[0], "ssl_keyfile": tls[1]} if tls is not None else {}
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
                **certificate,
            )
        )
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End event streams, finish what is being answered, and close."""
        self._stopping.set()
        await super().shutdown(sockets)
