"""Forgetting finished operations after the time that the settings say, with their journals.

An operation that is open is never forgotten, however old. Rows go in portions, so that nobody waits for the database
meanwhile; journals of operations that went with their project go too.
"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.operations.tables import actions, operations, steps
from fairlead.store import Store, Tx

__all__ = ["forget_finished"]

_PORTION = 500


async def forget_finished(store: Store, older_than: float) -> int:
    """Delete operations that ended before `older_than` (seconds since the epoch); how many they were."""
    number = 0
    while True:
        deleted = await store.write(lambda tx: _portion(tx, older_than))
        number += deleted
        if deleted < _PORTION:
            await store.write(_orphans)
            return number


def _portion(tx: Tx, older_than: float) -> int:
    where = (operations.c.open.is_(False), operations.c.entered < older_than)
    ids = [row.id for row in tx.all(tx.select(operations, operations.c.id).where(*where).limit(_PORTION))]
    for table, column in ((steps, steps.c.operation), (actions, actions.c.operation), (operations, operations.c.id)):
        tx.run(tx.delete(table).where(column.in_(ids)))
    return len(ids)


def _orphans(tx: Tx) -> None:
    for table in (steps, actions):
        known = sa.exists().where(operations.c.id == table.c.operation)
        tx.run(tx.delete(table).where(~known))
