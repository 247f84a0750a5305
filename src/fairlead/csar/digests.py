"""Digests of files, as manifests give them, and their check.

SOL004 5.2 wants SHA-256 or SHA-512 and allows the rest of SHA-2; nothing else is accepted, as a digest of a broken
function would look like protection. Files are read as streams, each once, whatever their size.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from fairlead.csar.contents import READ_ERRORS, Contents
from fairlead.descriptors import Mark, Problems, Severity, nearest

__all__ = ["Digest", "check_digests", "digest_of", "is_external"]

_ALGORITHMS: Final[Mapping[str, str]] = {
    spelling: f"sha{bits}" for bits in (224, 256, 384, 512) for spelling in (f"sha-{bits}", f"sha{bits}")
}
_PART: Final = 2**20
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of one file; the marks are those of its path and of its value."""

    path: str
    algorithm: str
    value: str
    mark: Mark
    value_mark: Mark

    @property
    def external(self) -> bool:
        """Whether it is of something outside the package."""
        return is_external(self.path)


def is_external(path: str) -> bool:
    """Whether it is the address of something outside the package."""
    return _URL.match(path) is not None


def digest_of(contents: Contents, name: str, algorithm: str) -> str:
    """The digest of a file in hexadecimal digits; ValueError for an algorithm that SOL004 does not allow."""
    function = _ALGORITHMS.get(algorithm.lower())
    if function is None:
        raise ValueError(algorithm)
    state = hashlib.new(function)
    with closing(contents.open(name)) as stream:
        while part := stream.read(_PART):
            state.update(part)
    return state.hexdigest()


def check_digests(contents: Contents, digests: Iterable[Digest], problems: Problems, missing: Severity) -> None:
    """Tell of every file whose content is not what its digest says, and (as `missing`) of files that are not there."""
    for digest in digests:
        if digest.external:
            continue
        if digest.algorithm.lower() not in _ALGORITHMS:
            told = f'"{digest.algorithm}" is not an algorithm that SOL004 allows for digests'
            problems.error("digest-algorithm", told, digest.mark, "SHA-256 or SHA-512")
            continue
        if digest.path not in contents.sizes:
            hint = nearest(digest.path, contents.sizes)
            problems.add("file-missing", f'there is no file "{digest.path}"', digest.mark, missing, hint)
            continue
        try:
            found = digest_of(contents, digest.path, digest.algorithm)
        except READ_ERRORS as error:
            problems.error("damaged-file", f'"{digest.path}" cannot be read: {error}', digest.mark)
            continue
        if not hmac.compare_digest(found, digest.value.lower()):
            told = f'"{digest.path}" has the {digest.algorithm} {found}, not the one given here'
            problems.error("wrong-digest", told, digest.value_mark)
