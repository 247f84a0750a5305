"""Plans: their digest, what may be added to them, and how they read."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from fairlead.resources import (
    Action,
    DefaultRules,
    Do,
    Name,
    NetworkSpec,
    Ownership,
    Plan,
    Resource,
    SecretRef,
    Step,
    VimId,
    plan_digest,
    plan_document,
    render_plan,
)
from fairlead.resources.plan import IRREVERSIBLE, knot
from fairlead.resources.specs import ComputeSpec
from tests.resources.ideal import VIM, DiskSpec, NodeSpec, node
from tests.resources.making import Recordings, given, image, known, planned, waits

_replace = msgspec.structs.replace


# -- the digest ----------------------------------------------------------------------------------------------------------


def test_the_digest_does_not_depend_on_the_order_in_which_things_were_wanted_or_recorded() -> None:
    wanted = [node("a", size=1), node("b", "a"), node("c", "a", "b"), node("d", model=1), node("e")]
    recorded = [node("a"), node("b", "a"), node("d")]
    digests = set()
    for seed in range(10):
        shuffled = random.Random(seed).sample(wanted, len(wanted))
        recordings = Recordings(*recorded)
        recordings.rows = random.Random(seed).sample(recordings.rows, len(recordings.rows))
        digests.add(plan_digest(planned(recordings, *shuffled)))
    assert len(digests) == 1
    assert digests.pop().startswith("sha256:")


@pytest.mark.parametrize(
    "other",
    [
        planned(None, node("a", size=2)),
        planned(None, node("b", size=1)),
        planned(None, node("a", size=1), node("b")),
        planned(None, _replace(node("a", size=1), vim=VimId("other"))),
        planned(None, given("a", "x", size=1)),
        planned(Recordings(node("a")), node("a", size=1)),
        planned(Recordings(node("a", size=1)), node("a", size=1), taint=("a",)),
        planned(None, node("a", size=1)).with_action(Action(id="1", kind="wait")),
        planned(None, node("a", size=1)).with_patience({"create a": 1.0}),
    ],
)
def test_the_digest_tells_plans_apart_that_do_different_things(other: Plan) -> None:
    assert plan_digest(planned(None, node("a", size=1))) != plan_digest(other)


def test_the_digest_tells_apart_what_is_given() -> None:
    assert plan_digest(planned(None, given("a", "net-1"))) != plan_digest(planned(None, given("a", "net-2")))


def test_a_secret_changes_the_digest_and_is_shown_by_its_own_digest_only() -> None:
    def plan(digest: str) -> Plan:
        return planned(
            None, Resource(Name("m"), ComputeSpec(label="m", user_data=SecretRef(digest)), VIM), rules=_Any()
        )

    assert plan_digest(plan("k1")) != plan_digest(plan("k2"))
    assert plan_document(plan("k1"))["changes"][0]["new"]["user_data"] == {"$": "secret", "digest": "k1"}


class _Any:
    def rules(self, resource: Any) -> Any:
        return DefaultRules()


# -- adding to it --------------------------------------------------------------------------------------------------------


def test_an_action_stands_between_the_steps_that_are_named() -> None:
    plan = planned(None, node("a"), node("b"), node("c"))
    gated = plan.with_action(Action(id="gate", kind="health"), after=["create a"], before=["create b"])
    assert waits(gated, "create b", "create a")
    assert not waits(gated, "create c", "act gate")
    assert gated.changes == plan.changes


def test_a_barrier_makes_all_of_one_side_wait_for_all_of_the_other() -> None:
    plan = planned(None, *(node(name) for name in "abcd"))
    gated = plan.with_barrier("half", after=["create a", "create b"], before=["create c", "create d"])
    for later in ("create c", "create d"):
        for earlier in ("create a", "create b"):
            assert waits(gated, later, earlier)


def test_what_is_added_comes_before_what_cannot_be_undone() -> None:
    plan = planned(Recordings(node("disk", sort=DiskSpec)), node("a"))
    gated = plan.with_action(Action(id="gate", kind="health"), after=["create a"])
    assert waits(gated, "delete disk#disk-1", "act gate")


def test_what_is_added_after_what_cannot_be_undone_stays_there() -> None:
    plan = planned(Recordings(node("disk", sort=DiskSpec)), node("a"))
    told = plan.with_action(Action(id="tell", kind="notify"), after=["delete disk#disk-1"])
    assert waits(told, "act tell", IRREVERSIBLE)
    assert not knot(told.steps)


@pytest.mark.parametrize("where", ["after", "before"])
def test_what_stands_nowhere_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="create z"):
        planned(None, node("a")).with_action(Action(id="1", kind="wait"), **{where: ["create z"]})


def test_one_action_is_added_once() -> None:
    plan = planned(None, node("a")).with_action(Action(id="1", kind="wait"))
    with pytest.raises(ValueError, match="act 1"):
        plan.with_action(Action(id="1", kind="wait"))


def test_the_target_is_what_the_plan_leads_to() -> None:
    recordings = Recordings(node("a", address="a1"), node("gone"))
    target = planned(recordings, node("a", address=True), node("b")).target()
    assert target == known(node("a", address="a1"), node("b"))


def test_a_knot_is_found_with_what_lies_between_its_loops_and_nothing_else() -> None:
    def step(name: str, *after: str) -> Step:
        return Step(name, Do.BARRIER, frozenset(after))

    tied = [step("a", "b"), step("b", "a"), step("between", "a"), step("c", "between", "d"), step("d", "c")]
    free = [step("before"), step("first", "before"), step("last", "d"), step("stray", "nowhere")]
    loose = [*tied, *free, _replace(tied[0], after=frozenset({"b", "first"}))]
    assert {step.id for step in knot([*loose[1:]])} == {"a", "b", "between", "c", "d"}
    assert knot(free) == ()


# -- how it reads --------------------------------------------------------------------------------------------------------


def test_a_plan_reads_as_one_line_for_each_change_and_a_total() -> None:
    pool = Resource(Name("warm"), NodeSpec(), VIM, Ownership.CLAIMED, existing="life-7")
    spent = Resource(Name("spent"), NodeSpec(), VIM, Ownership.CLAIMED, existing="life-8")
    recordings = Recordings(
        node("keep"), node("grow"), node("renew"), node("user", "renew"), node("old", sort=DiskSpec), spent
    )
    wanted = (
        node("keep"),
        node("grow", size=8),
        node("renew", model=1),
        node("user", "renew"),
        node("new-and-longer"),
        given("theirs", "net-1"),
        image("image", "sha256:1"),
        pool,
    )
    plan = planned(recordings, *wanted)
    plan = plan.with_action(Action(id="1", kind="stop", target=Name("user"), reason="at most 60 s"), after=[])
    plan = plan.with_action(Action(id="2", kind="announce"))
    assert render_plan(plan_document(plan), title="Plan of scale") == (
        "Plan of scale\n"
        "  ~ test-node   grow            size 0 -> 8\n"
        "  + test-image  image           [shared] new\n"
        "  + test-node   new-and-longer  new\n"
        "  - test-disk   old             no longer wanted\n"
        "-/+ test-node   renew           another model\n"
        "  > test-node   spent           [claimed] no longer wanted\n"
        "  + test-node   theirs          [given] new\n"
        "-/+ test-node   user            renew is replaced\n"
        "  < test-node   warm            [claimed] new\n"
        "  ! stop on user  at most 60 s\n"
        "  ! announce\n"
        "3 to create, 1 to update, 2 to replace, 1 to delete, 1 to claim, 1 to release, 1 unchanged."
    )


def test_a_plan_that_does_nothing_says_so() -> None:
    assert render_plan(plan_document(Plan())) == "Plan\nNothing to do."
    kept = planned(Recordings(node("a")), node("a"))
    assert render_plan(plan_document(kept)) == "Plan\n1 unchanged."
    assert kept.empty


def test_the_document_has_what_changes_with_both_specs_and_spares_what_is_kept() -> None:
    network = Resource(Name("n"), NetworkSpec(label="n"), VIM)
    plan = planned(Recordings(node("a"), node("k")), node("a", size=1), node("k"), network, rules=_Any())
    document = plan_document(plan)
    changes = {change["name"]: change for change in document["changes"]}
    assert changes["a"]["old"]["size"] == 0
    assert changes["a"]["new"]["size"] == 1
    assert changes["n"]["sort"] == "network"
    assert "new" not in changes["k"]
    assert document["totals"] == {"update": 1, "keep": 1, "create": 1}
    assert msgspec.json.encode(document)
