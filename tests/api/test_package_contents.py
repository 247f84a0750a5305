"""What is in packages, over HTTP, from the real catalogue: whole and in ranges, as text and as archives, by id and by VNFD."""

from __future__ import annotations

import contextlib
import hashlib
import io
import zipfile
from pathlib import Path

import httpx
import pytest

from fairlead.api import Services
from fairlead.store import Store
from tests.api.conftest import Api, problem
from tests.packages.building import manifest
from tests.packages.shelf import IMAGE, Shelf, files_of, package, sealed, zipped
from tests.support.waiting import until

PACKAGES = "/vnfpkgm/v2/vnf_packages"
ONBOARDED = "/vnfpkgm/v2/onboarded_vnf_packages"
PROJECT = "default"


class Stocked:
    """The API over a catalogue."""

    def __init__(self, api: Api, shelf: Shelf) -> None:
        self.api, self.shelf = api, shelf
        api.services = Services(**{**vars(api.services), "catalogue": shelf.catalogue})
        api.restart()

    async def put(self, content: bytes) -> str:
        return await self.shelf.onboarded(content, PROJECT)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        client = self.api.client()
        # What python-tackerclient does, and the only thing that suits both versions.
        del client.headers["Version"]
        return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def stocked(api: Api, sqlite_store: Store, tmp_path: Path) -> Stocked:
    return Stocked(api, Shelf(sqlite_store, tmp_path / "data"))


def unpacked(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def signed() -> bytes:
    """A package whose files have signatures beside them, one a certificate of its own, one a set of its own."""
    files = {**files_of(), "ChangeLog.sig": b"signature", "ChangeLog.cert": b"certificate"}
    listed = manifest(files).decode()
    listed = listed.replace(
        "Source: ChangeLog.txt\n", "Source: ChangeLog.txt\nSignature: ChangeLog.sig\nCertificate: ChangeLog.cert\n"
    )
    listed += "\nnon_mano_artifact_sets:\n  acme.scripts:\n    Source: Scripts/hello.sh\n"
    return zipped({**files, "vnfd.mf": listed.encode()})


async def test_a_package_comes_back_byte_for_byte(stocked: Stocked) -> None:
    content = package()
    id = await stocked.put(content)
    for path in (f"{PACKAGES}/{id}", f"{ONBOARDED}/router-1", f"/vnfpkgm/v1/vnf_packages/{id}"):
        answer = await stocked.get(f"{path}/package_content")
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-length"] == str(len(content))
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'


async def test_a_download_that_broke_goes_on_where_it_was(stocked: Stocked) -> None:
    content = package()
    path = f"{PACKAGES}/{await stocked.put(content)}/package_content"
    whole = await stocked.get(path)
    part = await stocked.get(path, Range="bytes=100-", If_Range=whole.headers["etag"])
    assert (part.status_code, part.content) == (206, content[100:])
    assert part.headers["content-range"] == f"bytes 100-{len(content) - 1}/{len(content)}"
    assert part.headers["content-length"] == str(len(content) - 100)
    changed = await stocked.get(path, Range="bytes=100-", If_Range='"another"')
    assert (changed.status_code, changed.content) == (200, content)
    assert (await stocked.get(path, If_None_Match=whole.headers["etag"])).status_code == 304
    refused = await stocked.get(path, Range=f"bytes={len(content)}-")
    problem(refused, 416, "range-not-satisfiable")
    assert refused.headers["content-range"] == f"bytes */{len(content)}"


async def test_a_vnfd_of_one_file_is_text_or_an_archive_as_the_client_wants_it(stocked: Stocked) -> None:
    path = f"{PACKAGES}/{await stocked.put(package())}/vnfd"
    vnfd = files_of()["Definitions/vnfd.yaml"]
    for accept in ("text/plain", "text/plain,application/zip", "*/*", "text/*"):
        answer = await stocked.get(path, Accept=accept)
        # Without a charset, which python-tackerclient would not take for text.
        assert (answer.headers["content-type"], answer.content) == ("text/plain", vnfd)
    archive = unpacked(await stocked.get(path, Accept="application/zip"))
    assert archive == {name: files_of()[name] for name in ("TOSCA-Metadata/TOSCA.meta", "Definitions/vnfd.yaml")}
    proven = unpacked(await stocked.get(f"{path}?include_signatures", Accept="*/*"))
    assert proven.keys() == archive.keys() | {"vnfd.mf"}
    problem(await stocked.get(path, Accept="application/json"), 406, "not-acceptable")
    problem(await stocked.get(path, Accept="text/plain;q=0"), 406, "not-acceptable")


async def test_a_vnfd_of_several_files_is_no_text(stocked: Stocked) -> None:
    files = files_of()
    vnfd = files["Definitions/vnfd.yaml"].decode()
    types = "imports: [ etsi_nfv_sol001_vnfd_types.yaml ]"
    assert types in vnfd
    vnfd = vnfd.replace(types, "imports: [ etsi_nfv_sol001_vnfd_types.yaml, more.yaml ]")
    files |= {
        "Definitions/vnfd.yaml": vnfd.encode(),
        "Definitions/more.yaml": b"tosca_definitions_version: tosca_simple_yaml_1_2\n",
    }
    path = f"{PACKAGES}/{await stocked.put(zipped(sealed(files)))}/vnfd"
    told = problem(await stocked.get(path, Accept="text/plain"), 406, "not-acceptable")
    assert "application/zip" in told["remedy"]
    assert {"Definitions/vnfd.yaml", "Definitions/more.yaml"} <= unpacked(await stocked.get(path, Accept="*/*")).keys()


async def test_the_manifest_is_text(stocked: Stocked) -> None:
    path = f"{ONBOARDED}/router-1/manifest"
    await stocked.put(package())
    for query in ("", "?include_signatures"):
        answer = await stocked.get(path + query, Accept="text/plain")
        assert (answer.headers["content-type"], answer.content) == ("text/plain", files_of()["vnfd.mf"])
    problem(await stocked.get(path, Accept="application/zip"), 406, "not-acceptable")


async def test_a_package_without_a_manifest_says_so(stocked: Stocked) -> None:
    files = {name: content for name, content in files_of().items() if name != "vnfd.mf"}
    meta = files["TOSCA-Metadata/TOSCA.meta"].replace(b"ETSI-Entry-Manifest: vnfd.mf\n", b"")
    id = await stocked.put(zipped({**files, "TOSCA-Metadata/TOSCA.meta": meta}))
    problem(await stocked.get(f"{PACKAGES}/{id}/manifest"), 404, "artifact-missing")


async def test_a_file_is_had_by_its_path_whole_and_in_part(stocked: Stocked) -> None:
    script = b"#!/bin/sh\n" + bytes(range(256)) * 8192
    id = await stocked.put(package({"Scripts/hello.sh": script, "Files/a b/m@ster%.sh": b"odd"}))
    answer = await stocked.get(f"{PACKAGES}/{id}/artifacts/Scripts/hello.sh", Accept="application/json")
    assert (answer.status_code, answer.content) == (200, script)
    assert answer.headers["etag"] == f'"{hashlib.sha256(script).hexdigest()}"'
    part = await stocked.get(f"{PACKAGES}/{id}/artifacts/Scripts/hello.sh", Range="bytes=1500000-1500009")
    assert (part.status_code, part.content) == (206, script[1500000:1500010])
    odd = await stocked.get(f"{ONBOARDED}/router-1/artifacts/Files/a%20b/m%40ster%25.sh")
    assert odd.content == b"odd"
    image = await stocked.get(f"{PACKAGES}/{id}/artifacts/{IMAGE}")
    assert (image.headers["content-type"], image.content) == ("application/octet-stream", files_of()[IMAGE])
    assert image.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["Files/none", "Files", "Files/", "..%2Fsecret", "%2e%2e/%2e%2e/etc/passwd", "%00"])
