"""Uploads: streamed, checked, repeatable, one at a time, and never seen half."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fairlead.errors import BadRequest, Conflict, FairleadError, StorageFull, TooLarge
from fairlead.packages import LocalStorage
from fairlead.sol import VnfPkgInfo
from fairlead.store import Store
from tests.packages.shelf import DISABLED, IMAGE, PROJECT, Shelf, files_of, in_chunks, package, sealed, zipped
from tests.support.waiting import until


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "data")


class Sender:
    """An upload whose sender goes on when the test says so."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.waiting = False
        self.go_on = asyncio.Event()
        self.error: Exception | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        half = len(self.content) // 2
        yield self.content[:half]
        self.waiting = True
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        yield self.content[half:]


def problems(info: VnfPkgInfo) -> list[str]:
    failure = info.onboarding_failure_details
    assert failure is not None
    return [f"{one['file']}:{one['line']}:{one['column']} {one['code']}" for one in failure.problems]


async def test_an_upload_goes_through_all_states_and_its_events_tell(shelf: Shelf) -> None:
    content = package()
    info = await shelf.uploaded(content)
    assert (info.onboarding_state, info.operational_state) == ("ONBOARDED", "ENABLED")
    assert info.checksum is not None
    assert (info.checksum.algorithm, info.checksum.hash) == ("SHA-256", hashlib.sha256(content).hexdigest())
    assert shelf.stored() == [f"packages/{shelf.file_of(info.id).name}"]
    told = [(event.type, event.data["onboardingState"]) for event in await shelf.events.read(PROJECT)]
    assert told == [
        ("package.created", "CREATED"),
        ("package.changed", "UPLOADING"),
        ("package.uploaded", "PROCESSING"),
        ("package.onboarded", "ONBOARDED"),
    ]


async def test_a_large_upload_is_not_held_in_memory(sqlite_store: Store, tmp_path: Path) -> None:
    shelf = Shelf(sqlite_store, tmp_path / "data")
    id = await shelf.created()
    block = bytes(range(256)) * 256

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield block

    tracemalloc.start()
    try:
        await shelf.catalogue.upload(PROJECT, id, chunks())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await shelf.catalogue.idle()
    assert peak < 8 * 2**20
    assert problems(await shelf.catalogue.show(PROJECT, id)) == [f"{id}.csar:0:0 not-a-zip"]


async def test_every_mistake_of_a_package_is_told_with_its_place(shelf: Shelf) -> None:
    vnfd = files_of()["Definitions/vnfd.yaml"].replace(b"vdu_profile: {", b"vdu_profil: {")
    vnfd = vnfd.replace(b"- virtual_storage: disk", b"- virtual_storage: disc")
    info = await shelf.uploaded(package({"Definitions/vnfd.yaml": vnfd}))
    assert (info.onboarding_state, info.operational_state) == ("ERROR", "DISABLED")
    failure = info.onboarding_failure_details
    assert failure is not None
    assert (failure.status, failure.code) == (422, "package-refused")
    by_code = {one["code"]: one for one in failure.problems}
    assert {"unknown-property", "dangling-reference"} <= by_code.keys()
    misspelt = by_code["unknown-property"]
    assert misspelt["file"] == "Definitions/vnfd.yaml"
    assert misspelt["line"] == vnfd[: vnfd.index(b"vdu_profil:")].count(b"\n") + 1
    assert "vdu_profile" in misspelt["hint"]
    assert info.checksum is None
    assert shelf.stored() == []
    assert (await shelf.told(info.id))[-1] == "package.failed"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-zip"),
        (b"this is not a zip archive", "not-a-zip"),
        (package()[:-400], "not-a-zip"),
        (package({IMAGE: b"another image", "vnfd.mf": files_of()["vnfd.mf"]}), "wrong-digest"),
        (zipped({**files_of(), "../outside": b"x"}), "bad-path"),
        (zipped({"readme.txt": b"no package"}), "no-entry"),
    ],
    ids=["empty", "no-zip", "truncated", "wrong-digest", "bad-path", "no-descriptor"],
)
async def test_a_broken_package_is_refused(shelf: Shelf, content: bytes, code: str) -> None:
    info = await shelf.uploaded(content)
    assert info.onboarding_state == "ERROR"
    assert code in " ".join(problems(info))
    assert shelf.stored() == []


