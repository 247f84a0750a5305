"""Images: loaded from the package's artifacts, or found in the engine, under a name of ours.

The name carries our tag (see `labels`), so an image is shared, found and deleted like everything else: deleting takes our
name away, and the engine deletes the image itself with the last name. An image that was there before has other names and
stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from fairlead.errors import FairleadError, Unprocessable, VimRefused
from fairlead.resources import Action, Gone, Handle, ImageSpec, Observed, Ready, Resource, Status, Tag
from fairlead.vims.containers.archives import SeveralArchitectures, renamed
from fairlead.vims.containers.engine import Engine
from fairlead.vims.containers.labels import image_reference
from fairlead.vims.containers.refusals import InUse, NotThere, Taken
from fairlead.vims.containers.rules import ImageRules
from fairlead.vims.seam import Artifacts

__all__ = ["ImageKind"]


class ImageKind(ImageRules):
    """How an ImageSpec lives on a container engine."""

    settling = 2.0
    """A load that this process gave up may still be under way in the engine."""

    def __init__(self, engine: Engine, artifacts: Artifacts) -> None:
        self._engine = engine
        self._artifacts = artifacts
        self._architecture: str | None = None

    async def create(self, resource: Resource[ImageSpec], tag: Tag) -> Handle:
        reference = image_reference(tag)
        if await self.find(tag, resource) is None:
            try:
                if resource.spec.artifact is None:
                    await self._adopt(resource.spec.label, reference)
                else:
                    await self._load(resource.spec.artifact, reference)
            except FairleadError as error:
                error.resource = error.resource or resource.name
                raise
        return Handle(reference)

    async def _adopt(self, label: str, reference: str) -> None:
        """Give an image that is there already our name as well."""
        repository, _, tag = reference.rpartition(":")
        try:
            await self._engine.post(f"/images/{label}/tag", f"use image '{label}'", repo=repository, tag=tag)
        except NotThere as error:
            raise VimRefused(
                f"The container engine has no image '{label}', and the package does not bring it.",
                code="image-missing",
                cause=error.cause,
                remedy="Load the image into the engine, or ship it in the package.",
            ) from error

    async def _load(self, artifact: str, reference: str) -> None:
        path = await self._artifacts.fetch(artifact)
        try:
            pieces = renamed(path, reference)
            await asyncio.to_thread(next, pieces)  # reads the archive's table: what is wrong is told before the call
        except SeveralArchitectures:
            pieces = renamed(path, reference, await self._engine_architecture())
            await asyncio.to_thread(next, pieces)
        answer = await self._engine.call(
            "POST",
            "/images/load",
            f"load the image '{path.name}'",
            data=_in_threads(pieces),
            timeout=self._engine.settings.load_timeout,
        )
        if await self._engine.look(f"/images/{reference}/json", "show an image") is None:
            raise VimRefused(
                f"The container engine did not load the image '{path.name}'.",
                code="image-not-loaded",
                cause=_complaint(answer),
                remedy="Try `podman load` or `docker load` with the file, and correct what it says.",
            )

    async def _engine_architecture(self) -> str:
        """Asked for only when it matters: Podman takes a third of a second to tell its version."""
        if self._architecture is None:
            self._architecture = str((await self._engine.get("/version", "tell its version")).get("Arch") or "amd64")
        return self._architecture

    async def find(self, tag: Tag, resource: Resource[ImageSpec]) -> Handle | None:
        reference = image_reference(tag)
        seen = await self._engine.look(f"/images/{reference}/json", "show an image")
        return None if seen is None else Handle(reference)

    async def read(self, handle: Handle) -> Observed | None:
        return _observed(await self._engine.look(f"/images/{handle}/json", f"show image '{handle}'"))

    def status(self, observed: Observed | None) -> Status:
        return Gone() if observed is None else Ready({"id": observed["id"]})

    def settled(self, observed: Observed, spec: ImageSpec) -> bool:
        return True

    async def update(self, handle: Handle, old: ImageSpec, new: ImageSpec) -> None:
        """What differs is not known to the engine."""
        return

    async def delete(self, handle: Handle) -> None:
        try:
            await self._engine.delete(f"/images/{handle}", f"delete image '{handle}'")
        except (Taken, InUse) as error:
            raise InUse(
                f"The image '{handle}' is still in use.",
                code="image-in-use",
                cause=error.cause,
                remedy="Delete the containers that were made from it, then retry.",
            ) from error

    async def perform(self, handle: Handle, action: Action) -> None:
        raise Unprocessable(f"An image cannot '{action.kind}'.", code="action-not-supported")


def _observed(seen: Mapping[str, Any] | None) -> Observed | None:
    """What is kept of the engine's words."""
    if seen is None:
        return None
    return {"id": seen["Id"], "names": sorted(seen.get("RepoTags") or ()), "size": seen.get("Size")}


def _complaint(answer: Any) -> str:
    """What an engine said while it loaded: Docker answers 200 and tells of errors on the way."""
    lines = answer if isinstance(answer, list) else [answer]
    errors = [str(line["error"]) for line in lines if isinstance(line, dict) and line.get("error")]
    return errors[-1] if errors else str(answer)[:500]


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """`pieces`, each read in a thread: a disk may be slow."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        if piece:
            yield piece
