"""Calls whose outcome is not known, things that fail, vanish or get stuck: nothing is made twice and nothing is lost."""

from __future__ import annotations

import pytest

from fairlead.errors import DeadlineExceeded, ResourceFailed, Unprocessable, VimFull, VimRefused, VimUnavailable
from fairlead.resources import Name, SecretRef, State
from fairlead.vims.simulated.world import Thing
from tests.resources.rehearsal import (
    Rehearsal,
    compute,
    fault,
    given_network,
    latency,
    network,
    port,
    volume,
)

# -- no answer -----------------------------------------------------------------------------------------------------------


async def test_a_call_is_repeated_while_a_vim_does_not_answer() -> None:
    rehearsal = Rehearsal(fault("*", "unavailable", times=4))
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]


async def test_what_was_made_although_the_answer_was_lost_is_found_and_not_made_twice() -> None:
    rehearsal = Rehearsal(fault("create", "lost", times=3))
    wanted = (network("n"), port("p", "n"), volume("v"))
    assert (await rehearsal.become(*wanted)).complete
    assert rehearsal.names() == ["n", "p", "v"]


async def test_where_a_vim_lists_late_it_is_looked_for_until_it_must_have_shown() -> None:
    rehearsal = Rehearsal(fault("create", "lost"), settling=8.0)
    began = rehearsal.now()
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]
    assert rehearsal.now() - began >= 8.0


async def test_what_is_sure_not_to_be_there_gets_a_new_life() -> None:
    rehearsal = Rehearsal(fault("create", "unavailable"), settling=3.0)
    assert (await rehearsal.become(volume("v"))).complete
    intents = [write for write in rehearsal.ledger.written if write.what == "intend"]
    assert len(intents) == 2
    assert len(rehearsal.ledger.rows["vnf-1"]) == 1  # type: ignore[index]


async def test_what_a_vim_has_said_that_it_did_not_do_is_not_waited_for() -> None:
    rehearsal = Rehearsal(fault("create", "unavailable"), settling=30.0)
    began = rehearsal.now()
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.now() - began < 20.0


async def test_what_a_vim_has_refused_to_make_is_not_waited_for_by_who_retries_or_takes_it_back() -> None:
    rehearsal = Rehearsal(fault("create", "refused", times=2), settling=300.0)
    began = rehearsal.now()
    assert not (await rehearsal.become(volume("v"))).complete
    assert (await rehearsal.become()).complete
    assert not (await rehearsal.become(volume("v"))).complete
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]
    assert rehearsal.now() - began < 200.0


async def test_a_vim_that_stays_silent_fails_the_step_and_a_later_worker_finds_out() -> None:
    rehearsal = Rehearsal(fault("create", "lost", times=1), fault("find", "unavailable", times=0))
    began = rehearsal.now()
    applied = await rehearsal.become(volume("v"))
    assert isinstance(applied.failures[0].error, VimUnavailable)
    assert 55.0 <= rehearsal.now() - began <= 130.0
    assert rehearsal.states() == {"v": "intended"}
    rehearsal.behave()
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]


async def test_how_long_a_call_takes_does_not_count_against_its_repetition() -> None:
    rehearsal = Rehearsal(fault("create", "unavailable"), latency=latency(call=100.0))
    assert (await rehearsal.become(volume("v"))).complete


async def test_a_deletion_whose_answer_was_lost_is_repeated() -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.behave(fault("delete", "lost", times=2))
    assert (await rehearsal.become()).complete
    assert rehearsal.things() == []
    assert rehearsal.ledger.rows["vnf-1"] == {}  # type: ignore[index]


async def test_what_was_begun_and_is_not_wanted_is_looked_for_and_deleted() -> None:
    rehearsal = Rehearsal(fault("create", "lost", times=1), fault("find", "unavailable", times=0))
    await rehearsal.become(volume("v"))
    rehearsal.behave()
    assert (await rehearsal.become()).complete
    assert rehearsal.things() == []


