"""The software images of a VNF: one resource for each content. Pure."""

from __future__ import annotations

from fairlead.descriptors import SoftwareImage
from fairlead.resources import ImageSpec, Name, Ownership, Ref
from fairlead.vnf.draft import Draft

__all__ = ["Images"]


class Images:
    """Wants `image/<template>` for what is used."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._first: dict[str, SoftwareImage] = {}
        for image in draft.flavour.images.values():
            self._first.setdefault(self._digest(image), image)

    def want(self, image: SoftwareImage | None) -> Ref | None:
        """The image resource; machines with the same content share one. It has the name of the flavour's first image with
        that content, whoever is there of those that use it: a name that changed would replace the others."""
        if image is None:
            return None
        digest = self._digest(image)
        first = self._first.get(digest, image)
        name = Name(f"image/{first.id}")
        if name not in self._draft.made:
            spec = ImageSpec(
                label=first.name if first.path or first.file is None else first.file,
                digest=digest,
                artifact=f"{self._draft.context.package}/{first.path}" if first.path else None,
                container_format=first.container_format or "bare",
                disk_format=first.disk_format or "raw",
                minimum_disk=first.min_disk or 0,
                minimum_memory=first.min_ram or 0,
            )
            self._draft.add(name, spec, Ownership.SHARED)
        return Ref(name)

    def _digest(self, image: SoftwareImage) -> str:
        checksum = f"{image.checksum.algorithm}:{image.checksum.hash}" if image.checksum else None
        digests = self._draft.context.digests
        return digests.get(image.path or "") or checksum or f"name:{image.name}:{image.version}"
