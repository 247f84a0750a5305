"""Sources for the tests of this topic: a small VNFD of our own, and the packages of other projects if they are at hand.

The other projects' packages are not part of this repository; they lie in a directory `shared/packages` beside it, and
tests on them are skipped, saying so, where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fairlead.descriptors import Flavour, Problem, Reading, Severity, Vnfd, read_vnfd

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT.parent / "shared" / "packages"
ENTRY = "Definitions/vnfd.yaml"

TYPES = """\
node_types:
  acme.Router:
    derived_from: tosca.nodes.nfv.VNF
    properties:
      descriptor_id: { type: string, constraints: [ valid_values: [ router-1 ] ], default: router-1 }
      descriptor_version: { type: string, default: '1.0' }
      provider: { type: string, default: Acme }
      product_name: { type: string, default: Router }
      software_version: { type: string, default: '2.0' }
      vnfm_info: { type: list, entry_schema: { type: string }, default: [ Fairlead ] }
      flavour_id: { type: string, constraints: [ valid_values: [ simple ] ], default: simple }
      flavour_description: { type: string, default: Small }
      modifiable_attributes: { type: acme.Modifiable, required: false }
    requirements:
      - outside: { capability: tosca.capabilities.nfv.VirtualLinkable, occurrences: [ 0, 1 ] }
data_types:
  acme.Modifiable:
    derived_from: tosca.datatypes.nfv.VnfInfoModifiableAttributes
    properties:
      extensions: { type: acme.Extensions, required: false }
  acme.Extensions:
    derived_from: tosca.datatypes.nfv.VnfInfoModifiableAttributesExtensions
    properties:
      log_level: { type: string, default: info }
"""

TEMPLATE = """\
topology_template:
  inputs:
    size: { type: integer, default: 2 }
  substitution_mappings:
    node_type: acme.Router
    properties:
      flavour_id: simple
    requirements:
      outside: [ cp_out, virtual_link ]
  node_templates:
    VNF:
      type: acme.Router
      properties:
        modifiable_attributes: { extensions: { log_level: debug } }
      interfaces:
        Vnflcm:
          instantiate: []
          instantiate_start:
            implementation: hello
            inputs: { greeting: hi }
      artifacts:
        hello: { type: tosca.artifacts.Implementation.Bash, file: ../Scripts/hello.sh }
    router:
      type: tosca.nodes.nfv.Vdu.Compute
      properties:
        name: router
        description: Routes
        nfvi_constraints: { zone: a }
        vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 4 }
        boot_data:
          kvp_data: { data: { role: edge } }
          content_or_file_data: { source_path: ../Files/boot.sh, destination_path: /boot.sh, data: { port: '80' } }
        sw_image_data:
          name: router-image
          version: '1'
          checksum: { algorithm: sha-256, hash: 932fcae93574e242dc3d772d5235061747dfe537668443a1f0567d893614b464 }
          container_format: bare
          disk_format: qcow2
          min_disk: 1 GiB
          size: 512 MB
      capabilities:
        virtual_compute:
          properties:
            requested_additional_capabilities:
              flavour: { requested_additional_capability_name: m1.small, support_mandatory: true }
            virtual_memory: { virtual_mem_size: 2 GiB }
            virtual_cpu: { num_virtual_cpu: { get_input: size } }
            virtual_local_storage: [ { size_of_storage: 3 GB } ]
      requirements:
        - virtual_storage: disk
      artifacts:
        image: { type: tosca.artifacts.nfv.SwImage, file: ../Files/router.qcow2 }
    disk:
      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage
      properties:
        virtual_block_storage_data: { size_of_storage: 10 GB }
    cp_in:
      type: tosca.nodes.nfv.VduCp
      properties:
        layer_protocols: [ ipv4 ]
        order: 1
        bitrate_requirement: 1000000
        protocol:
          - associated_layer_protocol: ipv4
            address_data:
              - address_type: ip_address
                l3_address_data: { ip_address_assignment: false, floating_ip_activated: false, fixed_ip_address: [ 10.0.0.5 ] }
      requirements:
        - virtual_binding: router
        - virtual_link: inner
    cp_out:
      type: tosca.nodes.nfv.VduCp
      properties: { layer_protocols: [ ipv4 ], order: 0, vnic_type: direct }
      requirements:
        - virtual_binding: router
    inner:
      type: tosca.nodes.nfv.VnfVirtualLink
      properties:
        connectivity_type: { layer_protocols: [ ipv4 ], flow_pattern: mesh }
        vl_profile:
          max_bitrate_requirements: { root: 100, leaf: 50 }
          min_bitrate_requirements: { root: 10 }
          virtual_link_protocol_data:
            - associated_layer_protocol: ipv4
              l3_protocol_data:
                ip_version: ipv4
                cidr: 10.0.0.0/24
                gateway_ip: 10.0.0.1
                dhcp_enabled: true
                ip_allocation_pools: [ { start_ip_address: 10.0.0.10, end_ip_address: 10.0.0.99 } ]
  groups:
    all: { type: tosca.groups.nfv.PlacementGroup, members: [ router ] }
  policies:
    - aspects:
        type: tosca.policies.nfv.ScalingAspects
        properties:
          aspects:
            width: { name: width, description: More, max_scale_level: 2, step_deltas: [ small, big ] }
    - initial:
        type: tosca.policies.nfv.VduInitialDelta
        properties: { initial_delta: { number_of_instances: 1 } }
        targets: [ router ]
    - deltas:
        type: tosca.policies.nfv.VduScalingAspectDeltas
        properties:
          aspect: width
          deltas: { small: { number_of_instances: 1 }, big: { number_of_instances: 2 } }
        targets: [ router ]
    - levels:
        type: tosca.policies.nfv.InstantiationLevels
        properties:
          levels:
            low: { description: Low, scale_info: { width: { scale_level: 0 } } }
            high: { description: High, scale_info: { width: { scale_level: 2 } } }
          default_level: low
    - counts:
        type: tosca.policies.nfv.VduInstantiationLevels
        properties:
          levels: { low: { number_of_instances: 1 }, high: { number_of_instances: 4 } }
        targets: [ router ]
    - apart:
        type: tosca.policies.nfv.AntiAffinityRule
        properties: { scope: nfvi_node }
        targets: [ all ]
    - web:
        type: tosca.policies.nfv.SecurityGroupRule
        properties: { protocol: tcp, port_range_min: 80, port_range_max: 80 }
        targets: [ cp_out ]