# -- refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("effect", "error"), [("refused", VimRefused), ("full", VimFull)])
async def test_a_refusal_is_not_repeated_and_leaves_nothing(effect: str, error: type[Exception]) -> None:
    rehearsal = Rehearsal(fault("create", effect))
    applied = await rehearsal.become(volume("v"))
    assert isinstance(applied.failures[0].error, error)
    assert rehearsal.things() == []
    assert (await rehearsal.become(volume("v"))).complete


# -- what goes wrong later -----------------------------------------------------------------------------------------------


async def test_a_thing_that_fails_is_told_in_the_vims_words_and_replaced_by_the_next_try() -> None:
    rehearsal = Rehearsal(fault("create", "failed", detail="No valid host was found."), latency=latency(ready=5.0))
    applied = await rehearsal.become(volume("v"))
    error = applied.failures[0].error
    assert isinstance(error, ResourceFailed)
    assert (error.resource, error.cause) == ("v", "No valid host was found.")
    assert error.card()["console"]
    assert rehearsal.states() == {"v": "failed"}
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]
    assert rehearsal.states() == {"v": "ready"}


async def test_a_thing_that_vanishes_before_it_is_ready_has_failed() -> None:
    rehearsal = Rehearsal(fault("create", "vanish"), latency=latency(ready=5.0))
    applied = await rehearsal.become(volume("v"))
    assert isinstance(applied.failures[0].error, ResourceFailed)
    assert "not there any more" in applied.failures[0].error.detail
    assert rehearsal.states() == {"v": "failed"}
    assert (await rehearsal.become(volume("v"))).complete
    assert rehearsal.names() == ["v"]


async def test_where_a_vim_lists_late_a_new_thing_is_not_taken_for_gone() -> None:
    rehearsal = Rehearsal(fault("create", "vanish"), latency=latency(ready=1.0), settling=20.0)
    began = rehearsal.now()
    assert not (await rehearsal.become(volume("v"))).complete
    assert rehearsal.now() - began >= 20.0


async def test_a_thing_that_gets_stuck_is_ended_and_made_again_when_it_is_wanted_otherwise() -> None:
    rehearsal = Rehearsal(fault("create", "stuck"))
    assert isinstance((await rehearsal.become(volume("v"))).failures[0].error, DeadlineExceeded)
    assert (await rehearsal.become(volume("v", 2))).complete
    assert [thing.spec["size"] for thing in rehearsal.things()] == [2]


async def test_an_update_of_what_has_vanished_says_so_and_the_next_try_replaces_it() -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.world.remove(rehearsal.things()[0].handle)
    applied = await rehearsal.become(volume("v", 2))
    assert isinstance(applied.failures[0].error, ResourceFailed)
    assert rehearsal.states() == {"v": "failed"}
    assert (await rehearsal.become(volume("v", 2))).complete
    assert [thing.spec["size"] for thing in rehearsal.things()] == [2]


async def test_an_update_that_is_refused_may_be_tried_again() -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.behave(fault("update", "refused"))
    assert isinstance((await rehearsal.become(volume("v", 2))).failures[0].error, VimRefused)
    assert rehearsal.states() == {"v": "updating"}
    assert (await rehearsal.become(volume("v", 2))).complete
    assert len(rehearsal.things()) == 1


@pytest.mark.parametrize("effect", ["failed", "vanish"])
async def test_a_thing_that_an_update_breaks_is_replaced_by_the_next_try(effect: str) -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.behave(fault("update", effect))
    assert isinstance((await rehearsal.become(volume("v", 2))).failures[0].error, ResourceFailed)
    assert (await rehearsal.become(volume("v", 2))).complete
    assert [thing.spec["size"] for thing in rehearsal.things()] == [2]


async def test_deleting_what_is_gone_already_succeeds() -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.world.remove(rehearsal.things()[0].handle)
    assert (await rehearsal.become()).complete


