"""Lists: filters, selectors, pages."""

from __future__ import annotations

import pytest

from fairlead.store.listing import Page, Row
from tests.api.conftest import Api, problem
from tests.api.test_lifecycle import INSTANCES, OCCURRENCES, begin, create


async def test_pages_are_linked_until_all_is_shown(api: Api) -> None:
    made = {await create(api, f"edge {number}") for number in range(8)}
    client, url, found, pages = api.client(), f"{INSTANCES}?filter=(cont,vnfInstanceName,edge)", set(), 0
    while url:
        answer = await client.get(url)
        assert answer.status_code == 200
        found |= {one["id"] for one in answer.json()}
        pages += 1
        link = answer.links.get("next", {})
        url = link.get("url", "")
        assert not url or 'rel="next"' in answer.headers["Link"]
    assert (found, pages) == (made, 3)


async def test_a_marker_that_is_not_ours_is_refused(api: Api) -> None:
    problem(await api.client().get(INSTANCES, params={"nextpage_opaque_marker": "x"}), 400, "bad-marker")


async def test_the_default_view_is_sent_as_it_is_stored(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row("1", '{"id" : "1" , "spaced":true}', '{"id":"1"}'), Row("2", '{"id":"2"}', '{"id":"2"}')]

    async def page(*_: object) -> Page:
        return Page(rows, None)

    monkeypatch.setattr(api.vnfs, "page", page)
    assert (await api.client().get(INSTANCES)).content == b'[{"id" : "1" , "spaced":true},{"id":"2"}]'
    assert (await api.client().get(f"{INSTANCES}?exclude_default")).content.startswith(b'[{"id" : "1"')
    assert (await api.client().get(f"{INSTANCES}?all_fields")).content == b'[{"id":"1"},{"id":"2"}]'


async def test_an_empty_list_is_an_empty_array(api: Api) -> None:
    answer = await api.client().get(INSTANCES)
    assert (answer.status_code, answer.content) == (200, b"[]")
    assert "Link" not in answer.headers


async def test_filters_and_selectors_work_together(api: Api) -> None:
    await create(api, "north", metadata={"site": "n"})
    await create(api, "south", metadata={"site": "s"})
    answer = await api.client().get(INSTANCES, params={"filter": "(eq,metadata/site,s)", "fields": "metadata"})
    (shown,) = answer.json()
    assert (shown["vnfInstanceName"], shown["metadata"]) == ("south", {"site": "s"})
    assert "metadata" not in (await api.client().get(INSTANCES)).json()[0]


async def test_operation_occurrences_leave_out_their_own_default_set(api: Api) -> None:
    await begin(api)
    (short,) = (await api.client().get(OCCURRENCES)).json()
    (whole,) = (await api.client().get(OCCURRENCES, params={"all_fields": ""})).json()
    assert "operationParams" not in short
    assert whole["operationParams"] == {"flavourId": "simple"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("filter=(eq,id", "filter-malformed"),
        ("filter=", "filter-malformed"),
        ("filter=(like,id,1)", "filter-unknown-operator"),
        ("filter=(eq,nothing,1)", "filter-unknown-attribute"),
        ("fields=nothing", "selector-unknown-attribute"),
        ("fields=metadata&all_fields", "selectors-contradict"),
        ("nextpage_opaque_marker=a%00b", "bad-parameter"),
        ("filter=(eq,id,1)&filter=(eq,id,2)", "repeated-parameter"),
    ],
)
async def test_a_query_that_says_nothing_sensible_is_refused(api: Api, query: str, code: str) -> None:
    assert problem(await api.client().get(f"{INSTANCES}?{query}"), 400, code)["remedy"]


async def test_parameters_that_are_not_known_are_ignored(api: Api) -> None:
    assert (await api.client().get(f"{INSTANCES}?all_records=yes")).status_code == 200
