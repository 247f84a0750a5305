"""The interface types of SOL001 VNFDs and the names that TOSCA itself defines.

Operations of `Vnflcm` exist bare and with the suffixes `_start` and `_end`. The other interface types are empty bases from
which vendors derive. TOSCA's own types carry nothing that a VNFD needs, so their names are enough.
"""

from __future__ import annotations

from typing import Final

__all__ = ["NETWORK_SERVICE_TYPES", "NORMATIVE_NAMES", "OPEN_INTERFACES", "VNFLCM", "VNFLCM_OPERATIONS"]

VNFLCM: Final = "tosca.interfaces.nfv.Vnflcm"
OPEN_INTERFACES: Final = (
    "tosca.interfaces.nfv.VnfIndicator",
    "tosca.interfaces.nfv.ChangeCurrentVnfPackage",
    "tosca.interfaces.Root",
    "tosca.interfaces.node.lifecycle.Standard",
)
VNFLCM_OPERATIONS: Final = tuple(
    f"{operation}{suffix}"
    for operation in (
        "instantiate",
        "terminate",
        "modify_information",
        "change_flavour",
        "change_external_connectivity",
        "operate",
        "heal",
        "scale",
        "scale_to_level",
        "create_snapshot",
        "revert_to_snapshot",
        "change_current_package",
    )
    for suffix in ("", "_start", "_end")
)

NETWORK_SERVICE_TYPES: Final = ("tosca.nodes.nfv.NS", "tosca.nodes.nfv.PNF")

NORMATIVE_NAMES: Final = frozenset(
    {
        "tosca.nodes.Root",
        "tosca.capabilities.Root",
        "tosca.capabilities.Node",
        "tosca.groups.Root",
        "tosca.policies.Root",
        "tosca.policies.Placement",
        "tosca.policies.Scaling",
        "tosca.policies.Update",
        "tosca.policies.Performance",
        "tosca.relationships.Root",
        "tosca.relationships.DependsOn",
        "tosca.relationships.HostedOn",
        "tosca.relationships.ConnectsTo",
        "tosca.relationships.AttachesTo",
        "tosca.relationships.RoutesTo",
        "tosca.datatypes.Root",
        "tosca.datatypes.Credential",
        "tosca.datatypes.json",
        "tosca.datatypes.xml",
        "tosca.artifacts.Root",
        "tosca.artifacts.File",
        "tosca.artifacts.Deployment",
        "tosca.artifacts.Deployment.Image",
        "tosca.artifacts.Deployment.Image.VM",
        "tosca.artifacts.Deployment.Image.Container.Docker",
        "tosca.artifacts.Implementation",
        "tosca.artifacts.Implementation.Bash",
        "tosca.artifacts.Implementation.Python",
        "tosca.artifacts.template",
    }
)
