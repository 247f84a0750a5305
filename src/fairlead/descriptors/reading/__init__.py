"""Reading a VNFD: the files of a package to one `Vnfd` and the problems on the way.

The way goes down in steps that each leave less to doubt: text to marked values (`source`), values against TOSCA's grammar
(`grammar`), documents to types (`documents`, `types`), templates against types (`template`), templates to
descriptor values (`machines`, `connectivity`, `rules`, `lifecycle`), values against each other (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.descriptors.documents import load
from fairlead.descriptors.problems import Problem, Problems, Severity, TooManyProblems
from fairlead.descriptors.reading.topology import Package
from fairlead.descriptors.reading.vnf import build_vnfd
from fairlead.descriptors.types import SECTIONS, Types
from fairlead.descriptors.values import check_defaults
from fairlead.descriptors.vnfd import Vnfd

__all__ = ["Reading", "read_vnfd"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading: the descriptor, or None if any problem is an error; all problems; the documents read."""

    vnfd: Vnfd | None
    problems: tuple[Problem, ...]
    documents: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(each for each in self.problems if each.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(each for each in self.problems if each.severity is Severity.WARNING)


def read_vnfd(files: Mapping[str, bytes], entry: str, *, missing_artifacts: Severity = Severity.ERROR) -> Reading:
    """Read the VNFD whose main file is `entry`.

    `files` are the package's files by path, with `/` between names; it may read lazily, as only documents are fetched,
    while artifacts are only asked for with `in`. `missing_artifacts` is the severity of an artifact that is declared and not
    there: a package under development may be without its images. Raises nothing for what is wrong with the descriptor.
    """
    problems = Problems()
    try:
        vnfd, read = _read(files, entry, missing_artifacts, problems)
    except TooManyProblems:
        return Reading(None, problems.sorted())
    return Reading(None if problems.any_error else vnfd, problems.sorted(), read)


def _read(
    files: Mapping[str, bytes], entry: str, missing_artifacts: Severity, problems: Problems
) -> tuple[Vnfd | None, tuple[str, ...]]:
    documents = load(files, entry, problems)
    if documents is None:
        return None, ()
    types = Types(problems, lambda: documents.parsed_copies(problems))
    for root in documents.roots.values():
        for section in SECTIONS:
            definitions = root.get(section)
            if definitions is not None:
                types.declare(section, definitions)
    types.check()
    check_defaults(types)
    vnfd = build_vnfd(documents, Package(files, types, problems, missing_artifacts))
    return vnfd, (*documents.roots, *documents.copies)
