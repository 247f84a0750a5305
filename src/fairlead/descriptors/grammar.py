"""TOSCA's grammar as one table, and the walk that holds a document against it.

Each construct lists its keys with what each may hold. One walk over the table then finds every unknown or misspelt
key and every value of the wrong sort, long before anything is interpreted; the readers behind it take shapes for
granted and leave out what has the wrong one. TOSCA Simple Profile 1.2 and 1.3 are read as one grammar, as their keys
do not contradict each other.

In the table `text` is a scalar, `any` is not looked into, `{x}` a map of x, `[x]` a list of x, `<x>` a list of maps with
x as values (TOSCA's ordered maps); alternatives stand between bars. A construct with `*` has free names beside its own keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fairlead.descriptors.problems import Problems, nearest
from fairlead.descriptors.source import Node

__all__ = ["check_grammar"]

_DEFINITION: Final = {"version": "text", "metadata": "{text}", "description": "text", "derived_from": "text"}
_SCHEMA: Final = {
    "type": "text",
    "description": "text",
    "required": "text",
    "default": "any",
    "value": "any",
    "status": "text",
    "constraints": "[any]",
    "key_schema": "any",
    "entry_schema": "schema|text",
    "external-schema": "text",
    "external_schema": "text",
    "metadata": "{text}",
}
_GRAMMAR: Final[Mapping[str, Mapping[str, str]]] = {
    "service template": {
        "tosca_definitions_version": "text",
        "namespace": "text",
        "metadata": "{text}",
        "template_name": "text",
        "template_author": "text",
        "template_version": "text",
        "description": "text",
        "dsl_definitions": "any",
        "repositories": "{any}",
        "imports": "[any]|none",
        "artifact_types": "{artifact type}|none",
        "data_types": "{data type}|none",
        "capability_types": "{capability type}|none",
        "interface_types": "{interface type}|none",
        "relationship_types": "{relationship type}|none",
        "node_types": "{node type}|none",
        "group_types": "{group type}|none",
        "policy_types": "{policy type}|none",
        "topology_template": "topology template",
    },
    "topology template": {
        "description": "text",
        "inputs": "{schema}|none",
        "node_templates": "{node template}|none",
        "relationship_templates": "{any}|none",
        "groups": "{group}|<group>|none",
        "policies": "<policy>|{policy}|none",
        "outputs": "{any}|none",
        "substitution_mappings": "substitution mappings",
        "workflows": "{any}",
    },
    "substitution mappings": {
        "node_type": "text",
        "node": "text",
        "substitution_filter": "any",
        "properties": "{any}|none",
        "attributes": "{any}|none",
        "capabilities": "{any}|none",
        "requirements": "{any}|<any>|none",
        "interfaces": "{any}|none",
    },
    "node template": {
        "type": "text",
        "description": "text",
        "metadata": "{text}",
        "directives": "[text]",
        "properties": "{any}|none",
        "attributes": "{any}|none",
        "requirements": "<requirement|text>|none",
        "capabilities": "{capability}|none",
        "interfaces": "{interface}|none",
        "artifacts": "{artifact|text}|none",
        "node_filter": "any",
        "copy": "text",
    },
    "requirement": {
        "node": "text",
        "relationship": "any",
        "capability": "text",
        "node_filter": "any",
        "occurrences": "[text]",
    },
    "capability": {
        "properties": "{any}|none",
        "attributes": "{any}|none",
        "occurrences": "[text]",
        "directives": "[text]",
    },
    "interface*": {
        "type": "text",
        "inputs": "{any}|none",
        "operations": "{operation|text|none}",
        "notifications": "{any}",
    },
    "operation": {
        "description": "text",
        "implementation": "implementation|text|none",
        "inputs": "{any}|none",
        "outputs": "any",
    },
    "implementation": {
        "primary": "artifact|text",
        "dependencies": "[artifact|text]",
        "operation_host": "text",
        "timeout": "text",
    },
    "artifact": {
        "type": "text",
        "file": "text",
        "repository": "text",
        "description": "text",
        "deploy_path": "text",
        "artifact_version": "text",
        "checksum": "text",
        "checksum_algorithm": "text",
        "properties": "{any}|none",
        "metadata": "{text}",
    },
    "group": {
        "type": "text",
        "description": "text",
        "metadata": "{text}",
        "properties": "{any}|none",
        "attributes": "{any}|none",
        "members": "[text]",
        "interfaces": "{any}",
    },
    "policy": {
        "type": "text",
        "description": "text",
        "metadata": "{text}",
        "properties": "{any}|none",
        "targets": "[text]",
        "triggers": "{trigger}|none",
    },
    "trigger": {
        "description": "text",
        "event": "text",
        "event_type": "text",
        "schedule": "any",
        "target_filter": "any",
        "condition": "any",
        "action": "any",
        "constraint": "any",
        "period": "text",
        "evaluations": "text",
        "method": "text",
    },
    "schema": _SCHEMA,
    "data type": {
        **_DEFINITION,
        "constraints": "[any]",
        "properties": "{schema}|none",
        "key_schema": "any",
        "entry_schema": "any",
    },
    "node type": {
        **_DEFINITION,
        "properties": "{schema}|none",
        "attributes": "{any}|none",
        "requirements": "<requirement definition|text>|none",
        "capabilities": "{capability definition|text}|none",
        "interfaces": "{any}|none",
        "artifacts": "{artifact|text}|none",
    },
    "requirement definition": {
        "capability": "text",
        "node": "text",
        "relationship": "any",
        "occurrences": "[text]",
        "node_filter": "any",
        "description": "text",
        "metadata": "{text}",
    },
    "capability definition": {
        "type": "text",
        "description": "text",
        "properties": "{any}|none",
        "attributes": "{any}|none",
        "valid_source_types": "[text]",
        "occurrences": "[text]",
        "metadata": "{text}",
    },
    "capability type": {
        **_DEFINITION,
        "properties": "{schema}|none",
        "attributes": "{any}|none",
        "valid_source_types": "[text]",
    },
    "relationship type": {
        **_DEFINITION,
        "properties": "{schema}|none",
        "attributes": "{any}|none",
        "interfaces": "{any}|none",
        "valid_target_types": "[text]",
    },
    "interface type*": {**_DEFINITION, "inputs": "{any}|none", "operations": "{any}", "notifications": "{any}"},
    "group type": {
        **_DEFINITION,
        "properties": "{schema}|none",
        "attributes": "{any}|none",
        "members": "[text]",
        "interfaces": "{any}",
        "capabilities": "{any}",
        "requirements": "any",
    },
    "policy type": {**_DEFINITION, "properties": "{schema}|none", "targets": "[text]", "triggers": "{trigger}|none"},
    "artifact type": {**_DEFINITION, "mime_type": "text", "file_ext": "[text]", "properties": "{schema}|none"},
}
_FREE_NAMES: Final = {"interface": "operation|text|empty|none", "interface type": "operation|empty|none"}
_REQUIRED: Final = {
    "service template": ("tosca_definitions_version",),
    "node template": ("type",),
    "policy": ("type",),
    "group": ("type",),
    "substitution mappings": ("node_type",),
    "artifact": ("file",),
}
_WORDS: Final = {"text": "a word", "none": "nothing", "empty": "an empty list", "any": "anything"}


def _split(shape: str) -> list[str]:
    """The alternatives of a shape; bars inside brackets belong to what is inside."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(shape):
        if letter in "{[<":
            depth += 1
        elif letter in "}]>":
            depth -= 1
        elif letter == "|" and not depth:
            parts.append(shape[start:at])
            start = at + 1
    return [*parts, shape[start:]]


