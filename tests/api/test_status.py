"""Health, readiness, metrics, the request log and the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import structlog

from fairlead.api import Check
from fairlead.api.app import endpoints
from tests.api.conftest import Api, problem
from tests.api.test_lifecycle import INSTANCES, create


async def test_health_and_readiness_need_no_credentials(api: Api) -> None:
    anyone = api.client("")
    assert (await anyone.get("/health")).json() == {"status": "ok"}
    ready = await anyone.get("/ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "checks": [{"name": "store", "ok": True}]})


async def test_what_is_missing_for_work_is_told(api: Api) -> None:
    api.health.found.append(Check(name="worker", ok=False, detail="No worker has been seen for 30 s."))
    ready = await api.client("").get("/ready")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert ready.json()["checks"][1]["detail"] == "No worker has been seen for 30 s."


async def test_metrics_count_requests_by_route_and_not_by_id(api: Api) -> None:
    vnf = await create(api)
    await api.client().get(f"{INSTANCES}/{vnf}")
    await api.client().get("/nothing/at/all")
    answer = await api.client("").get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    route = 'method="GET",route="/vnflcm/v2/vnf_instances/{vnfInstanceId}",status="200"'
    assert f"fairlead_http_requests_total{{{route}}} 1.0" in answer.text
    assert 'route="unmatched",status="404"' in answer.text
    assert "fairlead_http_request_duration_seconds_bucket" in answer.text
    assert vnf not in answer.text


async def test_metrics_can_be_kept_from_the_public(api: Api) -> None:
    api.restart(public_metrics=False)
    problem(await api.client("").get("/metrics"), 401, "no-credentials")
    assert (await api.client().get("/metrics")).status_code == 200


async def test_each_request_is_a_line_in_the_log_under_its_id(api: Api) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        answer = await api.client(**{"X-Request-Id": "my-request.1"}).get(f"{INSTANCES}?filter=(eq,id,secret)")
        other = await api.client(**{"X-Request-Id": "not\x7fone"}).get("/nothing")
    assert answer.headers["X-Request-Id"] == "my-request.1"
    assert re.fullmatch(r"[0-9a-f]{32}", other.headers["X-Request-Id"])
    first, second = (line for line in logged if line["event"] == "request")
    assert (first["method"], first["path"], first["status"], first["project"]) == ("GET", INSTANCES, 200, "default")
    assert first["request_id"] == "my-request.1"
    assert first["duration_ms"] >= 0
    assert (second["status"], second["project"]) == (404, None)
    assert api.member not in repr(logged)


async def test_the_openapi_document_describes_all_that_is_served(api: Api) -> None:
    document = (await api.client("").get("/fairlead/v1/openapi.json")).json()
    described = {(path, method) for path, operations in document["paths"].items() for method in operations}
    itself = ("/fairlead/v1/openapi.json", "get")
    assert described == {itself, *((one.path, one.method.lower()) for one in endpoints(api.services))}
    names = [operation["operationId"] for operations in document["paths"].values() for operation in operations.values()]
    assert len(names) == len(set(names))


async def test_the_openapi_document_is_true_about_problems_and_credentials(api: Api) -> None:
    document = (await api.client("").get("/fairlead/v1/openapi.json")).json()
    problem_body = document["components"]["responses"]["Problem"]["content"]
    assert list(problem_body) == ["application/problem+json"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            public = operation["security"] == []
            assert public is ("401" not in operation["responses"]) or path == "/oauth2/token", (method, path)
            answers = [one for status, one in operation["responses"].items() if status >= "400" and status != "503"]
            assert answers
            assert all(one == {"$ref": "#/components/responses/Problem"} for one in answers)


async def test_references_in_the_openapi_document_lead_somewhere(api: Api) -> None:
    document = (await api.client("").get("/fairlead/v1/openapi.json")).json()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for inner in value.values() for one in references(inner)]
        return [one for inner in value for one in references(inner)] if isinstance(value, list) else []

    for reference in set(references(document)):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found
