"""Tokens of Keystone and the password of Fairlead's own user there come out nowhere, whatever goes wrong with them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fairlead.api import Services
from fairlead.clock import SystemClock
from fairlead.identity import Keystone, KeystoneAccess
from fairlead.store import Store
from tests.api.conftest import assembled
from tests.api.test_lifecycle import INSTANCES
from tests.support.canary import Canary
from tests.support.keystone import keystone


async def test_neither_tokens_nor_the_password_are_found_anywhere(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    password, good, bad, scoped = Canary(), Canary(), Canary(), Canary()
    api = await asyncio.to_thread(assembled, store, tmp_path)
    async with keystone() as peer:
        peer.service = ("fairlead", password.text)
        peer.tokens[good.text] = peer.tokens[peer.token("member")]
        peer.tokens[scoped.text] = peer.tokens[peer.token(project=None, system={"all": True})]
        access = KeystoneAccess(auth_url=peer.url, username="fairlead", password=password.text, timeout=2.0)
        asks = Keystone(access, SystemClock(), api.services.identity.ensure_project)
        api.services = Services(**{**vars(api.services), "keystone": asks})
        api.restart()
        said = repr(access)
        statuses = []

        async def ask() -> None:
            nonlocal said
            for canary in (good, bad, scoped):
                answer = await api.client("", **{"X-Auth-Token": canary.text}).get(INSTANCES)
                statuses.append(answer.status_code)
                said += f"{answer.headers} {answer.text}"

        await ask()
        assert statuses == [200, 401, 403]
        peer.service = ("fairlead", "another")
        peer.given.clear()
        asks._known.clear()
        await ask()
        peer.down = 0
        await ask()
        assert statuses[3:] == [503] * 6
        said += str(asks.trouble)
        await asks.close()
    captured = capfd.readouterr()
    log = captured.out + captured.err
    assert "keystone-unavailable" in log, "logs are looked through"
    for name, canary in {"password": password, "good": good, "bad": bad, "scoped": scoped}.items():
        found = canary.in_text(f"{name}: answers", said) + canary.in_text(f"{name}: log", log)
        assert found + await asyncio.to_thread(canary.in_database, store.engine) == []
