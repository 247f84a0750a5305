"""Where the bytes of packages lie: one interface, and the directory on this machine's disk (`s3.py` has the other).

    <data>/packages/<key>.csar          a complete content; nothing else ever has that name
    <data>/packages/.incoming/<key>     an upload that is under way
    <data>/packages/.locks/<id>         held by the process that works on a package (`claims.py`)
    <data>/artifacts/<digest>           files taken out of packages (`extracted.py`)

The storage knows nothing of packages: it keeps bytes under keys that are made up for each upload and never used again, so
that an old key's removal, however late, cannot hit what came after it. An upload is written beside its place, brought to
the disk and then renamed, so what is there under its key is whole, after any crash. All calls block and belong into
threads.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import IO, Final, Protocol

from fairlead.packages.disk import put_in_place, require_room, telling_of_full_disk

__all__ = ["LocalStorage", "LocalUpload", "PackageStorage", "Upload", "new_key"]

_KEY: Final = re.compile(r"[0-9a-f]{32}")
_LOOK_AT_ROOM: Final = 64 * 2**20


def new_key() -> str:
    """A key for an upload that is about to begin."""
    return secrets.token_hex(16)


class Upload(Protocol):
    """A content that is coming in."""

    def write(self, part: bytes) -> None:
        """Add `part`. Raises StorageFull, StorageUnavailable, OSError."""
        ...

    def commit(self) -> None:
        """All is there: keep it under its key, durably. Raises StorageFull, StorageUnavailable, OSError."""
        ...

    def abort(self) -> None:
        """Drop what has come. Raises StorageUnavailable, OSError; `delete` makes up for it."""
        ...


class PackageStorage(Protocol):
    """Keeps contents by key."""

    @property
    def artifacts(self) -> Path:
        """A local directory for files that are taken out of packages."""
        ...

    @property
    def reserve(self) -> int:
        """Bytes that are to stay free on every disk that is written to."""
        ...

    def open_upload(self, key: str) -> Upload:
        """Begin to take a content in. Raises StorageFull, StorageUnavailable, OSError."""
        ...

    def open(self, key: str) -> IO[bytes]:
        """A content, to be read at any place. Raises FileNotFoundError, StorageUnavailable, OSError; so does reading."""
        ...

    def size(self, key: str) -> int | None:
        """The bytes of a content; None when there is none. Raises StorageUnavailable, OSError."""
        ...

    def delete(self, key: str) -> None:
        """Remove a content, or what is left of its upload; deleting what is not there succeeds."""
        ...

    def place(self, key: str) -> str:
        """Where an operator finds a content."""
        ...


class LocalStorage:
    """Contents in a directory.

    `reserve` is how many bytes of the disk stay free, for the database's sake above all. Processes on several machines need
    a file system that they share, such as NFS 4.
    """

    def __init__(self, data: Path, *, reserve: int = 256 * 2**20) -> None:
        self._packages = data / "packages"
        self._incoming = self._packages / ".incoming"
        self.artifacts = data / "artifacts"
        self.reserve = reserve
        for directory in (self._incoming, self.artifacts):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def open_upload(self, key: str) -> LocalUpload:
        require_room(self._incoming, self.reserve)
        return LocalUpload(self._incoming / _plain(key), self._final(key), self.reserve)

    def open(self, key: str) -> IO[bytes]:
        return self._final(key).open("rb")

    def size(self, key: str) -> int | None:
        try:
            return self._final(key).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        (self._incoming / _plain(key)).unlink(missing_ok=True)
        self._final(key).unlink(missing_ok=True)

    def place(self, key: str) -> str:
        return f"packages/{key}.csar in the data directory"

    def _final(self, key: str) -> Path:
        return self._packages / f"{_plain(key)}.csar"


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


def _plain(key: str) -> str:
    """The key, which becomes a file name. Raises ValueError for one that was not made here."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key of a package's content")
    return key
