"""VNF packages as ETSI shows them: SOL005's management side and SOL003's reading side, which differ in nothing but rights."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

from msgspec import UNSET, UnsetType, field
from msgspec.structs import replace

from fairlead.sol.problem_details import ProblemDetails
from fairlead.sol.resource_types import Checksum, Link
from fairlead.sol.wire import KeyValuePairs, Sol, encode

__all__ = [
    "ArtifactClassification",
    "ContainerFormat",
    "CreateVnfPkgInfoRequest",
    "DiskFormat",
    "PackageOnboardingState",
    "PackageOperationalState",
    "PackageSecurityOption",
    "PackageUsageState",
    "ParamsOauth2ClientCredentials",
    "UploadAuthType",
    "UploadVnfPackageFromUriRequest",
    "VnfPackageArtifactInfo",
    "VnfPackageSigner",
    "VnfPackageSoftwareImageInfo",
    "VnfPkgInfo",
    "VnfPkgInfoLinks",
    "VnfPkgInfoModifications",
    "package_tag",
    "vnf_package_v1",
]


class PackageOnboardingState(StrEnum):
    CREATED = "CREATED"
    UPLOADING = "UPLOADING"
    PROCESSING = "PROCESSING"
    ONBOARDED = "ONBOARDED"
    ERROR = "ERROR"


class PackageOperationalState(StrEnum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class PackageUsageState(StrEnum):
    IN_USE = "IN_USE"
    NOT_IN_USE = "NOT_IN_USE"


class PackageSecurityOption(StrEnum):
    OPTION_1 = "OPTION_1"
    OPTION_2 = "OPTION_2"


class ContainerFormat(StrEnum):
    AKI = "AKI"
    AMI = "AMI"
    ARI = "ARI"
    BARE = "BARE"
    DOCKER = "DOCKER"
    OVA = "OVA"
    OVF = "OVF"


class DiskFormat(StrEnum):
    AKI = "AKI"
    AMI = "AMI"
    ARI = "ARI"
    ISO = "ISO"
    QCOW2 = "QCOW2"
    RAW = "RAW"
    VDI = "VDI"
    VHD = "VHD"
    VHDX = "VHDX"
    VMDK = "VMDK"


class ArtifactClassification(StrEnum):
    HISTORY = "HISTORY"
    TESTING = "TESTING"
    LICENSE = "LICENSE"


class VnfPackageSoftwareImageInfo(Sol, frozen=True, kw_only=True):
    """A software image of the package. `min_disk`, `min_ram` and `size` in bytes."""

    id: str
    name: str
    provider: str
    version: str
    checksum: Checksum
    is_encrypted: bool
    container_format: ContainerFormat
    disk_format: DiskFormat
    created_at: str
    min_disk: int
    min_ram: int
    size: int
    user_metadata: KeyValuePairs = field(default_factory=dict)
    image_path: str | None = None
    image_uri: str | None = None


class VnfPackageArtifactInfo(Sol, frozen=True, kw_only=True):
    """A file of the package that is not a software image."""

    artifact_path: str | None = None
    artifact_uri: tuple[str, ...] = field(default=(), name="artifactURI")
    checksum: Checksum
    is_encrypted: bool
    non_mano_artifact_set_id: str | None = None
    artifact_classification: ArtifactClassification | None = None
    metadata: KeyValuePairs = field(default_factory=dict)


class VnfPackageSigner(Sol, frozen=True, kw_only=True):
    """Who signed the whole package, as its certificate says: ours, beside ETSI's `signingCertificate`.

    Names as in RFC 4514, `serial_number` in hexadecimal; `trusted` says that it led to a trust anchor at the upload.
    """

    subject: str
    issuer: str
    serial_number: str
    not_before: str
    not_after: str
    trusted: bool


class VnfPkgInfoLinks(Sol, frozen=True, kw_only=True):
    """`self_` is `self` on the wire."""

    self_: Link = field(name="self")
    vnfd: Link | None = None
    package_content: Link


class VnfPkgInfo(Sol, frozen=True, kw_only=True):
    """SOL005 clause 9.5.2.5. What comes from the descriptor is absent until the package is onboarded."""

    id: str
    vnfd_id: str | None = None
    vnf_provider: str | None = None
    vnf_product_name: str | None = None
    vnf_software_version: str | None = None
    vnfd_version: str | None = None
    compatible_specification_versions: tuple[str, ...] = ()
    checksum: Checksum | None = None
    package_security_option: PackageSecurityOption | None = None
    signing_certificate: str | None = None
    signer: VnfPackageSigner | None = None
    software_images: tuple[VnfPackageSoftwareImageInfo, ...] = ()
    additional_artifacts: tuple[VnfPackageArtifactInfo, ...] = ()
    onboarding_state: PackageOnboardingState
    operational_state: PackageOperationalState
    usage_state: PackageUsageState
    vnfm_info: tuple[str, ...] = ()
    user_defined_data: KeyValuePairs = field(default_factory=dict)
    onboarding_failure_details: ProblemDetails | None = None
    links: VnfPkgInfoLinks = field(name="_links")


class CreateVnfPkgInfoRequest(Sol, frozen=True, kw_only=True):
    user_defined_data: KeyValuePairs = field(default_factory=dict)


class VnfPkgInfoModifications(Sol, frozen=True, kw_only=True):
    """A merge patch: null in `user_defined_data` removes a key, null in its place removes all."""

    operational_state: PackageOperationalState | UnsetType = UNSET
    user_defined_data: KeyValuePairs | UnsetType | None = UNSET


class UploadAuthType(StrEnum):
    OAUTH2_CLIENT_CREDENTIALS = "OAUTH2_CLIENT_CREDENTIALS"


class ParamsOauth2ClientCredentials(Sol, frozen=True, kw_only=True):
    client_id: str
    client_password: str
    token_endpoint: str


class UploadVnfPackageFromUriRequest(Sol, frozen=True, kw_only=True):
    """SOL005 clause 9.5.2.4; `user_name` and `password`, for HTTP's basic authentication, are of versions 2.4 to 2.6."""

    address_information: str
    auth_type: UploadAuthType | None = None
    params_oauth2_client_credentials: ParamsOauth2ClientCredentials | None = None
    user_name: str | None = None
    password: str | None = None


def package_tag(info: VnfPkgInfo) -> str:
    """The entity tag of a package: of all but its usage state, which is not the package's own."""
    own = replace(info, usage_state=PackageUsageState.NOT_IN_USE)
    return hashlib.sha256(encode(own)).hexdigest()[:32]


def vnf_package_v1(document: dict[str, Any]) -> dict[str, Any]:
    """A VnfPkgInfo, as plain values, in the words of version 1 (SOL005 2.6.1).

    That has no state ERROR: a package that could not be onboarded is CREATED again. What else came later is left in, for
    clients read over attributes that they do not know, and the reason of a failure is worth having.
    """
    shown = dict(document)
    if shown["onboardingState"] == PackageOnboardingState.ERROR:
        shown["onboardingState"] = PackageOnboardingState.CREATED.value
    shown["_links"] = {
        name: {"href": link["href"].replace("/vnfpkgm/v2/", "/vnfpkgm/v1/", 1)}
        for name, link in shown["_links"].items()
    }
    return shown
