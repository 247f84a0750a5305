"""In which order changes are made."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from fairlead.resources import Do, Plan, Rules, State
from fairlead.resources.plan import IRREVERSIBLE, knot
from tests.resources.ideal import DiskSpec, NodeRules, StackSpec, node
from tests.resources.making import Recordings, given, image, planned, waits

STACK = node("stack", sort=StackSpec)


def ids(plan: Plan) -> set[str]:
    return {step.id for step in plan.steps}


def test_things_are_obtained_after_what_they_use() -> None:
    plan = planned(None, node("c", "b"), node("b", "a"), node("a"), node("d"))
    assert waits(plan, "create c", "create a")
    assert waits(plan, "create b", "create a")
    (alone,) = (step for step in plan.steps if step.id == "create d")
    assert alone.after == frozenset()


def test_things_are_relinquished_before_what_they_use() -> None:
    plan = planned(Recordings(node("a"), node("b", "a"), node("c", "b")))
    assert waits(plan, "delete a#a-1", "delete b#b-1")
    assert waits(plan, "delete b#b-1", "delete c#c-1")


def test_what_an_update_lets_go_of_ends_after_it() -> None:
    recordings = Recordings(node("a"), node("b", "a", rebinds=True))
    plan = planned(recordings, node("b", rebinds=True))
    assert waits(plan, "delete a#a-1", "update b")


def test_created_first_the_old_life_ends_after_the_new_one_and_every_user_that_moves_over() -> None:
    world = (node("a"), node("b", "a", rebinds=True), node("c", "a"))
    plan = planned(Recordings(*world), *world, taint=("a",))
    for moved in ("create a", "update b", "create c", "delete c#c-1"):
        assert waits(plan, "delete a#a-1", moved)


def test_deleted_first_the_new_life_begins_after_the_old_one_and_users_go_first() -> None:
    world = (node("a", delete_first=True), node("b", "a"), node("c", "b"))
    plan = planned(Recordings(*world), *world, taint=("a",))
    order = ["delete c#c-1", "delete b#b-1", "delete a#a-1", "create a", "create b", "create c"]
    for earlier, later in pairwise(order):
        assert waits(plan, later, earlier)


def test_a_user_that_can_be_rebound_is_updated_after_both() -> None:
    world = (node("port", delete_first=True), node("vm", "port", rebinds=True))
    plan = planned(Recordings(*world), *world, taint=("port",))
    assert waits(plan, "update vm", "create port")
    assert waits(plan, "create port", "delete port#port-1")


def test_what_is_not_ready_goes_before_its_successor_whatever_the_rule() -> None:
    recordings = Recordings(node("a"))
    recordings.mark("a-1", State.DELETING)
    recordings.add(node("a"), State.INTENDED)
    plan = planned(recordings, node("a", model=1))
    assert waits(plan, "create a", "delete a#a-2")
    assert waits(plan, "delete a#a-1", "create a")


def test_a_former_life_waits_for_those_that_still_hold_it_and_for_nobody_else() -> None:
    recordings = Recordings(node("a"), node("b", "a"))
    recordings.mark("a-1", State.DELETING)
    recordings.add(node("a"))
    recordings.add(node("c", "a"))
    plan = planned(recordings)
    assert waits(plan, "delete a#a-1", "delete b#b-1")
    assert not waits(plan, "delete a#a-1", "delete c#c-1")
    assert waits(plan, "delete a#a-2", "delete c#c-1")
    assert not waits(plan, "delete a#a-2", "delete b#b-1")


def test_each_former_life_holds_what_it_held_itself() -> None:
    recordings = Recordings(node("a"), node("b"), node("u", "a"))
    recordings.mark("u-1", State.DELETING)
    recordings.add(node("u", "b"))
    plan = planned(recordings)
    assert waits(plan, "delete a#a-1", "delete u#u-1")
    assert waits(plan, "delete b#b-1", "delete u#u-2")


def test_users_that_swap_what_they_use_do_not_wait_for_each_other() -> None:
    recordings = Recordings(node("a"), node("b", "a"))
    plan = planned(recordings, node("b"), node("a", "b"))
    assert not knot(plan.steps)
    assert waits(plan, "delete a#a-1", "delete b#b-1")


def test_what_would_wait_for_itself_when_created_first_is_deleted_first() -> None:
    """X moves from Y to W, and W needs the new Y, which can only come when the old Y, which X holds, has gone."""
    recordings = Recordings(node("y", delete_first=True), node("x", "y"))
    plan = planned(recordings, node("y", model=1, delete_first=True), node("w", "y"), node("x", "w"))
    assert waits(plan, "create x", "delete x#x-1")
    assert waits(plan, "create y", "delete x#x-1")


# -- composites ----------------------------------------------------------------------------------------------------------


def test_a_composite_comes_after_whatever_its_members_use_and_they_follow_it() -> None:
    plan = planned(None, node("net"), STACK, node("m", "net", within="stack"), node("user", "m"))
    assert waits(plan, "create stack", "create net")
    assert waits(plan, "create m", "create stack")
    assert waits(plan, "create user", "create m")


def test_members_end_with_their_composite_and_what_they_use_after_that() -> None:
    world = (node("net"), STACK, node("m", "net", within="stack"), node("user", "m"))
    plan = planned(Recordings(*world))
    assert waits(plan, "delete stack#stack-1", "delete user#user-1")
    assert waits(plan, "delete m#m-1", "delete stack#stack-1")
    assert waits(plan, "delete net#net-1", "delete m#m-1")


def test_a_healed_member_goes_and_comes_by_its_composites_update() -> None:
    world = (STACK, node("m", within="stack"))
    plan = planned(Recordings(*world), *world, taint=("m",))
    assert waits(plan, "delete m#m-1", "update stack")
    assert waits(plan, "create m", "delete m#m-1")


def test_a_composite_holds_what_its_members_use_even_before_they_are_recorded() -> None:
    recordings = Recordings(node("net"))
    recordings.add(STACK, State.CREATING, bound=("net-1",))
    assert waits(planned(recordings), "delete net#net-1", "delete stack#stack-1")


def test_a_member_that_holds_a_unique_thing_makes_its_composite_go_first() -> None:
    world = (STACK, node("m", within="stack", delete_first=True))
    plan = planned(Recordings(*world), *world, taint=("stack",))
    assert waits(plan, "create stack", "delete stack#stack-1")
    world = (STACK, node("m", within="stack"))
    plan = planned(Recordings(*world), *world, taint=("stack",))
    assert waits(plan, "delete stack#stack-1", "create stack")


# -- whose it is ---------------------------------------------------------------------------------------------------------


def test_given_things_are_taken_before_others_are_let_go_whatever_the_rule() -> None:
    plan = planned(Recordings(given("a", "x", delete_first=True)), given("a", "y", delete_first=True))
    assert waits(plan, "delete a#a-1", "create a")


def test_another_image_is_loaded_before_the_old_one_is_dropped_and_the_same_one_after() -> None:
    plan = planned(Recordings(image("i", "sha256:1")), image("i", "sha256:2"))
    assert waits(plan, "delete i#i-1", "create i")
    recordings = Recordings()
    recordings.add(image("i", "sha256:1"), State.FAILED)
    assert waits(planned(recordings, image("i", "sha256:1")), "create i", "delete i#i-1")


# -- what cannot be undone -----------------------------------------------------------------------------------------------


def test_what_nothing_can_bring_back_goes_last_behind_a_barrier() -> None:
    recordings = Recordings(node("base"), node("disk", "base", sort=DiskSpec), node("vm", "disk"), node("other"))
    plan = planned(recordings, node("new"))
    (barrier,) = (step for step in plan.steps if step.id == IRREVERSIBLE)
    assert barrier.do is Do.BARRIER
    assert barrier.after == {"create new", "delete vm#vm-1", "delete other#other-1"}
    assert waits(plan, "delete disk#disk-1", IRREVERSIBLE)
    assert waits(plan, "delete base#base-1", "delete disk#disk-1")


def test_what_others_wait_for_cannot_go_last() -> None:
    world = (node("disk", sort=DiskSpec, delete_first=True), node("vm", "disk"))
    plan = planned(Recordings(*world), *world, taint=("disk",))
    assert IRREVERSIBLE not in ids(plan)


def test_only_what_is_ours_can_be_lost() -> None:
    theirs = msgspec.structs.replace(given("disk", "vol-1"), spec=DiskSpec())
    plan = planned(Recordings(theirs, node("vm", "disk")))
    assert IRREVERSIBLE not in ids(plan)


# -- the rest ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_there_is_one_step_for_each_life_that_ends(state: State) -> None:
    recordings = Recordings()
    recordings.add(node("a"), State.DELETING)
    recordings.add(node("a"), state)
    ends = [step.id for step in planned(recordings).steps if step.do is Do.RELINQUISH]
    assert sorted(ends) == ["delete a#a-1", "delete a#a-2"]


def test_steps_have_the_patience_of_their_kind_and_their_verb() -> None:
    class Patient(NodeRules):
        def patience(self, verb: str) -> float:
            return {"create": 1.0, "update": 2.0, "delete": 3.0}[verb]

    class Book:
        def rules(self, resource: Any) -> Rules[Any]:
            return Patient()

    recordings = Recordings(node("u"), node("d"))
    plan = planned(recordings, node("u", size=1), node("c"), rules=Book())
    assert {step.id: step.patience for step in plan.steps} == {"create c": 1.0, "update u": 2.0, "delete d#d-1": 3.0}
