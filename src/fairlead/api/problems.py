"""Every failure of a request as problem details (RFC 9457), with the status that fits.

Our own errors carry all there is to say. What Litestar raises (no such path, method not allowed) gets the same form. Anything
else is a fault of ours: the answer holds an id and nothing more, and the log has the trace under that id.
"""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from fairlead.errors import FairleadError, RangeNotSatisfiable
from fairlead.sol import encode, problem_type

__all__ = ["PROBLEM", "problem_response"]

PROBLEM = "application/problem+json"
RETRY_AFTER = 5
"""Seconds after which a request that failed for a passing reason may be sent again."""

log = structlog.get_logger()
_RESERVED = frozenset({"type", "title", "status", "instance"})
_REMEDIES = {
    404: "Look up the path in /fairlead/v1/openapi.json.",
    405: "Use one of the methods in the Allow header.",
}


def problem_response(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer to `request` that tells of `error`."""
    headers: dict[str, str] = {}
    if isinstance(error, FairleadError):
        status, card = error.status, error.card()
        if status >= 500:
            log.warning("request failed", code=error.code, detail=error.detail, cause=error.cause)
        if status == 401:
            sent = "authorization" in request.headers or "x-auth-token" in request.headers
            challenge = request.app.state.get("challenge", "Bearer")
            headers["WWW-Authenticate"] = f'{challenge} error="invalid_token"' if sent else challenge
        if isinstance(error, RangeNotSatisfiable) and "size" in error.more:
            headers["Content-Range"] = f"bytes */{error.more['size']}"
        if error.retryable:
            headers["Retry-After"] = str(RETRY_AFTER)
    elif isinstance(error, HTTPException) and error.status_code < 500:
        status, card = error.status_code, _card_of(request, error)
        headers.update({name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"})
    else:
        status, card = 500, _fault(error)
    more = {name: value for name, value in card.items() if name not in _RESERVED}
    document = {
        "type": problem_type(card["code"]),
        "title": _phrase(status),
        "status": status,
        "instance": request.scope["path"],
        **more,
    }
    if request.scope["path"].startswith("/v1.0/"):
        document["TackerError"] = _tacker_error(card)
    return Response(encode(document), status_code=status, media_type=PROBLEM, headers=headers)


def _card_of(request: Request[Any, Any, Any], error: HTTPException) -> dict[str, Any]:
    status = error.status_code
    path = request.scope["path"]
    details = {404: f"There is nothing at {path}.", 405: f"{request.scope['method']} is not possible on {path}."}
    card = {"code": _slug(_phrase(status)), "detail": details.get(status) or error.detail}
    if status == 404:
        card["code"] = "no-such-path"
    return card | ({"remedy": _REMEDIES[status]} if status in _REMEDIES else {})


def _fault(error: Exception) -> dict[str, Any]:
    """A card that says nothing of `error` but the id under which it is in the log."""
    fault = uuid.uuid4().hex
    log.error("unexpected error", fault=fault, exc_info=error)
    return {
        "code": "internal-error",
        "detail": f"Fairlead failed in a way that it did not foresee. The log tells of it under {fault}.",
        "fault": fault,
        "remedy": "Report it with the lines of the log that carry this id.",
    }


def _tacker_error(card: dict[str, Any]) -> dict[str, str]:
    """What clients of Tacker's own API look for, and show: message and, below it, detail."""
    kind = "".join(word.capitalize() for word in card["code"].split("-"))
    return {"type": kind, "message": card["detail"], "detail": card.get("remedy", "")}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _slug(phrase: str) -> str:
    return re.sub(r"[^a-z]+", "-", phrase.lower()).strip("-")
