"""A connection to a simulated VIM: its calls, with their latencies and faults, and its kinds.

Every call goes through `call`, which is where time passes and faults happen, before or after the effect as the fault says.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from typing import Any, TypeVar

import msgspec

from fairlead.clock import Clock
from fairlead.errors import Unprocessable, VimFull, VimRefused, VimUnavailable
from fairlead.resources import (
    Action,
    Failed,
    Gone,
    Handle,
    Kind,
    Name,
    Observed,
    Outputs,
    Owner,
    Pending,
    Ready,
    Resource,
    Rules,
    Seen,
    Status,
    Tag,
    Undecided,
    references,
    tell,
)
from fairlead.resources.names import Incarnation
from fairlead.vims.needs import Missing, Need
from fairlead.vims.seam import Capacity, Check, Finding, Tagged
from fairlead.vims.simulated.behaviour import Behaviour, Fault
from fairlead.vims.simulated.rules import RULES
from fairlead.vims.simulated.stock import missing_of
from fairlead.vims.simulated.world import Thing, World, used_by

__all__ = ["SimulatedDriver"]

T = TypeVar("T")
_replace = msgspec.structs.replace
_COMPARED = {
    "network": ("label", "subnets", "mtu"),
    "security-group": ("label", "rules"),
    "qos": ("label", "max_rate", "min_rate"),
    "router": ("label",),
    "port": ("addresses", "mac", "security_groups", "allowed_addresses", "qos"),
    "floating-ip": ("port",),
    "trunk": ("subports",),
    "volume": ("size",),
    "image": (),
    "affinity-group": (),
    "compute": ("label", "cpus", "memory", "ports", "volumes", "power"),
}
"""What of each sort can be seen from outside, and is compared with the record."""
_HELD: Mapping[str, tuple[str, ...]] = {
    "network": (),
    "volume": (),
    "image": ("compute",),
    "security-group": (),
    "qos": (),
    "router": (),
    "trunk": (),
    "port": ("compute", "floating-ip"),
}
"""What cannot go while others use it, and which of those let it go nevertheless."""
_FATES = {"failed": "failed", "vanish": "gone", "stuck": "stuck"}
"""What becomes of a thing by the faults that show later."""


class SimulatedDriver:
    """One connected simulated VIM."""

    def __init__(self, deployment: str, world: World, behaviour: Behaviour, clock: Clock) -> None:
        self.deployment = deployment
        self.world = world
        self.behaviour = behaviour
        self.clock = clock
        for handle, cidr in behaviour.networks.items():
            self._plant(handle, cidr)
        self._streams: list[asyncio.Queue[tuple[str, Handle]]] = []
        self._kinds: dict[str, Kind[Any]] = {sort: _SimulatedKind(sort, rules, self) for sort, rules in RULES.items()}

    def _plant(self, handle: str, cidr: str) -> None:
        """Have a network of somebody else's there, unless it is."""
        if self.world.get(handle) is None:
            now = self.clock.now()
            spec = {"subnets": [{"cidr": cidr}]}
            self.world.put(
                Thing(handle=handle, sort="network", tag={}, spec=spec, outputs={"id": handle}, created=now, due=now)
            )

    @property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        return self._kinds

    @property
    def withheld(self) -> Set[str]:
        return frozenset(self.behaviour.without)

    async def check(self) -> Check:
        try:
            await self.call("check", "*", "*", lambda _: None)
        except VimUnavailable as error:
            return Check(reachable=False, findings=(Finding("error", error.code, error.cause or error.detail),))
        return Check(reachable=True, version="simulated 1")

    async def capacity(self) -> Capacity:
        used = self.world.used_cpus(self.clock.now())
        return Capacity(
            cpus=self.behaviour.cpus, used_cpus=used, instances=self.world.number("compute", self.clock.now())
        )

    async def observe(self, wanted: Mapping[str, Set[Handle]]) -> dict[tuple[str, Handle], Observed | None]:
        def read(_: Fault | None) -> dict[tuple[str, Handle], Observed | None]:
            return {(sort, handle): self.look(handle) for sort, handles in wanted.items() for handle in handles}

        return await self.call("observe", "*", "*", read)

    async def zones(self) -> tuple[str, ...]:
        """See `TellsZones`."""
        return await self.call("zones", "*", "*", lambda _: self.behaviour.zones or ())

    def changes(self) -> AsyncIterator[tuple[str, Handle]] | None:
        return self._changes() if self.behaviour.push else None

    async def _changes(self) -> AsyncIterator[tuple[str, Handle]]:
        queue: asyncio.Queue[tuple[str, Handle]] = asyncio.Queue()
        self._streams.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            if queue in self._streams:
                self._streams.remove(queue)

    async def tagged(self) -> list[Tagged]:
        def read(_: Fault | None) -> list[Tagged]:
            things = (thing for thing in self.world.all() if thing.tag.get("deployment") == self.deployment)
            found = (thing for thing in things if self.look(thing.handle) is not None)
            return [Tagged(thing.sort, Handle(thing.handle), _tag(thing), thing.created) for thing in found]

        return await self.call("tagged", "*", "*", read)

    async def lacks(self, needs: Sequence[Need]) -> Missing:
        def look(_: Fault | None) -> Missing:
            return missing_of(self.behaviour, _Place(self), needs)

        return await self.call("lacks", "*", "*", look)

    def lacks_image(self, name: str) -> bool:
        """Whether an image that a package does not bring is not there."""
        return self.behaviour.images is not None and name not in self.behaviour.images

    async def close(self) -> None:
        self._streams.clear()

    # -- the inside of the VIM -----------------------------------------------------------------------------------------

    async def call(self, what: str, sort: str, name: str, effect: Callable[[Fault | None], T]) -> T:
        """One call to the VIM: time passes, a fault may happen, `effect` is told of one that shows later."""
        takes = self.behaviour.latency_of(sort).call
        if takes and (what, sort) == ("create", "image"):
            tell(f"it takes {takes:g} s to send")
        await self._pass(takes)
        fault = self._fault(what, sort, name)
        if self.behaviour.down:
            raise VimUnavailable("The simulated VIM does not answer.", cause="503 Service Unavailable", resource=name)
        if fault is not None:
            _happen_before(fault, what, name)
        with self.world.call():
            result = effect(fault if fault is not None and fault.effect in _FATES else None)
        if fault is not None and fault.effect == "crash-after":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault is not None and fault.effect == "lost":
            raise VimUnavailable("The simulated VIM's answer was lost.", cause="connection reset", resource=name)
        return result

    def _fault(self, what: str, sort: str, name: str) -> Fault | None:
        for number, fault in enumerate(self.behaviour.faults):
            if fault.concerns(what, sort, name):
                seen = self.world.count(f"fault {number} {msgspec.json.encode(fault).decode()}")
                if seen >= fault.after and (fault.times == 0 or seen < fault.after + fault.times):
                    return fault
        return None

    async def _pass(self, seconds: float) -> None:
        if seconds > 0:
            await self.clock.sleep(self._vary(seconds))

    def _vary(self, seconds: float) -> float:
        return seconds * (1 + random.uniform(-self.behaviour.jitter, self.behaviour.jitter)) if seconds else 0.0

    def due(self, seconds: float) -> float:
        """When something that takes `seconds` from now is done."""
        return self.clock.now() + self._vary(seconds)

    def look(self, handle: str) -> Observed | None:
        """What the VIM says of a thing now; a thing whose end has come is taken out."""
        thing = self.world.get(handle)
        if thing is None:
            return None
        over = self.clock.now() >= thing.due
        if over and thing.fate == "gone":
            self.world.remove(handle)
            return None
        words = {"ready": "ACTIVE", "failed": "ERROR", "gone": "DELETING", "stuck": "BUILD"}
        status = words[thing.fate] if over or thing.fate == "gone" else "BUILD"
        return {
            "status": status,
            "detail": thing.detail,
            "spec": thing.spec,
            "outputs": thing.outputs,
            "tag": thing.tag,
        }

    def announce(self, sort: str, handle: Handle, due: float) -> None:
        """With push: tell that the thing has changed once it has."""
        if self._streams:
            delay = max(due - self.clock.now(), 0.0)

            async def tell() -> None:
                await self.clock.sleep(delay)
                for stream in self._streams:
                    stream.put_nowait((sort, handle))

            task = asyncio.create_task(tell())
            _background.add(task)
            task.add_done_callback(_background.discard)