async def test_a_file_that_is_not_there_is_not_found(stocked: Stocked, path: str) -> None:
    id = await stocked.put(package())
    assert (await stocked.get(f"{PACKAGES}/{id}/artifacts/{path}")).status_code == 404


async def test_files_come_as_one_archive_in_any_selection(stocked: Stocked) -> None:
    id = await stocked.put(signed())
    path = f"{PACKAGES}/{id}/artifacts"
    mano = {"ChangeLog.txt", "Files/boot.sh", "ChangeLog.sig"}
    assert unpacked(await stocked.get(path)).keys() == mano | {"Scripts/hello.sh"}
    for query, found in {
        "exclude_all_non_mano_artifacts": mano,
        "exclude_all_mano_artifacts": {"Scripts/hello.sh"},
        "exclude_all_mano_artifacts&select_non_mano_artifact_sets=acme.scripts,other": {"Scripts/hello.sh"},
        "exclude_all_mano_artifacts&select_non_mano_artifact_sets=other": set(),
        "include_external_artifacts&include_signatures": mano | {"Scripts/hello.sh", "ChangeLog.cert"},
    }.items():
        assert unpacked(await stocked.get(f"{path}?{query}")).keys() == found, query
    proven = unpacked(await stocked.get(f"{path}/ChangeLog.txt?include_signatures"))
    assert proven == {"ChangeLog.txt": b"first\n", "ChangeLog.sig": b"signature", "ChangeLog.cert": b"certificate"}


async def test_an_archive_has_ranges_like_a_file(stocked: Stocked) -> None:
    path = f"{PACKAGES}/{await stocked.put(package())}/artifacts"
    whole = await stocked.get(path)
    part = await stocked.get(path, Range="bytes=50-149", If_Range=whole.headers["etag"])
    assert (part.status_code, part.content) == (206, whole.content[50:150])


async def test_what_is_not_onboarded_cannot_be_read(stocked: Stocked) -> None:
    id = await stocked.shelf.created(PROJECT)
    for what in ("vnfd", "manifest", "package_content", "artifacts", "artifacts/a"):
        problem(await stocked.get(f"{PACKAGES}/{id}/{what}"), 409, "package-state")
        problem(await stocked.get(f"{ONBOARDED}/router-1/{what}"), 404, "package-not-found")


