"""The start of a package: a small one that lints without a word, onboards, and can be made into what its author wants.

The files lie in `skeletons/`: `every/` for all kinds, and a directory for each. Words between @ stand for what is the author's,
in names as in contents.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from fairlead.errors import BadRequest

__all__ = ["Kind", "write_skeleton"]

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,60}[A-Za-z0-9])?")


class Kind(StrEnum):
    """What the VNF is made of."""

    MACHINE = "machine"
    CONTAINER = "container"
    HOT = "hot"
    """Virtual machines, with templates for OpenStack Heat."""


def write_skeleton(
    directory: Path, kind: Kind, *, name: str, provider: str, time: str, id: str | None = None
) -> list[Path]:
    """Write the files of a new package into `directory`, which is made or empty; their paths, sorted.

    `time` is the release's in RFC 3339, `id` the VNFD's (a new UUID unless given). Raises BadRequest (`bad-package-name`,
    `directory-not-empty`), OSError.
    """
    for what, text in (("name", name), ("provider", provider)):
        if not _NAME.fullmatch(text):
            raise BadRequest(
                f"'{text}' cannot be the {what} of a package.",
                code="bad-package-name",
                remedy="Take letters, digits, blanks, dots, underscores and hyphens, up to 62, a letter or digit first and last.",
            )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BadRequest(
            f"{directory} exists and is not empty.",
            code="directory-not-empty",
            place=str(directory),
            remedy="Name a directory that does not exist yet; nothing is written over.",
        )
    file = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    words = {
        "ID": id or str(uuid.uuid4()),
        "NAME": name,
        "PROVIDER": provider,
        "FILE": file,
        "WORD": re.sub(r"[^A-Za-z0-9]+", "", provider),
        "TIME": time,
    }
    written = []
    for place in ("every", kind.value):
        for path, content in _files(files(__package__).joinpath("skeletons", place)):
            target = directory / _filled(path, words)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_filled(content, words), encoding="utf-8")
            written.append(target)
    return sorted(written)


def _files(directory: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for each in directory.iterdir():
        if each.is_dir():
            yield from _files(each, f"{above}{each.name}/")
        else:
            yield f"{above}{each.name}", each.read_text(encoding="utf-8")


def _filled(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda found: words[found[1]], text)
