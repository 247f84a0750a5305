"""Projects, tokens, OAuth2 clients and the token endpoint over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.store import Store
from tests.api.conftest import Api, assembled, problem
from tests.api.test_lifecycle import INSTANCES

ROOT = "/fairlead/v1"


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Api:
    return assembled(store, tmp_path)


async def test_a_project_is_created_shown_listed_and_deleted(api: Api) -> None:
    admin = api.client(api.admin)
    answer = await admin.post(f"{ROOT}/projects", json={"name": "north", "description": "The north."})
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"{ROOT}/projects/north")
    assert answer.json()["id"] == "north"
    assert (await admin.get(f"{ROOT}/projects/north")).json() == answer.json()
    assert "north" in {one["name"] for one in (await admin.get(f"{ROOT}/projects")).json()}
    problem(await admin.post(f"{ROOT}/projects", json={"name": "north"}), 409, "project-exists")
    assert (await admin.delete(f"{ROOT}/projects/north")).status_code == 204
    problem(await admin.get(f"{ROOT}/projects/north"), 404, "project-not-found")


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(api: Api) -> None:
    admin = api.client(api.admin)
    answer = await admin.post(f"{ROOT}/tokens", json={"name": "ci", "project": "elsewhere", "roles": ["reader"]})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["project"], made["roles"]) == ("elsewhere", ["reader"])
    token = made.pop("token")
    assert (await admin.get(f"{ROOT}/tokens/{made['id']}")).json() == made
    assert token not in (await admin.get(f"{ROOT}/tokens")).text
    assert (await api.client(token).get(INSTANCES)).status_code == 200
    assert (await admin.delete(f"{ROOT}/tokens/{made['id']}")).status_code == 204
    problem(await api.client(token).get(INSTANCES), 401, "token-invalid")


async def test_a_token_without_more_is_of_the_callers_project_and_a_member(api: Api) -> None:
    made = (await api.client(api.admin).post(f"{ROOT}/tokens", json={"name": "plain"})).json()
    assert (made["project"], made["roles"]) == ("default", ["member"])


async def test_a_client_exchanges_its_secret_for_a_token(api: Api) -> None:
    admin = api.client(api.admin)
    made = (await admin.post(f"{ROOT}/clients", json={"name": "nfvo", "roles": ["member", "reader"]})).json()
    secret = made.pop("client_secret")
    assert (await admin.get(f"{ROOT}/clients/{made['id']}")).json() == made
    anyone = api.client("")
    form = {"grant_type": "client_credentials"}
    granted = await anyone.post("/oauth2/token", data=form, auth=(made["id"], secret))
    assert granted.status_code == 200
    assert granted.headers["Cache-Control"] == "no-store"
    assert (granted.json()["token_type"], granted.json()["scope"]) == ("Bearer", "member reader")
    assert granted.json()["expires_in"] > 0
    assert (await api.client(granted.json()["access_token"]).get(INSTANCES)).status_code == 200
    in_form = form | {"client_id": made["id"], "client_secret": secret, "scope": "reader"}
    narrow = (await anyone.post("/oauth2/token", data=in_form)).json()["access_token"]
    problem(await api.client(narrow).post(INSTANCES, json={"vnfdId": "d"}), 403, "role-missing")
    assert (await admin.delete(f"{ROOT}/clients/{made['id']}")).status_code == 204
    problem(await api.client(narrow).get(INSTANCES), 401, "token-invalid")


@pytest.mark.parametrize(
    ("form", "authorization", "status", "error"),
    [
        ({"grant_type": "client_credentials"}, "Basic bm9ib2R5OnNlY3JldA==", 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, "Basic !", 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, "Bearer x", 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, None, 401, "invalid_client"),
        ({"grant_type": "password"}, None, 400, "unsupported_grant_type"),
        ({}, None, 400, "unsupported_grant_type"),
    ],
)
async def test_a_refused_grant_has_the_form_that_oauth2_clients_read(
    api: Api, form: dict[str, str], authorization: str | None, status: int, error: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = await api.client("").post("/oauth2/token", data=form, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)


async def test_only_administrators_administer(api: Api) -> None:
    for what in ("projects", "tokens", "clients"):
        problem(await api.client().get(f"{ROOT}/{what}"), 403, "role-missing")
        problem(await api.client().post(f"{ROOT}/{what}", json={"name": "x"}), 403, "role-missing")


async def test_what_cannot_be_a_credential_is_refused(api: Api) -> None:
    admin = api.client(api.admin)
    problem(await admin.post(f"{ROOT}/tokens", json={"name": "x", "roles": ["king"]}), 400, "role-unknown")
    problem(await admin.post(f"{ROOT}/tokens", json={"name": "x", "project": "nowhere"}), 404, "project-not-found")
    problem(await admin.post(f"{ROOT}/tokens", json={"name": "x" * 300}), 400, "wrong-body")
    problem(await admin.delete(f"{ROOT}/tokens/nothing"), 404, "token-not-found")
