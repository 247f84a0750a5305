"""OAuth2 clients and the client-credentials grant."""

from __future__ import annotations

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import BadRequest, NotFound, Unauthenticated
from fairlead.identity import Caller, Identity
from fairlead.store import Store


async def client_of(identity: Identity, *roles: str) -> tuple[str, str]:
    await identity.create_project("p")
    return await identity.create_client("p", "nfvo", roles)


async def test_a_client_is_granted_tokens_that_expire(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock, lifetime=600.0)
    client, secret = await client_of(identity, "member")
    granted = await identity.token_by_client_credentials(client, secret)
    assert granted.lifetime == 600.0
    assert await identity.authenticate(f"Bearer {granted.token}") == Caller("p", frozenset({"member"}), "nfvo")
    clock.step(600)
    with pytest.raises(Unauthenticated):
        await identity.authenticate(f"Bearer {granted.token}")


async def test_expired_grants_are_cleared_away_and_not_listed_as_tokens(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock, lifetime=600.0)
    client, secret = await client_of(identity, "member")
    for _ in range(3):
        await identity.token_by_client_credentials(client, secret)
        clock.step(700)
    await identity.token_by_client_credentials(client, secret)
    assert await identity.list_tokens() == []
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tokens").scalar() == 1


async def test_a_wrong_secret_or_client_is_refused_in_the_same_words(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    client, secret = await client_of(identity, "member")
    details = set()
    for who, what in ((client, "wrong"), ("nobody", secret), (client, "")):
        with pytest.raises(Unauthenticated) as caught:
            await identity.token_by_client_credentials(who, what)
        assert caught.value.code == "invalid-client"
        details.add(caught.value.detail)
    assert len(details) == 1


async def test_a_client_may_ask_for_less_than_it_has_and_not_for_more(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    client, secret = await client_of(identity, "member", "reader")
    granted = await identity.token_by_client_credentials(client, secret, "reader")
    assert (await identity.authenticate(f"Bearer {granted.token}")).roles == {"reader"}
    with pytest.raises(BadRequest) as caught:
        await identity.token_by_client_credentials(client, secret, "admin")
    assert caught.value.code == "invalid-scope"


async def test_deleting_a_client_ends_what_it_was_granted(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    client, secret = await client_of(identity, "member")
    granted = await identity.token_by_client_credentials(client, secret)
    await identity.authenticate(f"Bearer {granted.token}")
    with pytest.raises(NotFound):
        await identity.delete_client(client, "q")
    await identity.delete_client(client, "p")
    with pytest.raises(Unauthenticated):
        await identity.authenticate(f"Bearer {granted.token}")


async def test_clients_are_listed_without_their_secrets(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    client, secret = await client_of(identity, "member")
    [listed] = await identity.list_clients("p")
    assert (listed.id, listed.name, listed.roles) == (client, "nfvo", ["member"])
    assert secret not in repr(listed)
    assert await identity.list_clients("q") == []
