"""The whole program at work on a simulated VIM: what tests of operations, of VNFs and of faults begin with.

`Running` is a started `Program` with one registered VIM, whose world the test can look into and meddle with, an outside
network in it, the small package on demand, and the role of bundles. In place of the execution engine, which can be there
once in a process and takes a second to stop, stands a peer: `Tasks` starts what it is told in the same event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from fairlead.clock import Clock, SteppedClock
from fairlead.events import Event
from fairlead.main.program import Program
from fairlead.operations import RUNNING, Execution, Operation, OperationState, read_records
from fairlead.operations.execution import Run
from fairlead.resources import Records, Resource, VimId
from fairlead.settings import load_settings
from fairlead.sol import (
    CpProtocolData,
    CreateVnfRequest,
    ExtVirtualLinkData,
    InstantiateVnfRequest,
    IpAddressData,
    IpOverEthernetAddressData,
    IpType,
    LayerProtocol,
    VnfExtCpConfig,
    VnfExtCpData,
    VnfLcmOpOcc,
)
from fairlead.vims.simulated import World, driver
from fairlead.vims.simulated.world import Thing
from tests.support.bundles import BundleRole, add_bundle, request
from tests.support.packages import VNFD_ID, small_package

__all__ = ["OUTSIDE", "OUTSIDE_ADDRESS", "PROJECT", "Running", "Tasks", "eventually", "instantiate_request", "running"]

T = TypeVar("T")
PROJECT = "default"
OUTSIDE = "outside"
"""The handle of the network that is there before anything of ours."""
OUTSIDE_ADDRESS = "192.0.2.7"
"""The address that `instantiate_request` asks for on it."""
_LOOK = 0.005
_PATIENCE = 60.0


async def eventually(
    look: Callable[[], Awaitable[T]],
    *,
    patience: float = _PATIENCE,
    what: str = "it",
    clock: SteppedClock | None = None,
    step: float = 1.0,
) -> T:
    """What `look` returns once that is true; a failure that says so after `patience` seconds of real time.

    With a `clock`, that is stepped on by `step` seconds after each look.
    """
    end = time.monotonic() + patience
    while not (found := await look()):
        assert time.monotonic() < end, f"{what} has not come about within {patience:g} s; the last look: {found!r}"
        await asyncio.sleep(_LOOK)
        if clock is not None:
            clock.step(step)
    return found


class Tasks:
    """An execution engine that is nothing but tasks of the event loop, and forgets all when it stops.

    `held` keeps what is enqueued from being started until `release` is called, so that a test can put something before.
    """

    def __init__(self, *, held: bool = False) -> None:
        self.held = held
        self.enqueued: list[tuple[str, int]] = []
        self._run: Run | None = None
        self._seen: set[tuple[str, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, run: Run | None) -> None:
        self._run = run

    async def enqueue(self, operation: str, epoch: int, depth: int) -> None:
        if (operation, epoch) in self._seen:
            return
        self._seen.add((operation, epoch))
        self.enqueued.append((operation, epoch))
        if not self.held:
            self.begin(operation, epoch)

    def begin(self, operation: str, epoch: int) -> asyncio.Task[None]:
        """Run an operation at an epoch now, as often as this is called."""
        assert self._run is not None
        task = asyncio.ensure_future(self._run(operation, epoch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def release(self) -> None:
        """Start what was held, and hold nothing from now on."""
        self.held = False
        for operation, epoch in self.enqueued:
            self.begin(operation, epoch)

    async def clear(self, worker: str) -> None:
        """There is nothing of another worker here."""

    async def forget(self, older_than: float) -> int:
        return 0

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Running:
    """A started program, and words in which a test says what it does with it."""

    def __init__(self, program: Program, world: World, vim: VimId) -> None:
        self.program = program
        self.world = world
        self.vim = vim

    # -- the VIM -----------------------------------------------------------------------------------------------------

    async def behave(self, **settings: Any) -> None:
        """Have the VIM behave so from the next plan on (see `Behaviour`)."""
        await self.program.vims.update(PROJECT, self.vim, {"settings": settings})
        await self.program.vims.prepare([self.vim], at_once=True)

    async def fault(self, on: str, effect: str, **more: Any) -> None:
        """Have one fault, and no other special behaviour."""
        await self.behave(faults=[{"on": on, "effect": effect, "detail": f"fault {uuid.uuid4().hex[:6]}", **more}])

    def things(self, sort: str | None = None) -> list[Thing]:
        """What is in the VIM, without the outside network."""
        now = self.program.clock.now()
        over = {thing.handle for thing in self.world.all(sort) if thing.fate == "gone" and thing.due <= now}
        return [thing for thing in self.world.all(sort) if thing.handle not in {OUTSIDE, *over}]

    def names(self, sort: str | None = None) -> list[str]:
        """The names under which what is in the VIM was made, sorted; one that is there twice is listed twice."""
        return sorted(thing.tag["name"] for thing in self.things(sort))

    def picture(self, owner: str | None = None) -> dict[str, dict[str, Any]]:
        """What is in the VIM by name, with all that a replacement must not change: addresses, MACs, sizes, power.

        Handles and incarnations differ from one life to the next and are left out, so two pictures can be compared.
        """
        found = {}
        for thing in self.things():
            if owner is None or thing.tag["owner"] == owner:
                spec = {field: value for field, value in thing.spec.items() if field not in _BY_HANDLE}
                outputs = {field: value for field, value in thing.outputs.items() if field != "id"}
                assert thing.tag["name"] not in found, f"{thing.tag['name']} is there twice"
                found[thing.tag["name"]] = {"sort": thing.sort, "fate": thing.fate, "spec": spec, "outputs": outputs}
        return found

    # -- bundles -----------------------------------------------------------------------------------------------------

    async def bundle(self, name: str | None = None) -> str:
        """The id of a new, empty bundle."""
        made = name or str(uuid.uuid4())
        await self.program.store.write(lambda tx: add_bundle(tx, PROJECT, made), PROJECT)
        return made

    async def become(
        self, bundle: str, *resources: Resource[Any], taint: tuple[str, ...] = (), on_failure: str = "stop", **more: Any
    ) -> str:
        """Accept that `bundle` is to be exactly `resources`; the operation's id."""
        asked = request(*resources, taint=taint, on_failure=on_failure)
        role = self.program.roles["bundle"]
        return await self.program.operations.accept(PROJECT, role, bundle, "become", asked, **more)

    async def made(self, bundle: str, *resources: Resource[Any], **more: Any) -> str:
        """`become`, and wait until it is COMPLETED."""
        operation = await self.become(bundle, *resources, **more)
        await self.reached(operation, OperationState.COMPLETED)
        return operation

    # -- VNFs --------------------------------------------------------------------------------------------------------

    async def package(self, content: bytes | None = None) -> str:
        """Onboard a package, by default the small one; its id."""
        catalogue = self.program.catalogue
        made = await catalogue.create(PROJECT, {})

        async def chunks() -> AsyncIterator[bytes]:
            yield small_package() if content is None else content

        await catalogue.upload(PROJECT, made.id, chunks())
        await catalogue.idle()
        shown = await catalogue.show(PROJECT, made.id)
        assert str(shown.onboarding_state) == "ONBOARDED", shown
        return made.id

    async def vnf(self, name: str = "small") -> str:
        """The id of a new VNF instance of the small package."""
        made = await self.program.vnfs.create(PROJECT, CreateVnfRequest(vnfd_id=VNFD_ID, vnf_instance_name=name))
        return made.id

    async def begin(self, vnf: str, operation: str, asked: msgspec.Struct, **more: Any) -> str:
        """Begin an operation of a VNF; its id."""
        return await self.program.vnfs.begin(PROJECT, vnf, operation, asked, **more)

    async def do(self, vnf: str, operation: str, asked: msgspec.Struct, **more: Any) -> VnfLcmOpOcc:
        """`begin`, wait until it is COMPLETED, and return what ETSI's view says of it."""
        id_ = await self.begin(vnf, operation, asked, **more)
        await self.reached(id_, OperationState.COMPLETED)
        return await self.program.occurrences.show(PROJECT, id_)

    async def instantiated(self, name: str = "small", **more: Any) -> str:
        """The id of a new VNF instance that is instantiated."""
        vnf = await self.vnf(name)
        await self.do(vnf, "instantiate", instantiate_request(**more))
        return vnf

    # -- looking -----------------------------------------------------------------------------------------------------

    async def show(self, operation: str) -> Operation:
        """The operation as it is stored."""
        return await self.program.operations.show(None, operation)

    async def stopped(self, operation: str, *, step: float = 0.0) -> Operation:
        """The operation once no worker should have it in hand any more; a stepped clock moves by `step` meanwhile."""

        async def look() -> Operation | None:
            found = await self.show(operation)
            return found if found.state not in RUNNING else None

        return _there(await eventually(look, what=f"the end of {operation}", clock=self._clock(step), step=step))

    async def reached(self, operation: str, state: OperationState, *, step: float = 0.0) -> Operation:
        """The operation once it is in `state`; a failure when it stops in another one."""

        async def look() -> Operation | None:
            found = await self.show(operation)
            astray = found.state not in RUNNING and found.state is not state
            assert not astray, f"{found.type} is {found.state}, not {state}: {found.error}"
            return found if found.state is state else None

        return _there(await eventually(look, what=f"{operation} in {state}", clock=self._clock(step), step=step))

    def _clock(self, step: float) -> SteppedClock | None:
        clock = self.program.clock
        return clock if step and isinstance(clock, SteppedClock) else None

    async def records(self, owner: str) -> Records:
        """The rows of an instance."""
        return await self.program.store.read(lambda tx: read_records(tx, owner))

    async def step_begun(self, operation: str, step: str, mark: str = "accepted") -> dict[str, Any]:
        """A step of the operation once it has the mark `started`, `accepted` or `ended`."""

        async def look() -> dict[str, Any] | None:
            timeline = await self.program.operations.timeline(PROJECT, operation)
            found: list[dict[str, Any]] = [one for one in timeline["steps"] if one["id"] == step and one[mark]]
            return found[-1] if found else None

        return _there(await eventually(look, what=f"'{step}' {mark}"))

    async def events(self, *, subject: str | None = None, operation: str | None = None) -> list[Event]:
        """All events of a subject or an operation, in order."""
        return await self.program.events.read(None, limit=1000, subject=subject, operation=operation)


