"""What a cloud has of what a package or a plan takes for granted: images, flavours, networks, zones, a flavour for each machine;
and, of a plan, free addresses, volume types and what is left of the quotas (`room`).

Each question is asked once, all of them at the same time, and every lack is told. What others have in a network that is not ours
cannot be seen, so an address there may be in use all the same.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from fairlead.errors import VimRefused
from fairlead.vims.needs import Lack, Missing, Need, NeedSort, within
from fairlead.vims.openstack.cloud import Cloud, is_id, to
from fairlead.vims.openstack.composition import FLAVOUR, sized
from fairlead.vims.openstack.flavours import Flavour, Flavours, Size, chosen, fits, named
from fairlead.vims.openstack.inventory import zones_of
from fairlead.vims.openstack.room import room_lacks_on
from fairlead.vims.openstack.routers import Outside

__all__ = ["missing_on"]

_SORTS: tuple[NeedSort, ...] = (
    "image", "flavour", "network", "zone", "machine", "link", "port", "address", "volume", "group", "security-group",
    "router", "floating-ip", "trunk",
)  # fmt: skip
T = TypeVar("T")
Numbered = tuple[int, Need]


async def missing_on(cloud: Cloud, flavours: Flavours, needs: Sequence[Need]) -> Missing:
    """What of `needs` is not there. Raises VimError."""
    by_sort: dict[str, list[Numbered]] = {}
    for number, need in enumerate(needs):
        by_sort.setdefault(need.sort, []).append((number, need))
    machines, volumes = by_sort.get("machine", []), by_sort.get("volume", [])
    there = await flavours.all(at_once=True) if "flavour" in by_sort or machines else ()
    fitting = {number: _flavour_for(need, there) for number, need in machines}
    parts = await asyncio.gather(
        _each(by_sort.get("image", []), lambda number, need: _image(cloud, number, need)),
        _each(by_sort.get("network", []), lambda number, need: _network(cloud, number, need)),
        _zones(cloud, by_sort.get("zone", []), _ours(machines)),
        _keys(cloud, _ours(machines)),
        _types(cloud, _ours(volumes)),
        _addresses(cloud, by_sort.get("address", [])),
        _each(
            [*by_sort.get("router", []), *by_sort.get("floating-ip", [])],
            partial(_outside_network, cloud, Outside(cloud)),
        ),
        room_lacks_on(cloud, by_sort, fitting),
    )
    found = [lack for part in parts for lack in part]
    found += [lack for number, need in by_sort.get("flavour", []) if (lack := _flavour(number, need, there))]
    found += [
        lack for number, need in _ours(machines) if (lack := _machine(cloud, number, need, there, fitting[number]))
    ]
    return Missing(_SORTS, tuple(sorted(found, key=lambda lack: lack.need)))


def _ours(needs: Sequence[Numbered]) -> list[Numbered]:
    """Those of what is made as its need says it."""
    return [(number, need) for number, need in needs if not need.brought]


async def _each(needs: Sequence[Numbered], look: Callable[[int, Need], Awaitable[Lack | None]]) -> list[Lack]:
    found = await asyncio.gather(*(look(number, need) for number, need in needs))
    return [lack for lack in found if lack is not None]


async def _image(cloud: Cloud, number: int, need: Need) -> Lack | None:
    seen = await cloud.get("image", "/images", "look for an image", name=need.name, status="active")
    if len(seen["images"]) > 1:
        detail = f"Glance has {len(seen['images'])} images called '{need.name}'."
        return Lack(need=number, code="image-ambiguous", detail=detail, remedy="Leave one of this name.")
    if seen["images"]:
        return None
    remedy = f"Upload it, for instance with: openstack image create {need.name} --file FILE; or ship it in the package."
    return Lack(need=number, code="vim-lacks-image", detail=f"The cloud has no image '{need.name}'.", remedy=remedy)


async def _networks_called(cloud: Cloud, name: str) -> list[Mapping[str, Any]]:
    if is_id(name):
        seen = await cloud.look("network", to("networks", name), "show a network")
        return [] if seen is None else [seen["network"]]
    answer = await cloud.get("network", "/networks", "look for a network", name=name, fields=["id"])
    return list(answer["networks"])


async def _network(cloud: Cloud, number: int, need: Need) -> Lack | None:
    there = await _networks_called(cloud, need.name)
    if len(there) > 1:
        detail = f"There are {len(there)} networks called '{need.name}'."
        remedy = "Name the one that is meant by its id."
        return Lack(need=number, code="network-ambiguous", detail=detail, remedy=remedy)
    if there:
        return None
    remedy = f"Create it, for instance with: openstack network create {need.name}"
    return Lack(need=number, code="vim-lacks-network", detail=f"The cloud has no network '{need.name}'.", remedy=remedy)


async def _outside_network(cloud: Cloud, outside: Outside, number: int, need: Need) -> Lack | None:
    """The external network that a router or a floating IP is on, by name, by id or by the VIM's choice."""
    try:
        found = await outside.network(need.network)
    except VimRefused as error:
        detail = f"{error.detail} ({error.cause})"
        return Lack(need=number, code=error.code, detail=detail, remedy=error.remedy)
    return (
        None
        if await _networks_called(cloud, found)
        else await _network(cloud, number, Need(sort="network", name=found))
    )


