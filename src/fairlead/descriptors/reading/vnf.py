"""From the documents of a package to its `Vnfd`.

A VNFD has one file per deployment flavour, below a top file that only names the VNF, or is a single file that does both
(SOL001, 6.11). Either way a flavour is a template whose substitution mappings stand for a VNF node type; the VNF's
properties are what the top file gives, overlaid by what the flavour's own VNF node and mappings give, completed by the
defaults of the vendor's node type. The inputs of a flavour's template are the properties of the node that it substitutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.descriptors import sol001
from fairlead.descriptors.documents import Documents
from fairlead.descriptors.problems import Mark, nearest
from fairlead.descriptors.reading.flavours import read_flavour
from fairlead.descriptors.reading.picking import declared
from fairlead.descriptors.reading.template import open_topology
from fairlead.descriptors.reading.topology import VNF_NODE, NodeTemplate, Package, Topology
from fairlead.descriptors.reading.unused import check_unused_in, check_unused_types
from fairlead.descriptors.schema import Schema
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef
from fairlead.descriptors.values import Struct
from fairlead.descriptors.vnfd import Flavour, Vnfd

__all__ = ["build_vnfd"]


@dataclass(frozen=True, slots=True)
class _Template:
    """A topology template that is a flavour, before it is read."""

    file: str
    root: Node
    type: TypeDef
    mark: Mark
    substitutes: bool = True


def build_vnfd(documents: Documents, package: Package) -> Vnfd | None:
    """The descriptor, as far as one can be made; problems of severity error mean that it must not be used."""
    entry = documents.roots[documents.entry]
    problems = package.problems
    if _is_other(entry, package):
        return None
    templates = _flavour_templates(documents, package)
    if not templates:
        told = "no template here has substitution mappings for a VNF, so there is no deployment flavour"
        problems.error("no-flavour", told, Mark(documents.entry, 1, 1))
        return None
    _check_top(documents, package, templates)
    check_unused_types(documents, problems)
    flavours: dict[str, Flavour] = {}
    identity: tuple[Struct, TypeDef] | None = None
    for template in templates:
        top = _top(entry, template, documents.entry)
        flavour_id, id_node = _flavour_id(template, top)
        given = _inputs(template, top, id_node)
        topology = open_topology(package, template.file, template.root, given)
        vnf = _vnf_node(topology)
        properties = _properties(package, template, topology, vnf, top, id_node)
        if flavour_id in flavours:
            first = flavours[flavour_id].mark
            told = f'there are two templates for the flavour "{flavour_id}"; the first is {first.file}'
            problems.error("duplicate-flavour", told, template.mark)
            continue
        _check_flavour_id(package, template, flavour_id, id_node)
        flavour = read_flavour(topology, flavour_id, template.type, vnf, properties, template.mark)
        check_unused_in(topology, template.type, flavour, problems)
        flavours[flavour_id] = flavour
        identity = identity or (properties, template.type)
    if identity is None:
        return None
    return _vnfd(package, identity[0], identity[1], flavours, entry)


def _is_other(entry: Node, package: Package) -> bool:
    """Whether the entry describes a network service or a physical function, which is told once and plainly."""
    topology = entry.get("topology_template")
    if topology is None:
        return False
    mappings = topology.get("substitution_mappings")
    types = [each.get("type") for each in _entries(topology.get("node_templates")).values()]
    types.append(mappings.get("node_type") if mappings is not None else None)
    for node in filter(None, types):
        for other in sol001.NETWORK_SERVICE_TYPES:
            if other in _parents(package, node.text):
                what = "a network service" if other.endswith("NS") else "a physical network function"
                package.problems.error("not-a-vnfd", f"this descriptor is of {what}, not of a VNF", node.mark)
                return True
    return False


def _parents(package: Package, name: str) -> list[str]:
    lineage = package.types.lineage("node_types", name)
    return [name, *(each.parent for each in lineage if each.parent)]


def _flavour_templates(documents: Documents, package: Package) -> list[_Template]:
    found = []
    for file, root in documents.roots.items():
        topology = root.get("topology_template")
        mappings = topology.get("substitution_mappings") if topology is not None else None
        node_type = mappings.get("node_type") if mappings is not None else None
        if topology is None or node_type is None:
            continue
        definition = package.types.find("node_types", node_type.text)
        if definition is None:
            hint = nearest(node_type.text, package.types.names("node_types"))
            package.problems.error(
                "unknown-type", f'the node type "{node_type.text}" is not defined', node_type.mark, hint
            )
            definition = package.types.assume("node_types", node_type.text, VNF_NODE)
        if package.types.derives("node_types", definition.name, VNF_NODE):
            found.append(_Template(file, topology, definition, topology.key_mark("substitution_mappings")))
    topology = documents.roots[documents.entry].get("topology_template")
    if found or topology is None:
        return found
    for node in _entries(topology.get("node_templates")).values():
        type_node = node.get("type")
        definition = package.types.find("node_types", type_node.text) if type_node is not None else None
        if definition is not None and package.types.derives("node_types", definition.name, VNF_NODE):
            told = "the template has no substitution_mappings; it is read as the only flavour"
            package.problems.warning("no-substitution-mappings", told, node.mark)
            return [_Template(documents.entry, topology, definition, node.mark, substitutes=False)]
    return []


@dataclass(frozen=True, slots=True)
class _Top:
    """The VNF node of the top file, when the flavour has a file of its own."""

    file: str
    root: Node
    node: Node
    mark: Mark


def _check_top(documents: Documents, package: Package, templates: list[_Template]) -> None:
    """Each node of a top file stands for a VNF that one of the flavours is of."""
    if any(template.file == documents.entry for template in templates):
        return
    known = sorted({template.type.name for template in templates})
    topology = documents.roots[documents.entry].get("topology_template")
    for name, node in _entries(topology.get("node_templates") if topology is not None else None).items():
        type_node = node.get("type")
        if type_node is None or not type_node.is_text or type_node.text in known:
            continue
        if package.types.find("node_types", type_node.text) is None:
            hint = nearest(type_node.text, [*known, *package.types.names("node_types")])
            told = f'the node type "{type_node.text}" is not defined'
            package.problems.error("unknown-type", told, type_node.mark, hint)
        else:
            told = f'"{name}" is a {type_node.text}, and the flavours here are of {", ".join(known)}'
            package.problems.error("wrong-target", told, type_node.mark)


def _top(entry: Node, template: _Template, entry_file: str) -> _Top | None:
    if template.file == entry_file:
        return None
    topology = entry.get("topology_template")
    templates = topology.get("node_templates") if topology is not None else None
    for name, node in _entries(templates).items():
        type_node = node.get("type")
        if (
            topology is not None
            and templates is not None
            and type_node is not None
            and type_node.text == template.type.name
        ):
            return _Top(entry_file, topology, node, templates.key_mark(name))
    return None


def _flavour_id(template: _Template, top: _Top | None) -> tuple[str, Node | None]:
    """The id of a flavour: from the mappings, the VNF node, or the default of the node type."""
    mappings = template.root.get("substitution_mappings")
    places = [mappings.get("properties") if mappings is not None else None]
    places += [node.get("properties") for node in _entries(template.root.get("node_templates")).values()]
    if top is not None:
        places.append(top.node.get("properties"))
    for place in places:
        node = place.get("flavour_id") if place is not None else None
        if node is not None and node.is_text:
            return node.text, node
    schema = template.type.properties.get("flavour_id")
    if schema is not None and isinstance(schema.default, Node) and schema.default.is_text:
        return schema.default.text, schema.default
    return "default", None


def _inputs(template: _Template, top: _Top | None, flavour_id: Node | None) -> dict[str, Node]:
    """Values for the inputs of a flavour's template: the properties of the VNF node that it stands for."""
    values = {
        name: schema.default for name, schema in template.type.properties.items() if isinstance(schema.default, Node)
    }
    if top is not None:
        values |= {name: node for name, node in _entries(top.node.get("properties")).items() if node.mapping is None}
    if flavour_id is not None:
        values["flavour_id"] = flavour_id
    return values


