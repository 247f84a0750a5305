"""docs/lint.md, made from the lists of all readers of packages: `python -m tests.docs.lint_reference`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fairlead.csar import PACKAGE_CODES
from fairlead.descriptors import CODES
from fairlead.hot import TEMPLATE_CODES

__all__ = ["PAGE", "reference"]

PAGE = Path(__file__).parents[2] / "docs" / "lint.md"

_HEAD = """# Mistakes in packages

A package is read to its end, so `fairlead lint` and an upload tell all mistakes at once. Each has a `severity` (`error`
or `warning`), a `code`, a `message`, `file`, `line` and `column` (counted from 1; 0 means the whole file), and a `hint`
where one is known. They stand in `problems` of the package's `onboardingFailureDetails`, which `fairlead package onboard`
shows. With warnings alone the package is onboarded, and the event `package.onboarded` has the first twenty. `fairlead
explain CODE` says what to do about one, often with an example. Errors of requests and operations are in
[errors.md](errors.md).
"""


def reference() -> str:
    """The page as it should be."""
    lines = [_HEAD, *_table("Descriptors", CODES), *_table("Packages", PACKAGE_CODES)]
    lines += _table("Templates and scripts", TEMPLATE_CODES)
    return "\n".join(lines)


def _table(title: str, codes: Mapping[str, str]) -> list[str]:
    rows = [f"| `{code}` | {meaning} |" for code, meaning in codes.items()]
    return [f"## {title}", "", "| code | |", "|---|---|", *rows, ""]


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
