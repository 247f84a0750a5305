"""What is asked of a cloud once, to compare it with the record, and would cost those who wait for a change too much: which
ports each server has, and how the subnets of networks are set."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fairlead.resources import Handle, Observed
from fairlead.vims.openstack.cloud import Cloud, is_id

__all__ = ["add_details"]

_IDS = 40
"""How many ids stand in one request."""
_PORT = ("id", "device_id")
_SUBNET = ("id", "network_id", "cidr", "gateway_ip", "enable_dhcp", "allocation_pools")


async def add_details(cloud: Cloud, found: dict[tuple[str, Handle], Observed | None]) -> None:
    """Add `ports` to what was seen of servers, and `details` of its subnets to what was seen of networks."""
    servers = sorted(handle for (sort, handle), seen in found.items() if sort == "compute" and seen is not None)
    networks = sorted(
        handle for (sort, handle), seen in found.items() if sort == "network" and seen is not None and is_id(handle)
    )
    ports, subnets = await asyncio.gather(
        _listed(cloud, "ports", "device_id", servers, _PORT),
        _listed(cloud, "subnets", "network_id", networks, _SUBNET),
    )
    for server in servers:
        _add(found["compute", server], "ports", sorted(port["id"] for port in ports if port["device_id"] == server))
    for network in networks:
        _add(found["network", network], "details", [one for one in subnets if one["network_id"] == network])


def _add(view: Observed | None, field: str, value: Any) -> None:
    if view is not None:
        view[field] = value


async def _listed(
    cloud: Cloud, what: str, field: str, handles: Sequence[Handle], fields: Sequence[str]
) -> list[dict[str, Any]]:
    pieces = [list(handles[start : start + _IDS]) for start in range(0, len(handles), _IDS)]
    queries: list[dict[str, Any]] = [{field: piece, "fields": list(fields)} for piece in pieces]
    answers = await asyncio.gather(
        *(cloud.all("network", f"/{what}", what, f"list {what}", **query) for query in queries)
    )
    return [seen for answer in answers for seen in answer]