"""

HEAD = "tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ etsi_nfv_sol001_vnfd_types.yaml ]\n"
SOURCE = HEAD + TYPES + TEMPLATE
ARTIFACTS = {"Scripts/hello.sh": b"", "Files/boot.sh": b"", "Files/router.qcow2": b""}


def read(source: str = SOURCE, more: Mapping[str, bytes] | None = None) -> Reading:
    """Read a single-file VNFD with all its artifacts in place."""
    return read_vnfd({ENTRY: source.encode(), **ARTIFACTS, **(more or {})}, ENTRY)


def valid(reading: Reading) -> Vnfd:
    assert reading.vnfd is not None, "\n".join(map(str, reading.errors))
    return reading.vnfd


def simple(source: str = SOURCE) -> Flavour:
    return valid(read(source)).flavours["simple"]


def changed(old: str, new: str, source: str = SOURCE) -> str:
    """The source with one change; the old text must be there exactly once."""
    assert source.count(old) == 1, f"{old!r} is there {source.count(old)} times"
    return source.replace(old, new)


def line_of(text: str, source: str) -> int:
    return source[: source.index(text)].count("\n") + 1


def only(reading: Reading, code: str) -> Problem:
    """The one problem of this code."""
    found = [each for each in reading.problems if each.code == code]
    assert len(found) == 1, "\n".join(map(str, reading.problems)) or "no problems at all"
    return found[0]


def directory(name: str) -> dict[str, bytes]:
    """The files of a foreign package; skips the test where there is none."""
    root = PACKAGES / name
    if not root.is_dir():
        pytest.skip(f"{root.relative_to(ROOT.parent)} is not here")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def lenient(files: dict[str, bytes], entry: str) -> Reading:
    """Read as in development: images and scripts may be missing."""
    return read_vnfd(files, entry, missing_artifacts=Severity.WARNING)
