"""Small peers of the rooms below the API: they keep things in memory and behave, so that what the API makes of it can be seen.

Identity, events and the vault are the real ones on a fresh database.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fairlead.api import Check
from fairlead.errors import BadRequest, Conflict, FairleadError, NotFound, PreconditionFailed, Unprocessable
from fairlead.packages import Download, Selection
from fairlead.sol import (
    VNF_INSTANCES,
    VNF_LCM_OP_OCCS,
    VNF_PACKAGES,
    CreateVnfRequest,
    Filter,
    InstantiationState,
    KeyValuePairs,
    LcmOperationState,
    LcmOperationType,
    Link,
    PackageOnboardingState,
    PackageOperationalState,
    PackageUsageState,
    Shown,
    UploadVnfPackageFromUriRequest,
    VnfInstance,
    VnfInstanceLinks,
    VnfLcmOpOcc,
    VnfLcmOpOccLinks,
    VnfPkgInfo,
    VnfPkgInfoLinks,
    VnfPkgInfoModifications,
    document,
    encode,
)
from fairlead.store.listing import Page, Row
from fairlead.vims import Need

__all__ = ["Catalogue", "Health", "Occurrences", "Vims", "Vnfs"]

Document = dict[str, Any]


@dataclass
class Shelf:
    """Things of one sort by project and id, in the order in which they were put."""

    shown: Shown
    word: str
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)

    def get(self, project: str, id_: str) -> Any:
        try:
            return self.kept[project, id_]
        except KeyError:
            raise NotFound(f"There is no {self.word} '{id_}'.", code=f"{self.word}-not-found", resource=id_) from None

    def page(self, project: str, wanted: Filter | None, marker: str | None, limit: int) -> Page:
        if marker is not None and not marker.isdigit():
            raise BadRequest("The page marker is not one of ours.", code="bad-marker", place=f"marker {marker}")
        mine = [document(one) for (owner, _), one in self.kept.items() if owner == project]
        found = [one for one in mine if wanted is None or wanted.matches(one)]
        start = int(marker or 0)
        shown = found[start : start + limit]
        rows = [Row(one["id"], _json(self.shown.default_view(one)), _json(one)) for one in shown]
        return Page(rows, str(start + limit) if len(found) > start + limit else None)


class Vnfs:
    """Instances; an operation stays open until the test says otherwise."""

    def __init__(self, occurrences: Occurrences) -> None:
        self.shelf = Shelf(VNF_INSTANCES, "vnf-instance")
        self.occurrences = occurrences
        self.begun: list[tuple[str, str, msgspec.Struct]] = []
        self.fault: Exception | None = None

    async def create(self, project: str, request: CreateVnfRequest) -> VnfInstance:
        if request.vnfd_id == "unknown":
            raise Unprocessable("No onboarded package has this VNFD.", code="package-not-onboarded", place="vnfdId")
        id_ = str(uuid.uuid4())
        made = VnfInstance(
            id=id_,
            vnf_instance_name=request.vnf_instance_name,
            vnfd_id=request.vnfd_id,
            vnf_provider="Example",
            vnf_product_name="Gateway",
            vnf_software_version="1",
            vnfd_version="1",
            instantiation_state=InstantiationState.NOT_INSTANTIATED,
            metadata=request.metadata,
            links=VnfInstanceLinks(self_=Link(href=f"/vnflcm/v2/vnf_instances/{id_}")),
        )
        self.shelf.kept[project, id_] = made
        return made

    async def show(self, project: str, vnf: str) -> tuple[VnfInstance, str]:
        if self.fault is not None:
            raise self.fault
        found = self.shelf.get(project, vnf)
        return found, _tag(found)

    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        return self.shelf.page(project, filter, marker, limit)

    async def delete(self, project: str, vnf: str, if_match: str | None) -> None:
        self._check(self.shelf.get(project, vnf), if_match)
        del self.shelf.kept[project, vnf]

    async def begin(
        self,
        project: str,
        vnf: str,
        operation: str,
        request: msgspec.Struct,
        *,
        plan: str | None = None,
        if_match: str | None = None,
    ) -> str:
        self._check(self.shelf.get(project, vnf), if_match)
        if plan not in (None, "sha256:looked-at"):
            raise Conflict("The plan has moved since it was looked at.", code="plan-moved")
        if any(one.vnf_instance_id == vnf and one.operation_state == "PROCESSING" for one in self.occurrences.all()):
            raise Conflict("Another operation of the instance is open.", code="operation-open", resource=vnf)
        self.begun.append((vnf, operation, request))
        return self.occurrences.open(project, vnf)

    async def plan(self, project: str, vnf: str, operation: str, request: msgspec.Struct) -> Document:
        self.shelf.get(project, vnf)
        asked = document(request)
        return {"operation": operation, "digest": "sha256:looked-at", "text": "+ x", "asked": asked}

    async def drift(self, project: str, vnf: str) -> Document:
        self.shelf.get(project, vnf)
        return {"drifted": False, "findings": [], "text": ""}

    def _check(self, found: VnfInstance, if_match: str | None) -> None:
        if if_match is not None and if_match != _tag(found):
            raise PreconditionFailed("The instance has changed since.", code="etag-mismatch")


class Occurrences:
    """Operations that stand where the test puts them."""

    def __init__(self) -> None:
        self.shelf = Shelf(VNF_LCM_OP_OCCS, "operation")
        self._ids = itertools.count(1)

    def all(self) -> list[VnfLcmOpOcc]:
        return list(self.shelf.kept.values())

    def open(self, project: str, vnf: str) -> str:
        id_ = f"op-{next(self._ids)}"
        self.shelf.kept[project, id_] = VnfLcmOpOcc(
            id=id_,
            operation_state=LcmOperationState.PROCESSING,
            state_entered_time="2024-01-01T00:00:00Z",
            start_time="2024-01-01T00:00:00Z",
            vnf_instance_id=vnf,
            operation=LcmOperationType.INSTANTIATE,
            is_automatic_invocation=False,
            is_cancel_pending=False,
            operation_params={"flavourId": "simple"},
            links=VnfLcmOpOccLinks(self_=Link(href=f"/o/{id_}"), vnf_instance=Link(href=f"/v/{vnf}")),
        )
        return id_

    def move(self, project: str, operation: str, state: LcmOperationState) -> VnfLcmOpOcc:
        moved: VnfLcmOpOcc = msgspec.structs.replace(self.shelf.get(project, operation), operation_state=state)
        self.shelf.kept[project, operation] = moved
        return moved

    async def show(self, project: str, operation: str) -> VnfLcmOpOcc:
        found: VnfLcmOpOcc = self.shelf.get(project, operation)
        return found

    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        return self.shelf.page(project, filter, marker, limit)

    async def retry(self, project: str, operation: str) -> None:
        self._only(project, operation, LcmOperationState.FAILED_TEMP)
        self.move(project, operation, LcmOperationState.PROCESSING)

    async def rollback(self, project: str, operation: str) -> None:
        self._only(project, operation, LcmOperationState.FAILED_TEMP)
        self.move(project, operation, LcmOperationState.ROLLING_BACK)

    async def cancel(self, project: str, operation: str, mode: str) -> None:
        self._only(project, operation, LcmOperationState.PROCESSING)
        assert mode in ("GRACEFUL", "FORCEFUL")
        self.move(project, operation, LcmOperationState.FAILED_TEMP)

    async def fail(self, project: str, operation: str) -> VnfLcmOpOcc:
        self._only(project, operation, LcmOperationState.FAILED_TEMP)
        return self.move(project, operation, LcmOperationState.FAILED)

    async def timeline(self, project: str, operation: str) -> Document:
        found = self.shelf.get(project, operation)
        return {"operation": operation, "state": found.operation_state, "steps": []}

    async def plan(self, project: str, operation: str, action: str) -> Document:
        self.shelf.get(project, operation)
        return {"operation": action, "digest": "sha256:recovery", "text": "- x"}

    def _only(self, project: str, operation: str, state: LcmOperationState) -> None:
        found = self.shelf.get(project, operation)
        if found.operation_state != state:
            raise Conflict(f"The operation is {found.operation_state}.", code="wrong-state", resource=operation)


class Catalogue:
    """Packages; of an upload only its length is kept."""

    def __init__(self) -> None:
        self.shelf = Shelf(VNF_PACKAGES, "package")
        self.uploaded: dict[str, int] = {}
        self.longest_chunk = 0
        self.interrupted: list[FairleadError] = []
        self.on_chunk: Callable[[int], None] = lambda _total: None

    async def create(self, project: str, user_defined_data: KeyValuePairs) -> VnfPkgInfo:
        id_ = str(uuid.uuid4())
        made = VnfPkgInfo(
            id=id_,
            onboarding_state=PackageOnboardingState.CREATED,
            operational_state=PackageOperationalState.DISABLED,
            usage_state=PackageUsageState.NOT_IN_USE,
            user_defined_data=user_defined_data,
            links=VnfPkgInfoLinks(self_=Link(href=f"/p/{id_}"), package_content=Link(href=f"/p/{id_}/content")),
        )
        self.shelf.kept[project, id_] = made
        return made

    async def show(self, project: str, package: str) -> VnfPkgInfo:
        found: VnfPkgInfo = self.shelf.get(project, package)
        return found

    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        return self.shelf.page(project, filter, marker, limit)

    async def modify(
        self, project: str, package: str, modifications: VnfPkgInfoModifications, *, if_match: str | None = None
    ) -> VnfPkgInfoModifications:
        found = self.shelf.get(project, package)
        if modifications.operational_state == found.operational_state:
            raise Conflict("The package is in that state already.", code="same-state")
        return modifications

    async def delete(self, project: str, package: str, *, if_match: str | None = None) -> None:
        self.shelf.get(project, package)
        del self.shelf.kept[project, package]

    async def upload_from_uri(self, project: str, package: str, request: UploadVnfPackageFromUriRequest) -> None:
        self.shelf.get(project, package)

    async def by_vnfd(self, project: str, vnfd_id: str) -> str:
        raise NotFound("There is no such VNFD.", code="package-not-found")

    async def content(self, project: str, package: str) -> Download:
        raise self._empty(project, package)

    async def descriptor(self, project: str, package: str, accepted: Sequence[str], *, signatures: bool) -> Download:
        raise self._empty(project, package)

    async def manifest(self, project: str, package: str, accepted: Sequence[str], *, signatures: bool) -> Download:
        raise self._empty(project, package)

    async def artifact(self, project: str, package: str, path: str, *, signatures: bool) -> Download:
        raise self._empty(project, package)

    async def artifacts(self, project: str, package: str, selection: Selection) -> Download:
        raise self._empty(project, package)

    def _empty(self, project: str, package: str) -> Conflict:
        self.shelf.get(project, package)
        return Conflict("Nothing can be read of what was uploaded here.", code="package-state")

    async def upload(self, project: str, package: str, chunks: AsyncIterator[bytes]) -> None:
        self.shelf.get(project, package)
        if package in self.uploaded:
            raise Conflict("The package has its content already.", code="package-not-empty")
        total = 0
        try:
            async for chunk in chunks:
                total += len(chunk)
                self.longest_chunk = max(self.longest_chunk, len(chunk))
                self.on_chunk(total)
        except FairleadError as error:
            self.interrupted.append(error)
            raise
        self.uploaded[package] = total


class Vims:
    """Registered infrastructures by name; credentials are not shown."""

    def __init__(self) -> None:
        self.kept: dict[str, Document] = {}
        self.trusted: list[bool] = []

    async def register(self, project: str, document: Document, *, trusted: bool) -> Document:
        self.trusted.append(trusted)
        if document["name"] in self.kept:
            raise Conflict("The name is taken.", code="vim-exists")
        made = {**document, "id": f"id of {document['name']}"}
        made.pop("credentials", None)
        self.kept[document["name"]] = made
        return made

    async def list(self, project: str) -> Sequence[Document]:
        return list(self.kept.values())

    async def show(self, project: str, vim: str) -> Document:
        for one in self.kept.values():
            if vim in (one["id"], one["name"]):
                return one
        raise NotFound(f"There is no VIM '{vim}'.", code="vim-not-found")

    async def update(
        self, project: str, vim: str, document: Document, *, trusted: bool, merge: bool = False
    ) -> Document:
        self.trusted.append(trusted)
        found = await self.show(project, vim)
        found.update(document)
        return found

    async def reveal(self, project: str, vim: str, names: Collection[str]) -> Mapping[str, str]:
        await self.show(project, vim)
        return {}

    async def delete(self, project: str, vim: str) -> None:
        del self.kept[(await self.show(project, vim))["name"]]

    async def check(self, project: str, vim: str) -> Document:
        await self.show(project, vim)
        return {"reachable": True, "version": "1", "findings": []}

    async def lint(self, project: str, vim: str, needs: Sequence[Need]) -> Document:
        found = await self.show(project, vim)
        lacks = [{"need": number, "code": "vim-lacks-image", "detail": need.name} for number, need in enumerate(needs)]
        return {"vim": found["name"], "type": found["type"], "checked": ["image"], "lacks": lacks}


class Health:
    """As well as the test says."""

    def __init__(self) -> None:
        self.found: list[Check] = [Check(name="store", ok=True)]

    async def checks(self) -> Sequence[Check]:
        return self.found


def _json(value: Any) -> str:
    return encode(value).decode()


def _tag(found: VnfInstance) -> str:
    return f"{hash(encode(found)) & 0xFFFFFFFF:x}"
