"""A package from a directory, signed by either option, read by us and its signature by OpenSSL."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import Path

import pytest

from fairlead.csar import open_csar, read_package
from fairlead.csar.packing import pack
from fairlead.csar.signing import sign, wrap
from tests.packages.building import entries, write_directory
from tests.packages.notary import AT, Identity, required, root, signer
from tests.packages.openssl import needs_openssl, openssl_verifies

KINDS = ["ec", "rsa2048"]


def packed(directory: Path, who: Identity | None) -> bytes:
    """The archive of a directory, its manifest signed by `who`."""
    target = io.BytesIO()
    with open_csar(directory) as csar:
        assert csar.contents is not None
        assert csar.manifest is not None
        by = partial(sign, key=who.signing_key()) if who is not None else None
        pack(csar.contents, target, manifest=csar.manifest.path, sign=by)
    return target.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_becomes_a_package_with_a_signed_manifest(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.csar"
    path.write_bytes(packed(write_directory(tmp_path / "a", entries()), signer(kind)))
    reading = read_package(path, trust=required(root()), at=AT)
    assert reading.problems == ()
    assert reading.signer is not None
    assert reading.signer.option == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_becomes_a_signed_archive(tmp_path: Path, kind: str) -> None:
    inner = packed(write_directory(tmp_path / "a", entries()), None)
    path = tmp_path / "a.zip"
    with path.open("wb") as target:
        wrap(io.BytesIO(inner), "a", target, signer(kind).signing_key())
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["a.csar", "a.cms"]
        assert archive.read("a.csar") == inner
    reading = read_package(path, trust=required(root()), at=AT)
    assert reading.problems == ()
    assert reading.signer is not None
    assert reading.signer.option == 2


@needs_openssl
def test_openssl_verifies_both(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "a", entries())
    with zipfile.ZipFile(io.BytesIO(packed(directory, signer()))) as archive:
        text, marker, block = archive.read("vnfd.mf").partition(b"-----BEGIN CMS-----")
    assert openssl_verifies(marker + block, text, root(), tmp_path)
    inner, target = packed(directory, None), io.BytesIO()
    wrap(io.BytesIO(inner), "a", target, signer().signing_key())
    with zipfile.ZipFile(target) as archive:
        assert openssl_verifies(archive.read("a.cms"), inner, root(), tmp_path)
        assert not openssl_verifies(archive.read("a.cms"), inner + b"x", root(), tmp_path)


def test_a_signed_package_that_is_packed_again_is_signed_anew(tmp_path: Path) -> None:
    once = packed(write_directory(tmp_path / "a", entries()), signer("rsa2048"))
    with zipfile.ZipFile(io.BytesIO(once)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert packed(write_directory(tmp_path / "b", files), signer("rsa2048")) == once
