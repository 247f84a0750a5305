"""A VNFD that says all that SOL001 can say: machines, containers, links, policies, a vendor's own types, in two files."""

from __future__ import annotations

__all__ = ["FLAVOUR", "FLAVOUR_FILE", "TOP_FILE", "files"]

TOP_FILE = "Definitions/top.yaml"
FLAVOUR_FILE = "Definitions/flavour.yaml"

TOP = """\
tosca_definitions_version: tosca_simple_yaml_1_3
imports:
  - etsi_nfv_sol001_vnfd_types.yaml
  - types.yaml
  - flavour.yaml
topology_template:
  inputs:
    chosen: { type: string }
  node_templates:
    VNF:
      type: acme.Core
      properties: { flavour_id: { get_input: chosen } }
"""

TYPES = """\
tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ etsi_nfv_sol001_vnfd_types.yaml ]
node_types:
  acme.Core:
    derived_from: tosca.nodes.nfv.VNF
    properties:
      descriptor_id: { type: string, default: core-1 }
      descriptor_version: { type: string, default: '1.0' }
      provider: { type: string, default: Acme }
      product_name: { type: string, default: Core }
      software_version: { type: string, default: '2.0' }
      vnfm_info: { type: list, entry_schema: { type: string }, default: [ Fairlead ] }
      flavour_id: { type: string, default: full }
      flavour_description: { type: string, default: Everything }
      configurable_properties: { type: acme.Configurable, required: false }
      modifiable_attributes: { type: acme.Modifiable, required: false }
    requirements:
      - outside: { capability: tosca.capabilities.nfv.VirtualLinkable }
    interfaces:
      Vnflcm: { type: acme.Lcm }
      VnfIndicator: { type: acme.Indicators }
  acme.Server:
    derived_from: tosca.nodes.nfv.Vdu.Compute
    properties: { configurable_properties: { type: acme.VnfcConfigurable, required: false } }
interface_types:
  acme.Lcm:
    derived_from: tosca.interfaces.nfv.Vnflcm
    operations:
      instantiate:
        inputs:
          additional_parameters: { type: acme.InstantiateParameters, required: false }
  acme.Indicators:
    derived_from: tosca.interfaces.nfv.VnfIndicator
    notifications:
      load: { description: How busy it is }
policy_types:
  acme.Load:
    derived_from: tosca.policies.nfv.VnfIndicator
    properties: { unit: { type: string, default: percent } }
    targets: [ tosca.nodes.nfv.VNF ]
  acme.Coordination:
    derived_from: tosca.policies.nfv.LcmCoordinationAction
    properties: { action: { type: acme.Wishes } }
data_types:
  acme.InstantiateParameters:
    derived_from: tosca.datatypes.nfv.VnfOperationAdditionalParameters
    properties:
      realm: { type: string, required: true }
      seats: { type: integer, default: 10 }
  acme.Configurable:
    derived_from: tosca.datatypes.nfv.VnfConfigurableProperties
    properties:
      additional_configurable_properties: { type: acme.Additional, required: false }
  acme.Modifiable:
    derived_from: tosca.datatypes.nfv.VnfInfoModifiableAttributes
    properties: { extensions: { type: acme.Extensions, required: false } }
  acme.Extensions:
    derived_from: tosca.datatypes.nfv.VnfInfoModifiableAttributesExtensions
    properties: { colour: { type: string, default: blue } }
  acme.VnfcConfigurable:
    derived_from: tosca.datatypes.nfv.VnfcConfigurableProperties
    properties: { additional_vnfc_configurable_properties: { type: acme.VnfcAdditional, required: false } }
  acme.VnfcAdditional:
    derived_from: tosca.datatypes.nfv.VnfcAdditionalConfigurableProperties
    properties: { depth: { type: integer, default: 1 } }
  acme.Additional:
    derived_from: tosca.datatypes.nfv.VnfAdditionalConfigurableProperties
    properties: { banner: { type: string, default: hello } }
  acme.Wishes:
    derived_from: tosca.datatypes.nfv.VnfLcmOpCoord
    properties: { input_parameters: { type: acme.WishInput, required: false } }
  acme.WishInput:
    derived_from: tosca.datatypes.nfv.InputOpCoordParams
    properties: { reason: { type: string, default: none } }
"""

