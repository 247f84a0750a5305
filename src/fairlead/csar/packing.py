"""A package's files to a CSAR: digests into the manifest, and a zip archive that depends on nothing but its content.

The same files make the same bytes, whoever packs them, when, and from where: names are sorted (TOSCA-Metadata first, so that
a reader of the stream knows early what it reads; the manifest last, as it tells of all others), times and modes are fixed.
Each file is read once, and its digest is that of the bytes that went into the archive. The manifest in the folder is its
author's and stays as it is; digests that stand there already are replaced.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import IO, Final

from fairlead.csar.contents import Contents, read_start
from fairlead.csar.lines import Line, read_lines
from fairlead.csar.manifest import Manifest, read_manifest
from fairlead.descriptors import Problems

__all__ = ["Sign", "pack", "with_digests"]

Sign = Callable[[bytes], bytes]
"""Bytes to the CMS block (PEM) that signs them."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_PART: Final = 2**20
_LARGE: Final = 2**30
_BLOCK: Final = ("source", "name", "algorithm", "hash", "signature", "certificate", "content-type")
_LARGEST_MANIFEST: Final = 8 * 2**20


def pack(
    contents: Contents, target: IO[bytes], *, manifest: str | None, sign: Sign | None = None, level: int = 6
) -> dict[str, str]:
    """Write the files of `contents` to `target` as a zip archive; the SHA-256 in hexadecimal digits of each of them by name.

    `manifest` is the name of the manifest, which gets the digests of all other files and, with `sign`, a signature; None
    leaves all as it is. Names of which a part begins with a dot are left out (version control, editors). `level` is zlib's.
    Raises what reading and writing raise.
    """
    digests: dict[str, str] = {}
    names = sorted(
        (name for name in contents.sizes if name != manifest and not hidden(name)),
        key=lambda name: (not name.startswith("TOSCA-Metadata/"), name),
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name in names:
            digests[name] = _copy(contents, name, archive)
        if manifest is not None and manifest in contents.sizes:
            source = read_start(contents, manifest, _LARGEST_MANIFEST)
            written = with_digests(source, manifest, {name: digests[name] for name in names})
            if sign is not None:
                written += sign(written)
            digests[manifest] = hashlib.sha256(written).hexdigest()
            archive.writestr(_entry(manifest), written)
    return digests


def hidden(name: str) -> bool:
    """Whether a file is its author's and no part of the package."""
    return any(part.startswith(".") for part in name.split("/"))


def _copy(contents: Contents, name: str, archive: zipfile.ZipFile) -> str:
    state = hashlib.sha256()
    large = contents.sizes[name] >= _LARGE
    with closing(contents.open(name)) as source, archive.open(_entry(name), "w", force_zip64=large) as entry:
        while part := source.read(_PART):
            state.update(part)
            entry.write(part)
    return state.hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
    return info


def with_digests(source: bytes, path: str, digests: Mapping[str, str]) -> bytes:
    """The manifest `source` with these digests (SHA-256 in hexadecimal digits by name) in place of those that it has.

    Kept are metadata, sets of artifacts, digests of what lies outside of the package, and which file signs which; a
    signature of the manifest itself is taken away, as it would be wrong. Line ends become those of Unix.
    """
    before = read_manifest(source, path, Problems())
    kept = before.signed
    head: list[str] = []
    sets: list[str] = []
    lines = kept.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").split("\n")
    for line, text in zip(_numbered(kept, path), lines, strict=True):
        if sets or (line is not None and line.key == "non_mano_artifact_sets"):
            sets.append(text)
        elif line is None or line.key not in _BLOCK:
            head.append(text)
    blocks = [*_external(before), *_of_files(before, digests)]
    tail = ["", *sets] if any(sets) else []
    text = "\n".join([*"\n".join(head).strip().split("\n"), *blocks, *tail])
    return re.sub(r"\n{3,}", "\n\n", text.rstrip("\n")).encode() + b"\n"


def _numbered(content: bytes, path: str) -> Iterable[Line | None]:
    """A line for each in the text; None for comments."""
    found = {line.mark.line: line for line in read_lines(content, path, Problems())}
    return [found.get(number + 1) for number in range(content.count(b"\n") + 1)]


def _external(before: Manifest) -> list[str]:
    return [
        line
        for digest in before.digests
        if digest.external
        for line in ("", f"Source: {digest.path}", f"Algorithm: {digest.algorithm}", f"Hash: {digest.value}")
    ]


def _of_files(before: Manifest, digests: Mapping[str, str]) -> list[str]:
    known = {file.path: file for file in before.files}
    lines = []
    for name, value in sorted(digests.items()):
        lines += ["", f"Source: {name}", "Algorithm: SHA-256", f"Hash: {value}"]
        file = known.get(name)
        if file is not None and file.signature is not None:
            lines.append(f"Signature: {file.signature.value}")
        if file is not None and file.certificate is not None:
            lines.append(f"Certificate: {file.certificate.value}")
    return lines