def _there(found: T | None) -> T:
    assert found is not None
    return found


_BY_HANDLE = {
    *("network", "image", "ports", "volumes", "groups", "addresses", "mac", "port", "router", "security_groups", "qos"),
    *("trunks", "subports", "allowed_addresses", "address"),
}
"""What a spec has by handle, or what the outputs have as well: an address may have been the VIM's choice first."""


@contextlib.asynccontextmanager
async def running(
    url: str,
    directory: Path,
    *,
    clock: Clock | None = None,
    execution: Execution | None = None,
    engine: bool = False,
    settings: Mapping[str, Any] | None = None,
    behaviour: Mapping[str, Any] | None = None,
    world: str = "world.db",
    program: Callable[..., Program] = Program,
) -> AsyncIterator[Running]:
    """A program on the database `url`, started and stopped again. `directory` holds its files and the VIM's world.

    Starting it again on the same database and directory finds the VIM registered. It runs on `Tasks` unless the test
    asks for the real execution engine with `engine`.
    """
    given = {"data": str(directory), "store.url": url, "store.patience": 5.0, **(settings or {})}
    loaded = load_settings(overrides=given, environment={})
    if execution is None and not engine:
        execution = Tasks()
    made = program(loaded, clock=clock, types={"simulated": driver}, roles=[BundleRole()], execution=execution)
    await made.start()
    try:
        path = str(directory / world)
        registered = {one["name"]: one["id"] for one in await made.vims.list(PROJECT)}
        if "sim" not in registered:
            document = {"name": "sim", "type": "simulated", "interface": {"state": path}, "default": True}
            shown = await made.vims.register(PROJECT, {**document, "settings": dict(behaviour or {})})
            registered["sim"] = shown["id"]
        vim = VimId(registered["sim"])
        place = World.at(path, vim)
        place.put(outside(made.clock.now()))
        await made.vims.prepare([vim])
        yield Running(made, place, vim)
    finally:
        await made.stop()


