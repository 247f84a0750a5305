"""Ids become visible in order, whichever writer commits first.

On SQLite there is one writer at a time, so the tests that hold one open are about PostgreSQL.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator

import pytest

from fairlead.clock import SteppedClock
from fairlead.events import EventLog
from fairlead.store import Store, Tx
from tests.support.waiting import until

pytestmark = pytest.mark.postgresql


class OpenWriter:
    """A transaction in another process that has appended an event and is not finished yet."""

    def __init__(self, store: Store, log: EventLog, subject: str) -> None:
        self._may_end = threading.Event()
        self._wrote = threading.Event()
        self._fails = False
        self._thread = threading.Thread(target=self._run, args=(store, log, subject))
        self._thread.start()
        assert self._wrote.wait(10)

    def _run(self, store: Store, log: EventLog, subject: str) -> None:
        def work(tx: Tx) -> None:
            log.append(tx, project="p", type="vnf.created", subject=subject)
            self._wrote.set()
            assert self._may_end.wait(30)
            if self._fails:
                raise ValueError("rolled back")

        try:
            store.write_now(work)
        except ValueError:
            assert self._fails

    def end(self, *, fails: bool = False) -> None:
        self._fails = fails
        self._may_end.set()
        self._thread.join()


@pytest.fixture
def pg_stores(postgresql_url: str) -> Iterator[Callable[[], Store]]:
    opened: list[Store] = []

    def another() -> Store:
        opened.append(Store(postgresql_url))
        return opened[-1]

    yield another
    for one in opened:
        one.close()


async def append(log: EventLog, store: Store, subject: str) -> None:
    await store.write(lambda tx: log.append(tx, project="p", type="vnf.created", subject=subject))


async def test_a_reader_goes_no_further_than_the_oldest_open_writer(pg_stores: Callable[[], Store]) -> None:
    here, there = pg_stores(), pg_stores()
    log = EventLog(here)
    await append(log, here, "before")
    writer = OpenWriter(there, EventLog(there), "open")
    await append(log, here, "after")
    assert [event.subject for event in await log.read(None)] == ["before"]
    assert await log.latest() == 1
    writer.end()
    assert [event.subject for event in await log.read(None)] == ["before", "open", "after"]


async def test_a_follower_skips_nothing_while_one_writer_is_open_and_another_commits(
    pg_stores: Callable[[], Store],
) -> None:
    here, there = pg_stores(), pg_stores()
    log = EventLog(here)
    seen: list[str] = []

    async def follow() -> None:
        async for event in log.follow("p", 0):
            seen.append(event.subject)
            if event.subject == "last":
                return

    following = asyncio.create_task(follow())
    await append(log, here, "first")
    writer = OpenWriter(there, EventLog(there), "open")
    for number in range(5):
        await append(log, here, f"later-{number}")
    await until(lambda: seen == ["first"])
    writer.end()
    await append(log, here, "last")
    await following
    assert seen == ["first", "open", *(f"later-{number}" for number in range(5)), "last"]


async def test_a_writer_that_rolls_back_lets_readers_go_on(pg_stores: Callable[[], Store]) -> None:
    here, there = pg_stores(), pg_stores()
    log = EventLog(here)
    writer = OpenWriter(there, EventLog(there), "never")
    await append(log, here, "after")
    assert await log.read(None) == []
    writer.end(fails=True)
    assert [event.subject for event in await log.read(None)] == ["after"]


async def test_a_long_transaction_that_writes_no_event_holds_nobody_back(pg_stores: Callable[[], Store]) -> None:
    here, there = pg_stores(), pg_stores()
    log = EventLog(here)
    with there.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE unrelated (n int)")
        await append(log, here, "a")
        assert [event.subject for event in await log.read(None)] == ["a"]


async def test_many_writers_of_two_processes_at_once_lose_a_follower_nothing(pg_stores: Callable[[], Store]) -> None:
    stores = [pg_stores(), pg_stores()]
    logs = [EventLog(store) for store in stores]
    reader_store = pg_stores()
    reader = EventLog(reader_store, SteppedClock())
    clock_steps = random.Random(1)
    total = 400
    seen: list[int] = []
    subjects: set[str] = set()

    async def follow() -> None:
        position = 0
        while len(seen) < total:
            for event in await reader.read(None, position, clock_steps.randint(1, 40)):
                seen.append(event.id)
                subjects.add(event.subject)
                position = event.id

    async def one(number: int) -> None:
        which = number % 2

        def work(tx: Tx) -> None:
            logs[which].append(tx, project="p", type="vnf.created", subject=f"{number}-a")
            logs[which].append(tx, project="p", type="vnf.created", subject=f"{number}-b")

        await stores[which].write(work)

    await asyncio.gather(follow(), *(one(number) for number in range(total // 2)))
    assert seen == sorted(seen)
    assert len(subjects) == total
