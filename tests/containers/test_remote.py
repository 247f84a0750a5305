"""An engine on another machine: over plain TCP, and over TLS with certificates of both sides."""

from __future__ import annotations

import ssl
from pathlib import Path

import msgspec
import pytest

from fairlead.clock import SystemClock
from fairlead.resources import Handle
from tests.containers.faults import proxied
from tests.contract.subjects import ContainersSubject
from tests.support.certificates import Authority

pytestmark = pytest.mark.containers


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
    authority = Authority()
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
            ({**right, "ca": Authority().pem}, False),
        ):
            there = url.replace("tcp", "https") if "certificate" not in credentials else url
            known = msgspec.structs.replace(access, interface={"url": there}, credentials=credentials)
            subject.type.validate(known)
            driver = subject.type.open(known, subject.files, SystemClock())
            assert (await driver.check()).reachable is reachable
            if reachable:
                assert await driver.kinds["network"].read(Handle("no-such-network")) is None
            await driver.close()