def outside(now: float) -> Thing:
    """A network of somebody else's."""
    spec = {"subnets": [{"cidr": "192.0.2.0/24"}]}
    values: dict[str, Any] = {"tag": {}, "spec": spec, "outputs": {"id": OUTSIDE}, "created": now, "due": now}
    return Thing(handle=OUTSIDE, sort="network", **values)


def instantiate_request(
    *, address: str | None = OUTSIDE_ADDRESS, level: str | None = None, parameters: dict[str, Any] | None = None
) -> InstantiateVnfRequest:
    """A request to instantiate the small VNF with its outer connection point on the outside network."""
    asked = () if address is None else (IpAddressData(type=IpType.IPV4, fixed_addresses=(address,)),)
    ethernet = IpOverEthernetAddressData(ip_addresses=asked)
    protocol = CpProtocolData(layer_protocol=LayerProtocol.IP_OVER_ETHERNET, ip_over_ethernet=ethernet)
    config: dict[str, VnfExtCpConfig | None] = {"first": VnfExtCpConfig(cp_protocol_data=(protocol,))}
    point = VnfExtCpData(cpd_id="outside", cp_config=config)
    link = ExtVirtualLinkData(id="outside", resource_id=OUTSIDE, ext_cps=(point,))
    return InstantiateVnfRequest(
        flavour_id="simple",
        instantiation_level_id=level,
        ext_virtual_links=(link,),
        additional_params=parameters or {},
    )
