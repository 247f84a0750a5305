"""What ETSI's package information says of a package's content: identity, software images, artifacts, signing.

It is derived once, at onboarding, from the descriptor, the manifest and the files themselves, and stored with the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from fairlead.clock import iso
from fairlead.csar.contents import READ_ERRORS
from fairlead.csar.metafile import META_FILE
from fairlead.csar.package import Csar
from fairlead.csar.reading import PackageReading
from fairlead.csar.signatures import Signer
from fairlead.descriptors import SoftwareImage, Vnfd
from fairlead.sol import (
    ArtifactClassification,
    Checksum,
    ContainerFormat,
    DiskFormat,
    PackageSecurityOption,
    Sol,
    VnfPackageArtifactInfo,
    VnfPackageSigner,
    VnfPackageSoftwareImageInfo,
)

__all__ = ["Described", "describe"]

E = TypeVar("E", bound=StrEnum)

_LARGEST_CERTIFICATE: Final = 64 * 2**10
_SIGNING: Final = (".cms", ".p7s", ".p7", ".cert", ".crt", ".pem")
_CLASSES: Final = (
    ("ETSI-Entry-Change-Log", "ChangeLog.txt", ArtifactClassification.HISTORY),
    ("ETSI-Entry-Tests", "Tests", ArtifactClassification.TESTING),
    ("ETSI-Entry-Licenses", "Licenses", ArtifactClassification.LICENSE),
)


class Described(Sol, frozen=True, kw_only=True):
    """The attributes of VnfPkgInfo that come from the package itself."""

    vnfd_id: str
    vnf_provider: str
    vnf_product_name: str
    vnf_software_version: str
    vnfd_version: str
    compatible_specification_versions: tuple[str, ...] = ()
    package_security_option: PackageSecurityOption | None = None
    signing_certificate: str | None = None
    signer: VnfPackageSigner | None = None
    software_images: tuple[VnfPackageSoftwareImageInfo, ...] = ()
    additional_artifacts: tuple[VnfPackageArtifactInfo, ...] = ()
    vnfm_info: tuple[str, ...] = ()


def describe(
    csar: Csar,
    reading: PackageReading,
    images: Mapping[str, SoftwareImage],
    digests: Mapping[str, str],
    uploaded: float,
) -> Described:
    """Describe a package that was found to be in order.

    An image outside of the package of which the VNFD gives no checksum is left out: ETSI's type cannot say that nobody
    knows it.
    """
    vnfd = reading.vnfd
    assert vnfd is not None
    versions = csar.manifest.get("compatible_specification_versions") if csar.manifest else None
    shown = (_image(csar, vnfd, image, digests, iso(uploaded)) for image in images.values())
    return Described(
        vnfd_id=vnfd.descriptor_id,
        vnf_provider=vnfd.provider,
        vnf_product_name=vnfd.product_name,
        vnf_software_version=vnfd.software_version,
        vnfd_version=vnfd.descriptor_version,
        compatible_specification_versions=tuple(part.strip() for part in (versions or "").split(",") if part.strip()),
        package_security_option=_security(csar),
        signing_certificate=_certificate(csar),
        signer=_signer(reading.signer),
        software_images=tuple(image for image in shown if image is not None),
        additional_artifacts=tuple(_artifacts(csar, reading, images, digests)),
        vnfm_info=vnfd.vnfm_info,
    )


def _image(
    csar: Csar, vnfd: Vnfd, image: SoftwareImage, digests: Mapping[str, str], created: str
) -> VnfPackageSoftwareImageInfo | None:
    inside = image.path is not None and image.path in digests
    if inside:
        checksum = _checksum(digests[image.path or ""])
    elif image.checksum is not None:
        checksum = Checksum(algorithm=image.checksum.algorithm.upper(), hash=image.checksum.hash)
    else:
        return None
    return VnfPackageSoftwareImageInfo(
        id=image.id,
        name=image.name,
        provider=image.provider or vnfd.provider,
        version=image.version,
        checksum=checksum,
        is_encrypted=False,
        container_format=_member(ContainerFormat, image.container_format, ContainerFormat.BARE),
        # Container images have no disk format, and ETSI wants one; Glance calls them raw as well.
        disk_format=_member(DiskFormat, image.disk_format, DiskFormat.RAW),
        created_at=created,
        min_disk=image.min_disk or 0,
        min_ram=image.min_ram or 0,
        size=csar.contents.sizes[image.path or ""] if inside and csar.contents else image.size or 0,
        image_path=image.path,
        image_uri=None if inside else image.file,
    )


def _artifacts(
    csar: Csar, reading: PackageReading, images: Mapping[str, SoftwareImage], digests: Mapping[str, str]
) -> Iterator[VnfPackageArtifactInfo]:
    """Every file that is neither an image nor what makes the package a package; then what the manifest has elsewhere."""
    apart = {META_FILE, *reading.documents, *(image.path for image in images.values() if image.path)}
    sets: dict[str, str] = {}
    if csar.manifest is not None:
        apart.add(csar.manifest.path)
        sets = {entry.value: name for name, entries in csar.manifest.non_mano_artifacts.items() for entry in entries}
    for path, digest in digests.items():
        if path not in apart and not path.endswith(_SIGNING):
            yield VnfPackageArtifactInfo(
                artifact_path=path,
                checksum=_checksum(digest),
                is_encrypted=False,
                non_mano_artifact_set_id=sets.get(path),
                artifact_classification=_classification(csar, path),
            )
    outside = {image.file for image in images.values() if image.path is None}
    for digest_given in csar.digests:
        if digest_given.external and digest_given.path not in outside:
            yield VnfPackageArtifactInfo(
                artifact_uri=(digest_given.path,),
                checksum=Checksum(algorithm=digest_given.algorithm.upper(), hash=digest_given.value.lower()),
                is_encrypted=False,
                non_mano_artifact_set_id=sets.get(digest_given.path),
            )


def _classification(csar: Csar, path: str) -> ArtifactClassification | None:
    for entry, at_root, classified in _CLASSES:
        place = (csar.meta.get(entry) or "") if csar.meta is not None else at_root
        if place and (path == place or path.startswith(f"{place.removesuffix('/')}/")):
            return classified
    return None


def _security(csar: Csar) -> PackageSecurityOption | None:
    """SOL004 5.1: option 1 signs the manifest with its digests, option 2 the archive; nothing signed is neither."""
    covered = {signature.covers for signature in csar.signatures}
    if "package" in covered:
        return PackageSecurityOption.OPTION_2
    return PackageSecurityOption.OPTION_1 if "manifest" in covered else None


def _certificate(csar: Csar) -> str | None:
    """The certificate of whoever signed the whole package, where it is a file of its own (SOL004 4.3.6)."""
    proofs = [
        proof for each in csar.signatures if each.covers in ("package", "manifest") for proof in each.certificates
    ]
    for proof in proofs:
        try:
            content = csar.read_proof(proof)
        except READ_ERRORS:
            continue
        if b"-----BEGIN CERTIFICATE-----" in content and len(content) <= _LARGEST_CERTIFICATE and content.isascii():
            return content.decode("ascii")
    return None


def _signer(signer: Signer | None) -> VnfPackageSigner | None:
    if signer is None:
        return None
    return VnfPackageSigner(
        subject=signer.subject,
        issuer=signer.issuer,
        serial_number=signer.serial,
        not_before=iso(signer.not_before.timestamp()),
        not_after=iso(signer.not_after.timestamp()),
        trusted=signer.trusted,
    )


def _checksum(digest: str) -> Checksum:
    return Checksum(algorithm="SHA-256", hash=digest.partition(":")[2])


def _member(enum: type[E], text: str | None, default: E) -> E:
    return next((each for each in enum if text is not None and each.value == text.upper()), default)
