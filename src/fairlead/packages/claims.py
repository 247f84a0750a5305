"""The right to work on one package, which ends with its process at the latest.

Whoever takes a package in, reads or deletes it holds its claim, so a row that says UPLOADING or PROCESSING and that
nobody has claimed was left behind. On one machine, or a file system that machines share, a claim is a locked file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Protocol

from fairlead.packages.locks import FileLock

__all__ = ["Claim", "Claims", "FileClaims"]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Claim(Protocol):
    """A claim that is held."""

    def release(self) -> None:
        """Give it up; a second time does nothing."""
        ...


class Claims(Protocol):
    """All calls block and belong into threads."""

    def take(self, package: str) -> Claim | None:
        """The right to work on `package`; None while another has it."""
        ...

    def take_over(self, package: str) -> Claim | None:
        """As `take`, for what seems to have been left: sure that nobody is only cut off from his claim for a moment."""
        ...

    def tidy(self) -> None:
        """Remove what processes that died have left of their claims."""
        ...

    def close(self) -> None: ...


class FileClaims:
    """Claims as locked files in `<data>/packages/.locks`; a file is there only while its package is worked on."""

    def __init__(self, data: Path) -> None:
        self._directory = data / "packages" / ".locks"
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def take(self, package: str) -> Claim | None:
        if not _ID.fullmatch(package):
            raise ValueError(f"{package!r} is no package id")
        lock = FileLock.take(self._directory / package)
        return _FileClaim(lock) if lock is not None else None

    take_over = take

    def tidy(self) -> None:
        for path in self._directory.iterdir():
            lock = FileLock.take(path)
            if lock is not None:
                lock.release(remove=True)

    def close(self) -> None:
        pass


class _FileClaim:
    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    def release(self) -> None:
        self._lock.release(remove=True)
