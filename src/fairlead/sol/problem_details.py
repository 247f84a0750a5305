"""Problem details (RFC 9457): the one shape in which Fairlead tells of an error, in answers and in stored records alike.

ETSI requires `status` and `detail` and allows further attributes; ours are the fields of an error's card, so that what a
failed operation stored says as much as the answer to a refused request.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fairlead.errors import FairleadError
from fairlead.sol.wire import Sol

__all__ = ["ProblemDetails", "problem_of", "problem_type"]


class ProblemDetails(Sol, frozen=True, kw_only=True):
    """SOL013 clause 6.3 with Fairlead's own attributes from `code` on."""

    type: str | None = None
    title: str | None = None
    status: int
    detail: str
    instance: str | None = None
    code: str | None = None
    resource: str | None = None
    place: str | None = None
    cause: str | None = None
    left: str | None = None
    remedy: str | None = None
    step: str | None = None
    """Of a failed operation: the step that failed."""
    console: str | None = None
    """Of a machine that did not become ready: the end of what it printed."""
    others: tuple[dict[str, Any], ...] = ()
    """Of a failed operation: the cards of the failures beside the first."""
    problems: tuple[dict[str, Any], ...] = ()
    """Of a package that was refused: one document per mistake, with `file`, `line`, `column`, `code` and `message`."""


def problem_type(code: str) -> str:
    """The URI that stands for errors with this code."""
    return f"https://fairlead.example/errors/{code}"


def problem_of(error: FairleadError, instance: str | None = None) -> ProblemDetails:
    """The record of `error`; what it holds in `more` is kept as far as ProblemDetails has an attribute for it."""
    card = error.card()
    known = {name: card[name] for name in ProblemDetails.__struct_fields__ if name in card and name != "problems"}
    return ProblemDetails(
        type=problem_type(error.code),
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        instance=instance,
        problems=tuple(error.more.get("problems", ())),
        **known,
    )
