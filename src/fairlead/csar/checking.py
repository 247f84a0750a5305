"""What a package must satisfy beyond its own grammar, for onboarding and for the linter alike.

Both must find the same, or an author is told at the desk that all is well and by the server that it is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from fairlead.csar.digests import digest_of
from fairlead.csar.package import Csar
from fairlead.descriptors import Mark, Problems, SoftwareImage, Vnfd

__all__ = ["check_images", "check_storable", "images_of", "proven_digests"]

_LONGEST_ID: Final = 255
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def images_of(vnfd: Vnfd) -> Mapping[str, SoftwareImage]:
    """The software images of all flavours by id."""
    return {id: image for flavour in vnfd.flavours.values() for id, image in flavour.images.items()}


def proven_digests(csar: Csar) -> dict[str, str]:
    """The SHA-256 in hexadecimal digits of the files of which the package gives it, once `check_digests` found no fault."""
    return {
        digest.path: digest.value.lower()
        for digest in csar.digests
        if digest.algorithm.lower().replace("-", "") == "sha256" and not digest.external
    }


def check_storable(vnfd: Vnfd, problems: Problems) -> None:
    """Tell of what the database, which gets to hold all parts of a descriptor some time, cannot hold."""
    if len(vnfd.descriptor_id) > _LONGEST_ID:
        problems.error("bad-value", f"the descriptor's id has more than {_LONGEST_ID} characters", vnfd.mark)
    if _NUL.search(msgspec.json.encode(vnfd, enc_hook=str)):
        problems.error("bad-value", "a text of the descriptor holds the character U+0000", Mark(vnfd.mark.file))


def check_images(csar: Csar, vnfd: Vnfd, digests: Mapping[str, str], problems: Problems) -> None:
    """Tell of images in the package that are not those whose checksum the VNFD gives.

    `digests` are those known already, `sha256:<hex>` by path; others are computed. Raises READ_ERRORS.
    """
    assert csar.contents is not None
    for image in images_of(vnfd).values():
        if image.path is None or image.checksum is None or image.path not in csar.contents.sizes:
            continue
        algorithm, wanted = image.checksum.algorithm, image.checksum.hash
        try:
            found = digests.get(image.path, "").partition(":")[2] if algorithm.lower() == "sha-256" else ""
            found = found or digest_of(csar.contents, image.path, algorithm)
        except ValueError:
            problems.warning("digest-algorithm", f'"{algorithm}" of image "{image.id}" is not checked', image.mark)
            continue
        if found != wanted:
            told = f'"{image.path}" has the {algorithm} {found}, not the one that image "{image.id}" gives'
            problems.error("wrong-checksum", told, image.mark)
