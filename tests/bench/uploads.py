"""A package of 2 GB through the HTTP of a served Fairlead: the most memory that the server has at any time from the first
byte to the end of onboarding, and while the package goes out again.

The package is made while it is sent, so neither its bytes nor its archive are anywhere but in the server. Into an object
store go 200 MB: moto's server, which stands for one, reads the whole object for each range of it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from fairlead.client import Client
from fairlead.packages.bundles import Bundle, Member
from tests.bench.figures import Figure, figure
from tests.support.packages import small_package
from tests.support.serving import Process, free_port

__all__ = ["measure"]

_LARGE = 2 * 10**9
_SMALLER = 200 * 10**6
_BLOCK = os.urandom(10**6)
_TARGET = 100.0
"""MB beyond what the server has when it is idle."""


def measure() -> list[Figure]:
    """Both storages."""
    found = _through("2 GB", "a directory", _LARGE, {})
    with _object_store() as settings:
        return found + _through("200 MB", "an object store", _SMALLER, settings)


def _through(what: str, where: str, size: int, settings: dict[str, str]) -> list[Figure]:
    package = _package(size)
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as scratch, _environment(settings):
        server = Process("serve", Path(scratch))
        server.start()
        try:
            with Client(server.url, token=server.token, timeout=120) as client:
                list(client.packages.list())
                idle = server.memory / 2**20
                made = client.packages.create()
                _forget_peak(server)
                began = time.perf_counter()
                client.packages.upload(made["id"], cast(IO[bytes], _Reading(package)), size=package.size)
                sent = time.perf_counter() - began
                done = client.packages.wait(made["id"], timeout=200)
                onboarded = time.perf_counter() - began
                if done["onboardingState"] != "ONBOARDED":
                    raise RuntimeError(str(done.get("onboardingFailureDetails")))
                up = _peak(server)
                _forget_peak(server)
                began = time.perf_counter()
                got = sum(len(piece) for piece in client.packages.download(made["id"]))
                fetched = time.perf_counter() - began
                if got != package.size:
                    raise RuntimeError(f"{got} bytes of {package.size} came back")
                down = _peak(server)
        finally:
            server.stop()
    return [
        figure(f"{what} into {where}: memory above idle", up - idle, "MB", target=_TARGET, note=f"{up:.0f} MB in all"),
        figure(f"{what} into {where}: sent", sent, "s", note=f"onboarded after {onboarded:.1f} s"),
        figure(f"{what} out of {where}: memory above idle", down - idle, "MB", target=_TARGET),
        figure(f"{what} out of {where}: fetched", fetched, "s"),
    ]


def _package(size: int) -> Bundle:
    """A small package with a file of `size` bytes, which are whole millions, in it."""
    with zipfile.ZipFile(io.BytesIO(small_package())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    crc = 0
    for _ in range(size // len(_BLOCK)):
        crc = zlib.crc32(_BLOCK, crc)
    members = [
        Member(name, len(content), zlib.crc32(content), lambda content=content: io.BytesIO(content))  # type: ignore[misc]
        for name, content in files.items()
    ]
    return Bundle([*members, Member("Files/large.qcow2", size, crc, lambda: cast(IO[bytes], _Large(size)))])


class _Large(io.RawIOBase):
    """The same million bytes again and again."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, _size: int | None = -1) -> bytes:
        """The next million: who reads asks for a mebibyte, which is more."""
        part = _BLOCK[: self._left]
        self._left -= len(part)
        return part


class _Reading(io.RawIOBase):
    """An archive as it is sent."""

    def __init__(self, bundle: Bundle) -> None:
        self._pieces = bundle.pieces(0, bundle.size)

    def read(self, _size: int | None = -1) -> bytes:
        return next(self._pieces, b"")


def _forget_peak(server: Process) -> None:
    Path(f"/proc/{server.pid}/clear_refs").write_text("5", encoding="ascii")


def _peak(server: Process) -> float:
    """The most resident memory since it was last forgotten, in MB."""
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]


@contextlib.contextmanager
def _object_store() -> Iterator[dict[str, str]]:
    """Settings for a bucket in moto's server, which is a process of its own."""
    import botocore.session

    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            endpoint = f"http://127.0.0.1:{port}"
            client = botocore.session.Session().create_client(
                "s3", region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
            )
            for attempt in range(100):
                try:
                    client.create_bucket(Bucket="packages")
                    break
                except Exception:
                    if attempt == 99 or server.poll() is not None:
                        raise
                    time.sleep(0.1)
            yield {
                "FAIRLEAD_PACKAGES_STORAGE": "s3",
                "FAIRLEAD_PACKAGES_S3_BUCKET": "packages",
                "FAIRLEAD_PACKAGES_S3_ENDPOINT": endpoint,
                "FAIRLEAD_PACKAGES_S3_ACCESS_KEY": "a",
                "FAIRLEAD_PACKAGES_S3_SECRET_KEY": "b",
            }
        finally:
            server.terminate()
