"""The VNF descriptor as the rest of Fairlead sees it.

A `Vnfd` exists only if nothing in its source is wrong: whoever holds one need not check references, types or levels again.
Ids are the names of node templates and policies keys, as ETSI's APIs use them. Mappings keep the order of the file. Every
value carries the mark of its declaration, which does not take part in comparison, so two descriptors that say the same
are equal wherever they say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from fairlead.descriptors.artifacts import Artifact, Declared, LifecycleOperation
from fairlead.descriptors.compute import SoftwareImage, Storage, Vdu
from fairlead.descriptors.maintenance import Maintenance, MonitoringParameter
from fairlead.descriptors.network import ConnectionPoint, VirtualLink
from fairlead.descriptors.operations import OperationsConfiguration, VnfProfile
from fairlead.descriptors.policies import (
    CoordinationAction,
    Coordinations,
    Indicator,
    PackageChange,
    Policy,
    SupportedInterface,
)
from fairlead.descriptors.problems import NOWHERE, Mark

__all__ = [
    "Aspect",
    "Bitrates",
    "Certificate",
    "DeployableModule",
    "Flavour",
    "InstantiationLevel",
    "Mciop",
    "PlacementRule",
    "PlacementSort",
    "SecurityGroupRule",
    "Vnfd",
]

T = TypeVar("T")
Bitrates = tuple[int, int | None]
"""Bit/s at the root and at the leaves of a link."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """A scaling aspect.

    `step_deltas` names the delta of each step, or one that holds for all; `deltas` gives for each VDU how many instances each
    delta adds, `virtual_ip_deltas` the same for each VipCp, and `link_deltas` for each link the bit rates.
    """

    id: str
    name: str
    description: str
    max_scale_level: int
    step_deltas: tuple[str, ...] = ()
    deltas: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    link_deltas: Mapping[str, Mapping[str, Bitrates]] = field(default_factory=dict)
    virtual_ip_deltas: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)

    def increments(self, vdu: str) -> tuple[int, ...]:
        """How many instances of `vdu` each step adds, from the first to the last scale level."""
        return tuple(step or 0 for step in self._steps(self.deltas.get(vdu, {})))

    def virtual_ip_increments(self, point: str) -> tuple[int, ...]:
        """How many instances of the VipCp `point` each step adds, from the first to the last scale level."""
        return tuple(step or 0 for step in self._steps(self.virtual_ip_deltas.get(point, {})))

    def link_increments(self, link: str) -> tuple[Bitrates, ...]:
        """How much bit rate of `link` each step adds, from the first to the last scale level."""
        return tuple(step or (0, None) for step in self._steps(self.link_deltas.get(link, {})))

    def _steps(self, deltas: Mapping[str, T]) -> tuple[T | None, ...]:
        if not self.step_deltas:
            return (next(iter(deltas.values()), None),) * self.max_scale_level
        steps = self.step_deltas * self.max_scale_level if len(self.step_deltas) == 1 else self.step_deltas
        return tuple(deltas.get(step) for step in steps[: self.max_scale_level])


@dataclass(frozen=True, slots=True)
class InstantiationLevel:
    """A level by name: scale level for each aspect, and where the descriptor says so, instances for each VDU and VipCp."""

    id: str
    description: str
    scale_levels: Mapping[str, int] = field(default_factory=dict)
    instances: Mapping[str, int] = field(default_factory=dict)
    link_bitrates: Mapping[str, Bitrates] = field(default_factory=dict)
    virtual_ips: Mapping[str, int] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


class PlacementSort(StrEnum):
    AFFINITY = "affinity"
    ANTI_AFFINITY = "anti-affinity"


@dataclass(frozen=True, slots=True)
class PlacementRule:
    """An affinity or anti-affinity rule.

    `targets` are VDUs, links or groups as written; `members` the VDUs and links that they come to. A rule on one VDU
    concerns the instances of that VDU among each other.
    """

    id: str
    sort: PlacementSort
    scope: str
    targets: tuple[str, ...]
    members: tuple[str, ...]
    maintenance: Maintenance | None = None
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """A rule for the traffic of connection points (`targets`)."""

    id: str
    targets: tuple[str, ...]
    direction: str = "ingress"
    ether_type: str = "ipv4"
    protocol: str = "tcp"
    port_min: int = 0
    port_max: int = 65535
    description: str | None = None
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Mciop:
    """A Helm chart (or other container package) and the VDUs that it deploys."""

    id: str
    vdus: tuple[str, ...]
    artifacts: Mapping[str, Artifact]
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class DeployableModule:
    """A part of the VNF that may be left out: the VDUs and charts that it consists of (SOL001 5.4.1, 6.8.16)."""

    id: str
    name: str
    members: tuple[str, ...]
    description: str | None = None
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that managers obtain for the VNF (SOL001 5.4.1, 6.8.19); which VDUs want it, they say.

    `profile` and `requests` are the base profile and the requirements for signing requests, as plain values.
    """

    id: str
    name: str
    type: str
    profile: Mapping[str, Any] = field(default_factory=dict)
    requests: tuple[Mapping[str, Any], ...] = ()
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Flavour:
    """A deployment flavour.

    `external` are the ids of the connection points that are the VNF's outside, by the name under which they are so; several
    names may stand for one point. `lifecycle` holds the operations of Vnflcm that do something; `interfaces` those of other
    interfaces; `parameters` the additional parameters that the VNF's type declares for each operation. `coordinations` are by
    operation, `coordination_actions` by the action's name.
    """

    id: str
    description: str
    vdus: Mapping[str, Vdu]
    links: Mapping[str, VirtualLink] = field(default_factory=dict)
    connection_points: Mapping[str, ConnectionPoint] = field(default_factory=dict)
    external: Mapping[str, str] = field(default_factory=dict)
    storages: Mapping[str, Storage] = field(default_factory=dict)
    mciops: Mapping[str, Mciop] = field(default_factory=dict)
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    levels: Mapping[str, InstantiationLevel] = field(default_factory=dict)
    default_level: str | None = None
    initial_deltas: Mapping[str, int] = field(default_factory=dict)
    initial_virtual_ips: Mapping[str, int] = field(default_factory=dict)
    initial_bitrates: Mapping[str, Bitrates] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    placement_rules: Mapping[str, PlacementRule] = field(default_factory=dict)
    security_group_rules: Mapping[str, SecurityGroupRule] = field(default_factory=dict)
    indicators: Mapping[str, Indicator] = field(default_factory=dict)
    package_changes: Mapping[str, PackageChange] = field(default_factory=dict)
    coordination_actions: Mapping[str, CoordinationAction] = field(default_factory=dict)
    coordinations: Mapping[str, Coordinations] = field(default_factory=dict)
    supported_interfaces: Mapping[str, SupportedInterface] = field(default_factory=dict)
    other_policies: Mapping[str, Policy] = field(default_factory=dict)
    deployable_modules: Mapping[str, DeployableModule] = field(default_factory=dict)
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    lifecycle: Mapping[str, LifecycleOperation] = field(default_factory=dict)
    interfaces: Mapping[str, Mapping[str, LifecycleOperation]] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Declared]] = field(default_factory=dict)
    operations: OperationsConfiguration = field(default_factory=OperationsConfiguration)
    profile: VnfProfile | None = None
    monitoring: tuple[MonitoringParameter, ...] = ()
    mark: Mark = field(default=NOWHERE, compare=False)

    @property
    def external_connection_points(self) -> Mapping[str, ConnectionPoint]:
        """The connection points that are external, by id."""
        return {id: point for id, point in self.connection_points.items() if point.external is not None}

    @property
    def images(self) -> Mapping[str, SoftwareImage]:
        """All software images, by the id of the node template that carries them."""
        found = {vdu.id: vdu.image for vdu in self.vdus.values() if vdu.image}
        found |= {storage.id: storage.image for storage in self.storages.values() if storage.image}
        found |= {each.id: each.image for vdu in self.vdus.values() for each in vdu.containers if each.image}
        return found


@dataclass(frozen=True, slots=True)
class Vnfd:
    """A VNF descriptor: the VNF's identity, what of it can be configured and modified, and its deployment flavours."""

    descriptor_id: str
    provider: str
    product_name: str
    software_version: str
    descriptor_version: str
    vnfm_info: tuple[str, ...]
    default_flavour: str
    flavours: Mapping[str, Flavour]
    product_info_name: str | None = None
    product_info_description: str | None = None
    ext_invariant_id: str | None = None
    localization_languages: tuple[str, ...] = ()
    default_localization_language: str | None = None
    configurable_properties: Mapping[str, Declared] = field(default_factory=dict)
    metadata: Mapping[str, Declared] = field(default_factory=dict)
    extensions: Mapping[str, Declared] = field(default_factory=dict)
    tosca_version: str = ""
    mark: Mark = field(default=NOWHERE, compare=False)
