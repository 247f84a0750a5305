"""Packages with the same content, in one project or several: one file, which goes with the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.errors import NotFound
from fairlead.store import Store
from tests.packages.dying import dies
from tests.packages.shelf import DISABLED, PROJECT, Shelf, in_chunks, package

BEYOND_UPLOADING = 24
BEYOND_DELETING = 4


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "data")


async def deleted(shelf: Shelf, id: str, project: str = PROJECT) -> None:
    await shelf.catalogue.modify(project, id, DISABLED)
    await shelf.catalogue.delete(project, id)


async def test_the_same_content_is_stored_once_and_goes_with_its_last_package(shelf: Shelf) -> None:
    ours, theirs = await shelf.onboarded(), await shelf.onboarded(project="other")
    assert shelf.file_of(ours) == shelf.file_of(theirs)
    [stored] = shelf.stored()
    assert shelf.kept() == {(stored, 2)}
    await deleted(shelf, ours)
    assert shelf.stored() == [stored]
    assert (await shelf.catalogue.vnfd(theirs)).descriptor_id == "router-1"
    await deleted(shelf, theirs, "other")
    assert (shelf.stored(), shelf.kept()) == ([], set())


async def test_what_is_refused_leaves_the_content_to_those_who_have_it(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    again = await shelf.uploaded(package())
    assert again.onboarding_state == "ERROR"
    assert shelf.kept() == {(shelf.stored()[0], 1)}
    assert (await shelf.catalogue.vnfd(id)).descriptor_id == "router-1"


async def test_packages_with_one_content_at_once_share_one_file(
    open_store: Callable[[], Store], tmp_path: Path
) -> None:
    shelves = [Shelf(open_store(), tmp_path / "data") for _ in range(3)]
    infos = await asyncio.gather(*(shelves[n % 3].uploaded(package(), project=f"project-{n}") for n in range(9)))
    assert {info.onboarding_state for info in infos} == {"ONBOARDED"}
    [stored] = shelves[0].stored()
    assert shelves[0].kept() == {(stored, 9)}
    await asyncio.gather(*(deleted(shelves[n % 3], info.id, f"project-{n}") for n, info in enumerate(infos)))
    assert (shelves[0].stored(), shelves[0].kept()) == ([], set())


async def test_a_content_whose_file_is_gone_is_made_good_by_the_next_upload_of_it(shelf: Shelf) -> None:
    id = await shelf.onboarded()
    shelf.file_of(id).unlink()
    await shelf.onboarded(project="other")
    assert shelf.kept() == {(shelf.stored()[0], 2)}
    assert (await shelf.catalogue.vnfd(id)).descriptor_id == "router-1"


@pytest.mark.crash
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", range(BEYOND_UPLOADING + 1))
async def test_a_process_that_dies_taking_in_what_another_package_has_takes_it_from_nobody(
    shelf: Shelf, store_url: str, point: int
) -> None:
    theirs, id = await shelf.onboarded(project="other"), await shelf.created()
    died = await dies(store_url, shelf.data, "upload", id, point, package())
    assert not died or point < BEYOND_UPLOADING
    await shelf.catalogue.recover()
    await shelf.catalogue.idle()
    onboarded = (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"
    [stored] = shelf.stored()
    assert shelf.kept() == {(stored, 2 if onboarded else 1)}
    await deleted(shelf, theirs, "other")
    if onboarded:
        assert (await shelf.catalogue.vnfd(id)).descriptor_id == "router-1"
        await deleted(shelf, id)
    assert (shelf.stored(), shelf.kept()) == ([], set())


@pytest.mark.crash
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", range(BEYOND_DELETING + 1))
async def test_a_process_that_dies_deleting_one_of_two_leaves_the_other(
    shelf: Shelf, store_url: str, point: int
) -> None:
    theirs, id = await shelf.onboarded(project="other"), await shelf.onboarded()
    await shelf.catalogue.modify(PROJECT, id, DISABLED)
    died = await dies(store_url, shelf.data, "delete", id, point)
    assert not died or point < BEYOND_DELETING
    await shelf.catalogue.recover()
    try:
        await shelf.catalogue.show(PROJECT, id)
    except NotFound:
        users = 1
    else:
        users = 2
    assert shelf.kept() == {(shelf.stored()[0], users)}
    assert (await shelf.catalogue.vnfd(theirs)).descriptor_id == "router-1"


async def test_an_upload_that_was_thought_to_be_dead_does_not_write_over_the_next(shelf: Shelf, store: Store) -> None:
    """Its claim is lost, as on a database that was restarted; another upload has come in meanwhile."""
    id = await shelf.created()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> object:
        yield b"an older "
        began.set()
        await go_on.wait()
        yield b"content"

    old = asyncio.create_task(shelf.catalogue.upload(PROJECT, id, slow()))  # type: ignore[arg-type]
    await began.wait()
    (shelf.data / "packages" / ".locks" / id).unlink()
    other = Shelf(store, shelf.data)
    await other.catalogue.recover()
    await other.catalogue.upload(PROJECT, id, in_chunks(package()))
    await other.catalogue.idle()
    go_on.set()
    outcome = await asyncio.gather(old, return_exceptions=True)
    assert outcome[0] is not None
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"
    assert shelf.kept() == {(shelf.stored()[0], 1)}
