"""How a simulated VIM behaves: what an operator or a test can set. All times in seconds.

Faults are counted in the world, not here, so that a fault that is to happen twice happens twice whatever restarts.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

__all__ = ["Behaviour", "Effect", "Fault", "Latency"]

Effect = Literal[
    "unavailable", "lost", "refused", "full", "failed", "vanish", "stuck", "crash-before", "crash-after"
]  # fmt: skip
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Times = Annotated[int, msgspec.Meta(ge=0)]


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take."""

    call: _Seconds = 0.0
    """Until any call is answered."""
    ready: _Seconds = 0.0
    """From accepting a creation or update to being ready."""
    gone: _Seconds = 0.0
    """From accepting a deletion to being gone."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong. `on` is the call: create, find, read, update, delete, observe, perform, check, tagged or `*`.

    Effects: `unavailable` (not done, answered with 503), `lost` (done, but the answer is lost), `refused` (400), `full` (no quota),
    `failed` (accepted, and then it goes to ERROR), `vanish` (accepted, and then it is gone), `stuck` (accepted, and never ready,
    or never gone), `crash-before` and `crash-after` (this process is killed before, or after, the call takes effect).
    """

    on: str
    effect: Effect
    sort: str = "*"
    name: str = "*"
    times: _Times = 1
    """How often; 0 for always."""
    after: _Times = 0
    """How many matching calls go well first."""
    detail: str = "simulated fault"

    def concerns(self, call: str, sort: str, name: str) -> bool:
        """Whether this call on this resource is one that the fault is about."""
        return fnmatchcase(call, self.on) and fnmatchcase(sort, self.sort) and fnmatchcase(name, self.name)


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a simulated VIM."""

    latency: Latency = Latency()
    latencies: dict[str, Latency] = {}
    """By sort, in place of `latency`."""
    jitter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Share by which each time varies at random, up or down."""
    quota: dict[str, int] = {}
    """How many of a sort there may be."""
    cpus: float = 64.0
    """Cores in all; a compute that does not fit in what is free is refused as full."""
    push: bool = False
    """Tell of changes by itself, in place of being asked."""
    settling: _Seconds = 0.0
    """How late a new thing is found by its tag."""
    down: bool = False
    """Answer every call with 503."""
    faults: tuple[Fault, ...] = ()
    without: tuple[str, ...] = ("qos",)
    """Sorts that nothing is planned of. SOL001 has every link state bit rates, so they are often filler."""
    networks: dict[str, str] = {}
    """Networks of somebody else's that are there already: id to CIDR. Requests name them as external links."""
    images: tuple[str, ...] | None = None
    """Images that are there already, by name; null for all that are asked for."""
    flavours: tuple[str, ...] | None = None
    """Flavours that there are; null for all that are asked for."""
    zones: tuple[str, ...] | None = None
    """Zones that there are; null for all that are asked for."""

    def latency_of(self, sort: str) -> Latency:
        """The times for one sort."""
        return self.latencies.get(sort, self.latency)
