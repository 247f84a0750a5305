"""Policies and groups of a flavour: scaling, levels, placement, security groups.

References between policies (a level naming an aspect, a delta naming a step) are looked at here, where the marks of the
values are at hand; arithmetic over the finished flavour is in `checks.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fairlead.descriptors.compute import Vdu
from fairlead.descriptors.problems import nearest
from fairlead.descriptors.reading.connectivity import bitrate
from fairlead.descriptors.reading.template import PolicyTemplate, Topology
from fairlead.descriptors.values import Struct
from fairlead.descriptors.vnfd import (
    Aspect,
    InstantiationLevel,
    PlacementRule,
    PlacementSort,
    Policy,
    SecurityGroupRule,
)

__all__ = ["Rules", "read_rules"]

_NFV: Final = "tosca.policies.nfv."
_SHAPED: Final = (
    "ScalingAspects",
    "VduScalingAspectDeltas",
    "VirtualLinkBitrateScalingAspectDeltas",
    "VduInitialDelta",
    "InstantiationLevels",
    "VduInstantiationLevels",
    "VirtualLinkInstantiationLevels",
    "AffinityRule",
    "AntiAffinityRule",
    "SecurityGroupRule",
)


@dataclass(slots=True)
class Rules:
    """What the policies and groups of one template say."""

    aspects: dict[str, Aspect] = field(default_factory=dict)
    levels: dict[str, InstantiationLevel] = field(default_factory=dict)
    default_level: str | None = None
    initial_deltas: dict[str, int] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    placement: dict[str, PlacementRule] = field(default_factory=dict)
    security: dict[str, SecurityGroupRule] = field(default_factory=dict)
    others: dict[str, Policy] = field(default_factory=dict)


def read_rules(topology: Topology, vdus: Mapping[str, Vdu]) -> Rules:
    """Read all policies and groups of a template, whose VDUs bound the instances that levels may ask for."""
    rules = Rules()
    rules.groups = {name: group.target_names for name, group in topology.groups.items()}
    _aspects(topology, rules)
    _levels(topology, rules, vdus)
    for policy in topology.policies_of(f"{_NFV}VduInitialDelta"):
        delta = policy.properties.get("initial_delta")
        for vdu in policy.target_names:
            rules.initial_deltas[vdu] = _count(delta)
            if isinstance(delta, Struct):
                _check_range(topology, f'the initial delta of "{vdu}"', delta, vdus.get(vdu))
    _placement(topology, rules)
    for policy in topology.policies_of(f"{_NFV}SecurityGroupRule"):
        rules.security[policy.name] = _security(topology, policy)
    shaped = {policy.name for name in _SHAPED for policy in topology.policies_of(_NFV + name)}
    rules.others = {
        policy.name: Policy(policy.name, policy.type.name, policy.target_names, policy.properties.plain(), policy.mark)
        for policy in topology.policies
        if policy.name not in shaped
    }
    return rules


def _aspects(topology: Topology, rules: Rules) -> None:
    vdu_deltas: dict[str, dict[str, dict[str, int]]] = {}
    link_deltas: dict[str, dict[str, dict[str, tuple[int, int | None]]]] = {}
    declared: dict[str, Struct] = {}
    for policy in topology.policies_of(f"{_NFV}ScalingAspects"):
        declared |= _entries(policy.properties.get("aspects"))
    for policy in topology.policies_of(f"{_NFV}VduScalingAspectDeltas"):
        aspect = _aspect_of(topology, policy, declared)
        if aspect is not None:
            deltas = _entries(policy.properties.get("deltas"))
            _check_deltas(topology, deltas, aspect, declared)
            for vdu in policy.target_names:
                vdu_deltas.setdefault(aspect, {})[vdu] = {name: _count(each) for name, each in deltas.items()}
    for policy in topology.policies_of(f"{_NFV}VirtualLinkBitrateScalingAspectDeltas"):
        aspect = _aspect_of(topology, policy, declared)
        if aspect is not None:
            deltas = _entries(policy.properties.get("deltas"))
            _check_deltas(topology, deltas, aspect, declared)
            for link in policy.target_names:
                link_deltas.setdefault(aspect, {})[link] = _bitrates(deltas)
    for name, struct in declared.items():
        rules.aspects[name] = Aspect(
            name,
            struct.get("name", name),
            struct.get("description", ""),
            struct.get("max_scale_level", 0),
            struct.get("step_deltas", ()),
            vdu_deltas.get(name, {}),
            link_deltas.get(name, {}),
            struct.mark,
        )
        _check_steps(topology, rules.aspects[name], struct)


def _aspect_of(topology: Topology, policy: PolicyTemplate, declared: dict[str, Struct]) -> str | None:
    name: str | None = policy.properties.get("aspect")
    if name is not None and name not in declared:
        mark = policy.properties.mark_of("aspect")
        topology.problems.error("unknown-aspect", f'there is no scaling aspect "{name}"', mark, nearest(name, declared))
        return None
    return name


def _check_deltas(topology: Topology, deltas: dict[str, Struct], aspect: str, declared: dict[str, Struct]) -> None:
    """Every delta that is given is one of the aspect's steps, and every step has its delta."""
    steps: tuple[str, ...] = declared[aspect].get("step_deltas", ())
    for name, delta in deltas.items():
        if steps and name not in steps:
            told = f'"{name}" is no step of the aspect "{aspect}"'
            topology.problems.error("unknown-delta", told, delta.mark, nearest(name, steps))
    for step in dict.fromkeys(steps):
        if step not in deltas:
            told = f'the step "{step}" of the aspect "{aspect}" has no delta here; it adds nothing'
            mark = next(iter(deltas.values())).mark if deltas else declared[aspect].mark
            topology.problems.warning("missing-delta", told, mark)


