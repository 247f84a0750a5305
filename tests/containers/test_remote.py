"""An engine on another machine: over plain TCP, and over TLS with certificates of both sides."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fairlead.clock import SystemClock
from fairlead.resources import Handle
from tests.containers.faults import proxied
from tests.contract.subjects import ContainersSubject

pytestmark = pytest.mark.containers


class _Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("authority")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = _builder(self._name, self._name, self._key).add_extension(constraints, critical=True)
        self.pem = _pem(self._certificate.sign(self._key, hashes.SHA256()))

    def issue(self, name: str) -> tuple[str, str]:
        """A certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = _builder(_name(name), self._name, key).add_extension(names, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return _pem(certificate.sign(self._key, hashes.SHA256())), private.decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


async def test_an_engine_is_reached_over_plain_tcp(subject: ContainersSubject, tmp_path: Path) -> None:
    access = subject.access("remote")
    async with proxied(access.interface["url"], tmp_path, tcp=True) as (_, url):
        driver = subject.type.open(
            msgspec.structs.replace(access, interface={"url": url}), subject.files, SystemClock()
        )
        assert (await driver.check()).reachable
        await driver.close()


async def test_an_engine_is_reached_over_tls_by_whoever_has_a_certificate(
    subject: ContainersSubject, tmp_path: Path
) -> None:
    authority = _Authority()
    (tmp_path / "server.pem").write_text("".join(authority.issue("server")))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=authority.pem)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(tmp_path / "server.pem")
    certificate, key = authority.issue("client")
    right = {"ca": authority.pem, "certificate": certificate, "key": key}
    access = subject.access("remote")
    async with proxied(access.interface["url"], tmp_path, tcp=True, tls=server) as (_, url):
        for credentials, reachable in (
            (right, True),
            ({"ca": authority.pem}, False),
            ({**right, "ca": _Authority().pem}, False),
        ):
            there = url.replace("tcp", "https") if "certificate" not in credentials else url
            known = msgspec.structs.replace(access, interface={"url": there}, credentials=credentials)
            subject.type.validate(known)
            driver = subject.type.open(known, subject.files, SystemClock())
            assert (await driver.check()).reachable is reachable
            if reachable:
                assert await driver.kinds["network"].read(Handle("no-such-network")) is None
            await driver.close()
