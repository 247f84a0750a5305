"""A measured figure, and what tells whether it is good enough.

A part of the benchmark is a function that returns figures, or raises `Skipped` when what it needs is not there. Where other
work on the machine disturbs a measurement, it is made several times, in turns with what it is compared with, and the
median is taken; `spread` then has the least and the most.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

__all__ = ["Figure", "Skipped", "figure", "median_of"]


class Skipped(Exception):
    """Why a part cannot be measured here."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. It is met when `value` is at most `target`; without a target it is for information."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    spread: tuple[float, float] | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.target is None or self.value <= self.target


def figure(name: str, value: float, unit: str = "", *, target: float | None = None, note: str = "") -> Figure:
    """A figure that was measured once."""
    return Figure(name=name, value=value, unit=unit, target=target, note=note)


def median_of(
    name: str, values: Sequence[float], unit: str = "", *, target: float | None = None, note: str = ""
) -> Figure:
    """The median of several measurements."""
    spread = (min(values), max(values))
    return Figure(name=name, value=statistics.median(values), unit=unit, target=target, spread=spread, note=note)
