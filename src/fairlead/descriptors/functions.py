"""TOSCA's functions as they stand in a document: which one a value calls, and where a path through a value leads.

What a function comes to is found out where values are read (`values.py`).
"""

from __future__ import annotations

from typing import Final

from fairlead.descriptors.source import Node

__all__ = ["FUNCTIONS", "called", "descend", "has_function"]

FUNCTIONS: Final = (
    "get_input",
    "get_property",
    "get_attribute",
    "get_artifact",
    "get_operation_output",
    "get_nodes_of_type",
    "concat",
    "join",
    "token",
)


def called(node: Node) -> tuple[str, Node] | None:
    """The function that a value calls, and its argument; None if the value is no call."""
    if node.mapping is None or len(node.mapping) != 1:
        return None
    name, argument = next(iter(node.mapping.items()))
    return (name, argument) if name in FUNCTIONS else None


def has_function(node: Node) -> bool:
    """Whether a function is called anywhere in a value."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if called(each) is not None:
            return True
        waiting += (each.mapping or {}).values() if each.mapping is not None else each.sequence or []
    return False


def descend(node: Node | None, path: list[str]) -> Node | None:
    """The value below `node` along names and list indices."""
    for step in path:
        if node is None:
            return None
        items = node.sequence
        if items is not None:
            node = items[int(step)] if step.isascii() and step.isdigit() and int(step) < len(items) else None
        else:
            node = node.get(step)
    return node
