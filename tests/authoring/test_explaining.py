"""Every code is explained, and every example is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.authoring.advice import ADVICE
from fairlead.authoring.explaining import all_explanations, closest, explain
from fairlead.authoring.linting import lint_one
from fairlead.authoring.skeletons import Kind, write_skeleton
from fairlead.csar import PACKAGE_CODES
from fairlead.descriptors import CODES
from fairlead.hot import TEMPLATE_CODES
from tests.docs.codes import codes

EXAMPLES = sorted(code for code, advice in ADVICE.items() if advice.example is not None)


def test_every_code_of_the_linter_and_of_the_api_is_explained() -> None:
    explained = {each.code for each in all_explanations()}
    assert (CODES.keys() | PACKAGE_CODES.keys() | TEMPLATE_CODES.keys() | codes().statuses.keys()) - explained == set()


def test_every_error_says_what_to_do() -> None:
    assert [each.code for each in all_explanations() if not each.of_packages and not each.remedy] == []


def test_advice_is_on_codes_that_exist() -> None:
    assert ADVICE.keys() - CODES.keys() - PACKAGE_CODES.keys() - TEMPLATE_CODES.keys() == set()


def test_explanations_are_plain_text() -> None:
    for each in all_explanations():
        for text in (each.meaning, each.remedy or ""):
            assert "`" not in text
            assert "](" not in text


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_wrong_lines_of_an_example_are_told_by_its_code(code: str, tmp_path: Path) -> None:
    example = ADVICE[code].example
    assert example is not None
    write_skeleton(tmp_path, Kind.MACHINE, name="new", provider="Example", time="2026-01-01T00:00:00Z")
    path = tmp_path / "Definitions" / "new.yaml"
    text = path.read_text()
    assert example.right in text, "the right lines are not in the package of `init`"
    path.write_text(text.replace(example.right, example.wrong, 1))
    assert code in {each.problem.code for each in lint_one(tmp_path).mistakes}


def test_a_word_of_two_lists_is_explained_in_both() -> None:
    assert {each.section for each in explain("unknown-aspect")} == {
        "Mistakes in descriptors",
        "VNF instances and their requests",
    }


@pytest.mark.parametrize(
    ("misspelt", "right"),
    [("unkown-property", "unknown-property"), ("package_in_use", "package-in-use"), ("LEVEL-SUM", "level-sum")],
)
def test_a_misspelt_code_gets_the_nearest_one(misspelt: str, right: str) -> None:
    assert explain(misspelt) == ()
    assert closest(misspelt) == f'did you mean "{right}"?'


def test_nothing_is_near_nonsense() -> None:
    assert closest("zzzzzzzz") is None
