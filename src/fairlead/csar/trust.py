"""Whom to trust: the policy for signatures, the trust anchors, and the way from a signer's certificate to one of them.

Paths are built and checked by `cryptography.x509.verification` under rules for signing code in place of those for web
servers: a certificate that says what it is for must say signing, so that the key of some web server, certified by the same
authority, signs no packages. Trust is judged at a given time, that of the upload.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from fairlead.csar.cms import SignatureRefused, read_certificates
from fairlead.errors import FairleadError

__all__ = ["SignaturePolicy", "Trust", "check_signer", "load_trust"]

E = TypeVar("E", bound=x509.ExtensionType)
_LONGEST_PATH: Final = 8
_SIGNING: Final = (
    ExtendedKeyUsageOID.CODE_SIGNING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
)


class SignaturePolicy(StrEnum):
    """`require`: what is not signed is refused. `verify`: what is signed must be right. `ignore`: nobody looks."""

    REQUIRE = "require"
    VERIFY = "verify"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Trust:
    """The policy and the certificates that it trusts. Without any, signatures are checked and signers are not."""

    policy: SignaturePolicy = SignaturePolicy.VERIFY
    anchors: tuple[x509.Certificate, ...] = ()


def load_trust(policy: str, anchors: Path | None) -> Trust:
    """The configured trust; `anchors` is a PEM file, or a directory of them (`.pem`, `.crt`, `.cer`, `.cert`).

    Raises FairleadError (`trust-anchors-invalid`) if a file cannot be read, or if signatures are required of nobody.
    """
    if SignaturePolicy(policy) is SignaturePolicy.IGNORE:
        return Trust(SignaturePolicy.IGNORE)
    found: list[x509.Certificate] = []
    for path in _files(anchors) if anchors is not None else ():
        try:
            found.extend(read_certificates(path.read_bytes()))
        except (OSError, ValueError) as error:
            raise _invalid("The file of trust anchors cannot be read.", path, str(error)) from error
    if anchors is not None and not found:
        raise _invalid("There are no certificates among the trust anchors.", anchors, None)
    if not found and SignaturePolicy(policy) is SignaturePolicy.REQUIRE:
        raise _invalid("Signatures of packages are required, and there are no trust anchors.", None, None)
    return Trust(SignaturePolicy(policy), tuple(found))


def check_signer(certificate: x509.Certificate, others: Iterable[x509.Certificate], trust: Trust, at: datetime) -> None:
    """Check that the certificate may sign, is valid at `at`, and leads to an anchor by way of `others`.

    Without anchors the last is left out. Raises SignatureRefused (`certificate-expired`, `untrusted-signer`).
    """
    name = certificate.subject.rfc4514_string()
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= at <= end:
        told = f'the certificate of "{name}" has expired, on {end:%Y-%m-%d}'
        if at < start:
            told = f'the certificate of "{name}" is not valid before {start:%Y-%m-%d}'
        raise SignatureRefused("certificate-expired", told, "sign the package again with a certificate that is valid")
    try:
        _check_purpose(certificate)
        if trust.anchors:
            _verifier(trust, at).verify(certificate, list(others))
    except (ValueError, UnsupportedAlgorithm, verification.VerificationError) as error:
        told = f'"{name}" is not trusted to sign packages: {error}'
        hint = "add the certificate of who issued it, or the signer's own, to packages.trust_anchors"
        raise SignatureRefused("untrusted-signer", told, hint) from error


def _verifier(trust: Trust, at: datetime) -> verification.ClientVerifier:
    either = verification.Criticality.AGNOSTIC
    issuers = verification.ExtensionPolicy.permit_all()
    issuers = issuers.require_present(x509.BasicConstraints, either, None)
    issuers = issuers.may_be_present(x509.KeyUsage, either, _check_issuer)
    return (
        verification.PolicyBuilder()
        .store(verification.Store(list(trust.anchors)))
        .time(at)
        .max_chain_depth(_LONGEST_PATH)
        .extension_policies(ca_policy=issuers, ee_policy=verification.ExtensionPolicy.permit_all())
        .build_client_verifier()
    )


def _check_issuer(_policy: object, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("a certificate on the way says that its key issues none")


def _check_purpose(certificate: x509.Certificate) -> None:
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and not any(purpose in purposes for purpose in _SIGNING):
        raise ValueError("its certificate says that it is for other purposes than signing")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("its certificate says that the key is not for signatures")


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _files(anchors: Path) -> list[Path]:
    if not anchors.is_dir():
        return [anchors]
    return sorted(path for path in anchors.iterdir() if path.suffix in (".pem", ".crt", ".cer", ".cert"))


def _invalid(detail: str, path: Path | None, cause: str | None) -> FairleadError:
    return FairleadError(
        detail,
        code="trust-anchors-invalid",
        place=str(path) if path is not None else "packages.trust_anchors",
        cause=cause,
        remedy="Let packages.trust_anchors name a PEM file with certificates, or a directory of such files.",
    )
