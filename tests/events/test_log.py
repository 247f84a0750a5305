"""Appending to the event log and reading it."""

from __future__ import annotations

import pytest

from fairlead.clock import SteppedClock
from fairlead.events import Event, EventLog
from fairlead.store import Store, Tx


async def write(log: EventLog, store: Store, *subjects: str, project: str = "default") -> None:
    def work(tx: Tx) -> None:
        for subject in subjects:
            log.append(tx, project=project, type="vnf.created", subject=subject, operation=f"op-{subject}")

    await store.write(work)


async def test_an_event_is_read_as_it_was_written(store: Store, clock: SteppedClock) -> None:
    log = EventLog(store, clock)
    await store.write(
        lambda tx: log.append(
            tx,
            project="p",
            type="resource.ready",
            subject="vnf-1",
            operation="op-1",
            resource="VDU1/k1",
            data={"n": [1]},
        )
    )
    assert await log.read("p") == [
        Event(
            id=1,
            time=clock.now(),
            project="p",
            type="resource.ready",
            subject="vnf-1",
            operation="op-1",
            resource="VDU1/k1",
            data={"n": [1]},
        )
    ]


async def test_a_transaction_that_is_rolled_back_leaves_no_event(store: Store) -> None:
    log = EventLog(store)

    def work(tx: Tx) -> None:
        log.append(tx, project="p", type="vnf.created", subject="a")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(work)
    assert await log.read(None) == []


async def test_reading_goes_on_from_an_id_and_keeps_to_its_limit(store: Store) -> None:
    log = EventLog(store)
    await write(log, store, "a", "b", "c", "d")
    first = await log.read(None, limit=2)
    rest = await log.read(None, after=first[-1].id)
    assert [event.subject for event in first + rest] == ["a", "b", "c", "d"]


async def test_a_project_reads_its_own_events_only(store: Store) -> None:
    log = EventLog(store)
    await write(log, store, "a", project="p")
    await write(log, store, "b", project="q")
    assert [event.subject for event in await log.read("q")] == ["b"]
    assert [event.subject for event in await log.read(None)] == ["a", "b"]


async def test_events_are_found_by_subject_and_by_operation(store: Store) -> None:
    log = EventLog(store)
    await write(log, store, "a", "b")
    assert [event.subject for event in await log.read(None, subject="b")] == ["b"]
    assert [event.subject for event in await log.read("default", operation="op-a")] == ["a"]
    assert await log.read("default", subject="a", operation="op-b") == []


async def test_an_event_in_a_projects_transaction_is_that_projects(store: Store) -> None:
    log = EventLog(store)
    await store.write(lambda tx: log.append(tx, project="other", type="vnf.created", subject="a"), "p")
    assert [event.project for event in await log.read(None)] == ["p"]


async def test_a_type_that_is_not_dotted_words_is_refused(store: Store) -> None:
    log = EventLog(store)
    for wrong in ("created", "Vnf.created", "vnf..created", "vnf.created "):
        with pytest.raises(ValueError, match="dotted"):
            await store.write(lambda tx, wrong=wrong: log.append(tx, project="p", type=wrong, subject="a"))  # type: ignore[misc]


async def test_latest_is_the_id_from_which_only_new_events_follow(store: Store) -> None:
    log = EventLog(store)
    assert await log.latest() == 0
    await write(log, store, "a", "b")
    assert await log.read(None, after=await log.latest()) == []


async def test_pruning_forgets_what_is_older_and_never_gives_an_id_out_twice(store: Store, clock: SteppedClock) -> None:
    log = EventLog(store, clock)
    await write(log, store, "a", "b")
    clock.step(100)
    await write(log, store, "c")
    assert await log.prune(clock.now() - 50) == 2
    assert [event.subject for event in await log.read(None)] == ["c"]
    clock.step(100)
    assert await log.prune(clock.now()) == 1
    await write(log, store, "d")
    assert [event.id for event in await log.read(None, after=3)] == [4]


async def test_pruning_takes_more_than_one_transaction_can_hold(store: Store, clock: SteppedClock) -> None:
    log = EventLog(store, clock)
    await write(log, store, *(str(number) for number in range(2500)))
    clock.step(1)
    assert await log.prune(clock.now()) == 2500
