"""Heat's documents as values: a template, a stack of a main one with those nested in it, and the gaps.

A `Scope` is where something is written: in the main template what lies around is referred to, in a nested one it comes in as
a parameter, which is declared and passed at once, so the two ends of it always fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fairlead.descriptors import Mark

__all__ = ["VERSION", "Document", "Gap", "Gaps", "Scope", "Stack", "Template", "name_of", "param", "resource"]

VERSION: Final = "2018-08-31"
Document = dict[str, Any]
_OTHER: Final = re.compile(r"[^A-Za-z0-9_.-]+")


def name_of(*parts: str) -> str:
    """A name that Heat takes, of resources and parameters alike."""
    return _OTHER.sub("_", "_".join(parts))


def param(name: str) -> Document:
    """The value of a parameter."""
    return {"get_param": name}


def resource(name: str) -> Document:
    """The id of a resource."""
    return {"get_resource": name}


@dataclass(frozen=True, slots=True)
class Gap:
    """Something of the descriptor that the templates do not say."""

    what: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.mark.file}:{self.mark.line}: {self.what}" if self.mark.file else self.what


class Gaps:
    """The gaps found so far, each once."""

    def __init__(self) -> None:
        self._found: dict[Gap, None] = {}

    def add(self, what: str, mark: Mark) -> None:
        self._found[Gap(what, mark)] = None

    def all(self) -> tuple[Gap, ...]:
        return tuple(self._found)


@dataclass(slots=True)
class Template:
    """A template that is being written; `document()` is what Heat reads."""

    description: str
    parameters: Document = field(default_factory=dict)
    resources: Document = field(default_factory=dict)

    def add(self, name: str, type_: str, properties: Mapping[str, Any], **more: Any) -> str:
        """Add a resource without the properties that are None; its name, which differs from `name` if that is taken."""
        while name in self.resources:
            name += "_"
        known = {key: value for key, value in properties.items() if value is not None}
        self.resources[name] = {"type": type_, **({"properties": known} if known else {}), **more}
        return name

    def document(self) -> Document:
        head: Document = {"heat_template_version": VERSION, "description": self.description}
        return head | ({"parameters": self.parameters} if self.parameters else {}) | {"resources": self.resources}


class Scope:
    """Where resources are written; `arguments` are what a nested template is to be given."""

    def __init__(self, template: Template, *, nested: bool) -> None:
        self.template = template
        self.nested = nested
        self.arguments: Document = {}

    def outer(self, name: str, value: Any, type_: str = "string") -> Any:
        """`value`, an expression of the main template, as it is said here."""
        if not self.nested:
            return value
        self.template.parameters.setdefault(name, {"type": type_})
        self.arguments[name] = value
        return param(name)


@dataclass(frozen=True, slots=True)
class Stack:
    """The main template, those nested in it by file name, and what they do not say."""

    main: Document
    nested: Mapping[str, Document]
    gaps: tuple[Gap, ...]
