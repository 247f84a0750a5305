"""The catalogue's other side: what VNF management and drivers need of packages that are onboarded.

A package is opened for each look into it and closed again; what is asked for again and again, descriptors and digests, is
kept for the packages used last. Whatever comes out of a file is compared with the digest taken at onboarding, so a file
that was damaged or exchanged since is not believed; then, as when it is gone, the error says so of this package only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from fairlead.clock import Clock
from fairlead.csar.contents import read_start
from fairlead.csar.metafile import META_FILE
from fairlead.csar.package import Csar
from fairlead.csar.reading import read_csar
from fairlead.descriptors import Vnfd
from fairlead.errors import FairleadError, Quarantined, Unprocessable
from fairlead.packages.extracted import ExtractedFiles, WrongContent
from fairlead.packages.onboarding import refused
from fairlead.packages.opening import Known, Opening, Recent
from fairlead.packages.threads import Once, to_end

__all__ = ["PackageReader", "content_of"]

_LARGEST_CONTENT = 8 * 2**20


class PackageReader:
    """Reads onboarded packages."""

    def __init__(self, opening: Opening, clock: Clock, extracted: ExtractedFiles) -> None:
        self._opening = opening
        self._clock = clock
        self._extracted = extracted
        self._vnfds: Recent[Vnfd] = Recent()
        self._reading: Once[str, Vnfd] = Once()
        self._extracting: Once[str, Path] = Once()

    async def vnfd(self, package: str) -> Vnfd:
        """The descriptor of a package. Raises Quarantined (`package-file-missing`, `descriptor-unreadable`)."""
        return self._vnfds.get(package) or await self._reading(package, lambda: self._read_vnfd(package))

    async def contents(self, package: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Files of a package, each at most 8 MiB.

        Raises Unprocessable (`artifact-missing`, `artifact-too-large`), Quarantined (`package-file-missing`).
        """
        wanted = tuple(dict.fromkeys(paths))
        if not wanted:
            return {}
        known = await self._opening.look_up(package)
        for path in wanted:
            if path not in known.digests:
                raise _missing(package, path)
        return await self._opening.package(
            package, known, lambda csar: {path: content_of(csar, package, path, known.digests[path]) for path in wanted}
        )

    async def digests(self, package: str) -> Mapping[str, str]:
        """`sha256:<hex>` of every file of a package by path. Raises Quarantined (`package-file-missing`)."""
        return (await self._opening.look_up(package)).digests

    async def fetch(self, artifact: str) -> Path:
        """A local file with the bytes of `artifact` (`<package id>/<path in the package>`), to be read soon.

        Raises Unprocessable (`artifact-missing`), Quarantined (`package-file-missing`), StorageFull.
        """
        package, _, path = artifact.partition("/")
        known = await self._opening.look_up(package)
        digest = known.digests.get(path)
        if digest is None:
            raise _missing(package, path)
        return await self._extracting(digest, lambda: self._extracted_once(package, known, path, digest))

    async def _extracted_once(self, package: str, known: Known, path: str, digest: str) -> Path:
        now = self._clock.now()
        found = await to_end(self._extracted.find, digest, now)
        if found is not None:
            return found

        def extract(csar: Csar) -> Path:
            assert csar.contents is not None
            with closing(csar.open(path)) as stream:
                return self._extracted.put(digest, stream, csar.contents.sizes[path], now)

        return await self._opening.package(package, known, extract)

    async def _read_vnfd(self, package: str) -> Vnfd:
        known = await self._opening.look_up(package)

        def read(csar: Csar) -> Vnfd:
            reading = read_csar(csar, digests=False)
            # What led to the descriptor counts too: damage there must not pass for an author's mistake.
            manifest = csar.manifest.path if csar.manifest is not None else ""
            for path in {META_FILE, manifest, csar.entry or "", *reading.documents} & known.digests.keys():
                content_of(csar, package, path, known.digests[path])
            if reading.vnfd is None:
                told = refused(reading.problems)
                raise Quarantined(
                    f"The descriptor of package {package} cannot be read any more: {told.detail}",
                    code="descriptor-unreadable",
                    resource=package,
                    place=told.place,
                    remedy="Onboard a corrected package, and change what uses this one over to it.",
                    more=told.more,
                )
            return reading.vnfd

        vnfd = await self._opening.package(package, known, read)
        self._vnfds.keep(package, vnfd)
        return vnfd


def content_of(csar: Csar, package: str, path: str, digest: str) -> bytes:
    """A file of at most 8 MiB. Raises Unprocessable (`artifact-too-large`), WrongContent, and what reading raises."""
    assert csar.contents is not None
    size = csar.contents.sizes[path]
    if size > _LARGEST_CONTENT:
        raise Unprocessable(
            f"The file '{path}' of package {package} has {size} bytes; at most {_LARGEST_CONTENT} can be used so.",
            code="artifact-too-large",
            resource=package,
            remedy="Make the file smaller, or bring it as an image or volume.",
        )
    content = read_start(csar.contents, path, _LARGEST_CONTENT)
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise WrongContent(path)
    return content


def _missing(package: str, path: str) -> FairleadError:
    return Unprocessable(
        f"There is no file '{path}' in package {package}.",
        code="artifact-missing",
        resource=package,
        place=path,
        remedy="Onboard a package that has the file.",
    )
