"""What OpenStack can that not every infrastructure can: volumes to start from and to plug in, resizing, server groups, names."""

from __future__ import annotations

import msgspec
import pytest

from fairlead.errors import VimRefused
from fairlead.resources import (
    AffinityGroupSpec,
    Attachment,
    Failed,
    Handle,
    ImageSpec,
    Name,
    Pending,
    Ready,
    Ref,
    VolumeSpec,
    new_incarnation,
)
from fairlead.vims import Need
from fairlead.vims.openstack.driver import OpenStackDriver
from fairlead.vims.openstack.tags import BOOT
from tests.contract.clouds import OpenStackSubject
from tests.contract.subject import Hands
from tests.support.cloud import PeerCloud

_replace = msgspec.structs.replace


async def test_a_volume_is_attached_and_detached_while_the_server_runs_and_then_made_larger(
    subject: OpenStackSubject,
) -> None:
    async with Hands(subject) as hands:
        await hands.basis()
        machine = await hands.machine("server")
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**30)))
        with_volume = _replace(machine.compute.resource.spec, volumes=(Attachment(volume=Ref(Name("store"))),))
        attached = await hands.update(machine.compute, with_volume)
        assert attached.handle == machine.compute.handle
        observed = await hands.kind("volume").read(volume.handle)
        assert observed is not None
        assert observed["servers"] == [attached.handle]
        detached = await hands.update(attached, machine.compute.resource.spec)
        larger = await hands.update(volume, VolumeSpec(size=2 * 2**30))
        await hands.relinquish(larger)
        assert isinstance(await hands.status(detached), Ready)


