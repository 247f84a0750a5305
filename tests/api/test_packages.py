"""VNF package management over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.api.conftest import Api, problem
from tests.support.waiting import until

PACKAGES = "/vnfpkgm/v2/vnf_packages"
ZIP = {"Content-Type": "application/zip"}


async def create(api: Api) -> str:
    answer = await api.client().post(PACKAGES, json={"userDefinedData": {"a": 1}})
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def test_a_package_resource_is_created_with_or_without_a_body(api: Api) -> None:
    answer = await api.client().post(PACKAGES)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://fairlead.test{PACKAGES}/{answer.json()['id']}"
    assert answer.json()["onboardingState"] == "CREATED"
    package = await create(api)
    assert (await api.client().get(f"{PACKAGES}/{package}")).json()["userDefinedData"] == {"a": 1}


async def test_tackers_client_may_leave_the_version_out(api: Api) -> None:
    answer = await api.client(Version="").get(PACKAGES)
    problem(answer, 400, "version-malformed")
    client = api.client()
    del client.headers["Version"]
    answer = await client.get(PACKAGES)
    assert (answer.status_code, answer.headers["Version"]) == (200, "2.4.0")


async def test_a_package_is_modified_listed_and_deleted(api: Api) -> None:
    package = await create(api)
    changed = await api.client().patch(f"{PACKAGES}/{package}", json={"operationalState": "ENABLED"})
    assert (changed.status_code, changed.json()) == (200, {"operationalState": "ENABLED"})
    same = await api.client().patch(f"{PACKAGES}/{package}", json={"operationalState": "DISABLED"})
    problem(same, 409, "same-state")
    assert [one["id"] for one in (await api.client().get(PACKAGES)).json()] == [package]
    assert (await api.client().delete(f"{PACKAGES}/{package}")).status_code == 204
    problem(await api.client().get(f"{PACKAGES}/{package}"), 404, "package-not-found")


async def test_an_upload_goes_through_piece_by_piece(api: Api) -> None:
    package = await create(api)
    sent = 0

    async def content() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1 << 20
            yield b"x" * (1 << 20)

    ahead: list[int] = []
    api.catalogue.on_chunk = lambda total: ahead.append(sent - total)
    async with api.served() as served:
        answer = await served.client.put(f"{PACKAGES}/{package}/package_content", content=content(), headers=ZIP)
    assert (answer.status_code, answer.content) == (202, b"")
    assert api.catalogue.uploaded[package] == 64 << 20
    assert api.catalogue.longest_chunk <= 1 << 20
    assert max(ahead) < 16 << 20


async def test_an_upload_of_another_type_is_refused(api: Api) -> None:
    package = await create(api)
    headers = {"Content-Type": "application/x-tar"}
    answer = await api.client().put(f"{PACKAGES}/{package}/package_content", content=b"x", headers=headers)
    assert "application/zip" in problem(answer, 415, "unsupported-media-type")["remedy"]
    assert package not in api.catalogue.uploaded


@pytest.mark.parametrize("announced", [True, False])
async def test_an_upload_above_the_limit_is_cut_off(api: Api, announced: bool) -> None:
    api.restart(upload_limit=1000)
    package = await create(api)

    async def content() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    body = b"x" * 3000 if announced else content()
    answer = await api.client().put(f"{PACKAGES}/{package}/package_content", content=body, headers=ZIP)
    problem(answer, 413, "too-large")
    assert package not in api.catalogue.uploaded


async def test_an_upload_whose_sender_goes_away_is_told_to_who_stores_it(api: Api) -> None:
    package = await create(api)
    began = asyncio.Event()
    api.catalogue.on_chunk = lambda _total: began.set()
    async with api.served() as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        head = (
            f"PUT {PACKAGES}/{package}/package_content HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\n"
            f"Authorization: Bearer {api.member}\r\nContent-Length: 1000000\r\n\r\n"
        )
        writer.write(head.encode() + b"x" * 1000)
        await began.wait()
        writer.close()
        await writer.wait_closed()
        await until(lambda: api.catalogue.interrupted)
    assert [error.code for error in api.catalogue.interrupted] == ["upload-interrupted"]
    assert package not in api.catalogue.uploaded


async def test_a_second_upload_is_refused(api: Api) -> None:
    package = await create(api)
    path = f"{PACKAGES}/{package}/package_content"
    assert (await api.client().put(path, content=b"one", headers=ZIP)).status_code == 202
    problem(await api.client().put(path, content=b"two", headers=ZIP), 409, "package-not-empty")
