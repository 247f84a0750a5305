"""Images: sent to Glance from the package's artifacts once for each digest, or found there under their name.

An image of ours has an id made of its incarnation, so a second creation meets the first. It is made by two calls, and
counts as made when Glance has all of it; one whose upload was broken off is removed when it is found, for Glance does
not take the rest of it. It is protected: whoever uses it could not be healed or scaled without it, for Glance gives the id
of an image that was deleted to no other.

An image that is there already, and is only used, cannot be marked. Its handle is its id and the incarnation; to delete
that is to let go of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fairlead.errors import Unprocessable, VimError, VimRefused, VimUnavailable
from fairlead.resources import (
    Action,
    Failed,
    Gone,
    Handle,
    ImageSpec,
    Observed,
    Pending,
    Ready,
    Resource,
    Status,
    Tag,
    tell,
)
from fairlead.vims.openstack.cloud import SETTLING, Cloud, to
from fairlead.vims.openstack.refusals import NotThere, Taken, concerning
from fairlead.vims.openstack.rules import ImageRules
from fairlead.vims.openstack.tags import image_id, metadata_of, readable, same
from fairlead.vims.openstack.volumes import gibibytes
from fairlead.vims.seam import Artifacts

__all__ = ["ImageKind", "image_view", "is_borrowed"]

_CONTAINERS = ("bare", "ami", "aki", "ari", "ovf", "ova")
_MAGIC: Mapping[str, tuple[int, bytes]] = {
    "qcow2": (0, b"QFI\xfb"),
    "vmdk": (0, b"KDMV"),
    "vhdx": (0, b"vhdxfile"),
    "iso": (0x8001, b"CD001"),
}
_PACKED: Mapping[bytes, str] = {
    b"\x1f\x8b": "packed with gzip",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"PK\x03\x04": "a zip file",
}


class ImageKind(ImageRules):
    """How an ImageSpec lives on Glance."""

    settling = SETTLING

    def __init__(self, cloud: Cloud, artifacts: Artifacts) -> None:
        self._cloud = cloud
        self._artifacts = artifacts
        self._let_go: set[Handle] = set()

    async def create(self, resource: Resource[ImageSpec], tag: Tag) -> Handle:
        with concerning(resource.name):
            if resource.spec.artifact is None:
                return await self._borrow(resource.spec.label, tag)
            return await self._send(resource.spec, resource.spec.artifact, tag)

    # -- one that is there -------------------------------------------------------------------------------------------

    async def _borrow(self, label: str, tag: Tag) -> Handle:
        query = {"name": label, "status": "active"}
        found = await self._cloud.all("image", "/images", "images", f"look for image '{label}'", **query)
        if not found:
            raise VimRefused(
                f"Glance has no image '{label}', and the package does not bring it.",
                code="image-missing",
                cause=f"no active image of the name '{label}'",
                remedy="Upload it under this name, or ship it in the package.",
            )
        if len(found) > 1:
            raise VimRefused(
                f"Glance has {len(found)} images called '{label}'.",
                code="image-ambiguous",
                cause=", ".join(sorted(seen["id"] for seen in found)),
                remedy="Leave one of this name.",
            )
        handle = Handle(f"{found[0]['id']}/{tag.incarnation}")
        self._let_go.discard(handle)
        return handle

    # -- one of ours -------------------------------------------------------------------------------------------------

    async def _send(self, spec: ImageSpec, artifact: str, tag: Tag) -> Handle:
        path = await self._artifacts.fetch(artifact)
        await asyncio.to_thread(check_format, path, spec)
        handle = Handle(image_id(tag))
        body = {
            "id": handle,
            "name": readable(spec.label),
            "disk_format": spec.disk_format,
            "container_format": spec.container_format,
            "min_disk": gibibytes(spec.minimum_disk) if spec.minimum_disk else 0,
            "min_ram": -(-spec.minimum_memory // 2**20),
            "visibility": "private",
            "protected": True,
            **metadata_of(tag),
        }
        try:
            await self._cloud.post("image", "/images", f"create image '{spec.label}'", body)
        except Taken as error:
            seen = await self._seen(handle)
            if seen is None or not same(tag, seen) or seen["status"] != "active":
                raise VimUnavailable(
                    f"An earlier upload of image '{spec.label}' is in the way.",
                    code="image-half-sent",
                    cause=error.cause,
                ) from error
            return handle
        await self._upload(handle, path)
        return handle

    async def _upload(self, handle: Handle, path: Path) -> None:
        what = f"take the image '{path.name}'"
        count = _Count()
        size = (await asyncio.to_thread(path.stat)).st_size
        telling = asyncio.create_task(count.tell_of(size))
        try:
            file = to("images", handle, "file")
            await self._cloud.request("PUT", "image", file, what, file=path, sent=count.reach)
        except VimUnavailable:
            raise
        except VimError:
            with suppress(VimError):
                await self.delete(handle)
            raise
        finally:
            telling.cancel()

    async def _seen(self, image: str) -> dict[str, Any] | None:
        seen: dict[str, Any] | None = await self._cloud.look("image", to("images", image), "show an image")
        return seen

    async def find(self, tag: Tag, resource: Resource[ImageSpec]) -> Handle | None:
        if resource.spec.artifact is None:
            with suppress(VimRefused):
                return await self._borrow(resource.spec.label, tag)
            return None
        seen = await self._seen(image_id(tag))
        if seen is None or not same(tag, seen) or seen["status"] in ("deleted", "pending_delete"):
            return None
        if seen["status"] != "active":
            await self.delete(Handle(seen["id"]))
            return None
        return Handle(seen["id"])

    async def read(self, handle: Handle) -> Observed | None:
        if handle in self._let_go:
            return None
        seen = await self._seen(handle.split("/")[0])
        return None if seen is None else image_view(seen)

    def status(self, observed: Observed | None) -> Status:
        if observed is None or observed["status"] in ("deleted", "pending_delete"):
            return Gone()
        status = observed["status"]
        if status == "active":
            return Ready({"id": observed["id"]})
        if status in ("saving", "importing", "uploading"):
            return Pending(status)
        return Failed(f"the image is in the status {status}: its upload was broken off", code="image-half-sent")

    def settled(self, observed: Observed, spec: ImageSpec) -> bool:
        return True

    async def update(self, handle: Handle, old: ImageSpec, new: ImageSpec) -> None:
        """What differs is nothing of the image's own."""
        return

    async def delete(self, handle: Handle) -> None:
        if is_borrowed(handle):
            self._let_go.add(handle)
            return
        freed = [{"op": "replace", "path": "/protected", "value": False}]
        with suppress(NotThere):
            await self._cloud.patch("image", to("images", handle), "let an image be deleted", freed)
        await self._cloud.delete("image", to("images", handle), "delete an image")

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"An image cannot '{action.kind}'.", code="action-not-supported")


