"""An engine that fails, loses answers or does not answer: what is made of it, and that nothing is left or made twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairlead.errors import VimFull, VimUnavailable
from fairlead.resources import Ready
from fairlead.vims import Access
from tests.containers.faults import Fault, Proxy, proxied
from tests.contract.subject import Hands
from tests.contract.subjects import ContainersSubject

pytestmark = pytest.mark.containers
_replace = msgspec.structs.replace


class _Through(ContainersSubject):
    """The same engine, behind a proxy."""

    def __init__(self, directory: Path, through: ContainersSubject, url: str, settings: dict[str, Any]) -> None:
        super().__init__(directory, url)
        self._through = through
        self._settings = settings

    def access(self, deployment: str) -> Access:
        self._through.access(deployment)  # who cleans up afterwards
        return _replace(super().access(deployment), settings=self._settings)


@asynccontextmanager
async def faulty(subject: ContainersSubject, directory: Path, **settings: Any) -> AsyncIterator[tuple[Proxy, Hands]]:
    """Hands on an engine that can be made to fail, with an image and the network `link`."""
    inner = directory / "inner"
    inner.mkdir()
    async with (
        proxied(subject.access("x").interface["url"], directory) as (proxy, url),
        Hands(_Through(inner, subject, url, settings)) as hands,
    ):
        await hands.basis("link")
        yield proxy, hands


async def _computes(hands: Hands) -> list[Any]:
    return [thing for thing in await hands.driver.tagged() if thing.sort == "compute"]


async def test_a_creation_whose_answer_was_lost_is_not_repeated_blindly(
    subject: ContainersSubject, tmp_path: Path
) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        for sort, path in (("network", "POST /networks/create"), ("compute", r"POST /containers/[0-9a-f]+/start")):
            compute, members = hands.parts("server", ["link"])
            resource = compute if sort == "compute" else hands.network("other")
            concrete, tag = hands.concrete(resource, members), hands.tag(resource.name)
            proxy.faults = [Fault(on=path, effect="lose")]
            with pytest.raises(VimUnavailable) as lost:
                await hands.kind(sort).create(concrete, tag)
            assert lost.value.retryable
            handle = await hands.kind(sort).find(tag, concrete)
            assert handle is not None
            assert isinstance(hands.kind(sort).status(await hands.kind(sort).read(handle)), Ready)
            assert await hands.kind(sort).create(concrete, tag) == handle
        assert len(await _computes(hands)) == 1


@pytest.mark.parametrize(
    ("call", "effect"),
    [
        ("POST /containers/create", "refuse"),
        ("POST /containers/create", "lose"),
        (r"PUT /containers/[0-9a-f]+/archive", "refuse"),
        (r"POST /containers/[0-9a-f]+/start", "refuse"),
        (r"POST /containers/[0-9a-f]+/start", "lose"),
    ],
)
async def test_a_creation_that_broke_off_is_finished_under_the_same_incarnation(
    subject: ContainersSubject, tmp_path: Path, call: str, effect: str
) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        compute, members = hands.parts("server", ["link"], user_data="x")
        concrete, tag = hands.concrete(compute, members), hands.tag("server")
        proxy.faults = [Fault(on=call, effect=effect)]
        with pytest.raises(VimUnavailable):
            await hands.kind("compute").create(concrete, tag)
        held = await hands.create(compute, members, tag=tag)
        await hands.ready(held)
        assert len(await _computes(hands)) == 1


async def test_a_search_after_a_creation_that_broke_off_leaves_nothing_half_made(
    subject: ContainersSubject, tmp_path: Path
) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        compute, members = hands.parts("server", ["link"], user_data="x")
        concrete, tag = hands.concrete(compute, members), hands.tag("server")
        proxy.faults = [Fault(on=r"PUT /containers/[0-9a-f]+/archive", effect="refuse")]
        with pytest.raises(VimUnavailable):
            await hands.kind("compute").create(concrete, tag)
        assert len(await _computes(hands)) == 1
        assert await hands.kind("compute").find(tag, concrete) is None
        assert await _computes(hands) == []


async def test_a_full_disk_is_told_and_nothing_is_left(subject: ContainersSubject, tmp_path: Path) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        compute, members = hands.parts("server", ["link"], user_data="x")
        proxy.faults = [
            Fault(on=r"PUT /containers/[0-9a-f]+/archive", effect="refuse", message="write: no space left on device")
        ]
        with pytest.raises(VimFull) as full:
            await hands.create(compute, members)
        assert full.value.code == "vim-disk-full"
        assert await _computes(hands) == []


async def test_an_engine_that_hangs_is_given_up_in_time(subject: ContainersSubject, tmp_path: Path) -> None:
    async with faulty(subject, tmp_path, timeout=3) as (proxy, hands):
        machine = hands.kind("network")
        proxy.faults = [Fault(on=r"GET /networks", effect="hang", times=100)]
        with pytest.raises(VimUnavailable) as late:
            await machine.read(hands.held[next(iter(hands.held))].handle)
        assert "3 s" in late.value.detail


async def test_a_look_that_fails_is_made_again_and_fails_nobody(subject: ContainersSubject, tmp_path: Path) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        compute, members = hands.parts("server", ["link"])
        held = await hands.create(compute, members)
        proxy.faults = [Fault(on=r"GET /containers/[0-9a-f]+/json", effect="refuse", status=503, times=3)]
        assert isinstance(await hands.status(held), Ready)
        assert proxy.faults[0].times == 0


async def test_an_update_that_broke_off_is_made_again(subject: ContainersSubject, tmp_path: Path) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        machine = await hands.machine("server", ["link"])
        off = _replace(machine.compute.resource.spec, power="off")
        ports = [port.resource for port in machine.ports]
        for call in (r"POST /containers/[0-9a-f]+/rename", r"POST /containers/[0-9a-f]+/stop"):
            for effect in ("refuse", "lose"):
                proxy.faults = [Fault(on=call, effect=effect)]
                with pytest.raises(VimUnavailable):
                    await hands.update(machine.compute, off, ports)
                stopped = await hands.update(machine.compute, off, ports)
                await hands.update(stopped, machine.compute.resource.spec, ports)


async def test_the_stream_of_events_says_when_it_is_lost(subject: ContainersSubject, tmp_path: Path) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        proxy.faults = [Fault(on="GET /events", effect="refuse", status=500)]
        stream = hands.driver.changes()
        assert stream is not None
        with pytest.raises(VimUnavailable):
            async for _ in stream:
                pass
        ended = hands.driver.changes()  # the proxy ends it at once
        assert ended is not None
        async with asyncio.timeout(5):
            assert [change async for change in ended] == []


async def test_networks_are_read_one_at_a_time_which_is_what_podman_survives(
    subject: ContainersSubject, tmp_path: Path
) -> None:
    async with faulty(subject, tmp_path) as (proxy, hands):
        await asyncio.gather(*(hands.driver.tagged() for _ in range(20)))
        assert proxy.most["GET /networks"] == 1
        assert proxy.most["GET /containers"] > 1
