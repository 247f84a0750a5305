"""The catalogue of VNF packages: what `/vnfpkgm` shows, and where VNF management and drivers take packages from.

A package belongs to a project, and a VNFD is onboarded once in each. What a package says of itself is stored when it is
onboarded and not asked of its file again, so the catalogue lists and shows packages whose files are gone. Whether one is
used is asked of those who use it (`uses`), in the same transaction.

It is longer than most modules because it is the room's one door: most of its methods hand on to the module that does it.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.csar.contents import Limits
from fairlead.csar.trust import Trust
from fairlead.descriptors import Vnfd
from fairlead.errors import BadRequest, Conflict, NotFound, Unprocessable
from fairlead.events import EventLog
from fairlead.packages.claims import Claims
from fairlead.packages.downloads import Download, Downloads, Selection
from fairlead.packages.extracted import ExtractedFiles
from fairlead.packages.fetching import Fetcher
from fairlead.packages.intake import Intake
from fairlead.packages.notifications import CHANGED_STATE, described_data
from fairlead.packages.opening import Opening
from fairlead.packages.reader import PackageReader
from fairlead.packages.records import PackageRecord, find, in_state, info_of, locked, require_match, save, with_usage
from fairlead.packages.removing import Removals
from fairlead.packages.sharing import leave
from fairlead.packages.storage import PackageStorage
from fairlead.packages.tables import packages
from fairlead.packages.threads import to_end
from fairlead.sol import (
    Filter,
    KeyValuePairs,
    PackageOnboardingState,
    PackageOperationalState,
    PackageUsageState,
    Term,
    UploadVnfPackageFromUriRequest,
    VnfPkgInfo,
    VnfPkgInfoModifications,
)
from fairlead.store import Store, Tx
from fairlead.store.listing import Page, Row, list_page

__all__ = ["Catalogue", "PackageRef", "Uses"]

Uses = Callable[[Tx, str], Sequence[str]]
"""Names the VNF instances and open operations that use the package with this id."""

_UNUSED = 7 * 86400.0
"""Seconds after which a file that was taken out of a package, and that nobody asked for again, is removed."""
_INDEXED: Mapping[tuple[str, ...], sa.Column[Any]] = {
    ("id",): packages.c.id,
    ("vnfdId",): packages.c.vnfd_id,
    ("onboardingState",): packages.c.onboarding,
    ("operationalState",): packages.c.operational,
}


class PackageRef(msgspec.Struct, frozen=True, kw_only=True):
    """An onboarded and enabled package. `checksum` is the SHA-256 of its file, in hexadecimal."""

    id: str
    vnfd_id: str
    vnf_provider: str
    vnf_product_name: str
    vnf_software_version: str
    vnfd_version: str
    checksum: str


class Catalogue:
    """The packages of the installation. Also an `Artifacts` for drivers.

    `upload_limit` is in bytes; `limits` say what may be in a package, `trust` who may sign it; `fetch_timeout` is in seconds.
    """

    def __init__(
        self,
        store: Store,
        events: EventLog,
        clock: Clock,
        storage: PackageStorage,
        claims: Claims,
        uses: Uses,
        *,
        upload_limit: int = 64 * 2**30,
        limits: Limits | None = None,
        fetcher: Fetcher | None = None,
        fetch_timeout: float = 3600.0,
        trust: Trust | None = None,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._uses = uses
        self._extracted = ExtractedFiles(storage.artifacts, storage.reserve)
        self._removals = Removals(store, clock, storage, self._extracted)
        self._claims = claims
        self._fetcher = fetcher or Fetcher()
        self._intake = Intake(
            store,
            events,
            clock,
            storage,
            claims,
            self._removals,
            limit=upload_limit,
            limits=limits,
            fetch_timeout=fetch_timeout,
            trust=trust,
        )
        self._opening = Opening(store, storage, limits)
        self._downloads = Downloads(self._opening)
        self._reader = PackageReader(self._opening, clock, self._extracted)

    # -- package management (SOL005 clause 9) --------------------------------------------------------------------------

    async def create(self, project: str, user_defined_data: KeyValuePairs) -> VnfPkgInfo:
        """A new package without content."""
        record = PackageRecord(
            id=str(uuid.uuid4()),
            project=project,
            onboarding=PackageOnboardingState.CREATED,
            operational=PackageOperationalState.DISABLED,
            created=self._clock.now(),
            user_data=user_defined_data,
        )

        def work(tx: Tx) -> None:
            save(tx, record, new=True)
            self._tell(tx, "package.created", record)

        await self._store.write(work, project)
        return info_of(record)

    async def show(self, project: str, package: str) -> VnfPkgInfo:
        """One package. Raises NotFound (`package-not-found`), Quarantined."""

        def work(tx: Tx) -> VnfPkgInfo:
            return info_of(find(tx, package), used=bool(self._uses(tx, package)))

        return await self._store.read(work, project)

    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        """Packages in the order of their ids, after the one whose id is `marker`."""

        def work(tx: Tx) -> Page:
            usage = _Usage(tx, self._uses, filter)
            page = list_page(
                tx,
                packages,
                view=packages.c.view,
                full=packages.c.full,
                indexed=_INDEXED,
                filter=usage if filter is not None else None,
                marker=marker,
                limit=limit,
            )
            return Page([usage.row(row) for row in page.rows], page.next_marker)

        return await self._store.read(work, project)

    async def modify(
        self, project: str, package: str, modifications: VnfPkgInfoModifications, *, if_match: str | None = None
    ) -> VnfPkgInfoModifications:
        """Enable or disable a package, merge into its user-defined data; all of it or nothing.

        Returns what was changed. Raises NotFound, BadRequest (`nothing-to-modify`), Conflict (`package-state`), and
        PreconditionFailed when the package does not have the entity tag `if_match`.
        """
        wanted, data = modifications.operational_state, modifications.user_defined_data
        if wanted is UNSET and data is UNSET:
            raise BadRequest(
                "The request changes nothing.",
                code="nothing-to-modify",
                remedy="Give operationalState, userDefinedData, or both.",
            )

        def work(tx: Tx) -> None:
            record = locked(tx, package)
            require_match(record, if_match)
            if wanted is not UNSET:
                record = _switched(record, wanted)
            if data is not UNSET:
                record = replace(record, user_data=_merged(record.user_data, data) if data is not None else {})
            save(tx, record)
            more = {CHANGED_STATE: True} if wanted is not UNSET else {}
            self._tell(tx, "package.changed", record, **more)

        await self._store.write(work, project)
        return modifications

    async def delete(self, project: str, package: str, *, if_match: str | None = None) -> None:
        """Delete a package that is disabled and not in use; its files follow at once.

        Raises NotFound, Conflict (`package-state`, `package-in-use`), PreconditionFailed.
        """
        claim = await self._intake.claim(project, package)

        def work(tx: Tx) -> str | None:
            record = locked(tx, package)
            require_match(record, if_match)
            if record.operational is not PackageOperationalState.DISABLED:
                raise in_state(record, "is enabled", "Disable it first, so that nobody begins to use it.")
            users = self._uses(tx, package)
            if users:
                named = ", ".join(users[:5]) + (" and others" if len(users) > 5 else "")
                raise Conflict(
                    f"Package {package} is in use by {named}.",
                    code="package-in-use",
                    resource=package,
                    remedy="Terminate and delete what uses it first.",
                )
            superfluous = leave(tx, record.checksum) if record.checksum is not None else record.incoming
            if superfluous is not None:
                digests = tx.scalar(tx.select(packages, packages.c.digests).where(packages.c.id == package))
                self._removals.note(tx, superfluous, digests.values() if isinstance(digests, dict) else ())
            tx.run(tx.delete(packages).where(packages.c.id == package))
            self._tell(tx, "package.deleted", record)
            return superfluous

        try:
            superfluous = await self._store.write(work, project)
        finally:
            claim.release()
        await self._removals.carry_out(superfluous)

    async def upload(self, project: str, package: str, chunks: AsyncIterator[bytes]) -> None:
        """Take the content in; onboarding goes on afterwards, seen in `onboardingState` and events (see `Intake`)."""
        await self._intake.upload(project, package, chunks)

    async def upload_from_uri(self, project: str, package: str, request: UploadVnfPackageFromUriRequest) -> None:
        """Have the content fetched; returns at once, and what goes wrong from then on stands in the package.

        Raises NotFound, Conflict (`package-state`), BadRequest (`bad-uri`), Unprocessable (`exclusive-attributes`,
        `fetch-refused`).
        """
        self._fetcher.check(request)
        await self._intake.fetch(project, package, self._fetcher.chunks(request))

    # -- reading onboarded packages (SOL003 clause 10, SOL005 clause 9) ------------------------------------------------

    async def by_vnfd(self, project: str, vnfd_id: str) -> str:
        """The id of the project's package of this VNFD, enabled or not. Raises NotFound (`package-not-found`)."""
        where = packages.c.vnfd_id == vnfd_id
        found = await self._store.read(lambda tx: tx.scalar(tx.select(packages, packages.c.id).where(where)), project)
        if found is None:
            raise NotFound(
                f"The project has no onboarded package of VNFD '{vnfd_id}'.",
                code="package-not-found",
                remedy="List the packages of the project to see which VNFDs there are.",
            )
        return str(found)

    async def content(self, project: str, package: str) -> Download:
        """The package as it was uploaded. Raises NotFound, Conflict (`package-state`), and as `Downloads.content`."""
        await self._onboarded(project, package)
        return await self._downloads.content(package)

    async def descriptor(self, project: str, package: str, accepted: Sequence[str], *, signatures: bool) -> Download:
        """The VNFD (see `Downloads.descriptor`). Raises NotFound, Conflict (`package-state`), NotAcceptable."""
        await self._onboarded(project, package)
        return await self._downloads.descriptor(package, accepted, signatures=signatures)

    async def manifest(self, project: str, package: str, accepted: Sequence[str], *, signatures: bool) -> Download:
        """The manifest (see `Downloads.manifest`). Raises NotFound, Conflict (`package-state`), NotAcceptable."""
        await self._onboarded(project, package)
        return await self._downloads.manifest(package, accepted, signatures=signatures)

    async def artifact(self, project: str, package: str, path: str, *, signatures: bool) -> Download:
        """A file of the package (see `Downloads.artifact`). Raises NotFound, Conflict (`package-state`)."""
        await self._onboarded(project, package)
        return await self._downloads.artifact(package, path, signatures=signatures)

    async def artifacts(self, project: str, package: str, selection: Selection) -> Download:
        """The chosen files of the package as an archive. Raises NotFound, Conflict (`package-state`)."""
        record = await self._onboarded(project, package)
        assert record.described is not None
        return await self._downloads.artifacts(package, record.described, selection)

    async def _onboarded(self, project: str, package: str) -> PackageRecord:
        record = await self._store.read(lambda tx: find(tx, package), project)
        if record.onboarding is not PackageOnboardingState.ONBOARDED:
            raise in_state(
                record,
                f"is {record.onboarding}; what is in it can be read once it is ONBOARDED",
                "Wait until it has been onboarded, or upload its content.",
            )
        return record

    # -- the process ---------------------------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Go on with what processes that are gone have left. For the start, and harmless at any time."""
        await to_end(self._claims.tidy)
        await self._intake.recover()
        await self._removals.finish()
        await to_end(self._extracted.tidy, self._clock.now() - _UNUSED)

    async def idle(self) -> None:
        """Wait until nothing is being onboarded."""
        await self._intake.idle()

    async def stop(self) -> None:
        """Leave what is being onboarded, for `recover` to go on with."""
        await self._intake.stop()
        await to_end(self._claims.close)

    # -- for VNF management and drivers --------------------------------------------------------------------------------

    async def find(self, project: str, vnfd_id: str) -> PackageRef:
        """The project's package with this VNFD. Raises Unprocessable (`package-not-found`, `package-disabled`)."""
        where = packages.c.vnfd_id == vnfd_id
        found = await self._store.read(lambda tx: tx.scalar(tx.select(packages, packages.c.id).where(where)), project)
        if found is None:
            raise Unprocessable(
                f"The project has no onboarded package of VNFD '{vnfd_id}'.",
                code="package-not-found",
                place="vnfdId",
                remedy="Onboard the package first; the list of packages shows their VNFDs.",
            )
        record = await self._store.read(lambda tx: find(tx, found), project)
        return _reference(record)

    def hold(self, tx: Tx, package: str) -> None:
        """Within a transaction that begins to use a package: it stays as it is until that transaction ends.

        Raises Unprocessable (`package-disabled`), NotFound.
        """
        _reference(locked(tx, package))

    async def vnfd(self, package: str) -> Vnfd:
        """The descriptor. Raises Quarantined (`package-file-missing`, `descriptor-unreadable`)."""
        return await self._reader.vnfd(package)

    async def contents(self, package: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Small files of a package by path (see `PackageReader`)."""
        return await self._reader.contents(package, paths)

    async def digests(self, package: str) -> Mapping[str, str]:
        """`sha256:<hex>` of every file of a package by path. Raises Quarantined (`package-file-missing`)."""
        return await self._reader.digests(package)

    async def fetch(self, artifact: str) -> Path:
        """A local file with the bytes of `<package id>/<path>` (see `PackageReader`)."""
        return await self._reader.fetch(artifact)

    def _tell(self, tx: Tx, type: str, record: PackageRecord, **more: Any) -> None:
        used = PackageUsageState.IN_USE if self._uses(tx, record.id) else PackageUsageState.NOT_IN_USE
        data = {
            "onboardingState": record.onboarding.value,
            "operationalState": record.operational.value,
            "usageState": used.value,
            **described_data(record.described),
            **more,
        }
        self._events.append(tx, project=record.project, type=type, subject=record.id, data=data)


class _Usage:
    """A filter that knows the usage state too, and puts it into the rows."""

    def __init__(self, tx: Tx, uses: Uses, filter: Filter | None) -> None:
        self._tx = tx
        self._uses = uses
        self._filter = filter
        self._known: dict[str, bool] = {}

    @property
    def terms(self) -> Sequence[Term]:
        return self._filter.terms if self._filter is not None else ()

    def matches(self, document: Mapping[str, Any]) -> bool:
        state = PackageUsageState.IN_USE if self._used(document["id"]) else PackageUsageState.NOT_IN_USE
        return self._filter is None or self._filter.matches({**document, "usageState": state.value})

    def row(self, row: Row) -> Row:
        used = self._used(row.id)
        return Row(row.id, with_usage(row.view, used=used), with_usage(row.text, used=used))

    def _used(self, package: str) -> bool:
        if package not in self._known:
            self._known[package] = bool(self._uses(self._tx, package))
        return self._known[package]


def _reference(record: PackageRecord) -> PackageRef:
    described = record.described
    if record.operational is not PackageOperationalState.ENABLED or described is None:
        raise Unprocessable(
            f"Package {record.id} of VNFD '{record.vnfd_id}' is disabled.",
            code="package-disabled",
            resource=record.id,
            place="vnfdId",
            remedy="Enable the package.",
        )
    return PackageRef(
        id=record.id,
        vnfd_id=described.vnfd_id,
        vnf_provider=described.vnf_provider,
        vnf_product_name=described.vnf_product_name,
        vnf_software_version=described.vnf_software_version,
        vnfd_version=described.vnfd_version,
        checksum=record.checksum or "",
    )


def _switched(record: PackageRecord, wanted: PackageOperationalState) -> PackageRecord:
    if record.onboarding is not PackageOnboardingState.ONBOARDED:
        raise in_state(
            record, f"is {record.onboarding}; only an onboarded package is enabled or disabled", "Upload its content."
        )
    if record.operational is wanted:
        raise in_state(record, f"is {wanted} already", "Nothing is to be done.")
    return replace(record, operational=wanted)


def _merged(old: Any, patch: Any) -> Any:
    """`patch` merged into `old` (RFC 7396): null removes."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged
