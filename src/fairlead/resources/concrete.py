"""What a wanted resource comes to when a kind is handed it: references and secrets resolved, members folded in.

It depends on what is known at that moment: outputs and handles grow as the steps of a plan end. The lives that
references lead to then are noted with the resource (`Resource.bound`), so that later plans know who holds what.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from fairlead.resources.names import Incarnation, Name
from fairlead.resources.ordering import dependencies
from fairlead.resources.plan import Do, Plan, Step, StepId, renews
from fairlead.resources.records import Recorded, Resource, composition
from fairlead.resources.rules import Member, Rulebook
from fairlead.resources.values import Ref, SecretRef, resolve

__all__ = ["Concrete"]

_replace = msgspec.structs.replace


class Concrete:
    """The resources of one plan. `known` has a row for each that is there, and grows as steps end.

    `ended_by` has, for each update of a composite, the steps that end the members which it does away with.
    """

    def __init__(
        self, plan: Plan, known: dict[Name, Recorded[Any]], rules: Rulebook, reveal: Callable[[SecretRef], str]
    ) -> None:
        self.known = known
        self._rules = rules
        self._reveal = reveal
        self._target = plan.target()
        self._needs = dependencies(self._target)
        self._ending = {step.incarnation for step in plan.steps if step.do is Do.RELINQUISH}
        self.ended_by = _ended_by_update(plan)
        self._ends: dict[Name, list[Incarnation]] = {}
        for step in (step for steps in self.ended_by.values() for step in steps):
            if step.old is not None:
                self._ends.setdefault(step.old.name, []).append(step.old.incarnation)
        self._renewed = {change.name for change in plan.changes if change.name in self._ends and renews(change)}
        self._members: dict[Name, list[Resource[Any]]] = {}
        for member in self._target.values():
            if member.within is not None:
                self._members.setdefault(member.within, []).append(member)

    def bound(self, resource: Resource[Any]) -> Resource[Any]:
        """`resource` with the lives that its references, and its members', lead to now, and with what it consists of."""
        used = (self.known.get(name) for name in self._needs.get(resource.name, ()))
        lives = {row.incarnation for row in used if row is not None}
        composed = composition(self._members.get(resource.name, ()))
        return _replace(resource, bound=tuple(sorted(lives)), composed=composed)

    def concrete(self, resource: Resource[Any]) -> Resource[Any]:
        """`resource` as its kind is handed it; `existing` of a member is its composite's handle."""
        look_up = partial(self._look_up, resource.within or resource.name)
        members = {}
        for member in self._members.get(resource.name, ()):
            row = self.known.get(member.name)
            spec = resolve(member.spec, look_up, self._reveal)
            incarnation = row.incarnation if row is not None else None
            renewed = member.name in self._renewed
            ends = tuple(sorted(self._ends[member.name])) if renewed else ()
            members[member.name] = Member(_replace(member, spec=spec), incarnation, renewed, ends)
        spec = resolve(resource.spec, look_up, self._reveal)
        composite = self.known.get(resource.within) if resource.within is not None else None
        existing = composite.handle if composite is not None else resource.existing
        return _replace(resource, spec=self._rules.rules(resource).fold(spec, members), existing=existing)

    def _look_up(self, composite: Name, ref: Ref) -> Any:
        """The output that `ref` means; the reference itself while there is none, as for a member that is to be made
        with the `composite`."""
        row = self.known.get(ref.name)
        if row is None or ref.output not in row.outputs:
            return ref
        member = self._target.get(ref.name)
        to_be_made = member is not None and member.within == composite and row.incarnation in self._ending
        return ref if to_be_made else row.outputs[ref.output]


def _ended_by_update(plan: Plan) -> dict[StepId, list[Step]]:
    """The steps that end members, by the update of their composite that does it."""
    updates = {step.name: step.id for step in plan.steps if step.do is Do.UPDATE}
    ended: dict[StepId, list[Step]] = {}
    for step in plan.steps:
        if step.do is Do.RELINQUISH and step.old is not None:
            update = updates.get(step.old.resource.within)
            if update in step.after:
                ended.setdefault(update, []).append(step)
    return ended
