"""tests/packages.toml: what Fairlead is to say of every package of other projects beside the repository.

An entry lists all problems as `code file:line`; `*` for the line stands for one or more of that code in that file. `of` says
what the package is of: one of a network service or a physical function is refused by the catalogue of VNF packages, and
its verdict counts what else is wrong with it. Signatures are verified and signers are not, as of the day `at`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from fairlead.csar import META_FILE, Trust, read_manifest, read_package
from fairlead.descriptors import Problem, Problems, Severity
from tests.descriptors.samples import PACKAGES

__all__ = ["LIST", "PACKAGES", "SORTS", "Entry", "entries", "found", "inputs", "unlike", "verdict_of"]

LIST: Final = Path(__file__).parents[1] / "packages.toml"
SORTS: Final = ("vnf", "ns", "pnf")
_REFUSED: Final = ("not-a-vnf-package", "not-a-vnfd")


@dataclass(frozen=True)
class Entry:
    """One entry: `kind` is `package`, `manifest` or `other`; what is `other` is for later issues and not read here."""

    kind: str
    path: str
    of: str
    why: str
    verdict: str = ""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=(), repr=False)
    at: date = date(2026, 1, 1)

    @property
    def name(self) -> str:
        return f"{self.path}@{self.at}"


def entries() -> list[Entry]:
    document = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return [_entry(kind, values) for kind, tables in document.items() for values in tables]


def _entry(kind: str, values: dict[str, Any]) -> Entry:
    lists = {name: tuple(values.pop(name, ())) for name in ("errors", "warnings")}
    return Entry(kind, **{**values, **lists})


def inputs() -> dict[str, str]:
    """Every package, every manifest that is in none, and what else there is below the shared packages: path to kind.

    A directory with neither of them is a package if it has a directory of definitions.
    """
    archives = [path for path in PACKAGES.rglob("*") if path.suffix in (".csar", ".zip")]
    directories = [path.parents[1] for path in PACKAGES.rglob(META_FILE)]
    found = {_name(path): "package" for path in (*archives, *directories)}
    for path in PACKAGES.rglob("*.mf"):
        if not any(parent in directories for parent in path.parents):
            found[_name(path)] = "manifest"
    for path in PACKAGES.iterdir():
        if path.is_dir() and not any(name == _name(path) or name.startswith(f"{_name(path)}/") for name in found):
            found[_name(path)] = "package" if (path / "Definitions").is_dir() else "other"
    return found


def found(entry: Entry) -> tuple[Problem, ...]:
    """What is read out of the entry's package or manifest; scripts and images were left out of the directories."""
    path = PACKAGES / entry.path
    if entry.kind == "package":
        at = datetime.combine(entry.at, time(), UTC)
        return read_package(path, missing_files=Severity.WARNING, trust=Trust(), at=at).problems
    problems = Problems()
    read_manifest(path.read_bytes(), path.name, problems)
    return problems.sorted()


def verdict_of(problems: Iterable[Problem]) -> str:
    """`valid`, `warnings` or `invalid`, whatever the package is of."""
    severities = {each.severity for each in problems if each.code not in _REFUSED}
    if Severity.ERROR in severities:
        return "invalid"
    return "warnings" if severities else "valid"


def unlike(expected: Iterable[str], problems: Iterable[Problem]) -> Iterator[str]:
    """What is expected and not there, and what is there and not expected."""
    told = {f"{each.code} {each.file}:{each.line}": each for each in problems}
    met: set[str] = set()
    for wanted in expected:
        matching = {name for name in told if name == wanted or (wanted.endswith(":*") and _whole(name) == wanted[:-2])}
        if not matching - met:
            yield f"expected, not found: {wanted}"
        met |= matching
    yield from (f"found, not expected: {told[name]}" for name in sorted(told.keys() - met))


def _whole(name: str) -> str:
    return name.rpartition(":")[0]


def _name(path: Path) -> str:
    return path.relative_to(PACKAGES).as_posix()
