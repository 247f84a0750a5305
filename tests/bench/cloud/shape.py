"""What is made in every way: network functions of two servers, each with a port on each of three networks."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.support.packages import csar

__all__ = ["FLAVOUR", "IMAGE", "NETWORKS", "SERVERS", "ZONE", "heat_template", "package"]

SERVERS = ("one", "two")
NETWORKS = {"a": "10.81.1.0/24", "b": "10.81.2.0/24", "c": "10.81.3.0/24"}
IMAGE = "nfv-tiny"
FLAVOUR = "m1.nano"
ZONE = "fake"

_TYPE = """\
tosca_definitions_version: tosca_simple_yaml_1_3
description: Two servers on three networks
imports:
  - etsi_nfv_sol001_vnfd_types.yaml
node_types:
  bench.Pair:
    derived_from: tosca.nodes.nfv.VNF
    properties:
      descriptor_id: {{ type: string, constraints: [ valid_values: [ {id} ] ], default: {id} }}
      descriptor_version: {{ type: string, constraints: [ valid_values: [ "1.0" ] ], default: "1.0" }}
      provider: {{ type: string, constraints: [ valid_values: [ Bench ] ], default: Bench }}
      product_name: {{ type: string, constraints: [ valid_values: [ Pair ] ], default: Pair }}
      software_version: {{ type: string, constraints: [ valid_values: [ "1.0" ] ], default: "1.0" }}
      vnfm_info: {{ type: list, entry_schema: {{ type: string }}, default: [ Fairlead ] }}
      flavour_id: {{ type: string, constraints: [ valid_values: [ simple ] ], default: simple }}
      flavour_description: {{ type: string, default: "One flavour" }}
    interfaces:
      Vnflcm:
        type: tosca.interfaces.nfv.Vnflcm
topology_template:
  substitution_mappings:
    node_type: bench.Pair
    properties: {{ flavour_id: simple }}
  node_templates:
    pair:
      type: bench.Pair
      properties: {{ flavour_description: One flavour }}
"""
_LINK = """\
    {name}:
      type: tosca.nodes.nfv.VnfVirtualLink
      properties:
        connectivity_type: {{ layer_protocols: [ ipv4 ] }}
        vl_profile:
          max_bitrate_requirements: {{ root: 1000000 }}
          min_bitrate_requirements: {{ root: 0 }}
          virtual_link_protocol_data:
            - associated_layer_protocol: ipv4
              l3_protocol_data: {{ name: {name}, ip_version: ipv4, cidr: {cidr}, dhcp_enabled: false }}
"""
_VDU = """\
    {name}:
      type: tosca.nodes.nfv.Vdu.Compute
      properties:
        name: {name}
        description: A server
        boot_order: false
        vdu_profile: {{ min_number_of_instances: 1, max_number_of_instances: 1 }}
        nfvi_constraints: {{ openstack.flavour: {flavour} }}
      capabilities:
        virtual_compute:
          properties:
            virtual_memory: {{ virtual_mem_size: 64 MiB }}
            virtual_cpu: {{ num_virtual_cpu: 1 }}
      artifacts:
        image:
          type: tosca.artifacts.nfv.SwImage
          file: {image}
          properties: {{ name: {image}, version: "1.0", container_format: bare, disk_format: qcow2 }}
"""
_POINT = """\
    {vdu}_{link}:
      type: tosca.nodes.nfv.VduCp
      properties: {{ layer_protocols: [ ipv4 ], order: {order} }}
      requirements:
        - virtual_binding: {vdu}
        - virtual_link: {link}
"""
_POLICIES = """\
  policies:
    - levels:
        type: tosca.policies.nfv.InstantiationLevels
        properties:
          levels: { all: { description: All } }
          default_level: all
"""
_LEVEL = """\
    - {name}_initial:
        type: tosca.policies.nfv.VduInitialDelta
        properties: {{ initial_delta: {{ number_of_instances: 1 }} }}
        targets: [ {name} ]
    - {name}_levels:
        type: tosca.policies.nfv.VduInstantiationLevels
        properties: {{ levels: {{ all: {{ number_of_instances: 1 }} }} }}
        targets: [ {name} ]
"""
_META = "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: Bench\nEntry-Definitions: Definitions/pair.yaml\n"


def package(*, template: bool = False) -> tuple[str, bytes]:
    """The id of the descriptor, and the package; with a `template` it becomes a stack of Heat."""
    vnfd = str(uuid.uuid4())
    parts = [_TYPE.format(id=vnfd)]
    parts += [_LINK.format(name=name, cidr=cidr) for name, cidr in NETWORKS.items()]
    for server in SERVERS:
        parts.append(_VDU.format(name=server, image=IMAGE, flavour=FLAVOUR))
        parts += [_POINT.format(vdu=server, link=link, order=order) for order, link in enumerate(NETWORKS)]
    parts += [_POLICIES, *(_LEVEL.format(name=server) for server in SERVERS)]
    files = {"TOSCA-Metadata/TOSCA.meta": _META.encode(), "Definitions/pair.yaml": "".join(parts).encode()}
    if template:
        files["BaseHOT/simple/pair.yaml"] = json.dumps(heat_template()).encode()
    return vnfd, csar(files)


def heat_template() -> dict[str, Any]:
    """The same in the words of Heat."""
    resources: dict[str, Any] = {}
    for name, cidr in NETWORKS.items():
        resources[name] = {"type": "OS::Neutron::Net", "properties": {"port_security_enabled": False}}
        subnet = {"network": {"get_resource": name}, "cidr": cidr, "gateway_ip": None, "enable_dhcp": False}
        resources[f"{name}_subnet"] = {"type": "OS::Neutron::Subnet", "properties": subnet}
    for server in SERVERS:
        ports = []
        for link in NETWORKS:
            port = {"network": {"get_resource": link}, "fixed_ips": [{"subnet": {"get_resource": f"{link}_subnet"}}]}
            resources[f"{server}_{link}"] = {"type": "OS::Neutron::Port", "properties": port}
            ports.append({"port": {"get_resource": f"{server}_{link}"}})
        properties = {"flavor": FLAVOUR, "image": IMAGE, "availability_zone": ZONE, "networks": ports}
        resources[server] = {"type": "OS::Nova::Server", "properties": properties}
    return {"heat_template_version": "2021-04-16", "resources": resources}
