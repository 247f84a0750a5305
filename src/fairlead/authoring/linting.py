"""The linter: paths in, every mistake at its place on this machine's disk out.

A path may be an archive, the directory of a package, a directory with packages somewhere in it, or one file of a
descriptor. The last is what an editor has: when the file is part of a package the whole package is read, since half of all
mistakes are only seen from another file, and what concerns this file is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from fairlead.authoring.needs import Need, needs_of, needs_of_templates
from fairlead.csar import META_FILE, Csar, Trust, load_trust, open_csar
from fairlead.csar.checking import check_images, check_storable, proven_digests
from fairlead.csar.contents import READ_ERRORS
from fairlead.csar.reading import read_csar
from fairlead.descriptors import Problem, Problems, Severity, TooManyProblems, Vnfd, read_vnfd
from fairlead.hot import check_brought

__all__ = ["Linted", "Mistake", "lint", "lint_one", "load_trust", "packages_below"]

_YAML: Final = (".yaml", ".yml")
_ARCHIVES: Final = (".csar", ".zip")
_NO_PART: Final = frozenset({".git", ".hg", ".svn", "__pycache__", ".venv", "node_modules"})
_HIGHEST: Final = 4
"""Directories above a descriptor's file in which its package is looked for."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A problem where its author finds it: `path` is on this machine, `member` the name inside if `path` is an archive."""

    problem: Problem
    path: str
    member: str | None = None

    @property
    def file(self) -> str:
        """Path and member in one, as it is shown."""
        return f"{self.path}/{self.member}" if self.member else self.path

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        return self.file, self.problem.line, self.problem.column, self.problem.code, self.problem.message

    def __str__(self) -> str:
        one = self.problem
        warning = "warning: " if one.severity is Severity.WARNING else ""
        hint = f" ({one.hint})" if one.hint else ""
        return f"{self.file}:{one.line}:{one.column} {one.code} {warning}{one.message}{hint}"


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found in one package or file; `vnfd` is there if it has no errors, and `needs` are what it takes for granted."""

    path: str
    mistakes: tuple[Mistake, ...]
    vnfd: Vnfd | None = field(default=None, compare=False)
    needs: tuple[Need, ...] = field(default=(), compare=False)
    places: _Places | None = field(default=None, compare=False, repr=False)

    @property
    def errors(self) -> int:
        return sum(each.problem.severity is Severity.ERROR for each in self.mistakes)

    @property
    def warnings(self) -> int:
        return len(self.mistakes) - self.errors

    def told_also(self, problems: Iterable[Problem]) -> Linted:
        """With further problems of the same package."""
        assert self.places is not None
        more = (self.places.of(each) for each in problems)
        return replace(self, mistakes=tuple(sorted((*self.mistakes, *more), key=lambda each: each.key)))

    def without(self, code: str) -> Linted:
        """Without the mistakes of one code."""
        return replace(self, mistakes=tuple(each for each in self.mistakes if each.problem.code != code))

    def seen_from(self, folder: Path) -> Linted:
        """What was found in an archive, at the files of the folder that it was made of."""
        assert self.places is not None
        places = _Places(folder, self.places.label, archive=False)
        told = (places.of(each.problem) for each in self.mistakes)
        mistakes = tuple(sorted(told, key=lambda each: each.key))
        return replace(self, path=_shown(folder), mistakes=mistakes, places=places)


@dataclass(frozen=True, slots=True)
class _Places:
    """From names inside a package to places on the disk; `label` is what its reader calls the package itself."""

    path: Path
    label: str
    archive: bool

    def of(self, problem: Problem) -> Mistake:
        if problem.file in (self.label, ".", ""):
            return Mistake(problem, _shown(self.path))
        if self.archive:
            return Mistake(problem, _shown(self.path), problem.file)
        return Mistake(problem, _shown(self.path / problem.file))


def _shown(path: Path) -> str:
    """As one would type it here: relative if the path that was given is."""
    return Path(os.path.normpath(path) if path.is_absolute() else os.path.relpath(path)).as_posix()


def lint(paths: Iterable[Path], trust: Trust | None = None) -> list[Linted]:
    """Read all that is at `paths`, in their order; nothing is told twice. Raises FileNotFoundError.

    `trust` says whose signatures are trusted; without it they are checked, and whom they are of is not.
    """
    found: dict[str, Linted] = {}
    for path in paths:
        for one in packages_below(path):
            if str(one) not in found:
                found[str(one)] = lint_one(one, trust)
    return list(found.values())


def packages_below(path: Path) -> Iterator[Path]:
    """The packages that `path` stands for: itself, or all that are in it if it is a directory and none itself."""
    if not path.is_dir() or _is_package(path):
        yield path
        return
    below = list(_search(path))
    # With nothing in it the reader of packages says best what is missing.
    yield from below or [path]


def _search(directory: Path) -> Iterator[Path]:
    for where, directories, files in os.walk(directory, followlinks=False):
        base = Path(where)
        directories[:] = sorted(name for name in directories if name not in _NO_PART)
        if base != directory and (base / META_FILE).is_file():
            directories[:] = []
            yield base
            continue
        yield from (base / name for name in sorted(files) if name.endswith(_ARCHIVES))


def _is_package(directory: Path) -> bool:
    if (directory / META_FILE).is_file():
        return True
    names = [each for each in directory.iterdir() if each.is_file() and each.name.endswith(_YAML)]
    return len(names) == 1


def lint_one(path: Path, trust: Trust | None = None) -> Linted:
    """Read one package or descriptor's file. Raises FileNotFoundError."""
    if path.is_file() and path.name.endswith(_YAML):
        return _lint_file(path)
    with open_csar(path, missing_files=Severity.WARNING) as csar:
        return _lint_csar(csar, path, trust or Trust())


