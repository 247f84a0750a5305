"""Picking values out of checked structs: what the readers of machines, connectivity, rules and policies have in common.

Nothing here tells of problems; a value that is missing or was refused reads as absent, as its problem has been told.
"""

from __future__ import annotations

from typing import Any

from fairlead.descriptors.artifacts import Declared
from fairlead.descriptors.maintenance import GroupLimit, Maintenance, MonitoringParameter
from fairlead.descriptors.problems import Mark
from fairlead.descriptors.schema import MISSING
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef
from fairlead.descriptors.values import Struct

__all__ = ["declared", "entries", "maintenance", "monitoring", "plain", "struct"]


def struct(value: Any, mark: Mark) -> Struct:
    """The struct, or an empty one at `mark`."""
    return value if isinstance(value, Struct) else Struct(mark, {}, {})


def entries(value: Any) -> dict[str, Struct]:
    """The structs of a map, by key."""
    return {name: each for name, each in value.items() if isinstance(each, Struct)} if isinstance(value, dict) else {}


def plain(value: Any) -> dict[str, Any]:
    """A struct's values without marks; empty if there is none."""
    return value.plain() if isinstance(value, Struct) else {}


def maintenance(value: Any) -> Maintenance | None:
    """SOL001 NfviMaintenanceInfo."""
    if not isinstance(value, Struct):
        return None
    return Maintenance(
        value.get("impact_notification_lead_time", 0.0),
        value.get("is_impact_mitigation_requested", False),
        value.get("supported_migration_type", ()),
        value.get("max_undetectable_interruption_time"),
        value.get("min_recovery_time_between_impacts"),
        _limits(value, "max_number_of_impacted_instances"),
        _limits(value, "min_number_of_preserved_instances"),
    )


def _limits(value: Struct, key: str) -> tuple[GroupLimit, ...]:
    return tuple(
        GroupLimit(each.get(key, 0), each.get("group_size")) for each in value.get(key, ()) if isinstance(each, Struct)
    )


def monitoring(value: Any) -> tuple[MonitoringParameter, ...]:
    """Monitoring parameters, which SOL001 writes as a map and older versions as a list; then their names are the ids."""
    if isinstance(value, dict):
        found = list(entries(value).items())
    else:
        found = [(each.get("name", ""), each) for each in value or () if isinstance(each, Struct)]
    return tuple(
        MonitoringParameter(
            id, each.get("name", id), each.get("performance_metric", ""), each.get("collection_period"), each.mark
        )
        for id, each in found
    )


def declared(definition: TypeDef | None, value: Struct | None) -> dict[str, Declared]:
    """Every property that the package's own type declares or the value gives, with the value that it starts with."""
    found = {}
    for name, schema in (definition.properties if definition is not None else {}).items():
        default: Any = schema.default.plain_value() if isinstance(schema.default, Node) else schema.default
        given = value.get(name, MISSING) if value is not None else MISSING
        if given is MISSING and schema.mark is None:
            continue  # SOL001 knows it, and this VNFD does not speak of it
        chosen = default if given is MISSING else given.plain() if isinstance(given, Struct) else given
        mark = schema.mark or (value.mark if value is not None else Mark(""))
        found[name] = Declared(name, schema.type, None if chosen is MISSING else chosen, schema.required, mark)
    for name, given in (value.values if value is not None else {}).items():
        if name not in found and value is not None:
            chosen = given.plain() if isinstance(given, Struct) else given
            found[name] = Declared(name, "any", chosen, False, value.mark_of(name))
    return found
