"""What the linter found, as JSON and as SARIF.

SARIF 2.1.0 is what code hosts and editors read. A file in an archive is a nested artifact there (3.24.3): its parent is the
archive, and its own location is the path inside. The rules are the codes that occur, with what `explain` says of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from fairlead.authoring.explaining import explain
from fairlead.authoring.linting import Linted, Mistake

__all__ = ["as_json", "as_sarif"]

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_json(found: Sequence[Linted]) -> dict[str, Any]:
    """`problems` are as the API gives them, with `file` as a path on this machine."""
    return {
        "checked": [each.path for each in found],
        "errors": sum(each.errors for each in found),
        "warnings": sum(each.warnings for each in found),
        "problems": [_document(mistake) for each in found for mistake in each.mistakes],
    }


def _document(mistake: Mistake) -> dict[str, Any]:
    problem = mistake.problem
    document = {
        "severity": problem.severity.value,
        "code": problem.code,
        "message": problem.message,
        "file": mistake.file,
        "line": problem.line,
        "column": problem.column,
    }
    return document | ({"hint": problem.hint} if problem.hint else {})


def as_sarif(found: Sequence[Linted], version: str) -> dict[str, Any]:
    """One run; `version` is Fairlead's."""
    mistakes = [mistake for each in found for mistake in each.mistakes]
    rules = sorted({mistake.problem.code for mistake in mistakes})
    artifacts = _artifacts(mistakes)
    index = {place: number for number, place in enumerate(artifacts)}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Fairlead",
                        "version": version,
                        "rules": [_rule(code) for code in rules],
                    }
                },
                "artifacts": [_artifact(place, index) for place in artifacts],
                "results": [_result(mistake, rules, index) for mistake in mistakes],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }


_Place = tuple[str, str | None]


def _artifacts(mistakes: Iterable[Mistake]) -> list[_Place]:
    places: dict[_Place, None] = {}
    for mistake in mistakes:
        places[mistake.path, None] = None
        places[mistake.path, mistake.member] = None
    return list(places)


def _artifact(place: _Place, index: Mapping[_Place, int]) -> dict[str, Any]:
    path, member = place
    if member is None:
        return {"location": {"uri": _uri(path)}}
    return {"location": {"uri": quote(member)}, "parentIndex": index[path, None]}


def _uri(path: str) -> str:
    """A relative path stays relative, so that the log is true on other machines as well."""
    return f"file://{quote(path)}" if PurePosixPath(path).is_absolute() else quote(path)


def _rule(code: str) -> dict[str, Any]:
    meaning = next((each.meaning for each in explain(code)), None)
    rule: dict[str, Any] = {"id": code}
    if meaning:
        rule["shortDescription"] = {"text": meaning}
        rule["help"] = {"text": f"{meaning} More: fairlead explain {code}"}
    return rule


def _result(mistake: Mistake, rules: Sequence[str], index: Mapping[_Place, int]) -> dict[str, Any]:
    problem = mistake.problem
    place = mistake.path, mistake.member
    at: dict[str, Any] = {
        "artifactLocation": {
            "uri": quote(mistake.member) if mistake.member else _uri(mistake.path),
            "index": index[place],
        }
    }
    if problem.line > 0:
        at["region"] = {"startLine": problem.line, **({"startColumn": problem.column} if problem.column > 0 else {})}
    return {
        "ruleId": problem.code,
        "ruleIndex": rules.index(problem.code),
        "level": problem.severity.value,
        "message": {"text": f"{problem.message} ({problem.hint})" if problem.hint else problem.message},
        "locations": [{"physicalLocation": at}],
    }
