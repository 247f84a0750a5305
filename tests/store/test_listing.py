"""Pages of rows: complete, in order, filtered in SQL as in Python."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.sol import Filter
from fairlead.store import Store, Tx
from fairlead.store.listing import Page, list_page

THINGS = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64)),
    sa.Column("size", sa.Float),
    sa.Column("on", sa.Boolean),
    sa.Column("view", sa.Text, nullable=False),
    sa.Column("full", sa.Text, nullable=False),
    sa.Index("ix_things_listing", "project", "id", "name", "size", "on"),
)
THINGS.info["owned"] = True
INDEXED = {("id",): THINGS.c.id, ("name",): THINGS.c.name, ("size",): THINGS.c.size, ("on",): THINGS.c["on"]}


def fill(store: Store, documents: Sequence[dict[str, Any]], project: str = "p") -> None:
    THINGS.metadata.create_all(store.engine)

    def work(tx: Tx) -> None:
        for document in documents:
            columns = {name: document.get(name) for name in ("id", "name", "size", "on")}
            view = json.dumps({"id": document["id"]})
            tx.insert(THINGS, project=project, view=view, full=json.dumps(document), **columns)

    store.write_now(work)


def page(
    store: Store,
    text: str | None = None,
    marker: str | None = None,
    limit: int = 100,
    *,
    project: str | None = "p",
    indexed: Any = INDEXED,
) -> Page:
    wanted = Filter.parse(text) if text else None

    def work(tx: Tx) -> Page:
        return list_page(
            tx,
            THINGS,
            view=THINGS.c.view,
            full=THINGS.c.full,
            indexed=indexed,
            filter=wanted,
            marker=marker,
            limit=limit,
        )

    return store.read_now(work, project)


def every(store: Store, text: str | None = None, limit: int = 7, **more: Any) -> list[str]:
    """The ids on all pages, one after another."""
    ids: list[str] = []
    marker = None
    while True:
        found = page(store, text, marker, limit, **more)
        assert len(found.rows) <= limit
        ids += [row.id for row in found.rows]
        marker = found.next_marker
        if marker is None:
            return ids


def numbered(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"{n:05}", "name": f"n{n % 10}", "size": n, "on": n % 2 == 0, "more": {"a": n % 3}} for n in range(count)
    ]


def test_pages_follow_each_other_without_gap_or_repetition(store: Store) -> None:
    fill(store, numbered(50))
    assert every(store) == [f"{n:05}" for n in range(50)]


def test_the_last_page_has_no_marker_even_when_it_is_full(store: Store) -> None:
    fill(store, numbered(10))
    assert page(store, limit=10).next_marker is None
    assert page(store, limit=5).next_marker == "00004"
    assert page(store, marker="00004", limit=5).next_marker is None
    assert page(store, "(eq,more/a,1)", limit=3).next_marker is None


def test_rows_that_come_and_go_between_pages_move_no_other_row(store: Store) -> None:
    fill(store, numbered(20))
    first = page(store, limit=10)
    store.write_now(lambda tx: tx.run(tx.delete(THINGS).where(THINGS.c.id.in_(["00003", "00009"]))))
    fill(store, [{"id": "00000a", "name": "new"}])
    second = page(store, marker=first.next_marker, limit=10)
    assert [row.id for row in second.rows] == [f"{n:05}" for n in range(10, 20)]


def test_a_row_has_its_view_undecoded_and_its_document_when_asked_for(store: Store) -> None:
    [document] = numbered(1)
    fill(store, [document])
    [row] = page(store).rows
    assert row.view == '{"id": "00000"}'
    assert row.full == document


def test_a_page_shows_its_projects_rows_only(store: Store) -> None:
    fill(store, numbered(5))
    fill(store, [{"id": "theirs", "name": "n1"}], project="q")
    assert every(store, project="q") == ["theirs"]
    assert every(store, "(eq,name,n1)", project="q") == ["theirs"]
    assert len(every(store, project=None)) == 6


def test_terms_without_a_column_are_matched_on_the_document_beside_those_with_one(store: Store) -> None:
    fill(store, numbered(60))
    expected = [f"{n:05}" for n in range(60) if n % 10 == 4 and n % 3 == 2]
    assert every(store, "(eq,name,n4);(eq,more/a,2)", limit=1) == expected


def test_a_filter_that_few_rows_match_gives_short_pages_rather_than_slow_ones(sqlite_store: Store) -> None:
    fill(sqlite_store, [{"id": f"{n:05}", "rare": n == 7000} for n in range(7500)])
    first = page(sqlite_store, "(eq,rare,true)")
    assert (first.rows, first.next_marker) == ([], "04999")
    assert every(sqlite_store, "(eq,rare,true)") == ["07000"]


def test_a_page_with_filtered_columns_reads_the_index_alone_until_it_knows_its_rows(sqlite_store: Store) -> None:
    fill(sqlite_store, numbered(500))
    statements: list[tuple[str, Any]] = []
    sa.event.listen(sqlite_store.engine, "before_cursor_execute", lambda *call: statements.append(call[2:4]))
    page(sqlite_store, "(neq,name,n1);(gt,size,12)", marker="00003")
    select, parameters = next(each for each in statements if each[0].startswith("SELECT"))
    with sqlite_store.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {select}", parameters).all()
    assert any("COVERING INDEX ix_things_listing" in step[3] for step in plan), plan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(cont,name,100%)", ["a"]),
        ("(cont,name,_b)", ["b"]),
        ("(cont,name,\\)", ["c"]),
        ("(cont,name,Mixed)", ["d"]),
        ("(cont,name,mixed)", []),
        ("(ncont,name,mixed,100)", ["b", "c", "d", "e"]),
        ("(eq,name,'it''s')", []),
        ("(neq,name,a_b)", ["a", "c", "d", "e"]),
    ],
)
def test_characters_that_mean_something_to_like_are_taken_as_they_are(
    store: Store, text: str, expected: list[str]
) -> None:
    names = {"a": "100% sure", "b": "a_b", "c": "back\\slash", "d": "Mixed Case", "e": None}
    fill(store, [{"id": key} | ({"name": name} if name else {}) for key, name in names.items()])
    assert every(store, text) == expected


WORDS = st.sampled_from(
    ["", "a", "A", "b", "ab", "aB", "Z", "ä", "é", "10", "9", "1e3", "-1", "0", "true", "false", "a b", "%", "_", "nan"]
    + ["2024-05-01T10:00:00Z", "2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00.000Z", "inf", "1_000"]
)
DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": WORDS,
            "size": st.one_of(st.integers(-20, 1100), st.floats(-2, 2, allow_nan=False).map(lambda n: round(n, 1))),
            "on": st.booleans(),
        },
    ),
    max_size=12,
)
OPERATORS = st.sampled_from(["eq", "neq", "in", "nin", "gt", "gte", "lt", "lte", "cont", "ncont"])


@st.composite
def terms(draw: st.DrawFn) -> str:
    op, path = draw(OPERATORS), draw(st.sampled_from(["name", "size", "on"]))
    values = draw(st.lists(WORDS, min_size=1, max_size=3 if op in ("in", "nin", "cont", "ncont") else 1))
    return f"({op},{path},{','.join(values)})"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=DOCUMENTS, chosen=st.lists(terms(), min_size=1, max_size=2))
def test_a_filter_means_the_same_in_sql_as_in_python(
    store: Store, documents: list[dict[str, Any]], chosen: list[str]
) -> None:
    THINGS.metadata.drop_all(store.engine)
    fill(store, [{"id": str(uuid.uuid4()), **document} for document in documents])
    text = ";".join(chosen)
    assert every(store, text) == every(store, text, indexed={})
