"""External connectivity: what a request says about links, connection points and addresses, and what became of it.

The `...Data` types are wishes, the `...Info` types are facts. Addresses come in three sorts that exclude each other:
fixed, a number of dynamic ones, or a range to choose from; which are allowed together is checked where they are used.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import field

from fairlead.sol.resource_types import ResourceHandle
from fairlead.sol.wire import KeyValuePairs, Sol

__all__ = [
    "AddressRange",
    "CpInstanceType",
    "CpProtocolData",
    "CpProtocolInfo",
    "ExtLinkPortData",
    "ExtLinkPortInfo",
    "ExtManagedVirtualLinkData",
    "ExtManagedVirtualLinkInfo",
    "ExtVirtualLinkData",
    "ExtVirtualLinkInfo",
    "IpAddressData",
    "IpAddressInfo",
    "IpOverEthernetAddressData",
    "IpOverEthernetAddressInfo",
    "IpType",
    "LayerProtocol",
    "SegmentationType",
    "VipCpInfo",
    "VnfExtCpConfig",
    "VnfExtCpData",
    "VnfExtCpInfo",
    "VnfLinkPortData",
    "VnfLinkPortInfo",
]


class LayerProtocol(StrEnum):
    IP_OVER_ETHERNET = "IP_OVER_ETHERNET"


class IpType(StrEnum):
    IPV4 = "IPV4"
    IPV6 = "IPV6"


class SegmentationType(StrEnum):
    VLAN = "VLAN"
    INHERIT = "INHERIT"


class CpInstanceType(StrEnum):
    VNFC_CP = "VNFC_CP"
    EXT_CP = "EXT_CP"


class AddressRange(Sol, frozen=True, kw_only=True):
    """Addresses from `min_address` to `max_address`, both included."""

    min_address: str
    max_address: str


class IpAddressData(Sol, frozen=True, kw_only=True):
    """The addresses wished for on one subnet."""

    type: IpType
    fixed_addresses: tuple[str, ...] = ()
    num_dynamic_addresses: int | None = None
    address_range: AddressRange | None = None
    subnet_id: str | None = None


class IpOverEthernetAddressData(Sol, frozen=True, kw_only=True):
    """The addresses wished for on one connection point."""

    mac_address: str | None = None
    segmentation_type: SegmentationType | None = None
    segmentation_id: str | None = None
    ip_addresses: tuple[IpAddressData, ...] = ()


class CpProtocolData(Sol, frozen=True, kw_only=True):
    layer_protocol: LayerProtocol
    ip_over_ethernet: IpOverEthernetAddressData | None = None


class VnfExtCpConfig(Sol, frozen=True, kw_only=True):
    """How one instance of an external connection point is to be configured."""

    parent_cp_config_id: str | None = None
    link_port_id: str | None = None
    create_ext_link_port: bool | None = None
    cp_protocol_data: tuple[CpProtocolData, ...] = ()


class VnfExtCpData(Sol, frozen=True, kw_only=True):
    """The configurations of all instances of one CPD, by names that the caller chooses; null takes one away."""

    cpd_id: str
    cp_config: dict[str, VnfExtCpConfig | None] = field(default_factory=dict)


class ExtLinkPortData(Sol, frozen=True, kw_only=True):
    """A port on an external link that exists already."""

    id: str
    resource_handle: ResourceHandle
    trunk_resource_id: str | None = None


class ExtVirtualLinkData(Sol, frozen=True, kw_only=True):
    """An external network and which connection points go on it."""

    id: str
    vim_connection_id: str | None = None
    resource_provider_id: str | None = None
    resource_id: str
    ext_cps: tuple[VnfExtCpData, ...]
    ext_link_ports: tuple[ExtLinkPortData, ...] = ()


class VnfLinkPortData(Sol, frozen=True, kw_only=True):
    """A port on an externally managed link that exists already."""

    vnf_link_port_id: str
    resource_handle: ResourceHandle


class ExtManagedVirtualLinkData(Sol, frozen=True, kw_only=True):
    """A network that somebody else made, to be used as an internal link of the VNF."""

    id: str
    vnf_virtual_link_desc_id: str
    vim_connection_id: str | None = None
    resource_provider_id: str | None = None
    resource_id: str
    vnf_link_port: tuple[VnfLinkPortData, ...] = ()
    ext_managed_multisite_virtual_link_id: str | None = None


class IpAddressInfo(Sol, frozen=True, kw_only=True):
    """The addresses in use on one subnet."""

    type: IpType
    addresses: tuple[str, ...] = ()
    is_dynamic: bool | None = None
    address_range: AddressRange | None = None
    subnet_id: str | None = None


class IpOverEthernetAddressInfo(Sol, frozen=True, kw_only=True):
    """The addresses in use on one connection point."""

    mac_address: str | None = None
    segmentation_id: str | None = None
    ip_addresses: tuple[IpAddressInfo, ...] = ()


class CpProtocolInfo(Sol, frozen=True, kw_only=True):
    layer_protocol: LayerProtocol
    ip_over_ethernet: IpOverEthernetAddressInfo | None = None


class VnfExtCpInfo(Sol, frozen=True, kw_only=True):
    """An external connection point of a VNF instance; exactly one of the three `associated...` says what is behind it."""

    id: str
    cpd_id: str
    cp_config_id: str
    vnfd_id: str | None = None
    cp_protocol_info: tuple[CpProtocolInfo, ...]
    ext_link_port_id: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)
    associated_vnfc_cp_id: str | None = None
    associated_vip_cp_id: str | None = None
    associated_vnf_virtual_link_id: str | None = None


class VipCpInfo(Sol, frozen=True, kw_only=True):
    """A virtual address that several connection points share."""

    cp_instance_id: str
    cpd_id: str
    vnfd_id: str | None = None
    vnf_ext_cp_id: str | None = None
    cp_protocol_info: tuple[CpProtocolInfo, ...] = ()
    associated_vnfc_cp_ids: tuple[str, ...] = ()
    vnf_link_port_id: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)


class ExtLinkPortInfo(Sol, frozen=True, kw_only=True):
    """A port of the VNF on an external link."""

    id: str
    resource_handle: ResourceHandle
    cp_instance_id: str | None = None
    secondary_cp_instance_id: str | None = None
    trunk_resource_id: str | None = None


class ExtVirtualLinkInfo(Sol, frozen=True, kw_only=True):
    """An external link in use."""

    id: str
    resource_handle: ResourceHandle
    ext_link_ports: tuple[ExtLinkPortInfo, ...] = ()
    current_vnf_ext_cp_data: tuple[VnfExtCpData, ...]


class VnfLinkPortInfo(Sol, frozen=True, kw_only=True):
    """A port on an internal or externally managed link."""

    id: str
    resource_handle: ResourceHandle
    cp_instance_id: str | None = None
    cp_instance_type: CpInstanceType | None = None
    vip_cp_instance_id: str | None = None
    trunk_resource_id: str | None = None


class ExtManagedVirtualLinkInfo(Sol, frozen=True, kw_only=True):
    """A network made by somebody else, in use as an internal link."""

    id: str
    vnf_virtual_link_desc_id: str
    vnfd_id: str | None = None
    network_resource: ResourceHandle
    vnf_link_ports: tuple[VnfLinkPortInfo, ...] = ()
    ext_managed_multisite_virtual_link_id: str | None = None
