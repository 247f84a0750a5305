"""What attributes a data type has, read from its struct: the ground on which filters and selectors know a path when they see one.

A path is a tuple of wire names. It goes through arrays without naming an element, and through maps either by a key or, as
SOL013 has it, as if the map were an array whose elements have an attribute `@key`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum, auto
from functools import cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec

__all__ = ["KEY", "Attribute", "Nature", "Path", "Unknown", "attributes", "parse_path", "unescape", "unknown"]

Path = tuple[str, ...]

KEY = "@key"
"""The pseudo-attribute that stands for the keys of a map."""

_ESCAPES = (("~1", "/"), ("~a", ","), ("~b", "@"), ("~0", "~"))


class Nature(Enum):
    """What a value is made of; all but SCALAR are what SOL013 calls complex."""

    SCALAR = auto()
    STRUCT = auto()
    ARRAY = auto()
    MAP = auto()
    OPEN = auto()


class Attribute(NamedTuple):
    """`item` is the struct, or the type of an array's elements or of a map's values."""

    name: str
    required: bool
    nature: Nature
    item: Any

    @property
    def complex(self) -> bool:
        return self.nature is not Nature.SCALAR


class Unknown(NamedTuple):
    """The first segment of a path that names nothing, and what could have stood there."""

    segment: str
    known: tuple[str, ...]


def parse_path(text: str) -> Path:
    """`a/b/@key` as a path, with SOL013's escapes undone."""
    return tuple(unescape(part) for part in text.split("/"))


def unescape(text: str) -> str:
    """`~1`, `~a`, `~b` and `~0` as the characters that they stand for: `/`, `,`, `@` and `~`."""
    if "~" in text:
        for escaped, plain in _ESCAPES:
            text = text.replace(escaped, plain)
    return text


@cache
def attributes(struct: type[msgspec.Struct]) -> Mapping[str, Attribute]:
    """The attributes of `struct` by their names on the wire."""
    found = {}
    for field in msgspec.structs.fields(struct):
        nature, item = _nature(field.type)
        found[field.encode_name] = Attribute(field.encode_name, field.required, nature, item)
    return found


def unknown(type_: Any, path: Path) -> Unknown | None:
    """Where `path` leaves the data type `type_`; None when it names an attribute."""
    if not path:
        return None
    nature, item = _nature(type_)
    head, *tail = path
    rest = tuple(tail)
    if nature is Nature.OPEN:
        return None
    if nature is Nature.ARRAY:
        return unknown(item, path)
    if nature is Nature.MAP:
        if head == KEY:
            return None if not rest else Unknown(rest[0], ())
        return None if unknown(item, path) is None else unknown(item, rest)
    if nature is Nature.SCALAR:
        return Unknown(head, ())
    attribute = attributes(item).get(head)
    if attribute is None:
        return Unknown(head, tuple(sorted(attributes(item))))
    field = next(f for f in msgspec.structs.fields(item) if f.encode_name == head)
    return unknown(field.type, rest)


def _nature(type_: Any) -> tuple[Nature, Any]:
    """The nature of a type with `| None`, `| UnsetType` and `Annotated` taken off, and its item type."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _nature(get_args(type_)[0])
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(type_) if option not in (type(None), msgspec.UnsetType)]
        return _nature(options[0]) if len(options) == 1 else (Nature.SCALAR, None)
    if type_ is Any:
        return Nature.OPEN, Any
    if origin in (tuple, list):
        return Nature.ARRAY, get_args(type_)[0]
    if origin is dict:
        return Nature.MAP, get_args(type_)[1]
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return Nature.STRUCT, type_
    return Nature.SCALAR, None
