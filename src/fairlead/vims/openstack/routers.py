"""Routers: a way out for one network, by a gateway on an external network and an interface in each subnet.

A router is made by several calls, and counts as made when it has all its interfaces; what was found half made is
finished. It is deleted after its interfaces. Which external network it leads to may be left to the VIM: the one that
its settings name, else the only one that there is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from fairlead.errors import VimError, VimRefused, VimUnavailable
from fairlead.resources import (
    Failed,
    Gone,
    Handle,
    Observed,
    Outputs,
    Pending,
    Ready,
    Resource,
    RouterSpec,
    Seen,
    Status,
    Tag,
    known,
)
from fairlead.vims.openstack.answers import Answers
from fairlead.vims.openstack.cloud import Cloud, is_id, to
from fairlead.vims.openstack.neutron import Described
from fairlead.vims.openstack.refusals import NotThere, Taken, concerning
from fairlead.vims.openstack.rules import RouterRules
from fairlead.vims.openstack.tags import readable

__all__ = ["Outside", "RouterKind"]


_FRESH = 60.0


class Outside:
    """The external networks of a cloud, which are asked about once a minute."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._known: dict[str | None, tuple[float, str]] = {}

    async def network(self, name: str | None) -> str:
        """The id of the one called `name`, by name or id; None: the one that the VIM's settings name, else the only one.

        Raises VimRefused (`external-network-missing`, `external-network-ambiguous`).
        """
        wanted = name or self._cloud.settings.floating_network
        if wanted is not None and is_id(wanted):
            return wanted
        read_at, network = self._known.get(wanted, (0.0, ""))
        if not network or time.monotonic() - read_at > _FRESH:
            network = await self._look(wanted)
            self._known[wanted] = (time.monotonic(), network)
        return network

    async def _look(self, wanted: str | None) -> str:
        query: dict[str, Any] = {"router:external": "true", "fields": ["id", "name"]}
        query |= {} if wanted is None else {"name": wanted}
        found = (await self._cloud.get("network", "/networks", "list external networks", **query))["networks"]
        if len(found) == 1:
            return str(found[0]["id"])
        which = f"external network '{wanted}'" if wanted is not None else "external network"
        remedy = "Name one by the VIM's setting floating_network."
        if not found:
            raise VimRefused(
                f"The cloud has no {which}.", code="external-network-missing", cause="none is listed", remedy=remedy
            )
        raise VimRefused(
            f"The cloud has more than one {which}.",
            code="external-network-ambiguous",
            cause=", ".join(sorted(f"{seen['name']} ({seen['id']})" for seen in found)),
            remedy=remedy,
        )


class RouterKind(Described, RouterRules):
    """How a RouterSpec lives on Neutron."""

    sort, collection, member, noun = "router", "/routers", "router", "router"
    extension = "router"

    def __init__(self, cloud: Cloud, answers: Answers, outside: Outside) -> None:
        super().__init__(cloud, answers)
        self._outside = outside

    async def create(self, resource: Resource[RouterSpec], tag: Tag) -> Handle:
        spec = resource.spec
        with concerning(resource.name):
            gateway = {"network_id": await self._outside.network(spec.external)}
            body = {"name": readable(spec.label), "external_gateway_info": gateway}
            made = await self._make(body, tag, f"create router '{spec.label}'")
            handle = Handle(made["id"])
            try:
                await self._connect(handle, known(spec.network), spec.label)
            except VimUnavailable:
                raise
            except VimError:
                with suppress(VimError):
                    await self.delete(handle)
                raise
        self._answers.note(self.sort, handle, self.view(made))
        return handle

    async def _connect(self, router: Handle, network: str, label: str) -> None:
        """An interface in each subnet; one that is there already stays."""
        query = {"network_id": network, "fields": ["id"]}
        subnets, ports = await asyncio.gather(
            self._cloud.get("network", "/subnets", "list subnets", **query), self._interfaces(router)
        )
        there = {fixed["subnet_id"] for port in ports for fixed in port["fixed_ips"]}
        for subnet in sorted(one["id"] for one in subnets["subnets"]):
            if subnet not in there:
                path = to("routers", router, "add_router_interface")
                with suppress(Taken):  # a call that was given up has done it since
                    await self._cloud.put("network", path, f"connect router '{label}'", {"subnet_id": subnet})

    async def _interfaces(self, router: Handle) -> list[dict[str, Any]]:
        query = {"device_id": router, "fields": ["id", "device_owner", "fixed_ips"]}
        seen = await self._cloud.get("network", "/ports", "list the interfaces of a router", **query)
        return [port for port in seen["ports"] if "router_interface" in (port.get("device_owner") or "")]

    async def find(self, tag: Tag, resource: Resource[RouterSpec]) -> Handle | None:
        handle = await super().find(tag, resource)
        if handle is not None:
            await self._connect(handle, known(resource.spec.network), resource.spec.label)
        return handle

    def view(self, seen: Mapping[str, Any]) -> Observed:
        gateway = seen.get("external_gateway_info") or {}
        return {
            "id": seen["id"],
            "name": seen["name"],
            "failed": seen["status"] == "ERROR",
            "external": gateway.get("network_id"),
            "addresses": [fixed["ip_address"] for fixed in gateway.get("external_fixed_ips") or ()],
        }

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        if observed["failed"]:
            return Failed("the router is in the status ERROR")
        return Ready({"id": observed["id"]})

    def settled(self, observed: Observed, spec: RouterSpec) -> bool:
        return bool(observed["name"] == readable(spec.label))

    def seen(self, observed: Observed, spec: RouterSpec, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        label = spec.label if observed["name"] == readable(spec.label) else observed["name"]
        amiss = () if observed["external"] is not None else ("it has no gateway",)
        return Seen(msgspec.structs.replace(spec, label=label), amiss)

    async def update(self, handle: Handle, old: RouterSpec, new: RouterSpec) -> None:
        gateway = {"network_id": await self._outside.network(new.external)}
        body = {"name": readable(new.label), "external_gateway_info": gateway}
        await self._change(handle, body, f"change router '{new.label}'")
        await self._connect(handle, known(new.network), new.label)

    async def delete(self, handle: Handle) -> None:
        for port in await self._interfaces(handle):
            path, body = to("routers", handle, "remove_router_interface"), {"port_id": port["id"]}
            with suppress(NotThere):
                await self._cloud.put("network", path, "disconnect a router", body)
        await super().delete(handle)
