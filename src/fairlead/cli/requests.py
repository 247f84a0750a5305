"""Options of the command line into ETSI's requests (SOL003, section 5.5.2). Pure.

An external link is written `LINK=RESOURCE:CPD[:ADDRESS]`: our name for the link, the network in the VIM, the connection
point of the VNFD that goes there, and what address it gets. ADDRESS is a list by commas of IP addresses and at most one
MAC address; `none` is no IP address at all, and nothing is one address that the network chooses. Only the first two
colons separate, so IPv6 and MAC addresses stand as they are. The same LINK again adds a connection point to it; the
same CPD again adds an instance of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

import click

from fairlead.cli.values import pair

__all__ = ["external_links", "managed_links", "merged", "without_nothing"]

Document = dict[str, Any]

_MAC = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")
_EXT_LINK = "--ext-link"


def external_links(options: Iterable[str], *, connection: str | None) -> list[Document]:
    """ETSI's `extVirtualLinks` (ExtVirtualLinkData); `connection` is the id of the VIM connection that they are in."""
    links: dict[str, Document] = {}
    for text in options:
        name, rest = pair(text, option=_EXT_LINK)
        resource, _, more = rest.partition(":")
        cpd, _, addresses = more.partition(":")
        if not resource or not cpd:
            raise click.BadParameter(f"{text!r} is not LINK=RESOURCE:CPD[:ADDRESS].", param_hint=_EXT_LINK)
        link = links.setdefault(name, _link(name, resource, connection))
        if link["resourceId"] != resource:
            raise click.BadParameter(
                f"the link {name!r} is in {link['resourceId']!r} and in {resource!r}; it can be in one network only.",
                param_hint=_EXT_LINK,
            )
        _attach(link["extCps"], cpd, addresses)
    return list(links.values())


def managed_links(options: Iterable[str], *, connection: str | None) -> list[Document]:
    """ETSI's `extManagedVirtualLinks`: `DESC=RESOURCE`, an internal link of the VNFD and the network to use for it."""
    found = []
    for text in options:
        descriptor, resource = pair(text, option="--managed-link")
        link: Document = {"id": descriptor, "vnfVirtualLinkDescId": descriptor, "resourceId": resource}
        found.append(link | ({"vimConnectionId": connection} if connection else {}))
    return found


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Document:
    """A request from a file with what the options say put over it: lists are added to, objects merged, the rest replaced."""
    found = dict(base)
    for key, value in changes.items():
        before = found.get(key)
        if isinstance(before, list) and isinstance(value, list):
            found[key] = before + value
        elif isinstance(before, dict) and isinstance(value, dict):
            found[key] = before | value
        else:
            found[key] = value
    return found


def without_nothing(document: Mapping[str, Any]) -> Document:
    """`document` without the fields that were not given."""
    return {key: value for key, value in document.items() if value is not None and value != [] and value != {}}


def _link(name: str, resource: str, connection: str | None) -> Document:
    link: Document = {"id": name, "resourceId": resource, "extCps": []}
    return link | ({"vimConnectionId": connection} if connection else {})


def _attach(points: list[Document], cpd: str, addresses: str) -> None:
    point = next((one for one in points if one["cpdId"] == cpd), None)
    if point is None:
        point = {"cpdId": cpd, "cpConfig": {}}
        points.append(point)
    configurations = point["cpConfig"]
    key = cpd if not configurations else f"{cpd}-{len(configurations) + 1}"
    configurations[key] = {
        "cpProtocolData": [{"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": _ethernet(addresses)}]
    }


def _ethernet(addresses: str) -> Document:
    found: Document = {}
    fixed: dict[str, list[str]] = {}
    wanted = [part.strip() for part in addresses.split(",") if part.strip()]
    for part in wanted:
        if part == "none":
            continue
        if _MAC.fullmatch(part):
            found["macAddress"] = part
            continue
        try:
            version = ipaddress.ip_address(part).version
        except ValueError:
            raise click.BadParameter(
                f"{part!r} is not an IP or MAC address, nor `none`.", param_hint=_EXT_LINK
            ) from None
        fixed.setdefault(f"IPV{version}", []).append(part)
    if fixed:
        found["ipAddresses"] = [{"type": version, "fixedAddresses": listed} for version, listed in fixed.items()]
    elif "none" not in wanted:
        found["ipAddresses"] = [{"type": "IPV4", "numDynamicAddresses": 1}]
    return found
