"""`fairlead event`: the log of everything that happened, read or followed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fairlead.cli.invocation import Invocation, Object, pass_invocation
from fairlead.cli.output import moment, show, table

if TYPE_CHECKING:
    from fairlead.client import Event

__all__ = ["group"]


@click.group("event", cls=Object)
def group() -> None:
    """The event log: what happened, when, to what."""


@group.command("list")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="ID", help="Only events after this one.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@click.option("--operation", metavar="ID", help="Only those of an operation.")
@click.option("--subject", metavar="ID", help="Only those of a VNF, package or VIM.")
@pass_invocation
def list_(invocation: Invocation, after: int, limit: int, operation: str | None, subject: str | None) -> None:
    """List events, oldest first."""
    found = invocation.client.events.page(after=after, limit=limit, operation=operation, subject=subject)
    rows = [
        (event.id, moment(event.time), event.type, event.resource or event.subject, _words(event)) for event in found
    ]
    headings = ("ID", "TIME", "TYPE", "OF", "WHAT")
    show(invocation, [event.document for event in found], lambda: table(headings, rows, nothing="There are no events."))


@group.command("follow")
@click.option("--after", type=click.IntRange(min=0), metavar="ID", help="Begin after this event, not with what comes.")
@click.option("--operation", metavar="ID", help="Only those of an operation.")
@click.option("--subject", metavar="ID", help="Only those of a VNF, package or VIM.")
@pass_invocation
def follow(invocation: Invocation, after: int | None, operation: str | None, subject: str | None) -> None:
    """Show events as they happen, until Ctrl-C. With -o json, a document in each line."""
    follower = invocation.client.events.follow(after=after, operation=operation, subject=subject)
    try:
        for event in follower:
            if invocation.output == "table":
                parts = (
                    f"{event.id:>8}",
                    moment(event.time),
                    event.type,
                    event.resource or event.subject or "",
                    _words(event),
                )
                click.echo("  ".join(part for part in parts if part), color=invocation.color)
            elif invocation.output == "json":
                click.echo(json.dumps(event.document, ensure_ascii=False))
            else:
                click.echo("---")
                show(invocation, event.document, str)
    except KeyboardInterrupt:
        follower.close()


def _words(event: Event) -> str:
    """What the event says beside its type, in one line."""
    return "  ".join(f"{key}={value}" for key, value in event.data.items() if value not in (None, "", [], {}))