async def test_deleting_what_has_failed_succeeds() -> None:
    rehearsal = Rehearsal(fault("create", "failed"))
    await rehearsal.become(volume("v"))
    assert rehearsal.states() == {"v": "failed"}
    assert (await rehearsal.become()).complete
    assert rehearsal.things() == []


@pytest.mark.parametrize(("effect", "seen"), [("stuck", "BUILD"), ("failed", "disk error")])
async def test_a_deletion_that_does_not_end_fails_at_its_deadline_and_is_tried_again(effect: str, seen: str) -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.behave(fault("delete", effect, detail="disk error"))
    (failure,) = (await rehearsal.become()).failures
    assert isinstance(failure.error, DeadlineExceeded)
    assert failure.error.cause == seen
    (row,) = rehearsal.records().leaving
    assert row.state is State.DELETING
    assert (await rehearsal.become()).complete
    assert rehearsal.things() == []


async def test_a_deletion_that_is_refused_is_tried_again() -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(volume("v"))
    rehearsal.behave(fault("delete", "refused"))
    assert isinstance((await rehearsal.become()).failures[0].error, VimRefused)
    assert (await rehearsal.become()).complete


# -- given ---------------------------------------------------------------------------------------------------------------


async def test_what_is_given_is_used_and_neither_made_nor_changed_nor_deleted() -> None:
    rehearsal = Rehearsal()
    rehearsal.plant("outside")
    before = rehearsal.world.get("outside")
    assert (await rehearsal.become(given_network("n", "outside"), port("p", "n"))).complete
    assert rehearsal.records().current[Name("n")].handle == "outside"
    assert rehearsal.names() == ["p"]
    assert (await rehearsal.become()).complete
    assert rehearsal.world.get("outside") == before


async def test_what_is_given_and_not_there_is_told_at_once() -> None:
    rehearsal = Rehearsal()
    applied = await rehearsal.become(given_network("n", "nowhere"))
    error = applied.failures[0].error
    assert isinstance(error, Unprocessable)
    assert (error.code, error.resource) == ("given-resource-missing", "n")
    assert "'nowhere'" in error.detail


async def test_a_port_moves_from_one_given_network_to_another_with_another_address() -> None:
    rehearsal = Rehearsal()
    rehearsal.plant("one")
    other = {"subnets": [{"cidr": "203.0.113.0/24"}]}
    rehearsal.world.put(
        Thing(handle="two", sort="network", tag={}, spec=other, outputs={"id": "two"}, created=0, due=0)
    )
    await rehearsal.become(given_network("n", "one"), port("p", "n"))
    assert (await rehearsal.become(given_network("n", "two"), port("p", "n"))).complete
    (thing,) = rehearsal.things("port")
    assert thing.outputs["addresses"][0].startswith("203.0.113.")


# -- outputs and secrets -------------------------------------------------------------------------------------------------


async def test_what_must_survive_is_pinned_into_the_record_and_comes_back_after_healing() -> None:
    rehearsal = Rehearsal()
    wanted = (network("n"), port("p", "n"))
    await rehearsal.become(*wanted)
    row = rehearsal.records().current[Name("p")]
    address, mac = row.resource.spec.addresses, row.resource.spec.mac
    assert row.outputs["addresses"] == address
    assert (await rehearsal.become(*wanted, taint=("p",))).complete
    healed = rehearsal.records().current[Name("p")]
    assert (healed.resource.spec.addresses, healed.resource.spec.mac) == (address, mac)
    assert healed.incarnation != row.incarnation
    assert rehearsal.things("port")[0].outputs["addresses"] == list(address)


async def test_a_secret_reaches_the_kind_and_no_record() -> None:
    rehearsal = Rehearsal()
    journal = rehearsal.journal()
    journal.secrets[SecretRef("k")] = "s3cret"
    assert (await rehearsal.apply(rehearsal.plan(compute("m", user_data=SecretRef("k"))), journal=journal)).complete
    assert rehearsal.things("compute")[0].spec["user_data"] == "s3cret"
    assert "s3cret" not in repr(rehearsal.ledger.rows)
