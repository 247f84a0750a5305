"""What users type, as the values that it stands for.

`KEY=VALUE` takes a value literally, except for what is unmistakably JSON: true, false, null, numbers that read back as
they were written (1.10 is a version, not a number), objects, arrays and quoted strings. `@FILE` stands for the content
of a file: parsed when its name ends in .json, .yaml or .yml, otherwise as text, which is how boot data and keys get in.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from fairlead.errors import BadRequest

__all__ = ["key_values", "pair", "read_document", "secret_values", "text_of", "value_of"]

_PARSED = frozenset({".json", ".yaml", ".yml"})


def pair(text: str, *, option: str) -> tuple[str, str]:
    """`KEY=VALUE` in two parts."""
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise click.BadParameter(f"{text!r} is not KEY=VALUE.", param_hint=option)
    return key.strip(), value


def key_values(pairs: Iterable[str], *, option: str) -> dict[str, Any]:
    """The values of a repeatable `KEY=VALUE` option."""
    return {key: value_of(value) for key, value in (pair(text, option=option) for text in pairs)}


def secret_values(pairs: Iterable[str], *, option: str) -> dict[str, str]:
    """`KEY=VALUE` as text; `@FILE` is a file, and `-` is asked for without echo, or read where there is no terminal."""
    found: dict[str, str] = {}
    for text in pairs:
        key, value = pair(text, option=option)
        if value != "-":
            found[key] = _content(Path(value[1:])).strip() if value.startswith("@") else value
        elif sys.stdin.isatty():
            found[key] = click.prompt(key, hide_input=True, err=True)
        else:
            found[key] = sys.stdin.readline().rstrip("\n")
    return found


def value_of(text: str) -> Any:
    """The value that `text` stands for."""
    if text.startswith("@"):
        path = Path(text[1:])
        return read_document(str(path)) if path.suffix in _PARSED else _content(path)
    try:
        value = json.loads(text, parse_constant=_refused)
    except ValueError:
        return text
    if isinstance(value, int | float) and not isinstance(value, bool) and json.dumps(value) != text:
        return text
    return value


def text_of(path: str) -> str:
    """What is in a text file. Raises BadRequest (`unreadable-file`)."""
    return _content(Path(path))


def _refused(constant: str) -> None:
    """NaN and Infinity are Python's additions to JSON."""
    raise ValueError(constant)


def read_document(path: str) -> Any:
    """The JSON or YAML document in a file; `-` is standard input. Raises BadRequest with the place of a mistake."""
    text = sys.stdin.read() if path == "-" else _content(Path(path))
    if path.endswith(".json"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            place = f"{path}:{error.lineno}:{error.colno}"
            raise BadRequest(f"{path} is not JSON.", code="unreadable-file", place=place, cause=error.msg) from error
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
        raise BadRequest(f"{path} is not YAML.", code="unreadable-file", place=where, cause=error.problem) from error
    except yaml.YAMLError as error:
        raise BadRequest(f"{path} is not YAML.", code="unreadable-file", place=path, cause=str(error)) from error


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read.", code="unreadable-file", place=str(path), cause=error.strerror
        ) from error
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"{path} is not text in UTF-8.", code="unreadable-file", place=str(path), cause=str(error)
        ) from error
