"""An idealised infrastructure for tests of the engine: nothing takes time or fails, and it minds everything.

It refuses what refers to nothing, keeps whatever is held from going unless its holder can be rebound, gives an address out once,
and knows composites, whose members come and go with their updates. Its things are called nodes; what may be done to one stands
in its spec. A worker can be killed at any boundary between two calls or writes (`Fuse`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Set
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import msgspec

from fairlead.errors import VimRefused
from fairlead.resources import (
    UNDECIDED,
    Action,
    Cancellation,
    CancelMode,
    DefaultRules,
    Gone,
    Handle,
    Kind,
    Member,
    Name,
    Observed,
    Order,
    Ready,
    Ref,
    Resource,
    Rules,
    Spec,
    Status,
    Tag,
    Undecided,
    VimId,
)

__all__ = [
    "VIM",
    "DiskSpec",
    "Fuse",
    "Ideal",
    "Killed",
    "NodeRules",
    "NodeSpec",
    "SharedSpec",
    "StackSpec",
    "Thing",
    "Unhurried",
    "node",
]

VIM = VimId("ideal")
_replace = msgspec.structs.replace


class NodeSpec(Spec, frozen=True, kw_only=True, tag="test-node"):
    """A thing. A new `size` is made in place, a new `model` is a new thing. Outputs: `id`, `address`.

    An address is one of its home's model, as one of a network is of its range.
    """

    decided_for: ClassVar[Mapping[str, str]] = {"address": "home"}

    size: int = 0
    model: int = 0
    uses: tuple[str | Ref, ...] = ()
    rebinds: bool = False
    delete_first: bool = False
    home: str | Ref | None = None
    address: str | Undecided | None = None


class DiskSpec(NodeSpec, frozen=True, kw_only=True, tag="test-disk"):
    """A thing whose loss nothing can make good."""


class StackSpec(NodeSpec, frozen=True, kw_only=True, tag="test-stack"):
    """A composite."""


class SharedSpec(NodeSpec, frozen=True, kw_only=True, tag="test-image"):
    """A thing that is shared by its digest."""

    digest: str = ""


class Part(msgspec.Struct, frozen=True):
    """A member, as its composite is told of it."""

    spec: Any
    renewed: bool


class Folded(msgspec.Struct, frozen=True):
    """A composite with its members."""

    spec: Any
    parts: dict[str, Part]


class Thing(msgspec.Struct):
    """What is there."""

    tag: Tag
    spec: Any
    outputs: dict[str, Any]
    parts: dict[str, Part] = msgspec.field(default_factory=dict)

    @property
    def holds(self) -> set[str]:
        """The handles that it uses, and that its parts do."""
        specs = [self.spec, *(part.spec for part in self.parts.values())]
        used = {use for spec in specs for use in (*spec.uses, spec.home)}
        return {use for use in used if isinstance(use, str) and not use.startswith(f"{self.outputs['id']}/")}


class NodeRules(DefaultRules):
    """What the spec says."""

    def __init__(self, *, irreversible: bool = False, composite: bool = False) -> None:
        self.irreversible = irreversible
        self._composite = composite

    def replaced_by(self, old: Any, new: Any) -> str | None:
        if old.model != new.model:
            return "another model"
        if old.home != new.home:
            return "another home"
        if isinstance(old.address, str) and isinstance(new.address, str) and old.address != new.address:
            return "another address"
        return None if new.rebinds or set(old.uses) == set(new.uses) else "it uses others"

    def rebinds(self, spec: Any, replaced: Set[Name]) -> bool:
        return bool(spec.rebinds) and not (isinstance(spec.home, Ref) and spec.home.name in replaced)

    def order(self, old: Any, new: Any) -> Order:
        return Order.DELETE_FIRST if old.delete_first else Order.CREATE_FIRST

    def fold(self, spec: Any, members: Mapping[Name, Member]) -> Any:
        if not self._composite:
            return spec
        return Folded(spec, {name: Part(member.resource.spec, member.renewed) for name, member in members.items()})


RULES: dict[str, Rules[Any]] = {
    "test-node": NodeRules(),
    "test-disk": NodeRules(irreversible=True),
    "test-image": NodeRules(),
    "test-stack": NodeRules(composite=True),
}


class Killed(BaseException):
    """The worker is dead."""


class Fuse:
    """Counts the boundaries that a worker passes, and kills it at the one numbered `at`."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed = 0
        self.dead = False
        self.place = ""

    def __call__(self, place: str) -> None:
        if not self.dead and self.passed == self.at:
            self.dead, self.place = True, place
        if self.dead:
            raise Killed
        self.passed += 1


