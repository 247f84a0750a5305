"""The operations that are killed at every point, and the stages from which they start.

A stage is reached by ordinary operations before any killing begins. A case says how its operation is begun, what to do
when it turns out not to have been accepted before the kill, and in which state it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.errors import Conflict
from fairlead.main.program import Program
from fairlead.operations.tables import operations
from fairlead.sol import (
    CreateVnfRequest,
    ExtVirtualLinkData,
    HealVnfRequest,
    InstantiateVnfRequest,
    OperateVnfRequest,
    ScaleType,
    ScaleVnfRequest,
    ScaleVnfToLevelRequest,
    StopType,
    TerminateVnfRequest,
    TerminationType,
    VnfExtCpConfig,
    VnfExtCpData,
    VnfInfoModificationRequest,
    VnfOperationalState,
)
from fairlead.vims.simulated import World
from fairlead.vims.simulated.world import Thing
from fairlead.vnf import vnf_instances
from tests.support.connecting import CONNECTED
from tests.support.packages import VNFD, VNFD_ID, small_package

__all__ = ["CASES", "Case", "Setting", "prepare"]

replace = msgspec.structs.replace

PROJECT = "default"
STOPPED = {"COMPLETED", "FAILED_TEMP", "FAILED", "ROLLED_BACK"}


class Setting:
    """A running program in its data directory."""

    def __init__(self, program: Program, data: Path) -> None:
        self.program = program
        self.data = data
        self.vnf = ""

    @property
    def world(self) -> World:
        """What is in the simulated VIM."""
        return World.at(str(self.data / "world.db"), "sim")

    async def look(self) -> None:
        """Find the instance that the stage made."""
        columns = vnf_instances.c
        row = await self.program.store.read(lambda tx: tx.first(tx.select(vnf_instances, columns.id)))
        self.vnf = row.id if row is not None else ""

    async def set_faults(self, faults: list[dict[str, Any]]) -> None:
        """What is to go wrong in the VIM from now on; no other setting stays."""
        await self.program.vims.update(PROJECT, "sim", {"settings": {"faults": faults}})
        await self.look()

    async def last(self) -> tuple[str, str, str] | None:
        """The id, type and state of the newest operation."""
        columns = operations.c
        row = await self.program.store.read(
            lambda tx: tx.first(
                tx.select(operations, columns.id, columns.type, columns.state).order_by(columns.started.desc()).limit(1)
            )
        )
        return (row.id, row.type, row.state) if row is not None else None

    async def number(self) -> int:
        """How many operations have been accepted."""
        count = sa.func.count()
        return int(await self.program.store.read(lambda tx: tx.scalar(tx.select(operations, count))))

    async def stopped(self, operation: str) -> str:
        """The state of an operation once it has stopped."""
        while True:
            state = (await self.program.operations.show(PROJECT, operation)).state
            if state in STOPPED:
                return str(state)
            await asyncio.sleep(0.01)

    async def do(self, operation: str, request: Any) -> str:
        """Do an operation; the state in which it stopped."""
        await self.look()
        return await self.stopped(await self.program.vnfs.begin(PROJECT, self.vnf, operation, request))


async def _chunks(stage: str) -> AsyncIterator[bytes]:
    yield small_package(CONNECTED if "connected" in stage else VNFD)


_LINK = ExtVirtualLinkData(
    id="operator",
    resource_id="outside",
    ext_cps=(VnfExtCpData(cpd_id="outside", cp_config={"first": VnfExtCpConfig()}),),
)
_INSTANTIATE = InstantiateVnfRequest(flavour_id="simple", instantiation_level_id="more", ext_virtual_links=(_LINK,))
_CONNECTED = replace(_INSTANTIATE, instantiation_level_id="least")
_OUT = ScaleVnfRequest(type=ScaleType.SCALE_OUT, aspect_id="workers")
_IN = ScaleVnfRequest(type=ScaleType.SCALE_IN, aspect_id="workers")
_STOP = OperateVnfRequest(
    change_state_to=VnfOperationalState.STOPPED, stop_type=StopType.GRACEFUL, graceful_stop_timeout=1
)
_START = OperateVnfRequest(change_state_to=VnfOperationalState.STARTED)
_TERMINATE = TerminateVnfRequest(termination_type=TerminationType.GRACEFUL, graceful_termination_timeout=1)
_FAILING = [{"on": "create", "effect": "refused", "sort": "compute", "name": "worker/*", "times": 1}]
_STUCK_DELETE = [{"on": "delete", "effect": "refused", "sort": "volume", "times": 1}]


async def prepare(setting: Setting, stage: str) -> None:
    """Bring a fresh program to `stage`."""
    program = setting.program
    package = await program.catalogue.create(PROJECT, {})
    await program.catalogue.upload(PROJECT, package.id, _chunks(stage))
    await program.catalogue.idle()
    world = str(setting.data / "world.db")
    await program.vims.register(PROJECT, {"name": "sim", "type": "simulated", "interface": {"state": world}})
    outside = {"subnets": [{"cidr": "192.0.2.0/24"}]}
    setting.world.put(
        Thing(handle="outside", sort="network", tag={}, spec=outside, outputs={"id": "outside"}, created=0, due=0)
    )
    await program.vnfs.create(PROJECT, CreateVnfRequest(vnfd_id=VNFD_ID, vnf_instance_name="small"))
    for faults, operation, request, state in _STAGES[stage]:
        await setting.set_faults(faults)
        reached = await setting.do(operation, request)
        if reached != state:
            raise RuntimeError(f"stage {stage}: {operation} ended in {reached}")
    await setting.set_faults([])
    if stage == "drifted":
        _drift(setting.world)


def _drift(world: World) -> None:
    """Stop a machine, take away another and a port, and leave something that nobody knows of."""
    things = {thing.tag["name"]: thing for thing in world.all() if thing.tag}
    first = things["worker/k1"]
    world.put(replace(first, spec={**first.spec, "power": "off"}))
    world.remove(things["worker/k2"].handle)
    world.remove(
        next(thing.handle for name, thing in things.items() if name.startswith("worker/k1/") and thing.sort == "port")
    )
    tag = {**first.tag, "incarnation": "0" * 16, "name": "worker/k9"}
    world.put(replace(first, handle="compute-stray", tag=tag, spec={**first.spec, "ports": [], "volumes": []}))


_UP: tuple[list[dict[str, Any]], str, Any, str] = ([], "instantiate", _INSTANTIATE, "COMPLETED")
_STAGES: dict[str, list[tuple[list[dict[str, Any]], str, Any, str]]] = {
    "created": [],
    "up": [_UP],
    "down": [_UP, ([], "operate", _STOP, "COMPLETED")],
    "drifted": [_UP],
    "connected, created": [],
    "connected, up": [([], "instantiate", _CONNECTED, "COMPLETED")],
    "half up": [(_FAILING, "instantiate", _INSTANTIATE, "FAILED_TEMP")],
    "half out": [_UP, (_FAILING, "scale", _OUT, "FAILED_TEMP")],
    "half in": [_UP, (_STUCK_DELETE, "scale", _IN, "FAILED_TEMP")],
    "half gone": [_UP, (_STUCK_DELETE, "terminate", _TERMINATE, "FAILED_TEMP")],
}


@dataclass(frozen=True)
class Case:
    """`begin` starts it."""

    name: str
    stage: str
    begin: Callable[[Setting], Awaitable[Any]]
    before: str | None = None
    """The state of the stage's operation that this case goes on with; None for one of its own."""

    async def run(self, setting: Setting) -> str:
        """Begin it, and wait for its end."""
        await setting.look()
        await self.begin(setting)
        return await self._end(setting)

    async def resume(self, setting: Setting) -> str:
        """Wait for its end, begun before or, when it was not accepted then, begun now."""
        await setting.look()
        last = await setting.last()
        if self.before is None:
            accepted = await setting.number() > len(_STAGES[self.stage])
        else:
            accepted = last is not None and last[2] != self.before
        if not accepted:
            await self.begin(setting)
        return await self._end(setting)

    async def _end(self, setting: Setting) -> str:
        last = await setting.last()
        if last is None:
            raise RuntimeError("no operation was accepted")
        return await setting.stopped(last[0])


