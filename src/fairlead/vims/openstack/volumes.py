"""Volumes: empty, or filled from an image.

Cinder counts in whole GiB, so a size is rounded up. A volume grows in place, also while a server has it, and never
shrinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import Unprocessable, VimError
from fairlead.resources import (
    Action,
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
    Tag,
    VolumeSpec,
    known,
)
from fairlead.vims.openstack.cloud import SETTLING, Cloud, to
from fairlead.vims.openstack.refusals import NotThere, concerning
from fairlead.vims.openstack.rules import VolumeRules
from fairlead.vims.openstack.tags import metadata_filter, metadata_of, readable, same

__all__ = ["VolumeKind", "gibibytes", "volume_view"]

_USABLE = ("available", "in-use", "attaching", "detaching", "reserved")


class VolumeKind(VolumeRules):
    """How a VolumeSpec lives on Cinder."""

    settling = SETTLING

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def create(self, resource: Resource[VolumeSpec], tag: Tag) -> Handle:
        spec, settings = resource.spec, self._cloud.settings
        body: dict[str, Any] = {
            "size": gibibytes(spec.size),
            "name": readable(resource.name),
            "metadata": metadata_of(tag),
        }
        if spec.image is not None:
            body["imageRef"] = known(spec.image)
        if volume_type := spec.volume_type or settings.volume_type:
            body["volume_type"] = volume_type
        if settings.volume_zone:
            body["availability_zone"] = settings.volume_zone
        with concerning(resource.name):
            made = await self._cloud.post(
                "block-storage", "/volumes", f"create volume '{resource.name}'", {"volume": body}
            )
        return Handle(made["volume"]["id"])

    async def find(self, tag: Tag, resource: Resource[VolumeSpec]) -> Handle | None:
        query = {"metadata": metadata_filter(tag.deployment, tag.incarnation)}
        found = await self._cloud.all("block-storage", "/volumes/detail", "volumes", "list volumes", **query)
        exact = sorted(seen["id"] for seen in found if same(tag, seen.get("metadata")))
        return Handle(exact[0]) if exact else None

    async def read(self, handle: Handle) -> Observed | None:
        seen = await self._cloud.look("block-storage", to("volumes", handle), "show a volume")
        return None if seen is None else await self.view(seen["volume"])

    async def view(self, seen: Mapping[str, Any]) -> Observed:
        """What is kept of Cinder's words; of a volume that has failed also what Cinder tells users about it."""
        view = volume_view(seen)
        if view["status"].startswith("error"):
            view["message"], view["request"] = await self._message(seen["id"])
        return view

    async def _message(self, volume: str) -> tuple[str, str | None]:
        """The last that Cinder tells users about it, and the request's id; what it is, is never worth failing a look."""
        try:
            query = {"resource_uuid": volume}
            seen = await self._cloud.get("block-storage", "/messages", "tell what went wrong", **query)
        except VimError:
            return "", None
        messages = sorted(seen.get("messages") or (), key=lambda message: str(message.get("created_at")))
        last = messages[-1] if messages else {}
        return str(last.get("user_message") or ""), last.get("request_id")

    def status(self, observed: Observed | None) -> Status:
        if observed is None or observed["status"] == "deleted":
            return Gone()
        status = observed["status"]
        if status.startswith("error"):
            reason = f"the volume is in the status {status}" + _said(observed.get("message"))
            return Failed(reason, request=observed.get("request"))
        return Ready({"id": observed["id"]}) if status in _USABLE else Pending(status)

    def settled(self, observed: Observed, spec: VolumeSpec) -> bool:
        return bool(observed["size"] >= gibibytes(spec.size))

    def seen(self, observed: Observed, spec: VolumeSpec, outputs: Outputs) -> Seen | Pending | Failed:
        status = self.status(observed)
        if isinstance(status, Pending | Failed):
            return status
        strange = []
        if observed["size"] > gibibytes(spec.size):
            strange.append(f"it is larger than recorded: {observed['size']} GiB")
        if spec.volume_type not in (None, observed["type"]):
            strange.append(f"its type is {observed['type']}, recorded is {spec.volume_type}")
        return Seen(spec, strange=tuple(strange))

    async def update(self, handle: Handle, old: VolumeSpec, new: VolumeSpec) -> None:
        seen = await self.read(handle)
        if seen is None:
            raise NotThere("The volume is gone.", remedy="Heal it.")
        if seen["size"] < gibibytes(new.size):
            body = {"os-extend": {"new_size": gibibytes(new.size)}}
            await self._cloud.post("block-storage", to("volumes", handle, "action"), "make a volume larger", body)

    async def delete(self, handle: Handle) -> None:
        await self._cloud.delete("block-storage", to("volumes", handle), "delete a volume")

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"A volume cannot '{action.kind}'.", code="action-not-supported")


def gibibytes(size: int) -> int:
    """`size` in bytes as whole GiB, at least 1."""
    return max(-(-size // 2**30), 1)


def volume_view(seen: Mapping[str, Any]) -> Observed:
    """What is kept of Cinder's words."""
    return {
        "id": seen["id"],
        "name": seen.get("name"),
        "status": seen["status"],
        "size": seen["size"],
        "type": seen.get("volume_type"),
        "servers": sorted(attached["server_id"] for attached in seen.get("attachments") or ()),
    }


def _said(message: str | None) -> str:
    return f": {message}" if message else ""
