"""The templates that a package brings for a flavour, in the layout that Tacker's packages have.

`BaseHOT/<flavour>/` holds one template, the main one, and `BaseHOT/<flavour>/nested/` those whose file names it, or one of
them, uses as types of resources. Reading tells every mistake with its place; what is read is plain values, beside the texts
as they were written, which is what Heat is given as long as nothing has to be said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fairlead.descriptors import Mark, Problems
from fairlead.descriptors.source import Node, compose
from fairlead.hot.documents import Document

__all__ = ["GROUP", "SERVER", "Brought", "flavours_in", "paths_of", "read_brought"]

_ROOT: Final = "BaseHOT"
_NESTED: Final = "nested"
_YAML: Final = (".yaml", ".yml")
SERVER: Final = "OS::Nova::Server"
GROUP: Final = "OS::Heat::AutoScalingGroup"


@dataclass(frozen=True, slots=True)
class Brought:
    """A main template with those nested in it, by file name.

    `main` and `nested` are plain values; `text` and `files` what was written. `marks` has the places of the main one's
    resources.
    """

    path: str
    main: Document
    nested: Mapping[str, Document]
    text: str
    files: Mapping[str, str]
    marks: Mapping[str, Mark] = field(default_factory=dict, compare=False)

    @property
    def resources(self) -> Mapping[str, Any]:
        """The main template's resources."""
        return resources_of(self.main)


def resources_of(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resources of a template that was read."""
    found = template.get("resources")
    return found if isinstance(found, dict) else {}


def flavours_in(paths: Iterable[str]) -> tuple[str, ...]:
    """The flavours that a package with files at `paths` brings templates for."""
    parts = (path.split("/") for path in paths if path.endswith(_YAML))
    return tuple(dict.fromkeys(each[1] for each in parts if len(each) > 2 and each[0] == _ROOT))


def paths_of(paths: Iterable[str], flavour: str | None = None) -> tuple[str, ...]:
    """Those of `paths` that are templates, of one flavour or of all."""
    stem = f"{_ROOT}/" if flavour is None else f"{_ROOT}/{flavour}/"
    return tuple(sorted(path for path in paths if path.startswith(stem) and path.endswith(_YAML)))


def read_brought(files: Mapping[str, bytes], flavour: str, problems: Problems) -> Brought | None:
    """The templates of `flavour` among the `files` of a package; None where there are none or they cannot be read."""
    paths = paths_of(files, flavour)
    if not paths:
        return None
    folder = f"{_ROOT}/{flavour}"
    tops = [path for path in paths if path.rpartition("/")[0] == folder]
    if len(tops) != 1:
        told = f"{len(tops)} templates ({', '.join(tops)})" if tops else "no template"
        problems.error("hot-top", f'the flavour "{flavour}" has {told} beside the directory {_NESTED}', Mark(folder))
        return None
    nodes = {path: _template(files[path], path, problems) for path in paths}
    nested = {path.rpartition("/")[2]: path for path in paths if path.rpartition("/")[0] == f"{folder}/{_NESTED}"}
    top = nodes[tops[0]]
    inner = {name: nodes[path] for name, path in nested.items()}
    if top is None or any(node is None for node in inner.values()):
        return None
    _check_files(nodes, nested, problems)
    return Brought(
        path=tops[0],
        main=top.plain_value(),
        nested={name: node.plain_value() for name, node in inner.items() if node is not None},
        text=files[tops[0]].decode(errors="replace"),
        files={name: files[path].decode(errors="replace") for name, path in nested.items()},
        marks=dict(_resources(top).keys if _resources(top) is not None else {}),
    )


def _template(content: bytes, path: str, problems: Problems) -> Node | None:
    """One template, looked at as far as is needed to find one's way in it."""
    root = compose(content, path, problems)
    if root is None:
        return None
    if root.mapping is None:
        problems.error("hot-shape", f"a template is a map, not {root.sort}", root.mark)
        return None
    version = root.get("heat_template_version")
    if version is None or not version.is_text:
        problems.error("hot-version", "heat_template_version is missing", root.mark)
        return None
    resources = root.get("resources")
    if resources is None or resources.mapping is None:
        problems.error("hot-shape", "a template has a map of resources", (resources or root).mark)
        return None
    for name, resource in resources.mapping.items():
        kind = resource.get("type")
        if kind is None or not kind.is_text:
            problems.error("hot-shape", f'the resource "{name}" has no type', resources.key_mark(name))
            return None
    return root


def _resources(node: Node) -> Node:
    found = node.get("resources")
    assert found is not None
    return found


def _check_files(nodes: Mapping[str, Node | None], nested: Mapping[str, str], problems: Problems) -> None:
    """Every type that is a file is there, and every file is somebody's type."""
    used = set()
    for node in nodes.values():
        for kind in _types(node) if node is not None else ():
            used.add(kind.text)
            if kind.text.endswith(_YAML) and "://" not in kind.text and kind.text not in nested:
                told = f'"{kind.text}" is not in the directory {_NESTED}'
                problems.error("hot-file-missing", told, kind.mark, f"there are: {', '.join(nested) or 'none'}")
    for name, path in nested.items():
        if name not in used:
            problems.warning("hot-file-unused", f'no resource is of the type "{name}"', Mark(path))


def _types(node: Node) -> Iterator[Node]:
    """The types of all resources, those that a group makes included."""
    waiting = list((_resources(node).mapping or {}).values())
    while waiting:
        resource = waiting.pop()
        kind, properties = resource.get("type"), resource.get("properties")
        if kind is not None and kind.is_text:
            yield kind
        for key in ("resource", "resource_def"):
            inner = properties.get(key) if properties is not None else None
            if inner is not None and inner.mapping is not None:
                waiting.append(inner)
