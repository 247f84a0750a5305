"""From a folder to a CSAR that onboarding takes, or the reasons why not.

The archive is made beside its place, read back as the catalogue would read it, and only then put where it was asked for: what
carries the name of a package is one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from fairlead.authoring.linting import Linted, lint_one
from fairlead.errors import BadRequest, Unprocessable
from fairlead.packages import open_csar
from fairlead.packages.packing import Sign, hidden, pack

__all__ = ["build", "packed"]

_FASTEST: Final = 1


def build(folder: Path, target: Path, *, sign: Sign | None = None, level: int = 6) -> Linted:
    """Make the CSAR `target` of the package in `folder`; what the linter says of it.

    With errors there is nothing at `target` that was not there before. `sign` signs the manifest (SOL004 option 1), `level`
    is zlib's. Raises BadRequest, Unprocessable, OSError.
    """
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".csar")
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as content:
            _pack(folder, content, sign, level)
        found = lint_one(made).seen_from(folder)
        if not found.errors:
            made.chmod(0o644)
            made.replace(target)
        return found
    finally:
        with suppress(FileNotFoundError):
            made.unlink()


@contextmanager
def packed(folder: Path) -> Iterator[tuple[IO[bytes], int]]:
    """A CSAR of `folder` as it is, right or wrong, and its length in bytes; it is gone afterwards.

    Raises BadRequest (`empty-package`, `bad-package-folder`).
    """
    with tempfile.TemporaryFile() as made:
        _pack(folder, made, None, _FASTEST)
        size = made.tell()
        made.seek(0)
        yield made, size


def _pack(folder: Path, target: IO[bytes], sign: Sign | None, level: int) -> None:
    with open_csar(folder) as csar:
        if csar.contents is None:
            raise Unprocessable(
                f"The folder {folder} holds what a package must not have.",
                code="bad-package-folder",
                place=str(folder),
                cause="\n".join(str(each) for each in csar.problems),
                remedy="Remove it from the folder.",
            )
        if all(hidden(name) for name in csar.contents.sizes):
            raise BadRequest(f"The folder {folder} is empty.", code="empty-package", place=str(folder))
        manifest = csar.manifest.path if csar.manifest is not None else None
        if sign is not None and manifest is None:
            raise BadRequest(
                "A package is signed by its manifest, and this one has none.",
                code="no-manifest-to-sign",
                place=str(folder),
                remedy="Add a .mf file, and name it in TOSCA.meta as ETSI-Entry-Manifest.",
            )
        pack(csar.contents, target, manifest=manifest, sign=sign, level=level)