FLAVOUR = """\
tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ types.yaml ]
topology_template:
  substitution_mappings:
    node_type: acme.Core
    properties: { flavour_id: full }
    requirements:
      - outside: [ trunk_in_vlan, virtual_link ]
  node_templates:
    VNF:
      type: acme.Core
      properties:
        lcm_operations_configuration:
          instantiate: { target_scale_levels_supported: true }
          scale: { scaling_by_more_than_one_step_supported: true }
          scale_to_level: { arbitrary_target_levels_supported: false }
          heal: { causes: [ broken, tired ] }
          terminate: { min_graceful_termination_timeout: 2 m, max_recommended_graceful_termination_timeout: 1 h }
          operate: { min_graceful_stop_timeout: 30 s }
        vnf_profile:
          instantiation_level: small
          min_number_of_instances: 1
          max_number_of_instances: 2
          service_availability_level: 3
          version_dependency:
            - dependent_constituent_id: hss
              version_dependency_statement: [ { descriptor_id: [ hss-1, hss-2 ] } ]
        monitoring_parameters:
          cpu: { name: CPU, performance_metric: v_cpu_usage_mean_vnf, collection_period: 1 m }
        modifiable_attributes:
          extensions: { colour: red }
    server:
      type: acme.Server
      properties:
        name: server
        description: Serves
        boot_order: true
        vdu_profile:
          min_number_of_instances: 1
          max_number_of_instances: 6
          nfvi_maintenance_info:
            impact_notification_lead_time: 10 m
            is_impact_mitigation_requested: true
            supported_migration_type: [ live_migration, offline_migration ]
            max_undetectable_interruption_time: 500 ms
            min_recovery_time_between_impacts: 1 h
            max_number_of_impacted_instances: [ { group_size: 4, max_number_of_impacted_instances: 1 } ]
            min_number_of_preserved_instances: [ { min_number_of_preserved_instances: 2 } ]
        monitoring_parameters:
          disk: { name: Disk, performance_metric: v_disk_usage_peak_vnf }
        configurable_properties: { additional_vnfc_configurable_properties: { depth: 3 } }
        boot_data:
          vim_specific_properties: { vim_type: ETSINFV.OPENSTACK_KEYSTONE.V_3, properties: { key_name: admin } }
          content_or_file_data: { content: '#cloud-config' }
      capabilities:
        virtual_compute:
          properties:
            logical_node:
              numa0: { logical_node_requirements: { numa: '0', nic: sriov } }
            requested_additional_capabilities:
              accelerator:
                requested_additional_capability_name: gpu
                support_mandatory: true
                min_requested_additional_capability_version: '2'
                target_performance_parameters: { cores: '64' }
            compute_requirements: { trusted: 'yes' }
            virtual_memory:
              virtual_mem_size: 8 GiB
              virtual_mem_oversubscription_policy: none
              vdu_mem_requirements: { ecc: 'yes' }
              numa_enabled: true
              huge_pages_requirements: [ { hugepage_size: 1 GiB, requested_size: 4 GiB } ]
            virtual_cpu:
              cpu_architecture: x86_64
              num_virtual_cpu: 4
              virtual_cpu_clock: 2.4 GHz
              virtual_cpu_oversubscription_policy: '1.5'
              vdu_cpu_requirements: { flags: avx2 }
              virtual_cpu_pinning: { virtual_cpu_pinning_policy: static, virtual_cpu_pinning_rule: [ one-per-core ] }
            virtual_local_storage: [ { size_of_storage: 20 GiB, rdma_enabled: true } ]
      requirements:
        - virtual_storage: system
        - virtual_storage: data
        - installable_certificate: oam_certificate
    system:
      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage
      properties:
        virtual_block_storage_data: { size_of_storage: 10 GiB, rdma_enabled: true, vdu_storage_requirements: { tier: fast } }
        sw_image_data: { name: server, version: '1', container_format: bare }
      artifacts:
        image: { type: tosca.artifacts.nfv.SwImage, file: ../Files/server.qcow2 }
    data:
      type: tosca.nodes.nfv.Vdu.VirtualFileStorage
      properties:
        virtual_file_storage_data: { size_of_storage: 1 TiB, file_system_protocol: nfs }
        per_vnfc_instance: false
        nfvi_maintenance_info: { impact_notification_lead_time: 1 m }
      requirements:
        - virtual_link: inner
    objects:
      type: tosca.nodes.nfv.Vdu.VirtualObjectStorage
      properties:
        virtual_object_storage_data: { max_size_of_storage: 5 TB }
    trunk:
      type: tosca.nodes.nfv.VduCp
      properties:
        layer_protocols: [ ethernet ]
        trunk_mode: true
        vnic_type: direct
        bitrate_requirement: 1000
        ip_stack_mode: ipv4_or_ipv6
        protocol:
          - associated_layer_protocol: ethernet
            address_data: [ { address_type: mac_address, l2_address_data: { mac_address_assignment: true } } ]
          - associated_layer_protocol: ipv4
            address_data:
              - address_type: ip_address
                l3_address_data:
                  ip_address_assignment: true
                  ip_address_assignment_subtype: external
                  floating_ip_activated: true
                  ip_address_type: ipv4
                  number_of_ip_address: 2
        virtual_network_interface_requirements:
          - name: fast
            description: A virtual function
            support_mandatory: true
            network_interface_requirements: { interfaceType: SR-IOV }
            nic_io_requirements: { logical_node_requirements: { numa: '0' } }
      requirements:
        - virtual_binding: server
        - virtual_link: inner
    trunk_in_vlan:
      type: tosca.nodes.nfv.VduSubCp
      properties: { layer_protocols: [ ipv4 ], segmentation_type: vlan, segmentation_id: 100 }
      requirements:
        - trunk_binding: trunk
    shared_ip:
      type: tosca.nodes.nfv.VipCp
      properties: { layer_protocols: [ ipv4 ], vip_function: load_balance, dedicated_ip_address: true }
      requirements:
        - target: trunk
        - virtual_link: inner
    inner:
      type: tosca.nodes.nfv.VnfVirtualLink
      properties:
        connectivity_type: { layer_protocols: [ ethernet, ipv4 ], flow_pattern: mesh }
        description: Inside
        externally_managed: allowed
        test_access: [ passive_monitoring ]
        nfvi_maintenance_info: { impact_notification_lead_time: 1 m }
        monitoring_parameters:
          bytes: { name: Bytes, performance_metric: byte_incoming, collection_period: 10 s }
        vl_profile:
          max_bitrate_requirements: { root: 1000, leaf: 100 }
          min_bitrate_requirements: { root: 10 }
          qos: { latency: 5 ms, packet_delay_variation: 1 ms, packet_loss_ratio: 0.01 }
          virtual_link_protocol_data:
            - associated_layer_protocol: ethernet
              l2_protocol_data: { name: l2, network_type: vlan, vlan_transparent: true, mtu: 9000, segmentation_id: '7' }
            - associated_layer_protocol: ipv4
              l3_protocol_data: { name: l3, ip_version: ipv4, cidr: 10.1.0.0/16, dhcp_enabled: false }
    pod:
      type: tosca.nodes.nfv.Vdu.OsContainerDeployableUnit
      properties:
        name: pod
        description: A pod
        logical_node: { big: { logical_node_requirements: { numa: '1' } } }
        nfvi_constraints: { zone: a }
        vdu_profile: { min_number_of_instances: 0, max_number_of_instances: 3 }
        mcio_constraint_params: [ anti_affinity_zone, node_additional_capability_ssd ]
        mcio_identification_data: { name: web, type: StatefulSet }
      requirements:
        - container: nginx
        - virtual_storage: objects
    nginx:
      type: tosca.nodes.nfv.Vdu.OsContainer
      properties:
        name: nginx
        description: Web
        requested_cpu_resources: 500
        cpu_resource_limit: 1000
        requested_memory_resources: 64 MiB
        memory_resource_limit: 128 MiB
        requested_ephemeral_storage_resources: 1 GB
        ephemeral_storage_resource_limit: 2 GB
        extended_resource_requests: [ { extended_resource: { gpu: nvidia.com/gpu }, amount: 1 } ]
        huge_pages_resources: [ { hugepage_size: 2 MiB, requested_size: 64 MiB } ]
        cpu_pinning_requirements: { virtual_cpu_pinning_policy: dynamic }
      artifacts:
        image:
          type: tosca.artifacts.nfv.SwImage
          file: registry.example.org/nginx:1.27
          properties: { name: nginx, version: '1.27', container_format: docker }
    web:
      type: tosca.nodes.nfv.VirtualCp
      properties:
        layer_protocols: [ ipv4 ]
        address_pool_name_configurable: true
        additionalServiceData:
          - portData: [ { name: http, protocol: tcp, port: 80, portConfigurable: true } ]
            serviceData: { host: www.example.org, path: [ /a, /b ] }
      requirements:
        - target: pod
    chart:
      type: tosca.nodes.nfv.Mciop
      artifacts:
        helm: { type: tosca.artifacts.nfv.HelmChart, file: ../Files/chart.tgz }
      requirements:
        - associatedVdu: pod
    oam_certificate:
      type: tosca.nodes.nfv.Certificate
      properties:
        name: oam
        certificate_type: VNFOAM_CERT
        certificate_base_profile: { id: base, issuer: Acme CA, subject: { common_name: core.example.org } }
        csr_requirements: [ { id: rsa, supported_min_keylength: 3072 } ]
    web_module:
      type: tosca.nodes.nfv.DeployableModule
      properties: { name: web, description: The web part }
      requirements:
        - member: pod
        - member: chart
  groups:
    near:
      type: tosca.groups.nfv.PlacementGroup
      members: [ server, pod ]
  policies:
    - aspects:
        type: tosca.policies.nfv.ScalingAspects
        properties:
          aspects:
            width: { name: width, description: More, max_scale_level: 2, step_deltas: [ first, second ] }
    - server_initial:
        type: tosca.policies.nfv.VduInitialDelta
        properties: { initial_delta: { number_of_instances: 1 } }
        targets: [ server ]
    - server_deltas:
        type: tosca.policies.nfv.VduScalingAspectDeltas
        properties:
          aspect: width
          deltas: { first: { number_of_instances: 1 }, second: { number_of_instances: 3 } }
        targets: [ server ]
    - ip_initial:
        type: tosca.policies.nfv.VipCpInitialDelta
        properties: { initial_delta: { number_of_instances: 1 } }
        targets: [ shared_ip ]
    - ip_deltas:
        type: tosca.policies.nfv.VipCpScalingAspectDeltas
        properties:
          aspect: width
          deltas: { first: { number_of_instances: 0 }, second: { number_of_instances: 1 } }
        targets: [ shared_ip ]
    - link_initial:
        type: tosca.policies.nfv.VirtualLinkBitrateInitialDelta
        properties: { initial_delta: { bitrate_requirements: { root: 100, leaf: 10 } } }
        targets: [ inner ]
    - link_deltas:
        type: tosca.policies.nfv.VirtualLinkBitrateScalingAspectDeltas
        properties:
          aspect: width
          deltas:
            first: { bitrate_requirements: { root: 50 } }
            second: { bitrate_requirements: { root: 150, leaf: 15 } }
        targets: [ inner ]
    - levels:
        type: tosca.policies.nfv.InstantiationLevels
        properties:
          levels:
            small: { description: Small, scale_info: { width: { scale_level: 0 } } }
            large: { description: Large, scale_info: { width: { scale_level: 2 } } }
          default_level: small
    - server_levels:
        type: tosca.policies.nfv.VduInstantiationLevels
        properties: { levels: { small: { number_of_instances: 1 }, large: { number_of_instances: 5 } } }
        targets: [ server ]
    - pod_levels:
        type: tosca.policies.nfv.VduInstantiationLevels
        properties: { levels: { small: { number_of_instances: 0 }, large: { number_of_instances: 3 } } }
        targets: [ pod ]
    - ip_levels:
        type: tosca.policies.nfv.VipCpInstantiationLevels
        properties: { levels: { small: { number_of_instances: 1 }, large: { number_of_instances: 2 } } }
        targets: [ shared_ip ]
    - link_levels:
        type: tosca.policies.nfv.VirtualLinkInstantiationLevels
        properties:
          levels:
            small: { bitrate_requirements: { root: 100 } }
            large: { bitrate_requirements: { root: 300, leaf: 30 } }
        targets: [ inner ]
    - apart:
        type: tosca.policies.nfv.AntiAffinityRule
        properties:
          scope: cis_node
          nfvi_maintenance_group_info: { impact_notification_lead_time: 5 m }
        targets: [ near ]
    - together:
        type: tosca.policies.nfv.AffinityRule
        properties: { scope: container_namespace }
        targets: [ chart ]
    - open_web:
        type: tosca.policies.nfv.SecurityGroupRule
        properties: { protocol: tcp, port_range_min: 80, port_range_max: 80 }
        targets: [ trunk ]
    - configuration:
        type: tosca.policies.nfv.SupportedVnfInterface
        properties:
          interface_name: vnf_configuration
          details:
            uri_components: { scheme: https, authority: { host: core.example.org, port: '443' }, path: /config }
            interface_specific_data: { version: '2' }
        targets: [ trunk ]
    - load:
        type: acme.Load
        properties: { source: vnf }
        targets: [ VNF ]
        triggers:
          too_high:
            event: load
            condition: [ { load: [ { greater_or_equal: 80 } ] } ]
            action:
              - call_operation:
                  operation: Vnflcm.scale
                  inputs: { type: SCALE_OUT, aspect: width }
    - drain:
        type: acme.Coordination
        properties:
          action_name: drain
          action: { description: Let it finish, endpoint_type: vnf, coordination_stage: start }
    - drain_when_scaling:
        type: tosca.policies.nfv.LcmCoordinationsForLcmOperation
        properties: { vnf_lcm_operation: scale, actions: [ drain ], referenced_coordination_actions: [ warn ] }
    - upgrade:
        type: tosca.policies.nfv.VnfPackageChange
        properties:
          selector: [ { source_descriptor_id: core-1, destination_descriptor_id: core-2, source_flavour_id: full } ]
          modification_qualifier: up
          destination_flavour_id: full
          actions: [ drain ]
          component_mappings: [ { component_type: vdu, source_id: server, destination_id: machine } ]
        targets: [ VNF ]
"""


def files() -> dict[str, bytes]:
    """The package's files."""
    return {
        TOP_FILE: TOP.encode(),
        "Definitions/types.yaml": TYPES.encode(),
        FLAVOUR_FILE: FLAVOUR.encode(),
        "Files/chart.tgz": b"",
        "Files/server.qcow2": b"",
    }
