"""What may be asked of a VNF instance: the bodies of `/vnflcm/v2`, SOL003's and SOL002's in one.

An element manager (SOL002) may name VNFC instances where an NFVO (SOL003) may not; one struct takes both. Modification
is a JSON merge patch, where null removes and absence leaves alone, so its attributes are UNSET and not None by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from fairlead.sol.connectivity import ExtManagedVirtualLinkData, ExtVirtualLinkData
from fairlead.sol.resource_types import ScaleInfo, VimConnectionInfo
from fairlead.sol.wire import KeyValuePairs, Sol

__all__ = [
    "VNF_OPERATIONS",
    "CancelMode",
    "CancelModeType",
    "CreateVnfRequest",
    "HealVnfRequest",
    "InstantiateVnfRequest",
    "OperateVnfRequest",
    "ScaleType",
    "ScaleVnfRequest",
    "ScaleVnfToLevelRequest",
    "StopType",
    "TerminateVnfRequest",
    "TerminationType",
    "VnfInfoModificationRequest",
    "VnfOperationalState",
    "VnfcInfoModifications",
]

_Seconds = Annotated[int, Meta(ge=0)]
_Steps = Annotated[int, Meta(ge=1)]


class VnfOperationalState(StrEnum):
    STARTED = "STARTED"
    STOPPED = "STOPPED"


class StopType(StrEnum):
    FORCEFUL = "FORCEFUL"
    GRACEFUL = "GRACEFUL"


class TerminationType(StrEnum):
    FORCEFUL = "FORCEFUL"
    GRACEFUL = "GRACEFUL"


class ScaleType(StrEnum):
    SCALE_OUT = "SCALE_OUT"
    SCALE_IN = "SCALE_IN"


class CancelModeType(StrEnum):
    GRACEFUL = "GRACEFUL"
    FORCEFUL = "FORCEFUL"


class CreateVnfRequest(Sol, frozen=True, kw_only=True):
    vnfd_id: str
    vnf_instance_name: str | None = None
    vnf_instance_description: str | None = None
    metadata: KeyValuePairs = field(default_factory=dict)


class InstantiateVnfRequest(Sol, frozen=True, kw_only=True):
    """`target_scale_level_info` is Release 4 and excludes `instantiation_level_id`."""

    flavour_id: str
    instantiation_level_id: str | None = None
    target_scale_level_info: tuple[ScaleInfo, ...] = ()
    ext_virtual_links: tuple[ExtVirtualLinkData, ...] = ()
    ext_managed_virtual_links: tuple[ExtManagedVirtualLinkData, ...] = ()
    vim_connection_info: dict[str, VimConnectionInfo] = field(default_factory=dict)
    localization_language: str | None = None
    additional_params: KeyValuePairs = field(default_factory=dict)
    extensions: KeyValuePairs = field(default_factory=dict)
    vnf_configurable_properties: KeyValuePairs = field(default_factory=dict)


class OperateVnfRequest(Sol, frozen=True, kw_only=True):
    """`graceful_stop_timeout` in seconds."""

    change_state_to: VnfOperationalState
    stop_type: StopType | None = None
    graceful_stop_timeout: _Seconds | None = None
    additional_params: KeyValuePairs = field(default_factory=dict)


class ScaleVnfRequest(Sol, frozen=True, kw_only=True):
    type: ScaleType
    aspect_id: str
    number_of_steps: _Steps = 1
    additional_params: KeyValuePairs = field(default_factory=dict)


class ScaleVnfToLevelRequest(Sol, frozen=True, kw_only=True):
    """Either `instantiation_level_id` or `scale_info`."""

    instantiation_level_id: str | None = None
    scale_info: tuple[ScaleInfo, ...] = ()
    additional_params: KeyValuePairs = field(default_factory=dict)


class HealVnfRequest(Sol, frozen=True, kw_only=True):
    """`vnfc_instance_id` names VNFCs by `vnfcInfo.id` (SOL002); without it the whole VNF is healed."""

    vnfc_instance_id: tuple[str, ...] = ()
    cause: str | None = None
    heal_script: str | None = None
    additional_params: KeyValuePairs = field(default_factory=dict)


class TerminateVnfRequest(Sol, frozen=True, kw_only=True):
    """`graceful_termination_timeout` in seconds."""

    termination_type: TerminationType
    graceful_termination_timeout: _Seconds | None = None
    additional_params: KeyValuePairs = field(default_factory=dict)


class VnfcInfoModifications(Sol, frozen=True, kw_only=True):
    """A patch of one VNFC's configurable properties (SOL002)."""

    id: str
    vnfc_configurable_properties: KeyValuePairs


class VnfInfoModificationRequest(Sol, frozen=True, kw_only=True):
    """A merge patch of a VNF instance; inside the maps null removes a key."""

    vnf_instance_name: str | UnsetType | None = UNSET
    vnf_instance_description: str | UnsetType | None = UNSET
    vnfd_id: str | UnsetType = UNSET
    vnf_pkg_id: str | UnsetType = UNSET
    vnf_configurable_properties: KeyValuePairs | UnsetType | None = UNSET
    metadata: KeyValuePairs | UnsetType | None = UNSET
    extensions: KeyValuePairs | UnsetType | None = UNSET
    vim_connection_info: dict[str, dict[str, Any] | None] | UnsetType | None = UNSET
    vnfc_info_modifications: tuple[VnfcInfoModifications, ...] = ()


class CancelMode(Sol, frozen=True, kw_only=True):
    cancel_mode: CancelModeType


VNF_OPERATIONS: Mapping[str, type[Sol]] = {
    "instantiate": InstantiateVnfRequest,
    "operate": OperateVnfRequest,
    "scale": ScaleVnfRequest,
    "scale_to_level": ScaleVnfToLevelRequest,
    "heal": HealVnfRequest,
    "terminate": TerminateVnfRequest,
    "modify": VnfInfoModificationRequest,
}
"""The operations on a VNF instance and what each is asked with; all but `modify` are path segments of SOL003."""
