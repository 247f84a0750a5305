"""What is left of a project's quotas for what a plan makes. A service that does not tell its quotas is told of, no more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.errors import VimError
from fairlead.vims.needs import Lack, Need, room_lacks
from fairlead.vims.openstack.cloud import Cloud, to
from fairlead.vims.openstack.flavours import Flavour
from fairlead.vims.openstack.volumes import gibibytes

__all__ = ["room_lacks_on"]

_OF_NEUTRON = {
    "link": ("network", "networks"),
    "port": ("port", "ports"),
    "security-group": ("security_group", "security groups"),
    "router": ("router", "routers"),
    "floating-ip": ("floatingip", "floating IPs"),
    "trunk": ("trunk", "trunks"),
}
"""The quota of each sort, and the word for what it counts."""
Numbered = tuple[int, Need]
Taken = list[tuple[int, Need, int]]


async def room_lacks_on(
    cloud: Cloud, by_sort: Mapping[str, Sequence[Numbered]], fitting: Mapping[int, Flavour | None]
) -> list[Lack]:
    """The quotas that what is to be made would exceed. `fitting` has the flavour of each machine."""

    def added(sort: str) -> list[Numbered]:
        return [(number, need) for number, need in by_sort.get(sort, ()) if need.adds and need.resource is not None]

    parts = await asyncio.gather(
        _of_nova(cloud, added("machine"), added("group"), fitting),
        _of_neutron(cloud, {sort: added(sort) for sort in _OF_NEUTRON}),
        _of_cinder(cloud, added("volume")),
    )
    return [lack for part in parts for lack in part]


async def _of_nova(
    cloud: Cloud,
    machines: Sequence[Numbered],
    groups: Sequence[Numbered],
    fitting: Mapping[int, Flavour | None],
) -> list[Lack]:
    if not machines and not groups:
        return []
    try:
        limits: Mapping[str, Any] = (await cloud.get("compute", "/limits", "tell the limits"))["limits"]["absolute"]
    except VimError as error:
        return [_untold([*machines, *groups][0][0], "Nova", error)]
    cores: Taken = []
    memory: Taken = []
    for number, need in machines:
        flavour = fitting.get(number)
        if flavour is None and (need.brought or not cloud.settings.create_flavours):
            continue  # a template may make one; else it is told of the machine that there is none
        cores.append((number, need, flavour.cores if flavour else max(int(need.cpus or 1), 1)))
        memory.append((number, need, flavour.memory if flavour else int(need.memory or 0) // 2**20))
    asked = (
        ("servers", _ones(machines), "maxTotalInstances", "totalInstancesUsed"),
        ("cores", cores, "maxTotalCores", "totalCoresUsed"),
        ("MiB of memory", memory, "maxTotalRAMSize", "totalRAMUsed"),
        ("server groups", _ones(groups), "maxServerGroups", "totalServerGroupsUsed"),
    )
    return [
        lack
        for what, taken, limit, used in asked
        for lack in room_lacks(taken, what, int(limits.get(limit, -1)), int(limits.get(used, 0)))
    ]


async def _of_neutron(cloud: Cloud, needs: Mapping[str, Sequence[Numbered]]) -> list[Lack]:
    first = next((number for asked in needs.values() for number, _ in asked), None)
    if first is None:
        return []
    try:
        project, _ = await cloud.about()
        path = to("quotas", project) + "/details"
        quota: Mapping[str, Any] = (await cloud.get("network", path, "tell the quotas"))["quota"]
    except VimError as error:
        return [_untold(first, "Neutron", error)]
    asked = [(quota_name, what, _ones(needs[sort])) for sort, (quota_name, what) in _OF_NEUTRON.items()]
    asked.append(("subnet", "subnets", [(number, need, len(need.ranges)) for number, need in needs["link"]]))
    rules = [(number, need, need.number) for number, need in needs["security-group"]]
    asked.append(("security_group_rule", "security group rules", rules))
    found = []
    for quota_name, what, taken in asked:
        told = quota.get(quota_name) or {}
        used = int(told.get("used", 0)) + int(told.get("reserved", 0))
        found += room_lacks(taken, what, int(told.get("limit", -1)), used)
    return found


async def _of_cinder(cloud: Cloud, volumes: Sequence[Numbered]) -> list[Lack]:
    if not volumes:
        return []
    try:
        answer = await cloud.get("block-storage", "/limits", "tell the limits")
    except VimError as error:
        return [_untold(volumes[0][0], "Cinder", error)]
    limits: Mapping[str, Any] = answer["limits"]["absolute"]
    sizes = [(number, need, gibibytes(need.disk or 0)) for number, need in volumes]
    most, used = int(limits.get("maxTotalVolumeGigabytes", -1)), int(limits.get("totalGigabytesUsed", 0))
    return [
        *room_lacks(
            _ones(volumes), "volumes", int(limits.get("maxTotalVolumes", -1)), int(limits.get("totalVolumesUsed", 0))
        ),
        *room_lacks(sizes, "GiB of volumes", most, used),
    ]


def _ones(needs: Sequence[Numbered]) -> Taken:
    return [(number, need, 1) for number, need in needs]


def _untold(number: int, service: str, error: VimError) -> Lack:
    detail = f"The quotas of {service} are not known: {error.cause or error.detail}"
    return Lack(need=number, code="quota-not-known", detail=detail, severity="warning")
