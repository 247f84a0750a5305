"""Lines of `Name: value`, as TOSCA.meta and manifests are made of, each with its place.

Both formats are older than their specifications are exact: files in the field have either line ending, comments, indents,
names in any case, or no blank after the colon. All of that is read; what is no such line is told by the reader that
finds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fairlead.descriptors import Mark, Problems

__all__ = ["Line", "read_lines"]

_LONGEST: int = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `name` is None if it has no colon, `text` is the whole without the blanks around it."""

    name: str | None
    value: str
    text: str
    indent: int
    mark: Mark

    @property
    def key(self) -> str:
        """The name in lower case, for comparison."""
        return (self.name or "").lower()


def read_lines(content: bytes, file: str, problems: Problems) -> Iterator[Line]:
    """All lines; empty ones have an empty `text`, comments are left out."""
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        problems.error("not-utf-8", "the file is not UTF-8 text", Mark(file, number, 1))
        return
    for number, raw in enumerate(decoded.split("\n"), start=1):
        text = raw.strip()
        if text.startswith("#"):
            continue
        indent = len(raw) - len(raw.lstrip())
        mark = Mark(file, number, indent + 1)
        if len(text) > _LONGEST:
            problems.error("line-too-long", f"the line has more than {_LONGEST} characters", mark)
            continue
        name, colon, value = text.partition(":")
        yield Line(name.strip() if colon else None, value.strip() if colon else "", text, indent, mark)
