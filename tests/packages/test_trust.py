"""Whom to trust: what is configured, what the catalogue makes of it, and what it shows afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.clock import SteppedClock, iso
from fairlead.csar import SignaturePolicy, Trust, load_trust
from fairlead.csar.signing import load_signing_key
from fairlead.errors import BadRequest, FairleadError
from fairlead.sol import ArtifactClassification, PackageSecurityOption, VnfPkgInfo
from fairlead.store import Store
from tests.packages.notary import AT, option_1, option_2, pem, required, root, signer, trusting
from tests.packages.shelf import PROJECT, Shelf, files_of, zipped


def shelf(store: Store, data: Path, trust: Trust) -> Shelf:
    return Shelf(store, data, clock=SteppedClock(AT.timestamp()), trust=trust)


def codes_of(info: VnfPkgInfo) -> set[str]:
    assert info.onboarding_failure_details is not None
    return {one["code"] for one in info.onboarding_failure_details.problems if one["severity"] == "error"}


# -- onboarding ------------------------------------------------------------------------------------------------------------


async def test_the_signer_is_shown_with_the_package(sqlite_store: Store, tmp_path: Path) -> None:
    on = shelf(sqlite_store, tmp_path, required(root()))
    id = await on.onboarded(zipped(option_1(signer(), files_of({"vnfd.cert": pem(signer().certificate)}))))
    info = await on.catalogue.show(PROJECT, id)
    assert info.package_security_option is PackageSecurityOption.OPTION_1
    assert info.signing_certificate == pem(signer().certificate).decode()
    assert info.signer is not None
    assert (info.signer.subject, info.signer.issuer) == ("CN=Packages,O=Acme", "CN=Acme CA,O=Acme")
    assert info.signer.serial_number == f"{signer().certificate.serial_number:x}"
    assert info.signer.not_after == iso(signer().certificate.not_valid_after_utc.timestamp())
    assert info.signer.trusted


async def test_the_second_option_and_a_certificate_beside_the_archive_are_shown(
    sqlite_store: Store, tmp_path: Path
) -> None:
    on = shelf(sqlite_store, tmp_path, trusting())
    outer = option_2(signer(), zipped(files_of()), certificates=False)
    id = await on.onboarded(zipped({**outer, "a.cert": pem(signer().certificate)}))
    info = await on.catalogue.show(PROJECT, id)
    assert info.package_security_option is PackageSecurityOption.OPTION_2
    assert info.signing_certificate == pem(signer().certificate).decode()
    assert info.signer is not None
    assert not info.signer.trusted
    vnfd = await on.catalogue.vnfd(id)
    assert vnfd.descriptor_id == "router-1"
    classes = {one.artifact_path: one.artifact_classification for one in info.additional_artifacts}
    assert classes["ChangeLog.txt"] is ArtifactClassification.HISTORY


async def test_what_is_not_signed_is_refused_and_leaves_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    on = shelf(sqlite_store, tmp_path, required(root()))
    info = await on.uploaded(zipped(files_of()))
    assert codes_of(info) == {"not-signed"}
    assert (info.package_security_option, info.signer) == (None, None)
    assert not [name for name in on.stored() if name.endswith(".csar")]


async def test_what_is_signed_by_a_stranger_is_refused(sqlite_store: Store, tmp_path: Path) -> None:
    on = shelf(sqlite_store, tmp_path, trusting(root().issue("Other CA", ca=True)))
    assert codes_of(await on.uploaded(zipped(option_1(signer(), files_of())))) == {"untrusted-signer"}


async def test_what_was_changed_is_refused(sqlite_store: Store, tmp_path: Path) -> None:
    on = shelf(sqlite_store, tmp_path, trusting(root()))
    files = option_1(signer(), files_of())
    assert codes_of(await on.uploaded(zipped({**files, "ChangeLog.txt": b"other"}))) == {"wrong-digest"}
    assert codes_of(await on.uploaded(zipped(option_2(signer(), signed=b"")))) == {"wrong-signature"}


async def test_a_package_goes_on_after_its_certificate_has_expired(sqlite_store: Store, tmp_path: Path) -> None:
    clock = SteppedClock(AT.timestamp())
    on = Shelf(sqlite_store, tmp_path, clock=clock, trust=required(root()))
    id = await on.onboarded(zipped(option_1(signer(), files_of())))
    clock.step(3 * 365 * 86400.0)
    later = Shelf(sqlite_store, tmp_path, clock=clock, trust=required(root()))
    assert (await later.catalogue.vnfd(id)).descriptor_id == "router-1"
    another = zipped(option_1(signer(), files_of(vnfd_id="router-2")))
    assert codes_of(await later.uploaded(another)) == {"certificate-expired"}


# -- configuration ---------------------------------------------------------------------------------------------------------


def test_anchors_are_read_from_a_file_and_from_a_directory(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_bytes(pem(root().certificate, signer().certificate))
    assert len(load_trust("verify", tmp_path / "both.pem").anchors) == 2
    (tmp_path / "one.crt").write_bytes(pem(root().certificate))
    (tmp_path / "README").write_text("no certificate")
    trust = load_trust("require", tmp_path)
    assert trust.policy is SignaturePolicy.REQUIRE
    assert len(trust.anchors) == 3


@pytest.mark.parametrize(
    "content", [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"]
)
def test_anchors_that_cannot_be_read_are_told_with_their_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "anchors.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FairleadError) as raised:
        load_trust("verify", path)
    assert (raised.value.code, raised.value.place) == ("trust-anchors-invalid", str(path))


def test_a_directory_without_certificates_and_requiring_of_nobody_are_refused(tmp_path: Path) -> None:
    for policy, path in (("verify", tmp_path), ("require", None)):
        with pytest.raises(FairleadError) as raised:
            load_trust(policy, path)
        assert raised.value.code == "trust-anchors-invalid"


def test_nothing_is_read_where_nobody_looks(tmp_path: Path) -> None:
    assert load_trust("ignore", tmp_path / "none.pem") == Trust(SignaturePolicy.IGNORE)


# -- keys to sign with -----------------------------------------------------------------------------------------------------


def test_a_key_may_have_a_password() -> None:
    who = signer("rsa2048")
    certificate = pem(who.certificate)
    assert load_signing_key(who.key_pem(b"secret"), certificate, b"secret").certificates == (who.certificate,)
    for password in (None, b"wrong"):
        with pytest.raises(BadRequest) as raised:
            load_signing_key(who.key_pem(b"secret"), certificate, password)
        assert raised.value.code == "signing-key-invalid"


@pytest.mark.parametrize(
    ("key", "certificate"),
    [
        (b"no key", pem(signer().certificate)),
        (signer().key_pem(), b"no certificate"),
        (signer().key_pem(), pem(root().certificate)),
        (signer("rsa1024").key_pem(), pem(signer("rsa1024").certificate)),
    ],
    ids=["no key", "no certificate", "of another key", "too short"],
)
def test_keys_that_cannot_sign_are_refused(key: bytes, certificate: bytes) -> None:
    with pytest.raises(BadRequest) as raised:
        load_signing_key(key, certificate)
    assert raised.value.code == "signing-key-invalid"


def test_the_certificate_of_the_key_comes_first_whatever_the_files_order() -> None:
    who = root().issue("Vendor CA", ca=True).issue("Vendor")
    found = load_signing_key(who.key_pem(), pem(*who.above, who.certificate))
    assert found.certificates == (who.certificate, *who.above)
