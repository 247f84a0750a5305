"""A small VNF package for tests of the lifecycle, made here so that a test can see all of it.

Two VDUs (`gate`, fixed; `worker`, scalable by aspect `workers`), an internal link, an external connection point, a volume for
each worker, boot data. It lands on simulated VIMs.
"""

from __future__ import annotations

import io
import zipfile

__all__ = ["VNFD", "VNFD_ID", "csar", "small_package"]

VNFD_ID = "3f6c4c8e-6f0e-4f5c-9a3b-6d7e0f9a1b2c"

VNFD = f"""\
tosca_definitions_version: tosca_simple_yaml_1_3
description: Two VDUs for tests
imports:
  - etsi_nfv_sol001_vnfd_types.yaml
node_types:
  tests.Small:
    derived_from: tosca.nodes.nfv.VNF
    properties:
      descriptor_id: {{ type: string, constraints: [ valid_values: [ {VNFD_ID} ] ], default: {VNFD_ID} }}
      descriptor_version: {{ type: string, constraints: [ valid_values: [ "1.0" ] ], default: "1.0" }}
      provider: {{ type: string, constraints: [ valid_values: [ Tests ] ], default: Tests }}
      product_name: {{ type: string, constraints: [ valid_values: [ Small ] ], default: Small }}
      software_version: {{ type: string, constraints: [ valid_values: [ "1.0" ] ], default: "1.0" }}
      vnfm_info: {{ type: list, entry_schema: {{ type: string }}, default: [ Fairlead ] }}
      flavour_id: {{ type: string, constraints: [ valid_values: [ simple ] ], default: simple }}
      flavour_description: {{ type: string, default: "One flavour" }}
    requirements:
      - outside:
          capability: tosca.capabilities.nfv.VirtualLinkable
          relationship: tosca.relationships.nfv.VirtualLinksTo
          occurrences: [ 1, 1 ]
    interfaces:
      Vnflcm:
        type: tosca.interfaces.nfv.Vnflcm
topology_template:
  substitution_mappings:
    node_type: tests.Small
    properties:
      flavour_id: simple
    requirements:
      outside: [ gate_outside, virtual_link ]
  node_templates:
    small:
      type: tests.Small
      properties:
        flavour_description: One flavour
    gate:
      type: tosca.nodes.nfv.Vdu.Compute
      properties:
        name: gate
        description: The way in
        boot_order: false
        vdu_profile: {{ min_number_of_instances: 1, max_number_of_instances: 1 }}
        boot_data:
          kvp_data:
            data: {{ GREETING: canary-environment }}
          content_or_file_data:
            content: "password=canary-file"
            destination_path: /etc/gate.conf
      capabilities:
        virtual_compute:
          properties:
            virtual_memory: {{ virtual_mem_size: 256 MiB }}
            virtual_cpu: {{ num_virtual_cpu: 1 }}
      artifacts:
        image:
          type: tosca.artifacts.nfv.SwImage
          file: ../Files/image.tar
          properties: {{ name: small, version: "1.0", container_format: docker }}
    gate_outside:
      type: tosca.nodes.nfv.VduCp
      properties:
        layer_protocols: [ ipv4 ]
        order: 0
      requirements:
        - virtual_binding: gate
    gate_inside:
      type: tosca.nodes.nfv.VduCp
      properties:
        layer_protocols: [ ipv4 ]
        order: 1
      requirements:
        - virtual_binding: gate
        - virtual_link: inside
    worker:
      type: tosca.nodes.nfv.Vdu.Compute
      properties:
        name: worker
        description: Does the work
        boot_order: false
        vdu_profile: {{ min_number_of_instances: 1, max_number_of_instances: 4 }}
      capabilities:
        virtual_compute:
          properties:
            virtual_memory: {{ virtual_mem_size: 256 MiB }}
            virtual_cpu: {{ num_virtual_cpu: 1 }}
      requirements:
        - virtual_storage: disk
      artifacts:
        image:
          type: tosca.artifacts.nfv.SwImage
          file: ../Files/image.tar
          properties: {{ name: small, version: "1.0", container_format: docker }}
    worker_inside:
      type: tosca.nodes.nfv.VduCp
      properties:
        layer_protocols: [ ipv4 ]
        order: 0
      requirements:
        - virtual_binding: worker
        - virtual_link: inside
    disk:
      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage
      properties:
        virtual_block_storage_data:
          size_of_storage: 1 GiB
    inside:
      type: tosca.nodes.nfv.VnfVirtualLink
      properties:
        connectivity_type: {{ layer_protocols: [ ipv4 ] }}
        vl_profile:
          max_bitrate_requirements: {{ root: 1000000 }}
          min_bitrate_requirements: {{ root: 0 }}
          virtual_link_protocol_data:
            - associated_layer_protocol: ipv4
              l3_protocol_data: {{ name: inside, ip_version: ipv4, cidr: 10.9.0.0/24, dhcp_enabled: true }}
  policies:
    - scaling_aspects:
        type: tosca.policies.nfv.ScalingAspects
        properties:
          aspects:
            workers: {{ name: workers, description: Workers, max_scale_level: 3, step_deltas: [ one ] }}
    - worker_deltas:
        type: tosca.policies.nfv.VduScalingAspectDeltas
        properties:
          aspect: workers
          deltas: {{ one: {{ number_of_instances: 1 }} }}
        targets: [ worker ]
    - worker_initial:
        type: tosca.policies.nfv.VduInitialDelta
        properties: {{ initial_delta: {{ number_of_instances: 1 }} }}
        targets: [ worker ]
    - gate_initial:
        type: tosca.policies.nfv.VduInitialDelta
        properties: {{ initial_delta: {{ number_of_instances: 1 }} }}
        targets: [ gate ]
    - levels:
        type: tosca.policies.nfv.InstantiationLevels
        properties:
          levels:
            least: {{ description: One worker, scale_info: {{ workers: {{ scale_level: 0 }} }} }}
            more: {{ description: Two workers, scale_info: {{ workers: {{ scale_level: 1 }} }} }}
          default_level: least
    - gate_levels:
        type: tosca.policies.nfv.VduInstantiationLevels
        properties:
          levels: {{ least: {{ number_of_instances: 1 }}, more: {{ number_of_instances: 1 }} }}
        targets: [ gate ]
    - worker_levels:
        type: tosca.policies.nfv.VduInstantiationLevels
        properties:
          levels: {{ least: {{ number_of_instances: 1 }}, more: {{ number_of_instances: 2 }} }}
        targets: [ worker ]
"""

_META = """\
TOSCA-Meta-File-Version: 1.0
CSAR-Version: 1.1
Created-By: Tests
Entry-Definitions: Definitions/small.yaml
"""


def csar(files: dict[str, bytes]) -> bytes:
    """A zip archive of `files`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def small_package(vnfd: str = VNFD) -> bytes:
    """The package as a CSAR."""
    return csar(
        {
            "TOSCA-Metadata/TOSCA.meta": _META.encode(),
            "Definitions/small.yaml": vnfd.encode(),
            "Files/image.tar": b"not really an image",
        }
    )
