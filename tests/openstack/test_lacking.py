"""What a cloud tells of what a plan needs: every lack, each by its code, and no more than one question of a kind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.resources import PortSpec, Ref
from fairlead.resources.names import Name
from fairlead.vims import Lack, Need, TellsLacks
from tests.contract.clouds import OpenStackSubject
from tests.contract.subject import Hands
from tests.support.cloud import PeerCloud


async def lacks(hands: Hands, *needs: Need) -> list[Lack]:
    assert isinstance(hands.driver, TellsLacks)
    return list((await hands.driver.lacks(needs)).lacks)


async def codes(hands: Hands, *needs: Need) -> list[tuple[int, str]]:
    return [(lack.need, lack.code) for lack in await lacks(hands, *needs)]


def machine(name: str = "web", **fields: Any) -> Need:
    return Need(sort="machine", name=name, resource=name, **{"cpus": 1, "memory": 2**26, "from_image": True, **fields})


async def test_an_address_is_in_a_subnet_and_free_or_that_is_told(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        link = await hands.obtain(hands.network("link"))
        port = await hands.obtain(hands.resource("port", PortSpec(network=Ref(Name("link")))))
        taken = str(port.outputs["addresses"][0])
        free = taken.rsplit(".", 1)[0] + ".200"

        def address(name: str, **fields: Any) -> Need:
            return Need(sort="address", name=name, resource="p", **{"network": link.handle, **fields})

        needs = [address(free), address(taken), address("198.51.100.1")]
        needs += [address("198.51.100.1", network=None, ranges=("198.51.100.0/24",))]
        needs += [address("10.0.0.1", network=None, ranges=("198.51.100.0/24",))]
        assert await codes(hands, *needs) == [
            (1, "address-in-use"),
            (2, "address-outside-network"),
            (4, "address-outside-network"),
        ]
        found = await lacks(hands, needs[1])
        assert port.handle in found[0].detail
        assert found[0].remedy


async def test_flavours_zones_and_volume_types_are_told(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands:
        needs = (
            machine(),
            machine(zone="no-such-zone"),
            machine(cpus=10**6),
            machine(flavour="no-such-flavour"),
            machine(flavour="m1.nano", least_memory=2**40),
            Need(sort="volume", name="v", resource="v", disk=2**30, type="no-such-type"),
        )
        assert await codes(hands, *needs) == [
            (1, "vim-lacks-zone"),
            (2, "vim-lacks-room"),
            (3, "vim-lacks-flavour"),
            (4, "flavour-too-small"),
            (5, "vim-lacks-volume-type"),
        ]


async def test_the_key_and_the_zone_of_the_settings_are_told_of_what_a_plan_makes(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(_with(peer_subject, key="mine", zone="nowhere")) as hands:
        assert await codes(hands, machine()) == [(0, "vim-lacks-zone"), (0, "vim-lacks-key")]
        peer.nova.keys.add("mine")
        assert await codes(hands, machine()) == [(0, "vim-lacks-zone")]
        assert await codes(hands, Need(sort="machine", name="of a package", cpus=1)) == []


async def test_of_what_a_template_makes_only_its_room_is_asked_for(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(_with(peer_subject, key="mine", zone="nowhere", volume_type="none-such")) as hands:
        volume = Need(sort="volume", name="v", resource="v", disk=2**30, brought=True)
        needs = (
            machine(flavour="made by the template", brought=True),
            machine(flavour="m1.tiny", brought=True),
            volume,
        )
        assert await codes(hands, *needs) == []
        peer.nova.limits |= {"maxTotalInstances": 1}
        peer.cinder.limits |= {"maxTotalVolumes": 0}
        assert await codes(hands, *needs) == [(1, "quota-exceeded"), (2, "quota-exceeded")]


async def test_the_network_outside_of_a_router_is_there_or_that_is_told(
    peer: PeerCloud, subject: OpenStackSubject
) -> None:
    peer.routing.add_external("public")
    async with Hands(subject) as hands:
        needs = (
            Need(sort="router", name="r", resource="r", network="no-such-network"),
            Need(sort="floating-ip", name="f", resource="f", network="0c4d8a5e-52d4-4d0e-9f0f-6a1c2f0c7b11"),
            Need(sort="floating-ip", name="g", resource="g", network="public"),
        )
        assert await codes(hands, *needs) == [(0, "external-network-missing"), (1, "vim-lacks-network")]


async def test_a_name_that_several_things_have_is_told_before_it_is_used(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.obtain(hands.network("link"))
        (network,) = peer.neutron.networks.values()
        for key in ("one", "two"):
            peer.glance.images[key] = {"id": key, "name": "guest", "status": "active", "disk_format": "qcow2"}
        needs = (Need(sort="image", name="guest"), Need(sort="network", name=network["name"]))
        assert await codes(hands, *needs) == [(0, "image-ambiguous")]
        del peer.glance.images["two"]
        peer.neutron.make_network({"name": network["name"]})
        assert await codes(hands, *needs) == [(1, "network-ambiguous")]


QUOTAS = (
    ("nova", {"maxTotalInstances": 1}, 1, "servers"),
    ("nova", {"maxTotalCores": 1}, 1, "cores"),
    ("nova", {"maxTotalRAMSize": 100}, 1, "MiB of memory"),
    ("nova", {"maxServerGroups": 0}, 7, "server groups"),
    ("neutron", {"network": 0}, 2, "networks"),
    ("neutron", {"subnet": 1}, 2, "subnets"),
    ("neutron", {"port": 1}, 4, "ports"),
    ("neutron", {"security_group": 1}, 8, "security groups"),
    ("neutron", {"security_group_rule": 2}, 8, "security group rules"),
    ("neutron", {"router": 0}, 9, "routers"),
    ("neutron", {"floatingip": 0}, 10, "floating IPs"),
    ("neutron", {"trunk": 0}, 11, "trunks"),
    ("cinder", {"maxTotalVolumes": 1}, 6, "volumes"),
    ("cinder", {"maxTotalVolumeGigabytes": 2}, 6, "GiB of volumes"),
)


@pytest.mark.parametrize(("service", "limits", "need", "what"), QUOTAS, ids=[quota[3] for quota in QUOTAS])
async def test_each_quota_is_compared_with_what_the_plan_adds(
    peer: PeerCloud, peer_subject: OpenStackSubject, service: str, limits: dict[str, int], need: int, what: str
) -> None:
    needs = (
        machine("one"),
        machine("two"),
        Need(sort="link", name="link", resource="link", ranges=("10.0.0.0/24", "10.0.1.0/24")),
        Need(sort="port", name="a", resource="a"),
        Need(sort="port", name="b", resource="b"),
        Need(sort="volume", name="v", resource="v", disk=2**30),
        Need(sort="volume", name="w", resource="w", disk=2**31),
        Need(sort="group", name="g", resource="g"),
        Need(sort="security-group", name="s", resource="s", number=3),
        Need(sort="router", name="r", resource="r", network="public"),
        Need(sort="floating-ip", name="f", resource="f", network="public"),
        Need(sort="trunk", name="t", resource="t"),
    )
    peer.routing.add_external("public")
    async with Hands(peer_subject) as hands:
        assert await lacks(hands, *needs) == []
        getattr(peer, service).limits = limits
        (found,) = await lacks(hands, *needs)
        assert (found.code, found.need) == ("quota-exceeded", need)
        assert what in found.detail
        kept = [msgspec.structs.replace(one, adds=False) for one in needs]
        assert await lacks(hands, *kept) == []


async def test_quotas_that_a_service_does_not_tell_are_a_warning(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        peer.fail(r"GET /network/v2.0/quotas", 403, {"NeutronError": {"type": "Forbidden", "message": "no"}})
        (found,) = await lacks(hands, Need(sort="port", name="a", resource="a"))
        assert (found.code, found.severity) == ("quota-not-known", "warning")


def _with(subject: OpenStackSubject, **settings: Any) -> OpenStackSubject:
    access = subject.access("drift-settings")
    return OpenStackSubject(
        subject.files.directory, msgspec.structs.replace(access, settings={**access.settings, **settings})
    )
