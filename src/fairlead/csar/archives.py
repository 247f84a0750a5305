"""Zip archives, judged by their table of contents before anything in them is unpacked.

An archive from outside is read with the manager's rights. Refused, as a whole and with the reason: names that lead out of
the package, links and devices, names given twice (readers disagree on which one counts, which is how signed packages
are forged) or apart only by case, encrypted files, what is packed by other methods than SOL004 4.1 allows (ISO/IEC 21320-1:
stored or deflated), entries that share their bytes, and archives that would grow out of all proportion. Sizes in the table
can be trusted afterwards, because `zipfile` stops a file at the size that the table gives.
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import IO, Final

from fairlead.csar.contents import READ_ERRORS, Limits, bad_name
from fairlead.descriptors import Mark, Problems

__all__ = ["ZipContents", "judge_names", "open_zip", "parents"]

_FREE_OF_RATIO: Final = 16 * 2**20
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_LOCAL_HEADER: Final = 30
_END: Final = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR: Final = struct.Struct("<4sLQL")
_ZIP64_END: Final = struct.Struct("<4sQ2H2L4Q")


class ZipContents:
    """The files of an archive that was found to be in order."""

    def __init__(
        self, archive: zipfile.ZipFile, infos: Mapping[str, zipfile.ZipInfo], directories: frozenset[str]
    ) -> None:
        self._archive = archive
        self._infos = infos
        self.directories = directories
        self.sizes: Mapping[str, int] = {name: info.file_size for name, info in infos.items()}

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._infos[name])

    def crc(self, name: str) -> int:
        """The CRC-32 of a file, as the archive's table gives it and reading holds."""
        return self._infos[name].CRC

    def close(self) -> None:
        self._archive.close()


def open_zip(source: Path | IO[bytes], label: str, limits: Limits, problems: Problems) -> ZipContents | None:
    """Open an archive; None if it is refused, with the reasons. `label` is the name under which problems show it."""
    mark = Mark(label)
    try:
        table = _table_size(source)
        if table is not None and table > limits.entries * 2048:
            problems.error("too-many-entries", f"its table of contents has {table} bytes", mark)
            return None
        archive = zipfile.ZipFile(source)
    except READ_ERRORS as error:
        problems.error("not-a-zip", f"this is not a readable zip archive: {error}", mark)
        return None
    found = Problems()
    infos: dict[str, zipfile.ZipInfo] = {}
    directories: set[str] = set()
    packed = archive.start_dir
    _judge_sizes(archive.infolist(), packed, limits, found, mark)
    if not found.any_error:
        for info in archive.infolist():
            _judge_entry(info, infos, directories, limits, found, mark)
    for name in infos:
        directories.update(parents(name))
    judge_names(infos, directories, found, mark)
    problems.extend(found)
    if found.any_error:
        archive.close()
        return None
    return ZipContents(archive, infos, frozenset(directories))


def judge_names(files: Iterable[str], directories: Collection[str], problems: Problems, mark: Mark) -> None:
    """Tell of names that are not apart on every system: of a file and a directory, or in another case or composition."""
    folded: dict[str, str] = {}
    for name in sorted((*directories, *files)):
        first = folded.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if first != name:
            problems.error("duplicate-entry", f'"{first}" and "{name}" are one name on some systems', mark)
    for name in files:
        if name in directories:
            problems.error("duplicate-entry", f'"{name}" is a file and a directory', mark)


def parents(name: str) -> Iterable[str]:
    """The directories above a path: `a/b/c` is in `a/b` and `a`."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _judge_sizes(infos: list[zipfile.ZipInfo], packed: int, limits: Limits, problems: Problems, mark: Mark) -> None:
    if len(infos) > limits.entries:
        problems.error("too-many-entries", f"it has {len(infos)} entries, at most {limits.entries} are read", mark)
    total = sum(info.file_size for info in infos)
    if total > limits.total:
        problems.error("too-large", f"unpacked it has {total} bytes, at most {limits.total} are read", mark)
    if total > _FREE_OF_RATIO and total > limits.ratio * packed:
        told = f"it would unpack to {total} bytes from {packed}, more than {limits.ratio} times as much"
        problems.error("zip-bomb", told, mark)
    if _overlap(infos, packed):
        problems.error("zip-bomb", "its entries share their bytes", mark)


def _overlap(infos: list[zipfile.ZipInfo], end: int) -> bool:
    """Whether an entry reaches into the next one, or into the table of contents at `end`."""
    ordered = sorted(infos, key=lambda info: info.header_offset, reverse=True)
    for info in ordered:
        if info.header_offset + _LOCAL_HEADER + len(info.orig_filename) + info.compress_size > end:
            return True
        end = info.header_offset
    return False


def _judge_entry(
    info: zipfile.ZipInfo,
    infos: dict[str, zipfile.ZipInfo],
    directories: set[str],
    limits: Limits,
    problems: Problems,
    mark: Mark,
) -> None:
    written = info.orig_filename
    reason = bad_name(written, limits)
    if reason is not None:
        problems.error("bad-path", f"the entry {written[:200]!r} {reason}", mark)
        return
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a symbolic link" if kind == stat.S_IFLNK else "a special file"
        problems.error("bad-entry", f'"{written}" is {what}', mark)
    elif info.flag_bits & _ENCRYPTED:
        problems.error("bad-entry", f'"{written}" is encrypted', mark)
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        problems.error("bad-entry", f'"{written}" is neither stored nor deflated', mark)
    elif written.endswith("/"):
        directories.update((written[:-1], *parents(written[:-1])))
    elif written in infos:
        problems.error("duplicate-entry", f'"{written}" is there twice', mark)
    else:
        infos[written] = info


def _table_size(source: Path | IO[bytes]) -> int | None:
    """The size of the table of contents as the archive's end says it; read first, because `zipfile` reads it whole."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return _table_size(file)
    length = source.seek(0, 2)
    tail_start = max(0, length - 65_536 - _END.size)
    source.seek(tail_start)
    tail = source.read(length - tail_start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END.size:
        return None
    size: int = _END.unpack_from(tail, at)[5]
    locator = at - _ZIP64_LOCATOR.size
    # `zipfile` believes the record of 64 bits wherever there is one: before its locator, or where that says.
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        told = _ZIP64_LOCATOR.unpack_from(tail, locator)[2]
        for start in (tail_start + locator - _ZIP64_END.size, told):
            source.seek(min(max(start, 0), length))
            end = source.read(_ZIP64_END.size)
            if len(end) == _ZIP64_END.size and end[:4] == b"PK\x06\x06":
                size = max(size, _ZIP64_END.unpack(end)[8])
    source.seek(0)
    return size
