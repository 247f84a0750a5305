"""A topology template as the readers of its parts see it: node templates, groups and policies with their values read.

`template.py` makes one of a document, and checks on the way what holds for every template whatever it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fairlead.descriptors.artifacts import Artifact
from fairlead.descriptors.functions import descend
from fairlead.descriptors.problems import Mark, Problems, Severity
from fairlead.descriptors.source import Node
from fairlead.descriptors.typedefs import TypeDef
from fairlead.descriptors.types import Types
from fairlead.descriptors.values import Struct, ValueReader

__all__ = [
    "COMPUTE",
    "CONNECTION_POINT",
    "CONTAINER_UNIT",
    "VNF_NODE",
    "NodeTemplate",
    "Package",
    "PolicyTemplate",
    "Requirement",
    "Topology",
]

VNF_NODE: Final = "tosca.nodes.nfv.VNF"
CONNECTION_POINT: Final = "tosca.nodes.nfv.Cp"
COMPUTE: Final = "tosca.nodes.nfv.Vdu.Compute"
CONTAINER_UNIT: Final = "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit"


@dataclass(slots=True)
class Package:
    """What a whole package has in common: its files, its types, and how grave a missing artifact is."""

    files: Mapping[str, bytes]
    types: Types
    problems: Problems
    missing_artifacts: Severity


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of a node template, fulfilled by the template `target`."""

    name: str
    target: str
    mark: Mark


@dataclass(slots=True)
class NodeTemplate:
    """A node template with its properties and capabilities read; `type` has everything inherited."""

    name: str
    node: Node
    mark: Mark
    type: TypeDef
    properties: Struct
    capabilities: dict[str, Struct] = field(default_factory=dict)
    requirements: list[Requirement] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)

    def targets(self, requirement: str) -> list[str]:
        return [each.target for each in self.requirements if each.name == requirement]

    def target(self, requirement: str) -> str | None:
        return next(iter(self.targets(requirement)), None)


@dataclass(frozen=True, slots=True)
class PolicyTemplate:
    """A policy or group; `targets` are its targets or members, all of which exist."""

    name: str
    type: TypeDef
    node: Node
    properties: Struct
    targets: tuple[tuple[str, Mark], ...]
    mark: Mark

    def mark_in(self, key: str, text: str) -> Mark:
        """Where the property `key`, a list, says `text`."""
        value = descend(self.node.get("properties"), [key])
        items = (value.sequence or []) if value is not None else []
        return next((each.mark for each in items if each.text == text), self.properties.mark_of(key))

    @property
    def target_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.targets)


@dataclass(slots=True)
class Topology:
    """A topology template in one file, with the values of its inputs."""

    package: Package
    file: str
    root: Node
    inputs: Mapping[str, Node | None]
    reader: ValueReader
    nodes: dict[str, NodeTemplate] = field(default_factory=dict)
    groups: dict[str, PolicyTemplate] = field(default_factory=dict)
    policies: list[PolicyTemplate] = field(default_factory=list)

    @property
    def problems(self) -> Problems:
        return self.package.problems

    def is_a(self, node: NodeTemplate, type_name: str) -> bool:
        return self.package.types.derives("node_types", node.type.name, type_name)

    def of_type(self, type_name: str) -> list[NodeTemplate]:
        return [node for node in self.nodes.values() if self.is_a(node, type_name)]

    def policies_of(self, type_name: str) -> list[PolicyTemplate]:
        return [each for each in self.policies if self.package.types.derives("policy_types", each.type.name, type_name)]
