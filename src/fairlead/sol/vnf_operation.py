"""The operation occurrence as ETSI shows it, and what it changed.

`resourceChanges` names each affected thing by the identifier that it has, or had, in `instantiatedVnfInfo`.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import field

from fairlead.sol.connectivity import ExtVirtualLinkInfo
from fairlead.sol.problem_details import ProblemDetails
from fairlead.sol.resource_types import Link, ResourceHandle, VimConnectionInfo
from fairlead.sol.vnf_requests import CancelModeType, VnfcInfoModifications
from fairlead.sol.wire import KeyValuePairs, Sol

__all__ = [
    "AffectedExtLinkPort",
    "AffectedVipCp",
    "AffectedVirtualLink",
    "AffectedVirtualStorage",
    "AffectedVnfc",
    "ChangeType",
    "CoordinationEndpoint",
    "LcmCoordResult",
    "LcmCoordination",
    "LcmOperationState",
    "LcmOperationType",
    "ModificationsTriggeredByVnfPkgChange",
    "RejectedLcmCoordination",
    "ResourceChanges",
    "VnfInfoModifications",
    "VnfLcmOpOcc",
    "VnfLcmOpOccLinks",
]


class LcmOperationState(StrEnum):
    """SOL003 clause 5.6.2: what can follow what is in `operations/`."""

    STARTING = "STARTING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED_TEMP = "FAILED_TEMP"
    FAILED = "FAILED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"


class LcmOperationType(StrEnum):
    INSTANTIATE = "INSTANTIATE"
    SCALE = "SCALE"
    SCALE_TO_LEVEL = "SCALE_TO_LEVEL"
    CHANGE_FLAVOUR = "CHANGE_FLAVOUR"
    TERMINATE = "TERMINATE"
    HEAL = "HEAL"
    OPERATE = "OPERATE"
    CHANGE_EXT_CONN = "CHANGE_EXT_CONN"
    MODIFY_INFO = "MODIFY_INFO"
    CREATE_SNAPSHOT = "CREATE_SNAPSHOT"
    REVERT_TO_SNAPSHOT = "REVERT_TO_SNAPSHOT"
    CHANGE_VNFPKG = "CHANGE_VNFPKG"


class ChangeType(StrEnum):
    """TEMPORARY is for VNFCs, links and storages only, LINK_PORT_... for links only."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    MODIFIED = "MODIFIED"
    TEMPORARY = "TEMPORARY"
    LINK_PORT_ADDED = "LINK_PORT_ADDED"
    LINK_PORT_REMOVED = "LINK_PORT_REMOVED"


class LcmCoordResult(StrEnum):
    CONTINUE = "CONTINUE"
    ABORT = "ABORT"
    CANCELLED = "CANCELLED"


class CoordinationEndpoint(StrEnum):
    MGMT = "MGMT"
    VNF = "VNF"


class AffectedVnfc(Sol, frozen=True, kw_only=True):
    id: str
    vdu_id: str
    vnfd_id: str | None = None
    change_type: ChangeType
    compute_resource: ResourceHandle
    resource_definition_id: str | None = None
    zone_id: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)
    affected_vnfc_cp_ids: tuple[str, ...] = ()
    added_storage_resource_ids: tuple[str, ...] = ()
    removed_storage_resource_ids: tuple[str, ...] = ()


class AffectedVirtualLink(Sol, frozen=True, kw_only=True):
    id: str
    vnf_virtual_link_desc_id: str
    vnfd_id: str | None = None
    change_type: ChangeType
    network_resource: ResourceHandle
    vnf_link_port_ids: tuple[str, ...] = ()
    resource_definition_id: str | None = None
    zone_id: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)


class AffectedExtLinkPort(Sol, frozen=True, kw_only=True):
    id: str
    change_type: ChangeType
    ext_cp_instance_id: str
    resource_handle: ResourceHandle
    resource_definition_id: str | None = None


class AffectedVirtualStorage(Sol, frozen=True, kw_only=True):
    id: str
    virtual_storage_desc_id: str
    vnfd_id: str | None = None
    change_type: ChangeType
    storage_resource: ResourceHandle
    resource_definition_id: str | None = None
    zone_id: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)


