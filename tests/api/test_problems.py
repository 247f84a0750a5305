"""Failures: always problem details, with the right status, and never more than is fit to be told."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import structlog

from fairlead import errors
from fairlead.errors import FairleadError
from tests.api.conftest import Api, problem
from tests.api.test_lifecycle import INSTANCES, create


def _tree(root: type[FairleadError]) -> Iterator[type[FairleadError]]:
    yield root
    for branch in root.__subclasses__():
        yield from _tree(branch)


@pytest.mark.parametrize("kind", dict.fromkeys(_tree(FairleadError)), ids=lambda kind: str(kind.__name__))
async def test_every_error_has_its_status_and_its_whole_card(api: Api, kind: type[FairleadError]) -> None:
    error = kind("It went wrong.", resource="r", place="p", cause="c", left="l", remedy="m", more={"extra": 1})
    api.vnfs.fault = error
    answer = await api.client().get(f"{INSTANCES}/x")
    document = problem(answer, kind.status, error.code)
    assert {document[key] for key in ("resource", "place", "cause", "left", "remedy")} == {"r", "p", "c", "l", "m"}
    assert (document["extra"], document["instance"]) == (1, f"{INSTANCES}/x")
    assert ("Retry-After" in answer.headers) is kind.retryable


async def test_what_an_error_adds_does_not_replace_the_standard_members(api: Api) -> None:
    api.vnfs.fault = errors.Conflict("No.", more={"status": 200, "type": "nice", "title": "All is well"})
    document = problem(await api.client().get(f"{INSTANCES}/x"), 409, "conflict")
    assert document["title"] == "Conflict"


async def test_a_fault_of_ours_is_told_by_an_id_that_is_in_the_log(api: Api) -> None:
    api.vnfs.fault = RuntimeError("the password is hunter2")
    with structlog.testing.capture_logs() as logged:
        answer = await api.client().get(f"{INSTANCES}/x")
    document = problem(answer, 500, "internal-error")
    assert b"hunter2" not in answer.content
    assert b"Traceback" not in answer.content
    (entry,) = (line for line in logged if line["event"] == "unexpected error")
    assert entry["fault"] == document["fault"]
    assert entry["fault"] in document["detail"]
    assert entry["exc_info"] is api.vnfs.fault


@pytest.mark.parametrize(
    "path", ["/v1.0", "/nothing", "/vnflcm/v2", "/vnflcm/v2/vnf_instances/x/explode", "/fairlead/v1"]
)
async def test_an_unknown_path_is_a_problem(api: Api, path: str) -> None:
    assert path in problem(await api.client().get(path), 404, "no-such-path")["detail"]


async def test_a_method_that_is_not_possible_names_those_that_are(api: Api) -> None:
    answer = await api.client().put(INSTANCES, json={})
    problem(answer, 405, "method-not-allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


async def test_every_answer_of_an_etsi_interface_carries_a_version(api: Api) -> None:
    for path in ("/vnflcm/v2/nothing", f"{INSTANCES}/nothing", "/vnfpkgm/v2/vnf_packages/nothing"):
        assert (await api.client().get(path)).headers["Version"].startswith("2.")
    assert "Version" not in (await api.client().get("/health")).headers


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [(None, 400, "version-missing"), ("9.0.0", 406, "version-not-supported"), ("new", 400, "version-malformed")],
)
async def test_a_version_that_is_not_served_is_refused(api: Api, version: str | None, status: int, code: str) -> None:
    client = api.client()
    del client.headers["Version"]
    answer = await client.get(INSTANCES, headers={"Version": version} if version else {})
    assert "2.0.0" in problem(answer, status, code)["remedy"]


async def test_the_versions_can_be_asked_for_without_naming_one(api: Api) -> None:
    client = api.client()
    del client.headers["Version"]
    for path, first in (
        ("/vnflcm/api_versions", "1.0.0"),
        ("/vnflcm/v1/api_versions", "1.0.0"),
        ("/vnflcm/v2/api_versions", "2.0.0"),
        ("/vnfpkgm/v2/api_versions", "2.0.0"),
    ):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.json()["apiVersions"][0]["version"] == first


async def test_the_suffix_of_an_implementation_is_read_over(api: Api) -> None:
    answer = await api.client(Version="2.3.0-impl:etsi.org:ETSI_NFV_OpenAPI:1").get(INSTANCES)
    assert (answer.status_code, answer.headers["Version"]) == (200, "2.3.0")


async def test_a_body_of_another_type_is_not_read(api: Api) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await api.client().post(INSTANCES, content=b'{"vnfdId":"d"}', headers=headers)
    problem(answer, 415, "unsupported-media-type")
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert (await api.client().post(INSTANCES, content=b'{"vnfdId":"d"}', headers=headers)).status_code == 201


async def test_a_body_above_the_limit_is_refused(api: Api) -> None:
    api.restart(body_limit=100)
    answer = await api.client().post(INSTANCES, json={"vnfdId": "d" * 200})
    problem(answer, 413, "too-large")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'"x"', b"null", b'{"vnfdId":"\\u0000"}'])
async def test_a_body_that_is_no_document_is_a_bad_request(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.client().post(INSTANCES, content=body, headers=headers)
    assert answer.status_code == 400
    assert msgspec.json.decode(answer.content)["code"] in ("malformed-json", "wrong-body")


async def test_an_answer_that_the_client_does_not_accept_is_not_sent(api: Api) -> None:
    problem(await api.client(Accept="text/html").get(INSTANCES), 406, "not-acceptable")
    for accepted in ("application/json", "application/*", "*/*;q=0.1", "text/html, application/json;q=0.9"):
        assert (await api.client(Accept=accepted).get(INSTANCES)).status_code == 200


async def test_a_name_with_a_character_that_cannot_be_stored_is_not_found(api: Api) -> None:
    problem(await api.client().get(f"{INSTANCES}/a%00b"), 404, "not-found")


async def test_without_credentials_nothing_is_told(api: Api) -> None:
    vnf = await create(api)
    for path in (INSTANCES, f"{INSTANCES}/{vnf}", "/vnflcm/api_versions", "/fairlead/v1/events", "/fairlead/v1/vims"):
        answer = await api.client("").get(path)
        problem(answer, 401, "no-credentials")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    answer = await api.client("not-a-token").get(INSTANCES)
    problem(answer, 401, "token-invalid")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_openstacks_token_header_is_understood(api: Api) -> None:
    answer = await api.client("", **{"X-Auth-Token": api.member}).get(INSTANCES)
    assert answer.status_code == 200


async def test_a_reader_may_look_and_not_change(api: Api) -> None:
    vnf = await create(api)
    reader = api.client(api.reader)
    assert (await reader.get(f"{INSTANCES}/{vnf}")).status_code == 200
    problem(await reader.delete(f"{INSTANCES}/{vnf}"), 403, "role-missing")
    problem(await reader.post(f"{INSTANCES}/{vnf}/heal", json={}), 403, "role-missing")
