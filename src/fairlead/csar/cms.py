"""CMS signatures (RFC 5652) as SOL004 uses them: over content that stands elsewhere, by one signer or several.

`cryptography` writes such signatures and does not check them, so their frame is read here and nothing else: every
computation, of digests, signatures and certificates, is the library's. Functions that are broken, SHA-1 and RSA below
2,048 bits among them, are refused, as a check by them would prove nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from fairlead.csar.ber import Element, Malformed, octets, read_element, read_oid
from fairlead.csar.ber import element as encoded

__all__ = ["SignatureRefused", "SignedData", "SignerInfo", "certificate_of", "read_certificates", "read_cms", "verify"]

DigestOf = Callable[[str], bytes]
"""The digest of what is signed, by the name of a function as `hashlib` has it (`sha256`)."""

_DIGESTS: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_DIGEST_OIDS: Final = {
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_SIGNATURE_OIDS: Final[Mapping[str, tuple[str, str | None]]] = {
    "1.2.840.113549.1.1.1": ("rsa", None),
    "1.2.840.113549.1.1.14": ("rsa", "sha224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.113549.1.1.10": ("rsa-pss", None),
    "1.2.840.10045.2.1": ("ecdsa", None),
    "1.2.840.10045.4.3.1": ("ecdsa", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
}
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SEQUENCE, _SET, _INTEGER = 0x30, 0x31, 0x02
_FIRST, _SECOND, _KEY_ID = 0xA0, 0xA1, 0x80
_SMALLEST_RSA: Final = 2048
_SMALLEST_CURVE: Final = 256
_MOST: Final = 32
_LONGEST_NUMBER: Final = 64
_UNREADABLE: Final = (
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
_ARMOUR: Final = re.compile(rb"-----BEGIN ([A-Z0-9 #]{1,30})-----(.*?)-----END \1-----", re.DOTALL)


class SignatureRefused(Exception):
    """Why a signature does not count: a code of the package reader, a text, what to do about it."""

    def __init__(self, code: str, told: str, hint: str | None = None) -> None:
        super().__init__(told)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signer: its certificate is that of `issuer` (a name in DER) and `serial`, or the one with `key_id`.

    `attributes` are what is signed in place of the content, as a SET, None if the content itself is.
    """

    issuer: bytes | None
    serial: int | None
    key_id: bytes | None
    digest: str
    attributes: bytes | None
    message_digest: bytes | None
    scheme: str
    value: bytes


@dataclass(frozen=True, slots=True)
class SignedData:
    """A signature: `content` is what it brings along itself, which SOL004 does not ask for."""

    signers: tuple[SignerInfo, ...]
    certificates: tuple[x509.Certificate, ...]
    content: bytes | None


def read_cms(data: bytes) -> SignedData:
    """Read a signature in PEM, base64 or binary. Raises SignatureRefused (`broken-signature`, `weak-signature`)."""
    try:
        kind, content = _fields(read_element(_binary(data)), 2, _SEQUENCE)[:2]
        if read_oid(kind) != _SIGNED_DATA:
            raise Malformed("it is CMS, and no signature")
        return _signed_data(_fields(content, 1, _FIRST)[0])
    except (Malformed, UnsupportedAlgorithm) as error:
        raise SignatureRefused("broken-signature", f"the signature cannot be read as CMS: {error}") from error


