"""What `build` signs is what the catalogue takes from those whom it trusts."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fairlead.authoring.building import build, signing_with
from fairlead.authoring.linting import lint_one
from fairlead.authoring.skeletons import Kind, write_skeleton
from fairlead.csar import Trust, open_csar
from fairlead.csar.reading import read_csar
from fairlead.errors import BadRequest
from tests.packages.notary import CODE_SIGNING, Identity, pem, required, root

NOW = datetime.now(UTC)
TIMES = {"start": NOW - timedelta(days=1), "end": NOW + timedelta(days=1)}


def vendor(**more: datetime) -> Identity:
    return root().issue("Vendor", purposes=CODE_SIGNING, **(TIMES | more))


def files_of(identity: Identity, folder: Path, password: bytes | None = None) -> tuple[Path, Path]:
    key, certificate = folder / "vendor.key", folder / "vendor.crt"
    key.write_bytes(identity.key_pem(password))
    certificate.write_bytes(pem(identity.certificate, *identity.above))
    return key, certificate


def started(folder: Path) -> Path:
    write_skeleton(folder, Kind.MACHINE, name="vm", provider="Example", time="2026-01-01T00:00:00Z")
    return folder


def errors(path: Path, trust: Trust, at: datetime) -> list[str]:
    with open_csar(path) as csar:
        return [each.code for each in read_csar(csar, trust=trust, at=at).problems]


@pytest.mark.parametrize("option", [1, 2])
def test_a_signed_package_is_taken_by_whom_trusts_the_signer(option: int, tmp_path: Path) -> None:
    identity = vendor()
    signing = signing_with(*files_of(identity, tmp_path, b"secret"), option=option, password="secret")
    target = tmp_path / "vm.csar"
    assert build(started(tmp_path / "vm"), target, signing=signing).mistakes == ()
    # The authority's own certificate is of the tests' time, so the vendor's is what is trusted.
    assert errors(target, required(identity), NOW) == []
    assert "untrusted-signer" in errors(target, required(vendor()), NOW)
    assert "signer-not-checked" in [each.problem.code for each in lint_one(target).mistakes]


def test_option_2_holds_the_package_and_its_signature(tmp_path: Path) -> None:
    signing = signing_with(*files_of(vendor(), tmp_path), option=2)
    build(started(tmp_path / "vm"), tmp_path / "vm.zip", signing=signing)
    with zipfile.ZipFile(tmp_path / "vm.zip") as archive:
        assert archive.namelist() == ["vm.csar", "vm.cms"]


def test_a_file_that_was_changed_afterwards_is_found(tmp_path: Path) -> None:
    identity = vendor()
    signing = signing_with(*files_of(identity, tmp_path), option=1)
    build(started(tmp_path / "vm"), tmp_path / "vm.csar", signing=signing)
    with zipfile.ZipFile(tmp_path / "vm.csar") as archive, zipfile.ZipFile(tmp_path / "forged.csar", "w") as forged:
        for name in archive.namelist():
            content = archive.read(name)
            forged.writestr(name, content + b"# more\n" if name.endswith("boot.sh") else content)
    assert "wrong-digest" in errors(tmp_path / "forged.csar", required(identity), NOW)


def test_nothing_is_signed_with_a_certificate_that_has_expired(tmp_path: Path) -> None:
    old = vendor(start=NOW - timedelta(days=9), end=NOW - timedelta(days=8))
    signing = signing_with(*files_of(old, tmp_path), option=1)
    found = build(started(tmp_path / "vm"), tmp_path / "vm.csar", signing=signing)
    assert "certificate-expired" in {each.problem.code for each in found.mistakes}
    assert not (tmp_path / "vm.csar").exists()


def test_a_wrong_password_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as refused:
        signing_with(*files_of(vendor(), tmp_path, b"secret"), option=1, password="guess")
    assert refused.value.code == "signing-key-invalid"


def test_a_package_without_a_manifest_cannot_be_signed_by_it(tmp_path: Path) -> None:
    folder = started(tmp_path / "vm")
    (folder / "vm.mf").unlink()
    signing = signing_with(*files_of(vendor(), tmp_path), option=1)
    with pytest.raises(BadRequest) as refused:
        build(folder, tmp_path / "vm.csar", signing=signing)
    assert refused.value.code == "no-manifest-to-sign"
