"""The files of a package, whether they come out of a zip archive or a directory.

Everything behind this module works on names inside the package and streams, so a package under development in a
directory and an uploaded archive are read by the same code, and what only one of them can do wrong is judged where it
is opened (`archives.py`, `directories.py`). After that, names can be trusted: relative, plain, each once. Nothing is ever
written to a path that comes from a package.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Final, Protocol

from fairlead.descriptors import Mark, Problems

__all__ = ["READ_ERRORS", "Contents", "LazyFiles", "Limits", "bad_name", "read_start"]

READ_ERRORS: Final = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
_LARGEST_DOCUMENT: Final = 8 * 2**20
_LARGEST_TEXT: Final = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a package may be; the defaults fit packages with several disk images."""

    entries: int = 10_000
    """Files and directories. A CNF with all its charts has some hundreds."""
    total: int = 64 * 2**30
    """Bytes, unpacked."""
    ratio: int = 200
    """Unpacked to packed size beyond the first 16 MiB. Text packs about 20 to 1, a bomb of zeros 1,000 to 1."""
    name: int = 1024
    """Characters of one name."""


class Contents(Protocol):
    """Files by path inside the package; `directories` are all that exist, empty ones too."""

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @property
    def directories(self) -> frozenset[str]: ...

    def open(self, name: str) -> IO[bytes]:
        """The content of a file as a stream; KeyError if there is no such file, one of READ_ERRORS if it is damaged."""
        ...

    def close(self) -> None: ...


class LazyFiles(Mapping[str, bytes]):
    """The files as a mapping that reads one when asked for it, as the descriptor reader wants them.

    A file above 8 MiB comes cut off one byte later: it is no descriptor, and the reader says so. A damaged one comes empty,
    with a problem.
    """

    def __init__(self, contents: Contents, problems: Problems) -> None:
        self._contents = contents
        self._problems = problems

    def __getitem__(self, name: str) -> bytes:
        if name not in self._contents.sizes:
            raise KeyError(name)
        try:
            return read_start(self._contents, name, _LARGEST_DOCUMENT + 1)
        except READ_ERRORS as error:
            self._problems.error("damaged-file", f"the file cannot be read: {error}", Mark(name))
            return b""

    def __iter__(self) -> Iterator[str]:
        return iter(self._contents.sizes)

    def __len__(self) -> int:
        return len(self._contents.sizes)

    def __contains__(self, name: object) -> bool:
        return name in self._contents.sizes


def read_start(contents: Contents, name: str, most: int = _LARGEST_TEXT) -> bytes:
    """At most the first `most` bytes of a file; raises as `Contents.open` does."""
    with closing(contents.open(name)) as stream:
        parts, left = [], most
        while left > 0 and (part := stream.read(min(left, 2**16))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


def bad_name(name: str, limits: Limits) -> str | None:
    """Why a name must not stand in a package, or None."""
    if len(name) > limits.name:
        return f"is longer than {limits.name} characters"
    if "\\" in name:
        return "has a backslash"
    if name.startswith("/") or (len(name) > 1 and name[1] == ":" and name[0].isalpha()):
        return "is an absolute path"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "has a control character"
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return "leads out of the package"
    if "" in parts or "." in parts:
        return "is not a plain path"
    return None
