"""Registering VIMs: what is refused, who may, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.clock import SteppedClock
from fairlead.errors import Conflict, Forbidden, NotFound, Unprocessable
from fairlead.events import EventLog
from fairlead.secrets import Keyring, Vault
from fairlead.store import Store, Tx
from fairlead.vims import DriverType, Registrations
from fairlead.vims.containers import driver as containers
from fairlead.vims.simulated import driver as simulated

LAB: dict[str, Any] = {"name": "lab", "type": "simulated"}
ENGINE: dict[str, Any] = {"name": "engine", "type": "containers", "interface": {"url": "tcp://192.0.2.1:2375"}}
CRASH = {"faults": [{"on": "create", "effect": "crash-after"}]}

HOLDS = {
    "a socket": ENGINE | {"interface": {"url": "unix:///run/podman/podman.sock"}},
    "loopback": ENGINE | {"interface": {"url": "tcp://127.0.0.1:2375"}},
    "loopback of version 6": ENGINE | {"interface": {"url": "http://[::1]:2375"}},
    "any address": ENGINE | {"interface": {"url": "tcp://0.0.0.0:2375"}},
    "localhost": ENGINE | {"interface": {"url": "http://localhost:2375"}},
    "a file": LAB | {"interface": {"state": "/var/lib/fairlead/lab.db"}},
    "a crash": LAB | {"settings": CRASH},
}


def _unused(_tx: Tx, _vim: str) -> int:
    return 0


@pytest.fixture
def registrations(store: Store) -> Registrations:
    clock, vault = SteppedClock(), Vault(store, Keyring(Keyring.new_key()))
    types: dict[str, DriverType] = {"simulated": simulated, "containers": containers}
    return Registrations(store, vault, EventLog(store, clock), clock, types, "deployment", _unused)


@pytest.mark.parametrize("document", HOLDS.values(), ids=HOLDS)
async def test_what_gives_a_hold_on_the_machine_is_for_the_trusted(
    registrations: Registrations, document: dict[str, Any]
) -> None:
    with pytest.raises(Forbidden) as caught:
        await registrations.register("p", document, trusted=False)
    assert (caught.value.code, caught.value.resource) == ("role-missing", document["name"])
    assert await registrations.list("p") == []
    made = await registrations.register("p", document, trusted=True)
    with pytest.raises(Forbidden):
        await registrations.update("p", made["id"], {"settings": {}, "interface": ENGINE["interface"]}, trusted=False)
    assert await registrations.list("p") == [made]


@pytest.mark.parametrize("document", [LAB, ENGINE], ids=["simulated", "containers"])
async def test_everybody_registers_what_is_elsewhere_but_cannot_turn_it_into_a_hold(
    registrations: Registrations, document: dict[str, Any]
) -> None:
    made = await registrations.register("p", document, trusted=False)
    changed = await registrations.update("p", made["id"], {"name": "another"}, trusted=False)
    assert changed["name"] == "another"
    held = next(one for one in HOLDS.values() if one["type"] == document["type"])
    with pytest.raises(Forbidden):
        await registrations.update("p", made["id"], {"interface": held["interface"]}, trusted=False)
    assert await registrations.list("p") == [changed]


async def test_a_name_is_taken_once_in_a_project(registrations: Registrations) -> None:
    await registrations.register("p", LAB)
    await registrations.register("q", LAB)
    with pytest.raises(Conflict) as caught:
        await registrations.register("p", LAB)
    assert caught.value.code == "vim-name-taken"


async def test_one_vim_is_the_default_and_the_only_one_is_it_anyway(registrations: Registrations) -> None:
    with pytest.raises(Unprocessable, match=r"No VIM is registered"):
        await registrations.find("p", None)
    first = await registrations.register("p", LAB)
    assert (await registrations.find("p", None))["id"] == first["id"]
    second = await registrations.register("p", ENGINE | {"default": True})
    assert (await registrations.find("p", None))["id"] == second["id"]
    await registrations.update("p", "lab", {"default": True})
    assert (await registrations.find("p", None))["id"] == first["id"]
    await registrations.update("p", "lab", {"default": False})
    with pytest.raises(Unprocessable) as caught:
        await registrations.find("p", None)
    assert caught.value.code == "no-default-vim"


async def test_a_shared_vim_is_seen_by_all_and_changed_by_its_owner(registrations: Registrations) -> None:
    made = await registrations.register("p", LAB | {"shared": True})
    assert (await registrations.find("q", "lab"))["id"] == made["id"]
    for change in (registrations.update("q", "lab", {"name": "mine"}), registrations.delete("q", "lab")):
        with pytest.raises(NotFound):
            await change


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"name": "x", "type": "cloud"}, "unknown-vim-type"),
        (LAB | {"settings": {"speed": 1}}, "bad-vim-settings"),
        (LAB | {"settings": {"networks": {"operator": "no range"}}}, "bad-vim-settings"),
        (ENGINE | {"interface": {}}, "bad-vim-settings"),
        (ENGINE | {"credentials": {"certificate": "x"}}, "bad-vim-credentials"),
    ],
)
async def test_what_no_driver_could_use_is_refused(
    registrations: Registrations, document: dict[str, Any], code: str
) -> None:
    with pytest.raises(Unprocessable) as caught:
        await registrations.register("p", document)
    assert caught.value.code == code
    assert await registrations.list("p") == []
