"""Creation: accepted, then ready, found by its exact tag, and once only."""

from __future__ import annotations

import msgspec
import pytest

from fairlead.clock import SystemClock
from fairlead.errors import Unprocessable, VimRefused, VimUnavailable
from fairlead.resources import Action, Gone, Handle, Incarnation, Name, Owner, VolumeSpec
from fairlead.vims.seam import MEMBER
from tests.contract.subject import Hands, Subject, all_of

_replace = msgspec.structs.replace


async def test_every_sort_becomes_ready_and_has_its_outputs(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**20)))
        machine = await hands.machine("server", ["link"])
        assert hands.held[Name("image")].outputs["id"]
        assert hands.held[Name("link")].outputs["id"]
        assert volume.outputs["id"]
        assert machine.compute.outputs["id"]
        (port,) = machine.ports
        assert port.outputs["id"]
        assert isinstance(port.outputs["addresses"], tuple)
        assert len(port.outputs["addresses"]) == 1
        assert port.outputs["mac"].count(":") == 5


async def test_a_fixed_address_is_given(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        prefix = hands.held[Name("link")].resource.spec.subnets[0].cidr.removesuffix(".0/24")
        machine = await hands.machine("server", ["link"], ports={"link": {"addresses": (f"{prefix}.17",)}})
        assert machine.ports[0].outputs["addresses"] == (f"{prefix}.17",)


async def test_a_thing_is_found_by_its_exact_tag_and_no_other(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        for held in (hands.held[Name("image")], hands.held[Name("link")], machine.compute):
            find = hands.kind(held.sort).find
            assert await find(held.tag, held.concrete) == held.handle
            others = (
                _replace(held.tag, incarnation=Incarnation("0" * 16)),
                _replace(held.tag, owner=Owner("another")),
                _replace(held.tag, name=Name("another")),
                _replace(held.tag, deployment="another"),
            )
            for other in others:
                assert await find(other, held.concrete) is None, other


async def test_a_second_creation_of_one_incarnation_leaves_one(subject: Subject) -> None:
    if subject.type.name in ("simulated", "openstack"):
        pytest.skip("names are not unique in it: there the engine's search by incarnation is what prevents it")
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**20)))
        before = await hands.driver.tagged()
        for held in (hands.held[Name("image")], hands.held[Name("link")], volume, machine.compute):
            assert await hands.kind(held.sort).create(held.concrete, held.tag) == held.handle
        assert await hands.driver.tagged() == before


async def test_twenty_creations_at_once_give_twenty_things(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machines = await all_of(hands.machine(f"server-{number}", ["link"]) for number in range(20))
        addresses = {machine.ports[0].outputs["addresses"] for machine in machines}
        assert len({machine.compute.handle for machine in machines}) == 20
        assert len(addresses) == 20


async def test_what_does_not_exist_cannot_be_referred_to(subject: Subject) -> None:
    async with Hands(subject) as hands:
        compute, _ = hands.parts("server", [])
        wanted = _replace(compute, spec=_replace(compute.spec, image="no-such-image:1"))
        with pytest.raises(VimRefused) as refused:
            await hands.create(wanted)
        assert refused.value.code
        assert refused.value.cause
        assert [thing for thing in await hands.driver.tagged() if thing.sort == "compute"] == []


async def test_nothing_is_gone_and_nothing_is_found(subject: Subject) -> None:
    async with Hands(subject) as hands:
        for sort, kind in hands.driver.kinds.items():
            assert kind.status(None) == Gone()
            assert await kind.read(Handle("no-such-thing")) is None, sort


async def test_an_action_that_a_kind_does_not_have_is_refused(subject: Subject) -> None:
    async with Hands(subject) as hands:
        for kind in hands.driver.kinds.values():
            with pytest.raises(Unprocessable) as refused:
                await kind.perform(Handle("no-such-thing"), Action(id="1", kind="levitate"))
            assert refused.value.code == "action-not-supported"


def test_the_kinds_are_those_that_the_traits_promise(subject: Subject) -> None:
    driver = subject.type.open(subject.access("contract"), subject.files, SystemClock())
    assert driver.kinds.keys() == subject.type.rules.keys()
    members = {sort for sort in driver.kinds if sort.startswith(MEMBER)}
    assert driver.kinds.keys() - members == subject.type.traits.sorts
    assert {sort.removeprefix(MEMBER) for sort in members} <= subject.type.traits.sorts
    assert subject.type.traits.within.keys() <= subject.type.traits.sorts


async def test_a_creation_whose_answer_was_lost_has_made_one_thing_that_is_found(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        compute, members = hands.parts("server", ["link"] if hands.composite else [])
        wanted = {
            "image": hands.image("another image"),
            "network": hands.network("another"),
            "volume": hands.resource("store", VolumeSpec(size=2**20)),
            "compute": compute,
        }
        for sort, resource in wanted.items():
            concrete, tag = hands.concrete(resource, members if sort == "compute" else ()), hands.tag(resource.name)
            async with subject.losing(sort, hands.deployment) as access:
                driver = subject.type.open(access, subject.files, SystemClock())
                with pytest.raises(VimUnavailable):
                    await driver.kinds[sort].create(concrete, tag)
                await driver.close()
            handle = await hands.kind(sort).find(tag, concrete)
            assert handle is not None, sort
            assert [thing.handle for thing in await hands.driver.tagged() if thing.tag == tag] == [handle]
