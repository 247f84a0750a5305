"""Whatever is wanted in whatever order, and wherever a worker is killed: the next one brings it about, and exactly it.

Random generations of what is wanted are applied one after the other to an idealised infrastructure that refuses whatever a
wrong order would do; the worker is killed at random boundaries between calls and writes, or at every one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import Unprocessable
from fairlead.resources import (
    UNDECIDED,
    Incarnation,
    Name,
    Plan,
    Records,
    Ref,
    Resource,
    State,
    Verb,
    apply,
    diff,
)
from fairlead.resources.plan import knot
from tests.resources.ideal import DiskSpec, Fuse, Ideal, Killed, NodeSpec, StackSpec, Unhurried, node
from tests.support.memory_journal import Ledger, MemoryJournal

_replace = msgspec.structs.replace
Wanted = Mapping[Name, Resource[Any]]
NAMES = [f"n{number}" for number in range(7)]
STACK = "stack"


class Generation(msgspec.Struct, frozen=True):
    """What is wanted, what is tainted before, and at which boundaries workers are killed."""

    wanted: dict[Name, Resource[Any]]
    tainted: frozenset[Name]
    kills: tuple[int, ...] = ()


@st.composite
def wants(draw: st.DrawFn) -> dict[Name, Resource[Any]]:
    """Some of the names, in random order, each using some of those before it, some within one composite."""
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES)))
    grouped = draw(st.booleans())
    members = set(draw(st.lists(st.sampled_from(chosen), max_size=3))) if chosen and grouped else set()
    wanted: dict[str, Resource[Any]] = {}
    for place, name in enumerate(chosen):
        number = NAMES.index(name)
        uses = draw(st.lists(st.sampled_from(chosen[:place]), unique=True, max_size=3)) if place else []
        home = uses[0] if uses and number % 3 == 0 else None
        wanted[name] = node(
            name,
            *uses,
            within=STACK if name in members else None,
            sort=DiskSpec if number == 5 else NodeSpec,
            model=draw(st.integers(0, 1)),
            size=draw(st.integers(0, 1)),
            rebinds=number % 2 == 0,
            delete_first=number in (0, 3, 4),
            address=UNDECIDED if number in (0, 3, 4) else None,
            home=home,
        )
    if members:
        wanted[STACK] = node(STACK, sort=StackSpec, model=draw(st.integers(0, 1)), delete_first=draw(st.booleans()))
    found = {resource.name: resource for resource in wanted.values()}
    return found if _possible(found) else {name: _alone(one) for name, one in found.items() if name != STACK}


def _alone(resource: Resource[Any]) -> Resource[Any]:
    return _replace(resource, within=None)


def _possible(wanted: Wanted) -> bool:
    try:
        diff(Records(), wanted, Ideal())
    except Unprocessable:
        return False
    return True


@st.composite
def histories(draw: st.DrawFn, *, length: int) -> list[Generation]:
    """Generations, the last of which is like the one before but for a few names, as operations are."""
    found = []
    for _ in range(length):
        wanted = draw(wants())
        tainted = draw(st.sets(st.sampled_from([*NAMES, STACK]), max_size=2))
        kills = draw(st.lists(st.integers(0, 120), max_size=2))
        found.append(Generation(wanted, frozenset(Name(name) for name in tainted), tuple(kills)))
    return found


class Life:
    """An instance, its records and its infrastructure."""

    def __init__(self, ledger: Ledger | None = None, world: Ideal | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.world = world or Ideal()
        self.reached = 0

    def copy(self) -> Life:
        ledger = Ledger()
        ledger.rows = {owner: dict(rows) for owner, rows in self.ledger.rows.items()}
        return Life(ledger, self.world.copy())

    def plan(self, wanted: Wanted, tainted: frozenset[Incarnation] = frozenset()) -> Plan:
        records = self.ledger.records()
        names = {name for name, row in records.current.items() if row.incarnation in tainted}
        plan = diff(records, wanted, self.world, tainted=names)
        assert not knot(plan.steps)
        assert_references_are_respected(plan)
        return plan

    def operate(self, generation: Generation, kills: Sequence[int]) -> None:
        """Do it; a worker that is killed is followed by another, with what was decided and nothing else."""
        current = self.ledger.records().current
        tainted = frozenset(row.incarnation for name, row in current.items() if name in generation.tainted)
        target = self.plan(generation.wanted, tainted).target()
        for name, row in current.items():
            if name in target and row.resource.spec.home is None and target[name].spec.home is None:
                assert target[name].spec.address == row.resource.spec.address, "a decided address was forgotten"
        for kill in (*kills, None):
            fuse = Fuse(kill)
            try:
                asyncio.run(self._apply(self.plan(target, tainted), fuse))
            except Killed:
                continue
            self.reached = fuse.passed
            break
        self.check(generation.wanted, target)

    async def _apply(self, plan: Plan, fuse: Fuse) -> None:
        self.world.fuse = fuse
        journal = MemoryJournal(self.ledger, boundary=fuse)
        applied = await apply(plan, self.world, journal, cancel=Unhurried())
        assert not applied.failures, [(failure.step.id, failure.error) for failure in applied.failures]
        assert applied.complete

    def check(self, wanted: Wanted, target: Wanted) -> None:
        """Exactly what is wanted is there, once, bound to what is there, and nothing is left to do."""
        records = self.ledger.records()
        assert not records.leaving
        assert records.current.keys() == wanted.keys()
        assert {row.state for row in records.current.values()} <= {State.READY}
        handles = {name: row.handle for name, row in records.current.items()}
        assert sorted(self.world.things) == sorted(handle for handle in handles.values() if handle is not None)
        for name, row in records.current.items():
            thing, spec = self.world.things[row.handle or ""], target[name].spec
            assert (thing.spec.model, thing.spec.size) == (spec.model, spec.size)
            assert thing.tag.incarnation == row.incarnation
            used = {handles[ref.name] for ref in spec.uses if _apart(ref, name, wanted)}
            assert {use for use in thing.spec.uses if isinstance(use, str)} >= used
            if isinstance(spec.address, str):
                assert thing.outputs["address"] == spec.address
        assert self.plan(target).empty
        assert self.plan(wanted).empty


def _apart(ref: Ref, name: Name, wanted: Wanted) -> bool:
    within = wanted[name].within
    return within is None or wanted[ref.name].within != within


def assert_references_are_respected(plan: Plan) -> None:
    """Whatever is obtained or updated waits, at whatever distance, for what it uses; and lives end in reverse order."""
    steps = {step.id: step for step in plan.steps}
    before: dict[str, set[str]] = {}

    def earlier(step: str) -> set[str]:
        if step not in before:
            before[step] = set()
            for other in steps[step].after:
                before[step] |= {other} | earlier(other)
        return before[step]

    forwards = {step.new.name: step.id for step in plan.steps if step.new is not None}
    backwards = {step.incarnation: step for step in plan.steps if step.new is None and step.old is not None}
    target = plan.target()
    for name, step in forwards.items():
        for ref in target[name].spec.uses:
            if ref.name in forwards and _apart(ref, name, target):
                assert forwards[ref.name] in earlier(step)
        within = target[name].within
        if within in forwards:
            assert forwards[within] in earlier(step)
    for holder in backwards.values():
        assert holder.old is not None
        for life in holder.old.resource.bound or ():
            if life in backwards and backwards[life].name != holder.old.resource.within:
                assert holder.id in earlier(backwards[life].id)


@given(histories(length=3))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_killed_at_random_it_converges_to_what_is_wanted_with_one_life_per_name(history: list[Generation]) -> None:
    life = Life()
    for generation in history:
        life.operate(generation, generation.kills)


@given(histories(length=2))
@settings(max_examples=12, derandomize=True, deadline=None)
def test_killed_at_every_boundary_it_converges_as_if_nothing_had_happened(history: list[Generation]) -> None:
    life = Life()
    for generation in history[:-1]:
        life.operate(generation, ())
    whole = life.copy()
    whole.operate(history[-1], ())
    for boundary in range(whole.reached):
        life.copy().operate(history[-1], (boundary,))


@given(histories(length=2))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_what_is_wanted_again_after_an_interrupted_change_comes_back(history: list[Generation]) -> None:
    """The way back is a plan like any other, from wherever the way there ended."""
    there, back = history
    life = Life()
    life.operate(there, ())
    before = life.ledger.records().resources()
    fuse = Fuse(back.kills[0] if back.kills else None)
    plan = life.plan(back.wanted, frozenset())
    with suppress(Killed):
        asyncio.run(life._apply(plan, fuse))
    life.operate(Generation(before, frozenset()), back.kills[1:])


@given(wants(), st.sets(st.sampled_from([*NAMES, STACK])))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_a_plan_says_of_each_name_once_what_happens_to_it(wanted: dict[Name, Resource[Any]], tainted: set[str]) -> None:
    life = Life()
    life.operate(Generation(wanted, frozenset()), ())
    names = frozenset(Name(name) for name in tainted)
    plan = diff(life.ledger.records(), wanted, life.world, tainted=names)
    assert [change.name for change in plan.changes] == sorted(wanted)
    replaced = {change.name for change in plan.changes if change.verb is Verb.REPLACE}
    assert names & wanted.keys() <= replaced
    for change in plan.changes:
        ends = [step for step in plan.steps_of(change.name) if step.new is None]
        assert len(ends) == (change.verb is Verb.REPLACE)


if __name__ == "__main__":
    pytest.main([__file__])
