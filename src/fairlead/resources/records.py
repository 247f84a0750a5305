"""A resource as it is wanted, and as it is recorded.

`Resource` is what an operation type computes; `Recorded` is one row of the truth about it. A name may have more than
one row for a while: the one in force (`Records.current`) and former lives that are on their way out
(`Records.leaving`), which is how a replacement survives a crash in its middle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from fairlead.resources.names import Handle, Incarnation, Name, Outputs, VimId
from fairlead.resources.specs import Spec

__all__ = ["Ownership", "Recorded", "Records", "Resource", "Resources", "State", "composition"]

S = TypeVar("S", bound=Spec)


class Ownership(StrEnum):
    """Whose a resource is; decides what obtaining and giving it up mean."""

    OWNED = "owned"
    """Ours to create and to delete."""
    GIVEN = "given"
    """There already, and another's: used, never changed."""
    SHARED = "shared"
    """One per VIM, visibility and content digest; created by the first user, deleted after the last."""
    CLAIMED = "claimed"
    """There already in a pool: claiming and releasing move it between owners."""


class State(StrEnum):
    """What is known of a recorded resource."""

    INTENDED = "intended"
    """The call that creates was about to be made; its outcome is not known."""
    CREATING = "creating"
    """The VIM accepted it and told its handle."""
    READY = "ready"
    UPDATING = "updating"
    """A call that changes it was about to be made; the recorded spec is the one aimed at."""
    FAILED = "failed"
    """The VIM says that it will not become ready."""
    DELETING = "deleting"
    """On its way out, or a former life that a newer one has replaced."""


class Resource(msgspec.Struct, Generic[S], frozen=True):
    """A resource as it is wanted.

    `existing` names, for what is given or claimed, the thing that is there already (the VIM's id, or the pool's
    incarnation). `within` names the composite whose member this is. The last two are for recorded resources only:
    `bound` are the lives that its references led to when it was made or last changed, so the lives that it may hold on
    to; `composed` is a digest of the members that it was made or changed with.
    """

    name: Name
    spec: S
    vim: VimId
    ownership: Ownership = Ownership.OWNED
    within: Name | None = None
    existing: str | None = None
    bound: tuple[Incarnation, ...] | None = None
    composed: str | None = None

    def means_the_thing_of(self, other: Resource[Any]) -> bool:
        """Whether both mean one thing that is there whatever happens to us: given, claimed, or shared by its content."""
        if self.ownership is not other.ownership or type(self.spec) is not type(other.spec) or self.vim != other.vim:
            return False
        if self.ownership is Ownership.SHARED:
            return bool(getattr(self.spec, "digest", self.spec) == getattr(other.spec, "digest", other.spec))
        return self.ownership is not Ownership.OWNED and self.existing == other.existing


Resources = Mapping[Name, Resource[Any]]


def composition(members: Iterable[Resource[Any]]) -> str | None:
    """The digest of what a composite consists of; None when it has no members.

    Fields that a VIM may decide are left out: they are filled in while it comes into being.
    """
    parts = sorted((member.name, _wished(member.spec)) for member in members)
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:16] if parts else None


def _wished(spec: Spec) -> dict[str, Any]:
    fields = msgspec.structs.asdict(spec)
    return {"type": spec.sort(), **{key: value for key, value in fields.items() if key not in spec.decided_for}}


class Recorded(msgspec.Struct, Generic[S], frozen=True):
    """What is known of a resource. `since` is when its state was entered, in seconds since the epoch."""

    resource: Resource[S]
    incarnation: Incarnation
    state: State
    handle: Handle | None = None
    outputs: Outputs = msgspec.field(default_factory=dict)
    since: float = 0.0

    @property
    def name(self) -> Name:
        """The resource's name."""
        return self.resource.name


class Records(msgspec.Struct, frozen=True):
    """All rows of one instance."""

    current: dict[Name, Recorded[Any]] = msgspec.field(default_factory=dict)
    leaving: tuple[Recorded[Any], ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Recorded[Any]]) -> Records:
        """Sort `rows` into those in force and those on their way out; of two in force, the one read first goes."""
        current: dict[Name, Recorded[Any]] = {}
        leaving = []
        for row in rows:
            if row.state is State.DELETING:
                leaving.append(row)
                continue
            if row.name in current:
                leaving.append(current[row.name])
            current[row.name] = row
        return cls(current, tuple(leaving))

    def resources(self) -> dict[Name, Resource[Any]]:
        """What is in force, as if it were wanted: the before-image of an operation."""
        return {
            name: msgspec.structs.replace(row.resource, bound=None, composed=None) for name, row in self.current.items()
        }
