"""The seam between Fairlead and infrastructures: what a driver is made of.

A `DriverType` is what an entry point of the group `fairlead.vims` names: the pure half (which sorts of resource there
are, by which rules they change, which live within another) needs no connection, so a plan can be made for a VIM that is
down. Its `open` makes a `Driver`, one connected VIM, without making a call yet. Drivers are sets of small kinds and do
not know each other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Set
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from fairlead.clock import Clock
from fairlead.resources import Handle, Kind, Observed, Rules, Tag

__all__ = [
    "MEMBER",
    "Access",
    "Artifacts",
    "Capacity",
    "Check",
    "Driver",
    "DriverType",
    "Finding",
    "Surveys",
    "Tagged",
    "Traits",
]

MEMBER = "member/"
"""Before a sort, in `rules` and `kinds`: how a resource of that sort lives within a composite, where that differs."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a VIM. `credentials` are in clear: never log or store this value.

    `interface` says where it is (`url` ...), `settings` how it is to be used; their keys are the driver type's own.
    Everything that is created carries `deployment`.
    """

    id: str
    name: str
    type: str
    deployment: str
    interface: dict[str, Any] = msgspec.field(default_factory=dict)
    credentials: dict[str, str] = msgspec.field(default_factory=dict)
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


class Artifacts(Protocol):
    """Where a driver finds the bytes of a package's artifacts."""

    async def fetch(self, artifact: str) -> Path:
        """A local file with the bytes of `artifact` (`<package id>/<path in the package>`).

        Raises Unprocessable (`artifact-missing`) when there is no such file.
        """
        ...


class Finding(msgspec.Struct, frozen=True):
    """Something worth saying about a VIM. `severity` is `error`, `warning` or `info`."""

    severity: str
    code: str
    detail: str


class Check(msgspec.Struct, frozen=True):
    """What a VIM answered when it was asked how it is."""

    reachable: bool
    version: str | None = None
    findings: tuple[Finding, ...] = ()


class Capacity(msgspec.Struct, frozen=True):
    """What a VIM has in all and in use; None where it does not say. Cores, bytes, instances."""

    cpus: float | None = None
    memory: int | None = None
    used_cpus: float | None = None
    used_memory: int | None = None
    instances: int | None = None


class Tagged(msgspec.Struct, frozen=True):
    """A thing in a VIM that carries our deployment id. `created` in seconds since the epoch, where it is known."""

    sort: str
    handle: Handle
    tag: Tag
    created: float | None = None


class Traits(msgspec.Struct, frozen=True):
    """What a planner must know of a type of VIM. `sorts` are the tags of the specs that it has kinds for.

    `within` maps a sort to the sort whose member it is: on container engines a `port` lives within its `compute`.
    """

    sorts: frozenset[str]
    within: dict[str, str] = msgspec.field(default_factory=dict)


class Driver(Protocol):
    """One connected VIM."""

    @property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        """The kinds, by sort."""
        ...

    @property
    def withheld(self) -> Set[str]:
        """Sorts that it has kinds for and that nothing is to be planned of, by the VIM's settings."""
        ...

    async def check(self) -> Check:
        """Ask it how it is; never raises for what is wrong with the VIM."""
        ...

    async def capacity(self) -> Capacity:
        """What it has and what is in use. Raises VimError."""
        ...

    async def observe(self, wanted: Mapping[str, Set[Handle]]) -> dict[tuple[str, Handle], Observed | None]:
        """Read the handles of each sort, by as few and as narrow calls as the VIM offers; None for what is gone.

        Raises VimError; the watcher asks again.
        """
        ...

    def changes(self) -> AsyncIterator[tuple[str, Handle]] | None:
        """The VIM's own stream of what changed; None where it has none. Ends or raises when the connection is lost."""
        ...

    async def tagged(self) -> list[Tagged]:
        """Everything that carries our deployment id. Raises VimError."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Surveys(Protocol):
    """A driver that, asked once, tells more of things than those who wait for them need to know."""

    async def survey(self, wanted: Mapping[str, Set[Handle]]) -> dict[tuple[str, Handle], Observed | None]:
        """As `observe`, with all that kinds compare with the record. Raises VimError."""
        ...


@runtime_checkable
class TellsZones(Protocol):
    """A driver whose VIM has zones to put machines in."""

    async def zones(self) -> tuple[str, ...]:
        """Their names. Raises VimError."""
        ...


class DriverType(Protocol):
    """A type of VIM, as an entry point of the group `fairlead.vims` names it."""

    @property
    def name(self) -> str:
        """The type's name, as operators write it."""
        ...

    @property
    def traits(self) -> Traits:
        """What a planner must know."""
        ...

    @property
    def rules(self) -> Mapping[str, Rules[Any]]:
        """The pure half of each kind, by sort."""
        ...

    def validate(self, access: Access) -> None:
        """Look at a registration without making a call.

        Raises Unprocessable with the field at fault.
        """
        ...

    def hold_on_host(self, access: Access) -> str | None:
        """What of the machine that Fairlead runs on a registration gives into its owner's hands, in words; None: nothing.

        It is asked of registrations that `validate` has found right. Only administrators may make those that do.
        """
        ...

    def open(self, access: Access, artifacts: Artifacts, clock: Clock) -> Driver:
        """A driver for one VIM; makes no call yet."""
        ...
