"""One topology template, checked against its types and ready to be turned into descriptor values.

What every node template, group and policy must satisfy whatever it is (a known type, declared properties, requirements that
lead to something able to meet them) is checked here once, from the type tables; the modules beside this one only pick
values out of what is left.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from fairlead.descriptors.artifacts import Artifact
from fairlead.descriptors.documents import inside
from fairlead.descriptors.functions import descend
from fairlead.descriptors.problems import Mark, nearest
from fairlead.descriptors.reading.topology import (
    CONNECTION_POINT,
    VNF_NODE,
    NodeTemplate,
    Package,
    PolicyTemplate,
    Requirement,
    Topology,
)
from fairlead.descriptors.schema import MISSING, Schema
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef, read_schema
from fairlead.descriptors.values import ValueReader

__all__ = ["open_topology", "resolve_file"]

_REGISTRY: Final = re.compile(r"[\w.-]+(:\d+)?(/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?\Z")


def open_topology(package: Package, file: str, root: Node, given: Mapping[str, Node]) -> Topology:
    """Read a topology template; `given` are values for inputs, beside the defaults that it declares."""
    inputs: dict[str, Node | None] = {}
    declared = root.get("inputs")
    for name, node in ((declared.mapping or {}) if declared is not None else {}).items():
        inputs[name] = given.get(name) or node.get("default") or node.get("value")
    templates = root.get("node_templates")
    nodes = (templates.mapping or {}) if templates is not None else {}

    def properties_of(name: str, path: list[str]) -> Node | None:
        holder = nodes.get(name)
        if holder is None:
            return None
        capability = descend(holder.get("capabilities"), [path[0], "properties", *path[1:]])
        return descend(holder.get("properties"), path) or capability or _inherited(package, holder, path, given)

    topology = Topology(
        package, file, root, inputs, ValueReader(package.types, package.problems, inputs, properties_of)
    )
    for name, node in (declared.mapping or {}).items() if declared is not None else ():
        schema = read_schema(node, node.mark, package.problems)
        package.types.check_schema(schema)
        if isinstance(schema.default, Node):
            topology.reader.read(schema.default, schema, f'the default of input "{name}"')
    for name, node in nodes.items():
        mark = templates.key_mark(name) if templates is not None else root.mark
        _node(topology, name, node, mark)
    for name, node in nodes.items():
        if name in topology.nodes:
            _requirements(topology, topology.nodes[name], node, nodes)
    _groups_and_policies(topology, root, nodes)
    return topology


def _inherited(package: Package, holder: Node, path: list[str], given: Mapping[str, Node]) -> Node | None:
    """A property that a node template takes from its type, or a VNF from the file that names the flavour."""
    type_node = holder.get("type")
    definition = package.types.find("node_types", type_node.text) if type_node is not None else None
    if definition is None:
        return None
    if path[0] in given and package.types.derives("node_types", definition.name, VNF_NODE):
        return descend(given[path[0]], path[1:])
    schema = definition.properties.get(path[0])
    if schema is None or schema.default is MISSING:
        return None
    default = schema.default
    return descend(default if isinstance(default, Node) else Node(default, holder.mark, str(default)), path[1:])


def _node(topology: Topology, name: str, node: Node, mark: Mark) -> None:
    types, problems = topology.package.types, topology.problems
    type_node = node.get("type")
    if type_node is None:
        return
    definition = types.find("node_types", type_node.text)
    if definition is None:
        hint = nearest(type_node.text, types.names("node_types"))
        problems.error("unknown-type", f'the node type "{type_node.text}" is not defined', type_node.mark, hint)
        return
    properties = node.get("properties")
    label = f'"{name}"'
    topology.reader.holder = name
    if types.derives("node_types", definition.name, VNF_NODE):
        struct = topology.reader.given(properties, definition, "node_types", mark, label)
    else:
        struct = topology.reader.struct(properties, definition, "node_types", mark, label)
    template = NodeTemplate(name, node, mark, definition, struct)
    topology.nodes[name] = template
    _capabilities(topology, template)
    _artifacts(topology, template)


def _capabilities(topology: Topology, template: NodeTemplate) -> None:
    types, problems = topology.package.types, topology.problems
    given = template.node.get("capabilities")
    for name, node in ((given.mapping or {}) if given is not None else {}).items():
        mark = given.key_mark(name) if given is not None else node.mark
        type_name = template.type.capabilities.get(name)
        if type_name is None:
            hint = nearest(name, template.type.capabilities)
            problems.error("unknown-capability", f'"{template.name}" has no capability "{name}"', mark, hint)
            continue
        definition = types.find("capability_types", type_name)
        if definition is None:
            continue
        properties = node.get("properties")
        label = f'the capability "{name}" of "{template.name}"'
        template.capabilities[name] = topology.reader.struct(properties, definition, "capability_types", mark, label)


def _requirements(topology: Topology, template: NodeTemplate, node: Node, nodes: Mapping[str, Node]) -> None:
    problems = topology.problems
    requirements = node.get("requirements")
    _occurrences(topology, template, requirements)
    for item in (requirements.sequence or []) if requirements is not None else []:
        for name, value in (item.mapping or {}).items():
            wanted = template.type.requirements.get(name)
            target = value if value.is_text else value.get("node")
            if wanted is None:
                hint = nearest(name, template.type.requirements)
                told = f'"{template.name}" has no requirement "{name}"'
                problems.error("unknown-requirement", told, item.key_mark(name), hint)
            elif target is None or not target.is_text:
                continue
            elif target.text not in nodes:
                hint = nearest(target.text, nodes)
                problems.error("dangling-reference", f'there is no node template "{target.text}"', target.mark, hint)
            elif target.text in topology.nodes and not _offers(topology, topology.nodes[target.text], wanted):
                short = wanted.rpartition(".")[2]
                told = f'"{target.text}" cannot be the {name} of "{template.name}": it offers no {short}'
                problems.error("wrong-target", told, target.mark)
            elif target.text in topology.nodes:
                template.requirements.append(Requirement(name, target.text, target.mark))


def _occurrences(topology: Topology, template: NodeTemplate, requirements: Node | None) -> None:
    """Each requirement is there as often as its type wants; those of a VNF, and the links of its points, are met from outside."""
    if topology.is_a(template, VNF_NODE):
        return
    given: dict[str, list[Mark]] = {}
    for item in (requirements.sequence or []) if requirements is not None else []:
        for name in item.mapping or {}:
            given.setdefault(name, []).append(item.key_mark(name))
    mapped = ("virtual_link", "external_virtual_link") if topology.is_a(template, CONNECTION_POINT) else ()
    for name, (least, most) in template.type.occurrences.items():
        marks = given.get(name, [])
        if len(marks) < least and name not in mapped:
            told = f'"{template.name}" needs the requirement "{name}"'
            topology.problems.error("missing-requirement", told, template.mark)
        elif most is not None and len(marks) > most:
            told = f'"{template.name}" has the requirement "{name}" {len(marks)} times, and can have it {most} times'
            topology.problems.error("too-many-requirements", told, marks[most])


def _offers(topology: Topology, target: NodeTemplate, capability: str) -> bool:
    if capability in ("", "tosca.capabilities.Node"):
        return True
    types = topology.package.types
    return any(types.derives("capability_types", each, capability) for each in target.type.capabilities.values())


def _artifacts(topology: Topology, template: NodeTemplate) -> None:
    given = template.node.get("artifacts")
    for name, node in ((given.mapping or {}) if given is not None else {}).items():
        mark = given.key_mark(name) if given is not None else node.mark
        artifact = _artifact(topology, name, node, mark)
        if artifact is not None:
            template.artifacts[name] = artifact
    for name, node in template.type.artifacts.items():
        if name not in template.artifacts and node.mark.file:
            artifact = _artifact(topology, name, node, node.mark)
            if artifact is not None:
                template.artifacts[name] = artifact


def _artifact(topology: Topology, name: str, node: Node, mark: Mark) -> Artifact | None:
    types, problems = topology.package.types, topology.problems
    file = node if node.is_text else node.get("file")
    if file is None or not file.is_text:
        return None
    type_node = node.get("type")
    definition = types.find("artifact_types", type_node.text) if type_node is not None else None
    if type_node is not None and definition is None:
        hint = nearest(type_node.text, types.names("artifact_types"))
        problems.warning("unknown-type", f'the artifact type "{type_node.text}" is not defined', type_node.mark, hint)
    is_image = definition is not None and types.derives(
        "artifact_types", definition.name, "tosca.artifacts.nfv.SwImage"
    )
    text = Schema("string", required=False)

    def word(key: str) -> str | None:
        found = node.get(key)
        value = topology.reader.read(found, text, f'"{key}"') if found is not None else None
        return value or None

    properties_node = node.get("properties")
    properties = None
    if definition is not None and properties_node is not None:
        label = f'the artifact "{name}"'
        properties = topology.reader.struct(properties_node, definition, "artifact_types", mark, label)
    repository = node.get("repository") is not None
    path = None if repository else resolve_file(topology, file, may_be_image=is_image)
    return Artifact(
        name,
        type_node.text if type_node is not None else None,
        file.text,
        path,
        word("description"),
        word("deploy_path"),
        properties.values if properties is not None else {},
        mark,
    )


def resolve_file(topology: Topology, node: Node, *, may_be_image: bool = False) -> str | None:
    """The path inside the package of the file that `node` names; None for one outside, told where it may not be.

    An image may also be a reference into a registry, which is recognised by there being no such file.
    """
    files, problems = topology.package.files, topology.problems
    written, declared_in = node.text, node.mark.file
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", written):
        return None
    path = inside(declared_in, written)
    if path is None:
        hint = "paths are relative to the file that declares them"
        problems.error("artifact-outside-package", f'"{written}" is not a file of this package', node.mark, hint)
        return None
    if path in files:
        return path
    at_root = inside("", written)
    if at_root is not None and at_root in files:
        hint = f"write {posixpath.relpath(at_root, posixpath.dirname(declared_in) or '.')}"
        problems.warning("artifact-from-root", "paths are relative to the file that declares them", node.mark, hint)
        return at_root
    if may_be_image and not written.startswith(".") and _REGISTRY.match(written):
        return None
    problems.add(
        "artifact-missing",
        f'there is no file "{path}" in the package',
        node.mark,
        topology.package.missing_artifacts,
        nearest(path, files),
    )
    return path


def _groups_and_policies(topology: Topology, root: Node, nodes: Mapping[str, Node]) -> None:
    for name, node, mark in _named(root.get("groups")):
        group = _policy(topology, name, node, mark, "group_types", "members", nodes)
        if group is not None:
            topology.groups[name] = group
    known = {**nodes, **{name: node for name, node, _ in _named(root.get("groups"))}}
    seen: dict[str, Mark] = {}
    for name, node, mark in _named(root.get("policies")):
        if name in seen:
            told = f'the policy "{name}" stands here a second time; first in line {seen[name].line}'
            topology.problems.error("duplicate-key", told, mark)
            continue
        seen[name] = mark
        policy = _policy(topology, name, node, mark, "policy_types", "targets", known)
        if policy is not None:
            topology.policies.append(policy)


def _named(node: Node | None) -> list[tuple[str, Node, Mark]]:
    """The entries of a map, or of a list of maps."""
    maps = [] if node is None else node.sequence if node.sequence is not None else [node]
    return [(name, child, each.key_mark(name)) for each in maps for name, child in (each.mapping or {}).items()]


def _policy(
    topology: Topology, name: str, node: Node, mark: Mark, section: str, targets_key: str, known: Mapping[str, Node]
) -> PolicyTemplate | None:
    types, problems = topology.package.types, topology.problems
    type_node = node.get("type")
    if type_node is None or node.mapping is None:
        return None
    definition = types.find(section, type_node.text)
    if definition is None:
        hint = nearest(type_node.text, types.names(section))
        problems.error("unknown-type", f'the type "{type_node.text}" is not defined', type_node.mark, hint)
        return None
    struct = topology.reader.struct(node.get("properties"), definition, section, mark, f'"{name}"')
    targets = []
    given = node.get(targets_key)
    for each in (given.sequence or []) if given is not None else []:
        if each.text not in known:
            hint = nearest(each.text, known)
            problems.error("dangling-reference", f'there is nothing named "{each.text}" here', each.mark, hint)
            continue
        targets.append((each.text, each.mark))
        _check_target(topology, definition, each)
    return PolicyTemplate(name, definition, node, struct, tuple(targets), mark)


def _check_target(topology: Topology, definition: TypeDef, target: Node) -> None:
    """A policy may only be put on what its type names; groups and unknown nodes have been looked at elsewhere."""
    types = topology.package.types
    found = topology.nodes.get(target.text) or topology.groups.get(target.text)
    if not definition.targets or found is None:
        return
    section = "node_types" if isinstance(found, NodeTemplate) else "group_types"
    target_type = found.type.name
    if not any(types.derives(section, target_type, allowed) for allowed in definition.targets):
        wanted = ", ".join(each.rpartition("nfv.")[2] for each in definition.targets)
        told = f'"{target.text}" is a {target_type}, and {definition.name} takes {wanted}'
        topology.problems.error("wrong-target", told, target.mark)
