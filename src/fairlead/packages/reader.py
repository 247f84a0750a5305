"""The catalogue's other side: what VNF management and drivers need of packages that are onboarded.

A package is opened for each look into it and closed again; what is asked for again and again, descriptors and digests, is
kept for the packages used last. Whatever comes out of a file is compared with the digest taken at onboarding, so a file
that was damaged or exchanged since is not believed; then, as when it is gone, the error says so of this package only.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from fairlead.clock import Clock
from fairlead.descriptors import Vnfd
from fairlead.errors import FairleadError, Quarantined, Unprocessable
from fairlead.packages.contents import READ_ERRORS, Limits, read_start
from fairlead.packages.csar import Csar, open_csar
from fairlead.packages.extracted import ExtractedFiles, WrongContent
from fairlead.packages.metafile import META_FILE
from fairlead.packages.onboarding import refused
from fairlead.packages.reading import read_csar
from fairlead.packages.storage import PackageStorage
from fairlead.packages.tables import packages
from fairlead.packages.threads import Once, to_end
from fairlead.store import Store, Tx

__all__ = ["PackageReader"]

T = TypeVar("T")
_KEPT = 64
_LARGEST_CONTENT = 8 * 2**20


class _Known(NamedTuple):
    """What the row says: the file's size, and the digests of the files in it."""

    size: int
    digests: Mapping[str, str]


class PackageReader:
    """Reads onboarded packages."""

    def __init__(
        self, store: Store, clock: Clock, storage: PackageStorage, extracted: ExtractedFiles, limits: Limits | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._storage = storage
        self._extracted = extracted
        self._limits = limits
        self._vnfds: OrderedDict[str, Vnfd] = OrderedDict()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._reading: Once[str, Vnfd] = Once()
        self._extracting: Once[str, Path] = Once()

    async def vnfd(self, package: str) -> Vnfd:
        """The descriptor of a package. Raises Quarantined (`package-file-missing`, `descriptor-unreadable`)."""
        if package not in self._vnfds:
            return await self._reading(package, lambda: self._read_vnfd(package))
        self._vnfds.move_to_end(package)
        return self._vnfds[package]

    async def contents(self, package: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Files of a package, each at most 8 MiB.

        Raises Unprocessable (`artifact-missing`, `artifact-too-large`), Quarantined (`package-file-missing`).
        """
        wanted = tuple(dict.fromkeys(paths))
        if not wanted:
            return {}
        known = await self._look_up(package)
        for path in wanted:
            if path not in known.digests:
                raise _missing(package, path)
        return await self._in_package(
            package, known, lambda csar: {path: _content(csar, package, path, known.digests[path]) for path in wanted}
        )

    async def digests(self, package: str) -> Mapping[str, str]:
        """`sha256:<hex>` of every file of a package by path. Raises Quarantined (`package-file-missing`)."""
        return (await self._look_up(package)).digests

    async def fetch(self, artifact: str) -> Path:
        """A local file with the bytes of `artifact` (`<package id>/<path in the package>`), to be read soon.

        Raises Unprocessable (`artifact-missing`), Quarantined (`package-file-missing`), StorageFull.
        """
        package, _, path = artifact.partition("/")
        known = await self._look_up(package)
        digest = known.digests.get(path)
        if digest is None:
            raise _missing(package, path)
        return await self._extracting(digest, lambda: self._extracted_once(package, known, path, digest))

    async def _extracted_once(self, package: str, known: _Known, path: str, digest: str) -> Path:
        now = self._clock.now()
        found = await to_end(self._extracted.find, digest, now)
        if found is not None:
            return found

        def extract(csar: Csar) -> Path:
            assert csar.contents is not None
            with closing(csar.open(path)) as stream:
                return self._extracted.put(digest, stream, csar.contents.sizes[path], now)

        return await self._in_package(package, known, extract)

    async def _read_vnfd(self, package: str) -> Vnfd:
        known = await self._look_up(package)

        def read(csar: Csar) -> Vnfd:
            reading = read_csar(csar, digests=False)
            # What led to the descriptor counts too: damage there must not pass for an author's mistake.
            manifest = csar.manifest.path if csar.manifest is not None else ""
            for path in {META_FILE, manifest, csar.entry or "", *reading.documents} & known.digests.keys():
                _content(csar, package, path, known.digests[path])
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

        vnfd = await self._in_package(package, known, read)
        _keep(self._vnfds, package, vnfd)
        return vnfd

    async def _look_up(self, package: str) -> _Known:
        known = self._known.get(package)
        if known is None:
            known = await self._store.read(lambda tx: _known(tx, package))
            _keep(self._known, package, known)
        return known

    async def _in_package(self, package: str, known: _Known, work: Callable[[Csar], T]) -> T:
        """What `work` makes of the open package, in a thread. Raises Quarantined (`package-file-missing`)."""

        def opened() -> T:
            try:
                path = self._storage.path(package)
                size = path.stat().st_size
                if size != known.size:
                    raise _unreadable(package, f"its file has {size} bytes and not {known.size}")
                with open_csar(path, limits=self._limits) as csar:
                    if csar.contents is None:
                        raise _unreadable(package, "; ".join(str(each) for each in csar.problems[:3]))
                    return work(csar)
            except WrongContent:
                raise _unreadable(package, "its content has changed since it was onboarded") from None
            except (KeyError, *READ_ERRORS) as error:
                raise _unreadable(package, f"{type(error).__name__}: {error}") from error

        return await to_end(opened)


def _known(tx: Tx, package: str) -> _Known:
    columns = (packages.c.size, packages.c.digests)
    row = tx.first(tx.select(packages, *columns).where(packages.c.id == package, packages.c.vnfd_id.is_not(None)))
    if row is None:
        raise _unreadable(package, "there is no onboarded package with this id")
    try:
        return msgspec.convert(tuple(row), _Known)
    except msgspec.ValidationError as error:
        raise Quarantined(
            f"Package {package} cannot be read: {error}.", code="unreadable-document", resource=package
        ) from error


def _content(csar: Csar, package: str, path: str, digest: str) -> bytes:
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


def _keep(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _KEPT:
        kept.popitem(last=False)


def _missing(package: str, path: str) -> FairleadError:
    return Unprocessable(
        f"There is no file '{path}' in package {package}.",
        code="artifact-missing",
        resource=package,
        place=path,
        remedy="Onboard a package that has the file.",
    )


def _unreadable(package: str, cause: str) -> Quarantined:
    return Quarantined(
        f"The file of package {package} is missing or cannot be read.",
        code="package-file-missing",
        resource=package,
        cause=cause,
        remedy="Put the package's file back from a backup; what uses the package goes on then.",
    )
