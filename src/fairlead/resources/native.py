"""Native specs: for packages that bring the words of one sort of infrastructure themselves.

A stack of OpenStack Heat is a composite: what its templates make is recorded, observed and healed like any other resource,
each a member within the stack, and a change of members is one update of the stack. The templates' texts are secrets, for
nobody knows what stands in them, so the spec has their digests. What the parameter `nfv` holds is kept leaf by leaf, so
that a leaf can be an output of another resource and a plan says which of them changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.resources.specs import Spec
from fairlead.resources.values import Ref, SecretRef, Undecided

__all__ = ["Fitting", "Leaf", "StackSpec", "flat", "pointer", "tree"]


class Fitting(msgspec.Struct, frozen=True, kw_only=True, tag="fitting", tag_field="$"):
    """In place of a flavour's name: one that holds this, which the driver chooses. `memory` and `disk` in bytes."""

    cpus: float = 1.0
    memory: int = 0
    disk: int = 0
    constraints: dict[str, str] = msgspec.field(default_factory=dict)


Leaf = str | int | float | bool | Ref | SecretRef | Undecided | Fitting | None
"""A value of a parameter. `Undecided` stands for an availability zone, which is the VIM's default unless decided."""


class StackSpec(Spec, frozen=True, kw_only=True, tag="stack"):
    """A stack of OpenStack Heat. Outputs: `id`.

    `template` is the main template, `files` those nested in it, by the names that it uses. `parameters` are the leaves of
    the parameter `nfv` by path (see `flat`). `places` says where in the stack each member is: names of resources, from the
    main template inwards, with a slash between. `groups` are the AutoScalingGroups with the keys of their members in order;
    such a key stands in `places` for the name that Heat gives a group's member.
    """

    label: str
    template: str | SecretRef
    files: dict[str, str | SecretRef] = msgspec.field(default_factory=dict)
    parameters: dict[str, Leaf] = msgspec.field(default_factory=dict)
    places: dict[str, str] = msgspec.field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """The leaves of nested dicts and lists by path: `VDU/VDU1/name`, `CP/CP1/fixed_ips/#0/subnet`. What is empty has none."""
    if isinstance(value, Mapping):
        parts = ((pointer(str(key)), inner) for key, inner in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"#{index}", inner) for index, inner in enumerate(value))
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for part, inner in parts:
        found |= flat(inner, f"{path}/{part}" if path else part)
    return found


def tree(leaves: Mapping[str, Any]) -> Any:
    """The nested dicts and lists of which `leaves` are the leaves."""
    root: dict[str, Any] = {}
    for path, value in leaves.items():
        at = root
        *stem, last = path.split("/")
        for part in stem:
            at = at.setdefault(part, {})
        at[last] = value
    return _listed(root)


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.startswith("#") and key[1:].isdigit() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=lambda key: int(key[1:]))]
    return {key.replace("~1", "/").replace("~0", "~"): _listed(inner) for key, inner in value.items()}


def pointer(key: str) -> str:
    """A key as it stands in a path."""
    return key.replace("~", "~0").replace("/", "~1")
