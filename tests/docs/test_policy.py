"""docs/policy.yaml is made of the rules that the API asks for."""

from __future__ import annotations

from pathlib import Path

from fairlead.api import all_rules, sample

PAGE = Path(__file__).parents[2] / "docs" / "policy.yaml"


def test_the_sample_of_the_policy_has_every_rule_and_no_other() -> None:
    assert PAGE.read_text(encoding="utf-8") == sample(all_rules()), "run: fairlead policy sample > docs/policy.yaml"
