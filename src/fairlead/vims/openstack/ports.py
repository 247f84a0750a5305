"""Ports: resources of their own, made before the server that uses them.

A port is ready as soon as it is there: its addresses are known from the first answer, and whether a host has wired it
up shows only once a server has it. It is unplugged by deleting it, and deleting its server leaves it.

A port with security groups filters, whatever its network does; one without does what its network does. Only where
packets are filtered do the addresses of others have to be allowed, and can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import msgspec

from fairlead.errors import Unprocessable, VimRefused
from fairlead.resources import (
    Action,
    Failed,
    Gone,
    Handle,
    Observed,
    Outputs,
    Pending,
    PortSpec,
    Ready,
    Resource,
    Seen,
    Status,
    Tag,
    Undecided,
    known,
)
from fairlead.vims.openstack.answers import Answers
from fairlead.vims.openstack.cloud import SETTLING, Cloud, to
from fairlead.vims.openstack.neutron import Extensions
from fairlead.vims.openstack.refusals import concerning
from fairlead.vims.openstack.rules import PortRules
from fairlead.vims.openstack.tags import line_of, readable

__all__ = ["PORT_FIELDS", "PortKind", "port_view"]

PORT_FIELDS = (
    "id",
    "name",
    "status",
    "admin_state_up",
    "network_id",
    "mac_address",
    "fixed_ips",
    "device_id",
    "binding:vnic_type",
    "binding:vif_type",
    "security_groups",
    "allowed_address_pairs",
    "port_security_enabled",
    "qos_policy_id",
)
_VNIC_TYPES = (
    "normal",
    "direct",
    "macvtap",
    "direct-physical",
    "baremetal",
    "virtio-forwarder",
    "smart-nic",
    "vdpa",
    "accelerator-direct",
    "accelerator-direct-physical",
    "remote-managed",
)


class PortKind(PortRules):
    """How a PortSpec lives on Neutron."""

    settling = SETTLING

    def __init__(self, cloud: Cloud, answers: Answers, extensions: Extensions) -> None:
        self._cloud = cloud
        self._answers = answers
        self._extensions = extensions

    async def create(self, resource: Resource[PortSpec], tag: Tag) -> Handle:
        spec = resource.spec
        with concerning(resource.name):
            body: dict[str, Any] = {
                "network_id": known(spec.network),
                "name": readable(resource.name),
                "description": line_of(tag),
                **_binding(spec),
            }
            if not isinstance(spec.addresses, Undecided):
                body["fixed_ips"] = _fixed(spec.addresses)
            if not isinstance(spec.mac, Undecided):
                body["mac_address"] = spec.mac
            if spec.security_groups:
                body |= await self._filter(spec)
            if spec.allowed_addresses and (spec.security_groups or await self._filtered(known(spec.network))):
                body["allowed_address_pairs"] = _pairs(spec)
            if spec.qos is not None:
                body["qos_policy_id"] = known(spec.qos)
            made = await self._cloud.post("network", "/ports", f"create port '{resource.name}'", {"port": body})
        handle = Handle(made["port"]["id"])
        self._answers.note("port", handle, port_view(made["port"]))
        return handle

    async def _filter(self, spec: PortSpec) -> dict[str, Any]:
        """What has Neutron filter by the groups of `spec`."""
        body: dict[str, Any] = {"security_groups": [known(group) for group in spec.security_groups]}
        if await self._extensions.has("port-security"):
            body["port_security_enabled"] = True
        return body

    async def _filtered(self, network: str) -> bool:
        """Whether ports of a network filter unless they are told otherwise."""
        if not await self._extensions.has("port-security"):
            return True
        query = {"fields": ["id", "port_security_enabled"]}
        seen = await self._cloud.get("network", to("networks", network), "show a network", **query)
        return seen["network"].get("port_security_enabled") is not False

    async def find(self, tag: Tag, resource: Resource[PortSpec]) -> Handle | None:
        query = {"description": line_of(tag), "fields": ["id", "description"]}
        found = (await self._cloud.get("network", "/ports", "list ports", **query))["ports"]
        exact = sorted(seen["id"] for seen in found if seen["description"] == line_of(tag))
        return Handle(exact[0]) if exact else None

    async def read(self, handle: Handle) -> Observed | None:
        seen = await self._cloud.look("network", to("ports", handle), "show a port")
        return None if seen is None else port_view(seen["port"])

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        if observed["vif_type"] == "binding_failed":
            return Failed("no agent on its server's host could wire it up (binding_failed)", code="port-not-bound")
        if observed["status"] == "ERROR":
            return Failed("the port is in the status ERROR")
        return Ready({"id": observed["id"], "addresses": tuple(observed["addresses"]), "mac": observed["mac"]})

    def settled(self, observed: Observed, spec: PortSpec) -> bool:
        right_addresses = isinstance(spec.addresses, Undecided) or set(spec.addresses) == set(observed["addresses"])
        groups = {known(group) for group in spec.security_groups}
        right_groups = not groups or (observed["security"] is not False and groups == set(observed["groups"]))
        allowed = set(_allowed(spec)) if observed["security"] is not False else set()
        right_others = allowed == set(observed["allowed"])
        return right_addresses and right_groups and right_others and observed["qos"] == _qos(spec)

    def seen(self, observed: Observed, spec: PortSpec, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        changed: dict[str, Any] = {"vnic_type": observed["vnic_type"]}
        if not isinstance(spec.addresses, Undecided) and set(spec.addresses) != set(observed["addresses"]):
            changed["addresses"] = tuple(observed["addresses"])
        if not isinstance(spec.mac, Undecided) and spec.mac.lower() != observed["mac"].lower():
            changed["mac"] = observed["mac"]
        amiss: tuple[str, ...] = () if observed["up"] else ("its administrative state is down",)
        if spec.security_groups:
            there = set(observed["groups"])
            kept = tuple(group for group in spec.security_groups if known(group) in there)
            changed["security_groups"] = kept + tuple(sorted(there - {known(group) for group in kept}))
            amiss += () if observed["security"] is not False else ("it does not filter: port security is off",)
        if observed["security"] is not False and set(_allowed(spec)) != set(observed["allowed"]):
            changed["allowed_addresses"] = tuple(observed["allowed"])
        if observed["qos"] != _qos(spec):
            changed["qos"] = observed["qos"]
        return Seen(msgspec.structs.replace(spec, **changed), amiss)

    async def update(self, handle: Handle, old: PortSpec, new: PortSpec) -> None:
        self._answers.forget("port", handle)
        body: dict[str, Any] = {"admin_state_up": True}
        if not isinstance(new.addresses, Undecided):
            body["fixed_ips"] = _fixed(new.addresses)
        if new.security_groups:
            body |= await self._filter(new)
        elif old.security_groups:
            body |= await self._as_its_network(known(new.network))
        if new.allowed_addresses or old.allowed_addresses:
            filtered = bool(new.security_groups) or await self._filtered(known(new.network))
            body["allowed_address_pairs"] = _pairs(new) if filtered else []
        if new.qos is not None or old.qos is not None:
            body["qos_policy_id"] = _qos(new)
        await self._cloud.put("network", to("ports", handle), "change a port", {"port": body})

    async def _as_its_network(self, network: str) -> dict[str, Any]:
        """What a port has that has no groups of its own: the project's default group, if its network filters."""
        if not await self._filtered(network):
            return {"security_groups": [], "port_security_enabled": False, "allowed_address_pairs": []}
        project, _ = await self._cloud.about()
        query = {"name": "default", "project_id": project, "fields": ["id"]}
        seen = await self._cloud.get("network", "/security-groups", "list security groups", **query)
        return {"security_groups": [group["id"] for group in seen["security_groups"]]}

    async def delete(self, handle: Handle) -> None:
        await self._cloud.delete("network", to("ports", handle), "delete a port")
        self._answers.note("port", handle, None)

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A port cannot '{action.kind}'.", code="action-not-supported")


