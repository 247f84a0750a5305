"""Networks with their subnets.

A network is made by two calls, and counts as made when it has all its subnets. What was found half made is finished,
for Neutron tells which subnets are there; a creation that is refused half way takes away what it had begun. Networks
that are given may be named as well as called by their id.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import msgspec

from fairlead.errors import Unprocessable, VimError, VimRefused, VimUnavailable
from fairlead.resources import (
    Action,
    Failed,
    Gone,
    Handle,
    NetworkSpec,
    Observed,
    Outputs,
    Pending,
    Ready,
    Resource,
    Seen,
    Status,
    Subnet,
    Tag,
)
from fairlead.vims.openstack.answers import Answers
from fairlead.vims.openstack.cloud import SETTLING, Cloud, is_id, to
from fairlead.vims.openstack.neutron import Extensions
from fairlead.vims.openstack.refusals import concerning
from fairlead.vims.openstack.rules import NetworkRules
from fairlead.vims.openstack.tags import line_of, readable, tag_of_line

__all__ = ["NETWORK_FIELDS", "NetworkKind", "network_view"]

NETWORK_FIELDS = ("id", "name", "status", "admin_state_up", "mtu", "subnets", "description", "created_at")


class NetworkKind(NetworkRules):
    """How a NetworkSpec lives on Neutron."""

    settling = SETTLING

    def __init__(self, cloud: Cloud, answers: Answers, extensions: Extensions) -> None:
        self._cloud = cloud
        self._answers = answers
        self._extensions = extensions

    async def create(self, resource: Resource[NetworkSpec], tag: Tag) -> Handle:
        with concerning(resource.name):
            return await self._create(resource.spec, tag)

    async def _create(self, spec: NetworkSpec, tag: Tag) -> Handle:
        what = f"create network '{spec.label}'"
        body: dict[str, Any] = {"name": readable(spec.label), "description": line_of(tag)}
        if spec.mtu:
            body["mtu"] = spec.mtu
        if not self._cloud.settings.port_security and await self._extensions.has("port-security"):
            body["port_security_enabled"] = False
        made = (await self._cloud.post("network", "/networks", what, {"network": body}))["network"]
        handle = Handle(made["id"])
        try:
            made["subnets"] = await self._add_subnets(handle, spec, spec.subnets, tag)
        except VimUnavailable:
            raise
        except VimError:
            with suppress(VimError):
                await self.delete(handle)
            raise
        self._answers.note("network", handle, network_view(made))
        return handle

    async def _add_subnets(
        self, network: Handle, spec: NetworkSpec, subnets: tuple[Subnet, ...], tag: Tag
    ) -> list[str]:
        """Make them, by one call; returns their ids."""
        made: dict[str, Any] = {"subnets": ()}
        if subnets:
            bodies = [_subnet_body(network, spec, subnet, tag) for subnet in subnets]
            cidrs = ", ".join(subnet.cidr for subnet in subnets)
            made = await self._cloud.post("network", "/subnets", f"create the subnets {cidrs}", {"subnets": bodies})
        return [subnet["id"] for subnet in made["subnets"]]

    async def find(self, tag: Tag, resource: Resource[NetworkSpec]) -> Handle | None:
        query = {"description": line_of(tag), "fields": ["id", "description"]}
        found = (await self._cloud.get("network", "/networks", "list networks", **query))["networks"]
        exact = sorted(seen["id"] for seen in found if seen["description"] == line_of(tag))
        if not exact:
            return None
        handle = Handle(exact[0])
        if resource.spec.subnets:
            await self._finish(handle, resource.spec, tag)
        return handle

    async def _finish(self, network: Handle, spec: NetworkSpec, tag: Tag) -> None:
        query = {"network_id": network, "fields": ["cidr"]}
        seen = (await self._cloud.get("network", "/subnets", "list subnets", **query))["subnets"]
        there = {ip_network(subnet["cidr"]) for subnet in seen}
        missing = tuple(subnet for subnet in spec.subnets if ip_network(subnet.cidr, strict=False) not in there)
        await self._add_subnets(network, spec, missing, tag)

    async def read(self, handle: Handle) -> Observed | None:
        if is_id(handle):
            seen = await self._cloud.look("network", to("networks", handle), "show a network")
            return None if seen is None else network_view(seen["network"])
        query = {"name": handle, "fields": list(NETWORK_FIELDS)}
        found = (await self._cloud.get("network", "/networks", f"show network '{handle}'", **query))["networks"]
        if len(found) > 1:
            raise VimRefused(
                f"There are {len(found)} networks called '{handle}'.",
                code="network-ambiguous",
                cause=", ".join(sorted(seen["id"] for seen in found)),
                remedy="Name the one that is meant by its id.",
            )
        return network_view(found[0]) if found else None

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        if observed["status"] == "ERROR":
            return Failed("the network is in the status ERROR")
        return Pending(observed["status"]) if observed["status"] == "BUILD" else Ready({"id": observed["id"]})

    def settled(self, observed: Observed, spec: NetworkSpec) -> bool:
        return observed["name"] == readable(spec.label) and spec.mtu in (None, observed["mtu"])

    def seen(self, observed: Observed, spec: NetworkSpec, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        changed: dict[str, Any] = {}
        if observed["name"] != readable(spec.label):
            changed["label"] = observed["name"]
        if spec.mtu not in (None, observed["mtu"]):
            changed["mtu"] = observed["mtu"]
        amiss = () if observed["up"] else ("its administrative state is down",)
        strange: tuple[str, ...] = ()
        if "details" in observed:
            there = {ip_network(one["cidr"]): one for one in observed["details"]}
            pairs = [(subnet, there.pop(_range(subnet), None)) for subnet in spec.subnets]
            changed["subnets"] = tuple(
                _subnet_seen(subnet, one, chosen=not spec.internal) for subnet, one in pairs if one is not None
            )
            strange = tuple(f"it has a subnet {cidr} that is not ours" for cidr in sorted(map(str, there)))
        return Seen(msgspec.structs.replace(spec, **changed), amiss, strange)

    async def update(self, handle: Handle, old: NetworkSpec, new: NetworkSpec) -> None:
        self._answers.forget("network", handle)
        body: dict[str, Any] = {"name": readable(new.label), "admin_state_up": True}
        if new.mtu:
            body["mtu"] = new.mtu
        what = f"change network '{new.label}'"
        changed = await self._cloud.put("network", to("networks", handle), what, {"network": body})
        if old.subnets != new.subnets:
            await self._reset_subnets(handle, new, tag_of_line(changed["network"].get("description")))

    async def _reset_subnets(self, network: Handle, spec: NetworkSpec, tag: Tag | None) -> None:
        """Have the subnets of a network as they are to be, those that are not there anew."""
        query = {"network_id": network, "fields": ["id", "cidr"]}
        listed = (await self._cloud.get("network", "/subnets", "list subnets", **query))["subnets"]
        there = {ip_network(one["cidr"]): one["id"] for one in listed}
        if tag is None:
            raise VimRefused("The network does not carry our mark any more.", code="not-ours", cause="its description")
        missing = tuple(subnet for subnet in spec.subnets if _range(subnet) not in there)
        await self._add_subnets(network, spec, missing, tag)
        for subnet in spec.subnets:
            if _range(subnet) in there:
                wanted = _subnet_body(network, spec, subnet, tag)
                fields = ("gateway_ip", "enable_dhcp", "allocation_pools")
                body = {field: wanted[field] for field in fields if field in wanted}
                path = to("subnets", there[_range(subnet)])
                await self._cloud.put("network", path, f"change subnet '{subnet.cidr}'", {"subnet": body})

    async def delete(self, handle: Handle) -> None:
        await self._cloud.delete("network", to("networks", handle), "delete a network")
        self._answers.note("network", handle, None)

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A network cannot '{action.kind}'.", code="action-not-supported")


def network_view(seen: Mapping[str, Any]) -> Observed:
    """What is kept of Neutron's words."""
    return {
        "id": seen["id"],
        "name": seen["name"],
        "status": seen["status"],
        "up": seen.get("admin_state_up") is not False,
        "mtu": seen.get("mtu"),
        "subnets": sorted(seen.get("subnets") or ()),
    }


