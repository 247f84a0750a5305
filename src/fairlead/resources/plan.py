"""A plan: what will change, why, and in which order.

`changes` is what a reader is shown, one line for each resource; `steps` is the graph that `apply` walks, where a
replacement is two steps and an action one. Order is stated only by `after`. An operation type *arranges* a plan by
adding actions and barriers to it; it never removes a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from enum import StrEnum
from typing import Any

import msgspec

from fairlead.resources.names import Incarnation, Name
from fairlead.resources.records import Recorded, Resource

__all__ = ["IRREVERSIBLE", "Action", "Change", "Do", "Plan", "Repeat", "Step", "StepId", "Verb", "knot", "renews"]

StepId = str

IRREVERSIBLE: StepId = "barrier before what cannot be undone"
"""The barrier, in plans that need it, between everything that may still fail and what nothing can bring back."""


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


def renews(change: Change) -> bool:
    """Whether the resource gets a life that it has not now."""
    return change.verb is Verb.REPLACE or (change.verb in (Verb.CREATE, Verb.CLAIM) and change.old is None)


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

    def target(self) -> dict[Name, Resource[Any]]:
        """What the plan leads to: the desired with what had been decided before, which is what is to be stored."""
        return {change.name: change.new for change in self.changes if change.new is not None}

    def steps_of(self, name: Name) -> tuple[Step, ...]:
        """The steps that concern the resource `name`."""
        return tuple(step for step in self.steps if step.name == name)

    def with_action(self, action: Action, *, after: Iterable[StepId] = (), before: Iterable[StepId] = ()) -> Plan:
        """A plan with `action` in it, after and before the steps named; before what cannot be undone in any case,
        unless it is after that."""
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
        steps = {known.id: known for known in self.steps}
        waiting = set(before)
        unknown = (waiting | step.after) - steps.keys()
        if unknown or step.id in steps:
            raise ValueError(f"a plan without {sorted(unknown)} cannot have '{step.id}'")
        if IRREVERSIBLE in steps and not self._is_after(step.after, IRREVERSIBLE):
            waiting.add(IRREVERSIBLE)
        replace = msgspec.structs.replace
        for other in waiting:
            steps[other] = replace(steps[other], after=steps[other].after | {step.id})
        return replace(self, steps=(*steps.values(), step))

    def _is_after(self, steps: frozenset[StepId], earlier: StepId) -> bool:
        """Whether any of `steps` is `earlier`, or waits for it."""
        after = {step.id: step.after for step in self.steps}
        seen, queue = set(steps), list(steps)
        while queue:
            fresh = after[queue.pop()] - seen
            seen |= fresh
            queue.extend(fresh)
        return earlier in seen


def knot(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that wait for each other in a circle, and those between two circles; none in a plan that can be done."""
    known = {step.id: step for step in steps}
    tied = _tied({step.id: step.after & known.keys() for step in known.values()})
    if not tied:
        return ()
    later: dict[StepId, set[StepId]] = {step: set() for step in tied}
    for step in tied:
        for other in known[step].after & tied:
            later[other].add(step)
    return tuple(known[step] for step in sorted(_tied(later)))


def _tied(after: Mapping[StepId, Set[StepId]]) -> set[StepId]:
    """What remains when whatever waits for nothing that remains is taken away."""
    waiting = {step: len(others) for step, others in after.items()}
    followers: dict[StepId, list[StepId]] = {}
    for step, others in after.items():
        for other in others:
            followers.setdefault(other, []).append(step)
    free = [step for step, number in waiting.items() if number == 0]
    while free:
        step = free.pop()
        del waiting[step]
        for follower in followers.get(step, ()):
            waiting[follower] -= 1
            if waiting[follower] == 0:
                free.append(follower)
    return set(waiting)