async def test_an_image_that_is_not_the_one_of_its_checksum_is_refused(shelf: Shelf) -> None:
    files = files_of()
    wrong = files["Definitions/vnfd.yaml"].replace(hashlib.sha256(files[IMAGE]).hexdigest().encode(), b"0" * 64)
    info = await shelf.uploaded(zipped(sealed({**files, "Definitions/vnfd.yaml": wrong})))
    assert info.onboarding_state == "ERROR"
    [problem] = [each for each in problems(info) if each.endswith(" wrong-checksum")]
    assert problem.startswith("Definitions/vnfd.yaml:")


async def test_after_an_error_the_upload_is_repeated(shelf: Shelf) -> None:
    id = (await shelf.uploaded(b"nothing")).id
    info = await shelf.uploaded(package(), id)
    assert (info.onboarding_state, info.onboarding_failure_details) == ("ONBOARDED", None)
    with pytest.raises(Conflict) as caught:
        await shelf.uploaded(package(), id)
    assert caught.value.code == "package-state"
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"


@pytest.mark.parametrize("failed_before", [False, True])
async def test_an_interrupted_upload_puts_the_package_back(shelf: Shelf, failed_before: bool) -> None:
    id = (await shelf.uploaded(b"nothing")).id if failed_before else await shelf.created()
    before = await shelf.catalogue.show(PROJECT, id)
    sender = Sender(package())
    sender.error = BadRequest("The client went away.", code="upload-interrupted")
    sender.go_on.set()
    with pytest.raises(BadRequest) as caught:
        await shelf.catalogue.upload(PROJECT, id, sender.chunks())
    assert caught.value.code == "upload-interrupted"
    assert await shelf.catalogue.show(PROJECT, id) == before
    assert shelf.stored() == []
    assert (await shelf.uploaded(package(), id)).onboarding_state == "ONBOARDED"


async def test_a_cancelled_upload_puts_the_package_back(shelf: Shelf) -> None:
    id = await shelf.created()
    sender = Sender(package())
    upload = asyncio.create_task(shelf.catalogue.upload(PROJECT, id, sender.chunks()))
    await until(lambda: sender.waiting)
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "UPLOADING"
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    await shelf.catalogue.idle()
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "CREATED"
    assert shelf.stored() == []


async def test_a_sender_that_falls_silent_loses_its_upload(shelf: Shelf) -> None:
    id = await shelf.created()
    sender = Sender(package())
    upload = asyncio.create_task(shelf.catalogue.upload(PROJECT, id, sender.chunks()))
    await until(lambda: sender.waiting)
    while not upload.done():
        shelf.clock.step(60)
        await asyncio.sleep(0)
    with pytest.raises(BadRequest) as caught:
        await upload
    assert caught.value.code == "upload-stalled"
    assert (await shelf.uploaded(package(), id)).onboarding_state == "ONBOARDED"


async def test_of_uploads_at_once_one_is_taken(shelf: Shelf) -> None:
    id = await shelf.created()
    sender = Sender(package())
    first = asyncio.create_task(shelf.catalogue.upload(PROJECT, id, sender.chunks()))
    await until(lambda: sender.waiting)
    for _ in range(5):
        with pytest.raises(Conflict) as caught:
            await shelf.catalogue.upload(PROJECT, id, in_chunks(b"another"))
        assert caught.value.code == "package-state"
    with pytest.raises(Conflict):
        await shelf.catalogue.delete(PROJECT, id)
    sender.go_on.set()
    await first
    await shelf.catalogue.idle()
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"


async def test_of_twenty_uploads_at_once_to_two_processes_one_is_taken(
    open_store: Callable[[], Store], tmp_path: Path
) -> None:
    shelves = [Shelf(open_store(), tmp_path / "data") for _ in range(2)]
    id = await shelves[0].created()
    outcomes = await asyncio.gather(
        *(shelves[n % 2].catalogue.upload(PROJECT, id, in_chunks(package())) for n in range(20)), return_exceptions=True
    )
    for shelf in shelves:
        await shelf.catalogue.idle()
    assert outcomes.count(None) == 1
    assert {type(each) for each in outcomes} == {type(None), Conflict}
    assert (await shelves[0].told(id)).count("package.onboarded") == 1


