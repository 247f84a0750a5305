"""From a folder to a CSAR that onboarding takes, or the reasons why not.

The archive is made beside its place, read back as the catalogue would read it, and only then put where it was asked for: what
carries the name of a package is one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from fairlead.authoring.linting import Linted, lint_one
from fairlead.csar import open_csar
from fairlead.csar.packing import Sign, hidden, pack
from fairlead.errors import BadRequest, Unprocessable

if TYPE_CHECKING:
    from fairlead.csar.signing import SigningKey

__all__ = ["Signing", "build", "packed", "signing_with"]

_FASTEST: Final = 1


@dataclass(frozen=True, slots=True)
class Signing:
    """How a package is signed (SOL004 5.1): 1, by its manifest; 2, as a whole, in an archive with its signature."""

    key: SigningKey
    option: int


def build(folder: Path, target: Path, *, signing: Signing | None = None, level: int = 6) -> Linted:
    """Make the CSAR `target` of the package in `folder`; what the linter says of it.

    With errors there is nothing at `target` that was not there before. `level` is zlib's. Raises BadRequest,
    Unprocessable, OSError.
    """
    if target.resolve().is_relative_to(folder.resolve()):
        raise BadRequest(
            f"{target} is in the folder that it is made of, so the next package would hold this one.",
            code="target-in-package",
            place=str(target),
            remedy="Name a place outside of the folder with --to.",
        )
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".csar")
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as content:
            _write(folder, content, signing, level, target.stem)
        # Who signs knows whose signature it is.
        found = lint_one(made).seen_from(folder).without("signer-not-checked")
        if not found.errors:
            made.chmod(0o644)
            made.replace(target)
        return found
    finally:
        with suppress(FileNotFoundError):
            made.unlink()


def signing_with(key: Path, certificate: Path, *, option: int, password: str | None = None) -> Signing:
    """The key and certificate in these files (PEM). Raises BadRequest (`signing-key-invalid`), OSError."""
    from fairlead.csar.signing import load_signing_key

    secret = password.encode() if password is not None else None
    return Signing(load_signing_key(key.read_bytes(), certificate.read_bytes(), secret), option)


def _write(folder: Path, target: IO[bytes], signing: Signing | None, level: int, name: str) -> None:
    if signing is None:
        _pack(folder, target, None, level)
        return
    from fairlead.csar.signing import sign, wrap

    if signing.option == 1:
        _pack(folder, target, lambda content: sign(content, signing.key), level)
        return
    with tempfile.TemporaryFile() as inner:
        _pack(folder, inner, None, level)
        wrap(inner, name, target, signing.key)


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
