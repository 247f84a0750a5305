"""Policies and groups of a flavour: scaling, levels, placement, security groups.

References between policies (a level naming an aspect, a delta naming a step) are looked at here, where the marks of the
values are at hand; arithmetic over the finished flavour is in `checks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from fairlead.descriptors.compute import Vdu
from fairlead.descriptors.problems import Mark, nearest
from fairlead.descriptors.reading.connectivity import bitrate
from fairlead.descriptors.reading.picking import entries, maintenance
from fairlead.descriptors.reading.topology import PolicyTemplate, Topology
from fairlead.descriptors.values import Struct
from fairlead.descriptors.vnfd import (
    Aspect,
    Bitrates,
    InstantiationLevel,
    PlacementRule,
    PlacementSort,
    SecurityGroupRule,
)

__all__ = ["Rules", "read_rules"]

T = TypeVar("T")
_NFV: Final = "tosca.policies.nfv."


@dataclass(slots=True)
class Rules:
    """What the policies and groups of one template say; `shaped` are the names of the policies read here.

    `count_marks` tells where the number of a VDU at a level stands.
    """

    aspects: dict[str, Aspect] = field(default_factory=dict)
    levels: dict[str, InstantiationLevel] = field(default_factory=dict)
    default_level: str | None = None
    initial_deltas: dict[str, int] = field(default_factory=dict)
    initial_virtual_ips: dict[str, int] = field(default_factory=dict)
    initial_bitrates: dict[str, Bitrates] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    placement: dict[str, PlacementRule] = field(default_factory=dict)
    security: dict[str, SecurityGroupRule] = field(default_factory=dict)
    count_marks: dict[tuple[str, str], Mark] = field(default_factory=dict)
    shaped: set[str] = field(default_factory=set)


def read_rules(topology: Topology, vdus: Mapping[str, Vdu]) -> Rules:
    """Read all policies and groups of a template, whose VDUs bound the instances that levels may ask for."""
    rules = Rules()
    rules.groups = {name: group.target_names for name, group in topology.groups.items()}
    _aspects(topology, rules)
    _levels(topology, rules, vdus)
    _initial(topology, rules, vdus)
    _placement(topology, rules)
    for policy in _of(topology, rules, "SecurityGroupRule"):
        rules.security[policy.name] = _security(topology, policy)
    return rules


def _of(topology: Topology, rules: Rules, name: str) -> Iterable[PolicyTemplate]:
    for policy in topology.policies_of(_NFV + name):
        rules.shaped.add(policy.name)
        yield policy


def _put(topology: Topology, into: dict[str, T], key: str, value: T, told: str, mark: Mark) -> None:
    """Two policies must not say the same of one target, as only one could hold."""
    if key in into:
        topology.problems.error("said-twice", f"{told} is given by two policies", mark)
    into[key] = value


def _initial(topology: Topology, rules: Rules, vdus: Mapping[str, Vdu]) -> None:
    for policy in _of(topology, rules, "VduInitialDelta"):
        delta = policy.properties.get("initial_delta")
        for vdu, mark in policy.targets:
            told = f'the initial delta of "{vdu}"'
            _put(topology, rules.initial_deltas, vdu, _count(delta), told, mark)
            if isinstance(delta, Struct):
                _check_range(topology, told, delta, vdus.get(vdu))
    for policy in _of(topology, rules, "VipCpInitialDelta"):
        for point, mark in policy.targets:
            number = _count(policy.properties.get("initial_delta"))
            _put(topology, rules.initial_virtual_ips, point, number, f'the initial delta of "{point}"', mark)
    for policy in _of(topology, rules, "VirtualLinkBitrateInitialDelta"):
        rate = _bitrate(policy.properties.get("initial_delta"))
        if rate is not None:
            for link, mark in policy.targets:
                _put(topology, rules.initial_bitrates, link, rate, f'the initial bit rate of "{link}"', mark)


def _aspects(topology: Topology, rules: Rules) -> None:
    declared: dict[str, Struct] = {}
    for policy in _of(topology, rules, "ScalingAspects"):
        declared |= entries(policy.properties.get("aspects"))
    covered: dict[str, set[str]] = {name: set() for name in declared}
    vdus = _deltas(topology, rules, "VduScalingAspectDeltas", declared, covered, _count)
    virtual_ips = _deltas(topology, rules, "VipCpScalingAspectDeltas", declared, covered, _count)
    links = _deltas(topology, rules, "VirtualLinkBitrateScalingAspectDeltas", declared, covered, _bitrate)
    for name, struct in declared.items():
        rules.aspects[name] = Aspect(
            name,
            struct.get("name", name),
            struct.get("description", ""),
            struct.get("max_scale_level", 0),
            struct.get("step_deltas", ()),
            vdus.get(name, {}),
            {link: {key: rate for key, rate in found.items() if rate} for link, found in links.get(name, {}).items()},
            virtual_ips.get(name, {}),
            struct.mark,
        )
        _check_steps(topology, rules.aspects[name], struct, covered[name])


def _deltas(
    topology: Topology,
    rules: Rules,
    type_name: str,
    declared: Mapping[str, Struct],
    covered: dict[str, set[str]],
    read: Callable[[Any], T],
) -> dict[str, dict[str, dict[str, T]]]:
    """What each delta of each aspect adds to each target of the policies of one type; `covered` collects the deltas seen."""
    found: dict[str, dict[str, dict[str, T]]] = {}
    for policy in _of(topology, rules, type_name):
        aspect: str | None = policy.properties.get("aspect")
        if aspect is None:
            continue
        if aspect not in declared:
            mark = policy.properties.mark_of("aspect")
            hint = nearest(aspect, declared)
            topology.problems.error("unknown-aspect", f'there is no scaling aspect "{aspect}"', mark, hint)
            continue
        deltas = entries(policy.properties.get("deltas"))
        covered[aspect] |= deltas.keys()
        _check_deltas(topology, policy, deltas, aspect, declared)
        amounts = {name: read(each) for name, each in deltas.items()}
        for target, mark in policy.targets:
            told = f'what the aspect "{aspect}" adds to "{target}"'
            _put(topology, found.setdefault(aspect, {}), target, amounts, told, mark)
    return found


def _check_deltas(
    topology: Topology, policy: PolicyTemplate, deltas: dict[str, Struct], aspect: str, declared: Mapping[str, Struct]
) -> None:
    """Every delta that is given is one of the aspect's steps, and every step has its delta."""
    steps: tuple[str, ...] = declared[aspect].get("step_deltas", ())
    for name, delta in deltas.items():
        if steps and name not in steps:
            told = f'"{name}" is no step of the aspect "{aspect}"'
            topology.problems.error("unknown-delta", told, delta.mark, nearest(name, steps))
    if not steps and len(deltas) > 1:
        told = f'the aspect "{aspect}" has no step_deltas, so there can be one delta only'
        topology.problems.error("unknown-delta", told, policy.properties.mark_of("deltas"))
    for step in dict.fromkeys(steps):
        if step not in deltas:
            told = f'the step "{step}" of the aspect "{aspect}" has no delta here; it adds nothing'
            topology.problems.warning("missing-delta", told, policy.properties.mark_of("deltas"))


