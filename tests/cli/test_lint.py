"""`fairlead lint`, as a user has it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.authoring.desk import lay_out, spoilt
from tests.cli.conftest import Run
from tests.support.packages import VNFD

MISSPELT = spoilt("order: 1", "ordr: 1")


def test_errors_end_with_1_and_stand_on_standard_output(fairlead: Run, tmp_path: Path) -> None:
    lay_out(tmp_path / "small", MISSPELT)
    said = fairlead("lint", "small")
    assert said.code == 1
    assert "small/Definitions/small.yaml:" in said.out
    assert "unknown-property" in said.out
    assert "1 error" in said.err


def test_warnings_end_with_0_and_with_strict_with_1(fairlead: Run, tmp_path: Path) -> None:
    lay_out(tmp_path / "small", VNFD)
    said = fairlead("lint", "small")
    assert said.code == 0
    assert " warning: " in said.out
    assert fairlead("lint", "small", "--strict").code == 1


def test_the_server_is_not_asked(fairlead: Run, tmp_path: Path) -> None:
    lay_out(tmp_path / "small", VNFD)
    assert fairlead("lint", "small", "--url", "http://127.0.0.1:1").code == 0


def test_several_paths_are_read_in_one_run(fairlead: Run, tmp_path: Path) -> None:
    lay_out(tmp_path / "one", VNFD)
    lay_out(tmp_path / "two", MISSPELT)
    document = fairlead("lint", "one", "two", "--format", "json").document
    assert document["checked"] == ["one", "two"]
    assert document["errors"] == 1


def test_sarif_and_json_are_documents(fairlead: Run, tmp_path: Path) -> None:
    lay_out(tmp_path / "small", MISSPELT)
    sarif = fairlead("lint", "small", "--format", "sarif")
    assert sarif.code == 1
    assert json.loads(sarif.out)["version"] == "2.1.0"
    assert fairlead("lint", "small", "-o", "json").document == fairlead("lint", "small", "--format", "json").document


def test_a_path_that_does_not_exist_is_a_mistake_in_the_command(fairlead: Run) -> None:
    said = fairlead("lint", "nowhere.csar")
    assert said.code == 1
    assert "nowhere.csar" in said.err
