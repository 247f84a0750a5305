"""Files taken out of packages for those who need them as files: a cache by content.

What has the same digest is the same file, whichever packages it is in, so an image that ten packages share is taken
out once. Nothing but a name stands between a digest and its file, hence what is there under that name was compared with the
digest first. It is a cache: any file may be removed while nobody reads it, and is taken out again when wanted.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from fairlead.errors import StorageFull
from fairlead.packages.disk import put_in_place, require_room, telling_of_full_disk
from fairlead.packages.locks import FileLock

__all__ = ["IN_HAND", "ExtractedFiles", "WrongContent"]

_PART = 2**20
IN_HAND = 3600.0
"""Seconds for which a file that somebody asked for is taken to be in use: loading an image into a VIM takes minutes."""


class WrongContent(Exception):
    """The bytes are not those of the digest."""


class ExtractedFiles:
    """The cache. Digests are written `sha256:<hex>`; `now` is seconds since the epoch. All calls block."""

    def __init__(self, directory: Path, reserve: int) -> None:
        self._directory = directory
        self._incoming = directory / ".incoming"
        self._reserve = reserve
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, digest: str, now: float) -> Path | None:
        """The file, which is noted as used; None when it is not here."""
        path = self._path(digest)
        try:
            os.utime(path, (now, now))
        except FileNotFoundError:
            return None
        return path

    def put(self, digest: str, stream: IO[bytes], size: int, now: float) -> Path:
        """Copy `stream` to its place. When the disk is full, what nobody has asked for lately makes room.

        Raises WrongContent, StorageFull, OSError, and what reading raises.
        """
        self._make_room(size, now)
        path = self._path(digest)
        lock = FileLock.take(self._incoming / f"{path.name}.{secrets.token_hex(8)}")
        assert lock is not None
        with lock, telling_of_full_disk():
            try:
                self._copy(stream, lock.descriptor, digest)
                os.utime(lock.path, (now, now))
                put_in_place(lock.path, path)
            except BaseException:
                lock.release(remove=True)
                raise
        return path

    def forget(self, digests: Iterable[str], unused_since: float) -> None:
        """Remove these files, unless somebody has asked for them since."""
        for digest in digests:
            _remove_unused(self._path(digest), unused_since)

    def tidy(self, unused_since: float) -> None:
        """Remove what nobody has asked for since, and what others left half-done."""
        for path in self._directory.iterdir():
            if path.is_file():
                _remove_unused(path, unused_since)
        for path in self._incoming.iterdir():
            lock = FileLock.take(path)
            if lock is not None:
                lock.release(remove=True)

    def _make_room(self, size: int, now: float) -> None:
        """Remove the files that were asked for longest ago, until `size` bytes fit. Raises StorageFull."""
        used = sorted((path.stat().st_mtime, path) for path in self._directory.iterdir() if path.is_file())
        while True:
            try:
                require_room(self._directory, self._reserve, size)
                return
            except StorageFull:
                if not used or used[0][0] >= now - IN_HAND:
                    raise
                used.pop(0)[1].unlink(missing_ok=True)

    def _copy(self, stream: IO[bytes], descriptor: int, digest: str) -> None:
        state = hashlib.sha256()
        while part := stream.read(_PART):
            state.update(part)
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        if f"sha256:{state.hexdigest()}" != digest:
            raise WrongContent(state.hexdigest())
        os.fsync(descriptor)

    def _path(self, digest: str) -> Path:
        return self._directory / digest.removeprefix("sha256:")


def _remove_unused(path: Path, unused_since: float) -> None:
    try:
        if path.stat().st_mtime < unused_since:
            path.unlink()
    except FileNotFoundError:
        return