class _Count:
    """How many bytes have been sent: counted in one thread, told in another."""

    def __init__(self) -> None:
        self._sent = 0

    def reach(self, number: int) -> None:
        self._sent = number

    async def tell_of(self, total: int) -> None:
        """Tell each second, for as long as this goes on."""
        while True:
            await asyncio.sleep(1.0)
            tell(f"{self._sent / 2**20:.0f} of {total / 2**20:.0f} MiB sent")


def is_borrowed(handle: str) -> bool:
    """Whether it is an image that was there before, and stays."""
    return "/" in handle


def image_view(seen: Mapping[str, Any]) -> Observed:
    """What is kept of Glance's words."""
    return {
        "id": seen["id"],
        "name": seen.get("name"),
        "status": seen["status"],
        "size": seen.get("size"),
        "checksum": seen.get("os_hash_value"),
        "visibility": seen.get("visibility"),
    }


def check_format(path: Path, spec: ImageSpec) -> None:
    """Look into the file, so that an image that no server could start from is told before it is sent.

    Raises VimRefused (`image-format-not-usable`).
    """
    if spec.container_format not in _CONTAINERS:
        raise _unusable(path, f"its container format is '{spec.container_format}', and servers start from 'bare' ones")
    with path.open("rb") as file:
        head = file.read(16)
        for magic, what in _PACKED.items():
            if head.startswith(magic) and spec.container_format == "bare":
                raise _unusable(path, f"it is {what}: Glance keeps it as it is, and no server starts from it")
        found = None
        for disk_format, (offset, magic) in _MAGIC.items():
            file.seek(offset)
            if file.read(len(magic)) == magic:
                found = disk_format
                break
    if spec.disk_format in _MAGIC and found != spec.disk_format:
        raise _unusable(path, f"it is said to be {spec.disk_format}, and is {found or 'not'}")
    if spec.disk_format == "raw" and found not in (None, "iso"):
        raise _unusable(
            path, f"it is said to be raw, and is {found}: a server would start from the file, not from its content"
        )


def _unusable(path: Path, why: str) -> VimRefused:
    return VimRefused(
        f"The image '{path.name}' cannot be used: {why}.",
        code="image-format-not-usable",
        cause=why,
        remedy="Correct disk_format and container_format in the VNFD, or convert the file with qemu-img and package it anew.",
    )
