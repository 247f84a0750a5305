"""Archives that are made while they are sent: known in every byte beforehand, held nowhere.

Files go in as they are, not compressed, with the sizes and check sums that the table of the archive they come from gives.
So the length is known before the first byte, any range can be sent without what is before it, and the same selection of
files is the same archive each time, which is what lets a client go on with a download that broke.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import IO, Final, NamedTuple

__all__ = ["Bundle", "Member", "read_range"]

_PART: Final = 2**20
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_ZIP64_END: Final = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR: Final = struct.Struct("<4sLQL")
_UTF8: Final = 0x800
_DATE: Final = 0x21  # 1980-01-01, the first that a zip archive can say.
_MOST: Final = 0xFFFFFFFF


class Member(NamedTuple):
    """A file: its path, its size in bytes, its CRC-32, and how it is opened, from its first byte."""

    name: str
    size: int
    crc: int
    open: Callable[[], IO[bytes]]


class Bundle:
    """A zip archive of `members`, whose names differ."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._segments: list[tuple[int, bytes | Member]] = []
        self.size = 0
        central = []
        for member in members:
            central.append(_central(member, self.size))
            self._add(_local(member))
            self._add(member)
        start = self.size
        self._add(b"".join(central))
        self._add(_end(len(members), self.size - start, start))

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to before `stop`, at most a mebibyte at a time."""
        at = 0
        for size, segment in self._segments:
            first, last = max(start - at, 0), min(stop - at, size)
            at += size
            if first >= last:
                continue
            if isinstance(segment, bytes):
                yield segment[first:last]
            else:
                with closing(segment.open()) as file:
                    yield from read_range(file, first, last)

    def _add(self, segment: bytes | Member) -> None:
        size = len(segment) if isinstance(segment, bytes) else segment.size
        self._segments.append((size, segment))
        self.size += size


def read_range(file: IO[bytes], start: int, stop: int) -> Iterator[bytes]:
    """The bytes of `file`, which is at its beginning, from `start` to before `stop`. Raises EOFError when it ends before."""
    if start:
        file.seek(start)
    while start < stop:
        part = file.read(min(_PART, stop - start))
        if not part:
            raise EOFError(f"the file ends after {start} bytes, {stop} were expected")
        start += len(part)
        yield part


def _local(member: Member) -> bytes:
    name = member.name.encode()
    large = member.size >= _MOST
    extra = struct.pack("<2H2Q", 1, 16, member.size, member.size) if large else b""
    size = _MOST if large else member.size
    needed = 45 if large else 20
    return (
        _LOCAL.pack(b"PK\x03\x04", needed, _UTF8, 0, 0, _DATE, member.crc, size, size, len(name), len(extra))
        + name
        + extra
    )


def _central(member: Member, offset: int) -> bytes:
    name = member.name.encode()
    large = member.size >= _MOST or offset >= _MOST
    extra = struct.pack("<2H3Q", 1, 24, member.size, member.size, offset) if large else b""
    size, place = (_MOST, _MOST) if large else (member.size, offset)
    needed = 45 if large else 20
    made = 3 << 8 | needed
    mode = 0o100644 << 16
    return (
        _CENTRAL.pack(
            b"PK\x01\x02", made, needed, _UTF8, 0, 0, _DATE, member.crc, size, size,
            len(name), len(extra), 0, 0, 0, mode, place,
        )
        + name
        + extra
    )  # fmt: skip


def _end(number: int, size: int, start: int) -> bytes:
    records = b""
    if number >= 0xFFFF or size >= _MOST or start >= _MOST:
        records = _ZIP64_END.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, number, number, size, start)
        records += _ZIP64_LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
    shown = min(number, 0xFFFF)
    return records + _END.pack(b"PK\x05\x06", 0, 0, shown, shown, min(size, _MOST), min(start, _MOST), 0)
