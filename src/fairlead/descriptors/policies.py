"""Policies that say what is to be done with a VNF: at an indicator's value, at a change of package, at a coordination.

Policies of scaling and placement, which say how large a VNF is and where it lies, are in `vnfd.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.descriptors.artifacts import Declared
from fairlead.descriptors.problems import NOWHERE, Mark

__all__ = [
    "Call",
    "ComponentMapping",
    "CoordinationAction",
    "Coordinations",
    "Indicator",
    "PackageChange",
    "PackageChangeSelector",
    "Policy",
    "SupportedInterface",
    "Trigger",
]


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of the VNF that a trigger calls, as `Interface.operation`, with its inputs."""

    operation: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Trigger:
    """When and what: `event` names a notification, `condition` is TOSCA's clause as written, `calls` follow in order.

    `other_actions` are activities of other sorts (`delegate`, `inline`, `set_state`) as written.
    """

    name: str
    event: str
    condition: Any = None
    calls: tuple[Call, ...] = ()
    other_actions: tuple[Any, ...] = ()
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of a type that has no shape of its own here; properties are plain values."""

    id: str
    type: str
    targets: tuple[str, ...]
    properties: Mapping[str, Any]
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A VNF indicator (SOL001 6.10.14): who reports it, and what follows from its values.

    `source` is vnf, em or both_vnf_and_em; `properties` are those that a vendor's type adds.
    """

    id: str
    type: str
    source: str
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class PackageChangeSelector:
    """From which descriptor and flavour to which descriptor."""

    source_descriptor: str
    destination_descriptor: str
    source_flavour: str


@dataclass(frozen=True, slots=True)
class ComponentMapping:
    """`sort` (vdu, cp, virtual_link, virtual_storage, instantiation_level, scaling_aspect ...) `source` becomes `destination`."""

    sort: str
    source: str
    destination: str
    description: str | None = None
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class PackageChange:
    """How an instance changes to another package (SOL001 6.10.15); `qualifier` is up or down.

    `actions` are coordination actions of this descriptor, `referenced_actions` those defined elsewhere.
    """

    id: str
    selectors: tuple[PackageChangeSelector, ...]
    qualifier: str
    destination_flavour: str
    mappings: tuple[ComponentMapping, ...] = ()
    description: str | None = None
    actions: tuple[str, ...] = ()
    referenced_actions: tuple[str, ...] = ()
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CoordinationAction:
    """A coordination that the VNF or its element manager offers (SOL001 6.10.16).

    `endpoint` is mgmt or vnf, `stage` start or end of the operation; None where the descriptor leaves it open.
    """

    id: str
    name: str
    description: str | None = None
    endpoint: str | None = None
    stage: str | None = None
    inputs: Mapping[str, Declared] = field(default_factory=dict)
    outputs: Mapping[str, Declared] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Coordinations:
    """Which coordinations one LCM operation may ask for (SOL001 6.10.17), by the names of the actions."""

    operation: str
    actions: tuple[str, ...] = ()
    referenced_actions: tuple[str, ...] = ()
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SupportedInterface:
    """An interface that the VNF produces (SOL001 6.10.12), and the connection points to reach it through.

    `uri` holds the components that the descriptor knows: scheme, user_info, host, port, path, query, fragment.
    """

    name: str
    connection_points: tuple[str, ...]
    uri: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)
