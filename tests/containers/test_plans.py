"""Plans applied to a real engine: containers as composites, what survives a replacement, and what a crash may leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from fairlead.resources import (
    UNDECIDED,
    Attachment,
    ComputeSpec,
    Name,
    NetworkSpec,
    PortSpec,
    Ref,
    Resource,
    State,
    Subnet,
    Verb,
    VimId,
    VolumeSpec,
    new_incarnation,
)
from tests.containers.applying import Bench
from tests.containers.looking import engine_of, inspected
from tests.contract.subject import open_driver, subnet
from tests.contract.subjects import ContainersSubject

pytestmark = pytest.mark.containers
_replace = msgspec.structs.replace


class Instance(msgspec.Struct, frozen=True):
    """What is wanted: some machines, each on two networks and with a volume."""

    front: str
    back: str
    machines: tuple[str, ...] = ("a", "b")
    ports: tuple[str, ...] = ("front", "back")
    environment: dict[str, str] = {}
    power: str = "on"
    addresses: dict[str, tuple[str, ...]] = {}

    def resources(self, subject: ContainersSubject) -> list[Resource[Any]]:
        """As the VNFM would have it."""
        wanted = [_resource("image", subject.image)]
        for name, cidr in (("front", self.front), ("back", self.back)):
            wanted.append(_resource(name, NetworkSpec(label=name, subnets=(Subnet(cidr=cidr),))))
        for machine in self.machines:
            wanted.append(_resource(f"{machine}/store", VolumeSpec(size=2**20)))
            ports = tuple(f"{machine}/{port}" for port in self.ports)
            spec = ComputeSpec(
                label=machine,
                image=Ref(Name("image")),
                ports=tuple(Ref(Name(port)) for port in ports),
                volumes=(Attachment(volume=Ref(Name(f"{machine}/store")), at="/data"),),
                environment=dict(self.environment),
                memory=64 * 2**20,
                power=self.power,
            )
            wanted.append(_resource(machine, spec))
            for port in ports:
                network = port.split("/")[1]
                member = PortSpec(
                    network=Ref(Name(network)),
                    order=("front", "back").index(network),
                    addresses=self.addresses.get(port, UNDECIDED),
                )
                wanted.append(_resource(port, member, within=Name(machine)))
        return wanted


def _resource(name: str, spec: Any, **fields: Any) -> Resource[Any]:
    return Resource(name=Name(name), spec=spec, vim=VimId("vim-1"), **fields)


def _instance() -> Instance:
    return Instance(subnet(), subnet())


@asynccontextmanager
async def bench_on(subject: ContainersSubject) -> AsyncIterator[Bench]:
    deployment = f"test-{new_incarnation()}"
    bench = Bench(subject.type, open_driver(subject, deployment), deployment)
    try:
        yield bench
    finally:
        await bench.close()


async def _reach(bench: Bench, desired: list[Resource[Any]], **options: Any) -> dict[str, Verb]:
    plan, applied = await bench.reach(desired, **options)
    assert applied.complete, applied
    return {change.name: change.verb for change in plan.changes if change.verb is not Verb.KEEP}


def _outputs(bench: Bench, *names: str) -> list[Any]:
    return [(bench.row(name).outputs["addresses"], bench.row(name).outputs["mac"]) for name in names]


PORTS = ("a/front", "a/back", "b/front", "b/back")


async def test_an_instance_comes_into_being_and_goes_and_nothing_is_left(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        await _reach(bench, _instance().resources(subject))
        assert {row.state for row in bench.rows} == {State.READY}
        tagged = {thing.handle: thing.tag for thing in await bench.driver.tagged()}
        rows = [row for row in bench.rows if row.resource.spec.sort() != "port"]
        assert tagged == {row.handle: bench.tag(row) for row in rows}
        assert await _reach(bench, bench.desired()) == {}
        await _reach(bench, [])
        assert bench.rows == []
        assert await bench.driver.tagged() == []


async def test_a_replaced_container_keeps_its_addresses_macs_and_volume(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        await _reach(bench, instance.resources(subject))
        before, handles = _outputs(bench, *PORTS), [bench.row(name).handle for name in ("a", "b")]
        volumes = [bench.row(name).handle for name in ("a/store", "b/store")]
        verbs = await _reach(bench, _replace(instance, environment={"A": "b"}).resources(subject))
        assert verbs == dict.fromkeys(("a", "b", *PORTS), Verb.REPLACE)
        assert _outputs(bench, *PORTS) == before
        assert [bench.row(name).handle for name in ("a/store", "b/store")] == volumes
        assert not {bench.row(name).handle for name in ("a", "b")} & set(handles)
        assert len([thing for thing in await bench.driver.tagged() if thing.sort == "compute"]) == 2


async def test_a_killed_container_is_healed_with_the_same_addresses(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        await _reach(bench, instance.resources(subject))
        before = _outputs(bench, *PORTS)
        engine = engine_of(subject.access("x"))
        await engine.post(f"/containers/{bench.row('a').handle}/kill", "kill it")
        await engine.close()
        verbs = await _reach(bench, instance.resources(subject), tainted={Name("a"), Name("a/front"), Name("a/back")})
        assert verbs == dict.fromkeys(("a", "a/front", "a/back"), Verb.REPLACE)
        assert _outputs(bench, *PORTS) == before


async def test_one_port_healed_alone_leaves_its_container_running(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        await _reach(bench, instance.resources(subject))
        before, handle = _outputs(bench, *PORTS), bench.row("a").handle
        verbs = await _reach(bench, instance.resources(subject), tainted={Name("a/back")})
        assert verbs == {"a": Verb.UPDATE, "a/back": Verb.REPLACE}
        assert _outputs(bench, *PORTS) == before
        assert bench.row("a").handle == handle


async def test_networks_are_joined_and_left_while_the_container_runs(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        await _reach(bench, _replace(instance, ports=("front",)).resources(subject))
        started = await _started(subject, bench)
        verbs = await _reach(bench, instance.resources(subject))
        assert verbs == {"a": Verb.UPDATE, "b": Verb.UPDATE, "a/back": Verb.CREATE, "b/back": Verb.CREATE}
        verbs = await _reach(bench, _replace(instance, ports=("back",)).resources(subject))
        assert verbs == {"a": Verb.UPDATE, "b": Verb.UPDATE, "a/front": Verb.DELETE, "b/front": Verb.DELETE}
        await _reach(bench, instance.resources(subject))
        assert await _started(subject, bench) == started


async def _started(subject: ContainersSubject, bench: Bench) -> list[str]:
    seen = [await inspected(subject.access("x"), bench.row(name).handle or "") for name in ("a", "b")]  # type: ignore[arg-type]
    return [words["State"]["StartedAt"] for words in seen]


async def test_an_address_changes_while_the_container_runs(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        prefix = instance.back.removesuffix(".0/24")
        await _reach(bench, instance.resources(subject))
        started, front = await _started(subject, bench), _outputs(bench, "a/front")
        moved = _replace(instance, addresses={"a/back": (f"{prefix}.9",)})
        verbs = await _reach(bench, moved.resources(subject))
        assert verbs == {"a": Verb.UPDATE, "a/back": Verb.UPDATE}
        assert bench.row("a/back").outputs["addresses"] == (f"{prefix}.9",)
        assert _outputs(bench, "a/front") == front
        assert await _started(subject, bench) == started


async def test_a_network_moves_to_another_subnet_under_running_containers(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _replace(_instance(), machines=("a",), addresses={})
        await _reach(bench, instance.resources(subject))
        handle, front = bench.row("a").handle, _outputs(bench, "a/front")
        other = subnet()
        fixed = {"a/back": (other.replace(".0/24", ".7"),)}
        verbs = await _reach(bench, _replace(instance, back=other, addresses=fixed).resources(subject))
        assert verbs == {"a": Verb.UPDATE, "a/back": Verb.REPLACE, "back": Verb.REPLACE}
        assert bench.row("a").handle == handle
        assert bench.row("a/back").outputs["addresses"] == fixed["a/back"]
        assert _outputs(bench, "a/front") == front
        assert len([thing for thing in await bench.driver.tagged() if thing.sort == "network"]) == 2


async def test_stopping_and_starting_keeps_addresses_although_others_came_meanwhile(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        await _reach(bench, instance.resources(subject))
        before = _outputs(bench, *PORTS)
        assert await _reach(bench, _replace(instance, power="off").resources(subject)) == {
            "a": Verb.UPDATE,
            "b": Verb.UPDATE,
        }
        await _reach(bench, instance.resources(subject))
        assert _outputs(bench, *PORTS) == before


async def test_a_plan_that_failed_half_way_is_made_again_and_goes_on(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        taken = {"a/back": (instance.back.replace(".0/24", ".254"),)}
        wrong = _replace(instance, addresses=taken)
        _, applied = await bench.reach(wrong.resources(subject))
        assert [failure.error.code for failure in applied.failures] == ["address-in-use"]  # type: ignore[attr-defined]
        await _reach(bench, instance.resources(subject))
        assert {row.state for row in bench.rows} == {State.READY}
        assert len([thing for thing in await bench.driver.tagged() if thing.sort == "compute"]) == 2


async def test_a_crash_between_acceptance_and_readiness_disturbs_nobody(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        await _reach(bench, instance.resources(subject))
        before, started = _outputs(bench, *PORTS), await _started(subject, bench)
        states = {"a": State.CREATING, "a/front": State.INTENDED, "b/back": State.CREATING, "b": State.UPDATING}
        bench.rows = [
            _replace(row, state=states[row.name], handle=None if states[row.name] is State.INTENDED else row.handle)
            if row.name in states
            else row
            for row in bench.rows
        ]
        await _reach(bench, instance.resources(subject))
        assert _outputs(bench, *PORTS) == before
        assert await _started(subject, bench) == started


async def test_a_network_is_healed_with_its_containers_which_keep_their_addresses(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        instance = _instance()
        await _reach(bench, instance.resources(subject))
        before, network = _outputs(bench, *PORTS), bench.row("back").handle
        verbs = await _reach(bench, instance.resources(subject), tainted={Name("back")})
        assert {name for name, verb in verbs.items() if verb is Verb.REPLACE} >= {"back", "a", "b", "a/back", "b/back"}
        assert _outputs(bench, *PORTS) == before
        assert bench.row("back").handle != network
        await _reach(bench, [])
        assert await bench.driver.tagged() == []


async def test_a_container_that_is_off_keeps_its_address_while_others_come(subject: ContainersSubject) -> None:
    async with bench_on(subject) as bench:
        cidr = subnet()
        prefix = cidr.removesuffix(".0/24")
        narrow = NetworkSpec(label="net", subnets=(Subnet(cidr=cidr, pools=((f"{prefix}.10", f"{prefix}.12"),)),))

        def wanted(power: str, number: int) -> list[Resource[Any]]:
            made = [_resource("image", subject.image), _resource("net", narrow)]
            for index in range(number):
                nic = Ref(Name(f"m{index}/nic"))
                image, state = Ref(Name("image")), power if index == 0 else "on"
                made.append(
                    _resource(f"m{index}", ComputeSpec(label=f"m{index}", image=image, ports=(nic,), power=state))
                )
                made.append(_resource(nic.name, PortSpec(network=Ref(Name("net"))), within=Name(f"m{index}")))
            return made

        await _reach(bench, wanted("on", 1))
        first = bench.row("m0/nic").outputs["addresses"]
        await _reach(bench, wanted("off", 1))
        await _reach(bench, wanted("off", 3))
        others = {bench.row(f"m{index}/nic").outputs["addresses"] for index in (1, 2)}
        assert len(others | {first}) == 3
        await _reach(bench, wanted("on", 3))
        assert bench.row("m0/nic").outputs["addresses"] == first
        await _reach(bench, [])
