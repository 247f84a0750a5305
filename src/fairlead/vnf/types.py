"""The operation types of a VNF: instantiate, scale, scale to level, heal, operate, terminate, modify.

Each says what it needs and what the record becomes; none has a loop, makes a call, or knows how anything is undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from fairlead.errors import Conflict, Unprocessable
from fairlead.operations import Desired, Repairs, Situation
from fairlead.resources import Incarnation, Plan, Records, State
from fairlead.sol import (
    HealVnfRequest,
    InstantiateVnfRequest,
    OperateVnfRequest,
    ScaleType,
    ScaleVnfRequest,
    ScaleVnfToLevelRequest,
    StopType,
    TerminateVnfRequest,
    TerminationType,
    VnfInfoModificationRequest,
    VnfOperationalState,
)
from fairlead.vnf.context import VnfContext, flavour_of
from fairlead.vnf.lifecycle import VnfType, instantiated, replace, with_graceful_stops
from fairlead.vnf.record import Instantiated, VnfRecord, compute_name, vnfc_id
from fairlead.vnf.scaling import choose_members, counts, level_counts, next_scale, numbers_at, scale_of_level

__all__ = ["TYPES"]

_GRACE = 60
"""Seconds to shut down where the request does not say."""


class Instantiate(VnfType):
    """From nothing to a flavour at a level."""

    name, etsi, request = "instantiate", "INSTANTIATE", InstantiateVnfRequest

    def check(self, record: VnfRecord, request: InstantiateVnfRequest) -> None:
        if record.instantiated is not None:
            raise Conflict(
                f"VNF instance {record.id} is instantiated already.", code="already-instantiated", resource=record.id
            )
        if request.instantiation_level_id and request.target_scale_level_info:
            raise Unprocessable(
                "instantiationLevelId and targetScaleLevelInfo exclude each other.",
                code="exclusive-attributes",
                place="instantiationLevelId",
            )

    def becomes(
        self, record: VnfRecord, request: InstantiateVnfRequest, context: VnfContext, situation: Situation
    ) -> VnfRecord:
        flavour = flavour_of(context.vnfd, request.flavour_id)
        if request.target_scale_level_info:
            scale = dict.fromkeys(flavour.aspects, 0)
            scale |= {info.aspect_id: info.scale_level for info in request.target_scale_level_info}
            numbers, level = counts(flavour, scale), None
        else:
            level = request.instantiation_level_id or flavour.default_level
            scale = scale_of_level(flavour, level)
            numbers = level_counts(flavour, level, scale)
        state = Instantiated(
            flavour=flavour.id,
            vim=context.where.vim,
            scale=scale,
            members={},
            counters={},
            level=level,
            external_links=request.ext_virtual_links,
            managed_links=request.ext_managed_virtual_links,
            parameters=request.additional_params,
            language=request.localization_language,
        )
        return replace(
            record,
            instantiated=_with_numbers(state, numbers, Records()),
            vims=context.where.connection,
            extensions={**record.extensions, **request.extensions},
            configurable_properties={**record.configurable_properties, **request.vnf_configurable_properties},
        )


class Scale(VnfType):
    """One aspect, some steps out or in."""

    name, etsi, request = "scale", "SCALE", ScaleVnfRequest

    def becomes(
        self, record: VnfRecord, request: ScaleVnfRequest, context: VnfContext, situation: Situation
    ) -> VnfRecord:
        state = instantiated(record)
        flavour = flavour_of(context.vnfd, state.flavour)
        steps = request.number_of_steps if request.type is ScaleType.SCALE_OUT else -request.number_of_steps
        scale = next_scale(flavour, state.scale, request.aspect_id, steps)
        numbers = numbers_at(flavour, scale, state.level)
        chosen = _chosen(state, request.additional_params.get("vnfcInstanceId"))
        scaled = _with_numbers(replace(state, scale=scale), numbers, situation.records, chosen)
        return replace(record, instantiated=scaled)


class ScaleToLevel(VnfType):
    """All aspects at once, by an instantiation level or by scale levels."""

    name, etsi, request = "scale_to_level", "SCALE_TO_LEVEL", ScaleVnfToLevelRequest

    def check(self, record: VnfRecord, request: ScaleVnfToLevelRequest) -> None:
        instantiated(record)
        if bool(request.instantiation_level_id) == bool(request.scale_info):
            raise Unprocessable(
                "Exactly one of instantiationLevelId and scaleInfo must be given.",
                code="exclusive-attributes",
                place="instantiationLevelId",
            )

    def becomes(
        self, record: VnfRecord, request: ScaleVnfToLevelRequest, context: VnfContext, situation: Situation
    ) -> VnfRecord:
        state = instantiated(record)
        flavour = flavour_of(context.vnfd, state.flavour)
        if request.instantiation_level_id:
            scale = scale_of_level(flavour, request.instantiation_level_id)
            numbers = level_counts(flavour, request.instantiation_level_id, scale)
        else:
            scale = {**state.scale, **{info.aspect_id: info.scale_level for info in request.scale_info}}
            numbers = counts(flavour, scale)
        levelled = replace(state, scale=scale, level=request.instantiation_level_id)
        return replace(record, instantiated=_with_numbers(levelled, numbers, situation.records))


class Heal(VnfType):
    """Replace VNFCs: those named, or all. Volumes stay, unless `additionalParams.all` is true.

    With `additionalParams.drifted`, repair what in the infrastructure is not as recorded, and no more: of the VNFCs that
    are named, or all there is.
    """

    name, etsi, request = "heal", "HEAL", HealVnfRequest

    def check(self, record: VnfRecord, request: HealVnfRequest) -> None:
        instantiated(record)
        for name in ("all", "drifted"):
            if not isinstance(request.additional_params.get(name, False), bool):
                raise Unprocessable(
                    f"additionalParams.{name} is true or false.",
                    code="bad-heal-parameter",
                    place=f"additionalParams/{name}",
                )

    def repairs(self, situation: Situation) -> Repairs | None:
        asked: HealVnfRequest = situation.request
        if asked.additional_params.get("drifted") is not True:
            return None
        lossy = asked.additional_params.get("all") is True
        if not asked.vnfc_instance_id:
            return Repairs(lossy=lossy)
        members = _members_named(instantiated(situation.record), situation.records, asked.vnfc_instance_id)
        stems = {compute_name(vdu, key) for vdu, key in members}
        return Repairs(
            lossy=lossy, only=lambda name: any(name == stem or name.startswith(f"{stem}/") for stem in stems)
        )

    def tainted(self, situation: Situation) -> frozenset[Incarnation]:
        if self.repairs(situation) is not None:
            return frozenset()
        state = instantiated(situation.record)
        members = _members_named(state, situation.records, situation.request.vnfc_instance_id)
        whole = situation.request.additional_params.get("all") is True
        lives = set()
        for vdu, key in members:
            stem = compute_name(vdu, key)
            for name, row in situation.records.current.items():
                volume = row.resource.spec.sort() == "volume" and name.startswith(f"{stem}/")
                if name == stem or (whole and volume):
                    lives.add(row.incarnation)
        return frozenset(lives)


class Operate(VnfType):
    """Start or stop all VNFCs."""

    name, etsi, request = "operate", "OPERATE", OperateVnfRequest

    def becomes(
        self, record: VnfRecord, request: OperateVnfRequest, context: VnfContext, situation: Situation
    ) -> VnfRecord:
        started = request.change_state_to is VnfOperationalState.STARTED
        return replace(record, instantiated=replace(instantiated(record), started=started))

    def arrange(self, plan: Plan, situation: Situation) -> Plan:
        request: OperateVnfRequest = situation.request
        stopping = request.change_state_to is VnfOperationalState.STOPPED
        if not stopping or request.stop_type is not StopType.GRACEFUL:
            return plan
        seconds = request.graceful_stop_timeout
        return with_graceful_stops(plan, _GRACE if seconds is None else seconds)


class Terminate(VnfType):
    """To nothing. Also clears what a failed operation left of an instance that is not instantiated."""

    name, etsi, request = "terminate", "TERMINATE", TerminateVnfRequest

    def check(self, record: VnfRecord, request: TerminateVnfRequest) -> None:
        """Whether anything is left to clear is known only with the resources: `desired` looks."""

    def desired(self, situation: Situation) -> Desired:
        record: VnfRecord = situation.record
        records = situation.records
        if record.instantiated is None and not records.current and not records.leaving:
            instantiated(record)
        if record.instantiated is not None:
            self.require_no_scripts(record.instantiated, situation)
        ended = replace(record, instantiated=None, vims={}, vnfc_properties={})
        return Desired(resources={}, record=ended, packages=(record.package,))

    def arrange(self, plan: Plan, situation: Situation) -> Plan:
        request: TerminateVnfRequest = situation.request
        if request.termination_type is TerminationType.FORCEFUL:
            return plan
        seconds = request.graceful_termination_timeout
        return with_graceful_stops(plan, _GRACE if seconds is None else seconds)


class Modify(VnfType):
    """Change what is known of an instance; no resource changes."""

    name, etsi, request = "modify", "MODIFY_INFO", VnfInfoModificationRequest
    script = "modify_information"

    def check(self, record: VnfRecord, request: VnfInfoModificationRequest) -> None:
        for attribute in ("vnfd_id", "vnf_pkg_id", "vim_connection_info"):
            if getattr(request, attribute) is not UNSET and record.instantiated is not None:
                raise Conflict(
                    f"'{attribute}' of an instantiated VNF is changed by an operation of its own, not by modifying.",
                    code="not-modifiable",
                    resource=record.id,
                )
        if request.vnf_pkg_id is not UNSET or request.vnfd_id is not UNSET or request.vim_connection_info is not UNSET:
            raise Unprocessable(
                "The descriptor and the VIM connections of an instance cannot be modified.",
                code="not-modifiable",
                place="vnfdId",
                remedy="Create an instance of the other descriptor; name the VIM when instantiating.",
            )

    def desired(self, situation: Situation) -> Desired:
        record: VnfRecord = situation.record
        request: VnfInfoModificationRequest = situation.request
        if record.instantiated is not None:
            self.require_no_scripts(record.instantiated, situation)
        changed = replace(
            record,
            name=_patched(record.name, request.vnf_instance_name),
            description=_patched(record.description, request.vnf_instance_description),
            metadata=_merged(record.metadata, request.metadata),
            extensions=_merged(record.extensions, request.extensions),
            configurable_properties=_merged(record.configurable_properties, request.vnf_configurable_properties),
            vnfc_properties={
                **record.vnfc_properties,
                **{
                    patch.id: _merged(record.vnfc_properties.get(patch.id, {}), patch.vnfc_configurable_properties)
                    for patch in request.vnfc_info_modifications
                },
            },
        )
        return Desired(resources=situation.records.resources(), record=changed, packages=(record.package,))

    def arrange(self, plan: Plan, situation: Situation) -> Plan:
        """Nothing: what a failed operation has left is for another operation to mend, not for a change of a name."""
        return Plan()

    def arrange_rollback(self, plan: Plan, situation: Situation) -> Plan:
        return Plan()


def _patched(old: str | None, new: Any) -> str | None:
    if new is UNSET:
        return old
    return None if new is None else str(new)


def _merged(old: dict[str, Any], patch: Any) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396) of a map."""
    if patch is UNSET:
        return old
    if patch is None:
        return {}
    merged = dict(old)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged


