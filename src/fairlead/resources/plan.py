"""A plan: what will change, why, and in which order.

`changes` is what a reader is shown, one line for each resource; `steps` is the graph that `apply` walks, where a
replacement is two steps and an action one. Order is stated only by `after`. An operation type *arranges* a plan by
adding actions and barriers to it; it never removes a change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

from fairlead.resources.names import Incarnation, Name
from fairlead.resources.records import Recorded, Resource

__all__ = ["Action", "Change", "Do", "Plan", "Repeat", "Step", "StepId", "Verb"]

StepId = str


class Verb(StrEnum):
    """What happens to a resource, in the words of the plan."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    KEEP = "keep"
    CLAIM = "claim"
    RELEASE = "release"


class Change(msgspec.Struct, frozen=True):
    """What happens to one resource, and why. `old` and `new` are None where there is none."""

    name: Name
    verb: Verb
    reason: str
    old: Recorded[Any] | None
    new: Resource[Any] | None

    @property
    def resource(self) -> Resource[Any]:
        """The resource as wanted, or as it was when it is not wanted any more."""
        resource = self.new or (self.old.resource if self.old else None)
        if resource is None:
            raise ValueError(f"a change of {self.name} from nothing to nothing")
        return resource


class Repeat(StrEnum):
    """What may be done when the outcome of an action is not known."""

    REPEATABLE = "repeatable"
    ONCE = "once"
    """At most once; `Action.key`, where there is one, lets the receiver tell a repetition."""


class Action(msgspec.Struct, frozen=True):
    """Something to be done that is not a change of a resource.

    `target` names the resource it is done to (a kind's action), or is None for one that a room contributes under its
    `kind` (a script, a coordination). `patience` in seconds.
    """

    id: str
    kind: str
    target: Name | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    repeat: Repeat = Repeat.REPEATABLE
    key: str | None = None
    patience: float = 300.0
    reason: str = ""


class Do(StrEnum):
    """What a step does."""

    OBTAIN = "obtain"
    """Create, use, share or claim, as the resource's ownership says."""
    UPDATE = "update"
    RELINQUISH = "relinquish"
    """Delete, forget, drop or release, as the resource's ownership says."""
    ACT = "act"
    BARRIER = "barrier"
    """Nothing itself: what comes after it waits for all that it is after."""


class Step(msgspec.Struct, frozen=True):
    """A node of the graph. `incarnation` is set where a certain life is meant: the one to change or to end."""

    id: StepId
    do: Do
    after: frozenset[StepId] = frozenset()
    new: Resource[Any] | None = None
    old: Recorded[Any] | None = None
    action: Action | None = None
    patience: float = 600.0

    @property
    def name(self) -> Name | None:
        """The resource concerned."""
        if self.new is not None:
            return self.new.name
        if self.old is not None:
            return self.old.name
        return self.action.target if self.action else None

    @property
    def incarnation(self) -> Incarnation | None:
        """The recorded life that the step changes or ends."""
        return self.old.incarnation if self.old else None


class Plan(msgspec.Struct, frozen=True):
    """Changes and the steps that bring them about. An empty plan has nothing to do."""

    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def empty(self) -> bool:
        """True when applying it would do nothing."""
        return not self.steps

    def counts(self) -> dict[str, int]:
        """How many changes there are of each verb; verbs without any are left out."""
        totals: dict[str, int] = {}
        for change in self.changes:
            totals[change.verb] = totals.get(change.verb, 0) + 1
        return totals

    def steps_of(self, name: Name) -> tuple[Step, ...]:
        """The steps that concern the resource `name`."""
        return tuple(step for step in self.steps if step.name == name)

    def with_action(self, action: Action, *, after: Iterable[StepId] = (), before: Iterable[StepId] = ()) -> Plan:
        """A plan with `action` in it, after and before the steps named."""
        step = Step(id=f"act {action.id}", do=Do.ACT, after=frozenset(after), action=action, patience=action.patience)
        return self._with(step, before)

    def with_barrier(self, label: str, *, after: Iterable[StepId], before: Iterable[StepId]) -> Plan:
        """A plan in which all of `before` wait for all of `after`."""
        return self._with(Step(id=f"barrier {label}", do=Do.BARRIER, after=frozenset(after)), before)

    def with_patience(self, seconds: dict[StepId, float]) -> Plan:
        """A plan in which the steps named may take as long as given."""
        replace = msgspec.structs.replace
        steps = (replace(step, patience=seconds.get(step.id, step.patience)) for step in self.steps)
        return replace(self, steps=tuple(steps))

    def _with(self, step: Step, before: Iterable[StepId]) -> Plan:
        waiting = frozenset(before)
        replace = msgspec.structs.replace
        steps = (replace(s, after=s.after | {step.id}) if s.id in waiting else s for s in self.steps)
        return replace(self, steps=(*steps, step))

    def digest(self) -> str:
        """A digest of what the plan would do, equal for equal plans; a request may carry it."""
        from fairlead.resources.codec import plan_document

        text = msgspec.json.encode(plan_document(self), order="deterministic")
        return "sha256:" + hashlib.sha256(text).hexdigest()
