"""The arithmetic of levels: from scale levels to numbers of VNFCs, and from numbers to members.

SOL001 clause 6: a VDU's number is its initial delta, or what the instantiation level says, plus the increments of each
aspect up to its scale level. All functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from fairlead.descriptors import ConnectionPointKind, Flavour
from fairlead.errors import Unprocessable

__all__ = [
    "choose_members",
    "counts",
    "level_counts",
    "next_scale",
    "numbers_at",
    "scale_of_level",
    "virtual_ip_counts",
]


def scale_of_level(flavour: Flavour, level: str | None) -> dict[str, int]:
    """The scale level of each aspect at an instantiation level; None means the default one.

    Raises Unprocessable (`unknown-instantiation-level`).
    """
    chosen = level or flavour.default_level
    scale = dict.fromkeys(flavour.aspects, 0)
    if chosen is None:
        return scale
    if chosen not in flavour.levels:
        known = ", ".join(sorted(flavour.levels)) or "none"
        raise Unprocessable(
            f"Flavour '{flavour.id}' has no instantiation level '{chosen}'.",
            code="unknown-instantiation-level",
            place="instantiationLevelId",
            remedy=f"Levels: {known}.",
        )
    return scale | dict(flavour.levels[chosen].scale_levels)


def counts(flavour: Flavour, scale: Mapping[str, int]) -> dict[str, int]:
    """How many VNFCs of each VDU there are at these scale levels.

    Raises Unprocessable (`scale-level-out-of-range`) for a level beyond what an aspect allows.
    """
    numbers = {}
    for id_, vdu in flavour.vdus.items():
        numbers[id_] = flavour.initial_deltas.get(id_, _initial(flavour, id_, vdu.min_instances))
    for aspect, level in scale.items():
        if aspect not in flavour.aspects:
            raise _unknown_aspect(flavour, aspect)
        limit = flavour.aspects[aspect].max_scale_level
        if not 0 <= level <= limit:
            raise Unprocessable(
                f"Scale level {level} of aspect '{aspect}' is outside of 0 to {limit}.",
                code="scale-level-out-of-range",
                place=f"aspect {aspect}",
                remedy=f"Choose a level from 0 to {limit}.",
            )
        for id_ in flavour.vdus:
            numbers[id_] += sum(flavour.aspects[aspect].increments(id_)[:level])
    return numbers


def _initial(flavour: Flavour, vdu: str, least: int) -> int:
    """The number of a VDU without an initial delta: what the default level says, or the least there may be."""
    level = flavour.levels.get(flavour.default_level or "")
    return level.instances.get(vdu, least) if level is not None else least


def level_counts(flavour: Flavour, level: str | None, scale: Mapping[str, int]) -> dict[str, int]:
    """How many VNFCs of each VDU an instantiation level has: as it says itself, else by arithmetic."""
    numbers = counts(flavour, scale)
    chosen = flavour.levels.get(level or flavour.default_level or "")
    return numbers | dict(chosen.instances) if chosen is not None else numbers


def numbers_at(flavour: Flavour, scale: Mapping[str, int], level: str | None) -> dict[str, int]:
    """How many VNFCs of each VDU an instance has at these scale levels that was last at the instantiation level `level`.

    What such a level says itself may differ from the arithmetic; scaling keeps the difference. An instance that a
    failed operation left with more or fewer VNFCs comes back to its numbers so.
    """
    numbers = counts(flavour, scale)
    if level is None:
        return numbers
    began = scale_of_level(flavour, level)
    own, usual = level_counts(flavour, level, began), counts(flavour, began)
    return {vdu: number + own[vdu] - usual[vdu] for vdu, number in numbers.items()}


def virtual_ip_counts(flavour: Flavour, scale: Mapping[str, int], level: str | None) -> dict[str, int]:
    """How many instances of each VipCp there are, by the same arithmetic; one, where the descriptor says nothing."""
    points = [id_ for id_, point in flavour.connection_points.items() if point.kind is ConnectionPointKind.VIRTUAL_IP]
    began = scale_of_level(flavour, level) if level is not None else {}
    own = flavour.levels[level].virtual_ips if level is not None else {}

    def usual(id_: str, at: Mapping[str, int]) -> int:
        steps = (sum(flavour.aspects[aspect].virtual_ip_increments(id_)[:number]) for aspect, number in at.items())
        return flavour.initial_virtual_ips.get(id_, 1) + sum(steps)

    return {id_: usual(id_, scale) + (own[id_] - usual(id_, began) if id_ in own else 0) for id_ in points}


def next_scale(flavour: Flavour, scale: Mapping[str, int], aspect: str, steps: int) -> dict[str, int]:
    """The scale levels after `steps` (negative: in) of one aspect.

    Raises Unprocessable (`unknown-aspect`, `scale-level-out-of-range`).
    """
    if aspect not in flavour.aspects:
        raise _unknown_aspect(flavour, aspect)
    new = {**scale, aspect: scale.get(aspect, 0) + steps}
    counts(flavour, new)
    return new


def _unknown_aspect(flavour: Flavour, aspect: str) -> Unprocessable:
    known = ", ".join(sorted(flavour.aspects)) or "none"
    return Unprocessable(
        f"Flavour '{flavour.id}' has no scaling aspect '{aspect}'.",
        code="unknown-aspect",
        place="aspectId",
        remedy=f"Aspects: {known}.",
    )


def choose_members(
    keys: Sequence[str], counter: int, number: int, *, unhealthy: Set[str] = frozenset(), chosen: Set[str] = frozenset()
) -> tuple[tuple[str, ...], int]:
    """`number` members out of, or beyond, `keys`, and the counter then.

    New ones get new keys. Those that go are the `chosen`, then the `unhealthy`, then the newest.
    """
    if number >= len(keys):
        new = [f"k{counter + index}" for index in range(1, number - len(keys) + 1)]
        return (*keys, *new), counter + len(new)
    oldest_last = list(reversed(keys))
    leaving = [key for key in oldest_last if key in chosen]
    leaving += [key for key in oldest_last if key in unhealthy and key not in leaving]
    leaving += [key for key in oldest_last if key not in leaving]
    gone = set(leaving[: len(keys) - number])
    return tuple(key for key in keys if key not in gone), counter
