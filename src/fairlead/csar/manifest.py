"""The manifest of a package (`.mf`): who made what and when, the digests of its files, a signature at its end.

SOL004 4.3.2. The format is lines of `name: value` in four sections: metadata, one block for each file (Source, Algorithm,
Hash), sets of artifacts that are not the manager's, and a CMS block. A signature covers the bytes before it, so the
manifest keeps where that block begins, and the block itself unread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fairlead.csar.digests import Digest
from fairlead.csar.lines import Line, read_lines
from fairlead.csar.metafile import MetaEntry
from fairlead.descriptors import Mark, Problems, nearest

__all__ = ["ListedFile", "Manifest", "read_manifest"]

_VNF_KEYS: Final = (
    "vnf_provider_id",
    "vnf_product_name",
    "vnf_release_date_time",
    "vnf_package_version",
)
_OPTIONAL_KEYS: Final = (
    "vnfd_id",
    "vnf_software_version",
    "vnfm_info",
    "compatible_specification_versions",
    "merged_manifest_file",
    "vnf_product_info_name",
    "vnf_product_info_description",
)
_MISSPELT: Final = {f"{of}_release_data_time": f"{of}_release_date_time" for of in ("vnf", "nsd", "pnfd")}
_OTHERS: Final = {"nsd_": "a network service", "pnfd_": "a physical network function"}
_REQUIRED: Final[Mapping[str | None, tuple[str, ...]]] = {
    None: _VNF_KEYS,
    "pnfd_": ("pnfd_name", "pnfd_provider", "pnfd_archive_version", "pnfd_release_date_time"),
}
_FILE_KEYS: Final = ("source", "name", "algorithm", "hash", "signature", "certificate", "content-type")
_VOUCHING: Final = ("signature", "certificate")
_BEGIN: Final = re.compile(rb"^-----BEGIN (CMS|PKCS7|PKCS #7 SIGNED DATA)-----[ \t\r]*$", re.MULTILINE)
_END: Final = re.compile(rb"^-----END (CMS|PKCS7|PKCS #7 SIGNED DATA)-----[ \t\r]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file that the manifest lists; `signature` and `certificate` name files that vouch for it alone (SOL004 5.4)."""

    path: str
    mark: Mark
    signature: MetaEntry | None = None
    certificate: MetaEntry | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest; `describes` is None for a VNF package, else what the package is of instead.

    `signature` is the CMS block with its first and last line, `signed` the bytes before it that it covers.
    """

    path: str
    metadata: Mapping[str, MetaEntry] = field(default_factory=dict)
    files: tuple[ListedFile, ...] = ()
    digests: tuple[Digest, ...] = ()
    non_mano_artifacts: Mapping[str, tuple[MetaEntry, ...]] = field(default_factory=dict)
    signature: bytes | None = None
    signature_mark: Mark = field(default_factory=lambda: Mark(""), compare=False)
    signed: bytes = b""
    describes: str | None = None

    def get(self, name: str) -> str | None:
        entry = self.metadata.get(name)
        return entry.value if entry is not None else None


def read_manifest(content: bytes, path: str, problems: Problems) -> Manifest:
    """Read a manifest; mistakes are told, and the rest is read on."""
    signature, mark, signed = _signature(content, path, problems)
    reader = _Reader(problems)
    for line in read_lines(content[:signed], path, problems):
        if line.text:
            reader.line(line)
    reader.finish_file()
    prefix = reader.prefix()
    for key in _REQUIRED.get(prefix, ()):
        if key not in reader.metadata:
            place = reader.metadata_mark or Mark(path, 1, 1)
            problems.error("manifest-incomplete", f'the manifest\'s metadata needs "{key}"', place)
    return Manifest(
        path,
        reader.metadata,
        tuple(reader.files),
        tuple(reader.digests),
        {name: tuple(sources) for name, sources in reader.sets.items()},
        signature,
        mark,
        content[:signed],
        _OTHERS[prefix] if prefix is not None else None,
    )


def _signature(content: bytes, path: str, problems: Problems) -> tuple[bytes | None, Mark, int]:
    """The CMS block at the end, its place, and the length of what comes before it."""
    begin, end = _BEGIN.search(content), _END.search(content)
    if begin is None or end is None or end.start() < begin.start():
        for lone in filter(None, (begin, end)):
            at = Mark(path, content.count(b"\n", 0, lone.start()) + 1, 1)
            problems.error("broken-signature", "a signature block has both a first and a last line; one is missing", at)
        cut = min([lone.start() for lone in (begin, end) if lone is not None], default=len(content))
        return None, Mark(path), cut
    mark = Mark(path, content.count(b"\n", 0, begin.start()) + 1, 1)
    if content[end.end() :].strip():
        problems.error("broken-signature", "nothing may follow the signature block", mark)
    return content[begin.start() : end.end()], mark, begin.start()


class _Reader:
    """Takes the lines one after the other; what section they are in decides what they mean."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.metadata: dict[str, MetaEntry] = {}
        self.metadata_mark: Mark | None = None
        self.files: list[ListedFile] = []
        self.digests: list[Digest] = []
        self.sets: dict[str, list[MetaEntry]] = {}
        self.section = ""
        self.file: dict[str, Line] = {}

    def line(self, line: Line) -> None:
        if line.key == "metadata" and not line.value:
            self.finish_file()
            self.section, self.metadata_mark = "metadata", line.mark
        elif line.key == "non_mano_artifact_sets":
            self.finish_file()
            self.section = "sets"
        elif line.name is None:
            self.problems.error("bad-line", "this is no line of the form Name: value", line.mark)
        elif self.section == "sets":
            self._set_line(line)
        elif line.key in _FILE_KEYS:
            self._file_line(line)
        elif self.section == "metadata":
            self._metadata_line(line)
        else:
            hint = nearest(line.key, ("metadata", "non_mano_artifact_sets", *_FILE_KEYS))
            self.problems.error("unknown-entry", f'"{line.name}" has no meaning here', line.mark, hint)

    def _metadata_line(self, line: Line) -> None:
        key = _MISSPELT.get(line.key, line.key)
        if key != line.key:
            self.problems.warning("unknown-entry", f'"{line.name}" is misspelt', line.mark, f"write {key}")
        elif key not in _VNF_KEYS and key not in _OPTIONAL_KEYS and not key.startswith(tuple(_OTHERS)):
            hint = nearest(key, (*_VNF_KEYS, *_OPTIONAL_KEYS))
            self.problems.warning("unknown-entry", f'"{line.name}" is no metadata of a VNF package', line.mark, hint)
        if key in self.metadata:
            self.problems.error("duplicate-key", f'"{line.name}" stands here a second time', line.mark)
        else:
            self.metadata[key] = MetaEntry(line.value, line.mark)

    def _file_line(self, line: Line) -> None:
        if line.key in ("source", "name"):
            self.finish_file()
            self.section = "files"
        key = "source" if line.key == "name" else line.key
        if key in self.file:
            self.problems.error("duplicate-key", f'"{line.name}" stands twice in the block of one file', line.mark)
        self.file.setdefault(key, line)

    def _set_line(self, line: Line) -> None:
        if line.key == "source":
            if self.sets:
                next(reversed(self.sets.values())).append(MetaEntry(line.value, line.mark))
            else:
                self.problems.error("bad-line", "a source belongs under the name of a set", line.mark)
        elif line.value:
            self.problems.warning("unknown-entry", f'"{line.name}" has no meaning in a set of artifacts', line.mark)
        else:
            self.sets.setdefault(line.name or "", [])

    def finish_file(self) -> None:
        """The block of one file is over: it is a digest, or names nothing to check."""
        block, self.file = self.file, {}
        source, algorithm, digest = block.get("source"), block.get("algorithm"), block.get("hash")
        if not block:
            return
        if source is None:
            first = next(iter(block.values()))
            self.problems.error("bad-line", f'"{first.name}" belongs to no Source', first.mark)
            return
        vouching = [MetaEntry(line.value, line.mark) if line else None for line in map(block.get, _VOUCHING)]
        self.files.append(ListedFile(source.value, source.mark, *vouching))
        if algorithm is not None and digest is not None:
            self.digests.append(Digest(source.value, algorithm.value, digest.value, source.mark, digest.mark))
        elif algorithm is not None or digest is not None:
            lacking = "Hash" if digest is None else "Algorithm"
            self.problems.error("manifest-incomplete", f'the block of "{source.value}" has no {lacking}', source.mark)

    def prefix(self) -> str | None:
        """What the metadata of another sort of package begin with, None for a VNF's."""
        return next((prefix for key in self.metadata for prefix in _OTHERS if key.startswith(prefix)), None)
