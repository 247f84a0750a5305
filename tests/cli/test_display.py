"""The chart and the cards, as text."""

from __future__ import annotations

from typing import Any

import click
import pytest

from fairlead.cli.cards import render_card
from fairlead.cli.chart import render_chart
from fairlead.cli.output import table
from fairlead.cli.steps import steps_of


def step(name: str, started: float, accepted: float | None, ended: float | None, **more: Any) -> dict[str, Any]:
    outcome = "done" if ended is not None else None
    document = {"id": f"create {name}", "name": name, "verb": "create", "attempt": 0, "error": None, "outcome": outcome}
    return (
        document
        | {"started": 1000 + started, "accepted": accepted and 1000 + accepted}
        | {
            "ended": ended and 1000 + ended,
            **more,
        }
    )


def timeline(*steps: dict[str, Any], state: str = "COMPLETED", ended: float | None = 10.0) -> dict[str, Any]:
    document = {"operation": "o", "type": "instantiate", "state": state, "attempt": 0, "started": 1000.0}
    return document | {"ended": ended and 1000 + ended, "steps": list(steps)}


def chart(document: dict[str, Any], *, width: int = 80, now: float = 1010.0, plain: bool = False) -> list[str]:
    return click.unstyle(render_chart(document, width=width, now=now, plain=plain)).splitlines()


def row(lines: list[str], name: str) -> str:
    return next(line for line in lines if f" {name}" in line)


def test_a_bar_shows_when_a_step_was_asked_accepted_and_ready() -> None:
    lines = chart(timeline(step("net", 0, 2, 4), step("vm", 4, 5, 10)))
    assert lines[0] == "instantiate COMPLETED  1970-01-01 00:16:40Z  took 10.0 s"
    assert lines[1].split() == ["0", "2", "4", "6", "8", "10", "s"]
    net, vm = row(lines, "net"), row(lines, "vm")
    assert net.index("◆") == net.index("─") + net.count("─")
    assert vm.index("─") == net.index("●")
    assert net.endswith("4.00 s")
    assert vm.endswith("6.00 s")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_chart_is_as_wide_as_the_terminal(width: int) -> None:
    lines = chart(timeline(step("a-name/that/is/rather/long/for/a/terminal/k1", 0, 2, 10)), width=width)
    assert max(len(line) for line in lines[1:4]) <= width


def test_rows_stand_in_the_order_in_which_steps_started() -> None:
    lines = chart(timeline(step("second", 5, 6, 7), step("first", 1, 2, 9)))
    assert lines.index(row(lines, "first")) < lines.index(row(lines, "second"))


def test_a_failure_is_seen_in_its_row_and_told_below() -> None:
    error = {"code": "image-not-found", "detail": "It is not there.", "cause": "manifest\nunknown"}
    lines = chart(timeline(step("vm", 0, 1, 5, outcome="failed", error=error), state="FAILED_TEMP", ended=None))
    assert "✗" in row(lines, "vm")
    assert "✗ + vm  image-not-found: manifest unknown" in lines


def test_what_runs_goes_on_to_now_and_what_lost_its_worker_does_not() -> None:
    running = timeline(step("vm", 2, 3, None), state="PROCESSING", ended=None)
    assert chart(running, now=1008.0)[0].endswith("for 8.0 s so far")
    assert row(chart(running, now=1008.0), "vm").endswith("›   6.00 s")
    lost = running | {"attempt": 1, "steps": [*running["steps"], step("vm", 6, 7, 9, attempt=1)]}
    assert row(chart(lost, now=1010.0), "vm").endswith("?")


def test_attempts_that_lie_far_apart_have_an_axis_each() -> None:
    first = step("vm", 0, 1, 10, outcome="failed", error={"code": "full"})
    second = step("vm", 3600, 3605, 3610, attempt=1)
    lines = chart(timeline(first, second, ended=3610.0))
    assert "attempt 1, after 0.0 s" in lines
    assert "attempt 2, after 3600.0 s" in lines
    rows = [line for line in lines if line.startswith("+ vm")]
    assert all(mark in rows[1] for mark in "─◆━●")


def test_a_terminal_without_unicode_gets_a_chart_in_ascii() -> None:
    lines = chart(timeline(step("vm", 0, 4, 10)), plain=True)
    assert row(lines, "vm").isascii()
    assert "*" in row(lines, "vm")


@pytest.mark.parametrize("length", [0.0, 0.004, 3.0, 59.0, 4000.0, 100_000.0])
def test_operations_of_any_length_have_an_axis(length: float) -> None:
    lines = chart(timeline(step("vm", 0, None, length), ended=length))
    assert lines[1].strip().startswith("0")
    assert len(lines[2]) <= 80


def test_an_operation_without_steps_has_a_chart_too() -> None:
    lines = chart(timeline(ended=None, state="STARTING"))
    assert lines[0].startswith("instantiate STARTING")
    assert lines[1:] == ["No step has begun."]


def test_a_card_has_a_line_for_each_fact_and_keeps_the_vims_words() -> None:
    card = {
        "code": "vim-refused",
        "detail": "The VIM refused it.",
        "resource": "router/k1",
        "cause": "line one\n  line two",
        "remedy": "Change the image.",
        "status": 502,
    }
    lines = click.unstyle(render_card(card, width=60, more_next=["Or give up."])).splitlines()
    assert lines[0] == "Error: The VIM refused it."
    assert lines[1:] == [
        "  code      vim-refused",
        "  resource  router/k1",
        "  cause     line one",
        "              line two",
        "  next      Change the image.",
        "            Or give up.",
    ]


def test_a_long_card_stays_within_the_terminal() -> None:
    card = {"code": "c", "detail": "many words " * 30, "cause": "other words " * 30}
    assert max(len(line) for line in click.unstyle(render_card(card, width=60)).splitlines()) <= 60


def test_a_card_lists_every_problem_with_its_place() -> None:
    problems = [
        {"file": "a.yaml", "line": 3, "column": 5, "code": "unknown-type", "message": "no such type", "hint": "B?"},
        {"detail": "another", "place": "b.yaml:1:1"},
    ]
    text = click.unstyle(render_card({"detail": "It is refused.", "problems": problems}))
    assert "    - a.yaml:3:5 unknown-type no such type (B?)" in text
    assert "    - b.yaml:1:1 another" in text


def test_columns_are_aligned_whatever_their_colours() -> None:
    text = table(("A", "B"), [(click.style("x", fg="red"), "y"), ("longer", "z")])
    assert click.unstyle(text).splitlines() == ["A       B", "x       y", "longer  z"]


@pytest.mark.parametrize(
    ("state", "ended", "words"),
    [
        ("PROCESSING", None, "asked  60 of 600 MiB sent"),
        ("FAILED_TEMP", None, "unfinished"),
        ("COMPLETED", 9.0, "done"),
    ],
)
def test_how_far_a_step_is_is_told_while_somebody_is_at_it(state: str, ended: float | None, words: str) -> None:
    document = timeline(step("image", 0, None, ended, progress="60 of 600 MiB sent"), state=state, ended=ended)
    assert [one.words for one in steps_of(document)] == [words]
