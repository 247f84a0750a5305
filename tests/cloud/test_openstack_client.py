"""`openstack`, with python-tackerclient as it is, against a Fairlead in a real cloud's catalogue: it is found there, takes the
cloud's tokens, and the cloud's roles say who may do what.

Each command is a process of its own, with nothing of Fairlead's but the endpoint that `fairlead keystone register` has made.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.end_to_end.serving import Served
from tests.support.openstack.operator import Operator, until
from tests.support.packages import VNFD_ID, small_package

pytestmark = [pytest.mark.cloud, pytest.mark.long]

OPENSTACK = str(Path(sys.executable).with_name("openstack"))
POINT = {"cpdId": "outside", "cpConfig": [{"cpProtocolData": [{"layerProtocol": "IP_OVER_ETHERNET"}]}]}
REQUEST: dict[str, Any] = {
    "flavourId": "simple",
    "extVirtualLinks": [{"id": "outside", "resourceId": "operator", "extCps": [POINT]}],
    "vimConnectionInfo": [{"id": "any", "vimId": "sim", "vimType": "simulated"}],
}
"""As version 1 has it."""


class Refused(Exception):
    """A command ended with an error; these are its words."""


class People:
    """Users of two projects, in a clouds.yaml of their own, and the command line that they use."""

    def __init__(self, admin: Operator, directory: Path) -> None:
        self.admin = admin
        self.directory = directory
        self.name = f"fairlead-test-{secrets.token_hex(4)}"
        self.file = directory / "clouds.yaml"
        self._made: list[tuple[str, str]] = []
        clouds = {
            "operator": {"auth": admin.auth, "region_name": admin.region},
            **self._project("north", {"member": "member", "reader": "reader", "boss": "admin"}),
            **self._project("south", {"stranger": "member"}),
        }
        self.file.write_text(yaml.safe_dump({"clouds": clouds}), encoding="utf-8")

    def _project(self, word: str, people: dict[str, str]) -> dict[str, Any]:
        name = f"{self.name}-{word}"
        project = self._make("project", name=name, domain_id="default")
        clouds = {}
        for person, role in people.items():
            password = secrets.token_hex(8)
            user = self._make("user", name=f"{self.name}-{person}", domain_id="default", password=password)
            (found,) = self.admin.get("identity", "/roles", name=role)["roles"]
            self.admin.call("PUT", "identity", f"/projects/{project}/users/{user}/roles/{found['id']}")
            auth = {"auth_url": self.admin.auth["auth_url"], "username": f"{self.name}-{person}", "password": password}
            auth |= {"project_name": name, "user_domain_name": "Default", "project_domain_name": "Default"}
            clouds[person] = {"auth": auth, "region_name": self.admin.region}
        return clouds

    def _make(self, word: str, **values: Any) -> str:
        id_ = str(self.admin.call("POST", "identity", f"/{word}s", {word: values})[word]["id"])
        self._made.append((word, id_))
        return id_

    def auth(self, person: str) -> dict[str, str]:
        """How somebody proves who it is."""
        found: dict[str, str] = yaml.safe_load(self.file.read_text(encoding="utf-8"))["clouds"][person]["auth"]
        return found

    def say(self, person: str, *words: str, version: str = "2") -> str:
        """What `openstack` prints for somebody. Raises Refused."""
        command = [OPENSTACK, "--os-cloud", person, "--os-tacker-api-version", version, *words]
        environment = {"OS_CLIENT_CONFIG_FILE": str(self.file), "PATH": "/usr/bin:/bin", "HOME": str(self.directory)}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise Refused(done.stderr)
        return done.stdout

    def ask(self, person: str, *words: str, version: str = "2") -> Any:
        """The document that `openstack` prints for somebody."""
        return json.loads(self.say(person, *words, "-f", "json", version=version))

    def written(self, name: str, document: Any) -> str:
        """A file with `document`."""
        path = self.directory / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return str(path)

    def remove(self) -> None:
        for word, id_ in reversed(self._made):
            self.admin.delete("identity", f"/{word}s/{id_}")


@pytest.fixture(scope="module")
def people(admin: Operator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    made = People(admin, tmp_path_factory.mktemp("people"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def served(people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Fairlead in the catalogue: registered, started, and registered again at the address that it has."""
    settings = {"FAIRLEAD_IDENTITY_AUTH": "keystone"}
    one = Served(tmp_path_factory.mktemp("fairlead") / "data", settings=settings)
    register = ["keystone", "register", "--from-clouds", str(people.file), "--cloud", "operator", "--user", people.name]
    first = one.run("--url", "http://127.0.0.1:1", *register, output="json").json()
    try:
        for name, value in first["settings"].items():
            settings[f"FAIRLEAD_KEYSTONE_{name.upper()}"] = value
        one = Served(one.data, settings=settings)
        one.start()
        again = one.run("--url", one.url, *register, output="json").json()
        assert [entry["state"] for entry in again["entries"]] == [
            "kept",
            "changed",
            "changed",
            "changed",
            "kept",
            "kept",
        ]
        yield one
        assert not any("flt_" in line for line in one.printed), "no token of Fairlead's own is given out"
        assert one.stop() == 0
    finally:
        one.run("--url", "http://127.0.0.1:1", *register, "--remove", output="json").json()


