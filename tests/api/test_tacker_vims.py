"""`openstack vim ...` as it is, against a served Fairlead: VIMs are registered, listed, shown, changed and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import yaml
from tackerclient.common.exceptions import TackerClientException

from fairlead.api import Services
from fairlead.clock import SteppedClock
from fairlead.packages import Catalogue
from fairlead.store import Store
from fairlead.vims import Registrations, VimRegistry
from fairlead.vims.openstack import driver as openstack
from fairlead.vims.simulated import driver as simulated
from tests.api.commands import commanded
from tests.api.conftest import Api, problem
from tests.support.canary import Canary

VIMS = "v1.nfvo.vim"
LAB = {"name": "lab", "type": "simulated", "interface": {}}
CLOUD = {
    "auth_url": "https://cloud.example:5000/v3",
    "username": "nfv",
    "password": "secret",
    "project_name": "north",
    "project_domain_name": "Default",
    "user_domain_name": "Default",
}
PASSWORD = {"username": "nfv", "password": "secret", "user_domain_name": "Default"}
PROJECT = {"name": "north", "project_domain_name": "Default"}


@pytest.fixture(autouse=True)
def registrations(api: Api, sqlite_store: Store) -> Registrations:
    """The real registry behind the API."""
    services, clock = api.services, SteppedClock()
    found = Registrations(
        sqlite_store,
        services.vault,
        services.events,
        clock,
        {"openstack": openstack, "simulated": simulated},
        "deployment",
        lambda _tx, _vim: 0,
    )
    registry = VimRegistry(found, cast(Catalogue, None), clock)
    api.services = Services(**{**vars(services), "vims": registry})
    api.restart()
    return found


def configured(directory: Path, **values: Any) -> str:
    """A configuration file as the client reads it."""
    path = directory / "vim.yaml"
    path.write_text(yaml.safe_dump(CLOUD | values), encoding="utf-8")
    return str(path)


async def kept(registrations: Registrations, vim: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The registration of a VIM, and its credentials in clear."""
    row = await registrations.find("default", vim)
    return row, await registrations.credentials(row)


async def test_a_vim_from_registration_to_deletion(api: Api, registrations: Registrations, tmp_path: Path) -> None:
    async with commanded(api, VIMS) as vim:
        description = ("--description", "the north")
        made = await vim("CreateVIM", "cloud", "--config-file", configured(tmp_path), *description, "--is-default")
        assert (made["name"], made["type"], made["is_default"], made["status"]) == (
            "cloud",
            "openstack",
            True,
            "ACTIVE",
        )
        assert (made["auth_url"], made["description"]) == (CLOUD["auth_url"], "the north")
        row, credentials = await kept(registrations, "cloud")
        assert (row["interface"], row["settings"]) == ({"auth_url": CLOUD["auth_url"]}, {"insecure": False})
        project = {"project_name": "north", "project_domain_name": "Default"}
        assert credentials == PASSWORD | project

        (line,) = (await vim("ListVIM", "--long"))["rows"]
        assert (line["ID"], line["Name"], line["Tenant_id"]) == (made["id"], "cloud", "default")
        for name in ("cloud", made["id"]):
            shown = await vim("ShowVIM", name)
            assert shown["auth_cred"].human_readable() == (
                "cert_verify='True', password='***', user_domain_name='Default', username='nfv'"
            )
            assert shown["vim_project"].human_readable() == "name='north', project_domain_name='Default'"

        changed = await vim("UpdateVIM", "cloud", "--name", "clouds", "--is-default", "False")
        assert (changed["name"], changed["is_default"]) == ("clouds", False)
        assert await kept(registrations, "clouds") == (await registrations.find("default", "clouds"), credentials)
        await vim("DeleteVIM", "clouds")
        assert (await vim("ListVIM"))["rows"] == []


