"""What a simulated VIM has, as its settings say: where they name no images, flavours or zones, it has all that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from fairlead.vims.needs import Lack, Missing, Need, NeedSort, room_lacks, within
from fairlead.vims.simulated.behaviour import Behaviour

__all__ = ["Place", "missing_of"]

_SORTS: tuple[NeedSort, ...] = (
    "image", "flavour", "network", "zone", "machine", "link", "port", "address", "volume", "group", "security-group",
    "router", "floating-ip", "trunk",
)  # fmt: skip
_MADE = {
    "machine": "compute", "link": "network", "port": "port", "volume": "volume", "group": "affinity-group",
    "security-group": "security-group", "router": "router", "floating-ip": "floating-ip", "trunk": "trunk",
}  # fmt: skip
"""What is made for a need, by the word that quotas have for it."""


class Place(Protocol):
    """What is asked of the VIM itself."""

    def number(self, sort: str) -> int:
        """How many there are of a sort."""
        ...

    def used_cpus(self) -> float:
        """Cores in use."""
        ...

    def ranges(self, network: str) -> tuple[str, ...] | None:
        """The ranges of a network; None when there is none such."""
        ...

    def holder(self, network: str, address: str) -> str | None:
        """Who has an address."""
        ...


def missing_of(behaviour: Behaviour, place: Place, needs: Sequence[Need]) -> Missing:
    """What of `needs` is not there."""
    found = [lack for number, need in enumerate(needs) for lack in _lacks(behaviour, place, number, need)]
    found += _of_room(behaviour, place, needs)
    return Missing(_SORTS, tuple(sorted(found, key=lambda lack: lack.need)))


def _lacks(behaviour: Behaviour, place: Place, number: int, need: Need) -> Iterator[Lack]:
    if need.sort == "image" and _absent(need.name, behaviour.images):
        yield Lack(need=number, code="vim-lacks-image", detail=f"The VIM has no image '{need.name}'.")
    elif need.sort == "flavour" and _absent(need.name, behaviour.flavours):
        yield Lack(need=number, code="vim-lacks-flavour", detail=f"The VIM has no flavour '{need.name}'.")
    elif need.sort == "network" and place.ranges(need.name) is None:
        yield Lack(need=number, code="vim-lacks-network", detail=f"The VIM has no network '{need.name}'.")
    elif need.sort == "machine" and (need.cpus or 0) > behaviour.cpus:
        detail = f"'{need.name}' asks for {need.cpus:g} cores, and the VIM has {behaviour.cpus:g} in all."
        yield Lack(need=number, code="vim-lacks-room", detail=detail)
    elif need.sort == "address":
        yield from _address(place, number, need)
    zone = need.name if need.sort == "zone" else need.zone
    if zone is not None and _absent(zone, behaviour.zones):
        yield Lack(need=number, code="vim-lacks-zone", detail=f"The VIM has no zone '{zone}'.")


def _address(place: Place, number: int, need: Need) -> Iterator[Lack]:
    ranges = need.ranges if need.network is None else place.ranges(need.network)
    if ranges is None:
        return  # that is told of the network itself
    if not within(need, ranges):
        detail = f"The address {need.name} is in none of the network's ranges ({', '.join(ranges)})."
        yield Lack(need=number, code="address-outside-network", detail=detail)
    elif need.network is not None and (holder := place.holder(need.network, need.name)) is not None:
        yield Lack(need=number, code="address-in-use", detail=f"The address {need.name} is in use by '{holder}'.")


def _of_room(behaviour: Behaviour, place: Place, needs: Sequence[Need]) -> Iterator[Lack]:
    numbered = [(number, need) for number, need in enumerate(needs) if need.adds and need.resource is not None]
    for asked, sort in _MADE.items():
        taken = [(number, need, 1) for number, need in numbered if need.sort == asked]
        if sort in behaviour.quota and taken:
            yield from room_lacks(taken, f"of {sort}", behaviour.quota[sort], place.number(sort))
    machines = [(number, need) for number, need in numbered if need.sort == "machine"]
    used = place.used_cpus()
    for number, need in machines:
        used += need.cpus or 0
        if used > behaviour.cpus:
            detail = f"The plan needs more cores than the {behaviour.cpus:g} that the VIM has."
            yield Lack(need=number, code="quota-exceeded", detail=detail)
            return


def _absent(name: str, there: Collection[str] | None) -> bool:
    return there is not None and name not in there
