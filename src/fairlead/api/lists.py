"""Lists as SOL013 wants them: filter, attribute selectors, pages linked by an opaque marker.

With default selectors, which is nearly always, a page is its rows' stored views put between brackets; nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from litestar import Response

from fairlead.api.answers import document
from fairlead.api.endpoints import Call, Parameter
from fairlead.sol import Filter, Selectors, Shown, encode
from fairlead.store.listing import Page

__all__ = ["LIST_PARAMETERS", "MARKER", "listing", "next_link"]

MARKER = "nextpage_opaque_marker"

LIST_PARAMETERS = (
    Parameter("filter", "Attribute filter (SOL013 clause 5.2): `(op,attribute,value)`, several joined by `;`."),
    Parameter("all_fields", "Show every attribute.", flag=True),
    Parameter("fields", "Of the optional complex attributes, show these."),
    Parameter("exclude_fields", "Of the optional complex attributes, leave these out."),
    Parameter("exclude_default", "Leave out the default set, which is also done when no selector is given.", flag=True),
    Parameter(MARKER, "Taken from the Link header of the page before."),
)

Fetch = Callable[[str, Filter | None, str | None, int], Awaitable[Page]]


async def listing(
    call: Call,
    shown: Shown,
    fetch: Fetch,
    *,
    view: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    always: str | None = None,
) -> Response[Any]:
    """The page that `call` asks for, of what passes the filter `always`. Raises BadRequest.

    `view` makes of each resource, as plain values, what an older version of the interface shows.
    """
    selectors = Selectors.parse(call.query, shown)
    wanted = Filter.parse(call.query["filter"], shown.type) if "filter" in call.query else None
    if always is not None:
        condition = Filter.parse(always, shown.type)
        wanted = condition if wanted is None else Filter((*condition.terms, *wanted.terms))
    page = await fetch(call.project, wanted, call.query.get(MARKER), call.settings.page_size)
    if view is not None:
        body = encode([view(selectors.apply(row.full)) for row in page.rows])
    elif selectors.is_default:
        body = f"[{','.join(row.view for row in page.rows)}]".encode()
    else:
        body = encode([selectors.apply(row.full) for row in page.rows])
    headers = {"Link": next_link(call, MARKER, page.next_marker)} if page.next_marker is not None else {}
    return document(body, headers=headers)


def next_link(call: Call, parameter: str, value: str) -> str:
    """The Link header that leads to the next page: the same query with `parameter` set to `value`."""
    query = urlencode({**call.query, parameter: value})
    path = call.request.scope["path"]
    return f'<{call.url(path)}?{query}>;rel="next"'
