"""The answers that endpoints give: a document, a page of a list, or nothing but a status and where to look next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response

from fairlead.api.bodies import JSON
from fairlead.api.endpoints import Call
from fairlead.sol import encode

__all__ = ["accepted", "created", "document", "empty", "etag", "if_match"]


def document(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """`value` (a struct, plain values, or JSON that is encoded already) as the body."""
    body = value if isinstance(value, bytes) else encode(value)
    return Response(body, status_code=status, media_type=JSON, headers=dict(headers or {}))


def created(call: Call, value: Any, path: str) -> Response[Any]:
    """201 with the new resource and its URL."""
    return document(value, 201, {"Location": call.url(path)})


def accepted(call: Call, path: str | None = None) -> Response[Any]:
    """202 without a body; `path` is where the progress can be seen."""
    return empty(202, {} if path is None else {"Location": call.url(path)})


def empty(status: int = 204, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """A status without a body."""
    return Response(b"", status_code=status, media_type=JSON, headers=dict(headers or {}))


def etag(value: str) -> str:
    """`value` as an ETag header."""
    return '"' + value.strip('"') + '"'


def if_match(call: Call) -> str | None:
    """The entity tag in If-Match, without quotes; None when there is none, or any will do."""
    header = call.header("if-match")
    if header is None or header.strip() == "*":
        return None
    return header.strip().removeprefix("W/").strip('"')
