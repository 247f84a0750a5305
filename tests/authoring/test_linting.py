"""The linter tells what onboarding would, at places on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.authoring.linting import lint, lint_one
from tests.authoring.desk import SMALL, lay_out, line_of, spoilt
from tests.support.packages import VNFD, small_package

MISSPELT = spoilt("order: 1", "ordr: 1")


def told(path: Path) -> list[tuple[str, int, str]]:
    return [(each.file, each.problem.line, each.problem.code) for one in lint([path]) for each in one.mistakes]


def test_a_mistake_in_a_folder_is_told_with_the_path_of_its_file(tmp_path: Path) -> None:
    lay_out(tmp_path, MISSPELT)
    line = line_of("ordr: 1", MISSPELT)
    assert (f"{tmp_path}/{SMALL}", line, "unknown-property") in told(tmp_path)


def test_a_mistake_in_an_archive_is_told_with_the_member_below_it(tmp_path: Path) -> None:
    archive = tmp_path / "small.csar"
    archive.write_bytes(small_package(MISSPELT))
    line = line_of("ordr: 1", MISSPELT)
    assert (f"{archive}/{SMALL}", line, "unknown-property") in told(archive)


def test_what_concerns_the_whole_archive_is_told_of_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "broken.csar"
    archive.write_bytes(b"PK nothing")
    assert told(archive) == [(str(archive), 0, "not-a-zip")]


def test_paths_that_were_given_relative_stay_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path / "small", MISSPELT)
    monkeypatch.chdir(tmp_path)
    assert all(file.startswith("small/") for file, _, _ in told(Path("small")))
    monkeypatch.chdir(tmp_path / "small" / "Definitions")
    assert {file for file, _, _ in told(Path("small.yaml"))} == {"small.yaml"}


def test_of_one_file_is_told_what_concerns_it_with_the_whole_package_read(tmp_path: Path) -> None:
    """The boot script of another directory and types of other files are found, and TOSCA.meta's faults are not told."""
    lay_out(tmp_path, MISSPELT)
    assert {file for file, _, _ in told(tmp_path)} == {f"{tmp_path}/{SMALL}", f"{tmp_path}/TOSCA-Metadata/TOSCA.meta"}
    assert {file for file, _, _ in told(tmp_path / SMALL)} == {f"{tmp_path}/{SMALL}"}


def test_a_file_without_a_package_is_read_as_a_descriptor(tmp_path: Path) -> None:
    (tmp_path / "alone.yaml").write_text(MISSPELT.replace("../Files/image.tar", "./image.tar"))
    codes = {code for _, _, code in told(tmp_path / "alone.yaml")}
    assert "unknown-property" in codes
    assert "artifact-missing" in codes


def test_a_file_that_its_package_does_not_use_is_read_on_its_own(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "Definitions" / "other.yaml").write_text(MISSPELT)
    assert (
        f"{tmp_path}/Definitions/other.yaml",
        line_of("ordr: 1", MISSPELT),
        "unknown-property",
    ) in told(tmp_path / "Definitions" / "other.yaml")


def test_all_packages_below_a_folder_are_read(tmp_path: Path) -> None:
    lay_out(tmp_path / "a" / "one")
    lay_out(tmp_path / "two", MISSPELT)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "three.csar").write_bytes(small_package())
    (tmp_path / "b" / "notes.txt").write_text("no package")
    assert [each.path for each in lint([tmp_path])] == [
        f"{tmp_path}/{name}" for name in ("a/one", "b/three.csar", "two")
    ]


def test_a_path_that_is_given_twice_is_told_once(tmp_path: Path) -> None:
    lay_out(tmp_path, MISSPELT)
    assert len(lint([tmp_path, tmp_path])) == 1


def test_an_image_that_is_not_the_one_of_the_checksum_is_told_as_onboarding_does(tmp_path: Path) -> None:
    right = 'properties: { name: small, version: "1.0", container_format: docker }\n    gate_outside'
    checksum = f"checksum: {{ algorithm: sha-256, hash: {'0' * 64} }}"
    wrong = f'properties: {{ name: small, version: "1.0", container_format: docker, {checksum} }}\n    gate_outside'
    lay_out(tmp_path, spoilt(right, wrong))
    assert "wrong-checksum" in {code for _, _, code in told(tmp_path)}


def test_missing_images_are_warnings_in_a_folder_and_errors_in_an_archive(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "small")
    (folder / "Files" / "image.tar").unlink()
    found = lint_one(folder)
    assert found.errors == 0
    assert "artifact-missing" in {each.problem.code for each in found.mistakes}


def test_mistakes_are_sorted_by_file_line_and_column(tmp_path: Path) -> None:
    lay_out(tmp_path, MISSPELT.replace("virtual_binding: gate\n", "virtual_binding: gat\n"))
    places = [(each.file, each.problem.line, each.problem.column) for each in lint_one(tmp_path).mistakes]
    assert len(places) > 3
    assert places == sorted(places)


def test_a_line_is_place_code_message_and_hint(tmp_path: Path) -> None:
    lay_out(tmp_path, MISSPELT)
    line = next(str(each) for each in lint_one(tmp_path).mistakes if each.problem.code == "unknown-property")
    number = line_of("ordr: 1", MISSPELT)
    assert line.startswith(f"{tmp_path}/{SMALL}:{number}:")
    assert " unknown-property " in line
    assert line.endswith('(did you mean "order"?)')


def test_the_linter_does_not_wait_for_the_program(tmp_path: Path) -> None:
    lay_out(tmp_path)
    looked = (
        "import sys; from pathlib import Path; from fairlead.authoring.linting import lint; lint([Path(sys.argv[1])]); "
        "print(*sorted({'sqlalchemy', 'litestar', 'dbos', 'httpx', 'aiohttp', 'structlog'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", looked, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_small_package_is_in_order(tmp_path: Path) -> None:
    assert lint_one(lay_out(tmp_path, VNFD)).errors == 0
