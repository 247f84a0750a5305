"""OpenSSL's command, the other implementation of CMS that ours is held against."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packages.notary import Identity, pem

__all__ = ["needs_openssl", "openssl_signed", "openssl_verifies"]

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command here")


def openssl_signed(content: bytes, who: Identity, directory: Path, *options: str, form: str = "PEM") -> bytes:
    """A detached signature of `content`; skips the test where there is no openssl."""
    if OPENSSL is None:
        pytest.skip("there is no openssl command here")
    (directory / "content").write_bytes(content)
    (directory / "key.pem").write_bytes(who.key_pem())
    (directory / "certificate.pem").write_bytes(pem(who.certificate))
    given = ["-in", "content", "-signer", "certificate.pem", "-inkey", "key.pem", "-outform", form, "-out", "signature"]
    binary = [] if "-text-ends" in options else ["-binary"]
    rest = [option for option in options if option != "-text-ends"]
    command = [OPENSSL, "cms", "-sign", *binary, *given, *rest]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return (directory / "signature").read_bytes()


def openssl_verifies(signature: bytes, content: bytes, anchor: Identity, directory: Path) -> bool:
    """Whether OpenSSL takes the signature for right, and its signer for certified by `anchor`."""
    if OPENSSL is None:
        pytest.skip("there is no openssl command here")
    (directory / "content").write_bytes(content)
    (directory / "signature").write_bytes(signature)
    (directory / "anchor.pem").write_bytes(pem(anchor.certificate))
    given = ["-in", "signature", "-inform", "PEM", "-content", "content", "-CAfile", "anchor.pem", "-out", "/dev/null"]
    command = [OPENSSL, "cms", "-verify", "-binary", *given, "-purpose", "any", "-attime", "1780272000"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode == 0