class Unhurried:
    """Nobody cancels."""

    def mode(self) -> CancelMode | None:
        return None

    async def forceful(self) -> None:
        await asyncio.Event().wait()


_: Cancellation = Unhurried()


class Ideal:
    """The infrastructure, and the engine's way to it."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.fuse: Callable[[str], None] = lambda _: None
        self._numbers = itertools.count(1)

    def copy(self) -> Ideal:
        """Another that is the same."""
        other = Ideal()
        other.things = {handle: _replace(thing) for handle, thing in self.things.items()}
        other._numbers = itertools.count(next(self._numbers))
        return other

    # -- Vims --------------------------------------------------------------------------------------------------------

    def rules(self, resource: Resource[Any]) -> Rules[Any]:
        return RULES[resource.spec.sort()]

    def kind(self, resource: Resource[Any]) -> Kind[Any]:
        return _NodeKind(self, RULES[resource.spec.sort()])

    @asynccontextmanager
    async def slot(self, vim: VimId, since: float = 0.0) -> AsyncIterator[None]:
        yield

    async def wait(
        self, resource: Resource[Any], handle: Handle, done: Callable[[Status, Observed | None], bool]
    ) -> Status:
        kind = self.kind(resource)
        observed = await kind.read(handle)
        status = kind.status(observed)
        assert done(status, observed), f"the wait for {resource.name} would never end: {status}"
        return status

    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()

    # -- the inside --------------------------------------------------------------------------------------------------

    def number(self) -> int:
        """A number that was not used before."""
        return next(self._numbers)

    def inside(self, handle: str) -> list[str]:
        """The members of a composite."""
        return [other for other in self.things if other.startswith(f"{handle}/")]

    def require(self, name: str, spec: Any) -> None:
        """Refuse what refers to nothing."""
        for use in (*spec.uses, spec.home):
            if isinstance(use, Ref) or (use is not None and use not in self.things):
                raise VimRefused(f"{name} refers to {use}, and there is no such thing.")

    def release(self, handle: str) -> None:
        """Refuse to end what is held by something that cannot be rebound to its successor."""
        going = {handle, *self.inside(handle)}
        for other, thing in self.things.items():
            for held in (going & thing.holds) - {other} if other not in going else ():
                if not (thing.spec.rebinds and self.things[held].spec.delete_first):
                    raise VimRefused(f"{held} is in use by {other}.")

    def address(self, spec: Any) -> str:
        """The address that `spec` asks for, or one that was never given out; refuse one in use, or of another home."""
        home = self.things.get(spec.home) if isinstance(spec.home, str) else None
        if not isinstance(spec.address, str):
            return f"a{self.number()}" if home is None else f"m{home.spec.model}-a{self.number()}"
        if home is not None and spec.address.startswith("m") and not spec.address.startswith(f"m{home.spec.model}-"):
            raise VimRefused(f"The address {spec.address} is none of {spec.home}.")
        if any(thing.outputs.get("address") == spec.address for thing in self.things.values()):
            raise VimRefused(f"The address {spec.address} is in use.")
        return str(spec.address)


class _NodeKind(DefaultRules):
    settling = 0.0

    def __init__(self, world: Ideal, rules: Rules[Any]) -> None:
        self._world = world
        self.irreversible = rules.irreversible
        self.fold = rules.fold  # type: ignore[method-assign]
        self.pin = rules.pin  # type: ignore[method-assign]

    async def create(self, resource: Resource[Any], tag: Tag) -> Handle:
        self._world.fuse(f"before creating {resource.name}")
        spec, parts = _unfolded(resource.spec)
        handle = Handle(f"{resource.name}:{self._world.number()}")
        if resource.within is not None:
            handle = self._member(resource, spec, tag)
        else:
            self._world.require(resource.name, spec)
            for name, part in parts.items():
                self._world.require(name, _outside(part.spec))
        outputs: dict[str, Any] = {"id": handle}
        if spec.address is not None:
            outputs["address"] = self._world.address(spec)
        self._world.things[handle] = Thing(tag, spec, outputs, parts)
        self._world.fuse(f"after creating {resource.name}")
        return handle

    def _member(self, resource: Resource[Any], spec: Any, tag: Tag) -> Handle:
        composite = self._world.things.get(resource.existing or "")
        if composite is None or composite.parts.get(resource.name, Part(None, False)).spec is None:
            raise VimRefused(f"The composite of {resource.name} does not have it.")
        if composite.parts[resource.name].spec.model != spec.model:
            raise VimRefused(f"The composite of {resource.name} has another one.")
        return Handle(f"{resource.existing}/{resource.name}/{tag.incarnation}")

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        self._world.fuse(f"finding {resource.name}")
        found = [Handle(handle) for handle, thing in self._world.things.items() if thing.tag == tag]
        assert len(found) < 2, f"two things of one life: {found}"
        return found[0] if found else None

    async def read(self, handle: Handle) -> Observed | None:
        self._world.fuse(f"reading {handle}")
        thing = self._world.things.get(handle)
        return None if thing is None else {"spec": thing.spec, "parts": thing.parts, "outputs": thing.outputs}

    def status(self, observed: Observed | None) -> Status:
        return Gone() if observed is None else Ready(dict(observed["outputs"]))

    def settled(self, observed: Observed, spec: Any) -> bool:
        return bool((observed["spec"], observed["parts"]) == _unfolded(spec))

    async def update(self, handle: Handle, old: Any, new: Any) -> None:
        self._world.fuse(f"before updating {handle}")
        spec, parts = _unfolded(new)
        thing = self._world.things.get(handle)
        if thing is None:
            raise VimRefused(f"There is no {handle}.")
        self._world.require(handle, _outside(spec) if "/" in handle else spec)
        for name, part in parts.items():
            self._world.require(name, _outside(part.spec))
        for member in self._world.inside(handle):
            name = self._world.things[member].tag.name
            if name not in parts or parts[name].renewed:
                del self._world.things[member]
        self._world.things[handle] = _replace(thing, spec=spec, parts=parts)
        self._world.fuse(f"after updating {handle}")

    async def delete(self, handle: Handle) -> None:
        self._world.fuse(f"before deleting {handle}")
        if handle in self._world.things:
            if handle.count("/") and handle.split("/")[0] in self._world.things:
                raise VimRefused(f"The composite of {handle} still has it.")
            self._world.release(handle)
            for gone in (handle, *self._world.inside(handle)):
                del self._world.things[gone]
        self._world.fuse(f"after deleting {handle}")

    async def perform(self, handle: Handle, action: Action) -> None:
        self._world.fuse(f"performing {action.id}")


def _unfolded(spec: Any) -> tuple[Any, dict[str, Part]]:
    return (spec.spec, spec.parts) if isinstance(spec, Folded) else (spec, {})


def _outside(spec: Any) -> Any:
    """`spec` without what it uses within its own composite."""
    home = spec.home if isinstance(spec.home, str) else None
    return _replace(spec, uses=tuple(use for use in spec.uses if isinstance(use, str)), home=home)


def node(
    name: str, *uses: str, within: str | None = None, sort: type[NodeSpec] = NodeSpec, **fields: Any
) -> Resource[Any]:
    """A node that uses others; `address=True` asks for one."""
    if fields.get("address") is True:
        fields["address"] = UNDECIDED
    if isinstance(fields.get("home"), str):
        fields["home"] = Ref(Name(fields["home"]))
    spec = sort(uses=tuple(Ref(Name(use)) for use in uses), **fields)
    return Resource(Name(name), spec, VIM, within=Name(within) if within else None)
