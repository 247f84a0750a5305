"""What a spec may hold in place of a plain value: a reference, a secret, or a field that is not decided yet.

A `Ref` stands for an output of another resource and is where dependencies come from: nobody writes them by hand. A
`SecretRef` stands for a value that lives encrypted elsewhere; it carries a keyed digest, so two specs differ when their
secrets do, and nothing prints the secret. `UNDECIDED` is for what a grant, or the VIM, will choose: it equals whatever
is recorded, and is filled in (*pinned*) once it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any, TypeVar

import msgspec

from fairlead.resources.names import Name

__all__ = ["UNDECIDED", "Ref", "SecretRef", "Undecided", "carry", "references", "resolve", "secret_references", "walk"]

T = TypeVar("T")


class Ref(msgspec.Struct, frozen=True, tag="ref", tag_field="$"):
    """An output of another resource of the same instance, known once that one is ready."""

    name: Name
    output: str = "id"


class SecretRef(msgspec.Struct, frozen=True, tag="secret", tag_field="$"):
    """A value kept in `secrets/`; `digest` is keyed, so it reveals nothing and changes with the value."""

    digest: str


class Undecided(msgspec.Struct, frozen=True, tag="undecided", tag_field="$"):
    """A field that somebody else decides; equal to whatever is recorded."""


UNDECIDED = Undecided()


def walk(value: Any) -> Iterator[Any]:
    """Every value inside `value`, itself included, through structs, mappings and sequences."""
    yield value
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            inner = getattr(value, field)
            if inner is not None and not isinstance(inner, str | int | float):
                yield from walk(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from walk(inner)


def references(spec: Any) -> frozenset[Name]:
    """The names of the resources whose outputs `spec` uses."""
    found: set[Name] = set()
    _gather(spec, found)
    return frozenset(found)


def _gather(value: Any, found: set[Name]) -> None:
    """What `walk` would find, without its generators: planning reads every spec several times."""
    if isinstance(value, Ref):
        found.add(value.name)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            inner = getattr(value, field)
            if inner is not None and not isinstance(inner, str | int | float):
                _gather(inner, found)
    elif isinstance(value, Mapping):
        for inner in value.values():
            _gather(inner, found)
    elif isinstance(value, tuple | list):
        for inner in value:
            _gather(inner, found)


def secret_references(spec: Any) -> frozenset[SecretRef]:
    """The secrets that `spec` uses."""
    return frozenset(value for value in walk(spec) if isinstance(value, SecretRef))


def resolve(value: T, known: Callable[[Ref], Any], reveal: Callable[[SecretRef], str]) -> T:
    """A copy of `value` with references and secrets replaced; what has neither is returned as it is.

    `known` may return the reference itself for what cannot be known yet (a member of the same composite).
    """
    return _resolve(value, known, reveal)  # type: ignore[no-any-return]


def _resolve(value: Any, known: Callable[[Ref], Any], reveal: Callable[[SecretRef], str]) -> Any:
    if isinstance(value, Ref):
        return known(value)
    if isinstance(value, SecretRef):
        return reveal(value)
    if isinstance(value, msgspec.Struct):
        changed = {}
        for field in value.__struct_fields__:
            old = getattr(value, field)
            if old is None or isinstance(old, str | int | float):
                continue
            new = _resolve(old, known, reveal)
            if new is not old:
                changed[field] = new
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(value, Mapping):
        pairs = {key: _resolve(inner, known, reveal) for key, inner in value.items()}
        return pairs if any(pairs[key] is not value[key] for key in value) else value
    if isinstance(value, tuple | list):
        items = [_resolve(inner, known, reveal) for inner in value]
        return type(value)(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def carry(recorded: T, desired: T, moved: Set[Name] = frozenset()) -> T:
    """`desired` with each undecided field taken from `recorded`; both must be of one type to carry anything.

    A field that its type says was `decided_for` another one is taken only while that other is the same, and refers to
    nothing in `moved`: an address on one network means nothing on the next.
    """
    if type(recorded) is not type(desired) or not isinstance(desired, msgspec.Struct):
        return desired
    bases: Mapping[str, str] = getattr(type(desired), "decided_for", {})
    carried = {}
    for field in desired.__struct_fields__:
        if isinstance(getattr(desired, field), Undecided) and not _undone(recorded, desired, bases.get(field), moved):
            carried[field] = getattr(recorded, field)
    return msgspec.structs.replace(desired, **carried) if carried else desired


def _undone(recorded: Any, desired: Any, basis: str | None, moved: Set[Name]) -> bool:
    """Whether a decision that was made for the field `basis` holds no longer."""
    if basis is None:
        return False
    new = getattr(desired, basis)
    return bool(getattr(recorded, basis) != new or references(new) & moved)
