"""Problem details (RFC 9457) back into the errors that they were made from.

The server sends an error's `code` and card beside the standard members. The class is chosen by status and code
together, because several consequences share a status: 503 is a full infrastructure, an unreachable one, or a database
that does not answer. An answer without a code came from something that stands in between (a proxy, a load balancer),
and is told as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.errors import ClientError, FairleadError, RequestError, ServerUnreachable, UnexpectedAnswer

__all__ = ["error_of"]

_STANDARD = frozenset({"type", "title", "status", "detail", "instance", "code", "status_code", "extra"})
_CARD = ("resource", "place", "cause", "left", "remedy")
_GATEWAY = frozenset({502, 503, 504})


def error_of(status: int, document: Mapping[str, Any] | None, *, at: str) -> FairleadError:
    """The error that an answer of `status` with `document` stands for; `at` says what was asked, for an answer without words."""
    document = document or {}
    code = document.get("code")
    detail = document.get("detail") or document.get("title")
    if code is None and status in _GATEWAY:
        return ServerUnreachable(
            f"Something in front of the server answered {status} to {at}{f': {detail}' if detail else ''}.",
            code="server-unavailable",
            remedy="Look whether the server runs behind that address, then try again.",
        )
    card = {field: str(document[field]) for field in _CARD if document.get(field) is not None}
    more = {key: value for key, value in document.items() if key not in _STANDARD and key not in _CARD}
    words = str(detail) if detail else f"The server answered {status} to {at} and gave no reason."
    return _class_of(status, code)(words, code=code, more=more, **card)


def _class_of(status: int, code: object) -> type[FairleadError]:
    known = [found for found in _tree(FairleadError) if found.status == status and not issubclass(found, ClientError)]
    for found in known:
        if found.default_code == code:
            return found
    for found in known:
        if issubclass(found, RequestError) and found is not RequestError:
            return found
    if 400 <= status < 500:
        return RequestError
    return FairleadError if status >= 500 else UnexpectedAnswer


def _tree(root: type[FairleadError]) -> Iterator[type[FairleadError]]:
    yield root
    for branch in root.__subclasses__():
        yield from _tree(branch)