async def test_a_change_is_put_over_what_is_there(api: Api, registrations: Registrations, tmp_path: Path) -> None:
    async with commanded(api, VIMS) as vim:
        await vim("CreateVIM", "cloud", "--config-file", configured(tmp_path, extra={"region": "R1"}))
        later = configured(tmp_path, username="", password="later", cert_verify="False")
        shown = await vim("UpdateVIM", "cloud", "--config-file", later)
        row, credentials = await kept(registrations, "cloud")
        assert (credentials["username"], credentials["password"]) == ("nfv", "later")
        assert (row["interface"]["region"], row["settings"]) == ("R1", {"insecure": True})
        assert shown["placement_attr"].human_readable() == "regions='['R1']'"


async def test_an_application_credential_goes_into_extra(
    api: Api, registrations: Registrations, tmp_path: Path
) -> None:
    extra = {"application_credential_id": "a1", "application_credential_secret": "hush", "interface": "internal"}
    async with commanded(api, VIMS) as vim:
        file = configured(tmp_path, username="", password="", user_domain_name="", extra=extra)
        await vim("CreateVIM", "cloud", "--config-file", file)
        row, credentials = await kept(registrations, "cloud")
        assert credentials == {"application_credential_id": "a1", "application_credential_secret": "hush"}
        assert row["interface"]["interface"] == "internal"
        shown = await vim("ShowVIM", "cloud")
        assert "hush" not in str(shown)
        assert "application_credential_secret='***'" in shown["auth_cred"].human_readable()
        await vim("UpdateVIM", "cloud", "--config-file", configured(tmp_path))
        assert (await kept(registrations, "cloud"))[1].keys() == PASSWORD.keys() | {
            "project_name",
            "project_domain_name",
        }


async def test_refusals_are_shown_in_fairleads_words(api: Api, tmp_path: Path) -> None:
    kubernetes = {"type": "kubernetes", "bearer_token": "t"}
    async with commanded(api, VIMS) as vim:
        for values, words in (
            (kubernetes, r"no driver for VIMs of the type 'kubernetes'(.|\n)*Types: openstack, simulated"),
            ({"password": ""}, r"lack 'password'(.|\n)*Give username"),
            ({"extra": {"area": "a@b"}}, r"'vim.extra.area' means nothing here"),
            ({"auth_url": "https://cloud.example:5000/v3?x=1"}, "not the address of an OpenStack service"),
        ):
            with pytest.raises(TackerClientException, match=words):
                await vim("CreateVIM", "cloud", "--config-file", configured(tmp_path, **values))
        await vim("CreateVIM", "cloud", "--config-file", configured(tmp_path))
        with pytest.raises(TackerClientException, match="called 'cloud' already"):
            await vim("CreateVIM", "cloud", "--config-file", configured(tmp_path))
        with pytest.raises(TackerClientException, match="Unable to find vim"):
            await vim("ShowVIM", "nothing")


async def test_only_an_administrator_registers_a_cloud_on_fairleads_own_machine(api: Api, tmp_path: Path) -> None:
    file = configured(tmp_path, auth_url="http://127.0.0.1:5000/v3")
    async with commanded(api, VIMS) as vim:
        with pytest.raises(TackerClientException, match="hold on the machine"):
            await vim("CreateVIM", "cloud", "--config-file", file)
    async with commanded(api, VIMS, api.admin) as vim:
        assert (await vim("CreateVIM", "cloud", "--config-file", file))["name"] == "cloud"


async def test_vims_of_other_types_are_listed_and_not_described(api: Api) -> None:
    client = api.client(api.admin)
    shared = LAB | {"shared": True, "settings": {"quota": {"compute": 1}}, "description": "a lab"}
    made = (await client.post("/fairlead/v1/vims", json=shared)).json()
    async with commanded(api, VIMS, api.stranger) as vim:
        (row,) = (await vim("ListVIM"))["rows"]
        assert (row["Name"], row["Type"], row["Tenant_id"]) == ("lab", "simulated", "default")
    path = f"/v1.0/vims/{made['id']}.json"
    problem(await api.client().put(path, json={"vim": {"name": "x"}}), 403, "role-missing")
    problem(await api.client().delete(path), 403, "role-missing")
    problem(await client.put(path, json={"vim": {"auth_cred": PASSWORD}}), 422, "unsupported-vim-form")
    assert (await client.put(path, json={"vim": {"name": "x"}})).json()["vim"]["name"] == "x"
    assert (await client.delete(path)).status_code == 204


