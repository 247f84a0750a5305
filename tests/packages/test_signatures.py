"""Signatures of packages: what is right passes, everything else is refused with the reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from fairlead.csar import META_FILE, PackageReading, SignaturePolicy, Trust, read_package
from fairlead.descriptors import Severity
from tests.packages.building import META, Entries, codes, entries, manifest, only, write_zip
from tests.packages.notary import (
    AT,
    SERVER,
    Identity,
    builtin,
    option_1,
    option_2,
    ours,
    pem,
    required,
    root,
    signer,
    trusting,
)
from tests.packages.shelf import zipped


def read(tmp_path: Path, files: Entries, trust: Trust | None = None, **rest: Any) -> PackageReading:
    return read_package(write_zip(tmp_path / "a.csar", files), trust=trust or required(root()), at=rest.get("at", AT))


def accepted(reading: PackageReading, option: int) -> None:
    assert reading.problems == ()
    assert reading.signer is not None
    assert (reading.signer.option, reading.signer.trusted) == (option, True)


def refused(reading: PackageReading, code: str) -> str:
    assert reading.vnfd is None
    assert reading.signer is None
    problem = only(reading, code)
    assert problem.severity is Severity.ERROR
    return problem.message


# -- what is right ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ec", "rsa2048", "rsa3072"])
def test_a_signed_manifest_and_a_signed_archive_are_accepted(tmp_path: Path, kind: str) -> None:
    accepted(read(tmp_path, option_1(signer(kind))), 1)
    accepted(read(tmp_path, option_2(signer(kind))), 2)


@pytest.mark.parametrize("digest", [hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_every_digest_of_sha2_is_accepted(tmp_path: Path, digest: hashes.HashAlgorithm) -> None:
    accepted(read(tmp_path, option_1(signer(), digest=digest)), 1)


def test_signatures_in_binary_and_with_pss_are_accepted(tmp_path: Path) -> None:
    accepted(read(tmp_path, option_2(signer(), encoding=serialization.Encoding.DER)), 2)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    accepted(read(tmp_path, option_1(signer("rsa2048"), padding=pss)), 1)


def test_the_signer_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, option_1(signer())).signer
    assert found is not None
    assert (found.subject, found.issuer) == ("CN=Packages,O=Acme", "CN=Acme CA,O=Acme")
    assert int(found.serial, 16) == signer().certificate.serial_number
    assert (found.not_before, found.not_after) == (AT - timedelta(days=30), AT + timedelta(days=335))


def test_both_options_at_once_are_both_checked(tmp_path: Path) -> None:
    inner = option_1(signer())
    accepted(read(tmp_path, option_2(signer(), zipped(inner))), 2)
    wrong = zipped({**inner, "vnfd.mf": inner["vnfd.mf"].replace(b"Acme", b"Evil", 1)})
    reading = read(tmp_path, option_2(signer(), wrong))
    assert reading.vnfd is None
    assert "the manifest" in only(reading, "wrong-signature").message


def test_line_ends_that_a_tool_changed_while_signing_do_not_matter(tmp_path: Path) -> None:
    files = option_1(signer(), block=b"")
    for spelling in (
        files["vnfd.mf"].replace(b"\n", b"\r\n"),
        files["vnfd.mf"].removesuffix(b"\n"),
        files["vnfd.mf"].replace(b"\n", b"\r\n").removesuffix(b"\r\n"),
    ):
        block = builtin(spelling, signer())
        accepted(read(tmp_path, {**files, "vnfd.mf": files["vnfd.mf"] + block}), 1)
    other = builtin(files["vnfd.mf"] + b"\n", signer())
    refused(read(tmp_path, {**files, "vnfd.mf": files["vnfd.mf"] + other}), "wrong-signature")


def test_a_package_in_a_directory_is_checked_too(tmp_path: Path) -> None:
    from tests.packages.building import write_directory

    reading = read_package(write_directory(tmp_path / "a", option_1(signer())), trust=required(root()), at=AT)
    accepted(reading, 1)


# -- where certificates are ------------------------------------------------------------------------------------------------


def without_certificate(who: Identity, files: Entries) -> Entries:
    return option_1(who, files, certificates=False)


@pytest.mark.parametrize("path", ["vnfd.cert", "other.cert", "acme.pem"])
def test_the_certificate_may_be_a_file_at_the_root(tmp_path: Path, path: str) -> None:
    accepted(read(tmp_path, without_certificate(signer(), entries({path: pem(signer().certificate)}))), 1)


def test_the_certificate_may_be_where_tosca_meta_says(tmp_path: Path) -> None:
    meta = META + "ETSI-Entry-Certificate: Files/certificates/acme.txt\n"
    files = entries({"Files/certificates/acme.txt": pem(signer().certificate)}, meta=meta)
    accepted(read(tmp_path, without_certificate(signer(), files)), 1)


def test_the_certificate_may_be_beside_the_archive(tmp_path: Path) -> None:
    files = option_2(signer(), certificates=False)
    accepted(read(tmp_path, {**files, "a.cert": pem(signer().certificate)}), 2)
    der = signer().certificate.public_bytes(serialization.Encoding.DER)
    accepted(read(tmp_path, {**files, "a.cert": der}), 2)


def test_a_certificate_that_is_nowhere_is_told(tmp_path: Path) -> None:
    message = refused(read(tmp_path, without_certificate(signer(), entries())), "no-certificate")
    assert "neither in it nor in the package" in message
    other = entries({"vnfd.cert": pem(root().issue("Somebody else").certificate)})
    refused(read(tmp_path, without_certificate(signer(), other)), "no-certificate")


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    reading = read(tmp_path, option_1(signer(), entries({"vnfd.cert": b"no certificate"})))
    assert codes(reading.problems) == ["bad-certificate"]
    assert reading.vnfd is not None


# -- single files ----------------------------------------------------------------------------------------------------------


def with_signed_file(block: bytes, certificate: bytes | None = None) -> Entries:
    more: dict[str, bytes | None] = {"Files/log.cms": block, "Files/log.cert": certificate}
    files = entries({name: content for name, content in more.items() if content is not None})
    line = b"\nSource: ChangeLog.txt\nSignature: Files/log.cms\n" + (
        b"Certificate: Files/log.cert\n" if certificate else b""
    )
    return {**files, "vnfd.mf": manifest(files) + line}


def test_the_signature_of_a_single_file_is_checked(tmp_path: Path) -> None:
    right = builtin(b"first\n", signer())
    reading = read(tmp_path, with_signed_file(right), trusting(root()))
    assert codes(reading.problems) == ["not-signed"]
    assert reading.signer is None
    wrong = read(tmp_path, with_signed_file(builtin(b"second\n", signer())), trusting(root()))
    problem = only(wrong, "wrong-signature")
    assert problem.file == "vnfd.mf"
    assert '"ChangeLog.txt"' in problem.message


def test_a_single_file_may_have_a_certificate_of_its_own(tmp_path: Path) -> None:
    block = builtin(b"first\n", signer(), certificates=False)
    files = with_signed_file(block, pem(signer().certificate))
    assert codes(read(tmp_path, files, trusting(root())).problems) == ["not-signed"]
    assert "no-certificate" in codes(read(tmp_path, with_signed_file(block), trusting(root())).problems)


def test_the_signature_of_one_file_does_not_make_the_package_signed(tmp_path: Path) -> None:
    refused(read(tmp_path, with_signed_file(builtin(b"first\n", signer()))), "not-signed")


def test_a_signature_and_a_certificate_that_are_not_there_are_told_at_their_lines(tmp_path: Path) -> None:
    files = entries()
    files["vnfd.mf"] += b"\nSource: ChangeLog.txt\nSignature: Files/log.cms\nCertificate: Files/log.cert\n"
    missing = [each for each in read(tmp_path, files, trusting(root())).problems if each.code == "file-missing"]
    lines = files["vnfd.mf"].decode().splitlines()
    assert [lines[each.line - 1] for each in missing] == ["Signature: Files/log.cms", "Certificate: Files/log.cert"]


# -- what was changed ------------------------------------------------------------------------------------------------------


def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    files = option_1(signer())
    files["vnfd.mf"] = files["vnfd.mf"].replace(b"vnf_package_version: 1.0", b"vnf_package_version: 1.1")
    assert "another content" in refused(read(tmp_path, files), "wrong-signature")


def test_a_file_that_was_changed_is_refused_by_its_digest(tmp_path: Path) -> None:
    refused_by = read(tmp_path, {**option_1(signer()), "ChangeLog.txt": b"second\n"})
    assert refused_by.vnfd is None
    assert only(refused_by, "wrong-digest").file == "vnfd.mf"


def test_an_archive_that_was_changed_is_refused(tmp_path: Path) -> None:
    refused(read(tmp_path, option_2(signer(), signed=b"another archive")), "wrong-signature")


def test_a_file_that_was_added_is_refused(tmp_path: Path) -> None:
    reading = read(tmp_path, {**option_1(signer()), "Files/added.sh": b"rm -rf /"})
    assert reading.vnfd is None
    problem = only(reading, "file-not-in-manifest")
    assert (problem.file, problem.severity) == ("Files/added.sh", Severity.ERROR)


def test_tosca_meta_without_digest_is_a_warning_where_the_manifest_is_signed(tmp_path: Path) -> None:
    reading = read(tmp_path, option_1(signer(), meta=False))
    problem = only(reading, "file-not-in-manifest")
    assert (problem.file, problem.severity) == (META_FILE, Severity.WARNING)
    assert reading.signer is not None


def test_a_signature_with_another_certificate_of_the_same_name_is_refused(tmp_path: Path) -> None:
    serial = signer().certificate.serial_number
    forger = root().issue("Packages", serial=serial)
    files = without_certificate(Identity(forger.key, signer().certificate), entries())
    message = refused(read(tmp_path, {**files, "vnfd.cert": pem(signer().certificate)}), "wrong-signature")
    assert "not made with the key" in message


# -- who signed ------------------------------------------------------------------------------------------------------------


def test_a_signer_whom_nobody_trusts_is_refused(tmp_path: Path) -> None:
    stranger = root().issue("Stranger CA", ca=True)
    message = refused(read(tmp_path, option_1(signer()), required(stranger)), "untrusted-signer")
    assert "CN=Packages,O=Acme" in message


def test_a_signer_may_be_a_trust_anchor_itself(tmp_path: Path) -> None:
    accepted(read(tmp_path, option_1(signer()), required(signer())), 1)


def test_the_way_to_the_anchor_leads_over_issuers_in_the_signature(tmp_path: Path) -> None:
    vendor = root().issue("Vendor CA", ca=True)
    who = vendor.issue("Vendor")
    accepted(read(tmp_path, option_1(who)), 1)
    refused(read(tmp_path, option_1(Identity(who.key, who.certificate))), "untrusted-signer")
    accepted(read(tmp_path, option_1(Identity(who.key, who.certificate)), required(vendor)), 1)


def test_somebody_who_may_not_issue_certificates_makes_nobody_trusted(tmp_path: Path) -> None:
    who = signer().issue("Accomplice")
    refused(read(tmp_path, option_1(who)), "untrusted-signer")


def test_a_web_servers_certificate_signs_no_packages(tmp_path: Path) -> None:
    server = root().issue("www", purposes=SERVER)
    assert "other purposes" in refused(read(tmp_path, option_1(server)), "untrusted-signer")
    refused(read(tmp_path, option_1(server), required(server)), "untrusted-signer")


@pytest.mark.parametrize("days", [-31, 336])
def test_a_certificate_counts_from_its_first_to_its_last_day(tmp_path: Path, days: int) -> None:
    for trust in (required(root()), trusting()):
        reading = read(tmp_path, option_1(signer()), trust, at=AT + timedelta(days=days))
        message = refused(reading, "certificate-expired")
        assert ("not valid before" in message) == (days < 0)


def test_an_authority_whose_certificate_has_expired_makes_nobody_trusted(tmp_path: Path) -> None:
    old = root().issue("Old CA", ca=True, end=AT - timedelta(days=1))
    who = old.issue("Late")
    refused(read(tmp_path, option_1(who), required(old)), "untrusted-signer")
    refused(read(tmp_path, option_1(who)), "untrusted-signer")


def test_keys_that_are_too_short_are_refused(tmp_path: Path) -> None:
    assert "1024 bits" in refused(read(tmp_path, option_1(signer("rsa1024"))), "weak-signature")


# -- policies --------------------------------------------------------------------------------------------------------------


def test_what_is_not_signed_is_refused_or_told_or_nothing(tmp_path: Path) -> None:
    refused(read(tmp_path, entries()), "not-signed")
    told = read(tmp_path, entries(), trusting(root()))
    assert [(each.code, each.severity) for each in told.problems] == [("not-signed", Severity.WARNING)]
    assert read(tmp_path, entries(), Trust(SignaturePolicy.IGNORE)).problems == ()


def test_an_archive_without_its_signature_is_not_signed(tmp_path: Path) -> None:
    reading = read(tmp_path, {"a.csar": zipped(entries())})
    assert sorted(codes(reading.problems)) == ["no-signature", "not-signed"]
    assert reading.vnfd is None


def test_without_anchors_signatures_are_checked_and_signers_are_not(tmp_path: Path) -> None:
    reading = read(tmp_path, option_1(signer()), trusting())
    assert codes(reading.problems) == ["signer-not-checked"]
    assert reading.signer is not None
    assert not reading.signer.trusted
    refused(
        read(
            tmp_path,
            {**option_1(signer()), "vnfd.mf": option_1(signer(), block=builtin(b"", signer()))["vnfd.mf"]},
            trusting(),
        ),
        "wrong-signature",
    )


def test_ignored_signatures_are_told_of_and_not_looked_at(tmp_path: Path) -> None:
    files = option_1(signer(), block=b"-----BEGIN CMS-----\nnonsense\n-----END CMS-----\n")
    reading = read(tmp_path, {**files, "added": b""}, Trust(SignaturePolicy.IGNORE))
    assert sorted(codes(reading.problems)) == ["file-not-in-manifest", "signature-not-checked"]
    assert reading.vnfd is not None
    assert reading.signer is None


# -- what is no signature --------------------------------------------------------------------------------------------------

NO_SIGNATURES = {
    "empty": b"",
    "text": b"signature",
    "base64": b"bm90IGEgc2lnbmF0dXJl",
    "certificate": pem(root().certificate),
    "cut off": ours(b"x", signer())[:500] + b"\n-----END CMS-----\n",
    "null": b"\x30\x00",
    "nested": b"\x30\x80" * 5000,
}


@pytest.mark.parametrize("name", NO_SIGNATURES)
def test_what_is_no_signature_is_refused(tmp_path: Path, name: str) -> None:
    files = {**option_2(signer()), "a.cms": NO_SIGNATURES[name]}
    refused(read(tmp_path, files), "broken-signature")


def test_several_signatures_beside_an_archive_are_refused(tmp_path: Path) -> None:
    files = option_2(signer())
    reading = read(tmp_path, {**files, "b.cms": files["a.cms"]})
    assert only(reading, "broken-signature").file == "b.cms"
    assert reading.vnfd is None


def test_an_outer_archive_in_an_outer_archive_is_refused(tmp_path: Path) -> None:
    inner = zipped(option_2(signer()))
    reading = read(tmp_path, option_2(signer(), inner))
    assert "nested-archive" in codes(reading.problems)
    assert reading.vnfd is None


def test_an_archive_among_the_artifacts_stays_a_file(tmp_path: Path) -> None:
    bomb = b"PK" + bytes(1000)
    accepted(read(tmp_path, option_1(signer(), entries({"Files/inner.zip": bomb, "Files/inner.csar": b""}))), 1)
