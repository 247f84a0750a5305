"""What a package, or a plan, takes for granted in an infrastructure, and what of that is not there.

A package brings much and presupposes the rest: an image that was not shipped, a flavour, a network, a zone, room for its largest
machine. What it needs is read from the package (pure, and without this room), or from a plan (`planned`); whether that is there
only the infrastructure knows.
Both sides meet in these values. A driver that can tell has the method `lacks`; one that cannot has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network
from typing import Literal, Protocol, runtime_checkable

import msgspec

__all__ = ["Lack", "Missing", "Need", "NeedSort", "TellsLacks", "room_lacks", "within"]

NeedSort = Literal[
    "image", "flavour", "network", "zone", "machine", "link", "port", "address", "volume", "group", "security-group",
    "router", "floating-ip", "trunk",
]  # fmt: skip


class Need(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that has to be there: an image, flavour, network or zone by name; room for a machine of a size, for a
    link, port, volume, group, security group, router, floating IP or trunk that is to be made; or an address that is to be had.

    `cpus` in cores, `memory` and `disk` in bytes, for machines, together with the `constraints` of the VDU; `disk` and
    `type` of a volume. `least_disk` and `least_memory` are what the image asks for. `ranges` are those of a link, or of
    the network that an address is on, which is one that is to be made unless `network` names it; a router and a floating IP
    name by it the one outside, or leave that to the VIM. `adds` is False for what
    takes the room of something that goes, `brought` True for what a template makes, which may bring what it is made of: its
    room is asked for and nothing else. `number` are the rules of a security group. `resource` is what needs it, by name.
    """

    sort: NeedSort
    name: str
    cpus: float | None = None
    memory: int | None = None
    disk: int | None = None
    constraints: dict[str, str] = {}
    resource: str | None = None
    flavour: str | None = None
    zone: str | None = None
    from_image: bool = False
    least_disk: int = 0
    least_memory: int = 0
    type: str | None = None
    network: str | None = None
    ranges: tuple[str, ...] = ()
    number: int = 1
    adds: bool = True
    brought: bool = False


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


def room_lacks(needs: Sequence[tuple[int, Need, int]], what: str, limit: int, used: int) -> list[Lack]:
    """A lack when the `needs`, each with its number and how much it takes, are more than is left; `limit` < 0 is none."""
    asked = sum(amount for _, _, amount in needs)
    if limit < 0 or asked == 0 or used + asked <= limit:
        return []
    taken = used
    for number, _, amount in needs:
        taken += amount
        if taken > limit:
            detail = f"The plan needs {asked} {what}, and {max(limit - used, 0)} of {limit} are left."
            return [Lack(need=number, code="quota-exceeded", detail=detail, remedy="Raise the quota, or free some.")]
    return []


def within(need: Need, ranges: Iterable[str]) -> bool:
    """Whether the address that `need` names is in one of `ranges`; True where none are known."""
    known = [ip_network(one, strict=False) for one in ranges]
    try:
        address = ip_address(need.name)
    except ValueError:
        return False
    return not known or any(address in one for one in known)
