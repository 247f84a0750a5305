"""What a long call tells of itself: passed on as seldom as a reader can follow, and never of any harm."""

from __future__ import annotations

import asyncio

from fairlead.clock import SteppedClock
from fairlead.resources import tell
from fairlead.resources.telling import listening


async def test_what_is_told_is_passed_on_every_five_seconds_at_most() -> None:
    clock, told = SteppedClock(), list[str]()

    async def pass_on(words: str) -> None:
        told.append(words)

    with listening(pass_on, clock.now):
        for number in range(12):
            tell(f"{number} of 12")
            await asyncio.sleep(0)
            clock.step(1.0)
    assert told == ["0 of 12", "5 of 12", "10 of 12"]


async def test_nobody_need_listen_and_a_listener_that_fails_fails_nobody() -> None:
    async def pass_on(words: str) -> None:
        raise RuntimeError(words)

    tell("nobody hears this")
    with listening(pass_on, SteppedClock().now):
        tell("and this is heard by one who cannot write it down")
        await asyncio.sleep(0)
    tell("nor this")
