"""Every error code that the source can give, read from the source itself.

A code is a literal: `code="..."` of a call, `default_code` of a class, the second word of a `Finding`, `"code": "..."`
of a document that is written by hand. The few that are computed are named in `COMPUTED`, each with what it can become; a new
one of these fails the walk, so that it is looked at once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.errors import ClientError, FairleadError
from fairlead.vims.containers import refusals
from fairlead.vims.containers.codes import CODES as OF_CONTAINERS
from fairlead.vims.openstack.refusals import CODES as OF_OPENSTACK

__all__ = ["Found", "codes"]

SOURCE = Path(__file__).parents[2] / "src" / "fairlead"
CALLERS = ("authoring", "cli", "client", "main")
"""Rooms whose errors are shown and never sent."""
COMPUTED = {
    ("api/identity.py", "f'{word}-not-found'"): {"project-not-found", "token-not-found", "client-not-found"},
    ("identity/identity.py", "f'{word}-not-found'"): {"token-not-found", "client-not-found"},
    ("vims/containers/composition.py", "code"): set(OF_CONTAINERS),
    ("vims/containers/refusals.py", "code"): set(OF_CONTAINERS),
    ("vims/openstack/refusals.py", "code"): set(OF_OPENSTACK),
    ("vims/openstack/compute.py", "'no-valid-host' if 'No valid host' in words else 'resize-failed'"): {
        "no-valid-host",
        "resize-failed",
    },
    ("resources/procedures.py", "status.code if isinstance(status, Failed) else None"): {
        "no-valid-host",
        "port-not-bound",
        "image-half-sent",
    },
    ("resources/procedures.py", "status.code"): {"deletion-lost"},
    ("resources/drift.py", "code"): set(),  # on its way from `_tell`, whose first word it is
    ("api/problems.py", "_slug(_phrase(status))"): {"method-not-allowed"},
}
PASSED_ON = ("error.code", "lack.code", "broken.code", "failure.code", "item.code", "problem.code", "self.code")
"""Codes of errors that exist already, on their way into a log, an event or a document."""


@dataclass
class Found:
    """Codes with the HTTP statuses under which the API shows them; none where that cannot be read from the source."""

    statuses: dict[str, set[int]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    """Places where a code is computed in a way that nobody has looked at."""

    def add(self, code: str, status: int | None = None) -> None:
        self.statuses.setdefault(code, set()).update(() if status is None else (status,))


def codes() -> Found:
    """The codes of all of `fairlead`."""
    found = Found()
    for class_ in _tree(FairleadError):
        found.add(class_.default_code, None if issubclass(class_, ClientError) else class_.status)
    for code in OF_CONTAINERS:
        found.add(code)
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            _look(found, name, node)
    return found


def _look(found: Found, name: str, node: ast.AST) -> None:
    for value, raised in _values(name, node):
        if isinstance(value, ast.Constant) and value.value == "code":
            continue  # the label of a field
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found.add(value.value, None if name.split("/")[0] in CALLERS else raised)
            continue
        words = ast.unparse(value)
        if (name, words) in COMPUTED:
            for code in COMPUTED[name, words]:
                found.add(code, raised if not name.startswith("vims/") else None)
        elif words not in PASSED_ON and not _about_documents(name, words):
            found.unread.append(f"{name}:{value.lineno} {words}")


def _values(name: str, node: ast.AST) -> Iterator[tuple[ast.expr, int | None]]:
    """The expressions for codes in `node`, with the status of the error that they are given to."""
    if isinstance(node, ast.Call):
        callee = ast.unparse(node.func)
        if callee == "Finding" and len(node.args) > 1:
            yield node.args[1], None
        if callee == "self._tell" and name.endswith("drift.py"):
            yield node.args[0], None
        if callee == "_deviation" and name.endswith("drift.py"):
            yield node.args[1], None
        if not callee.startswith("log."):
            yield from ((word.value, _STATUSES.get(callee)) for word in node.keywords if word.arg == "code")
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from ((value, None) for key, value in pairs if isinstance(key, ast.Constant) and key.value == "code")
    elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("['code']"):
        yield node.value, None


def _about_documents(name: str, words: str) -> bool:
    """A code that is read from a document of ours, or the word for it in a table of labels."""
    return words in ("card['code']", "error['code']") or (name == "client/problems.py" and words == "code")


def _tree(root: type[FairleadError]) -> Iterator[type[FairleadError]]:
    yield root
    for branch in root.__subclasses__():
        if branch.__module__.startswith("fairlead."):
            yield from _tree(branch)


_CLASSES: list[type[FairleadError]] = [*_tree(FairleadError), refusals.Taken]
_STATUSES = {class_.__name__: class_.status for class_ in _CLASSES if not issubclass(class_, ClientError)}
