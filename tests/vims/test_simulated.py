"""The simulated infrastructure: how long things take, what there is room for, what goes wrong, and what outlives a process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairlead.clock import SteppedClock, SystemClock
from fairlead.errors import Unprocessable, VimFull, VimRefused, VimUnavailable
from fairlead.resources import (
    Action,
    ComputeSpec,
    Failed,
    Gone,
    Handle,
    Name,
    NetworkSpec,
    Owner,
    Pending,
    PortSpec,
    Ready,
    Ref,
    Resource,
    Spec,
    Status,
    Subnet,
    Tag,
    VimId,
    VolumeSpec,
    new_incarnation,
)
from fairlead.vims import Access, Driver
from fairlead.vims.simulated import World
from fairlead.vims.simulated import driver as simulated
from tests.support.passing import advance, outcome, settle


class Nothing:
    """There are no artifacts."""

    async def fetch(self, artifact: str) -> Path:
        raise Unprocessable(f"There is no '{artifact}'.", code="artifact-missing")


def opened(clock: Any, state: Path | None = None, *, deployment: str = "d", **settings: Any) -> Driver:
    """A driver of a VIM with these settings, on the world in the file `state` or on one of its own."""
    interface = {"state": str(state)} if state else {}
    access = Access(
        id=new_incarnation(),
        name="sim",
        type="simulated",
        deployment=deployment,
        interface=interface,
        settings=settings,
    )
    return simulated.open(access, Nothing(), clock)


def tag(name: str, deployment: str = "d") -> Tag:
    return Tag(deployment, Owner("vnf-1"), Name(name), new_incarnation())


async def create(driver: Driver, name: str, spec: Spec, *, using: Tag | None = None) -> Handle:
    resource: Resource[Any] = Resource(Name(name), spec, VimId("sim"))
    return await driver.kinds[spec.sort()].create(resource, using or tag(name))


async def status(driver: Driver, sort: str, handle: Handle) -> Status:
    kind = driver.kinds[sort]
    return kind.status(await kind.read(handle))


DISK = VolumeSpec(size=1)
LINK = NetworkSpec(label="n", subnets=(Subnet(cidr="10.0.0.0/28", gateway="10.0.0.1"),))


# -- time ----------------------------------------------------------------------------------------------------------------


async def test_calls_readiness_and_endings_take_the_time_that_is_set(clock: SteppedClock) -> None:
    driver = opened(clock, latency={"call": 1.0, "ready": 10.0, "gone": 5.0})
    began = clock.now()
    handle = await outcome(clock, create(driver, "v", DISK))
    assert clock.now() == began + 1.0
    assert isinstance(await outcome(clock, status(driver, "volume", handle)), Pending)
    await advance(clock, 7.9)
    assert isinstance(await outcome(clock, status(driver, "volume", handle)), Pending)
    assert isinstance(await outcome(clock, status(driver, "volume", handle)), Ready)
    await outcome(clock, driver.kinds["volume"].delete(handle))
    assert isinstance(await outcome(clock, status(driver, "volume", handle)), Pending)
    await advance(clock, 4.0)
    assert isinstance(await outcome(clock, status(driver, "volume", handle)), Gone)


async def test_a_sort_may_have_times_of_its_own(clock: SteppedClock) -> None:
    driver = opened(clock, latency={"ready": 1.0}, latencies={"volume": {"ready": 100.0}})
    network, volume = await create(driver, "n", LINK), await create(driver, "v", DISK)
    await advance(clock, 2.0)
    assert isinstance(await status(driver, "network", network), Ready)
    assert isinstance(await status(driver, "volume", volume), Pending)


async def test_jitter_varies_each_time_within_its_bounds(clock: SteppedClock) -> None:
    driver = opened(clock, latency={"call": 100.0}, jitter=0.25)
    times = []
    for number in range(50):
        began = clock.now()
        await outcome(clock, create(driver, f"v{number}", DISK))
        times.append(clock.now() - began)
    assert 75.0 <= min(times) < 90.0
    assert 110.0 < max(times) <= 125.0


async def test_a_new_thing_is_found_by_its_tag_once_it_has_settled(clock: SteppedClock) -> None:
    driver = opened(clock, settling=5.0)
    mine = tag("v")
    handle = await create(driver, "v", DISK, using=mine)
    kind, resource = driver.kinds["volume"], Resource(Name("v"), DISK, VimId("sim"))
    assert await kind.find(mine, resource) is None
    assert kind.settling == 5.0
    await advance(clock, 5.0)
    assert await kind.find(mine, resource) == handle


# -- room ----------------------------------------------------------------------------------------------------------------


async def test_a_quota_is_kept_and_what_has_ended_makes_room(clock: SteppedClock) -> None:
    driver = opened(clock, quota={"volume": 2}, latency={"gone": 5.0})
    first = await create(driver, "v1", DISK)
    await create(driver, "v2", DISK)
    with pytest.raises(VimFull) as full:
        await create(driver, "v3", DISK)
    assert full.value.cause
    await driver.kinds["volume"].delete(first)
    with pytest.raises(VimFull):
        await create(driver, "v3", DISK)
    await advance(clock, 5.0)
    await create(driver, "v3", DISK)


async def test_cores_are_given_out_once(clock: SteppedClock) -> None:
    driver = opened(clock, cpus=4.0)
    await create(driver, "m1", ComputeSpec(label="m1", cpus=3.0))
    with pytest.raises(VimFull, match="free cores"):
        await create(driver, "m2", ComputeSpec(label="m2", cpus=1.5))
    await create(driver, "m3", ComputeSpec(label="m3", cpus=1.0))
    capacity = await driver.capacity()
    assert (capacity.cpus, capacity.used_cpus, capacity.instances) == (4.0, 4.0, 2)


async def test_addresses_are_given_out_once_and_a_full_network_gives_none(clock: SteppedClock) -> None:
    driver = opened(clock)
    network = await create(driver, "n", LINK)
    ports = [await create(driver, f"p{number}", PortSpec(network=network)) for number in range(13)]
    given = [(await status(driver, "port", port)).outputs["addresses"] for port in ports]  # type: ignore[union-attr]
    assert len(set(given)) == 13
    assert ("10.0.0.1",) not in given
    with pytest.raises(VimRefused, match="in use"):
        await create(driver, "p", PortSpec(network=network, addresses=given[3]))


async def test_an_address_can_be_changed_in_place_and_the_old_one_is_free_again(clock: SteppedClock) -> None:
    driver = opened(clock)
    network = await create(driver, "n", LINK)
    port = await create(driver, "p", PortSpec(network=network, addresses=("10.0.0.5",)))
    before = await status(driver, "port", port)
    new = PortSpec(network=network, addresses=("10.0.0.6",))
    await driver.kinds["port"].update(port, PortSpec(network=network, addresses=("10.0.0.5",)), new)
    after = await status(driver, "port", port)
    assert isinstance(before, Ready)
    assert isinstance(after, Ready)
    assert after.outputs["addresses"] == ("10.0.0.6",)
    assert after.outputs["mac"] == before.outputs["mac"]
    await create(driver, "q", PortSpec(network=network, addresses=("10.0.0.5",)))


# -- strictness ----------------------------------------------------------------------------------------------------------


async def test_what_is_in_use_cannot_be_deleted(clock: SteppedClock) -> None:
    driver = opened(clock)
    network = await create(driver, "n", LINK)
    port = await create(driver, "p", PortSpec(network=network))
    with pytest.raises(VimRefused, match="in use"):
        await driver.kinds["network"].delete(network)
    await driver.kinds["port"].delete(port)
    await driver.kinds["network"].delete(network)
    assert isinstance(await status(driver, "network", network), Gone)


async def test_what_refers_to_nothing_is_refused(clock: SteppedClock) -> None:
    driver = opened(clock)
    with pytest.raises(VimRefused, match="There is no"):
        await create(driver, "p", PortSpec(network="nowhere"))
    with pytest.raises(VimRefused, match="not resolved"):
        await create(driver, "p", PortSpec(network=Ref(Name("n"))))
    assert await driver.tagged() == []


async def test_each_deployment_sees_its_own(clock: SteppedClock, tmp_path: Path) -> None:
    mine, theirs = opened(clock, tmp_path / "w"), opened(clock, tmp_path / "w", deployment="other")
    await create(mine, "v", DISK)
    assert [thing.tag.name for thing in await mine.tagged()] == ["v"]
    assert await theirs.tagged() == []


async def test_networks_of_somebody_else_are_there_from_the_beginning(clock: SteppedClock) -> None:
    driver = opened(clock, networks={"outside": "192.0.2.0/24"})
    assert isinstance(await status(driver, "network", Handle("outside")), Ready)
    assert await driver.tagged() == []


@pytest.mark.parametrize(
    "settings",
    [
        {"jitter": 2.0},
        {"latency": {"call": -1.0}},
        {"colour": "red"},
        {"faults": [{"on": "create", "effect": "explode"}]},
        {"faults": [{"effect": "refused"}]},
        {"quota": {"volume": "many"}},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as refused:
        opened(SystemClock(), **settings)
    assert (refused.value.code, refused.value.place) == ("bad-vim-settings", "settings")


# -- faults --------------------------------------------------------------------------------------------------------------


def fault(on: str, effect: str, **fields: Any) -> dict[str, Any]:
    return {"on": on, "effect": effect, **fields}


@pytest.mark.parametrize(
    ("effect", "error", "things"),
    [("unavailable", VimUnavailable, 0), ("refused", VimRefused, 0), ("full", VimFull, 0), ("lost", VimUnavailable, 1)],
)
async def test_a_creation_that_goes_wrong(
    clock: SteppedClock, effect: str, error: type[Exception], things: int
) -> None:
    driver = opened(clock, faults=[fault("create", effect, detail="so it goes")])
    with pytest.raises(error) as raised:
        await create(driver, "v", DISK)
    assert raised.value.resource == "v"  # type: ignore[attr-defined]
    assert effect == "lost" or "so it goes" in raised.value.cause  # type: ignore[attr-defined]
    assert len(await driver.tagged()) == things


@pytest.mark.parametrize("call", ["create", "update"])
@pytest.mark.parametrize(
    ("effect", "later"), [("failed", Failed), ("vanish", Gone), ("stuck", Pending)], ids=["failed", "vanish", "stuck"]
)
async def test_what_shows_later(clock: SteppedClock, call: str, effect: str, later: type[Status]) -> None:
    driver = opened(clock, latency={"ready": 5.0}, faults=[fault(call, effect, detail="so it goes")])
    handle = await create(driver, "v", DISK)
    if call == "update":
        await driver.kinds["volume"].update(handle, DISK, VolumeSpec(size=2))
    assert isinstance(await status(driver, "volume", handle), Pending)
    await advance(clock, 1000.0 if effect == "stuck" else 5.0)
    seen = await status(driver, "volume", handle)
    assert isinstance(seen, later)
    if isinstance(seen, Failed):
        assert seen.reason == "so it goes"
        assert seen.console


@pytest.mark.parametrize(("effect", "later"), [("failed", Failed), ("stuck", Pending)])
async def test_a_deletion_that_does_not_end_can_be_asked_for_again(
    clock: SteppedClock, effect: str, later: type[Status]
) -> None:
    driver = opened(clock, latency={"gone": 5.0}, faults=[fault("delete", effect)])
    handle = await create(driver, "v", DISK)
    await driver.kinds["volume"].delete(handle)
    await advance(clock, 1000.0)
    assert isinstance(await status(driver, "volume", handle), later)
    await driver.kinds["volume"].delete(handle)
    await advance(clock, 5.0)
    assert isinstance(await status(driver, "volume", handle), Gone)


@pytest.mark.parametrize("call", ["create", "read", "find", "update", "delete", "observe", "tagged", "perform"])
async def test_any_call_may_fail(clock: SteppedClock, call: str) -> None:
    driver = opened(clock, faults=[fault(call, "unavailable")])
    volume = driver.kinds["volume"]
    calls: dict[str, Any] = {
        "create": lambda: create(driver, "v", DISK),
        "read": lambda: volume.read(Handle("x")),
        "find": lambda: volume.find(tag("v"), Resource(Name("v"), DISK, VimId("sim"))),
        "update": lambda: volume.update(Handle("x"), DISK, DISK),
        "delete": lambda: volume.delete(Handle("x")),
        "observe": lambda: driver.observe({"volume": {Handle("x")}}),
        "tagged": driver.tagged,
        "perform": lambda: driver.kinds["compute"].perform(Handle("x"), Action(id="1", kind="stop")),
    }
    with pytest.raises(VimUnavailable):
        await calls[call]()


async def test_a_fault_happens_as_often_as_it_is_to_and_after_as_many_calls(clock: SteppedClock) -> None:
    driver = opened(clock, faults=[fault("create", "refused", after=2, times=3)])
    results = [await _refused(driver, f"v{number}") for number in range(8)]
    assert results == [False, False, True, True, True, False, False, False]


async def test_a_fault_may_happen_always_and_to_some_only(clock: SteppedClock) -> None:
    driver = opened(clock, faults=[fault("create", "refused", name="bad/*", times=0)])
    results = [await _refused(driver, name) for name in ("bad/1", "good/1", "bad/2", "bad/1")]
    assert results == [True, False, True, True]
    driver = opened(clock, faults=[fault("*", "unavailable", sort="network", times=0)])
    await create(driver, "v", DISK)
    with pytest.raises(VimUnavailable):
        await create(driver, "n", LINK)


async def _refused(driver: Driver, name: str) -> bool:
    try:
        await create(driver, name, DISK)
    except VimRefused:
        return True
    return False


async def test_faults_are_counted_in_the_world_whoever_opens_it_again(clock: SteppedClock, tmp_path: Path) -> None:
    results = []
    for number in range(4):
        World.forget_all()
        driver = opened(clock, tmp_path / "w", faults=[fault("create", "refused", times=2)])
        results.append(await _refused(driver, f"v{number}"))
    assert results == [True, True, False, False]


async def test_a_vim_that_is_down_answers_nothing_and_says_so_when_asked(clock: SteppedClock) -> None:
    driver = opened(clock, down=True)
    with pytest.raises(VimUnavailable):
        await driver.tagged()
    check = await driver.check()
    assert not check.reachable
    assert check.findings[0].severity == "error"


# -- other processes -----------------------------------------------------------------------------------------------------


_CREATE = """
import asyncio, sys
from pathlib import Path
from fairlead.clock import SystemClock
from tests.vims.test_simulated import DISK, LINK, create, opened, tag
from fairlead.resources import Handle, PortSpec
"""


def run(code: str) -> subprocess.Popen[str]:
    """Another process."""
    return subprocess.Popen([sys.executable, "-c", _CREATE + code], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("effect", "things"), [("crash-before", 0), ("crash-after", 1)])
async def test_a_crash_kills_the_process_before_or_after_the_call(tmp_path: Path, effect: str, things: int) -> None:
    path = tmp_path / "w"
    settings = f"faults=[dict(on='create', effect='{effect}')]"
    child = run(f"asyncio.run(create(opened(SystemClock(), Path({str(path)!r}), {settings}), 'v', DISK))")
    assert await asyncio.to_thread(child.wait) == -signal.SIGKILL
    assert len(await opened(SystemClock(), path).tagged()) == things


async def test_the_world_is_as_it_was_when_it_is_opened_again(clock: SteppedClock, tmp_path: Path) -> None:
    first = opened(clock, tmp_path / "w")
    network = await create(first, "n", LINK)
    port = await create(first, "p", PortSpec(network=network))
    before = await status(first, "port", port)
    await first.close()
    World.forget_all()
    again = opened(clock, tmp_path / "w")
    assert await status(again, "port", port) == before
    assert {thing.tag.name for thing in await again.tagged()} == {"n", "p"}
    with pytest.raises(VimRefused):
        await again.kinds["network"].delete(network)


async def test_processes_that_create_at_once_get_what_nobody_else_has(tmp_path: Path) -> None:
    path = tmp_path / "w"
    link = NetworkSpec(label="n", subnets=(Subnet(cidr="10.0.0.0/24"),))
    network = await create(opened(SystemClock(), path), "n", link)
    work = f"""
