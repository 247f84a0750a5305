"""What all services of the peer share: refusals in each service's own form, things in memory, and time that passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

__all__ = ["MOMENT", "Due", "Refusal", "Thing", "nova_refusal", "now", "refused", "wanted"]

MOMENT = 0.02
"""Seconds that pass until something that was accepted is done."""

Thing = dict[str, Any]


class Refusal(Exception):
    """An answer that is none of success."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


def nova_refusal(status: int, message: str) -> Refusal:
    """As Nova and Cinder say it."""
    words = {400: "badRequest", 403: "forbidden", 404: "itemNotFound", 409: "conflictingRequest", 413: "overLimit"}
    return Refusal(status, {words.get(status, "computeFault"): {"code": status, "message": message}})


def refused(status: int, kind: str, message: str) -> Refusal:
    """As Neutron says it."""
    return Refusal(status, {"NeutronError": {"type": kind, "message": message, "detail": ""}})


def now() -> str:
    """The time as services write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wanted(request: web.Request, *fields: str) -> Callable[[Thing], bool]:
    """Whether a thing has, in each of `fields`, one of the values that are asked for."""
    asked = {field: set(request.query.getall(field)) for field in fields if field in request.query}
    return lambda thing: all(_word(thing.get(field)) in values for field, values in asked.items())


def _word(value: Any) -> Any:
    """As a query has it."""
    return str(value).lower() if isinstance(value, bool) else value


class Due:
    """What is to happen in a moment: looked at whenever somebody asks."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, Callable[[], object]]] = []

    def later(self, effect: Callable[[], object]) -> None:
        """Have `effect` a moment from now."""
        self._waiting.append((time.monotonic() + MOMENT, effect))

    def happen(self) -> None:
        """All that is due."""
        now = time.monotonic()
        due = [effect for at, effect in self._waiting if at <= now]
        self._waiting = [(at, effect) for at, effect in self._waiting if at > now]
        for effect in due:
            effect()
