"""TOSCA-Metadata/TOSCA.meta: where a package's entry points are.

SOL004 names its own entries `ETSI-Entry-...`; version 2.4.1 and packages made after it leave the prefix out, and both are
read. Blocks after the first describe single files, and Tacker's packages put digests there, which count like a
manifest's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fairlead.csar.digests import Digest
from fairlead.csar.lines import Line, read_lines
from fairlead.descriptors import Mark, Problems, nearest

__all__ = ["META_FILE", "MetaEntry", "ToscaMeta", "read_meta"]

META_FILE: Final = "TOSCA-Metadata/TOSCA.meta"
_ETSI: Final = ("manifest", "change-log", "tests", "licenses", "certificate")
_KNOWN: Final = {
    "tosca-meta-file-version": "TOSCA-Meta-File-Version",
    "tosca-meta-version": "TOSCA-Meta-File-Version",
    "csar-version": "CSAR-Version",
    "created-by": "Created-By",
    "entry-definitions": "Entry-Definitions",
    "other-definitions": "Other-Definitions",
    **{f"etsi-entry-{name}": f"ETSI-Entry-{name.title()}" for name in _ETSI},
    **{f"entry-{name}": f"ETSI-Entry-{name.title()}" for name in _ETSI},
    "entry-manifest": "ETSI-Entry-Manifest",
}


@dataclass(frozen=True, slots=True)
class MetaEntry:
    """One value with its place."""

    value: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class ToscaMeta:
    """`entries` by their names in SOL004's newest spelling (`ETSI-Entry-Manifest`), and the digests of single files."""

    entries: Mapping[str, MetaEntry] = field(default_factory=dict)
    digests: tuple[Digest, ...] = ()

    def get(self, name: str) -> str | None:
        entry = self.entries.get(name)
        return entry.value if entry is not None else None


def read_meta(content: bytes, problems: Problems, file: str = META_FILE) -> ToscaMeta:
    """Read TOSCA.meta; mistakes are told, and the rest is read on."""
    blocks: list[list[Line]] = [[]]
    for line in read_lines(content, file, problems):
        if not line.text:
            if blocks[-1]:
                blocks.append([])
        elif line.name is None:
            problems.error("bad-line", "this is no line of the form Name: value", line.mark)
        else:
            blocks[-1].append(line)
    entries: dict[str, MetaEntry] = {}
    first = next((block for block in blocks if block and block[0].key not in ("name", "source")), [])
    for line in first:
        name = _KNOWN.get(line.key)
        if name is None:
            hint = nearest(line.key, _KNOWN)
            problems.warning("unknown-entry", f'"{line.name}" is no entry of TOSCA.meta', line.mark, hint)
        elif name in entries:
            problems.error("duplicate-key", f'"{line.name}" stands here a second time', line.mark)
        else:
            entries[name] = MetaEntry(line.value, line.mark)
    for name in ("TOSCA-Meta-File-Version", "CSAR-Version", "Created-By", "ETSI-Entry-Change-Log"):
        if name not in entries:
            problems.warning("meta-incomplete", f'TOSCA.meta needs the entry "{name}"', Mark(file, 1, 1))
    if "Entry-Definitions" not in entries:
        problems.error(
            "no-entry", 'TOSCA.meta has no "Entry-Definitions", so the descriptor is not known', Mark(file, 1, 1)
        )
    digests = [digest for block in blocks if block is not first for digest in _digest(block)]
    return ToscaMeta(entries, tuple(digests))


def _digest(block: list[Line]) -> list[Digest]:
    values = {line.key: line for line in block}
    name, algorithm, digest = values.get("name"), values.get("algorithm"), values.get("hash")
    if name is None or algorithm is None or digest is None:
        return []
    return [Digest(name.value, algorithm.value, digest.value, name.mark, digest.mark)]
