"""Running an operation: decide, plan, apply, finish. The same for every operation of every role.

`run` is called by the execution engine with an id and an epoch, and may be called any number of times for either: it
takes the operation by raising the epoch in one statement, and whoever does not get it goes home. Where the operation
stands is read from its row, so going on after a crash is not a case of its own.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog
from prometheus_client import CollectorRegistry

from fairlead.clock import Clock
from fairlead.errors import Cancelled, Conflict, FairleadError, Quarantined, StoreUnavailable, Superseded
from fairlead.events import EventLog
from fairlead.operations.cancelling import Cancels
from fairlead.operations.decided import (
    before_document,
    decide,
    forget_secrets,
    plan_way,
    request_of,
    situation_of_way,
    target_document,
    vims_of,
    way,
)
from fairlead.operations.journal import StoredJournal
from fairlead.operations.ledger import read_records
from fairlead.operations.metrics import OperationMetrics
from fairlead.operations.moves import Moves
from fairlead.operations.occurrence import Operation, fetch
from fairlead.operations.quarantine import Finding, enter
from fairlead.operations.states import ENDED, RUNNING, OperationState
from fairlead.operations.surveying import write_observed
from fairlead.operations.sweeping import Sweeper
from fairlead.operations.tables import operations
from fairlead.operations.types import Role
from fairlead.resources import Applied, Plan, Records, SecretRef, Step, apply, plan_digest
from fairlead.secrets import Vault
from fairlead.store import Store, Tx
from fairlead.vims import VimRegistry

__all__ = ["Runner"]

log = structlog.get_logger()


class Runner:
    """Runs operations in this process."""

    def __init__(
        self,
        store: Store,
        events: EventLog,
        vault: Vault,
        vims: VimRegistry,
        clock: Clock,
        roles: Mapping[str, Role],
        deployment: str,
        worker: str,
        sweeper: Sweeper,
        guard: Callable[[], Awaitable[None]],
        registry: CollectorRegistry,
    ) -> None:
        self._store = store
        self._events = events
        self._vault = vault
        self._vims = vims
        self._clock = clock
        self._roles = roles
        self._deployment = deployment
        self._worker = worker
        self._sweeper = sweeper
        self._guard = guard
        self._moves = Moves(events, clock, OperationMetrics(registry, lambda: len(self.cancels.watched)))
        self.cancels = Cancels(store, clock, worker)
        self.quarantined: set[str] = set()
        """Operations whose rows this version cannot read, and which it therefore leaves alone."""
        self._waiters: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    # -- taking ------------------------------------------------------------------------------------------------------

    async def run(self, operation_id: str, epoch: int) -> None:
        """Take the operation if it is still at `epoch`, and work on it until it stops for good or for a user."""
        await self._guard()
        try:
            operation = await self._store.write(lambda tx: self._take(tx, operation_id, epoch))
        except Quarantined as error:
            log.error("operation.quarantined", operation=operation_id, code=error.code, detail=error.detail)
            self.quarantined.add(operation_id)
            await self._tell_unreadable(operation_id, error)
            return
        if operation is None:
            return
        structlog.contextvars.bind_contextvars(operation=operation.id, subject=operation.subject, type=operation.type)
        log.info("operation.taken", state=str(operation.state), epoch=operation.epoch)
        cancel = self.cancels.watch(operation.id, operation.cancel)
        try:
            await self._work(operation)
        except Superseded as error:
            log.warning("operation.superseded", detail=error.detail)
        except StoreUnavailable:
            log.error("operation.store-unavailable")
        finally:
            self.cancels.forget(operation.id, cancel)
            structlog.contextvars.unbind_contextvars("operation", "subject", "type")
            waiter = self._waiters.pop(operation.id, None)
            if waiter is not None:
                waiter.set()

    def _take(self, tx: Tx, operation_id: str, epoch: int) -> Operation | None:
        states = [str(state) for state in RUNNING]
        where = (operations.c.id == operation_id, operations.c.epoch == epoch, operations.c.state.in_(states))
        taken = tx.run(tx.update(operations).where(*where).values(epoch=epoch + 1, worker=self._worker))
        return fetch(tx, operation_id) if taken else None

    def stopped(self, operation_id: str) -> asyncio.Event:
        """Set when this process lets go of the operation; for whoever waits in the same process."""
        return self._waiters.setdefault(operation_id, asyncio.Event())

    # -- working -----------------------------------------------------------------------------------------------------

    async def _work(self, operation: Operation) -> None:
        role = self._roles[operation.role]
        try:
            if operation.state is OperationState.STARTING:
                operation = await self._start(role, operation)
            if operation.state in (OperationState.PROCESSING, OperationState.ROLLING_BACK):
                await self._process(role, operation)
        except (Superseded, StoreUnavailable):
            raise
        except Quarantined as error:
            await self._quarantine(role, operation, error)
        except FairleadError as error:
            await self._stop(role, operation, {**error.card(), "status": error.status})
        except Exception as error:  # noqa: BLE001 - a fault of ours must stop the operation, not the worker
            log.error("operation.internal-error", error=repr(error), traceback=traceback.format_exc())
            detail = f"Fairlead itself failed: {type(error).__name__}: {error}"
            remedy = "Report this with the log of the operation; retry or roll back meanwhile."
            await self._stop(role, operation, {"code": "internal-error", "detail": detail, "remedy": remedy})

    async def _start(self, role: Role, operation: Operation) -> Operation:
        """Decide what the operation is going to do, and write it down before anything is done."""
        if operation.cancel is not None:
            raise Cancelled("Cancelled before anything was done.")
        record, records = await self._store.read(lambda tx: self._load(tx, role, operation))
        type_ = role.types[operation.type]
        request = request_of(role, operation)
        decision = await decide(role, type_, self._vims, self._vault, operation.project, record, records, request)
        situation, desired, plan = decision.situation, decision.desired, decision.plan
        if operation.expected_plan not in (None, plan_digest(plan)):
            raise Conflict(
                "The plan has moved since it was looked at; nothing was done.",
                code="plan-moved",
                remedy="Look at the plan again, and send the operation again with its digest.",
            )
        target, before = target_document(role, desired, plan), before_document(role, record, records)

        def write(tx: Tx) -> Operation:
            if fetch(tx, operation.id, lock=True).cancel is not None:
                raise Cancelled("Cancelled before anything was done.")
            self._vault.put(tx, operation.project, operation.subject, situation.sealer.values)
            if situation.compared is not None:
                write_observed(tx, operation.subject, records, situation.compared.records)
            return self._moves.move(
                tx,
                role,
                operation,
                OperationState.PROCESSING,
                target=target,
                before=before,
                packages=desired.packages,
            )

        return await self._store.write(write)

    def _load(self, tx: Tx, role: Role, operation: Operation) -> tuple[Any, Records]:
        return role.load(tx, operation.subject), read_records(tx, operation.subject)

    async def _process(self, role: Role, operation: Operation) -> None:
        """Apply the way to the target, or back to what was before; again from wherever it stands."""
        records = await self._store.read(lambda tx: read_records(tx, operation.subject))
        chosen = way(role, operation, back=operation.state is OperationState.ROLLING_BACK)
        type_ = role.types[operation.type]
        situation = await situation_of_way(role, self._vault, operation, chosen, records)
        plan = await plan_way(self._vims, role, type_, chosen, situation)
        journal = await self._journal(operation)
        journal.uncertain |= type_.repairs(situation) is not None

        async def perform(step: Step) -> None:
            await role.perform(step, situation)

        applied = await apply(
            plan,
            self._vims,
            journal,
            cancel=self.cancels.of(operation.id),
            on_failure=chosen.on_failure,
            perform=perform,
        )
        left = await self._sweep(operation, records, journal)
        await self._finish(role, operation, applied, plan, chosen.record, left)

    async def _journal(self, operation: Operation) -> StoredJournal:
        secrets: Mapping[SecretRef, str]
        try:
            secrets = await self._vault.open(operation.subject)
        except Quarantined as error:
            # Whoever needs one fails with that; what needs none, as terminating, can be done without.
            secrets = _Withheld(error)
        return StoredJournal(self._store, self._events, self._clock, operation, self._deployment, secrets, self._guard)

    async def _sweep(self, operation: Operation, records: Records, journal: StoredJournal) -> str | None:
        """Look for things of this instance that no row knows, where something may have been left."""
        if not journal.uncertain:
            return None
        current = await journal.records()
        return await self._sweeper.sweep_instance(operation.subject, vims_of(records) | vims_of(current))

    # -- ending ------------------------------------------------------------------------------------------------------

    async def _finish(
        self, role: Role, operation: Operation, applied: Applied, plan: Plan, record: Any, left: str | None
    ) -> None:
        back = operation.state is OperationState.ROLLING_BACK
        if applied.complete:
            state = OperationState.ROLLED_BACK if back else OperationState.COMPLETED
            error = operation.error if back else None
            await self._end(role, operation, state, record=record, error=error)
        elif applied.failures:
            for failure in applied.failures:
                if isinstance(failure.error, Quarantined):
                    await self._enter(operation, failure.error)
            await self._stop(role, operation, _failure_card(applied, plan, left))
        else:
            await self._stop(role, operation, _cancel_card(applied))

    async def _tell_unreadable(self, operation: str, error: Quarantined) -> None:
        """Say that an operation's own row cannot be read; whose it is stands in columns that can."""

        def write(tx: Tx) -> None:
            columns = (operations.c.project, operations.c.subject)
            row = tx.first(tx.select(operations, *columns).where(operations.c.id == operation))
            finding = Finding(project=row.project, subject=row.subject, operation=operation, card=error.card())
            enter(tx, self._events, finding)

        await self._store.write(write)

    async def _quarantine(self, role: Role, operation: Operation, error: Quarantined) -> None:
        """Stop because something that is stored cannot be read, and say so."""
        await self._enter(operation, error)
        await self._stop(role, operation, error.card())

    async def _enter(self, operation: Operation, error: Quarantined) -> None:
        project, subject = operation.project, operation.subject
        finding = Finding(project=project, subject=subject, operation=operation.id, card=error.card())
        await self._store.write(lambda tx: enter(tx, self._events, finding))

    async def _stop(self, role: Role, operation: Operation, error: dict[str, Any]) -> None:
        """Stop with an error: for good when nothing was done, else until the user says what next."""
        log.warning("operation.stopped", code=error["code"], detail=error["detail"])
        nothing_done = operation.state is OperationState.STARTING
        state = OperationState.ROLLED_BACK if nothing_done else OperationState.FAILED_TEMP
        await self._end(role, operation, state, error=error)

    async def _end(
        self, role: Role, operation: Operation, state: OperationState, *, error: Any, record: Any = None
    ) -> None:
        def write(tx: Tx) -> None:
            saved = record
            if saved is None:
                try:
                    saved = role.load(tx, operation.subject)
                except FairleadError as broken:
                    log.error("operation.record-unreadable", code=broken.code, detail=broken.detail)
            self._moves.move(tx, role, operation, state, record=saved, error=error, worker=None, cancel=None)
            if state in ENDED:
                forget_secrets(tx, self._vault, operation.subject)

        await self._store.write(write)
        log.info("operation.state", state=str(state))


