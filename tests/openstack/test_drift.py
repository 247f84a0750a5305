"""What somebody does to servers, ports and networks behind Fairlead's back is seen, and an update sets it right in place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from fairlead.resources import Attachment, Deviation, Name, PortSpec, Recorded, Ref, Resource, Subnet, VolumeSpec
from fairlead.vims.openstack.cloud import Cloud
from fairlead.vims.openstack.settings import place_of, settings_of, way_of
from tests.contract.clouds import OpenStackSubject
from tests.contract.subject import Hands, Held
from tests.contract.test_drifting import look

_replace = msgspec.structs.replace


@asynccontextmanager
async def somebody(subject: OpenStackSubject, hands: Hands) -> AsyncIterator[Cloud]:
    """Another client of the same cloud."""
    access = subject.access(hands.deployment)
    cloud = Cloud(place_of(access), way_of(access), settings_of(access))
    try:
        yield cloud
    finally:
        await cloud.close()


async def told(hands: Hands, *, patience: float = 90.0) -> list[tuple[str, str, str | None]]:
    """Resource, code and field of what differs, once the cloud is at rest."""
    _, deviations = await _at_rest(hands, patience)
    return sorted([(one.resource, one.code, one.field) for one in deviations], key=str)


async def _at_rest(hands: Hands, patience: float) -> tuple[dict[Name, Recorded[Any]], tuple[Deviation, ...]]:
    end = asyncio.get_running_loop().time() + patience
    while True:
        _, compared = await look(hands)
        if not any(one.code == "drift-busy" for one in compared.deviations):
            return compared.records.current, compared.deviations
        assert asyncio.get_running_loop().time() < end, compared.deviations
        await asyncio.sleep(0.3)


async def changed(hands: Hands, *expected: tuple[str, str, str | None]) -> None:
    """See that just these things differ; Nova's own hands may need a moment."""
    for _ in range(100):
        found = await told(hands)
        if found == sorted(expected, key=str):
            return
        await asyncio.sleep(0.3)
    assert found == sorted(expected, key=str)


async def repair(hands: Hands, held: Held) -> None:
    """Update it from what is seen to what is recorded, as the engine would; then nothing differs."""
    seen, _ = await _at_rest(hands, 90.0)
    name = held.resource.name
    rules = hands.subject.type.rules[held.sort]
    wanted: Resource[Any] = _replace(held.resource, spec=rules.pin(held.resource.spec, held.outputs))
    assert rules.replaced_by(seen[name].resource.spec, wanted.spec) is None
    old, new = hands.concrete(seen[name].resource), hands.concrete(wanted)
    kind = hands.kind(held.sort)
    await kind.update(held.handle, old.spec, new.spec)
    await hands.wait(held, lambda _, there: there is not None and kind.settled(there, new.spec))
    await changed(hands)


@pytest.mark.parametrize(
    ("action", "field"),
    [
        pytest.param({"os-stop": None}, "power", id="stopped"),
        pytest.param({"pause": None}, "power", id="paused"),
        pytest.param({"suspend": None}, "power", id="suspended"),
    ],
)
async def test_a_server_that_somebody_put_aside_is_woken(
    subject: OpenStackSubject, action: dict[str, Any], field: str
) -> None:
    async with Hands(subject) as hands, somebody(subject, hands) as cloud:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        await cloud.post("compute", f"/servers/{machine.compute.handle}/action", "meddle", action)
        await changed(hands, ("server", "drift-differs", field))
        await repair(hands, machine.compute)


