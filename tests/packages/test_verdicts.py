"""Every package of other projects that is beside the repository gets the verdict that tests/packages.toml gives it."""

from __future__ import annotations

import pytest

from fairlead.descriptors import Severity
from tests.packages.verdicts import PACKAGES, SORTS, Entry, entries, found, inputs, unlike, verdict_of

pytestmark = pytest.mark.skipif(not PACKAGES.is_dir(), reason="the shared packages are not here")
ALL = entries()
READ = [entry for entry in ALL if entry.kind != "other"]


def test_every_input_has_an_entry_and_every_entry_an_input() -> None:
    assert len({entry.name for entry in ALL}) == len(ALL), "a path stands there twice for one day"
    assert {entry.path: entry.kind for entry in ALL} == inputs()


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_every_entry_says_why(entry: Entry) -> None:
    assert len(entry.why.split()) >= 5
    assert entry.of in SORTS or entry.kind == "other"


@pytest.mark.parametrize("entry", READ, ids=lambda entry: entry.name)
def test_the_verdict_holds(entry: Entry) -> None:
    problems = found(entry)
    errors = [each for each in problems if each.severity is Severity.ERROR]
    warnings = [each for each in problems if each.severity is Severity.WARNING]
    assert [*unlike(entry.errors, errors), *unlike(entry.warnings, warnings)] == []
    assert verdict_of(problems) == entry.verdict
    assert errors or entry.of == "vnf" or entry.kind == "manifest", "what is not of a VNF is refused"
