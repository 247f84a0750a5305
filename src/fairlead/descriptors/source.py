"""YAML text to a tree in which every value knows its file, line and column.

PyYAML's loaders throw the places away and its composer recurses; this one is built from the parser's events with a stack
of its own, so a hostile file costs a bounded amount: depth, number of values and the size that aliases would expand
to are limited, and an alias can only name a finished value. Scalars keep their text as written beside the value it
stands for, because a property that the schema calls a string must read `1.0` as those three characters. Timestamps are
strings, and only `0x` and plain decimal digits are integers: hashes and versions must not turn into numbers.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from fairlead.descriptors.problems import Mark, Problems

__all__ = ["Node", "compose"]

MOST_VALUES: Final = 200_000
GREATEST_DEPTH: Final = 64
MOST_BYTES: Final = 8 * 2**20

Scalar = str | int | float | bool | None
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_HEX: Final = re.compile(r"[-+]?0x[0-9a-fA-F]+\Z")
_FLOAT: Final = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\Z")
_LONGEST_NUMBER: Final = 100


class Node:
    """One YAML value.

    `value` is a plain scalar, a `dict[str, Node]` or a `list[Node]`; `text` is the scalar as written; `keys` holds the
    mark of each key of a mapping. Nodes are made by `compose` and never changed afterwards.
    """

    __slots__ = ("height", "keys", "mark", "plain", "size", "text", "value")

    def __init__(self, value: Any, mark: Mark, text: str = "", plain: bool = False) -> None:
        self.value: Any = value
        self.mark = mark
        self.text = text
        self.plain = plain
        self.keys: dict[str, Mark] = {}
        self.size = 1
        self.height = 1

    @property
    def mapping(self) -> dict[str, Node] | None:
        """The entries if it is a mapping, else None."""
        return self.value if type(self.value) is dict else None

    @property
    def sequence(self) -> list[Node] | None:
        """The items if it is a sequence, else None."""
        return self.value if type(self.value) is list else None

    @property
    def is_text(self) -> bool:
        """A scalar with anything in it."""
        return type(self.value) is not dict and type(self.value) is not list and self.value is not None

    def get(self, key: str) -> Node | None:
        return self.value.get(key) if type(self.value) is dict else None

    def key_mark(self, key: str) -> Mark:
        return self.keys.get(key, self.mark)

    @property
    def sort(self) -> str:
        """The sort of value, in words for a message."""
        if type(self.value) is dict:
            return "a map"
        if type(self.value) is list:
            return "a list"
        return {"str": "a string", "int": "an integer", "float": "a number", "bool": "a boolean"}.get(
            type(self.value).__name__, "nothing"
        )

    def plain_value(self) -> Any:
        """The value without marks: dicts, lists and scalars."""
        if type(self.value) is dict:
            return {key: child.plain_value() for key, child in self.value.items()}
        if type(self.value) is list:
            return [child.plain_value() for child in self.value]
        return self.value


class _Refused(Exception):
    """Reading of this file ends here; the problem has been told."""


def compose(content: bytes, file: str, problems: Problems) -> Node | None:
    """Read one YAML document; None if it cannot be read at all, with the reason among the problems."""
    if len(content) > MOST_BYTES:
        problems.error("yaml-too-large", f"the file has more than {MOST_BYTES} bytes", Mark(file))
        return None
    try:
        return _Composer(_LOADER(content), file, problems).document()
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(file, at.line + 1, at.column + 1) if at else Mark(file)
        context = f" {error.context}" if error.context else ""
        problems.error("yaml-syntax", f"{error.problem or 'not YAML'}{context}", mark)
    except (yaml.YAMLError, UnicodeError) as error:
        problems.error("yaml-syntax", str(error).splitlines()[0], Mark(file, 1, 1))
    except _Refused:
        pass
    return None


class _Composer:
    def __init__(self, loader: Any, file: str, problems: Problems) -> None:
        self.loader = loader
        self.file = file
        self.problems = problems
        self.anchors: dict[str, Node] = {}

    def document(self) -> Node | None:
        root: Node | None = None
        get_event = self.loader.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is yaml.StreamEndEvent:
                return root
            if kind is yaml.DocumentStartEvent:
                if root is not None:
                    mark = self._mark(event)
                    self.problems.error("yaml-several-documents", "a descriptor file holds one YAML document", mark)
                    raise _Refused
                root = self._value()

    def _mark(self, event: Any) -> Mark:
        at = event.start_mark
        return Mark(self.file, at.line + 1, at.column + 1)

    def _refuse(self, code: str, message: str, mark: Mark) -> None:
        self.problems.error(code, message, mark)
        raise _Refused

    def _value(self) -> Node:
        """One value with all that is in it; open collections lie on a stack together with the key that waits."""
        open_nodes: list[tuple[Node, str | None]] = []
        waiting: list[Node | None] = []
        count = 0
        get_event = self.loader.get_event
        while True:
            event = get_event()
            kind = type(event)
            finished: Node | None = None
            if kind is yaml.ScalarEvent:
                finished = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                node = Node({} if kind is yaml.MappingStartEvent else [], self._mark(event))
                open_nodes.append((node, event.anchor))
                waiting.append(None)
                if len(open_nodes) > GREATEST_DEPTH:
                    self._refuse("yaml-too-deep", f"values are nested more than {GREATEST_DEPTH} deep", node.mark)
            elif kind is yaml.AliasEvent:
                finished = self._alias(event)
            else:  # the end of a mapping or sequence
                finished, anchor = open_nodes.pop()
                waiting.pop()
                if anchor is not None:
                    self.anchors[anchor] = finished
                self._bound(finished)
            count += 1
            if count > 2 * MOST_VALUES:
                self._refuse("yaml-too-large", f"the file has more than {MOST_VALUES} values", self._mark(event))
            if finished is None:
                continue
            if not open_nodes:
                return finished
            waiting[-1] = self._put(open_nodes[-1][0], waiting[-1], finished)

    def _bound(self, node: Node) -> None:
        children = node.value.values() if type(node.value) is dict else node.value
        node.size += sum([child.size for child in children])
        node.height += max([child.height for child in children], default=0)
        if node.size > MOST_VALUES:
            self._refuse("yaml-too-large", f"with its aliases the file has more than {MOST_VALUES} values", node.mark)
        if node.height > GREATEST_DEPTH:
            self._refuse("yaml-too-deep", f"values are nested more than {GREATEST_DEPTH} deep", node.mark)

    def _put(self, parent: Node, key: Node | None, child: Node) -> Node | None:
        """Put a finished value into its collection; returns the key that now waits for its value."""
        if type(parent.value) is list:
            parent.value.append(child)
            return None
        if key is None:
            return child
        name = key.text if key.is_text or key.value is None else ""
        if not name:
            self.problems.error("yaml-key", f"a key must be a word, this is {key.sort}", key.mark)
        elif name == "<<" and key.plain:
            self._merge(parent, child)
        elif name in parent.keys:
            before = parent.keys[name]
            self.problems.error(
                "duplicate-key", f'"{name}" stands here a second time; first in line {before.line}', key.mark
            )
        else:
            parent.value[name] = child
            parent.keys[name] = key.mark
        return None

    def _merge(self, parent: Node, source: Node) -> None:
        sources = source.sequence if source.sequence is not None else [source]
        for each in sources:
            if each.mapping is None:
                self.problems.error("yaml-key", f'"<<" takes a map, this is {each.sort}', each.mark)
                continue
            for name, child in each.mapping.items():
                parent.value.setdefault(name, child)

    def _alias(self, event: Any) -> Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            mark = self._mark(event)
            self._refuse("yaml-alias", f'the alias "*{event.anchor}" names nothing that was finished before it', mark)
        assert node is not None
        return node

    def _scalar(self, event: Any) -> Node:
        text: str = event.value
        plain, tag = event.implicit[0], event.tag
        node = Node(text, self._mark(event), text, plain)
        if plain:
            node.value = _resolve(text)
        elif tag is not None and tag not in ("!", "tag:yaml.org,2002:str"):
            if tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool"):
                node.value = _resolve(text)
            else:
                self.problems.error("yaml-tag", f'the YAML tag "{tag}" is not used in TOSCA', node.mark)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node


def _resolve(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "0123456789+-." and len(text) <= _LONGEST_NUMBER:
        if _INTEGER.match(text):
            return int(text)
        if _HEX.match(text):
            return int(text, 16)
        if _FLOAT.match(text):
            return float(text)
    return text