async def test_a_server_that_somebody_resized_and_renamed_is_brought_back(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands, somebody(subject, hands) as cloud:
        await hands.basis()
        machine = await hands.machine("server")
        flavours = (await cloud.get("compute", "/flavors/detail", "list flavours"))["flavors"]
        small = next(one["id"] for one in flavours if one["name"] == "m1.small")
        path = f"/servers/{machine.compute.handle}"
        await cloud.put("compute", path, "meddle", {"server": {"name": "mine"}})
        await cloud.post("compute", f"{path}/action", "meddle", {"resize": {"flavorRef": small}})
        differs = ("server", "drift-differs", "flavour"), ("server", "drift-differs", "label")
        await changed(hands, *differs, ("server", "drift-differs", None))
        await cloud.post("compute", f"{path}/action", "meddle", {"confirmResize": None})
        await changed(hands, *differs)
        await repair(hands, machine.compute)
        server = (await cloud.get("compute", path, "look"))["server"]
        assert (server["name"], server["flavor"]["original_name"]) == ("server", machine.compute.outputs["flavour"])


async def test_a_port_that_was_unplugged_is_plugged_again(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands, somebody(subject, hands) as cloud:
        await hands.basis("front", "back")
        machine = await hands.machine("server", ["front"])
        compute, members = hands.parts("server", ["front", "back"])
        port = (await hands.obtain(members[1])).handle
        server = await hands.update(
            machine.compute, compute.spec
        )  # Nova's simulated hosts unplug what was plugged in only
        await cloud.delete("compute", f"/servers/{server.handle}/os-interface/{port}", "meddle")
        await changed(hands, ("server", "drift-differs", "ports"))
        await repair(hands, server)
        assert (await cloud.get("network", f"/ports/{port}", "look"))["port"]["device_id"] == machine.compute.handle


async def test_a_port_that_was_deleted_is_gone_and_its_server_lacks_it(subject: OpenStackSubject) -> None:
    async with Hands(subject) as hands, somebody(subject, hands) as cloud:
        await hands.basis("front", "back")
        machine = await hands.machine("server", ["front", "back"])
        await cloud.delete("network", f"/ports/{machine.ports[0].handle}", "meddle")
        await changed(hands, ("server", "drift-differs", "ports"), ("server/front", "drift-gone", None))


async def test_a_port_with_another_address_and_a_network_that_was_put_down_are_set_right(
    subject: OpenStackSubject,
) -> None:
    async with Hands(subject) as hands, somebody(subject, hands) as cloud:
        await hands.basis()
        link = await hands.obtain(hands.network("link"))
        port = await hands.obtain(hands.resource("port", PortSpec(network=Ref(Name("link")))))
        taken = str(port.outputs["addresses"][0])
        other = taken.rsplit(".", 1)[0] + ".77"
        body = {"port": {"fixed_ips": [{"ip_address": other}], "admin_state_up": False}}
        await cloud.put("network", f"/ports/{port.handle}", "meddle", body)
        await cloud.put(
            "network", f"/networks/{link.handle}", "meddle", {"network": {"name": "x", "admin_state_up": False}}
        )
        expected = [("link", None), ("link", "label"), ("port", None), ("port", "addresses")]
        assert await told(hands) == sorted([(name, "drift-differs", field) for name, field in expected], key=str)
        seen, _ = await _at_rest(hands, 90.0)
        for held in (link, port):
            rules = hands.subject.type.rules[held.sort]
            new = hands.concrete(_replace(held.resource, spec=rules.pin(held.resource.spec, held.outputs)))
            await hands.kind(held.sort).update(
                held.handle, hands.concrete(seen[held.resource.name].resource).spec, new.spec
            )
        assert await told(hands) == []
        assert (await hands.ready(port)).outputs["addresses"] == (taken,)


async def test_a_subnet_that_is_gone_or_set_otherwise_comes_back_and_one_that_is_not_ours_is_only_told(
    subject: OpenStackSubject,
) -> None:
    async with Hands(subject) as hands, somebody(subject, hands) as cloud:
        subnets = (Subnet(cidr="10.250.1.0/24", gateway="10.250.1.1"), Subnet(cidr="10.250.2.0/24"))
        link = await hands.obtain(hands.network("link", subnets=subnets))
        listed = (await cloud.get("network", "/subnets", "look", network_id=link.handle))["subnets"]
        first, second = sorted(listed, key=lambda one: str(one["cidr"]))
        await cloud.put("network", f"/subnets/{first['id']}", "meddle", {"subnet": {"gateway_ip": None}})
        await cloud.delete("network", f"/subnets/{second['id']}", "meddle")
        extra = {"network_id": link.handle, "cidr": "10.250.3.0/24", "ip_version": 4}
        await cloud.post("network", "/subnets", "meddle", {"subnets": [extra]})
        assert await told(hands) == [("link", "drift-differs", "subnets"), ("link", "drift-strange", None)]
        seen, _ = await _at_rest(hands, 30.0)
        await hands.kind("network").update(link.handle, seen[Name("link")].resource.spec, link.resource.spec)
        assert await told(hands) == [("link", "drift-strange", None)]


async def test_a_volume_that_was_detached_is_attached_again_and_a_larger_one_is_only_told(
    subject: OpenStackSubject,
) -> None:
    async with Hands(subject) as hands, somebody(subject, hands) as cloud:
        await hands.basis()
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**30)))
        machine = await hands.machine("server", volumes=(Attachment(volume=Ref(Name("store"))),))
        path = f"/servers/{machine.compute.handle}/os-volume_attachments/{volume.handle}"
        await cloud.delete("compute", path, "meddle")
        await changed(hands, ("server", "drift-differs", "volumes"))
        await repair(hands, machine.compute)
        assert (await cloud.get("block-storage", f"/volumes/{volume.handle}", "look"))["volume"]["status"] == "in-use"
