"""Connection points and virtual links of a VNF.

SOL001 has five node types for connection points; what differs between them is who stands behind one (a VDU, several
VDUs, another connection point), so they are one type with a discriminator here. A connection point is either on
an internal link or external, never both: `link` and `external` say which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fairlead.descriptors.maintenance import Maintenance, MonitoringParameter
from fairlead.descriptors.problems import NOWHERE, Mark

__all__ = [
    "Address",
    "AllocationPool",
    "ConnectionPoint",
    "ConnectionPointKind",
    "ConnectionPointProtocol",
    "InterfaceRequirement",
    "L2Protocol",
    "L3Protocol",
    "Service",
    "ServicePort",
    "VirtualLink",
]


class ConnectionPointKind(StrEnum):
    """Which SOL001 node type a connection point was written as."""

    VDU = "VduCp"
    SUB = "VduSubCp"
    VIRTUAL_IP = "VipCp"
    VIRTUAL = "VirtualCp"
    EXTERNAL = "VnfExtCp"


@dataclass(frozen=True, slots=True)
class InterfaceRequirement:
    """What the platform must give an interface (SOL001 VirtualNetworkInterfaceRequirements)."""

    requirements: Mapping[str, str]
    name: str | None = None
    mandatory: bool | None = None
    logical_node: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a connection point: a MAC address if `mac_assignment` is not None, else an IP address.

    The assignments are True when the manager has to give the address; `subtype` is dynamic, vnf_pkg or external.
    """

    mac_assignment: bool | None = None
    ip_assignment: bool | None = None
    subtype: str | None = None
    floating: bool = False
    ip_type: str | None = None
    count: int | None = None
    fixed: tuple[str, ...] = ()
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ConnectionPointProtocol:
    """A layer protocol of a connection point with its addresses."""

    layer: str
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port on which a VirtualCp is reached; `protocol` is tcp, udp or sctp."""

    name: str
    protocol: str
    port: int
    configurable: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """What a VirtualCp exposes; `host` and `paths` for those that are told apart by them, `data` as older versions wrote it."""

    ports: tuple[ServicePort, ...]
    host: str | None = None
    paths: tuple[str, ...] = ()
    data: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionPoint:
    """A connection point.

    `vdus` are those behind it: one for a VduCp, the targets for a VirtualCp, those of its target connection points for a
    VipCp. `external` is the requirement of the VNF that it is mapped to, or the VnfExtCp on its place, or its own id if it
    is left open; None when it is on the internal `link`. `fixed_ip_addresses` and `ip_address_assignment` are those of its
    first layer 3 address; the assignment is True when the manager has to give the address; `protocols` have all addresses.
    Bandwidth in bit/s.
    """

    id: str
    kind: ConnectionPointKind
    vdus: tuple[str, ...] = ()
    link: str | None = None
    external: str | None = None
    order: int | None = None
    layer_protocols: tuple[str, ...] = ()
    vnic_type: str | None = None
    fixed_ip_addresses: tuple[str, ...] = ()
    ip_address_assignment: bool | None = None
    ip_address_type: str | None = None
    ip_address_count: int | None = None
    floating_ip: bool = False
    mac_address_assignment: bool | None = None
    bandwidth: int | None = None
    role: str | None = None
    description: str | None = None
    trunk: bool = False
    parent: str | None = None
    segmentation_type: str | None = None
    segmentation_id: int | None = None
    targets: tuple[str, ...] = ()
    vip_function: str | None = None
    dedicated_ip_address: bool = True
    services: tuple[Service, ...] = ()
    interface_requirements: tuple[InterfaceRequirement, ...] = ()
    protocols: tuple[ConnectionPointProtocol, ...] = ()
    ip_stack_mode: str | None = None
    address_pool_name_configurable: bool = False
    mark: Mark = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AllocationPool:
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class L2Protocol:
    """Layer 2 data of a link."""

    name: str | None = None
    network_type: str | None = None
    vlan_transparent: bool = False
    mtu: int | None = None
    segmentation_id: str | None = None
    layer: str | None = None


@dataclass(frozen=True, slots=True)
class L3Protocol:
    """Layer 3 data of a link: one subnet."""

    ip_version: str
    cidr: str
    name: str | None = None
    gateway_ip: str | None = None
    allocation_pools: tuple[AllocationPool, ...] = ()
    dhcp_enabled: bool | None = None
    ipv6_address_mode: str | None = None
    layer: str | None = None


@dataclass(frozen=True, slots=True)
class VirtualLink:
    """An internal link; `connectivity` are its layer protocols, bit rates are bit/s at root and leaf, times seconds."""

    id: str
    connectivity: tuple[str, ...]
    flow: str | None = None
    description: str | None = None
    l2_protocol_data: tuple[L2Protocol, ...] = ()
    l3_protocol_data: tuple[L3Protocol, ...] = ()
    max_bitrate: tuple[int, int | None] | None = None
    min_bitrate: tuple[int, int | None] | None = None
    latency: float | None = None
    packet_delay_variation: float | None = None
    packet_loss_ratio: float | None = None
    externally_managed: str | None = None
    test_access: tuple[str, ...] = ()
    monitoring: tuple[MonitoringParameter, ...] = ()
    maintenance: Maintenance | None = None
    mark: Mark = field(default=NOWHERE, compare=False)
