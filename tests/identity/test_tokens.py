"""Bearer tokens: issued once, recognised, expired, revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from fairlead.clock import SteppedClock
from fairlead.errors import BadRequest, NotFound, Unauthenticated
from fairlead.identity import Caller, Identity
from fairlead.store import Store


async def refused(identity: Identity, header: str | None) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await identity.authenticate(header)
    return caught.value.code


async def test_the_first_start_makes_one_admin_token_and_later_ones_none(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    token = await identity.ensure_first_token()
    assert token is not None
    assert await identity.authenticate(f"Bearer {token}") == Caller("default", frozenset({"admin"}), "first")
    assert await identity.ensure_first_token() is None
    assert [project.name for project in await identity.list_projects()] == ["default"]


async def test_of_programs_that_start_at_once_one_makes_the_first_token(
    open_store: Callable[[], Store], clock: SteppedClock
) -> None:
    identities = [Identity(open_store(), clock) for _ in range(4)]
    made = await asyncio.gather(*(identity.ensure_first_token() for identity in identities))
    assert sum(token is not None for token in made) == 1


async def test_a_start_without_a_valid_admin_token_makes_another(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    await identity.ensure_first_token()
    await identity.issue_token("default", "reader", ["reader"])
    await identity.issue_token("default", "soon over", ["admin"], clock.now() + 10)
    first = next(token for token in await identity.list_tokens() if token.name == "first")
    await identity.revoke_token(first.id)
    assert await identity.ensure_first_token() is None
    clock.step(11)
    assert await identity.ensure_first_token() is not None


async def test_a_token_is_its_projects_with_its_roles(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    await identity.create_project("acme")
    _, token = await identity.issue_token("acme", "ci", ["reader", "member", "reader"])
    assert await identity.authenticate(f"bearer  {token} ") == Caller("acme", frozenset({"member", "reader"}), "ci")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "no-credentials"),
        ("", "no-credentials"),
        ("Basic YWRtaW46YWRtaW4=", "credentials-malformed"),
        ("Bearer", "credentials-malformed"),
        ("Bearer a b", "credentials-malformed"),
        ("Bearer flt_guess", "token-invalid"),
        ("Bearer \udcff", "token-invalid"),
    ],
)
async def test_a_request_without_valid_credentials_is_told_why(
    sqlite_store: Store, clock: SteppedClock, header: str | None, code: str
) -> None:
    assert await refused(Identity(sqlite_store, clock), header) == code


async def test_a_token_stops_working_when_it_expires_also_when_it_is_remembered(
    store: Store, clock: SteppedClock
) -> None:
    identity = Identity(store, clock, cache=5.0)
    await identity.create_project("p")
    _, token = await identity.issue_token("p", "short", ["reader"], clock.now() + 2)
    await identity.authenticate(f"Bearer {token}")
    clock.step(2)
    assert await refused(identity, f"Bearer {token}") == "token-expired"


async def test_a_revoked_token_stops_at_once_here_and_within_the_cache_time_elsewhere(
    open_store: Callable[[], Store], clock: SteppedClock
) -> None:
    here, there = Identity(open_store(), clock, cache=5.0), Identity(open_store(), clock, cache=5.0)
    await here.create_project("p")
    token_id, token = await here.issue_token("p", "t", ["reader"])
    for identity in (here, there):
        await identity.authenticate(f"Bearer {token}")
    await here.revoke_token(token_id)
    assert await refused(here, f"Bearer {token}") == "token-invalid"
    clock.step(5)
    assert await refused(there, f"Bearer {token}") == "token-invalid"


async def test_an_authentication_is_remembered_for_the_cache_time(sqlite_store: Store, clock: SteppedClock) -> None:
    identity = Identity(sqlite_store, clock, cache=5.0)
    await identity.create_project("p")
    _, token = await identity.issue_token("p", "t", ["reader"])
    reads: list[str] = []
    sa.event.listen(sqlite_store.engine, "before_cursor_execute", lambda *call: reads.append(call[2]))
    for _ in range(10):
        await identity.authenticate(f"Bearer {token}")
    assert sum("SELECT" in statement for statement in reads) == 1


async def test_tokens_are_listed_by_project_without_themselves(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    for project in ("p", "q"):
        await identity.create_project(project)
    token_id, token = await identity.issue_token("p", "mine", ["member"], clock.now() + 60)
    await identity.issue_token("q", "yours", ["member"])
    [listed] = await identity.list_tokens("p")
    assert (listed.id, listed.name, listed.roles, listed.expires) == (token_id, "mine", ["member"], clock.now() + 60)
    assert token not in repr(listed)
    assert len(await identity.list_tokens()) == 2


async def test_a_project_cannot_revoke_anothers_token(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    await identity.create_project("p")
    token_id, token = await identity.issue_token("p", "t", ["reader"])
    with pytest.raises(NotFound):
        await identity.revoke_token(token_id, "q")
    await identity.authenticate(f"Bearer {token}")


async def test_a_token_needs_a_project_and_known_roles(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    await identity.create_project("p")
    with pytest.raises(NotFound):
        await identity.issue_token("nowhere", "t", ["reader"])
    for roles in (["root"], []):
        with pytest.raises(BadRequest):
            await identity.issue_token("p", "t", roles)


async def test_no_credential_is_stored(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    await identity.create_project("p")
    _, token = await identity.issue_token("p", "t", ["reader"])
    client, secret = await identity.create_client("p", "nfvo", ["member"])
    granted = await identity.token_by_client_credentials(client, secret)
    with store.engine.connect() as connection:
        for table in ("projects", "tokens", "clients"):
            text = str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())
            assert not any(value in text for value in (token, secret, granted.token))
