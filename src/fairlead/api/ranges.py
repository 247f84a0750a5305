"""Sending content: all of it or the one range that a request asks for (RFC 9110, sections 13 and 14), as a stream.

A client that lost its connection goes on where it was: it sends the range it lacks, with the entity tag that it had in
If-Range, and gets the whole anew if the content has become another one.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Protocol
from urllib.parse import quote

from litestar import Response
from litestar.response import Stream

from fairlead.api.answers import empty, etag
from fairlead.api.endpoints import Call, Parameter
from fairlead.errors import RangeNotSatisfiable

__all__ = ["RANGE_PARAMETERS", "Content", "sent", "wanted_range"]

RANGE_PARAMETERS = (
    Parameter("Range", "One range of bytes, as `bytes=1000-` or `bytes=0-999`, to go on with a download.", "header"),
    Parameter("If-Range", "An entity tag: the range is sent only while the content still has it.", "header"),
    Parameter("If-None-Match", "Entity tags: 304 while the content has one of them.", "header"),
)
_RANGE = re.compile(r"(\d*)\s*-\s*(\d*)", re.ASCII)


class Content(Protocol):
    """What can be sent: `size` in bytes, its media type, a name for a file, its entity tag without quotes."""

    @property
    def size(self) -> int: ...
    @property
    def media(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def etag(self) -> str: ...
    async def open(self, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]: ...


async def sent(call: Call, content: Content, *, ranges: bool = True) -> Response[Any]:
    """The answer with `content`, or with the range of it that `call` asks for.

    Raises RangeNotSatisfiable, and what opening the content raises.
    """
    tag = etag(content.etag)
    headers = {"ETag": tag, "Accept-Ranges": "bytes" if ranges else "none"}
    if _listed(call.header("if-none-match"), tag):
        return empty(304, headers)
    chosen = None
    if ranges and call.header("if-range") in (None, tag):
        chosen = wanted_range(call.header("range"), content.size)
    start, stop = chosen or (0, content.size)
    if chosen is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    pieces = await content.open(start, stop)
    headers |= {
        "Content-Length": str(stop - start),
        # What a package holds is not to be taken for a page of this server.
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(content.name)}",
        "X-Content-Type-Options": "nosniff",
        # Given so, because python-tackerclient takes no text/plain with a charset for text.
        "Content-Type": content.media,
    }
    return Stream(pieces, status_code=206 if chosen is not None else 200, headers=headers)


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte of the range that a Range header names, and the one after its last; None for the whole.

    What is no range of bytes is read over, as RFC 9110 wants it. Raises RangeNotSatisfiable for a range that lies outside,
    and for several at once.
    """
    unit, _, text = (header or "").partition("=")
    if unit.strip().lower() != "bytes":
        return None
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        if "," in text:
            raise _unsatisfiable("Several ranges at once are not sent.", size, "Ask for one range.")
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise _unsatisfiable(f"The range {text.strip()[:60]} is outside of {size} bytes.", size, "Ask for less.")
    return start, stop


def _unsatisfiable(detail: str, size: int, remedy: str) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(detail, remedy=remedy, more={"size": size})


def _listed(header: str | None, tag: str) -> bool:
    return header is not None and (
        header.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in header.split(","))
    )
