"""Where Fairlead listens, and what is answered there: HTTPS with a certificate, and a worker that only tells how it is."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support.certificates import Authority
from tests.support.databases import PostgresqlServer
from tests.support.serving import Process


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Authority]:
    """Writes a certificate and a key to where a server then looks for them."""

    def write(shown: str, kept: str) -> Authority:
        authority = Authority()
        pairs = {name: authority.issue(name) for name in {shown, kept}}
        (tmp_path / "server.pem").write_text(pairs[shown][0])
        (tmp_path / "server.key").write_text(pairs[kept][1])
        monkeypatch.setenv("FAIRLEAD_SERVER_CERTIFICATE", str(tmp_path / "server.pem"))
        monkeypatch.setenv("FAIRLEAD_SERVER_KEY", str(tmp_path / "server.key"))
        return authority

    return write


def test_with_a_certificate_it_speaks_https_and_nothing_else(
    tmp_path: Path, certificate: Callable[[str, str], Authority]
) -> None:
    authority = certificate("server", "server")
    (tmp_path / "ca.pem").write_text(authority.pem)
    server = Process("serve", tmp_path / "data")
    try:
        server.start()
        secure = server.url.replace("http:", "https:")
        assert f"Fairlead listens on {secure}" in server.printed()
        trusted = ssl.create_default_context(cadata=authority.pem)
        assert httpx.get(f"{secure}/ready", verify=trusted).json()["ready"] is True
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{secure}/ready", verify=ssl.create_default_context(cadata=Authority().pem))
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{server.url}/ready")
        told = ["--url", secure, "--token", server.token, "--ca-file", str(tmp_path / "ca.pem")]
        listed = subprocess.run(
            [sys.executable, "-m", "fairlead", "vnf", "list", *told], capture_output=True, text=True, check=False
        )
        assert listed.returncode == 0, listed.stderr
    finally:
        server.stop()


@pytest.mark.parametrize("broken", ["another key", "no certificate", "no key"])
def test_a_certificate_that_is_of_no_use_is_told_before_anything_is_begun(
    tmp_path: Path, certificate: Callable[[str, str], Authority], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    certificate("server", "another" if broken == "another key" else "server")
    if broken == "no certificate":
        (tmp_path / "server.pem").unlink()
    if broken == "no key":
        monkeypatch.delenv("FAIRLEAD_SERVER_KEY")
    command = [sys.executable, "-m", "fairlead", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "bad-certificate" in ended.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.postgresql
def test_a_worker_tells_how_it_is_and_serves_nothing_else(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.create(empty=True)
    worker = Process("worker", tmp_path / "data", database=url)
    try:
        worker.start()
        assert httpx.get(f"{worker.url}/health").json() == {"status": "ok"}
        assert httpx.get(f"{worker.url}/ready").json()["ready"] is True
        assert "fairlead_operations_in_hand" in httpx.get(f"{worker.url}/metrics").text
        assert httpx.get(f"{worker.url}/vnflcm/v2/vnf_instances").status_code == 404
    finally:
        worker.stop()
        postgresql_server.drop(url)
