"""Which addresses of a subnet the engine's bridge and its dynamic addresses get; pure.

An engine puts an address of its own on every bridge (`Gateway` in its words) and gives out dynamic addresses from one CIDR
(`IPRange`). A network function often wants to be the gateway itself, and descriptors mix fixed and dynamic addresses, so:

- On an internal network the bridge takes the last usable address that is neither the gateway asked for nor in a pool; on a
  network with a way out the engine's host *is* the gateway, so the bridge takes the gateway asked for.
- Without pools, dynamic addresses come from the upper half of the subnet: they cannot take a low address that another
  port, started a moment later, wants as fixed.
- Which addresses of our networks are given out is decided here, from the ranges that the network carries as a label: an engine
  forgets the address of a container that is stopped. Its own dynamic addresses are kept to the same range where it is one CIDR.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Set
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import Any

from fairlead.errors import VimFull, VimRefused
from fairlead.resources import Subnet

__all__ = ["choose", "ipam", "pools_label", "pools_of"]

Address = IPv4Address | IPv6Address
Range = tuple[Address, Address]
_SMALLEST_HALVED = 28
"""The longest IPv4 prefix whose subnet is halved: below that, half is too few."""
_SIX_BRIDGE = 0xFFFF
"""Where the search for the bridge's address begins in an IPv6 subnet."""
_TRIES = 64


def ipam(subnet: Subnet, *, internal: bool) -> dict[str, str]:
    """The engine's words for a subnet.

    Raises VimRefused (`bad-subnet`) for one that cannot be.
    """
    network, pools = _parsed(subnet)
    gateway = _inside(network, subnet.gateway) if subnet.gateway else None
    bridge = gateway if gateway is not None and not internal else _bridge(network, gateway, pools)
    config = {"Subnet": str(network), "Gateway": str(bridge)}
    dynamic = _one_cidr(pools) if pools else _upper_half(network)
    if dynamic is not None:
        config["IPRange"] = str(dynamic)
    return config


def pools_label(subnets: Iterable[Subnet]) -> str:
    """The ranges that addresses are chosen from, as a label; of an IPv6 subnet without pools there are none."""
    ranges = []
    for subnet in subnets:
        network, pools = _parsed(subnet)
        ranges += pools or _dynamic(network, subnet.gateway)
    return ",".join(f"{first}-{last}" for first, last in ranges)


def pools_of(label: str) -> tuple[Range, ...]:
    """The pools in a label."""
    pairs = (part.split("-") for part in label.split(",") if part)
    return tuple((ip_address(first), ip_address(last)) for first, last in pairs)


def choose(pools: Iterable[Range], taken: Set[str], what: str) -> tuple[str, ...]:
    """A free address in `pools` of each family that they have, at random, so that two who choose at once seldom meet.

    Raises VimFull (`no-free-address`) when there is none.
    """
    families: dict[int, list[tuple[Address, int]]] = {}
    for first, last in pools:
        families.setdefault(first.version, []).append((first, int(last) - int(first) + 1))
    return tuple(_chosen(ranges, taken, what) for ranges in families.values())


def _chosen(ranges: list[tuple[Address, int]], taken: Set[str], what: str) -> str:
    total = sum(size for _, size in ranges)
    for _ in range(_TRIES):
        address = _nth(ranges, random.randrange(total))
        if address not in taken:
            return address
    for index in range(min(total, 2**16)):
        if (address := _nth(ranges, index)) not in taken:
            return address
    raise VimFull(
        f"All addresses in the pools of {what} are in use.",
        code="no-free-address",
        cause=f"{total} addresses, {len(taken)} taken",
        remedy="Make the pools larger, or free addresses in them.",
    )


def _nth(ranges: list[tuple[Address, int]], index: int) -> str:
    for first, size in ranges:
        if index < size:
            return str(first + index)
        index -= size
    raise IndexError(index)


def _parsed(subnet: Subnet) -> tuple[IPv4Network | IPv6Network, list[Range]]:
    try:
        network = ip_network(subnet.cidr, strict=False)
        pools: list[Range] = [(ip_address(first), ip_address(last)) for first, last in subnet.pools]
    except ValueError as error:
        raise _bad(subnet, str(error)) from error
    for first, last in pools:
        if first not in network or last not in network or int(first) > int(last):
            raise _bad(subnet, f"the pool {first} to {last} is not a range in it")
    return network, pools


def _inside(network: IPv4Network | IPv6Network, text: str) -> Address:
    try:
        address = ip_address(text)
    except ValueError as error:
        raise _bad(network, str(error)) from error
    if address not in network:
        raise _bad(network, f"the gateway {text} is not in it")
    return address


def _bridge(network: IPv4Network | IPv6Network, gateway: Address | None, pools: list[Range]) -> Address:
    first, last = network.network_address, network.broadcast_address
    if network.prefixlen < network.max_prefixlen - 1:
        first, last = first + 1, last - (1 if network.version == 4 else 0)
    if network.version == 6 and int(last) - int(first) > _SIX_BRIDGE:
        last = network.network_address + _SIX_BRIDGE  # Docker cannot give the end of so large a subnet
    candidate: Address = last
    while int(candidate) >= int(first):
        pool = next((pool for pool in pools if int(pool[0]) <= int(candidate) <= int(pool[1])), None)
        if pool is not None:
            if int(pool[0]) == 0:
                break
            candidate = pool[0] - 1
        elif candidate == gateway:
            candidate -= 1
        else:
            return candidate
    return (
        last if last != gateway else last - 1
    )  # the pools leave nothing: the engine keeps its own address out of them


def _one_cidr(pools: list[Range]) -> IPv4Network | IPv6Network | None:
    if len(pools) != 1:
        return None
    first, last = pools[0]
    if isinstance(first, IPv4Address) and isinstance(last, IPv4Address):
        parts: list[Any] = list(summarize_address_range(first, last))
    elif isinstance(first, IPv6Address) and isinstance(last, IPv6Address):
        parts = list(summarize_address_range(first, last))
    else:
        return None
    return parts[0] if len(parts) == 1 else None


def _dynamic(network: IPv4Network | IPv6Network, gateway: str | None) -> list[Range]:
    """Where addresses come from when a subnet has no pools; a gateway of the descriptor's is for whoever asks for it."""
    if isinstance(network, IPv6Network) or network.prefixlen > 30:
        return []
    part = _upper_half(network) or network
    first, last = part[0] if part != network else part[1], part[-2]
    middle = ip_address(gateway) if gateway else None
    if middle is None or middle.version == 6 or not int(first) <= int(middle) <= int(last):
        return [(first, last)]
    return [(a, b) for a, b in ((first, middle - 1), (middle + 1, last)) if int(a) <= int(b)]


def _upper_half(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network | None:
    if network.version == 6 or network.prefixlen > _SMALLEST_HALVED:
        return None
    return list(network.subnets(prefixlen_diff=1))[1]


def _bad(subnet: object, why: str) -> VimRefused:
    what = subnet.cidr if isinstance(subnet, Subnet) else subnet
    return VimRefused(
        f"The subnet '{what}' cannot be made: {why}.",
        code="bad-subnet",
        cause=why,
        remedy="Correct the virtual link's address data.",
    )
