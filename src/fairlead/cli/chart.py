"""The timeline of an operation as a chart of bars in the terminal. Pure: a document in, lines out.

A row is a step. Its bar is thin while the infrastructure has not taken the request, has a mark where it did, and is
thick while the resource becomes ready; the sign at its end says how that went. Durations stand beside the bars, because
a terminal's columns are coarse, and what failed is written out below in full, because a red mark alone helps nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from fairlead.cli.output import moment
from fairlead.cli.steps import Step, steps_of

__all__ = ["render_chart"]


@dataclass(frozen=True)
class _Signs:
    asked: str
    accepted: str
    taking: str
    ready: str
    failed: str
    going: str
    lost: str


_UNICODE = _Signs("─", "◆", "━", "●", "✗", "›", "?")
_ASCII = _Signs("-", "*", "=", "o", "x", ">", "?")
_FEWEST_COLUMNS = 12
_GOOD_STEPS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1200,
    1800,
    3600,
    7200,
    14400,
    28800,
    86400,
)


def render_chart(timeline: Mapping[str, Any], *, width: int, now: float, plain: bool = False) -> str:
    """The chart in lines of at most `width` columns; `plain` uses ASCII only. `now` is where what still runs ends.

    Attempts stand one below the other, each with an axis of its own: between them an operation may have waited for days.
    """
    signs = _ASCII if plain else _UNICODE
    steps = steps_of(timeline)
    times = _times(steps)
    start = timeline.get("started") or min(times, default=now)
    running = any(step.running for step in steps)
    end = max([timeline.get("ended") or start, *times, now if running else start])
    labels = max((len(_label(step)) for step in steps), default=0)
    column = min(labels, max(width // 3, 12))

    lines = [_title(timeline, start, end, running)]
    if not steps:
        return "\n".join([*lines, "No step has begun."])
    attempts = sorted({step.key[0] for step in steps})
    for attempt in attempts:
        of_it = [step for step in steps if step.key[0] == attempt]
        # The first begins when the operation was accepted, which shows how long it waited for its turn.
        begun = start if attempt == attempts[0] else min(_times(of_it))
        done = max([*_times(of_it), now if any(step.running for step in of_it) else begun])
        if len(attempts) > 1:
            lines += ["", click.style(f"attempt {attempts.index(attempt) + 1}, after {begun - start:.1f} s", bold=True)]
        lines += _rows(of_it, _Scale(begun, done, max(width - column - 2 - 9, _FEWEST_COLUMNS)), column, signs, now)
    failed = [step for step in steps if step.failed]
    if failed:
        told = [f"{signs.failed} {_label(step)}  {step.reason}".rstrip() for step in failed]
        lines += ["", *(click.style(line, fg="red") for line in told)]
    lines += ["", *_legend(signs, width)]
    return "\n".join(lines)


def _times(steps: Iterable[Step]) -> list[float]:
    return [time for step in steps for time in (step.started, step.accepted, step.ended) if time is not None]


def _label(step: Step) -> str:
    return f"{step.sign} {step.name}"


def _rows(steps: Iterable[Step], scale: _Scale, column: int, signs: _Signs, now: float) -> list[str]:
    lines = [" " * (column + 2) + line for line in scale.axis()]
    for step in steps:
        taken = step.seconds(now)
        duration = "" if taken is None else f"{taken:7.2f} s" if taken < 10 else f"{taken:7.1f} s"
        lines.append(f"{_cut(_label(step), column).ljust(column)}  {_bar(step, scale, signs, now)}{duration}".rstrip())
    return lines


class _Scale:
    """Seconds to columns."""

    def __init__(self, start: float, end: float, columns: int) -> None:
        self.start = start
        self.length = max(end - start, 0.001)
        self.columns = columns

    def at(self, time: float) -> int:
        share = (time - self.start) / self.length
        return min(max(round(share * (self.columns - 1)), 0), self.columns - 1)

    def axis(self) -> list[str]:
        """Ticks with their seconds, at round distances, not closer than eight columns."""
        step = next((s for s in _GOOD_STEPS if s / self.length * self.columns >= 8), _GOOD_STEPS[-1])
        figures, ruler = [" "] * (self.columns + 8), ["·"] * self.columns
        tick = 0
        while tick * step <= self.length * 1.0001:
            at = self.at(self.start + tick * step)
            ruler[at] = "┴"
            for offset, letter in enumerate(f"{tick * step:g}"):
                figures[at + offset] = letter
            tick += 1
        text = "".join(figures).rstrip()
        return [text + " s", "".join(ruler)]


def _bar(step: Step, scale: _Scale, signs: _Signs, now: float) -> str:
    cells = [" "] * scale.columns
    if step.started is not None:
        ended = step.ended if step.ended is not None else now if step.running else step.accepted or step.started
        first, last = scale.at(step.started), scale.at(ended)
        taken = None if step.accepted is None else scale.at(step.accepted)
        for at in range(first, last + 1):
            cells[at] = signs.asked if taken is None or at < taken else signs.taking
        if taken is not None and taken < last:
            cells[taken] = signs.accepted
        cells[last] = _end_of(step, signs)
    good = step.ended is not None and step.outcome != "interrupted"
    return click.style("".join(cells), fg="red" if step.failed else "green" if good else "yellow")


def _end_of(step: Step, signs: _Signs) -> str:
    if step.failed:
        return signs.failed
    if step.running:
        return signs.going
    return signs.ready if step.ended is not None and step.outcome != "interrupted" else signs.lost


def _title(timeline: Mapping[str, Any], start: float, end: float, running: bool) -> str:
    took = f"for {end - start:.1f} s so far" if running else f"took {end - start:.1f} s"
    name = click.style(
        f"{timeline.get('type') or timeline.get('operation', '')} {timeline.get('state', '')}", bold=True
    )
    return f"{name}  {moment(start)}  {took}"


def _legend(signs: _Signs, width: int) -> list[str]:
    parts = {
        signs.asked: "asked",
        signs.accepted: "accepted",
        signs.taking: "becoming ready",
        signs.ready: "ready or done",
        signs.failed: "failed",
        signs.going: "under way",
        signs.lost: "interrupted",
    }
    lines = [""]
    for sign, words in parts.items():
        part = f"{sign} {words}"
        if lines[-1] and len(lines[-1]) + 2 + len(part) > width:
            lines.append("")
        lines[-1] += ("  " if lines[-1] else "") + part
    return [click.style(line, dim=True) for line in lines]


def _cut(text: str, columns: int) -> str:
    """`text` in at most `columns`; the end of a long name says more than its middle."""
    if len(text) <= columns:
        return text
    tail = columns // 2
    return text[: columns - tail - 1] + "…" + text[-tail:]
