"""What the rooms above ask of operations: accept one, preview one, and the user's words on one that has stopped.

Accepting is one transaction: the row in STARTING and its event, or a Conflict from the index that allows one open
operation for each instance. Enqueueing follows; if this process dies in between, the sweep does it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from fairlead.clock import Clock
from fairlead.errors import Conflict, Quarantined, Unprocessable
from fairlead.events import EventLog
from fairlead.operations.cancelling import Cancels
from fairlead.operations.decided import decide, forget_secrets, plan_way, situation_of_way, vims_of, way
from fairlead.operations.execution import Execution
from fairlead.operations.ledger import read_records
from fairlead.operations.moves import Moves
from fairlead.operations.occurrence import SCHEMA, Operation, fetch
from fairlead.operations.preconditions import Unmet, unmet_by
from fairlead.operations.states import RUNNING, OperationState, require
from fairlead.operations.surveying import in_time, of_nobody, with_repairs
from fairlead.operations.sweeping import Sweeper
from fairlead.operations.tables import operations, steps
from fairlead.operations.types import Role, Situation
from fairlead.resources import CancelMode, Deviation, Plan, Records, plan_digest
from fairlead.secrets import Vault
from fairlead.store import Store, Tx
from fairlead.vims import Tagged, VimRegistry

__all__ = ["Operations", "Preview"]

log = structlog.get_logger()


class Preview(msgspec.Struct, frozen=True):
    """A plan that was made and not applied; `digest` can be sent with the operation.

    Where the infrastructures were asked, `findings` are what stands in its way there, and, for an operation that
    repairs, what is not as recorded.
    """

    plan: Plan
    digest: str
    findings: tuple[Deviation | Unmet, ...] = ()


class Operations:
    """Operations of all roles."""

    def __init__(
        self,
        store: Store,
        events: EventLog,
        vault: Vault,
        vims: VimRegistry,
        clock: Clock,
        execution: Execution,
        roles: Mapping[str, Role],
        sweeper: Sweeper,
        cancels: Cancels | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._vims = vims
        self._clock = clock
        self._execution = execution
        self._roles = roles
        self._sweeper = sweeper
        self._cancels = cancels
        self._moves = Moves(events, clock)

    # -- beginning ---------------------------------------------------------------------------------------------------

    async def preview(
        self, project: str, role: Role, subject: str, type_name: str, request: Any, *, asking: bool = False
    ) -> Preview:
        """The plan of an operation, without doing it; `asking` the infrastructures what stands in its way.

        Raises a RequestError where `accept` would.
        """
        type_ = role.types[type_name]

        def load(tx: Tx) -> tuple[Any, Records]:
            return role.load(tx, subject), read_records(tx, subject)

        record, records = await self._store.read(load, project)
        type_.check(record, request)
        decision = await decide(role, type_, self._vims, self._vault, project, record, records, request)
        plan = decision.plan
        if not asking:
            return Preview(plan, plan_digest(plan))
        deviations, unmet = await asyncio.gather(
            self._deviations(subject, decision.situation, plan), unmet_by(self._vims, plan)
        )
        return Preview(plan, plan_digest(plan), (*deviations, *unmet))

    async def _deviations(self, subject: str, situation: Situation, plan: Plan) -> tuple[Deviation, ...]:
        if situation.compared is None:
            return ()
        lost: list[Tagged] = []
        for vim in sorted(vims_of(situation.records)):
            if not self._vims.contributed(vim):
                found, _ = await in_time(self._sweeper.leftovers(vim, (subject,)), "tell what is ours")
                lost += found
        return (*with_repairs(situation.compared.deviations, plan), *of_nobody(lost))

    async def open_one(self, project: str, subject: str) -> str | None:
        """The id of the operation of an instance that is open; None when there is none."""
        other = await self._store.read(lambda tx: _open_one(tx, subject), project)
        return str(other.id) if other is not None else None

    async def accept(
        self,
        project: str,
        role: Role,
        subject: str,
        type_name: str,
        request: Any,
        *,
        operation: str | None = None,
        parent: Operation | None = None,
        automatic: bool = False,
        expected_plan: str | None = None,
    ) -> str:
        """Accept an operation and return its id; repeating it with the same `operation` id is one operation.

        Raises Conflict (`operation-in-progress`) while another one of the instance is open, and whatever the type's
        `check` raises.
        """
        type_ = role.types[type_name]
        made = operation or str(uuid.uuid4())

        def write(tx: Tx) -> bool:
            if operation is not None and _known(tx, operation):
                return False
            other = _open_one(tx, subject)
            if other is not None and other.id == made:
                return False  # Written by another transaction since the line above.
            if other is not None:
                raise _in_progress(subject, other)
            record = role.load(tx, subject)
            type_.check(record, request)
            self._insert(tx, project, role, subject, type_name, request, made, parent, automatic, expected_plan)
            return True

        try:
            fresh = await self._store.write(write, project)
        except sa.exc.IntegrityError as error:
            # Somebody was quicker: the same operation, asked for twice at once, or another one.
            if operation is None or not await self._store.read(lambda tx: _known(tx, operation)):
                raise _in_progress(subject, None) from error
            fresh = False
        if fresh:
            await self._execution.enqueue(made, 0, parent.depth + 1 if parent else 0)
        return made

    def _insert(
        self,
        tx: Tx,
        project: str,
        role: Role,
        subject: str,
        type_name: str,
        request: Any,
        made: str,
        parent: Operation | None,
        automatic: bool,
        expected_plan: str | None,
    ) -> None:
        now = self._clock.now()
        tx.insert(
            operations,
            id=made,
            project=project,
            role=role.name,
            type=type_name,
            subject=subject,
            state=str(OperationState.STARTING),
            open=True,
            epoch=0,
            attempt=0,
            parent=parent.id if parent else None,
            depth=parent.depth + 1 if parent else 0,
            automatic=automatic,
            expected_plan=expected_plan,
            request=msgspec.to_builtins(request),
            packages=[],
            schema=SCHEMA,
            started=now,
            entered=now,
        )
        self._moves.publish(tx, role, fetch(tx, made))

    # -- the user's words ----------------------------------------------------------------------------------------------

    async def show(self, project: str | None, operation: str) -> Operation:
        """One operation. Raises NotFound."""
        return await self._store.read(lambda tx: fetch(tx, operation), project)

    async def retry(self, project: str, operation: str) -> None:
        """Go on with an operation that has stopped. Raises NotFound, Conflict."""
        await self._go_on(project, operation, "retry", OperationState.PROCESSING)

    async def rollback(self, project: str, operation: str) -> None:
        """Go back to what was before it. Raises NotFound, Conflict."""
        await self._go_on(project, operation, "rollback", OperationState.ROLLING_BACK)

    async def _go_on(self, project: str, operation: str, request: str, state: OperationState) -> None:
        def write(tx: Tx) -> Operation:
            found = fetch(tx, operation, lock=True)
            require(request, found.state, operation)
            role = self._roles[found.role]
            error = found.error if state is OperationState.ROLLING_BACK else None
            return self._moves.move(
                tx,
                role,
                found,
                state,
                worker=None,
                attempt=found.attempt + 1,
                epoch=found.epoch + 1,
                error=error,
                cancel=None,
            )

        moved = await self._store.write(write, project)
        await self._execution.enqueue(moved.id, moved.epoch, moved.depth)

    async def fail(self, project: str, operation: str) -> None:
        """Give an operation up that has stopped; what was done stays. Raises NotFound, Conflict.

        What of it cannot be read does not keep it from being given up: the record stays as it is then.
        """

        def write(tx: Tx) -> None:
            found = fetch(tx, operation, lock=True)
            require("fail", found.state, operation)
            role = self._roles[found.role]
            self._moves.move(tx, role, found, OperationState.FAILED, record=_given_up(tx, role, found))
            forget_secrets(tx, self._vault, found.subject)

        await self._store.write(write, project)

    async def cancel(self, project: str, operation: str, mode: CancelMode) -> None:
        """Have a running operation, and its children, stop. Raises NotFound, Conflict."""

        def write(tx: Tx) -> list[str]:
            require("cancel", fetch(tx, operation, lock=True).state, operation)
            concerned = [operation]
            running = operations.c.state.in_([str(state) for state in RUNNING])
            for parent in concerned:
                where = (operations.c.parent == parent, running)
                concerned += [row.id for row in tx.all(tx.select(operations, operations.c.id).where(*where))]
            for one in concerned:
                if fetch(tx, one, lock=True).state in RUNNING:
                    tx.run(tx.update(operations).where(operations.c.id == one).values(cancel=str(mode)))
                    found = fetch(tx, one)
                    self._moves.publish(tx, self._roles[found.role], found)
            return concerned

        for one in await self._store.write(write, project):
            if self._cancels is not None:
                self._cancels.ask(one, mode)

    async def preview_of(self, project: str, operation: str, action: str) -> Preview:
        """The plan that `retry` or `rollback` of a stopped operation would apply, as things are recorded now.

        Raises NotFound, Conflict, and Unprocessable for another `action`.
        """
        if action not in ("retry", "rollback"):
            raise Unprocessable(
                f"There is no plan for '{action}'.", code="no-such-plan", remedy="Ask for retry or rollback."
            )
        found = await self.show(project, operation)
        require(action, found.state, operation)
        role = self._roles[found.role]
        records = await self._store.read(lambda tx: read_records(tx, found.subject), project)
        chosen = way(role, found, back=action == "rollback")
        type_ = role.types[found.type]
        situation = await situation_of_way(role, self._vault, found, chosen, records)
        plan = await plan_way(self._vims, role, type_, chosen, situation)
        return Preview(plan, plan_digest(plan), await unmet_by(self._vims, plan))

    async def timeline(self, project: str, operation: str) -> dict[str, Any]:
        """When each step of an operation began, was accepted and ended; all attempts, oldest first. Raises NotFound."""
        found = await self.show(project, operation)
        order = (steps.c.started, steps.c.step)
        rows = await self._store.read(
            lambda tx: tx.all(tx.select(steps).where(steps.c.operation == operation).order_by(*order))
        )
        return {
            "operation": found.id,
            "type": found.type,
            "subject": found.subject,
            "state": str(found.state),
            "attempt": found.attempt,
            "started": found.started,
            "ended": found.entered if not found.open else None,
            "steps": [
                {
                    "id": row.step,
                    "name": row.name,
                    "verb": row.step.split(" ", 1)[0],
                    "attempt": row.attempt,
                    "started": row.started,
                    "accepted": row.accepted,
                    "progress": row.progress,
                    "ended": row.ended,
                    "deadline": row.deadline,
                    "outcome": row.outcome,
                    "error": row.error,
                }
                for row in rows
            ],
        }


def _open_one(tx: Tx, subject: str) -> Any:
    columns = (operations.c.id, operations.c.type, operations.c.state)
    where = (operations.c.subject == subject, operations.c.open.is_(True))
    return tx.first(tx.select(operations, *columns).where(*where))


def _known(tx: Tx, operation: str) -> bool:
    return tx.first(tx.select(operations, operations.c.id).where(operations.c.id == operation)) is not None


def _given_up(tx: Tx, role: Role, operation: Operation) -> Any:
    """The record of an instance whose operation is given up; None when it, or what it depends on, cannot be read."""
    try:
        target = way(role, operation, back=False).record
        return role.given_up(role.load(tx, operation.subject), target, read_records(tx, operation.subject))
    except Quarantined as error:
        log.error("operation.given-up-unread", operation=operation.id, code=error.code, detail=error.detail)
        return None


def _in_progress(subject: str, other: Any) -> Conflict:
    named = f" ({other.type}, {other.state}, {other.id})" if other is not None else ""
    stopped = other is not None and other.state == OperationState.FAILED_TEMP
    remedy = "Retry, roll back or fail it first." if stopped else "Wait for it, or cancel it."
    return Conflict(
        f"Another operation{named} of this instance is open.",
        code="operation-in-progress",
        resource=subject,
        remedy=remedy,
    )
