"""Ports: resources of their own, made before the server that uses them.

A port is ready as soon as it is there: its addresses are known from the first answer, and whether a host has wired it
up shows only once a server has it. It is unplugged by deleting it, and deleting its server leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.errors import Unprocessable
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
from fairlead.vims.openstack.cloud import Cloud, to
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
)


class PortKind(PortRules):
    """How a PortSpec lives on Neutron."""

    settling = 10.0
    """A call that was given up may still be under way in the service."""

    def __init__(self, cloud: Cloud, answers: Answers) -> None:
        self._cloud = cloud
        self._answers = answers

    async def create(self, resource: Resource[PortSpec], tag: Tag) -> Handle:
        spec = resource.spec
        body: dict[str, Any] = {
            "network_id": known(spec.network),
            "name": readable(resource.name),
            "description": line_of(tag),
            "binding:vnic_type": spec.vnic_type,
        }
        if spec.vnic_type == "normal":
            del body["binding:vnic_type"]  # not every policy lets a member say what is the default anyway
        if not isinstance(spec.addresses, Undecided):
            body["fixed_ips"] = _fixed(spec.addresses)
        if not isinstance(spec.mac, Undecided):
            body["mac_address"] = spec.mac
        with concerning(resource.name):
            made = await self._cloud.post("network", "/ports", f"create port '{resource.name}'", {"port": body})
        handle = Handle(made["port"]["id"])
        self._answers.note("port", handle, port_view(made["port"]))
        return handle

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
        return isinstance(spec.addresses, Undecided) or set(spec.addresses) == set(observed["addresses"])

    def seen(self, observed: Observed, spec: PortSpec, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        changed: dict[str, Any] = {"vnic_type": observed["vnic_type"]}
        if not isinstance(spec.addresses, Undecided) and set(spec.addresses) != set(observed["addresses"]):
            changed["addresses"] = tuple(observed["addresses"])
        if not isinstance(spec.mac, Undecided) and spec.mac.lower() != observed["mac"].lower():
            changed["mac"] = observed["mac"]
        amiss = () if observed["up"] else ("its administrative state is down",)
        return Seen(msgspec.structs.replace(spec, **changed), amiss)

    async def update(self, handle: Handle, old: PortSpec, new: PortSpec) -> None:
        self._answers.forget("port", handle)
        port: dict[str, Any] = {"admin_state_up": True}
        if not isinstance(new.addresses, Undecided):
            port["fixed_ips"] = _fixed(new.addresses)
        await self._cloud.put("network", to("ports", handle), "change a port", {"port": port})

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
    }


def _fixed(addresses: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"ip_address": address} for address in addresses]
