"""The engine's journal, kept in memory: the peer of the stored one for tests of the engine itself.

It does what the stored journal does, with dictionaries for tables: rows of instances, uses of what is shared, pools, actions,
and an epoch that a takeover raises. Each write goes through `boundary` before and after it, where a test may kill the
worker; `written` is the list of all writes in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fairlead.errors import Conflict, OutcomeUnknown, Superseded
from fairlead.resources import (
    Action,
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
    new_incarnation,
)

__all__ = ["Ledger", "MemoryJournal", "Shared", "Write"]

_replace = msgspec.structs.replace
DEPLOYMENT = "test"


class Shared(msgspec.Struct):
    """A thing that several instances use. `creator` is the journal that creates or deletes it."""

    incarnation: Incarnation
    creator: MemoryJournal
    state: State = State.INTENDED
    handle: Handle | None = None
    users: set[tuple[Owner, Name]] = msgspec.field(default_factory=set)


class Write(msgspec.Struct, frozen=True):
    """One write: which, for which step and life."""

    what: str
    step: str
    incarnation: str | None = None


class Ledger:
    """The tables. Owners whose id begins with `pool` are pools."""

    def __init__(self) -> None:
        self.rows: dict[Owner, dict[Incarnation, Recorded[Any]]] = {}
        self.shared: dict[tuple[str, str], Shared] = {}
        self.actions: dict[str, str] = {}
        self.epochs: dict[Owner, int] = {}
        self.written: list[Write] = []

    def records(self, owner: str = "vnf-1") -> Records:
        """All rows of one owner."""
        return Records.of(self.rows.get(Owner(owner), {}).values())

    def add(self, row: Recorded[Any], owner: str = "vnf-1") -> None:
        """Put a row there."""
        self.rows.setdefault(Owner(owner), {})[row.incarnation] = row

    def lives(self) -> set[Incarnation]:
        """The incarnations that any row knows."""
        owned = {life for rows in self.rows.values() for life in rows}
        return owned | {entry.incarnation for entry in self.shared.values()}


class MemoryJournal:
    """The journal of one operation in the hands of one worker. Opening one takes the operation over from the last."""

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], float] = lambda: 0.0,
        *,
        owner: str = "vnf-1",
        boundary: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._owner = Owner(owner)
        self._boundary = boundary
        self._epoch = ledger.epochs[self._owner] = ledger.epochs.get(self._owner, 0) + 1
        self.running = True
        self.errors: dict[str, Exception] = {}
        self.told_of: dict[str, list[str]] = {}
        self.deadlines: dict[str, float] = {}
        self.secrets: dict[SecretRef, str] = {}

    @property
    def _rows(self) -> dict[Incarnation, Recorded[Any]]:
        return self._ledger.rows.setdefault(self._owner, {})

    def _write(self, what: str, step: Step, work: Callable[[], Any], incarnation: str | None = None) -> Any:
        self._boundary(f"before {what} of {step.id}")
        if self._epoch != self._ledger.epochs[self._owner]:
            raise Superseded("Another worker has taken this over.")
        result = work()
        self._ledger.written.append(Write(what, step.id, incarnation))
        self._boundary(f"after {what} of {step.id}")
        return result

    def _set(self, incarnation: Incarnation, **values: Any) -> None:
        if incarnation in self._rows:
            self._rows[incarnation] = _replace(self._rows[incarnation], **values)

    # -- reading -----------------------------------------------------------------------------------------------------

    async def records(self) -> Records:
        return self._ledger.records(self._owner)

    def tag(self, row: Recorded[Any]) -> Tag:
        return self._tag(row.resource, row.incarnation)

    def _tag(self, resource: Resource[Any], incarnation: Incarnation) -> Tag:
        if resource.ownership is Ownership.SHARED:
            return Tag(DEPLOYMENT, Owner("shared"), Name(_key(resource)[1]), incarnation)
        return Tag(DEPLOYMENT, self._owner, resource.name, incarnation)

    def reveal(self, secret: SecretRef) -> str:
        return self.secrets[secret]

    # -- steps -------------------------------------------------------------------------------------------------------

    async def started(self, step: Step, deadline: float) -> None:
        self.deadlines[step.id] = deadline

    async def progressed(self, step: Step, words: str) -> None:
        self.told_of.setdefault(step.id, []).append(words)

    async def ended(self, step: Step) -> None:
        self._write("ended", step, lambda: None)

    async def failed(self, step: Step, error: Exception) -> None:
        self.errors[step.id] = error
        self._write("failed", step, lambda: None)

    # -- obtaining ---------------------------------------------------------------------------------------------------

    async def intend(self, step: Step, resource: Resource[Any], *, afresh: bool = False) -> Intent:
        def work() -> Intent:
            row = self._current(resource.name)
            if resource.ownership is Ownership.SHARED:
                return self._acquire(resource, row, afresh=afresh)
            if row is not None and not afresh:
                self._set(row.incarnation, resource=resource)
                return Intent(self._tag(resource, row.incarnation), True, row.since, row.handle)
            if row is not None:
                del self._rows[row.incarnation]
            return self._begin(resource, new_incarnation())

        intent: Intent = self._write("intend", step, work)
        return intent

    def _current(self, name: Name) -> Recorded[Any] | None:
        found = [row for row in self._rows.values() if row.name == name and row.state is not State.DELETING]
        assert len(found) < 2, f"{len(found)} lives of {name} are in force"
        for row in found:
            if row.state in (State.INTENDED, State.CREATING):
                return row
            self._set(row.incarnation, state=State.DELETING, since=self._now())
        return None

    def _begin(self, resource: Resource[Any], incarnation: Incarnation, handle: Handle | None = None) -> Intent:
        self._rows[incarnation] = Recorded(resource, incarnation, State.INTENDED, handle, {}, self._now())
        return Intent(self._tag(resource, incarnation), since=self._now(), handle=handle)

    def _acquire(self, resource: Resource[Any], row: Recorded[Any] | None, *, afresh: bool) -> Intent:
        entry = self._ledger.shared.get(_key(resource))
        if entry is not None and entry.creator is not self and entry.creator.running:
            if entry.state is not State.READY:
                return Intent(self._tag(resource, entry.incarnation), busy=True)
        elif entry is not None and (afresh or entry.state in (State.DELETING, State.FAILED)):
            entry = None
        repeated = entry is not None and entry.state is not State.READY
        if entry is None:
            entry = self._ledger.shared[_key(resource)] = Shared(new_incarnation(), self)
        if entry.state is not State.READY:
            entry.creator = self
        entry.users.add((self._owner, resource.name))
        if row is not None and row.incarnation != entry.incarnation:
            del self._rows[row.incarnation]
        if entry.incarnation not in self._rows:
            self._begin(resource, entry.incarnation, entry.handle)
        return Intent(self._tag(resource, entry.incarnation), repeated, self._now(), entry.handle)

    async def refused(self, step: Step, incarnation: Incarnation) -> None:
        self._write("refused", step, lambda: self._set(incarnation, since=0.0), incarnation)

    async def accepted(self, step: Step, incarnation: Incarnation, handle: Handle) -> None:
        def work() -> None:
            self._set(incarnation, state=State.CREATING, handle=handle)
            if (entry := self._shared(incarnation)) is not None:
                entry.handle = handle
                entry.state = entry.state if entry.state is State.READY else State.CREATING

        self._write("accepted", step, work, incarnation)

    async def ready(self, step: Step, incarnation: Incarnation, resource: Resource[Any], outputs: Outputs) -> None:
        def work() -> None:
            values = {"state": State.READY, "resource": resource, "outputs": outputs, "since": self._now()}
            self._set(incarnation, **values)
            if (entry := self._shared(incarnation)) is not None:
                entry.state = State.READY

        self._write("ready", step, work, incarnation)

    async def broken(self, step: Step, incarnation: Incarnation) -> None:
        def work() -> None:
            self._set(incarnation, state=State.FAILED, since=self._now())
            if (entry := self._shared(incarnation)) is not None:
                entry.state = State.FAILED

        self._write("broken", step, work, incarnation)

    # -- changing and relinquishing ------------------------------------------------------------------------------------

    async def updating(self, step: Step, incarnation: Incarnation, resource: Resource[Any]) -> None:
        values = {"state": State.UPDATING, "resource": resource, "since": self._now()}
        self._write("updating", step, lambda: self._set(incarnation, **values), incarnation)

    async def leaving(self, step: Step, incarnation: Incarnation) -> bool:
        def work() -> bool:
            self._set(incarnation, state=State.DELETING)
            row = step.old
            if row is None or row.resource.ownership is not Ownership.SHARED:
                return True
            entry = self._shared(incarnation)
            if entry is None:
                return False
            entry.users.discard((self._owner, row.name))
            if entry.users:
                return False
            entry.state, entry.creator = State.DELETING, self
            return True

        last: bool = self._write("leaving", step, work, incarnation)
        return last

    async def gone(self, step: Step, incarnation: Incarnation) -> None:
        def work() -> None:
            self._rows.pop(incarnation, None)
            if (entry := self._shared(incarnation)) is not None and entry.state is State.DELETING:
                self._ledger.shared = {key: one for key, one in self._ledger.shared.items() if one is not entry}

        self._write("gone", step, work, incarnation)

    async def claimed(self, step: Step, resource: Resource[Any]) -> Recorded[Any]:
        def work() -> Recorded[Any]:
            life = Incarnation(resource.existing or "")
            for owner, rows in self._ledger.rows.items():
                if owner.startswith("pool") and life in rows:
                    row = rows.pop(life)
                    self._rows[life] = _replace(row, resource=resource, state=State.UPDATING)
                    return row
            raise Conflict("It is not in its pool any more.", code="claim-lost", resource=resource.name)

        row: Recorded[Any] = self._write("claimed", step, work, resource.existing)
        return row

    async def released(self, step: Step, incarnation: Incarnation) -> None:
        def work() -> None:
            row = self._rows.pop(incarnation)
            self._ledger.add(_replace(row, state=State.READY), "pool")

        self._write("released", step, work, incarnation)

    def _shared(self, incarnation: Incarnation) -> Shared | None:
        return next((one for one in self._ledger.shared.values() if one.incarnation == incarnation), None)

    # -- acting ------------------------------------------------------------------------------------------------------

    async def performing(self, step: Step, action: Action) -> bool:
        def work() -> bool:
            state = self._ledger.actions.setdefault(action.id, "new")
            if state == "begun" and action.repeat is Repeat.ONCE and action.key is None:
                raise OutcomeUnknown(f"Nobody can say whether '{action.id}' was done.", resource=action.target)
            if state != "done":
                self._ledger.actions[action.id] = "begun"
            return state != "done"

        wanted: bool = self._write("performing", step, work)
        return wanted

    async def performed(self, step: Step, action: Action) -> None:
        self._write("performed", step, lambda: self._ledger.actions.update({action.id: "done"}))


def _key(resource: Resource[Any]) -> tuple[str, str]:
    return resource.vim, f"{resource.spec.sort()}/{getattr(resource.spec, 'digest', resource.name)}"
