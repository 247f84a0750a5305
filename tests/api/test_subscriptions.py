"""Subscriptions over HTTP: SOL003 clauses 10.4.7 and 10.4.8, SOL005 clauses 9.4.8 and 9.4.9."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fairlead.store import Store
from tests.api.conftest import Api, assembled, problem
from tests.events.receiver import Receiver, receiving

SUBSCRIPTIONS = "/vnfpkgm/v2/subscriptions"
CHANGES = {"notificationTypes": ["VnfPackageChangeNotification"], "vnfdId": ["a-vnfd"]}


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Api:
    return assembled(store, tmp_path)


async def subscribe(api: Api, receiver: Receiver, **more: Any) -> str:
    answer = await api.client().post(SUBSCRIPTIONS, json={"callbackUri": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_subscription_is_made_shown_and_ended(api: Api) -> None:
    async with receiving() as receiver:
        answer = await api.client().post(SUBSCRIPTIONS, json={"callbackUri": receiver.url, "filter": CHANGES})
    assert receiver.asked == ["GET"]
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://fairlead.test{SUBSCRIPTIONS}/{made['id']}"
    assert made == {
        "id": made["id"],
        "callbackUri": receiver.url,
        "filter": CHANGES,
        "_links": {"self": {"href": f"{SUBSCRIPTIONS}/{made['id']}"}},
    }
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    assert (await api.client().get(path)).json() == made
    problem(await api.client(api.stranger).get(path), 404, "subscription-not-found")
    problem(await api.client(api.stranger).delete(path), 404, "subscription-not-found")
    problem(await api.client(api.reader).delete(path), 403, "role-missing")
    assert (await api.client().delete(path)).status_code == 204
    problem(await api.client().get(path), 404, "subscription-not-found")
    problem(await api.client().delete(path), 404, "subscription-not-found")


async def test_an_equal_one_is_answered_with_the_one_that_is_there(api: Api) -> None:
    async with receiving() as receiver:
        first = await subscribe(api, receiver, filter=CHANGES)
        again = await api.client().post(SUBSCRIPTIONS, json={"callbackUri": receiver.url, "filter": CHANGES})
        assert (again.status_code, again.content) == (303, b"")
        assert again.headers["Location"] == f"http://fairlead.test{SUBSCRIPTIONS}/{first}"
        elsewhere = await api.client(api.stranger).post(
            SUBSCRIPTIONS, json={"callbackUri": receiver.url, "filter": CHANGES}
        )
        assert elsewhere.status_code == 201


async def test_a_list_is_filtered_and_comes_in_pages(api: Api) -> None:
    async with receiving() as receiver:
        ids = [await subscribe(api, receiver, filter={"vnfdId": [f"vnfd-{number}"]}) for number in range(5)]
        theirs = {"callbackUri": receiver.url}
        assert (await api.client(api.stranger).post(SUBSCRIPTIONS, json=theirs)).status_code == 201
        first = await api.client().get(SUBSCRIPTIONS)
        second = await api.client().get(first.headers["Link"].partition(">")[0].removeprefix("<"))
        assert [one["id"] for one in (*first.json(), *second.json())] == sorted(ids)
        assert "Link" not in second.headers
        found = await api.client().get(SUBSCRIPTIONS, params={"filter": "(eq,filter/vnfdId,vnfd-3)"})
        assert [one["id"] for one in found.json()] == [ids[3]]
        everything = await api.client().get(SUBSCRIPTIONS, params={"filter": f"(eq,callbackUri,{receiver.url})"})
        assert len(everything.json()) == 3
    unknown = await api.client().get(SUBSCRIPTIONS, params={"filter": "(eq,password,x)"})
    problem(unknown, 400, "filter-unknown-attribute")


async def test_version_1_has_subscriptions_of_its_own(api: Api) -> None:
    async with receiving() as receiver:
        old = SUBSCRIPTIONS.replace("v2", "v1")
        made = await api.client(Version="1.0.0").post(old, json={"callbackUri": receiver.url})
        assert made.status_code == 201, made.text
        assert made.json()["_links"]["self"]["href"] == f"{old}/{made.json()['id']}"
        assert (await api.client().get(SUBSCRIPTIONS)).json() == []
        problem(await api.client().get(f"{SUBSCRIPTIONS}/{made.json()['id']}"), 404, "subscription-not-found")


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"filter": {"vnfdId": ["a"], "vnfPkgId": ["b"]}}, 422, "exclusive-attributes"),
        (
            {"filter": {"notificationTypes": "VnfPackageOnboardingNotification", "operationalState": ["ENABLED"]}},
            422,
            "exclusive-attributes",
        ),
        ({"filter": {"notificationTypes": ["SomethingElse"]}}, 400, "wrong-body"),
        ({"authentication": {"authType": ["TLS_CERT"]}}, 422, "authentication-unsupported"),
        ({"callbackUri": "http://169.254.169.254/"}, 422, "callback-refused"),
        ({"callbackUri": "http://127.0.0.1:1/"}, 422, "callback-failed"),
        ({"callbackUri": "gopher://x"}, 400, "bad-callback"),
        ({"callbackUri": None}, 400, "wrong-body"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused(api: Api, more: dict[str, Any], status: int, code: str) -> None:
    body = {"callbackUri": "http://192.0.2.1/", **more}
    problem(await api.client().post(SUBSCRIPTIONS, json=body), status, code)
    assert (await api.client().get(SUBSCRIPTIONS)).json() == []
    problem(await api.client(api.reader).post(SUBSCRIPTIONS, json=body), 403, "role-missing")
