"""What a cloud has of what a package takes for granted: images, flavours, networks, zones, and a flavour for each machine."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fairlead.vims.needs import Lack, Missing, Need
from fairlead.vims.openstack.cloud import Cloud, is_id, to
from fairlead.vims.openstack.flavours import Flavour, Flavours, Size, chosen, named
from fairlead.vims.openstack.inventory import zones_of

__all__ = ["missing_on"]


async def missing_on(cloud: Cloud, flavours: Flavours, needs: Sequence[Need]) -> Missing:
    """What of `needs` is not there. Raises VimError."""
    sorts = {need.sort for need in needs}
    there = await flavours.all(at_once=True) if sorts & {"flavour", "machine"} else ()
    zones = await zones_of(cloud) if "zone" in sorts else ()
    found: list[Lack] = []
    for number, need in enumerate(needs):
        lack: Lack | None = None
        if need.sort == "image":
            lack = await _image(cloud, number, need)
        elif need.sort == "network":
            lack = await _network(cloud, number, need)
        elif need.sort == "flavour" and named(there, need.name) is None:
            remedy = f"Create it, for instance with: openstack flavor create {need.name}"
            lack = Lack(
                need=number, code="vim-lacks-flavour", detail=f"The cloud has no flavour '{need.name}'.", remedy=remedy
            )
        elif need.sort == "zone" and need.name not in zones:
            remedy = f"Its zones are {', '.join(zones) or 'none'}."
            lack = Lack(
                need=number, code="vim-lacks-zone", detail=f"The cloud has no zone '{need.name}'.", remedy=remedy
            )
        elif need.sort == "machine":
            lack = _machine(cloud, number, need, there)
        if lack is not None:
            found.append(lack)
    return Missing(("image", "flavour", "network", "zone", "machine"), tuple(found))


async def _image(cloud: Cloud, number: int, need: Need) -> Lack | None:
    seen = await cloud.get("image", "/images", "look for an image", name=need.name, status="active")
    if seen["images"]:
        return None
    remedy = f"Upload it, for instance with: openstack image create {need.name} --file FILE; or ship it in the package."
    return Lack(need=number, code="vim-lacks-image", detail=f"The cloud has no image '{need.name}'.", remedy=remedy)


async def _network(cloud: Cloud, number: int, need: Need) -> Lack | None:
    if is_id(need.name):
        there = await cloud.look("network", to("networks", need.name), "show a network") is not None
    else:
        seen = await cloud.get("network", "/networks", "look for a network", name=need.name, fields="id")
        there = bool(seen["networks"])
    if there:
        return None
    remedy = f"Create it, for instance with: openstack network create {need.name}"
    return Lack(need=number, code="vim-lacks-network", detail=f"The cloud has no network '{need.name}'.", remedy=remedy)


def _machine(cloud: Cloud, number: int, need: Need, there: Sequence[Flavour]) -> Lack | None:
    size = Size(
        max(math.ceil(need.cpus or 1), 1), math.ceil((need.memory or 0) / 2**20), math.ceil((need.disk or 0) / 2**30)
    )
    if cloud.settings.create_flavours or chosen(there, size) is not None:
        return None
    detail = f"No flavour of the cloud holds '{need.name}': {size.words()}."
    remedy = "Create one, or allow Fairlead to with the VIM's setting create_flavours."
    return Lack(need=number, code="vim-lacks-room", detail=detail, remedy=remedy)
