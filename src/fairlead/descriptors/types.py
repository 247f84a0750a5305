"""Which types there are, and what a type inherits.

A package's own types (a vendor's `company.provider.VNF`) are read from its documents and laid over SOL001's, which are built
in. Copies of ETSI's type files inside a package are not read at all, until something is looked up that our tables do
not know: then the copy is asked, and if it knows, its definition is used with a warning. So an edited copy never
breaks a package that other systems accept, and costs nothing where it is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from fairlead.descriptors import sol001
from fairlead.descriptors.problems import Mark, Problems, nearest
from fairlead.descriptors.schema import PRIMITIVES, Schema, parse_schema
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef, read_schema, read_type

__all__ = ["SECTIONS", "Types"]

SECTIONS: Final = (
    "data_types",
    "node_types",
    "capability_types",
    "interface_types",
    "relationship_types",
    "group_types",
    "policy_types",
    "artifact_types",
)
_TABLES: Final[Mapping[str, Mapping[str, sol001.TypeRow]]] = {
    "node_types": sol001.NODE_TYPES,
    "capability_types": sol001.CAPABILITY_TYPES,
    "policy_types": sol001.POLICY_TYPES,
    "group_types": sol001.GROUP_TYPES,
    "artifact_types": sol001.ARTIFACT_TYPES,
    "relationship_types": sol001.RELATIONSHIP_TYPES,
}
_NFV_DATA: Final = "tosca.datatypes.nfv."
_DEEPEST: Final = 32


@lru_cache(maxsize=1024)
def _native(section: str, name: str) -> TypeDef | None:
    if section == "data_types":
        rows = sol001.DATA_TYPES.get(name.removeprefix(_NFV_DATA)) if name.startswith(_NFV_DATA) else None
        if rows is None:
            return None
        is_open = name.removeprefix(_NFV_DATA) in sol001.OPEN_TYPES
        return TypeDef(name, None, {key: parse_schema(row) for key, row in rows.items()}, native=True, is_open=is_open)
    if section == "interface_types":
        operations = sol001.VNFLCM_OPERATIONS if name == sol001.VNFLCM else ()
        known = name == sol001.VNFLCM or name in sol001.OPEN_INTERFACES
        return TypeDef(name, None, {}, operations=operations, native=True) if known else None
    row = _TABLES.get(section, {}).get(name)
    if row is None:
        return TypeDef(name, None, {}, native=True) if name in sol001.NORMATIVE_NAMES else None
    return TypeDef(
        name,
        row.get("derived_from"),
        {key: parse_schema(text) for key, text in row.get("properties", {}).items()},
        row.get("capabilities", {}),
        row.get("requirements", {}),
        row.get("interfaces", {}),
        row.get("occurrences", {}),
        targets=row.get("targets", ()),
        native=True,
    )


Copies = Callable[[], Iterable[Node]]


@dataclass(slots=True)
class Types:
    """All types that the documents of one package can name.

    `copies` gives the package's copies of ETSI's type files, parsed; it is called at most once, and only when needed.
    `spent` counts the values read by these types, for the bound on what one package may cost.
    """

    problems: Problems
    copies: Copies = field(default=lambda: ())
    spent: int = 0
    _own: dict[tuple[str, str], TypeDef] = field(default_factory=dict)
    _shadowed: dict[str, list[tuple[str, Mark]]] = field(default_factory=dict)
    _copied: dict[tuple[str, str], TypeDef] | None = None
    _merged: dict[tuple[str, str], TypeDef] = field(default_factory=dict)
    _lineages: dict[tuple[str, str], tuple[TypeDef, ...]] = field(default_factory=dict)

    def declare(self, section: str, definitions: Node) -> None:
        """Add the types that a document's `section` defines; a name may be given once."""
        for name, node in (definitions.mapping or {}).items():
            mark = definitions.key_mark(name)
            before = self._own.get((section, name))
            if before is not None:
                if before.mark != mark:
                    at = f"first in {before.mark}" if before.mark else None
                    self.problems.error("duplicate-type", f'the type "{name}" is defined a second time', mark, at)
                continue
            if _native(section, name) is not None:
                self._shadowed.setdefault(mark.file, []).append((name, mark))
                continue
            self._own[section, name] = read_type(section, name, node, mark, self.problems)

    def assume(self, section: str, name: str, parent: str) -> TypeDef:
        """Go on as if the unknown type `name` were derived from `parent`, taking any property."""
        self._own[section, name] = TypeDef(name, parent, {}, is_open=True, assumed=True)
        self._merged.clear()
        self._lineages.clear()
        return self.find(section, name) or self._own[section, name]

    def own(self) -> Iterable[TypeDef]:
        """The types that the package defines itself."""
        return list(self._own.values())

    def check(self) -> None:
        """Tell of types derived from themselves or from what does not exist, and of unknown types in definitions.

        Of ETSI's types that a file defines itself, the first one is told for all.
        """
        for found in self._shadowed.values():
            name, mark = min(found, key=lambda each: each[1])
            more = f", like {len(found) - 1} more in this file" if len(found) > 1 else ""
            told = f'"{name}" is a type of ETSI\'s, and this definition of it is not used{more}'
            self.problems.warning("sol001-drift", told, mark)
        for (section, name), own in self._own.items():
            self._check_lineage(section, name, own)
            for schema in own.properties.values():
                self.check_schema(schema)
            for operation in own.definitions.values():
                inputs = operation.get("inputs")
                for each in ((inputs.mapping or {}) if inputs is not None else {}).values():
                    if each.get("type") is not None:
                        self.check_schema(read_schema(each, each.mark, Problems()))
            for kind, other, mark in own.named:
                self._check_named(kind, other, mark)

    def _check_lineage(self, section: str, name: str, own: TypeDef) -> None:
        seen, parent, mark = [name], own.parent, own.parent_mark or own.mark or Mark("")
        while parent is not None:
            if parent in seen or len(seen) > _DEEPEST:
                how = "from itself" if parent in seen else f"through more than {_DEEPEST} others"
                self.problems.error("type-loop", f'"{name}" is derived {how}', mark)
                return
            seen.append(parent)
            definition = self._find(section, parent)
            if definition is None and not _external(section, parent):
                hint = nearest(parent, self.names(section))
                told = f'"{name}" is derived from "{parent}", which is not defined'
                self.problems.error("unknown-type", told, mark, hint)
            parent = definition.parent if definition else None

    def check_schema(self, schema: Schema) -> None:
        """Tell if a property, parameter or input is of a type that does not exist."""
        mark = schema.type_mark or schema.mark
        if mark is not None and not self.is_known_data(schema.type):
            hint = nearest(schema.type, self.names("data_types"))
            self.problems.error("unknown-type", f'the data type "{schema.type}" is not defined', mark, hint)
        if schema.entry is not None:
            self.check_schema(schema.entry)

    def is_known_data(self, name: str) -> bool:
        """Whether there is such a primitive or data type."""
        return name in PRIMITIVES or self._find("data_types", name) is not None or _external("data_types", name)

    def _check_named(self, section: str, name: str, mark: Mark) -> None:
        sections = (section,) if section else ("node_types", "group_types")
        if any(self._find(each, name) is not None or _external(each, name) for each in sections):
            return
        hint = nearest(name, [known for each in sections for known in self.names(each)])
        what = sections[0].replace("_types", " type").replace("_", " ")
        self.problems.error("unknown-type", f'the {what} "{name}" is not defined', mark, hint)

    def find(self, section: str, name: str) -> TypeDef | None:
        """The type with all that it inherits, nearest definition first; None if there is no such type."""
        merged = self._merged.get((section, name))
        if merged is None:
            lineage = self.lineage(section, name)
            if not lineage:
                return None
            merged = lineage[0]
            for ancestor in lineage[1:]:
                merged = merged.over(ancestor)
            self._merged[section, name] = merged
        return merged

    def lineage(self, section: str, name: str) -> tuple[TypeDef, ...]:
        """The type and its ancestors, nearest first; empty if there is no such type."""
        known = self._lineages.get((section, name))
        if known is not None:
            return known
        found: list[TypeDef] = []
        next_name: str | None = name
        while next_name is not None and len(found) < _DEEPEST and all(each.name != next_name for each in found):
            definition = self._find(section, next_name)
            if definition is None:
                break
            found.append(definition)
            next_name = definition.parent
        self._lineages[section, name] = tuple(found)
        return self._lineages[section, name]

    def derives(self, section: str, name: str, ancestor: str) -> bool:
        return any(each.name == ancestor for each in self.lineage(section, name))

    def primitive(self, name: str) -> str | None:
        """The primitive that a data type is or is derived from (`string` for a type derived from it), else None."""
        if name in PRIMITIVES:
            return name
        lineage = self.lineage("data_types", name)
        last = lineage[-1].parent if lineage else None
        return last if last in PRIMITIVES else None

    def names(self, section: str) -> list[str]:
        """All names known in a section, for hints."""
        own = [name for kind, name in self._own if kind == section]
        if section == "data_types":
            return [*own, *PRIMITIVES, *(_NFV_DATA + name for name in sol001.DATA_TYPES)]
        if section == "interface_types":
            return [*own, sol001.VNFLCM, *sol001.OPEN_INTERFACES]
        prefix = {
            "node_types": "tosca.nodes",
            "policy_types": "tosca.policies",
            "artifact_types": "tosca.artifacts",
            "relationship_types": "tosca.relationships",
        }
        return [
            *own,
            *_TABLES.get(section, {}),
            *(name for name in sol001.NORMATIVE_NAMES if name.startswith(prefix.get(section, "\0"))),
        ]

    def copied_property(self, section: str, type_name: str, key: str) -> Schema | None:
        """What the package's copy of ETSI's types says of a property, looked up through the type's ancestors."""
        copied = self._copies()
        for each in self.lineage(section, type_name):
            definition = copied.get((section, each.name))
            if definition is not None and key in definition.properties:
                return definition.properties[key]
        return None

    def _find(self, section: str, name: str) -> TypeDef | None:
        own = self._own.get((section, name)) or _native(section, name)
        if own is None and name.startswith("tosca."):
            own = self._copies().get((section, name))
            if own is not None and (section, name) not in self._merged:
                mark = own.mark or Mark("")
                self.problems.warning(
                    "sol001-drift", f"\"{name}\" is known only to the package's own copy of ETSI's types", mark
                )
        return own

    def _copies(self) -> dict[tuple[str, str], TypeDef]:
        if self._copied is None:
            self._copied = {}
            quiet = Problems()
            for root in self.copies():
                for section in SECTIONS:
                    definitions = root.get(section)
                    for name, node in ((definitions.mapping or {}) if definitions else {}).items():
                        mark = definitions.key_mark(name) if definitions else root.mark
                        self._copied.setdefault((section, name), read_type(section, name, node, mark, quiet))
        return self._copied


def _external(section: str, name: str) -> bool:
    """Roots that carry nothing for us: TOSCA's own types outside SOL001, and primitives under data types."""
    if section == "data_types" and name in PRIMITIVES:
        return True
    return name.startswith("tosca.") and ".nfv." not in name
