"""What the API asks of VNF instances and of their operations.

`begin` plans first: a request that cannot be done is refused there and then, with nothing written, in place of failing
later as an operation.
"""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from fairlead.clock import Clock
from fairlead.errors import BadRequest, Conflict, NotFound, PreconditionFailed, Quarantined
from fairlead.events import EventLog
from fairlead.operations import Operations, Preview, read_records
from fairlead.operations.tables import operations
from fairlead.packages import Catalogue
from fairlead.resources import CancelMode, Records, Undecided, Verb, plan_document, render_plan
from fairlead.resources.values import walk
from fairlead.sol import CreateVnfRequest, Filter, HealVnfRequest, VnfInstance, VnfLcmOpOcc, decode
from fairlead.store import Store, Tx
from fairlead.store.listing import Page, list_page
from fairlead.vnf.record import VnfRecord
from fairlead.vnf.role import VnfRole, columns_of
from fairlead.vnf.tables import vnf_instances

__all__ = ["Occurrences", "Vnfs"]

V = TypeVar("V")


class Vnfs:
    """VNF instances."""

    def __init__(
        self, store: Store, events: EventLog, clock: Clock, catalogue: Catalogue, operations: Operations, role: VnfRole
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._catalogue = catalogue
        self._operations = operations
        self._role = role

    async def create(self, project: str, request: CreateVnfRequest) -> VnfInstance:
        """A new instance, not instantiated. Raises Unprocessable when there is no usable package of its VNFD."""
        package = await self._catalogue.find(project, request.vnfd_id)
        vnfd = await self._catalogue.vnfd(package.id)
        record = VnfRecord(
            id=str(uuid.uuid4()),
            vnfd_id=vnfd.descriptor_id,
            package=package.id,
            provider=vnfd.provider,
            product_name=vnfd.product_name,
            software_version=vnfd.software_version,
            vnfd_version=vnfd.descriptor_version,
            created=self._clock.now(),
            name=request.vnf_instance_name,
            description=request.vnf_instance_description,
            metadata=request.metadata,
            extensions={name: item.default for name, item in vnfd.extensions.items() if item.default is not None},
            configurable_properties={
                name: item.default for name, item in vnfd.configurable_properties.items() if item.default is not None
            },
        )
        columns = columns_of(record, Records())

        def write(tx: Tx) -> None:
            self._catalogue.hold(tx, package.id)
            tx.insert(vnf_instances, id=record.id, project=project, version=1, created=record.created, **columns)
            data = {"vnfdId": record.vnfd_id, "name": record.name}
            self._events.append(tx, project=project, type="vnf.created", subject=record.id, data=data)

        await self._store.write(write, project)
        return decode(VnfInstance, columns["full"])

    async def show(self, project: str, vnf: str) -> tuple[VnfInstance, str]:
        """An instance and its entity tag, without quotes. Raises NotFound."""
        row = await self._store.read(lambda tx: _row(tx, vnf), project)
        return _read(VnfInstance, row), _etag(row)

    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        """A page of the project's instances."""
        columns = vnf_instances.c
        indexed: dict[tuple[str, ...], sa.Column[Any]] = {
            ("id",): columns.id,
            ("vnfInstanceName",): columns.name,
            ("vnfdId",): columns.vnfd_id,
            ("instantiationState",): columns.state,
        }
        return await self._store.read(
            lambda tx: list_page(
                tx,
                vnf_instances,
                view=columns.view,
                full=columns.full,
                indexed=indexed,
                filter=filter,
                marker=marker,
                limit=limit,
            ),
            project,
        )

    async def delete(self, project: str, vnf: str, if_match: str | None) -> None:
        """Forget an instance. Raises NotFound, PreconditionFailed, and Conflict while anything of it is left."""

        def write(tx: Tx) -> None:
            row = _row(tx, vnf)
            _require_match(row, if_match)
            self._refuse_delete(tx, row)
            tx.run(tx.delete(vnf_instances).where(vnf_instances.c.id == vnf))
            self._events.append(tx, project=project, type="vnf.deleted", subject=vnf)

        await self._store.write(write, project)

    def _refuse_delete(self, tx: Tx, row: Any) -> None:
        where = (operations.c.subject == row.id, operations.c.open.is_(True))
        busy = tx.first(tx.select(operations, operations.c.id, operations.c.state).where(*where))
        if busy is not None:
            raise Conflict(
                f"Operation {busy.id} ({busy.state}) of this instance is open.",
                code="operation-in-progress",
                resource=row.id,
                remedy="Wait for it, or end it by retry, rollback or fail.",
            )
        if row.state != "NOT_INSTANTIATED":
            raise Conflict(
                f"VNF instance {row.id} is instantiated.",
                code="still-instantiated",
                resource=row.id,
                remedy="Terminate it first.",
            )
        records = read_records(tx, row.id)
        left = [*records.current, *(former.name for former in records.leaving)]
        if left:
            raise Conflict(
                f"A failed operation left {len(left)} resources of this instance: {', '.join(sorted(left)[:5])}.",
                code="resources-left",
                resource=row.id,
                remedy="Terminate it, which deletes them.",
            )

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
        """Accept an operation and return its id; `plan` is the digest of a plan that was looked at.

        Raises NotFound, Conflict (`operation-in-progress`, `plan-moved`, wrong state), PreconditionFailed, and
        Unprocessable for what cannot be done.
        """
        if if_match is not None:
            row = await self._store.read(lambda tx: _row(tx, vnf), project)
            _require_match(row, if_match)
        await self._store.read(lambda tx: _refuse_second(tx, vnf), project)
        asked = _without_credentials(request)
        preview = await self._operations.preview(project, self._role, vnf, operation, asked)
        if plan not in (None, preview.digest):
            raise Conflict(
                "The plan has moved since it was looked at.",
                code="plan-moved",
                resource=vnf,
                remedy="Look at the plan again, and send the operation with its digest.",
            )
        return await self._operations.accept(project, self._role, vnf, operation, asked, expected_plan=plan)

    async def plan(self, project: str, vnf: str, operation: str, request: msgspec.Struct) -> dict[str, Any]:
        """The plan of an operation, which is not done, with what stands in its way. Raises what `begin` would."""
        asked = _without_credentials(request)
        preview = await self._operations.preview(project, self._role, vnf, operation, asked, asking=True)
        return shown_plan(operation, preview)

    async def drift(self, project: str, vnf: str) -> dict[str, Any]:
        """What in the infrastructure is not as recorded, and the plan of its repair.

        `operation` is the id of an operation that is open, so that what differs may be its work in progress. Raises
        NotFound, Conflict (`not-instantiated`), and VimError where an infrastructure does not answer.
        """
        busy = await self._operations.open_one(project, vnf)
        plan = await self.plan(project, vnf, "heal", HealVnfRequest(additional_params={"drifted": True}))
        differs = any(found["code"].startswith("drift-") and found["severity"] != "info" for found in plan["findings"])
        return {"vnfInstanceId": vnf, "drifted": differs or not plan["empty"], "openOperation": busy, **plan}


def shown_plan(operation: str, preview: Preview) -> dict[str, Any]:
    """A plan as the API shows it."""
    plan = plan_document(preview.plan)
    undecided = [
        {"resource": change.name, "field": field}
        for change in preview.plan.changes
        if change.new is not None and change.verb is not Verb.KEEP
        for field in change.new.spec.__struct_fields__
        if any(isinstance(value, Undecided) for value in walk(getattr(change.new.spec, field)))
    ]
    return {
        "operation": operation,
        "digest": preview.digest,
        "empty": preview.plan.empty,
        "plan": plan,
        "text": render_plan(plan, title=f"Plan of {operation}:"),
        "undecided": undecided,
        "findings": [msgspec.to_builtins(found) for found in preview.findings],
    }


def _without_credentials(request: msgspec.Struct) -> msgspec.Struct:
    """`request` without access information: a registered VIM has its own, and none is to be stored with an
    operation."""
    connections = getattr(request, "vim_connection_info", None)
    if not isinstance(connections, dict) or not connections:
        return request
    clean = {
        key: msgspec.structs.replace(info, access_info={}) if isinstance(info, msgspec.Struct) else info
        for key, info in connections.items()
    }
    return msgspec.structs.replace(request, vim_connection_info=clean)


def _row(tx: Tx, vnf: str) -> Any:
    columns = vnf_instances.c
    wanted = (columns.id, columns.full, columns.version, columns.state)
    row = tx.first(tx.select(vnf_instances, *wanted).where(columns.id == vnf))
    if row is None:
        raise NotFound(f"There is no VNF instance '{vnf}'.", code="vnf-not-found", resource=vnf)
    return row


def _refuse_second(tx: Tx, vnf: str) -> None:
    """Say early, before anything is planned, that another operation is open; the index says it for certain."""
    _row(tx, vnf)
    where = (operations.c.subject == vnf, operations.c.open.is_(True))
    other = tx.first(tx.select(operations, operations.c.id, operations.c.state, operations.c.type).where(*where))
    if other is not None:
        raise Conflict(
            f"Another operation ({other.type}, {other.state}, {other.id}) of this instance is open.",
            code="operation-in-progress",
            resource=vnf,
            remedy="Retry, roll back or fail it first."
            if other.state == "FAILED_TEMP"
            else "Wait for it, or cancel it.",
        )


def _etag(row: Any) -> str:
    return str(row.version)


def _require_match(row: Any, if_match: str | None) -> None:
    if if_match not in (None, "*", _etag(row)):
        raise PreconditionFailed(
            f"VNF instance {row.id} has changed since it was looked at.",
            code="precondition-failed",
            resource=row.id,
            remedy="Look at it again, and send the request with its present entity tag.",
        )


class Occurrences:
    """The operations of VNF instances."""

    def __init__(self, store: Store, operations: Operations) -> None:
        self._store = store
        self._operations = operations

    async def show(self, project: str, operation: str) -> VnfLcmOpOcc:
        """One operation as ETSI shows it. Raises NotFound."""
        row = await self._store.read(lambda tx: _operation_row(tx, operation), project)
        return _read(VnfLcmOpOcc, row)

    async def page(self, project: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        """A page of the project's operations."""
        columns = operations.c
        indexed: dict[tuple[str, ...], sa.Column[Any]] = {
            ("id",): columns.id,
            ("operationState",): columns.state,
            ("vnfInstanceId",): columns.subject,
        }
        return await self._store.read(
            lambda tx: list_page(
                tx,
                operations,
                view=columns.view,
                full=columns.full,
                indexed=indexed,
                filter=filter,
                marker=marker,
                limit=limit,
            ),
            project,
        )

    async def retry(self, project: str, operation: str) -> None:
        """See `Operations.retry`."""
        await self._operations.retry(project, operation)

    async def rollback(self, project: str, operation: str) -> None:
        """See `Operations.rollback`."""
        await self._operations.rollback(project, operation)

    async def cancel(self, project: str, operation: str, mode: str) -> None:
        """See `Operations.cancel`."""
        await self._operations.cancel(project, operation, CancelMode(mode))

    async def fail(self, project: str, operation: str) -> VnfLcmOpOcc:
        """See `Operations.fail`."""
        await self._operations.fail(project, operation)
        return await self.show(project, operation)

    async def timeline(self, project: str, operation: str) -> dict[str, Any]:
        """See `Operations.timeline`."""
        return await self._operations.timeline(project, operation)

    async def plan(self, project: str, operation: str, action: str) -> dict[str, Any]:
        """The plan of a retry or rollback. Raises NotFound, Conflict, Unprocessable."""
        return shown_plan(action, await self._operations.preview_of(project, operation, action))


def _read(type_: type[V], row: Any) -> V:
    """The stored view of an object. Raises Quarantined (`unreadable-document`)."""
    try:
        return decode(type_, row.full)
    except BadRequest as error:
        raise Quarantined(
            f"The stored view of {row.id} cannot be read: {error.detail}",
            code="unreadable-document",
            resource=row.id,
            remedy="Restart Fairlead, which computes it again, or restore the row from a backup.",
        ) from error


def _operation_row(tx: Tx, operation: str) -> Any:
    columns = operations.c
    row = tx.first(tx.select(operations, columns.id, columns.full).where(columns.id == operation))
    if row is None:
        raise NotFound(f"There is no operation '{operation}'.", code="operation-not-found", resource=operation)
    return row
