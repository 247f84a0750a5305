"""`fairlead explain`, `package init` and `package build`, as a user has them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml

from tests.authoring.test_signing import files_of, vendor
from tests.cli.conftest import Run


def test_a_code_is_explained_with_an_example(fairlead: Run) -> None:
    said = fairlead("explain", "wrong-unit")
    assert said.code == 0
    for words in ("no number with a unit", "What to do:", "512 megs", "512 MiB"):
        assert words in said.out


def test_an_error_of_the_server_is_explained_with_its_status(fairlead: Run) -> None:
    assert "HTTP 409" in fairlead("explain", "package-in-use").out
    (document,) = fairlead("explain", "package-in-use", "-o", "json").document
    assert document["status"] == "409"


def test_a_misspelt_code_is_an_error_with_the_nearest_one(fairlead: Run) -> None:
    said = fairlead("explain", "unkown-propertie")
    assert said.code == 1
    assert "unknown-code" in said.err
    assert 'Did you mean "unknown-property"?' in said.err


def test_all_codes_are_listed(fairlead: Run) -> None:
    said = fairlead("explain", "--list")
    assert len(said.out.splitlines()) > 200
    assert fairlead("explain").code == 1


def test_from_nothing_to_a_csar_in_two_commands(fairlead: Run, tmp_path: Path) -> None:
    said = fairlead("package", "init", "web", "--kind", "container", "--provider", "Me")
    assert said.code == 0
    assert "web/TOSCA-Metadata/TOSCA.meta" in said.out
    assert fairlead("lint", "web", "--strict").code == 0
    built = fairlead("package", "build", "web")
    assert (built.code, built.out.strip()) == (0, "web.csar")
    assert zipfile.is_zipfile(tmp_path / "web.csar")
    assert fairlead("package", "build", "web", "--to", "other.csar", "-o", "json").document["file"] == "other.csar"
    assert (tmp_path / "other.csar").read_bytes() == (tmp_path / "web.csar").read_bytes()


def test_init_does_not_touch_what_is_there(fairlead: Run, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "mine").touch()
    said = fairlead("package", "init", "web")
    assert said.code == 1
    assert "directory-not-empty" in said.err


def test_a_package_with_errors_is_not_built(fairlead: Run, tmp_path: Path) -> None:
    fairlead("package", "init", "web")
    (tmp_path / "web" / "Scripts" / "boot.sh").unlink()
    said = fairlead("package", "build", "web")
    assert said.code == 1
    assert "web/Definitions/web.yaml:" in said.err
    assert "web.csar was not made" in said.err
    assert not (tmp_path / "web.csar").exists()


def test_a_package_is_shown_as_a_graph(fairlead: Run) -> None:
    fairlead("package", "init", "vm")
    said = fairlead("package", "show", "vm", "--format", "dot")
    assert said.code == 0
    assert said.out.startswith('graph "vm 1.0, flavour simple" {')


def test_a_package_is_shown_as_templates_in_one_stream_or_in_files(fairlead: Run, tmp_path: Path) -> None:
    fairlead("package", "init", "vm")
    said = fairlead("package", "show", "vm", "--format", "hot")
    assert said.code == 0
    main, nested = yaml.safe_load_all(said.out)
    assert main["resources"]["machine_group"]["type"] == "OS::Heat::AutoScalingGroup"
    assert "Not said in the templates" in said.err
    written = fairlead("package", "show", "vm", "--format", "hot", "--to", "heat")
    assert written.out.split() == ["heat/main.yaml", "heat/machine.yaml"]
    assert yaml.safe_load((tmp_path / "heat" / "machine.yaml").read_text()) == nested


def test_nothing_is_made_of_a_package_with_mistakes(fairlead: Run, tmp_path: Path) -> None:
    fairlead("package", "init", "vm")
    path = tmp_path / "vm" / "Definitions" / "vm.yaml"
    path.write_text(path.read_text().replace("num_virtual_cpu", "num_virtual_cpus"))
    said = fairlead("package", "show", "vm", "--format", "dot")
    assert said.code == 2
    assert "package-has-mistakes" in said.err
    assert "vm/Definitions/vm.yaml:" in said.err


def test_a_flavour_that_is_not_there_is_told_with_those_that_are(fairlead: Run) -> None:
    fairlead("package", "init", "vm")
    said = fairlead("package", "show", "vm", "--format", "hot", "--flavour", "huge")
    assert said.code == 2
    assert "Flavours: simple." in said.err


def test_a_place_that_cannot_be_written_is_told_without_a_traceback(fairlead: Run, tmp_path: Path) -> None:
    fairlead("package", "init", "vm")
    said = fairlead("package", "build", "vm", "--to", "nowhere/vm.csar")
    assert said.code == 1
    assert "file-not-usable" in said.err
    (tmp_path / "file").touch()
    assert "file-not-usable" in fairlead("package", "init", "file/vm").err


def test_a_package_is_signed_when_it_is_built(fairlead: Run, tmp_path: Path) -> None:
    identity = vendor()
    files_of(identity, tmp_path, b"secret")
    (tmp_path / "password").write_text("secret\n")
    fairlead("package", "init", "vm")
    how = ("--key", "vendor.key", "--certificate", "vendor.crt", "--password-file", "password")
    assert fairlead("package", "build", "vm", *how).out.strip() == "vm.csar"
    assert fairlead("package", "build", "vm", *how, "--option", "2").out.strip() == "vm.zip"
    for made in ("vm.csar", "vm.zip"):
        assert "signer-not-checked" in fairlead("lint", made).out
        assert fairlead("lint", made, "--trust", "vendor.crt", "--strict").code == 0
    assert fairlead("package", "build", "vm", "--key", "vendor.key").code == 1


def test_a_package_is_not_built_into_itself(fairlead: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fairlead("package", "init", "vm")
    said = fairlead("package", "build", "vm", "--to", "vm/Files/vm.csar")
    assert said.code == 1
    assert "target-in-package" in said.err
    monkeypatch.chdir(tmp_path / "vm")
    assert fairlead("package", "build", ".").code == 0
    assert (tmp_path / "vm.csar").is_file()
    assert not list((tmp_path / "vm").glob("*.csar"))
