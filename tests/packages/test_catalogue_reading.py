"""What VNF management and drivers take out of packages, and what they hear when a package's file is not what it was."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import IO

import pytest

from fairlead.errors import FairleadError, Quarantined, Unprocessable
from fairlead.packages import LocalStorage
from fairlead.store import Store
from tests.packages.shelf import DISABLED, ENABLED, IMAGE, PROJECT, Shelf, files_of, package

BOOT = "Files/boot.sh"


@pytest.fixture
def shelf(sqlite_store: Store, tmp_path: Path) -> Shelf:
    return Shelf(sqlite_store, tmp_path / "data")


class CountingStorage(LocalStorage):
    """Counts how often packages are opened."""

    opened = 0

    def open(self, key: str) -> IO[bytes]:
        self.opened += 1
        return super().open(key)


async def test_a_package_is_found_by_its_vnfd_within_its_project(store: Store, tmp_path: Path) -> None:
    shelf = Shelf(store, tmp_path / "data")
    ours, others = await shelf.onboarded(), await shelf.onboarded(project="other")
    found = await shelf.catalogue.find(PROJECT, "router-1")
    assert (found.id, found.vnfd_id, found.vnf_provider, found.vnf_product_name) == (
        ours,
        "router-1",
        "Acme",
        "Router",
    )
    assert (found.vnf_software_version, found.vnfd_version) == ("2.0", "1.0")
    assert found.checksum == hashlib.sha256(package()).hexdigest()
    assert (await shelf.catalogue.find("other", "router-1")).id == others
    for project, vnfd in ((PROJECT, "router-2"), ("third", "router-1")):
        with pytest.raises(Unprocessable) as caught:
            await shelf.catalogue.find(project, vnfd)
        assert caught.value.code == "package-not-found"


async def test_a_disabled_package_is_not_given_to_new_instances(store: Store, tmp_path: Path) -> None:
    shelf = Shelf(store, tmp_path / "data")
    id = await shelf.onboarded()
    await shelf.catalogue.modify(PROJECT, id, DISABLED)
    with pytest.raises(Unprocessable) as caught:
        await shelf.catalogue.find(PROJECT, "router-1")
    assert (caught.value.code, caught.value.resource) == ("package-disabled", id)
    with pytest.raises(Unprocessable) as caught:
        await store.write(lambda tx: shelf.catalogue.hold(tx, id), PROJECT)
    assert caught.value.code == "package-disabled"
    assert (await shelf.catalogue.vnfd(id)).descriptor_id == "router-1"
    await shelf.catalogue.modify(PROJECT, id, ENABLED)
    await store.write(lambda tx: shelf.catalogue.hold(tx, id), PROJECT)


async def test_a_package_that_failed_is_not_found(shelf: Shelf) -> None:
    await shelf.uploaded(package({IMAGE: None}))
    with pytest.raises(Unprocessable):
        await shelf.catalogue.find(PROJECT, "router-1")


async def test_a_descriptor_is_read_once_for_all_who_ask_for_it(sqlite_store: Store, tmp_path: Path) -> None:
    storage = CountingStorage(tmp_path / "data", reserve=0)
    id = await Shelf(sqlite_store, tmp_path / "data").onboarded()
    shelf = Shelf(sqlite_store, tmp_path / "data", storage=storage)
    first, *others = await asyncio.gather(*(shelf.catalogue.vnfd(id) for _ in range(10)))
    assert first.product_name == "Router"
    assert all(other is first for other in others)
    assert storage.opened == 1
    shelf.file_of(id).unlink()
    assert await shelf.catalogue.vnfd(id) is first


async def test_digests_are_of_every_file(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    assert await shelf.catalogue.digests(id) == {
        name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in files_of().items()
    }


async def test_contents_are_the_files_that_are_asked_for(shelf: Shelf) -> None:
    id = await shelf.onboarded(package({BOOT: b"#!/bin/sh\n"}))
    found = await shelf.catalogue.contents(id, [BOOT, "ChangeLog.txt", BOOT])
    assert found == {BOOT: b"#!/bin/sh\n", "ChangeLog.txt": b"first\n"}
    assert await shelf.catalogue.contents(id, []) == {}


@pytest.mark.parametrize("path", ["Files/none", "", "../packages", "Files", "/etc/passwd"])
async def test_a_file_that_is_not_in_the_package_is_told(shelf: Shelf, path: str) -> None:
    id = await shelf.onboarded()
    for wanted in (shelf.catalogue.contents(id, [path]), shelf.catalogue.fetch(f"{id}/{path}")):
        with pytest.raises(Unprocessable) as caught:
            await wanted
        assert (caught.value.code, caught.value.resource) == ("artifact-missing", id)


async def test_a_file_too_large_to_be_read_whole_is_fetched_only(shelf: Shelf) -> None:
    large = bytes(9 * 2**20)
    id = await shelf.onboarded(package({BOOT: large}))
    with pytest.raises(Unprocessable) as caught:
        await shelf.catalogue.contents(id, [BOOT])
    assert caught.value.code == "artifact-too-large"
    assert (await shelf.catalogue.fetch(f"{id}/{BOOT}")).read_bytes() == large


async def test_a_file_is_taken_out_once_for_all_packages_that_have_it(sqlite_store: Store, tmp_path: Path) -> None:
    storage = CountingStorage(tmp_path / "data", reserve=0)
    ids = [
        await Shelf(sqlite_store, tmp_path / "data").onboarded(package(vnfd_id=f"router-{number}")) for number in (1, 2)
    ]
    shelf = Shelf(sqlite_store, tmp_path / "data", storage=storage)
    paths = await asyncio.gather(*(shelf.catalogue.fetch(f"{id}/{IMAGE}") for id in ids for _ in range(5)))
    assert {path.read_bytes() for path in paths} == {b"content of " + IMAGE.encode()}
    assert len(set(paths)) == 1
    assert storage.opened == 1
    assert [name for name in shelf.stored() if name.startswith("artifacts")] == [f"artifacts/{paths[0].name}"]
    paths[0].unlink()
    assert (await shelf.catalogue.fetch(f"{ids[0]}/{IMAGE}")).exists()


async def test_fetching_by_several_processes_at_once_gives_whole_files(sqlite_store: Store, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096
    id = await Shelf(sqlite_store, tmp_path / "data").onboarded(package({BOOT: content}))
    shelves = [Shelf(sqlite_store, tmp_path / "data") for _ in range(8)]
    paths = await asyncio.gather(*(shelf.catalogue.fetch(f"{id}/{BOOT}") for shelf in shelves))
    assert {path.read_bytes() for path in paths} == {content}
    assert len([name for name in shelves[0].stored() if name.startswith("artifacts")]) == 1


async def test_who_goes_away_while_a_file_is_taken_out_takes_it_from_nobody(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    impatient = asyncio.create_task(shelf.catalogue.fetch(f"{id}/{IMAGE}"))
    patient = asyncio.create_task(shelf.catalogue.fetch(f"{id}/{IMAGE}"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).exists()


def gone(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def overwritten(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def altered(path: Path) -> None:
    content = path.read_bytes()
    for old, new in ((b"content of " + IMAGE.encode(), b"CONTENT"), (b"vnf_product_name", b"VNF"), (b"Acme", b"acme")):
        content = content.replace(old, new + old[len(new) :])
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [gone, truncated, overwritten, altered])
async def test_a_package_whose_file_is_damaged_concerns_itself_only(
    sqlite_store: Store, tmp_path: Path, damage: object
) -> None:
    before = Shelf(sqlite_store, tmp_path / "data")
    bad, good = await before.onboarded(), await before.onboarded(package(vnfd_id="router-2"))
    assert callable(damage)
    damage(before.file_of(bad))
    shelf = Shelf(sqlite_store, tmp_path / "data")
    await shelf.catalogue.recover()
    for reading in (
        shelf.catalogue.vnfd(bad),
        shelf.catalogue.contents(bad, [IMAGE]),
        shelf.catalogue.fetch(f"{bad}/{IMAGE}"),
    ):
        with pytest.raises(Quarantined) as caught:
            await reading
        assert (caught.value.code, caught.value.resource) == ("package-file-missing", bad)
        assert caught.value.remedy
    assert (await shelf.catalogue.show(PROJECT, bad)).onboarding_state == "ONBOARDED"
    assert (await shelf.catalogue.vnfd(good)).descriptor_id == "router-2"
    assert (await shelf.catalogue.fetch(f"{good}/{IMAGE}")).exists()
    assert not [name for name in shelf.stored() if ".incoming" in name]


async def test_a_file_that_is_put_back_is_read_again(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    path = shelf.file_of(id)
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(Quarantined):
        await shelf.catalogue.vnfd(id)
    path.write_bytes(content)
    assert (await shelf.catalogue.vnfd(id)).descriptor_id == "router-1"


async def test_a_package_that_is_not_onboarded_has_nothing_to_read(shelf: Shelf) -> None:
    for id in (await shelf.created(), "none", ""):
        for reading in (shelf.catalogue.vnfd(id), shelf.catalogue.digests(id), shelf.catalogue.fetch(f"{id}/{IMAGE}")):
            with pytest.raises(FairleadError) as caught:
                await reading
            assert caught.value.code == "package-file-missing"
