"""What several instances use, and what moves between them."""

from __future__ import annotations

import asyncio

import msgspec

from fairlead.errors import Conflict, ResourceFailed
from fairlead.resources import Handle, Incarnation, Name, Ownership, Recorded, Resource, State, apply
from tests.resources.rehearsal import VIM, Rehearsal, Wish, compute, fault, image, latency


async def test_two_instances_that_want_one_image_at_once_get_one() -> None:
    rehearsal = Rehearsal(latency=latency(ready=10.0))
    plan = rehearsal.plan(image("i"), compute("m", image="i"))
    journals = [rehearsal.journal(owner=owner) for owner in ("vnf-1", "vnf-2")]
    both = asyncio.gather(*(apply(plan, rehearsal, journal, cancel=Wish()) for journal in journals))
    assert all(applied.complete for applied in await rehearsal.pass_time(both))
    assert len(rehearsal.things("image")) == 1
    assert len(rehearsal.things("compute")) == 2


async def test_the_last_user_deletes_it() -> None:
    rehearsal = Rehearsal()
    for owner in ("vnf-1", "vnf-2"):
        await rehearsal.become(image("i"), owner=owner)
    assert (await rehearsal.become(owner="vnf-1")).complete
    assert len(rehearsal.things("image")) == 1
    assert (await rehearsal.become(owner="vnf-2")).complete
    assert rehearsal.things("image") == []
    assert rehearsal.ledger.shared == {}


async def test_a_failed_image_is_ended_before_the_next_try_makes_another() -> None:
    rehearsal = Rehearsal(fault("create", "failed"))
    assert isinstance((await rehearsal.become(image("i"))).failures[0].error, ResourceFailed)
    assert (await rehearsal.become(image("i"))).complete
    assert len(rehearsal.things("image")) == 1
    assert len(rehearsal.ledger.shared) == 1
    assert rehearsal.plan(image("i")).empty


async def test_an_image_by_another_digest_is_loaded_before_the_machines_change_over() -> None:
    rehearsal = Rehearsal()
    await rehearsal.become(image("i", "sha256:1"), compute("m", image="i"))
    assert (await rehearsal.become(image("i", "sha256:2"), compute("m", image="i"))).complete
    assert [thing.spec["digest"] for thing in rehearsal.things("image")] == ["sha256:2"]
    steps = [write.step.split("#")[0] for write in rehearsal.ledger.written if write.what in ("ready", "gone")]
    assert steps[-4:] == ["create i", "create m", "delete m", "delete i"]


# -- claims --------------------------------------------------------------------------------------------------------------


WARM = Resource(Name("m"), compute("m", label="mine").spec, VIM, Ownership.CLAIMED, existing="warm-1")
"""The wish, under a name of ours, for a machine that stands by in a pool."""


async def stand_by(rehearsal: Rehearsal) -> None:
    """Make a machine that belongs to a pool."""
    await rehearsal.become(compute("warm-1"), owner="pool")
    rows = rehearsal.ledger.rows["pool"]  # type: ignore[index]
    (row,) = rows.values()
    rows.clear()
    rehearsal.ledger.add(msgspec.structs.replace(row, incarnation=Incarnation("warm-1")), "pool")


async def test_a_claim_moves_a_member_and_makes_it_what_is_wanted() -> None:
    rehearsal = Rehearsal()
    await stand_by(rehearsal)
    (before,) = rehearsal.things()
    assert (await rehearsal.become(WARM)).complete
    (after,) = rehearsal.things()
    assert after.handle == before.handle
    assert after.spec["label"] == "mine"
    assert rehearsal.records("pool").current == {}
    assert rehearsal.plan(WARM).empty


async def test_a_release_gives_it_back_and_deletes_nothing() -> None:
    rehearsal = Rehearsal()
    await stand_by(rehearsal)
    await rehearsal.become(WARM)
    assert (await rehearsal.become()).complete
    assert len(rehearsal.things()) == 1
    assert len(rehearsal.records("pool").current) == 1
    assert rehearsal.records().current == {}


async def test_a_claim_that_was_interrupted_is_gone_on_with() -> None:
    rehearsal = Rehearsal(fault("update", "refused"))
    await stand_by(rehearsal)
    assert not (await rehearsal.become(WARM)).complete
    assert rehearsal.states() == {"m": "updating"}
    assert (await rehearsal.become(WARM)).complete


async def test_what_somebody_else_has_claimed_cannot_be() -> None:
    rehearsal = Rehearsal()
    await stand_by(rehearsal)
    await rehearsal.become(WARM, owner="vnf-2")
    applied = await rehearsal.become(WARM)
    assert isinstance(applied.failures[0].error, Conflict)
    assert applied.failures[0].error.code == "claim-lost"


async def test_of_two_lives_in_force_the_older_one_is_let_go() -> None:
    rehearsal = Rehearsal()
    await stand_by(rehearsal)
    await rehearsal.become(WARM)
    first = rehearsal.records().current[Name("m")]
    second = Recorded(first.resource, Incarnation("warm-2"), State.READY, Handle("other"), {}, 99.0)
    rehearsal.ledger.add(second)
    assert rehearsal.records().current[Name("m")].incarnation == "warm-2"
    assert [row.incarnation for row in rehearsal.records().leaving] == ["warm-1"]
