"""Checking the signatures of a package: of the archive, of its manifest, of single files (SOL004 clause 5).

What a signature covers is compared first, then who made it, at the time of the upload. A package counts as signed only if
the archive or the manifest is: the signature of one file says nothing of the others. The first signer of the whole is what
the catalogue keeps.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO, Final

from cryptography import x509

from fairlead.csar.cms import (
    SignatureRefused,
    SignedData,
    SignerInfo,
    certificate_of,
    read_certificates,
    read_cms,
    verify,
)
from fairlead.csar.contents import READ_ERRORS
from fairlead.csar.package import Csar, Signature
from fairlead.csar.trust import SignaturePolicy, Trust, check_signer
from fairlead.descriptors import Mark, Severity, TooManyProblems

__all__ = ["Signer", "check_signatures", "seals"]

_PART: Final = 2**20
_LONGEST_NAME: Final = 1000
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WHOLE: Final = ("package", "manifest")


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a package, by `option` 1 or 2 of SOL004 5.1. Names are written as in RFC 4514, `serial` in hexadecimal.

    `trusted` says that the certificate leads to a trust anchor; False where none are configured.
    """

    option: int
    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    trusted: bool


def seals(csar: Csar, trust: Trust | None) -> bool:
    """Whether the manifest is what vouches for the package's files: option 1, and not option 2 as well."""
    covered = {signature.covers for signature in csar.signatures}
    looked_at = trust is not None and trust.policy is not SignaturePolicy.IGNORE
    return looked_at and "manifest" in covered and "package" not in covered


def check_signatures(csar: Csar, trust: Trust, at: datetime) -> Signer | None:
    """Check all signatures of an open package at the time `at`; the problems go to the package's own.

    Returns the signer of the whole package, None if it is not signed or if nobody looks.
    """
    if csar.contents is None:
        return None
    signers: list[Signer] = []
    with suppress(TooManyProblems):
        for signature in csar.signatures:
            signers.extend(_checked(csar, signature, trust, at))
        if trust.policy is SignaturePolicy.IGNORE:
            return None
        if not any(signature.covers in _WHOLE for signature in csar.signatures):
            _tell_unsigned(csar, trust)
    return signers[0] if signers else None


def _tell_unsigned(csar: Csar, trust: Trust) -> None:
    required = trust.policy is SignaturePolicy.REQUIRE
    told = "the package is not signed" + (", and packages have to be here" if required else "")
    hint = "sign the manifest (option 1 of SOL004 5.1) or the archive (option 2)"
    severity = Severity.ERROR if required else Severity.WARNING
    if required or not csar.directory:
        csar.found.add("not-signed", told, Mark(csar.label), severity, hint)


def _checked(csar: Csar, signature: Signature, trust: Trust, at: datetime) -> list[Signer]:
    """The signers of the whole package that `signature` names; what is wrong with it is told."""
    if trust.policy is SignaturePolicy.IGNORE:
        csar.found.warning(
            "signature-not-checked", f"the signature of {_named(signature)} is not checked", signature.mark
        )
        return []
    try:
        signed = read_cms(csar.read_proof(signature.proof))
        certificates = [*signed.certificates, *_certificates(csar, signature)]
        signers = [_check_one(csar, signature, signed, info, certificates, trust, at) for info in signed.signers]
    except SignatureRefused as error:
        csar.found.error(
            error.code, f"the signature of {_named(signature)} does not count: {error}", signature.mark, error.hint
        )
        return []
    except READ_ERRORS as error:
        csar.found.error(
            "damaged-file", f"the signature of {_named(signature)} cannot be read: {error}", signature.mark
        )
        return []
    return signers if signature.covers in _WHOLE else []


def _check_one(
    csar: Csar,
    signature: Signature,
    signed: SignedData,
    info: SignerInfo,
    certificates: list[x509.Certificate],
    trust: Trust,
    at: datetime,
) -> Signer:
    certificate = certificate_of(info, certificates)
    if certificate is None:
        raise SignatureRefused(
            "no-certificate",
            "the certificate of its signer is neither in it nor in the package",
            "put the certificate into the signature, or name its file in ETSI-Entry-Certificate",
        )
    contents = _spellings(csar, signature)
    if signed.content is not None:
        own = _digest_of(signed.content, info.digest)
        contents = [content for content in contents if content(info.digest) == own]
    verify(info, certificate, contents)
    check_signer(certificate, certificates, trust, at)
    if not trust.anchors:
        told = f'the signature is right, and nobody has said whether to trust "{_text(certificate.subject)}"'
        csar.found.warning("signer-not-checked", told, signature.mark, "set packages.trust_anchors")
    return Signer(
        option=2 if signature.covers == "package" else 1,
        subject=_text(certificate.subject),
        issuer=_text(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        trusted=bool(trust.anchors),
    )


def _certificates(csar: Csar, signature: Signature) -> list[x509.Certificate]:
    found: list[x509.Certificate] = []
    for proof in signature.certificates:
        try:
            found.extend(read_certificates(csar.read_proof(proof)))
        except READ_ERRORS as error:
            csar.found.warning("bad-certificate", f"this is no certificate that can be read: {error}", Mark(proof.path))
    return found


def _spellings(csar: Csar, signature: Signature) -> list[Callable[[str], bytes]]:
    """What is signed. Of a manifest, tools sign the text with line ends of their own or without the last one, which
    changes nothing in what it says."""
    if signature.covers != "manifest":
        return [lambda algorithm: _digest_of_file(csar, signature, algorithm)]
    assert csar.manifest is not None
    text = csar.manifest.signed
    spellings = [text, re.sub(rb"\r?\n", b"\r\n", text)]
    spellings += [re.sub(rb"\r?\n\Z", b"", spelling) for spelling in spellings]
    return [partial(_digest_of, spelling) for spelling in dict.fromkeys(spellings)]


def _digest_of(content: bytes, algorithm: str) -> bytes:
    return hashlib.new(algorithm, content).digest()


def _digest_of_file(csar: Csar, signature: Signature, algorithm: str) -> bytes:
    if signature.covers == "package":
        assert csar.package is not None
        csar.package.seek(0)
        return _digest(csar.package, algorithm)
    try:
        with closing(csar.open(signature.covers)) as stream:
            return _digest(stream, algorithm)
    except KeyError:
        raise SignatureRefused("wrong-signature", "the file that it is of is not there") from None


def _digest(stream: IO[bytes], algorithm: str) -> bytes:
    state = hashlib.new(algorithm)
    while part := stream.read(_PART):
        state.update(part)
    return state.digest()


def _named(signature: Signature) -> str:
    return f"the {signature.covers}" if signature.covers in _WHOLE else f'"{signature.covers}"'


def _text(name: x509.Name) -> str:
    """The name, without what a database or a terminal stumbles over."""
    return _UNPRINTABLE.sub("\ufffd", name.rfc4514_string())[:_LONGEST_NAME]
