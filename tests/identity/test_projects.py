"""Projects."""

from __future__ import annotations

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import BadRequest, Conflict, NotFound, Unauthenticated
from fairlead.events import EventLog
from fairlead.identity import Identity
from fairlead.secrets import Keyring, Vault
from fairlead.store import Store


async def test_projects_are_created_listed_and_deleted(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    await identity.create_project("b", "second")
    await identity.create_project("a")
    assert [project.name for project in await identity.list_projects()] == ["a", "b"]
    await identity.delete_project("a")
    assert [project.description for project in await identity.list_projects()] == ["second"]


async def test_a_name_is_taken_once(store: Store, clock: SteppedClock) -> None:
    identity = Identity(store, clock)
    await identity.create_project("a")
    with pytest.raises(Conflict) as caught:
        await identity.create_project("a")
    assert caught.value.code == "project-exists"


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "a" * 65, "ä"])
async def test_a_name_that_cannot_stand_in_a_path_is_refused(
    sqlite_store: Store, clock: SteppedClock, name: str
) -> None:
    with pytest.raises(BadRequest):
        await Identity(sqlite_store, clock).create_project(name)


async def test_a_deleted_projects_tokens_clients_and_events_are_gone(store: Store, clock: SteppedClock) -> None:
    identity, log = Identity(store, clock), EventLog(store, clock)
    await identity.create_project("p")
    _, token = await identity.issue_token("p", "t", ["reader"])
    client, secret = await identity.create_client("p", "c", ["reader"])
    await identity.token_by_client_credentials(client, secret)
    await identity.authenticate(f"Bearer {token}")
    await store.write(lambda tx: log.append(tx, project="p", type="vnf.created", subject="x"))
    await identity.delete_project("p")
    with pytest.raises(Unauthenticated):
        await identity.authenticate(f"Bearer {token}")
    assert await identity.list_clients() == []
    assert await log.read(None) == []


async def test_a_project_that_owns_something_cannot_be_deleted(store: Store, clock: SteppedClock) -> None:
    identity, vault = Identity(store, clock), Vault(store, Keyring(Keyring.new_key()))
    await identity.create_project("p")
    await store.write(lambda tx: vault.put(tx, "p", "vnf-1", {vault.digest("x"): "x"}))
    with pytest.raises(Conflict) as caught:
        await identity.delete_project("p")
    assert caught.value.code == "project-in-use"
    assert "secrets" in caught.value.detail
    await store.write(lambda tx: vault.forget(tx, "vnf-1"))
    await identity.delete_project("p")


async def test_deleting_an_unknown_project_is_told(store: Store, clock: SteppedClock) -> None:
    with pytest.raises(NotFound):
        await Identity(store, clock).delete_project("nowhere")
