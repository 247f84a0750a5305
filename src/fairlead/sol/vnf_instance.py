"""The VNF instance as ETSI shows it: what it is made from, its state, and everything that was created for it.

SOL002's and SOL003's views in one: `vnfcInfo` is SOL002's, `vimConnectionInfo` and zones are SOL003's. Identifiers inside
`instantiatedVnfInfo` are unique in the instance and stay the same for as long as the thing exists.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import field

from fairlead.sol.connectivity import (
    CpProtocolInfo,
    ExtManagedVirtualLinkInfo,
    ExtVirtualLinkInfo,
    VipCpInfo,
    VnfExtCpInfo,
    VnfLinkPortInfo,
)
from fairlead.sol.resource_types import Link, MonitoringParameter, ResourceHandle, ScaleInfo, VimConnectionInfo
from fairlead.sol.vnf_requests import VnfOperationalState
from fairlead.sol.wire import KeyValuePairs, Sol

__all__ = [
    "InstantiatedVnfInfo",
    "InstantiationState",
    "VirtualStorageResourceInfo",
    "VnfInstance",
    "VnfInstanceLinks",
    "VnfVirtualLinkResourceInfo",
    "VnfcCpInfo",
    "VnfcInfo",
    "VnfcResourceInfo",
]


class InstantiationState(StrEnum):
    NOT_INSTANTIATED = "NOT_INSTANTIATED"
    INSTANTIATED = "INSTANTIATED"


class VnfcCpInfo(Sol, frozen=True, kw_only=True):
    """A connection point of a VNFC; `vnf_ext_cp_id` or `vnf_link_port_id` says what it is connected to."""

    id: str
    cpd_id: str
    vnf_ext_cp_id: str | None = None
    cp_protocol_info: tuple[CpProtocolInfo, ...] = ()
    parent_cp_id: str | None = None
    vnf_link_port_id: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)


class VnfcResourceInfo(Sol, frozen=True, kw_only=True):
    """A VNFC instance's machine."""

    id: str
    vdu_id: str
    vnfd_id: str | None = None
    compute_resource: ResourceHandle
    zone_id: str | None = None
    storage_resource_ids: tuple[str, ...] = ()
    reservation_id: str | None = None
    vnfc_cp_info: tuple[VnfcCpInfo, ...] = ()
    metadata: KeyValuePairs = field(default_factory=dict)


class VnfcInfo(Sol, frozen=True, kw_only=True):
    """A VNFC instance as the element manager knows it (SOL002)."""

    id: str
    vdu_id: str
    vnfc_resource_info_id: str | None = None
    vnfc_state: VnfOperationalState
    vnfc_configurable_properties: KeyValuePairs = field(default_factory=dict)


class VnfVirtualLinkResourceInfo(Sol, frozen=True, kw_only=True):
    """An internal link's network."""

    id: str
    vnf_virtual_link_desc_id: str
    vnfd_id: str | None = None
    network_resource: ResourceHandle
    zone_id: str | None = None
    reservation_id: str | None = None
    vnf_link_ports: tuple[VnfLinkPortInfo, ...] = ()
    metadata: KeyValuePairs = field(default_factory=dict)


class VirtualStorageResourceInfo(Sol, frozen=True, kw_only=True):
    """A volume."""

    id: str
    virtual_storage_desc_id: str
    vnfd_id: str | None = None
    storage_resource: ResourceHandle
    zone_id: str | None = None
    reservation_id: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)


class InstantiatedVnfInfo(Sol, frozen=True, kw_only=True):
    """What exists because the VNF is instantiated."""

    flavour_id: str
    vnf_state: VnfOperationalState
    scale_status: tuple[ScaleInfo, ...] = ()
    max_scale_levels: tuple[ScaleInfo, ...] = ()
    ext_cp_info: tuple[VnfExtCpInfo, ...]
    vip_cp_info: tuple[VipCpInfo, ...] = ()
    ext_virtual_link_info: tuple[ExtVirtualLinkInfo, ...] = ()
    ext_managed_virtual_link_info: tuple[ExtManagedVirtualLinkInfo, ...] = ()
    monitoring_parameters: tuple[MonitoringParameter, ...] = ()
    localization_language: str | None = None
    vnfc_resource_info: tuple[VnfcResourceInfo, ...] = ()
    vnf_virtual_link_resource_info: tuple[VnfVirtualLinkResourceInfo, ...] = ()
    virtual_storage_resource_info: tuple[VirtualStorageResourceInfo, ...] = ()
    vnfc_info: tuple[VnfcInfo, ...] = ()


class VnfInstanceLinks(Sol, frozen=True, kw_only=True):
    """`self_` is `self` on the wire; a task's link is there when the task may be asked for in this state."""

    self_: Link = field(name="self")
    indicators: Link | None = None
    instantiate: Link | None = None
    terminate: Link | None = None
    scale: Link | None = None
    scale_to_level: Link | None = None
    change_flavour: Link | None = None
    heal: Link | None = None
    operate: Link | None = None
    change_ext_conn: Link | None = None
    create_snapshot: Link | None = None
    revert_to_snapshot: Link | None = None
    change_current_vnf_pkg: Link | None = None


class VnfInstance(Sol, frozen=True, kw_only=True):
    """SOL003 clause 5.5.2.2."""

    id: str
    vnf_instance_name: str | None = None
    vnf_instance_description: str | None = None
    vnfd_id: str
    vnf_provider: str
    vnf_product_name: str
    vnf_software_version: str
    vnfd_version: str
    vnf_configurable_properties: KeyValuePairs = field(default_factory=dict)
    vim_connection_info: dict[str, VimConnectionInfo] = field(default_factory=dict)
    instantiation_state: InstantiationState
    instantiated_vnf_info: InstantiatedVnfInfo | None = None
    metadata: KeyValuePairs = field(default_factory=dict)
    extensions: KeyValuePairs = field(default_factory=dict)
    links: VnfInstanceLinks = field(name="_links")
