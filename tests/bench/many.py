"""Many operations at once in one worker: what each costs, whether any starves, and what a parent of fifty adds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from fairlead.operations import RUNNING, Children, OperationState
from fairlead.resources import (
    Action,
    Attachment,
    ComputeSpec,
    DefaultRules,
    Failed,
    Gone,
    Handle,
    Name,
    NetworkSpec,
    Observed,
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
)
from tests.bench.figures import Figure, figure, median_of
from tests.bench.running import program, until_at_rest
from tests.support.bundles import add_bundle, request
from tests.support.running import PROJECT, Running

__all__ = ["children", "concurrent"]

_OPERATIONS = 1000
_AT_ONCE = 50
"""Requests under way at a time; the operations run all at once."""
_CHILDREN = 50
_FAMILY = VimId("family")


def machine(vim: VimId) -> list[Resource[Any]]:
    """Four resources in a chain of three."""
    net, port, disk, server = (Name(name) for name in ("net", "server/port", "server/disk", "server"))
    compute = ComputeSpec(label="server", ports=(Ref(port),), volumes=(Attachment(volume=Ref(disk), at="/data"),))
    return [
        Resource(name=net, spec=NetworkSpec(label="net", subnets=(Subnet(cidr="10.0.0.0/24"),)), vim=vim),
        Resource(name=port, spec=PortSpec(network=Ref(net)), vim=vim),
        Resource(name=disk, spec=VolumeSpec(size=2**30), vim=vim),
        Resource(name=server, spec=compute, vim=vim),
    ]


async def concurrent() -> list[Figure]:
    """A thousand operations of four resources each, all asked for at once, on a VIM with latencies of 1 s."""
    async with program(latency={"ready": 1.0}, cpus=1e6) as on:
        names = await _bundles(on, _OPERATIONS)
        asked, role = request(*machine(on.vim)), on.program.roles["bundle"]
        began_at: dict[str, float] = {}
        ended_at: dict[str, float] = {}
        accepting: list[float] = []
        gate = asyncio.Semaphore(_AT_ONCE)
        watching = asyncio.create_task(_ends(on, ended_at, _OPERATIONS))
        await asyncio.sleep(0.1)
        began, cpu = time.perf_counter(), time.process_time()

        async def one(bundle: str) -> None:
            async with gate:
                asked_at = time.perf_counter()
                operation = await on.program.operations.accept(PROJECT, role, bundle, "become", asked)
                accepting.append(time.perf_counter() - asked_at)
                began_at[operation] = asked_at

        await asyncio.gather(*(one(bundle) for bundle in names))
        await watching
        total, spent = time.perf_counter() - began, time.process_time() - cpu
    times = sorted(ended_at[operation] - began_at[operation] for operation in began_at)
    median = times[len(times) // 2]
    return [
        figure("1,000 operations: CPU of each", spent / _OPERATIONS * 1000, "ms", target=50.0),
        figure("1,000 operations: longest over median", times[-1] / median, target=2.0, note=f"median {median:.1f} s"),
        figure("1,000 operations: all done after", total, "s", note="4 resources each, 3 of 1 s in a chain"),
        median_of("1,000 operations: accepting one", [each * 1000 for each in accepting], "ms"),
    ]


async def children() -> list[Figure]:
    """A parent whose fifty resources are instances with an operation each, over one such operation by itself."""
    async with program(latency={"ready": 1.0}, cpus=1e6) as on:
        names = await _bundles(on, _CHILDREN)
        kin = Children(on.program.store, on.program.clock, on.program.operations, on.program.runner)
        on.program.vims.contribute(_FAMILY, _ChildKind(on, kin))
        alone, parent = await on.bundle(), await on.bundle()
        single, _ = await until_at_rest(on.program.events, lambda: on.become(alone, *machine(on.vim)))
        members: list[Resource[Any]] = [
            Resource(name=Name(f"member/{number}"), spec=ChildSpec(bundle=bundle), vim=_FAMILY)
            for number, bundle in enumerate(names)
        ]
        cpu = time.process_time()
        took, state = await until_at_rest(on.program.events, lambda: on.become(parent, *members))
        if state != OperationState.COMPLETED:
            raise RuntimeError(f"the parent ended in {state}")
        spent = time.process_time() - cpu
    note = f"one alone takes {single:.2f} s"
    return [
        figure("50 children of a parent: all done after", took, "s", note=note),
        figure("50 children of a parent: over one alone", took / single, target=2.0),
        figure("50 children of a parent: CPU of each", spent / _CHILDREN * 1000, "ms", target=50.0),
    ]


class ChildSpec(Spec, frozen=True, kw_only=True, tag="bench-child"):
    """An instance that becomes a machine."""

    bundle: str


class _ChildKind(DefaultRules):
    """Instances as resources of another instance, as a network service has its VNFs."""

    settling = 0.0

    def __init__(self, on: Running, kin: Children) -> None:
        self._on = on
        self._kin = kin

    async def create(self, resource: Resource[ChildSpec], tag: Tag) -> Handle:
        role = self._on.program.roles["bundle"]
        asked = request(*machine(self._on.vim))
        return Handle(await self._kin.start(tag, "create", role, resource.spec.bundle, "become", asked))

    async def find(self, tag: Tag, resource: Resource[ChildSpec]) -> Handle | None:
        found = await self._kin.find(tag, "create")
        return None if found is None else Handle(found.id)

    async def read(self, handle: Handle) -> Observed | None:
        return {"state": str((await self._on.show(handle)).state)}

    async def wait(self, handle: Handle, done: Callable[[Status, Observed | None], bool]) -> Status:
        stopped = await self._kin.stopped(handle)
        return self.status({"state": str(stopped.state)})

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        return Ready({"id": "child"}) if observed["state"] == "COMPLETED" else Failed(observed["state"])

    def settled(self, observed: Observed, spec: ChildSpec) -> bool:
        return True

    async def update(self, handle: Handle, old: ChildSpec, new: ChildSpec) -> None:
        """Nothing of it changes."""

    async def delete(self, handle: Handle) -> None:
        """The benchmark ends before."""

    async def perform(self, handle: Handle, action: Action) -> None:
        """It has no actions."""


async def _bundles(on: Running, number: int) -> Sequence[str]:
    names = [f"bundle-{index}" for index in range(number)]

    def write(tx: Any) -> None:
        for name in names:
            add_bundle(tx, PROJECT, name)

    await on.program.store.write(write)
    return names


async def _ends(on: Running, ended: dict[str, float], number: int) -> None:
    """Note when each operation comes to rest, until `number` have."""
    running = {str(state) for state in RUNNING}
    async for event in on.program.events.follow(None, 0):
        if event.type == "operation.state" and event.data["state"] not in running:
            if event.data["state"] != "COMPLETED":
                raise RuntimeError(f"an operation ended otherwise: {event.data}")
            ended[str(event.operation)] = time.perf_counter()
            if len(ended) == number:
                return