def _check_steps(topology: Topology, aspect: Aspect, struct: Struct) -> None:
    steps = len(aspect.step_deltas)
    if steps > 1 and steps != aspect.max_scale_level:
        told = f'the aspect "{aspect.id}" has {steps} steps and {aspect.max_scale_level} scale levels'
        topology.problems.error(
            "steps-and-levels", told, struct.mark_of("step_deltas"), "one step for all, or one for each level"
        )
    if not aspect.deltas and not aspect.link_deltas and aspect.max_scale_level > 0:
        told = f'no VDU is scaled by the aspect "{aspect.id}"'
        topology.problems.warning("unused-aspect", told, aspect.mark)


def _levels(topology: Topology, rules: Rules, vdus: Mapping[str, Vdu]) -> None:
    declared: dict[str, Struct] = {}
    for policy in topology.policies_of(f"{_NFV}InstantiationLevels"):
        declared |= _entries(policy.properties.get("levels"))
        _default_level(topology, rules, policy, declared)
    counts: dict[str, dict[str, int]] = {}
    bitrates: dict[str, dict[str, tuple[int, int | None]]] = {}
    for policy in topology.policies_of(f"{_NFV}VduInstantiationLevels"):
        for level, struct in _known_levels(topology, policy, declared):
            for vdu in policy.target_names:
                counts.setdefault(level, {})[vdu] = _count(struct)
                _check_range(topology, f'the level "{level}" of "{vdu}"', struct, vdus.get(vdu))
    for policy in topology.policies_of(f"{_NFV}VirtualLinkInstantiationLevels"):
        for level, struct in _known_levels(topology, policy, declared):
            rate = bitrate(struct.get("bitrate_requirements"))
            if rate is not None:
                bitrates.setdefault(level, {}).update(dict.fromkeys(policy.target_names, rate))
    for name, struct in declared.items():
        scale = {aspect: each.get("scale_level", 0) for aspect, each in _entries(struct.get("scale_info")).items()}
        for aspect, each in _entries(struct.get("scale_info")).items():
            _check_scale(topology, aspect, each, rules)
        description = struct.get("description", "")
        rules.levels[name] = InstantiationLevel(
            name, description, scale, counts.get(name, {}), bitrates.get(name, {}), struct.mark
        )


