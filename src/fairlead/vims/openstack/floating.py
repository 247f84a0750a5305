"""Floating IPs: addresses outside at which ports are reached.

The address is chosen by Neutron and kept for as long as the floating IP is there, whatever port it is for. Only
administrators may choose one, so where a floating IP is lost and made anew, the address that it had is asked for, and
another is taken if that is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from fairlead.errors import VimRefused
from fairlead.resources import (
    Failed,
    FloatingIpSpec,
    Gone,
    Handle,
    Observed,
    Outputs,
    Pending,
    Ready,
    Resource,
    Seen,
    Status,
    Tag,
    known,
)
from fairlead.vims.openstack.answers import Answers
from fairlead.vims.openstack.cloud import Cloud
from fairlead.vims.openstack.neutron import Described
from fairlead.vims.openstack.refusals import Denied, NotThere, Taken, concerning
from fairlead.vims.openstack.routers import Outside
from fairlead.vims.openstack.rules import FloatingIpRules

__all__ = ["FloatingIpKind"]


class FloatingIpKind(Described, FloatingIpRules):
    """How a FloatingIpSpec lives on Neutron."""

    sort, collection, member, noun = "floating-ip", "/floatingips", "floatingip", "floating IP"
    extension = "router"

    def __init__(self, cloud: Cloud, answers: Answers, outside: Outside) -> None:
        super().__init__(cloud, answers)
        self._outside = outside

    async def create(self, resource: Resource[FloatingIpSpec], tag: Tag) -> Handle:
        spec = resource.spec
        with concerning(resource.name):
            body = {"floating_network_id": await self._outside.network(spec.network), "port_id": known(spec.port)}
            made = None
            try:
                if isinstance(spec.address, str):
                    with suppress(Denied, Taken):
                        made = await self._make({**body, "floating_ip_address": spec.address}, tag, _WHAT)
                made = made or await self._make(body, tag, _WHAT)
            except NotThere as error:
                raise _unreachable(error) from error
        handle = Handle(made["id"])
        self._answers.note(self.sort, handle, self.view(made))
        return handle

    def view(self, seen: Mapping[str, Any]) -> Observed:
        return {
            "id": seen["id"],
            "failed": seen["status"] == "ERROR",
            "address": seen["floating_ip_address"],
            "network": seen["floating_network_id"],
            "port": seen.get("port_id"),
            "fixed": seen.get("fixed_ip_address"),
        }

    def status(self, observed: Observed | None) -> Status:
        """Ready as soon as it is for a port: whether an agent has seen to it shows in no state that can be waited for."""
        if observed is None:
            return Gone()
        if observed["failed"]:
            return Failed("the floating IP is in the status ERROR")
        return Ready({"id": observed["id"], "address": observed["address"]})

    def settled(self, observed: Observed, spec: FloatingIpSpec) -> bool:
        return bool(observed["port"] == known(spec.port))

    def seen(self, observed: Observed, spec: FloatingIpSpec, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        return Seen(msgspec.structs.replace(spec, port=observed["port"] or "nothing"))

    async def update(self, handle: Handle, old: FloatingIpSpec, new: FloatingIpSpec) -> None:
        try:
            await self._change(handle, {"port_id": known(new.port)}, "lead a floating IP to another port")
        except NotThere as error:
            raise _unreachable(error) from error


_WHAT = "create a floating IP"


def _unreachable(error: NotThere) -> VimRefused:
    """Neutron says 404 of a port that no router connects to the external network."""
    if "ExternalGateway" not in (error.cause or ""):
        return error
    return VimRefused(
        "The port of a floating IP is not connected to the external network.",
        code="floating-ip-unreachable",
        cause=error.cause,
        remedy="Connect its network by a router to the external network that the VIM's setting floating_network names.",
    )
