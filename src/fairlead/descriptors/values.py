"""Reads a property's value by its schema: one pass that checks, converts and fills in defaults.

The result holds plain Python values: strings, integers, floats, booleans, tuples, dicts, sizes as bytes, and a `Struct`
where the schema names a data type. A `Struct` keeps the marks, so that whatever finds a contradiction later can point
at the line. TOSCA's functions are evaluated on the way as far as the package alone decides them; what depends on
the running instance reads as absent, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fairlead.descriptors.constraints import holds, rule_text
from fairlead.descriptors.functions import called, descend, has_function
from fairlead.descriptors.problems import Mark, Problems, nearest
from fairlead.descriptors.scalars import SCALAR_UNITS, BadScalar, parse_scalar
from fairlead.descriptors.schema import MISSING, Constraint, Schema
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef
from fairlead.descriptors.types import Types

__all__ = ["Struct", "ValueReader", "check_defaults"]

_DEEPEST_CALL: Final = 16
_DEEPEST_VALUE: Final = 64
_MOST_READS: Final = 150_000
_TEXT: Final = Schema("string", required=False)


class Struct:
    """A value of a data type, or the properties of a node, policy or capability: values by name, and their marks.

    `mark` is its name's: the key of a map that it is an entry of, the node template; else its own beginning.
    """

    __slots__ = ("mark", "marks", "values")

    def __init__(self, mark: Mark, values: dict[str, Any], marks: dict[str, Mark]) -> None:
        self.mark = mark
        self.values = values
        self.marks = marks

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def mark_of(self, name: str) -> Mark:
        return self.marks.get(name, self.mark)

    def plain(self) -> dict[str, Any]:
        """The values without marks, inner structs as dicts."""
        return {name: _plain(value) for name, value in self.values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return value.plain()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_plain(each) for each in value)
    return value


Lookup = Callable[[str, list[str]], Node | None]


class ValueReader:
    """Reads values in one scope: `inputs` are the values of the inputs there, None for one without a value.

    `properties_of(node template, path)` finds the node for `get_property`. `holder` is the node template whose values are being
    read, for `SELF`.
    """

    def __init__(
        self, types: Types, problems: Problems, inputs: Mapping[str, Node | None], properties_of: Lookup
    ) -> None:
        self.types = types
        self.problems = problems
        self.inputs = inputs
        self.properties_of = properties_of
        self.holder = ""
        self._calls = 0
        self._depth = 0

    def struct(self, node: Node | None, definition: TypeDef, section: str, mark: Mark, label: str) -> Struct:
        """The properties that `definition` declares, read from the mapping `node`; `mark` is where they are missed."""
        struct = self.given(node, definition, section, mark, label)
        self.complete(struct, definition, section, label)
        return struct

    def given(self, node: Node | None, definition: TypeDef, section: str, mark: Mark, label: str) -> Struct:
        """Only what `node` gives, without defaults and without asking for what is required."""
        values: dict[str, Any] = {}
        marks: dict[str, Mark] = {}
        given = (node.mapping or {}) if node is not None else {}
        for key, child in given.items():
            schema = definition.properties.get(key)
            if schema is None:
                key_mark = node.key_mark(key) if node is not None else mark
                schema = self._undeclared(key, key_mark, definition, section, label)
                if schema is None:
                    continue
            value = self.read(child, schema, f'"{key}"')
            if value is not MISSING:
                values[key] = value
            marks[key] = child.mark
        return Struct(mark, values, marks)

    def complete(self, struct: Struct, definition: TypeDef, section: str, label: str) -> None:
        """Fill defaults into `struct`, and tell of required properties that it lacks."""
        values, marks = struct.values, struct.marks
        for key, schema in definition.properties.items():
            if key in values or key in marks:
                continue
            if schema.default is not MISSING:
                default = schema.default
                value = self.read(default, schema, f'"{key}"') if isinstance(default, Node) else default
                if value is not MISSING:
                    values[key] = value
                    if isinstance(default, Node):
                        marks[key] = default.mark
            elif schema.required:
                self._missing(key, struct.mark, definition, section, label)

    def _undeclared(self, key: str, mark: Mark, definition: TypeDef, section: str, label: str) -> Schema | None:
        if definition.is_open:
            self.problems.warning("undeclared-property", f'{label} has no declared property "{key}"', mark)
            return Schema("any")
        copied = self.types.copied_property(section, definition.name, key)
        if copied is not None:
            told = f"\"{key}\" of {label} is known only to the package's own copy of ETSI's types"
            self.problems.warning("sol001-drift", told, mark)
            return copied
        hint = nearest(key, definition.properties)
        self.problems.error("unknown-property", f'{label} has no property "{key}"', mark, hint)
        return None

    def _missing(self, key: str, mark: Mark, definition: TypeDef, section: str, label: str) -> None:
        copied = self.types.copied_property(section, definition.name, key)
        if copied is not None and (not copied.required or copied.default is not MISSING):
            told = f"{label} lacks \"{key}\", which only the package's own copy of ETSI's types allows"
            self.problems.warning("sol001-drift", told, mark)
        else:
            self.problems.error("missing-property", f'{label} needs the property "{key}"', mark)

    def read(self, node: Node, schema: Schema, label: str, mark: Mark | None = None) -> Any:
        """The value of `node` as `schema` wants it, or MISSING with the reason among the problems.

        `mark` is the place that a struct takes instead of its first value's: the key of a map.
        """
        self.types.spent += node.size if schema.type == "any" else 1
        if self._depth >= _DEEPEST_VALUE or self.types.spent > _MOST_READS:
            told = f"{label} comes to too much through defaults and functions that refer to each other"
            self.problems.error("values-too-many", told, node.mark)
            return MISSING
        self._depth += 1
        try:
            return self._read(node, schema, label, mark or node.mark)
        finally:
            self._depth -= 1

    def _read(self, node: Node, schema: Schema, label: str, mark: Mark) -> Any:
        call = called(node)
        if call is not None:
            return self._call(node, *call, schema, label)
        if node.value is None and schema.type not in ("any", "null"):
            if schema.required and schema.type not in ("list", "map"):
                self.problems.error("wrong-type", f"{label} takes {_wanted(schema)}, this is nothing", node.mark)
            return MISSING
        for form in (schema, *schema.others):
            if self._fits(node, form):
                value = self._convert(node, form, label, mark)
                if value is not MISSING:
                    self._constrain(value, node, form.constraints, label)
                return value
        if self.types.is_known_data(schema.type):
            told = f"{label} takes {_wanted(schema)}, this is {_shown(node)}"
            self.problems.error("wrong-type", told, node.mark, _quote(node))
        return MISSING

    def _fits(self, node: Node, schema: Schema) -> bool:
        """Whether the sort of value is right, so that among several forms the matching one is read."""
        kind = self.types.primitive(schema.type) or "struct"
        if kind == "any":
            return True
        if kind in ("list", "range"):
            return node.sequence is not None
        if kind in ("map", "struct"):
            return node.mapping is not None
        if not node.is_text:
            return False
        if kind == "integer":
            return type(node.value) is int
        if kind == "float":
            return type(node.value) in (int, float)
        if kind == "boolean":
            return type(node.value) is bool
        return True

    def _convert(self, node: Node, schema: Schema, label: str, mark: Mark) -> Any:
        kind = self.types.primitive(schema.type)
        if kind == "any":
            return node.plain_value()
        if kind is not None and kind in SCALAR_UNITS:
            return self._scalar(node, kind, label)
        if kind in ("string", "version", "timestamp", "null"):
            return self._string(node, kind, label)
        if kind == "range":
            return tuple(child.plain_value() for child in node.sequence or [])
        if kind == "list":
            entry = schema.entry or Schema("any")
            read = (self.read(child, entry, f"an item of {label}") for child in node.sequence or [])
            return tuple(value for value in read if value is not MISSING)
        if kind == "map":
            entry = schema.entry or Schema("any")
            entries = {
                key: self.read(child, entry, f'"{key}" in {label}', node.key_mark(key))
                for key, child in (node.mapping or {}).items()
            }
            return {key: value for key, value in entries.items() if value is not MISSING}
        if kind is not None:
            return node.value
        definition = self.types.find("data_types", schema.type)
        if definition is None:
            if schema.type.startswith("tosca.datatypes.") and not schema.type.startswith("tosca.datatypes.nfv."):
                return node.plain_value()
            self.types.check_schema(schema)
            return MISSING
        return self.struct(node, definition, "data_types", mark, label)

    def _string(self, node: Node, kind: str, label: str) -> str:
        if kind == "string" and type(node.value) is not str:
            told = f"{label} is a string, and {node.text} without quotes is {node.sort}; it is read as written"
            self.problems.warning("unquoted-string", told, node.mark, f'write "{node.text}"')
        return node.text

    def _scalar(self, node: Node, kind: str, label: str) -> Any:
        try:
            return parse_scalar(node.text, kind)
        except BadScalar as error:
            self.problems.error("wrong-unit", f"{label}: {error}", node.mark, error.hint)
            return MISSING

    def _constrain(self, value: Any, node: Node, constraints: tuple[Constraint, ...], label: str) -> None:
        for each in constraints:
            operand = each.operand.plain_value() if isinstance(each.operand, Node) else each.operand
            if not holds(each.rule, value, operand, each.operand, node):
                hint = None
                if each.rule == "valid_values" and isinstance(value, str):
                    hint = nearest(value, [str(known) for known in operand])
                told = f"{label} is {_shown(node)}, which breaks {rule_text(each.rule, operand)}"
                self.problems.error("bad-value", told, node.mark, hint)

    # TOSCA functions ----------------------------------------------------------------------------------------------

    def _call(self, node: Node, name: str, argument: Node, schema: Schema, label: str) -> Any:
        self._calls += 1
        try:
            if self._calls > _DEEPEST_CALL:
                self.problems.error("function-loop", f"{label} refers to itself through its functions", node.mark)
                return MISSING
            if name == "get_input":
                return self._get_input(argument, schema, label)
            if name == "get_property":
                return self._get_property(argument, schema, label)
            if name in ("concat", "join", "token") and argument.sequence is not None:
                text = self._text(name, argument, label)
                return MISSING if text is None else self._constrained(text, node, schema, label)
            self.problems.warning("function-not-evaluated", f'{label}: "{name}" is not evaluated here', node.mark)
            return MISSING
        finally:
            self._calls -= 1

    def _get_property(self, argument: Node, schema: Schema, label: str) -> Any:
        path = [child.text for child in argument.sequence or []]
        name = self.holder if path[:1] == ["SELF"] else path[0] if path else ""
        found = self.properties_of(name, path[1:]) if len(path) > 1 else None
        if found is None:
            told = f"{label}: there is no property {'/'.join(path) or 'named'}"
            self.problems.error("dangling-reference", told, argument.mark)
            return MISSING
        before, self.holder = self.holder, name
        try:
            return self.read(found, schema, label)
        finally:
            self.holder = before

    def _text(self, name: str, argument: Node, label: str) -> str | None:
        """What `concat`, `join` and `token` come to (TOSCA Simple Profile 1.3, 4.3); None if a part of it has no value."""
        parts = argument.sequence or []
        if name == "join":
            parts = (parts[0].sequence or []) if parts else []
        read = [self.read(child, _TEXT, f"a part of {label}") for child in parts]
        if MISSING in read:
            return None
        if name == "concat":
            return "".join(read)
        items = argument.sequence or []
        if name == "join":
            return (items[1].text if len(items) > 1 else "").join(read)
        tokens = re.split(f"[{re.escape(read[1])}]", read[0]) if len(read) == 3 and read[1] else []
        if len(read) == 3 and read[2].isdecimal() and int(read[2]) < len(tokens):
            return tokens[int(read[2])]
        self.problems.error("dangling-reference", f"{label}: there is no such token", argument.mark)
        return None

    def _constrained(self, text: str, node: Node, schema: Schema, label: str) -> Any:
        """Computed text, read as if it had been written in the place of the function."""
        return self.read(Node(text, node.mark, text), schema, label)

    def _get_input(self, argument: Node, schema: Schema, label: str) -> Any:
        path = [child.text for child in argument.sequence] if argument.sequence else [argument.text]
        if path[0] not in self.inputs:
            hint = nearest(path[0], self.inputs)
            self.problems.error("unknown-input", f'{label}: there is no input "{path[0]}"', argument.mark, hint)
            return MISSING
        value = self.inputs[path[0]]
        if value is None:
            told = f'{label}: the input "{path[0]}" has no default, and nothing in the package gives it a value'
            report = self.problems.error if schema.required else self.problems.warning
            report("input-without-value", told, argument.mark)
            return MISSING
        found = descend(value, path[1:])
        if found is None:
            self.problems.error("dangling-reference", f"{label}: the input has no {'/'.join(path)}", argument.mark)
            return MISSING
        return self.read(found, schema, label)


def check_defaults(types: Types) -> None:
    """Hold the defaults in the package's own types against the types of their properties, used or not.

    A default with a function in it can only be read where it is used.
    """
    reader = ValueReader(types, types.problems, {}, lambda _name, _path: None)
    for definition in types.own():
        for key, schema in definition.properties.items():
            if isinstance(schema.default, Node) and not has_function(schema.default):
                reader.read(schema.default, schema, f'"{key}"')


def _wanted(schema: Schema) -> str:
    forms = {"list": "a list", "map": "a map", "size": "a size", "time": "a time", "integer": "an integer"}
    return " or ".join(
        dict.fromkeys(
            forms.get(form.type, f"a map ({form.type})" if "." in form.type else f"a {form.type}")
            for form in (schema, *schema.others)
        )
    )


def _shown(node: Node) -> str:
    return f'"{node.text[:80]}"' if node.is_text else node.sort


def _quote(node: Node) -> str | None:
    if node.is_text and isinstance(node.value, str) and not node.plain:
        return "remove the quotes" if re.fullmatch(r"[0-9.]+|true|false", node.text) else None
    return None
