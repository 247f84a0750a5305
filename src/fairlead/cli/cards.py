"""Errors as cards: what happened, where, in whose words, what was left behind, and what to do next.

The same card is shown for an error that the server answered with and for the failure of an operation, since both are
the same document. It is written for somebody who was just woken up: one label, one fact, nothing abbreviated. With `-o
json` or `yaml` the card is that document, still on standard error, so that standard output holds answers only.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import click

from fairlead.cli.invocation import Invocation
from fairlead.errors import FairleadError, Unauthenticated

__all__ = ["render_card", "show_card", "show_error"]

_LABELS = {
    "code": "code",
    "resource": "resource",
    "place": "place",
    "cause": "cause",
    "left": "left",
    "remedy": "next",
}
_STANDARD = frozenset({"type", "title", "status", "detail", "instance"})


def show_error(invocation: Invocation, error: FairleadError) -> None:
    """The card of an error that ended the command."""
    card = error.card()
    if isinstance(error, Unauthenticated) and error.remedy is None:
        card["remedy"] = "Give a valid token with FAIRLEAD_TOKEN, --token-file or --token."
    show_card(invocation, card)


def show_card(invocation: Invocation, card: Mapping[str, Any], *, more_next: Iterable[str] = ()) -> None:
    """A card on standard error; `more_next` are further lines on what to do next."""
    if invocation.output != "table":
        click.echo(json.dumps(card, indent=2, ensure_ascii=False), err=True)
        return
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    click.echo(render_card(card, width=width, more_next=more_next), err=True, color=invocation.color)


def render_card(card: Mapping[str, Any], *, width: int = 100, more_next: Iterable[str] = ()) -> str:
    """The text of a card, at most `width` columns wide."""
    detail = str(card.get("detail") or card.get("title") or "It failed, and no reason was given.")
    lines = _wrapped(click.style("Error: ", fg="red", bold=True), "Error: ", detail, width, indent=2)
    shown = [(label, card[key]) for key, label in _LABELS.items() if card.get(key) not in (None, "")]
    others = [(key, card[key]) for key in card if key not in _LABELS and key not in _STANDARD]
    rows = shown + [
        (label, value) for label, value in others if not isinstance(value, list) and value not in (None, "")
    ]
    column = max((len(label) for label, _ in rows), default=0) + 2
    for label, value in rows:
        head = "  " + label.ljust(column)
        lines += _wrapped("  " + click.style(label.ljust(column), bold=True), head, str(value), width, indent=len(head))
    for line in more_next:
        lines.append(" " * (2 + column) + line)
    for label, value in others:
        if isinstance(value, list):
            lines.append(f"  {label}")
            lines += [part for item in value for part in _wrapped("    - ", "    - ", _item(item), width, indent=6)]
    return "\n".join(lines)


def _item(item: Any) -> str:
    """One of several problems: its place first, because that is what is looked for."""
    if not isinstance(item, Mapping):
        return str(item)
    words = item.get("detail") or item.get("message") or ", ".join(f"{key} {value}" for key, value in item.items())
    place = item.get("place")
    if place is None and item.get("file"):
        place = f"{item['file']}:{item.get('line', 0)}:{item.get('column', 0)}"
    hint = item.get("hint") or item.get("remedy")
    severity = "warning:" if item.get("severity") == "warning" else None
    parts = (place, severity, item.get("code"), words, f"({hint})" if hint else None)
    return " ".join(str(part) for part in parts if part)


def _wrapped(head: str, plain_head: str, text: str, width: int, *, indent: int) -> list[str]:
    """`text` after `head`, in lines of `width`; its own line breaks are kept (they are somebody else's words)."""
    room = max(width - indent, 20)
    lines: list[str] = []
    for number, line in enumerate(text.splitlines() or [""]):
        first = max(width - len(plain_head), 20) if number == 0 else room
        parts = textwrap.wrap(line, first, break_long_words=False, break_on_hyphens=False) or [""]
        if number == 0 and len(parts) > 1 and indent != len(plain_head):
            parts = [
                parts[0],
                *textwrap.wrap(" ".join(parts[1:]), room, break_long_words=False, break_on_hyphens=False),
            ]
        lines += parts
    return [head + lines[0], *(" " * indent + line for line in lines[1:])]
