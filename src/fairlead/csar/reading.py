"""A package and its descriptor, read together: what onboarding, the linter and tests ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fairlead.csar.contents import Limits
from fairlead.csar.package import Csar, open_csar
from fairlead.csar.signatures import Signer, check_signatures, seals
from fairlead.csar.trust import SignaturePolicy, Trust
from fairlead.descriptors import Problem, Problems, Severity, Vnfd, read_vnfd

__all__ = ["PackageReading", "read_csar", "read_package"]


@dataclass(frozen=True, slots=True)
class PackageReading:
    """What came of reading a package: the descriptor, None if any problem is an error, and all problems.

    `documents` are the files that the descriptor is made of, its main file first; `signer` has signed the package.
    """

    vnfd: Vnfd | None
    problems: tuple[Problem, ...]
    documents: tuple[str, ...] = ()
    signer: Signer | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(each for each in self.problems if each.severity is Severity.ERROR)


def read_package(
    path: Path,
    *,
    limits: Limits | None = None,
    missing_files: Severity = Severity.ERROR,
    digests: bool = True,
    trust: Trust | None = None,
    at: datetime | None = None,
) -> PackageReading:
    """Open a package, check its digests and signatures (unless told not to) and read its descriptor.

    `missing_files` counts for directories only. Raises FileNotFoundError if there is nothing at `path`.
    """
    with open_csar(path, limits=limits, missing_files=missing_files) as csar:
        return read_csar(csar, digests=digests, trust=trust, at=at)


def read_csar(
    csar: Csar, *, digests: bool = True, trust: Trust | None = None, at: datetime | None = None
) -> PackageReading:
    """As `read_package`, of a package that is open. Without `trust` nobody looks at signatures; `at` is now, or then."""
    signer: Signer | None = None
    if digests:
        csar.check_digests(sealed=seals(csar, trust))
        signer = check_signatures(csar, trust or Trust(SignaturePolicy.IGNORE), at or datetime.now(UTC))
    vnfd: Vnfd | None = None
    documents: tuple[str, ...] = ()
    found = Problems()
    is_vnf = csar.manifest is None or csar.manifest.describes is None
    if csar.entry is not None and is_vnf:
        reading = read_vnfd(csar.files, csar.entry, missing_artifacts=csar.missing_files)
        vnfd, documents = reading.vnfd, reading.documents
        found.extend(reading.problems)
    found.extend(csar.problems)
    return PackageReading(None if found.any_error else vnfd, found.sorted(), documents, signer)
