"""A VNF instance as ETSI shows it: one pure function of its record and the rows of its resources.

Ids: a VNFC is `<VDU>-<key>`, the same over heals; a resource's info has its incarnation as id, which ends with the life
of the resource. Nothing here is stored but as the text of the view.
"""

from __future__ import annotations

from typing import Any

from fairlead.resources import Name, Ownership, Recorded, Records, Ref, State
from fairlead.sol import (
    CpInstanceType,
    CpProtocolInfo,
    ExtLinkPortInfo,
    ExtManagedVirtualLinkInfo,
    ExtVirtualLinkInfo,
    InstantiatedVnfInfo,
    InstantiationState,
    IpAddressInfo,
    IpOverEthernetAddressInfo,
    IpType,
    LayerProtocol,
    Link,
    ResourceHandle,
    ScaleInfo,
    VimConnectionInfo,
    VipCpInfo,
    VirtualStorageResourceInfo,
    VnfcCpInfo,
    VnfcInfo,
    VnfcResourceInfo,
    VnfExtCpInfo,
    VnfInstance,
    VnfInstanceLinks,
    VnfLinkPortInfo,
    VnfOperationalState,
    VnfVirtualLinkResourceInfo,
)
from fairlead.vnf.record import Instantiated, VnfRecord, compute_name, vnfc_id

__all__ = ["handle_of", "instance_view"]

_BASE = "/vnflcm/v2/vnf_instances"


def instance_view(record: VnfRecord, records: Records) -> VnfInstance:
    """The instance as ETSI shows it (SOL003 clause 5.5.2.2)."""
    info = _Info(record, record.instantiated, records).view() if record.instantiated is not None else None
    state = InstantiationState.INSTANTIATED if info is not None else InstantiationState.NOT_INSTANTIATED
    return VnfInstance(
        id=record.id,
        vnf_instance_name=record.name,
        vnf_instance_description=record.description,
        vnfd_id=record.vnfd_id,
        vnf_provider=record.provider,
        vnf_product_name=record.product_name,
        vnf_software_version=record.software_version,
        vnfd_version=record.vnfd_version,
        vnf_configurable_properties=record.configurable_properties,
        vim_connection_info={
            key: VimConnectionInfo(vim_id=vim.get("vimId"), vim_type=str(vim.get("vimType", "")))
            for key, vim in record.vims.items()
        },
        instantiation_state=state,
        instantiated_vnf_info=info,
        metadata=record.metadata,
        extensions=record.extensions,
        links=_links(record, instantiated=info is not None),
    )


def _links(record: VnfRecord, *, instantiated: bool) -> VnfInstanceLinks:
    own = f"{_BASE}/{record.id}"
    if not instantiated:
        return VnfInstanceLinks(self_=Link(href=own), instantiate=Link(href=f"{own}/instantiate"))
    return VnfInstanceLinks(
        self_=Link(href=own),
        terminate=Link(href=f"{own}/terminate"),
        scale=Link(href=f"{own}/scale"),
        scale_to_level=Link(href=f"{own}/scale_to_level"),
        heal=Link(href=f"{own}/heal"),
        operate=Link(href=f"{own}/operate"),
    )


def handle_of(row: Recorded[Any], connection: str | None) -> ResourceHandle:
    """Where a resource is, as ETSI's types refer to it."""
    return ResourceHandle(
        vim_connection_id=connection, resource_id=row.handle or "", vim_level_resource_type=row.resource.spec.sort()
    )


