"""docs/errors.md and docs/lint.md list every code there is, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import lint_reference
from tests.docs.codes import codes

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$")
NOT_SENT = "–"
FOUND = codes()


def documented() -> dict[str, str]:
    """The status column of each code."""
    rows: dict[str, str] = {}
    for line in (DOCS / "errors.md").read_text(encoding="utf-8").splitlines():
        row = ROW.match(line)
        if row is not None:
            assert row[1] not in rows, f"{row[1]} stands there twice"
            rows[row[1]] = row[2].strip()
    return rows


def test_every_place_that_gives_a_code_can_be_read() -> None:
    assert FOUND.unread == [], "name the code literally, or add what it can become to tests/docs/codes.py"


def test_every_code_has_a_line() -> None:
    assert set(FOUND.statuses) - documented().keys() == set()


def test_every_line_is_of_a_code_that_exists() -> None:
    assert documented().keys() - FOUND.statuses.keys() == set()


@pytest.mark.parametrize("code", sorted(documented()))
def test_the_status_of_a_code_is_that_of_the_errors_that_carry_it(code: str) -> None:
    shown = documented()[code]
    if shown != NOT_SENT and FOUND.statuses[code]:
        assert {int(word) for word in shown.split(", ")} == FOUND.statuses[code]


def test_the_page_of_package_mistakes_is_made_of_the_readers_own_lists() -> None:
    written = lint_reference.PAGE.read_text(encoding="utf-8")
    assert written == lint_reference.reference(), "run: python -m tests.docs.lint_reference"
