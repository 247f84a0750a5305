"""IP addresses and subnets: well-formed, and inside of what they belong to."""

from __future__ import annotations

import ipaddress

from fairlead.descriptors.network import ConnectionPoint, VirtualLink
from fairlead.descriptors.problems import Problems
from fairlead.descriptors.values import Struct

__all__ = ["check_fixed_addresses", "check_subnet"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_subnet(link: str, data: Struct, problems: Problems) -> None:
    """The subnet of a link (SOL001 L3ProtocolData), its gateway and its pools."""
    cidr = data.get("cidr", "")
    net = _network(cidr)
    if net is None:
        told = f'the cidr "{cidr}" of "{link}" is not a subnet'
        problems.error("bad-address", told, data.mark_of("cidr"), "for example 10.0.0.0/24")
        return
    if data.get("ip_version") is not None and net.version != (4 if data.get("ip_version") == "ipv4" else 6):
        problems.error("bad-address", f"{cidr} is not {data.get('ip_version')}", data.mark_of("cidr"))
    gateway = data.get("gateway_ip")
    if gateway is not None and not _inside(gateway, net):
        told = f'gateway_ip "{gateway}" of "{link}" is not in {cidr}'
        problems.error("bad-address", told, data.mark_of("gateway_ip"))
    for pool in data.get("ip_allocation_pools", ()):
        _check_pool(link, pool, net, problems)


def _check_pool(link: str, pool: Struct, net: Network, problems: Problems) -> None:
    ends = []
    for key in ("start_ip_address", "end_ip_address"):
        text = pool.get(key)
        if text is not None and not _inside(text, net):
            problems.error("bad-address", f'{key} "{text}" of "{link}" is not in {net}', pool.mark_of(key))
        elif text is not None:
            ends.append(int(ipaddress.ip_address(text)))
    if len(ends) == 2 and ends[0] > ends[1]:
        told = f'a pool of "{link}" ends before it begins'
        problems.error("bad-range", told, pool.mark_of("start_ip_address"))


def check_fixed_addresses(point: ConnectionPoint, link: VirtualLink | None, problems: Problems) -> None:
    """The addresses that a connection point brings along are in a subnet of its link, if that has any."""
    nets = [_network(l3.cidr) for l3 in link.l3_protocol_data] if link is not None else []
    for each in (address for protocol in point.protocols for address in protocol.addresses):
        for text in each.fixed:
            address = _address(text)
            if address is None:
                problems.error("bad-address", f'"{text}" of "{point.id}" is not an IP address', each.mark)
            elif nets and all(net is None or address not in net for net in nets):
                told = f'{text} of "{point.id}" is in no subnet of "{point.link}"'
                problems.error("bad-address", told, each.mark)


def _inside(text: str, net: Network) -> bool:
    address = _address(text)
    return address is not None and address in net


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