def _vnf_node(topology: Topology) -> NodeTemplate | None:
    found = topology.of_type(VNF_NODE)
    for extra in found[1:]:
        told = f'there is a second VNF node beside "{found[0].name}"'
        topology.problems.error("several-vnf-nodes", told, extra.mark)
    return found[0] if found else None


def _properties(
    package: Package,
    template: _Template,
    topology: Topology,
    vnf: NodeTemplate | None,
    top: _Top | None,
    id_node: Node | None,
) -> Struct:
    """The VNF's properties in this flavour, checked against the vendor's type, with defaults."""
    mark = vnf.mark if vnf is not None else template.mark
    struct = Struct(mark, {}, {})
    if top is not None:
        struct = Struct(top.mark, {}, {})
        quiet = _top_properties(package, template, top, id_node)
        struct.values.update(quiet.values)
        struct.marks.update(quiet.marks)
    if vnf is not None:
        struct.values.update(vnf.properties.values)
        struct.marks.update(vnf.properties.marks)
    if id_node is not None and "flavour_id" not in struct.values:
        struct.values["flavour_id"] = id_node.text
        struct.marks["flavour_id"] = id_node.mark
    if not template.type.assumed:
        topology.reader.complete(struct, template.type, "node_types", "the VNF")
    return struct


