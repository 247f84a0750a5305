"""Archives made on the way out: right for every reader, and the same at every range."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.packages.bundles import Bundle, Member

FILES = {"a.txt": b"some text\n" * 10, "Files/empty": b"", "Files/\u00fc/bytes": bytes(range(256)) * 20}


def member(name: str, content: bytes) -> Member:
    return Member(name, len(content), zlib.crc32(content), lambda: io.BytesIO(content))


def whole(bundle: Bundle) -> bytes:
    return b"".join(bundle.pieces(0, bundle.size))


@pytest.mark.parametrize("files", [{}, FILES])
def test_any_reader_finds_the_files_in_it(files: dict[str, bytes]) -> None:
    bundle = Bundle([member(name, content) for name, content in files.items()])
    made = whole(bundle)
    assert len(made) == bundle.size
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


@given(st.data())
def test_a_range_is_that_part_of_the_whole(data: st.DataObject) -> None:
    bundle = Bundle([member(name, content) for name, content in FILES.items()])
    start = data.draw(st.integers(0, bundle.size))
    stop = data.draw(st.integers(start, bundle.size))
    assert b"".join(bundle.pieces(start, stop)) == whole(bundle)[start:stop]


class Zeros(io.RawIOBase):
    """Nothing but zeros, of any size."""

    def __init__(self, size: int) -> None:
        self._at, self._size = 0, size

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        part = bytes(min(size, self._size - self._at))
        self._at += len(part)
        return part


class Sparse(io.RawIOBase):
    """A bundle as a file that can be read at any place."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle, self._at = bundle, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self._bundle.size)[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._bundle.size if size < 0 else min(self._at + size, self._bundle.size)
        part = b"".join(self._bundle.pieces(self._at, stop))
        self._at = stop
        return part


def test_files_beyond_4_gib_and_what_comes_after_them_are_found() -> None:
    size = 5 * 2**30

    def opened() -> IO[bytes]:
        return Zeros(size)  # type: ignore[return-value]

    bundle = Bundle([Member("large", size, 0, opened), member("after", b"it")])
    with zipfile.ZipFile(Sparse(bundle)) as archive:
        assert [(info.filename, info.file_size) for info in archive.infolist()] == [("large", size), ("after", 2)]
        assert archive.read("after") == b"it"


def test_more_files_than_the_old_format_counts_are_found() -> None:
    bundle = Bundle([member(f"{number}", b"") for number in range(70_000)])
    with zipfile.ZipFile(io.BytesIO(whole(bundle))) as archive:
        assert len(archive.namelist()) == 70_000