def _range(subnet: Subnet) -> IPv4Network | IPv6Network:
    return ip_network(subnet.cidr, strict=False)


def _subnet_seen(subnet: Subnet, one: Mapping[str, Any], *, chosen: bool) -> Subnet:
    """`subnet` as it is set now; pools are compared where it asks for some, and so is a gateway that Neutron has `chosen`."""
    pools = tuple((pool["start"], pool["end"]) for pool in one.get("allocation_pools") or ())
    same = not subnet.pools or sorted(pools) == sorted(subnet.pools)
    gateway = None if chosen and subnet.gateway is None else one["gateway_ip"]
    return msgspec.structs.replace(
        subnet, gateway=gateway, dhcp=one["enable_dhcp"], pools=subnet.pools if same else pools
    )


def _subnet_body(network: Handle, spec: NetworkSpec, subnet: Subnet, tag: Tag) -> dict[str, Any]:
    """An internal link has no router of the cloud's, so no gateway is told to guests unless one is asked for; for another
    Neutron chooses one."""
    version = ip_network(subnet.cidr, strict=False).version
    body: dict[str, Any] = {
        "network_id": network,
        "cidr": str(ip_network(subnet.cidr, strict=False)),
        "ip_version": version,
        "gateway_ip": subnet.gateway,
        "enable_dhcp": subnet.dhcp,
        "description": line_of(tag),
    }
    if subnet.gateway is None and not spec.internal:
        del body["gateway_ip"]
    if subnet.pools:
        body["allocation_pools"] = [{"start": first, "end": last} for first, last in subnet.pools]
    if version == 6 and subnet.dhcp:
        body["ipv6_address_mode"] = body["ipv6_ra_mode"] = "dhcpv6-stateful"
    return body
