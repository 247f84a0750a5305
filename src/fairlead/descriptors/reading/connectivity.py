"""Connection points and virtual links, out of checked node templates and the substitution mappings.

What is outside a VNF is told in three ways: a requirement of the VNF is mapped to a connection point, a VnfExtCp stands on an
internal link, or a connection point simply has no link. All three come out as a connection point with `external` set.
"""

from __future__ import annotations

from typing import Any, Final

from fairlead.descriptors.network import (
    Address,
    AllocationPool,
    ConnectionPoint,
    ConnectionPointKind,
    ConnectionPointProtocol,
    InterfaceRequirement,
    L2Protocol,
    L3Protocol,
    Service,
    ServicePort,
    VirtualLink,
)
from fairlead.descriptors.problems import nearest
from fairlead.descriptors.reading.addresses import check_subnet
from fairlead.descriptors.reading.picking import maintenance, monitoring, struct
from fairlead.descriptors.reading.topology import COMPUTE, CONTAINER_UNIT, NodeTemplate, Topology
from fairlead.descriptors.source import Node
from fairlead.descriptors.values import Struct

__all__ = ["read_connection_points", "read_external", "read_links"]

_KINDS: Final = (
    ("tosca.nodes.nfv.VduSubCp", ConnectionPointKind.SUB),
    ("tosca.nodes.nfv.VduCp", ConnectionPointKind.VDU),
    ("tosca.nodes.nfv.VipCp", ConnectionPointKind.VIRTUAL_IP),
    ("tosca.nodes.nfv.VirtualCp", ConnectionPointKind.VIRTUAL),
    ("tosca.nodes.nfv.VnfExtCp", ConnectionPointKind.EXTERNAL),
)


def read_external(topology: Topology) -> dict[str, str]:
    """Connection point or link by each name under which the substitution mappings show it outside."""
    mappings = topology.root.get("substitution_mappings")
    requirements = mappings.get("requirements") if mappings is not None else None
    if requirements is None:
        return {}
    found = {}
    for each in [requirements] if requirements.mapping is not None else requirements.sequence or []:
        for name, node in (each.mapping or {}).items():
            target = _mapped(node)
            if target is None:
                continue
            if target.text not in topology.nodes:
                hint = nearest(target.text, topology.nodes)
                told = f'"{name}" is mapped to "{target.text}", which is no node template'
                topology.problems.error("dangling-reference", told, target.mark, hint)
                continue
            _check_requirement(topology, target.text, node)
            found[name] = target.text
    return found


def _mapped(node: Node) -> Node | None:
    """The node template of a mapping `[node, requirement]` or `{mapping: [...]}`; None for an empty one."""
    items = (
        node.sequence if node.sequence is not None else (mapping.sequence if (mapping := node.get("mapping")) else None)
    )
    return items[0] if items else None


def _check_requirement(topology: Topology, name: str, node: Node) -> None:
    items = node.sequence or []
    if len(items) > 1 and items[1].text not in topology.nodes[name].type.requirements:
        known = topology.nodes[name].type.requirements
        told = f'"{name}" has no requirement "{items[1].text}"'
        topology.problems.error("unknown-requirement", told, items[1].mark, nearest(items[1].text, known))


def read_connection_points(topology: Topology, external: dict[str, str]) -> dict[str, ConnectionPoint]:
    """All connection points of the template, by name, in the order of the file."""
    names = {target: name for name, target in reversed(external.items())}
    points = {}
    for node in topology.nodes.values():
        kind = next((kind for type_name, kind in _KINDS if topology.is_a(node, type_name)), None)
        if kind is not None:
            points[node.name] = _point(topology, node, kind, names.get(node.name))
    return points


