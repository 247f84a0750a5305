"""VNF lifecycle management over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.sol import (
    HealVnfRequest,
    LcmOperationState,
    OperateVnfRequest,
    ScaleVnfRequest,
    TerminateVnfRequest,
    VnfInfoModificationRequest,
)
from tests.api.conftest import Api, problem

INSTANCES = "/vnflcm/v2/vnf_instances"
OCCURRENCES = "/vnflcm/v2/vnf_lcm_op_occs"


async def create(api: Api, name: str = "edge", **more: Any) -> str:
    answer = await api.client().post(INSTANCES, json={"vnfdId": "d", "vnfInstanceName": name, **more})
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def begin(api: Api) -> str:
    vnf = await create(api)
    answer = await api.client().post(f"{INSTANCES}/{vnf}/instantiate", json={"flavourId": "simple"})
    return str(answer.headers["Location"].rsplit("/", 1)[1])


async def test_a_created_instance_is_answered_with_its_url(api: Api) -> None:
    answer = await api.client().post(INSTANCES, json={"vnfdId": "d", "vnfInstanceName": "edge", "unknown": 1})
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["Version"] == "2.0.0"
    made = answer.json()
    assert answer.headers["Location"] == f"http://fairlead.test{INSTANCES}/{made['id']}"
    assert made["vnfInstanceName"] == "edge"
    shown = await api.client().get(answer.headers["Location"])
    assert shown.json() == made


async def test_urls_begin_with_the_configured_address(api: Api) -> None:
    api.restart(public_url="https://mano.example/")
    answer = await api.client().post(INSTANCES, json={"vnfdId": "d"})
    assert answer.headers["Location"].startswith(f"https://mano.example{INSTANCES}/")


async def test_a_body_of_the_wrong_shape_is_refused_with_the_path(api: Api) -> None:
    vnf = await create(api)
    body = {"flavourId": "simple", "extVirtualLinks": [{"id": "a", "resourceId": 1, "extCps": []}]}
    answer = await api.client().post(f"{INSTANCES}/{vnf}/instantiate", json=body)
    assert problem(answer, 400, "wrong-body")["place"] == "extVirtualLinks[0].resourceId"
    assert api.vnfs.begun == []


async def test_what_cannot_be_done_is_unprocessable(api: Api) -> None:
    answer = await api.client().post(INSTANCES, json={"vnfdId": "unknown"})
    assert problem(answer, 422, "package-not-onboarded")["place"] == "vnfdId"


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("operate", {"changeStateTo": "STOPPED"}, OperateVnfRequest),
        ("scale", {"type": "SCALE_OUT", "aspectId": "web"}, ScaleVnfRequest),
        ("heal", {"vnfcInstanceId": ["a"]}, HealVnfRequest),
        ("heal", None, HealVnfRequest),
        ("terminate", {"terminationType": "FORCEFUL"}, TerminateVnfRequest),
    ],
)
async def test_each_operation_is_begun_with_its_own_request(
    api: Api, operation: str, body: Any, expected: type[Any]
) -> None:
    vnf = await create(api)
    answer = await api.client().post(f"{INSTANCES}/{vnf}/{operation}", json=body)
    assert answer.status_code == 202
    assert answer.content == b""
    assert answer.headers["Location"] == f"http://fairlead.test{OCCURRENCES}/op-1"
    ((_, begun, request),) = api.vnfs.begun
    assert (begun, type(request)) == (operation, expected)


async def test_a_modification_is_a_merge_patch_and_knows_null(api: Api) -> None:
    vnf = await create(api)
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = await api.client().patch(f"{INSTANCES}/{vnf}", content=b'{"vnfInstanceName":null}', headers=headers)
    assert answer.status_code == 202
    ((_, begun, request),) = api.vnfs.begun
    assert begun == "modify"
    assert request == VnfInfoModificationRequest(vnf_instance_name=None)


async def test_a_second_operation_is_refused_while_one_is_open(api: Api) -> None:
    vnf = await create(api)
    path = f"{INSTANCES}/{vnf}/instantiate"
    assert (await api.client().post(path, json={"flavourId": "simple"})).status_code == 202
    problem(await api.client().post(path, json={"flavourId": "simple"}), 409, "operation-open")


async def test_a_request_for_a_plan_that_has_moved_is_refused(api: Api) -> None:
    vnf = await create(api)
    path, body = f"{INSTANCES}/{vnf}/instantiate", {"flavourId": "simple"}
    problem(await api.client().post(path, json=body, headers={"Fairlead-Plan": "sha256:old"}), 409, "plan-moved")
    accepted = await api.client().post(path, json=body, headers={"Fairlead-Plan": "sha256:looked-at"})
    assert accepted.status_code == 202


async def test_entity_tags_guard_against_lost_updates(api: Api) -> None:
    vnf = await create(api)
    tag = (await api.client().get(f"{INSTANCES}/{vnf}")).headers["ETag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    stale = await api.client().delete(f"{INSTANCES}/{vnf}", headers={"If-Match": '"stale"'})
    problem(stale, 412, "etag-mismatch")
    patched = await api.client().patch(f"{INSTANCES}/{vnf}", json={}, headers={"If-Match": '"stale"'})
    problem(patched, 412, "etag-mismatch")
    fresh = await api.client().delete(f"{INSTANCES}/{vnf}", headers={"If-Match": tag})
    assert (fresh.status_code, fresh.content) == (204, b"")
    problem(await api.client().get(f"{INSTANCES}/{vnf}"), 404, "vnf-instance-not-found")


async def test_any_entity_tag_will_do_when_a_star_is_sent(api: Api) -> None:
    vnf = await create(api)
    assert (await api.client().delete(f"{INSTANCES}/{vnf}", headers={"If-Match": "*"})).status_code == 204


async def test_another_projects_instance_does_not_exist(api: Api) -> None:
    vnf = await create(api)
    stranger = api.client(api.stranger)
    problem(await stranger.get(f"{INSTANCES}/{vnf}"), 404, "vnf-instance-not-found")
    problem(await stranger.post(f"{INSTANCES}/{vnf}/heal", json={}), 404, "vnf-instance-not-found")
    assert (await stranger.get(INSTANCES)).json() == []


async def test_an_operation_occurrence_is_taken_through_its_tasks(api: Api) -> None:
    operation = await begin(api)
    client, path = api.client(), f"{OCCURRENCES}/{operation}"
    assert (await client.get(path)).json()["operationState"] == "PROCESSING"
    problem(await client.post(f"{path}/retry"), 409, "wrong-state")
    assert (await client.post(f"{path}/cancel", json={"cancelMode": "GRACEFUL"})).status_code == 202
    assert (await client.post(f"{path}/retry")).status_code == 202
    api.occurrences.move("default", operation, LcmOperationState.FAILED_TEMP)
    assert (await client.post(f"{path}/rollback")).status_code == 202
    api.occurrences.move("default", operation, LcmOperationState.FAILED_TEMP)
    failed = await client.post(f"{path}/fail")
    assert (failed.status_code, failed.json()["operationState"]) == (200, "FAILED")
    problem(await client.post(f"{path}/fail"), 409, "wrong-state")


async def test_cancelling_needs_a_mode(api: Api) -> None:
    operation = await begin(api)
    problem(await api.client().post(f"{OCCURRENCES}/{operation}/cancel"), 400, "wrong-body")
    sent = await api.client().post(f"{OCCURRENCES}/{operation}/cancel", json={"cancelMode": "SOON"})
    assert problem(sent, 400, "wrong-body")["place"] == "cancelMode"


async def test_a_plan_is_shown_and_nothing_is_begun(api: Api) -> None:
    vnf = await create(api)
    path = f"/fairlead/v1/vnf_instances/{vnf}/plans"
    body = {"operation": "instantiate", "request": {"flavourId": "simple"}}
    answer = await api.client(api.reader).post(path, json=body)
    assert answer.status_code == 200
    assert answer.json()["digest"] == "sha256:looked-at"
    assert answer.json()["asked"] == {"flavourId": "simple"}
    assert api.vnfs.begun == []


async def test_a_plan_of_no_operation_or_of_a_wrong_request_is_refused(api: Api) -> None:
    vnf = await create(api)
    path = f"/fairlead/v1/vnf_instances/{vnf}/plans"
    answer = await api.client().post(path, json={"operation": "explode"})
    assert "scale_to_level" in problem(answer, 400, "unknown-operation")["remedy"]
    answer = await api.client().post(path, json={"operation": "scale", "request": {"type": "UP", "aspectId": "a"}})
    assert problem(answer, 400, "wrong-body")["place"] == "request.type"


async def test_the_plans_and_the_timeline_of_an_operation_are_shown(api: Api) -> None:
    operation = await begin(api)
    path = f"/fairlead/v1/vnf_lcm_op_occs/{operation}"
    assert (await api.client().get(f"{path}/timeline")).json()["state"] == "PROCESSING"
    assert (await api.client().post(f"{path}/plans", json={"action": "rollback"})).json()["operation"] == "rollback"
    problem(await api.client().post(f"{path}/plans", json={"action": "fail"}), 400, "wrong-body")
