"""A process that takes a package in, or deletes one, and dies at a chosen point without a word, as by `kill -9`.

    python -m tests.packages.dying URL DATA (upload|delete|recover) PACKAGE POINT FILE

Points are counted: before and after each transaction, and before and after each call of the storage. When the process comes
to its end without having met its point, it says so by exit code 0; dying is 9.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fairlead.packages import LocalStorage
from fairlead.packages.storage import LocalUpload
from fairlead.store import Store, Tx
from tests.packages.shelf import PROJECT, Shelf, in_chunks

T = TypeVar("T")
DIED = 9


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

    def open_upload(self, package: str) -> DyingUpload:
        upload = self.points.around(super().open_upload, package)
        upload.__class__ = DyingUpload
        assert isinstance(upload, DyingUpload)
        upload.points = self.points
        return upload

    def path(self, package: str) -> Path:
        return self.points.around(super().path, package)

    def delete(self, package: str) -> None:
        self.points.around(super().delete, package)


async def main(url: str, data: str, what: str, package: str, point: str, content: bytes) -> None:
    store = DyingStore(url)
    storage = DyingStorage(Path(data), reserve=0)
    store.points = storage.points = Points(int(point))
    shelf = Shelf(store, Path(data), storage=storage)
    if what == "upload":
        await shelf.catalogue.upload(PROJECT, package, in_chunks(content))
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
