"""The event log under `/fairlead/v1/events`: a page of it, or a stream that goes on (server-sent events).

The id of an event is the id in the stream, so a client that lost its connection sends the last one it saw (`Last-Event-ID`, as
browsers do by themselves) and misses nothing. Events have no SSE event name: a browser's `onmessage` gets all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import structlog
from anyio import CancelScope
from litestar import Response
from litestar.response import Stream

from fairlead.api.answers import document
from fairlead.api.bodies import JSON
from fairlead.api.endpoints import Call, Endpoint, Parameter
from fairlead.api.lists import next_link
from fairlead.api.rules import ALL_PROJECTS
from fairlead.api.services import Authenticator
from fairlead.clock import Clock
from fairlead.errors import BadRequest, IdentityUnavailable, Unauthenticated
from fairlead.events import Event, EventLog
from fairlead.sol import encode

__all__ = ["EventStream"]

STREAM = "text/event-stream"
log = structlog.get_logger()
_HIGHEST = 2**63 - 1
_MOST = 1000


class EventStream:
    """The interface over the event log.

    Streams end when `stopping` is set, and soon after their caller's credentials have ended.
    """

    def __init__(self, events: EventLog, identity: Authenticator, clock: Clock, stopping: asyncio.Event) -> None:
        self._events = events
        self._identity = identity
        self._clock = clock
        self._stopping = stopping

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/fairlead/v1/events",
                serve=self.read,
                tag="Events",
                summary="Events as a stream; as a page when only application/json is accepted",
                produces=(STREAM, JSON),
                parameters=(
                    Parameter("after", "Only events with a higher id; a stream without it begins now.", type="integer"),
                    Parameter("limit", f"Events in a page, at most {_MOST}.", type="integer"),
                    Parameter("subject", "Only events about the thing with this id."),
                    Parameter("operation", "Only events of the operation with this id."),
                    Parameter("all_projects", "Events of all projects; for administrators.", flag=True),
                    Parameter("Last-Event-ID", "As `after`, and stronger.", "header", "integer"),
                ),
                answers={200: list[Event]},
            )
        ]

    async def read(self, call: Call) -> Response[Any]:
        every = call.query.get("all_projects", "false").lower() in ("", "true", "1")
        if every:
            call.require(ALL_PROJECTS)
        project = None if every else call.project
        wanted = {name: call.query.get(name) for name in ("subject", "operation")}
        if JSON in (call.header("accept") or "") and STREAM not in (call.header("accept") or ""):
            return await self._page(call, project, wanted)
        after = self._resumed(call)
        source = self._events.follow_with_pauses(project, after, **wanted, pause=call.settings.heartbeat)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Stream(self._lines(call, source), media_type=STREAM, headers=headers)

    async def _page(self, call: Call, project: str | None, wanted: dict[str, str | None]) -> Response[Any]:
        after = call.number("after", 0, _HIGHEST)
        limit = max(1, call.number("limit", call.settings.page_size, _MOST))
        found = await self._events.read(project, after, limit, **wanted)
        headers = {"Link": next_link(call, "after", str(found[-1].id))} if len(found) == limit else {}
        return document(list(found), headers=headers)

    def _resumed(self, call: Call) -> int | None:
        last = call.header("last-event-id")
        if last is not None and last.strip():
            if not (last.strip().isascii() and last.strip().isdigit() and int(last) <= _HIGHEST):
                raise BadRequest("Last-Event-ID is not an id of an event.", code="bad-parameter", place="Last-Event-ID")
            return int(last)
        return call.number("after", 0, _HIGHEST) if "after" in call.query else None

    async def _lines(self, call: Call, source: AsyncGenerator[Event | None, None]) -> AsyncIterator[bytes]:
        """The stream's bytes; it ends, rather than breaks, when the log cannot be read any more."""
        stopping = asyncio.create_task(self._stopping.wait(), name="event stream end")
        following: asyncio.Task[Event | None] | None = None
        try:
            yield b"retry: 1000\n\n"
            looked = self._clock.now()
            while True:
                following = asyncio.ensure_future(anext(source))
                await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    return
                event = following.result()
                if self._clock.now() - looked >= call.settings.heartbeat:
                    await self._identity.authenticate(call.authorization)
                    looked = self._clock.now()
                yield b": \n\n" if event is None else b"id: %d\ndata: %b\n\n" % (event.id, encode(event))
        except (Unauthenticated, IdentityUnavailable):
            return
        except Exception as error:
            log.error("event stream broke", exc_info=error)
        finally:
            # Shielded, because a client that goes away has this task cancelled at every await.
            with CancelScope(shield=True):
                stopping.cancel()
                if following is not None:
                    following.cancel()
                    await asyncio.wait({following})
                await source.aclose()
