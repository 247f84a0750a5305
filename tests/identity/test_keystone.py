"""Tokens of Keystone: asked about once, remembered for a while, and an outage is not a wrong token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import FairleadError, Forbidden, IdentityUnavailable, Unauthenticated
from fairlead.identity import Caller, Identity, Keystone, KeystoneAccess
from fairlead.identity import keystone as room
from fairlead.store import Store
from tests.support.keystone import SERVICE, PeerKeystone, keystone


class Asking:
    """A Keystone, what asks it, and the projects that were seen."""

    def __init__(self, peer: PeerKeystone) -> None:
        self.peer = peer
        self.clock = SteppedClock(datetime.now(UTC).timestamp())
        self.projects: list[tuple[str, str]] = []
        self.access = KeystoneAccess(auth_url=peer.url, username=SERVICE[0], password=SERVICE[1], timeout=2.0)
        self.keystone = Keystone(self.access, self.clock, self._seen)

    async def _seen(self, project: str, name: str) -> None:
        self.projects.append((project, name))

    def again(self, **changes: Any) -> Keystone:
        """Another process, as it were, with other settings."""
        return Keystone(replace(self.access, **changes), self.clock, self._seen)

    async def who(self, token: str) -> Caller:
        return await self.keystone.authenticate(f"Bearer {token}")

    async def refused(self, token: str) -> FairleadError:
        with pytest.raises(FairleadError) as caught:
            await self.who(token)
        return caught.value


@asynccontextmanager
async def asking() -> AsyncIterator[Asking]:
    async with keystone() as peer:
        made = Asking(peer)
        try:
            yield made
        finally:
            await made.keystone.close()


async def test_keystone_says_who_it_is_and_is_asked_once(store: Store) -> None:
    async with asking() as ask:
        identity = Identity(store, ask.clock)
        ask.keystone = Keystone(ask.access, ask.clock, identity.ensure_project)
        token = ask.peer.token("member", "reader")
        caller = Caller("id-of-north", frozenset({"member", "reader"}), "ann", "id-of-ann", "default", "default")
        assert [await ask.who(token), await ask.who(token)] == [caller, caller]
        assert ask.peer.asked == [token]
        assert await ask.who(ask.peer.token("reader", project="south")) != caller
        again = await ask.who(ask.peer.token("admin"))
        assert again.roles == {"admin"}
        shown = [(one.name, one.description) for one in await identity.list_projects()]
        assert shown == [("id-of-north", "north in Keystone"), ("id-of-south", "south in Keystone")]


async def test_requests_with_the_same_new_token_ask_once() -> None:
    async with asking() as ask:
        token = ask.peer.token("member")
        ask.peer.hold.clear()
        many = [asyncio.create_task(ask.who(token)) for _ in range(20)]
        await asyncio.sleep(0)
        many[0].cancel()
        ask.peer.hold.set()
        found = await asyncio.gather(*many, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert {one.name for one in found[1:] if isinstance(one, Caller)} == {"ann"}
        assert ask.peer.asked == [token]


async def test_what_is_revoked_works_until_it_is_forgotten() -> None:
    async with asking() as ask:
        token = ask.peer.token("member")
        await ask.who(token)
        del ask.peer.tokens[token]
        ask.clock.step(299)
        await ask.who(token)
        ask.clock.step(2)
        assert (await ask.refused(token)).code == "token-invalid"


async def test_a_no_is_remembered_as_well() -> None:
    async with asking() as ask:
        for _ in range(3):
            assert isinstance(await ask.refused("made-up"), Unauthenticated)
        assert ask.peer.asked == ["made-up"]
        ask.clock.step(301)
        await ask.refused("made-up")
        assert ask.peer.asked == ["made-up", "made-up"]


async def test_nothing_is_remembered_beyond_a_tokens_own_end() -> None:
    async with asking() as ask:
        token = ask.peer.token("member", lifetime=60)
        await ask.who(token)
        ask.clock.step(61)
        assert (await ask.refused(token)).code == "token-expired"


@pytest.mark.parametrize(
    ("scope", "words"),
    [({"domain": {"id": "default"}}, "a domain"), ({"system": {"all": True}}, "the whole system"), ({}, "nothing")],
)
async def test_a_token_without_a_project_is_told_why(scope: dict[str, Any], words: str) -> None:
    async with asking() as ask:
        refused = await ask.refused(ask.peer.token(project=None, roles=[{"name": "admin"}], **scope))
        assert isinstance(refused, Forbidden)
        assert refused.code == "token-without-project"
        assert words in refused.detail
        assert ask.projects == []


@pytest.mark.parametrize("status", [0, 500, 503])
async def test_an_outage_is_not_a_wrong_token(status: int) -> None:
    async with asking() as ask:
        known, unknown = ask.peer.token("member"), ask.peer.token("member")
        await ask.who(known)
        ask.peer.down = status
        await ask.who(known)
        refused = await ask.refused(unknown)
        assert isinstance(refused, IdentityUnavailable)
        assert (refused.status, refused.retryable, refused.code) == (503, True, "keystone-unavailable")
        assert refused.cause
        assert "cannot be asked" in str(ask.keystone.trouble), "/ready tells of it"
        ask.peer.down = None
        await ask.who(unknown)
        assert ask.keystone.trouble is None


async def test_a_keystone_that_says_nothing_is_not_waited_for_long() -> None:
    async with asking() as ask:
        ask.peer.hold.clear()
        ask.keystone = ask.again(timeout=0.2)
        assert (await ask.refused("anything")).code == "keystone-unavailable"
        ask.peer.hold.set()


async def test_nobody_there_is_an_outage() -> None:
    async with asking() as ask:
        ask.keystone = ask.again(auth_url="http://127.0.0.1:1")
        assert (await ask.refused("anything")).code == "keystone-unavailable"


async def test_a_refused_service_user_is_told_as_ours_and_not_the_callers() -> None:
    async with asking() as ask:
        token = ask.peer.token("member")
        ask.peer.forbidden = True
        refused = await ask.refused(token)
        assert (refused.code, refused.status) == ("keystone-user-refused", 503)
        assert "validate_token" in str(refused.cause)
        ask.peer.forbidden = False
        assert (await ask.who(token)).name == "ann"
        ask.keystone = ask.again(password="wrong")
        assert (await ask.refused(token)).code == "keystone-user-refused"


async def test_a_service_token_that_has_ended_is_replaced_at_once() -> None:
    async with asking() as ask:
        await ask.who(ask.peer.token("member"))
        ask.peer.given.clear()
        assert (await ask.who(ask.peer.token("reader"))).roles == {"reader"}


async def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_REMEMBERED", 3)
    async with asking() as ask:
        tokens = [ask.peer.token("member") for _ in range(3)]
        for token in (*tokens, tokens[0], "made-up"):
            with pytest.raises(Unauthenticated) if token == "made-up" else nullcontext():
                await ask.who(token)
        ask.peer.asked.clear()
        await ask.who(tokens[0])
        assert ask.peer.asked == []
        await ask.who(tokens[1])
        assert ask.peer.asked == [tokens[1]], "the one that was used longest ago is forgotten"
        assert len(ask.keystone._known) == 3
        assert not any(token in repr(ask.keystone._known) for token in tokens), "tokens themselves are not kept"


async def test_what_cannot_be_a_token_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking() as ask:
        for token in ("x" * 20_000, "gÄÄÄ", "a\x7f"):
            assert (await ask.refused(token)).code == "token-invalid"
        monkeypatch.setattr(room, "_WAITING", 0)
        assert (await ask.refused("another")).code == "keystone-unavailable"
        assert ask.peer.asked == []
        with pytest.raises(Unauthenticated) as caught:
            await ask.keystone.authenticate(None)
        assert caught.value.code == "no-credentials"
        assert "X-Auth-Token" in str(caught.value.remedy)
