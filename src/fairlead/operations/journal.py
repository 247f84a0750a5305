"""The stored journal: the engine's `Journal` on the database.

Each method is one transaction, and each that precedes a call to a VIM first locks the operation's row and compares the
epoch: a worker that has been taken over gets Superseded before its next call. To spare transactions, a step's beginning
is written together with its first intent and its end together with its outcome; nothing that a crash may lose in
between says anything that the rows do not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fairlead.clock import Clock
from fairlead.errors import Cancelled, Conflict, FairleadError, OutcomeUnknown, Superseded, VimFull, VimRefused
from fairlead.events import EventLog
from fairlead.operations import sharing
from fairlead.operations.ledger import document, read_records, set_row, write_row
from fairlead.operations.occurrence import Operation
from fairlead.operations.tables import actions, operations, resources, steps
from fairlead.resources import (
    Action,
    Do,
    Handle,
    Incarnation,
    Intent,
    Name,
    Outputs,
    Owner,
    Ownership,
    Recorded,
    Records,
    Repeat,
    Resource,
    SecretRef,
    State,
    Step,
    Tag,
    decode_resource,
    new_incarnation,
    noted,
)
from fairlead.store import Store, Tx

__all__ = ["StoredJournal"]

T = TypeVar("T")
_LONG_AGO = 0.0
"""Seconds since the epoch: what was asked for then has shown by now, if it is there."""


class StoredJournal:
    """The journal of one operation in the hands of one worker.

    `guard` is awaited before each write that precedes a call: it returns while this worker may go on. `uncertain` tells
    whether anything may have been left in a VIM that no row knows.
    """

    def __init__(
        self,
        store: Store,
        events: EventLog,
        clock: Clock,
        operation: Operation,
        deployment: str,
        secrets: Mapping[SecretRef, str],
        guard: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._operation = operation
        self._owner = operation.subject
        self._deployment = deployment
        self._secrets = secrets
        self._guard = guard
        self._begun: dict[str, dict[str, Any]] = {}
        self._closed: set[str] = set()
        self.uncertain = operation.epoch > 1

    # -- reading -----------------------------------------------------------------------------------------------------

    async def records(self) -> Records:
        return await self._store.read(lambda tx: read_records(tx, self._owner))

    def tag(self, row: Recorded[Any]) -> Tag:
        return self._tag(row.resource, row.incarnation)

    def _tag(self, resource: Resource[Any], incarnation: Incarnation) -> Tag:
        if resource.ownership is Ownership.SHARED:
            return sharing.shared_tag(self._deployment, self._operation.project, resource, incarnation)
        return Tag(self._deployment, Owner(self._owner), resource.name, incarnation)

    def reveal(self, secret: SecretRef) -> str:
        try:
            return self._secrets[secret]
        except KeyError:
            raise FairleadError("A secret that a resource uses is not in the vault.", code="secret-missing") from None

    # -- steps -------------------------------------------------------------------------------------------------------

    async def started(self, step: Step, deadline: float) -> None:
        self._begun[step.id] = {
            "operation": self._operation.id,
            "attempt": self._operation.attempt,
            "step": step.id,
            "name": step.name,
            "does": str(step.do),
            "started": self._clock.now(),
            "deadline": deadline,
        }

    async def progressed(self, step: Step, words: str) -> None:
        def write(tx: Tx) -> None:
            self._set_step(tx, step, progress=words)
            self._event(tx, "step.progress", step, detail=words)

        await self._write(write, fenced=False)

    async def ended(self, step: Step) -> None:
        if step.id not in self._closed:
            await self._write(lambda tx: self._close(tx, step), fenced=False)

    async def failed(self, step: Step, error: Exception) -> None:
        known = error if isinstance(error, FairleadError) else FairleadError(f"{type(error).__name__}: {error}")
        outcome = "interrupted" if isinstance(error, Cancelled) else "failed"

        def write(tx: Tx) -> None:
            self._open(tx, step)
            if isinstance(error, VimRefused | VimFull):
                self._stays(tx, step)
            self._set_step(tx, step, ended=self._clock.now(), outcome=outcome, error=known.card())
            if outcome == "failed":
                self._event(tx, "step.failed", step, error=known.card())

        if outcome == "failed":
            self.uncertain = True
        await self._write(write, fenced=False)

    # -- obtaining ---------------------------------------------------------------------------------------------------

    async def intend(self, step: Step, resource: Resource[Any], *, afresh: bool = False) -> Intent:
        def write(tx: Tx) -> Intent:
            self._open(tx, step)
            row = self._current(tx, resource.name)
            if resource.ownership is Ownership.SHARED:
                return self._intend_shared(tx, resource, row, afresh=afresh)
            if row is not None and not afresh:
                set_row(tx, self._owner, row.incarnation, resource=resource)
                incarnation = Incarnation(row.incarnation)
                handle = Handle(row.handle) if row.handle else None
                return Intent(self._tag(resource, incarnation), repeated=True, since=row.since, handle=handle)
            if row is not None:
                tx.run(self._of(tx.delete(resources), row.incarnation))
            return self._new_life(tx, step, resource)

        if afresh:
            self.uncertain = True
        return await self._write(write)

    def _new_life(self, tx: Tx, step: Step, resource: Resource[Any]) -> Intent:
        incarnation = new_incarnation()
        now = self._clock.now()
        write_row(tx, self._operation.project, self._owner, incarnation, resource, State.INTENDED, now)
        self._event(tx, "resource.creating", step)
        return Intent(self._tag(resource, incarnation), since=now)

    def _intend_shared(self, tx: Tx, resource: Resource[Any], row: Any, *, afresh: bool) -> Intent:
        project, now = self._operation.project, self._clock.now()
        if afresh and row is not None:
            incarnation = sharing.renew(tx, resource, project, Incarnation(row.incarnation), self._owner, now)
            tx.run(self._of(tx.delete(resources), row.incarnation))
            write_row(tx, project, self._owner, incarnation, resource, State.INTENDED, now)
            return Intent(self._tag(resource, incarnation), since=now)
        incarnation, handle, repeated, busy, since = sharing.acquire(
            tx, self._operation.id, self._owner, project, resource, now
        )
        if not busy and (row is None or row.incarnation != incarnation):
            if row is not None:
                tx.run(self._of(tx.delete(resources), row.incarnation))
            former = tx.find(resources, owner=self._owner, incarnation=incarnation)
            if former is None:
                write_row(tx, project, self._owner, incarnation, resource, State.INTENDED, now, handle)
            else:
                # The same content under another name, which is on its way out: the row goes over to the new one.
                sharing.disuse(tx, incarnation, self._owner, former.name)
                values = {"state": State.INTENDED, "handle": handle, "since": now}
                set_row(tx, self._owner, incarnation, resource=resource, **values)
        return Intent(self._tag(resource, incarnation), repeated=repeated, since=since, handle=handle, busy=busy)

    def _current(self, tx: Tx, name: str) -> Any:
        """The row in force under `name`; a row of a former life that is to be replaced is marked as leaving."""
        rows = tx.find_all(resources, owner=self._owner, name=name)
        row = next((row for row in rows if row.state != State.DELETING), None)
        if row is not None and row.state not in (State.INTENDED, State.CREATING):
            set_row(tx, self._owner, row.incarnation, state=State.DELETING, since=self._clock.now())
            return None
        return row

    async def refused(self, step: Step, incarnation: Incarnation) -> None:
        def write(tx: Tx) -> None:
            set_row(tx, self._owner, incarnation, since=_LONG_AGO)
            if _shared(step):
                sharing.set_shared(tx, incarnation, since=_LONG_AGO)

        await self._write(write)

    async def accepted(self, step: Step, incarnation: Incarnation, handle: Handle) -> None:
        def write(tx: Tx) -> None:
            set_row(tx, self._owner, incarnation, state=State.CREATING, handle=handle)
            if _shared(step):
                sharing.set_unready(tx, incarnation, handle)
            self._set_step(tx, step, accepted=self._clock.now())

        await self._write(write)

    async def ready(self, step: Step, incarnation: Incarnation, resource: Resource[Any], outputs: Outputs) -> None:
        def write(tx: Tx) -> None:
            now = self._clock.now()
            set_row(tx, self._owner, incarnation, state=State.READY, resource=resource, outputs=outputs, since=now)
            if _shared(step):
                sharing.set_shared(tx, incarnation, state=State.READY)
            self._close(tx, step)
            self._event(tx, "resource.ready", step)

        await self._write(write)

    async def broken(self, step: Step, incarnation: Incarnation) -> None:
        def write(tx: Tx) -> None:
            set_row(tx, self._owner, incarnation, state=State.FAILED, since=self._clock.now())
            if _shared(step):
                sharing.set_shared(tx, incarnation, state=State.FAILED)

        await self._write(write)

    # -- changing and relinquishing ------------------------------------------------------------------------------------

    async def updating(self, step: Step, incarnation: Incarnation, resource: Resource[Any]) -> None:
        def write(tx: Tx) -> None:
            self._open(tx, step)
            set_row(tx, self._owner, incarnation, state=State.UPDATING, resource=resource, since=self._clock.now())
            self._event(tx, "resource.updating", step)

        await self._write(write)

    async def leaving(self, step: Step, incarnation: Incarnation) -> bool:
        def write(tx: Tx) -> bool:
            self._open(tx, step)
            self._event(tx, "resource.deleting", step)
            if _shared(step) and tx.find(resources, owner=self._owner, incarnation=incarnation, name=step.name) is None:
                return False  # It has gone over to another name.
            set_row(tx, self._owner, incarnation, state=State.DELETING)
            if _shared(step):
                return sharing.drop(tx, self._operation.id, self._owner, step.name or "", incarnation)
            return True

        return await self._write(write)

    def _stays(self, tx: Tx, step: Step) -> None:
        """A deletion that was refused leaves the thing as it is: the way back can keep it, with all that is in it.

        Not quite as it is, perhaps: it may have been stopped for its end, so it counts as being changed.
        """
        if step.do is not Do.RELINQUISH or step.old is None or step.old.resource.ownership is not Ownership.OWNED:
            return
        row = step.old
        where = (resources.c.owner == self._owner, resources.c.name == row.name)
        successor = (resources.c.incarnation != row.incarnation, resources.c.state != str(State.DELETING))
        if row.state not in (State.READY, State.UPDATING) or row.handle is None:
            return
        if tx.first(tx.select(resources, resources.c.incarnation).where(*where, *successor)) is None:
            set_row(tx, self._owner, row.incarnation, state=State.UPDATING, since=self._clock.now())

    async def gone(self, step: Step, incarnation: Incarnation) -> None:
        def write(tx: Tx) -> None:
            tx.run(self._of(tx.delete(resources), incarnation).where(resources.c.name == step.name))
            if _shared(step):
                sharing.forget(tx, incarnation)
            self._close(tx, step)
            self._event(tx, "resource.deleted", step)

        await self._write(write)

    async def claimed(self, step: Step, resource: Resource[Any]) -> Recorded[Any]:
        def write(tx: Tx) -> Recorded[Any]:
            self._open(tx, step)
            incarnation = Incarnation(resource.existing or "")
            row = tx.lock(tx.select(resources).where(resources.c.incarnation == incarnation))
            if row is None or row.owner != row.pool:
                raise Conflict(
                    f"What '{resource.name}' was to claim is not in its pool any more.",
                    code="claim-lost",
                    resource=resource.name,
                    remedy="Retry: another member of the pool will be chosen.",
                )
            old = decode_resource(row.document["resource"])
            now = self._clock.now()
            where = (resources.c.incarnation == incarnation, resources.c.owner == row.owner)
            values = {"owner": self._owner, "project": self._operation.project, "name": resource.name}
            tx.run(
                tx.update(resources)
                .where(*where)
                .values(**values, state=str(State.UPDATING), document=document(resource), since=now)
            )
            self._event(tx, "resource.claimed", step)
            return Recorded(old, incarnation, State.READY, Handle(row.handle), row.outputs, now)

        return await self._write(write)

    async def released(self, step: Step, incarnation: Incarnation) -> None:
        def write(tx: Tx) -> None:
            self._open(tx, step)
            values = {"owner": resources.c.pool, "name": resources.c.incarnation, "state": str(State.READY)}
            tx.run(self._of(tx.update(resources), incarnation).values(**values))
            self._close(tx, step)
            self._event(tx, "resource.released", step)

        await self._write(write)

    # -- acting ------------------------------------------------------------------------------------------------------

    async def performing(self, step: Step, action: Action) -> bool:
        key = f"{self._operation.attempt}/{action.id}" if action.repeat is Repeat.REPEATABLE else action.id
        where = (actions.c.operation == self._operation.id, actions.c.action == key)

        def write(tx: Tx) -> bool:
            self._open(tx, step)
            row = tx.first(tx.select(actions).where(*where))
            if action.target is not None:
                self._touch(tx, action.target)
            if row is None:
                tx.insert(actions, operation=self._operation.id, action=key, state="begun", at=self._clock.now())
                return True
            if row.state == "done":
                return False
            if action.repeat is Repeat.ONCE and action.key is None:
                raise OutcomeUnknown(
                    f"The action '{action.id}' was begun before, and nobody can say whether it was done.",
                    resource=action.target,
                    remedy="Find out; then retry if it was not done, or fail the operation.",
                )
            return True

        return await self._write(write)

    def _touch(self, tx: Tx, name: Name) -> None:
        """What an action is done to is not as recorded any more, until an update or its end: the way back updates it."""
        where = (resources.c.owner == self._owner, resources.c.name == name, resources.c.state == str(State.READY))
        tx.run(tx.update(resources).where(*where).values(state=str(State.UPDATING), since=self._clock.now()))

    async def performed(self, step: Step, action: Action) -> None:
        key = f"{self._operation.attempt}/{action.id}" if action.repeat is Repeat.REPEATABLE else action.id
        where = (actions.c.operation == self._operation.id, actions.c.action == key)

        def write(tx: Tx) -> None:
            tx.run(tx.update(actions).where(*where).values(state="done", at=self._clock.now()))
            self._close(tx, step)

        await self._write(write)

    # -- shared parts ------------------------------------------------------------------------------------------------

    async def _write(self, work: Callable[[Tx], T], *, fenced: bool = True) -> T:
        if fenced:
            await self._guard()

        def fenced_work(tx: Tx) -> T:
            self._fence(tx)
            return work(tx)

        writing = asyncio.ensure_future(self._store.write(fenced_work))
        writing.add_done_callback(noted)
        return await asyncio.shield(writing)

    def _fence(self, tx: Tx) -> None:
        """Lock the operation's row and compare the epoch, so that no other worker can take over in between."""
        row = tx.find(operations, operations.c.epoch, id=self._operation.id, share=True)
        if row is None or row.epoch != self._operation.epoch:
            raise Superseded(
                f"Operation {self._operation.id} has been taken over by another worker.", resource=self._operation.id
            )

    def _of(self, statement: Any, incarnation: str) -> Any:
        return statement.where(resources.c.owner == self._owner, resources.c.incarnation == incarnation)

    def _open(self, tx: Tx, step: Step) -> None:
        """Write the step's beginning, if it has not been written."""
        if step.id in self._begun:
            row = self._begun[step.id]
            key = {column: row[column] for column in ("operation", "attempt", "step")}
            if tx.find(steps, steps.c.step, **key) is None:
                tx.insert(steps, **row)
            tx.after_commit(lambda: _forget(self._begun, step.id))

    def _set_step(self, tx: Tx, step: Step, **values: Any) -> None:
        self._open(tx, step)
        key = {"operation": self._operation.id, "attempt": self._operation.attempt, "step": step.id}
        tx.change(steps, key, **values)

    def _close(self, tx: Tx, step: Step) -> None:
        self._set_step(tx, step, ended=self._clock.now(), outcome="done", error=None)
        tx.after_commit(lambda: self._closed.add(step.id))

    def _event(self, tx: Tx, type_: str, step: Step, **data: Any) -> None:
        self._events.append(
            tx,
            project=self._operation.project,
            type=type_,
            subject=self._owner,
            operation=self._operation.id,
            resource=step.name,
            data={"step": step.id, **data},
        )


def _forget(begun: dict[str, dict[str, Any]], step: str) -> None:
    begun.pop(step, None)


def _shared(step: Step) -> bool:
    resource = step.new or (step.old.resource if step.old else None)
    return resource is not None and resource.ownership is Ownership.SHARED
