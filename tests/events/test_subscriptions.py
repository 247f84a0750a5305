"""Notifications: at least once, in order, whatever a subscriber or the process does."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairlead.clock import SteppedClock
from fairlead.errors import BadRequest, NotFound, Unprocessable
from fairlead.events.tables import subscriptions
from fairlead.sol import ParamsBasic, ParamsOauth2, SubscriptionAuthentication
from fairlead.store import Store
from tests.descriptors.samples import ROOT
from tests.events.receiver import Receiver, receiving
from tests.events.telling import PROJECT, Free, Telling
from tests.support.running import eventually


@contextlib.asynccontextmanager
async def delivering(*tellings: Telling) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.delivery.follow()) for one in tellings]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def taken(receiver: Receiver, number: int, clock: SteppedClock | None = None) -> list[str]:
    """The subjects that a subscriber has taken, once they are so many."""

    async def look() -> bool:
        return len(receiver.taken) >= number

    await eventually(look, what=f"{number} notifications", clock=clock)
    return [one["subject"] for one in receiver.taken]


async def test_a_subscriber_is_told_what_it_asked_for_from_then_on_in_order(store: Store, tmp_path: Path) -> None:
    telling = Telling(store, tmp_path / "keys")
    async with receiving() as all_of_it, receiving() as some:
        await telling.happen("before")
        await telling.subscribe(all_of_it.url)
        await telling.subscribe(some.url, {"subjects": ["b", "d"]})
        async with delivering(telling):
            await telling.happen("a", "b")
            await telling.happen("not theirs", project="elsewhere")
            await telling.happen("c", "d")
            assert await taken(all_of_it, 4) == ["a", "b", "c", "d"]
            assert await taken(some, 2) == ["b", "d"]
    assert (all_of_it.asked[0], all_of_it.headers[1]["Version"]) == ("GET", "1.0.0")


async def test_what_happens_while_nobody_delivers_is_told_afterwards(store: Store, tmp_path: Path) -> None:
    telling = Telling(store, tmp_path / "keys")
    async with receiving() as receiver:
        await telling.subscribe(receiver.url)
        await telling.happen("a", "b")
        async with delivering(telling):
            assert await taken(receiver, 2) == ["a", "b"]
            await eventually(lambda: _noted(telling), what="the cursor")
        await telling.happen("c")
        async with delivering(telling):
            assert await taken(receiver, 3) == ["a", "b", "c"]


async def _noted(telling: Telling) -> bool:
    """Whether all that has happened has been dealt with, and stored as such."""
    rows = await telling.store.read(lambda tx: tx.all(tx.select(subscriptions, subscriptions.c.cursor)))
    return {row.cursor for row in rows} == {await telling.events.latest()}


async def test_one_that_is_not_taken_is_sent_again_before_the_next(store: Store, tmp_path: Path) -> None:
    clock = SteppedClock()
    telling = Telling(store, tmp_path / "keys", clock=clock)
    async with receiving() as receiver:
        receiver.statuses = [500, 302, 404]
        await telling.subscribe(receiver.url)
        await telling.happen("a", "b")
        async with delivering(telling):
            assert await taken(receiver, 2, clock) == ["a", "b"]
    assert [(one["subject"], one["answered"]) for one in receiver.got] == [
        ("a", 500),
        ("a", 302),
        ("a", 404),
        ("a", 204),
        ("b", 204),
    ]


async def test_pauses_grow(store: Store, tmp_path: Path) -> None:
    clock = SteppedClock()
    telling = Telling(store, tmp_path / "keys", clock=clock)
    async with receiving() as receiver:
        receiver.statuses = [500] * 6
        await telling.subscribe(receiver.url)
        await telling.happen("a")
        started = clock.now()
        async with delivering(telling):
            await taken(receiver, 1, clock)
    assert clock.now() - started >= 0.8 * (1 + 2 + 4 + 8 + 16 + 32)


async def test_a_dead_subscriber_delays_nobody(store: Store, tmp_path: Path) -> None:
    telling = Telling(store, tmp_path / "keys")
    async with receiving() as alive:
        async with receiving() as dead:
            await telling.subscribe(dead.url)
        await telling.subscribe(alive.url)
        async with delivering(telling):
            await telling.happen(*"abcdef")
            assert await taken(alive, 6) == list("abcdef")


async def test_one_that_is_never_taken_is_given_up_and_the_next_has_its_turn(store: Store, tmp_path: Path) -> None:
    clock = SteppedClock()
    telling = Telling(store, tmp_path / "keys", clock=clock, patience=5.0)
    async with receiving() as receiver:
        await telling.subscribe(receiver.url)
        receiver.refused = {"a"}
        await telling.happen("a")
        async with delivering(telling):
            await eventually(lambda: _sent(receiver, 1), what="the first try")
            await telling.happen("b")
            assert await taken(receiver, 1, clock) == ["b"]
    assert {one["subject"] for one in receiver.got[:-1]} == {"a"}


async def _sent(receiver: Receiver, number: int) -> bool:
    return len(receiver.got) >= number


async def test_a_process_that_is_killed_leaves_no_gap(store_url: str, store: Store, tmp_path: Path) -> None:
    """Killed again and again in the midst of delivering: every one arrives, repeated ones right after themselves."""
    telling = Telling(store, tmp_path / "keys")
    names = [f"thing {number:02}" for number in range(30)]
    async with receiving() as receiver:
        await telling.subscribe(receiver.url)
        await telling.happen(*names)
        url = sa.make_url(store_url).render_as_string(hide_password=False)
        for reached in (3, 11, 18):
            receiver.silent_from = reached
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.events.telling", url, str(tmp_path / "keys"), cwd=ROOT
            )
            await taken(receiver, reached)
            process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL
        receiver.silent_from = None
        async with delivering(telling):

            async def last() -> bool:
                return names[-1] in [one["subject"] for one in receiver.taken]

            await eventually(last)
    subjects = [one["subject"] for one in receiver.taken]
    assert sorted(set(subjects)) == names
    assert subjects == sorted(subjects), "in order"
    assert len(subjects) == len(names) + 3, "each death repeats the one that was on its way"


async def test_of_two_processes_one_delivers_and_the_other_takes_over(store: Store, tmp_path: Path) -> None:
    claims, names = Free(), [f"{number:02}" for number in range(20)]
    first, second = (Telling(store, tmp_path / "keys", claims=claims) for _ in range(2))
    async with receiving() as receiver:
        await first.subscribe(receiver.url)
        async with delivering(second):
            async with delivering(first):
                await first.happen(*names[:10])
                assert await taken(receiver, 10) == names[:10]
                await eventually(lambda: _noted(first), what="the cursor")
            await second.happen(*names[10:])
            assert await taken(receiver, 20) == names


@pytest.mark.postgresql
async def test_of_many_processes_one_delivers_until_it_is_killed(postgresql_url: str, tmp_path: Path) -> None:
    store = Store(postgresql_url)
    telling, names = Telling(store, tmp_path / "keys"), [f"{number:02}" for number in range(40)]
    arguments = (sys.executable, "-m", "tests.events.telling", postgresql_url, str(tmp_path / "keys"))
    async with receiving() as receiver:
        await telling.subscribe(receiver.url)
        await telling.happen(*names[:20])
        processes = [await asyncio.create_subprocess_exec(*arguments, cwd=ROOT) for _ in range(3)]
        try:
            for process in processes:
                assert (await taken(receiver, 20))[:20] == names[:20]
                await eventually(lambda: _noted(telling), what="the cursor")
                process.kill()
                await process.wait()
                if process is processes[1]:
                    await telling.happen(*names[20:])
                    await taken(receiver, 40)
                    await eventually(lambda: _noted(telling), what="the cursor")
        finally:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    assert [one["subject"] for one in receiver.taken] == names, "none twice, though three were there"
    store.close()


async def test_two_that_both_believe_to_have_the_claim_lose_nothing_and_keep_the_order(
    store: Store, tmp_path: Path
) -> None:
    """Whoever finds the cursor moved by the other begins again from there: what was on its way comes twice, nothing more."""
    clocks = [SteppedClock(), SteppedClock()]
    both = [Telling(store, tmp_path / "keys", clock=clock, claims=Free()) for clock in clocks]
    names = [f"{number:02}" for number in range(20)]
    async with receiving() as receiver:
        await both[0].subscribe(receiver.url)
        async with delivering(*both):
            await both[0].happen(*names)

            async def last() -> bool:
                return names[-1] in [one["subject"] for one in receiver.taken]

            await eventually(last, clock=clocks[0])
    taken = [one["subject"] for one in receiver.taken]
    assert list(dict.fromkeys(taken)) == names
    assert all(taken.count(name) <= 2 for name in names)


async def test_a_subscription_that_was_ended_gets_nothing_more(store: Store, tmp_path: Path) -> None:
    clock = SteppedClock()
    telling = Telling(store, tmp_path / "keys", clock=clock)
    async with receiving() as receiver, receiving() as other:
        receiver.statuses = [500] * 100
        id = await telling.subscribe(receiver.url)
        await telling.subscribe(other.url)
        async with delivering(telling):
            await telling.happen("a")
            await eventually(lambda: _sent(receiver, 1))
            await telling.subscriptions.delete(PROJECT, "test.v1", id)
            sent = len(receiver.got)
            await telling.happen("b")
            assert await taken(other, 2, clock) == ["a", "b"]
            clock.step(600)
            await taken(other, 2, clock)
        assert len(receiver.got) <= sent + 1
    with pytest.raises(NotFound):
        await telling.subscriptions.show(PROJECT, "test.v1", id)


BASIC = SubscriptionAuthentication(auth_type=("BASIC",), params_basic=ParamsBasic(user_name="me", password="s3cret"))


async def test_subscribers_are_shown_who_calls(store: Store, tmp_path: Path) -> None:
    telling = Telling(store, tmp_path / "keys")
    async with receiving() as with_basic, receiving() as with_token:
        oauth2 = ParamsOauth2(client_id="me", client_password="s3cret", token_endpoint=f"{with_token.url}/token")
        both = SubscriptionAuthentication(
            auth_type=("TLS_CERT", "OAUTH2_CLIENT_CREDENTIALS"), params_oauth2_client_credentials=oauth2
        )
        first = await telling.subscribe(with_basic.url, authentication=BASIC)
        await telling.subscribe(with_token.url, authentication=both)
        await telling.happen("a")
        async with delivering(telling):
            await taken(with_basic, 1)
            await taken(with_token, 1)
        assert {one["Authorization"] for one in with_basic.headers} == {"Basic bWU6czNjcmV0"}
        assert {one["Authorization"] for one in with_token.headers} == {"Bearer granted"}
    rows = await store.read(lambda tx: tx.all(tx.select(subscriptions)))
    assert len(rows) == 2
    assert "s3cret" not in str(rows)
    assert len(await telling.delivery._secrets.open(f"subscription {first}")) == 1
    await telling.subscriptions.delete(PROJECT, "test.v1", first)
    assert await telling.delivery._secrets.open(f"subscription {first}") == {}


async def test_an_equal_subscription_is_not_made_twice(store: Store, tmp_path: Path) -> None:
    telling = Telling(store, tmp_path / "keys")
    async with receiving() as receiver:
        first = await telling.subscribe(receiver.url, {"subjects": ["a"]})
        assert await telling.subscribe(receiver.url, {"subjects": ["a"]}) == first
        assert await telling.subscribe(receiver.url) != first
        at_once = await asyncio.gather(*(telling.subscribe(receiver.url, {"subjects": ["b"]}) for _ in range(5)))
        assert len(set(at_once)) == 1


def _authentication(*types: str, **more: Any) -> SubscriptionAuthentication:
    return SubscriptionAuthentication(auth_type=types, **more)


@pytest.mark.parametrize(
    ("authentication", "code"),
    [
        (_authentication("TLS_CERT"), "authentication-unsupported"),
        (_authentication("OAUTH2_CLIENT_CERT"), "authentication-unsupported"),
        (_authentication("BASIC"), "authentication-unsupported"),
        (_authentication("BASIC", params_basic=ParamsBasic(user_name="me")), "authentication-unsupported"),
        (_authentication("TLS_CERT", params_basic=ParamsBasic(user_name="a", password="b")), "exclusive-attributes"),
    ],
)
async def test_authentication_that_cannot_be_done_is_refused(
    sqlite_store: Store, tmp_path: Path, authentication: SubscriptionAuthentication, code: str
) -> None:
    telling = Telling(sqlite_store, tmp_path / "keys")
    with pytest.raises(Unprocessable) as refused:
        await telling.subscribe("http://127.0.0.1:1/", authentication=authentication)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("ftp://example.org/", "bad-callback"),
        ("http://me:secret@example.org/", "bad-callback"),
        ("nothing", "bad-callback"),
        ("http://169.254.169.254/latest", "callback-refused"),
        ("http://[::1]/", "callback-refused"),
        ("http://127.0.0.1:1/", "callback-failed"),
    ],
)
async def test_a_callback_that_cannot_be_called_is_refused(
    sqlite_store: Store, tmp_path: Path, uri: str, code: str
) -> None:
    telling = Telling(sqlite_store, tmp_path / "keys")
    with pytest.raises((BadRequest, Unprocessable)) as refused:
        await telling.subscribe(uri)
    assert refused.value.code == code
    assert not await sqlite_store.read(lambda tx: tx.all(tx.select(subscriptions)))


async def test_a_callback_is_tested_first(sqlite_store: Store, tmp_path: Path) -> None:
    telling = Telling(sqlite_store, tmp_path / "keys")
    async with receiving() as receiver:
        receiver.testing = 200
        with pytest.raises(Unprocessable) as refused:
            await telling.subscribe(receiver.url)
    assert (refused.value.code, receiver.asked) == ("callback-failed", ["GET"])
