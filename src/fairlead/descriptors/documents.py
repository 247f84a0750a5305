"""The documents of a descriptor: the entry file and everything that it imports.

ETSI's type files are known natively, so an import of one, by bare name or by URL, needs nothing in the package, and
a copy in the package is remembered but not parsed (`types.py` says when it is). Every other import must be a file of the
package: descriptors are not read over the network.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fairlead.descriptors.grammar import check_grammar
from fairlead.descriptors.problems import Mark, Problems, Severity, nearest
from fairlead.descriptors.source import Node, compose

__all__ = ["Documents", "inside", "load"]

MOST_DOCUMENTS: Final = 200
MOST_BYTES: Final = 16 * 2**20
_ETSI_TYPES: Final = re.compile(r"etsi_nfv_sol001_(common|vnfd|nsd|pnfd)[a-z0-9_.]*\.ya?ml\Z", re.IGNORECASE)
_TOSCA_VERSIONS: Final = ("tosca_simple_yaml_1_2", "tosca_simple_yaml_1_3")
_OLD_VERSIONS: Final = ("tosca_simple_yaml_1_0", "tosca_simple_yaml_1_1", "tosca_simple_profile_for_nfv_1_0_0")


@dataclass(slots=True)
class Documents:
    """Parsed documents by path, the entry first; and the package's copies of ETSI's types, by path, unparsed."""

    entry: str
    roots: dict[str, Node] = field(default_factory=dict)
    copies: dict[str, bytes] = field(default_factory=dict)

    def parsed_copies(self, problems: Problems) -> Iterator[Node]:
        """The copies, parsed; what is wrong with one is a warning, as nothing depends on it."""
        for path, content in self.copies.items():
            found = Problems()
            root = compose(content, path, found)
            for each in found:
                problems.add("sol001-drift", f"{each.message}; this copy is not used", each.mark, Severity.WARNING)
            if root is not None:
                yield root


def inside(base_file: str, target: str) -> str | None:
    """`target`, written in `base_file`, as a path inside the package; None if it leads out of it."""
    if target.startswith("/") or "\\" in target or re.match(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://", target):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(base_file), target))
    return None if path == ".." or path.startswith("../") else path


def load(files: Mapping[str, bytes], entry: str, problems: Problems) -> Documents | None:
    """Read the entry file and its imports; None if the entry itself cannot be read."""
    documents = Documents(entry)
    waiting = [(entry, Mark(entry))]
    total = 0
    while waiting:
        path, mark = waiting.pop(0)
        if path in documents.roots:
            continue
        if len(documents.roots) >= MOST_DOCUMENTS:
            problems.error("too-many-imports", f"more than {MOST_DOCUMENTS} files are imported", mark)
            break
        content = files.get(path)
        if content is None:
            problems.error("file-missing", f'there is no file "{path}" in the package', mark, nearest(path, files))
            continue
        total += len(content)
        if total > MOST_BYTES:
            problems.error("documents-too-large", f"the documents have more than {MOST_BYTES} bytes together", mark)
            break
        root = compose(content, path, problems)
        if root is None or root.mapping is None:
            if root is not None or not problems.any_error:
                problems.error("not-tosca", "this is no TOSCA document, as it is not a map", Mark(path, 1, 1))
            continue
        documents.roots[path] = root
        check_grammar(root, problems)
        _check_version(root, problems)
        waiting += list(_imports(root, path, files, documents, problems))
    return documents if entry in documents.roots else None


def _check_version(root: Node, problems: Problems) -> None:
    version = root.get("tosca_definitions_version")
    if version is None or version.text in _TOSCA_VERSIONS:
        return
    if version.text in _OLD_VERSIONS:
        told = f'"{version.text}" is older than what SOL001 is defined on, and is read as 1.2'
        problems.warning("tosca-version", told, version.mark)
    else:
        hint = f"one of {', '.join(_TOSCA_VERSIONS)}"
        problems.error(
            "tosca-version", f'"{version.text}" is not a TOSCA version that is read here', version.mark, hint
        )


def _imports(
    root: Node, path: str, files: Mapping[str, bytes], documents: Documents, problems: Problems
) -> Iterator[tuple[str, Mark]]:
    imports = root.get("imports")
    for node in (imports.sequence or []) if imports is not None else []:
        target = _target(node)
        if target is None:
            problems.error("wrong-shape", 'an import is a file name, or a map with the key "file"', node.mark)
            continue
        found = inside(path, target.text)
        if _ETSI_TYPES.match(posixpath.basename(target.text)):
            if found is not None and found not in documents.copies and (content := files.get(found)) is not None:
                documents.copies[found] = content
            continue
        if found is None:
            hint = "put the file into the package and import it by its relative path"
            problems.error(
                "import-outside-package", f'"{target.text}" is not a file of this package', target.mark, hint
            )
            continue
        at_root = inside("", target.text)
        if found not in files and at_root is not None and at_root in files:
            hint = f"write {posixpath.relpath(at_root, posixpath.dirname(path) or '.')}"
            problems.warning("import-from-root", "imports are relative to the importing file", target.mark, hint)
            found = at_root
        yield found, target.mark


def _target(node: Node) -> Node | None:
    """The file of an import in any of its forms: a word, `{file: ...}`, `{name: word}`, `{name: {file: ...}}`."""
    if node.is_text:
        return node
    file = node.get("file")
    if file is not None:
        return file if file.is_text else None
    if node.mapping is not None and len(node.mapping) == 1:
        inner = next(iter(node.mapping.values()))
        return _target(inner) if inner.is_text or inner.get("file") is not None else None
    return None
