"""Members of stacks: servers, ports, volumes and networks that Heat makes.

Heat creates, changes and deletes them by updates of their stack, so `create` only asks which thing it was, and `delete` has
nothing left to do. Looking is as at any other thing of that sort, at the service whose it is; a server's power, for which Heat
has no word, is changed there, too.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.errors import VimRefused
from fairlead.resources import Action, Failed, Handle, Kind, Observed, Outputs, Pending, Resource, Seen, Status, Tag
from fairlead.vims.openstack.compute import ComputeKind
from fairlead.vims.openstack.stack_rules import MemberRules, NetworkMemberRules
from fairlead.vims.openstack.stacks import StackKind

__all__ = ["MemberKind", "NetworkMemberKind", "ServerMemberKind"]


class MemberKind(MemberRules):
    """How what a stack makes lives on OpenStack; `real` is how the same sort lives without a stack."""

    settling = 0.0

    def __init__(self, real: Kind[Any], stacks: StackKind) -> None:
        self._real = real
        self._stacks = stacks

    async def create(self, resource: Resource[Any], tag: Tag) -> Handle:
        handle = await self.find(tag, resource)
        if handle is None:
            raise VimRefused(
                f"The stack has no '{resource.name}'.",
                code="member-missing",
                resource=resource.name,
                cause="Heat lists no such resource, or it was never made",
                remedy="Look at the stack's resources, correct the template's conditions, or heal the VNFC.",
            )
        return handle

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        if not resource.existing:
            return None
        part = (await self._stacks.members(Handle(resource.existing))).get(resource.name)
        return Handle(part.handle) if part is not None and part.handle else None

    async def read(self, handle: Handle) -> Observed | None:
        return await self._real.read(handle)

    def status(self, observed: Observed | None) -> Status:
        return self._real.status(observed)

    def settled(self, observed: Observed, spec: Any) -> bool:
        return True

    async def update(self, handle: Handle, old: Any, new: Any) -> None:
        """The update of its stack has done it."""
        return

    async def delete(self, handle: Handle) -> None:
        """The update or the end of its stack has done it."""
        return

    async def perform(self, handle: Handle, action: Action) -> None:
        await self._real.perform(handle, action)


class NetworkMemberKind(NetworkMemberRules, MemberKind):
    """A network that a stack makes."""


class ServerMemberKind(MemberKind):
    """A server that a stack makes."""

    def __init__(self, real: ComputeKind, stacks: StackKind) -> None:
        super().__init__(real, stacks)
        self._servers = real

    async def find(self, tag: Tag, resource: Resource[Any]) -> Handle | None:
        """Heat starts servers; one that is meant to be off is stopped."""
        handle = await super().find(tag, resource)
        if handle is not None and resource.spec.power == "off":
            await self._servers.set_power(handle, "off")
        return handle

    def settled(self, observed: Observed, spec: Any) -> bool:
        off = spec.power == "off"
        return bool(observed["off"] is off and observed["status"] == ("SHUTOFF" if off else "ACTIVE"))

    def seen(self, observed: Observed, spec: Any, outputs: Outputs) -> Seen | Pending | Failed:
        """Its power: what else it is like was never for Fairlead to say."""
        found = self._servers.seen(observed, spec, outputs)
        return Seen(msgspec.structs.replace(spec, power=found.spec.power)) if isinstance(found, Seen) else found

    async def update(self, handle: Handle, old: Any, new: Any) -> None:
        await self._servers.set_power(handle, new.power)
