"""What a package takes for granted in an infrastructure, and what of that is not there.

A package brings much and presupposes the rest: an image that was not shipped, a flavour, a network, a zone, room for its largest
machine. What it needs is read from the package (pure, and without this room); whether that is there only the infrastructure knows.
Both sides meet in these values. A driver that can tell has the method `lacks`; one that cannot has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

__all__ = ["Lack", "Missing", "Need", "NeedSort", "TellsLacks"]

NeedSort = Literal["image", "flavour", "network", "zone", "machine"]


class Need(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that has to be there: an image, flavour, network or zone by name; or room for a machine of a size.

    `cpus` in cores, `memory` and `disk` in bytes, for machines, together with the `constraints` of the VDU.
    """

    sort: NeedSort
    name: str
    cpus: float | None = None
    memory: int | None = None
    disk: int | None = None
    constraints: dict[str, str] = {}


class Lack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a need is not met; `need` is its number among those that were asked about, from 0."""

    need: int
    code: str
    detail: str
    severity: str = "error"
    remedy: str | None = None


class Missing(msgspec.Struct, frozen=True):
    """A driver's answer: `looked_at` are the sorts that it can tell of, `lacks` what is not there of those."""

    looked_at: tuple[NeedSort, ...]
    lacks: tuple[Lack, ...] = ()


@runtime_checkable
class TellsLacks(Protocol):
    """A driver that can tell what its VIM lacks."""

    async def lacks(self, needs: Sequence[Need]) -> Missing:
        """Look now, without changing anything. Raises VimError."""
        ...
