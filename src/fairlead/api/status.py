"""How the process is: `/health` (it runs), `/ready` (it can take work, and what is missing if not), `/metrics` (Prometheus)."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from fairlead.api.answers import document
from fairlead.api.endpoints import Call, Endpoint
from fairlead.api.services import Check, Health
from fairlead.identity import Action

__all__ = ["Status"]


class Liveness(msgspec.Struct, frozen=True):
    """That there is an answer says it all."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True):
    """`ready` is whether all checks are well."""

    ready: bool
    checks: tuple[Check, ...]


class Status:
    """The interface for whoever runs Fairlead."""

    def __init__(self, health: Health, metrics: CollectorRegistry, public_metrics: bool) -> None:
        self._health = health
        self._metrics = metrics
        self._metrics_action = None if public_metrics else Action.READ

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/health",
                serve=self.health,
                tag="Status",
                summary="Whether the process runs",
                action=None,
                answers={200: Liveness},
            ),
            Endpoint(
                method="GET",
                path="/ready",
                serve=self.ready,
                tag="Status",
                summary="Whether the process can take work",
                action=None,
                answers={200: Readiness, 503: Readiness},
            ),
            Endpoint(
                method="GET",
                path="/metrics",
                serve=self.metrics,
                tag="Status",
                summary="Metrics in Prometheus' text format",
                action=self._metrics_action,
                produces=("text/plain",),
                answers={200: str},
            ),
        ]

    async def health(self, _call: Call) -> Response[Any]:
        return document(Liveness())

    async def ready(self, _call: Call) -> Response[Any]:
        checks = tuple(await self._health.checks())
        ready = all(check.ok for check in checks)
        return document(Readiness(ready, checks), 200 if ready else 503)

    async def metrics(self, _call: Call) -> Response[Any]:
        return Response(generate_latest(self._metrics), status_code=200, media_type=CONTENT_TYPE_LATEST)
