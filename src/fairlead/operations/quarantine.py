"""What is stored and cannot be read: found, and told once to whom it belongs.

A broken row stops its own instance, whose requests are answered with the card of what is broken. Nobody has to ask
first: rows are looked through when the program starts, in pages, and each finding is an event `quarantine.entered`.
Finding the same again tells nothing new and is not told again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from fairlead.errors import Quarantined
from fairlead.events import EventLog
from fairlead.events.tables import events
from fairlead.operations.decided import request_of, way
from fairlead.operations.ledger import recorded
from fairlead.operations.occurrence import load
from fairlead.operations.states import OperationState
from fairlead.operations.tables import operations, resources
from fairlead.operations.types import Role
from fairlead.store import Store, Tx

__all__ = ["Finding", "enter", "pages", "unreadable_operations", "unreadable_resources"]

log = structlog.get_logger()
_PAGE = 50
_SHARE = 5.0
"""Looking takes one part in so many of the time, when there is much to look at: requests are answered meanwhile."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that cannot be read; `subject` is the instance, VIM or package that stands still because of it."""

    project: str
    subject: str
    card: dict[str, Any]
    operation: str | None = None


def enter(tx: Tx, log_of_events: EventLog, finding: Finding) -> bool:
    """Tell of `finding`; False when it was the last that was told of its subject."""
    where = (events.c.type == "quarantine.entered", events.c.subject == finding.subject)
    last = tx.select(events, events.c.data).where(*where).order_by(events.c.id.desc()).limit(1)
    told = tx.scalar(last)
    if isinstance(told, dict) and told.get("error") == finding.card:
        return False
    log.error("quarantine.entered", subject=finding.subject, code=finding.card["code"], detail=finding.card["detail"])
    log_of_events.append(
        tx,
        project=finding.project,
        type="quarantine.entered",
        subject=finding.subject,
        operation=finding.operation,
        data={"error": finding.card},
    )
    return True


async def unreadable_operations(store: Store, roles: Mapping[str, Role]) -> list[Finding]:
    """Open operations of which the row, or what they were decided to do, cannot be read."""
    found = []
    async for row in pages(store, operations, (operations.c.id,), operations.c.open.is_(True)):
        try:
            operation = load(row)
            request_of(roles[operation.role], operation)
            if operation.state is not OperationState.STARTING:
                way(roles[operation.role], operation, back=False)
        except Quarantined as error:
            found.append(Finding(project=row.project, subject=row.subject, operation=row.id, card=error.card()))
    return found


async def unreadable_resources(store: Store) -> list[Finding]:
    """Rows of resources that cannot be read; one finding for each instance."""
    found: dict[str, Finding] = {}
    async for row in pages(store, resources, (resources.c.owner, resources.c.incarnation)):
        try:
            recorded(row)
        except Quarantined as error:
            card = {"resource": row.name, **error.card()}
            found.setdefault(row.owner, Finding(project=row.project, subject=row.owner, card=card))
    return [*found.values()]


async def pages(
    store: Store, table: sa.Table, key: tuple[sa.Column[Any], ...], *where: sa.ColumnElement[bool]
) -> AsyncIterator[Any]:
    """Every row of `table`, in the order of `key`, a page at a time and with pauses, so that nobody waits for it."""
    after: tuple[Any, ...] | None = None
    while True:
        began = time.monotonic()
        rows = await store.read(_page(table, key, where, after))
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        await asyncio.sleep((time.monotonic() - began) * (_SHARE - 1))
        after = tuple(rows[-1]._mapping[column] for column in key)


def _page(
    table: sa.Table, key: tuple[sa.Column[Any], ...], where: tuple[sa.ColumnElement[bool], ...], after: Any
) -> Callable[[Tx], list[Any]]:
    beyond = () if after is None else (sa.tuple_(*key) > sa.tuple_(*(sa.literal(value) for value in after)),)
    return lambda tx: tx.all(tx.select(table).where(*where, *beyond).order_by(*key).limit(_PAGE))
