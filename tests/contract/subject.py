"""What the contract's tests hold in their hands: a driver under test, and hands that use it as the engine does.

A `Subject` knows how to open a driver of its type, again and again and for any deployment, and what may be asked of it
(an image, a subnet that nobody else has). `Hands` obtain and relinquish resources call by call, in the order and with
the resolved and folded specs that `resources.procedures` would hand over, so a test can stop between any two calls.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from fairlead.clock import SystemClock
from fairlead.errors import Unprocessable
from fairlead.resources import (
    ComputeSpec,
    Gone,
    Handle,
    ImageSpec,
    Incarnation,
    Kind,
    Member,
    Name,
    NetworkSpec,
    Observed,
    Outputs,
    Owner,
    Pending,
    PortSpec,
    Ready,
    Ref,
    Resource,
    SecretRef,
    Spec,
    Status,
    Subnet,
    Tag,
    VimId,
    new_incarnation,
)
from fairlead.resources.values import resolve
from fairlead.vims import Access, Driver, DriverType, Watcher

__all__ = ["Files", "Hands", "Held", "Machine", "Subject"]

VIM = VimId("vim-1")
_replace = msgspec.structs.replace
_subnets = itertools.count()


class Files:
    """Artifacts that are files in one directory; `<anything>/<file name>`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def fetch(self, artifact: str) -> Path:
        path = self.directory / artifact.rpartition("/")[2]
        if not path.is_file():
            raise Unprocessable(f"There is no artifact '{artifact}'.", code="artifact-missing")
        return path


class Subject(Protocol):
    """A type of driver under test."""

    @property
    def type(self) -> DriverType:
        """The driver's type."""
        ...

    def access(self, deployment: str) -> Access:
        """How to reach the VIM, as `deployment`."""
        ...

    def losing(self, sort: str, deployment: str) -> AbstractAsyncContextManager[Access]:
        """How to reach the VIM so that its first answer to a creation of `sort` is lost on the way."""
        ...

    def unreachable(self) -> Access:
        """How to reach a VIM that does not answer."""
        ...

    @property
    def files(self) -> Files:
        """Where its artifacts are."""
        ...

    @property
    def image(self) -> ImageSpec:
        """An image that it can load, whose machines run until they are stopped."""
        ...


def open_driver(subject: Subject, deployment: str) -> Driver:
    """A driver of the subject."""
    return subject.type.open(subject.access(deployment), subject.files, SystemClock())


class Held(msgspec.Struct, frozen=True):
    """A resource that was created. `concrete` is what was handed to the kind."""

    resource: Resource[Any]
    concrete: Resource[Any]
    tag: Tag
    handle: Handle
    outputs: Outputs = msgspec.field(default_factory=dict)

    @property
    def sort(self) -> str:
        """The sort of its spec."""
        return str(self.resource.spec.sort())


class Machine(msgspec.Struct, frozen=True):
    """A compute resource and its ports, ready."""

    compute: Held
    ports: tuple[Held, ...]


