"""Where in a package's templates the machines of each VDU are, by Tacker's conventions of names.

A VDU's server is the resource of the VDU's name. It stands in the main template (there is one of it), in a nested one that
is the type of the main template's resource of the VDU's name (then that resource is made once for each VNFC), or in a nested
one that is what an AutoScalingGroup makes. Connection points, storages and links are resources of their own names, beside
the server or in the main template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.hot.brought import GROUP, SERVER, Brought, resources_of

__all__ = ["Room", "has_shape_of_standard", "rooms_of"]


@dataclass(frozen=True, slots=True)
class Room:
    """Where a VDU's server is made: by the main template's resource `resource`, from the template `file` unless it is
    there itself. `group` says that the resource is a group of such."""

    vdu: str
    resource: str
    file: str | None = None
    group: bool = False
    resized: bool = False
    """Whether the number of a group's members comes from the parameter `[nfv, VDU, <vdu>, desired_capacity]`."""

    def beside(self, brought: Brought) -> Mapping[str, Any]:
        """The resources that are made with the server."""
        return resources_of(brought.nested[self.file]) if self.file is not None else brought.resources

    @property
    def repeated(self) -> bool:
        """Whether the resource is one for each VNFC."""
        return self.file is not None and not self.group


def rooms_of(brought: Brought, vdus: tuple[str, ...]) -> dict[str, Room]:
    """The room of each VDU that has one."""
    found = {}
    for vdu in vdus:
        room = _room(brought, vdu)
        if room is not None:
            found[vdu] = room
    return found


def has_shape_of_standard(brought: Brought, vdus: tuple[str, ...]) -> bool:
    """Whether the templates are written for Tacker's StandardUserData: a VDU is a resource with a template of its own."""
    return any(room.repeated for room in rooms_of(brought, vdus).values())


def _room(brought: Brought, vdu: str) -> Room | None:
    own = brought.resources.get(vdu)
    if own is not None and own.get("type") == SERVER:
        return Room(vdu, vdu)
    if own is not None and _makes(brought, own.get("type"), vdu):
        return Room(vdu, vdu, own["type"])
    for name, resource in brought.resources.items():
        properties = resource.get("properties") or {}
        member = properties.get("resource")
        if resource.get("type") == GROUP and isinstance(member, dict) and _makes(brought, member.get("type"), vdu):
            wish = {"get_param": ["nfv", "VDU", vdu, "desired_capacity"]}
            return Room(vdu, name, member["type"], group=True, resized=properties.get("desired_capacity") == wish)
    return None


def _makes(brought: Brought, kind: Any, vdu: str) -> bool:
    """Whether `kind` is a nested template that makes the server of `vdu`."""
    server = resources_of(brought.nested[kind]).get(vdu) if kind in brought.nested else None
    return server is not None and server.get("type") == SERVER
