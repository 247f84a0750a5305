"""Transactions: all or nothing, alone or with a hundred others, whoever gives up waiting, and through a lost database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from fairlead.errors import FairleadError, StoreUnavailable
from fairlead.store import Store, Tx
from tests.support.waiting import until

NOTES = sa.Table(
    "notes",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("text", sa.String(64), nullable=False),
)
NOTES.info["owned"] = True


@pytest.fixture
def notes(store: Store) -> Store:
    NOTES.metadata.create_all(store.engine)
    return store


def add(number: int, text: str = "", project: str = "p") -> Callable[[Tx], None]:
    return lambda tx: tx.insert(NOTES, id=number, text=text, project=project)


def ids(store: Store, project: str | None = None) -> list[int]:
    return [row.id for row in store.read_now(lambda tx: tx.all(tx.select(NOTES).order_by(NOTES.c.id)), project)]


async def test_a_transaction_that_raises_leaves_nothing_and_its_neighbours_everything(notes: Store) -> None:
    def broken(tx: Tx) -> None:
        add(99)(tx)
        raise ValueError("no")

    jobs = [notes.write(broken if number % 3 == 0 else add(number)) for number in range(60)]
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [isinstance(outcome, ValueError) for outcome in outcomes] == [number % 3 == 0 for number in range(60)]
    assert ids(notes) == [number for number in range(60) if number % 3]


async def test_a_statement_that_the_database_refuses_fails_its_own_transaction_only(notes: Store) -> None:
    wrong = sa.table("nowhere", sa.column("n"))
    jobs: list[Any] = [notes.write(add(number)) for number in range(10)]
    jobs.insert(5, notes.write(lambda tx: tx.run(sa.delete(wrong))))
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [5]
    assert isinstance(outcomes[5], sa.exc.DBAPIError)
    assert ids(notes) == list(range(10))


async def test_whoever_gives_up_waiting_for_a_write_stops_nobody_else(notes: Store) -> None:
    entered, may_end = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        entered.set()
        assert may_end.wait(10)
        add(1)(tx)

    first = asyncio.ensure_future(notes.write(slow))
    await until(entered.is_set)
    second = asyncio.ensure_future(notes.write(add(2)))
    await asyncio.sleep(0)
    for task in (first, second):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    may_end.set()
    await notes.write(add(3))
    assert 3 in ids(notes)


async def test_what_is_asked_for_after_the_commit_happens_then_and_only_then(notes: Store) -> None:
    heard: list[list[int]] = []

    def good(tx: Tx) -> None:
        add(1)(tx)
        tx.after_commit(lambda: heard.append(ids(notes)))

    def bad(tx: Tx) -> None:
        tx.after_commit(lambda: heard.append([-1]))
        raise ValueError("no")

    await asyncio.gather(notes.write(good), notes.write(bad), return_exceptions=True)
    assert heard == [[1]]


async def test_a_call_after_the_commit_that_fails_does_not_undo_or_stop_anything(notes: Store) -> None:
    def broken(tx: Tx) -> None:
        add(1)(tx)
        tx.after_commit(lambda: 1 / 0)  # type: ignore[arg-type]

    await notes.write(broken)
    await notes.write(add(2))
    assert ids(notes) == [1, 2]


def test_a_projects_transaction_sees_and_changes_its_own_rows_only(notes: Store) -> None:
    for number, project in enumerate(("p", "q", "p")):
        notes.write_now(add(number, project=project))
    assert ids(notes, "p") == [0, 2]
    assert notes.write_now(lambda tx: tx.run(tx.update(NOTES).values(text="mine")), "q") == 1
    assert notes.write_now(lambda tx: tx.run(tx.delete(NOTES)), "p") == 2
    assert ids(notes) == [1]


def test_a_project_writes_as_itself_whatever_it_says(notes: Store) -> None:
    notes.write_now(add(1, project="q"), "p")
    assert ids(notes, "q") == []
    assert notes.write_now(lambda tx: tx.put(NOTES, id=1, text="stolen", project="q"), "q") is False
    assert notes.write_now(lambda tx: tx.put(NOTES, id=1, text="again"), "p") is True
    assert notes.read_now(lambda tx: tx.first(tx.select(NOTES)).text) == "again"


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(NOTES),
        sa.update(NOTES).values(text="x"),
        sa.delete(NOTES),
        sa.select(sa.func.count()).select_from(NOTES.alias()),
        sa.select(sa.literal(1)).where(sa.exists(sa.select(NOTES.c.id))),
    ],
)
def test_a_statement_that_was_not_bound_to_the_project_is_refused(notes: Store, statement: Any) -> None:
    with pytest.raises(FairleadError) as caught:
        notes.write_now(lambda tx: tx.all(statement), "p")
    assert caught.value.code == "unscoped-statement"


async def test_a_write_after_the_store_is_closed_is_told_and_does_not_hang(notes: Store) -> None:
    notes.close()
    with pytest.raises((RuntimeError, StoreUnavailable)):
        await notes.write(add(1))


# -- a database that goes away -----------------------------------------------------------------------------------------


@pytest.fixture
def pg_notes(postgresql_url: str) -> Iterator[Store]:
    store = Store(postgresql_url, patience=20.0)
    NOTES.metadata.create_all(store.engine)
    yield store
    store.close()


def end_all_connections(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.postgresql
async def test_a_transaction_whose_connection_is_lost_is_run_again(pg_notes: Store, postgresql_url: str) -> None:
    attempts: list[int] = []

    def work(tx: Tx) -> None:
        add(len(attempts) + 1)(tx)
        attempts.append(1)
        if len(attempts) == 1:
            end_all_connections(postgresql_url)

    await pg_notes.write(work)
    assert len(attempts) == 2
    assert ids(pg_notes) == [2]


@pytest.mark.postgresql
async def test_a_transaction_that_hangs_keeps_nobody_waiting_and_is_run_again(
    pg_notes: Store, postgresql_url: str
) -> None:
    await pg_notes.write(add(1))
    attempts: list[int] = []
    went_on = threading.Event()

    def says(text: str) -> Callable[[Tx], int]:
        return lambda tx: tx.run(tx.update(NOTES).values(text=text))

    def hang(tx: Tx) -> None:
        says("the sleeper's")(tx)
        attempts.append(1)
        assert went_on.wait(60)

    hanging = Store(postgresql_url, silence=0.3)
    try:
        sleeper = asyncio.create_task(hanging.write(hang))
        await until(lambda: bool(attempts))
        await pg_notes.write(says("another's"))
        went_on.set()
        await sleeper
    finally:
        hanging.close()
    assert len(attempts) == 2
    assert [row.text for row in pg_notes.read_now(lambda tx: tx.all(tx.select(NOTES)))] == ["the sleeper's"]


@pytest.mark.postgresql
async def test_connections_that_were_lost_while_idle_are_noticed_by_nobody(
    pg_notes: Store, postgresql_url: str
) -> None:
    await asyncio.gather(*(pg_notes.write(add(number)) for number in range(20)))
    end_all_connections(postgresql_url)
    await asyncio.gather(*(pg_notes.write(add(number)) for number in range(20, 40)))
    assert ids(pg_notes) == list(range(40))


@pytest.mark.postgresql
@pytest.mark.parametrize("arrived", [True, False])
async def test_a_commit_whose_answer_is_lost_takes_effect_once(
    pg_notes: Store, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    attempts: list[int] = []
    commit = pg_notes.engine.dialect.do_commit

    def lost(connection: Any) -> None:
        if attempts and len(attempts) == 1:
            attempts.append(0)
            if arrived:
                commit(connection)
            connection.driver_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        commit(connection)

    monkeypatch.setattr(pg_notes.engine.dialect, "do_commit", lost)

    def work(tx: Tx) -> None:
        attempts.append(1)
        add(1)(tx)

    await pg_notes.write(work)
    assert ids(pg_notes) == [1]
    assert sum(attempts) == (1 if arrived else 2)


def test_a_database_that_does_not_answer_is_told_after_a_while() -> None:
    store = Store("postgresql://nobody@127.0.0.1:1/nowhere", patience=0.2)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            store.read_now(lambda tx: tx.scalar(sa.select(sa.literal(1))))
        assert caught.value.cause
    finally:
        store.close()
