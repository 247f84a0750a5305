"""What differs from the record, in the driver's words, and the update that sets it right."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from fairlead.resources import (
    Action,
    Compared,
    Compares,
    Deviation,
    Failed,
    Name,
    Observed,
    Ownership,
    Pending,
    Recorded,
    Records,
    State,
    compare,
)
from fairlead.vims import Surveys
from tests.contract.subject import Hands, Held, Machine, Subject

_replace = msgspec.structs.replace


def records_of(hands: Hands) -> Records:
    """What is held, as the engine would have recorded it."""
    rows = []
    for held in hands.held.values():
        rules = hands.subject.type.rules[held.sort]
        spec = rules.pin(held.resource.spec, held.outputs)
        ownership = Ownership.SHARED if held.sort == "image" else Ownership.OWNED
        resource = _replace(held.resource, spec=spec, ownership=ownership)
        rows.append(Recorded(resource, held.tag.incarnation, State.READY, held.handle, held.outputs))
    return Records.of(rows)


async def look(hands: Hands) -> tuple[Records, Compared]:
    """What is recorded, and what is observed of it."""
    records = records_of(hands)
    wanted: dict[str, set[Any]] = {}
    for row in records.current.values():
        wanted.setdefault(row.resource.spec.sort(), set()).add(row.handle)
    driver = hands.driver
    seen = await (driver.survey if isinstance(driver, Surveys) else driver.observe)(wanted)
    observed: dict[Name, Observed | None] = {
        name: seen[row.resource.spec.sort(), row.handle] for name, row in records.current.items() if row.handle
    }
    return records, compare(records, observed, lambda resource: hands.kind(resource.spec.sort()))


async def settled(hands: Hands, deviation: str) -> tuple[Records, Compared]:
    """As `look`, once `deviation` is among what is told and nothing is at work any more."""
    for _ in range(200):
        records, compared = await look(hands)
        codes = {one.code for one in compared.deviations}
        if deviation in codes and "drift-busy" not in codes:
            return records, compared
        await asyncio.sleep(0.1)
    raise AssertionError(f"no {deviation}: {compared.deviations}")


def of(compared: Compared, name: str) -> list[Deviation]:
    """What is told of one resource."""
    return [one for one in compared.deviations if one.resource == name]


async def repair(hands: Hands, machine: Machine) -> None:
    """Update the machine to what was recorded, as the engine would."""
    ports = [
        _replace(p.resource, spec=hands.subject.type.rules["port"].pin(p.resource.spec, p.outputs))
        for p in machine.ports
    ]
    await hands.update(machine.compute, machine.compute.resource.spec, ports)


async def stop(hands: Hands, held: Held) -> None:
    """Have a machine stopped by somebody who does not tell that it is meant to be."""
    await hands.kind(held.sort).perform(held.handle, Action(id="stop", kind="stop", parameters={"grace": 0}))


async def test_nothing_differs_of_what_was_just_made(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("front", "back")
        await hands.machine("server", ["front", "back"])
        records, compared = await look(hands)
        assert compared.deviations == ()
        assert compared.records == records


async def test_every_kind_compares_and_says_failed_or_pending_of_what_it_cannot_compare(subject: Subject) -> None:
    async with Hands(subject) as hands:
        comparing = {sort for sort, kind in hands.driver.kinds.items() if isinstance(kind, Compares)}
        assert {"compute", "port"} <= comparing
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        kind = hands.kind("compute")
        assert isinstance(kind, Compares)
        seen = await kind.read(machine.compute.handle)
        assert seen is not None
        answer = kind.seen(seen, machine.compute.resource.spec, machine.compute.outputs)
        assert not isinstance(answer, Pending | Failed)


async def test_a_machine_that_is_off_and_should_not_be_is_told_and_an_update_starts_it(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        await stop(hands, machine.compute)
        _, compared = await settled(hands, "drift-differs")
        assert "power" in [one.field for one in of(compared, "server")]
        row = compared.records.current[Name("server")]
        assert (row.resource.spec.power, row.incarnation) == ("off", machine.compute.tag.incarnation)
        await repair(hands, machine)
        assert (await look(hands))[1].deviations == ()


async def test_what_is_gone_is_told_as_such(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        held = dict(hands.held)
        await hands.relinquish(machine.compute)
        hands.held = held
        _, compared = await settled(hands, "drift-gone")
        (gone,) = of(compared, "server")
        assert (gone.code, gone.severity) == ("drift-gone", "error")
        assert compared.records.current[Name("server")].state is State.FAILED
        assert of(compared, "link") == []
