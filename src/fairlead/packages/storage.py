"""Where the bytes of packages lie: one interface, and the directory on this machine's disk.

    <data>/packages/<id>.csar           a complete package; nothing else ever has that name
    <data>/packages/.incoming/<id>      an upload that is under way
    <data>/packages/.locks/<id>         held by the process that works on the package
    <data>/artifacts/<digest>           files taken out of packages (`extracted.py`)

An upload is written beside its place, brought to the disk and then renamed, so what is there under its name is whole,
after any crash. All calls block and belong into threads.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Protocol

from fairlead.packages.disk import put_in_place, require_room, telling_of_full_disk
from fairlead.packages.locks import FileLock

__all__ = ["Claim", "LocalStorage", "LocalUpload", "PackageStorage", "Upload"]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOOK_AT_ROOM: Final = 64 * 2**20


class Claim(Protocol):
    """The right to work on one package; it ends with its process at the latest."""

    def release(self, *, remove: bool = False) -> None:
        """Give it up; `remove` says that the package is gone for good."""
        ...


class Upload(Protocol):
    """A package that is coming in."""

    def write(self, part: bytes) -> None:
        """Add `part`. Raises StorageFull, OSError."""
        ...

    def commit(self) -> None:
        """All is there: make it the package, durably. Raises StorageFull, OSError."""
        ...

    def abort(self) -> None:
        """Drop what has come."""
        ...


class PackageStorage(Protocol):
    """Keeps packages by their ids."""

    @property
    def artifacts(self) -> Path:
        """A local directory for files that are taken out of packages."""
        ...

    @property
    def reserve(self) -> int:
        """Bytes that are to stay free on every disk that is written to."""
        ...

    def claim(self, package: str) -> Claim | None:
        """The right to work on `package`; None while another has it."""
        ...

    def open_upload(self, package: str) -> Upload:
        """Begin to take a package in; the caller holds its claim. Raises StorageFull, OSError."""
        ...

    def path(self, package: str) -> Path:
        """A local file with the package's bytes. Raises FileNotFoundError, OSError."""
        ...

    def delete(self, package: str) -> None:
        """Remove a package and what is left of its uploads; deleting what is not there succeeds."""
        ...


class LocalStorage:
    """Packages in a directory.

    `reserve` is how many bytes of the disk stay free, for the database's sake above all. Processes on several machines need
    a file system that they share and that locks across machines, such as NFS 4.
    """

    def __init__(self, data: Path, *, reserve: int = 256 * 2**20) -> None:
        self._packages = data / "packages"
        self._incoming = self._packages / ".incoming"
        self._locks = self._packages / ".locks"
        self.artifacts = data / "artifacts"
        self.reserve = reserve
        for directory in (self._incoming, self._locks, self.artifacts):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def claim(self, package: str) -> FileLock | None:
        return FileLock.take(self._locks / _plain(package))

    def open_upload(self, package: str) -> LocalUpload:
        require_room(self._incoming, self.reserve)
        return LocalUpload(self._incoming / _plain(package), self._final(package), self.reserve)

    def path(self, package: str) -> Path:
        path = self._final(package)
        if not path.is_file():
            raise FileNotFoundError(path)
        return path

    def delete(self, package: str) -> None:
        (self._incoming / _plain(package)).unlink(missing_ok=True)
        self._final(package).unlink(missing_ok=True)

    def _final(self, package: str) -> Path:
        return self._packages / f"{_plain(package)}.csar"


class LocalUpload:
    """One upload into a directory."""

    def __init__(self, path: Path, final: Path, reserve: int) -> None:
        self._path, self._final, self._reserve = path, final, reserve
        self._file = path.open("wb", buffering=0)
        self._unlooked = 0

    def write(self, part: bytes) -> None:
        self._unlooked += len(part)
        if self._unlooked >= _LOOK_AT_ROOM:
            require_room(self._path.parent, self._reserve)
            self._unlooked = 0
        with telling_of_full_disk():
            rest = memoryview(part)
            while rest:
                rest = rest[self._file.write(rest) :]

    def commit(self) -> None:
        with telling_of_full_disk():
            os.fsync(self._file.fileno())
            self._file.close()
            put_in_place(self._path, self._final)

    def abort(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def _plain(package: str) -> str:
    """The id, which becomes a file name. Raises ValueError for one that was not made here."""
    if not _ID.fullmatch(package):
        raise ValueError(f"{package!r} is no package id")
    return package
