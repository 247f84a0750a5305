"""What a property may hold, and the compact notation in which our tables say so.

A schema comes from one of two places: a table row such as `list<string in ipv4|ipv6>? len>=1` (see `sol001/`), or a TOSCA
property definition in a package. Both become the same `Schema`, and one reader (`values.py`) checks and reads by it.

    schema      = alternative { " / " alternative } [ " = " default ]
    alternative = type [ "?" ] { constraint }            "?" after the first type: the property may be absent
    type        = string | integer | ... | Name of a SOL001 data type | list<alternative> | map<alternative>
    constraint  = "in a|b|c" | ">=1" | "<=9" | ">0" | "<9" | "len>=1"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from fairlead.descriptors.problems import Mark

__all__ = ["MISSING", "PRIMITIVES", "Constraint", "Missing", "Schema", "parse_schema"]

NFV_DATA: Final = "tosca.datatypes.nfv."
PRIMITIVES: Final = frozenset(
    {
        "string",
        "integer",
        "float",
        "boolean",
        "timestamp",
        "null",
        "version",
        "range",
        "list",
        "map",
        "size",
        "time",
        "frequency",
        "bitrate",
        "any",
    }
)


class Missing:
    """The one value that stands for "no value"; None is a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Constraint:
    """`rule` is the TOSCA name (`valid_values`, `greater_or_equal` ...), `operand` its plain value."""

    rule: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Schema:
    """A property's type and what else is demanded of it; `others` are forms of older versions, read just as well.

    `type` is a primitive of TOSCA (scalar-unit.size is `size`), or the full name of a data type. `default` is MISSING, a plain
    value (tables) or a Node (packages). `mark` is where the package defines it, `type_mark` where it names the type.
    """

    type: str
    entry: Schema | None = None
    required: bool = True
    default: Any = MISSING
    constraints: tuple[Constraint, ...] = ()
    others: tuple[Schema, ...] = ()
    mark: Mark | None = None
    type_mark: Mark | None = None


_RULES: Final = (
    ("len>=", "min_length"),
    (">=", "greater_or_equal"),
    ("<=", "less_or_equal"),
    (">", "greater_than"),
    ("<", "less_than"),
)
_COLLECTION: Final = re.compile(r"(list|map)<(.*)>\Z")


@lru_cache(maxsize=2048)
def parse_schema(text: str) -> Schema:
    """The schema that a table row writes as `text`."""
    body, has_default, default = text.partition(" = ")
    first, *older = _split(body, " / ")
    schema = _alternative(first)
    return Schema(
        schema.type,
        schema.entry,
        schema.required,
        _plain(default, schema.type) if has_default else MISSING,
        schema.constraints,
        tuple(_alternative(each) for each in older),
    )


def _alternative(text: str) -> Schema:
    name, *words = _split(text, " ")
    required = not name.endswith("?")
    name = name.removesuffix("?")
    constraints = []
    while words:
        word = words.pop(0)
        if word == "in":
            constraints.append(Constraint("valid_values", tuple(words.pop(0).split("|"))))
            continue
        sign, rule = next((sign, rule) for sign, rule in _RULES if word.startswith(sign))
        constraints.append(Constraint(rule, int(word.removeprefix(sign))))
    collection = _COLLECTION.match(name)
    if collection:
        return Schema(collection[1], _alternative(collection[2]), required, constraints=tuple(constraints))
    full = name if name in PRIMITIVES or "." in name else NFV_DATA + name
    return Schema(full, None, required, constraints=tuple(constraints))


def _split(text: str, separator: str) -> list[str]:
    """Split where `separator` is not inside `<...>`; a bracket counts only right after a type's name."""
    parts, depth, start, at = [], 0, 0, 0
    while at < len(text):
        if text[at] == "<" and text[:at].endswith(("list", "map")):
            depth += 1
        elif text[at] == ">" and depth:
            depth -= 1
        elif not depth and text.startswith(separator, at):
            parts.append(text[start:at])
            start = at = at + len(separator)
            continue
        at += 1
    return [*parts, text[start:]]


def _plain(text: str, type_name: str) -> Any:
    if type_name == "boolean":
        return text == "true"
    return int(text) if type_name == "integer" else text
