"""The small package, with workers that are connected in all ways that SOL001 knows.

Each worker is reached at a floating IP, through a security group that lets HTTP and ping in, carries a VLAN within its one
port, and shares a virtual address with the others.
"""

from __future__ import annotations

from tests.support.packages import VNFD

__all__ = ["CONNECTED", "SHARED"]

_POINT = """\
    worker_inside:
      type: tosca.nodes.nfv.VduCp
      properties:
        layer_protocols: [ ipv4 ]
        order: 0
"""
_CONNECTED_POINT = (
    _POINT
    + """\
        trunk_mode: true
        bitrate_requirement: 2000000
        virtual_network_interface_requirements:
          - network_interface_requirements: { openstack.allowed_addresses: 192.0.2.0/28 }
        protocol:
          - associated_layer_protocol: ipv4
            address_data:
              - address_type: ip_address
                l3_address_data: { ip_address_assignment: true, floating_ip_activated: true }
"""
)
_NODES = """\
    worker_vlan:
      type: tosca.nodes.nfv.VduSubCp
      properties:
        layer_protocols: [ ipv4 ]
        order: 1
        segmentation_type: vlan
        segmentation_id: 7
      requirements:
        - virtual_link: vlan
        - trunk_binding: worker_inside
    shared:
      type: tosca.nodes.nfv.VipCp
      properties:
        layer_protocols: [ ipv4 ]
        vip_function: high_availability
      requirements:
        - target: worker_inside
        - virtual_link: inside
    vlan:
      type: tosca.nodes.nfv.VnfVirtualLink
      properties:
        connectivity_type: { layer_protocols: [ ipv4 ] }
        vl_profile:
          max_bitrate_requirements: { root: 0 }
          min_bitrate_requirements: { root: 0 }
          virtual_link_protocol_data:
            - associated_layer_protocol: ipv4
              l3_protocol_data: { name: vlan, ip_version: ipv4, cidr: 10.9.1.0/24, dhcp_enabled: true }
    disk:
      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage
"""
_POLICIES = """\
  policies:
    - web:
        type: tosca.policies.nfv.SecurityGroupRule
        properties: { protocol: tcp, port_range_min: 80, port_range_max: 80 }
        targets: [ worker_inside ]
    - ping:
        type: tosca.policies.nfv.SecurityGroupRule
        properties: { protocol: icmp }
        targets: [ worker_inside ]
"""


def _connected() -> str:
    changes = {
        _POINT: _CONNECTED_POINT,
        "    disk:\n      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage\n": _NODES,
        "  policies:\n": _POLICIES,
        "max_bitrate_requirements: { root: 1000000 }": "max_bitrate_requirements: { root: 1000000, leaf: 500000 }",
    }
    text = VNFD
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    return text


CONNECTED = _connected()
SHARED = """\
        vip_function: high_availability
        protocol:
          - associated_layer_protocol: ipv4
            address_data:
              - address_type: ip_address
                l3_address_data: { ip_address_assignment: true, floating_ip_activated: false, fixed_ip_address: [ 10.9.0.60 ] }
"""
"""In place of its `vip_function`: the virtual address is fixed."""
