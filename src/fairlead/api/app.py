"""The HTTP application, put together from the interfaces. `main` makes one and gives it to the server."""

from __future__ import annotations

from typing import Any, cast

from litestar import Litestar, Response
from litestar.datastructures import State

from fairlead.api.admission import handlers
from fairlead.api.answers import document
from fairlead.api.endpoints import Call, Endpoint
from fairlead.api.events import EventStream
from fairlead.api.identity import Administration
from fairlead.api.oauth2 import OAuth2
from fairlead.api.openapi import openapi_document
from fairlead.api.plans import Plans
from fairlead.api.problems import problem_response
from fairlead.api.rules import rules_of
from fairlead.api.services import ApiSettings, Services
from fairlead.api.status import Status
from fairlead.api.tacker import Tacker
from fairlead.api.telemetry import Telemetry
from fairlead.api.vims import VimRegistry
from fairlead.api.vnflcm import VnfLifecycle
from fairlead.api.vnfpkgm import VnfPackages
from fairlead.identity import Policy, Rule
from fairlead.sol import VNFLCM, VNFLCM_V1, VNFPKGM, VNFPKGM_V1, encode

__all__ = ["all_rules", "create_app", "create_status_app", "endpoints"]


def endpoints(services: Services) -> list[Endpoint]:
    """Everything that is served but the OpenAPI document itself."""
    settings = services.settings
    return [
        *VnfLifecycle(services.vnfs, services.occurrences, VNFLCM).endpoints(),
        *VnfLifecycle(services.vnfs, services.occurrences, VNFLCM_V1).endpoints(),
        *VnfPackages(services.catalogue, services.subscriptions, VNFPKGM).endpoints(),
        *VnfPackages(services.catalogue, services.subscriptions, VNFPKGM_V1).endpoints(),
        *Plans(services.vnfs, services.occurrences).endpoints(),
        *VimRegistry(services.vims).endpoints(),
        *Tacker(services.vims).endpoints(),
        *Administration(services.identity, credentials=services.keystone is None).endpoints(),
        *(OAuth2(services.identity).endpoints() if services.keystone is None else ()),
        *EventStream(services.events, services.authenticator, services.clock, services.stopping).endpoints(),
        *Status(services.health, services.metrics, settings.public_metrics).endpoints(),
    ]


def create_app(services: Services) -> Litestar:
    """The application over `services`, which must be running. Raises FairleadError (`policy-invalid`)."""
    served = endpoints(services)
    policy = Policy(all_rules(), services.settings.policy)
    return _app([*served, _own_description(served, policy, keystone=services.keystone is not None)], services, policy)


def create_status_app(services: Services) -> Litestar:
    """Nothing but how the process is, for one that does not serve the API."""
    served = Status(services.health, services.metrics, services.settings.public_metrics).endpoints()
    return _app(served, services, Policy(all_rules()))


def all_rules() -> tuple[Rule, ...]:
    """Every rule that a request can be judged by, whatever the settings. Nothing has to run for it."""

    class Nothing:
        """What no part of the program stands behind, for its endpoints are listed and not asked."""

        settings = ApiSettings(public_metrics=False)
        keystone = None

        def __getattr__(self, name: str) -> Nothing:
            return self

    return rules_of(endpoints(cast(Services, Nothing())))


def _app(served: list[Endpoint], services: Services, policy: Policy) -> Litestar:
    app = Litestar(
        route_handlers=handlers(served, services, policy),
        state=State({"challenge": services.settings.challenge}),
        exception_handlers={Exception: problem_response},
        on_shutdown=[services.stopping.set],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = Telemetry(app.asgi_handler, services.metrics, (VNFLCM, VNFLCM_V1, VNFPKGM, VNFPKGM_V1))
    return app


def _own_description(served: list[Endpoint], policy: Policy, *, keystone: bool) -> Endpoint:
    described: list[bytes] = []

    async def serve(_call: Call) -> Response[Any]:
        if not described:
            described.append(encode(openapi_document([*served, own], policy, keystone=keystone)))
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