def port_view(seen: Mapping[str, Any]) -> Observed:
    """What is kept of Neutron's words."""
    return {
        "id": seen["id"],
        "name": seen["name"],
        "status": seen["status"],
        "up": seen.get("admin_state_up") is not False,
        "network": seen["network_id"],
        "mac": seen["mac_address"],
        "addresses": [fixed["ip_address"] for fixed in seen["fixed_ips"]],
        "server": seen.get("device_id") or None,
        "vnic_type": seen.get("binding:vnic_type", "normal"),
        "vif_type": seen.get("binding:vif_type"),
        "groups": sorted(seen.get("security_groups") or ()),
        "security": seen.get("port_security_enabled"),
        "allowed": sorted(_plain(pair["ip_address"]) for pair in seen.get("allowed_address_pairs") or ()),
        "qos": seen.get("qos_policy_id"),
    }


def _binding(spec: PortSpec) -> dict[str, Any]:
    """How a host is to plug it; not every policy lets a member say what is the default anyway. Raises VimRefused."""
    if spec.vnic_type not in _VNIC_TYPES:
        raise VimRefused(
            f"Neutron has no ports of the type '{spec.vnic_type}'.",
            code="vnic-type-not-supported",
            cause=spec.vnic_type,
            remedy=f"Use one of {', '.join(_VNIC_TYPES)}.",
        )
    body: dict[str, Any] = {} if spec.vnic_type == "normal" else {"binding:vnic_type": spec.vnic_type}
    return body | ({"binding:profile": dict(spec.profile)} if spec.profile else {})


def _qos(spec: PortSpec) -> str | None:
    return None if spec.qos is None else known(spec.qos)


def _allowed(spec: PortSpec) -> list[str]:
    """The addresses and ranges of others; those of another port come as a tuple."""
    found: dict[str, None] = {}
    for one in spec.allowed_addresses:
        for address in (one,) if isinstance(one, str) else one if isinstance(one, tuple | list) else (known(one),):
            found[_plain(address)] = None
    return list(found)


def _plain(address: str) -> str:
    """An address, or a range: one way of writing each."""
    network = ip_network(address, strict=False)
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _pairs(spec: PortSpec) -> list[dict[str, str]]:
    return [{"ip_address": address} for address in _allowed(spec)]


def _fixed(addresses: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"ip_address": address} for address in addresses]
