"""Security groups from the descriptor's rules (SOL001 6.10.13). Pure.

A rule names the connection points that it is for. All points that have the same rules share one group, which is called
after the first of them. As in SOL001 and everywhere else, what no rule of a direction allows is not let in; what goes out
is let out until a rule speaks of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.descriptors import PROTOCOLS, WITH_PORTS, ConnectionPoint
from fairlead.descriptors import SecurityGroupRule as Rule
from fairlead.resources import Name, Ref, SecurityGroupSpec, SecurityRule
from fairlead.vnf.draft import Draft

__all__ = ["want_filters"]

_EVERYTHING_OUT = (
    SecurityRule(direction="egress", ether_type="ipv4"),
    SecurityRule(direction="egress", ether_type="ipv6"),
)


def want_filters(draft: Draft) -> Mapping[str, tuple[Ref, ...]]:
    """Want `security-group/<connection point>`; returns the groups of each connection point that has any."""
    if not draft.has("security-group"):
        return {}
    first: dict[tuple[str, ...], Name] = {}
    groups: dict[str, tuple[Ref, ...]] = {}
    for point in draft.flavour.connection_points.values():
        rules = [rule for rule in draft.flavour.security_group_rules.values() if _concerns(rule, point)]
        if not rules or not point.vdus:
            continue
        ids = tuple(rule.id for rule in rules)
        if ids not in first:
            spec = SecurityGroupSpec(label=draft.label(point.id), rules=_rules(rules))
            first[ids] = draft.add(Name(f"security-group/{point.id}"), spec)
        groups[point.id] = (Ref(first[ids]),)
    return groups


def _concerns(rule: Rule, point: ConnectionPoint) -> bool:
    return point.id in rule.targets or bool(set(point.vdus) & set(rule.targets))


def _rules(rules: list[Rule]) -> tuple[SecurityRule, ...]:
    asked = dict.fromkeys(_rule(rule) for rule in rules)
    speaks_of_egress = any(rule.direction == "egress" for rule in asked)
    return (*asked, *(() if speaks_of_egress else _EVERYTHING_OUT))


def _rule(rule: Rule) -> SecurityRule:
    number = PROTOCOLS[rule.protocol]
    ported = number in WITH_PORTS and (rule.port_min > 0 or rule.port_max < 65535)
    return SecurityRule(
        direction=rule.direction,
        ether_type=rule.ether_type,
        protocol=number,
        first=rule.port_min if ported else None,
        last=rule.port_max if ported else None,
    )
