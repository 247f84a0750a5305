"""In which zone each VNFC goes that is to be apart from others over zones. Pure.

SOL001 asks that members be apart; which zone each gets nobody says, so it is decided here: a new member goes where the
fewest of those are that it is to be apart from, and of several such zones to the first by name. The decision stands in
the record and holds for as long as the member is there, over every heal. Rules about other scopes, and rules that keep
members together, are the infrastructure's affair.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fairlead.descriptors import Flavour, PlacementRule, PlacementSort
from fairlead.errors import Unprocessable, VimUnavailable
from fairlead.resources import Name
from fairlead.vnf.record import Instantiated, compute_name

__all__ = ["is_soft", "over_zones", "spread"]

_SOFT = "openstack.placement"


def over_zones(flavour: Flavour) -> list[PlacementRule]:
    """The rules that keep VNFCs apart over zones."""
    rules = flavour.placement_rules.values()
    return [
        rule
        for rule in rules
        if rule.sort is PlacementSort.ANTI_AFFINITY and rule.scope == "zone" and set(rule.members) & set(flavour.vdus)
    ]


def is_soft(flavour: Flavour, rule: PlacementRule) -> bool:
    """Whether a rule is a wish: SOL001 has no word for that, so a VDU's own constraints say it."""
    members = (flavour.vdus[member] for member in rule.members if member in flavour.vdus)
    return any(vdu.nfvi_constraints.get(_SOFT) == "soft" for vdu in members)


def spread(state: Instantiated, flavour: Flavour, zones: tuple[str, ...] | None) -> Instantiated:
    """`state` with a zone for each member that a rule asks one for; `zones` are those there are, None if that is not known.

    An infrastructure without zones has nothing to spread over. Raises Unprocessable (`not-enough-zones`), VimUnavailable
    (`zones-not-known`).
    """
    rules = over_zones(flavour)
    concerned = [name for rule in rules for name in _members(state, rule)]
    decided = {name: state.zones[name] for name in concerned if name in state.zones}
    missing = [name for name in dict.fromkeys(concerned) if name not in decided]
    if missing and zones is None:
        raise VimUnavailable(
            "The infrastructure does not tell its zones, and members are to be kept apart in them.",
            code="zones-not-known",
            resource=missing[0],
        )
    for name in missing if zones else ():
        decided[name] = _zone(name, state, flavour, decided, zones or ())
    return msgspec.structs.replace(state, zones=decided)


def _zone(
    name: Name, state: Instantiated, flavour: Flavour, decided: Mapping[Name, str], zones: tuple[str, ...]
) -> str:
    taken: dict[str, int] = dict.fromkeys(sorted(zones), 0)
    for rule in over_zones(flavour):
        others = [one for one in _members(state, rule) if one != name]
        if name not in _members(state, rule):
            continue
        used = {decided[other] for other in others if other in decided}
        if used.issuperset(zones) and not is_soft(flavour, rule):
            raise Unprocessable(
                f"'{name}' is to be in a zone of its own, and each of the {len(zones)} zones has a member of rule '{rule.id}'.",
                code="not-enough-zones",
                place=str(rule.mark),
                resource=name,
                remedy="Ask for fewer members or add zones; or have the VDU say openstack.placement: soft.",
            )
        for other in others:
            if decided.get(other) in taken:
                taken[decided[other]] += 1
    return min(taken, key=lambda zone: taken[zone])


def _members(state: Instantiated, rule: PlacementRule) -> list[Name]:
    return [compute_name(vdu, key) for vdu in rule.members for key in state.members.get(vdu, ())]
