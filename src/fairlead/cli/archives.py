"""A CSAR to upload, from a file or made on the way from a folder.

While a package is written, its folder is what its author has; making an archive of it by hand before every try is a
step that only goes wrong.
"""

from __future__ import annotations

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
        from fairlead.authoring.building import packed

        with packed(path) as made:
            yield made
        return
    try:
        content = path.open("rb")
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read.", code="unreadable-file", place=str(path), cause=error.strerror
        ) from error
    with content:
        yield content, path.stat().st_size