_ALTERNATIVES: Final = {
    shape: tuple(_split(shape))
    for keys in (*_GRAMMAR.values(), _FREE_NAMES)
    for outer in keys.values()
    for shape in (outer, *(part[1:-1] for part in _split(outer) if part[0] in "{[<"))
}


def check_grammar(root: Node, problems: Problems) -> None:
    """Tell of every key that TOSCA does not know, and of every value of a sort that its key cannot hold."""
    _construct(root, "service template", problems)


def _construct(node: Node, name: str, problems: Problems) -> None:
    free = _FREE_NAMES.get(name)
    keys = _GRAMMAR[f"{name}*" if free else name]
    for required in _REQUIRED.get(name, ()):
        if required not in (node.mapping or {}):
            problems.error("missing-key", f'a {name} needs the key "{required}"', node.mark, None)
    for key, child in (node.mapping or {}).items():
        shape = keys.get(key, free)
        if shape is not None:
            _value(child, shape, f'"{key}"', problems)
        else:
            problems.error("unknown-key", f'"{key}" is not a key of a {name}', node.key_mark(key), nearest(key, keys))


def _value(node: Node, shape: str, label: str, problems: Problems) -> None:
    alternatives = _ALTERNATIVES.get(shape) or tuple(_split(shape))
    for alternative in alternatives:
        if _fits(node, alternative):
            _inside(node, alternative, problems)
            return
    wanted = " or ".join(dict.fromkeys(_wanted(each) for each in alternatives if each != "none"))
    problems.error("wrong-shape", f"{label} takes {wanted}, this is {node.sort}", node.mark)


def _fits(node: Node, shape: str) -> bool:
    if shape == "any":
        return True
    if shape == "none":
        return node.value is None
    if shape == "text":
        return node.is_text
    if shape == "empty":
        return node.sequence == []
    if shape[0] == "[":
        return node.sequence is not None
    if shape[0] == "<":
        return node.sequence is not None and all(item.mapping is not None for item in node.sequence)
    return node.mapping is not None


def _inside(node: Node, shape: str, problems: Problems) -> None:
    if shape in _WORDS:
        return
    if shape[0] not in "{[<":
        _construct(node, shape, problems)
        return
    inner = shape[1:-1]
    if inner == "any":
        return
    if shape[0] == "{":
        for name, child in (node.mapping or {}).items():
            _value(child, inner, f'"{name}"', problems)
    elif shape[0] == "[":
        for child in node.sequence or []:
            _value(child, inner, "an item", problems)
    else:
        for item in node.sequence or []:
            for name, child in (item.mapping or {}).items():
                _value(child, inner, f'"{name}"', problems)


def _wanted(shape: str) -> str:
    return {"{": "a map", "[": "a list", "<": "a list of maps"}.get(shape[0], _WORDS.get(shape, "a map"))
