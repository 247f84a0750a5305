"""The event log, read page by page or followed as it grows.

Following is over server-sent events and survives broken connections: the id of the last event that was seen goes back
to the server, which goes on after it, so nothing is missed and nothing comes twice. A server that cannot be reached is
tried again, ever less often, until `patience` is over.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from fairlead.client.transport import Document, Transport
from fairlead.errors import ServerUnreachable, UnexpectedAnswer

__all__ = ["Event", "Events", "Follower", "parse"]

_PATH = "/fairlead/v1/events"
_FIRST_DELAY, _LONGEST_DELAY = 0.2, 5.0
_SILENCE = 45.0
"""Seconds without even a comment of the server's after which a connection counts as dead: three of its heartbeats."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the event log. `document` is what the server sent."""

    id: int
    time: float
    type: str
    subject: str | None = None
    operation: str | None = None
    resource: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    document: Document = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document) -> Event:
        """The event in a document of the server's."""
        return cls(
            id=int(document["id"]),
            time=float(document.get("time") or 0.0),
            type=str(document.get("type", "")),
            subject=document.get("subject"),
            operation=document.get("operation"),
            resource=document.get("resource"),
            data=document.get("data") or {},
            document=document,
        )


class Events:
    """The event log of the caller's project."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(
        self, *, after: int = 0, limit: int | None = None, operation: str | None = None, subject: str | None = None
    ) -> list[Event]:
        """Events with an id above `after`, oldest first, at most `limit` or what the server gives at once."""
        params = _params(operation, subject) | {"after": str(after)}
        if limit is not None:
            params["limit"] = str(limit)
        found: list[Event] = []
        for document in self._transport.pages(_PATH, params):
            found.append(Event.of(document))
            if limit is not None and len(found) >= limit:
                break
        return found

    def follow(
        self,
        *,
        after: int | None = None,
        operation: str | None = None,
        subject: str | None = None,
        patience: float = 60.0,
    ) -> Follower:
        """Events after `after` (None: from now on) as they come, for ever. See Follower."""
        return Follower(self._transport, _params(operation, subject), after=after, patience=patience)


class Follower:
    """An endless iterator over events; `close` ends it, from another thread too.

    Raises ServerUnreachable when the server has not been there for `patience` seconds, and at once what the server
    refuses with.
    """

    def __init__(self, transport: Transport, params: dict[str, str], *, after: int | None, patience: float) -> None:
        self._transport = transport
        self._params = params
        self._last = after
        self._patience = patience
        self._stop = threading.Event()
        self._socket: socket.socket | None = None
        self.connected = False
        """Whether the stream stands at this moment: news will come by itself."""
        self.lost: Callable[[], None] = _nothing
        """Called whenever the stream has broken."""

    def __iter__(self) -> Iterator[Event]:
        delay, since = _FIRST_DELAY, None
        while not self._stop.is_set():
            try:
                for event in self._connection():
                    self._last, delay, since = event.id, _FIRST_DELAY, None
                    yield event
                since = None
            except ServerUnreachable:
                now = time.monotonic()
                since = now if since is None else since
                if not self._stop.is_set() and now - since >= self._patience:
                    raise
            self._stop.wait(delay)
            delay = min(delay * 2, _LONGEST_DELAY)

    def close(self) -> None:
        """End the iteration, even while it waits for the server."""
        self._stop.set()
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _connection(self) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        params = dict(self._params)
        if self._last is not None:
            headers["Last-Event-ID"] = str(self._last)
            params["after"] = str(self._last)
        with self._transport.stream(_PATH, params=params, headers=headers, silence=_SILENCE) as answer:
            self._socket = _socket_of(answer)
            if self._stop.is_set():
                # Closed while it was being opened: `close` had no socket to wake this thread with.
                return
            self.connected = True
            try:
                yield from parse(answer.iter_lines())
            finally:
                self.connected, self._socket = False, None
                self.lost()


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """The events in the lines of a stream of server-sent events (HTML Living Standard, section 9.2.6)."""
    data: list[str] = []
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data.append(value)
            elif name in ("id", "event"):
                fields[name] = value
            continue
        if data:
            yield _event("\n".join(data), fields)
        data, fields = [], {}


def _nothing() -> None:
    """Nobody wants to know."""


def _event(text: str, fields: dict[str, str]) -> Event:
    try:
        document = json.loads(text)
        document.setdefault("id", fields.get("id", 0))
        document.setdefault("type", fields.get("event", "message"))
        return Event.of(document)
    except (ValueError, TypeError, AttributeError) as error:
        raise UnexpectedAnswer("The event stream holds something that is not an event.", cause=text[:120]) from error


def _socket_of(answer: httpx.Response) -> socket.socket | None:
    stream = answer.extensions.get("network_stream")
    found = stream.get_extra_info("socket") if stream is not None else None
    return found if isinstance(found, socket.socket) else None


def _params(operation: str | None, subject: str | None) -> dict[str, str]:
    given = {"operation": operation, "subject": subject}
    return {key: value for key, value in given.items() if value is not None}
