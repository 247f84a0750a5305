"""The calls to one container engine, over the Docker-compatible API (version 1.41: Docker 20.10 and newer, Podman 4 and newer).

On plain aiohttp, not on aiodocker: all that is needed is one `call` that puts a time limit on everything, bounds what it reads
and turns answers into errors of ours. aiodocker's objects would stand between these and us: its limits are per client
and not per call, its event stream hides a lost connection from whoever follows it, and its logs are read to the end.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import aiohttp

from fairlead.errors import VimRefused, VimUnavailable
from fairlead.vims.containers.refusals import NotThere, error_of
from fairlead.vims.containers.settings import Place, Settings

__all__ = ["API_VERSION", "Engine"]

API_VERSION = "1.41"
_PATH = re.compile(r"/[A-Za-z0-9_.:@/-]+")
"""Names that packages and requests bring end up in paths: none may lead to another call than the one that is meant."""
_LARGEST_ANSWER = 64 * 2**20
"""Bytes; an honest answer is a few kilobytes, a list of a thousand containers some megabytes."""
_LONGEST_EVENT = 2**20
_LOG_LIMIT = 5.0
"""Seconds; a log is shown on the way to something else, which must not wait for it."""


class Engine:
    """One engine. Connections are opened when they are first needed, and in the event loop that needs them."""

    def __init__(self, place: Place, settings: Settings, tls: Any = None) -> None:
        self._place = place
        self._tls = tls
        self.settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._network_reads = asyncio.Lock()

    async def get(self, path: str, what: str, **params: Any) -> Any:
        """Read `path`. Raises VimError; `what` completes the sentence 'the engine refused to ...'."""
        return await self.call("GET", path, what, params=params)

    async def look(self, path: str, what: str) -> Any:
        """Read `path`; None when there is no such thing."""
        try:
            return await self.call("GET", path, what)
        except NotThere:
            return None

    async def post(self, path: str, what: str, body: Any = None, **params: Any) -> Any:
        """Post `body` as JSON."""
        return await self.call("POST", path, what, body=body, params=params)

    async def delete(self, path: str, what: str, **params: Any) -> None:
        """Delete `path`; what is gone already is fine."""
        try:
            await self.call("DELETE", path, what, params=params)
        except NotThere:
            return

    async def call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: Any = None,
        data: Any = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """One call; returns the answer's JSON, or None. `data` (bytes, or an iterator of them) is sent as a tar archive.

        Raises VimUnavailable when the engine does not answer, or not in time; another VimError when it refuses.
        """
        limit = timeout or self.settings.timeout
        try:
            async with (
                asyncio.timeout(limit),
                self._turn(method, path),
                self._request(method, path, body=body, data=data, params=params) as answer,
            ):
                text = await _bounded(answer.content, _LARGEST_ANSWER)
        except TimeoutError as error:
            raise VimUnavailable(
                f"The container engine did not {what} within {limit:g} s.", cause="no answer in time"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from error
        if answer.status >= 400:
            raise error_of(answer.status, _message(text), what)
        return _parsed(text, answer.status)

    async def logs(self, container: str, lines: int, largest: int) -> str:
        """The last `lines` lines that a container printed, at most `largest` bytes of them."""
        params = {"stdout": "1", "stderr": "1", "tail": str(lines)}
        try:
            async with asyncio.timeout(min(self.settings.timeout, _LOG_LIMIT)):
                async with self._request("GET", f"/containers/{container}/logs", params=params) as answer:
                    raw = await answer.content.read(largest) if answer.status == 200 else b""
                    while 0 < len(raw) < largest and (more := await answer.content.read(largest - len(raw))):
                        raw += more
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error) from error
        return _demultiplexed(raw)

    async def events(self, filters: Mapping[str, list[str]]) -> AsyncIterator[dict[str, Any]]:
        """The engine's own stream of events, from now on.

        Raises VimUnavailable when the connection is lost.
        """
        try:
            async with self._request("GET", "/events", params={"filters": filters}) as answer:
                if answer.status >= 400:
                    raise error_of(answer.status, _message(await answer.content.read(4096)), "tell of events")
                async for line in answer.content:
                    if line.strip():
                        yield json.loads(line)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._unreachable(error) from error

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _turn(self, method: str, path: str) -> AbstractAsyncContextManager[None]:
        """One reading of networks at a time: Podman 4.3 ends with 'concurrent map writes' when two meet in it."""
        return self._network_reads if method == "GET" and path.startswith("/networks") else nullcontext()

    def _request(
        self, method: str, path: str, *, body: Any = None, data: Any = None, params: Mapping[str, Any] | None = None
    ) -> Any:
        if not _PATH.fullmatch(path) or ".." in path:
            raise NotThere("There is nothing of such a name in a container engine.", cause=f"'{path}' is no path")
        if self._session is None:
            socket = self._place.socket
            connector: aiohttp.BaseConnector
            connector = aiohttp.UnixConnector(socket) if socket else aiohttp.TCPConnector(ssl=self._tls or True)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
                read_bufsize=_LONGEST_EVENT,
            )
        query = {key: _parameter(value) for key, value in (params or {}).items()}
        headers = {"Content-Type": "application/x-tar"} if data is not None else None
        url = f"{self._place.address}/v{API_VERSION}{path}"
        return self._session.request(method, url, params=query, json=body, data=data, headers=headers)

    def _unreachable(self, error: Exception) -> VimUnavailable:
        where = self._place.socket or self._place.address
        return VimUnavailable(
            f"The container engine at {where} does not answer.",
            cause=str(error) or type(error).__name__,
            remedy="Start the engine's API service, or correct the VIM's interface.url.",
        )


def _parameter(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


async def _bounded(content: aiohttp.StreamReader, largest: int) -> bytes:
    parts, size = [], 0
    async for part in content.iter_any():
        size += len(part)
        if size > largest:
            raise VimRefused("The container engine's answer has no end.", cause=f"more than {largest} bytes")
        parts.append(part)
    return b"".join(parts)


def _message(text: bytes) -> str:
    """The engine's own words in an answer that is an error."""
    try:
        document = json.loads(text)
        return str(document["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500].decode(errors="replace").strip()


def _parsed(text: bytes, status: int) -> Any:
    """The JSON of an answer; where the engine streams one document a line, the list of them."""
    if not text.strip() or status in (204, 304):
        return None
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return text.decode(errors="replace")


def _demultiplexed(raw: bytes) -> str:
    """The text of a log whose frames have a header of 8 bytes: stream, three zeros, length."""
    parts, place = [], 0
    while place + 8 <= len(raw):
        if raw[place] > 2 or raw[place + 1 : place + 4] != b"\0\0\0":
            return raw.decode(errors="replace")  # a container with a terminal: no frames
        length = int.from_bytes(raw[place + 4 : place + 8], "big")
        parts.append(raw[place + 8 : place + 8 + length])
        place += 8 + length
    return b"".join(parts).decode(errors="replace")