def test_a_vim_is_registered_changed_and_forgotten(served: Served, people: People) -> None:
    del served
    auth = people.auth("boss")
    description = people.directory / "vim.yaml"
    description.write_text(yaml.safe_dump(auth), encoding="utf-8")
    made = people.ask("boss", "vim", "register", "cloud", "--config-file", str(description), version="1")
    assert (made["name"], made["type"], made["auth_cred"]["password"]) == ("cloud", "openstack", "***")
    assert [one["Name"] for one in people.ask("reader", "vim", "list", version="1")] == ["cloud"]
    assert auth["password"] not in people.say("member", "vim", "show", "cloud", version="1")
    changed = people.ask("boss", "vim", "set", "cloud", "--name", "clouds", "--is-default", "True", version="1")
    assert (changed["name"], changed["is_default"]) == ("clouds", True)
    with pytest.raises(Refused, match="not enough for fairlead:vims:delete"):
        people.say("reader", "vim", "delete", "clouds", version="1")
    people.say("boss", "vim", "delete", "clouds", version="1")


def test_a_network_function_from_package_to_deletion(served: Served, people: People) -> None:
    token = people.say("member", "token", "issue", "-f", "value", "-c", "id").strip()
    networks = 'networks={"operator": "192.0.2.0/24"}'
    served.run("vim", "register", "sim", "--type", "simulated", "--setting", networks, token=token).ok()

    package = people.ask("member", "vnf", "package", "create", version="1")["ID"]
    (people.directory / "small.zip").write_bytes(small_package())
    file = str(people.directory / "small.zip")
    people.say("member", "vnf", "package", "upload", package, "--path", file, version="1")

    def onboarded() -> bool:
        return bool(_asked(served, token, f"/vnfpkgm/v2/vnf_packages/{package}")["onboardingState"] == "ONBOARDED")

    until(onboarded, "the package is onboarded")
    with pytest.raises(Refused, match="not enough for vnflcm:vnf_instances:create"):
        people.say("reader", "vnflcm", "create", VNFD_ID)
    vnf = people.ask("member", "vnflcm", "create", VNFD_ID, "--name", "small")["ID"]
    assert [one["ID"] for one in people.ask("reader", "vnflcm", "list", version="1")] == [vnf]
    assert people.ask("stranger", "vnflcm", "list") == []
    with pytest.raises(Refused, match="There is no VNF instance"):
        people.say("stranger", "vnflcm", "show", vnf)

    people.say("member", "vnflcm", "instantiate", vnf, people.written("instantiate.json", REQUEST), version="1")
    _settled(served, token, vnf, 1)
    assert people.ask("reader", "vnflcm", "show", vnf)["Instantiation State"] == "INSTANTIATED"
    people.say("member", "vnflcm", "terminate", vnf, "--termination-type", "FORCEFUL")
    _settled(served, token, vnf, 2)
    assert len(people.ask("reader", "vnflcm", "op", "list")) == 2
    people.say("member", "vnflcm", "delete", vnf)
    people.say("member", "vnf", "package", "update", package, "--operational-state", "DISABLED", version="1")
    people.say("member", "vnf", "package", "delete", package, version="1")


def test_the_clouds_projects_are_fairleads(served: Served, people: People) -> None:
    token = people.say("boss", "token", "issue", "-f", "value", "-c", "id").strip()
    found = json.loads(served.run("project", "list", token=token, output="json").out)
    assert f"{people.name}-north in Keystone" in {one["description"] for one in found}
    refused = served.run("project", "list", token="made-up")
    assert "token-invalid" in refused.err


def _asked(served: Served, token: str, path: str) -> Any:
    """What the API answers; waiting by whole commands takes seconds a look."""
    answer = httpx.get(served.url + path, headers={"X-Auth-Token": token, "Version": "2.0.0"}, timeout=30)
    return answer.raise_for_status().json()


def _settled(served: Served, token: str, vnf: str, number: int) -> None:
    """Wait until that many operations of the instance are there, and all of them done."""

    def done() -> bool:
        found = _asked(served, token, f"/vnflcm/v2/vnf_lcm_op_occs?filter=(eq,vnfInstanceId,{vnf})")
        states = [one["operationState"] for one in found]
        assert not {"FAILED", "FAILED_TEMP", "ROLLED_BACK"} & {*states}, states
        return len(states) == number and set(states) == {"COMPLETED"}

    until(done, f"{number} operations are done")
