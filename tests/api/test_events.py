"""The event log over HTTP: pages, and streams that can be taken up again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fairlead.store import Store, Tx
from tests.api.conftest import Api, assembled, problem
from tests.support.waiting import until

EVENTS = "/fairlead/v1/events"
JSON = {"Accept": "application/json"}
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Api:
    return assembled(store, tmp_path)


async def happen(api: Api, *subjects: str, project: str = "default", operation: str | None = None) -> None:
    def work(tx: Tx) -> None:
        for subject in subjects:
            api.services.events.append(
                tx, project=project, type="vnf.created", subject=subject, operation=operation, data={"a": "b\nc"}
            )

    await api.services.store.write(work)


async def blocks(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """The blocks of a stream; a comment is a block with the key ''."""
    found: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line:
            yield found
            found = {}
            continue
        name, _, value = line.partition(":")
        found[name] = value.removeprefix(" ")


async def subjects(answer: httpx.Response, count: int) -> list[str]:
    found = []
    async for block in blocks(answer):
        if "data" in block:
            document = json.loads(block["data"])
            assert str(document["id"]) == block["id"]
            found.append(document["subject"])
            if len(found) == count:
                break
    return found


def running(*names: str) -> bool:
    return bool({task.get_name() for task in asyncio.all_tasks()} & set(names))


async def test_a_page_of_events_leads_to_the_next(api: Api) -> None:
    await happen(api, *(f"vnf-{number}" for number in range(7)))
    client, url, found = api.client(**JSON), f"{EVENTS}?after=0", []
    while url:
        answer = await client.get(url)
        found += [one["subject"] for one in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert found == [f"vnf-{number}" for number in range(7)]
    first = (await client.get(EVENTS, params={"limit": 1})).json()
    assert len(first) == 1
    assert first[0]["type"] == "vnf.created"
    assert first[0]["data"] == {"a": "b\nc"}


async def test_events_are_of_the_callers_project_and_of_what_is_asked_for(api: Api) -> None:
    await happen(api, "mine", operation="op-1")
    await happen(api, "also-mine")
    await happen(api, "theirs", project="elsewhere")
    client = api.client(**JSON)
    assert [one["subject"] for one in (await client.get(EVENTS)).json()] == ["mine", "also-mine"]
    assert [one["subject"] for one in (await client.get(EVENTS, params={"operation": "op-1"})).json()] == ["mine"]
    assert (await client.get(EVENTS, params={"subject": "theirs"})).json() == []
    problem(await client.get(EVENTS, params={"all_projects": "true"}), 403, "role-missing")
    everything = await api.client(api.admin, **JSON).get(EVENTS, params={"all_projects": "true"})
    assert [one["subject"] for one in everything.json()] == ["mine", "also-mine", "theirs"]


async def test_a_stream_begins_with_what_happens_from_now_on(api: Api) -> None:
    await happen(api, "before")
    async with api.served() as served, served.client.stream("GET", EVENTS, headers=STREAM) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        reading = asyncio.create_task(subjects(answer, 2))
        await happen(api, "theirs", project="elsewhere")
        while not reading.done():
            await happen(api, "after")
            await asyncio.sleep(0.01)
        assert set(await reading) == {"after"}


async def test_a_stream_is_taken_up_after_the_last_event_that_was_seen(api: Api) -> None:
    await happen(api, "one", "two", "three")
    first = (await api.client(**JSON).get(EVENTS)).json()[0]["id"]
    async with api.served() as served:
        for headers, query in (
            ({"Last-Event-ID": str(first)}, {}),
            ({}, {"after": str(first)}),
            ({"Last-Event-ID": str(first)}, {"after": "0"}),
        ):
            async with served.client.stream("GET", EVENTS, headers={**STREAM, **headers}, params=query) as answer:
                assert await subjects(answer, 2) == ["two", "three"]


async def test_a_silent_stream_is_kept_open_by_comments(api: Api) -> None:
    api.restart(heartbeat=0.02)
    async with api.served() as served, served.client.stream("GET", EVENTS, headers=STREAM) as answer:
        found: list[dict[str, str]] = []
        async for block in blocks(answer):
            found.append(block)
            if len(found) == 4:
                break
    assert found == [{"retry": "1000"}, {"": ""}, {"": ""}, {"": ""}]


async def test_streams_end_when_the_server_stops(api: Api) -> None:
    async with api.served() as served:
        stream = served.client.stream("GET", EVENTS, headers=STREAM)
        answer = await stream.__aenter__()
        read: list[Any] = []

        async def to_the_end() -> None:
            async for block in blocks(answer):
                read.append(block)

        reading = asyncio.create_task(to_the_end())
        await until(lambda: read)
        served.server.should_exit = True
        await asyncio.wait_for(reading, 10)
        await stream.__aexit__(None, None, None)


async def test_a_stream_ends_when_its_callers_token_is_revoked(api: Api) -> None:
    api.restart(heartbeat=0.02)
    token_id, token = await api.services.identity.issue_token("default", "short", ["reader"])
    headers = {**STREAM, "Authorization": f"Bearer {token}"}
    async with api.served() as served, served.client.stream("GET", EVENTS, headers=headers) as answer:
        reading = blocks(answer)
        assert await anext(reading)
        await api.services.identity.revoke_token(token_id)
        async for block in reading:
            assert "data" not in block


async def test_a_client_that_goes_away_leaves_nothing_running(api: Api) -> None:
    async with api.served() as served:
        async with served.client.stream("GET", EVENTS, headers=STREAM) as answer:
            async for _ in blocks(answer):
                break
            await until(lambda: running("event log tail", "event stream end"))
        await until(lambda: not running("event log tail", "event stream end"))


@pytest.mark.parametrize(
    ("headers", "query"), [({"Last-Event-ID": "x"}, {}), ({}, {"after": "-1"}), ({}, {"after": "9" * 30})]
)
async def test_an_id_that_is_none_is_refused(api: Api, headers: dict[str, str], query: dict[str, str]) -> None:
    problem(await api.client(**STREAM).get(EVENTS, headers=headers, params=query), 400, "bad-parameter")