def _point(topology: Topology, node: NodeTemplate, kind: ConnectionPointKind, mapped: str | None) -> ConnectionPoint:
    properties = node.properties
    link = node.target("internal_virtual_link" if kind is ConnectionPointKind.EXTERNAL else "virtual_link")
    outside = mapped
    if kind is ConnectionPointKind.EXTERNAL or (
        mapped is None and link is None and kind is not ConnectionPointKind.SUB
    ):
        outside = mapped or node.name
    if mapped is not None and link is not None and kind is not ConnectionPointKind.EXTERNAL:
        told = f'"{node.name}" is on the internal link "{link}" and mapped to the outside ("{mapped}")'
        topology.problems.error("link-and-mapping", told, node.mark, "take one of the two away")
    protocols = tuple(_protocol(each) for each in properties.get("protocol", ()))
    addresses = [each for protocol in protocols for each in protocol.addresses]
    macs = [each.mac_assignment for each in addresses if each.mac_assignment is not None]
    ips = [each for each in addresses if each.mac_assignment is None]
    first = ips[0] if ips else Address()
    return ConnectionPoint(
        id=node.name,
        kind=kind,
        vdus=_vdus(topology, node, kind),
        link=link,
        external=outside,
        order=properties.get("order"),
        layer_protocols=properties.get("layer_protocols", ()),
        vnic_type=properties.get("vnic_type"),
        fixed_ip_addresses=tuple(ip for each in ips for ip in each.fixed),
        ip_address_assignment=first.ip_assignment,
        ip_address_type=first.ip_type,
        ip_address_count=first.count,
        floating_ip=any(each.floating for each in ips),
        mac_address_assignment=macs[-1] if macs else None,
        bandwidth=properties.get("bitrate_requirement"),
        role=properties.get("role"),
        description=properties.get("description"),
        trunk=properties.get("trunk_mode", False),
        parent=node.target("trunk_binding"),
        segmentation_type=properties.get("segmentation_type"),
        segmentation_id=properties.get("segmentation_id"),
        targets=tuple(node.targets("target")),
        vip_function=properties.get("vip_function"),
        dedicated_ip_address=properties.get("dedicated_ip_address", True),
        services=tuple(_service(each) for each in properties.get("additionalServiceData", ())),
        interface_requirements=tuple(
            InterfaceRequirement(
                each.get("network_interface_requirements", {}),
                each.get("name"),
                each.get("support_mandatory"),
                _logical_node(each),
                each.get("description"),
            )
            for each in properties.get("virtual_network_interface_requirements", ())
        ),
        protocols=protocols,
        ip_stack_mode=properties.get("ip_stack_mode"),
        address_pool_name_configurable=properties.get("address_pool_name_configurable", False),
        mark=node.mark,
    )


def _logical_node(requirement: Struct) -> dict[str, str]:
    data = requirement.get("nic_io_requirements")
    value: dict[str, str] = data.get("logical_node_requirements", {}) if isinstance(data, Struct) else {}
    return value


def _vdus(topology: Topology, node: NodeTemplate, kind: ConnectionPointKind) -> tuple[str, ...]:
    _check_targets(topology, node, kind)
    if kind is ConnectionPointKind.VIRTUAL:
        return tuple(node.targets("target"))
    if kind is ConnectionPointKind.VIRTUAL_IP:
        behind = [topology.nodes[each] for each in node.targets("target") if each in topology.nodes]
        return tuple(dict.fromkeys(vdu for each in behind for vdu in each.targets("virtual_binding")))
    bound = node.targets("virtual_binding")
    if kind is ConnectionPointKind.SUB and not bound:
        trunk = topology.nodes.get(node.target("trunk_binding") or "")
        bound = trunk.targets("virtual_binding") if trunk is not None else []
    if kind is ConnectionPointKind.VDU and not bound:
        told = f'"{node.name}" is bound to no VDU'
        topology.problems.error("missing-requirement", told, node.mark, "add the requirement virtual_binding")
    return tuple(bound)


_TARGETS: Final = {
    ConnectionPointKind.VIRTUAL: (COMPUTE, CONTAINER_UNIT),
    ConnectionPointKind.VIRTUAL_IP: ("tosca.nodes.nfv.Cp",),
}


def _check_targets(topology: Topology, node: NodeTemplate, kind: ConnectionPointKind) -> None:
    """A VipCp shares an address among connection points, a VirtualCp exposes VDUs; and a sub-port lies on a trunk."""
    wanted = _TARGETS.get(kind)
    for each in node.requirements:
        other = topology.nodes[each.target]
        if wanted is not None and each.name == "target" and not any(topology.is_a(other, name) for name in wanted):
            names = " or ".join(name.rpartition("nfv.")[2] for name in wanted)
            told = f'"{each.target}" is no {names}, so it cannot be the target of "{node.name}"'
            topology.problems.error("wrong-target", told, each.mark)
        if each.name == "trunk_binding" and not other.properties.get("trunk_mode", False):
            told = f'"{each.target}" is no trunk, as it does not say trunk_mode: true'
            topology.problems.error("wrong-target", told, each.mark)