async def test_a_server_that_starts_from_a_volume_leaves_it(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis()
        volume = await hands.obtain(hands.resource("root", VolumeSpec(size=2**30, image=Ref(Name("image")))))
        machine = await hands.machine("server", image=None, volumes=(Attachment(volume=Ref(Name("root"))),))
        await hands.relinquish(machine.compute)
        assert isinstance(await hands.status(volume), Ready)
        await hands.relinquish(volume)


async def test_a_server_is_resized_in_place_and_the_resize_confirmed(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis()
        machine = await hands.machine("server")
        before = await hands.kind("compute").read(machine.compute.handle)
        assert before is not None
        more = (before["memory"] + 1) * 2**20
        larger = await hands.update(machine.compute, _replace(machine.compute.resource.spec, memory=more))
        after = await hands.kind("compute").read(larger.handle)
        assert after is not None
        assert (after["status"], larger.handle) == ("ACTIVE", machine.compute.handle)
        assert after["memory"] > before["memory"]
        assert not hands.kind("compute").settled(before, larger.concrete.spec)


@pytest.mark.parametrize("power", ["on", "off"])
async def test_a_server_is_rebuilt_from_another_image_where_it_is_and_keeps_its_ports(
    subject: OpenStackSubject, power: str
) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        other = hands.subject.files.directory / "other.raw"
        other.write_bytes(b"another" + bytes(2**16))
        await hands.obtain(hands.resource("other", _replace(subject.image, digest="sha256:1", artifact="p/other.raw")))
        machine = await hands.machine("server", ["link"], metadata={"site": "one", "old": "x"}, power=power)
        before = await hands.kind("compute").read(machine.compute.handle)
        spec = _replace(machine.compute.resource.spec, image=Ref(Name("other")), metadata={"site": "two"})
        changed = await hands.update(machine.compute, spec)
        again = await hands.update(changed, spec)
        after = await hands.kind("compute").read(again.handle)
        assert before is not None
        assert after is not None
        assert (after["id"], after["host"], after["metadata"]) == (before["id"], before["host"], {"site": "two"})
        assert after["boot"] != before["boot"]
        assert not hands.kind("compute").settled(before, changed.concrete.spec)
        status = await hands.status(machine.ports[0])
        assert isinstance(status, Ready)
        assert status.outputs == machine.ports[0].outputs
        told = await hands.update(again, _replace(spec, user_data="#!/bin/sh\n"))
        assert told.handle == changed.handle


async def test_a_server_is_not_rebuilt_for_what_it_is_not_built_from(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        off = await hands.update(machine.compute, _replace(machine.compute.resource.spec, power="off"))
        (server,) = peer.nova.servers.values()
        assert "rebuilt" not in server
        del server["metadata"][BOOT]  # as one that was made before there were such marks
        await hands.update(off, machine.compute.resource.spec)
        assert "rebuilt" not in server


async def test_the_third_of_two_hosts_is_told_that_there_is_no_valid_host(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis()
        await hands.obtain(hands.resource("apart", AffinityGroupSpec(policy="anti-affinity", scope="nfvi_node")))
        groups = (Ref(Name("apart")),)
        for number in (1, 2):
            await hands.machine(f"server-{number}", groups=groups)
        compute, _ = hands.parts("server-3", [], groups=groups)
        third = await hands.create(compute)
        status = await hands.wait(third, lambda seen, _: not isinstance(seen, Pending))
        assert isinstance(status, Failed)
        assert (status.code, "No valid host" in status.reason) == ("no-valid-host", True)
        await hands.relinquish(third)


async def test_anti_affinity_over_zones_is_refused_and_affinity_over_them_is_soft(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        with pytest.raises(VimRefused) as refused:
            await hands.create(hands.resource("apart", AffinityGroupSpec(policy="anti-affinity", scope="zone")))
        assert refused.value.code == "affinity-scope-not-supported"
        group = await hands.obtain(hands.resource("near", AffinityGroupSpec(policy="affinity", scope="zone")))
        observed = await hands.kind("affinity-group").read(group.handle)
        assert observed is not None
        assert observed["policy"] == "soft-affinity"
        assert await hands.kind("affinity-group").find(group.tag, group.concrete) == group.handle


async def test_an_image_that_is_there_is_used_by_its_name_and_stays(subject: OpenStackSubject) -> None:
    async with Hands(subject) as others, Hands(subject) as hands:
        label = f"borrowed-{new_incarnation()}"
        image = await others.obtain(others.resource("image", _replace(subject.image, label=label)))
        borrowed = await hands.obtain(hands.resource("image", ImageSpec(label=label, digest="name:x:1")))
        assert borrowed.outputs["id"] == image.handle
        await hands.machine("server")
        await hands.relinquish(hands.held[Name("server")])
        await hands.relinquish(borrowed)
        assert isinstance(await others.status(image), Ready)
        with pytest.raises(VimRefused) as refused:
            await hands.create(hands.resource("none", ImageSpec(label="no-such-image", digest="name:y:1")))
        assert refused.value.code == "image-missing"


async def test_a_network_is_known_by_its_name_where_only_one_has_it(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        name = f"outside-{new_incarnation()}"
        network = await hands.obtain(hands.network(name))
        kind = hands.kind("network")
        observed = await kind.read(Handle(name))
        assert observed is not None
        assert observed["id"] == network.handle
        await hands.obtain(hands.network("another", label=name))
        with pytest.raises(VimRefused) as refused:
            await kind.read(Handle(name))
        assert refused.value.code == "network-ambiguous"
        seen = await hands.driver.observe({"network": {Handle(name), network.handle}})
        assert (seen["network", Handle(name)] is None, seen["network", network.handle]) == (True, observed)


async def test_what_a_package_would_lack_is_told(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        driver = hands.driver
        assert isinstance(driver, OpenStackDriver)
        await hands.obtain(hands.network("there"))
        needs = (
            Need(sort="image", name="no-such-image"),
            Need(sort="flavour", name="m1.nano"),
            Need(sort="flavour", name="no-such-flavour"),
            Need(sort="network", name="there"),
            Need(sort="network", name="no-such-network"),
            Need(sort="zone", name="nova"),
            Need(sort="zone", name="no-such-zone"),
            Need(sort="machine", name="small", cpus=1, memory=2**26),
            Need(sort="machine", name="enormous", cpus=10**6, memory=2**26),
        )
        missing = await driver.lacks(needs)
        assert [(lack.need, lack.code) for lack in missing.lacks] == [
            (0, "vim-lacks-image"),
            (2, "vim-lacks-flavour"),
            (4, "vim-lacks-network"),
            (6, "vim-lacks-zone"),
            (8, "vim-lacks-room"),
        ]
