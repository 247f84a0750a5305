"""Volumes: directories that outlive a container.

Engines know volumes by name and make a missing one silently, in two ways: a creation of what exists answers with the
existing one, and a container that mounts what does not exist gets a new one. So the labels are looked at after a creation, and a
container's volumes before its own. Their size is not limited: an engine's local volumes have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import Unprocessable, VimRefused
from fairlead.resources import Action, Gone, Handle, Observed, Ready, Resource, Status, Tag, VolumeSpec
from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.labels import engine_name, filters_for, labels_of, tag_of
from fairlead.vims.containers.refusals import Taken
from fairlead.vims.containers.rules import VolumeRules

__all__ = ["VolumeKind", "observed_volume"]


class VolumeKind(VolumeRules):
    """How a VolumeSpec lives on a container engine."""

    settling = 2.0
    """A call that this process gave up may still be under way in the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, resource: Resource[VolumeSpec], tag: Tag) -> Handle:
        if resource.spec.image is not None:
            raise VimRefused(
                "A volume of a container engine cannot be filled from an image.",
                code="volume-image-not-supported",
                resource=resource.name,
                remedy="Leave the image out, or put what is needed into the container's image.",
            )
        body = {"Name": engine_name(tag), "Driver": "local", "Labels": labels_of(tag)}
        made = await self._engine.post("/volumes/create", f"create volume '{resource.name}'", body)
        if tag_of(made.get("Labels")) != tag:
            raise Taken(
                f"The container engine has another volume '{made['Name']}'.",
                resource=resource.name,
                cause=f"its labels are {made.get('Labels')}",
                remedy="Remove that volume, then retry.",
            )
        return Handle(made["Name"])

    async def find(self, tag: Tag, resource: Resource[VolumeSpec]) -> Handle | None:
        filters = filters_for(tag.deployment, tag.incarnation)
        found = await self._engine.get("/volumes", "list volumes", filters=filters)
        exact = (seen["Name"] for seen in found.get("Volumes") or () if tag_of(seen.get("Labels")) == tag)
        return next((Handle(name) for name in exact), None)

    async def read(self, handle: Handle) -> Observed | None:
        return observed_volume(await self._engine.look(f"/volumes/{handle}", f"show volume '{handle}'"))

    def status(self, observed: Observed | None) -> Status:
        return Gone() if observed is None else Ready({"id": observed["name"]})

    def settled(self, observed: Observed, spec: VolumeSpec) -> bool:
        return True

    async def update(self, handle: Handle, old: VolumeSpec, new: VolumeSpec) -> None:
        """Another size changes nothing in the engine."""
        return

    async def delete(self, handle: Handle) -> None:
        await self._engine.delete(f"/volumes/{handle}", f"delete volume '{handle}'")

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A volume cannot '{action.kind}'.", code="action-not-supported")


def observed_volume(seen: Mapping[str, Any] | None) -> Observed | None:
    """What is kept of the engine's words."""
    if seen is None:
        return None
    return {"name": seen["Name"], "labels": seen.get("Labels") or {}, "created": seen.get("CreatedAt")}
