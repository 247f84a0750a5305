"""Packages in an object store: moto's server stands for it, and a proxy before it for a bad day."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import botocore.session
import pytest
from aiohttp import web
from moto.server import ThreadedMotoServer

from fairlead.clock import SteppedClock
from fairlead.errors import FairleadError, StorageFull, StorageUnavailable
from fairlead.packages.s3 import S3Access, S3Storage
from fairlead.packages.storage import new_key
from fairlead.store import Store
from tests.packages.dying import BUCKET, dies, s3_storage
from tests.packages.shelf import DISABLED, IMAGE, PROJECT, Shelf, in_chunks, package

LARGE = random.Random(1).randbytes(20 * 2**20)
BEYOND_UPLOADING = 46


class Bucket:
    """A bucket of its own for each test."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.name = endpoint, f"packages-{uuid.uuid4().hex[:12]}"
        self.address = f"{endpoint}/{self.name}"
        self._client = botocore.session.Session().create_client(
            "s3", region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
        )
        self._client.create_bucket(Bucket=self.name)

    def objects(self) -> list[str]:
        return [one["Key"] for one in self._client.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def uploads(self) -> list[str]:
        """Uploads in parts that nobody has finished or given up."""
        return [one["Key"] for one in self._client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())]

    def empty(self) -> bool:
        return self.objects() == self.uploads() == []

    def write(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.name, Key=name, Body=content)

    def read(self, name: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self.name, Key=name)["Body"].read())


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto: str) -> Bucket:
    return Bucket(moto)


def shelf_on(store: Store, data: Path, address: str, **more: Any) -> Shelf:
    return Shelf(store, data, storage=s3_storage(address, data, read_timeout=2.0, attempts=2), **more)


@pytest.fixture
def shelf(sqlite_store: Store, tmp_path: Path, bucket: Bucket) -> Shelf:
    return shelf_on(sqlite_store, tmp_path / "data", bucket.address)


Fault = Callable[[web.BaseRequest, int], str | None]
"""What is done to a request, given its number: "down", "500", "507", "lost" (done and not answered), "cut" (half of the
answer), or nothing."""


