"""Whole packages of other projects, and our own sample, through the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.sol import ContainerFormat
from fairlead.store import Store
from tests.descriptors.samples import ROOT
from tests.packages.building import PACKAGES
from tests.packages.shelf import PROJECT, Shelf, made_whole

TACKER = (
    "tacker-basic_lcms_max",
    "tacker-change_vnfpkg",
    "tacker-cnf_helm",
    "tacker-getting-started",
    "tacker-individual_vnfc_max",
    "tacker-scale_ng",
    "tacker-userdata_standard",
)


@pytest.fixture
def shelf(sqlite_store: Store, tmp_path: Path) -> Shelf:
    return Shelf(sqlite_store, tmp_path / "data")


def shared(*parts: str) -> Path:
    path = PACKAGES.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


@pytest.mark.parametrize("name", TACKER)
async def test_tackers_packages_are_onboarded(shelf: Shelf, name: str) -> None:
    id = await shelf.onboarded(made_whole(shared(name)))
    info = await shelf.catalogue.show(PROJECT, id)
    assert (info.vnf_provider, info.vnf_product_name, info.vnfm_info) == ("Company", "Sample VNF", ("Tacker",))
    vnfd = await shelf.catalogue.vnfd(id)
    assert info.vnfd_id == vnfd.descriptor_id
    digests = await shelf.catalogue.digests(id)
    images = {image.id: image for image in info.software_images}
    assert images.keys() == {id for flavour in vnfd.flavours.values() for id in flavour.images}
    for image in images.values():
        if image.image_path is not None:
            assert digests[image.image_path] == f"sha256:{image.checksum.hash}"
            assert (await shelf.catalogue.fetch(f"{id}/{image.image_path}")).stat().st_size == image.size
    artifacts = {one.artifact_path for one in info.additional_artifacts}
    assert not artifacts & {image.image_path for image in images.values()}
    assert {path for path in digests if path.startswith("BaseHOT/")} <= artifacts


async def test_a_package_whose_files_were_left_out_is_refused_with_their_lines(shelf: Shelf) -> None:
    directory = shared("tacker-basic_lcms_max")
    info = await shelf.uploaded(made_whole(directory, made_up=False))
    failure = info.onboarding_failure_details
    assert failure is not None
    told = {(one["code"], one["file"], one["line"]) for one in failure.problems if one["severity"] == "error"}
    assert told == {("artifact-missing", "Definitions/v2_sample1_df_simple.yaml", line) for line in (131, 153)}


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (("onap-pnf-security", "r01123", "csar-option1-valid.csar"), "not-a-vnf-package"),
        (("onap-pnf-security", "r01123", "csar-option2-valid-with-cms.zip"), "not-a-vnf-package"),
        (("onap-pnf-security", "r787965", "broken.zip"), None),
        (("onap-csar", "VoLTE.csar"), None),
    ],
    ids=["option-1", "option-2", "broken", "network-service"],
)
async def test_what_is_no_vnf_package_is_refused(shelf: Shelf, parts: tuple[str, ...], code: str | None) -> None:
    info = await shelf.uploaded(shared(*parts).read_bytes())
    assert info.onboarding_state == "ERROR"
    failure = info.onboarding_failure_details
    assert failure is not None
    assert failure.code == "package-refused"
    assert code is None or code in {one["code"] for one in failure.problems}


async def test_the_sample_is_onboarded(shelf: Shelf) -> None:
    id = await shelf.onboarded(made_whole(ROOT / "samples" / "edge-gateway" / "package"))
    info = await shelf.catalogue.show(PROJECT, id)
    assert {image.image_path for image in info.software_images} == {
        f"Files/images/{role}.tar" for role in ("router", "firewall", "balancer", "server")
    }
    assert {image.container_format for image in info.software_images} == {ContainerFormat.DOCKER}
    assert info.compatible_specification_versions == ("4.4.1",)
    classes = {one.artifact_path: one.artifact_classification for one in info.additional_artifacts}
    assert classes["Files/ChangeLog.txt"] == "HISTORY"
    assert classes["Files/licences/LICENSE"] == "LICENSE"