def _lint_csar(csar: Csar, path: Path, trust: Trust) -> Linted:
    """Everything that onboarding would say, but that a package is not signed yet: signing comes last."""
    reading = read_csar(csar, trust=trust)
    found = Problems()
    with suppress(TooManyProblems):
        found.extend(each for each in reading.problems if each.code != "not-signed")
        if reading.vnfd is not None:
            check_storable(reading.vnfd, found)
            check_brought(csar.files, reading.vnfd, found)
            digests = {name: f"sha256:{digest}" for name, digest in proven_digests(csar).items()}
            try:
                check_images(csar, reading.vnfd, digests, found)
            except READ_ERRORS as error:
                found.extend([Problem("damaged-file", f"a file cannot be read: {error}", csar.label, 0, 0)])
    vnfd = None if found.any_error else reading.vnfd
    linted = _linted(path, csar.label, not path.is_dir(), found.sorted(), vnfd)
    return replace(linted, needs=(*needs_of(vnfd), *needs_of_templates(csar.files))) if vnfd is not None else linted


def _linted(
    path: Path, label: str, archive: bool, problems: Iterable[Problem], vnfd: Vnfd | None, only: str | None = None
) -> Linted:
    places = _Places(path, label, archive)
    told = (places.of(each) for each in problems if only is None or each.file == only)
    needs = tuple(needs_of(vnfd)) if vnfd is not None else ()
    return Linted(_shown(path), tuple(sorted(told, key=lambda each: each.key)), vnfd, needs, places)


def _lint_file(path: Path) -> Linted:
    """A file of a descriptor: with its package when that uses it, else as a descriptor of its own."""
    root = _package_of(path)
    if root is not None:
        name = _below(path, root)
        with open_csar(root, missing_files=Severity.WARNING) as csar:
            reading = read_csar(csar, digests=False)
            if name in reading.documents or any(each.file == name for each in reading.problems):
                found = _linted(root, csar.label, False, reading.problems, reading.vnfd, name)
                return replace(found, path=_shown(path))
    above = path.absolute().parent
    base = root or (path.parent / ".." if above.name == "Definitions" else path.parent)
    alone = read_vnfd(_Files(base), _below(path, base), missing_artifacts=Severity.WARNING)
    linted = _linted(base, "", False, alone.problems, alone.vnfd)
    return replace(linted, path=_shown(path))


def _below(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _package_of(path: Path) -> Path | None:
    above = path.parent
    for _ in range(_HIGHEST):
        if (above / META_FILE).is_file():
            return above
        above = above / ".."
    return None


class _Files(Mapping[str, bytes]):
    """The files below a directory, looked up one by one: who lints one file must not have a home directory searched."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _at(self, name: object) -> Path | None:
        path = self._root / str(name)
        return path if path.is_file() and not path.is_symlink() else None

    def __getitem__(self, name: str) -> bytes:
        path = self._at(name)
        if path is None:
            raise KeyError(name)
        return path.read_bytes()

    def __contains__(self, name: object) -> bool:
        return self._at(name) is not None

    def __iter__(self) -> Iterator[str]:
        """Names beside the file, for hints at a misspelt one."""
        for below in (self._root, *(each for each in self._root.iterdir() if each.is_dir())):
            for each in below.iterdir():
                if each.is_file():
                    yield each.relative_to(self._root).as_posix()

    def __len__(self) -> int:
        return sum(1 for _ in self)
