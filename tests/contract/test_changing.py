"""Changes in place: power, and whatever update is asked for, from anywhere and as often as it takes."""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.resources import UNDECIDED, Action, ComputeSpec, Name, PortSpec, Ready, Ref, Resource
from tests.contract.subject import Hands, Machine, Subject

_replace = msgspec.structs.replace


def _powered(machine: Machine, power: str) -> ComputeSpec:
    spec: ComputeSpec = _replace(machine.compute.resource.spec, power=power)
    return spec


def _pinned(hands: Hands, machine: Machine) -> list[Resource[Any]]:
    """The machine's ports as recorded after they were ready."""
    rules = hands.subject.type.rules["port"]
    return [_replace(p.resource, spec=rules.pin(p.resource.spec, p.outputs)) for p in machine.ports]


async def test_power_goes_off_and_on_again_and_addresses_stay(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("front", "back")
        machine = await hands.machine("server", ["front", "back"])
        ports = _pinned(hands, machine)
        kind = hands.kind("compute")
        off = await hands.update(machine.compute, _powered(machine, "off"), ports)
        observed = await kind.read(off.handle)
        assert observed is not None
        assert kind.settled(observed, off.concrete.spec)
        assert not kind.settled(observed, machine.compute.concrete.spec)
        on = await hands.update(off, machine.compute.resource.spec, ports)
        observed = await kind.read(on.handle)
        assert observed is not None
        assert kind.settled(observed, on.concrete.spec)
        for port in machine.ports:
            status = await hands.status(port)
            assert isinstance(status, Ready)
            assert status.outputs == port.outputs


async def test_a_machine_can_be_created_off_and_started_later(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"], power="off")
        kind = hands.kind("compute")
        observed = await kind.read(machine.compute.handle)
        assert observed is not None
        assert kind.settled(observed, machine.compute.concrete.spec)
        on = await hands.update(machine.compute, _powered(machine, "on"), [p.resource for p in machine.ports])
        assert isinstance(await hands.status(on), Ready)
        status = await hands.status(machine.ports[0])
        assert isinstance(status, Ready)
        assert status.outputs["addresses"]


async def test_an_update_repeated_changes_nothing_more(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        ports = _pinned(hands, machine)
        for power in ("off", "off", "on", "on"):
            changed = await hands.update(machine.compute, _powered(machine, power), ports)
            assert changed.handle == machine.compute.handle
        status = await hands.status(machine.ports[0])
        assert isinstance(status, Ready)
        assert status.outputs == machine.ports[0].outputs


async def test_an_update_goes_on_from_where_another_left_off(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        ports = _pinned(hands, machine)
        # stopped already, but not by an update
        await hands.kind("compute").perform(
            machine.compute.handle, Action(id="1", kind="stop", parameters={"grace": 0})
        )
        off = await hands.update(machine.compute, _powered(machine, "off"), ports)
        # asked to be on from a spec that says it is on already
        kind, on = hands.kind("compute"), machine.compute.resource.spec
        concrete = hands.concrete(_replace(machine.compute.resource, spec=on), ports).spec
        await kind.update(off.handle, concrete, concrete)
        status = await hands.wait(off, lambda s, seen: isinstance(s, Ready) and kind.settled(seen or {}, concrete))
        assert isinstance(status, Ready)


async def test_a_graceful_stop_leaves_a_machine_that_is_off_and_not_failed(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        stop = Action(id="stop", kind="stop", target=Name("server"), parameters={"grace": 0})
        for _ in range(2):
            await hands.kind("compute").perform(machine.compute.handle, stop)
        off = hands.concrete(
            _replace(machine.compute.resource, spec=_powered(machine, "off")), [p.resource for p in machine.ports]
        )
        kind = hands.kind("compute")
        status = await hands.wait(machine.compute, lambda _, seen: seen is not None and kind.settled(seen, off.spec))
        assert isinstance(status, Ready)


async def test_a_port_is_added_to_a_machine_that_runs(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("front", "back")
        machine = await hands.machine("server", ["front"])
        compute, members = hands.parts("server", ["front", "back"])
        if not hands.composite:
            await hands.obtain(members[1])
        changed = await hands.update(machine.compute, compute.spec, members)
        assert changed.handle == machine.compute.handle
        back = hands.held[members[1].name] if not hands.composite else await hands.obtain(members[1])
        assert len(back.outputs["addresses"]) == 1
        status = await hands.status(machine.ports[0])
        assert isinstance(status, Ready)
        assert status.outputs == machine.ports[0].outputs


def test_power_changes_in_place_and_another_image_has_a_reason_or_a_remark(subject: Subject) -> None:
    rules = subject.type.rules["compute"]
    compute, _ = Hands(subject).parts("server", ["link"])
    assert rules.replaced_by(compute.spec, _replace(compute.spec, power="off")) is None
    other = _replace(compute.spec, image=Ref(Name("another")))
    reason = rules.replaced_by(compute.spec, other) or rules.remark(compute.spec, other, set())
    assert reason
    assert reason == reason.strip()
    assert len(reason.split()) > 2


def test_what_the_vim_chose_for_a_port_is_pinned(subject: Subject) -> None:
    spec = PortSpec(network=Ref(Name("link")))
    pinned = subject.type.rules["port"].pin(spec, {"id": "x", "addresses": ["10.0.0.7"], "mac": "02:00:00:00:00:07"})
    assert pinned == PortSpec(network=Ref(Name("link")), addresses=("10.0.0.7",), mac="02:00:00:00:00:07")
    assert spec.addresses == UNDECIDED
