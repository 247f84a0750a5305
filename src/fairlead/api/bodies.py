"""Reading request bodies: their type, their limits, and uploads that are never held in memory.

JSON bodies are read whole, up to a limit that is checked before and while they come in. An upload goes on chunk by
chunk to whoever stores it; a client that goes away in its middle is a BadRequest there, so that what was stored of it is
dropped by the same path as any other failure.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException

from fairlead.errors import BadRequest, NotAcceptable, TooLarge, UnsupportedMediaType

__all__ = [
    "FORM",
    "JSON",
    "MERGE_PATCH",
    "TEXT",
    "ZIP",
    "acceptable",
    "chunks",
    "content_type",
    "media_accepted",
    "read_json",
    "read_raw",
]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
FORM = "application/x-www-form-urlencoded"
ZIP = "application/zip"
TEXT = "text/plain"


def content_type(request: Request[Any, Any, Any], allowed: tuple[str, ...]) -> None:
    """Raises UnsupportedMediaType when the body is of none of the `allowed` types; saying nothing is allowed."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent and sent not in allowed:
        raise UnsupportedMediaType(
            f"A body of the type {sent} is not read here.",
            remedy=f"Send it with Content-Type: {' or '.join(allowed)}.",
        )


def acceptable(request: Request[Any, Any, Any], produced: tuple[str, ...]) -> None:
    """Raises NotAcceptable when the request's Accept header rules out all that is `produced`."""
    header = request.headers.get("accept")
    if not header or "*/*" in header or "*/*" in produced or produced[0] in header:
        return
    if media_accepted(request, produced):
        return
    raise NotAcceptable(
        f"None of the types in Accept ({header[:100]}) is produced here.",
        remedy=f"Accept {' or '.join(produced)}.",
    )


def media_accepted(request: Request[Any, Any, Any], produced: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the types that are `produced` which the request's Accept header allows; all when there is none."""
    ranges: set[str] = set()
    for part in request.headers.get("accept", "").lower().split(","):
        media, *parameters = (each.strip() for each in part.split(";"))
        if not any(re.fullmatch(r"q=0(\.0*)?", each) for each in parameters):
            ranges.add(media)
    if ranges & {"", "*/*"}:
        return produced
    return tuple(media for media in produced if ranges & {media, media.partition("/")[0] + "/*"})


async def read_json(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The body, `{}` when there is none. Raises as `chunks`."""
    return await read_raw(request, limit) or b"{}"


async def read_raw(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The whole body. Raises as `chunks`."""
    return b"".join([part async for part in chunks(request, limit)])


async def chunks(request: Request[Any, Any, Any], limit: int) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises TooLarge beyond `limit` bytes, BadRequest when the client goes away."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    total = 0
    try:
        async for part in request.stream():
            total += len(part)
            if total > limit:
                raise _too_large(limit)
            if part:
                yield part
    except InternalServerException:
        raise BadRequest(
            f"The client went away after {total} bytes of its body.",
            code="upload-interrupted",
            remedy="Send the request again.",
        ) from None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes.", remedy=f"Send at most {limit} bytes.")
