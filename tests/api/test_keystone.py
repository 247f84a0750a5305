"""The API with Keystone's tokens: who may do what, what is open, and what is told when Keystone is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from fairlead.api import Services
from fairlead.clock import SystemClock
from fairlead.identity import Keystone, KeystoneAccess
from tests.api.conftest import Api, problem
from tests.api.test_lifecycle import INSTANCES
from tests.support.keystone import SERVICE, PeerKeystone, keystone

CHALLENGE = 'Keystone uri="https://keystone.example/v3"'


@asynccontextmanager
async def asked(api: Api) -> AsyncIterator[PeerKeystone]:
    """The API, restarted with a Keystone behind it."""
    async with keystone() as peer:
        access = KeystoneAccess(auth_url=peer.url, username=SERVICE[0], password=SERVICE[1], timeout=2.0)
        asks = Keystone(access, SystemClock(), api.services.identity.ensure_project)
        api.services = Services(**{**vars(api.services), "keystone": asks})
        api.restart(challenge=CHALLENGE)
        try:
            yield peer
        finally:
            await asks.close()


def sender(api: Api, token: str) -> httpx.AsyncClient:
    """A client that sends its token as OpenStack's do."""
    return api.client("", **{"X-Auth-Token": token})


async def test_a_member_changes_a_reader_looks_and_others_see_nothing(api: Api) -> None:
    async with asked(api) as peer:
        member, reader = sender(api, peer.token("member", "reader")), sender(api, peer.token("reader"))
        made = await member.post(INSTANCES, json={"vnfdId": "d"})
        assert made.status_code == 201
        assert [one["id"] for one in (await reader.get(INSTANCES)).json()] == [made.json()["id"]]
        refused = problem(await reader.post(INSTANCES, json={"vnfdId": "d"}), 403, "role-missing")
        assert "'ann' has reader in project 'id-of-north'" in refused["detail"]
        problem(await reader.delete(f"{INSTANCES}/{made.json()['id']}"), 403, "role-missing")
        other = sender(api, peer.token("admin", project="south"))
        assert (await other.get(INSTANCES)).json() == []
        problem(await other.get(f"{INSTANCES}/{made.json()['id']}"), 404, "vnf-instance-not-found")
        nobody = sender(api, peer.token("unheard-of"))
        problem(await nobody.get(INSTANCES), 403, "role-missing")
        assert (await api.client(peer.token("reader")).get(INSTANCES)).status_code == 200, "as a bearer token"


async def test_without_a_valid_token_one_is_told_where_to_get_one(api: Api) -> None:
    async with asked(api) as peer:
        answer = await api.client("").get(INSTANCES)
        problem(answer, 401, "no-credentials")
        assert answer.headers["WWW-Authenticate"] == CHALLENGE
        for token in ("made-up", api.admin):
            answer = await sender(api, token).get(INSTANCES)
            problem(answer, 401, "token-invalid")
            assert answer.headers["WWW-Authenticate"].startswith(CHALLENGE)
        scoped = peer.token(project=None, system={"all": True})
        problem(await sender(api, scoped).get(INSTANCES), 403, "token-without-project")


async def test_while_keystone_is_away_one_is_told_to_come_again(api: Api) -> None:
    async with asked(api) as peer:
        known, token = peer.token("member"), peer.token("member")
        await sender(api, known).get(INSTANCES)
        peer.down = 503
        answer = await sender(api, token).get(INSTANCES)
        problem(answer, 503, "keystone-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert "WWW-Authenticate" not in answer.headers
        assert (await sender(api, known).get(INSTANCES)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/ready", 200),
        ("GET", "/metrics", 200),
        ("GET", "/", 200),
        ("GET", "/fairlead/v1/openapi.json", 200),
        ("POST", "/oauth2/token", 404),
        ("GET", "/fairlead/v1/tokens", 404),
        ("POST", "/fairlead/v1/clients", 404),
        ("POST", "/fairlead/v1/projects", 405),
        ("GET", "/fairlead/v1/projects", 401),
        ("GET", "/v1.0/vims.json", 401),
    ],
)
async def test_only_what_tells_nothing_is_open_and_no_other_tokens_are_given_out(
    api: Api, method: str, path: str, status: int
) -> None:
    async with asked(api):
        assert (await api.client("").request(method, path)).status_code == status


async def test_keystones_projects_are_seen_and_the_api_tells_of_keystones_tokens(api: Api) -> None:
    async with asked(api) as peer:
        admin = sender(api, peer.token("admin"))
        found: list[dict[str, Any]] = (await admin.get("/fairlead/v1/projects")).json()
        assert {"id-of-north": "north in Keystone"}.items() <= {one["id"]: one["description"] for one in found}.items()
        problem(await sender(api, peer.token("member")).get("/fairlead/v1/projects"), 403, "role-missing")
        document = (await admin.get("/fairlead/v1/openapi.json")).json()
        assert list(document["components"]["securitySchemes"]) == ["keystone"]
        assert document["paths"]["/vnflcm/v2/vnf_instances"]["get"]["security"] == [{"keystone": []}]