class AffectedVipCp(Sol, frozen=True, kw_only=True):
    cp_instance_id: str
    cpd_id: str
    vnfd_id: str | None = None
    change_type: ChangeType


class ResourceChanges(Sol, frozen=True, kw_only=True):
    affected_vnfcs: tuple[AffectedVnfc, ...] = ()
    affected_virtual_links: tuple[AffectedVirtualLink, ...] = ()
    affected_ext_link_ports: tuple[AffectedExtLinkPort, ...] = ()
    affected_virtual_storages: tuple[AffectedVirtualStorage, ...] = ()


class VnfInfoModifications(Sol, frozen=True, kw_only=True):
    """What a modification did to the instance's attributes; the last five follow from a change of `vnfd_id`."""

    vnf_instance_name: str | None = None
    vnf_instance_description: str | None = None
    vnf_configurable_properties: KeyValuePairs = field(default_factory=dict)
    metadata: KeyValuePairs = field(default_factory=dict)
    extensions: KeyValuePairs = field(default_factory=dict)
    vim_connection_info: dict[str, VimConnectionInfo] = field(default_factory=dict)
    vnfc_info_modifications: tuple[VnfcInfoModifications, ...] = ()
    vnfd_id: str | None = None
    vnf_provider: str | None = None
    vnf_product_name: str | None = None
    vnf_software_version: str | None = None
    vnfd_version: str | None = None


class ModificationsTriggeredByVnfPkgChange(Sol, frozen=True, kw_only=True):
    vnf_configurable_properties: KeyValuePairs = field(default_factory=dict)
    metadata: KeyValuePairs = field(default_factory=dict)
    extensions: KeyValuePairs = field(default_factory=dict)
    vim_connection_info: dict[str, VimConnectionInfo] = field(default_factory=dict)
    vnfd_id: str | None = None
    vnf_provider: str | None = None
    vnf_product_name: str | None = None
    vnf_software_version: str | None = None
    vnfd_version: str | None = None


class LcmCoordination(Sol, frozen=True, kw_only=True):
    id: str
    coordination_action_name: str
    coordination_result: LcmCoordResult | None = None
    start_time: str
    end_time: str | None = None
    delay: str | None = None
    endpoint_type: CoordinationEndpoint


class RejectedLcmCoordination(Sol, frozen=True, kw_only=True):
    coordination_action_name: str
    rejection_time: str
    delay: str
    endpoint_type: CoordinationEndpoint


class VnfLcmOpOccLinks(Sol, frozen=True, kw_only=True):
    """`self_` is `self` on the wire; a task's link is there when the task may be asked for in this state."""

    self_: Link = field(name="self")
    vnf_instance: Link
    grant: Link | None = None
    cancel: Link | None = None
    retry: Link | None = None
    rollback: Link | None = None
    fail: Link | None = None
    vnf_snapshot: Link | None = None


class VnfLcmOpOcc(Sol, frozen=True, kw_only=True):
    """SOL003 clause 5.5.2.13. Times are RFC 3339 strings."""

    id: str
    operation_state: LcmOperationState
    state_entered_time: str
    start_time: str
    vnf_instance_id: str
    grant_id: str | None = None
    operation: LcmOperationType
    is_automatic_invocation: bool
    operation_params: KeyValuePairs = field(default_factory=dict)
    is_cancel_pending: bool
    cancel_mode: CancelModeType | None = None
    error: ProblemDetails | None = None
    resource_changes: ResourceChanges | None = None
    changed_info: VnfInfoModifications | None = None
    affected_vip_cps: tuple[AffectedVipCp, ...] = ()
    changed_ext_connectivity: tuple[ExtVirtualLinkInfo, ...] = ()
    modifications_triggered_by_vnf_pkg_change: ModificationsTriggeredByVnfPkgChange | None = None
    vnf_snapshot_info_id: str | None = None
    lcm_coordinations: tuple[LcmCoordination, ...] = ()
    rejected_lcm_coordinations: tuple[RejectedLcmCoordination, ...] = ()
    warnings: tuple[str, ...] = ()
    links: VnfLcmOpOccLinks = field(name="_links")
