"""The vault: secrets by owner, encrypted in the database, readable with the right key only."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.errors import Quarantined
from fairlead.secrets import Keyring, Vault
from fairlead.secrets.tables import secrets
from fairlead.store import Store
from tests.support.canary import Canary

RING = Keyring(Keyring.new_key())


async def put(store: Store, vault: Vault, owner: str, *values: str, project: str = "p") -> None:
    await store.write(lambda tx: vault.put(tx, project, owner, {vault.digest(value): value for value in values}))


async def test_secrets_are_opened_as_they_were_put(store: Store) -> None:
    vault = Vault(store, RING)
    await put(store, vault, "vnf-1", "a", "ü")
    await put(store, vault, "vnf-1", "c")
    await put(store, vault, "vnf-2", "d")
    assert await vault.open("vnf-1") == {vault.digest(value): value for value in ("a", "ü", "c")}
    assert await vault.open("nobody") == {}


async def test_putting_the_same_secret_again_changes_nothing(store: Store) -> None:
    vault = Vault(store, RING)
    await put(store, vault, "vnf-1", "a")
    await put(store, vault, "vnf-1", "a")
    assert list((await vault.open("vnf-1")).values()) == ["a"]


async def test_forgotten_secrets_are_gone_and_others_stay(store: Store) -> None:
    vault = Vault(store, RING)
    await put(store, vault, "vnf-1", "a")
    await put(store, vault, "vnf-2", "b")
    await store.write(lambda tx: vault.forget(tx, "vnf-1"))
    assert await vault.open("vnf-1") == {}
    assert len(await vault.open("vnf-2")) == 1


async def test_another_key_quarantines_what_it_cannot_read_and_serves_the_rest(store: Store) -> None:
    await put(store, Vault(store, RING), "vnf-1", "a")
    other = Vault(store, Keyring(Keyring.new_key()))
    await put(store, other, "vnf-2", "b")
    assert await other.unreadable() == ["vnf-1"]
    with pytest.raises(Quarantined) as caught:
        await other.open("vnf-1")
    assert "vnf-1" in caught.value.detail
    assert list((await other.open("vnf-2")).values()) == ["b"]


async def test_a_secret_given_again_replaces_one_that_cannot_be_read(store: Store) -> None:
    root, lost, new = Keyring.new_key(), Keyring.new_key(), Keyring.new_key()
    await put(store, Vault(store, Keyring(f"{lost}\n{root}")), "vnf-1", "a")
    vault = Vault(store, Keyring(f"{new}\n{root}"))
    await put(store, vault, "vnf-1", "a")
    assert list((await vault.open("vnf-1")).values()) == ["a"]


async def test_a_row_moved_to_another_owner_cannot_be_opened_there(store: Store) -> None:
    vault = Vault(store, RING)
    await put(store, vault, "vnf-1", "a")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE secrets SET owner = 'vnf-2'")
    with pytest.raises(Quarantined):
        await vault.open("vnf-2")


async def test_after_resealing_the_older_key_between_may_go(store: Store) -> None:
    oldest, older, newest = (Keyring.new_key() for _ in range(3))
    before = Vault(store, Keyring(f"{older} {oldest}"))
    for number in range(450):
        await put(store, before, f"vnf-{number}", f"value {number}", project=f"p{number % 3}")
    assert await Vault(store, Keyring(f"{newest} {older} {oldest}")).reseal() == 450
    after = Vault(store, Keyring(f"{newest} {oldest}"))
    assert await after.unreadable() == []
    assert await after.open("vnf-7") == {before.digest("value 7"): "value 7"}
    owners = await store.read(lambda tx: tx.all(tx.select(secrets)), "p1")
    assert len(owners) == 150


async def test_resealing_leaves_what_is_damaged(store: Store) -> None:
    older, newest = Keyring.new_key(), Keyring.new_key()
    before = Vault(store, Keyring(older))
    for number in range(3):
        await put(store, before, f"vnf-{number}", f"value {number}")
    await store.write(lambda tx: tx.run(tx.update(secrets).where(secrets.c.owner == "vnf-1").values(sealed="v1.x.y")))
    vault = Vault(store, Keyring(f"{newest} {older}"))
    assert (await vault.reseal(), await vault.reseal()) == (2, 0)
    assert await vault.open("vnf-2") == {before.digest("value 2"): "value 2"}


async def test_a_project_cannot_overwrite_anothers_secret(store: Store) -> None:
    vault = Vault(store, RING)
    await put(store, vault, "vnf-1", "a")
    before = await store.read(lambda tx: tx.all(tx.select(secrets)))
    values = {vault.digest("a"): "a"}
    await store.write(lambda tx: vault.put(tx, "q", "vnf-1", values), "q")
    assert await store.read(lambda tx: tx.all(tx.select(secrets))) == before


async def test_no_secret_is_found_in_the_database_or_in_its_files(store: Store, tmp_path: Path) -> None:
    vault, canary = Vault(store, RING), Canary()
    await put(store, vault, "vnf-1", canary.text)
    assert canary.in_database(store.engine) == []
    assert canary.in_directory(tmp_path) == []
    assert canary.in_text("a reference", repr(vault.digest(canary.text))) == []
