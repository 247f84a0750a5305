"""Resources that several instances use: one per VIM, project and content digest, counted under a lock.

Whoever wants one first creates it, the others wait for it; whoever gives up the last use deletes it. The row says which
operation is creating or deleting; when that operation is not running any more, whoever comes next takes its place.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.operations.states import RUNNING
from fairlead.operations.tables import operations, shared, shared_uses
from fairlead.resources import Handle, Incarnation, Name, Owner, Resource, State, Tag, new_incarnation
from fairlead.store import Tx

__all__ = ["SHARED_OWNER", "acquire", "disuse", "drop", "forget", "renew", "set_shared", "set_unready", "shared_tag"]

SHARED_OWNER = Owner("shared")
"""The owner in the tag of what is shared."""


def _key(resource: Resource[Any], project: str) -> str:
    return f"{resource.spec.sort()}/{project}/{resource.spec.digest}"


def shared_tag(deployment: str, project: str, resource: Resource[Any], incarnation: Incarnation) -> Tag:
    """What a shared thing carries in its VIM: the same whoever made it."""
    return Tag(deployment, SHARED_OWNER, Name(_key(resource, project)), incarnation)


def acquire(
    tx: Tx, operation: str, owner: str, project: str, resource: Resource[Any], now: float
) -> tuple[Incarnation, Handle | None, bool, bool, float]:
    """Count a use in, and say what there is: incarnation, handle, whether it may have been begun, whether to wait,
    since."""
    key = _key(resource, project)
    where = (shared.c.vim == resource.vim, shared.c.key == key)
    row = tx.lock(tx.select(shared).where(*where))
    stale = row is not None and row.state in (State.DELETING, State.FAILED)
    if stale and (row.creator == operation or not _running(tx, row.creator)):
        tx.run(tx.delete(shared).where(*where))
        row = None
    if row is None:
        incarnation = new_incarnation()
        if not _insert(tx, resource.vim, key, incarnation, operation, now):
            # Somebody else is the first, in a transaction that has ended just now.
            return acquire(tx, operation, owner, project, resource, now)
        _use(tx, incarnation, owner, resource.name)
        return incarnation, None, False, False, now
    incarnation = Incarnation(row.incarnation)
    handle = Handle(row.handle) if row.handle else None
    if row.state == State.READY:
        _use(tx, incarnation, owner, resource.name)
        return incarnation, handle, False, False, row.since
    if row.creator != operation:
        if _running(tx, row.creator):
            return incarnation, None, False, True, row.since
        tx.run(tx.update(shared).where(*where).values(creator=operation))
    _use(tx, incarnation, owner, resource.name)
    return incarnation, handle, True, False, row.since


def _insert(tx: Tx, vim: str, key: str, incarnation: Incarnation, operation: str, now: float) -> bool:
    """Be the first who wants this thing; False when another transaction was, which is waited for."""
    values = {"incarnation": incarnation, "creator": operation, "state": str(State.INTENDED), "since": now}
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    statement = insert(shared).values(vim=vim, key=key, handle=None, **values)
    return tx.run(statement.on_conflict_do_nothing(index_elements=["vim", "key"])) == 1


def _use(tx: Tx, incarnation: str, owner: str, name: str) -> None:
    where = (shared_uses.c.incarnation == incarnation, shared_uses.c.owner == owner, shared_uses.c.name == name)
    if tx.first(tx.select(shared_uses).where(*where)) is None:
        tx.insert(shared_uses, incarnation=incarnation, owner=owner, name=name)


def _running(tx: Tx, operation: str | None) -> bool:
    state = tx.scalar(tx.select(operations, operations.c.state).where(operations.c.id == operation))
    return state in {str(one) for one in RUNNING}


def renew(tx: Tx, resource: Resource[Any], project: str, old: Incarnation, owner: str, now: float) -> Incarnation:
    """Give up an incarnation that was searched for and not found; the new one."""
    incarnation = new_incarnation()
    where = (shared.c.vim == resource.vim, shared.c.key == _key(resource, project))
    tx.run(tx.update(shared).where(*where).values(incarnation=incarnation, handle=None, since=now))
    tx.run(tx.delete(shared_uses).where(shared_uses.c.incarnation == old))
    _use(tx, incarnation, owner, resource.name)
    return incarnation


def disuse(tx: Tx, incarnation: Incarnation, owner: str, name: str) -> None:
    """Count a use out, and look no further: whether it was the last is `drop`'s to say."""
    where = (shared_uses.c.incarnation == incarnation, shared_uses.c.owner == owner, shared_uses.c.name == name)
    tx.run(tx.delete(shared_uses).where(*where))


def set_shared(tx: Tx, incarnation: Incarnation, **values: Any) -> None:
    """Note progress of the shared thing of this incarnation."""
    if "state" in values:
        values["state"] = str(values["state"])
    tx.run(tx.update(shared).where(shared.c.incarnation == incarnation).values(**values))


def drop(tx: Tx, operation: str, owner: str, name: str, incarnation: Incarnation) -> bool:
    """Count a use out; True when it was the last, and the thing is to be deleted by `operation`."""
    row = tx.lock(tx.select(shared).where(shared.c.incarnation == incarnation))
    disuse(tx, incarnation, owner, name)
    count = sa.func.count()
    left = tx.scalar(tx.select(shared_uses, count).where(shared_uses.c.incarnation == incarnation))
    if row is None:
        # A life that failed and was replaced: it is nobody's but of those who have it recorded.
        return not left
    if left or (row.state == State.DELETING and row.creator != operation and _running(tx, row.creator)):
        return False
    set_shared(tx, incarnation, state=State.DELETING, creator=operation)
    return True


def forget(tx: Tx, incarnation: Incarnation) -> None:
    """It is deleted: forget it."""
    tx.run(tx.delete(shared).where(shared.c.incarnation == incarnation, shared.c.state == str(State.DELETING)))


def set_unready(tx: Tx, incarnation: Incarnation, handle: Handle) -> None:
    """The VIM has accepted it; what is ready already stays so."""
    where = (shared.c.incarnation == incarnation, shared.c.state != str(State.READY))
    tx.run(tx.update(shared).where(*where).values(state=str(State.CREATING), handle=handle))
