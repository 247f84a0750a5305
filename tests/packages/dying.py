"""A process that takes a package in, or deletes one, and dies at a chosen point without a word, as by `kill -9`.

    python -m tests.packages.dying URL DATA (upload|fetch|delete|recover) PACKAGE POINT FILE

Points are counted: before and after each transaction, and before and after each call of the storage. When the process comes
to its end without having met its point, it says so by exit code 0; dying is 9.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import IO, Any, TypeVar

from fairlead.packages import LocalStorage
from fairlead.packages.fetching import Fetcher
from fairlead.packages.s3 import S3Access, S3Storage
from fairlead.packages.storage import PackageStorage, Upload
from fairlead.sol import UploadVnfPackageFromUriRequest
from fairlead.store import Store, Tx
from tests.descriptors.samples import ROOT
from tests.packages.shelf import PROJECT, Shelf, in_chunks

T = TypeVar("T")
DIED = 9
BUCKET = "FAIRLEAD_TEST_BUCKET"
"""Environment: the address of a bucket, for a process that keeps packages there."""


async def dies(url: str, data: Path, what: str, package: str, point: int, content: bytes = b"") -> bool:
    """Have another process do it and die at `point`; False when it had been done before that point."""
    file = data.parent / "upload.csar"
    file.write_bytes(content)
    arguments = (url, str(data), what, package, str(point), str(file))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.packages.dying", *arguments, cwd=ROOT, stderr=subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode in (0, DIED), told.decode()
    return process.returncode == DIED


def s3_storage(bucket: str, data: Path, **more: Any) -> S3Storage:
    """A storage in the bucket whose address ends with its name."""
    endpoint, _, name = bucket.rpartition("/")
    access = S3Access(bucket=name, endpoint=endpoint, access_key="nobody", secret_key="nothing", **more)
    return S3Storage(data, access, reserve=0)


class Points:
    """Counts, and dies at one."""

    def __init__(self, deadly: int) -> None:
        self._left = deadly

    def passed(self) -> None:
        self._left -= 1
        if self._left < 0:
            os._exit(DIED)

    def around(self, call: Callable[..., T], *args: Any) -> T:
        self.passed()
        result = call(*args)
        self.passed()
        return result


class DyingStore(Store):
    """Dies before or after a transaction."""

    points: Points

    async def write(self, work: Callable[[Tx], T], project: str | None = None) -> T:
        self.points.passed()
        result = await super().write(work, project)
        self.points.passed()
        return result


class DyingUpload:
    """Dies while content comes in."""

    def __init__(self, upload: Upload, points: Points) -> None:
        self._upload, self._points = upload, points

    def write(self, part: bytes) -> None:
        self._points.around(self._upload.write, part)

    def commit(self) -> None:
        self._points.around(self._upload.commit)

    def abort(self) -> None:
        self._upload.abort()


class DyingStorage:
    """Dies before or after a call."""

    def __init__(self, storage: PackageStorage, points: Points) -> None:
        self._storage, self._points = storage, points
        self.artifacts, self.reserve, self.place = storage.artifacts, storage.reserve, storage.place

    def open_upload(self, key: str) -> DyingUpload:
        return DyingUpload(self._points.around(self._storage.open_upload, key), self._points)

    def open(self, key: str) -> IO[bytes]:
        return self._points.around(self._storage.open, key)

    def size(self, key: str) -> int | None:
        return self._points.around(self._storage.size, key)

    def delete(self, key: str) -> None:
        self._points.around(self._storage.delete, key)


async def main(url: str, data: str, what: str, package: str, point: str, content: bytes) -> None:
    store = DyingStore(url)
    store.points = Points(int(point))
    bucket = os.environ.get(BUCKET)
    kept = s3_storage(bucket, Path(data)) if bucket else LocalStorage(Path(data), reserve=0)
    storage = DyingStorage(kept, store.points)
    shelf = Shelf(store, Path(data), storage=storage, fetcher=Fetcher((ip_network("127.0.0.0/8"),)))
    if what == "upload":
        await shelf.catalogue.upload(PROJECT, package, in_chunks(content))
        await shelf.catalogue.idle()
    elif what == "fetch":
        request = UploadVnfPackageFromUriRequest(address_information=content.decode())
        await shelf.catalogue.upload_from_uri(PROJECT, package, request)
        await shelf.catalogue.idle()
    elif what == "delete":
        await shelf.catalogue.delete(PROJECT, package)
    else:
        await shelf.catalogue.recover()
        await shelf.catalogue.idle()
    store.close()


if __name__ == "__main__":
    _, address, directory, verb, id, deadly, file = sys.argv
    asyncio.run(main(address, directory, verb, id, deadly, Path(file).read_bytes()))
