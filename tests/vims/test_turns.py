"""Turns at a VIM: the earlier first, and nobody for ever."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.vims.turns import Turns


class Queue:
    """Those who want a turn; `served` has their names in the order in which they got one, and each gives its back when told."""

    def __init__(self, number: int) -> None:
        self.turns = Turns(number)
        self.served: list[str] = []
        self.over: dict[str, asyncio.Event] = {}

    def ask(self, name: str, since: float) -> asyncio.Task[None]:
        self.over[name] = asyncio.Event()

        async def take() -> None:
            async with self.turns.turn(since):
                self.served.append(name)
                await self.over[name].wait()

        return asyncio.create_task(take())


async def settle() -> None:
    """Let everything happen that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_so_many_have_a_turn_at_once() -> None:
    queue = Queue(2)
    tasks = [queue.ask(name, 1.0) for name in "abc"]
    await settle()
    assert queue.served == ["a", "b"]
    queue.over["b"].set()
    await settle()
    assert queue.served == ["a", "b", "c"]
    for name in "ac":
        queue.over[name].set()
    await asyncio.gather(*tasks)


async def test_what_began_earlier_goes_first_but_for_every_fourth_turn() -> None:
    queue = Queue(1)
    tasks = [queue.ask("first", 5.0)]
    await settle()
    waiting = {"late": 9.0, "later": 9.5, "early": 1.0, "second": 2.0, "third": 3.0}
    tasks += [queue.ask(name, since) for name, since in waiting.items()]
    await settle()
    for _ in range(6):
        queue.over[queue.served[-1]].set()
        await settle()
    assert queue.served == ["first", "early", "second", "late", "third", "later"]
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("given", [False, True], ids=["while it waits", "when it has just been given"])
async def test_a_turn_that_nobody_waits_for_any_more_goes_to_the_next(given: bool) -> None:
    queue = Queue(1)
    first, second, third = queue.ask("first", 1.0), queue.ask("second", 2.0), queue.ask("third", 3.0)
    await settle()
    queue.over["first"].set()
    if given:
        await asyncio.sleep(0)  # the first gives its turn back; the second has not gone on yet
    second.cancel()
    await settle()
    assert second.cancelled()
    assert queue.served == ["first", "third"]
    queue.over["third"].set()
    await asyncio.gather(first, third)
    fourth = queue.ask("fourth", 4.0)
    await settle()
    assert queue.served[-1] == "fourth", "no turn has been lost"
    queue.over["fourth"].set()
    await fourth


async def test_a_turn_comes_back_from_who_fails() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="mine"):
        async with turns.turn(1.0):
            raise ValueError("mine")
    async with turns.turn(1.0):
        pass
