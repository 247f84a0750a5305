"""A relay before a TCP server, which a test can cut: its connections break off at once, and new ones are refused.

It runs in a thread with a loop of its own, so that it serves tests with and without one.
"""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

__all__ = ["Relay"]


class Relay:
    """From `port`, free and on loopback, to `upstream`; `passed` counts the connections."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._open: set[asyncio.StreamWriter] = set()
        self._cut = False
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self.passed = 0
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._over is not None
        self.cut()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def cut(self) -> None:
        """Break off all connections, and refuse new ones."""
        self._cut = True
        self._loop.call_soon_threadsafe(self._break)

    def mend(self) -> None:
        """Let new connections through."""
        self._cut = False

    def _break(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._over.wait()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        there, away = await asyncio.open_connection(*self._upstream)
        self.passed += 1
        ends = {writer, away}
        self._open |= ends
        try:
            await asyncio.gather(_pipe(reader, away), _pipe(there, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.close()


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()
