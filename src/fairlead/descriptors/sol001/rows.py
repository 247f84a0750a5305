"""The shape of one row in the tables of normative types.

A `TypedDict` rather than a class, so that the tables stay plain literals which a reader can hold against ETSI's own files
line by line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

__all__ = ["TypeRow"]


class TypeRow(TypedDict, total=False):
    """One type: properties in the notation of `fairlead.descriptors.schema`; the others by the names of their types.

    `occurrences` are least and most of a requirement where that is not any number.
    """

    derived_from: str
    properties: Mapping[str, str]
    capabilities: Mapping[str, str]
    requirements: Mapping[str, str]
    occurrences: Mapping[str, tuple[int, int | None]]
    interfaces: Mapping[str, str]
    targets: tuple[str, ...]
