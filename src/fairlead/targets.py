"""Which addresses may be called for somebody: a server that calls what it is told to must not reach what only it can.

Loopback is this machine, link-local addresses hold the metadata services of clouds with their credentials, and neither is
ever where packages or subscribers are. What is inside an IPv6 address that carries an IPv4 one counts like that one. Private
networks are allowed: that is where most of them stand.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from fairlead.errors import FairleadError

__all__ = ["Network", "networks", "refusal"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(each)
    for each in ("fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32")
)
"""Metadata services at addresses that are not link-local: of Amazon over IPv6, Alibaba, Oracle and Azure."""
_NAT64: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def networks(text: str, setting: str) -> tuple[Network, ...]:
    """The networks in `setting`, apart by commas. Raises FairleadError (`settings-invalid`)."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise FairleadError(
            f"'{setting}' is no list of networks: {error}.",
            code="settings-invalid",
            place=setting,
            remedy="Write networks such as 127.0.0.0/8, apart by commas.",
        ) from None


def refusal(text: str, allowed: Sequence[Network] = ()) -> str | None:
    """Why the address `text` is not called; None if it may be."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if any(address in network for network in allowed):
        return None
    for one in (address, *_within(address)):
        if any(one in network for network in allowed):
            continue
        reason = _reason(one)
        if reason is not None:
            return reason
    return None


def _reason(address: Address) -> str | None:
    reasons = {
        "is this machine itself": address.is_loopback or address.is_unspecified,
        "is link-local, where metadata services are": address.is_link_local,
        "is of a metadata service": any(address in network for network in _METADATA),
        "is no address of one machine": address.is_multicast or _reserved(address),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _reserved(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_reserved or address in ipaddress.ip_network("0.0.0.0/8")
    return False


def _within(address: Address) -> Iterable[Address]:
    """The IPv4 addresses that an IPv6 address stands for, by the ways there are to translate or tunnel."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _NAT64) or (int(address) >> 32 == 0 and int(address) > 1):
        yield low