async def test_each_project_has_its_own_package_of_a_vnfd(stocked: Stocked) -> None:
    ours = await stocked.put(package())
    theirs = await stocked.shelf.onboarded(package({"Files/boot.sh": b"theirs"}), "elsewhere")
    assert (await stocked.get(f"{ONBOARDED}/router-1")).json()["id"] == ours
    strange = stocked.api.client(stocked.api.stranger)
    assert (await strange.get(f"{ONBOARDED}/router-1")).json()["id"] == theirs
    assert (await strange.get(f"{ONBOARDED}/router-1/artifacts/Files/boot.sh")).content == b"theirs"
    for path in ("", "/package_content", "/artifacts/Files/boot.sh", "/vnfd"):
        problem(await strange.get(f"{PACKAGES}/{ours}{path}"), 404, "package-not-found")


async def test_the_list_of_what_is_onboarded_has_nothing_else(stocked: Stocked) -> None:
    id, _ = await stocked.put(package()), await stocked.shelf.created(PROJECT)
    assert [one["id"] for one in (await stocked.get(ONBOARDED)).json()] == [id]
    for text, found in (("(eq,vnfProvider,Acme)", [id]), ("(eq,vnfProvider,Other)", [])):
        assert [one["id"] for one in (await stocked.get(f"{ONBOARDED}?filter={text}")).json()] == found


async def test_damage_is_told_in_place_of_the_package(stocked: Stocked) -> None:
    content = package()
    id = await stocked.put(content)
    file = stocked.shelf.file_of(id)
    file.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    problem(await stocked.get(f"{PACKAGES}/{id}/package_content"), 409, "package-file-missing")
    file.write_bytes(content[:-1])
    problem(await stocked.get(f"{PACKAGES}/{id}/package_content"), 409, "package-file-missing")
    file.unlink()
    for path in ("package_content", "vnfd", "artifacts", "artifacts/Files/boot.sh"):
        problem(await stocked.get(f"{PACKAGES}/{id}/{path}"), 409, "package-file-missing")


async def test_damage_that_shows_late_breaks_the_download_off(stocked: Stocked) -> None:
    content = package({"Files/large": bytes(range(256)) * 16384})
    id = await stocked.put(content)
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 1
    stocked.shelf.file_of(id).write_bytes(damaged)
    async with stocked.api.served() as served:
        for path in ("package_content", "artifacts/Files/large"):
            with pytest.raises(httpx.RemoteProtocolError):
                await served.client.get(f"{PACKAGES}/{id}/{path}")


async def test_a_client_that_gives_a_download_up_leaves_nothing_open(stocked: Stocked) -> None:
    id = await stocked.put(package({"Files/large": bytes(range(256)) * 65536}))
    file = stocked.shelf.file_of(id)
    async with stocked.api.served() as served:
        for path in ("package_content", "artifacts/Files/large", "artifacts"):
            async with served.client.stream("GET", f"{PACKAGES}/{id}/{path}") as answer:
                await anext(answer.aiter_raw(1000))
                assert file in opened()
            await until(lambda: file not in opened())


def opened() -> set[Path]:
    """The files that this process has open."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(link.readlink())
    return found


async def test_version_1_says_it_in_its_own_words(stocked: Stocked) -> None:
    failed = (await stocked.shelf.uploaded(b"nothing", project=PROJECT)).id
    id = await stocked.put(package())
    shown = (await stocked.get(f"/vnfpkgm/v1/vnf_packages/{failed}")).json()
    assert (shown["onboardingState"], shown["onboardingFailureDetails"]["code"]) == ("CREATED", "package-refused")
    listed = await stocked.api.client(Version="1.1.0").get("/vnfpkgm/v1/vnf_packages")
    assert {one["id"]: one["onboardingState"] for one in listed.json()} == {failed: "CREATED", id: "ONBOARDED"}
    assert all(one["_links"]["self"]["href"] == f"/vnfpkgm/v1/vnf_packages/{one['id']}" for one in listed.json())
    assert listed.headers["version"] == "1.1.0"
    problem(await stocked.api.client(Version="2.0.0").get("/vnfpkgm/v1/vnf_packages"), 406, "version-not-supported")
    known = (await stocked.get("/vnfpkgm/api_versions")).json()
    assert {one["version"][0] for one in known["apiVersions"]} == {"1", "2"}


async def test_a_change_is_refused_when_the_package_has_changed_since(stocked: Stocked) -> None:
    id = await stocked.put(package())
    tag = (await stocked.get(f"{PACKAGES}/{id}")).headers["etag"]
    stocked.shelf.users[id] = ["VNF instance 7"]
    assert (await stocked.get(f"{PACKAGES}/{id}")).headers["etag"] == tag
    stocked.shelf.users.clear()
    client = stocked.api.client(**{"If-Match": tag})
    assert (await client.patch(f"{PACKAGES}/{id}", json={"operationalState": "DISABLED"})).status_code == 200
    problem(await client.patch(f"{PACKAGES}/{id}", json={"userDefinedData": {"a": 1}}), 412, "precondition-failed")
    problem(await client.delete(f"{PACKAGES}/{id}"), 412, "precondition-failed")
