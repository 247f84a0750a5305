"""SARIF 2.1.0 by the essentials of its schema, and JSON as the API has it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fairlead.authoring.linting import Linted, lint
from fairlead.authoring.reports import as_json, as_sarif
from tests.authoring.desk import lay_out, spoilt
from tests.support.packages import small_package

MISSPELT = spoilt("order: 1", "ordr: 1")


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Linted]:
    """A folder, an archive and a broken archive."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path / "a folder", MISSPELT)
    Path("small.csar").write_bytes(small_package(MISSPELT))
    Path("broken.csar").write_bytes(b"")
    return lint([Path("a folder"), Path("small.csar"), Path("broken.csar")])


def test_sarif_has_what_its_schema_requires(found: list[Linted]) -> None:
    log = as_sarif(found, "1.2.3")
    assert json.loads(json.dumps(log)) == log
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert run.keys() <= {"tool", "artifacts", "results", "columnKind"}
    driver = run["tool"]["driver"]
    assert driver["name"] == "Fairlead"
    assert driver["version"] == "1.2.3"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    assert len(run["results"]) == sum(len(each.mistakes) for each in found) > 0
    for result in run["results"]:
        _check_result(result, ids, run["artifacts"])
    for artifact in run["artifacts"]:
        assert not re.search(r"\s", artifact["location"]["uri"]), "a URI has no blanks"
        assert "parentIndex" not in artifact or "parentIndex" not in run["artifacts"][artifact["parentIndex"]]


def _check_result(result: dict[str, Any], ids: list[str], artifacts: list[dict[str, Any]]) -> None:
    assert result["ruleId"] == ids[result["ruleIndex"]]
    assert result["level"] in ("none", "note", "warning", "error")
    assert result["message"]["text"]
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert artifacts[place["artifactLocation"]["index"]]["location"]["uri"] == place["artifactLocation"]["uri"]
    if "region" in place:
        assert place["region"]["startLine"] >= 1
        assert place["region"].get("startColumn", 1) >= 1


def test_a_file_in_an_archive_is_a_nested_artifact(found: list[Linted]) -> None:
    (run,) = as_sarif(found, "1")["runs"]
    nested = [each for each in run["artifacts"] if "parentIndex" in each]
    assert {each["location"]["uri"] for each in nested} == {"Definitions/small.yaml", "TOSCA-Metadata/TOSCA.meta"}
    assert {run["artifacts"][each["parentIndex"]]["location"]["uri"] for each in nested} == {"small.csar"}
    assert {each["location"]["uri"] for each in run["artifacts"]} >= {
        "a%20folder/Definitions/small.yaml",
        "broken.csar",
    }


def test_what_concerns_a_whole_file_has_no_region(found: list[Linted]) -> None:
    (run,) = as_sarif(found, "1")["runs"]
    (broken,) = [each for each in run["results"] if each["ruleId"] == "not-a-zip"]
    assert "region" not in broken["locations"][0]["physicalLocation"]


def test_json_counts_and_lists_all(found: list[Linted]) -> None:
    document = as_json(found)
    assert document["checked"] == ["a folder", "small.csar", "broken.csar"]
    assert document["errors"] + document["warnings"] == len(document["problems"])
    one = next(each for each in document["problems"] if each["code"] == "unknown-property")
    assert one["file"] == "a folder/Definitions/small.yaml"
    assert one["hint"] == 'did you mean "order"?'
    assert one["severity"] == "error"
