"""Containers as machines: what they are given, how they end, what is left when they cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.errors import VimFull, VimRefused
from fairlead.resources import Action, Attachment, Failed, File, Name, Ready, Subnet, VolumeSpec
from tests.containers.looking import UNTIL_TOLD, engine_of, inspected, printed
from tests.contract.subject import Hands, subnet
from tests.contract.subjects import ContainersSubject

pytestmark = pytest.mark.containers
_replace = msgspec.structs.replace


def _command(script: str) -> dict[str, str]:
    return {"container.command": f'sh -c "{script}"'}


async def test_a_machine_gets_its_files_environment_limits_and_name(subject: ContainersSubject) -> None:
    script = (
        "hostname; cat /etc/app/conf; stat -c %a /etc/app/conf; echo $GREETING; "
        "cat /var/lib/cloud/seed/nocloud/user-data; sysctl -n net.ipv4.ip_forward; "
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; " + UNTIL_TOLD
    )
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine(
            "Web_1",
            ["link"],
            constraints={**_command(script), "container.sysctls": "net.ipv4.ip_forward=1"},
            files=(File(path="/etc/app/conf", content="content\n", mode=0o640),),
            environment={"GREETING": "good day"},
            user_data="#cloud-config of ours\n",
        )
        lines = (await printed(subject.access(hands.deployment), machine.compute.handle)).splitlines()
        assert lines[:6] == ["web-1", "content", "640", "good day", "#cloud-config of ours", "1"]
        limits = (await inspected(subject.access(hands.deployment), machine.compute.handle))["HostConfig"]
        assert limits["Memory"] == limits["MemorySwap"] == 64 * 2**20
        assert limits["NanoCpus"] == 500_000_000


async def test_large_files_are_put_whole(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis()
        machine = await hands.machine(
            "server",
            constraints=_command("stat -c %s /large; " + UNTIL_TOLD),
            files=(File(path="/large", content="x" * (20 * 2**20)),),
        )
        assert (await printed(subject.access(hands.deployment), machine.compute.handle)).split()[0] == str(20 * 2**20)


async def test_interfaces_have_their_addresses_before_the_machine_starts(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("front", "middle", "back")
        script = "ip -o -4 addr; " + UNTIL_TOLD
        machine = await hands.machine("server", ["back", "front", "middle"], constraints=_command(script))
        lines = (await printed(subject.access(hands.deployment), machine.compute.handle)).splitlines()
        by_address = {words[3].split("/")[0]: words[1] for line in lines if len(words := line.split()) > 3}
        names = [by_address[port.outputs["addresses"][0]] for port in machine.ports]
        check = await hands.driver.check()
        if "interface-order" in {finding.code for finding in check.findings}:
            assert sorted(names) == ["eth0", "eth1", "eth2"]
        else:
            assert names == ["eth0", "eth1", "eth2"]


async def test_a_volume_outlives_its_container(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis()
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**20)))
        attached = (Attachment(volume=volume.outputs["id"], at="/data"),)
        script = "cat /data/note; echo kept > /data/note; " + UNTIL_TOLD
        for expected in ("", "kept"):
            machine = await hands.machine("server", volumes=attached, constraints=_command(script))
            text = await printed(subject.access(hands.deployment), machine.compute.handle)
            assert ("kept" in text) == bool(expected)
            with pytest.raises(VimRefused) as refused:
                await hands.kind("volume").delete(volume.handle)
            assert refused.value.code == "in-use"
            await hands.dismantle(machine)
        await hands.relinquish(volume)


async def test_one_that_ends_by_itself_has_failed_and_shows_its_last_lines(subject: ContainersSubject) -> None:
    script = "for i in 1 2 3 4 5; do for j in a b c d e f; do echo line $i$j; done; done; exit 7"
    async with Hands(subject) as hands:
        await hands.basis("link")
        compute, members = hands.parts("server", ["link"], constraints=_command(script))
        held = await hands.create(compute, members)
        status = await hands.wait(held, lambda status, _: isinstance(status, Failed))
        assert isinstance(status, Failed)
        assert "exit code 7" in status.reason
        assert status.console is not None
        assert status.console.splitlines()[-1] == "line 5f"
        assert len(status.console.splitlines()) == 20
        port = await hands.create(members[0])
        assert isinstance(await hands.status(port), Failed)


async def test_a_graceful_stop_gives_it_the_time_that_it_needs(subject: ContainersSubject) -> None:
    script = "trap 'echo asked; sleep 1; echo bye; exit 0' TERM; echo done; sleep 3600 & wait"
    async with Hands(subject) as hands:
        await hands.basis()
        machine = await hands.machine("server", constraints=_command(script))
        access = subject.access(hands.deployment)
        await printed(access, machine.compute.handle)
        stop = Action(id="stop", kind="stop", target=Name("server"), parameters={"grace": 20})
        await hands.kind("compute").perform(machine.compute.handle, stop)
        assert isinstance(await hands.status(machine.compute), Ready)
        engine = engine_of(access)
        assert (await engine.logs(machine.compute.handle, 10, 2**16)).split()[-2:] == ["asked", "bye"]
        await engine.close()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"constraints": {"container.command": "/no/such/program"}}, "container-does-not-start"),
        ({"constraints": {"container.sysctls": "net.no.such=1"}}, "container-does-not-start"),
        ({"constraints": {"container.capabilities": "SYS_ADMIN"}}, "capability-not-allowed"),
        ({"image": "no-such-image:1"}, "image-missing"),
        ({"volumes": (Attachment(volume="no-such-volume", at="/data"),)}, "volume-missing"),
    ],
)
async def test_one_that_cannot_be_says_why_and_leaves_nothing(
    subject: ContainersSubject, fields: dict[str, Any], code: str
) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        compute, members = hands.parts("server", ["link"], **fields)
        with pytest.raises(VimRefused) as refused:
            await hands.create(compute, members)
        assert refused.value.code == code
        assert refused.value.resource == "server"
        assert refused.value.remedy
        assert {thing.sort for thing in await hands.driver.tagged()} == {"image", "network"}


async def test_an_address_that_is_taken_is_refused_and_nothing_is_left(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("front", "link")
        first = await hands.machine("first", ["link"])
        prefix = hands.held[Name("link")].resource.spec.subnets[0].cidr.removesuffix(".0/24")
        taken = [first.ports[0].outputs["addresses"][0], f"{prefix}.254"]
        for address in taken:
            for networks in (["link"], ["front", "link"]):
                compute, members = hands.parts("second", networks, ports={"link": {"addresses": (address,)}})
                with pytest.raises(VimRefused) as refused:
                    await hands.create(compute, members)
                assert refused.value.code == "address-in-use"
        computes = [thing for thing in await hands.driver.tagged() if thing.sort == "compute"]
        assert [thing.handle for thing in computes] == [first.compute.handle]


async def test_dynamic_addresses_come_from_the_pools_until_they_are_used_up(subject: ContainersSubject) -> None:
    cidr = subnet()
    prefix = cidr.removesuffix(".0/24")
    pools = ((f"{prefix}.10", f"{prefix}.11"), (f"{prefix}.77", f"{prefix}.77"))
    async with Hands(subject) as hands:
        await hands.basis()
        await hands.obtain(hands.network("link", subnets=(Subnet(cidr=cidr, pools=pools),)))
        machines = [await hands.machine(f"server-{number}", ["link"]) for number in range(3)]
        addresses = {machine.ports[0].outputs["addresses"] for machine in machines}
        assert addresses == {(f"{prefix}.10",), (f"{prefix}.11",), (f"{prefix}.77",)}
        compute, members = hands.parts("one too many", ["link"])
        with pytest.raises(VimFull) as full:
            await hands.create(compute, members)
        assert full.value.code == "no-free-address"
        await hands.dismantle(machines[1])
        again = await hands.machine("again", ["link"])
        assert again.ports[0].outputs["addresses"] == machines[1].ports[0].outputs["addresses"]


async def test_a_network_with_users_is_not_deleted(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        with pytest.raises(VimRefused) as refused:
            await hands.kind("network").delete(hands.held[Name("link")].handle)
        assert refused.value.code == "network-in-use"
        assert isinstance(await hands.status(machine.ports[0]), Ready)


async def test_a_subnet_that_another_network_has_is_refused(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        link = await hands.obtain(hands.network("link"))
        for name, spec in (
            ("same", link.resource.spec),
            ("bad", _replace(link.resource.spec, subnets=(Subnet(cidr="10.0.0.0/24", gateway="10.0.1.1"),))),
        ):
            with pytest.raises(VimRefused) as refused:
                await hands.create(hands.resource(name, spec))
            assert refused.value.code == {"same": "subnet-overlaps", "bad": "bad-subnet"}[name]
            assert refused.value.resource == name


async def test_what_was_made_by_half_is_not_adopted_and_not_left(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        compute, members = hands.parts("server", ["link"])
        tag, concrete = hands.tag("server"), hands.concrete(compute, members)
        kind = hands.kind("compute")
        engine = engine_of(subject.access(hands.deployment))
        labels = {f"fairlead.{field}": getattr(tag, field) for field in tag.__struct_fields__}
        body = {"Image": concrete.spec.machine.image, "Labels": labels, "HostConfig": {"NetworkMode": "none"}}
        body["HostConfig"]["Ulimits"] = [{"Name": name, "Soft": 4096, "Hard": 4096} for name in ("nofile", "nproc")]
        await engine.post("/containers/create", "create", body, name="half-made")
        await engine.close()
        assert [thing.tag for thing in await hands.driver.tagged() if thing.sort == "compute"] == [tag]
        assert await kind.find(tag, concrete) is None
        assert [thing for thing in await hands.driver.tagged() if thing.sort == "compute"] == []
