"""What happens to each resource, and why: the decision, without the order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.errors import Unprocessable
from fairlead.resources import (
    UNDECIDED,
    Name,
    NetworkSpec,
    Ownership,
    PortSpec,
    Ref,
    Resource,
    State,
    Subnet,
    Verb,
    VimId,
)
from fairlead.vims.simulated.rules import RULES
from tests.resources.ideal import VIM, DiskSpec, NodeSpec, node
from tests.resources.making import Recordings, given, image, planned, reasons, verbs

_replace = msgspec.structs.replace


class Simulated:
    """The rules of the simulated infrastructure."""

    def rules(self, resource: Resource[Any]) -> Any:
        return RULES[resource.spec.sort()]


def network(name: str, cidr: str = "10.0.0.0/24", **fields: Any) -> Resource[Any]:
    return Resource(Name(name), NetworkSpec(label=name, subnets=(Subnet(cidr=cidr),)), VimId("sim"), **fields)


def port(name: str, link: str, **fields: Any) -> Resource[Any]:
    return Resource(Name(name), PortSpec(network=Ref(Name(link)), **fields), VimId("sim"))


# -- each by itself ------------------------------------------------------------------------------------------------------


def test_from_nothing_everything_is_created() -> None:
    assert verbs(planned(None, node("a"), node("b", "a"))) == {"a": "create", "b": "create"}


def test_to_nothing_everything_is_deleted() -> None:
    plan = planned(Recordings(node("a"), node("b", "a")))
    assert verbs(plan) == {"a": "delete", "b": "delete"}
    assert set(reasons(plan).values()) == {"no longer wanted"}


def test_what_is_as_wanted_is_kept_and_the_plan_is_empty() -> None:
    plan = planned(Recordings(node("a"), node("b", "a")), node("a"), node("b", "a"))
    assert verbs(plan) == {"a": "keep", "b": "keep"}
    assert plan.empty


def test_a_changeable_field_is_updated_and_an_unchangeable_one_replaces() -> None:
    recordings = Recordings(node("a"), node("b"))
    plan = planned(recordings, node("a", size=7), node("b", model=1))
    assert verbs(plan) == {"a": "update", "b": "replace"}
    assert reasons(plan) == {"a": "size 0 -> 7", "b": "another model"}


def test_long_values_are_named_and_not_shown() -> None:
    plan = planned(Recordings(node("x"), node("a", rebinds=True)), node("x"), node("a", "x", rebinds=True))
    assert reasons(plan)["a"] == "uses changes"


def test_another_vim_or_another_sort_is_another_thing() -> None:
    recordings = Recordings(node("a"), node("b"))
    plan = planned(recordings, _replace(node("a"), vim=VimId("other")), node("b", sort=DiskSpec))
    assert reasons(plan) == {"a": "moves from VIM ideal to other", "b": "becomes a test-disk"}
    assert set(verbs(plan).values()) == {"replace"}


def test_what_is_tainted_is_replaced_although_nothing_changes() -> None:
    plan = planned(Recordings(node("a")), node("a"), taint=("a",))
    assert (verbs(plan), reasons(plan)) == ({"a": "replace"}, {"a": "to be healed"})


def test_what_is_tainted_and_no_longer_wanted_is_only_deleted() -> None:
    assert verbs(planned(Recordings(node("a")), taint=("a",))) == {"a": "delete"}


# -- what a crash may leave ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.INTENDED, "begun before, its outcome is not known"),
        (State.CREATING, "accepted before, not seen ready yet"),
    ],
)
def test_what_was_begun_and_is_wanted_as_it_was_is_gone_on_with(state: State, reason: str) -> None:
    recordings = Recordings()
    recordings.add(node("a"), state)
    plan = planned(recordings, node("a"))
    assert (verbs(plan), reasons(plan)) == ({"a": "create"}, {"a": reason})
    assert [step.id for step in plan.steps] == ["create a"]


@pytest.mark.parametrize("state", [State.INTENDED, State.CREATING])
def test_what_was_begun_and_is_wanted_otherwise_is_ended_before_it_is_begun_again(state: State) -> None:
    recordings = Recordings()
    recordings.add(node("a"), state)
    plan = planned(recordings, node("a", size=1))
    assert reasons(plan) == {"a": "wanted otherwise before it was ready"}
    (create,) = (step for step in plan.steps if step.id == "create a")
    assert create.after == {"delete a#a-1"}


@pytest.mark.parametrize("state", [State.INTENDED, State.CREATING])
def test_what_was_begun_and_is_tainted_is_begun_again(state: State) -> None:
    recordings = Recordings()
    recordings.add(node("a"), state)
    assert verbs(planned(recordings, node("a"), taint=("a",))) == {"a": "replace"}


def test_an_update_that_was_begun_is_made_again() -> None:
    recordings = Recordings()
    recordings.add(node("a"), State.UPDATING)
    plan = planned(recordings, node("a"))
    assert (verbs(plan), reasons(plan)) == ({"a": "update"}, {"a": "begun before, it may not be complete"})


def test_what_failed_is_replaced() -> None:
    recordings = Recordings()
    recordings.add(node("a"), State.FAILED)
    assert reasons(planned(recordings, node("a"))) == {"a": "it failed"}


def test_a_former_life_is_ended_beside_the_present_one() -> None:
    recordings = Recordings()
    recordings.add(node("a"), State.DELETING)
    recordings.add(node("a"))
    plan = planned(recordings, node("a"))
    assert verbs(plan) == {"a": "keep"}
    assert [step.id for step in plan.steps] == ["delete a#a-1"]


def test_a_former_life_of_what_is_not_wanted_any_more_is_shown() -> None:
    recordings = Recordings()
    recordings.add(node("a"), State.DELETING)
    plan = planned(recordings)
    assert (verbs(plan), reasons(plan)) == ({"a": "delete"}, {"a": "begun before, not seen gone yet"})


@pytest.mark.parametrize("state", list(State))
def test_whatever_its_state_a_resource_that_is_not_wanted_is_ended(state: State) -> None:
    recordings = Recordings()
    recordings.add(node("a"), state)
    assert [step.id for step in planned(recordings).steps] == ["delete a#a-1"]


# -- whose it is ---------------------------------------------------------------------------------------------------------


def test_what_is_given_is_never_changed_whatever_is_said_of_it() -> None:
    plan = planned(Recordings(given("a", "net-1")), given("a", "net-1", size=9, model=9))
    assert verbs(plan) == {"a": "keep"}


def test_another_given_thing_replaces_the_first_and_nothing_is_done_to_either() -> None:
    plan = planned(Recordings(given("a", "net-1")), given("a", "net-2"))
    assert reasons(plan) == {"a": "from net-1 to net-2"}


def test_what_is_shared_is_known_by_its_digest_alone() -> None:
    recordings = Recordings(image("a", "sha256:1"))
    assert verbs(planned(recordings, image("a", "sha256:1", model=3))) == {"a": "keep"}
    assert verbs(planned(recordings, image("a", "sha256:2", model=3))) == {"a": "replace"}


def test_becoming_owned_is_another_thing() -> None:
    assert verbs(planned(Recordings(given("a", "net-1")), node("a"))) == {"a": "replace"}


def test_claimed_and_released_have_words_of_their_own() -> None:
    claimed = Resource(Name("a"), NodeSpec(), VIM, Ownership.CLAIMED, existing="life-7")
    assert verbs(planned(None, claimed)) == {"a": "claim"}
    assert verbs(planned(Recordings(claimed))) == {"a": "release"}
    assert verbs(planned(Recordings(claimed), claimed)) == {"a": "keep"}
    assert verbs(planned(Recordings(claimed), _replace(claimed, existing="life-8"))) == {"a": "replace"}


# -- what is not decided -------------------------------------------------------------------------------------------------


def test_undecided_equals_what_was_decided_and_is_carried() -> None:
    recordings = Recordings(node("a", address="a1"))
    plan = planned(recordings, node("a", address=True))
    assert plan.empty
    assert plan.target()[Name("a")].spec.address == "a1"


@pytest.mark.parametrize("state", [State.FAILED, State.DELETING])
def test_what_was_decided_survives_a_replacement(state: State) -> None:
    recordings = Recordings()
    recordings.add(node("a", address="a1"), state)
    assert planned(recordings, node("a", address=True)).target()[Name("a")].spec.address == "a1"


def test_of_several_former_lives_the_last_has_decided() -> None:
    recordings = Recordings()
    recordings.add(node("a", address="a1"), State.DELETING, since=2.0)
    recordings.add(node("a", address="a0"), State.DELETING, since=1.0)
    assert planned(recordings, node("a", address=True)).target()[Name("a")].spec.address == "a1"


def test_what_was_decided_for_another_place_is_decided_anew() -> None:
    recordings = Recordings(node("x"), node("y"), node("a", home="x", address="a1"))
    plan = planned(recordings, node("x"), node("y"), node("a", home="y", address=True))
    assert plan.target()[Name("a")].spec.address == UNDECIDED


def test_an_address_stays_when_its_network_is_healed_and_goes_when_the_network_becomes_another() -> None:
    recordings = Recordings(network("link"), port("port", "link", addresses=("10.0.0.5",), mac="fa:16:3e:00:00:01"))
    wanted = port("port", "link")
    healed = planned(recordings, network("link"), wanted, taint=("link",), rules=Simulated())
    assert healed.target()[Name("port")].spec.addresses == ("10.0.0.5",)
    moved = planned(recordings, network("link", "10.9.0.0/24"), wanted, rules=Simulated())
    assert verbs(moved) == {"link": "replace", "port": "replace"}
    assert moved.target()[Name("port")].spec.addresses == UNDECIDED
    assert moved.target()[Name("port")].spec.mac == UNDECIDED


def test_nothing_that_was_decided_in_one_vim_holds_in_another() -> None:
    recordings = Recordings(node("a", address="a1"))
    plan = planned(recordings, _replace(node("a", address=True), vim=VimId("other")))
    assert plan.target()[Name("a")].spec.address == UNDECIDED


# -- what cannot be ------------------------------------------------------------------------------------------------------


def test_a_reference_to_what_is_not_wanted_is_refused() -> None:
    with pytest.raises(Unprocessable) as refused:
        planned(None, node("a", "b"))
    assert (refused.value.code, refused.value.resource) == ("dangling-reference", "a")
    assert "'b'" in refused.value.detail


def test_a_member_of_no_composite_is_refused() -> None:
    with pytest.raises(Unprocessable) as refused:
        planned(None, node("a", within="stack"))
    assert (refused.value.code, refused.value.resource) == ("dangling-reference", "a")


@pytest.mark.parametrize(
    "circle",
    [
        (node("a", "a"),),
        (node("a", "b"), node("b", "a")),
        (node("a", "b"), node("b", "c"), node("c", "a"), node("d", "a")),
        (node("s"), node("m", "a", within="s"), node("a", "n"), node("n", within="s")),
        (node("s"), node("m", "n", within="s"), node("n", "m", within="s")),
    ],
)
def test_a_circle_of_references_is_refused_and_named(circle: tuple[Resource[Any], ...]) -> None:
    with pytest.raises(Unprocessable) as refused:
        planned(None, *circle)
    assert refused.value.code == "circular-reference"
    assert " -> " in refused.value.detail or "itself" in refused.value.detail


def test_a_long_chain_is_no_circle() -> None:
    chain = [node("n0"), *(node(f"n{number}", f"n{number - 1}") for number in range(1, 2000))]
    plan = planned(None, *reversed(chain))
    assert len(plan.changes) == 2000
    assert {change.verb for change in plan.changes} == {Verb.CREATE}
