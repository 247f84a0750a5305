"""A package and its descriptor, read together: what onboarding, the linter and tests ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fairlead.descriptors import Problem, Problems, Severity, Vnfd, read_vnfd
from fairlead.packages.contents import Limits
from fairlead.packages.csar import Csar, open_csar

__all__ = ["PackageReading", "read_csar", "read_package"]


@dataclass(frozen=True, slots=True)
class PackageReading:
    """What came of reading a package: the descriptor, None if any problem is an error, and all problems.

    `documents` are the files that the descriptor is made of, its main file first.
    """

    vnfd: Vnfd | None
    problems: tuple[Problem, ...]
    documents: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(each for each in self.problems if each.severity is Severity.ERROR)


def read_package(
    path: Path, *, limits: Limits | None = None, missing_files: Severity = Severity.ERROR, digests: bool = True
) -> PackageReading:
    """Open a package, check its digests (unless told not to) and read its descriptor.

    `missing_files` counts for directories only. Raises FileNotFoundError if there is nothing at `path`.
    """
    with open_csar(path, limits=limits, missing_files=missing_files) as csar:
        return read_csar(csar, digests=digests)


def read_csar(csar: Csar, *, digests: bool = True) -> PackageReading:
    """As `read_package`, of a package that is open."""
    if digests:
        csar.check_digests()
    vnfd: Vnfd | None = None
    documents: tuple[str, ...] = ()
    found = Problems()
    is_vnf = csar.manifest is None or csar.manifest.describes is None
    if csar.entry is not None and is_vnf:
        reading = read_vnfd(csar.files, csar.entry, missing_artifacts=csar.missing_files)
        vnfd, documents = reading.vnfd, reading.documents
        found.extend(reading.problems)
    found.extend(csar.problems)
    return PackageReading(None if found.any_error else vnfd, found.sorted(), documents)
