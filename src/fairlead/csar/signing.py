"""Signing a package that is made here, by either option of SOL004 5.1: CMS with the certificates in it, over what stands elsewhere.

Option 1 signs the manifest, which has to give a digest of every file (`packing.py` sees to that) and ends with the signature;
option 2 signs the archive and wraps both into another one. `cryptography`'s own builder wants the whole content in
memory; an archive may have gigabytes, so its digest is signed here, and the few elements around it are written by hand.
"""

from __future__ import annotations

import base64
import hashlib
import textwrap
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from fairlead.csar.ber import element, oid
from fairlead.csar.cms import read_certificates
from fairlead.errors import BadRequest

__all__ = ["SigningKey", "load_signing_key", "sign", "wrap"]

_PART: Final = 2**20
_LARGE: Final = 2**30
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_SMALLEST_RSA: Final = 2048
_SEQUENCE, _SET, _OCTETS, _INTEGER, _FIRST = 0x30, 0x31, 0x04, 0x02, 0xA0
_ONE: Final = element(_INTEGER, b"\x01")
_NULL: Final = b"\x05\0"
_DATA: Final = oid("1.2.840.113549.1.7.1")
_SIGNED_DATA: Final = oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE: Final = oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = oid("1.2.840.113549.1.9.4")
_SHA256: Final = element(_SEQUENCE, oid("2.16.840.1.101.3.4.2.1") + _NULL)
_RSA: Final = element(_SEQUENCE, oid("1.2.840.113549.1.1.1") + _NULL)
_ECDSA_SHA256: Final = element(_SEQUENCE, oid("1.2.840.10045.4.3.2"))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the certificates on its way up, its own first."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificates: tuple[x509.Certificate, ...]


def load_signing_key(key: bytes, certificates: bytes, password: bytes | None = None) -> SigningKey:
    """The key and the certificates of two PEM files.

    Raises BadRequest (`signing-key-invalid`) if they cannot be read, do not belong together, or are not for signing packages.
    """
    try:
        loaded = load_pem_private_key(key, password)
        found = read_certificates(certificates)
        own = [certificate for certificate in found if certificate.public_key() == loaded.public_key()]
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _invalid(f"The key or its certificate cannot be read: {error}.") from error
    if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise _invalid("Packages are signed with RSA or with an elliptic curve.")
    if isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size < _SMALLEST_RSA:
        raise _invalid(f"An RSA key of {loaded.key_size} bits is too short; {_SMALLEST_RSA} are the least.")
    if not own:
        raise _invalid("The certificate is of another key.")
    return SigningKey(loaded, (own[0], *(certificate for certificate in found if certificate is not own[0])))


def sign(content: bytes, key: SigningKey) -> bytes:
    """The CMS block in PEM that signs `content`, as it stands at the end of a manifest (option 1) or in a file (5.4)."""
    return _signature(hashlib.sha256(content).digest(), key)


def wrap(package: IO[bytes], name: str, target: IO[bytes], key: SigningKey) -> None:
    """Write to `target` the archive of option 2: `package` as `<name>.csar`, and its signature as `<name>.cms`.

    `package` is read twice, from its beginning; it is as compressed as it gets and stored as it is. Raises what reading and
    writing raise.
    """
    package.seek(0)
    state = hashlib.sha256()
    size = 0
    while part := package.read(_PART):
        state.update(part)
        size += len(part)
    package.seek(0)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(_entry(f"{name}.csar"), "w", force_zip64=size >= _LARGE) as entry:
            while part := package.read(_PART):
                entry.write(part)
        archive.writestr(_entry(f"{name}.cms"), _signature(state.digest(), key))


def _signature(digest: bytes, key: SigningKey) -> bytes:
    attributes = _set([_attribute(_CONTENT_TYPE, _DATA), _attribute(_MESSAGE_DIGEST, element(_OCTETS, digest))])
    own = key.certificates[0]
    serial = own.serial_number.to_bytes(own.serial_number.bit_length() // 8 + 1, "big", signed=True)
    identifier = element(_SEQUENCE, own.issuer.public_bytes() + element(_INTEGER, serial))
    signed = element(_OCTETS, _computed(element(_SET, attributes), key))
    scheme = _RSA if isinstance(key.key, rsa.RSAPrivateKey) else _ECDSA_SHA256
    signer = element(_SEQUENCE, _ONE + identifier + _SHA256 + element(_FIRST, attributes) + scheme + signed)
    certificates = element(_FIRST, _set(each.public_bytes(Encoding.DER) for each in key.certificates))
    parts = _ONE + element(_SET, _SHA256) + element(_SEQUENCE, _DATA) + certificates + element(_SET, signer)
    whole = element(_SEQUENCE, _SIGNED_DATA + element(_FIRST, element(_SEQUENCE, parts)))
    text = "\n".join(textwrap.wrap(base64.b64encode(whole).decode("ascii"), 64))
    return f"-----BEGIN CMS-----\n{text}\n-----END CMS-----\n".encode("ascii")


def _computed(attributes: bytes, key: SigningKey) -> bytes:
    if isinstance(key.key, rsa.RSAPrivateKey):
        return key.key.sign(attributes, padding.PKCS1v15(), hashes.SHA256())
    return key.key.sign(attributes, ec.ECDSA(hashes.SHA256()))


def _attribute(kind: bytes, value: bytes) -> bytes:
    return element(_SEQUENCE, kind + element(_SET, value))


def _set(elements: Iterable[bytes]) -> bytes:
    """The contents of a set, in the order that DER wants."""
    return b"".join(sorted(elements))


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system, info.external_attr = 3, 0o100644 << 16
    return info


def _invalid(detail: str) -> BadRequest:
    return BadRequest(
        detail,
        code="signing-key-invalid",
        remedy="Give a private key and its certificate in PEM, and the password if the key has one.",
    )
