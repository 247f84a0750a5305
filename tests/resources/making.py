"""Records and plans for tests, made of few words."""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.resources import (
    Handle,
    Incarnation,
    Name,
    Ownership,
    Plan,
    Recorded,
    Records,
    Resource,
    Rulebook,
    State,
    VimId,
    diff,
)
from fairlead.resources.values import references
from tests.resources.ideal import VIM, Ideal, NodeSpec, SharedSpec

__all__ = ["Recordings", "given", "image", "known", "planned", "reasons", "verbs", "waits"]

_replace = msgspec.structs.replace


class Recordings:
    """Rows that were written one after the other, each bound to the lives that its references led to then."""

    def __init__(self, *resources: Resource[Any]) -> None:
        self.rows: list[Recorded[Any]] = []
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource[Any], state: State = State.READY, **fields: Any) -> Recorded[Any]:
        """The row of a life, which is called after its name and its number."""
        life = Incarnation(f"{resource.name}-{sum(row.name == resource.name for row in self.rows) + 1}")
        lives = {row.name: row.incarnation for row in self.rows if row.state is not State.DELETING}
        used = references(resource.spec) | ({resource.within} if resource.within else set())
        bound = fields.pop("bound", tuple(sorted(lives[name] for name in used if name in lives)))
        handle = None if state is State.INTENDED else Handle(f"handle of {life}")
        row = Recorded(_replace(resource, bound=bound), life, state, handle, {"id": handle}, **fields)
        self.rows.append(row)
        return row

    def mark(self, life: str, state: State) -> None:
        """The row of `life` enters another state."""
        self.rows = [_replace(row, state=state) if row.incarnation == life else row for row in self.rows]

    @property
    def records(self) -> Records:
        """All of them."""
        return Records.of(self.rows)


def known(*resources: Resource[Any]) -> dict[Name, Resource[Any]]:
    """By name."""
    return {resource.name: resource for resource in resources}


def planned(
    recordings: Recordings | None, *wanted: Resource[Any], taint: tuple[str, ...] = (), rules: Rulebook | None = None
) -> Plan:
    """The plan, by the rules of the idealised infrastructure unless others are named."""
    tainted = frozenset(Name(name) for name in taint)
    records = recordings.records if recordings is not None else Records()
    return diff(records, known(*wanted), rules or Ideal(), tainted=tainted)


def verbs(plan: Plan) -> dict[str, str]:
    """What happens to each name."""
    return {change.name: str(change.verb) for change in plan.changes}


def reasons(plan: Plan) -> dict[str, str]:
    """And why."""
    return {change.name: change.reason for change in plan.changes}


def waits(plan: Plan, later: str, earlier: str) -> bool:
    """Whether the step `later` waits for `earlier`, at whatever distance; both are in the plan."""
    steps = {step.id: step.after for step in plan.steps}
    assert {later, earlier} <= steps.keys(), sorted(steps)
    seen: set[str] = set()
    queue = [later]
    while queue:
        fresh = steps[queue.pop()] - seen
        seen |= fresh
        queue.extend(fresh)
    return earlier in seen


def given(name: str, existing: str, **fields: Any) -> Resource[Any]:
    """Something of another's."""
    return Resource(Name(name), NodeSpec(**fields), VIM, Ownership.GIVEN, existing=existing)


def image(name: str, digest: str, *, model: int = 0, vim: VimId = VIM) -> Resource[Any]:
    """Something that is shared by its digest."""
    return Resource(Name(name), SharedSpec(digest=digest, model=model), vim, Ownership.SHARED)