class _Withheld(dict[SecretRef, str]):
    """Secrets that cannot be read: asking for one raises why."""

    def __init__(self, error: Quarantined) -> None:
        super().__init__()
        self._error = error

    def __missing__(self, secret: SecretRef) -> str:
        raise self._error


def _failure_card(applied: Applied, plan: Plan, left: str | None) -> dict[str, Any]:
    """The card of the first failure, with the others beside it and what was left."""
    first = applied.failures[0].error
    card = first.card() if isinstance(first, FairleadError) else FairleadError(repr(first)).card()
    card["status"] = first.status if isinstance(first, FairleadError) else 500
    if len(applied.failures) > 1:
        others = (failure.error for failure in applied.failures[1:])
        card["others"] = [o.card() if isinstance(o, FairleadError) else FairleadError(repr(o)).card() for o in others]
    done = len(applied.done)
    card["left"] = left or f"{done} of {len(plan.steps)} steps are done and recorded; nothing else was left behind."
    card.setdefault("remedy", "Correct the cause and retry the operation, or roll it back.")
    card["step"] = applied.failures[0].step.id
    return card


def _cancel_card(applied: Applied) -> dict[str, Any]:
    return {
        "code": "cancelled",
        "detail": f"Cancelled ({applied.cancelled or 'GRACEFUL'}).",
        "left": f"{len(applied.done)} steps are done, {len(applied.left_out)} are not.",
        "remedy": "Retry to go on, roll back, or fail the operation.",
    }
