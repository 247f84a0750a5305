"""An operation of a VNF as ETSI shows it (VnfLcmOpOcc), and what it has affected: pure.

What was affected is not what was planned but the difference between the rows before the operation and the rows now,
which is why it is true of failed, cancelled and rolled back operations as well. A healed VNFC is one life removed and
one added.
"""

from __future__ import annotations

from typing import Any

from fairlead.clock import iso
from fairlead.operations import Operation, OperationState, before_rows
from fairlead.resources import Ownership, Recorded, Records, Ref
from fairlead.sol import (
    AffectedExtLinkPort,
    AffectedVirtualLink,
    AffectedVirtualStorage,
    AffectedVnfc,
    CancelModeType,
    ChangeType,
    LcmOperationState,
    LcmOperationType,
    Link,
    ProblemDetails,
    ResourceChanges,
    VnfInfoModifications,
    VnfLcmOpOcc,
    VnfLcmOpOccLinks,
    problem_type,
)
from fairlead.vnf.record import VnfRecord
from fairlead.vnf.types import TYPES
from fairlead.vnf.views import handle_of

__all__ = ["occurrence_view"]

_BASE = "/vnflcm/v2"
_REQUESTS = {
    OperationState.STARTING: ("cancel",),
    OperationState.PROCESSING: ("cancel",),
    OperationState.ROLLING_BACK: ("cancel",),
    OperationState.FAILED_TEMP: ("retry", "rollback", "fail"),
}


def occurrence_view(
    operation: Operation, records: Records, before: VnfRecord | None, after: VnfRecord | None
) -> VnfLcmOpOcc:
    """The op occ (SOL003 clause 5.5.2.13). `before` and `after` are the records around a modification."""
    own = f"{_BASE}/vnf_lcm_op_occs/{operation.id}"
    tasks = {task: Link(href=f"{own}/{task}") for task in _REQUESTS.get(operation.state, ())}
    instance = Link(href=f"{_BASE}/vnf_instances/{operation.subject}")
    return VnfLcmOpOcc(
        id=operation.id,
        operation_state=LcmOperationState(str(operation.state)),
        state_entered_time=iso(operation.entered),
        start_time=iso(operation.started),
        vnf_instance_id=operation.subject,
        operation=LcmOperationType(TYPES[operation.type].etsi),
        is_automatic_invocation=operation.automatic,
        operation_params=operation.request,
        is_cancel_pending=operation.cancel is not None,
        cancel_mode=CancelModeType(str(operation.cancel)) if operation.cancel else None,
        error=_problem(operation.error) if operation.error else None,
        resource_changes=_Changes(operation, records, before or after).view() if operation.before else None,
        changed_info=_changed_info(before, after) if operation.type == "modify" and before and after else None,
        links=VnfLcmOpOccLinks(self_=Link(href=own), vnf_instance=instance, **tasks),
    )


def _problem(card: dict[str, Any]) -> ProblemDetails:
    fields = ("resource", "place", "cause", "left", "remedy", "console", "step", "others")
    known = {field: card[field] for field in fields if field in card}
    return ProblemDetails(
        type=problem_type(card["code"]),
        title=card["code"].replace("-", " ").capitalize(),
        status=card.get("status", 500),
        detail=card["detail"],
        code=card["code"],
        **known,
    )


class _Changes:
    def __init__(self, operation: Operation, records: Records, record: VnfRecord | None) -> None:
        self._before = {row.incarnation: row for row in before_rows(operation)}
        rows = (*records.current.values(), *records.leaving)
        self._now = {row.incarnation: row for row in rows}
        self._connection = next(iter(record.vims), None) if record is not None else None

    def view(self) -> ResourceChanges | None:
        """What is different now; None when nothing is."""
        changes = ResourceChanges(
            affected_vnfcs=tuple(self._vnfc(change, row) for change, row in self._of("compute")),
            affected_virtual_links=tuple(
                AffectedVirtualLink(
                    id=row.incarnation,
                    vnf_virtual_link_desc_id=_last(row.name),
                    change_type=change,
                    network_resource=handle_of(row, self._connection),
                )
                for change, row in self._of("network")
                if row.resource.ownership is not Ownership.GIVEN
            ),
            affected_ext_link_ports=tuple(
                AffectedExtLinkPort(
                    id=f"port-{row.incarnation}",
                    change_type=change,
                    ext_cp_instance_id=f"ext-{row.incarnation}",
                    resource_handle=handle_of(row, self._connection),
                )
                for change, row in self._of("port")
                if isinstance(row.resource.spec.network, Ref)
                and row.resource.spec.network.name.startswith("external/")
                and change is not ChangeType.MODIFIED
            ),
            affected_virtual_storages=tuple(
                AffectedVirtualStorage(
                    id=row.incarnation,
                    virtual_storage_desc_id=_last(row.name),
                    change_type=change,
                    storage_resource=handle_of(row, self._connection),
                )
                for change, row in self._of("volume")
            ),
        )
        return changes if changes != ResourceChanges() else None

    def _of(self, sort: str) -> list[tuple[ChangeType, Recorded[Any]]]:
        found = []
        for life, row in self._now.items():
            if row.resource.spec.sort() == sort:
                old = self._before.get(life)
                if old is None:
                    found.append((ChangeType.ADDED, row))
                elif old.resource != row.resource:
                    found.append((ChangeType.MODIFIED, row))
        for life, row in self._before.items():
            if row.resource.spec.sort() == sort and life not in self._now:
                found.append((ChangeType.REMOVED, row))
        return found

    def _vnfc(self, change: ChangeType, row: Recorded[Any]) -> AffectedVnfc:
        ports = [port.name for port in row.resource.spec.ports if isinstance(port, Ref)]
        rows = self._before if change is ChangeType.REMOVED else self._now
        points = tuple(other.incarnation for other in rows.values() if other.name in ports)
        return AffectedVnfc(
            id=row.incarnation,
            vdu_id=row.name.rsplit("/", 1)[0],
            change_type=change,
            compute_resource=handle_of(row, self._connection),
            affected_vnfc_cp_ids=points,
            metadata={"vnfcInfoId": row.name.replace("/", "-")},
        )


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _changed_info(before: VnfRecord, after: VnfRecord) -> VnfInfoModifications:
    """What a modification has changed, with the values as they are then."""
    changed: dict[str, Any] = {}
    for ours, theirs in (
        ("name", "vnf_instance_name"),
        ("description", "vnf_instance_description"),
        ("metadata", "metadata"),
        ("extensions", "extensions"),
        ("configurable_properties", "vnf_configurable_properties"),
    ):
        if getattr(before, ours) != getattr(after, ours):
            changed[theirs] = getattr(after, ours)
    return VnfInfoModifications(**changed)