class _Place:
    """What a plan's needs are compared with."""

    def __init__(self, driver: SimulatedDriver) -> None:
        self._driver = driver

    def number(self, sort: str) -> int:
        return self._driver.world.number(sort, self._driver.clock.now())

    def used_cpus(self) -> float:
        return self._driver.world.used_cpus(self._driver.clock.now())

    def ranges(self, network: str) -> tuple[str, ...] | None:
        thing = self._driver.world.get(network)
        if thing is None or thing.sort != "network" or self._driver.look(network) is None:
            return None
        return tuple(str(subnet["cidr"]) for subnet in thing.spec.get("subnets", ()))

    def holder(self, network: str, address: str) -> str | None:
        holder = self._driver.world.holder(network, address)
        return holder if holder is not None and self._driver.look(holder) is not None else None


_background: set[asyncio.Task[None]] = set()


def _happen_before(fault: Fault, what: str, name: str) -> None:
    """What keeps a call from taking effect."""
    if fault.effect == "unavailable":
        unavailable = VimUnavailable("The simulated VIM does not answer.", cause=f"503 {fault.detail}", resource=name)
        unavailable.over = True
        raise unavailable
    if fault.effect == "refused":
        raise VimRefused(f"The simulated VIM refuses to {what} '{name}'.", cause=f"400 {fault.detail}", resource=name)
    if fault.effect == "full":
        raise VimFull(f"The simulated VIM has no room for '{name}'.", cause=f"403 {fault.detail}", resource=name)
    if fault.effect == "crash-before":
        os.kill(os.getpid(), signal.SIGKILL)


