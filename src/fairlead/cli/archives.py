"""A CSAR to upload, from a file or made on the way from a folder.

While a package is written, its folder is what its author has; making an archive of it by hand before every try is a
step that only goes wrong. Names that begin with a dot are left out (version control, editors).
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fairlead.errors import BadRequest

__all__ = ["opened"]


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """The content of the archive at `path`, or of one made of the folder `path`, and its length in bytes."""
    if path.is_dir():
        with tempfile.TemporaryFile() as made:
            _pack(path, made)
            size = made.tell()
            made.seek(0)
            yield made, size
        return
    try:
        content = path.open("rb")
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read.", code="unreadable-file", place=str(path), cause=error.strerror
        ) from error
    with content:
        yield content, path.stat().st_size


def _pack(folder: Path, content: IO[bytes]) -> None:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not _hidden(file.relative_to(folder))]
    if not files:
        raise BadRequest(f"The folder {folder} is empty.", code="empty-package", place=str(folder))
    # TOSCA-Metadata first, so that a reader of the stream knows early what it reads.
    files.sort(key=lambda file: file.relative_to(folder).parts[0] != "TOSCA-Metadata")
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for file in files:
            archive.write(file, file.relative_to(folder).as_posix())


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
