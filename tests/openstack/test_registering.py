"""What of a registration is right, and which field is at fault."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.errors import Unprocessable
from fairlead.vims import Access
from fairlead.vims.openstack import driver
from fairlead.vims.openstack.settings import Place, leads_home, way_of

ACCESS = Access(
    id="v",
    name="v",
    type="openstack",
    deployment="d",
    interface={"auth_url": "https://cloud.example:5000/v3"},
    credentials={"username": "nfv", "password": "secret", "project_name": "nfv"},
)


def access(**fields: Any) -> Access:
    return msgspec.structs.replace(ACCESS, **fields)


@pytest.mark.parametrize(
    "credentials",
    [
        {"username": "nfv", "password": "secret", "project_name": "nfv"},
        {"user_id": "1", "password": "secret", "project_id": "2"},
        {"application_credential_id": "1", "application_credential_secret": "secret"},
        {"token": "secret", "project_id": "2"},
    ],
)
def test_each_way_to_prove_who_one_is_is_taken(credentials: dict[str, str]) -> None:
    driver.validate(access(credentials=credentials))


@pytest.mark.parametrize(
    ("fields", "code", "place"),
    [
        pytest.param({"interface": {}}, "bad-vim-settings", "interface", id="no address"),
        pytest.param(
            {"interface": {"auth_url": "cloud.example"}}, "bad-vim-settings", "interface.auth_url", id="no scheme"
        ),
        pytest.param(
            {"interface": {"auth_url": "https://c", "face": "x"}}, "bad-vim-settings", "interface", id="unknown key"
        ),
        pytest.param(
            {"interface": {"auth_url": "https://c", "interface": "private"}}, "bad-vim-settings", "interface", id="face"
        ),
        pytest.param(
            {"interface": {"auth_url": "https://c", "ca": "no"}}, "bad-vim-credentials", "interface.ca", id="authority"
        ),
        pytest.param({"settings": {"tiemout": 1}}, "bad-vim-settings", "settings", id="misspelt"),
        pytest.param({"settings": {"timeout": 0}}, "bad-vim-settings", "settings.timeout", id="no time"),
        pytest.param(
            {"settings": {"endpoints": {"dns": "http://x"}}}, "bad-vim-settings", "settings.endpoints.dns", id="service"
        ),
        pytest.param({"credentials": {}}, "bad-vim-credentials", "credentials.username", id="nobody"),
        pytest.param(
            {"credentials": {"username": "a", "project_name": "p"}},
            "bad-vim-credentials",
            "credentials.password",
            id="no password",
        ),
        pytest.param(
            {"credentials": {"username": "a", "password": "b"}},
            "bad-vim-credentials",
            "credentials.project_name",
            id="no project",
        ),
        pytest.param(
            {"credentials": {"token": "a", "password": "b"}},
            "bad-vim-credentials",
            "credentials.password",
            id="two ways at once",
        ),
    ],
)
def test_the_field_at_fault_is_named(fields: dict[str, Any], code: str, place: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        driver.validate(access(**fields))
    assert (refused.value.code, refused.value.place) == (code, place)
    assert "secret" not in refused.value.detail


def test_a_name_without_a_domain_is_of_the_default_one() -> None:
    values = way_of(ACCESS).values
    assert (values["user_domain_id"], values["project_domain_id"]) == ("default", "default")
    given = way_of(access(credentials={**ACCESS.credentials, "user_domain_name": "Operators"})).values
    assert "user_domain_id" not in given


@pytest.mark.parametrize(
    ("url", "holds"),
    [("https://cloud.example", False), ("http://127.0.0.1:5000/v3", True), ("http://[::1]:5000", True)],
)
def test_a_cloud_on_fairleads_own_machine_is_for_administrators(url: str, holds: bool) -> None:
    assert (driver.hold_on_host(access(interface={"auth_url": url})) is not None) is holds
    assert (driver.hold_on_host(access(settings={"endpoints": {"image": url}})) is not None) is holds


def test_a_catalogue_leads_to_fairleads_own_machine_only_where_keystone_is_there_too() -> None:
    elsewhere, here = Place(auth_url="https://cloud.example:5000/v3"), Place(auth_url="http://127.0.0.1:5000/v3")
    assert leads_home("http://127.0.0.1:8774/v2.1", elsewhere)
    assert not leads_home("http://127.0.0.1:8774/v2.1", here)
    assert not leads_home("https://cloud.example:8774/v2.1", elsewhere)