@contextlib.asynccontextmanager
async def troubled(bucket: Bucket, fault: Fault) -> AsyncIterator[str]:
    """The address of the bucket behind a proxy that has faults."""
    number = 0

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal number
        number += 1
        trouble = fault(request, number)
        assert request.transport is not None
        body = await request.content.read()
        if trouble in ("500", "507"):
            return web.Response(status=int(trouble))
        if trouble != "down":
            headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
            url = bucket.endpoint + request.raw_path if request.raw_path.startswith("/") else request.raw_path
            async with (
                aiohttp.ClientSession(auto_decompress=False) as session,
                session.request(request.method, url, data=body, headers=headers) as answer,
            ):
                content = await answer.read()
                shown = {name: value for name, value in answer.headers.items() if name.lower() != "transfer-encoding"}
                if trouble is None:
                    return web.Response(status=answer.status, body=content, headers=shown)
                if trouble == "cut":
                    half = web.StreamResponse(status=answer.status, headers=shown)
                    await half.prepare(request)
                    await half.write(content[: len(content) // 2])
        request.transport.abort()
        raise ConnectionError

    runner = web.ServerRunner(web.Server(serve), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/{bucket.name}"
    finally:
        await runner.cleanup()


async def test_a_package_lives_and_goes_in_a_bucket(shelf: Shelf, bucket: Bucket) -> None:
    content = package()
    ours, theirs = await shelf.onboarded(content), await shelf.onboarded(content, project="other")
    [name] = bucket.objects()
    assert bucket.read(name) == content
    assert shelf.stored() == []
    assert (await shelf.catalogue.vnfd(ours)).descriptor_id == "router-1"
    assert (await shelf.catalogue.fetch(f"{ours}/{IMAGE}")).read_bytes() == b"content of " + IMAGE.encode()
    for id, project in ((ours, PROJECT), (theirs, "other")):
        assert bucket.objects() == [name]
        await shelf.catalogue.modify(project, id, DISABLED)
        await shelf.catalogue.delete(project, id)
    assert bucket.empty()


async def test_a_large_package_goes_in_parts_and_comes_in_ranges(shelf: Shelf, bucket: Bucket) -> None:
    content = package({"Files/large": LARGE})
    id = await shelf.onboarded(content)
    assert (len(bucket.objects()), bucket.uploads()) == (1, [])
    download = await shelf.catalogue.content(PROJECT, id)
    assert b"".join([part async for part in await download.open()]) == content
    assert b"".join([part async for part in await download.open(10_000_000, 10_000_010)]) == content[10**7 : 10**7 + 10]
    artifact = await shelf.catalogue.artifact(PROJECT, id, "Files/large", signatures=False)
    assert b"".join([part async for part in await artifact.open()]) == LARGE


async def test_a_file_in_a_bucket_is_read_at_any_place(bucket: Bucket, tmp_path: Path) -> None:
    storage = s3_storage(bucket.address, tmp_path)
    key = new_key()
    bucket.write(f"{key}.csar", LARGE)
    chance = random.Random(2)
    with storage.open(key) as file:
        for _ in range(30):
            at, size = chance.randrange(len(LARGE) + 10), chance.choice((1, 100, 10**6, 5 * 10**6))
            assert file.seek(at) == at
            assert file.read(size) == LARGE[at : at + size]
        assert file.seek(-5, 2) == len(LARGE) - 5
        assert (file.read(), file.read(), file.tell()) == (LARGE[-5:], b"", len(LARGE))
    with pytest.raises(FileNotFoundError):
        storage.open(new_key())


async def test_an_upload_that_breaks_off_leaves_no_parts(shelf: Shelf, bucket: Bucket) -> None:
    id = await shelf.created()

    async def broken() -> AsyncIterator[bytes]:
        yield LARGE
        assert bucket.uploads()
        raise ConnectionError("gone")

    with pytest.raises(FairleadError):
        await shelf.catalogue.upload(PROJECT, id, broken())
    assert bucket.empty()
    assert (await shelf.uploaded(package(), id)).onboarding_state == "ONBOARDED"


async def test_a_refused_package_leaves_nothing(shelf: Shelf, bucket: Bucket) -> None:
    assert (await shelf.uploaded(LARGE)).onboarding_state == "ERROR"
    assert bucket.empty()


@pytest.mark.parametrize("trouble", ["500", "lost", "down"])
async def test_each_call_may_fail_once(sqlite_store: Store, tmp_path: Path, bucket: Bucket, trouble: str) -> None:
    failed: set[tuple[str, str]] = set()

    def once(request: web.BaseRequest, _number: int) -> str | None:
        call = (request.method, str(sorted(request.query)))
        first = call not in failed
        failed.add(call)
        return trouble if first else None

    async with troubled(bucket, once) as address:
        shelf = shelf_on(sqlite_store, tmp_path / "data", address)
        id = await shelf.onboarded(package({"Files/large": LARGE}))
        assert (len(bucket.objects()), bucket.uploads()) == (1, [])
        assert (await shelf.catalogue.vnfd(id)).descriptor_id == "router-1"
        await shelf.catalogue.modify(PROJECT, id, DISABLED)
        await shelf.catalogue.delete(PROJECT, id)
    assert len(failed) >= 7
    assert bucket.empty()


async def test_an_answer_that_is_cut_off_is_asked_for_again(
    sqlite_store: Store, tmp_path: Path, bucket: Bucket
) -> None:
    cut: list[str] = []

    def once(request: web.BaseRequest, _number: int) -> str | None:
        asked = request.headers.get("Range", "")
        if request.method != "GET" or not asked or asked in cut:
            return None
        cut.append(asked)
        return "cut"

    async with troubled(bucket, once) as address:
        shelf = shelf_on(sqlite_store, tmp_path / "data", address)
        await shelf.onboarded(package({"Files/large": LARGE}))
    assert len(cut) > 3


@pytest.mark.parametrize(
    ("trouble", "error"), [("down", StorageUnavailable), ("500", StorageUnavailable), ("507", StorageFull)]
)
async def test_a_store_that_does_not_take_an_upload_is_told_and_the_upload_can_be_repeated(
    sqlite_store: Store, tmp_path: Path, bucket: Bucket, trouble: str, error: type[FairleadError]
) -> None:
    well = False

    def ill(request: web.BaseRequest, _number: int) -> str | None:
        return None if well or "uploads" in request.query else trouble

    async with troubled(bucket, ill) as address:
        shelf = shelf_on(sqlite_store, tmp_path / "data", address)
        id = await shelf.created()
        for content in (package(), LARGE):
            with pytest.raises(error) as caught:
                await shelf.catalogue.upload(PROJECT, id, in_chunks(content, 10**6))
            assert caught.value.cause
            assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "CREATED"
        well = True
        await shelf.catalogue.recover()
        assert bucket.empty()
        assert (await shelf.uploaded(package(), id)).onboarding_state == "ONBOARDED"


async def test_a_store_that_goes_away_after_an_upload_is_waited_for(
    sqlite_store: Store, tmp_path: Path, bucket: Bucket
) -> None:
    well, asked = True, asyncio.Event()

    def ill(_request: web.BaseRequest, _number: int) -> str | None:
        if not well:
            asked.set()
        return None if well else "down"

    async with troubled(bucket, ill) as address:
        clock = SteppedClock()
        shelf = shelf_on(sqlite_store, tmp_path / "data", address, clock=clock)
        id = await shelf.created()
        original = shelf.catalogue._intake._read

        async def after(package: str) -> Any:
            nonlocal well
            well = False
            return await original(package)

        shelf.catalogue._intake._read = after  # type: ignore[method-assign]
        await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
        await asked.wait()
        assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "PROCESSING"
        well = True
        while shelf.catalogue._intake._tasks:
            clock.step(1.0)
            await asyncio.sleep(0.01)
        assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"
        well = False
        fresh = shelf_on(sqlite_store, tmp_path / "data", address)
        with pytest.raises(StorageUnavailable):
            await fresh.catalogue.vnfd(id)
        with pytest.raises(StorageUnavailable):
            await (await fresh.catalogue.content(PROJECT, id)).open()
        well = True
        assert (await fresh.catalogue.vnfd(id)).descriptor_id == "router-1"


async def test_a_file_that_a_store_could_not_delete_is_deleted_later(
    sqlite_store: Store, tmp_path: Path, bucket: Bucket
) -> None:
    well = True
    async with troubled(bucket, lambda _request, _number: None if well else "down") as address:
        shelf = shelf_on(sqlite_store, tmp_path / "data", address)
        id = await shelf.onboarded()
        await shelf.catalogue.modify(PROJECT, id, DISABLED)
        well = False
        await shelf.catalogue.delete(PROJECT, id)
        assert len(bucket.objects()) == 1
        well = True
        await shelf.catalogue.recover()
    assert bucket.empty()


async def test_a_bucket_that_is_not_there_is_told(sqlite_store: Store, tmp_path: Path, moto: str) -> None:
    shelf = shelf_on(sqlite_store, tmp_path / "data", f"{moto}/no-such-bucket")
    id = await shelf.created()
    with pytest.raises(FairleadError) as caught:
        await shelf.catalogue.upload(PROJECT, id, in_chunks(package()))
    assert caught.value.code == "package-storage-failed"
    assert "NoSuchBucket" in (caught.value.cause or "")


def test_nothing_is_asked_of_a_store_before_it_is_needed(tmp_path: Path) -> None:
    S3Storage(tmp_path, S3Access(bucket="none", endpoint="http://127.0.0.1:1"))


@pytest.mark.crash
@pytest.mark.parametrize("point", range(0, BEYOND_UPLOADING + 1, 3))
async def test_a_process_that_dies_uploading_leaves_no_parts_or_a_package(
    shelf: Shelf, bucket: Bucket, point: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, BUCKET, bucket.address)
    id = await shelf.created()
    content = package({"Files/large": LARGE})
    await dies(str(shelf.store.url), shelf.data, "upload", id, point, content)
    await shelf.catalogue.recover()
    await shelf.catalogue.idle()
    if (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED":
        [name] = bucket.objects()
        assert bucket.read(name) == content
        assert bucket.uploads() == []
    else:
        assert bucket.empty()
        assert (await shelf.uploaded(content, id)).onboarding_state == "ONBOARDED"
    await shelf.catalogue.modify(PROJECT, id, DISABLED)
    await shelf.catalogue.delete(PROJECT, id)
    assert bucket.empty()
