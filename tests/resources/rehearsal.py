"""The engine at work on a simulated infrastructure, with a journal in memory and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fairlead.clock import SteppedClock
from fairlead.resources import (
    Applied,
    CancelMode,
    ComputeSpec,
    Handle,
    ImageSpec,
    Kind,
    Name,
    NetworkSpec,
    Observed,
    OnFailure,
    Ownership,
    Plan,
    PortSpec,
    Records,
    Ref,
    Resource,
    Rules,
    Status,
    Step,
    Subnet,
    VimId,
    VolumeSpec,
    apply,
    diff,
)
from fairlead.vims import Watcher
from fairlead.vims.simulated import Behaviour, World
from fairlead.vims.simulated.behaviour import Fault, Latency
from fairlead.vims.simulated.driver import SimulatedDriver
from fairlead.vims.simulated.rules import RULES
from fairlead.vims.simulated.world import Thing
from tests.support.memory_journal import DEPLOYMENT, Ledger, MemoryJournal
from tests.support.passing import outcome, settle

__all__ = [
    "VIM",
    "Rehearsal",
    "Wish",
    "compute",
    "fault",
    "given_network",
    "image",
    "latency",
    "network",
    "port",
    "volume",
]

T = TypeVar("T")
VIM = VimId("sim")


class Wish:
    """What the user wants of a running operation."""

    def __init__(self) -> None:
        self._mode: CancelMode | None = None
        self._forceful = asyncio.Event()

    def mode(self) -> CancelMode | None:
        return self._mode

    async def forceful(self) -> None:
        await self._forceful.wait()

    def cancel(self, mode: CancelMode) -> None:
        """The user wants it to stop."""
        self._mode = mode
        if mode is CancelMode.FORCEFUL:
            self._forceful.set()


class Rehearsal:
    """One simulated VIM and one ledger. `calls` counts the calls under way, `most` the most there were at once."""

    def __init__(self, *faults: Fault, slots: int = 100, **behaviour: Any) -> None:
        self.clock = SteppedClock()
        self.world = World(None)
        self.ledger = Ledger()
        self.calls = self.most = 0
        self._slots = asyncio.Semaphore(slots)
        self._driver = SimulatedDriver(DEPLOYMENT, self.world, Behaviour(faults=faults, **behaviour), self.clock)
        self._watcher = Watcher(self._driver, self.clock)

    def behave(self, *faults: Fault, **behaviour: Any) -> None:
        """Have the VIM behave otherwise from now on."""
        self._driver.behaviour = Behaviour(faults=faults, **behaviour)

    # -- Vims --------------------------------------------------------------------------------------------------------

    def rules(self, resource: Resource[Any]) -> Rules[Any]:
        return RULES[resource.spec.sort()]

    def kind(self, resource: Resource[Any]) -> Kind[Any]:
        return self._driver.kinds[resource.spec.sort()]

    @asynccontextmanager
    async def slot(self, vim: VimId, since: float = 0.0) -> AsyncIterator[None]:
        async with self._slots:
            self.calls += 1
            self.most = max(self.most, self.calls)
            try:
                yield
            finally:
                self.calls -= 1

    async def wait(
        self, resource: Resource[Any], handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        return await self._watcher.wait(self.kind(resource), resource.spec.sort(), handle, done)

    def now(self) -> float:
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    # -- what tests do -----------------------------------------------------------------------------------------------

    def journal(self, **fields: Any) -> MemoryJournal:
        """A journal on the ledger, for another operation or after a takeover."""
        return MemoryJournal(self.ledger, self.clock.now, **fields)

    def plan(self, *wanted: Resource[Any], taint: tuple[str, ...] = (), owner: str = "vnf-1") -> Plan:
        """The plan that leads there from what is recorded."""
        resources = {resource.name: resource for resource in wanted}
        return diff(self.records(owner), resources, self, tainted=frozenset(Name(name) for name in taint))

    def records(self, owner: str = "vnf-1") -> Records:
        """What is recorded."""
        return self.ledger.records(owner)

    async def apply(
        self,
        plan: Plan,
        *,
        journal: MemoryJournal | None = None,
        wish: Wish | None = None,
        on_failure: OnFailure = OnFailure.STOP,
        perform: Callable[[Step], Awaitable[None]] | None = None,
        still: bool = False,
    ) -> Applied:
        """Apply it on a clock that is stepped whenever nothing else can go on, or stands still."""
        more: dict[str, Any] = {} if perform is None else {"perform": perform}
        used = journal or self.journal()
        work = apply(plan, self, used, cancel=wish or Wish(), on_failure=on_failure, **more)
        try:
            return await self.pass_time(work, until=lambda: still)
        finally:
            used.running = False

    async def become(self, *wanted: Resource[Any], taint: tuple[str, ...] = (), owner: str = "vnf-1") -> Applied:
        """Plan and apply."""
        plan = self.plan(*wanted, taint=taint, owner=owner)
        return await self.apply(plan, journal=self.journal(owner=owner))

    async def pass_time(self, work: Awaitable[T], *, until: Callable[[], bool] | None = None) -> T:
        """What `work` returns; time is stepped from wake to wake, but stands still once `until` holds."""
        return await outcome(self.clock, work, still=until or (lambda: False))

    async def settle(self) -> None:
        """Let everything run that need not wait for time to pass."""
        await settle()

    def things(self, sort: str | None = None) -> list[Thing]:
        """What is in the VIM and does not end, but for what was planted."""
        found = (thing for thing in self.world.all(sort) if thing.tag)
        return [one for one in found if one.fate != "gone" or one.due > self.clock.now()]

    def names(self) -> list[str]:
        """The names of what is in the VIM."""
        return sorted(thing.tag["name"] for thing in self.things())

    def plant(self, handle: str) -> None:
        """A network of somebody else's."""
        spec = {"subnets": [{"cidr": "192.0.2.0/24"}]}
        self.world.put(
            Thing(handle=handle, sort="network", tag={}, spec=spec, outputs={"id": handle}, created=0, due=0)
        )

    def states(self, owner: str = "vnf-1") -> Mapping[str, str]:
        """The states of the rows in force."""
        return {name: str(row.state) for name, row in self.records(owner).current.items()}


def network(name: str, cidr: str = "10.0.0.0/24", **fields: Any) -> Resource[Any]:
    return Resource(Name(name), NetworkSpec(label=name, subnets=(Subnet(cidr=cidr),), **fields), VIM)


def given_network(name: str, existing: str) -> Resource[Any]:
    return Resource(Name(name), NetworkSpec(label=name), VIM, Ownership.GIVEN, existing=existing)


def port(name: str, link: str, **fields: Any) -> Resource[Any]:
    return Resource(Name(name), PortSpec(network=Ref(Name(link)), **fields), VIM)


def volume(name: str, size: int = 1) -> Resource[Any]:
    return Resource(Name(name), VolumeSpec(size=size), VIM)


def compute(name: str, image: str | None = None, **fields: Any) -> Resource[Any]:
    fields = {"label": name, "image": Ref(Name(image)) if image else None, **fields}
    return Resource(Name(name), ComputeSpec(**fields), VIM)


def image(name: str, digest: str = "sha256:1") -> Resource[Any]:
    return Resource(Name(name), ImageSpec(label=name, digest=digest), VIM, Ownership.SHARED)


def fault(on: str, effect: Any, name: str = "*", **fields: Any) -> Fault:
    return Fault(on=on, effect=effect, name=name, **fields)


def latency(**seconds: float) -> Latency:
    return Latency(**seconds)
