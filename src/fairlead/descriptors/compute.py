"""What a VDU is: the machine or group of containers that a VNF component runs in.

Virtual machines and container units are one type with a discriminator, because nearly everything that plans or shows a
VNF treats them alike: members, connection points, storages, images, placement. What only one of them has is None
or empty on the other. All sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fairlead.descriptors.artifacts import Artifact
from fairlead.descriptors.maintenance import Maintenance, MonitoringParameter
from fairlead.descriptors.problems import NOWHERE, Mark

__all__ = [
    "AdditionalCapability",
    "BootData",
    "Checksum",
    "HugePages",
    "LocalStorage",
    "OsContainer",
    "SoftwareImage",
    "Storage",
    "StorageKind",
    "Vdu",
    "VduKind",
]


class VduKind(StrEnum):
    """Which SOL001 node type a VDU was written as."""

    COMPUTE = "compute"
    CONTAINERS = "containers"


class StorageKind(StrEnum):
    BLOCK = "block"
    OBJECT = "object"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Checksum:
    """`algorithm` in SOL001's spelling (`sha-256`), `hash` in lower-case hexadecimal digits."""

    algorithm: str
    hash: str


@dataclass(frozen=True, slots=True)
class SoftwareImage:
    """An image; `id` is the node template that carries it (a VDU, a storage or a container).

    `path` is the file inside the package; None means that `file`, as written, names something outside (a registry).
    """

    id: str
    name: str
    version: str
    container_format: str
    file: str | None = None
    path: str | None = None
    checksum: Checksum | None = None
    disk_format: str | None = None
    min_disk: int | None = None
    min_ram: int | None = None
    size: int | None = None
    provider: str | None = None
    operating_system: str | None = None
    environments: tuple[str, ...] = ()
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A disk that lives and dies with its machine."""

    size: int
    requirements: Mapping[str, str] = field(default_factory=dict)
    rdma: bool = False


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage resource of its own; `size` is None where SOL001 lets it be absent (object storage)."""

    id: str
    kind: StorageKind
    size: int | None
    image: SoftwareImage | None = None
    per_vnfc_instance: bool = True
    requirements: Mapping[str, str] = field(default_factory=dict)
    file_system_protocol: str | None = None
    link: str | None = None
    rdma: bool = False
    maintenance: Maintenance | None = None
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class HugePages:
    page_size: int
    total: int


@dataclass(frozen=True, slots=True)
class AdditionalCapability:
    """A requested capability; Tacker's packages put the name of an OpenStack flavour here."""

    name: str
    mandatory: bool
    min_version: str | None = None
    preferred_version: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BootData:
    """What a machine finds at its first start.

    `key_values` is SOL001's `kvp_data`. `content` is the text itself; `source_path` a file inside the package (resolved),
    to be put at `destination_path` with `data` substituted. `vim_properties` go to the VIM as they are.
    """

    key_values: Mapping[str, str] = field(default_factory=dict)
    content: str | None = None
    source_path: str | None = None
    destination_path: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    vim_type: str | None = None
    vim_properties: Mapping[str, str] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class OsContainer:
    """One container of a container unit; CPU in thousandths of a core, None where nothing is asked."""

    id: str
    name: str
    description: str
    image: SoftwareImage | None = None
    cpu_request: int | None = None
    cpu_limit: int | None = None
    memory_request: int | None = None
    memory_limit: int | None = None
    ephemeral_storage_request: int | None = None
    ephemeral_storage_limit: int | None = None
    extended_resources: tuple[tuple[Mapping[str, str], int], ...] = ()
    huge_pages: tuple[HugePages, ...] = ()
    cpu_pinning_policy: str | None = None
    cpu_pinning_rules: tuple[str, ...] = ()
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Vdu:
    """A VDU; `cpus` and `memory` are None where the descriptor leaves them to templates that the package brings.

    `connection_points` and `storages` are ids, connection points in the order of their `order` property and then of the file.
    `boot_order` are the storages to boot from, the first one first; empty if the descriptor leaves it open. Clock in hertz.
    `certificates` are the ids of those to be installed.
    """

    id: str
    kind: VduKind
    name: str
    description: str
    min_instances: int
    max_instances: int
    cpus: int | None = None
    memory: int | None = None
    local_storages: tuple[LocalStorage, ...] = ()
    image: SoftwareImage | None = None
    containers: tuple[OsContainer, ...] = ()
    storages: tuple[str, ...] = ()
    connection_points: tuple[str, ...] = ()
    boot_data: BootData | None = None
    boot_order: tuple[str, ...] = ()
    nfvi_constraints: Mapping[str, str] = field(default_factory=dict)
    additional_capabilities: tuple[AdditionalCapability, ...] = ()
    logical_nodes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cpu_architecture: str | None = None
    cpu_clock: float | None = None
    cpu_oversubscription_policy: str | None = None
    memory_oversubscription_policy: str | None = None
    cpu_pinning_policy: str | None = None
    cpu_pinning_rules: tuple[str, ...] = ()
    cpu_requirements: Mapping[str, str] = field(default_factory=dict)
    memory_requirements: Mapping[str, str] = field(default_factory=dict)
    numa: bool = False
    huge_pages: tuple[HugePages, ...] = ()
    compute_requirements: Mapping[str, str] = field(default_factory=dict)
    mcio_name: str | None = None
    mcio_type: str | None = None
    mcio_constraints: tuple[str, ...] = ()
    configurable: Mapping[str, Any] = field(default_factory=dict)
    monitoring: tuple[MonitoringParameter, ...] = ()
    maintenance: Maintenance | None = None
    certificates: tuple[str, ...] = ()
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    mark: Mark = field(default=NOWHERE, compare=False)
