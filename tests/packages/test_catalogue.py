"""The catalogue as `/vnfpkgm` shows it: creating, listing, changing and deleting packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairlead.errors import BadRequest, Conflict, NotFound, Quarantined
from fairlead.packages.tables import packages
from fairlead.sol import VNF_PACKAGES, Filter, VnfPkgInfo, VnfPkgInfoModifications, encode
from fairlead.store import Store
from tests.packages.shelf import DISABLED, ENABLED, IMAGE, PROJECT, Shelf, package


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "data")


def plain(info: VnfPkgInfo) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(encode(info))
    return shown


def wanted(text: str) -> Filter:
    return Filter.parse(text, VnfPkgInfo)


async def test_a_created_package_is_empty_disabled_and_told_of(shelf: Shelf) -> None:
    created = await shelf.catalogue.create(PROJECT, {"name": "edge"})
    assert plain(created) == {
        "id": created.id,
        "onboardingState": "CREATED",
        "operationalState": "DISABLED",
        "usageState": "NOT_IN_USE",
        "userDefinedData": {"name": "edge"},
        "_links": {
            "self": {"href": f"/vnfpkgm/v2/vnf_packages/{created.id}"},
            "vnfd": {"href": f"/vnfpkgm/v2/vnf_packages/{created.id}/vnfd"},
            "packageContent": {"href": f"/vnfpkgm/v2/vnf_packages/{created.id}/package_content"},
        },
    }
    assert await shelf.catalogue.show(PROJECT, created.id) == created
    assert await shelf.told(created.id) == ["package.created"]


async def test_another_projects_package_does_not_exist(shelf: Shelf) -> None:
    id = await shelf.created()
    for refused in (
        shelf.catalogue.show("other", id),
        shelf.catalogue.modify("other", id, DISABLED),
        shelf.catalogue.delete("other", id),
        shelf.uploaded(package(), id, "other"),
    ):
        with pytest.raises(NotFound) as caught:
            await refused
        assert caught.value.code == "package-not-found"
    assert (await shelf.catalogue.page("other", None, None, 10)).rows == []


async def test_what_a_package_says_of_itself_is_shown_once_it_is_onboarded(shelf: Shelf) -> None:
    content = package()
    id = await shelf.onboarded(content)
    shown = plain(await shelf.catalogue.show(PROJECT, id))
    assert (shown["vnfdId"], shown["vnfProvider"], shown["vnfProductName"]) == ("router-1", "Acme", "Router")
    assert (shown["vnfSoftwareVersion"], shown["vnfdVersion"], shown["vnfmInfo"]) == ("2.0", "1.0", ["Fairlead"])
    assert (shown["onboardingState"], shown["operationalState"]) == ("ONBOARDED", "ENABLED")
    [image] = shown["softwareImages"]
    assert (image["id"], image["imagePath"], image["size"]) == ("router", IMAGE, len(b"content of " + IMAGE.encode()))
    assert (image["containerFormat"], image["diskFormat"], image["minDisk"]) == ("BARE", "QCOW2", 2**30)
    paths = {one["artifactPath"]: one.get("artifactClassification") for one in shown["additionalArtifacts"]}
    assert paths == {"ChangeLog.txt": "HISTORY", "Scripts/hello.sh": None, "Files/boot.sh": None}


async def test_pages_show_the_default_view_and_keep_the_whole(shelf: Shelf) -> None:
    used, unused = await shelf.onboarded(), await shelf.created()
    shelf.users[used] = ["VNF instance 1"]
    page = await shelf.catalogue.page(PROJECT, None, None, 10)
    assert page.next_marker is None
    assert [row.id for row in page.rows] == sorted([used, unused])
    for row in page.rows:
        full = plain(await shelf.catalogue.show(PROJECT, row.id))
        assert row.full == full
        assert json.loads(row.view) == VNF_PACKAGES.default_view(full)
        assert full["usageState"] == ("IN_USE" if row.id == used else "NOT_IN_USE")


async def test_pages_follow_each_other(shelf: Shelf) -> None:
    made = sorted([await shelf.created() for _ in range(5)])
    seen: list[str] = []
    marker = None
    while True:
        page = await shelf.catalogue.page(PROJECT, None, marker, 2)
        seen += [row.id for row in page.rows]
        marker = page.next_marker
        if marker is None:
            break
    assert seen == made


async def test_filters_see_states_usage_and_everything_else(shelf: Shelf) -> None:
    used, unused = await shelf.onboarded(), await shelf.created(data={"name": "second"})
    shelf.users[used] = ["VNF instance 1"]
    for text, expected in {
        "(eq,onboardingState,CREATED)": [unused],
        "(eq,vnfdId,router-1)": [used],
        "(eq,usageState,IN_USE)": [used],
        "(neq,usageState,IN_USE)": [unused],
        "(eq,userDefinedData/name,second)": [unused],
        "(eq,softwareImages/name,router-image);(eq,operationalState,ENABLED)": [used],
        "(eq,operationalState,ENABLED);(eq,usageState,NOT_IN_USE)": [],
    }.items():
        page = await shelf.catalogue.page(PROJECT, wanted(text), None, 10)
        assert [row.id for row in page.rows] == expected, text


async def test_a_package_is_disabled_and_enabled_and_not_twice(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    assert await shelf.catalogue.modify(PROJECT, id, DISABLED) == DISABLED
    with pytest.raises(Conflict) as caught:
        await shelf.catalogue.modify(PROJECT, id, DISABLED)
    assert caught.value.code == "package-state"
    await shelf.catalogue.modify(PROJECT, id, ENABLED)
    assert (await shelf.catalogue.show(PROJECT, id)).operational_state == "ENABLED"
    assert (await shelf.told(id))[-2:] == ["package.changed", "package.changed"]


async def test_a_package_without_content_cannot_be_enabled(shelf: Shelf) -> None:
    with pytest.raises(Conflict) as caught:
        await shelf.catalogue.modify(PROJECT, await shelf.created(), ENABLED)
    assert caught.value.code == "package-state"


async def test_user_defined_data_is_merged_and_null_removes(shelf: Shelf) -> None:
    id = await shelf.created(data={"a": {"x": 1, "y": 2}, "b": 1})
    patch = VnfPkgInfoModifications(user_defined_data={"a": {"x": None, "z": 3}, "b": None, "c": [1]})
    await shelf.catalogue.modify(PROJECT, id, patch)
    assert (await shelf.catalogue.show(PROJECT, id)).user_defined_data == {"a": {"y": 2, "z": 3}, "c": [1]}
    await shelf.catalogue.modify(PROJECT, id, VnfPkgInfoModifications(user_defined_data=None))
    assert (await shelf.catalogue.show(PROJECT, id)).user_defined_data == {}


async def test_a_change_is_made_as_a_whole_or_not_at_all(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    both = VnfPkgInfoModifications(operational_state=ENABLED.operational_state, user_defined_data={"a": 1})
    with pytest.raises(Conflict):
        await shelf.catalogue.modify(PROJECT, id, both)
    assert (await shelf.catalogue.show(PROJECT, id)).user_defined_data == {}
    with pytest.raises(BadRequest) as caught:
        await shelf.catalogue.modify(PROJECT, id, VnfPkgInfoModifications())
    assert caught.value.code == "nothing-to-modify"


async def test_deleting_removes_the_package_and_its_file(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    await shelf.catalogue.fetch(f"{id}/{IMAGE}")
    await shelf.catalogue.modify(PROJECT, id, DISABLED)
    shelf.clock.step(7200)
    await shelf.catalogue.delete(PROJECT, id)
    assert shelf.stored() == []
    assert (await shelf.told(id))[-1] == "package.deleted"
    with pytest.raises(NotFound):
        await shelf.catalogue.show(PROJECT, id)


async def test_a_file_that_was_just_fetched_outlives_its_package_for_a_while(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    path = await shelf.catalogue.fetch(f"{id}/{IMAGE}")
    await shelf.catalogue.modify(PROJECT, id, DISABLED)
    await shelf.catalogue.delete(PROJECT, id)
    assert path.exists()
    shelf.clock.step(8 * 86400)
    await shelf.catalogue.recover()
    assert not path.exists()


async def test_an_enabled_package_is_not_deleted(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    with pytest.raises(Conflict) as caught:
        await shelf.catalogue.delete(PROJECT, id)
    assert caught.value.code == "package-state"
    assert shelf.stored() == [f"packages/{shelf.file_of(id).name}"]


async def test_a_package_in_use_is_not_deleted_and_its_users_are_named(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    await shelf.catalogue.modify(PROJECT, id, DISABLED)
    shelf.users[id] = ["VNF instance 7"]
    with pytest.raises(Conflict) as caught:
        await shelf.catalogue.delete(PROJECT, id)
    assert caught.value.code == "package-in-use"
    assert "VNF instance 7" in caught.value.detail
    shelf.users.clear()
    await shelf.catalogue.delete(PROJECT, id)


async def test_a_package_that_never_had_content_is_deleted(shelf: Shelf) -> None:
    id = await shelf.created()
    await shelf.catalogue.delete(PROJECT, id)
    with pytest.raises(NotFound):
        await shelf.catalogue.delete(PROJECT, id)


@pytest.mark.parametrize(
    ("damage", "code"), [({"schema": 99}, "unknown-schema"), ({"user_data": ["no", "map"]}, "unreadable-document")]
)
async def test_a_row_that_cannot_be_read_concerns_its_package_only(
    shelf: Shelf, store: Store, damage: dict[str, object], code: str
) -> None:
    bad, good = await shelf.onboarded(), await shelf.onboarded(package(vnfd_id="router-2"))
    await store.write(lambda tx: tx.run(sa.update(packages).where(packages.c.id == bad).values(**damage)))
    with pytest.raises(Quarantined) as caught:
        await shelf.catalogue.show(PROJECT, bad)
    assert (caught.value.code, caught.value.resource) == (code, bad)
    await shelf.catalogue.recover()
    assert (await shelf.catalogue.find(PROJECT, "router-2")).id == good
    assert len((await shelf.catalogue.page(PROJECT, None, None, 10)).rows) == 2
