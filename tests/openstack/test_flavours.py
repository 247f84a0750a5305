"""Flavours on the peer: what a machine asks for beyond its size, and a flavour whose creation was broken off."""

from __future__ import annotations

import msgspec
import pytest

from fairlead.errors import VimRefused
from fairlead.vims.openstack.cloud import Cloud
from fairlead.vims.openstack.flavours import Flavours, Size
from fairlead.vims.openstack.settings import place_of, settings_of, way_of
from tests.contract.clouds import OpenStackSubject, peer_access
from tests.contract.subject import Hands
from tests.support.cloud import PeerCloud

PINNED = Size(1, 64, 1, {"hw:cpu_policy": "dedicated"})


def flavours(peer: PeerCloud) -> tuple[Cloud, Flavours]:
    access = msgspec.structs.replace(peer_access(peer), settings={"create_flavours": True})
    cloud = Cloud(place_of(access), way_of(access), settings_of(access))
    return cloud, Flavours(cloud)


async def test_a_flavour_is_created_with_its_extra_specs_and_shared_by_all_who_need_them(peer: PeerCloud) -> None:
    cloud, there = flavours(peer)
    first = await there.choose(None, PINNED)
    assert (first.specs, first.name.startswith("fairlead-")) == (PINNED.specs, True)
    assert await there.choose(None, PINNED) == first
    assert len([name for name in peer.seen if name.startswith("POST") and name.endswith("/flavors")]) == 1
    await cloud.close()


async def test_a_flavour_whose_creation_was_broken_off_gets_its_extra_specs_before_it_is_used(peer: PeerCloud) -> None:
    cloud, there = flavours(peer)
    made = await there.choose(None, PINNED)
    peer.nova.flavours[made.id]["extra_specs"].clear()  # as if it had ended between the two calls
    await cloud.close()
    cloud, there = flavours(peer)
    again = await there.choose(None, PINNED)
    assert (again.id, again.specs) == (made.id, PINNED.specs)
    await cloud.close()


async def test_a_flavour_that_is_gone_by_the_time_it_is_used_is_chosen_again_among_those_that_are_there(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.basis()
        first = await hands.machine("first")
        name = peer.nova.servers[first.compute.handle]["flavor"]["original_name"]
        (key,) = (key for key, flavour in peer.nova.flavours.items() if flavour["name"] == name)
        del peer.nova.flavours[key]
        second = await hands.machine("second")
        assert peer.nova.servers[second.compute.handle]["flavor"]["original_name"] != name
        peer.nova.flavours.clear()
        compute, _ = hands.parts("third", ())
        with pytest.raises(VimRefused) as refused:
            await hands.create(compute)
        assert refused.value.code == "no-flavour-fits"
        assert len(peer.nova.servers) == 2
