"""Packing: the same files make the same bytes, and the manifest tells what went in."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fairlead.csar import open_csar, read_manifest, read_package
from fairlead.csar.packing import pack, with_digests
from fairlead.descriptors import Problems
from tests.packages.building import METADATA, codes, entries, write_directory

DIGEST = "0" * 64


def packed(folder: Path, **options: object) -> bytes:
    target = io.BytesIO()
    with open_csar(folder) as csar:
        assert csar.contents is not None
        pack(csar.contents, target, manifest="vnfd.mf", **options)  # type: ignore[arg-type]
    return target.getvalue()


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    one = write_directory(tmp_path / "one", entries())
    other = write_directory(tmp_path / "other", dict(reversed(entries().items())))
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o600)
    assert packed(one) == packed(other)


def test_an_archive_has_a_digest_of_each_of_its_files_and_is_in_order(tmp_path: Path) -> None:
    folder = write_directory(tmp_path / "folder", entries({"vnfd.mf": METADATA.encode(), "new/file": b"new"}))
    archive = tmp_path / "made.csar"
    archive.write_bytes(packed(folder))
    assert codes(read_package(archive).problems) == []
    with open_csar(archive) as csar:
        assert csar.manifest is not None
        digests = {digest.path: digest.value for digest in csar.manifest.digests}
        assert digests.keys() == csar.contents.sizes.keys() - {"vnfd.mf"} if csar.contents else False
    assert digests["new/file"] == hashlib.sha256(b"new").hexdigest()
    assert (folder / "vnfd.mf").read_bytes() == METADATA.encode()


def test_stale_digests_are_replaced(tmp_path: Path) -> None:
    folder = write_directory(tmp_path / "folder", entries())
    (folder / "ChangeLog.txt").write_bytes(b"second\n")
    archive = tmp_path / "made.csar"
    archive.write_bytes(packed(folder))
    assert codes(read_package(folder).problems) == ["wrong-digest"]
    assert codes(read_package(archive).problems) == []


def test_the_metadata_file_is_first_the_manifest_last_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    folder = write_directory(tmp_path / "folder", entries({".git/config": b"", "Files/.swp": b"", ".editor": b""}))
    with zipfile.ZipFile(io.BytesIO(packed(folder))) as archive:
        names = archive.namelist()
    assert names[0] == "TOSCA-Metadata/TOSCA.meta"
    assert names[-1] == "vnfd.mf"
    assert not [name for name in names if "/." in name or name.startswith(".")]


def test_a_signature_covers_the_manifest_with_its_digests(tmp_path: Path) -> None:
    folder = write_directory(tmp_path / "folder", entries())
    signed: list[bytes] = []

    def sign(content: bytes) -> bytes:
        signed.append(content)
        return b"-----BEGIN CMS-----\nMA==\n-----END CMS-----\n"

    archive = tmp_path / "made.csar"
    archive.write_bytes(packed(folder, sign=sign))
    with open_csar(archive) as csar:
        assert csar.manifest is not None
        assert csar.manifest.signature is not None
        with csar.open("vnfd.mf") as file:
            assert file.read()[: len(csar.manifest.signed)] == signed[0]
    assert b"Hash: " in signed[0]


def test_what_the_author_wrote_stays() -> None:
    source = f"""\
metadata:
  vnf_product_name: Router # not a comment
# a comment
  vnfm_info: etsivnfm:v4.4.1

Source: old/file
Algorithm: SHA-512
Hash: {"1" * 128}

Source: signed/file
Algorithm: SHA-256
Hash: {DIGEST}
Signature: signed/file.sig
Certificate: signed/file.cert

Source: https://images.example/disk.qcow2
Algorithm: SHA-256
Hash: {DIGEST}

non_mano_artifact_sets:
  onap_others:
    Source: other/file
-----BEGIN CMS-----
MA==
-----END CMS-----
""".encode()
    written = with_digests(source, "a.mf", {"signed/file": "a" * 64, "other/file": "b" * 64})
    problems = Problems()
    manifest = read_manifest(written, "a.mf", problems)
    assert [each.code for each in problems if "needs" not in each.message] == []
    assert {digest.path: digest.value for digest in manifest.digests} == {
        "https://images.example/disk.qcow2": DIGEST,
        "signed/file": "a" * 64,
        "other/file": "b" * 64,
    }
    (kept,) = [file for file in manifest.files if file.path == "signed/file"]
    assert kept.signature is not None
    assert kept.certificate is not None
    assert (kept.signature.value, kept.certificate.value) == ("signed/file.sig", "signed/file.cert")
    assert [entry.value for entry in manifest.non_mano_artifacts["onap_others"]] == ["other/file"]
    assert manifest.signature is None
    assert b"# a comment" in written


@given(st.dictionaries(st.text("abc/", min_size=1, max_size=5), st.just(DIGEST), max_size=5))
def test_writing_digests_twice_is_writing_them_once(digests: dict[str, str]) -> None:
    once = with_digests(METADATA.encode(), "a.mf", digests)
    assert with_digests(once, "a.mf", digests) == once
    assert {each.path for each in read_manifest(once, "a.mf", Problems()).digests} == digests.keys()


def test_line_ends_of_windows_are_read() -> None:
    written = with_digests(METADATA.replace("\n", "\r\n").encode(), "a.mf", {"a": DIGEST})
    assert b"\r" not in written
    assert read_manifest(written, "a.mf", Problems()).get("vnf_product_name") == "Router"
