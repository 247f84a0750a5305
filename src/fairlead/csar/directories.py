"""A package as a directory, for development: the same files as in the archive that will be made of it.

Links are not followed, so a package cannot take in what lies outside of it; version control's own directories are no
part of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from fairlead.csar.archives import judge_names, parents
from fairlead.csar.contents import Limits, bad_name
from fairlead.descriptors import Mark, Problems

__all__ = ["DirectoryContents", "open_directory"]

_NO_PART: Final = frozenset({".git", ".hg", ".svn", "__pycache__"})


class DirectoryContents:
    """The files below a directory."""

    def __init__(self, root: Path, sizes: Mapping[str, int], directories: frozenset[str]) -> None:
        self._root = root
        self.sizes = sizes
        self.directories = directories

    def open(self, name: str) -> IO[bytes]:
        if name not in self.sizes:
            raise KeyError(name)
        return os.fdopen(os.open(self._root / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def close(self) -> None:
        """Nothing is held open."""


def open_directory(root: Path, limits: Limits, problems: Problems) -> DirectoryContents | None:
    """List the files below `root`; None if something there must not be in a package, with the reasons."""
    found = Problems()
    sizes: dict[str, int] = {}
    directories: set[str] = set()
    for where, below, names in os.walk(root, followlinks=False):
        below[:] = sorted(name for name in below if name not in _NO_PART)
        base = Path(where)
        for name in [*below, *sorted(names)]:
            _judge(base / name, root, sizes, directories, limits, found)
        if len(sizes) + len(directories) > limits.entries:
            found.error("too-many-entries", f"there are more than {limits.entries} files", Mark("."))
            break
    if sum(sizes.values()) > limits.total:
        found.error("too-large", f"the files have more than {limits.total} bytes", Mark("."))
    judge_names(sizes, directories, found, Mark("."))
    problems.extend(found)
    return None if found.any_error else DirectoryContents(root, sizes, frozenset(directories))


def _judge(
    path: Path, root: Path, sizes: dict[str, int], directories: set[str], limits: Limits, problems: Problems
) -> None:
    name = path.relative_to(root).as_posix()
    reason = bad_name(name, limits)
    if reason is not None:
        problems.error("bad-path", f"the name {name[:200]!r} {reason}", Mark("."))
    elif path.is_symlink():
        problems.error("bad-entry", f'"{name}" is a symbolic link', Mark(name))
    elif path.is_dir():
        directories.update((name, *parents(name)))
    elif path.is_file():
        sizes[name] = path.stat().st_size
    else:
        problems.error("bad-entry", f'"{name}" is a special file', Mark(name))