class _Info:
    def __init__(self, record: VnfRecord, state: Instantiated, records: Records) -> None:
        self._record = record
        self._state = state
        self._rows = records.current
        self._connection = next(iter(record.vims), None)
        self._external = {cp.cpd_id: link for link in state.external_links for cp in link.ext_cps}

    def view(self) -> InstantiatedVnfInfo:
        vnfcs = [(vdu, key) for vdu, keys in self._state.members.items() for key in keys]
        power = VnfOperationalState.STARTED if self._state.started else VnfOperationalState.STOPPED
        return InstantiatedVnfInfo(
            flavour_id=self._state.flavour,
            vnf_state=power,
            scale_status=tuple(
                ScaleInfo(aspect_id=aspect, scale_level=level) for aspect, level in self._state.scale.items()
            ),
            ext_cp_info=tuple(self._external_points()),
            vip_cp_info=tuple(self._virtual_ips()),
            ext_virtual_link_info=tuple(self._external_links()),
            ext_managed_virtual_link_info=tuple(self._managed_links()),
            localization_language=self._state.language,
            vnfc_resource_info=tuple(self._vnfc(vdu, key, row) for vdu, key in vnfcs if (row := self._row(vdu, key))),
            vnf_virtual_link_resource_info=tuple(self._own_links()),
            virtual_storage_resource_info=tuple(self._storages()),
            vnfc_info=tuple(self._vnfc_info(vdu, key) for vdu, key in vnfcs),
        )

    def _row(self, vdu: str, key: str) -> Recorded[Any] | None:
        return self._rows.get(compute_name(vdu, key))

    def _vnfc_info(self, vdu: str, key: str) -> VnfcInfo:
        row = self._row(vdu, key)
        running = row is not None and row.state is State.READY and row.resource.spec.power == "on"
        id_ = vnfc_id(vdu, key)
        return VnfcInfo(
            id=id_,
            vdu_id=vdu,
            vnfc_resource_info_id=row.incarnation if row is not None else None,
            vnfc_state=VnfOperationalState.STARTED if running else VnfOperationalState.STOPPED,
            vnfc_configurable_properties=self._record.vnfc_properties.get(id_, {}),
        )

    def _vnfc(self, vdu: str, key: str, row: Recorded[Any]) -> VnfcResourceInfo:
        ports = [(self._rows[name], parent) for name, parent in self._ports_of(row).items() if name in self._rows]
        volumes = [self._rows.get(v.volume.name) for v in row.resource.spec.volumes if isinstance(v.volume, Ref)]
        return VnfcResourceInfo(
            id=row.incarnation,
            vdu_id=vdu,
            compute_resource=handle_of(row, self._connection),
            storage_resource_ids=tuple(volume.incarnation for volume in volumes if volume is not None),
            vnfc_cp_info=tuple(self._vnfc_point(port, parent) for port, parent in ports),
            metadata={"vnfcInfoId": vnfc_id(vdu, key)},
        )

    def _ports_of(self, row: Recorded[Any]) -> dict[Name, Name | None]:
        """The ports of a machine, and for those within a trunk the port that carries them."""
        ports: dict[Name, Name | None] = {port.name: None for port in row.resource.spec.ports if isinstance(port, Ref)}
        for trunk in row.resource.spec.trunks:
            carried = self._rows.get(trunk.name) if isinstance(trunk, Ref) else None
            if carried is not None:
                spec = carried.resource.spec
                ports |= {one.port.name: spec.port.name for one in spec.subports}
        return ports

    def _vnfc_point(self, port: Recorded[Any], parent: Name | None) -> VnfcCpInfo:
        external = self._on_external(port)
        carrier = self._rows.get(parent) if parent is not None else None
        return VnfcCpInfo(
            id=port.incarnation,
            cpd_id=_last(port.name),
            vnf_ext_cp_id=f"ext-{port.incarnation}" if external else None,
            cp_protocol_info=(_protocol(port),),
            parent_cp_id=carrier.incarnation if carrier is not None else None,
            vnf_link_port_id=None if external else f"port-{port.incarnation}",
            metadata=self._floating(port),
        )

    def _floating(self, port: Recorded[Any]) -> dict[str, Any]:
        """The address at which a port is reached from outside; ETSI has no attribute for it."""
        row = self._rows.get(Name(f"floating-ip/{port.name}"))
        address = row.outputs.get("address") if row is not None else None
        return {"floatingIpAddress": address} if address is not None else {}

    def _virtual_ips(self) -> list[VipCpInfo]:
        rows = [row for name, row in self._rows.items() if name.startswith("vip/")]
        return [
            VipCpInfo(
                cp_instance_id=row.incarnation,
                cpd_id=_last(row.name),
                vnf_ext_cp_id=f"ext-{row.incarnation}" if self._on_external(row) else None,
                cp_protocol_info=(_protocol(row),),
                associated_vnfc_cp_ids=tuple(port.incarnation for port in self._users(row)),
                vnf_link_port_id=None if self._on_external(row) else f"port-{row.incarnation}",
                metadata=self._floating(row),
            )
            for row in rows
        ]

    def _users(self, shared: Recorded[Any]) -> list[Recorded[Any]]:
        """The ports that may use a virtual address."""
        addresses = set(shared.outputs.get("addresses") or ())
        ports = (row for row in self._rows.values() if row.resource.spec.sort() == "port")
        return [
            port
            for port in ports
            if any(
                one.name == shared.name if isinstance(one, Ref) else one in addresses
                for one in port.resource.spec.allowed_addresses
            )
        ]

    def _on_external(self, port: Recorded[Any]) -> bool:
        network = port.resource.spec.network
        return isinstance(network, Ref) and network.name.startswith("external/")

    def _ports_on(self, network: Name) -> list[Recorded[Any]]:
        return [
            row
            for row in self._rows.values()
            if row.resource.spec.sort() == "port"
            and isinstance(row.resource.spec.network, Ref)
            and row.resource.spec.network.name == network
        ]

    def _external_points(self) -> list[VnfExtCpInfo]:
        points = []
        for link in self._state.external_links:
            for port in self._ports_on(Name(f"external/{link.id}")):
                data = next((cp for cp in link.ext_cps if cp.cpd_id == _last(port.name)), link.ext_cps[0])
                config = next(iter(data.cp_config), "default")
                shared = port.name.startswith("vip/")
                points.append(
                    VnfExtCpInfo(
                        id=f"ext-{port.incarnation}",
                        cpd_id=data.cpd_id,
                        cp_config_id=config,
                        cp_protocol_info=(_protocol(port),),
                        ext_link_port_id=f"port-{port.incarnation}",
                        associated_vnfc_cp_id=None if shared else port.incarnation,
                        associated_vip_cp_id=port.incarnation if shared else None,
                        metadata=self._floating(port),
                    )
                )
        return points

    def _external_links(self) -> list[ExtVirtualLinkInfo]:
        return [
            ExtVirtualLinkInfo(
                id=link.id,
                resource_handle=ResourceHandle(vim_connection_id=self._connection, resource_id=link.resource_id),
                ext_link_ports=tuple(
                    ExtLinkPortInfo(
                        id=f"port-{port.incarnation}",
                        resource_handle=handle_of(port, self._connection),
                        cp_instance_id=f"ext-{port.incarnation}",
                    )
                    for port in self._ports_on(Name(f"external/{link.id}"))
                ),
                current_vnf_ext_cp_data=link.ext_cps,
            )
            for link in self._state.external_links
        ]

    def _managed_links(self) -> list[ExtManagedVirtualLinkInfo]:
        found = []
        for link in self._state.managed_links:
            row = self._rows.get(Name(f"link/{link.vnf_virtual_link_desc_id}"))
            if row is not None:
                found.append(
                    ExtManagedVirtualLinkInfo(
                        id=link.id,
                        vnf_virtual_link_desc_id=link.vnf_virtual_link_desc_id,
                        network_resource=handle_of(row, self._connection),
                        vnf_link_ports=self._link_ports(row),
                    )
                )
        return found

    def _own_links(self) -> list[VnfVirtualLinkResourceInfo]:
        return [
            VnfVirtualLinkResourceInfo(
                id=row.incarnation,
                vnf_virtual_link_desc_id=_last(row.name),
                network_resource=handle_of(row, self._connection),
                vnf_link_ports=self._link_ports(row),
            )
            for row in self._rows.values()
            if row.resource.spec.sort() == "network" and row.resource.ownership is not Ownership.GIVEN
        ]

    def _link_ports(self, network: Recorded[Any]) -> tuple[VnfLinkPortInfo, ...]:
        ports = [(port, port.name.startswith("vip/")) for port in self._ports_on(network.name)]
        return tuple(
            VnfLinkPortInfo(
                id=f"port-{port.incarnation}",
                resource_handle=handle_of(port, self._connection),
                cp_instance_id=None if shared else port.incarnation,
                cp_instance_type=None if shared else CpInstanceType.VNFC_CP,
                vip_cp_instance_id=port.incarnation if shared else None,
            )
            for port, shared in ports
        )

    def _storages(self) -> list[VirtualStorageResourceInfo]:
        return [
            VirtualStorageResourceInfo(
                id=row.incarnation,
                virtual_storage_desc_id=_last(row.name),
                storage_resource=handle_of(row, self._connection),
            )
            for row in self._rows.values()
            if row.resource.spec.sort() == "volume"
        ]


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _protocol(port: Recorded[Any]) -> CpProtocolInfo:
    addresses = port.outputs.get("addresses") or ()
    mac = port.outputs.get("mac")
    by_type = {
        IpType.IPV4: tuple(address for address in addresses if ":" not in address),
        IpType.IPV6: tuple(address for address in addresses if ":" in address),
    }
    infos = tuple(IpAddressInfo(type=type_, addresses=found) for type_, found in by_type.items() if found)
    ethernet = IpOverEthernetAddressInfo(mac_address=mac, ip_addresses=infos)
    return CpProtocolInfo(layer_protocol=LayerProtocol.IP_OVER_ETHERNET, ip_over_ethernet=ethernet)
