"""Writing files so that they are whole or not there, and a disk that fills up is told of as such.

Large packages share their disk with the database as often as not, and a database whose disk is full loses more than an
upload; so room is looked for before and while files grow, and some of it is always left.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairlead.errors import StorageFull

__all__ = ["put_in_place", "require_room", "telling_of_full_disk"]


def require_room(directory: Path, reserve: int, size: int = 0) -> None:
    """Raises StorageFull unless `size` bytes fit on the disk of `directory` and `reserve` bytes stay free."""
    free = shutil.disk_usage(directory).free
    if free < reserve + size:
        raise _full(f"{free} bytes are free there, {reserve} are kept free" + (f", {size} are needed" if size else ""))


@contextmanager
def telling_of_full_disk() -> Iterator[None]:
    """Raises StorageFull in place of the OSError that a full disk gives."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(str(error)) from error
        raise


def put_in_place(written: Path, final: Path) -> None:
    """Give a file, whose bytes are on the disk already, its final name, durably and at once for all who look."""
    written.replace(final)
    directory = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _full(cause: str) -> StorageFull:
    return StorageFull(
        "The disk that packages are kept on is full.",
        cause=cause,
        remedy="Delete packages that are not needed, or give the data directory a larger disk, and try again.",
    )