def _tag(thing: Thing) -> Tag:
    tag = thing.tag
    return Tag(tag["deployment"], Owner(tag["owner"]), Name(tag["name"]), Incarnation(tag["incarnation"]))


class _SimulatedKind:
    """Any sort of resource in a simulated VIM; the rules of its sort come by delegation."""

    def __init__(self, sort: str, rules: Rules[Any], driver: SimulatedDriver) -> None:
        self._sort = sort
        self._driver = driver
        self._world = driver.world
        self.irreversible = rules.irreversible
        self.replaced_by = rules.replaced_by
        self.rebinds = rules.rebinds
        self.order = rules.order
        self.pin = rules.pin
        self.fold = rules.fold
        self.remark = rules.remark
        self.patience = rules.patience

    @property
    def settling(self) -> float:
        return self._driver.behaviour.settling

    async def create(self, resource: Resource[Any], tag: Tag) -> Handle:
        return await self._driver.call(
            "create", self._sort, resource.name, lambda later: self._make(resource, tag, later)
        )

    def _make(self, resource: Resource[Any], tag: Tag, later: Fault | None) -> Handle:
        spec = msgspec.to_builtins(resource.spec)
        self._admit(resource, spec)
        now = self._driver.clock.now()
        handle = Handle(f"{self._sort}-{secrets.token_hex(6)}")
        due = self._driver.due(self._driver.behaviour.latency_of(self._sort).ready)
        thing = Thing(
            handle=handle,
            sort=self._sort,
            tag=msgspec.to_builtins(tag),
            spec=spec,
            outputs=self._outputs(handle, spec),
            created=now,
            due=due,
            fate=_FATES[later.effect] if later else "ready",
            detail=later.detail if later else "",
        )
        self._world.put(thing)
        self._driver.announce(self._sort, handle, due)
        return handle

    def _admit(self, resource: Resource[Any], spec: dict[str, Any]) -> None:
        """Refuse what a real VIM would: over quota, or referring to what is not there."""
        quota = self._driver.behaviour.quota.get(self._sort)
        now = self._driver.clock.now()
        if quota is not None and self._world.number(self._sort, now) >= quota:
            raise VimFull(
                f"The quota of {quota} {self._sort} is used up.", cause="403 quota exceeded", resource=resource.name
            )
        cpus = float(spec.get("cpus", 1))
        if self._sort == "compute" and self._world.used_cpus(now) + cpus > self._driver.behaviour.cpus:
            raise VimFull("No host has enough free cores.", cause="No valid host was found", resource=resource.name)
        if self._sort == "image" and spec.get("artifact") is None and self._driver.lacks_image(str(spec["label"])):
            raise VimRefused(f"There is no image '{spec['label']}'.", cause="404 not found", resource=resource.name)
        if references(resource.spec):
            raise VimRefused(
                "A reference was not resolved.", cause=str(references(resource.spec)), resource=resource.name
            )
        for other in sorted(used_by(self._sort, spec)):
            if self._driver.look(other) is None:
                raise VimRefused(f"There is no '{other}'.", cause="404 not found", resource=resource.name)

    def _outputs(self, handle: Handle, spec: dict[str, Any], before: Mapping[str, Any] | None = None) -> Outputs:
        """What it is to have, keeping from `before` what was chosen already."""
        outputs: Outputs = {"id": handle}
        if self._sort == "port":
            network = self._world.get(spec["network"])
            fixed = list(spec["addresses"]) if isinstance(spec["addresses"], list | tuple) else None
            if fixed is not None:
                self._refuse_taken(spec["network"], fixed, handle)
            elif before is not None:
                fixed = before["addresses"]
            else:
                fixed = list(self._world.free_address(network)) if network else []
            outputs |= {"addresses": fixed, "mac": spec["mac"]}
            if not isinstance(spec["mac"], str):
                outputs["mac"] = before["mac"] if before is not None else _mac()
        if self._sort == "compute":
            outputs["host"] = "simulated-host"
        if self._sort == "floating-ip":
            kept = spec["address"] if isinstance(spec["address"], str) else (before or {}).get("address")
            outputs["address"] = kept or f"198.51.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
        return outputs

    def _refuse_taken(self, network: str, addresses: list[str], port: str) -> None:
        for address in addresses:
            holder = self._world.holder(network, address)
            if holder not in (None, port) and self._driver.look(str(holder)) is not None:
                raise VimRefused(f"Address {address} is in use.", cause="409 IpAddressAlreadyAllocated")

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        def look(_: Fault | None) -> Handle | None:
            now = self._driver.clock.now()
            for thing in self._world.by_incarnation(tag.incarnation):
                exact = thing.tag == msgspec.to_builtins(tag) and thing.created + self.settling <= now
                if exact and self._driver.look(thing.handle) is not None:
                    return Handle(thing.handle)
            return None

        return await self._driver.call("find", self._sort, resource.name, look)

    async def read(self, handle: Handle) -> Observed | None:
        return await self._driver.call("read", self._sort, handle, lambda _: self._driver.look(handle))

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        if observed["status"] == "ACTIVE":
            outputs = observed["outputs"]
            addresses = outputs.get("addresses")
            return Ready({**outputs, "addresses": tuple(addresses)} if addresses is not None else dict(outputs))
        if observed["status"] == "ERROR":
            return Failed(observed["detail"] or "ERROR", "simulated console: the machine did not start")
        return Pending(observed["status"])

    def settled(self, observed: Observed, spec: Any) -> bool:
        return bool(observed["spec"] == msgspec.json.decode(msgspec.json.encode(spec)))

    def seen(self, observed: Observed, spec: Any, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        chosen = {field: observed["outputs"][field] for field in ("addresses", "mac") if self._sort == "port"}
        there = msgspec.convert({**observed["spec"], **chosen}, type(spec))
        compared = (field for field in _COMPARED[self._sort] if not isinstance(getattr(spec, field), Undecided))
        return Seen(_replace(spec, **{field: getattr(there, field) for field in compared}))

    async def update(self, handle: Handle, old: Any, new: Any) -> None:
        def change(later: Fault | None) -> None:
            thing = self._world.get(handle)
            if thing is None:
                raise VimRefused(f"There is no '{handle}'.", cause="404 not found")
            due = self._driver.due(self._driver.behaviour.latency_of(self._sort).ready)
            fate, detail = (_FATES[later.effect], later.detail) if later is not None else ("ready", "")
            spec = msgspec.to_builtins(new)
            outputs = self._outputs(handle, spec, thing.outputs)
            self._world.put(
                _replace(
                    thing, spec=spec, outputs=outputs, due=due, fate=fate, detail=detail, version=thing.version + 1
                )
            )
            self._driver.announce(self._sort, handle, due)

        await self._driver.call("update", self._sort, self._name(handle), change)

    async def delete(self, handle: Handle) -> None:
        def end(later: Fault | None) -> None:
            thing = self._world.get(handle)
            if thing is None or self._driver.look(handle) is None:
                return
            self._refuse_in_use(handle)
            due = self._driver.due(self._driver.behaviour.latency_of(self._sort).gone)
            if thing.fate != "gone":
                fate, detail = (_FATES[later.effect], later.detail) if later is not None else ("gone", "")
                self._world.put(_replace(thing, due=due, fate=fate, detail=detail))
                self._driver.announce(self._sort, handle, due)

        await self._driver.call("delete", self._sort, self._name(handle), end)

    def _refuse_in_use(self, handle: Handle) -> None:
        if self._sort not in _HELD:
            return
        for user in self._world.users(handle):
            live = self._driver.look(user)
            if live is not None and not user.startswith(_HELD[self._sort]):
                raise VimRefused(f"'{handle}' is in use by '{user}'.", cause="409 in use")

    async def perform(self, handle: Handle, action: Action) -> None:
        if not (self._sort == "compute" and action.kind == "stop"):
            raise Unprocessable(f"A simulated {self._sort} cannot '{action.kind}'.", code="action-not-supported")

        def stop(_: Fault | None) -> None:
            thing = self._world.get(handle)
            if thing is not None:
                self._world.put(_replace(thing, spec={**thing.spec, "power": "off"}, version=thing.version + 1))

        await self._driver.call("perform", self._sort, self._name(handle), stop)

    def _name(self, handle: Handle) -> str:
        thing = self._world.get(handle)
        return thing.tag.get("name", handle) if thing else handle


def _mac() -> str:
    return "fa:16:3e:" + ":".join(secrets.token_hex(1) for _ in range(3))