def _top_properties(package: Package, template: _Template, top: _Top, id_node: Node | None) -> Struct:
    """What the top file gives, read in its own scope; the input that selects the flavour stands for this one."""
    selector = top.node.get("properties")
    selected = selector.get("flavour_id") if selector is not None else None
    argument = selected.get("get_input") if selected is not None else None
    given = {argument.text: id_node} if argument is not None and id_node is not None else {}
    stripped = Node({"inputs": top.root.get("inputs") or Node({}, top.mark)}, top.mark)
    topology = open_topology(package, top.file, stripped, given)
    return topology.reader.given(top.node.get("properties"), template.type, "node_types", top.mark, "the VNF")


def _check_flavour_id(package: Package, template: _Template, flavour_id: str, id_node: Node | None) -> None:
    """The id must be one of those that the vendor's node type allows."""
    schema = template.type.properties.get("flavour_id")
    for constraint in schema.constraints if schema is not None else ():
        if constraint.rule == "valid_values" and isinstance(constraint.operand, Node):
            allowed = [each.text for each in constraint.operand.sequence or []]
            if flavour_id not in allowed and id_node is not None:
                told = f'"{flavour_id}" is not a flavour that the node type allows ({", ".join(allowed)})'
                package.problems.error("bad-value", told, id_node.mark, nearest(flavour_id, allowed))


def _vnfd(package: Package, properties: Struct, definition: TypeDef, flavours: dict[str, Flavour], entry: Node) -> Vnfd:
    default = properties.get("flavour_id")
    schema = definition.properties.get("flavour_id")
    if schema is not None and isinstance(schema.default, Node) and schema.default.text in flavours:
        default = schema.default.text
    modifiable = _part(package, definition, "modifiable_attributes", properties)
    version = entry.get("tosca_definitions_version")
    return Vnfd(
        descriptor_id=properties.get("descriptor_id", ""),
        provider=properties.get("provider", ""),
        product_name=properties.get("product_name", ""),
        software_version=properties.get("software_version", ""),
        descriptor_version=properties.get("descriptor_version", ""),
        vnfm_info=properties.get("vnfm_info", ()),
        default_flavour=default if default in flavours else next(iter(flavours)),
        flavours=flavours,
        product_info_name=properties.get("product_info_name"),
        product_info_description=properties.get("product_info_description"),
        ext_invariant_id=properties.get("ext_invariant_id"),
        localization_languages=properties.get("localization_languages", ()),
        default_localization_language=properties.get("default_localization_language"),
        configurable_properties=declared(*_part(package, definition, "configurable_properties", properties)),
        metadata=declared(*_part(package, modifiable[0], "metadata", modifiable[1])),
        extensions=declared(*_part(package, modifiable[0], "extensions", modifiable[1])),
        tosca_version=version.text if version is not None else "",
        mark=properties.mark,
    )


def _part(
    package: Package, definition: TypeDef | None, name: str, struct: Struct | None
) -> tuple[TypeDef | None, Struct | None]:
    """The type of a property that is itself a map of properties, and its value if it has one."""
    schema: Schema | None = definition.properties.get(name) if definition is not None else None
    value = struct.get(name) if struct is not None else None
    inner = package.types.find("data_types", schema.type) if schema is not None else None
    return inner, value if isinstance(value, Struct) else None


def _entries(node: Node | None) -> Mapping[str, Node]:
    return (node.mapping or {}) if node is not None else {}