async def test_a_vnfd_is_onboarded_once_in_each_project(shelf: Shelf) -> None:
    first = await shelf.onboarded()
    await shelf.onboarded(project="other")
    info = await shelf.uploaded(package())
    failure = info.onboarding_failure_details
    assert failure is not None
    assert (info.onboarding_state, failure.status, failure.code) == ("ERROR", 409, "vnfd-id-taken")
    assert first in failure.detail
    await shelf.catalogue.modify(PROJECT, first, DISABLED)
    await shelf.catalogue.delete(PROJECT, first)
    assert (await shelf.uploaded(package(), info.id)).onboarding_state == "ONBOARDED"


async def test_of_packages_with_one_vnfd_at_once_one_is_onboarded(
    open_store: Callable[[], Store], tmp_path: Path
) -> None:
    shelves = [Shelf(open_store(), tmp_path / "data") for _ in range(3)]
    infos = await asyncio.gather(*(shelf.uploaded(package()) for shelf in shelves for _ in range(2)))
    for shelf in shelves:
        await shelf.catalogue.idle()
    shown = [await shelves[0].catalogue.show(PROJECT, info.id) for info in infos]
    assert sorted(info.onboarding_state for info in shown) == ["ERROR"] * 5 + ["ONBOARDED"]
    codes = {info.onboarding_failure_details.code for info in shown if info.onboarding_failure_details}
    assert codes == {"vnfd-id-taken"}


async def test_an_upload_beyond_the_limit_is_ended(store: Store, tmp_path: Path) -> None:
    shelf = Shelf(store, tmp_path / "data", upload_limit=5000)
    id = await shelf.created()
    with pytest.raises(TooLarge):
        await shelf.catalogue.upload(PROJECT, id, in_chunks(bytes(5001)))
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "CREATED"
    assert shelf.stored() == []


async def test_a_disk_that_is_full_ends_an_upload_and_says_so(store: Store, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shelf = Shelf(store, data, storage=LocalStorage(data, reserve=2**62))
    id = await shelf.created()
    with pytest.raises(StorageFull) as caught:
        await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    assert (caught.value.status, caught.value.code) == (507, "storage-full")
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "CREATED"


async def test_a_storage_that_fails_ends_an_upload_and_says_so(shelf: Shelf) -> None:
    id = await shelf.created()
    (shelf.data / "packages" / ".incoming").rmdir()
    with pytest.raises(FairleadError) as caught:
        await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    assert (caught.value.code, caught.value.status) == ("package-storage-failed", 500)
    (shelf.data / "packages" / ".incoming").mkdir()
    assert (await shelf.uploaded(package(), id)).onboarding_state == "ONBOARDED"


@pytest.mark.parametrize("text", [b'"Rou\\0ter"', b'"Rou\\ud800ter"', b'"' + b"x" * 300 + b'"'])
async def test_text_that_cannot_be_stored_is_told_like_any_mistake(shelf: Shelf, text: bytes) -> None:
    files = files_of()
    vnfd = files["Definitions/vnfd.yaml"].replace(b"default: Acme", b"default: " + text).replace(b"router-1", text)
    info = await shelf.uploaded(zipped(sealed({**files, "Definitions/vnfd.yaml": vnfd})))
    assert info.onboarding_state == "ERROR"
    assert info.onboarding_failure_details is not None
    assert info.onboarding_failure_details.code == "package-refused"


async def test_mistakes_are_told_whatever_characters_they_are_of(shelf: Shelf) -> None:
    files = files_of()
    files["vnfd.mf"] += b"\nSource: a\0b\nAlgorithm: \0\nHash: \0\n"
    info = await shelf.uploaded(zipped(files))
    assert [one.split(" ")[1] for one in problems(info)] == ["digest-algorithm"]
