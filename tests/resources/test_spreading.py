"""What a change of one resource means for those that use it, and for its composite."""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.resources import Incarnation, Recorded, Resource, State
from fairlead.resources.records import composition
from tests.resources.ideal import StackSpec, node
from tests.resources.making import Recordings, given, planned, reasons, verbs

_replace = msgspec.structs.replace
STACK = node("stack", sort=StackSpec)


def member(name: str, *uses: str, **fields: Any) -> Resource[Any]:
    return node(name, *uses, within="stack", **fields)


def test_who_uses_what_is_replaced_is_replaced_too_unless_it_can_be_rebound() -> None:
    world = (node("net"), node("port", "net"), node("vm", "port", rebinds=True), node("lb", "vm"))
    plan = planned(Recordings(*world), *world, taint=("net",))
    assert verbs(plan) == {"net": "replace", "port": "replace", "vm": "update", "lb": "keep"}
    assert reasons(plan)["port"] == "net is replaced"
    assert reasons(plan)["vm"] == "port is replaced"


def test_a_user_that_is_updated_anyway_keeps_its_own_reason() -> None:
    recordings = Recordings(node("a"), node("b", "a", rebinds=True))
    plan = planned(recordings, node("a"), node("b", "a", rebinds=True, size=1), taint=("a",))
    assert reasons(plan)["b"] == "size 0 -> 1"


def test_a_first_use_of_what_is_replaced_is_no_reason_to_replace_the_user() -> None:
    recordings = Recordings(node("a"), node("b", rebinds=True))
    plan = planned(recordings, node("a"), node("b", "a", rebinds=True), taint=("a",))
    assert verbs(plan) == {"a": "replace", "b": "update"}


# -- what an interrupted plan left ---------------------------------------------------------------------------------------


def test_a_user_of_a_former_life_is_found_when_that_life_is_still_going() -> None:
    recordings = Recordings(node("a"), node("b", "a"), node("c", "a", rebinds=True))
    recordings.mark("a-1", State.DELETING)
    recordings.add(node("a"))
    plan = planned(recordings, node("a"), node("b", "a"), node("c", "a", rebinds=True))
    assert verbs(plan) == {"a": "keep", "b": "replace", "c": "update"}
    assert reasons(plan)["b"] == "a was replaced"


def test_a_user_of_a_former_life_is_found_when_that_life_is_gone_without_a_trace() -> None:
    recordings = Recordings(node("a"), node("c", "a", rebinds=True))
    del recordings.rows[0]
    assert verbs(planned(recordings, node("a"), node("c", "a", rebinds=True))) == {"a": "create", "c": "update"}
    recordings.add(node("a"))
    recordings.rows[-1] = _replace(recordings.rows[-1], incarnation=Incarnation("a-2"))
    plan = planned(recordings, node("a"), node("c", "a", rebinds=True))
    assert (verbs(plan), reasons(plan)["c"]) == ({"a": "keep", "c": "update"}, "a was replaced")


def test_what_was_begun_on_a_life_that_goes_is_begun_anew() -> None:
    recordings = Recordings(node("a"))
    recordings.add(node("b", "a", rebinds=True), State.CREATING)
    plan = planned(recordings, node("a"), node("b", "a", rebinds=True), taint=("a",))
    assert verbs(plan) == {"a": "replace", "b": "replace"}


def test_whom_a_row_holds_may_be_unknown_and_then_names_decide() -> None:
    recordings = Recordings(node("a"))
    recordings.add(node("b", "a"), bound=None)
    assert verbs(planned(recordings, node("a"), node("b", "a"))) == {"a": "keep", "b": "keep"}
    assert verbs(planned(recordings, node("a"), node("b", "a"), taint=("a",))) == {"a": "replace", "b": "replace"}


# -- composites ----------------------------------------------------------------------------------------------------------


def test_a_members_change_is_an_update_of_its_composite() -> None:
    recordings = Recordings(STACK, member("m1"), member("m2"))
    plan = planned(recordings, STACK, member("m1", size=1), member("m2"))
    assert verbs(plan) == {"stack": "update", "m1": "update", "m2": "keep"}
    assert reasons(plan)["stack"] == "its member m1 changes"


