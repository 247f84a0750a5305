"""One operation, as it is stored, and the few statements by which its row is read and moved on.

Every move from one state to another goes through `set_columns`, which checks the transition and carries the epoch in
the same statement. So a superseded worker cannot move an operation, and no state is ever written that `TRANSITIONS`
does not have.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.errors import NotFound, Quarantined, Superseded
from fairlead.operations.states import ENDED, OPEN, TRANSITIONS, OperationState
from fairlead.operations.tables import operations
from fairlead.resources import CancelMode
from fairlead.store import Tx

__all__ = ["SCHEMA", "Operation", "fetch", "load", "set_columns"]

SCHEMA = 1


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation occurrence. Points in time are seconds since the epoch.

    `target` and `before` are documents with what the operation is going to do and what was before; `error` is the card
    of what stopped it.
    """

    id: str
    project: str
    role: str
    type: str
    subject: str
    state: OperationState
    epoch: int
    attempt: int
    worker: str | None
    parent: str | None
    depth: int
    automatic: bool
    cancel: CancelMode | None
    expected_plan: str | None
    request: dict[str, Any]
    target: dict[str, Any] | None
    before: dict[str, Any] | None
    packages: tuple[str, ...]
    error: dict[str, Any] | None
    started: float
    entered: float

    @property
    def open(self) -> bool:
        """True until it has ended."""
        return self.state in OPEN

    @property
    def ended(self) -> bool:
        """True once nothing will happen to it any more."""
        return self.state in ENDED


# Built here, in one thread: msgspec builds what it needs to read a type at first use, and not safely in two threads.
msgspec.json.Decoder(Operation)


def load(row: Any) -> Operation:
    """The operation in a row.

    Raises Quarantined (`unknown-schema`) for a row that this version cannot read.
    """
    values = {str(name): value for name, value in row._mapping.items()}
    schema = values.pop("schema")
    for column in ("open", "view", "full"):
        values.pop(column)
    if schema != SCHEMA:
        raise Quarantined(
            f"Operation {values['id']} has schema {schema!r}; this version reads {SCHEMA}.",
            code="unknown-schema",
            resource=values["id"],
            remedy="Run the version of Fairlead that wrote it, or restore the row from a backup.",
        )
    for column in ("target", "before"):
        # What is no document at all has no schema number either, which whoever reads it says.
        values[column] = values[column] if isinstance(values[column], dict | None) else {}
    try:
        return msgspec.convert(values, Operation)
    except msgspec.ValidationError as error:
        raise Quarantined(
            f"Operation {values['id']} cannot be read: {error}.",
            code="unreadable-document",
            resource=values["id"],
            remedy="Restore the row from a backup.",
        ) from error


def fetch(tx: Tx, operation: str, *, lock: bool = False) -> Operation:
    """The operation with this id; with `lock`, nobody else moves it until the transaction ends.

    Raises NotFound (`operation-not-found`), or Quarantined.
    """
    row = tx.find(operations, lock=lock, id=operation)
    if row is None:
        raise NotFound(f"There is no operation '{operation}'.", code="operation-not-found", resource=operation)
    return load(row)


def set_columns(tx: Tx, operation: Operation, *, fenced: bool = True, **values: Any) -> Operation:
    """Write columns of an operation and return it as it is then.

    Raises Superseded when `fenced` and another worker has taken it over, and ValueError for a state that does not
    follow.
    """
    state = values.get("state")
    if state is not None:
        if state is not operation.state and state not in TRANSITIONS[operation.state]:
            raise ValueError(f"{state} does not follow {operation.state}")
        values["open"] = state in OPEN
    key = {"id": operation.id, "state": operation.state, **({"epoch": operation.epoch} if fenced else {})}
    if tx.change(operations, key, **values) != 1:
        raise Superseded(
            f"Operation {operation.id} has been taken over or moved on.", code="superseded", resource=operation.id
        )
    values.pop("open", None)
    values.pop("view", None)
    values.pop("full", None)
    return msgspec.structs.replace(operation, **values)
