"""Opening the contents of onboarded packages, for all who read them: where one is, and what is said when it is not there.

The content is opened for each look and closed again, at the place that the database names at that moment. What it cannot
give is told of that package only: as missing or damaged, or, when the storage does not answer, as something that passes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Generic, NamedTuple, TypeVar

import msgspec

from fairlead.csar.contents import READ_ERRORS, Limits
from fairlead.csar.package import Csar, open_csar
from fairlead.errors import Quarantined
from fairlead.packages.extracted import WrongContent
from fairlead.packages.sharing import key_of
from fairlead.packages.storage import PackageStorage
from fairlead.packages.tables import packages
from fairlead.packages.threads import to_end
from fairlead.store import Store, Tx

__all__ = ["Known", "Opening", "Recent"]

T = TypeVar("T")
_KEPT = 64


class Known(NamedTuple):
    """What the row says: the content's size and SHA-256, and the digests (`sha256:<hex>`) of the files in it by path."""

    size: int
    checksum: str
    digests: Mapping[str, str]


class Recent(Generic[T]):
    """What is known of the packages used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, package: str) -> T | None:
        if package not in self._kept:
            return None
        self._kept.move_to_end(package)
        return self._kept[package]

    def keep(self, package: str, value: T) -> None:
        self._kept[package] = value
        self._kept.move_to_end(package)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


class Opening:
    """Opens packages."""

    def __init__(self, store: Store, storage: PackageStorage, limits: Limits | None) -> None:
        self._store = store
        self._storage = storage
        self._limits = limits
        self._known: Recent[Known] = Recent()

    async def look_up(self, package: str) -> Known:
        """What is known of an onboarded package. Raises Quarantined (`package-file-missing`)."""
        known = self._known.get(package)
        if known is None:
            known = await self._store.read(lambda tx: _known(tx, package))
            self._known.keep(package, known)
        return known

    async def place(self, known: Known) -> str | None:
        """The key of a content; None when there is none."""
        return await self._store.read(lambda tx: key_of(tx, known.checksum))

    @contextmanager
    def file(self, package: str, known: Known, key: str | None) -> Iterator[IO[bytes]]:
        """The content as a file, in a thread. What goes wrong as it is read is told.

        Raises Quarantined (`package-file-missing`), StorageUnavailable.
        """
        if key is None:
            raise _unreadable(package, "there is no content with its digest")
        try:
            with self._storage.open(key) as file:
                size = file.seek(0, 2)
                if size != known.size:
                    raise _unreadable(package, f"{self._storage.place(key)} has {size} bytes and not {known.size}")
                file.seek(0)
                yield file
        except WrongContent:
            cause = f"the content of {self._storage.place(key)} has changed since it was onboarded"
            raise _unreadable(package, cause) from None
        except (KeyError, *READ_ERRORS) as error:
            cause = f"{self._storage.place(key)}: {type(error).__name__}: {error}"
            raise _unreadable(package, cause) from error

    @contextmanager
    def csar(self, package: str, known: Known, key: str | None) -> Iterator[Csar]:
        """As `file`, opened as a package that has contents."""
        with (
            self.file(package, known, key) as file,
            open_csar(file, label=f"{package}.csar", limits=self._limits) as csar,
        ):
            if csar.contents is None:
                raise _unreadable(package, "; ".join(str(each) for each in csar.problems[:3]))
            yield csar

    async def package(self, package: str, known: Known, work: Callable[[Csar], T]) -> T:
        """What `work` makes of the open package, in a thread. Raises as `file`."""
        key = await self.place(known)

        def opened() -> T:
            with self.csar(package, known, key) as csar:
                return work(csar)

        return await to_end(opened)


def _known(tx: Tx, package: str) -> Known:
    columns = (packages.c.size, packages.c.checksum, packages.c.digests)
    row = tx.first(tx.select(packages, *columns).where(packages.c.id == package, packages.c.vnfd_id.is_not(None)))
    if row is None:
        raise _unreadable(package, "there is no onboarded package with this id")
    try:
        return msgspec.convert(tuple(row), Known)
    except msgspec.ValidationError as error:
        raise Quarantined(
            f"Package {package} cannot be read: {error}.", code="unreadable-document", resource=package
        ) from error


def _unreadable(package: str, cause: str) -> Quarantined:
    return Quarantined(
        f"The file of package {package} is missing or cannot be read.",
        code="package-file-missing",
        resource=package,
        cause=cause,
        remedy="Put the package's file back from a backup; what uses the package goes on then.",
    )
