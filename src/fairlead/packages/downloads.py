"""What clients fetch of onboarded packages: the package itself, its descriptor and manifest, single files and selections.

Everything is a stream of bounded pieces, at any range, and nothing is unpacked to the disk for it. What is sent whole is
compared with the digest taken at onboarding as it goes by, and its last piece is held back until that is right: damage
shows as an answer that breaks off, or as a proper error where the whole is one piece.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from fairlead.csar.archives import ZipContents
from fairlead.csar.metafile import META_FILE
from fairlead.csar.package import Csar
from fairlead.csar.reading import read_csar
from fairlead.errors import NotAcceptable, NotFound
from fairlead.packages.bundles import Bundle, Member, read_range
from fairlead.packages.describing import Described
from fairlead.packages.extracted import WrongContent
from fairlead.packages.opening import Known, Opening
from fairlead.packages.reader import content_of

__all__ = ["Download", "Downloads", "Selection"]

_ZIP: Final = "application/zip"
_TEXT: Final = "text/plain"
_ANY: Final = "application/octet-stream"
_TYPES: Final = mimetypes.MimeTypes()
Pieces = Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a package are wanted as one archive (SOL005 clause 9.4.8). `sets` None: of all non-MANO sets."""

    mano: bool = True
    non_mano: bool = True
    sets: frozenset[str] | None = None
    signatures: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    """Something that can be fetched: `size` in bytes, the media type, a name for a file, an entity tag without quotes."""

    size: int
    media: str
    name: str
    etag: str
    _pieces: Pieces

    async def open(self, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`, by default all; the first piece has been read when this returns.

        Raises Quarantined (`package-file-missing`), StorageUnavailable; the stream raises them, too.
        """
        pieces = _Pieces(self._pieces(start, self.size if stop is None else stop))
        try:
            first = await asyncio.to_thread(pieces.next)
        except BaseException:
            pieces.close_soon()
            raise
        return _streamed(first, pieces)


async def _streamed(part: bytes | None, pieces: _Pieces) -> AsyncIterator[bytes]:
    try:
        while part is not None:
            yield part
            part = await asyncio.to_thread(pieces.next)
    finally:
        pieces.close_soon()


class _Pieces:
    """A generator that is used in threads, one after the other. Whoever reads it may go away at any moment, and the thread
    that is at it then goes on to the end of its piece; closing waits for that, and nobody waits for the closing."""

    def __init__(self, generator: Iterator[bytes]) -> None:
        self._generator = generator
        self._using = threading.Lock()

    def next(self) -> bytes | None:
        with self._using:
            return next(self._generator, None)

    def close_soon(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        with self._using:
            close = getattr(self._generator, "close", None)
            if close is not None:
                close()


class Downloads:
    """Makes downloads. `package` is the id of one that is onboarded; paths are within it."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    async def content(self, package: str) -> Download:
        """The package as it was uploaded."""
        known = await self._opening.look_up(package)
        key = await self._opening.place(known)

        def pieces(start: int, stop: int) -> Iterator[bytes]:
            with self._opening.file(package, known, key) as file:
                yield from _checked(read_range(file, start, stop), known.size, start, stop, known.checksum)

        return Download(known.size, _ZIP, f"{package}.csar", known.checksum, pieces)

    async def artifact(self, package: str, path: str, *, signatures: bool = False) -> Download:
        """A file of the package; with `signatures` an archive of it, its signature and its certificate.

        Raises NotFound (`artifact-missing`), Quarantined (`package-file-missing`), StorageUnavailable.
        """
        known = await self._opening.look_up(package)
        digest = known.digests.get(path)
        if digest is None:
            raise NotFound(
                f"There is no file '{path}' in package {package}.",
                code="artifact-missing",
                resource=package,
                place=path,
                remedy="Look at softwareImages and additionalArtifacts of the package for what there is.",
            )
        if signatures:
            name = f"{path.rpartition('/')[2]}.zip"
            return await self._bundle(package, known, name, lambda csar: [path, *_signing(csar, path)])
        size = await self._opening.package(package, known, lambda csar: _sizes(csar)[path])
        key = await self._opening.place(known)

        def pieces(start: int, stop: int) -> Iterator[bytes]:
            with self._opening.csar(package, known, key) as csar, closing(csar.open(path)) as file:
                yield from _checked(read_range(file, start, stop), size, start, stop, digest.removeprefix("sha256:"))

        return Download(size, _media(path), path.rpartition("/")[2], digest.removeprefix("sha256:"), pieces)

    async def artifacts(self, package: str, described: Described, selection: Selection) -> Download:
        """An archive of the files of a package that are neither images nor make it a package."""
        known = await self._opening.look_up(package)
        wanted = [
            one.artifact_path
            for one in described.additional_artifacts
            if one.artifact_path is not None and _selected(one.non_mano_artifact_set_id, selection)
        ]

        def paths(csar: Csar) -> list[str]:
            signing = [each for path in wanted for each in _signing(csar, path)] if selection.signatures else []
            return [*wanted, *signing]

        return await self._bundle(package, known, f"{package}-artifacts.zip", paths)

    async def descriptor(self, package: str, accepted: Sequence[str], *, signatures: bool = False) -> Download:
        """The VNFD as text, if it is one file, or as an archive of its files, with what proves them on request.

        `accepted` are the media types of the two that the client takes. Raises NotAcceptable for a descriptor of several
        files that is to be text, Quarantined (`package-file-missing`), StorageUnavailable.
        """
        known = await self._opening.look_up(package)

        def paths(csar: Csar) -> list[str]:
            found = list(read_csar(csar, digests=False).documents) or [csar.entry or ""]
            if _TEXT in accepted and len(found) == 1 and not (signatures and _ZIP in accepted):
                return found
            manifest = csar.manifest.path if csar.manifest is not None else ""
            more = [manifest, *_certificates(csar)] if signatures else []
            return [path for path in (META_FILE, *found, *more) if path in known.digests]

        documents = await self._opening.package(package, known, paths)
        if len(documents) == 1 and _TEXT in accepted:
            return await self._text(package, known, documents[0])
        if _ZIP not in accepted:
            raise NotAcceptable(
                f"The VNFD of package {package} has several files, which are no text/plain.",
                code="not-acceptable",
                resource=package,
                remedy="Accept application/zip.",
            )
        return await self._bundle(package, known, f"{package}-vnfd.zip", lambda _: documents)

    async def manifest(self, package: str, accepted: Sequence[str], *, signatures: bool = False) -> Download:
        """The manifest as text, or with its certificate, if that is a file of its own, as an archive.

        Raises NotFound (`artifact-missing`), NotAcceptable, Quarantined (`package-file-missing`), StorageUnavailable.
        """
        known = await self._opening.look_up(package)

        def paths(csar: Csar) -> list[str]:
            if csar.manifest is None:
                raise NotFound(
                    f"Package {package} has no manifest.",
                    code="artifact-missing",
                    resource=package,
                    remedy="Nothing can be done: SOL004 packages have one, and this one was made without.",
                )
            return [csar.manifest.path, *(_certificates(csar) if signatures else ())]

        files = await self._opening.package(package, known, paths)
        wanted = _ZIP if len(files) > 1 else _TEXT
        if wanted not in accepted:
            raise NotAcceptable(
                f"The manifest of package {package} comes as {wanted}.", resource=package, remedy=f"Accept {wanted}."
            )
        if wanted == _TEXT:
            return await self._text(package, known, files[0])
        return await self._bundle(package, known, f"{package}-manifest.zip", lambda _: files)

    async def _text(self, package: str, known: Known, path: str) -> Download:
        digest = known.digests[path]
        content = await self._opening.package(package, known, lambda csar: content_of(csar, package, path, digest))
        return Download(
            len(content),
            _TEXT,
            path.rpartition("/")[2],
            digest.removeprefix("sha256:"),
            lambda start, stop: iter((content[start:stop],)),
        )

    async def _bundle(self, package: str, known: Known, name: str, paths: Callable[[Csar], list[str]]) -> Download:
        """An archive of those of the files that `paths` names that are there, in its order."""

        def members(csar: Csar) -> list[Member]:
            contents = csar.contents
            assert isinstance(contents, ZipContents)
            chosen = [path for path in dict.fromkeys(paths(csar)) if path in known.digests]
            return [
                Member(path, contents.sizes[path], contents.crc(path), lambda path=path: contents.open(path))  # type: ignore[misc]
                for path in chosen
            ]

        def measured(csar: Csar) -> tuple[int, str]:
            found = members(csar)
            return Bundle(found).size, _tag(found, known)

        size, etag = await self._opening.package(package, known, measured)
        key = await self._opening.place(known)

        def pieces(start: int, stop: int) -> Iterator[bytes]:
            with self._opening.csar(package, known, key) as csar:
                yield from Bundle(members(csar)).pieces(start, stop)

        return Download(size, _ZIP, name, etag, pieces)


def _checked(pieces: Iterator[bytes], size: int, start: int, stop: int, digest: str) -> Iterator[bytes]:
    """The pieces as they come; all of a file are compared with its digest before the last one goes out."""
    if start or stop < size:
        yield from pieces
        return
    state = hashlib.sha256()
    held: bytes | None = None
    for part in pieces:
        if held is not None:
            yield held
        state.update(part)
        held = part
    if state.hexdigest() != digest:
        raise WrongContent(state.hexdigest())
    if held is not None:
        yield held


def _selected(set_id: str | None, selection: Selection) -> bool:
    if set_id is None:
        return selection.mano
    return selection.non_mano and (selection.sets is None or set_id in selection.sets)


def _signing(csar: Csar, path: str) -> list[str]:
    """The signature of a file and the certificate that goes with it, as the manifest names them."""
    files = csar.manifest.files if csar.manifest is not None else ()
    own = [file for file in files if file.path == path]
    return [each.value for file in own for each in (file.signature, file.certificate) if each is not None]


def _certificates(csar: Csar) -> list[str]:
    """The files in which the certificate of the manifest's signature may stand."""
    return [proof.path for each in csar.signatures if each.covers == "manifest" for proof in each.certificates]


def _tag(members: list[Member], known: Known) -> str:
    names = "\n".join(f"{member.name} {known.digests[member.name]}" for member in members)
    return hashlib.sha256(names.encode()).hexdigest()


def _sizes(csar: Csar) -> dict[str, int]:
    return dict(csar.contents.sizes) if csar.contents is not None else {}


def _media(path: str) -> str:
    """The media type that a file's name stands for; files without an ending that says more are bytes."""
    found, encoding = _TYPES.guess_type(path)
    if encoding is not None:
        return "application/gzip" if encoding == "gzip" else _ANY
    return found or (_TEXT if path.endswith((".yaml", ".yml", ".mf", ".meta", ".cert")) else _ANY)
