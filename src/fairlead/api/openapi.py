"""Our own OpenAPI 3.1 document, made from the endpoints that are served.

Every endpoint says which errors it answers with beyond those that any may; all of them are problem details.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from fairlead import __version__
from fairlead.api.endpoints import Endpoint, Parameter
from fairlead.api.problems import PROBLEM
from fairlead.api.rules import rule_name, rules_of
from fairlead.identity import Policy, Role
from fairlead.sol import ProblemDetails

__all__ = ["openapi_document"]

Document = dict[str, Any]
_ALWAYS = (400, 406, 500, 503)
_KEYSTONE = {"keystone": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}}
_REFERENCE = "#/components/schemas/{name}"


def openapi_document(endpoints: Sequence[Endpoint], policy: Policy, *, keystone: bool = False) -> Document:
    """The document for `endpoints`; `keystone` says whose tokens are taken."""
    rules = [rule.name for rule in rules_of(endpoints)]
    scopes = {
        role: f"May ask for {sum(role in policy.roles(rule) for rule in rules)} of {len(rules)} things."
        for role in Role
    }
    types = [kind for endpoint in endpoints for kind in _types(endpoint)]
    schemas, components = msgspec.json.schema_components([ProblemDetails, *types], ref_template=_REFERENCE)
    schema_of = iter(schemas)
    next(schema_of)
    paths: dict[str, Document] = {}
    for endpoint in endpoints:
        described = {id(kind): next(schema_of) for kind in _types(endpoint)}
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, described, policy, keystone)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fairlead",
            "version": __version__,
            "description": "VNF Manager and NFV Orchestrator: ETSI SOL interfaces, and Fairlead's own under /fairlead/v1.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Problem": _problem()},
            "securitySchemes": _KEYSTONE if keystone else _embedded(scopes),
        },
    }


def _embedded(scopes: Mapping[Role, str]) -> Document:
    return {
        "bearer": {"type": "http", "scheme": "bearer"},
        "clientCredentials": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": scopes}},
        },
    }


def _security(rule: str | None, policy: Policy, keystone: bool) -> list[Document]:
    if rule is None:
        return []
    return [{"keystone": []}] if keystone else [{"bearer": []}, {"clientCredentials": policy.roles(rule)}]


def _types(endpoint: Endpoint) -> list[Any]:
    """The types of the bodies of one endpoint: the request's, then the answers'."""
    return [kind for kind in (endpoint.request, *endpoint.answers.values()) if kind is not None and kind is not bytes]


def _operation(endpoint: Endpoint, described: dict[int, Document], policy: Policy, keystone: bool) -> Document:
    rule = rule_name(endpoint)
    words = re.sub(r"[{}]", "", endpoint.path).strip("/")
    operation: Document = {
        "operationId": re.sub(r"[^A-Za-z0-9]+", "_", f"{endpoint.method.lower()}_{words}"),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, described),
        "security": _security(rule, policy, keystone),
    }
    if endpoint.request is not None:
        schema = {} if endpoint.request is bytes else described[id(endpoint.request)]
        content = {media: {"schema": schema} if schema else {} for media in endpoint.consumes}
        operation["requestBody"] = {"required": _needed(endpoint.request), "content": content}
    return operation


def _needed(type_: Any) -> bool:
    """Whether an empty body, which is read as `{}`, would be refused."""
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return any(field.required for field in msgspec.structs.fields(type_))
    return True


def _parameters(endpoint: Endpoint) -> list[Document]:
    found: list[Document] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    if endpoint.interface is not None:
        versions = list(endpoint.interface.versions)
        found.append(
            {
                "name": "Version",
                "in": "header",
                "required": not endpoint.interface.lenient,
                "description": "The version of the interface that the client speaks (SOL013 clause 9).",
                "schema": {"type": "string", "examples": versions[-1:]},
            }
        )
    return [*found, *map(_parameter, endpoint.parameters)]


def _parameter(parameter: Parameter) -> Document:
    described: Document = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": {"type": parameter.type},
    }
    return described | {"allowEmptyValue": True} if parameter.flag else described


def _responses(endpoint: Endpoint, described: dict[int, Document]) -> Document:
    responses: Document = {}
    for status, kind in endpoint.answers.items():
        response: Document = {"description": HTTPStatus(status).phrase}
        if kind is not None:
            # In OpenAPI 3.1 a body of bytes is one without a schema.
            content = {} if kind is bytes else {"schema": described[id(kind)]}
            response["content"] = dict.fromkeys(endpoint.produces, content)
        responses[str(status)] = response
    errors = {*_ALWAYS, *endpoint.errors}
    if endpoint.needs is not None:
        errors |= {401, 403}
    if "{" in endpoint.path:
        errors |= {404}
    if endpoint.request is not None:
        errors |= {413, 415}
    for status in sorted(errors):
        responses.setdefault(str(status), {"$ref": "#/components/responses/Problem"})
    return responses


def _problem() -> Document:
    return {
        "description": "Problem details (RFC 9457). `code` is stable; `remedy` says what to do.",
        "content": {PROBLEM: {"schema": {"$ref": _REFERENCE.format(name="ProblemDetails")}}},
    }
