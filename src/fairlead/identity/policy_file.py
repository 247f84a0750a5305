"""Reading an operator's `policy.yaml`, every mistake told with its line.

oslo.policy by itself takes a rule that it cannot read for one that lets nobody, and a misspelt name for one that nobody asks
for. Both are refused here, as is a rule that would have Fairlead ask another server in the middle of a request.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from fairlead.errors import FairleadError

__all__ = ["read_policy"]

_REFERENCE = re.compile(r"\brule:([^\s()]+)")
_REMOTE = re.compile(r"\bhttps?:")
_LIMIT = 1024 * 1024


def read_policy(file: Path, known: Mapping[str, str]) -> dict[str, str]:
    """The rules in `file` by name; `known` are those that there are, with their defaults.

    Raises FairleadError (`policy-invalid`) with file and line.
    """
    lines = _entries(file)
    over = {name: check for name, (check, _) in lines.items()}
    everything = {**known, **over}
    used = {reference for check in everything.values() for reference in _REFERENCE.findall(check)}
    for name, (check, line) in lines.items():
        place = f"{file}:{line}"
        if name not in known and name not in used:
            near = difflib.get_close_matches(name, known, 1)
            remedy = f"Did you mean '{near[0]}'?" if near else "`fairlead policy sample` lists all rules."
            raise _invalid(f"There is no rule '{name}', and no other one refers to it.", place, remedy)
        _readable(name, check, place)
        for reference in _REFERENCE.findall(check):
            if reference not in everything:
                raise _invalid(f"Rule '{name}' refers to a rule '{reference}' that there is not.", place, "Correct it.")
        if name in _reached(name, everything):
            raise _invalid(f"Rule '{name}' refers to itself.", place, "Take the circle apart.")
    return over


def _entries(file: Path) -> dict[str, tuple[str, int]]:
    """Each rule of the file with its line."""
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_LIMIT + 1)
        root = yaml.compose(text, yaml.SafeLoader) if len(text) <= _LIMIT else None
    except OSError as error:
        raise _invalid(
            f"The policy cannot be read: {error.strerror}.", str(file), "Name another file in identity.policy."
        ) from error
    except UnicodeDecodeError as error:
        raise _invalid("The policy is not UTF-8.", str(file), "Save it as UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _invalid(f"The policy is not YAML: {error.problem}.", f"{file}{line}", "Correct the line.") from error
    except yaml.YAMLError as error:
        raise _invalid(f"The policy is not YAML: {error}.", str(file), "Correct it.") from error
    if len(text) > _LIMIT:
        raise _invalid("The policy is longer than a mebibyte.", str(file), "Name another file in identity.policy.")
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise _invalid("The policy is not an object of rules.", f"{file}:1", "Write lines of the form 'rule: check'.")
    found: dict[str, tuple[str, int]] = {}
    for key, value in root.value:
        place = f"{file}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise _invalid("A rule is one line of text.", place, "Write it as 'rule: check'.")
        if key.value in found:
            raise _invalid(f"Rule '{key.value}' is there twice.", place, "Take one away.")
        text = "" if value.tag == "tag:yaml.org,2002:null" else value.value
        found[key.value] = (text, key.start_mark.line + 1)
    return found


def _readable(name: str, check: str, place: str) -> None:
    """oslo.policy reads what it does not understand as `!`, which is nobody."""
    if _REMOTE.search(check):
        raise _invalid(
            f"Rule '{name}' asks another server, which is not possible here.", place, "Use roles, projects and users."
        )
    import logging

    from oslo_policy.policy import Rules

    parser = logging.getLogger("oslo_policy._parser")
    silent, parser.disabled = parser.disabled, True  # it is told here, and better
    try:
        understood = str(Rules.from_dict({name: check})[name])
    finally:
        parser.disabled = silent
    if understood.count("!") != check.count("!"):
        raise _invalid(
            f"Rule '{name}' cannot be understood: {check}",
            place,
            "Write checks such as role:member or rule:admin_api, joined by 'and', 'or' and 'not'.",
        )


def _reached(name: str, checks: Mapping[str, str]) -> set[str]:
    """All rules that `name` leads to."""
    found: set[str] = set()
    open_ = [name]
    while open_:
        for reference in _REFERENCE.findall(checks.get(open_.pop(), "")):
            if reference not in found:
                found.add(reference)
                open_.append(reference)
    return found


def _invalid(detail: str, place: str, remedy: str) -> FairleadError:
    return FairleadError(detail, code="policy-invalid", place=place, remedy=remedy)
