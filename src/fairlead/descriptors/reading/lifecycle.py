"""Operations of a VNF's interfaces: which file of the package is run at which step, with which inputs.

Packages declare a great many operations with nothing behind them (`instantiate: []`); only those with an implementation or
inputs are kept. An implementation is the name of an artifact of the VNF node, or a file itself.
"""

from __future__ import annotations

from typing import Any, Final

from fairlead.descriptors import sol001
from fairlead.descriptors.artifacts import Declared, LifecycleOperation
from fairlead.descriptors.problems import Mark, Problems, nearest
from fairlead.descriptors.reading.picking import declared
from fairlead.descriptors.reading.template import resolve_file
from fairlead.descriptors.reading.topology import NodeTemplate, Topology
from fairlead.descriptors.schema import MISSING, Schema
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef, read_schema

__all__ = ["operation_names", "read_interfaces", "read_parameters"]

_RESERVED: Final = ("type", "inputs", "operations", "notifications")
_ANY: Final = Schema("any", required=False)


def read_interfaces(topology: Topology, vnf: NodeTemplate) -> dict[str, dict[str, LifecycleOperation]]:
    """The operations that do something, by interface and name."""
    given = vnf.node.get("interfaces")
    found = {}
    for name, (node, at) in _entries(given).items():
        operations = {**_entries(node.get("operations")), **_entries(node, _RESERVED)}
        type_node = node.get("type")
        known = operation_names(topology, vnf, name, type_node.text if type_node is not None else None)
        if known is None:
            told = f'the node type "{vnf.type.name}" has no interface "{name}"'
            topology.problems.error("unknown-interface", told, at, nearest(name, vnf.type.interfaces))
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


def operation_names(
    topology: Topology, vnf: NodeTemplate, interface: str, type_name: str | None = None
) -> tuple[str, ...] | None:
    """The operations of an interface of the VNF; empty if any name will do, None if it has no such interface."""
    definition = _interface_type(topology, vnf.type, interface, type_name)
    own = tuple(key.rpartition(".")[2] for key in vnf.type.definitions if key.startswith(f"{interface}."))
    if definition is None and type_name is None and interface not in vnf.type.interfaces:
        return None
    return (*definition.operations, *own) if definition is not None and definition.operations else ()


def _interface_type(topology: Topology, vnf: TypeDef, interface: str, type_name: str | None = None) -> TypeDef | None:
    type_name = type_name or vnf.interfaces.get(interface) or (sol001.VNFLCM if interface == "Vnflcm" else None)
    return topology.package.types.find("interface_types", type_name) if type_name else None


def read_parameters(topology: Topology, vnf: TypeDef) -> dict[str, dict[str, Declared]]:
    """The additional parameters that the VNF's type declares for operations of Vnflcm, by operation and name.

    SOL001 wants them as the properties of one input's data type, `additional_parameters`; inputs beside it count as well.
    """
    definition = _interface_type(topology, vnf, "Vnflcm")
    nodes = dict(definition.definitions) if definition is not None else {}
    own = {key.partition(".")[2]: node for key, node in vnf.definitions.items() if key.startswith("Vnflcm.")}
    found = {}
    for operation, node in {**nodes, **own}.items():
        parameters: dict[str, Declared] = {}
        inputs = node.get("inputs")
        for name, each in ((inputs.mapping or {}) if inputs is not None else {}).items():
            schema = read_schema(each, each.mark, Problems())
            data_type = topology.package.types.find("data_types", schema.type)
            if data_type is not None:
                parameters |= declared(data_type, None)
            elif each.get("type") is not None:
                default = schema.default.plain_value() if isinstance(schema.default, Node) else None
                parameters[name] = Declared(name, schema.type, default, schema.required, each.mark)
        if parameters:
            found[operation] = parameters
    return found


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
