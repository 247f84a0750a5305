"""The table of figures."""

from __future__ import annotations

import os
import platform
import sys

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure

__all__ = ["show"]


def show(figures: list[Figure], remarks: list[str], seconds: float) -> None:
    """Print the figures as a table, and what was missed."""
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for column in ("figure", "value", "target", "least to most", "remark"):
        table.add_column(column, justify="right" if column in ("value", "target", "least to most") else "left")
    for each in figures:
        colour = "" if each.target is None else ("green" if each.met else "bold red")
        spread = "" if each.spread is None else f"{_number(each.spread[0])} to {_number(each.spread[1])}"
        target = "" if each.target is None else f"{_number(each.target)} {each.unit}"
        table.add_row(each.name, f"{_number(each.value)} {each.unit}", target, spread, each.note, style=colour)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for remark in remarks:
        console.print(remark)
    missed = [each.name for each in figures if not each.met]
    console.print(f"{seconds / 60:.1f} minutes; " + (f"missed: {', '.join(missed)}" if missed else "all targets met"))


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"