async def test_a_list_is_filtered_and_has_both_paths(api: Api) -> None:
    client = api.client()
    for name in ("one", "two"):
        vim = {"name": name, "auth_url": CLOUD["auth_url"], "vim_project": PROJECT, "auth_cred": PASSWORD}
        assert (await client.post("/v1.0/vims", json={"vim": vim | {"is_default": name == "two"}})).status_code == 201
    for path in ("/v1.0/vims", "/v1.0/vims.json"):
        assert [one["name"] for one in (await client.get(path)).json()["vims"]] == ["one", "two"]
        assert (await client.get(f"{path}?name=two&fields=name")).json() == {"vims": [{"name": "two"}]}
        (found,) = (await client.get(f"{path}?is_default=True")).json()["vims"]
        assert found["name"] == "two"
    for path in ("/v1.0/extensions", "/v1.0/extensions.json"):
        assert (await client.get(path)).json() == {"extensions": []}
    root = (await api.client("").get("/")).json()
    assert root["versions"][0]["links"][0]["href"] == "http://fairlead.test/v1.0"


async def test_a_refusal_has_tackers_form_and_ours(api: Api) -> None:
    client = api.client()
    shown = problem(await client.get("/v1.0/vims/nothing.json"), 404, "vim-not-found")
    assert shown["TackerError"] == {"type": "VimNotFound", "message": shown["detail"], "detail": ""}
    for body, place in (
        ({"vim": {"name": "x", "speed": 1}}, "vim"),
        ({"vim": {"name": "x"}}, "vim.auth_url"),
        ({"vim": {"name": "x", "auth_url": "https://c", "vim_project": {"colour": "red"}}}, "vim.vim_project.colour"),
        ({"vim": {"auth_url": "https://c", "auth_cred": {"cert_verify": "maybe"}}}, "vim.auth_cred.cert_verify"),
    ):
        answer: httpx.Response = await client.post("/v1.0/vims.json", json=body)
        assert answer.json()["place"] == place, answer.json()
    other = {"name": "x", "auth_url": "https://c", "tenant_id": "elsewhere"}
    problem(await client.post("/v1.0/vims.json", json={"vim": other}), 403, "forbidden")


async def test_no_secret_comes_out_again(api: Api, registrations: Registrations, sqlite_store: Store) -> None:
    client = api.client()
    secrets = {"a password": Canary(), "an application credential": Canary(), "a token": Canary()}
    ways = (
        {"auth_cred": PASSWORD | {"password": secrets["a password"].text}, "vim_project": PROJECT},
        {
            "auth_cred": {
                "application_credential_id": "a1",
                "application_credential_secret": secrets["an application credential"].text,
            }
        },
        {"extra": {"token": secrets["a token"].text}, "vim_project": PROJECT},
    )
    said = ""
    for name, way in zip(secrets, ways, strict=True):
        asked = {"vim": {"name": name, "auth_url": CLOUD["auth_url"], **way}}
        answer = await client.post("/v1.0/vims.json", json=asked)
        assert answer.status_code == 201, answer.text
        again = await client.put(f"/v1.0/vims/{answer.json()['vim']['id']}.json", json={"vim": way})
        said += answer.text + again.text + (await client.get(f"/fairlead/v1/vims/{name}")).text
    said += (await client.get("/v1.0/vims.json")).text
    assert said.count("***") >= 9
    for name, canary in secrets.items():
        assert canary.in_text(name, said) == []
        assert canary.in_database(sqlite_store.engine) == []
        assert canary.text in (await kept(registrations, name))[1].values()