def _check_steps(topology: Topology, aspect: Aspect, struct: Struct, covered: set[str]) -> None:
    steps = len(aspect.step_deltas)
    if steps > 1 and steps != aspect.max_scale_level:
        told = f'the aspect "{aspect.id}" has {steps} steps and {aspect.max_scale_level} scale levels'
        topology.problems.error(
            "steps-and-levels", told, struct.mark_of("step_deltas"), "one step for all, or one for each level"
        )
    if not aspect.deltas and not aspect.link_deltas and not aspect.virtual_ip_deltas and aspect.max_scale_level > 0:
        told = f'nothing is scaled by the aspect "{aspect.id}"'
        topology.problems.warning("unused-aspect", told, aspect.mark)
        return
    for step in dict.fromkeys(aspect.step_deltas):
        if step not in covered:
            told = f'no policy says what the step "{step}" of the aspect "{aspect.id}" adds'
            topology.problems.error(
                "missing-delta", told, struct.mark_of("step_deltas"), nearest(step, covered - set(aspect.step_deltas))
            )


def _levels(topology: Topology, rules: Rules, vdus: Mapping[str, Vdu]) -> None:
    declared: dict[str, Struct] = {}
    for policy in _of(topology, rules, "InstantiationLevels"):
        declared |= entries(policy.properties.get("levels"))
        _default_level(topology, rules, policy, declared)
    counts = _at_levels(topology, rules, "VduInstantiationLevels", declared, _count)
    virtual_ips = _at_levels(topology, rules, "VipCpInstantiationLevels", declared, _count)
    bitrates = _at_levels(topology, rules, "VirtualLinkInstantiationLevels", declared, _bitrate)
    for policy in topology.policies_of(f"{_NFV}VduInstantiationLevels"):
        for level, struct in entries(policy.properties.get("levels")).items():
            for vdu in policy.target_names:
                rules.count_marks[level, vdu] = struct.mark_of("number_of_instances")
                _check_range(topology, f'the level "{level}" of "{vdu}"', struct, vdus.get(vdu))
    for name, struct in declared.items():
        scale = {aspect: each.get("scale_level", 0) for aspect, each in entries(struct.get("scale_info")).items()}
        _check_scale(topology, struct, rules)
        rules.levels[name] = InstantiationLevel(
            name,
            struct.get("description", ""),
            scale,
            counts.get(name, {}),
            {link: rate for link, rate in bitrates.get(name, {}).items() if rate},
            virtual_ips.get(name, {}),
            struct.mark,
        )