async def _zones(cloud: Cloud, needs: Sequence[Numbered], machines: Sequence[Numbered]) -> list[Lack]:
    """Zones that are named, by a need, for a machine, or by the settings for all machines that name none."""
    named_by = [(number, need.name) for number, need in needs]
    plain = cloud.settings.zone
    for number, need in machines:
        if need.resource is not None and (zone := need.zone or plain) is not None:
            named_by.append((number, zone))
    there = await zones_of(cloud) if named_by else ()
    remedy = f"Its zones are {', '.join(there) or 'none'}."
    return [
        Lack(need=number, code="vim-lacks-zone", detail=f"The cloud has no zone '{zone}'.", remedy=remedy)
        for number, zone in named_by
        if zone not in there
    ]


async def _keys(cloud: Cloud, machines: Sequence[Numbered]) -> list[Lack]:
    """The key pair of the settings, for what is to be made of a plan."""
    number = next((number for number, need in machines if need.resource is not None), None)
    key = cloud.settings.key
    if key is None or number is None:
        return []
    if await cloud.look("compute", to("os-keypairs", key), "show a key pair") is not None:
        return []
    remedy = "Create it as the user of the VIM's credentials, or change the VIM's setting key."
    return [Lack(need=number, code="vim-lacks-key", detail=f"The cloud has no key pair '{key}'.", remedy=remedy)]


async def _types(cloud: Cloud, volumes: Sequence[Numbered]) -> list[Lack]:
    wanted = [(number, need.type or cloud.settings.volume_type) for number, need in volumes]
    if not any(name for _, name in wanted):
        return []
    listed = (await cloud.get("block-storage", "/types", "list volume types"))["volume_types"]
    there = {one[field] for one in listed for field in ("id", "name")}
    remedy = f"Its types are {', '.join(sorted(one['name'] for one in listed)) or 'none'}."
    return [
        Lack(need=number, code="vim-lacks-volume-type", detail=f"The cloud has no volume type '{name}'.", remedy=remedy)
        for number, name in wanted
        if name is not None and name not in there
    ]


# -- addresses -----------------------------------------------------------------------------------------------------------


async def _addresses(cloud: Cloud, needs: Sequence[Numbered]) -> list[Lack]:
    """Whether each address lies in a subnet of its network, and nobody whom we can see has it."""
    found = [
        _outside(number, need, need.ranges)
        for number, need in needs
        if need.network is None and not within(need, need.ranges)
    ]
    networks: dict[str, list[Numbered]] = {}
    for number, need in needs:
        if need.network is not None:
            networks.setdefault(need.network, []).append((number, need))
    parts = await asyncio.gather(*(_on_network(cloud, name, asked) for name, asked in networks.items()))
    return [*found, *(lack for part in parts for lack in part)]


