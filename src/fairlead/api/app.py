"""The HTTP application, put together from the interfaces. `main` makes one and gives it to the server."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Response

from fairlead.api.admission import handlers
from fairlead.api.answers import document
from fairlead.api.endpoints import Call, Endpoint
from fairlead.api.events import EventStream
from fairlead.api.identity import Administration
from fairlead.api.oauth2 import OAuth2
from fairlead.api.openapi import openapi_document
from fairlead.api.plans import Plans
from fairlead.api.problems import problem_response
from fairlead.api.services import Services
from fairlead.api.status import Status
from fairlead.api.tacker import Tacker
from fairlead.api.telemetry import Telemetry
from fairlead.api.vims import VimRegistry
from fairlead.api.vnflcm import VnfLifecycle
from fairlead.api.vnfpkgm import VnfPackages
from fairlead.sol import VNFLCM, VNFPKGM, VNFPKGM_V1, encode

__all__ = ["create_app", "create_status_app", "endpoints"]


def endpoints(services: Services) -> list[Endpoint]:
    """Everything that is served, the OpenAPI document itself included."""
    settings = services.settings
    served = [
        *VnfLifecycle(services.vnfs, services.occurrences).endpoints(),
        *VnfPackages(services.catalogue, services.subscriptions, VNFPKGM).endpoints(),
        *VnfPackages(services.catalogue, services.subscriptions, VNFPKGM_V1).endpoints(),
        *Plans(services.vnfs, services.occurrences).endpoints(),
        *VimRegistry(services.vims).endpoints(),
        *Tacker(services.vims).endpoints(),
        *Administration(services.identity).endpoints(),
        *OAuth2(services.identity).endpoints(),
        *EventStream(services.events, services.identity, services.clock, services.stopping).endpoints(),
        *Status(services.health, services.metrics, settings.public_metrics).endpoints(),
    ]
    return [*served, _own_description(served)]


def create_app(services: Services) -> Litestar:
    """The application over `services`, which must be running."""
    return _app(endpoints(services), services)


def create_status_app(services: Services) -> Litestar:
    """Nothing but how the process is, for one that does not serve the API."""
    status = Status(services.health, services.metrics, services.settings.public_metrics)
    return _app(status.endpoints(), services)


def _app(served: list[Endpoint], services: Services) -> Litestar:
    app = Litestar(
        route_handlers=handlers(served, services),
        exception_handlers={Exception: problem_response},
        on_shutdown=[services.stopping.set],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = Telemetry(app.asgi_handler, services.metrics, (VNFLCM, VNFPKGM, VNFPKGM_V1))
    return app


def _own_description(served: list[Endpoint]) -> Endpoint:
    described: list[bytes] = []

    async def serve(_call: Call) -> Response[Any]:
        if not described:
            described.append(encode(openapi_document([*served, own])))
        return document(described[0])

    own = Endpoint(
        method="GET",
        path="/fairlead/v1/openapi.json",
        serve=serve,
        tag="Status",
        summary="This document",
        action=None,
        answers={200: dict[str, Any]},
    )
    return own
