"""One type definition, as a package's TOSCA document writes it or as our tables do.

Only what a VNFD is checked and read by is kept: properties, capabilities, requirements, interfaces, operations, targets.
Grammar mistakes inside a definition are told by `grammar.py`; here a definition that makes no sense is read as far as it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from fairlead.descriptors.problems import Mark, Problems, nearest
from fairlead.descriptors.schema import MISSING, Constraint, Schema
from fairlead.descriptors.source import Node

__all__ = ["TypeDef", "read_schema", "read_type"]

_PRIMITIVE_NAMES: Final = {
    "scalar-unit.size": "size",
    "scalar-unit.time": "time",
    "scalar-unit.frequency": "frequency",
    "scalar-unit.bitrate": "bitrate",
}
_CONSTRAINTS: Final = (
    "equal",
    "greater_than",
    "greater_or_equal",
    "less_than",
    "less_or_equal",
    "in_range",
    "valid_values",
    "length",
    "min_length",
    "max_length",
    "pattern",
    "schema",
)


@dataclass(frozen=True, slots=True)
class TypeDef:
    """A type; `capabilities`, `requirements` and `interfaces` name the types they are of.

    `definitions` are definitions of operations: by name for an interface type, as `Interface.operation` for a node type.
    `named` are all types that the definition itself names: section, name and place.
    `is_open`: keys beyond the declared ones are kept. `assumed`: the type was not found, and stands in for the missing one.
    """

    name: str
    parent: str | None
    properties: Mapping[str, Schema]
    capabilities: Mapping[str, str] = field(default_factory=dict)
    requirements: Mapping[str, str] = field(default_factory=dict)
    interfaces: Mapping[str, str] = field(default_factory=dict)
    occurrences: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    operations: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    artifacts: Mapping[str, Node] = field(default_factory=dict)
    triggers: Mapping[str, Node] = field(default_factory=dict)
    definitions: Mapping[str, Node] = field(default_factory=dict)
    named: tuple[tuple[str, str, Mark], ...] = ()
    mark: Mark | None = None
    parent_mark: Mark | None = None
    native: bool = False
    is_open: bool = False
    assumed: bool = False

    def over(self, ancestor: TypeDef) -> TypeDef:
        """This type with what it inherits from `ancestor`."""
        return replace(
            self,
            properties={**ancestor.properties, **self.properties},
            capabilities={**ancestor.capabilities, **self.capabilities},
            requirements={**ancestor.requirements, **self.requirements},
            interfaces={**ancestor.interfaces, **self.interfaces},
            occurrences={**ancestor.occurrences, **self.occurrences},
            artifacts={**ancestor.artifacts, **self.artifacts},
            triggers={**ancestor.triggers, **self.triggers},
            definitions={**ancestor.definitions, **self.definitions},
            operations=(*ancestor.operations, *self.operations),
            targets=self.targets or ancestor.targets,
            constraints=(*ancestor.constraints, *self.constraints),
            is_open=self.assumed or (self.is_open and not self.properties and ancestor.is_open),
        )


def read_type(section: str, name: str, node: Node, mark: Mark, problems: Problems) -> TypeDef:
    """The type that `node` defines; whatever cannot be read is left out, with a problem."""
    parent = node.get("derived_from")
    parent_name = parent.text if parent is not None and parent.text else None
    if parent_name is not None and parent_name.endswith(".Root"):
        parent_name = None
    properties = {
        key: read_schema(each, properties_node.key_mark(key), problems)
        for properties_node in (node.get("properties"),)
        if properties_node is not None
        for key, each in (properties_node.mapping or {}).items()
    }
    return TypeDef(
        name,
        _PRIMITIVE_NAMES.get(parent_name, parent_name) if parent_name else None,
        properties,
        _type_names(node.get("capabilities"), "type"),
        _type_names(node.get("requirements"), "capability"),
        _type_names(node.get("interfaces"), "type"),
        _occurrences(node.get("requirements")),
        tuple(_operations(node)) if section == "interface_types" else (),
        tuple(each.text for key in ("targets", "members") for each in _items(node.get(key))),
        _constraints(node.get("constraints"), problems) if section == "data_types" else (),
        _entries(node.get("artifacts")),
        _entries(node.get("triggers")) if section == "policy_types" else {},
        _operations(node) if section == "interface_types" else _interface_operations(node),
        _named(node),
        mark,
        parent.mark if parent is not None else None,
    )


def read_schema(node: Node, mark: Mark, problems: Problems) -> Schema:
    """The schema of a TOSCA property, parameter or entry definition; a bare word is its type."""
    if node.mapping is None:
        name = node.text or "string"
        return Schema(_PRIMITIVE_NAMES.get(name, name), mark=mark, type_mark=node.mark)
    type_node = node.get("type")
    name = type_node.text if type_node is not None and type_node.text else "any"
    required = node.get("required")
    entry = node.get("entry_schema")
    default = node.get("default")
    return Schema(
        _PRIMITIVE_NAMES.get(name, name),
        read_schema(entry, entry.mark, problems) if entry is not None else None,
        required is None or required.value is not False,
        default if default is not None else MISSING,
        _constraints(node.get("constraints"), problems),
        mark=mark,
        type_mark=type_node.mark if type_node is not None else None,
    )


def _constraints(node: Node | None, problems: Problems) -> tuple[Constraint, ...]:
    found = []
    for each in _items(node):
        for rule, operand in (each.mapping or {}).items():
            if rule in ("valid_values", "in_range") and operand.sequence is None:
                problems.error("wrong-shape", f'"{rule}" takes a list, this is {operand.sort}', operand.mark)
            elif rule in _CONSTRAINTS:
                found.append(Constraint(rule, operand))
            else:
                mark = each.key_mark(rule)
                problems.error("unknown-key", f'"{rule}" is not a constraint', mark, nearest(rule, _CONSTRAINTS))
    return tuple(found)


def _type_names(node: Node | None, key: str) -> dict[str, str]:
    """`{name: type}` of a map of definitions, or of a list of one-entry maps as requirements are written."""
    if node is None:
        return {}
    maps = [node] if node.mapping is not None else _items(node)
    names = {}
    for each in maps:
        for name, definition in (each.mapping or {}).items():
            inner = definition.get(key)
            names[name] = inner.text if inner is not None else definition.text
    return names


def _named(node: Node) -> tuple[tuple[str, str, Mark], ...]:
    """The types of capabilities, requirements and interfaces, and of what a policy or group takes."""
    found = []
    for part, key, section in (
        ("capabilities", "type", "capability_types"),
        ("requirements", "capability", "capability_types"),
        ("requirements", "node", "node_types"),
        ("requirements", "relationship", "relationship_types"),
        ("interfaces", "type", "interface_types"),
    ):
        given = node.get(part)
        for each in [given] if given is not None and given.mapping is not None else _items(given):
            for definition in (each.mapping or {}).values():
                inner = definition.get(key)
                if inner is None and definition.is_text and key in ("type", "capability"):
                    inner = definition
                if inner is not None and inner.is_text:
                    found.append((section, inner.text, inner.mark))
    for key in ("targets", "members"):
        found += [("", each.text, each.mark) for each in _items(node.get(key))]
    return tuple(found)


def _occurrences(node: Node | None) -> dict[str, tuple[int, int | None]]:
    """Least and most of each requirement that says so."""
    found: dict[str, tuple[int, int | None]] = {}
    for each in _items(node):
        for name, definition in (each.mapping or {}).items():
            limits = [limit.value for limit in _items(definition.get("occurrences"))]
            if len(limits) == 2 and isinstance(limits[0], int):
                found[name] = (limits[0], limits[1] if isinstance(limits[1], int) else None)
    return found


def _operations(node: Node) -> dict[str, Node]:
    """The operations of an interface: since TOSCA 1.3 under `operations`, before beside its other keys."""
    reserved = ("type", "derived_from", "version", "metadata", "description", "inputs", "operations", "notifications")
    older = {key: each for key, each in _entries(node).items() if key not in reserved}
    return {**_entries(node.get("operations")), **older}


def _interface_operations(node: Node) -> dict[str, Node]:
    return {
        f"{interface}.{name}": operation
        for interface, definition in _entries(node.get("interfaces")).items()
        for name, operation in _operations(definition).items()
    }


def _items(node: Node | None) -> list[Node]:
    return (node.sequence or []) if node is not None else []


def _entries(node: Node | None) -> dict[str, Node]:
    return (node.mapping or {}) if node is not None else {}
