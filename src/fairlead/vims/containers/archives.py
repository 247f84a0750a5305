"""An image archive as an engine is to load it: under our name and no other.

An archive says in its `manifest.json` under which names it is to be known. Loading it as it is would move an operator's own
name (`nginx:latest`) to the package's image, and leave that name behind when ours is deleted. So the archive is sent with that
one member replaced. The same step makes an OCI layout, which Docker before 25 does not load, into an archive that
every engine loads: the blobs are the same, only a `manifest.json` that points to them has to be added.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fairlead.errors import VimRefused

__all__ = ["SeveralArchitectures", "renamed"]

_PIECE = 2**20
_REPLACED = ("manifest.json", "repositories")
_LARGEST_DOCUMENT = 4 * 2**20


class SeveralArchitectures(Exception):
    """An OCI layout has images for more than one architecture, and it was not said which is wanted."""


def renamed(path: Path, reference: str, architecture: str | None = None) -> Iterator[bytes]:
    """The archive at `path`, in pieces, so that a load gives the image the name `reference` only.

    `architecture` (`amd64`) chooses in an OCI layout that has several; without it, raises SeveralArchitectures.
    Raises VimRefused (`image-format-unknown`) for a file that is no image archive. Both come before the first piece, which is
    empty. Reads files: run it in a thread.
    """
    with _uncompressed(path) as file:
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                members = archive.getmembers()
                named = {_plain(member.name): member for member in members}
                manifest = _manifest(archive, named, reference, architecture)
                if members[-1].offset_data + members[-1].size > file.seek(0, io.SEEK_END):
                    raise ValueError("it ends too early")
                yield b""
                yield from _pieces(file, members)
        except (tarfile.TarError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise _unknown(path, str(error) or type(error).__name__) from error
        yield _member("manifest.json", json.dumps(manifest).encode())
        yield b"\0" * 1024


@contextmanager
def _uncompressed(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not is_packed:
            yield file
            return
        with tempfile.TemporaryFile() as plain:
            try:
                with gzip.open(file) as packed:
                    shutil.copyfileobj(packed, plain, _PIECE)
            except (OSError, EOFError) as error:
                raise _unknown(path, str(error)) from error
            plain.seek(0)
            yield plain


def _pieces(file: BinaryIO, members: list[tarfile.TarInfo]) -> Iterator[bytes]:
    """All members but those that are replaced, byte for byte as they stand in the file, long names included."""
    for member, following in zip(members, [*members[1:], None], strict=True):
        end = following.offset if following is not None else member.offset_data + _padded(member)
        if _plain(member.name) in _REPLACED:
            continue
        file.seek(member.offset)
        remaining = end - member.offset
        while remaining > 0:
            piece = file.read(min(_PIECE, remaining))
            if not piece:
                raise ValueError("the archive ends too early")
            remaining -= len(piece)
            yield piece


def _padded(member: tarfile.TarInfo) -> int:
    return -(-member.size // 512) * 512 if member.isreg() else 0


def _manifest(
    archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], reference: str, architecture: str | None
) -> list[dict[str, Any]]:
    if "manifest.json" in members:
        images = _document(archive, members["manifest.json"])
        if len(images) != 1:
            raise ValueError(f"it holds {len(images)} images, not one")
        return [{**images[0], "RepoTags": [reference]}]
    if "index.json" not in members:
        raise ValueError("it has neither a manifest.json nor an index.json")
    found = _document(archive, members["index.json"])
    while "manifests" in found:
        found = _document(archive, members[_blob(_chosen(found["manifests"], architecture))])
    layers = [_blob(layer) for layer in found["layers"]]
    missing = [name for name in (_blob(found["config"]), *layers) if name not in members]
    if missing:
        raise ValueError(f"it does not hold {missing[0]}")
    return [{"Config": _blob(found["config"]), "RepoTags": [reference], "Layers": layers}]


def _chosen(manifests: list[dict[str, Any]], architecture: str | None) -> dict[str, Any]:
    if len(manifests) == 1:
        return manifests[0]
    if architecture is None:
        raise SeveralArchitectures
    fitting = [m for m in manifests if m.get("platform", {}).get("architecture", architecture) == architecture]
    if not fitting:
        raise ValueError(f"it has no image for {architecture}")
    return fitting[0]


def _blob(descriptor: dict[str, Any]) -> str:
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def _document(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    file = archive.extractfile(member)
    if file is None or member.size > _LARGEST_DOCUMENT:
        raise ValueError(f"{member.name} is not a document")
    return json.load(file)


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _member(name: str, content: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    return info.tobuf() + content + b"\0" * (-len(content) % 512)


def _unknown(path: Path, why: str) -> VimRefused:
    return VimRefused(
        f"'{path.name}' is not an image archive that a container engine can load: {why}.",
        code="image-format-unknown",
        cause=why,
        remedy="Ship the image as a docker archive (podman save --format docker-archive) or an OCI archive.",
    )
