"""Keys and certificates for the tests of signatures, and packages signed with them, rightly and wrongly.

Signatures are made by `cryptography`'s own builder where that can, so that what is verified is not only what we wrote ourselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fairlead.csar import META_FILE, SignaturePolicy, Trust
from fairlead.csar.signing import SigningKey, load_signing_key, sign
from tests.packages.building import Entries, entries, manifest
from tests.packages.shelf import zipped

__all__ = [
    "AT",
    "CODE_SIGNING",
    "SERVER",
    "Identity",
    "builtin",
    "option_1",
    "option_2",
    "ours",
    "pem",
    "required",
    "root",
    "signer",
    "trusting",
]

AT = datetime(2026, 6, 1, tzinfo=UTC)
CODE_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    """A key with its certificate, and the certificates above it."""

    key: Any
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    def signing_key(self) -> SigningKey:
        """As an operator has it: two PEM files."""
        return load_signing_key(self.key_pem(), pem(self.certificate, *self.above))

    def key_pem(self, password: bytes | None = None) -> bytes:
        form = serialization.PrivateFormat.PKCS8
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(password)
        encoded: bytes = self.key.private_bytes(serialization.Encoding.PEM, form, encryption)
        return encoded

    def issue(self, name: str, key: Any = None, **rest: Any) -> Identity:
        """Somebody certified by this one."""
        return _identity(name, key or _curve(), self, **rest)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def trusting(*anchors: Identity, policy: SignaturePolicy = SignaturePolicy.VERIFY) -> Trust:
    return Trust(policy, tuple(each.certificate for each in anchors))


def required(*anchors: Identity) -> Trust:
    return trusting(*anchors, policy=SignaturePolicy.REQUIRE)


@cache
def root() -> Identity:
    """An authority."""
    return _identity("Acme CA", _curve(), None, ca=True)


@cache
def signer(kind: str = "ec") -> Identity:
    """Somebody whom the authority has certified, with a key of a kind."""
    return root().issue("Packages", _key(kind), purposes=CODE_SIGNING)


def option_1(
    who: Identity, files: Entries | None = None, *, block: bytes | None = None, meta: bool = True, **rest: Any
) -> Entries:
    """The files of a package whose manifest is signed; `block` is the signature where it is not a right one."""
    chosen = dict(files if files is not None else entries())
    text = manifest(chosen)
    if meta and META_FILE in chosen:
        text += f"\nSource: {META_FILE}\nAlgorithm: SHA-512\nHash: {hashlib.sha512(chosen[META_FILE]).hexdigest()}\n".encode()
    return {**chosen, "vnfd.mf": text + (block if block is not None else builtin(text, who, **rest))}


def option_2(who: Identity, inner: bytes | None = None, *, signed: bytes | None = None, **rest: Any) -> Entries:
    """The files of an outer archive; `signed` is what is signed in place of `inner`."""
    content = inner if inner is not None else zipped(entries())
    return {"a.csar": content, "a.cms": builtin(signed if signed is not None else content, who, **rest)}


def builtin(
    content: bytes, who: Identity, *, options: Sequence[pkcs7.PKCS7Options] = (), certificates: bool = True, **rest: Any
) -> bytes:
    """A signature by `cryptography`'s builder."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    padding = rest.get("padding")
    builder = builder.add_signer(who.certificate, who.key, rest.get("digest", hashes.SHA256()), rsa_padding=padding)
    for certificate in who.above if certificates else ():
        builder = builder.add_certificate(certificate)
    chosen = [*(options or (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary))]
    if not certificates:
        chosen.append(pkcs7.PKCS7Options.NoCerts)
    encoding = rest.get("encoding", serialization.Encoding.PEM)
    signature = builder.sign(encoding, chosen)
    return signature.replace(b"PKCS7-----", b"CMS-----")


def ours(content: bytes, who: Identity) -> bytes:
    """A signature by Fairlead."""
    return sign(content, who.signing_key())


def _identity(
    name: str,
    key: Any,
    issuer: Identity | None,
    *,
    ca: bool = False,
    purposes: x509.ExtendedKeyUsage | None = None,
    start: datetime = AT - timedelta(days=30),
    end: datetime = AT + timedelta(days=335),
    serial: int | None = None,
) -> Identity:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if purposes is not None:
        builder = builder.add_extension(purposes, critical=False)
    signing = issuer.key if issuer else key
    above: tuple[x509.Certificate, ...] = ()
    if issuer is not None and issuer.certificate.issuer != issuer.certificate.subject:
        above = (issuer.certificate, *issuer.above)
    return Identity(key, builder.sign(signing, hashes.SHA256()), above)


def _curve() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _key(kind: str) -> Key:
    if kind == "ec":
        return _curve()
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa") or 2048))
