"""Lists of rows that carry their own JSON: filtered, in pages, spliced into answers undecoded.

A row stores the JSON of its default view and of the whole object as text, so a page costs no encoding, and no decoding
either while its filter speaks of columns only. Such terms become SQL that means exactly what the filter means in
Python; the rest is matched on decoded objects, batch by batch. Pages go by the id of their last row and not by number, so
whatever is created or deleted in between, no other row is skipped or shown twice.

A table that is listed wants one index over project, id and all columns that filters use, in that order: any filter is
then answered from that index alone, in at most some 10 ms for 100,000 rows on SQLite, and rows are read for one page only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from fairlead.store.transactions import Tx

__all__ = ["Condition", "Matcher", "Page", "Row", "list_page"]

_BATCH = 250
_SCANNED = 5_000
"""Rows that are decoded for one page at most: some 0.1 s. A page that is short for that still says where to go on."""


class Condition(Protocol):
    """One term of a filter."""

    @property
    def op(self) -> str: ...
    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def values(self) -> tuple[str, ...]: ...


class Matcher(Protocol):
    """A filter whose terms must all hold; an absent attribute equals nothing, and holds for `neq`, `nin` and `ncont`."""

    @property
    def terms(self) -> Sequence[Condition]: ...

    def matches(self, document: Mapping[str, Any], /) -> bool: ...


@dataclass(frozen=True)
class Row:
    """One object: its id, the JSON of its default view, and the whole object, which is decoded when it is asked for."""

    id: str
    view: str
    text: str
    """The JSON of the whole object."""

    @cached_property
    def full(self) -> dict[str, Any]:
        document: dict[str, Any] = msgspec.json.decode(self.text)
        return document


@dataclass(frozen=True)
class Page:
    """Rows in the order of their ids; `next_marker` leads to the next page and is None on the last."""

    rows: list[Row]
    next_marker: str | None


def list_page(
    tx: Tx,
    source: sa.Table,
    *,
    view: sa.Column[Any],
    full: sa.Column[Any],
    id_column: sa.Column[Any] | None = None,
    indexed: Mapping[tuple[str, ...], sa.Column[Any]] | None = None,
    filter: Matcher | None = None,
    marker: str | None = None,
    limit: int = 100,
) -> Page:
    """The page of at most `limit` rows of `source` after the row with the id `marker`.

    `view` and `full` hold JSON as text, or `full` a JSON document. `indexed` says which column holds what an attribute
    path has on the wire; columns of text, numbers and booleans are understood. `id_column` (by default the primary key) is
    text. A page may be short, even empty, and have a `next_marker`: there may be more further on.
    """
    key = id_column if id_column is not None else next(iter(source.primary_key.columns))
    text = full if isinstance(full.type, sa.Text) else sa.cast(full, sa.Text)
    chosen = tx.select(source, key).order_by(key)
    rest = False
    for term in filter.terms if filter is not None else ():
        column = (indexed or {}).get(tuple(term.path))
        condition = _condition(column, term, tx.dialect) if column is not None else None
        if condition is None:
            rest = True
        else:
            chosen = chosen.where(condition)
    whole = tx.select(source, key.label("id"), view.label("view"), text.label("text")).order_by(key)
    rows = _rows(tx, whole, chosen, key, marker, _BATCH if rest else limit + 1)
    return _matching(rows, filter.matches if filter is not None and rest else None, limit)


def _matching(rows: Iterator[Row], matches: Callable[[Mapping[str, Any]], bool] | None, limit: int) -> Page:
    page: list[Row] = []
    last = None
    for number, row in enumerate(rows):
        if number >= _SCANNED:
            return Page(page, last)
        if matches is None or matches(row.full):
            if len(page) == limit:
                return Page(page, page[-1].id if page else last)
            page.append(row)
        last = row.id
    return Page(page, None)


def _rows(
    tx: Tx, whole: sa.Select[Any], chosen: sa.Select[Any], key: sa.Column[Any], marker: str | None, batch: int
) -> Iterator[Row]:
    """The rows that are `chosen`, after `marker`, `batch` at a time."""
    while True:
        # Choosing ids by themselves lets an index that holds the filtered columns answer alone: rows are wide.
        ids = (chosen if marker is None else chosen.where(key > marker)).limit(batch)
        found = tx.all(whole.where(key.in_(ids)))
        yield from (Row(row.id, row.view, row.text) for row in found)
        if len(found) < batch:
            return
        marker = found[-1].id


_OPPOSITE = {"neq": "eq", "nin": "in", "ncont": "cont"}


def _condition(column: sa.Column[Any], term: Condition, dialect: str) -> sa.ColumnElement[bool] | None:
    """`term` in SQL; None when only Python can say what it means."""
    op = str(term.op)
    positive = _positive(column, _OPPOSITE.get(op, op), term.values, dialect)
    if positive is None or op not in _OPPOSITE:
        return positive
    return sa.or_(column.is_(None), sa.not_(positive))


def _positive(column: sa.Column[Any], op: str, values: tuple[str, ...], dialect: str) -> sa.ColumnElement[bool] | None:
    if isinstance(column.type, sa.Boolean):
        truths = {"true": sa.true(), "false": sa.false()}
        wanted = [truths[value] for value in values if value in truths]
        return sa.or_(sa.false(), *(column == truth for truth in wanted)) if op in ("eq", "in") else None
    if isinstance(column.type, sa.Integer | sa.Numeric):
        return _number(column, op, values)
    return _text(column, op, values, dialect) if isinstance(column.type, sa.String) else None


def _number(column: sa.Column[Any], op: str, values: tuple[str, ...]) -> sa.ColumnElement[bool] | None:
    numbers = [sa.literal(number, sa.Double) for value in values if (number := _finite(value)) is not None]
    if op == "cont" or len(numbers) < len(values):
        return None
    return _compared(column, op, numbers)


def _text(column: sa.Column[Any], op: str, values: tuple[str, ...], dialect: str) -> sa.ColumnElement[bool] | None:
    # What may be a point in time is compared as such, which text cannot do.
    if op != "cont" and any(value[10:11] in ("T", "t", " ") for value in values):
        return None
    if op == "cont":
        # Not LIKE, which on SQLite takes no notice of case.
        find = sa.func.strpos if dialect == "postgresql" else sa.func.instr
        return sa.or_(*(find(column, value) > 0 if value else column.is_not(None) for value in values))
    if op in ("eq", "in"):
        return column.in_(values) if len(values) > 1 else column == values[0]
    # By code point, as Python compares, whatever the database's language is.
    return _compared(sa.collate(column, "C") if dialect == "postgresql" else column, op, [sa.literal(values[0])])


def _compared(column: Any, op: str, values: Sequence[Any]) -> sa.ColumnElement[bool] | None:
    if op in ("eq", "in"):
        return sa.or_(*(column == value for value in values))
    if op not in ("gt", "gte", "lt", "lte"):
        return None
    compared: Mapping[str, sa.ColumnElement[bool]] = {
        "gt": column > values[0],
        "gte": column >= values[0],
        "lt": column < values[0],
        "lte": column <= values[0],
    }
    return compared[op]


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
