"""A process that dies while it takes a package in or deletes one: what the next start makes of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from fairlead.errors import Conflict, NotFound
from fairlead.packages import LocalStorage
from fairlead.store import Store
from tests.packages.dying import dies
from tests.packages.shelf import DISABLED, IMAGE, PROJECT, Shelf, in_chunks, package

BEYOND_UPLOADING = 24
BEYOND_DELETING = 6
BEYOND_RECOVERING = 10
"""The first points that are not met any more: each loop goes that far, and says so if there have come to be more."""


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "data")


@pytest.fixture
def reopened(open_store: Callable[[], Store], tmp_path: Path) -> Callable[[], Shelf]:
    """The catalogue as another process has it."""
    return lambda: Shelf(open_store(), tmp_path / "data")


@pytest.mark.crash
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("content", [package(), b"no package"], ids=["right", "wrong"])
@pytest.mark.parametrize("point", range(BEYOND_UPLOADING + 1))
async def test_a_package_whose_process_died_is_onboarded_or_can_be_uploaded_again(
    shelf: Shelf, reopened: Callable[[], Shelf], store_url: str, point: int, content: bytes
) -> None:
    id = await shelf.created()
    died = await dies(store_url, shelf.data, "upload", id, point, content)
    assert not died or point < BEYOND_UPLOADING
    after = reopened()
    await after.catalogue.recover()
    await after.catalogue.idle()
    info = await after.catalogue.show(PROJECT, id)
    if info.onboarding_state == "ONBOARDED":
        assert (await after.catalogue.vnfd(id)).descriptor_id == "router-1"
    else:
        assert info.onboarding_state in ("CREATED", "ERROR")
        assert after.stored() == []
        assert (await after.uploaded(package(), id)).onboarding_state == "ONBOARDED"
    assert {(name, 1) for name in after.stored()} == after.kept()
    assert after.file_of(id).is_file()
    assert (await after.told(id)).count("package.onboarded") == 1


@pytest.mark.crash
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", range(BEYOND_DELETING + 1))
async def test_a_removal_that_was_cut_off_is_finished_at_the_next_start(
    shelf: Shelf, reopened: Callable[[], Shelf], store_url: str, point: int
) -> None:
    id = await shelf.onboarded()
    await shelf.catalogue.fetch(f"{id}/{IMAGE}")
    await shelf.catalogue.modify(PROJECT, id, DISABLED)
    died = await dies(store_url, shelf.data, "delete", id, point)
    assert not died or point < BEYOND_DELETING
    after = reopened()
    after.clock.step(8 * 86400)
    await after.catalogue.recover()
    try:
        await after.catalogue.show(PROJECT, id)
    except NotFound:
        assert after.stored() == []
    else:
        assert (await after.catalogue.vnfd(id)).descriptor_id == "router-1"
        await after.catalogue.delete(PROJECT, id)
        assert after.stored() == []


@pytest.mark.crash
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", range(BEYOND_RECOVERING + 1))
async def test_a_start_that_dies_while_it_recovers_is_made_good_by_the_next(
    shelf: Shelf, reopened: Callable[[], Shelf], store_url: str, point: int
) -> None:
    """The first process dies with the package stored and not read, the second somewhere in its recovery."""
    id = await shelf.created()
    await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    await shelf.catalogue.stop()
    died = await dies(store_url, shelf.data, "recover", id, point)
    assert not died or point < BEYOND_RECOVERING
    after = reopened()
    await after.catalogue.recover()
    await after.catalogue.idle()
    assert (await after.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"
    assert (await after.told(id)).count("package.onboarded") == 1


async def test_stopping_leaves_onboarding_to_the_next_start(shelf: Shelf, reopened: Callable[[], Shelf]) -> None:
    id = await shelf.created()
    await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    await shelf.catalogue.stop()
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "PROCESSING"
    with pytest.raises(Conflict):
        await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    after = reopened()
    await after.catalogue.recover()
    await after.catalogue.idle()
    assert (await after.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"


async def test_what_another_process_works_on_is_left_to_it(shelf: Shelf, reopened: Callable[[], Shelf]) -> None:
    id = await shelf.created()
    waiting, go_on = asyncio.Event(), asyncio.Event()
    content = package()

    async def chunks() -> object:
        yield content[:1000]
        waiting.set()
        await go_on.wait()
        yield content[1000:]

    upload = asyncio.create_task(shelf.catalogue.upload(PROJECT, id, chunks()))  # type: ignore[arg-type]
    await waiting.wait()
    other = reopened()
    await other.catalogue.recover()
    assert (await other.catalogue.show(PROJECT, id)).onboarding_state == "UPLOADING"
    go_on.set()
    await upload
    await shelf.catalogue.idle()
    assert (await other.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"


async def test_a_package_that_ends_the_process_each_time_is_given_up(
    store: Store, tmp_path: Path, reopened: Callable[[], Shelf]
) -> None:
    class NeverRead(LocalStorage):
        """Stands for a package that cannot be read to its end: the process is stopped before that."""

        def __init__(self) -> None:
            super().__init__(tmp_path / "data", reserve=0)
            self.reading, self.go_on = threading.Event(), threading.Event()

        def open(self, key: str) -> IO[bytes]:
            self.reading.set()
            self.go_on.wait()
            return super().open(key)

    shelf = Shelf(store, tmp_path / "data")
    id = await shelf.created()
    await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    await shelf.catalogue.stop()
    for _ in range(5):
        storage = NeverRead()
        restarted = Shelf(store, tmp_path / "data", storage=storage)
        await restarted.catalogue.recover()
        await asyncio.to_thread(storage.reading.wait)
        stopping = asyncio.create_task(restarted.catalogue.stop())
        await asyncio.sleep(0)
        storage.go_on.set()
        await stopping
        assert (await restarted.catalogue.show(PROJECT, id)).onboarding_state == "PROCESSING"
    last = reopened()
    await last.catalogue.recover()
    info = await last.catalogue.show(PROJECT, id)
    assert info.onboarding_state == "ERROR"
    assert info.onboarding_failure_details is not None
    assert info.onboarding_failure_details.code == "onboarding-given-up"
    assert last.stored() == []
    assert (await last.uploaded(package(), id)).onboarding_state == "ONBOARDED"


async def test_a_package_whose_file_went_before_it_was_read_fails_and_can_be_uploaded_again(
    shelf: Shelf, reopened: Callable[[], Shelf]
) -> None:
    id = await shelf.created()
    await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    await shelf.catalogue.stop()
    shelf.file_of(id).unlink()
    after = reopened()
    await after.catalogue.recover()
    await after.catalogue.idle()
    info = await after.catalogue.show(PROJECT, id)
    assert info.onboarding_failure_details is not None
    assert info.onboarding_failure_details.code == "package-storage-failed"
    assert (await after.uploaded(package(), id)).onboarding_state == "ONBOARDED"


async def test_files_that_no_row_names_are_left_alone(shelf: Shelf) -> None:
    """A data directory beside a fresh database may be somebody's last copy."""
    stray = shelf.data / "packages" / "5c7a3c1e-0000-4000-8000-000000000000.csar"
    stray.write_bytes(b"somebody's")
    await shelf.catalogue.recover()
    assert stray.exists()