async def main():
    driver = opened(SystemClock(), Path({str(path)!r}))
    for number in range(25):
        await create(driver, f"p{{number}}", PortSpec(network=Handle({str(network)!r})))
asyncio.run(main())
"""
    children = [run(work) for _ in range(3)]
    assert [await asyncio.to_thread(child.wait) for child in children] == [0, 0, 0]
    addresses = [tuple(thing.outputs["addresses"]) for thing in World(str(path)).all("port")]
    assert len(addresses) == len(set(addresses)) == 75


# -- push ----------------------------------------------------------------------------------------------------------------


async def test_with_push_it_tells_when_something_has_changed_and_not_before(clock: SteppedClock) -> None:
    driver = opened(clock, push=True, latency={"ready": 10.0, "gone": 5.0})
    stream = driver.changes()
    assert stream is not None
    told: list[tuple[str, Handle]] = []

    async def listen() -> None:
        assert stream is not None
        async for change in stream:
            told.append(change)

    listening = asyncio.ensure_future(listen())
    await settle()
    handle = await create(driver, "v", DISK)
    await advance(clock, 9.0)
    assert told == []
    await advance(clock, 1.0)
    assert told == [("volume", handle)]
    await driver.kinds["volume"].delete(handle)
    await advance(clock, 5.0)
    assert len(told) == 2
    await driver.close()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening


async def test_without_push_it_has_no_stream(clock: SteppedClock) -> None:
    assert opened(clock).changes() is None
