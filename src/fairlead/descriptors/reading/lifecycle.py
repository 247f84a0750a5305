"""Operations of a VNF's interfaces: which file of the package is run at which step, with which inputs.

Packages declare a great many operations with nothing behind them (`instantiate: []`); only those with an implementation or
inputs are kept. An implementation is the name of an artifact of the VNF node, or a file itself.
"""

from __future__ import annotations

from typing import Any, Final

from fairlead.descriptors import sol001
from fairlead.descriptors.artifacts import LifecycleOperation
from fairlead.descriptors.problems import Mark, nearest
from fairlead.descriptors.reading.template import NodeTemplate, Topology, resolve_file
from fairlead.descriptors.schema import MISSING, Schema
from fairlead.descriptors.source import Node

__all__ = ["read_interfaces"]

_RESERVED: Final = ("type", "inputs", "operations", "notifications")
_ANY: Final = Schema("any", required=False)


def read_interfaces(topology: Topology, vnf: NodeTemplate) -> dict[str, dict[str, LifecycleOperation]]:
    """The operations that do something, by interface and name."""
    given = vnf.node.get("interfaces")
    found = {}
    for name, node in ((given.mapping or {}) if given is not None else {}).items():
        operations = {**_entries(node.get("operations")), **_entries(node, _RESERVED)}
        known = _known(topology, vnf, name, node)
        shared = _inputs(topology, node)
        read = {}
        for key, (operation, mark) in operations.items():
            if known and key not in known:
                told = f'"{key}" is no operation of the interface "{name}"'
                topology.problems.error("unknown-operation", told, mark, nearest(key, known))
                continue
            done = _operation(topology, vnf, key, operation, mark, shared)
            if done is not None:
                read[key] = done
        found[name] = read
    return found


def _known(topology: Topology, vnf: NodeTemplate, name: str, node: Node) -> tuple[str, ...]:
    """The operations of the interface's type; empty if any name will do."""
    type_node = node.get("type")
    type_name = type_node.text if type_node is not None else vnf.type.interfaces.get(name)
    if not type_name:
        type_name = sol001.VNFLCM if name == "Vnflcm" else None
    definition = topology.package.types.find("interface_types", type_name) if type_name else None
    return definition.operations if definition is not None else ()


def _entries(node: Node | None, without: tuple[str, ...] = ()) -> dict[str, tuple[Node, Mark]]:
    if node is None:
        return {}
    return {key: (each, node.key_mark(key)) for key, each in (node.mapping or {}).items() if key not in without}


def _operation(
    topology: Topology, vnf: NodeTemplate, name: str, node: Node, mark: Mark, shared: dict[str, Any]
) -> LifecycleOperation | None:
    implementation = node if node.is_text else node.get("implementation")
    inputs = _inputs(topology, node)
    if (implementation is None or implementation.value is None) and not inputs:
        return None
    primary, dependencies, timeout = implementation, [], None
    if implementation is not None and implementation.mapping is not None:
        primary = implementation.get("primary")
        listed = implementation.get("dependencies")
        dependencies = (listed.sequence or []) if listed is not None else []
        limit = implementation.get("timeout")
        timeout = float(limit.value) if limit is not None and isinstance(limit.value, int | float) else None
    paths = [path for each in dependencies if (path := _file(topology, vnf, each)) is not None]
    word = primary.get("file") if primary is not None and primary.mapping is not None else primary
    return LifecycleOperation(
        name,
        word.text if word is not None and word.is_text else None,
        _file(topology, vnf, primary) if primary is not None else None,
        tuple(paths),
        {**shared, **inputs},
        timeout,
        mark,
    )


def _file(topology: Topology, vnf: NodeTemplate, node: Node) -> str | None:
    if node.mapping is not None:
        file = node.get("file")
        return resolve_file(topology, file) if file is not None and file.is_text else None
    if not node.is_text:
        return None
    artifact = vnf.artifacts.get(node.text)
    if artifact is not None:
        return artifact.path
    if "/" in node.text or "." in node.text:
        return resolve_file(topology, node)
    told = f'"{node.text}" is neither an artifact of "{vnf.name}" nor a file'
    topology.problems.error("dangling-reference", told, node.mark, nearest(node.text, vnf.artifacts))
    return None


def _inputs(topology: Topology, node: Node) -> dict[str, Any]:
    given = node.get("inputs")
    values = {}
    for key, each in ((given.mapping or {}) if given is not None else {}).items():
        value = topology.reader.read(each, _ANY, f'the input "{key}"')
        if value is not MISSING:
            values[key] = value
    return values
