"""Security groups: what may pass at the ports that carry one.

Neutron puts rules of its own into a new group, which let everything out; ours has exactly the rules that are asked for,
so those are kept or taken away as any other. A group counts as made when it has its rules; what was found half made is
finished. Rules are changed in place, what is new before what goes, so nothing that is to pass is ever held up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from fairlead.errors import VimError, VimUnavailable
from fairlead.resources import (
    Failed,
    Handle,
    Observed,
    Outputs,
    Pending,
    Resource,
    SecurityGroupSpec,
    SecurityRule,
    Seen,
    Tag,
)
from fairlead.vims.openstack.cloud import to
from fairlead.vims.openstack.neutron import Described
from fairlead.vims.openstack.refusals import Taken, concerning
from fairlead.vims.openstack.rules import SecurityGroupRules
from fairlead.vims.openstack.tags import readable

__all__ = ["SecurityGroupKind"]

_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
"""What Neutron calls those that it shows by name whichever way they were asked for; all others are shown as they were."""
_NUMBERS = {name: number for number, name in _PROTOCOLS.items()}
_FIELDS = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max")
_OTHERS = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")
_ALL_PORTS = (1, 65535)

Words = tuple[Any, ...]
"""A rule in Neutron's words: `_FIELDS`, then whom it is about, None for everybody."""


class SecurityGroupKind(Described, SecurityGroupRules):
    """How a SecurityGroupSpec lives on Neutron."""

    sort, collection, member, noun = "security-group", "/security-groups", "security_group", "security group"
    extension = "security-group"

    async def create(self, resource: Resource[SecurityGroupSpec], tag: Tag) -> Handle:
        spec = resource.spec
        with concerning(resource.name):
            made = await self._make({"name": readable(spec.label)}, tag, f"create security group '{spec.label}'")
            handle = Handle(made["id"])
            try:
                made["security_group_rules"] = await self._reconcile(handle, made["security_group_rules"], spec)
            except VimUnavailable:
                raise
            except VimError:
                with suppress(VimError):
                    await self.delete(handle)
                raise
        self._answers.note(self.sort, handle, self.view(made))
        return handle

    async def find(self, tag: Tag, resource: Resource[SecurityGroupSpec]) -> Handle | None:
        handle = await super().find(tag, resource)
        if handle is not None:
            await self._reconcile(handle, await self._rules(handle), resource.spec)
        return handle

    def view(self, seen: Mapping[str, Any]) -> Observed:
        rules = sorted((list(_words(rule)) for rule in seen["security_group_rules"]), key=str)
        return {"id": seen["id"], "name": seen["name"], "rules": rules}

    def settled(self, observed: Observed, spec: SecurityGroupSpec) -> bool:
        there = {tuple(rule) for rule in observed["rules"]}
        return observed["name"] == readable(spec.label) and there == {_asked(rule) for rule in spec.rules}

    def seen(self, observed: Observed, spec: SecurityGroupSpec, outputs: Outputs) -> Seen | Pending | Failed:
        there = {tuple(rule) for rule in observed["rules"]}
        kept = tuple(rule for rule in spec.rules if _asked(rule) in there)
        others = sorted(there - {_asked(rule) for rule in kept}, key=str)
        added = tuple(_rule(words) for words in others if _is_sayable(words))
        amiss = tuple(f"it has a rule that is not ours: {_shown(words)}" for words in others if not _is_sayable(words))
        label = spec.label if observed["name"] == readable(spec.label) else observed["name"]
        return Seen(msgspec.structs.replace(spec, label=label, rules=kept + added), amiss)

    async def update(self, handle: Handle, old: SecurityGroupSpec, new: SecurityGroupSpec) -> None:
        await self._change(handle, {"name": readable(new.label)}, f"change security group '{new.label}'")
        await self._reconcile(handle, await self._rules(handle), new)

    async def _rules(self, handle: Handle) -> list[dict[str, Any]]:
        path = f"{self.collection}{to(handle)}"
        seen: list[dict[str, Any]] = (await self._cloud.get("network", path, "show a security group"))[self.member][
            "security_group_rules"
        ]
        return seen

    async def _reconcile(
        self, group: Handle, there: Iterable[Mapping[str, Any]], spec: SecurityGroupSpec
    ) -> list[Mapping[str, Any]]:
        """Bring the rules from `there` to those of `spec`; returns what there is then."""
        wanted = {_asked(rule) for rule in spec.rules}
        kept: dict[Words, Mapping[str, Any]] = {}
        surplus = []
        for rule in there:
            if _words(rule) in wanted and _words(rule) not in kept:
                kept[_words(rule)] = rule
            else:
                surplus.append(rule)
        missing = sorted(wanted - kept.keys(), key=str)
        what = f"give security group '{spec.label}' its rules"
        if missing:
            bodies = [
                {"security_group_id": group, **dict(zip((*_FIELDS, *_OTHERS), rule, strict=True))} for rule in missing
            ]
            with suppress(Taken):  # another has added it since; what there is shows in the end
                made = await self._cloud.post(
                    "network", "/security-group-rules", what, {"security_group_rules": bodies}
                )
                kept |= {_words(rule): rule for rule in made["security_group_rules"]}
        for rule in surplus:
            await self._cloud.delete("network", to("security-group-rules", rule["id"]), what)
        return list(kept.values())


def _asked(rule: SecurityRule) -> Words:
    """A rule of ours in Neutron's words: it has no port 0, and no word for all ports but none."""
    protocol = None if rule.protocol is None else _PROTOCOLS.get(rule.protocol, str(rule.protocol))
    if rule.ether_type == "ipv6" and protocol == "icmp":
        protocol = "ipv6-icmp"
    first, last = rule.first, rule.last
    if first is not None or last is not None:
        first, last = max(first or 1, 1), max(_ALL_PORTS[1] if last is None else last, 1)
    if (first, last) == _ALL_PORTS:
        first = last = None
    return rule.direction, "IPv6" if rule.ether_type == "ipv6" else "IPv4", protocol, first, last, None, None, None


def _is_sayable(words: Words) -> bool:
    """Whether a rule of ours could be this one: those are for everybody."""
    protocol = words[2]
    numbered = protocol is None or protocol in _NUMBERS or str(protocol).isdigit()
    return numbered and not any(words[len(_FIELDS) :])


def _rule(words: Words) -> SecurityRule:
    direction, ether_type, protocol, first, last, *_ = words
    number = None if protocol is None else _NUMBERS[protocol] if protocol in _NUMBERS else int(protocol)
    return SecurityRule(direction=direction, ether_type=ether_type.lower(), protocol=number, first=first, last=last)


def _shown(words: Words) -> str:
    fields = (*_FIELDS, *_OTHERS)
    return ", ".join(f"{field} {value}" for field, value in zip(fields, words, strict=True) if value is not None)


def _words(seen: Mapping[str, Any]) -> Words:
    return tuple(seen.get(field) for field in (*_FIELDS, *_OTHERS))
