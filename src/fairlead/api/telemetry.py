"""What is told about each request: a log line, metrics, and the headers that every answer carries.

It sits outside the router, so that an unknown path and a refused method are told of too. The request's id (the client's
`X-Request-Id`, or a new one) is bound to the logging context: whatever any room logs while it serves the request has it.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram

from fairlead.sol import Interface

__all__ = ["Telemetry", "agreed_version"]

log = structlog.get_logger()
_ID = re.compile(r"[A-Za-z0-9._:+/=@-]{1,128}", re.ASCII)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_QUIET = frozenset({"/health", "/ready", "/metrics"})


def agreed_version(scope: Any, version: str) -> None:
    """Have the answer carry `version` in its Version header."""
    scope["state"]["fairlead_version"] = version


class Telemetry:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry, interfaces: Iterable[Interface]) -> None:
        self._app = app
        known = tuple(interfaces)
        self._versions = (
            *((f"{interface.prefix}/", interface.newest) for interface in known),
            *((f"/{interface.name}/", interface.newest) for interface in known),
        )
        self._requests = Counter(
            "fairlead_http_requests", "Requests served.", ("method", "route", "status"), registry=registry
        )
        self._durations = Histogram(
            "fairlead_http_request_duration_seconds",
            "Time from the first byte of a request to the last of its answer; event streams are left out.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        seen: dict[str, Any] = {"status": 0, "stream": False}

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                headers = list(message["headers"])
                seen["stream"] = any(value.startswith(b"text/event-stream") for _, value in headers)
                headers.append((b"x-request-id", request_id.encode()))
                version = self._version(scope)
                if version is not None:
                    headers.append((b"version", version.encode()))
                message["headers"] = headers
            await send(message)

        try:
            await self._app(scope, receive, telling)
        finally:
            self._tell(scope, seen, time.perf_counter() - started)

    def _version(self, scope: Any) -> str | None:
        agreed: str | None = scope.get("state", {}).get("fairlead_version")
        if agreed is not None:
            return agreed
        return next((version for prefix, version in self._versions if scope["path"].startswith(prefix)), None)

    def _tell(self, scope: Any, seen: dict[str, Any], seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = scope.get("path_template") or "unmatched"
        self._requests.labels(method, route, str(seen["status"])).inc()
        if not seen["stream"]:
            self._durations.labels(method, route).observe(seconds)
        say = log.debug if scope["path"] in _QUIET else log.info
        say(
            "request",
            method=method,
            path=scope["path"][:500],
            status=seen["status"],
            duration_ms=round(seconds * 1000, 2),
            project=scope.get("state", {}).get("fairlead_project"),
        )


def _request_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if _ID.fullmatch(text):
                return str(text)
            break
    return uuid.uuid4().hex
