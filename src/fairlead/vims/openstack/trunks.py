"""Trunks: a port of a server that carries the traffic of others, each under a VLAN of its own.

Open vSwitch cannot make a trunk of a port that is wired up already, nor take one away, so a trunk is made before the
server that has its port, and ends after it. The ports within are changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.resources import (
    Failed,
    Gone,
    Handle,
    Observed,
    Outputs,
    Pending,
    Ready,
    Resource,
    Seen,
    Status,
    Subport,
    Tag,
    TrunkSpec,
    known,
)
from fairlead.vims.openstack.cloud import to
from fairlead.vims.openstack.neutron import Described
from fairlead.vims.openstack.refusals import concerning
from fairlead.vims.openstack.rules import TrunkRules
from fairlead.vims.openstack.tags import readable

__all__ = ["TrunkKind"]


class TrunkKind(Described, TrunkRules):
    """How a TrunkSpec lives on Neutron."""

    sort, collection, member, noun = "trunk", "/trunks", "trunk", "trunk"
    extension = "trunk"

    async def create(self, resource: Resource[TrunkSpec], tag: Tag) -> Handle:
        spec = resource.spec
        body = {
            "name": readable(resource.name),
            "port_id": known(spec.port),
            "sub_ports": [_body(one) for one in spec.subports],
        }
        with concerning(resource.name):
            made = await self._make(body, tag, f"create trunk '{resource.name}'")
        handle = Handle(made["id"])
        self._answers.note(self.sort, handle, self.view(made))
        return handle

    def view(self, seen: Mapping[str, Any]) -> Observed:
        within = [[one["port_id"], one["segmentation_type"], one["segmentation_id"]] for one in seen["sub_ports"]]
        return {
            "id": seen["id"],
            "failed": seen["status"] == "ERROR",
            "port": seen["port_id"],
            "subports": sorted(within),
        }

    def status(self, observed: Observed | None) -> Status:
        if observed is None:
            return Gone()
        if observed["failed"]:
            return Failed("the trunk is in the status ERROR")
        return Ready({"id": observed["id"]})

    def settled(self, observed: Observed, spec: TrunkSpec) -> bool:
        return not self._surplus(observed, spec) and not self._missing(observed, spec)

    def seen(self, observed: Observed, spec: TrunkSpec, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        there = {one[0]: one for one in observed["subports"]}
        kept = tuple(one for one in spec.subports if (port := known(one.port)) in there and _is(there[port], one))
        others = sorted(there.keys() - {known(one.port) for one in kept})
        added = tuple(
            Subport(port=port, segmentation_type=there[port][1], segmentation_id=there[port][2]) for port in others
        )
        return Seen(msgspec.structs.replace(spec, subports=kept + added))

    async def update(self, handle: Handle, old: TrunkSpec, new: TrunkSpec) -> None:
        self._answers.forget(self.sort, handle)
        seen = await self.read(handle)
        if seen is None:
            return
        if surplus := self._surplus(seen, new):
            body = {"sub_ports": [{"port_id": port} for port in surplus]}
            await self._cloud.put("network", to("trunks", handle, "remove_subports"), "take ports from a trunk", body)
        if missing := self._missing(seen, new):
            body = {"sub_ports": [_body(one) for one in missing]}
            await self._cloud.put("network", to("trunks", handle, "add_subports"), "add ports to a trunk", body)

    def _surplus(self, seen: Observed, spec: TrunkSpec) -> list[str]:
        wanted = {known(one.port): one for one in spec.subports}
        return [one[0] for one in seen["subports"] if one[0] not in wanted or not _is(one, wanted[one[0]])]

    def _missing(self, seen: Observed, spec: TrunkSpec) -> list[Subport]:
        there = {one[0]: one for one in seen["subports"]}
        return [one for one in spec.subports if (port := known(one.port)) not in there or not _is(there[port], one)]


def _is(seen: list[Any], spec: Subport) -> bool:
    """Whether a port within has its number; one that is inherited is whatever its network has."""
    return spec.segmentation_type == "inherit" or (seen[1], seen[2]) == (spec.segmentation_type, spec.segmentation_id)


def _body(spec: Subport) -> dict[str, Any]:
    body: dict[str, Any] = {"port_id": known(spec.port), "segmentation_type": spec.segmentation_type}
    if spec.segmentation_id is not None and spec.segmentation_type != "inherit":
        body["segmentation_id"] = spec.segmentation_id
    return body
