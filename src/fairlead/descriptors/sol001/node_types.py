"""The node, capability and relationship types of SOL001 VNFDs, versions 2.5.1 to 4.4.1 in one table.

The notation and the rule for merging versions are those of `data_types.py`. `requirements` names for each requirement the
type of capability that its target must offer; `occurrences` leave out what is mapped from outside (`virtual_link`) or bound
in another way (a VduSubCp by its trunk). `vnfm_info` is any string: SOL001's pattern refuses the value that
Tacker's own packages carry. Deployable modules and certificates came with SOL001 5, of which there is no type file; their rows
are taken from public quotations of clauses 6.8.16 and 6.8.19 of SOL001 5.4.1, and constrain nothing beyond names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fairlead.descriptors.sol001.rows import TypeRow

__all__ = ["CAPABILITY_TYPES", "NODE_TYPES", "RELATIONSHIP_TYPES"]

NODE_TYPES: Final[Mapping[str, TypeRow]] = {
    "tosca.nodes.nfv.VNF": {
        "properties": {
            "descriptor_id": "string",
            "ext_invariant_id": "string?",
            "descriptor_version": "string",
            "provider": "string",
            "product_name": "string",
            "software_version": "string",
            "product_info_name": "string?",
            "product_info_description": "string?",
            "vnfm_info": "list<string>",
            "localization_languages": "list<string>?",
            "default_localization_language": "string?",
            "configurable_properties": "VnfConfigurableProperties?",
            "modifiable_attributes": "VnfInfoModifiableAttributes?",
            "lcm_operations_configuration": "VnfLcmOperationsConfiguration?",
            "monitoring_parameters": "map<VnfMonitoringParameter>? / list<VnfMonitoringParameter>",
            "flavour_id": "string",
            "flavour_description": "string",
            "vnf_profile": "VnfProfile?",
        },
        "requirements": {"virtual_link": "tosca.capabilities.nfv.VirtualLinkable"},
        "interfaces": {"Vnflcm": "tosca.interfaces.nfv.Vnflcm", "VnfIndicator": "tosca.interfaces.nfv.VnfIndicator"},
    },
    "tosca.nodes.nfv.VnfExtCp": {
        "derived_from": "tosca.nodes.nfv.Cp",
        "properties": {
            "virtual_network_interface_requirements": "list<VirtualNetworkInterfaceRequirements>?",
        },
        "requirements": {
            "external_virtual_link": "tosca.capabilities.nfv.VirtualLinkable",
            "internal_virtual_link": "tosca.capabilities.nfv.VirtualLinkable",
        },
        "occurrences": {"external_virtual_link": (0, 1), "internal_virtual_link": (1, 1)},
    },
    "tosca.nodes.nfv.Vdu.Compute": {
        "properties": {
            "name": "string",
            "description": "string",
            "boot_order": "boolean? / list<string> = false",
            "nfvi_constraints": "map<string>? / list<string>",
            "monitoring_parameters": "map<VnfcMonitoringParameter>? / list<VnfcMonitoringParameter>",
            "configurable_properties": "VnfcConfigurableProperties?",
            "vdu_profile": "VduProfile",
            "boot_data": "BootData? / string",
            "sw_image_data": "SwImageData?",
        },
        "capabilities": {
            "virtual_compute": "tosca.capabilities.nfv.VirtualCompute",
            "virtual_binding": "tosca.capabilities.nfv.VirtualBindable",
            "deployable_module_member": "tosca.capabilities.nfv.DeployableModuleMember",
        },
        "requirements": {
            "virtual_storage": "tosca.capabilities.nfv.VirtualStorage",
            "installable_certificate": "tosca.capabilities.nfv.InstallableCertificate",
        },
    },
    "tosca.nodes.nfv.Vdu.VirtualBlockStorage": {
        "properties": {
            "virtual_block_storage_data": "VirtualBlockStorageData",
            "per_vnfc_instance": "boolean? = true",
            "nfvi_maintenance_info": "NfviMaintenanceInfo?",
            "sw_image_data": "SwImageData?",
        },
        "capabilities": {"virtual_storage": "tosca.capabilities.nfv.VirtualStorage"},
    },
    "tosca.nodes.nfv.Vdu.VirtualObjectStorage": {
        "properties": {
            "virtual_object_storage_data": "VirtualObjectStorageData",
            "per_vnfc_instance": "boolean? = true",
            "nfvi_maintenance_info": "NfviMaintenanceInfo?",
        },
        "capabilities": {"virtual_storage": "tosca.capabilities.nfv.VirtualStorage"},
    },
    "tosca.nodes.nfv.Vdu.VirtualFileStorage": {
        "properties": {
            "virtual_file_storage_data": "VirtualFileStorageData",
            "per_vnfc_instance": "boolean? = true",
            "nfvi_maintenance_info": "NfviMaintenanceInfo?",
        },
        "capabilities": {"virtual_storage": "tosca.capabilities.nfv.VirtualStorage"},
        "requirements": {"virtual_link": "tosca.capabilities.nfv.VirtualLinkable"},
        "occurrences": {"virtual_link": (1, 1)},
    },
    "tosca.nodes.nfv.Cp": {
        "properties": {
            "layer_protocols": "list<string in ethernet|mpls|odu2|ipv4|ipv6|pseudo-wire>",
            "ip_stack_mode": "string? in ipv4_xor_ipv6|ipv4_or_ipv6|tunnel_ipv6_over_ipv4|tunnel_ipv4_over_ipv6",
            "role": "string? in root|leaf",
            "description": "string?",
            "protocol": "list<CpProtocolData>?",
            "trunk_mode": "boolean?",
        },
    },
    "tosca.nodes.nfv.VduCp": {
        "derived_from": "tosca.nodes.nfv.Cp",
        "properties": {
            "bitrate_requirement": "integer? >=0",
            "virtual_network_interface_requirements": "list<VirtualNetworkInterfaceRequirements>?",
            "order": "integer? >=0",
            "vnic_type": (
                "string? in normal|macvtap|direct|baremetal|virtio-forwarder|direct-physical|smart-nic|bridge|"
                "ipvlan|loopback|macvlan|ptp|vlan|host-device|virtio"
            ),
        },
        "capabilities": {"trunk_binding": "tosca.capabilities.nfv.TrunkBindable"},
        "requirements": {
            "virtual_link": "tosca.capabilities.nfv.VirtualLinkable",
            "virtual_binding": "tosca.capabilities.nfv.VirtualBindable",
        },
        "occurrences": {"virtual_link": (0, 1), "virtual_binding": (0, 1)},
    },
    "tosca.nodes.nfv.VnfVirtualLink": {
        "properties": {
            "connectivity_type": "ConnectivityType",
            "description": "string?",
            "test_access": "list<string in passive_monitoring|active_loopback>?",
            "vl_profile": "VlProfile",
            "monitoring_parameters": "map<VirtualLinkMonitoringParameter>? / list<VirtualLinkMonitoringParameter>",
            "nfvi_maintenance_info": "NfviMaintenanceInfo?",
            "externally_managed": "string? in allowed|required",
        },
        "capabilities": {"virtual_linkable": "tosca.capabilities.nfv.VirtualLinkable"},
    },
    "tosca.nodes.nfv.VipCp": {
        "derived_from": "tosca.nodes.nfv.Cp",
        "properties": {
            "dedicated_ip_address": "boolean? = true",
            "vip_function": "string in high_availability|load_balance",
        },
        "requirements": {"target": "tosca.capabilities.Node", "virtual_link": "tosca.capabilities.nfv.VirtualLinkable"},
        "occurrences": {"target": (1, None), "virtual_link": (0, 1)},
    },
    "tosca.nodes.nfv.VduSubCp": {
        "derived_from": "tosca.nodes.nfv.VduCp",
        "properties": {
            "segmentation_type": "string? in vlan|inherit",
            "segmentation_id": "integer? >=0",
        },
        "requirements": {"trunk_binding": "tosca.capabilities.nfv.TrunkBindable"},
        "occurrences": {"trunk_binding": (1, 1)},
    },
    "tosca.nodes.nfv.Vdu.OsContainer": {
        "properties": {
            "name": "string",
            "description": "string",
            "requested_cpu_resources": "integer? >=0",
            "cpu_resource_limit": "integer? >=0",
            "requested_memory_resources": "size?",
            "memory_resource_limit": "size?",
            "requested_ephemeral_storage_resources": "size?",
            "ephemeral_storage_resource_limit": "size?",
            "extended_resource_requests": "list<ExtendedResourceData>? len>=1",
            "huge_pages_resources": "list<Hugepages>?",
            "cpu_pinning_requirements": "VirtualCpuPinning?",
        },
        "capabilities": {"container_deployable": "tosca.capabilities.nfv.ContainerDeployable"},
    },
    "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit": {
        "properties": {
            "name": "string",
            "description": "string",
            "logical_node": "map<LogicalNodeData>?",
            "requested_additional_capabilities": "map<RequestedAdditionalCapability>?",
            "nfvi_constraints": "map<string>?",
            "configurable_properties": "VnfcConfigurableProperties?",
            "vdu_profile": "VduProfile",
            "mcio_constraint_params": (
                "list<string in affinity_nfvi_pop|affinity_zone|affinity_zone_group|affinity_nfvi_node|"
                "affinity_cis_node|anti_affinity_nfvi_pop|anti_affinity_zone|anti_affinity_zone_group|"
                "anti_affinity_nfvi_node|anti_affinity_cis_node|local_affinity_nfvi_pop|local_affinity_zone|"
                "local_affinity_zoneGroup|local_affinity_nfvi_node|local_affinity_cis_node|"
                "local_anti_affinity_nfvi_pop|local_anti_affinity_zone|local_anti_affinity_zone_group|"
                "local_anti_affinity_nfvi_node|local_anti_affinity_cis_node|node_additional_capability_ssd|"
                "node_additional_capability_dpdk|node_additional_capability_sriov|node_additional_capability_gpu|"
                "node_additional_capability_fpga|node_additional_capability_cpu_pin|node_capability_logical_numa|"
                "node_pool>?"
            ),
            "mcio_identification_data": "McioIdentificationData?",
        },
        "capabilities": {
            "virtual_binding": "tosca.capabilities.nfv.VirtualBindable",
            "associable": "tosca.capabilities.nfv.AssociableVdu",
            "deployable_module_member": "tosca.capabilities.nfv.DeployableModuleMember",
        },
        "requirements": {
            "installable_certificate": "tosca.capabilities.nfv.InstallableCertificate",
            "virtual_storage": "tosca.capabilities.nfv.VirtualStorage",
            "container": "tosca.capabilities.nfv.ContainerDeployable",
        },
    },
    "tosca.nodes.nfv.Mciop": {
        "capabilities": {"deployable_module_member": "tosca.capabilities.nfv.DeployableModuleMember"},
        "requirements": {"associatedVdu": "tosca.capabilities.nfv.AssociableVdu"},
        "occurrences": {"associatedVdu": (1, None)},
    },
    "tosca.nodes.nfv.VirtualCp": {
        "derived_from": "tosca.nodes.nfv.Cp",
        "properties": {
            "additionalServiceData": "list<AdditionalServiceData>?",
            "address_pool_name_configurable": "boolean? = false",
        },
        "requirements": {"target": "tosca.capabilities.Node", "virtual_link": "tosca.capabilities.nfv.VirtualLinkable"},
        "occurrences": {"target": (1, None), "virtual_link": (0, 1)},
    },
    "tosca.nodes.nfv.DeployableModule": {
        "properties": {"name": "string", "description": "string?"},
        "requirements": {"member": "tosca.capabilities.nfv.DeployableModuleMember"},
        "occurrences": {"member": (1, None)},
    },
    "tosca.nodes.nfv.Certificate": {
        "properties": {
            "name": "string",
            "certificate_type": "string",
            "certificate_base_profile": "CertificateBaseProfile?",
            "csr_requirements": "list<CSRRequirements>?",
        },
        "capabilities": {"installable_certificate": "tosca.capabilities.nfv.InstallableCertificate"},
    },
}

CAPABILITY_TYPES: Final[Mapping[str, TypeRow]] = {
    "tosca.capabilities.nfv.VirtualBindable": {},
    "tosca.capabilities.nfv.VirtualLinkable": {},
    "tosca.capabilities.nfv.VirtualCompute": {
        "properties": {
            "logical_node": "map<LogicalNodeData>?",
            "requested_additional_capabilities": "map<RequestedAdditionalCapability>?",
            "compute_requirements": "map<string>?",
            "virtual_memory": "VirtualMemory",
            "virtual_cpu": "VirtualCpu",
            "virtual_local_storage": "list<VirtualBlockStorageData>?",
        },
    },
    "tosca.capabilities.nfv.VirtualStorage": {},
    "tosca.capabilities.nfv.Forwarding": {},
    "tosca.capabilities.nfv.TrunkBindable": {},
    "tosca.capabilities.nfv.ContainerDeployable": {},
    "tosca.capabilities.nfv.AssociableVdu": {},
    "tosca.capabilities.nfv.DeployableModuleMember": {},
    "tosca.capabilities.nfv.InstallableCertificate": {},
}

RELATIONSHIP_TYPES: Final[Mapping[str, TypeRow]] = {
    f"tosca.relationships.nfv.{name}": {"derived_from": f"tosca.relationships.{parent}"}
    for name, parent in (
        ("VirtualLinksTo", "DependsOn"),
        ("VipVirtualLinksTo", "DependsOn"),
        ("VirtualBindsTo", "DependsOn"),
        ("TrunkBindsTo", "DependsOn"),
        ("AttachesTo", "Root"),
        ("ForwardTo", "Root"),
        ("DeploysTo", "DependsOn"),
        ("MciopAssociates", "DependsOn"),
    )
}
