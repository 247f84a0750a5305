"""What an operation is decided to do, and how that is written down: its target, and what was before it.

A preview and the operation itself decide in the same way. Resume, retry and rollback read these documents and recompute
nothing: an operation ends as it was decided, whatever has been uploaded or configured since.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.errors import Quarantined
from fairlead.operations import tables
from fairlead.operations.occurrence import Operation
from fairlead.operations.surveying import survey
from fairlead.operations.types import Desired, OperationType, Role, Sealer, Situation
from fairlead.resources import (
    SCHEMA,
    Change,
    Incarnation,
    Name,
    OnFailure,
    Plan,
    Recorded,
    Records,
    Resource,
    Verb,
    VimId,
    decode_recorded,
    decode_resources,
    diff,
    encode_recorded,
    encode_resources,
    explained,
    references,
    upcast,
)
from fairlead.secrets import Vault
from fairlead.store import Tx
from fairlead.vims import VimRegistry

__all__ = [
    "Way",
    "before_document",
    "before_rows",
    "decide",
    "forget_secrets",
    "plan_way",
    "request_of",
    "situation_of_way",
    "target_document",
    "vims_of",
    "way",
]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Where an operation is to lead: to its target, or `back` to what was before.

    `decided_record` is the record that was decided, whichever way is taken: it knows what was chosen, as the VIM.
    """

    wanted: dict[Name, Resource[Any]]
    record: Any
    old_record: Any
    decided_record: Any = None
    tainted: frozenset[Incarnation]
    on_failure: OnFailure
    back: bool


class Decision(msgspec.Struct, frozen=True):
    """What is desired, in which situation, and the plan that leads there."""

    situation: Situation
    desired: Desired
    plan: Plan


def target_document(role: Role, desired: Desired, plan: Plan) -> dict[str, Any]:
    """What is desired, as it is stored with the operation: with what `plan`, made for it, takes over from what is there,
    for the rows that say so may be gone when it is wanted again."""
    return {
        **encode_resources(plan.target()),
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
    try:
        return [decode_recorded(row) for row in upcast(operation.before, what="before-image of an operation")["rows"]]
    except (KeyError, TypeError) as error:
        raise _unreadable(operation, error) from error


def way(role: Role, operation: Operation, *, back: bool) -> Way:
    """Where a decided operation is to lead. Raises Quarantined for documents that cannot be read."""
    try:
        target = upcast(operation.target or {}, what="target of an operation")
        before = upcast(operation.before or {}, what="before-image of an operation")
        old_record, decided_record = role.decode_record(before["record"]), role.decode_record(target["record"])
        recorded, decided = Records.of(before_rows(operation)), decode_resources(target, what="target of an operation")
        return Way(
            wanted=_whole(recorded.resources()) if back else decided,
            record=old_record if back else decided_record,
            old_record=old_record,
            decided_record=decided_record,
            tainted=frozenset() if back else frozenset(Incarnation(life) for life in target["tainted"]),
            on_failure=OnFailure.STOP if back else OnFailure(target["on_failure"]),
            back=back,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(operation, error) from error


def _whole(resources: dict[Name, Resource[Any]]) -> dict[Name, Resource[Any]]:
    """`resources` without those that lack something they need: an operation that was given up may have left them so."""
    kept = resources
    while lacking := {
        name
        for name, resource in kept.items()
        if not (references(resource.spec) | ({resource.within} if resource.within else set())) <= kept.keys()
    }:
        kept = {name: resource for name, resource in kept.items() if name not in lacking}
    return kept


def _unreadable(operation: Operation, error: Exception) -> Quarantined:
    return Quarantined(
        f"What operation {operation.id} was decided to do cannot be read: {type(error).__name__}: {error}.",
        code="unreadable-document",
        resource=operation.id,
        remedy="Restore the row from a backup, or fail the operation and terminate the instance.",
    )


async def decide(
    role: Role,
    type_: OperationType,
    vims: VimRegistry,
    vault: Vault,
    project: str,
    record: Any,
    records: Records,
    request: Any,
) -> Decision:
    """What an operation is to do, from what is recorded.

    Raises VimError where it has to look into an infrastructure that does not answer, and what the type raises.
    """
    context = await role.context(project, record, request)
    sealer = Sealer(vault.digest)
    situation = Situation(record=record, records=records, request=request, context=context, sealer=sealer)
    repairs = type_.repairs(situation)
    if repairs is not None:
        situation = msgspec.structs.replace(situation, compared=await survey(vims, records, repairs))
    desired = type_.desired(situation)
    chosen = Way(
        wanted=desired.resources,
        record=desired.record,
        old_record=record,
        tainted=desired.tainted,
        on_failure=desired.on_failure,
        back=False,
    )
    return Decision(situation, desired, await plan_way(vims, role, type_, chosen, situation))


async def situation_of_way(role: Role, vault: Vault, operation: Operation, chosen: Way, records: Records) -> Situation:
    """What the type of a decided operation arranges its plan with: nothing that was chosen is chosen again."""
    request = request_of(role, operation)
    context = await role.context(operation.project, chosen.decided_record, request)
    sealer = Sealer(vault.digest)
    return Situation(record=chosen.old_record, records=records, request=request, context=context, sealer=sealer)


def request_of(role: Role, operation: Operation) -> Any:
    """The request of a stored operation. Raises Quarantined (`unreadable-document`)."""
    try:
        return msgspec.convert(operation.request, role.types[operation.type].request)
    except (KeyError, msgspec.ValidationError) as error:
        raise Quarantined(
            f"The request of operation {operation.id} cannot be read: {error}.",
            code="unreadable-document",
            resource=operation.id,
            remedy="Restore the row from a backup, or fail the operation.",
        ) from error


async def plan_way(vims: VimRegistry, role: Role, type_: OperationType, chosen: Way, situation: Situation) -> Plan:
    """The plan of a way from where the records are now."""
    records = situation.records
    await vims.prepare(role.vims(chosen.wanted) | vims_of(records))
    tainted = {name for name, row in records.current.items() if row.incarnation in chosen.tainted}
    if situation.compared is None:
        plan = diff(records, chosen.wanted, vims, tainted=tainted)
    else:
        wanted = diff(records, chosen.wanted, vims).target()
        repair = diff(situation.compared.records, wanted, vims, tainted=tainted)
        plan = explained(repair, situation.compared.deviations)
    if chosen.back:
        return type_.arrange_rollback(_naming_losses(plan, vims), situation)
    return type_.arrange(plan, situation)


def _naming_losses(plan: Plan, vims: VimRegistry) -> Plan:
    """`plan`, the way back, with words on what it makes anew and cannot bring back."""
    replace = msgspec.structs.replace

    def named(change: Change) -> Change:
        again = change.verb in (Verb.CREATE, Verb.REPLACE) and change.new is not None
        if not again or not vims.rules(change.resource).irreversible:
            return change
        return replace(change, reason=f"{change.reason}; what was in it cannot come back")

    return replace(plan, changes=tuple(named(change) for change in plan.changes))


def vims_of(records: Records) -> frozenset[VimId]:
    """Every VIM in which something is recorded."""
    return frozenset(row.resource.vim for row in (*records.current.values(), *records.leaving))


def forget_secrets(tx: Tx, vault: Vault, owner: str) -> None:
    """When nothing is recorded of an instance any more, neither are its secrets."""
    left = tables.resources
    if tx.first(tx.select(left, left.c.incarnation).where(left.c.owner == owner)) is None:
        vault.forget(tx, owner)
