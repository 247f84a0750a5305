"""A catalogue for the tests of this topic, packages to put into it, and who uses them."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

import sqlalchemy as sa

from fairlead.clock import SteppedClock
from fairlead.csar import META_FILE, Trust
from fairlead.descriptors import read_vnfd
from fairlead.events import EventLog
from fairlead.packages import Catalogue, FileClaims, LocalStorage, PackageStorage
from fairlead.packages.fetching import Fetcher
from fairlead.packages.tables import contents, packages
from fairlead.sol import KeyValuePairs, PackageOperationalState, VnfPkgInfo, VnfPkgInfoModifications
from fairlead.store import Store, Tx
from tests.packages.building import METADATA, Entries, entries, manifest

__all__ = [
    "DISABLED",
    "ENABLED",
    "IMAGE",
    "PROJECT",
    "Shelf",
    "files_of",
    "in_chunks",
    "made_whole",
    "package",
    "sealed",
    "zipped",
]

PROJECT = "acme"
IMAGE = "Files/router.qcow2"
ENABLED = VnfPkgInfoModifications(operational_state=PackageOperationalState.ENABLED)
DISABLED = VnfPkgInfoModifications(operational_state=PackageOperationalState.DISABLED)


class Shelf:
    """A catalogue on `data`, as one process has it. `users` names who uses a package."""

    def __init__(
        self,
        store: Store,
        data: Path,
        *,
        clock: SteppedClock | None = None,
        storage: PackageStorage | None = None,
        upload_limit: int = 2**30,
        fetcher: Fetcher | None = None,
        fetch_timeout: float = 3600.0,
        trust: Trust | None = None,
    ) -> None:
        self.clock = clock or SteppedClock()
        self.store = store
        self.events = EventLog(store, self.clock)
        self.users: dict[str, list[str]] = {}
        self.data = data
        self.catalogue = Catalogue(
            store,
            self.events,
            self.clock,
            storage or LocalStorage(data, reserve=0),
            FileClaims(data),
            self.uses,
            upload_limit=upload_limit,
            fetcher=fetcher,
            fetch_timeout=fetch_timeout,
            trust=trust,
        )

    def uses(self, _tx: Tx, package: str) -> list[str]:
        return self.users.get(package, [])

    async def created(self, project: str = PROJECT, data: KeyValuePairs | None = None) -> str:
        return (await self.catalogue.create(project, data or {})).id

    async def uploaded(self, content: bytes, package: str | None = None, project: str = PROJECT) -> VnfPkgInfo:
        """The package once nothing goes on with it any more."""
        package = package or await self.created(project)
        await self.catalogue.upload(project, package, in_chunks(content))
        await self.catalogue.idle()
        return await self.catalogue.show(project, package)

    async def onboarded(self, content: bytes | None = None, project: str = PROJECT) -> str:
        """The id of a package that is onboarded."""
        info = await self.uploaded(content if content is not None else package(), project=project)
        assert info.onboarding_state == "ONBOARDED", info.onboarding_failure_details
        return info.id

    async def told(self, package: str) -> list[str]:
        """The types of the package's events."""
        return [event.type for event in await self.events.read(None, subject=package)]

    def stored(self) -> list[str]:
        """Every file below the data directory."""
        return sorted(path.relative_to(self.data).as_posix() for path in self.data.rglob("*") if path.is_file())

    def file_of(self, package: str) -> Path:
        """Where the content of a package is."""
        joined = sa.select(contents.c.key).join(packages, packages.c.checksum == contents.c.digest)
        key = self.store.read_now(lambda tx: tx.scalar(joined.where(packages.c.id == package)))
        return self.data / "packages" / f"{key}.csar"

    def kept(self) -> set[tuple[str, int]]:
        """The names of the files that the database knows, and how many packages have each."""
        rows = self.store.read_now(lambda tx: tx.find_all(contents))
        return {(f"packages/{row.key}.csar", row.users) for row in rows}


async def in_chunks(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def files_of(more: Mapping[str, bytes | None] | None = None, *, vnfd_id: str = "router-1") -> Entries:
    """The files of a package that is right, its image's checksum and its manifest included."""
    files = entries(more)
    vnfd = files["Definitions/vnfd.yaml"].replace(b"router-1", vnfd_id.encode())
    files["Definitions/vnfd.yaml"] = _with_checksums(vnfd, [files[IMAGE]] if IMAGE in files else [])
    return files if "vnfd.mf" in (more or {}) else sealed(files)


def sealed(files: Entries) -> Entries:
    """The files with a manifest that is of them."""
    return {**files, "vnfd.mf": manifest(files)}


def package(more: Mapping[str, bytes | None] | None = None, *, vnfd_id: str = "router-1") -> bytes:
    """The same as an archive."""
    return zipped(files_of(more, vnfd_id=vnfd_id))


def made_whole(directory: Path, *, made_up: bool = True) -> bytes:
    """The archive of a package of which only text is at hand: what it names and lacks is `made_up`, digests are fitted."""
    files: Entries = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    found = re.search(rb"Entry-Definitions: *(\S+)", files[META_FILE])
    assert found is not None
    entry = found[1].decode()
    lacking = [
        missing[1]
        for problem in read_vnfd(files, entry).problems
        if (missing := re.search(r'there is no file "([^"]+)"', problem.message)) and problem.code == "artifact-missing"
    ]
    if made_up:
        files.update({name: b"made up: " + name.encode() for name in lacking})
    images = [content for name, content in files.items() if name.endswith(".img")]
    for name, content in files.items():
        if name.endswith(".yaml"):
            files[name] = _with_checksums(content, images)
    beside = next((name for name in files if name.endswith(".mf")), f"{entry.rpartition('.')[0]}.mf")
    metadata = files.pop(beside, METADATA.encode()).decode()
    return zipped({**files, beside: manifest(files, metadata)})


def _with_checksums(vnfd: bytes, images: Iterable[bytes]) -> bytes:
    for image in images:
        vnfd = re.sub(rb"\b[0-9a-f]{64}\b", hashlib.sha256(image).hexdigest().encode(), vnfd)
        vnfd = re.sub(rb"\b[0-9a-f]{128}\b", hashlib.sha512(image).hexdigest().encode(), vnfd)
    return vnfd
