"""One watcher for all who wait: how often it reads, what it makes of failures, and how it follows a VIM's own stream."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import VimUnavailable
from fairlead.resources import Failed, Gone, Handle, Pending, Ready, Status
from fairlead.vims import Watcher
from tests.support.passing import advance, outcome, settle
from tests.vims.board import Board, Lamp

LAMP: Any = Lamp()


def over(status: Status, _: object) -> bool:
    return not isinstance(status, Pending)


def lamp(watcher: Watcher, name: str, done: Any = over) -> asyncio.Task[Status]:
    """Somebody waits for a lamp."""
    return asyncio.ensure_future(watcher.wait(LAMP, "lamp", Handle(name), done))


async def test_what_is_so_already_is_told_after_one_read(clock: SteppedClock) -> None:
    board = Board(clock)
    board.shown = {"a": "on", "b": "broken"}
    watcher = Watcher(board, clock)
    assert await lamp(watcher, "a") == Ready({})
    assert await lamp(watcher, "b") == Failed("broken")
    assert await lamp(watcher, "c") == Gone()
    assert len(board.reads) == 3


async def test_many_who_wait_share_their_reads(clock: SteppedClock) -> None:
    board = Board(clock)
    board.shown = {f"l{number}": "off" for number in range(500)}
    watcher = Watcher(board, clock)
    waiting = [lamp(watcher, f"l{number % 500}") for number in range(1000)]
    await settle()
    assert [len(asked) for asked in board.asked] == [500]
    await advance(clock, 10.0)
    reads = len(board.reads)
    board.shown = dict.fromkeys(board.shown, "on")
    await advance(clock, 2.0)
    assert all(task.done() for task in waiting)
    assert len(board.reads) <= reads + 2
    await watcher.close()


async def test_each_is_told_when_its_own_condition_holds(clock: SteppedClock) -> None:
    board = Board(clock)
    board.shown = {"a": "on"}
    watcher = Watcher(board, clock)
    ready, gone = lamp(watcher, "a"), lamp(watcher, "a", lambda status, _: isinstance(status, Gone))
    await settle()
    assert (ready.done(), gone.done()) == (True, False)
    board.shown = {}
    assert await outcome(clock, gone) == Gone()


async def test_reads_grow_apart_with_the_time_that_was_waited(clock: SteppedClock) -> None:
    board = Board(clock)
    board.shown = {"a": "off"}
    watcher = Watcher(board, clock, shortest=0.05, longest=2.0)
    lamp(watcher, "a")
    await advance(clock, 3600.0)
    apart = [later - earlier for earlier, later in zip(board.reads, board.reads[1:], strict=False)]
    assert min(apart) >= 0.05 - 1e-6
    assert max(apart) <= 2.0 + 1e-6
    assert apart[0] < 0.1
    assert apart[-1] > 1.9
    first_minute = sum(read < board.reads[0] + 60.0 for read in board.reads)
    assert 30 < first_minute < 300
    await watcher.close()


async def test_a_short_wait_ends_soon_after_what_it_is_for(clock: SteppedClock) -> None:
    for lasts in (0.2, 1.0, 5.0, 30.0):
        board = Board(clock)
        board.shown = {"a": "off"}
        watcher = Watcher(board, clock)
        waiting = lamp(watcher, "a")
        await advance(clock, lasts)
        board.shown = {"a": "on"}
        changed = clock.now()
        await outcome(clock, waiting)
        assert clock.now() - changed <= max(0.06, lasts * 0.06)


async def test_a_slow_vim_is_not_asked_without_pause_nor_too_often_at_once(clock: SteppedClock) -> None:
    board = Board(clock, takes=3.0)
    board.shown = {"a": "off"}
    watcher = Watcher(board, clock)
    for number in range(20):
        lamp(watcher, f"a{number}" if number else "a")
        board.shown[f"a{number}"] = "off"
        await advance(clock, 0.3)
    assert board.most <= 4
    await advance(clock, 600.0)
    late = [read for read in board.reads if read > clock.now() - 100.0]
    assert len(late) <= 60
    await watcher.close()


async def test_when_as_many_reads_as_there_may_be_end_at_the_same_moment_the_next_begins(clock: SteppedClock) -> None:
    answer = asyncio.Event()

    class Held(Board):
        async def observe(self, wanted: Any) -> Any:
            await answer.wait()
            return await super().observe(wanted)

    board = Held(clock)
    board.shown = dict.fromkeys("abcdefgh", "on")
    watcher = Watcher(board, clock)
    waiting = []
    for name in board.shown:
        waiting.append(lamp(watcher, name))
        await settle()
    assert not any(task.done() for task in waiting)
    answer.set()
    await settle()
    assert all(task.done() for task in waiting)


async def test_who_came_after_a_read_began_is_not_told_by_it(clock: SteppedClock) -> None:
    board = Board(clock, takes=1.0)
    board.shown = {"a": "on"}
    watcher = Watcher(board, clock)
    first = lamp(watcher, "a")
    await advance(clock, 0.5)
    board.shown = {"a": "off"}
    second = lamp(watcher, "a")
    await advance(clock, 0.6)
    assert (first.done(), second.done()) == (True, False)
    await advance(clock, 5.0)
    assert not second.done()
    board.shown = {"a": "on"}
    assert await outcome(clock, second) == Ready({})


# -- failures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [VimUnavailable("down"), KeyError("x"), TimeoutError()])
async def test_a_failed_read_fails_nobody_and_is_made_again(clock: SteppedClock, error: Exception) -> None:
    board = Board(clock)
    board.shown = {"a": "on"}
    board.errors = [error] * 5
    watcher = Watcher(board, clock)
    began = clock.now()
    assert await outcome(clock, lamp(watcher, "a")) == Ready({})
    assert len(board.reads) == 6
    apart = [later - earlier for earlier, later in zip(board.reads, board.reads[1:], strict=False)]
    assert apart == sorted(apart)
    assert clock.now() - began < 15.0


async def test_a_kind_that_cannot_read_its_vims_words_fails_its_own_waiter_only(clock: SteppedClock) -> None:
    board = Board(clock)
    board.shown = {"a": "flickering", "b": "on"}
    watcher = Watcher(board, clock)
    bad, good = lamp(watcher, "a"), lamp(watcher, "b")
    with pytest.raises(KeyError):
        await bad
    assert await good == Ready({})


async def test_who_stops_waiting_is_forgotten(clock: SteppedClock) -> None:
    board = Board(clock)
    board.shown = {"a": "off", "b": "off"}
    watcher = Watcher(board, clock)
    gone, staying = lamp(watcher, "a"), lamp(watcher, "b")
    await settle()
    gone.cancel()
    await advance(clock, 10.0)
    assert board.asked[-1] == {"b"}
    staying.cancel()
    await advance(clock, 10.0)
    reads = len(board.reads)
    await advance(clock, 100.0)
    assert len(board.reads) == reads
    await watcher.idle()


# -- the vim's own stream ------------------------------------------------------------------------------------------------


async def followed(clock: SteppedClock) -> tuple[Board, Watcher, asyncio.Task[Status]]:
    """A board whose stream has spoken, a watcher that follows it, and somebody who waits."""
    board = Board(clock, push=True)
    board.shown = {"a": "off"}
    watcher = Watcher(board, clock)
    waiting = lamp(watcher, "a")
    await settle()
    board.tell(("lamp", Handle("a")))
    await settle()
    return board, watcher, waiting


async def test_what_the_vim_tells_is_read_at_once(clock: SteppedClock) -> None:
    board, watcher, waiting = await followed(clock)
    await advance(clock, 100.0)
    board.shown["a"] = "on"
    board.tell(("lamp", Handle("a")))
    told = clock.now()
    await settle()
    assert waiting.done()
    assert clock.now() == told
    await watcher.close()


async def test_while_a_stream_is_followed_reading_is_only_the_safety_net(clock: SteppedClock) -> None:
    board, watcher, waiting = await followed(clock)
    reads = len(board.reads)
    await advance(clock, 150.0)
    assert len(board.reads) - reads <= 11
    board.shown["a"] = "on"
    began = clock.now()
    await outcome(clock, waiting)
    assert clock.now() - began <= 15.0
    await watcher.close()


async def test_of_what_a_stream_has_never_told_the_watcher_goes_on_to_ask(clock: SteppedClock) -> None:
    board, watcher, _ = await followed(clock)
    board.shown["b"] = "off"
    silent = asyncio.ensure_future(watcher.wait(LAMP, "bulb", Handle("b"), over))
    await settle()
    await advance(clock, 30.0)
    board.shown["b"] = "on"
    began = clock.now()
    await outcome(clock, silent)
    assert clock.now() - began <= 2.0
    await watcher.close()


async def test_a_stream_that_cannot_be_had_again_is_asked_for_less_and_less(clock: SteppedClock) -> None:
    board, watcher, _ = await followed(clock)
    for _ in range(200):
        board.tell(VimUnavailable("no broker"))
        await advance(clock, 0.5)
    assert 5 <= len(board.streams) <= 9
    await watcher.close()


async def test_what_nobody_waits_for_is_not_read(clock: SteppedClock) -> None:
    board, watcher, _ = await followed(clock)
    reads = len(board.reads)
    board.tell(("lamp", Handle("another")))
    await settle()
    assert len(board.reads) == reads
    await watcher.close()


async def test_what_was_told_is_not_forgotten_over_a_failed_read(clock: SteppedClock) -> None:
    board, watcher, waiting = await followed(clock)
    await advance(clock, 1.0)
    board.shown["a"] = "on"
    board.errors = [VimUnavailable("down")]
    board.tell(("lamp", Handle("a")))
    told = clock.now()
    await outcome(clock, waiting)
    assert clock.now() - told < 1.0
    await watcher.close()


@pytest.mark.parametrize("end", [None, VimUnavailable("connection reset"), KeyError("unknown event")])
async def test_a_stream_that_is_lost_leaves_reading_to_do_and_is_asked_for_again(
    clock: SteppedClock, end: Exception | None
) -> None:
    board, watcher, waiting = await followed(clock)
    await advance(clock, 1.0)
    board.tell(end)
    await settle()
    board.shown["a"] = "on"
    lost = clock.now()
    await outcome(clock, waiting)
    assert clock.now() - lost <= 0.5
    await advance(clock, 2.0)
    assert len(board.streams) == 2
    board.shown = {"b": "off"}
    again = lamp(watcher, "b")
    await settle()
    board.tell(("lamp", Handle("b")))
    await advance(clock, 20.0)
    board.shown = {"b": "on"}
    board.tell(("lamp", Handle("b")))
    await settle()
    assert again.done()
    await watcher.close()


# -- the end -------------------------------------------------------------------------------------------------------------


async def test_closing_ends_every_wait_and_every_task(clock: SteppedClock) -> None:
    board, watcher, waiting = await followed(clock)
    await watcher.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    reads = len(board.reads)
    await advance(clock, 100.0)
    assert len(board.reads) == reads
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(("watcher", "vim"))] == []


async def test_idle_returns_when_the_last_wait_is_over(clock: SteppedClock) -> None:
    board = Board(clock)
    board.shown = {"a": "off"}
    watcher = Watcher(board, clock)
    waiting = lamp(watcher, "a")
    await settle()
    idle = asyncio.ensure_future(watcher.idle())
    await settle()
    assert not idle.done()
    board.shown = {"a": "on"}
    await outcome(clock, waiting)
    await idle