def _at_levels(
    topology: Topology, rules: Rules, type_name: str, declared: Mapping[str, Struct], read: Callable[[Any], T]
) -> dict[str, dict[str, T]]:
    """What the policies of one type say of each target at each level, by level."""
    found: dict[str, dict[str, T]] = {}
    for policy in _of(topology, rules, type_name):
        given = entries(policy.properties.get("levels"))
        for name, struct in given.items():
            if name not in declared:
                told = f'there is no instantiation level "{name}"'
                topology.problems.error("unknown-level", told, struct.mark, nearest(name, declared))
                continue
            for target, mark in policy.targets:
                told = f'what "{target}" is at the level "{name}"'
                _put(topology, found.setdefault(name, {}), target, read(struct), told, mark)
        for name in declared:
            if given and name not in given:
                told = f'the level "{name}" is left out here'
                topology.problems.warning("missing-level", told, policy.properties.mark_of("levels"))
    return found


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


def _check_scale(topology: Topology, level: Struct, rules: Rules) -> None:
    for aspect, scale in entries(level.get("scale_info")).items():
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
        for policy in _of(topology, rules, type_name):
            members = [member for name in policy.target_names for member in rules.groups.get(name, (name,))]
            if not policy.targets:
                topology.problems.warning("rule-without-targets", f'"{policy.name}" concerns nothing', policy.mark)
            rules.placement[policy.name] = PlacementRule(
                policy.name,
                sort,
                policy.properties.get("scope", ""),
                policy.target_names,
                tuple(dict.fromkeys(members)),
                maintenance(policy.properties.get("nfvi_maintenance_group_info")),
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


def _count(value: Any) -> int:
    count: int = value.get("number_of_instances", 0) if isinstance(value, Struct) else 0
    return count


def _bitrate(value: Any) -> Bitrates | None:
    return bitrate(value.get("bitrate_requirements")) if isinstance(value, Struct) else None