def _operation(type_: str, request: Any) -> Callable[[Setting], Awaitable[Any]]:
    async def begin(setting: Setting) -> None:
        await setting.program.vnfs.begin(PROJECT, setting.vnf, type_, request)

    return begin


def _word(word: str) -> Callable[[Setting], Awaitable[Any]]:
    async def begin(setting: Setting) -> None:
        last = await setting.last()
        assert last is not None
        try:
            await getattr(setting.program.occurrences, word)(PROJECT, last[0])
        except Conflict as error:
            if error.code != "wrong-operation-state":
                raise

    return begin


def _own(name: str, stage: str, type_: str, request: Any) -> Case:
    return Case(name, stage, _operation(type_, request))


def _after_failure(name: str, stage: str, word: str) -> Case:
    return Case(name, stage, _word(word), before="FAILED_TEMP")


_LEVEL = ScaleVnfToLevelRequest(instantiation_level_id="least")

CASES = {
    case.name: case
    for case in (
        _own("instantiate", "created", "instantiate", _INSTANTIATE),
        _own("scale-out", "up", "scale", _OUT),
        _own("scale-in", "up", "scale", _IN),
        _own("scale-to-level", "up", "scale_to_level", _LEVEL),
        _own("heal-one", "up", "heal", HealVnfRequest(vnfc_instance_id=("worker-k1",))),
        _own("heal-all", "up", "heal", HealVnfRequest(additional_params={"all": True})),
        _own("repair", "drifted", "heal", HealVnfRequest(additional_params={"drifted": True})),
        _own("stop", "up", "operate", _STOP),
        _own("start", "down", "operate", _START),
        _own("modify", "up", "modify", VnfInfoModificationRequest(metadata={"a": "b"})),
        _own("terminate", "up", "terminate", _TERMINATE),
        _own("instantiate-connected", "connected, created", "instantiate", _CONNECTED),
        _own("heal-connected", "connected, up", "heal", HealVnfRequest(vnfc_instance_id=("worker-k1",))),
        _own("terminate-connected", "connected, up", "terminate", _TERMINATE),
        _after_failure("retry-instantiate", "half up", "retry"),
        _after_failure("rollback-instantiate", "half up", "rollback"),
        _after_failure("rollback-scale-out", "half out", "rollback"),
        _after_failure("rollback-scale-in", "half in", "rollback"),
        _after_failure("retry-terminate", "half gone", "retry"),
        _after_failure("rollback-terminate", "half gone", "rollback"),
    )
}
"""All cases, by name."""
