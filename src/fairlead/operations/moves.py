"""Moving an operation from one state to another: the row, the record, the event and the public views, in one
transaction.

Everything that a user can see of an operation's state changes here and nowhere else, so that nobody ever sees one part
of it without the others.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from fairlead.clock import Clock
from fairlead.errors import Quarantined
from fairlead.events import EventLog
from fairlead.operations.ledger import read_records
from fairlead.operations.metrics import OperationMetrics
from fairlead.operations.occurrence import Operation, set_columns
from fairlead.operations.states import OperationState
from fairlead.operations.types import Role
from fairlead.resources import Records
from fairlead.store import Tx

__all__ = ["Moves"]

log = structlog.get_logger()


class Moves:
    """Writes changes of operations' states."""

    def __init__(self, events: EventLog, clock: Clock, metrics: OperationMetrics | None = None) -> None:
        self._events = events
        self._clock = clock
        self._metrics = metrics

    def move(
        self,
        tx: Tx,
        role: Role,
        operation: Operation,
        state: OperationState,
        *,
        record: Any = None,
        fenced: bool = True,
        **values: Any,
    ) -> Operation:
        """The operation in its new state; `record` is the instance's record as it is from now on.

        Raises Superseded when another worker has the operation now.
        """
        moved = set_columns(tx, operation, fenced=fenced, state=state, entered=self._clock.now(), **values)
        records = self._readable(tx, operation)
        if record is not None and records is not None:
            role.save(tx, operation.subject, record, records)
        self._publish(tx, role, moved, records)
        if self._metrics is not None:
            metrics = self._metrics
            tx.after_commit(lambda: metrics.moved(moved))
        return moved

    def publish(self, tx: Tx, role: Role, operation: Operation) -> None:
        """Write the public views of an operation, and the event that tells of its state."""
        self._publish(tx, role, operation, self._readable(tx, operation))

    def _publish(self, tx: Tx, role: Role, operation: Operation, records: Records | None) -> None:
        view, full = self._views(tx, role, operation, records)
        set_columns(tx, operation, fenced=False, view=view, full=full)
        data: dict[str, Any] = {"type": operation.type, "state": str(operation.state), "attempt": operation.attempt}
        if operation.error is not None:
            data["error"] = operation.error
        self._events.append(
            tx,
            project=operation.project,
            type="operation.state",
            subject=operation.subject,
            operation=operation.id,
            data=data,
        )

    def _views(self, tx: Tx, role: Role, operation: Operation, records: Records | None) -> tuple[str, str]:
        """The public views; without what was affected where that cannot be read: nothing is better than untrue."""
        if records is not None:
            try:
                return role.state_changed(tx, operation, records)
            except Quarantined as error:
                log.error("operation.before-unreadable", operation=operation.id, code=error.code, detail=error.detail)
        return role.state_changed(tx, msgspec.structs.replace(operation, before=None), Records())

    def _readable(self, tx: Tx, operation: Operation) -> Records | None:
        """The instance's rows; None when one of them cannot be read, which must not keep an operation from stopping."""
        try:
            return read_records(tx, operation.subject)
        except Quarantined as error:
            log.error("operation.rows-unreadable", operation=operation.id, code=error.code, detail=error.detail)
            return None
