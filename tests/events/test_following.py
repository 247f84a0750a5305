"""Following the log: woken by commits, cheap for many, complete for the slow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from fairlead.clock import SteppedClock
from fairlead.events import Event, EventLog
from fairlead.store import Store, Tx
from tests.conftest import sqlite_database
from tests.support.waiting import until


async def append(log: EventLog, store: Store, *subjects: str, project: str = "p") -> None:
    def work(tx: Tx) -> None:
        for subject in subjects:
            log.append(tx, project=project, type="operation.state", subject=subject, operation=f"op-{subject}")

    await store.write(work)


def followers(log: EventLog) -> int:
    tail = log._tail
    return sum(map(len, tail._followers.values())) if tail is not None and tail.belongs_here() else 0


async def take(stream: AsyncIterator[Event], count: int) -> list[str]:
    return [(await anext(stream)).subject for _ in range(count)]


async def test_a_follower_gets_what_was_there_and_then_what_comes(store: Store) -> None:
    log = EventLog(store)
    await append(log, store, "a", "b")
    stream = log.follow("p", 0)
    assert await take(stream, 2) == ["a", "b"]
    await append(log, store, "c")
    assert await take(stream, 1) == ["c"]


async def test_a_commit_of_this_process_wakes_a_follower_without_any_time_passing(
    store: Store, clock: SteppedClock
) -> None:
    log = EventLog(store, clock)
    stream = log.follow("p", 0)
    waiting = asyncio.ensure_future(take(stream, 3))
    for subject in ("a", "b", "c"):
        await append(log, store, subject)
    assert await waiting == ["a", "b", "c"]


async def test_events_of_other_processes_are_found_by_looking_now_and_then(
    open_store: Callable[[], Store], clock: SteppedClock
) -> None:
    here, there = open_store(), open_store()
    log, other = EventLog(here, clock, poll=0.5), EventLog(there, clock)
    stream = log.follow(None, 0)
    waiting = asyncio.ensure_future(take(stream, 1))
    await until(clock.next_wake)
    await append(other, there, "far")
    assert not waiting.done()
    clock.step(0.5)
    assert await waiting == ["far"]


async def test_without_an_id_a_follower_gets_only_what_comes_from_now_on(store: Store) -> None:
    log = EventLog(store)
    await append(log, store, "old")
    stream = log.follow("p")
    waiting = asyncio.ensure_future(take(stream, 1))
    await until(lambda: followers(log) == 1)
    await append(log, store, "new")
    assert await waiting == ["new"]


async def test_each_follower_gets_its_own_project_subject_or_operation(store: Store) -> None:
    log = EventLog(store)
    streams = [
        log.follow("p", 0),
        log.follow("p", 0, subject="b"),
        log.follow(None, 0, operation="op-c"),
        log.follow("q", 0, subject="b"),
    ]
    waiting = [asyncio.ensure_future(take(stream, 1)) for stream in streams]
    await append(log, store, "c", project="p")
    await append(log, store, "b", project="p")
    await append(log, store, "b", project="q")
    assert await asyncio.gather(*waiting) == [["c"], ["b"], ["c"], ["b"]]
    assert await take(streams[0], 1) == ["b"]


async def test_a_slow_follower_loses_nothing(store: Store) -> None:
    log = EventLog(store)
    slow, fast = log.follow("p", 0), log.follow("p", 0)
    await append(log, store, "start")
    assert await take(slow, 1) == await take(fast, 1) == ["start"]
    subjects = [str(number) for number in range(2500)]
    for begin in range(0, 2500, 500):
        await append(log, store, *subjects[begin : begin + 500])
    assert await take(fast, 2500) == subjects
    assert await take(slow, 2500) == subjects


async def test_a_thousand_followers_cost_one_reader(sqlite_store: Store, clock: SteppedClock) -> None:
    log = EventLog(sqlite_store, clock)
    statements: list[str] = []
    sa.event.listen(sqlite_store.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    streams = [log.follow("p", operation=f"op-{number}") for number in range(1000)]
    waiting = [asyncio.ensure_future(take(stream, 1)) for stream in streams]
    await until(lambda: followers(log) == 1000)
    await append(log, sqlite_store, *(str(number) for number in range(1000)))
    assert await asyncio.gather(*waiting) == [[str(number)] for number in range(1000)]
    assert sum(statement.startswith("SELECT") for statement in statements) < 20


async def test_between_events_nobody_reads_before_it_is_time(sqlite_store: Store, clock: SteppedClock) -> None:
    log = EventLog(sqlite_store, clock, poll=0.5)
    stream = log.follow("p", 0)
    waiting = asyncio.ensure_future(take(stream, 1))
    await until(lambda: followers(log) == 1 and clock.next_wake())
    statements: list[str] = []
    sa.event.listen(sqlite_store.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    log._committed()  # As when a read has seen already what the commit tells of.
    for _ in range(20_000):
        await asyncio.sleep(0)
    assert sum(statement.startswith("SELECT") for statement in statements) == 1
    await append(log, sqlite_store, "a")
    await waiting


async def test_a_quiet_line_tells_so_now_and_then(store: Store) -> None:
    log = EventLog(store)
    stream = log.follow_with_pauses("p", 0, pause=0.001)
    assert await anext(stream) is None
    await append(log, store, "a")
    while (event := await anext(stream)) is None:
        pass
    assert event.subject == "a"


async def test_when_nobody_follows_nobody_reads(store: Store) -> None:
    log = EventLog(store)
    await append(log, store, "a")
    stream = log.follow("p", 0)
    await take(stream, 1)
    await stream.aclose()
    await until(lambda: not any("tail" in task.get_name() for task in asyncio.all_tasks()))
    again = log.follow("p", 0)
    assert await take(again, 1) == ["a"]


async def test_a_follower_hears_of_a_failure_that_is_not_the_databases_absence(sqlite_store: Store) -> None:
    log = EventLog(sqlite_store)
    stream = log.follow("p", 0)
    waiting = asyncio.ensure_future(take(stream, 1))
    await until(lambda: followers(log) == 1)
    with sqlite_store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE events")
    log._committed()
    with pytest.raises(sa.exc.DBAPIError):
        await waiting


def test_a_log_may_be_followed_in_one_event_loop_after_another(sqlite_store: Store) -> None:
    log = EventLog(sqlite_store)

    async def once(subject: str) -> list[str]:
        stream = log.follow("p")
        waiting = asyncio.ensure_future(take(stream, 1))
        await until(lambda: followers(log) == 1)
        await append(log, sqlite_store, subject)
        return await waiting

    assert asyncio.run(once("a")) == ["a"]
    sqlite_store.write_now(lambda tx: log.append(tx, project="p", type="vnf.created", subject="between"))
    assert asyncio.run(once("b")) == ["b"]


async def test_a_follower_waits_out_a_database_that_does_not_answer(tmp_path: Path, clock: SteppedClock) -> None:
    url = sqlite_database(tmp_path / "fairlead.db")
    store, other = Store(url, patience=0.01), Store(url)
    broken = threading.Event()
    refused: list[float] = []

    def refuse(*_: object) -> None:
        if broken.is_set():
            refused.append(clock.now())
            raise sa.exc.OperationalError("SELECT", None, Exception("server closed the connection"))

    sa.event.listen(store.engine, "before_cursor_execute", refuse)
    try:
        log, writer = EventLog(store, clock, poll=0.5), EventLog(other, clock)
        stream = log.follow("p", 0)
        waiting = asyncio.ensure_future(take(stream, 1))
        await until(lambda: followers(log) == 1 and clock.next_wake())
        broken.set()
        await append(writer, other, "meanwhile")
        log._committed()
        await until(lambda: refused and clock.next_wake() == clock.now() + 0.5)
        broken.clear()
        assert not waiting.done()
        clock.step(0.5)
        assert await waiting == ["meanwhile"]
    finally:
        store.close()
        other.close()
