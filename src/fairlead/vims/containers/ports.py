"""Ports: the NICs of containers.

A port has no call of its own. It is connected when its container is created or updated and disconnected with it, so `create` only
says what its handle is, and `delete` that this life of it is over. The handle is `<container>/<network>/<incarnation>`: one
connection may be the port of a first incarnation and then of a second, and only the first is gone.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from fairlead.errors import Unprocessable, VimRefused
from fairlead.resources import (
    Action,
    Failed,
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
    known,
)
from fairlead.vims.containers.networks import Networks
from fairlead.vims.containers.rules import PortRules
from fairlead.vims.containers.views import Views, port_status, port_view

__all__ = ["PortKind"]

_REMEMBERED = 10_000


class PortKind(PortRules):
    """How a PortSpec lives on a container engine."""

    settling = 0.0

    def __init__(self, views: Views, networks: Networks) -> None:
        self._views = views
        self._networks = networks
        self._over: OrderedDict[Handle, None] = OrderedDict()
        """Lives that were ended here. After a restart they are ended again before anybody waits for them to be gone."""

    async def create(self, resource: Resource[PortSpec], tag: Tag) -> Handle:
        if not resource.existing:
            raise VimRefused(
                f"'{resource.name}' belongs to no container.",
                code="port-outside-compute",
                resource=resource.name,
                remedy="Bind the connection point to a VDU.",
            )
        network = await self._networks.facts(known(resource.spec.network))
        return Handle(f"{resource.existing}/{network.id}/{tag.incarnation}")

    async def find(self, tag: Tag, resource: Resource[PortSpec]) -> Handle | None:
        if not resource.existing or not isinstance(resource.spec.network, str):
            return None
        handle = await self.create(resource, tag)
        return handle if await self.read(handle) is not None else None

    async def read(self, handle: Handle) -> Observed | None:
        return self.view(handle, await self._views.look(handle.split("/")[0]))

    def view(self, handle: Handle, container: Observed | None) -> Observed | None:
        """What is seen of a port when its container is as observed."""
        if handle in self._over:
            return None
        return port_view(handle, container)

    def status(self, observed: Observed | None) -> Status:
        return port_status(observed)

    def settled(self, observed: Observed, spec: PortSpec) -> bool:
        if not isinstance(spec.addresses, tuple) or not observed["addresses"]:
            return True
        return set(spec.addresses) <= set(observed["addresses"])

    def seen(self, observed: Observed, spec: PortSpec, outputs: Outputs) -> Seen | Pending | Failed:
        """Its addresses are those of a container that runs; of one that does not, its composite tells enough."""
        if not isinstance(observed["container"], Ready) or not observed["addresses"]:
            return Seen(spec)
        changed: dict[str, Any] = {}
        if isinstance(spec.addresses, tuple) and not set(spec.addresses) <= set(observed["addresses"]):
            changed["addresses"] = tuple(observed["addresses"])
        if isinstance(spec.mac, str) and observed["mac"] and spec.mac.lower() != observed["mac"].lower():
            changed["mac"] = observed["mac"]
        return Seen(msgspec.structs.replace(spec, **changed))

    async def update(self, handle: Handle, old: PortSpec, new: PortSpec) -> None:
        """The update of its container has done it."""
        return

    async def delete(self, handle: Handle) -> None:
        self._over[handle] = None
        while len(self._over) > _REMEMBERED:
            self._over.popitem(last=False)

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A port cannot '{action.kind}'.", code="action-not-supported")