class Hands:
    """Uses one driver, on behalf of one owner of one deployment."""

    def __init__(self, subject: Subject, *, deployment: str | None = None, owner: str = "vnf-1") -> None:
        self.subject = subject
        self.deployment = deployment or f"test-{new_incarnation()}"
        self.owner = Owner(owner)
        self.driver = open_driver(subject, self.deployment)
        self._watcher = Watcher(self.driver, SystemClock())
        self.held: dict[Name, Held] = {}

    async def reopened(self) -> Hands:
        """Hands of the same owner on a new driver, that know nothing but what is held."""
        await self.close()
        again = Hands(self.subject, deployment=self.deployment, owner=self.owner)
        again.held = dict(self.held)
        return again

    async def close(self) -> None:
        """Let go of the driver."""
        await self._watcher.close()
        await self.driver.close()

    async def __aenter__(self) -> Hands:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- what to ask for ---------------------------------------------------------------------------------------------

    def kind(self, sort: str) -> Kind[Any]:
        """The kind of a sort."""
        return self.driver.kinds[sort]

    def tag(self, name: str, incarnation: str | None = None) -> Tag:
        """A tag for `name`, under a new incarnation unless one is given."""
        return Tag(self.deployment, self.owner, Name(name), Incarnation(incarnation or new_incarnation()))

    def resource(self, name: str, spec: Spec, **fields: Any) -> Resource[Any]:
        """`spec` as a resource."""
        return Resource(name=Name(name), spec=spec, vim=VIM, **fields)

    def network(self, name: str = "link", **fields: Any) -> Resource[Any]:
        """A network on a subnet that no other test has."""
        return self.resource(name, NetworkSpec(**{"label": name, "subnets": (Subnet(cidr=subnet()),), **fields}))

    def image(self, name: str = "image") -> Resource[Any]:
        """The subject's image."""
        return self.resource(name, self.subject.image)

    @property
    def composite(self) -> bool:
        """Whether ports live within their machines."""
        return self.subject.type.traits.within.get("port") == "compute"

    def parts(
        self, name: str, networks: Iterable[str], ports: Mapping[str, Mapping[str, Any]] | None = None, **fields: Any
    ) -> tuple[Resource[Any], list[Resource[Any]]]:
        """A machine with a port on each of the held networks, as wanted: the compute resource and its ports."""
        members = []
        for order, network in enumerate(networks):
            port = {"order": order, **(ports or {}).get(network, {})}
            within = Name(name) if self.composite else None
            members.append(
                self.resource(f"{name}/{network}", PortSpec(network=Ref(Name(network)), **port), within=within)
            )
        spec = {"label": name, "image": Ref(Name("image")), "memory": 64 * 2**20, "cpus": 0.5, **fields}
        spec["ports"] = tuple(Ref(member.name) for member in members)
        return self.resource(name, ComputeSpec(**spec)), members

    # -- calls, as the engine makes them -----------------------------------------------------------------------------

    def concrete(self, resource: Resource[Any], members: Iterable[Resource[Any]] = ()) -> Resource[Any]:
        """`resource` with what is held resolved, and its members folded in."""
        found = {
            member.name: Member(
                _replace(member, spec=resolve(member.spec, self._look_up, _reveal)),
                held.tag.incarnation if (held := self.held.get(member.name)) else None,
                renewed=member.name not in self.held,
            )
            for member in members
        }
        spec = resolve(resource.spec, self._look_up, _reveal)
        folded = self.subject.type.rules[resource.spec.sort()].fold(spec, found)
        composite = self.held.get(resource.within) if resource.within else None
        return _replace(resource, spec=folded, existing=composite.handle if composite else resource.existing)

    async def create(
        self, resource: Resource[Any], members: Iterable[Resource[Any]] = (), *, tag: Tag | None = None
    ) -> Held:
        """Create it; it need not be ready afterwards."""
        tag = tag or self.tag(resource.name)
        concrete = self.concrete(resource, members)
        handle = await self.kind(resource.spec.sort()).create(concrete, tag)
        held = Held(resource, concrete, tag, handle)
        self.held[resource.name] = held
        return held

    async def status(self, held: Held) -> Status:
        """What it is, once it is something for certain."""
        return await self.wait(held, lambda status, _: not isinstance(status, Pending))

    async def wait(self, held: Held, done: Callable[[Status, Observed | None], bool]) -> Status:
        """Its status, once `done` holds."""
        return await self._watcher.wait(self.kind(held.sort), held.sort, held.handle, done)

    async def ready(self, held: Held) -> Held:
        """Wait until it is ready and note its outputs."""
        status = await self.status(held)
        assert isinstance(status, Ready), status
        known = _replace(held, outputs=status.outputs)
        self.held[held.resource.name] = known
        return known

    async def obtain(self, resource: Resource[Any], members: Iterable[Resource[Any]] = ()) -> Held:
        """Create it and wait until it is ready."""
        return await self.ready(await self.create(resource, members))

    async def machine(
        self,
        name: str,
        networks: Iterable[str] = (),
        ports: Mapping[str, Mapping[str, Any]] | None = None,
        **fields: Any,
    ) -> Machine:
        """A machine with a port on each of the held networks, ready."""
        compute, members = self.parts(name, networks, ports, **fields)
        if self.composite:
            made = await self.obtain(compute, members)
            return Machine(made, tuple([await self.obtain(member) for member in members]))
        connected = [await self.obtain(member) for member in members]
        return Machine(await self.obtain(compute), tuple(connected))

    async def update(self, held: Held, spec: Spec, members: Iterable[Resource[Any]] = ()) -> Held:
        """Bring it to `spec` and wait until it has settled."""
        new = _replace(held.resource, spec=spec)
        concrete = self.concrete(new, members)
        kind = self.kind(held.sort)
        await kind.update(held.handle, held.concrete.spec, concrete.spec)

        def settled(status: Status, observed: Observed | None) -> bool:
            if isinstance(status, Ready):
                return observed is not None and kind.settled(observed, concrete.spec)
            return not isinstance(status, Pending)

        status = await self.wait(held, settled)
        assert isinstance(status, Ready), status
        changed = _replace(held, resource=new, concrete=concrete, outputs=status.outputs)
        self.held[new.name] = changed
        return changed

    async def relinquish(self, held: Held) -> None:
        """Delete it and wait until it is gone."""
        await self.kind(held.sort).delete(held.handle)
        await self.wait(held, lambda status, _: isinstance(status, Gone))
        self.held.pop(held.resource.name, None)

    async def dismantle(self, machine: Machine) -> None:
        """Delete a machine and its ports, in the order that the traits ask for."""
        for part in (machine.compute, *machine.ports):
            await self.relinquish(part)

    async def basis(self, *networks: str) -> None:
        """The image, and networks of these names."""
        await self.obtain(self.image())
        for network in networks:
            await self.obtain(self.network(network))

    def _look_up(self, ref: Ref) -> Any:
        held = self.held.get(ref.name)
        return ref if held is None or ref.output not in held.outputs else held.outputs[ref.output]


def subnet() -> str:
    """A subnet that no other test of this run has: 10.<96 to 127>.<0 to 255>.0/24, another start for each process.

    Podman has 10.88.0.0/16 for itself.
    """
    number = (os.getpid() * 37 + next(_subnets)) % (32 * 256)
    return f"10.{96 + number // 256}.{number % 256}.0/24"


def _reveal(secret: SecretRef) -> str:
    raise AssertionError(f"no secret here: {secret}")


async def all_of(calls: Iterable[Any]) -> list[Any]:
    """The results of calls made at once."""
    return list(await asyncio.gather(*calls))
