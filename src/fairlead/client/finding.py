"""Things by id or by name.

What looks like an id is asked for as one first; a name is looked up with a filter of the server's (SOL013, section
5.2). A name that several things bear is an error that lists them, because guessing among network functions is not
helpful.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from fairlead.client.transport import Document, Transport
from fairlead.errors import BadRequest, NotFound

__all__ = ["find", "looks_like_id", "term"]

_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_SHOWN = 10


def looks_like_id(text: str) -> bool:
    """Whether `text` has the form of the identifiers that the server gives out."""
    return _ID.fullmatch(text) is not None


def term(attribute: str, value: str) -> str:
    """A filter expression that holds of what has exactly `value` in `attribute`."""
    quoted = "'" + value.replace("'", "''") + "'" if re.search(r"[(),']", value) else value
    return f"(eq,{attribute},{quoted})"


def find(
    transport: Transport,
    path: str,
    text: str,
    attributes: Iterable[str],
    *,
    what: str,
    describe: Callable[[Document], str],
) -> Document:
    """The one thing under `path` whose id is `text`, or that alone has `text` in the first of `attributes` in which any has it.

    Raises NotFound (`unknown-name`) or BadRequest (`ambiguous-name`).
    """
    if looks_like_id(text):
        try:
            return transport.document("GET", f"{path}/{text}")
        except NotFound:
            pass
    for attribute in attributes:
        try:
            found = list(transport.pages(path, {"filter": term(attribute, text)}))
        except BadRequest:
            continue
        if len(found) == 1:
            return found[0]
        if found:
            listed = "".join(f"\n  {one['id']}  {describe(one)}" for one in found[:_SHOWN])
            more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise BadRequest(
                f"There are {len(found)} of the name {text!r}:{listed}{more}",
                code="ambiguous-name",
                remedy="Use the id of the one you mean.",
            )
    raise NotFound(
        f"There is no {what} with the id or name {text!r}.",
        code="unknown-name",
        remedy=f"`fairlead {what} list` shows what there is.",
    )
