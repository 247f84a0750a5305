"""Packages that Fairlead fetches itself: from real servers on this machine, which it must be allowed to ask."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from fairlead.errors import BadRequest, Conflict, FairleadError, Unprocessable
from fairlead.packages.fetching import Fetcher
from fairlead.sol import (
    ParamsOauth2ClientCredentials,
    UploadAuthType,
    UploadVnfPackageFromUriRequest,
    VnfPkgInfo,
)
from fairlead.store import Store
from fairlead.targets import networks, refusal
from tests.packages.dying import dies
from tests.packages.shelf import PROJECT, Shelf, package
from tests.support.waiting import until

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server that answers every request by `handler`; its address."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def package_there(_request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=package())


def asked(address: str, **more: str) -> UploadVnfPackageFromUriRequest:
    return UploadVnfPackageFromUriRequest(address_information=address, **more)  # type: ignore[arg-type]


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "data", fetcher=Fetcher(LOOPBACK))


async def fetched(shelf: Shelf, request: UploadVnfPackageFromUriRequest, id: str | None = None) -> VnfPkgInfo:
    id = id or await shelf.created()
    await shelf.catalogue.upload_from_uri(PROJECT, id, request)
    await shelf.catalogue.idle()
    return await shelf.catalogue.show(PROJECT, id)


def why(info: VnfPkgInfo) -> tuple[str, str]:
    assert info.onboarding_state == "ERROR"
    assert info.onboarding_failure_details is not None
    return str(info.onboarding_failure_details.code), info.onboarding_failure_details.cause or ""


async def test_a_package_is_fetched_and_onboarded(shelf: Shelf) -> None:
    async with serving(package_there) as url:
        info = await fetched(shelf, asked(f"{url}/router.csar?signature=s3cret"))
    assert info.onboarding_state == "ONBOARDED"
    assert await shelf.told(info.id) == ["package.created", "package.changed", "package.uploaded", "package.onboarded"]


async def test_credentials_of_either_sort_are_shown_to_who_asks_for_them(shelf: Shelf) -> None:
    seen: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        if request.path == "/token":
            assert (await request.post())["grant_type"] == "client_credentials"
            return web.json_response({"access_token": "t0ken", "token_type": "Bearer"})
        return web.Response(body=package())

    basic = "Basic " + base64.b64encode("nobody:pässword".encode()).decode()
    async with serving(answer) as url:
        request = asked(f"{url}/a", user_name="nobody", password="pässword")
        id = (await fetched(shelf, request)).id
        params = ParamsOauth2ClientCredentials(
            client_id="nobody", client_password="pässword", token_endpoint=f"{url}/token"
        )
        oauth2 = UploadVnfPackageFromUriRequest(
            address_information=f"{url}/a",
            auth_type=UploadAuthType.OAUTH2_CLIENT_CREDENTIALS,
            params_oauth2_client_credentials=params,
        )
        await fetched(shelf, oauth2)
    assert seen == [basic, basic, "Bearer t0ken"]
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"


async def test_redirects_are_followed_without_taking_credentials_elsewhere(shelf: Shelf) -> None:
    seen: list[tuple[str, bool]] = []

    async def there(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.path, "Authorization" in request.headers))
        return web.Response(body=package())

    async with serving(there) as other:

        async def here(request: web.BaseRequest) -> web.StreamResponse:
            seen.append((request.path, "Authorization" in request.headers))
            return web.Response(status=302, headers={"Location": "/b" if request.path == "/a" else f"{other}/c"})

        async with serving(here) as url:
            info = await fetched(shelf, asked(f"{url}/a", user_name="nobody", password="password"))
    assert info.onboarding_state == "ONBOARDED"
    assert seen == [("/a", True), ("/b", True), ("/c", False)]


async def test_redirects_end(shelf: Shelf) -> None:
    async def round_and_round(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": request.path})

    async with serving(round_and_round) as url:
        code, cause = why(await fetched(shelf, asked(f"{url}/a")))
    assert (code, "redirects" in cause) == ("fetch-failed", True)


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "http://[::1]/", "file:///etc/passwd", "http://a@b/"]
)
async def test_a_redirect_leads_nowhere_that_could_not_be_asked_for(shelf: Shelf, target: str) -> None:
    async def away(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": target})

    async with serving(away) as url:
        code, _ = why(await fetched(shelf, asked(url)))
    assert code in ("fetch-refused", "bad-uri")


async def test_what_is_no_package_at_all_is_told_with_its_status(shelf: Shelf) -> None:
    async def missing(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404)

    async with serving(missing) as url:
        info = await fetched(shelf, asked(f"{url}/a?signature=s3cret"))
    assert why(info) == ("fetch-failed", "it answers 404")
    assert "s3cret" not in str(info.onboarding_failure_details)
    assert shelf.stored() == []


async def test_a_server_that_is_not_there_and_a_body_that_breaks_off_are_told(shelf: Shelf) -> None:
    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000000"})
        await answer.prepare(request)
        await answer.write(b"PK" * 1000)
        assert request.transport is not None
        request.transport.close()
        return answer

    async with serving(cut) as url:
        info = await fetched(shelf, asked(url))
    assert why(info)[0] == "fetch-failed"
    assert shelf.stored() == []
    assert why(await fetched(shelf, asked(url), info.id))[0] == "fetch-failed"
    async with serving(package_there) as url:
        assert (await fetched(shelf, asked(url), info.id)).onboarding_state == "ONBOARDED"


async def test_size_and_time_are_limited(store: Store, tmp_path: Path) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await answer.write(bytes(2**16))
        return answer

    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await asyncio.Event().wait()
        return answer

    small = Shelf(store, tmp_path / "data", fetcher=Fetcher(LOOPBACK), upload_limit=2**20)
    async with serving(endless) as url:
        assert why(await fetched(small, asked(url)))[0] == "too-large"
    impatient = Shelf(store, tmp_path / "data", fetcher=Fetcher(LOOPBACK), fetch_timeout=0.2)
    async with serving(silent) as url:
        assert why(await fetched(impatient, asked(url)))[0] == "fetch-failed"
    assert small.stored() == []


@pytest.mark.parametrize(
    "address",
    ["http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/", "http://0.0.0.0:1/", "http://2130706433:1/",
     "http://0x7f.1:1/", "http://[::ffff:127.0.0.1]:1/", "http://169.254.169.254/"],
)  # fmt: skip
async def test_this_machine_and_its_neighbourhood_are_not_asked(store: Store, tmp_path: Path, address: str) -> None:
    shelf = Shelf(store, tmp_path / "data")
    id = await shelf.created()
    try:
        info = await fetched(shelf, asked(address), id)
    except Unprocessable as error:
        code, info = error.code, await shelf.catalogue.show(PROJECT, id)
        assert info.onboarding_state == "CREATED"
    else:
        code, _ = why(info)
    # What is an address to the resolver only is not asked by the client either.
    assert code == "fetch-refused" or (code, address) == ("fetch-failed", "http://2130706433:1/")


async def test_nothing_is_sent_to_an_address_that_is_refused(store: Store, tmp_path: Path) -> None:
    connected: list[object] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    shelf = Shelf(store, tmp_path / "data")
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert why(await fetched(shelf, asked(f"http://localhost:{port}/")))[0] == "fetch-refused"
    assert connected == []


@pytest.mark.parametrize(
    "address",
    ["", "router.csar", "ftp://a.example/b", "http://", "http://a.example:port/", "http://me:pass@a.example/"],
)
async def test_what_is_no_address_is_refused_at_once(shelf: Shelf, address: str) -> None:
    id = await shelf.created()
    with pytest.raises(BadRequest) as caught:
        await shelf.catalogue.upload_from_uri(PROJECT, id, asked(address))
    assert caught.value.code == "bad-uri"
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "CREATED"


async def test_credentials_that_contradict_each_other_are_refused_at_once(shelf: Shelf) -> None:
    id = await shelf.created()
    for request in (
        asked("http://a.example/", password="alone"),
        UploadVnfPackageFromUriRequest(
            address_information="http://a.example/", auth_type=UploadAuthType.OAUTH2_CLIENT_CREDENTIALS
        ),
    ):
        with pytest.raises(Unprocessable) as caught:
            await shelf.catalogue.upload_from_uri(PROJECT, id, request)
        assert caught.value.code == "exclusive-attributes"


async def test_a_package_is_fetched_by_one_at_a_time(shelf: Shelf) -> None:
    go_on = asyncio.Event()

    async def slow(_request: web.BaseRequest) -> web.StreamResponse:
        await go_on.wait()
        return web.Response(body=package())

    async with serving(slow) as url:
        id = await shelf.created()
        await shelf.catalogue.upload_from_uri(PROJECT, id, asked(url))
        assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "UPLOADING"
        with pytest.raises(Conflict):
            await shelf.catalogue.upload_from_uri(PROJECT, id, asked(url))
        with pytest.raises(Conflict):
            await shelf.catalogue.delete(PROJECT, id)
        go_on.set()
        await shelf.catalogue.idle()
    assert (await shelf.catalogue.show(PROJECT, id)).onboarding_state == "ONBOARDED"


async def test_a_fetch_that_the_process_did_not_survive_says_so(
    store: Store, tmp_path: Path, open_store: Callable[[], Store]
) -> None:
    shelf = Shelf(store, tmp_path / "data", fetcher=Fetcher(LOOPBACK))
    begun = asyncio.Event()

    async def never(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(bytes(2**21))
        begun.set()
        await asyncio.Event().wait()
        return answer

    async with serving(never) as url:
        id = await shelf.created()
        await shelf.catalogue.upload_from_uri(PROJECT, id, asked(url))
        await begun.wait()
        await until(lambda: shelf.stored() != [])
        await shelf.catalogue.stop()
    after = Shelf(open_store(), tmp_path / "data")
    await after.catalogue.recover()
    assert why(await after.catalogue.show(PROJECT, id))[0] == "fetch-interrupted"
    assert after.stored() == []
    assert (await after.uploaded(package(), id)).onboarding_state == "ONBOARDED"


@pytest.mark.crash
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", range(14))
async def test_a_process_that_dies_fetching_leaves_nothing_half_done(
    store: Store, store_url: str, tmp_path: Path, point: int
) -> None:
    shelf = Shelf(store, tmp_path / "data")
    id = await shelf.created()
    async with serving(package_there) as url:
        await dies(store_url, shelf.data, "fetch", id, point, url.encode())
    await shelf.catalogue.recover()
    await shelf.catalogue.idle()
    info = await shelf.catalogue.show(PROJECT, id)
    if info.onboarding_state != "ONBOARDED":
        assert shelf.stored() == []
        assert info.onboarding_state == "CREATED" or why(info)[0] == "fetch-interrupted"
    else:
        assert shelf.kept() == {(shelf.stored()[0], 1)}


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "169.254.1.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1",
     "255.255.255.255", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
     "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "0.1.2.3"],
)  # fmt: skip
def test_addresses_that_are_refused(address: str) -> None:
    assert refusal(address)
    family = ipaddress.ip_address(address.partition("%")[0])
    assert refusal(address, (ipaddress.ip_network(family),)) is None


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "10.1.2.3", "192.168.1.1", "172.16.0.1", "2001:db8::1", "fd12::1"]
)
def test_addresses_that_are_asked(address: str) -> None:
    assert refusal(address) is None


def test_a_list_of_networks_is_read_or_refused() -> None:
    assert [str(each) for each in networks(" 127.0.0.0/8, ::1/128 ,", "x")] == ["127.0.0.0/8", "::1/128"]
    with pytest.raises(FairleadError) as caught:
        networks("127.0.0.1/8", "packages.fetch_allow")
    assert caught.value.code == "settings-invalid"
