"""The pure half of stacks and their members: what a change means, and what Heat is told.

A stack takes any change by an update. `fold` makes the one value that says all: the stack's own spec, and which of its
members are to be made anew. Members change by their stack's update, or not at all; a server's power is the one thing that
Heat has no word for. Two digests tell what an update was for: one of what Heat is given, one of the lives that it was to end.
They stand in the stack's tags, so an update that was accepted is known again after any crash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from typing import Any

import msgspec

from fairlead.resources import DefaultRules, Member, Name, NetworkSpec, Order, PortSpec, Rules, StackSpec
from fairlead.vims.seam import MEMBER

__all__ = ["STACK_RULES", "MemberRules", "StackRules", "Stacked", "content_digest", "renewal_digest"]


class Stacked(msgspec.Struct, frozen=True):
    """A stack with what its update is to make anew: the lives that end, by the name of the member."""

    stack: StackSpec
    renewed: dict[str, tuple[str, ...]] = {}


class StackRules(DefaultRules):
    """A stack. Its deletion takes volumes with it, which nothing brings back; names in it may be unique in the cloud."""

    irreversible = True

    def rebinds(self, spec: StackSpec, replaced: Set[Name]) -> bool:
        return True

    def order(self, old: StackSpec, new: StackSpec) -> Order:
        return Order.DELETE_FIRST

    def fold(self, spec: Any, members: Mapping[Name, Member]) -> Stacked:
        stack = spec.stack if isinstance(spec, Stacked) else spec
        return Stacked(stack, {name: member.ends for name, member in sorted(members.items()) if member.ends})

    def patience(self, verb: str) -> float:
        return 3600.0


class MemberRules(DefaultRules):
    """What a stack makes. Heat knows best what of it can be changed in place."""

    def replaced_by(self, old: Any, new: Any) -> str | None:
        if isinstance(old, PortSpec) and old.network != new.network:
            return "it moves to another network"
        return None

    def rebinds(self, spec: Any, replaced: Set[Name]) -> bool:
        return True

    def order(self, old: Any, new: Any) -> Order:
        return Order.DELETE_FIRST

    def pin(self, spec: Any, outputs: Any) -> Any:
        """Nothing: which addresses a port has is for the templates to say."""
        return spec


class NetworkMemberRules(MemberRules):
    """A network that a stack makes."""

    def replaced_by(self, old: NetworkSpec, new: NetworkSpec) -> str | None:
        return None


def content_digest(stacked: Stacked) -> str:
    """Of what Heat is given, decided or not."""
    return _digest(stacked.stack)


def renewal_digest(stacked: Stacked) -> str | None:
    """Of the lives that an update is to end; None where there are none."""
    return _digest(stacked.renewed) if stacked.renewed else None


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:24]


STACK_RULES: Mapping[str, Rules[Any]] = {
    "stack": StackRules(),
    **{f"{MEMBER}{sort}": MemberRules() for sort in ("compute", "port", "volume")},
    f"{MEMBER}network": NetworkMemberRules(),
}
