"""CMS against OpenSSL, in both directions, and against bytes that are none."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.csar.ber import Malformed, element, octets, oid, read_element, read_oid
from fairlead.csar.cms import SignatureRefused, certificate_of, read_cms, verify
from fairlead.csar.trust import check_signer
from tests.packages.notary import AT, Identity, builtin, ours, root, signer, trusting
from tests.packages.openssl import needs_openssl, openssl_signed, openssl_verifies

CONTENT = b"metadata:\n  a: b\n"
UNUSUAL = {
    "der": (),
    "indefinite lengths": ("-stream",),
    "by key identifier": ("-keyid",),
    "no attributes": ("-noattr",),
    "no capabilities": ("-nosmimecap",),
    "sha512": ("-md", "sha512"),
}


def problem_of(signature: bytes, content: bytes, anchor: Identity | None = None) -> str | None:
    """The code of what is wrong with a signature, None if it is right."""
    try:
        signed = read_cms(signature)
        for info in signed.signers:
            certificate = certificate_of(info, (*signed.certificates, signer().certificate))
            if certificate is None:
                return "no-certificate"
            verify(info, certificate, [lambda algorithm: hashlib.new(algorithm, content).digest()])
            check_signer(certificate, signed.certificates, trusting(anchor or root()), AT)
    except SignatureRefused as error:
        return error.code
    return None


@needs_openssl
@pytest.mark.parametrize("form", ["PEM", "DER"])
@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.parametrize("kind", ["ec", "rsa2048"])
def test_signatures_of_openssl_are_verified(tmp_path: Path, kind: str, name: str, form: str) -> None:
    who = signer(kind)
    signature = openssl_signed(CONTENT, who, tmp_path, *UNUSUAL[name], form=form)
    assert problem_of(signature, CONTENT) is None
    assert problem_of(signature, CONTENT + b" ") == "wrong-signature"


@needs_openssl
def test_pss_of_openssl_is_verified(tmp_path: Path) -> None:
    signature = openssl_signed(CONTENT, signer("rsa2048"), tmp_path, "-keyopt", "rsa_padding_mode:pss")
    assert problem_of(signature, CONTENT) is None


@needs_openssl
@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_broken_digests_are_refused(tmp_path: Path, digest: str) -> None:
    signature = openssl_signed(CONTENT, signer("rsa2048"), tmp_path, "-md", digest)
    assert problem_of(signature, CONTENT) == "weak-signature"


@needs_openssl
def test_content_that_a_signature_brings_along_is_compared_with_what_is_signed(tmp_path: Path) -> None:
    signature = openssl_signed(CONTENT, signer(), tmp_path, "-nodetach")
    assert read_cms(signature).content == CONTENT


@needs_openssl
@pytest.mark.parametrize("kind", ["ec", "rsa2048", "rsa3072"])
def test_openssl_verifies_our_signatures(tmp_path: Path, kind: str) -> None:
    signature = ours(CONTENT, signer(kind))
    assert openssl_verifies(signature, CONTENT, root(), tmp_path)
    assert not openssl_verifies(signature, CONTENT + b" ", root(), tmp_path)
    stranger = root().issue("Stranger", ca=True)
    assert not openssl_verifies(signature, CONTENT, stranger, tmp_path)


@needs_openssl
def test_openssl_verifies_our_signature_by_way_of_an_issuer_in_it(tmp_path: Path) -> None:
    who = root().issue("Vendor CA", ca=True).issue("Vendor")
    assert openssl_verifies(ours(CONTENT, who), CONTENT, root(), tmp_path)


def test_our_signatures_are_verified_by_us() -> None:
    for kind in ("ec", "rsa2048"):
        assert problem_of(ours(CONTENT, signer(kind)), CONTENT) is None
        assert problem_of(ours(CONTENT, signer(kind)), b"") == "wrong-signature"


def test_a_signature_of_an_rsa_key_is_the_same_each_time() -> None:
    assert ours(CONTENT, signer("rsa2048")) == ours(CONTENT, signer("rsa2048"))


def test_a_signature_of_data_of_another_sort_is_refused() -> None:
    block = read_cms(builtin(CONTENT, signer()))
    assert block.content is None
    other = element(0x30, oid("1.2.840.113549.1.7.1") + element(0xA0, element(0x04, CONTENT)))
    assert problem_of(other, CONTENT) == "broken-signature"


def test_the_time_is_that_of_the_upload() -> None:
    with pytest.raises(SignatureRefused):
        check_signer(signer().certificate, (), trusting(root()), AT + timedelta(days=1000))


@pytest.mark.parametrize("name", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.2.1", "0.9.2342", "2.999.1"])
def test_object_identifiers_are_written_as_they_are_read(name: str) -> None:
    assert read_oid(read_element(oid(name))) == name


@given(st.binary(max_size=300))
def test_an_element_is_written_as_it_is_read(content: bytes) -> None:
    assert octets(read_element(element(0x04, content))) == content


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x02\x04",
        b"\x04\x80\x00\x00",
        b"\x1f\x01\x00",
        b"\x30\x85\x00\x00\x00\x00\x00",
        b"\x04\x01\x00\x00",
        b"\x30\x80",
        b"\x30\x80" * 10_000,
    ],
)
def test_what_is_no_element_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_element(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused_and_never_crash(data: bytes) -> None:
    assert problem_of(data, CONTENT) == "broken-signature"


SIGNED = ours(CONTENT, signer("rsa2048"))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)), min_size=1, max_size=4))
def test_a_damaged_signature_is_refused_or_still_says_the_same(flips: list[tuple[int, int]]) -> None:
    body = b"".join(SIGNED.splitlines()[1:-1])
    damaged = bytearray(base64.b64decode(body))
    for at, by in flips:
        damaged[at % len(damaged)] ^= by
    assert problem_of(bytes(damaged), CONTENT) in (
        None,
        "broken-signature",
        "wrong-signature",
        "weak-signature",
        "no-certificate",
        "untrusted-signer",
        "certificate-expired",
    )
    assert problem_of(bytes(damaged), CONTENT + b"x") is not None
