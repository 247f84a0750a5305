"""From an endpoint to a Litestar handler: who calls, in which version, may they, and only then the endpoint's function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from litestar import Request, Response
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from fairlead.api.bodies import acceptable
from fairlead.api.endpoints import Call, Endpoint, authorization, query_of
from fairlead.api.rules import rule_name
from fairlead.api.services import Services
from fairlead.api.telemetry import agreed_version
from fairlead.errors import NotFound
from fairlead.identity import Caller, Policy

__all__ = ["handlers"]


def handlers(endpoints: Sequence[Endpoint], services: Services, policy: Policy) -> list[HTTPRouteHandler]:
    """A Litestar handler for each endpoint."""
    return [_handler(endpoint, services, policy) for endpoint in endpoints]


def _handler(endpoint: Endpoint, services: Services, policy: Policy) -> HTTPRouteHandler:
    rule = rule_name(endpoint)

    async def serve(request: Request[Any, Any, Any]) -> Response[Any]:
        return await endpoint.serve(await _admit(request, endpoint, services, policy, rule))

    path = (
        endpoint.path.replace("{artifactPath}", "{artifactPath:path}")
        .replace("}", ":str}")
        .replace(":path:str", ":path")
    )
    return HTTPRouteHandler(path, http_method=HttpMethod(endpoint.method), status_code=200, request_max_body_size=None)(
        serve
    )


async def _admit(
    request: Request[Any, Any, Any], endpoint: Endpoint, services: Services, policy: Policy, rule: str | None
) -> Call:
    caller = None
    if rule is not None:
        caller = await _caller(request, services)
        policy.require(caller, rule)
    if endpoint.interface is not None:
        agreed_version(request.scope, endpoint.interface.negotiate(request.headers.get("version")))
    for value in request.path_params.values():
        if "\x00" in str(value):
            raise NotFound("There is nothing of this name: it holds the character U+0000.")
    # python-tackerclient accepts nothing but zip when it uploads, which an answer without a body suits as well ...
    if any(kind is not None for kind in endpoint.answers.values()):
        # ... and when it changes something, nothing but a merge patch.
        acceptable(request, (*endpoint.produces, *(endpoint.consumes if endpoint.method == "PATCH" else ())))
    return Call(request, endpoint, services.settings, caller, policy, query_of(request))


async def _caller(request: Request[Any, Any, Any], services: Services) -> Caller:
    caller = await services.authenticator.authenticate(authorization(request))
    request.scope["state"]["fairlead_project"] = caller.project
    structlog.contextvars.bind_contextvars(project=caller.project)
    return caller
