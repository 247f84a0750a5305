"""Looking: at once or one by one, at ours and at nobody else's, after a restart, and at a VIM that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from fairlead.clock import SystemClock
from fairlead.errors import VimUnavailable
from fairlead.resources import Gone, Handle, Name, Ready, VolumeSpec
from fairlead.vims import Capacity
from fairlead.vims.seam import MEMBER
from tests.contract.subject import Hands, Subject


async def test_observing_many_says_the_same_as_reading_each(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**20)))
        held = [hands.held[Name("image")], hands.held[Name("link")], volume, machine.compute, *machine.ports]
        wanted: dict[str, set[Handle]] = {}
        for thing in held:
            wanted.setdefault(thing.sort, {Handle("no-such-thing")}).add(thing.handle)
        observed = await hands.driver.observe(wanted)
        assert observed.keys() == {(sort, handle) for sort, handles in wanted.items() for handle in handles}
        for thing in held:
            assert observed[thing.sort, thing.handle] == await hands.kind(thing.sort).read(thing.handle)
            assert isinstance(hands.kind(thing.sort).status(observed[thing.sort, thing.handle]), Ready)
            assert observed[thing.sort, Handle("no-such-thing")] is None


async def test_tagged_has_all_that_is_ours_and_nothing_else(subject: Subject) -> None:
    async with Hands(subject) as others, Hands(subject) as hands:
        await others.basis("theirs")
        await others.machine("server", ["theirs"])
        await hands.basis("link")
        machine = await hands.machine("Server/k1", ["link"])
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**20)))
        held = [hands.held[Name("image")], hands.held[Name("link")], volume, machine.compute]
        held += [] if hands.composite else machine.ports
        found = await hands.driver.tagged()
        assert {(thing.sort, thing.handle, thing.tag) for thing in found} == {
            (thing.sort, thing.handle, thing.tag) for thing in held
        }


async def test_all_is_found_again_after_the_driver_was_opened_anew(subject: Subject) -> None:
    hands = Hands(subject)
    await hands.basis("link")
    machine = await hands.machine("server", ["link"])
    async with await hands.reopened() as again:
        for held in (again.held[Name("image")], again.held[Name("link")], machine.compute, *machine.ports):
            status = await again.status(held)
            assert isinstance(status, Ready)
            assert status.outputs == held.outputs
        assert await again.kind("compute").find(machine.compute.tag, machine.compute.concrete) == machine.compute.handle
        await again.dismantle(machine)
        await again.relinquish(again.held[Name("link")])
        await again.relinquish(again.held[Name("image")])
        assert await again.driver.tagged() == []


async def test_the_vims_own_stream_tells_of_a_machine_that_ends(subject: Subject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        machine = await hands.machine("server", ["link"])
        stream = hands.driver.changes()
        if stream is None:
            pytest.skip("this VIM has no stream of its own")
        told: list[tuple[str, Handle]] = []

        async def listen() -> None:
            async for change in stream:
                told.append(change)
                if change == ("compute", machine.compute.handle):
                    return

        listening = asyncio.create_task(listen())
        while not told:  # the stream is there once it has told of something
            await hands.relinquish(await hands.obtain(hands.resource("store", VolumeSpec(size=2**20))))
        await hands.kind("compute").delete(machine.compute.handle)
        await listening
        assert await hands.status(machine.compute) == Gone()


async def test_a_vim_says_how_it_is_and_what_it_has(subject: Subject) -> None:
    async with Hands(subject) as hands:
        check = await hands.driver.check()
        assert check.reachable
        assert check.version
        assert all(finding.severity in ("error", "warning", "info") for finding in check.findings)
        assert not [finding for finding in check.findings if finding.severity == "error"]
        capacity = await hands.driver.capacity()
        assert capacity != Capacity(), "it says nothing at all"
        assert capacity.cpus is None or capacity.cpus > 0


async def test_a_vim_that_does_not_answer_is_said_to_be_unavailable(subject: Subject) -> None:
    driver = subject.type.open(subject.unreachable(), subject.files, SystemClock())
    check = await driver.check()
    assert not check.reachable
    assert check.findings[0].severity == "error"
    calls: list[Callable[[], Awaitable[Any]]] = [driver.tagged, lambda: driver.observe({"network": {Handle("x")}})]
    for sort, kind in driver.kinds.items():
        calls.append(partial(kind.read, Handle("x")))
        if sort not in subject.type.traits.within and not sort.startswith(MEMBER):
            calls.append(partial(kind.delete, Handle("x")))
    for call in calls:
        with pytest.raises(VimUnavailable) as unavailable:
            await call()
        assert unavailable.value.cause
        assert unavailable.value.retryable
    await driver.close()
