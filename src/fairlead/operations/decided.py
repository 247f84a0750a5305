"""What an operation was decided to do, as it was written down: its target, and what was before it.

Resume, retry and rollback read these documents and recompute nothing: an operation ends as it was decided, whatever has
been uploaded or configured since.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.operations.occurrence import Operation
from fairlead.operations.types import Desired, OperationType, Role, Sealer, Situation
from fairlead.resources import (
    SCHEMA,
    Incarnation,
    Name,
    OnFailure,
    Plan,
    Recorded,
    Records,
    Resource,
    VimId,
    decode_recorded,
    decode_resources,
    diff,
    encode_recorded,
    encode_resources,
    upcast,
)
from fairlead.secrets import Vault
from fairlead.vims import VimRegistry

__all__ = ["Way", "before_document", "before_rows", "plan_way", "situation_of", "target_document", "vims_of", "way"]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Where an operation is to lead: to its target, or `back` to what was before."""

    wanted: dict[Name, Resource[Any]]
    record: Any
    old_record: Any
    tainted: frozenset[Incarnation]
    on_failure: OnFailure
    back: bool


def target_document(role: Role, desired: Desired) -> dict[str, Any]:
    """What is desired, as it is stored with the operation."""
    return {
        **encode_resources(desired.resources),
        "tainted": sorted(desired.tainted),
        "record": role.encode_record(desired.record),
        "on_failure": str(desired.on_failure),
    }


def before_document(role: Role, record: Any, records: Records) -> dict[str, Any]:
    """What is there before the operation, as it is stored with it."""
    rows = [encode_recorded(row) for row in records.current.values()]
    return {"schema": SCHEMA, "rows": rows, "record": role.encode_record(record)}


def before_rows(operation: Operation) -> list[Recorded[Any]]:
    """The resources as they were when the operation was decided. Raises Quarantined."""
    if operation.before is None:
        return []
    return [decode_recorded(row) for row in upcast(operation.before, what="before-image of an operation")["rows"]]


def way(role: Role, operation: Operation, *, back: bool) -> Way:
    """Where a decided operation is to lead. Raises Quarantined for documents that cannot be read."""
    target = upcast(operation.target or {}, what="target of an operation")
    before = upcast(operation.before or {}, what="before-image of an operation")
    old_record = role.decode_record(before["record"])
    recorded, decided = Records.of(before_rows(operation)), decode_resources(target, what="target of an operation")
    return Way(
        wanted=recorded.resources() if back else decided,
        record=old_record if back else role.decode_record(target["record"]),
        old_record=old_record,
        tainted=frozenset() if back else frozenset(Incarnation(life) for life in target["tainted"]),
        on_failure=OnFailure.STOP if back else OnFailure(target["on_failure"]),
        back=back,
    )


async def situation_of(
    role: Role, vault: Vault, project: str, record: Any, records: Records, request: Any
) -> Situation:
    """What a type computes with."""
    context = await role.context(project, record, request)
    return Situation(record=record, records=records, request=request, context=context, sealer=Sealer(vault.digest))


async def plan_way(vims: VimRegistry, role: Role, type_: OperationType, chosen: Way, situation: Situation) -> Plan:
    """The plan of a way from where the records are now."""
    records = situation.records
    await vims.prepare(role.vims(chosen.wanted) | vims_of(records))
    tainted = {name for name, row in records.current.items() if row.incarnation in chosen.tainted}
    plan = diff(records, chosen.wanted, vims, tainted=tainted)
    return type_.arrange_rollback(plan, situation) if chosen.back else type_.arrange(plan, situation)


def vims_of(records: Records) -> frozenset[VimId]:
    """Every VIM in which something is recorded."""
    return frozenset(row.resource.vim for row in (*records.current.values(), *records.leaving))
