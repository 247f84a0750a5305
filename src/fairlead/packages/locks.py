"""Locks on files, by which processes know of each other's work on a package without any heartbeat.

The kernel lets go of such a lock the moment its process is gone, however it went: what is locked is being worked on, and
what is not locked but unfinished was left behind. Times and worker names would have to be waited for or trusted.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self

__all__ = ["FileLock"]


class FileLock:
    """An open file that only this holder works on; `descriptor` is open for reading and writing.

    Not tied to a thread: whoever has it may release it.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """Lock `path`, which is made if it is not there; None when another holds it."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _still_there(descriptor, path):
                    return cls(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def release(self, *, remove: bool = False) -> None:
        """Let go; with `remove`, of the file too. A second release does nothing."""
        if self.descriptor < 0:
            return
        descriptor, self.descriptor = self.descriptor, -1
        try:
            if remove:
                self.path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        # A lock whose taker was cancelled while a thread took it for him belongs to nobody.
        self.release()


def _still_there(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one at `path`: its former holder may have removed it in between."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