def _default_level(topology: Topology, rules: Rules, policy: PolicyTemplate, declared: dict[str, Struct]) -> None:
    default = policy.properties.get("default_level")
    if default is None:
        if len(declared) > 1:
            told = "with several levels, default_level has to say which one is the default"
            topology.problems.error("no-default-level", told, policy.mark)
        default = next(iter(declared), None)
    elif default not in declared:
        mark = policy.properties.mark_of("default_level")
        topology.problems.error("unknown-level", f'there is no level "{default}"', mark, nearest(default, declared))
    rules.default_level = default


def _known_levels(
    topology: Topology, policy: PolicyTemplate, declared: dict[str, Struct]
) -> Iterable[tuple[str, Struct]]:
    given = _entries(policy.properties.get("levels"))
    for name, struct in given.items():
        if name in declared:
            yield name, struct
        else:
            told = f'there is no instantiation level "{name}"'
            topology.problems.error("unknown-level", told, struct.mark, nearest(name, declared))


def _check_scale(topology: Topology, aspect: str, scale: Struct, rules: Rules) -> None:
    known = rules.aspects.get(aspect)
    if known is None:
        hint = nearest(aspect, rules.aspects)
        topology.problems.error("unknown-aspect", f'there is no scaling aspect "{aspect}"', scale.mark, hint)
    elif scale.get("scale_level", 0) > known.max_scale_level:
        told = f'scale level {scale.get("scale_level")} of "{aspect}" is above its maximum {known.max_scale_level}'
        topology.problems.error("level-above-maximum", told, scale.mark_of("scale_level"))


def _check_range(topology: Topology, label: str, struct: Struct, vdu: Vdu | None) -> None:
    """A number of instances must be one that the VDU's profile allows."""
    count, mark = _count(struct), struct.mark_of("number_of_instances")
    if vdu is not None and count > vdu.max_instances:
        told = f"{label} has {count} instances, the maximum is {vdu.max_instances}"
        topology.problems.error("level-above-maximum", told, mark)
    elif vdu is not None and count < vdu.min_instances:
        told = f"{label} has {count} instances, the minimum is {vdu.min_instances}"
        topology.problems.error("level-below-minimum", told, mark)


def _placement(topology: Topology, rules: Rules) -> None:
    sorts = (("AffinityRule", PlacementSort.AFFINITY), ("AntiAffinityRule", PlacementSort.ANTI_AFFINITY))
    for type_name, sort in sorts:
        for policy in topology.policies_of(_NFV + type_name):
            members = [member for name in policy.target_names for member in rules.groups.get(name, (name,))]
            if not policy.targets:
                topology.problems.warning("rule-without-targets", f'"{policy.name}" concerns nothing', policy.mark)
            rules.placement[policy.name] = PlacementRule(
                policy.name,
                sort,
                policy.properties.get("scope", ""),
                policy.target_names,
                tuple(dict.fromkeys(members)),
                policy.mark,
            )


def _security(topology: Topology, policy: PolicyTemplate) -> SecurityGroupRule:
    values = policy.properties
    low, high = values.get("port_range_min", 0), values.get("port_range_max", 65535)
    if low > high:
        told = f"the range of ports begins at {low} and ends at {high}"
        topology.problems.error("bad-value", told, values.mark_of("port_range_min"))
    return SecurityGroupRule(
        policy.name,
        policy.target_names,
        values.get("direction", "ingress"),
        values.get("ether_type", "ipv4"),
        values.get("protocol", "tcp"),
        low,
        high,
        values.get("description"),
        policy.mark,
    )


def _entries(value: Any) -> dict[str, Struct]:
    return {name: each for name, each in value.items() if isinstance(each, Struct)} if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    count: int = value.get("number_of_instances", 0) if isinstance(value, Struct) else 0
    return count


def _bitrates(deltas: dict[str, Struct]) -> dict[str, tuple[int, int | None]]:
    rates = {name: bitrate(each.get("bitrate_requirements")) for name, each in deltas.items()}
    return {name: rate for name, rate in rates.items() if rate is not None}
