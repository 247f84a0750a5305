"""Breaks one thing at a time in a descriptor, knowing where a reader has to point.

A document is walked along the types of its values, and each place that can be broken becomes a `Mutant`: how the text is to be
changed, and the lines of which one must be told. The walk goes over PyYAML's own nodes and not over the reader's, so that the two
cannot be wrong together about places. What cannot be told apart from something right (another description, another name of a
person, a key of a free map) is not broken.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import yaml

from fairlead.descriptors import Problems
from fairlead.descriptors.documents import load
from fairlead.descriptors.schema import MISSING, Schema
from fairlead.descriptors.typedefs import TypeDef
from fairlead.descriptors.types import SECTIONS, Types

__all__ = ["Mutant", "Sort", "choose", "mutants"]


class Sort(StrEnum):
    RENAMED_KEY = "renamed key"
    DROPPED = "required key dropped"
    WRONG_TYPE = "wrong type"
    DANGLING = "dangling reference"
    RENAMED_NAME = "renamed name"
    BAD_UNIT = "bad unit"
    BAD_VALUE = "bad value"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`text[start:end]` of `file` becomes `new`; one of `lines` (file and line) has to be told."""

    sort: Sort
    file: str
    start: int
    end: int
    new: str
    lines: frozenset[tuple[str, int]]

    def apply(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


_TYPE_KEYS: Final = {
    "node_types": "node_types",
    "data_types": "data_types",
    "policy_types": "policy_types",
    "interface_types": "interface_types",
    "group_types": "group_types",
    "artifact_types": "artifact_types",
}
_FUNCTIONS: Final = ("get_input", "get_property", "get_attribute", "get_artifact", "concat", "join", "token")

_NAMED: Final = r"(?<!description)(?<!name)[:\[,-]\s+['\"]?{}['\"]?\s*(?:[,\]}}]|$)"
"""A name as a value; as a description or the name of something else it is no reference."""
_GIVEN: Final = r"get_input:\s*\[?\s*{}\s*(?:[,\]}}]|$)"
"""The name of an input as a value."""


def mutants(files: Mapping[str, bytes], entry: str) -> list[Mutant]:
    """Every mutant of the documents that a descriptor consists of, ETSI's own type files excepted."""
    problems = Problems()
    documents = load(files, entry, problems)
    assert documents is not None
    types = Types(problems)
    for root in documents.roots.values():
        for section in SECTIONS:
            definitions = root.get(section)
            if definitions is not None:
                types.declare(section, definitions)
    texts = {path: files[path].decode() for path in documents.roots}
    found: list[Mutant] = []
    for path in texts:
        found += _Walk(path, texts, types).document()
    return found


def choose(found: list[Mutant], most: int, seed: int) -> list[Mutant]:
    """At most `most` of them, as many of each sort as there are or as come to its share."""
    dice = random.Random(seed)
    by_sort = {sort: [each for each in found if each.sort is sort] for sort in Sort}
    chosen: list[Mutant] = []
    left = most
    for number, (_, each) in enumerate(sorted(by_sort.items(), key=lambda item: len(item[1]))):
        share = min(len(each), left // (len(by_sort) - number))
        chosen += dice.sample(each, share)
        left -= share
    return chosen


class _Walk:
    def __init__(self, file: str, texts: Mapping[str, str], types: Types) -> None:
        self.file = file
        self.text = texts[file]
        self.texts = texts
        self.types = types
        self.found: list[Mutant] = []
        self.vendors = tuple(name for text in texts.values() for name in _defined(text))

    def document(self) -> list[Mutant]:
        root = yaml.compose(self.text, Loader=yaml.CSafeLoader)
        assert root is not None
        self.keys(root)
        self.required(root, "tosca_definitions_version", 1)
        self.dangling(_get(root, "tosca_definitions_version"))
        for item in _items(_get(root, "imports")):
            if isinstance(item, yaml.ScalarNode) and not item.value.startswith("etsi_") and "/etsi_" not in item.value:
                self.dangling(item)
        for section in _TYPE_KEYS:
            self.wrong(_get(root, section))
            for name, node in _entries(_get(root, section)):
                self.name(name)
                self.type_definition(section, node)
        topology = _get(root, "topology_template")
        if topology is not None:
            self.wrong(topology)
            self.topology(topology)
        return self.found

    # the grammar of documents -------------------------------------------------------------------------------------

    def type_definition(self, section: str, node: yaml.Node) -> None:
        self.wrong(node)
        self.keys(node, free="operations" if section == "interface_types" else None)
        self.dangling(_get(node, "derived_from"))
        self.wrong(_get(node, "properties"))
        for _, definition in _entries(_get(node, "properties")):
            self.property_definition(definition)
        for item in _items(_get(node, "requirements")):
            for _, definition in _entries(item):
                self.keys(definition)
                self.dangling(_get(definition, "capability"))
        for _, definition in _entries(_get(node, "interfaces")):
            self.dangling(_get(definition, "type"))

    def property_definition(self, node: yaml.Node) -> None:
        self.keys(node)
        self.dangling(_get(node, "type"))
        entry = _get(node, "entry_schema")
        if isinstance(entry, yaml.MappingNode):
            self.keys(entry)
            self.dangling(_get(entry, "type"))
        for item in _items(_get(node, "constraints")):
            self.keys(item)
        default, type_ = _get(node, "default"), _get(node, "type")
        if default is not None and isinstance(type_, yaml.ScalarNode):
            inner = _get(entry, "type") if isinstance(entry, yaml.MappingNode) else entry
            entry_schema = Schema(inner.value) if isinstance(inner, yaml.ScalarNode) else None
            self.value(default, Schema(type_.value.replace("scalar-unit.", ""), entry_schema))

    def topology(self, root: yaml.Node) -> None:
        self.keys(root)
        for key in ("node_templates", "inputs", "policies", "groups"):
            self.wrong(_get(root, key))
        for name, node in _entries(_get(root, "inputs")):
            self.name(name, _GIVEN)
            self.property_definition(node)
        mappings = _get(root, "substitution_mappings")
        if mappings is not None:
            self.wrong(mappings)
            self.keys(mappings)
            self.required(mappings, "node_type", self.line_of(root, "substitution_mappings"))
            self.dangling(_get(mappings, "node_type"))
            requirements = _get(mappings, "requirements")
            for each in (requirements, *_items(requirements)):
                for _, target in _entries(each):
                    for item in _items(target):
                        self.dangling(item)
        for name, node in _entries(_get(root, "node_templates")):
            self.name(name)
            self.node_template(name, node)
        for name, node in _entries(_get(root, "groups")):
            self.name(name)
            self.policy(name, node, "group_types", "members")
        for item in _items(_get(root, "policies")):
            for name, node in _entries(item):
                self.policy(name, node, "policy_types", "targets")

    def node_template(self, name: yaml.Node, node: yaml.Node) -> None:
        line = name.start_mark.line + 1
        self.wrong(node)
        self.keys(node)
        self.required(node, "type", line)
        type_ = _get(node, "type")
        self.dangling(type_)
        definition = self.types.find("node_types", type_.value) if isinstance(type_, yaml.ScalarNode) else None
        if definition is None:
            return
        is_vnf = self.types.derives("node_types", definition.name, "tosca.nodes.nfv.VNF")
        self.wrong(_get(node, "properties"))
        self.struct(_get(node, "properties"), definition, line, {self.line_of(node, "properties")}, required=not is_vnf)
        capabilities = _get(node, "capabilities")
        self.wrong(capabilities)
        for key, capability in _entries(capabilities):
            self.rename(key)
            self.keys(capability)
            kind = self.types.find("capability_types", definition.capabilities.get(key.value, ""))
            if kind is not None:
                at = {self.line_of(capability, "properties")}
                self.struct(_get(capability, "properties"), kind, key.start_mark.line + 1, at)
        self.requirements(node, definition, line)
        self.artifacts(_get(node, "artifacts"))
        for key, interface in _entries(_get(node, "interfaces")):
            self.rename(key)
            self.interface(interface)

    def requirements(self, node: yaml.Node, definition: TypeDef, line: int) -> None:
        requirements = _get(node, "requirements")
        self.wrong(requirements)
        items = _items(requirements)
        names = [key.value for item in items for key, _ in _entries(item)]
        for item in items:
            for key, target in _entries(item):
                self.rename(key)
                self.dangling(target if isinstance(target, yaml.ScalarNode) else _get(target, "node"))
                needed = definition.occurrences.get(key.value, (0, None))[0] or key.value == "virtual_binding"
                if needed and names.count(key.value) == 1 and len(items) > 1:
                    self.drop_lines(item.start_mark.line, item.start_mark.line, line)

    def artifacts(self, node: yaml.Node | None) -> None:
        self.wrong(node)
        for name, artifact in _entries(node):
            self.name(name)
            if isinstance(artifact, yaml.MappingNode):
                self.keys(artifact)
                self.required(artifact, "file", name.start_mark.line + 1)
                self.dangling(_get(artifact, "type"))
                file = _get(artifact, "file")
                if isinstance(file, yaml.ScalarNode) and file.value.startswith("."):
                    self.dangling(file)
                kind = _get(artifact, "type")
                definition = self.types.find("artifact_types", kind.value) if kind is not None else None
                if definition is not None:
                    self.struct(_get(artifact, "properties"), definition, 0, set(), required=False)

    def interface(self, node: yaml.Node) -> None:
        reserved = ("type", "inputs", "operations", "notifications")
        operations = [(key, each) for key, each in _entries(node) if key.value not in reserved]
        operations += _entries(_get(node, "operations"))
        for key, operation in operations:
            self.rename(key)
            self.keys(operation)
            implementation = _get(operation, "implementation")
            if isinstance(implementation, yaml.ScalarNode):
                self.dangling(implementation)
            elif implementation is not None:
                self.keys(implementation)
                self.dangling(_get(implementation, "primary"))

    def policy(self, name: yaml.Node, node: yaml.Node, section: str, targets: str) -> None:
        line = name.start_mark.line + 1
        self.wrong(node)
        self.keys(node)
        self.required(node, "type", line)
        type_ = _get(node, "type")
        self.dangling(type_)
        self.wrong(_get(node, targets))
        for item in _items(_get(node, targets)):
            self.dangling(item)
        definition = self.types.find(section, type_.value) if type_ is not None else None
        properties = _get(node, "properties")
        if definition is None or properties is None:
            return
        self.wrong(properties)
        self.struct(properties, definition, line, {self.line_of(node, "properties")})
        for key in ("levels", "deltas", "aspects"):
            for inner, value in _entries(_get(properties, key)):
                self.name(inner)
                for aspect, _ in _entries(_get(value, "scale_info")):
                    self.dangling(aspect)
                for step in _items(_get(value, "step_deltas")):
                    self.dangling(step)
        for key in ("aspect", "default_level"):
            self.dangling(_get(properties, key))

    # values by their types ----------------------------------------------------------------------------------------

    def struct(
        self, node: yaml.Node | None, definition: TypeDef, line: int, more: set[int], *, required: bool = True
    ) -> None:
        for key, value in _entries(node):
            schema = definition.properties.get(key.value)
            if schema is None:
                continue
            self.rename(key)
            if required and schema.required and schema.default is MISSING and isinstance(node, yaml.MappingNode):
                self.drop(node, key, {line, node.start_mark.line + 1, *more})
            self.value(value, schema, key.start_mark.line + 1)

    def value(self, node: yaml.Node, schema: Schema, line: int = 0) -> None:
        if isinstance(node, yaml.MappingNode) and len(node.value) == 1 and node.value[0][0].value in _FUNCTIONS:
            name, argument = node.value[0]
            self.rename(name)
            if name.value == "get_input":
                self.dangling(argument)
            return
        form = next((each for each in (schema, *schema.others) if self.fits(node, each)), None)
        if form is None or form.type == "any":
            return
        kind = self.types.primitive(form.type)
        if not any(each.type == "string" for each in schema.others):
            self.wrong(node)
        if isinstance(node, yaml.ScalarNode):
            self.scalar(node, form, kind)
        elif kind in ("list", "map") and form.entry is not None:
            for each in _items(node):
                self.value(each, form.entry, each.start_mark.line + 1)
            for key, each in _entries(node):
                self.value(each, form.entry, key.start_mark.line + 1)
        elif kind is None:
            definition = self.types.find("data_types", form.type)
            if definition is not None and not definition.is_open:
                self.struct(node, definition, line, set())

    def scalar(self, node: yaml.ScalarNode, form: Schema, kind: str | None) -> None:
        lines = self.here(node)
        if kind in ("integer", "float", "boolean"):
            self.replace(Sort.WRONG_TYPE, node, "wrong", lines)
        if kind in ("size", "time", "frequency", "bitrate"):
            for new in (f"{_number(node)}", f"{_number(node)} Xx", f"{_number(node)} {_unit(node)}Q", "much"):
                self.replace(Sort.BAD_UNIT, node, new, lines)
        for each in form.constraints:
            if each.rule == "valid_values":
                self.replace(Sort.BAD_VALUE, node, f"{node.value}x", lines)
            elif each.rule in ("greater_or_equal", "greater_than") and kind == "integer":
                self.replace(Sort.BAD_VALUE, node, "-1", lines)

    def fits(self, node: yaml.Node, form: Schema) -> bool:
        kind = self.types.primitive(form.type)
        if kind in ("list", "range"):
            return isinstance(node, yaml.SequenceNode)
        if kind in ("map", None):
            return isinstance(node, yaml.MappingNode)
        return isinstance(node, yaml.ScalarNode) and bool(node.value)

    # how things are broken ----------------------------------------------------------------------------------------

    def here(self, node: yaml.Node) -> frozenset[tuple[str, int]]:
        return frozenset({(self.file, node.start_mark.line + 1)})

    def replace(self, sort: Sort, node: yaml.Node, new: str, lines: frozenset[tuple[str, int]]) -> None:
        self.found.append(Mutant(sort, self.file, node.start_mark.index, node.end_mark.index, new, lines))

    def rename(self, key: yaml.Node) -> None:
        self.replace(Sort.RENAMED_KEY, key, f"{key.value[:-1]}_{key.value[-1]}", self.here(key))

    def keys(self, node: yaml.Node | None, free: str | None = None) -> None:
        for key, _ in _entries(node):
            if key.value != free and key.value not in ("dsl_definitions",):
                self.rename(key)

    def dangling(self, node: yaml.Node | None) -> None:
        if isinstance(node, yaml.ScalarNode) and node.value:
            self.replace(Sort.DANGLING, node, f"{node.value}x", self.here(node))

    def wrong(self, node: yaml.Node | None) -> None:
        """Another sort of value: a list for a word, a word for a map or list written on one line."""
        if isinstance(node, yaml.ScalarNode) and node.value:
            self.replace(Sort.WRONG_TYPE, node, "[ wrong ]", self.here(node))
        elif isinstance(node, yaml.CollectionNode) and node.value and node.flow_style:
            self.replace(Sort.WRONG_TYPE, node, "wrong", self.here(node))
        elif isinstance(node, yaml.CollectionNode) and node.value:
            start, end = self.line_start(node.start_mark.line), node.end_mark.index
            end = end if end == len(self.text) else self.line_start(node.end_mark.line)
            before = self.text.rindex(":", 0, start) if ":" in self.text[:start] else None
            indent = " " * node.start_mark.column
            if before is not None and not self.text[start : node.start_mark.index].strip():
                lines = {node.start_mark.line, node.start_mark.line + 1}
                places = frozenset((self.file, line) for line in lines)
                self.found.append(Mutant(Sort.WRONG_TYPE, self.file, start, end, f"{indent}wrong\n", places))

    def required(self, node: yaml.Node, key: str, line: int) -> None:
        for found, _ in _entries(node):
            if found.value == key and isinstance(node, yaml.MappingNode):
                self.drop(node, found, {line, node.start_mark.line + 1})

    def drop(self, node: yaml.MappingNode, key: yaml.Node, lines: set[int]) -> None:
        """Take one entry of a map away; the mistake is then in the map, at its name or its first line."""
        entries = node.value
        at = next(number for number, (each, _) in enumerate(entries) if each is key)
        value = entries[at][1]
        following = entries[at + 1][0].start_mark if at + 1 < len(entries) else None
        if not node.flow_style:
            if self.text[self.line_start(key.start_mark.line) : key.start_mark.index].strip() or len(entries) == 1:
                return
            last = value.end_mark.line if value.end_mark.column else value.end_mark.line - 1
            if isinstance(value, yaml.CollectionNode) and not value.flow_style:
                last = (following.line if following is not None else value.end_mark.line) - 1
                if following is None and value.end_mark.index == len(self.text):
                    last = value.end_mark.line
            if at == 0 and following is not None:
                lines = {*lines, following.line + 1 - (last + 1 - key.start_mark.line)}
            self.drop_lines(key.start_mark.line, last, *lines)
            return
        places = frozenset((self.file, line) for line in lines)
        start, end = key.start_mark.index, value.end_mark.index
        if following is not None:
            end = following.index
        else:
            start = entries[at - 1][1].end_mark.index if at else node.start_mark.index + 1
        self.found.append(Mutant(Sort.DROPPED, self.file, start, end, "", places))

    def drop_lines(self, first: int, last: int, *lines: int) -> None:
        """Lines above what is dropped keep their numbers, which are the only ones that are asked for."""
        start, end = self.line_start(first), self.line_start(last + 1)
        places = frozenset((self.file, line) for line in lines)
        self.found.append(Mutant(Sort.DROPPED, self.file, start, end, "", places))

    def name(self, key: yaml.Node, pattern: str = _NAMED) -> None:
        """Rename what others name, in the way of `pattern`: each of the places that have the name may be told."""
        name = re.escape(key.value)
        word, reference = re.compile(rf"(?<![\w.-]){name}(?![\w.-])"), re.compile(pattern.format(name), re.MULTILINE)
        local = not key.value.startswith(self.vendors)
        texts = {self.file: self.text} if local else self.texts
        places = {
            (file, number)
            for file, text in texts.items()
            for number, line in enumerate(text.splitlines(), 1)
            if word.search(line)
        }
        if any(reference.search(text) for text in texts.values()):
            self.replace(Sort.RENAMED_NAME, key, f"{key.value}_else", frozenset(places))

    def line_of(self, node: yaml.Node | None, key: str) -> int:
        return next((each.start_mark.line + 1 for each, _ in _entries(node) if each.value == key), 0)

    def line_start(self, line: int) -> int:
        at = 0
        for _ in range(line):
            at = self.text.find("\n", at) + 1
            if at == 0:
                return len(self.text)
        return at


def _defined(text: str) -> list[str]:
    """The names of the types that a document defines; all else is known in its own file only."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    return [key.value for section in _TYPE_KEYS for key, _ in _entries(_get(root, section))]


def _entries(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    return next((value for each, value in _entries(node) if each.value == key), None)


def _number(node: yaml.ScalarNode) -> str:
    return str(node.value).split()[0] if " " in node.value else "1"


def _unit(node: yaml.ScalarNode) -> str:
    return str(node.value).split()[-1]
