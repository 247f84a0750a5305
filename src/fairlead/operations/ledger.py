"""The rows of recorded resources: reading and writing them, in somebody else's transaction.

The journal of an operation writes through here, and so do the tests that corrupt a row on purpose. A row that cannot be
read raises Quarantined with the resource's name, and only its own instance is concerned.
"""

from __future__ import annotations

from typing import Any

from fairlead.errors import Quarantined
from fairlead.operations.tables import resources
from fairlead.resources import (
    SCHEMA,
    Handle,
    Incarnation,
    Recorded,
    Records,
    Resource,
    State,
    decode_resource,
    encode_resource,
    upcast,
)
from fairlead.store import Tx

__all__ = ["count_in_vim", "read_records", "recorded", "set_row", "write_row"]


def read_records(tx: Tx, owner: str) -> Records:
    """All rows of one instance. Raises Quarantined for one that cannot be read."""
    rows = tx.find_all(resources, owner=owner, order="since")
    return Records.of([recorded(row) for row in rows])


def recorded(row: Any) -> Recorded[Any]:
    """The recorded resource in a row. Raises Quarantined."""
    try:
        resource = decode_resource(upcast(row.document, what=f"resource '{row.name}'")["resource"])
        state, outputs = State(row.state), dict(row.outputs)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Quarantined(
            f"The stored resource '{row.name}' cannot be read: {type(error).__name__}: {error}.",
            code="unreadable-document",
            resource=row.name,
            remedy="Restore the row from a backup.",
        ) from error
    return Recorded(
        resource=resource,
        incarnation=Incarnation(row.incarnation),
        state=state,
        handle=Handle(row.handle) if row.handle is not None else None,
        outputs=outputs,
        since=row.since,
    )


def write_row(
    tx: Tx,
    project: str,
    owner: str,
    incarnation: Incarnation,
    resource: Resource[Any],
    state: State,
    now: float,
    handle: Handle | None = None,
) -> None:
    """Insert the row of a new life."""
    tx.insert(
        resources,
        incarnation=incarnation,
        owner=owner,
        project=project,
        name=resource.name,
        sort=resource.spec.sort(),
        vim=resource.vim,
        state=str(state),
        document=document(resource),
        handle=handle,
        outputs={},
        since=now,
    )


def document(resource: Resource[Any]) -> dict[str, Any]:
    """A resource as it is stored in its row."""
    return {"schema": SCHEMA, "resource": encode_resource(resource)}


def set_row(tx: Tx, owner: str, incarnation: Incarnation, **values: Any) -> None:
    """Change columns of one life's row; a `resource` is encoded."""
    resource = values.pop("resource", None)
    if resource is not None:
        values |= {"document": document(resource), "name": resource.name, "vim": resource.vim}
    if "state" in values:
        values["state"] = str(values["state"])
    tx.change(resources, {"owner": owner, "incarnation": incarnation}, **values)


def count_in_vim(tx: Tx, vim: str) -> int:
    """How many resources are recorded in a VIM, whoever's they are."""
    return len(tx.all(tx.select(resources, resources.c.incarnation).where(resources.c.vim == vim)))
