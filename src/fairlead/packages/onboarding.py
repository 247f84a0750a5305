"""Onboarding: a package's file in, all that the catalogue says and keeps of it out, or every mistake in it.

Reading takes time with large packages and touches nothing but the file, so it runs in a thread and may be repeated after a
crash. What is said of a package's files is measured and not believed: a digest is computed of every file, and an image
that is not the one whose checksum the VNFD gives is refused before any VIM gets to see it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from fairlead.descriptors import Mark, Problem, Problems, Severity, SoftwareImage, Vnfd
from fairlead.errors import Unprocessable
from fairlead.packages.contents import READ_ERRORS, Limits
from fairlead.packages.csar import Csar, open_csar
from fairlead.packages.describing import Described, describe
from fairlead.packages.digests import digest_of
from fairlead.packages.reading import read_csar

__all__ = ["Onboarded", "images_of", "onboard", "refused"]


_LONGEST_ID: Final = 255
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Onboarded:
    """What is known of a package once it has been read; `digests` are of all its files, `sha256:<hex>` by path."""

    described: Described
    digests: Mapping[str, str]
    warnings: tuple[Problem, ...]


def onboard(path: Path, *, uploaded: float, limits: Limits | None = None) -> Onboarded:
    """Read the package at `path`, which came at `uploaded`.

    Raises Unprocessable (`package-refused`) with all problems, FileNotFoundError, OSError.
    """
    with open_csar(path, limits=limits) as csar:
        reading = read_csar(csar)
        found = Problems()
        found.extend(reading.problems)
        if reading.vnfd is None or csar.contents is None:
            raise refused(reading.problems)
        _check_storable(reading.vnfd, found)
        try:
            digests = _digests(csar)
            _check_images(csar, reading.vnfd, digests, found)
        except READ_ERRORS as error:
            raise refused(
                (*reading.problems, Problem("damaged-file", f"a file cannot be read: {error}", path.name, 0, 0))
            ) from error
        if found.any_error:
            raise refused(found.sorted())
        described = describe(csar, reading, images_of(reading.vnfd), digests, uploaded)
        warnings = tuple(each for each in found.sorted() if each.severity is Severity.WARNING)
        return Onboarded(described, digests, warnings)


def images_of(vnfd: Vnfd) -> Mapping[str, SoftwareImage]:
    """The software images of all flavours by id."""
    return {id: image for flavour in vnfd.flavours.values() for id, image in flavour.images.items()}


def refused(problems: tuple[Problem, ...]) -> Unprocessable:
    """The error that tells of all `problems`, the first mistake in words."""
    errors = [each for each in problems if each.severity is Severity.ERROR]
    first = errors[0] if errors else None
    count = "a mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
    documents = [_document(each) for each in problems]
    told = _document(first)["message"] if first else ""
    return Unprocessable(
        f"The package has {count}{'; the first' if len(errors) > 1 else ''}: {told}.",
        code="package-refused",
        place=str(first.mark) if first else None,
        remedy="Correct what `problems` lists, and upload the package again.",
        more={"problems": documents},
    )


def _document(problem: Problem) -> dict[str, Any]:
    hint = {"hint": problem.hint.replace("\0", "\ufffd")} if problem.hint else {}
    return {
        "severity": problem.severity.value,
        "code": problem.code,
        # PostgreSQL stores any character in text but this one.
        "message": problem.message.replace("\0", "\ufffd"),
        "file": problem.file.replace("\0", "\ufffd"),
        "line": problem.line,
        "column": problem.column,
        **hint,
    }


def _digests(csar: Csar) -> dict[str, str]:
    """The SHA-256 of every file; those that the manifest gives have just been found right and are not computed again."""
    assert csar.contents is not None
    checked = {
        digest.path: digest.value.lower()
        for digest in csar.digests
        if digest.algorithm.lower().replace("-", "") == "sha256" and not digest.external
    }
    return {
        name: f"sha256:{checked.get(name) or digest_of(csar.contents, name, 'sha-256')}" for name in csar.contents.sizes
    }


def _check_storable(vnfd: Vnfd, problems: Problems) -> None:
    """Tell of what the database, which gets to hold all parts of a descriptor some time, cannot hold."""
    if len(vnfd.descriptor_id) > _LONGEST_ID:
        problems.error("bad-value", f"the descriptor's id has more than {_LONGEST_ID} characters", vnfd.mark)
    if _NUL.search(msgspec.json.encode(vnfd, enc_hook=str)):
        problems.error("bad-value", "a text of the descriptor holds the character U+0000", Mark(vnfd.mark.file))


def _check_images(csar: Csar, vnfd: Vnfd, digests: Mapping[str, str], problems: Problems) -> None:
    """Tell of images in the package that are not those whose checksum the VNFD gives."""
    assert csar.contents is not None
    for image in images_of(vnfd).values():
        if image.path is None or image.checksum is None or image.path not in digests:
            continue
        algorithm, wanted = image.checksum.algorithm, image.checksum.hash
        try:
            found = digests[image.path].partition(":")[2]
            if algorithm.lower() != "sha-256":
                found = digest_of(csar.contents, image.path, algorithm)
        except ValueError:
            problems.warning("digest-algorithm", f'"{algorithm}" of image "{image.id}" is not checked', image.mark)
            continue
        if found != wanted:
            told = f'"{image.path}" has the {algorithm} {found}, not the one that image "{image.id}" gives'
            problems.error("wrong-checksum", told, image.mark)
