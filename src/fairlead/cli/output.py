"""Answers on standard output: a table for people, or the API's own documents for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from fairlead.cli.invocation import Invocation

__all__ = ["fields", "moment", "show", "styled_state", "table"]

_GOOD = frozenset({"COMPLETED", "ONBOARDED", "INSTANTIATED", "STARTED", "ENABLED", "ready", "reachable", "up", "ok"})
_BAD = frozenset({"FAILED", "FAILED_TEMP", "ERROR", "failed", "unreachable", "down", "quarantined"})
_BUSY = frozenset({"STARTING", "PROCESSING", "ROLLING_BACK", "UPLOADING", "PARTIALLY_COMPLETED"})


def show(invocation: Invocation, document: Any, render: Callable[[], str]) -> None:
    """`document` as the output option says; `render` gives the text for people."""
    if invocation.output == "json":
        text = json.dumps(document, indent=2, ensure_ascii=False)
    elif invocation.output == "yaml":
        import yaml

        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip("\n")
    else:
        text = render()
    if text:
        click.echo(text, color=invocation.color)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, nothing: str = "") -> str:
    """Aligned columns; `nothing` when there are no rows. Cells may be styled."""
    cells = [[_text(cell) for cell in row] for row in rows]
    if not cells:
        return nothing
    lines = [[click.style(heading, bold=True) for heading in headings], *cells]
    widths = [max(len(click.unstyle(line[column])) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def fields(pairs: Iterable[tuple[str, Any]]) -> str:
    """One thing, a line for each field that has a value."""
    known = [(name, _text(value)) for name, value in pairs if value not in (None, "", [], {})]
    column = max((len(name) for name, _ in known), default=0)
    return "\n".join(f"{click.style(name.ljust(column), bold=True)}  {value}" for name, value in known)


def styled_state(state: Any) -> str:
    """A state in its colour."""
    text = _text(state)
    colour = "green" if text in _GOOD else "red" if text in _BAD else "yellow" if text in _BUSY else None
    return click.style(text, fg=colour) if colour else text


def moment(value: Any) -> str:
    """A time (seconds since the epoch, or RFC 3339 as ETSI's documents have it) to the second, UTC."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    text = str(value or "")
    return f"{text[:10]} {text[11:19]}Z" if text.endswith("Z") and len(text) >= 20 else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if _is_tree(value):
        # It has no form in one line that is read more easily than its own.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _is_tree(value: Any) -> bool:
    """Whether there are objects inside of `value`."""
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(isinstance(item, Mapping) or _is_tree(item) for item in inside)
