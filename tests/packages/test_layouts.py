"""Where the descriptor of a package is found, in every layout that SOL004 and the field know."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from fairlead.csar import META_FILE, open_csar, read_package
from fairlead.descriptors import Severity
from tests.descriptors.samples import SOURCE
from tests.packages.building import META, codes, entries, manifest, only, write_directory, write_zip


def test_a_package_with_tosca_meta_is_read_without_problems(tmp_path: Path) -> None:
    reading = read_package(write_zip(tmp_path / "a.csar", entries()))
    assert reading.problems == ()
    assert reading.vnfd is not None
    assert reading.documents[0] == "Definitions/vnfd.yaml"


def test_a_directory_reads_as_the_archive_made_of_it(tmp_path: Path) -> None:
    archive = read_package(write_zip(tmp_path / "a.csar", entries()))
    directory = read_package(write_directory(tmp_path / "a", entries()))
    assert directory.vnfd == archive.vnfd
    assert directory.problems == ()


def test_entries_without_the_etsi_prefix_and_in_any_case_are_read(tmp_path: Path) -> None:
    meta = META.replace("ETSI-Entry", "Entry").replace("Created-By", "Created-by").replace("\n", "\r\n")
    with open_csar(write_zip(tmp_path / "a.csar", entries(meta=meta))) as csar:
        assert csar.problems == ()
        assert csar.meta is not None
        assert csar.meta.get("ETSI-Entry-Change-Log") == "ChangeLog.txt"
        assert csar.manifest is not None


def test_a_single_yaml_file_at_the_root_is_the_descriptor_and_has_its_manifest_beside_it(tmp_path: Path) -> None:
    text = SOURCE.replace("../", "").encode()
    files = {name: content for name, content in entries().items() if not name.startswith(("Definitions", "TOSCA"))}
    files = {"vnfd.yaml": text, **files}
    files["vnfd.mf"] = manifest(files)
    with open_csar(write_zip(tmp_path / "a.csar", files)) as csar:
        assert csar.entry == "vnfd.yaml"
        assert csar.manifest is not None
    assert read_package(tmp_path / "a.csar").problems == ()


def test_a_history_of_changes_is_asked_for_in_either_layout(tmp_path: Path) -> None:
    meta = META.replace("ETSI-Entry-Change-Log: ChangeLog.txt\n", "")
    with open_csar(write_zip(tmp_path / "a.csar", entries(meta=meta))) as csar:
        assert codes(csar.problems) == ["meta-incomplete"]
    text = SOURCE.replace("../", "").encode()
    with open_csar(write_zip(tmp_path / "b.csar", {"vnfd.yaml": text, "vnfd.mf": manifest({})})) as csar:
        assert codes(csar.problems) == ["no-change-log"]


def test_several_yaml_files_at_the_root_are_not_guessed_from(tmp_path: Path) -> None:
    reading = read_package(write_zip(tmp_path / "a.csar", {"a.yaml": b"a: 1", "b.yaml": b"b: 1"}))
    assert codes(reading.problems) == ["no-entry"]


def test_an_archive_without_any_descriptor_is_told(tmp_path: Path) -> None:
    assert codes(read_package(write_zip(tmp_path / "a.csar", {"x.txt": b""})).problems) == ["no-entry"]


def test_what_tosca_meta_names_and_is_not_there_is_told_at_its_line(tmp_path: Path) -> None:
    meta = META.replace("vnfd.yaml", "vnfx.yaml").replace("ChangeLog.txt", "Changes.txt")
    reading = read_package(write_zip(tmp_path / "a.csar", entries(meta=meta)))
    missing = [each for each in reading.problems if each.code == "file-missing"]
    assert [(each.file, each.line) for each in missing] == [(META_FILE, 4), (META_FILE, 6)]
    assert "Definitions/vnfd.yaml" in str(missing[0].hint)


def test_a_directory_of_tests_or_licences_counts_as_being_there(tmp_path: Path) -> None:
    meta = META + "ETSI-Entry-Licenses: Licenses\nETSI-Entry-Tests: Tests/\n"
    files = entries({"Licenses/mit.txt": b"MIT", "Tests/": b""}, meta=meta)
    with open_csar(write_zip(tmp_path / "a.csar", files)) as csar:
        assert csar.problems == ()


def test_tosca_meta_without_its_entry_is_told(tmp_path: Path) -> None:
    meta = META.replace("Entry-Definitions: Definitions/vnfd.yaml\n", "")
    reading = read_package(write_zip(tmp_path / "a.csar", entries(meta=meta)))
    assert only(reading, "no-entry").file == META_FILE
    assert reading.vnfd is None


def test_entries_that_are_no_lines_or_unknown_or_given_twice_are_told(tmp_path: Path) -> None:
    meta = META + "nonsense\nEntry-Defnitions: x\nCreated-By: Other\n"
    with open_csar(write_zip(tmp_path / "a.csar", entries(meta=meta))) as csar:
        told = [(each.code, each.line) for each in csar.problems]
    assert told == [("bad-line", 7), ("unknown-entry", 8), ("duplicate-key", 9)]


def test_an_artifact_that_is_missing_is_an_error_in_an_archive_whatever_is_asked_for(tmp_path: Path) -> None:
    files = entries({"Files/router.qcow2": None})
    archive = write_zip(tmp_path / "a.csar", files)
    assert read_package(archive, missing_files=Severity.WARNING).vnfd is None


def test_an_artifact_that_is_missing_can_be_a_warning_in_a_directory(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "a", entries({"Files/router.qcow2": None}))
    assert read_package(directory).vnfd is None
    reading = read_package(directory, missing_files=Severity.WARNING)
    assert reading.vnfd is not None
    assert sorted(codes(reading.problems)) == ["artifact-missing", "file-missing"]


def test_a_signed_outer_archive_is_opened_and_its_signature_kept_unread(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.csar", entries()).read_bytes()
    outer = write_zip(tmp_path / "a.zip", {"a.csar": inner, "a.cms": b"signature", "a.cert": b"certificate"})
    with open_csar(outer) as csar:
        assert csar.entry == "Definitions/vnfd.yaml"
        (signature,) = csar.signatures
        assert (signature.covers, signature.proof.content) == ("package", b"signature")
        assert [(proof.path, proof.content) for proof in signature.certificates] == [("a.cert", b"certificate")]
    reading = read_package(outer)
    assert reading.vnfd is not None
    assert codes(reading.problems) == ["signature-not-checked"]


def test_a_file_is_streamed_out_of_either_form(tmp_path: Path) -> None:
    for path in (write_zip(tmp_path / "a.csar", entries()), write_directory(tmp_path / "a", entries())):
        with open_csar(path) as csar, csar.open("ChangeLog.txt") as stream:
            assert stream.read(3) == b"fir"
            assert "ChangeLog.txt" in csar.names
        with open_csar(path) as csar, pytest.raises(KeyError):
            csar.open("../secret")


def test_nothing_at_the_path_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_csar(tmp_path / "none")


def test_a_damaged_file_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    path = tmp_path / "a.csar"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries().items():
            archive.writestr(name, content)
    damaged = bytearray(path.read_bytes())
    at = damaged.index(b"tosca_definitions_version")
    damaged[at : at + 5] = b"XXXXX"
    path.write_bytes(damaged)
    reading = read_package(path)
    assert reading.vnfd is None
    assert "damaged-file" in codes(reading.problems)