async def _on_network(cloud: Cloud, name: str, needs: Sequence[Numbered]) -> list[Lack]:
    there = await _networks_called(cloud, name)
    if len(there) != 1:
        return []  # that is told of the network itself
    network = there[0]["id"]
    query = {"network_id": network, "fixed_ips": [f"ip_address={need.name}" for _, need in needs]}
    subnets, ports = await asyncio.gather(
        cloud.get("network", "/subnets", "list subnets", network_id=network, fields=["cidr"]),
        cloud.get("network", "/ports", "list ports", **query, fields=["id", "fixed_ips", "device_owner"]),
    )
    ranges = [one["cidr"] for one in subnets["subnets"]]
    held = {fixed["ip_address"]: port for port in ports["ports"] for fixed in port["fixed_ips"]}
    found = []
    for number, need in needs:
        if not within(need, ranges):
            found.append(_outside(number, need, ranges))
        elif need.name in held:
            port = held[need.name]
            detail = f"The address {need.name} is in use by port {port['id']} ({port['device_owner'] or 'no device'})."
            remedy = "Choose another address, or remove what has it."
            found.append(Lack(need=number, code="address-in-use", detail=detail, remedy=remedy))
    return found


def _outside(number: int, need: Need, ranges: Sequence[str]) -> Lack:
    detail = f"The address {need.name} is in none of the network's subnets ({', '.join(ranges)})."
    remedy = "Choose an address in one of them."
    return Lack(need=number, code="address-outside-network", detail=detail, remedy=remedy)


# -- machines ------------------------------------------------------------------------------------------------------------


def _size(need: Need) -> Size:
    return sized(need.cpus or 1, need.memory or 0, need.disk or 0, need.constraints, from_image=need.from_image)


def _name(need: Need) -> str | None:
    return need.flavour or need.constraints.get(FLAVOUR)


def _flavour_for(need: Need, there: Sequence[Flavour]) -> Flavour | None:
    name = _name(need)
    return named(there, name) if name is not None else chosen(there, _size(need))


def _flavour(number: int, need: Need, there: Sequence[Flavour]) -> Lack | None:
    if named(there, need.name) is not None:
        return None
    remedy = f"Create it, for instance with: openstack flavor create {need.name}"
    return Lack(need=number, code="vim-lacks-flavour", detail=f"The cloud has no flavour '{need.name}'.", remedy=remedy)


def _machine(cloud: Cloud, number: int, need: Need, there: Sequence[Flavour], fitting: Flavour | None) -> Lack | None:
    """Whether there is a flavour for a machine, and whether that holds the machine and its image."""
    size, name = _size(need), _name(need)
    if fitting is None and name is not None:
        return _flavour(number, Need(sort="flavour", name=name), there)
    if fitting is None:
        if cloud.settings.create_flavours:
            return None
        detail = f"No flavour of the cloud holds '{need.name}': {size.words()}."
        remedy = "Create one, or allow Fairlead to with the VIM's setting create_flavours."
        return Lack(need=number, code="vim-lacks-room", detail=detail, remedy=remedy)
    least = Size(0, math.ceil(need.least_memory / 2**20), math.ceil(need.least_disk / 2**30))
    if need.from_image and (fitting.memory < least.memory or 0 < fitting.disk < least.disk):
        detail = (
            f"The flavour '{fitting.name}' has {fitting.memory} MiB of memory and {fitting.disk} GiB of disk; the image"
            f" of '{need.name}' asks for {least.memory} MiB and {least.disk} GiB."
        )
        remedy = "Ask for more memory or disk in the VDU, or correct the image's minimum."
        return Lack(need=number, code="flavour-too-small", detail=detail, remedy=remedy)
    if name is not None and not fits(fitting, size):
        detail = f"The flavour '{fitting.name}' is smaller than what '{need.name}' asks for: {size.words()}."
        return Lack(need=number, code="flavour-too-small", detail=detail, severity="warning")
    return None