def _with_numbers(
    state: Instantiated, numbers: Mapping[str, int], records: Records, chosen: frozenset[tuple[str, str]] = frozenset()
) -> Instantiated:
    """`state` with that many members of each VDU."""
    members, counters = dict(state.members), dict(state.counters)
    for vdu, number in numbers.items():
        keys = members.get(vdu, ())
        unhealthy = {key for key in keys if not _healthy(records, vdu, key)}
        picked = {key for of, key in chosen if of == vdu}
        members[vdu], counters[vdu] = choose_members(
            keys, counters.get(vdu, 0), number, unhealthy=unhealthy, chosen=picked
        )
    return replace(state, members=members, counters=counters)


def _healthy(records: Records, vdu: str, key: str) -> bool:
    row = records.current.get(compute_name(vdu, key))
    return row is not None and row.state is State.READY


def _chosen(state: Instantiated, wish: Any) -> frozenset[tuple[str, str]]:
    """The members that a request to scale in names in `additionalParams.vnfcInstanceId`."""
    if not wish:
        return frozenset()
    names = [wish] if isinstance(wish, str) else [str(name) for name in wish]
    return frozenset(_members_named(state, Records(), tuple(names)))


def _members_named(state: Instantiated, records: Records, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """The members that `names` mean, by VNFC id or by the id of their resource; all when none is named.

    Raises Unprocessable (`unknown-vnfc`).
    """
    everybody = [(vdu, key) for vdu, keys in state.members.items() for key in keys]
    if not names:
        return everybody
    ids = {vnfc_id(vdu, key): (vdu, key) for vdu, key in everybody}
    for vdu, key in everybody:
        row = records.current.get(compute_name(vdu, key))
        if row is not None:
            ids[row.incarnation] = (vdu, key)
    for name in names:
        if name not in ids:
            raise Unprocessable(
                f"There is no VNFC '{name}'.",
                code="unknown-vnfc",
                place="vnfcInstanceId",
                remedy=f"VNFCs: {', '.join(sorted(vnfc_id(vdu, key) for vdu, key in everybody))}.",
            )
    return [ids[name] for name in names]


TYPES: Mapping[str, VnfType] = {
    type_.name: type_ for type_ in (Instantiate(), Scale(), ScaleToLevel(), Heal(), Operate(), Terminate(), Modify())
}
"""The operation types of a VNF, by name."""
