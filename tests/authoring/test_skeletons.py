"""What `package init` writes is in order as it stands, and says nothing that is not so."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.authoring.building import build
from fairlead.authoring.linting import lint_one
from fairlead.authoring.skeletons import Kind, write_skeleton
from fairlead.errors import BadRequest, Unprocessable
from fairlead.packages.onboarding import onboard

TIME = "2026-01-01T00:00:00Z"


def started(folder: Path, kind: Kind = Kind.MACHINE, **more: str) -> Path:
    words = {"name": "My firewall", "provider": "Example", "time": TIME} | more
    write_skeleton(folder, kind, **words)
    return folder


@pytest.mark.parametrize("kind", Kind)
def test_a_new_package_lints_without_a_word_and_is_onboarded(kind: Kind, tmp_path: Path) -> None:
    folder = started(tmp_path / "new", kind)
    assert lint_one(folder).mistakes == ()
    target = tmp_path / "new.csar"
    assert build(folder, target).mistakes == ()
    with target.open("rb") as content:
        onboarded = onboard(content, label=target.name, uploaded=0)
    assert onboarded.warnings == ()
    assert onboarded.described.vnf_product_name == "My firewall"


@pytest.mark.parametrize("kind", Kind)
def test_no_word_is_left_to_be_filled_in(kind: Kind, tmp_path: Path) -> None:
    folder = started(tmp_path / "new", kind)
    for path in (each for each in folder.rglob("*") if each.is_file()):
        assert "@" not in path.name
        assert "@" not in path.read_text()
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*")} >= {
        "Definitions/my_firewall.yaml",
        "TOSCA-Metadata/TOSCA.meta",
        "my_firewall.mf",
        "README.md",
    }


@pytest.mark.parametrize("name", ["12", "yes", "a b-c.d", "1.10", "null"])
def test_names_that_yaml_would_read_as_something_else_are_names(name: str, tmp_path: Path) -> None:
    folder = started(tmp_path / "new", name=name, provider=name)
    found = lint_one(folder)
    assert found.mistakes == ()
    assert found.vnfd is not None
    assert (found.vnfd.product_name, found.vnfd.provider) == (name, name)


@pytest.mark.parametrize("name", ["", "-a", "a:b", "a/b", 'a"', "a\n", "x" * 70, "@ID@"])
def test_a_name_that_would_break_the_files_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as refused:
        started(tmp_path / "new", name=name)
    assert refused.value.code == "bad-package-name"
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(BadRequest) as refused:
        started(tmp_path)
    assert refused.value.code == "directory-not-empty"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_building_the_same_package_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    one = started(tmp_path / "one", id="11111111-2222-3333-4444-555555555555")
    other = started(tmp_path / "other", id="11111111-2222-3333-4444-555555555555")
    build(one, tmp_path / "one.csar")
    build(other, tmp_path / "other.csar")
    assert (tmp_path / "one.csar").read_bytes() == (tmp_path / "other.csar").read_bytes()


def test_a_package_with_errors_is_not_built_and_leaves_nothing(tmp_path: Path) -> None:
    folder = started(tmp_path / "new")
    (folder / "Scripts" / "boot.sh").unlink()
    (tmp_path / "new.csar").write_text("an older one")
    found = build(folder, tmp_path / "new.csar")
    (mistake,) = found.mistakes
    assert mistake.problem.code == "artifact-missing"
    assert mistake.file == f"{folder}/Definitions/my_firewall.yaml"
    assert (tmp_path / "new.csar").read_text() == "an older one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "new.csar"]


def test_links_are_not_packed(tmp_path: Path) -> None:
    folder = started(tmp_path / "new")
    (folder / "Files" / "link").symlink_to("/etc/passwd")
    with pytest.raises(Unprocessable) as refused:
        build(folder, tmp_path / "new.csar")
    assert refused.value.code == "bad-package-folder"
    assert "symbolic link" in (refused.value.cause or "")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
