"""TOSCA's constraint clauses, applied to a value.

Operands come from our tables as plain values, or from a package as nodes. A clause that makes no sense for a value (a length
of a number) holds: the grammar and the value's type are judged elsewhere, and one mistake should be told once.
Patterns are the package's own regular expressions, so those that could take forever are not tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fairlead.descriptors.scalars import SCALAR_UNITS, BadScalar, parse_scalar
from fairlead.descriptors.source import Node

__all__ = ["holds", "rule_text"]

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "equal": lambda value, operand: bool(value == operand),
    "greater_than": lambda value, operand: bool(value > operand),
    "greater_or_equal": lambda value, operand: bool(value >= operand),
    "less_than": lambda value, operand: bool(value < operand),
    "less_or_equal": lambda value, operand: bool(value <= operand),
    "length": lambda value, operand: len(value) == operand,
    "min_length": lambda value, operand: len(value) >= operand,
    "max_length": lambda value, operand: len(value) <= operand,
}


def holds(rule: str, value: Any, operand: Any, source: Any, node: Node) -> bool:
    """Whether a constraint holds; one that cannot be applied to such a value holds."""
    if rule == "valid_values":
        texts = [child.text for child in source.sequence or []] if isinstance(source, Node) else operand
        return value in operand or (node.is_text and node.text in texts)
    if rule == "in_range" and isinstance(operand, list) and len(operand) == 2:
        low, high = operand
        fits_low = not isinstance(low, int | float) or value >= low
        return fits_low and (not isinstance(high, int | float) or value <= high)
    if rule == "pattern":
        return _matches(operand, node.text)
    compare = _COMPARISONS.get(rule)
    if compare is None:
        return True
    if isinstance(operand, str) and isinstance(value, int | float):
        operand = next((each for kind in SCALAR_UNITS if (each := _scalar_or_none(operand, kind)) is not None), None)
    try:
        return operand is None or compare(value, operand)
    except TypeError:
        return True


def _scalar_or_none(text: str, kind: str) -> int | float | None:
    try:
        return parse_scalar(text, kind)
    except BadScalar:
        return None


_LONGEST_PATTERN: Final = 200
_NESTED_REPEAT: Final = re.compile(r"[*+}]\)?[*+{]|[*+][^()]*\)[*+{]")


def _matches(pattern: Any, text: str) -> bool:
    """Whether `text` matches a pattern of the package; a pattern that could take forever is not tried."""
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN or _NESTED_REPEAT.search(pattern):
        return True
    try:
        return re.fullmatch(pattern, text[:1000]) is not None
    except (re.error, RecursionError, OverflowError):
        return True


def rule_text(rule: str, operand: Any) -> str:
    """The rule in words, for a message."""
    if rule == "valid_values":
        shown = [str(each) for each in operand]
        return f"one of {', '.join(shown[:20])}{' ...' if len(shown) > 20 else ''}"
    return f"{rule.replace('_', ' ')} {operand}"