def test_members_that_come_go_or_are_healed_update_their_composite_too() -> None:
    recordings = Recordings(STACK, member("m1"))
    assert verbs(planned(recordings, STACK, member("m1"), member("m2")))["stack"] == "update"
    assert verbs(planned(recordings, STACK))["stack"] == "update"
    assert verbs(planned(recordings, STACK, member("m1"), taint=("m1",)))["stack"] == "update"


def test_a_member_that_moves_out_is_replaced_and_its_composite_updated() -> None:
    recordings = Recordings(STACK, member("m1"), member("m2"))
    plan = planned(recordings, STACK, node("m1"), member("m2"))
    assert verbs(plan) == {"stack": "update", "m1": "replace", "m2": "keep"}
    assert reasons(plan)["m1"] == "moves from stack to standing alone"


def test_a_replaced_composite_replaces_its_members() -> None:
    recordings = Recordings(STACK, member("m1"), node("user", "m1"))
    plan = planned(recordings, STACK, member("m1"), node("user", "m1"), taint=("stack",))
    assert verbs(plan) == {"stack": "replace", "m1": "replace", "user": "replace"}


def test_members_of_a_former_composite_are_found_after_an_interruption() -> None:
    recordings = Recordings(STACK, member("m1"))
    recordings.mark("stack-1", State.DELETING)
    recordings.add(STACK)
    plan = planned(recordings, STACK, member("m1"))
    assert verbs(plan) == {"stack": "update", "m1": "replace"}


def test_what_a_member_uses_counts_for_its_composite() -> None:
    world = (node("net"), STACK, member("m1", "net", rebinds=True))
    plan = planned(Recordings(*world), *world, taint=("net",))
    assert verbs(plan) == {"net": "replace", "m1": "update", "stack": "update"}
    (update,) = (step for step in plan.steps if step.id == "update stack")
    assert "create net" in update.after


def test_a_composite_that_would_have_to_let_go_and_take_hold_in_one_update_is_replaced() -> None:
    """Its network goes before the next can come, for both want the same thing; so its member, and with it the whole."""
    world = (node("net", delete_first=True), STACK, member("m1", "net"))
    plan = planned(Recordings(*world), *world, taint=("net",))
    assert verbs(plan) == {"net": "replace", "m1": "replace", "stack": "replace"}
    assert reasons(plan)["stack"] == "one update cannot let go of what is replaced and take hold of it again"


def test_so_is_a_machine_whose_old_port_holds_the_network_that_the_new_port_waits_for() -> None:
    recordings = Recordings(
        node("net", delete_first=True), node("old", "net", delete_first=True), node("vm", "old", rebinds=True)
    )
    wanted = (node("net", model=1), node("new", "net"), node("vm", "new", rebinds=True))
    assert verbs(planned(recordings, *wanted)) == {"net": "replace", "old": "delete", "new": "create", "vm": "replace"}


def test_a_composite_that_was_begun_with_other_members_is_begun_anew() -> None:
    recordings = Recordings()
    recordings.add(STACK, State.CREATING)
    recordings.rows[0] = _with(recordings, composition([member("m1")]))
    assert verbs(planned(recordings, STACK, member("m1"))) == {"stack": "create", "m1": "create"}
    assert verbs(planned(recordings, STACK, member("m1", model=1))) == {"stack": "replace", "m1": "create"}
    assert verbs(planned(recordings, STACK)) == {"stack": "replace"}


def _with(recordings: Recordings, composed: str | None) -> Recorded[Any]:
    row = recordings.rows[0]
    return _replace(row, resource=_replace(row.resource, composed=composed))


def test_what_is_given_is_forgotten_and_its_users_are_moved() -> None:
    recordings = Recordings(given("net", "net-1"), node("port", "net"))
    plan = planned(recordings, given("net", "net-2"), node("port", "net"))
    assert verbs(plan) == {"net": "replace", "port": "replace"}
