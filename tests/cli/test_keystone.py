"""`fairlead keystone register`: what it makes, that it makes it once, and that it takes only its own away."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from fairlead.cli import group
from tests.support.keystone import SERVICE, PeerKeystone, keystone

URL = "https://nfv.example:9890"


class Registering:
    """The command against a Keystone that has a domain, a region and the role `service`."""

    def __init__(self, peer: PeerKeystone, directory: Path) -> None:
        self.peer = peer
        peer.add("domains", name="Default")
        peer.add("regions")["id"] = "R1"
        peer.add("roles", name="service")
        auth = {"auth_url": peer.url, "username": SERVICE[0], "password": SERVICE[1], "project_name": "admin"}
        self.file = directory / "clouds.yaml"
        self.file.write_text(yaml.safe_dump({"clouds": {"admin": {"auth": auth}}}), encoding="utf-8")

    async def run(self, *arguments: str) -> Result:
        line = ["--url", URL, "keystone", "register", "--from-clouds", str(self.file), *arguments]
        return await asyncio.to_thread(CliRunner().invoke, group, line)

    async def made(self, *arguments: str) -> list[tuple[str, str]]:
        """What became of what."""
        result = await self.run(*arguments, "-o", "json")
        assert result.exit_code == 0, result.output
        return [(one["state"], one["what"]) for one in json.loads(result.stdout)["entries"]]

    def there(self, plural: str) -> list[dict[str, Any]]:
        return self.peer.entries.get(plural, [])


async def test_all_is_made_once_and_taken_away_again(tmp_path: Path) -> None:
    async with keystone() as peer:
        ask = Registering(peer, tmp_path)
        result = await ask.run()
        assert result.exit_code == 0, result.output
        (service,) = ask.there("services")
        assert (service["name"], service["type"]) == ("fairlead", "nfv-orchestration")
        assert {(one["interface"], one["url"], one["region_id"]) for one in ask.there("endpoints")} == {
            (face, URL, "R1") for face in ("public", "internal", "admin")
        }
        (user,) = ask.there("users")
        (project,) = ask.there("projects")
        (role,) = ask.there("roles")
        assert peer.assigned == {f"/v3/projects/{project['id']}/users/{user['id']}/roles/{role['id']}"}
        assert f'password = "{user["password"]}"' in result.output, "a new password is shown this once"
        assert len(user["password"]) >= 32

        before = json.dumps(peer.entries)
        again = await ask.run()
        assert json.dumps(peer.entries) == before
        assert user["password"] not in again.output
        assert {state for state, _ in await ask.made()} == {"kept"}

        removed = await ask.made("--remove")
        assert removed == [("removed", "endpoint")] * 3 + [("removed", "service"), ("removed", "user")]
        assert not ask.there("services") + ask.there("endpoints") + ask.there("users")
        assert ask.there("projects"), "others may be in it"
        assert "There is nothing of it." in (await ask.run("--remove")).output


async def test_what_differs_is_corrected(tmp_path: Path) -> None:
    async with keystone() as peer:
        ask = Registering(peer, tmp_path)
        await ask.run()
        ask.there("endpoints")[1]["url"] = "http://old.example"
        (tmp_path / "password").write_text("another\n", encoding="utf-8")
        changed = await ask.made("--password", f"@{tmp_path / 'password'}")
        assert [what for state, what in changed if state == "changed"] == ["endpoint", "user"]
        assert {one["url"] for one in ask.there("endpoints")} == {URL}
        assert ask.there("users")[0]["password"] == "another"


async def test_tackers_service_and_others_users_are_not_taken_by_accident(tmp_path: Path) -> None:
    async with keystone() as peer:
        ask = Registering(peer, tmp_path)
        peer.add("services", name="tacker", type="nfv-orchestration")
        result = await ask.run()
        assert result.exit_code != 0
        assert "service-name-taken" in result.output
        assert not ask.there("endpoints") + ask.there("users")
        assert ("kept", "service") in await ask.made("--service-name", "tacker")
        ask.there("users")[0]["description"] = "somebody else's"
        assert ("kept", "user") in await ask.made("--service-name", "tacker", "--remove")
        assert ask.there("users")
        assert not ask.there("services")


async def test_nothing_is_made_when_something_is_wrong(tmp_path: Path) -> None:
    async with keystone() as peer:
        ask = Registering(peer, tmp_path)
        for arguments, code in (
            (("--region", "Nowhere"), "unknown-region"),
            (("--domain", "Nowhere"), "unknown-domain"),
            (("--cloud", "nobody"), "unknown-cloud"),
        ):
            result = await ask.run(*arguments)
            assert code in result.output
        peer.add("regions")["id"] = "R2"
        assert "several regions" in (await ask.run()).output
        peer.forbidden = True
        refused = (await ask.run()).output
        assert "keystone-refused" in refused
        assert "403 You are not authorized" in refused
        assert not ask.there("services") + ask.there("users")
        peer.down = 0
        assert "cannot-reach-keystone" in (await ask.run()).output
        assert SERVICE[1] not in refused
