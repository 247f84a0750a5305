"""Our data types against ETSI's schemas: no attribute of another name, none missing, mandatory ones never left out."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import pytest

from fairlead import sol
from tests.sol import etsi

INSTANCE = "VnfInstance/instantiatedVnfInfo"
ADDRESSES = "ipAddresses"

STRUCTS: dict[type[msgspec.Struct], tuple[str, ...]] = {
    sol.AddressRange: (f"sol003-general:IpOverEthernetAddressData/{ADDRESSES}/addressRange",),
    sol.AffectedExtLinkPort: ("sol003:AffectedExtLinkPort", "sol002:AffectedExtLinkPort"),
    sol.AffectedVipCp: ("sol003:AffectedVipCp", "sol002:AffectedVipCp"),
    sol.AffectedVirtualLink: ("sol003:AffectedVirtualLink", "sol002:AffectedVirtualLink"),
    sol.AffectedVirtualStorage: ("sol003:AffectedVirtualStorage", "sol002:AffectedVirtualStorage"),
    sol.AffectedVnfc: ("sol003:AffectedVnfc", "sol002:AffectedVnfc"),
    sol.ApiVersion: ("sol003-general:ApiVersionInformation/apiVersions",),
    sol.ApiVersionInformation: ("sol003-general:ApiVersionInformation",),
    sol.CancelMode: ("sol003:CancelMode",),
    sol.Checksum: ("sol005-general:Checksum",),
    sol.CpProtocolData: ("sol003-general:CpProtocolData",),
    sol.CpProtocolInfo: ("sol003:CpProtocolInfo",),
    sol.CreateVnfPkgInfoRequest: ("sol005-packages:CreateVnfPkgInfoRequest",),
    sol.CreateVnfRequest: ("sol003:CreateVnfRequest",),
    sol.ExtLinkPortData: ("sol003-general:ExtLinkPortData",),
    sol.ExtLinkPortInfo: ("sol003:ExtLinkPortInfo",),
    sol.ExtManagedVirtualLinkData: ("sol003:ExtManagedVirtualLinkData",),
    sol.ExtManagedVirtualLinkInfo: ("sol003:ExtManagedVirtualLinkInfo",),
    sol.ExtVirtualLinkData: ("sol003-general:ExtVirtualLinkData",),
    sol.ExtVirtualLinkInfo: ("sol003:ExtVirtualLinkInfo",),
    sol.HealVnfRequest: ("sol003:HealVnfRequest", "sol002:HealVnfRequest"),
    sol.InstantiateVnfRequest: ("sol003:InstantiateVnfRequest",),
    sol.InstantiatedVnfInfo: (f"sol003:{INSTANCE}", f"sol002:{INSTANCE}"),
    sol.IpAddressData: (f"sol003-general:IpOverEthernetAddressData/{ADDRESSES}",),
    sol.IpAddressInfo: (f"sol003:IpOverEthernetAddressInfo/{ADDRESSES}",),
    sol.IpOverEthernetAddressData: ("sol003-general:IpOverEthernetAddressData",),
    sol.IpOverEthernetAddressInfo: ("sol003:IpOverEthernetAddressInfo",),
    sol.LcmCoordination: ("sol003:VnfLcmOpOcc/lcmCoordinations",),
    sol.Link: ("sol003-general:Link",),
    sol.ModificationsTriggeredByVnfPkgChange: ("sol003:ModificationsTriggeredByVnfPkgChange",),
    sol.MonitoringParameter: ("sol003:MonitoringParameter",),
    sol.OperateVnfRequest: ("sol003:OperateVnfRequest",),
    sol.ParamsBasic: ("sol003-general:SubscriptionAuthentication/paramsBasic",),
    sol.ParamsOauth2: ("sol003-general:SubscriptionAuthentication/paramsOauth2ClientCredentials",),
    sol.PkgmLinks: ("sol003-notifications:PkgmLinks",),
    sol.PkgmNotificationsFilter: ("sol003-packages:PkgmNotificationsFilter", "sol005-packages:PkgmNotificationsFilter"),
    sol.PkgmSubscription: ("sol003-packages:PkgmSubscription", "sol005-packages:PkgmSubscription"),
    sol.PkgmSubscriptionRequest: ("sol003-packages:PkgmSubscriptionRequest", "sol005-packages:PkgmSubscriptionRequest"),
    sol.ProblemDetails: ("sol003-general:ProblemDetails",),
    sol.RejectedLcmCoordination: ("sol003:VnfLcmOpOcc/rejectedLcmCoordinations",),
    sol.ResourceChanges: ("sol003:VnfLcmOpOcc/resourceChanges",),
    sol.ResourceHandle: ("sol003-general:ResourceHandle",),
    sol.ScaleInfo: ("sol003-general:ScaleInfo",),
    sol.ScaleVnfRequest: ("sol003:ScaleVnfRequest",),
    sol.ScaleVnfToLevelRequest: ("sol003:ScaleVnfToLevelRequest",),
    sol.SubscriptionAuthentication: (
        "sol003-general:SubscriptionAuthentication",
        "sol005-general:SubscriptionAuthentication",
    ),
    sol.SubscriptionLinks: ("sol003-packages:PkgmSubscription/_links",),
    sol.TerminateVnfRequest: ("sol003:TerminateVnfRequest",),
    sol.VimConnectionInfo: ("sol003-general:VimConnectionInfo",),
    sol.VipCpInfo: ("sol003:VipCpInfo",),
    sol.VirtualStorageResourceInfo: ("sol003:VirtualStorageResourceInfo", "sol002:VirtualStorageResourceInfo"),
    sol.VnfExtCpConfig: ("sol003-general:VnfExtCpConfig",),
    sol.VnfExtCpData: ("sol003-general:VnfExtCpData",),
    sol.VnfExtCpInfo: ("sol003:VnfExtCpInfo",),
    sol.VnfInfoModificationRequest: ("sol003:VnfInfoModificationRequest", "sol002:VnfInfoModificationRequest"),
    sol.VnfInfoModifications: ("sol003:VnfInfoModifications", "sol002:VnfInfoModifications"),
    sol.VnfInstance: ("sol003:VnfInstance", "sol002:VnfInstance"),
    sol.VnfInstanceLinks: ("sol003:VnfInstance/_links",),
    sol.VnfLcmOpOcc: ("sol003:VnfLcmOpOcc",),
    sol.VnfLcmOpOccLinks: ("sol003:VnfLcmOpOcc/_links",),
    sol.VnfLinkPortData: ("sol003-general:VnfLinkPortData",),
    sol.VnfLinkPortInfo: ("sol003:VnfLinkPortInfo",),
    sol.VnfPackageArtifactInfo: ("sol003-packages:VnfPackageArtifactInfo",),
    sol.VnfPackageChangeNotification: ("sol003-notifications:VnfPackageChangeNotification",),
    sol.VnfPackageOnboardingNotification: ("sol003-notifications:VnfPackageOnboardingNotification",),
    sol.VnfProduct: ("sol003-packages:PkgmNotificationsFilter/vnfProductsFromProviders/vnfProducts",),
    sol.VnfProductVersion: ("sol003-packages:PkgmNotificationsFilter/vnfProductsFromProviders/vnfProducts/versions",),
    sol.VnfProductsFromProvider: ("sol003-packages:PkgmNotificationsFilter/vnfProductsFromProviders",),
    sol.VnfPackageSoftwareImageInfo: ("sol003-packages:VnfPackageSoftwareImageInfo",),
    sol.VnfPkgInfo: ("sol003-packages:VnfPkgInfo", "sol005-packages:VnfPkgInfo"),
    sol.VnfPkgInfoLinks: ("sol003-packages:VnfPkgInfo/_links",),
    sol.ParamsOauth2ClientCredentials: (
        "sol005-packages:UploadVnfPackageFromUriRequest/paramsOauth2ClientCredentials",
    ),
    sol.UploadVnfPackageFromUriRequest: ("sol005-packages:UploadVnfPackageFromUriRequest",),
    sol.VnfPkgInfoModifications: ("sol005-packages:VnfPkgInfoModifications",),
    sol.VnfVirtualLinkResourceInfo: ("sol003:VnfVirtualLinkResourceInfo", "sol002:VnfVirtualLinkResourceInfo"),
    sol.VnfcCpInfo: ("sol003:VnfcResourceInfo/vnfcCpInfo", "sol002:VnfcResourceInfo/vnfcCpInfo"),
    sol.VnfcInfo: ("sol002:VnfcInfo",),
    sol.VnfcInfoModifications: ("sol002:VnfcInfoModifications",),
    sol.VnfcResourceInfo: ("sol003:VnfcResourceInfo", "sol002:VnfcResourceInfo"),
}

OURS: dict[type[msgspec.Struct], set[str]] = {
    # Of versions 2.4 to 2.6, which python-tackerclient speaks.
    sol.UploadVnfPackageFromUriRequest: {"userName", "password"},
    sol.ProblemDetails: {
        *("code", "resource", "place", "cause", "left", "remedy", "problems"),
        *("step", "console", "others"),
    },
    # Release 4.
    sol.InstantiateVnfRequest: {"targetScaleLevelInfo"},
    sol.ResourceHandle: {"containerNamespace"},
    # The document's list of properties has a misprint (scaleToLevel); its list of required ones has the right name.
    sol.ScaleInfo: {"scaleLevel"},
    # Who signed the package, for those who cannot read certificates.
    sol.VnfPkgInfo: {"signer"},
}

OUR_OWN = {sol.VnfPackageSigner}

NOT_OURS: dict[type[msgspec.Struct], set[str]] = {
    # By these the types are told apart: msgspec writes them for the type itself.
    sol.VnfPackageChangeNotification: {"notificationType"},
    sol.VnfPackageOnboardingNotification: {"notificationType"},
    sol.ScaleInfo: {"scaleToLevel"},
    # SOL002's spelling of what SOL003 calls virtualStorageResourceInfo.
    sol.InstantiatedVnfInfo: {"vnfVirtualStorageResourceInfo"},
    # Misplaced in the document: it belongs to vnfcCpInfo, where it is too.
    sol.VnfcResourceInfo: {"parentCpId"},
}

LENIENT: dict[type[msgspec.Struct], set[str]] = {
    # Tacker's clients name a registered VIM by its id alone.
    sol.VimConnectionInfo: {"vimType"},
    # Either of the two, which differ by whether the artifact is in the package.
    sol.VnfPackageArtifactInfo: {"artifactPath"},
    sol.VnfPackageSoftwareImageInfo: {"imagePath"},
    sol.VnfPkgInfoLinks: {"vnfd"},
    # Mandatory in SOL002 and optional in SOL003; a network without ports has none to show.
    sol.VnfVirtualLinkResourceInfo: {"vnfLinkPorts"},
}

ENUMS: dict[type[StrEnum], str] = {
    sol.ArtifactClassification: "sol005-packages:VnfPackageArtifactInfo/artifactClassification",
    sol.CancelModeType: "sol003:CancelModeType",
    sol.ContainerFormat: "sol005-packages:VnfPackageSoftwareImageInfo/containerFormat",
    sol.CoordinationEndpoint: "sol003:VnfLcmOpOcc/lcmCoordinations/endpointType",
    sol.CpInstanceType: "sol003:VnfLinkPortInfo/cpInstanceType",
    sol.DiskFormat: "sol005-packages:VnfPackageSoftwareImageInfo/diskFormat",
    sol.InstantiationState: "sol003:VnfInstance/instantiationState",
    sol.IpType: f"sol003-general:IpOverEthernetAddressData/{ADDRESSES}/type",
    sol.LayerProtocol: "sol003-general:CpProtocolData/layerProtocol",
    sol.LcmCoordResult: "sol003-general:LcmCoordResultType",
    sol.LcmOperationState: "sol003:LcmOperationStateType",
    sol.LcmOperationType: "sol003-general:LcmOperationType",
    sol.PackageChangeType: "sol003-notifications:PackageChangeType",
    sol.PackageOnboardingState: "sol005-packages:PackageOnboardingStateType",
    sol.PackageOperationalState: "sol005-packages:PackageOperationalStateType",
    sol.PackageSecurityOption: "sol005-packages:VnfPkgInfo/packageSecurityOption",
    sol.PackageUsageState: "sol005-packages:PackageUsageStateType",
    sol.PkgmNotificationType: "sol003-packages:PkgmNotificationsFilter/notificationTypes",
    sol.ScaleType: "sol003:ScaleVnfRequest/type",
    sol.SegmentationType: "sol003-general:IpOverEthernetAddressData/segmentationType",
    sol.StopType: "sol003:StopType",
    sol.TerminationType: "sol003:TerminateVnfRequest/terminationType",
    sol.VnfOperationalState: "sol003:VnfOperationalStateType",
}


def wire_fields(struct: type[msgspec.Struct]) -> dict[str, bool]:
    """Wire names of `struct`, and whether each is required."""
    return {field.encode_name: field.required for field in msgspec.structs.fields(struct)}


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_attributes_are_etsis_and_all_of_them(struct: type[msgspec.Struct]) -> None:
    theirs = set().union(*(etsi.properties(place) for place in STRUCTS[struct]))
    ours = set(wire_fields(struct))
    assert ours - OURS.get(struct, set()) <= theirs
    assert theirs - NOT_OURS.get(struct, set()) <= ours


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_what_etsi_makes_mandatory_is_never_left_out(struct: type[msgspec.Struct]) -> None:
    ours = {name for name, required in wire_fields(struct).items() if required}
    for place in STRUCTS[struct]:
        theirs = etsi.required(place) & set(wire_fields(struct))
        assert theirs - LENIENT.get(struct, set()) <= ours, place


def test_every_struct_of_sol_is_compared() -> None:
    exported = [getattr(sol, name) for name in sol.__all__]
    structs = {one for one in exported if isinstance(one, type) and issubclass(one, sol.Sol) and one is not sol.Sol}
    assert structs - OUR_OWN == set(STRUCTS)


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_enumerations_have_etsis_values(enum: type[StrEnum]) -> None:
    assert {member.value for member in enum} == etsi.enumeration(ENUMS[enum])


def test_changes_of_links_are_among_the_values_of_a_change() -> None:
    values = {member.value for member in sol.ChangeType}
    for struct in (
        "AffectedVnfc",
        "AffectedVirtualLink",
        "AffectedVirtualStorage",
        "AffectedExtLinkPort",
        "AffectedVipCp",
    ):
        assert etsi.enumeration(f"sol003:{struct}/changeType") <= values


def test_default_views_leave_out_what_etsi_says() -> None:
    for shown in (sol.VNF_INSTANCES, sol.VNF_LCM_OP_OCCS, sol.VNF_PACKAGES):
        fields = wire_fields(shown.type)
        assert shown.excluded <= set(fields)
        assert not any(fields[name] for name in shown.excluded)
