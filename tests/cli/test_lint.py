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


def test_with_a_vim_what_it_lacks_is_told_at_the_line_that_needs_it(fairlead: Run) -> None:
    fairlead("vim", "register", "lab", "--type", "simulated")
    fairlead("package", "init", "vm")
    assert fairlead("lint", "vm").code == 0
    said = fairlead("lint", "vm", "--vim", "lab")
    assert said.code == 1
    assert said.out.startswith("vm/Definitions/vm.yaml:")
    assert "vim-lacks-image no image 'debian-12' (load it)" in said.out
    fairlead("vim", "update", "lab", "--setting", 'images=["debian-12"]')
    assert fairlead("lint", "vm", "--vim", "lab").code == 0


def test_what_the_vim_cannot_tell_of_is_said(fairlead: Run, tmp_path: Path) -> None:
    fairlead("vim", "register", "lab", "--type", "simulated", "--setting", 'images=["debian-12"]')
    fairlead("package", "init", "vm")
    (tmp_path / "request.yaml").write_text("extVirtualLinks: [ { id: a, resourceId: operator, extCps: [] } ]")
    said = fairlead("lint", "vm", "--vim", "lab", "--request", "request.yaml")
    assert said.code == 0
    assert "lab (simulated) cannot tell of: network." in said.err


def test_a_vim_is_not_asked_for_a_package_with_errors(fairlead: Run, tmp_path: Path) -> None:
    lay_out(tmp_path / "small", MISSPELT)
    said = fairlead("lint", "small", "--vim", "nowhere")
    assert said.code == 1
    assert "correct the errors first" in said.err


def test_a_vim_that_does_not_exist_is_an_error(fairlead: Run) -> None:
    fairlead("package", "init", "vm")
    said = fairlead("lint", "vm", "--vim", "nowhere")
    assert said.code == 1
    assert "nowhere" in said.err
