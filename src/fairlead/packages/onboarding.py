"""Onboarding: a package's file in, all that the catalogue says and keeps of it out, or every mistake in it.

Reading takes time with large packages and touches nothing but the file, so it runs in a thread and may be repeated after a
crash. What is said of a package's files is measured and not believed: a digest is computed of every file, and an image
that is not the one whose checksum the VNFD gives is refused before any VIM gets to see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from fairlead.csar.checking import check_images, check_storable, images_of, proven_digests
from fairlead.csar.contents import READ_ERRORS, Limits
from fairlead.csar.digests import digest_of
from fairlead.csar.package import Csar, open_csar
from fairlead.csar.reading import read_csar
from fairlead.csar.trust import Trust
from fairlead.descriptors import Problem, Problems, Severity, TooManyProblems
from fairlead.errors import Unprocessable
from fairlead.hot import check_brought
from fairlead.packages.describing import Described, describe

__all__ = ["Onboarded", "images_of", "onboard", "refused"]


@dataclass(frozen=True, slots=True)
class Onboarded:
    """What is known of a package once it has been read; `digests` are of all its files, `sha256:<hex>` by path."""

    described: Described
    digests: Mapping[str, str]
    warnings: tuple[Problem, ...]


def onboard(
    content: IO[bytes], label: str, *, uploaded: float, limits: Limits | None = None, trust: Trust | None = None
) -> Onboarded:
    """Read the package in `content`, called `label`, which came at `uploaded`.

    Raises Unprocessable (`package-refused`) with all problems, StorageUnavailable, OSError.
    """
    with open_csar(content, label=label, limits=limits) as csar:
        reading = read_csar(csar, trust=trust, at=datetime.fromtimestamp(uploaded, UTC))
        found = Problems()
        found.extend(reading.problems)
        if reading.vnfd is None or csar.contents is None:
            raise refused(reading.problems)
        with suppress(TooManyProblems):
            check_storable(reading.vnfd, found)
            check_brought(csar.files, reading.vnfd, found)
        try:
            digests = _digests(csar)
            check_images(csar, reading.vnfd, digests, found)
        except READ_ERRORS as error:
            raise refused(
                (*reading.problems, Problem("damaged-file", f"a file cannot be read: {error}", label, 0, 0))
            ) from error
        if found.any_error:
            raise refused(found.sorted())
        described = describe(csar, reading, images_of(reading.vnfd), digests, uploaded)
        warnings = tuple(each for each in found.sorted() if each.severity is Severity.WARNING)
        return Onboarded(described, digests, warnings)


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
    checked = proven_digests(csar)
    return {
        name: f"sha256:{checked.get(name) or digest_of(csar.contents, name, 'sha-256')}" for name in csar.contents.sizes
    }
