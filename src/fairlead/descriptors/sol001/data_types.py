"""The data types of SOL001 VNFDs, versions 2.5.1 to 4.4.1 in one table.

Each row is a type (its name without `tosca.datatypes.nfv.`), each entry a property in the notation of
`fairlead.descriptors.schema`. Where versions differ, the newest comes first, older forms follow after ` / `, and a property
is required only if every version that has the type requires it: a package is read by what it says, not by the
version that it claims. Relaxed beyond that: `disk_format`, `min_disk`, `size` and `checksum` of an image, which container
images do not have, and `target_performance_parameters`. Being one table, the module is longer than others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["DATA_TYPES", "OPEN_TYPES"]

# Empty in SOL001, for vendors to derive from; many put their keys in without deriving, which is only warned of.
OPEN_TYPES: Final = frozenset(
    {
        "VnfInfoModifiableAttributesExtensions",
        "VnfInfoModifiableAttributesMetadata",
        "VnfAdditionalConfigurableProperties",
        "VnfcAdditionalConfigurableProperties",
        "VnfOperationAdditionalParameters",
        "OauthServerInfo",
        "InputOpCoordParams",
        "OutputOpCoordParams",
    }
)

DATA_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "L2AddressData": {
        "mac_address_assignment": "boolean",
    },
    "L3AddressData": {
        "ip_address_assignment": "boolean?",
        "ip_address_assignment_subtype": "string? in dynamic|vnf_pkg|external",
        "floating_ip_activated": "boolean",
        "ip_address_type": "string? in ipv4|ipv6",
        "number_of_ip_address": "integer? >0",
        "fixed_ip_address": "list<string>?",
    },
    "AddressData": {
        "address_type": "string in mac_address|ip_address",
        "l2_address_data": "L2AddressData?",
        "l3_address_data": "L3AddressData?",
    },
    "VirtualNetworkInterfaceRequirements": {
        "name": "string?",
        "description": "string?",
        "network_interface_requirements": "map<string>",
        "nic_io_requirements": "LogicalNodeData?",
        "support_mandatory": "boolean?",
    },
    "ConnectivityType": {
        "layer_protocols": "list<string in ethernet|mpls|odu2|ipv4|ipv6|pseudo-wire>",
        "flow_pattern": "string? in line|tree|mesh",
    },
    "RequestedAdditionalCapability": {
        "requested_additional_capability_name": "string",
        "support_mandatory": "boolean",
        "min_requested_additional_capability_version": "string?",
        "preferred_requested_additional_capability_version": "string?",
        "target_performance_parameters": "map<string>?",
    },
    "VirtualMemory": {
        "virtual_mem_size": "size",
        "virtual_mem_oversubscription_policy": "string?",
        "vdu_mem_requirements": "map<string>?",
        "numa_enabled": "boolean? = false",
        "huge_pages_requirements": "list<Hugepages>?",
    },
    "VirtualCpu": {
        "cpu_architecture": "string?",
        "num_virtual_cpu": "integer >0",
        "virtual_cpu_clock": "frequency?",
        "virtual_cpu_oversubscription_policy": "string?",
        "vdu_cpu_requirements": "map<string>?",
        "virtual_cpu_pinning": "VirtualCpuPinning?",
    },
    "VirtualCpuPinning": {
        "virtual_cpu_pinning_policy": "string? in static|dynamic",
        "virtual_cpu_pinning_rule": "list<string>?",
    },
    "VnfcConfigurableProperties": {
        "additional_vnfc_configurable_properties": "VnfcAdditionalConfigurableProperties?",
    },
    "VnfcAdditionalConfigurableProperties": {},
    "VduProfile": {
        "min_number_of_instances": "integer >=0",
        "max_number_of_instances": "integer >=0",
        "nfvi_maintenance_info": "NfviMaintenanceInfo?",
    },
    "VlProfile": {
        "max_bitrate_requirements": "LinkBitrateRequirements",
        "min_bitrate_requirements": "LinkBitrateRequirements",
        "qos": "Qos?",
        "virtual_link_protocol_data": "list<VirtualLinkProtocolData>?",
    },
    "VirtualLinkProtocolData": {
        "associated_layer_protocol": "string in ethernet|mpls|odu2|ipv4|ipv6|pseudo-wire",
        "l2_protocol_data": "L2ProtocolData?",
        "l3_protocol_data": "L3ProtocolData?",
    },
    "L2ProtocolData": {
        "name": "string?",
        "network_type": "string? in flat|vlan|vxlan|gre",
        "vlan_transparent": "boolean? = false",
        "mtu": "integer? >0",
        "segmentation_id": "string?",
    },
    "L3ProtocolData": {
        "name": "string?",
        "ip_version": "string in ipv4|ipv6",
        "cidr": "string",
        "ip_allocation_pools": "list<IpAllocationPool>?",
        "gateway_ip": "string?",
        "dhcp_enabled": "boolean?",
        "ipv6_address_mode": "string? in slaac|dhcpv6-stateful|dhcpv6-stateless",
    },
    "IpAllocationPool": {
        "start_ip_address": "string",
        "end_ip_address": "string",
    },
    "InstantiationLevel": {
        "description": "string",
        "scale_info": "map<ScaleInfo>?",
    },
    "VduLevel": {
        "number_of_instances": "integer >=0",
    },
    "VnfLcmOperationsConfiguration": {
        "instantiate": "VnfInstantiateOperationConfiguration?",
        "scale": "VnfScaleOperationConfiguration?",
        "scale_to_level": "VnfScaleToLevelOperationConfiguration?",
        "change_flavour": "VnfChangeFlavourOperationConfiguration?",
        "heal": "VnfHealOperationConfiguration?",
        "terminate": "VnfTerminateOperationConfiguration?",
        "operate": "VnfOperateOperationConfiguration?",
        "change_ext_connectivity": "VnfChangeExtConnectivityOperationConfiguration?",
        "change_current_package": "VnfChangeCurrentPackageOperationConfiguration?",
        "create_snapshot": "VnfCreateSnapshotOperationConfiguration?",
        "revert_to_snapshot": "VnfRevertToSnapshotOperationConfiguration?",
    },
    "VnfInstantiateOperationConfiguration": {
        "target_scale_levels_supported": "boolean? = false",
    },
    "VnfScaleOperationConfiguration": {
        "scaling_by_more_than_one_step_supported": "boolean? = false",
    },
    "VnfScaleToLevelOperationConfiguration": {
        "arbitrary_target_levels_supported": "boolean",
    },
    "VnfHealOperationConfiguration": {
        "causes": "list<string>?",
    },
    "VnfTerminateOperationConfiguration": {
        "min_graceful_termination_timeout": "time",
        "max_recommended_graceful_termination_timeout": "time?",
    },
    "VnfOperateOperationConfiguration": {
        "min_graceful_stop_timeout": "time",
        "max_recommended_graceful_stop_timeout": "time?",
    },
    "ScaleInfo": {
        "scale_level": "integer >=0",
    },
    "ScalingAspect": {
        "name": "string",
        "description": "string",
        "max_scale_level": "integer >=0",
        "step_deltas": "list<string>?",
    },
    "LinkBitrateRequirements": {
        "root": "integer >=0",
        "leaf": "integer? >=0",
    },
    "Qos": {
        "latency": "time >0",
        "packet_delay_variation": "time >=0",
        "packet_loss_ratio": "float? >=0 <=1",
    },
    "VnfConfigurableProperties": {
        "is_autoscale_enabled": "boolean?",
        "is_autoheal_enabled": "boolean?",
        "vnfm_interface_info": "list<VnfmInterfaceInfo>? / VnfmInterfaceInfo",
        "vnfm_oauth_server_info": "OauthServerInfo?",
        "vnf_oauth_server_info": "OauthServerInfo?",
        "additional_configurable_properties": "VnfAdditionalConfigurableProperties?",
    },
    "VnfAdditionalConfigurableProperties": {
        "is_writable_anytime": "boolean? = true",
    },
    "VnfInfoModifiableAttributes": {
        "extensions": "VnfInfoModifiableAttributesExtensions?",
        "metadata": "VnfInfoModifiableAttributesMetadata?",
    },
    "VnfInfoModifiableAttributesExtensions": {},
    "VnfInfoModifiableAttributesMetadata": {},
    "CpProtocolData": {
        "associated_layer_protocol": "string in ethernet|mpls|odu2|ipv4|ipv6|pseudo-wire",
        "address_data": "list<AddressData>?",
    },
    "LogicalNodeData": {
        "logical_node_requirements": "map<string>?",
    },
    "SwImageData": {
        "name": "string",
        "version": "string",
        "provider": "string?",
        "checksum": "ChecksumData? / string",
        "container_format": "string in aki|ami|ari|bare|docker|ova|ovf",
        "disk_format": "string? in aki|ami|ari|iso|qcow2|raw|vdi|vhd|vhdx|vmdk",
        "min_disk": "size? >=0",
        "min_ram": "size? >=0",
        "size": "size?",
        "operating_system": "string?",
        "supported_virtualisation_environments": "list<string>?",
    },
    "VirtualBlockStorageData": {
        "size_of_storage": "size >=0",
        "vdu_storage_requirements": "map<string>?",
        "rdma_enabled": "boolean? = false",
    },
    "VirtualObjectStorageData": {
        "max_size_of_storage": "size? >=0",
    },
    "VirtualFileStorageData": {
        "size_of_storage": "size >=0",
        "file_system_protocol": "string in nfs|cifs",
    },
    "VirtualLinkBitrateLevel": {
        "bitrate_requirements": "LinkBitrateRequirements",
    },
    "VnfOperationAdditionalParameters": {},
    "VnfChangeFlavourOperationConfiguration": {},
    "VnfChangeExtConnectivityOperationConfiguration": {},
    "VnfMonitoringParameter": {
        "name": "string",
        "performance_metric": (
            "string in v_cpu_usage_mean_vnf|v_cpu_usage_peak_vnf|v_memory_usage_mean_vnf|v_memory_usage_peak_vnf|"
            "v_disk_usage_mean_vnf|v_disk_usage_peak_vnf|byte_incoming_vnf_ext_cp|byte_outgoing_vnf_ext_cp|"
            "packet_incoming_vnf_ext_cp|packet_outgoing_vnf_ext_cp"
        ),
        "collection_period": "time? >0",
    },
    "VnfcMonitoringParameter": {
        "name": "string",
        "performance_metric": (
            "string in v_cpu_usage_mean_vnf|v_cpu_usage_peak_vnf|v_memory_usage_mean_vnf|v_memory_usage_peak_vnf|"
            "v_disk_usage_mean_vnf|v_disk_usage_peak_vnf|byte_incoming_vnf_int_cp|byte_outgoing_vnf_int_cp|"
            "packet_incoming_vnf_int_cp|packet_outgoing_vnf_int_cp|v_cpu_usage_mean|v_cpu_usage_peak|"
            "v_memory_usage_mean|v_memory_usage_peak|v_disk_usage_mean|v_disk_usage_peak|v_net_byte_incoming|"
            "v_net_byte_outgoing|v_net_packet_incoming|v_net_packet_outgoing|usage_mean_vStorage|"
            "usage_peak_vStorage"
        ),
        "collection_period": "time? >0",
    },
    "VirtualLinkMonitoringParameter": {
        "name": "string",
        "performance_metric": (
            "string in byte_incoming|byte_outgoing|packet_incoming|packet_outgoing|packet_outgoing_virtual_link|"
            "packet_incoming_virtual_link"
        ),
        "collection_period": "time? >0",
    },
    "InterfaceDetails": {
        "uri_components": "UriComponents?",
        "interface_specific_data": "map<string>?",
    },
    "UriComponents": {
        "scheme": "string",
        "authority": "UriAuthority?",
        "path": "string?",
        "query": "string?",
        "fragment": "string?",
    },
    "UriAuthority": {
        "user_info": "string?",
        "host": "string?",
        "port": "string?",
    },
    "VnfProfile": {
        "instantiation_level": "string?",
        "target_vnf_scale_level_info": "map<ScaleInfo>?",
        "min_number_of_instances": "integer >=0",
        "max_number_of_instances": "integer >=0",
        "service_availability_level": "integer? >=1",
        "version_dependency": "list<VersionDependency>?",
    },
    "ChecksumData": {
        "algorithm": "string in sha-224|sha-256|sha-384|sha-512",
        "hash": "string",
    },
    "VnfmInterfaceInfo": {
        "interface_name": "string in vnf_lcm|vnf_pm|vnf_fm",
        "details": "InterfaceDetails?",
        "credentials": "map<string>?",
    },
    "OauthServerInfo": {},
    "BootData": {
        "vim_specific_properties": "BootDataVimSpecificProperties?",
        "kvp_data": "KvpData?",
        "content_or_file_data": "ContentOrFileData?",
    },
    "KvpData": {
        "data": "map<string>?",
    },
    "ContentOrFileData": {
        "data": "map<string>?",
        "content": "string?",
        "source_path": "string?",
        "destination_path": "string?",
    },
    "BootDataVimSpecificProperties": {
        "vim_type": "string?",
        "properties": "map<string>",
    },
    "VnfPackageChangeSelector": {
        "source_descriptor_id": "string",
        "destination_descriptor_id": "string",
        "source_flavour_id": "string",
    },
    "VnfPackageChangeComponentMapping": {
        "component_type": (
            "string in vdu|cp|virtual_link|virtual_storage|instantiation_level|scaling_aspect|deployment_flavour"
        ),
        "source_id": "string",
        "destination_id": "string",
        "description": "string?",
    },
    "VnfChangeCurrentPackageOperationConfiguration": {},
    "VnfCreateSnapshotOperationConfiguration": {},
    "VnfRevertToSnapshotOperationConfiguration": {},
    "VnfLcmOpCoord": {
        "description": "string?",
        "endpoint_type": "string? in mgmt|vnf",
        "coordination_stage": "string? in start|end",
        "input_parameters": "InputOpCoordParams?",
        "output_parameters": "OutputOpCoordParams?",
    },
    "OutputOpCoordParams": {},
    "MaxNumberOfImpactedInstances": {
        "group_size": "integer? >0",
        "max_number_of_impacted_instances": "integer >0",
    },
    "NfviMaintenanceInfo": {
        "impact_notification_lead_time": "time",
        "is_impact_mitigation_requested": "boolean? = false",
        "supported_migration_type": "list<string in no_migration|offline_migration|live_migration>?",
        "max_undetectable_interruption_time": "time?",
        "min_recovery_time_between_impacts": "time?",
        "max_number_of_impacted_instances": "list<MaxNumberOfImpactedInstances>?",
        "min_number_of_preserved_instances": "list<MinNumberOfPreservedInstances>?",
    },
    "MinNumberOfPreservedInstances": {
        "group_size": "integer? >0",
        "min_number_of_preserved_instances": "integer >0",
    },
    "InputOpCoordParams": {},
    "VipCpLevel": {
        "number_of_instances": "integer >=0",
    },
    "ServicePortData": {
        "name": "string",
        "protocol": "string in tcp|udp|sctp",
        "port": "integer >=0",
        "portConfigurable": "boolean",
    },
    "AdditionalServiceData": {
        "portData": "list<ServicePortData>",
        "serviceData": "ServiceData? / string",
    },
    "ExtendedResourceData": {
        "extended_resource": "map<string> len>=1",
        "amount": "integer >0",
    },
    "Hugepages": {
        "hugepage_size": "size",
        "requested_size": "size",
    },
    "VersionDependency": {
        "dependent_constituent_id": "string",
        "version_dependency_statement": "list<VersionDependencyStatement>",
    },
    "VersionDependencyStatement": {
        "descriptor_id": "list<string>",
    },
    "McioIdentificationData": {
        "name": "string",
        "type": "string in Deployment|StatefulSet",
    },
    "ServiceData": {
        "host": "string?",
        "path": "list<string>?",
    },
    "CertificateBaseProfile": {
        "id": "string",
        "issuer": "string?",
        "issuer_unique_identifier": "string?",
        "subject": "CertSubjectData?",
        "subject_unique_identifier": "string?",
        "basic_constraints": "string?",
        "issuer_alt_name": "string? / list<string>",
        "subject_alt_name": "string? / list<string>",
        "name_constraints": "string? / list<string>",
    },
    "CertSubjectData": {
        "common_name": "string?",
        "organization": "string?",
        "country": "string?",
        "state": "string?",
        "locality": "string?",
        "email_address": "string?",
    },
    "CSRRequirements": {
        "id": "string",
        "supported_certificate_version": "string?",
        "supported_signature": "string?",
        "supported_max_keylength": "integer? >0",
        "supported_min_keylength": "integer? >0",
        "maximum_validity_period": "integer? >0",
        "minimum_validity_period": "integer? >0",
        "key_usages": "list<string>?",
    },
}
