"""What has happened so far: counted by all threads, told once a minute and at the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

import click

__all__ = ["Tally"]


class Tally:
    """The count of everything, and the violations that were found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """Operations by type and outcome."""
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        """Codes of the errors with which operations stopped."""
        self.accepted: dict[str, str] = {}
        """Every operation that was accepted, and its type."""
        self.violations: list[str] = []

    def accept(self, operation: str, kind: str) -> None:
        with self._lock:
            self.accepted[operation] = kind

    def end(self, kind: str, outcome: str) -> None:
        with self._lock:
            self.outcomes[kind, outcome] += 1

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def most(self, what: str, number: int) -> None:
        """Keep the largest `number`."""
        with self._lock:
            self.counts[what] = max(self.counts[what], number)

    def refuse(self, code: str) -> None:
        with self._lock:
            self.refusals[code] += 1

    def stop(self, code: str) -> None:
        with self._lock:
            self.errors[code] += 1

    def violate(self, words: str, details: Iterable[str] = ()) -> None:
        """Something that must never be."""
        told = "\n    ".join([words, *details])
        with self._lock:
            self.violations.append(told)
        click.echo(f"VIOLATION: {told}", err=True)

    def line(self, minute: int) -> str:
        """One line on where it stands."""
        done = sum(self.outcomes.values())
        counts = self.counts
        return (
            f"minute {minute:3d}: {done} operations ended, {counts['kills']} kills, {counts['interrupted']} interrupted, "
            f"{counts['containers killed'] + counts['containers removed']} containers harmed, {counts['cuts']} cuts, "
            f"{len(self.violations)} violations"
        )

    def summary(self, leaks: int, lost: int) -> str:
        """The table at the end."""
        kinds = sorted({kind for kind, _ in self.outcomes})
        outcomes = sorted({outcome for _, outcome in self.outcomes})
        width = max([len(kind) for kind in kinds], default=0) + 2
        lines = ["operations".ljust(width) + "".join(outcome.rjust(16) for outcome in outcomes)]
        for kind in kinds:
            cells = (str(self.outcomes[kind, outcome] or "") for outcome in outcomes)
            lines.append(kind.ljust(width) + "".join(cell.rjust(16) for cell in cells))
        lines += [_listed("stopped with", self.errors), _listed("refused with", self.refusals)]
        lines.append(_listed("counted", self.counts))
        counts = self.counts
        lines.append(
            f"{sum(self.outcomes.values())} operations, kills: {counts['kills']}, stalls: {counts['stalls']}, interrupted "
            f"operations that went on: {counts['interrupted']}, leaks: {leaks}, lost: {lost}, "
            f"violations: {len(self.violations)}"
        )
        return "\n".join(lines)


def _listed(what: str, counter: Counter[str]) -> str:
    return f"{what}: " + (", ".join(f"{name} {number}" for name, number in sorted(counter.items())) or "nothing")
