"""python-tackerclient as it is, with its own commands, against a served Fairlead: packages from creation to deletion."""

from __future__ import annotations

import ipaddress
import zipfile
from pathlib import Path

import pytest
from aiohttp import web

from fairlead.api import Services
from fairlead.packages.fetching import Fetcher
from fairlead.store import Store
from tests.api.commands import commanded
from tests.api.conftest import Api
from tests.packages.shelf import Shelf, files_of, package

PACKAGES = "v1.vnfpkgm.vnf_package"


@pytest.fixture
def shelf(api: Api, sqlite_store: Store, tmp_path: Path) -> Shelf:
    shelf = Shelf(sqlite_store, tmp_path / "data", fetcher=Fetcher((ipaddress.ip_network("127.0.0.0/8"),)))
    api.services = Services(**{**vars(api.services), "catalogue": shelf.catalogue})
    api.restart(page_size=2)
    return shelf


async def test_a_package_from_creation_to_deletion(api: Api, shelf: Shelf, tmp_path: Path) -> None:
    content = package()
    (tmp_path / "router.zip").write_bytes(content)
    async with commanded(api, PACKAGES) as tackers:
        created = await tackers("CreateVnfPackage", "--user-data", "key=value")
        id = created["ID"]
        assert (created["Onboarding State"], created["Operational State"]) == ("CREATED", "DISABLED")
        await tackers("UploadVnfPackage", id, "--path", str(tmp_path / "router.zip"))
        await shelf.catalogue.idle()
        shown = await tackers("ShowVnfPackage", id)
        assert (shown["Onboarding State"], shown["VNFD ID"]) == ("ONBOARDED", "router-1")

        await tackers("DownloadVnfPackage", id, "--file", str(tmp_path / "back.zip"))
        assert (tmp_path / "back.zip").read_bytes() == content
        for accept, name in (("text/plain", "vnfd.yaml"), ("both", "both.yaml")):
            await tackers("DownloadVnfPackage", id, "--vnfd", "--type", accept, "--file", str(tmp_path / name))
            assert (tmp_path / name).read_bytes() == files_of()["Definitions/vnfd.yaml"]
        await tackers(
            "DownloadVnfPackage", id, "--vnfd", "--type", "application/zip", "--file", str(tmp_path / "v.zip")
        )
        with zipfile.ZipFile(tmp_path / "v.zip") as archive:
            assert archive.testzip() is None
        await tackers("DownloadVnfPackageArtifact", id, "Scripts/hello.sh", "--file", str(tmp_path / "hello.sh"))
        assert (tmp_path / "hello.sh").read_bytes() == files_of()["Scripts/hello.sh"]

        changed = await tackers("UpdateVnfPackage", id, "--operational-state", "DISABLED", "--user-data", "key=other")
        assert changed["Operational State"] == "DISABLED"
        await tackers("DeleteVnfPackage", id)
        assert (await tackers("ListVnfPackage"))["rows"] == []


async def test_a_package_is_fetched_from_a_url_with_a_password(api: Api, shelf: Shelf) -> None:
    seen: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=package())

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/router.zip"
    async with commanded(api, PACKAGES) as tackers:
        id = (await tackers("CreateVnfPackage"))["ID"]
        await tackers("UploadVnfPackage", id, "--url", url, "--user-name", "me", "--password", "secret")
        await shelf.catalogue.idle()
        assert (await tackers("ShowVnfPackage", id))["Onboarding State"] == "ONBOARDED"
    await runner.cleanup()
    assert seen == ["Basic bWU6c2VjcmV0"]


async def test_lists_have_pages_filters_and_selectors(api: Api, shelf: Shelf) -> None:
    async with commanded(api, PACKAGES) as tackers:
        ids = {(await tackers("CreateVnfPackage"))["ID"] for _ in range(5)}
        onboarded = await shelf.onboarded(project="default")
        rows = (await tackers("ListVnfPackage"))["rows"]
        assert {row["Id"] for row in rows} == ids | {onboarded}
        found = await tackers("ListVnfPackage", "--filter", "(eq,vnfdId,router-1)", "--all_fields")
        assert [row["Id"] for row in found["rows"]] == [onboarded]
        assert "Software Images" in found["rows"][0]
        chosen = await tackers("ListVnfPackage", "--fields", "softwareImages,userDefinedData")
        assert len(chosen["rows"]) == 6


async def test_a_refusal_is_shown_in_fairleads_words(api: Api, shelf: Shelf) -> None:
    async with commanded(api, PACKAGES) as tackers:
        id = await shelf.onboarded(project="default")
        with pytest.raises(Exception, match="There is no VNF package"):
            await tackers("ShowVnfPackage", "no-such-package")
        with pytest.raises(Exception, match="is enabled"):
            await tackers("DeleteVnfPackage", id)
