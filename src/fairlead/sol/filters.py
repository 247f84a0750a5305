"""Attribute filters of SOL013 clause 5.2: `(eq,vnfInstanceName,edge);(in,instantiatedVnfInfo/vnfState,STARTED,STOPPED)`.

A filter is parsed once into terms that all must hold. The store turns what it has columns for into SQL, and `matches` does
the rest, so both mean the same. An attribute that is an array holds if any element does. An absent one equals nothing:
`eq`, `in`, `cont` and the comparisons fail on it, and `neq`, `nin`, `ncont` hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from fairlead.errors import BadRequest
from fairlead.sol.attributes import KEY, Path, parse_path, unknown

__all__ = ["Filter", "Operator", "Term"]

MOST_TERMS = 64


class Operator(StrEnum):
    EQ = "eq"
    NEQ = "neq"
    IN = "in"
    NIN = "nin"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    CONT = "cont"
    NCONT = "ncont"


_MANY = {Operator.IN, Operator.NIN, Operator.CONT, Operator.NCONT}
_OPPOSITE = {Operator.NEQ: Operator.EQ, Operator.NIN: Operator.IN, Operator.NCONT: Operator.CONT}


class Term(NamedTuple):
    """One condition; `values` has one element but for `in`, `nin`, `cont` and `ncont`."""

    op: Operator
    path: Path
    values: tuple[str, ...]

    def matches(self, document: Any) -> bool:
        """Whether the condition holds for `document`, which is plain values with the names of the wire."""
        found = list(_values_at(document, self.path))
        opposite = _OPPOSITE.get(self.op)
        if opposite is None:
            return any(_holds(self.op, value, self.values) for value in found)
        return not found or any(not _holds(opposite, value, self.values) for value in found)


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that all must hold."""

    terms: tuple[Term, ...]

    @classmethod
    def parse(cls, text: str, of: Any = None) -> Filter:
        """The filter that `text` (already URL-decoded) says; `of` is the type of the resource, to know its attributes.

        Raises BadRequest with the codes `filter-malformed`, `filter-unknown-operator`, `filter-unknown-attribute`.
        """
        return cls(tuple(_Parser(text, of).terms()))

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether `document`, a whole resource with the names of the wire, satisfies every term."""
        return all(term.matches(document) for term in self.terms)


class _Parser:
    """A cursor over the text of one filter."""

    def __init__(self, text: str, of: Any) -> None:
        self._text = text
        self._of = of
        self._at = 0

    def terms(self) -> Iterator[Term]:
        nul = self._text.find("\x00")
        if nul >= 0:
            self._at = nul
            raise self._malformed("the character U+0000 cannot be stored, so nothing holds it")
        for _ in range(MOST_TERMS):
            yield self._term()
            if self._at == len(self._text):
                return
            self._expect(";", "between two expressions")
        raise self._malformed(f"it has more than {MOST_TERMS} expressions")

    def _term(self) -> Term:
        self._expect("(", "at the beginning of an expression")
        op = self._operator()
        path = self._path()
        values = [self._value()]
        while self._peek() == ",":
            self._at += 1
            values.append(self._value())
        if len(values) > 1 and op not in _MANY:
            raise self._malformed(f"'{op}' takes one value; quote a value that holds a comma: 'a,b'")
        self._expect(")", "at the end of an expression")
        return Term(op, path, tuple(values))

    def _operator(self) -> Operator:
        start = self._at
        word = self._until_comma("an operator")
        try:
            return Operator(word)
        except ValueError:
            raise BadRequest(
                f"The filter's operator '{word}' is unknown.",
                code="filter-unknown-operator",
                place=f"filter, character {start + 1}",
                remedy="Use one of " + ", ".join(Operator) + ".",
            ) from None

    def _path(self) -> Path:
        start = self._at
        path = parse_path(self._until_comma("an attribute name"))
        wrong = unknown(self._of, path) if self._of is not None else None
        if wrong is not None:
            known = (
                f"Known there: {', '.join(wrong.known)}." if wrong.known else "It has no attributes of its own there."
            )
            raise BadRequest(
                f"The filter's attribute '{'/'.join(path)}' is unknown at '{wrong.segment}'.",
                code="filter-unknown-attribute",
                place=f"filter, character {start + 1}",
                remedy=known,
            )
        return path

    def _until_comma(self, what: str) -> str:
        end = self._text.find(",", self._at)
        word = self._text[self._at : end] if end >= 0 else self._text[self._at :]
        if end < 0 or not word or set(word) & set("();'"):
            raise self._malformed(f"{what} and a comma are expected")
        self._at = end + 1
        return word

    def _value(self) -> str:
        if self._peek() == "'":
            return self._quoted()
        start = self._at
        while self._peek() not in (",", ")", ""):
            if self._peek() == "'":
                raise self._malformed(
                    "a quote stands inside a value; quote the whole value and double the quotes in it"
                )
            self._at += 1
        return self._text[start : self._at]

    def _quoted(self) -> str:
        start = self._at
        parts = []
        while True:
            end = self._text.find("'", self._at + 1)
            if end < 0:
                self._at = start
                raise self._malformed("a quoted value is not closed")
            parts.append(self._text[self._at + 1 : end])
            self._at = end + 1
            if self._peek() != "'":
                return "'".join(parts)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _expect(self, sign: str, where: str) -> None:
        if self._peek() != sign:
            found = f"'{self._peek()}'" if self._peek() else "the end"
            raise self._malformed(f"'{sign}' is expected {where}, not {found}")
        self._at += 1

    def _malformed(self, why: str) -> BadRequest:
        return BadRequest(
            f"The filter is malformed at character {self._at + 1}: {why}.",
            code="filter-malformed",
            place=f"filter, character {self._at + 1}",
            remedy="Write (op,attribute,value), several joined by ';', and quote values that hold , ) or '.",
        )


def _values_at(document: Any, path: Path) -> Iterator[Any]:
    """The values that `path` leads to; arrays are gone through, at its end too."""
    if isinstance(document, list | tuple):
        for item in document:
            yield from _values_at(item, path)
    elif not path:
        if document is not None:
            yield document
    elif isinstance(document, Mapping):
        head, rest = path[0], path[1:]
        if head == KEY and KEY not in document:
            yield from document
        elif head in document:
            yield from _values_at(document[head], rest)
        elif document and all(isinstance(value, Mapping) for value in document.values()):
            for value in document.values():
                yield from _values_at(value, path) if head in value else ()


def _holds(op: Operator, value: Any, wanted: tuple[str, ...]) -> bool:
    if op is Operator.CONT:
        return isinstance(value, str) and any(part in value for part in wanted)
    if op in (Operator.EQ, Operator.IN):
        return any(_order(value, one) == 0 for one in wanted)
    order = _order(value, wanted[0])
    if order is None:
        return False
    return {
        Operator.GT: order > 0,
        Operator.GTE: order >= 0,
        Operator.LT: order < 0,
        Operator.LTE: order <= 0,
    }[op]


def _order(value: Any, wanted: str) -> int | None:
    """Below, equal to or above 0 as `value` is below, equal to or above `wanted`; None when they cannot be compared."""
    if isinstance(value, bool):
        return 0 if wanted == ("true" if value else "false") else None
    left: Any
    right: Any
    if isinstance(value, int | float):
        left, right = value, _number(wanted)
    elif isinstance(value, str):
        left, right = value, wanted
        times = _time(value), _time(wanted)
        if times[0] is not None and times[1] is not None:
            left, right = times
    else:
        return None
    return None if right is None else (left > right) - (left < right)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _time(text: str) -> datetime | None:
    if len(text) < 19 or text[4] != "-" or text[10] not in "Tt ":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
