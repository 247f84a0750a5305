"""The pure half of a kind: what a change of spec means, decided without asking the VIM.

`diff` consults these rules and nothing else, which is what makes a plan a pure function of two records. `DefaultRules`
is what most kinds want: any change is made in place, replacement creates first, undecided fields are pinned from the
outputs of the same name, and nothing is folded.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from fairlead.resources.names import Incarnation, Name, Outputs
from fairlead.resources.records import Resource
from fairlead.resources.specs import Spec
from fairlead.resources.values import Undecided

__all__ = ["DefaultRules", "Member", "Order", "Rulebook", "Rules"]

S = TypeVar("S", bound=Spec)


class Order(StrEnum):
    """How a replacement is done."""

    CREATE_FIRST = "create-first"
    DELETE_FIRST = "delete-first"
    """For what holds a unique thing: a fixed address, a volume, a quota of one."""


class Member(msgspec.Struct, frozen=True):
    """A member of a composite, as its composite sees it when it is created or updated."""

    resource: Resource[Any]
    incarnation: Incarnation | None
    """None in a plan, where no incarnation has been given out yet."""
    renewed: bool
    """True when the plan replaces this member: the composite is to make it anew, even if its spec is unchanged."""
    ends: tuple[Incarnation, ...] = ()
    """The lives under this name that the composite's update ends: the same each time that the update is repeated."""


class Rules(Protocol[S]):
    """What a change means for one sort of resource in one type of VIM; all methods are pure."""

    @property
    def irreversible(self) -> bool:
        """True when a deletion loses what nothing can bring back; such deletions come last in a plan."""
        ...

    def replaced_by(self, old: S, new: S) -> str | None:
        """Why going from `old` to `new` needs a new incarnation; None when it can be done in place."""
        ...

    def rebinds(self, spec: S, replaced: Set[Name]) -> bool:
        """Whether `spec` can be updated in place when the resources named in `replaced`, which it uses, are renewed."""
        ...

    def order(self, old: S, new: S) -> Order:
        """How a replacement is done.

        Delete-first, be it by its like, also says that it may go while it is held by somebody who can be rebound.
        """
        ...

    def pin(self, spec: S, outputs: Outputs) -> S:
        """`spec` with what must survive a replacement filled in from `outputs`."""
        ...

    def fold(self, spec: S, members: Mapping[Name, Member]) -> S:
        """For a composite: the spec of the one update that brings all `members` about.

        A reference to a member that is yet to be made with the composite is not resolved.
        """
        ...

    def remark(self, old: S, new: S, replaced: Set[Name]) -> str | None:
        """What an update from `old` to `new`, or to new lives of what is named in `replaced`, does to it beyond what the change
        says; None when that says all."""
        ...

    def patience(self, verb: str) -> float:
        """Seconds that a `create`, `update` or `delete` may take before it is a failure."""
        ...


class DefaultRules:
    """Rules that suit most kinds; a kind overrides what differs."""

    irreversible = False

    def replaced_by(self, old: Any, new: Any) -> str | None:
        return None

    def rebinds(self, spec: Any, replaced: Set[Name]) -> bool:
        return False

    def order(self, old: Any, new: Any) -> Order:
        return Order.CREATE_FIRST

    def pin(self, spec: Any, outputs: Outputs) -> Any:
        fields = spec.__struct_fields__
        undecided = (f for f in fields if f in outputs and isinstance(getattr(spec, f), Undecided))
        seen = {f: tuple(outputs[f]) if isinstance(outputs[f], list) else outputs[f] for f in undecided}
        return msgspec.structs.replace(spec, **seen) if seen else spec

    def fold(self, spec: Any, members: Mapping[Name, Member]) -> Any:
        return spec

    def remark(self, old: Any, new: Any, replaced: Set[Name]) -> str | None:
        return None

    def patience(self, verb: str) -> float:
        return 600.0


class Rulebook(Protocol):
    """Where `diff` finds the rules of a resource."""

    def rules(self, resource: Resource[Any]) -> Rules[Any]:
        """The rules for this sort of resource in this VIM.

        Raises Unprocessable when the VIM has no kind for it.
        """
        ...
