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
from fairlead.packages.storage import LocalUpload
from fairlead.sol import UploadVnfPackageFromUriRequest
from fairlead.store import Store, Tx
from tests.descriptors.samples import ROOT
from tests.packages.shelf import PROJECT, Shelf, in_chunks

T = TypeVar("T")
DIED = 9


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


class DyingUpload(LocalUpload):
    """Dies while content comes in."""

    points: Points

    def write(self, part: bytes) -> None:
        self.points.around(super().write, part)

    def commit(self) -> None:
        self.points.around(super().commit)


class DyingStorage(LocalStorage):
    """Dies before or after a call."""

    points: Points

    def open_upload(self, key: str) -> DyingUpload:
        upload = self.points.around(super().open_upload, key)
        upload.__class__ = DyingUpload
        assert isinstance(upload, DyingUpload)
        upload.points = self.points
        return upload

    def open(self, key: str) -> IO[bytes]:
        return self.points.around(super().open, key)

    def size(self, key: str) -> int | None:
        return self.points.around(super().size, key)

    def delete(self, key: str) -> None:
        self.points.around(super().delete, key)


async def main(url: str, data: str, what: str, package: str, point: str, content: bytes) -> None:
    store = DyingStore(url)
    storage = DyingStorage(Path(data), reserve=0)
    store.points = storage.points = Points(int(point))
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
