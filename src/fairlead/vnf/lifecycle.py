"""What every VNF operation type has in common, and the ones that need no more than a line each.

A type is pure: it checks a record and a request, and computes the record as it will be; which resources that means is
one function for all (`wanted_resources`). Rollback is planned by the engine and needs no arranging here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.errors import Conflict
from fairlead.operations import Desired, Repairs, Sealer, Situation
from fairlead.resources import Action, Do, Incarnation, Name, Plan, Recorded
from fairlead.vnf.context import VnfContext, flavour_of
from fairlead.vnf.record import Instantiated, VnfRecord
from fairlead.vnf.user_data import require_no_scripts
from fairlead.vnf.wanted import wanted_resources
from fairlead.vnf.zones import over_zones, spread

__all__ = ["VnfType", "instantiated", "with_graceful_stops"]

replace = msgspec.structs.replace


class VnfType:
    """The root of VNF operation types. `etsi` is the operation's name in op occs (SOL003 LcmOperationType)."""

    name = ""
    etsi = ""
    script = ""
    """The operation's name in SOL001's Vnflcm, where it is another."""
    request: type[msgspec.Struct] = msgspec.Struct

    def check(self, record: VnfRecord, request: Any) -> None:
        """Raises Conflict when the record's state does not allow it; by default it must be instantiated."""
        instantiated(record)

    def desired(self, situation: Situation) -> Desired:
        """The record as it will be, and its resources."""
        record = _placed(
            self.becomes(situation.record, situation.request, situation.context, situation), situation.context
        )
        if record.instantiated is not None:
            self.require_no_scripts(record.instantiated, situation)
        return _desired(record, situation.context, situation.sealer, self.tainted(situation))

    def require_no_scripts(self, state: Instantiated, situation: Situation) -> None:
        """Raises Unprocessable (`unsupported-package-script`) where the descriptor has one run at this operation."""
        flavour = flavour_of(situation.context.vnfd, state.flavour)
        asked = getattr(situation.request, "additional_params", None)
        require_no_scripts(
            flavour, self.script or self.name, state.parameters, asked if isinstance(asked, dict) else {}
        )

    def becomes(self, record: VnfRecord, request: Any, context: VnfContext, situation: Situation) -> VnfRecord:
        """The record as it will be."""
        return record

    def tainted(self, situation: Situation) -> frozenset[Incarnation]:
        """The lives that are to be replaced although their spec is unchanged."""
        return frozenset()

    def repairs(self, situation: Situation) -> Repairs | None:
        """What is repaired; nothing, by default."""
        return None

    def arrange(self, plan: Plan, situation: Situation) -> Plan:
        """`plan` with what this operation needs beside changes."""
        return plan

    def arrange_rollback(self, plan: Plan, situation: Situation) -> Plan:
        """The way back; the engine's plan is enough."""
        return plan


def _placed(record: VnfRecord, context: VnfContext) -> VnfRecord:
    """`record` with all decided that a descriptor leaves open about where members go."""
    if record.instantiated is None:
        return record
    flavour = flavour_of(context.vnfd, record.instantiated.flavour)
    if not over_zones(flavour):
        return record
    return replace(record, instantiated=spread(record.instantiated, flavour, context.where.zones))


def _desired(record: VnfRecord, context: VnfContext, sealer: Sealer, tainted: frozenset[Incarnation]) -> Desired:
    if record.instantiated is not None:
        flavour_of(context.vnfd, record.instantiated.flavour)
    return Desired(
        resources=wanted_resources(record, context, sealer),
        record=record,
        tainted=tainted,
        packages=(context.package,),
    )


def instantiated(record: VnfRecord) -> Instantiated:
    """What was chosen at instantiation. Raises Conflict (`not-instantiated`)."""
    if record.instantiated is None:
        raise Conflict(
            f"VNF instance {record.id} is not instantiated.",
            code="not-instantiated",
            resource=record.id,
            remedy="Instantiate it first.",
        )
    return record.instantiated


def with_graceful_stops(plan: Plan, seconds: float) -> Plan:
    """`plan` with each machine that it stops or ends asked to shut down first, all at once, for at most `seconds`."""
    for step in plan.steps:
        row = step.old
        if row is None or row.resource.spec.sort() != "compute" or row.handle is None or not _stops(step, row):
            continue
        action = Action(
            id=f"stop {row.name}#{row.incarnation}",
            kind="stop",
            target=row.name,
            parameters={"grace": seconds},
            patience=seconds + 60.0,
            reason=f"at most {seconds:g} s to shut down",
        )
        plan = plan.with_action(action, before=[step.id, *_ending(plan, row.resource.within)])
    return plan


def _ending(plan: Plan, composite: Name | None) -> list[str]:
    """The steps by which a composite ends its members."""
    steps = plan.steps_of(composite) if composite is not None else ()
    return [step.id for step in steps if step.do in (Do.RELINQUISH, Do.UPDATE)]


def _stops(step: Any, row: Recorded[Any]) -> bool:
    if step.do is Do.RELINQUISH:
        return True
    return step.do is Do.UPDATE and row.resource.spec.power == "on" and step.new.spec.power == "off"
