"""What can be wrong with a flavour although each of its parts is right: sums, ranges, addresses, names used twice.

These checks run on the finished values, with the marks that those carry, so they are the same however a flavour was
written. Each is one small function over a flavour.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Final

from fairlead.descriptors.compute import Vdu
from fairlead.descriptors.network import L3Protocol, VirtualLink
from fairlead.descriptors.problems import Mark, Problems
from fairlead.descriptors.vnfd import Flavour, InstantiationLevel

__all__ = ["check_flavour"]


def check_flavour(flavour: Flavour, count_marks: Mapping[tuple[str, str], Mark], problems: Problems) -> None:
    """Run every check of this module; `count_marks` are the places of the numbers of VDUs at levels."""
    for check in _CHECKS:
        check(flavour, problems)
    for level in flavour.levels.values():
        _sums(flavour, level, count_marks, problems)


def _instance_ranges(flavour: Flavour, problems: Problems) -> None:
    for vdu in flavour.vdus.values():
        if vdu.min_instances > vdu.max_instances:
            told = f'"{vdu.id}" has at least {vdu.min_instances} and at most {vdu.max_instances} instances'
            problems.error("bad-range", told, vdu.mark)


def _sums(
    flavour: Flavour, level: InstantiationLevel, count_marks: Mapping[tuple[str, str], Mark], problems: Problems
) -> None:
    """A level given both as scale levels and as instances must say the same twice."""
    if not level.scale_levels:
        return
    for name, count in level.instances.items():
        initial = flavour.initial_deltas.get(name)
        if initial is None:
            continue
        reached = initial + sum(
            sum(flavour.aspects[aspect].increments(name)[:scale])
            for aspect, scale in level.scale_levels.items()
            if aspect in flavour.aspects
        )
        if reached != count:
            told = f'the level "{level.id}" has {count} instances of "{name}", and its scale levels come to {reached}'
            problems.warning("level-sum", told, count_marks.get((level.id, name), level.mark))


def _scaling(flavour: Flavour, problems: Problems) -> None:
    """The highest scale level of every aspect must stay within each VDU's maximum."""
    for vdu in flavour.vdus.values():
        aspects = [aspect for aspect in flavour.aspects.values() if vdu.id in aspect.deltas]
        if not aspects:
            continue
        if vdu.id not in flavour.initial_deltas:
            told = f'"{vdu.id}" is scaled, and has no VduInitialDelta; its minimum is taken'
            problems.warning("no-initial-delta", told, vdu.mark)
        _highest(flavour, vdu, problems)


def _highest(flavour: Flavour, vdu: Vdu, problems: Problems) -> None:
    initial = flavour.initial_deltas.get(vdu.id, vdu.min_instances)
    for aspect in flavour.aspects.values():
        if vdu.id in aspect.deltas:
            highest = initial + sum(aspect.increments(vdu.id))
            if highest > vdu.max_instances:
                told = f'"{aspect.id}" scales "{vdu.id}" to {highest} instances, its maximum is {vdu.max_instances}'
                problems.error("level-above-maximum", told, aspect.mark)


def _connection_point_orders(flavour: Flavour, problems: Problems) -> None:
    for vdu in flavour.vdus.values():
        seen: dict[int, str] = {}
        for name in vdu.connection_points:
            point = flavour.connection_points[name]
            if point.order is None:
                continue
            if point.order in seen:
                told = f'"{seen[point.order]}" and "{name}" of "{vdu.id}" both have the order {point.order}'
                problems.error("same-order", told, point.mark)
            seen.setdefault(point.order, name)


def _addresses(flavour: Flavour, problems: Problems) -> None:
    for link in flavour.links.values():
        for l3 in link.l3_protocol_data:
            _subnet(link, l3, problems)
    for point in flavour.connection_points.values():
        own_link = flavour.links.get(point.link) if point.link is not None else None
        nets = [_network(l3.cidr) for l3 in own_link.l3_protocol_data] if own_link is not None else []
        for text in point.fixed_ip_addresses:
            address = _address(text)
            if address is None:
                problems.error("bad-address", f'"{text}" of "{point.id}" is not an IP address', point.mark)
            elif nets and all(net is None or address not in net for net in nets):
                problems.error("bad-address", f'{text} of "{point.id}" is in no subnet of "{point.link}"', point.mark)


def _subnet(link: VirtualLink, l3: L3Protocol, problems: Problems) -> None:
    net = _network(l3.cidr)
    if net is None:
        problems.error(
            "bad-address", f'the cidr "{l3.cidr}" of "{link.id}" is not a subnet', l3.mark, "for example 10.0.0.0/24"
        )
        return
    if net.version != (4 if l3.ip_version == "ipv4" else 6):
        problems.error("bad-address", f"{l3.cidr} is not {l3.ip_version}", l3.mark)
    inside = {"gateway_ip": [l3.gateway_ip] if l3.gateway_ip else []}
    inside["ip_allocation_pools"] = [text for pool in l3.allocation_pools for text in (pool.start, pool.end)]
    for key, texts in inside.items():
        for text in texts:
            address = _address(text)
            if address is None or address not in net:
                problems.error("bad-address", f'{key} "{text}" of "{link.id}" is not in {l3.cidr}', l3.mark)


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _unused(flavour: Flavour, problems: Problems) -> None:
    used = {name for vdu in flavour.vdus.values() for name in vdu.storages}
    for storage in flavour.storages.values():
        if storage.id not in used:
            problems.warning("unused", f'no VDU uses the storage "{storage.id}"', storage.mark)
    linked = {point.link for point in flavour.connection_points.values()} | set(flavour.external.values())
    linked |= {storage.link for storage in flavour.storages.values()}
    for link in flavour.links.values():
        if link.id not in linked:
            problems.warning("unused", f'nothing is connected to the link "{link.id}"', link.mark)


_CHECKS: Final[tuple[Callable[[Flavour, Problems], None], ...]] = (
    _instance_ranges,
    _scaling,
    _connection_point_orders,
    _addresses,
    _unused,
)
