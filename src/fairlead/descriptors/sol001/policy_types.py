"""The policy, group and artifact types of SOL001 VNFDs, versions 2.5.1 to 4.4.1 in one table, and the names of TOSCA's own.

The notation and the rule for merging versions are those of `data_types.py`; `targets` are the types that a policy may be
put on, for groups the types of their members. The description of a placement group is optional here, as no package
in the field gives one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fairlead.descriptors.sol001.rows import TypeRow

__all__ = ["ARTIFACT_TYPES", "GROUP_TYPES", "POLICY_TYPES"]

POLICY_TYPES: Final[Mapping[str, TypeRow]] = {
    "tosca.policies.nfv.InstantiationLevels": {
        "properties": {
            "levels": "map<InstantiationLevel> len>=1",
            "default_level": "string?",
        },
    },
    "tosca.policies.nfv.VduInstantiationLevels": {
        "properties": {
            "levels": "map<VduLevel> len>=1",
        },
        "targets": (
            "tosca.nodes.nfv.Vdu.Compute",
            "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
        ),
    },
    "tosca.policies.nfv.VirtualLinkInstantiationLevels": {
        "properties": {
            "levels": "map<VirtualLinkBitrateLevel> len>=1",
        },
        "targets": ("tosca.nodes.nfv.VnfVirtualLink",),
    },
    "tosca.policies.nfv.ScalingAspects": {
        "properties": {
            "aspects": "map<ScalingAspect> len>=1",
        },
    },
    "tosca.policies.nfv.VduScalingAspectDeltas": {
        "properties": {
            "aspect": "string",
            "deltas": "map<VduLevel> len>=1",
        },
        "targets": (
            "tosca.nodes.nfv.Vdu.Compute",
            "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
        ),
    },
    "tosca.policies.nfv.VirtualLinkBitrateScalingAspectDeltas": {
        "properties": {
            "aspect": "string",
            "deltas": "map<VirtualLinkBitrateLevel> len>=1",
        },
        "targets": ("tosca.nodes.nfv.VnfVirtualLink",),
    },
    "tosca.policies.nfv.VduInitialDelta": {
        "properties": {
            "initial_delta": "VduLevel",
        },
        "targets": (
            "tosca.nodes.nfv.Vdu.Compute",
            "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
        ),
    },
    "tosca.policies.nfv.VirtualLinkBitrateInitialDelta": {
        "properties": {
            "initial_delta": "VirtualLinkBitrateLevel",
        },
        "targets": ("tosca.nodes.nfv.VnfVirtualLink",),
    },
    "tosca.policies.nfv.AffinityRule": {
        "properties": {
            "scope": "string in nfvi_node|zone|zone_group|nfvi_pop|network_link_and_node|container_namespace|cis_node",
            "nfvi_maintenance_group_info": "NfviMaintenanceInfo?",
        },
        "targets": (
            "tosca.nodes.nfv.Vdu.Compute",
            "tosca.nodes.nfv.VnfVirtualLink",
            "tosca.groups.nfv.PlacementGroup",
            "tosca.nodes.nfv.Mciop",
            "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
        ),
    },
    "tosca.policies.nfv.AntiAffinityRule": {
        "properties": {
            "scope": "string in nfvi_node|zone|zone_group|nfvi_pop|network_link_and_node|container_namespace|cis_node",
            "nfvi_maintenance_group_info": "NfviMaintenanceInfo?",
        },
        "targets": (
            "tosca.nodes.nfv.Vdu.Compute",
            "tosca.nodes.nfv.VnfVirtualLink",
            "tosca.groups.nfv.PlacementGroup",
            "tosca.nodes.nfv.Mciop",
            "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
        ),
    },
    "tosca.policies.nfv.SecurityGroupRule": {
        "derived_from": "tosca.policies.nfv.Abstract.SecurityGroupRule",
        "targets": (
            "tosca.nodes.nfv.VduCp",
            "tosca.nodes.nfv.VnfExtCp",
            "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
        ),
    },
    "tosca.policies.nfv.SupportedVnfInterface": {
        "properties": {
            "interface_name": "string in vnf_indicator|vnf_configuration|vnf_lcm_coordination",
            "details": "InterfaceDetails?",
        },
        "targets": (
            "tosca.nodes.nfv.VnfExtCp",
            "tosca.nodes.nfv.VduCp",
        ),
    },
    "tosca.policies.nfv.Abstract.SecurityGroupRule": {
        "properties": {
            "description": "string?",
            "direction": "string? in ingress|egress = ingress",
            "ether_type": "string? in ipv4|ipv6 = ipv4",
            "protocol": (
                "string? in hopopt|icmp|igmp|ggp|ipv4|st|tcp|cbt|egp|igp|bbn_rcc_mon|nvp_ii|pup|argus|emcon|xnet|"
                "chaos|udp|mux|dcn_meas|hmp|prm|xns_idp|trunk_1|trunk_2|leaf_1|leaf_2|rdp|irtp|iso_tp4|netblt|"
                "mfe_nsp|merit_inp|dccp|3pc|idpr|xtp|ddp|idpr_cmtp|tp++|il|ipv6|sdrp|ipv6_route|ipv6_frag|idrp|"
                "rsvp|gre|dsr|bna|esp|ah|i_nlsp|swipe|narp|mobile|tlsp|skip|ipv6_icmp|ipv6_no_nxt|ipv6_opts|cftp|"
                "sat_expak|kryptolan|rvd|ippc|sat_mon|visa|ipcv|cpnx|cphb|wsn|pvp|br_sat_mon|sun_nd|wb_mon|"
                "wb_expak|iso_ip|vmtp|secure_vmtp|vines|ttp|iptm|nsfnet_igp|dgp|tcf|eigrp|ospfigp|sprite_rpc|"
                "larp|mtp|ax.25|ipip|micp|scc_sp|etherip|encap|gmtp|ifmp|pnni|pim|aris|scps|qnx|a/n|ip_comp|snp|"
                "compaq_peer|ipx_in_ip|vrrp|pgm|l2tp|ddx|iatp|stp|srp|uti|smp|sm|ptp|isis|fire|crtp|crudp|"
                "sscopmce|iplt|sps|pipe|sctp|fc|rsvp_e2e_ignore|mobility|udp_lite|mpls_in_ip|manet|hip|shim6|"
                "wesp|rohc = tcp"
            ),
            "port_range_min": "integer? >=0 <=65535 = 0",
            "port_range_max": "integer? >=0 <=65535 = 65535",
        },
    },
    "tosca.policies.nfv.VnfIndicator": {
        "properties": {
            "source": "string in vnf|em|both_vnf_and_em",
        },
        "targets": ("tosca.nodes.nfv.VNF",),
    },
    "tosca.policies.nfv.VnfPackageChange": {
        "properties": {
            "selector": "list<VnfPackageChangeSelector> len>=1 / VnfPackageChangeSelector",
            "modification_qualifier": "string in up|down",
            "additional_modification_description": "string?",
            "component_mappings": "list<VnfPackageChangeComponentMapping>?",
            "destination_flavour_id": "string",
            "actions": "list<string>?",
            "referenced_coordination_actions": "list<string>?",
        },
        "targets": ("tosca.nodes.nfv.VNF",),
    },
    "tosca.policies.nfv.LcmCoordinationAction": {
        "properties": {
            "action_name": "string",
            "action": "VnfLcmOpCoord?",
        },
    },
    "tosca.policies.nfv.LcmCoordinationsForLcmOperation": {
        "properties": {
            "vnf_lcm_operation": (
                "string in instantiate|scale|scale_to_level|change_flavour|terminate|heal|operate|"
                "change_ext_conn|modify_info|create_snapshot|revert_to_snapshot"
            ),
            "actions": "list<string>?",
            "referenced_coordination_actions": "list<string>?",
        },
    },
    "tosca.policies.nfv.VipCpScalingAspectDeltas": {
        "properties": {
            "aspect": "string",
            "deltas": "map<VipCpLevel> len>=1",
        },
        "targets": ("tosca.nodes.nfv.VipCp",),
    },
    "tosca.policies.nfv.VipCpInitialDelta": {
        "properties": {
            "initial_delta": "VipCpLevel",
        },
        "targets": ("tosca.nodes.nfv.VipCp",),
    },
    "tosca.policies.nfv.VipCpInstantiationLevels": {
        "properties": {
            "levels": "map<VipCpLevel> len>=1",
        },
        "targets": ("tosca.nodes.nfv.VipCp",),
    },
}

GROUP_TYPES: Final[Mapping[str, TypeRow]] = {
    "tosca.groups.nfv.PlacementGroup": {
        "properties": {
            "description": "string?",
        },
        "targets": (
            "tosca.nodes.nfv.Vdu.Compute",
            "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit",
            "tosca.nodes.nfv.VnfVirtualLink",
            "tosca.nodes.nfv.Mciop",
        ),
    },
}

ARTIFACT_TYPES: Final[Mapping[str, TypeRow]] = {
    "tosca.artifacts.nfv.SwImage": {
        "derived_from": "tosca.artifacts.Deployment.Image",
        "properties": {
            "name": "string?",
            "version": "string?",
            "provider": "string?",
            "checksum": "ChecksumData?",
            "container_format": "string? in aki|ami|ari|bare|docker|ova|ovf",
            "disk_format": "string? in aki|ami|ari|iso|qcow2|raw|vdi|vhd|vhdx|vmdk",
            "min_disk": "size? >=0",
            "min_ram": "size? >=0",
            "size": "size?",
            "operating_system": "string?",
            "supported_virtualisation_environments": "list<string>?",
        },
    },
    "tosca.artifacts.Implementation.nfv.Mistral": {
        "derived_from": "tosca.artifacts.Implementation",
    },
    "tosca.artifacts.nfv.HelmChart": {
        "derived_from": "tosca.artifacts.File",
    },
}