def certificate_of(signer: SignerInfo, certificates: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """The one of `certificates` that the signer names."""
    for certificate in certificates:
        if signer.key_id is not None:
            if _key_id(certificate) == signer.key_id:
                return certificate
        elif certificate.serial_number == signer.serial and certificate.issuer.public_bytes() == signer.issuer:
            return certificate
    return None


def verify(signer: SignerInfo, certificate: x509.Certificate, contents: Iterable[DigestOf]) -> None:
    """Check the signature; one spelling of the content in `contents` must be the signed one.

    Raises SignatureRefused (`wrong-signature`, `weak-signature`).
    """
    digests = [content(signer.digest) for content in contents]
    if signer.attributes is None:
        if not any(_matches(signer, certificate, digest) for digest in digests):
            raise SignatureRefused("wrong-signature", "the signature is not of this content, or by another key")
        return
    if not any(hmac.compare_digest(digest, signer.message_digest or b"") for digest in digests):
        raise SignatureRefused("wrong-signature", "what is signed is another content than this")
    hasher = hashes.Hash(_DIGESTS[signer.digest])
    hasher.update(signer.attributes)
    if not _matches(signer, certificate, hasher.finalize()):
        raise SignatureRefused("wrong-signature", "the signature was not made with the key of its certificate")


def _matches(signer: SignerInfo, certificate: x509.Certificate, digest: bytes) -> bool:
    """Whether the signature is of what `digest` is the digest of."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureRefused("weak-signature", f"the key of the certificate cannot be used: {error}") from error
    prehashed = utils.Prehashed(_DIGESTS[signer.digest])
    try:
        if isinstance(key, rsa.RSAPublicKey) and signer.scheme in ("rsa", "rsa-pss"):
            if key.key_size < _SMALLEST_RSA:
                raise SignatureRefused("weak-signature", f"an RSA key of {key.key_size} bits is too short")
            pss = padding.PSS(padding.MGF1(_DIGESTS[signer.digest]), padding.PSS.AUTO)
            key.verify(signer.value, digest, pss if signer.scheme == "rsa-pss" else padding.PKCS1v15(), prehashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and signer.scheme == "ecdsa":
            if key.key_size < _SMALLEST_CURVE:
                raise SignatureRefused("weak-signature", f"a curve of {key.key_size} bits is too small")
            key.verify(signer.value, digest, ec.ECDSA(prehashed))
        else:
            raise SignatureRefused("weak-signature", f"a signature by {signer.scheme} does not go with this key")
    except InvalidSignature:
        return False
    return True


def _binary(data: bytes) -> bytes:
    armoured = _ARMOUR.search(data)
    if armoured is None and data[:1] == bytes([_SEQUENCE]):
        return data
    try:
        return base64.b64decode(b"".join((armoured[2] if armoured else data).split()), validate=True)
    except binascii.Error as error:
        raise Malformed("it is neither PEM nor binary") from error


def _signed_data(element: Element) -> SignedData:
    version, _, encapsulated, *rest = _fields(element, 4, _SEQUENCE)
    _integer(version)
    certificates: list[x509.Certificate] = []
    if rest[0].tag == _FIRST:
        certificates = [_certificate(each) for each in _some(rest.pop(0)) if each.tag == _SEQUENCE]
    if rest and rest[0].tag == _SECOND:
        rest.pop(0)
    if len(rest) != 1 or rest[0].tag != _SET:
        raise Malformed("it has no set of signers")
    inner = _fields(encapsulated, 1, _SEQUENCE)
    content = octets(_fields(inner[1], 1, _FIRST)[0]) if len(inner) > 1 else None
    signers = tuple(_signer(each, read_oid(inner[0])) for each in _some(rest[0]))
    if not signers:
        raise Malformed("nobody has signed it")
    return SignedData(signers, tuple(certificates), content)


def _signer(element: Element, content_type: str) -> SignerInfo:
    version, identifier, digest_algorithm, *rest = _fields(element, 5, _SEQUENCE)
    _integer(version)
    attributes = rest.pop(0) if rest[0].tag == _FIRST else None
    if len(rest) < 2:
        raise Malformed("a signer lacks the signature")
    digest = _DIGEST_OIDS.get(_algorithm(digest_algorithm))
    scheme, own = _SIGNATURE_OIDS.get(_algorithm(rest[0]), ("", None))
    if digest is None or not scheme or own not in (None, digest):
        raise SignatureRefused(
            "weak-signature",
            "the signature is by a function that is not accepted",
            "sign with SHA-256 or longer, and with RSA or ECDSA",
        )
    issuer, serial, key_id = _identifier(identifier)
    message_digest = _message_digest(attributes, content_type) if attributes is not None else None
    signed = encoded(_SET, attributes.content) if attributes is not None else None
    return SignerInfo(issuer, serial, key_id, digest, signed, message_digest, scheme, octets(rest[1]))


def _identifier(element: Element) -> tuple[bytes | None, int | None, bytes | None]:
    if element.tag == _SEQUENCE:
        issuer, serial = _fields(element, 2, _SEQUENCE)[:2]
        return issuer.encoded, _integer(serial), None
    if element.tag == _KEY_ID:
        return None, None, element.content
    raise Malformed("a signer names no certificate")


def _message_digest(attributes: Element, content_type: str) -> bytes:
    values: dict[str, Element] = {}
    for attribute in _some(attributes):
        kind, held = _fields(attribute, 2, _SEQUENCE)[:2]
        name = read_oid(kind)
        if name in (_CONTENT_TYPE, _MESSAGE_DIGEST):
            if name in values or len(_fields(held, 1, _SET)) != 1:
                raise Malformed("an attribute of the signer is there twice")
            values[name] = _fields(held, 1, _SET)[0]
    if _CONTENT_TYPE not in values or _MESSAGE_DIGEST not in values or read_oid(values[_CONTENT_TYPE]) != content_type:
        raise Malformed("the signer's attributes do not say what is signed")
    return octets(values[_MESSAGE_DIGEST])


def read_certificates(content: bytes) -> list[x509.Certificate]:
    """The certificates of a file, DER or PEM (one or several), of which nothing raises any more later. Raises ValueError.

    The library parses a certificate's parts only when somebody wants them.
    """
    try:
        if content[:1] == bytes([_SEQUENCE]):
            found = [x509.load_der_x509_certificate(content)]
        else:
            found = x509.load_pem_x509_certificates(content)
        for each in found:
            _ = (each.subject, each.issuer, each.serial_number, each.extensions)
            _ = (each.not_valid_before_utc, each.not_valid_after_utc)
    except _UNREADABLE as error:
        raise ValueError(str(error)) from error
    return found


def _certificate(element: Element) -> x509.Certificate:
    try:
        return read_certificates(element.encoded)[0]
    except ValueError as error:
        raise Malformed(f"a certificate in it cannot be read: {error}") from error


def _key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None


def _fields(element: Element, least: int, tag: int) -> list[Element]:
    if element.tag != tag:
        raise Malformed(f"tag {element.tag:#x} stands where {tag:#x} is expected")
    fields = element.children()
    if len(fields) < least:
        raise Malformed("a part is missing")
    return fields


def _some(element: Element) -> list[Element]:
    found = element.children()
    if len(found) > _MOST:
        raise Malformed(f"it has more than {_MOST} parts of a sort")
    return found


def _algorithm(element: Element) -> str:
    return read_oid(_fields(element, 1, _SEQUENCE)[0])


def _integer(element: Element) -> int:
    if element.tag != _INTEGER or not 0 < len(element.content) <= _LONGEST_NUMBER:
        raise Malformed("a number is expected")
    return int.from_bytes(element.content, "big", signed=True)
