"""What is wrong with a descriptor or package, told with its place.

A reader that stops at the first mistake makes its user repeat the same upload ten times, so nothing in this room raises
for what it reads: every mistake becomes a `Problem`, and reading goes on with the best guess. A problem of severity
`error` means that no value is returned at the end. Codes are stable, and their list with explanations is `codes.py`;
messages may change from release to release.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

__all__ = ["NOWHERE", "Mark", "Problem", "Problems", "Severity", "TooManyProblems", "nearest"]

MOST_PROBLEMS: Final = 1000
_MOST_CHOICES: Final = 400
_LONGEST_WORD: Final = 64


class Mark(NamedTuple):
    """A place in a file of the package: path inside the package, line and column counted from 1; 0 is the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Mark("")


class Severity(StrEnum):
    """`error`: nothing can be made of it. `warning`: it can, but it is probably not what the author wanted."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake; `str()` gives `file:line:column code message (hint)`."""

    code: str
    message: str
    file: str
    line: int
    column: int
    severity: Severity = Severity.ERROR
    hint: str | None = None

    @property
    def mark(self) -> Mark:
        return Mark(self.file, self.line, self.column)

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column} {self.code} {self.message}{hint}"


class TooManyProblems(Exception):
    """Reading stops here: a file made of mistakes must not cost more than one that is right. Never leaves its room."""


class Problems:
    """Collects problems, each once; at the thousandth it raises `TooManyProblems`, which the readers catch."""

    __slots__ = ("_errors", "_found", "_most")

    def __init__(self, most: int = MOST_PROBLEMS) -> None:
        self._found: dict[Problem, None] = {}
        self._errors = False
        self._most = most

    def error(self, code: str, message: str, mark: Mark, hint: str | None = None) -> None:
        self.add(code, message, mark, Severity.ERROR, hint)

    def warning(self, code: str, message: str, mark: Mark, hint: str | None = None) -> None:
        self.add(code, message, mark, Severity.WARNING, hint)

    def add(self, code: str, message: str, mark: Mark, severity: Severity, hint: str | None = None) -> None:
        self._errors = self._errors or severity is Severity.ERROR
        self._found[Problem(code, message, mark.file, mark.line, mark.column, severity, hint)] = None
        if len(self._found) == self._most:
            told = f"there are more than {self._most - 1} problems; reading stops here"
            self._found[Problem("too-many-problems", told, mark.file, mark.line, mark.column)] = None
            self._errors = True
            raise TooManyProblems

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem.code, problem.message, problem.mark, problem.severity, problem.hint)

    @property
    def any_error(self) -> bool:
        return self._errors

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def sorted(self) -> tuple[Problem, ...]:
        """All problems by file and line, in the order found within one place."""
        return tuple(sorted(self._found, key=lambda problem: problem.mark))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The hint for a misspelt word: `did you mean "..."?`, or None if nothing known is like it."""
    if len(word) > _LONGEST_WORD:
        return None
    choices = list(islice(known, _MOST_CHOICES))
    found = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if not found:
        found = [choice for choice in choices if choice.replace("_", "").lower() == word.replace("_", "").lower()]
    return f'did you mean "{found[0]}"?' if found else None
