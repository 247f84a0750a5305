"""The peer as a server in a thread of its own, which can be stopped and started again on the same port."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from typing import Any

import uvicorn

from tests.support.peer.app import create_app
from tests.support.peer.state import TOKEN, Document, Faults, State

__all__ = ["Peer", "until"]

_PATIENCE = 10.0


class Peer:
    """A running peer. `state` is what it knows, `requests` what it was asked."""

    def __init__(self) -> None:
        self.state = State()
        self.token = TOKEN
        self._app = create_app(self.state)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = _free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def faults(self) -> Faults:
        return self.state.faults

    @property
    def requests(self) -> list[Document]:
        return self.state.requests

    def asked(self, method: str, path: str) -> list[Document]:
        """The requests with this method whose path ends in `path`."""
        return [one for one in self.requests if one["method"] == method and one["path"].endswith(path)]

    def start(self) -> None:
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        config = uvicorn.Config(self._app, port=self.port, log_config=None, lifespan="on", timeout_graceful_shutdown=0)
        server = uvicorn.Server(config)
        self._server = server
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(server),), daemon=True)
        self._thread.start()
        until(lambda: server.started)

    async def _serve(self, server: uvicorn.Server) -> None:
        self._loop = asyncio.get_running_loop()
        await server.serve()

    def reset(self) -> None:
        """As it was when it was made, and running."""
        if self._server is None:
            self.start()
        done = threading.Event()
        assert self._loop is not None

        def clear() -> None:
            self.state.clear()
            done.set()

        self._loop.call_soon_threadsafe(clear)
        assert done.wait(_PATIENCE)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join(_PATIENCE)
        self._server = self._thread = None


def until(condition: Any) -> None:
    """Return once `condition()` holds; fail after ten seconds."""
    ends = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError("it did not come true in time")
        time.sleep(0.002)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
