"""Deletion: asked for, then gone; and what is gone already, or another's, is left in peace."""

from __future__ import annotations

from fairlead.resources import Gone, Name, Ready, VolumeSpec
from tests.contract.subject import Hands, Subject


async def test_what_is_deleted_is_gone(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**20)))
        await hands.dismantle(machine)
        for held in (volume, hands.held[Name("link")], hands.held[Name("image")]):
            await hands.relinquish(held)
            assert await hands.kind(held.sort).read(held.handle) is None
            assert await hands.kind(held.sort).find(held.tag, held.concrete) is None
        assert await hands.driver.tagged() == []


async def test_deleting_what_is_gone_succeeds(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        await hands.dismantle(machine)
        image, link = hands.held[Name("image")], hands.held[Name("link")]
        await hands.relinquish(link)
        await hands.relinquish(image)
        for held in (machine.compute, *machine.ports, link, image):
            await hands.kind(held.sort).delete(held.handle)
            assert await hands.status(held) == Gone()


async def test_a_port_ends_with_its_machine_or_by_itself(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("front", "back")
        machine = await hands.machine("server", ["front", "back"])
        front, back = machine.ports
        without, members = hands.parts("server", ["front"])
        changed = await hands.update(machine.compute, without.spec, members)
        await hands.relinquish(back)
        assert isinstance(await hands.status(front), Ready)
        await hands.relinquish(changed)
        await hands.relinquish(front)


async def test_one_network_deleted_leaves_the_others(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("front", "back")
        machine = await hands.machine("server", ["front"])
        await hands.relinquish(hands.held[Name("back")])
        assert isinstance(await hands.status(machine.compute), Ready)
        assert isinstance(await hands.status(hands.held[Name("front")]), Ready)


async def test_a_given_network_and_a_given_image_outlive_what_uses_them(subject: Subject) -> None:
    async with Hands(subject) as others, Hands(subject) as hands:
        await others.basis("theirs")
        network, image = others.held[Name("theirs")], others.held[Name("image")]
        before = {held.handle: await others.kind(held.sort).read(held.handle) for held in (network, image)}
        for held in (network, image):
            # what is given is only read by its handle, never created
            assert await hands.kind(held.sort).read(held.handle) is not None
            hands.held[held.resource.name] = held
        machine = await hands.machine("server", ["theirs"])
        await hands.dismantle(machine)
        after = {held.handle: await others.kind(held.sort).read(held.handle) for held in (network, image)}
        assert after == before
        assert {thing.handle for thing in await others.driver.tagged()} == {network.handle, image.handle}
