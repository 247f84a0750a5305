"""What a simulated VIM has, as its settings say: where they name no images, flavours or zones, it has all that there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from fairlead.vims.needs import Lack, Missing, Need
from fairlead.vims.simulated.behaviour import Behaviour

__all__ = ["missing_of"]


def missing_of(behaviour: Behaviour, has_network: Callable[[str], bool], needs: Sequence[Need]) -> Missing:
    """What of `needs` is not there."""
    lacks = (lack for number, need in enumerate(needs) for lack in _lacks(behaviour, has_network, number, need))
    return Missing(("image", "flavour", "network", "zone", "machine"), tuple(lacks))


def _lacks(behaviour: Behaviour, has_network: Callable[[str], bool], number: int, need: Need) -> Iterator[Lack]:
    if need.sort == "image" and _absent(need.name, behaviour.images):
        yield Lack(need=number, code="vim-lacks-image", detail=f"The VIM has no image '{need.name}'.")
    elif need.sort == "flavour" and _absent(need.name, behaviour.flavours):
        yield Lack(need=number, code="vim-lacks-flavour", detail=f"The VIM has no flavour '{need.name}'.")
    elif need.sort == "zone" and _absent(need.name, behaviour.zones):
        yield Lack(need=number, code="vim-lacks-zone", detail=f"The VIM has no zone '{need.name}'.")
    elif need.sort == "network" and not has_network(need.name):
        yield Lack(need=number, code="vim-lacks-network", detail=f"The VIM has no network '{need.name}'.")
    elif need.sort == "machine" and (need.cpus or 0) > behaviour.cpus:
        detail = f"'{need.name}' asks for {need.cpus:g} cores, and the VIM has {behaviour.cpus:g} in all."
        yield Lack(need=number, code="vim-lacks-room", detail=detail)


def _absent(name: str, there: Collection[str] | None) -> bool:
    return there is not None and name not in there
