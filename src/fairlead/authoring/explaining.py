"""What the codes mean: those of mistakes in packages and those of errors, by one word.

Mistakes have their lists in the code that finds them. The list of errors is `docs/errors.md`, which every wheel carries as
`errors.md` beside this module (a link in the source tree): there is one list, and tests hold it against the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from fairlead.authoring.advice import ADVICE, Example
from fairlead.csar import PACKAGE_CODES
from fairlead.descriptors import CODES, nearest
from fairlead.hot import TEMPLATE_CODES

__all__ = ["Explanation", "all_explanations", "closest", "explain"]

_ROW: Final = re.compile(r"\| `([a-z0-9-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
_LINK: Final = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
_DESCRIPTORS: Final = "Mistakes in descriptors"
_PACKAGES: Final = "Mistakes in packages"
_TEMPLATES: Final = "Mistakes in templates"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of a code in one of the lists; `status` is that of an HTTP answer, where it is one's."""

    code: str
    section: str
    meaning: str
    remedy: str | None = None
    status: str | None = None
    example: Example | None = None

    @property
    def of_packages(self) -> bool:
        """Whether the linter tells it, and not the server."""
        return self.section in (_DESCRIPTORS, _PACKAGES, _TEMPLATES)


@cache
def all_explanations() -> tuple[Explanation, ...]:
    """All codes, list by list; some words stand in two of them."""
    return (
        *_of_lint(_DESCRIPTORS, CODES),
        *_of_lint(_PACKAGES, PACKAGE_CODES),
        *_of_lint(_TEMPLATES, TEMPLATE_CODES),
        *_of_errors(),
    )


def explain(code: str) -> tuple[Explanation, ...]:
    """All that is known of a code; nothing if there is no such code."""
    return tuple(each for each in all_explanations() if each.code == code)


def closest(code: str) -> str | None:
    """The hint for a misspelt code."""
    return nearest(code.lower().replace("_", "-"), dict.fromkeys(each.code for each in all_explanations()))


def _of_lint(section: str, codes: Mapping[str, str]) -> Iterator[Explanation]:
    for code, meaning in codes.items():
        advice = ADVICE.get(code)
        yield Explanation(
            code,
            section,
            meaning,
            advice.remedy if advice is not None else None,
            example=advice.example if advice is not None else None,
        )


def _of_errors() -> Iterator[Explanation]:
    section = ""
    for line in files(__package__).joinpath("errors.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        elif (row := _ROW.fullmatch(line)) is not None:
            code, status, meaning, remedy = row.groups()
            yield Explanation(code, section, _plain(meaning), _plain(remedy), None if status == "–" else status)


def _plain(text: str) -> str:
    """Without Markdown: a link is its words and where it leads."""
    return _LINK.sub(lambda link: link[1] if link[1] == link[2] else f"{link[1]} ({link[2]})", text).replace("`", "")