def _protocol(data: Struct) -> ConnectionPointProtocol:
    addresses = []
    for each in data.get("address_data", ()):
        if isinstance(l2 := each.get("l2_address_data"), Struct):
            addresses.append(Address(mac_assignment=l2.get("mac_address_assignment", False)))
        if isinstance(l3 := each.get("l3_address_data"), Struct):
            addresses.append(
                Address(
                    None,
                    l3.get("ip_address_assignment"),
                    l3.get("ip_address_assignment_subtype"),
                    l3.get("floating_ip_activated", False),
                    l3.get("ip_address_type"),
                    l3.get("number_of_ip_address"),
                    l3.get("fixed_ip_address", ()),
                    l3.mark_of("fixed_ip_address"),
                )
            )
    return ConnectionPointProtocol(data.get("associated_layer_protocol", ""), tuple(addresses))


def _service(data: Struct) -> Service:
    value = data.get("serviceData")
    ports = tuple(
        ServicePort(
            each.get("name", ""), each.get("protocol", ""), each.get("port", 0), each.get("portConfigurable", False)
        )
        for each in data.get("portData", ())
    )
    if isinstance(value, Struct):
        return Service(ports, value.get("host"), value.get("path", ()))
    return Service(ports, data=value)


def read_links(topology: Topology) -> dict[str, VirtualLink]:
    """All internal links of the template, by name, in the order of the file."""
    return {node.name: _link(topology, node) for node in topology.of_type("tosca.nodes.nfv.VnfVirtualLink")}


def _link(topology: Topology, node: NodeTemplate) -> VirtualLink:
    properties = node.properties
    connectivity = struct(properties.get("connectivity_type"), node.mark)
    profile = struct(properties.get("vl_profile"), node.mark)
    qos = struct(profile.get("qos"), node.mark)
    protocols = profile.get("virtual_link_protocol_data", ())
    for each in protocols:
        if (data := each.get("l3_protocol_data")) is not None:
            check_subnet(node.name, data, topology.problems)
    return VirtualLink(
        id=node.name,
        connectivity=connectivity.get("layer_protocols", ()),
        flow=connectivity.get("flow_pattern"),
        description=properties.get("description"),
        l2_protocol_data=tuple(_l2(each, data) for each in protocols if (data := each.get("l2_protocol_data"))),
        l3_protocol_data=tuple(_l3(each, data) for each in protocols if (data := each.get("l3_protocol_data"))),
        max_bitrate=bitrate(profile.get("max_bitrate_requirements")),
        min_bitrate=bitrate(profile.get("min_bitrate_requirements")),
        latency=qos.get("latency"),
        packet_delay_variation=qos.get("packet_delay_variation"),
        packet_loss_ratio=qos.get("packet_loss_ratio"),
        externally_managed=properties.get("externally_managed"),
        test_access=properties.get("test_access", ()),
        monitoring=monitoring(properties.get("monitoring_parameters")),
        maintenance=maintenance(properties.get("nfvi_maintenance_info")),
        mark=node.mark,
    )


def _l2(protocol: Struct, data: Struct) -> L2Protocol:
    return L2Protocol(
        data.get("name"),
        data.get("network_type"),
        data.get("vlan_transparent", False),
        data.get("mtu"),
        data.get("segmentation_id"),
        protocol.get("associated_layer_protocol"),
    )


def _l3(protocol: Struct, data: Struct) -> L3Protocol:
    return L3Protocol(
        data.get("ip_version", "ipv4"),
        data.get("cidr", ""),
        data.get("name"),
        data.get("gateway_ip"),
        tuple(
            AllocationPool(each.get("start_ip_address", ""), each.get("end_ip_address", ""))
            for each in data.get("ip_allocation_pools", ())
        ),
        data.get("dhcp_enabled"),
        data.get("ipv6_address_mode"),
        protocol.get("associated_layer_protocol"),
    )


def bitrate(value: Any) -> tuple[int, int | None] | None:
    """Bit rates at root and leaf, in bit/s."""
    return (value.get("root", 0), value.get("leaf")) if isinstance(value, Struct) else None
