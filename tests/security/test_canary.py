"""No secret that comes in ever comes out again: a canary in each, a life full of events, and a search through everything.

The secrets are a VIM's credentials, what boot data puts into machines (environment, files, user data, from the VNFD and from
files of the package), a VIM connection's access information in a request, and the tokens and client secrets that Fairlead gives
out. Two places are exempt: the package itself with what is taken out of it, which is the vendor's file and has the VNFD's
secrets in clear as it came; and the simulated VIM, which has to be told what its machines are to contain.
"""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from fairlead.cli import group
from fairlead.operations import OperationState
from fairlead.sol import HealVnfRequest, InstantiateVnfRequest, VimConnectionInfo, encode
from tests.security.conftest import Start, served
from tests.support.canary import Canary
from tests.support.packages import VNFD, csar, small_package
from tests.support.running import PROJECT, Running, instantiate_request
from tests.vnf.cases import SCALE_OUT, STOP, TERMINATE

S = OperationState

_WORKER = """        description: Does the work
        boot_order: false
"""


@dataclass
class Canaries:
    """One canary for each sort of secret; and the `control`, which is no secret and has to be found everywhere."""

    environment: Canary = field(default_factory=Canary)
    file: Canary = field(default_factory=Canary)
    user_data: Canary = field(default_factory=Canary)
    credentials: Canary = field(default_factory=Canary)
    later_credentials: Canary = field(default_factory=Canary)
    access: Canary = field(default_factory=Canary)
    fetching: Canary = field(default_factory=Canary)
    signed_uri: Canary = field(default_factory=Canary)
    subscriber: Canary = field(default_factory=Canary)

    def __post_init__(self) -> None:
        self.control = Canary()

    def __iter__(self) -> Iterator[tuple[str, Canary]]:
        return ((one.name, getattr(self, one.name)) for one in fields(self))

    def in_text(self, where: str, text: str | bytes) -> list[str]:
        """Where in `text` any of them is."""
        return [f"{name}: {place}" for name, canary in self for place in canary.in_text(where, text)]

    def package(self) -> bytes:
        """The small package with a secret for each way by which boot data comes."""
        from_a_file = f"{_WORKER}        boot_data: {{ content_or_file_data: {{ source_path: ../Files/boot.sh }} }}\n"
        vnfd = (
            VNFD.replace("canary-environment", f'"{self.environment.text}"')
            .replace("password=canary-file", f"password={self.file.text}")
            .replace(_WORKER, from_a_file)
        )
        assert self.environment.text in vnfd
        assert self.file.text in vnfd
        assert "boot.sh" in vnfd
        return csar({**_files(small_package(vnfd)), "Files/boot.sh": f"secret {self.user_data.text}".encode()})


def _files(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Answers:
    """Everything that the API and the command line have said."""

    def __init__(self, url: str, token: str, canaries: Canaries) -> None:
        self.found: list[str] = []
        self.control: list[str] = []
        self._canaries = canaries
        self._token = token
        self._url = url
        headers = {"Authorization": f"Bearer {token}", "Version": "2.0.0"}
        self._client = httpx.AsyncClient(base_url=url, headers=headers, timeout=20)

    async def close(self) -> None:
        await self._client.aclose()

    async def ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        """Ask the API, and look through the answer."""
        answer = await self._client.request(method, path, **more)
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.found += self._canaries.in_text(f"{method} {path}", f"{headers}\n{answer.text}")
        self.control += self._canaries.control.in_text("API", answer.text)
        return answer

    async def say(self, *arguments: str) -> str:
        """Use the command line, and look through what it says."""
        environment = {"FAIRLEAD_URL": self._url, "FAIRLEAD_TOKEN": self._token, "HOME": os.devnull}
        result = await asyncio.to_thread(CliRunner(env=environment).invoke, group, list(arguments))
        self.found += self._canaries.in_text(" ".join(arguments), result.stdout + result.stderr)
        self.control += self._canaries.control.in_text("CLI", result.stdout)
        assert result.exit_code == 0, (arguments, result.output)
        return result.stdout


async def look_at_everything(answers: Answers, vnf: str) -> None:
    """Every answer that could have a secret in it."""
    occurrences = (await answers.ask("/vnflcm/v2/vnf_lcm_op_occs?all_fields")).json()
    assert occurrences
    for path in (
        "/vnflcm/v2/vnf_instances?all_fields",
        f"/vnflcm/v2/vnf_instances/{vnf}",
        "/vnfpkgm/v2/vnf_packages?all_fields",
        "/vnfpkgm/v2/subscriptions",
        "/fairlead/v1/vims",
        "/fairlead/v1/vims/sim",
        "/v1.0/vims",
        "/v1.0/vims/sim.json",
        "/fairlead/v1/tokens",
        "/fairlead/v1/clients",
        "/metrics",
    ):
        assert (await answers.ask(path)).status_code == 200, path
    await answers.ask("/ready")
    await answers.ask("/fairlead/v1/vims/sim/check", "POST")
    await answers.ask("/fairlead/v1/events?limit=1000", headers={"Accept": "application/json"})
    for one in occurrences:
        await answers.ask(f"/vnflcm/v2/vnf_lcm_op_occs/{one['id']}")
        await answers.ask(f"/fairlead/v1/vnf_lcm_op_occs/{one['id']}/timeline")
        for action in ("retry", "rollback"):
            await answers.ask(f"/fairlead/v1/vnf_lcm_op_occs/{one['id']}/plans", "POST", json={"action": action})
    healing = {"operation": "heal", "request": {}}
    await answers.ask(f"/fairlead/v1/vnf_instances/{vnf}/plans", "POST", json=healing)
    for arguments in (
        ("vim", "list", "-o", "yaml"),
        ("vim", "show", "sim", "-o", "json"),
        ("vnf", "show", vnf, "-o", "yaml"),
        ("vnf", "show", vnf),
        ("operation", "list"),
        ("operation", "show", occurrences[-1]["id"], "--timeline"),
        ("operation", "show", occurrences[-1]["id"], "-o", "json"),
        ("package", "list", "-o", "json"),
        ("event", "list", "--limit", "1000", "-o", "json"),
    ):
        await answers.say(*arguments)


async def failing_heal(run: Running, vnf: str) -> str:
    """A heal that fails with all that a VIM says of it."""
    await run.fault("create", "failed", sort="compute", times=0)
    operation = await run.begin(vnf, "heal", HealVnfRequest())
    await run.reached(operation, S.FAILED_TEMP)
    return operation


async def a_life(run: Running, answers: Answers, canaries: Canaries) -> None:
    """Register, onboard, instantiate, scale, fail to heal, go back, stop, terminate; looked at all along."""
    changed = {"credentials": {"password": canaries.later_credentials.text}}
    before = await answers.ask(
        "/fairlead/v1/vims/sim", "PATCH", json={"credentials": {"password": canaries.credentials.text}}
    )
    assert before.status_code == 200, before.text
    await _subscribing(answers, canaries)
    await run.package(canaries.package())
    await _fetching(run, answers, canaries)
    vnf = await run.vnf(canaries.control.text)
    request = await _with_access(run, canaries)
    accepted = await answers.ask(
        f"/vnflcm/v2/vnf_instances/{vnf}/instantiate",
        "POST",
        content=encode(request),
        headers={"Content-Type": "application/json"},
    )
    assert accepted.status_code == 202, accepted.text
    await run.reached(accepted.headers["Location"].rsplit("/", 1)[-1], S.COMPLETED)
    _the_vim_was_told(run, canaries)
    await look_at_everything(answers, vnf)
    await run.do(vnf, "scale", SCALE_OUT)
    healing = await failing_heal(run, vnf)
    await look_at_everything(answers, vnf)
    await run.program.occurrences.rollback(PROJECT, healing)
    await run.behave()
    await run.stopped(healing)
    if (await run.show(healing)).state is S.FAILED_TEMP:
        await run.program.occurrences.rollback(PROJECT, healing)
        await run.reached(healing, S.ROLLED_BACK)
    await answers.ask("/fairlead/v1/vims/sim", "PATCH", json=changed)
    await run.do(vnf, "operate", STOP)
    await look_at_everything(answers, vnf)
    await run.do(vnf, "terminate", TERMINATE)
    await look_at_everything(answers, vnf)


async def _fetching(run: Running, answers: Answers, canaries: Canaries) -> None:
    """Packages that are to be fetched with every sort of credential, from where nobody is."""
    secret, uri = canaries.fetching.text, f"http://localhost:1/a.csar?signature={canaries.signed_uri.text}"
    oauth2 = {"clientId": "me", "clientPassword": secret, "tokenEndpoint": "http://localhost:1/token"}
    for credentials in (
        {"userName": "me", "password": secret},
        {"authType": "OAUTH2_CLIENT_CREDENTIALS", "paramsOauth2ClientCredentials": oauth2},
    ):
        made = (await answers.ask("/vnfpkgm/v2/vnf_packages", "POST", json={})).json()
        path = f"/vnfpkgm/v2/vnf_packages/{made['id']}"
        body = {"addressInformation": uri, **credentials}
        assert (await answers.ask(f"{path}/package_content/upload_from_uri", "POST", json=body)).status_code == 202
        await run.program.catalogue.idle()
        assert (await answers.ask(path)).json()["onboardingState"] == "ERROR"


async def _subscribing(answers: Answers, canaries: Canaries) -> None:
    """Subscribers with every sort of credential, of whom nobody is there."""
    secret, uri = canaries.subscriber.text, "http://localhost:1/"
    oauth2 = {"clientId": "me", "clientPassword": secret, "tokenEndpoint": f"{uri}token"}
    for number, credentials in enumerate(
        (
            {"authType": ["BASIC"], "paramsBasic": {"userName": "me", "password": secret}},
            {"authType": ["OAUTH2_CLIENT_CREDENTIALS"], "paramsOauth2ClientCredentials": oauth2},
        )
    ):
        body = {"callbackUri": f"{uri}{number}", "authentication": credentials}
        assert (await answers.ask("/vnfpkgm/v2/subscriptions", "POST", json=body)).status_code == 201


async def _with_access(run: Running, canaries: Canaries) -> InstantiateVnfRequest:
    info = VimConnectionInfo(vim_id=run.vim, vim_type="simulated", access_info={"password": canaries.access.text})
    return msgspec.structs.replace(instantiate_request(), vim_connection_info={"here": info})


def _the_vim_was_told(run: Running, canaries: Canaries) -> None:
    """The secrets have reached the machines: the canaries sing where they should."""
    gate = next(thing for thing in run.things("compute") if thing.tag["name"] == "gate/k1")
    worker = next(thing for thing in run.things("compute") if thing.tag["name"] == "worker/k1")
    assert gate.spec["environment"]["GREETING"] == canaries.environment.text
    assert canaries.file.text in gate.spec["files"][0]["content"]
    assert canaries.user_data.text in worker.spec["user_data"]


def in_files(root: Path, canaries: Canaries) -> list[str]:
    """Where in the program's files they are, but for the package's own and the simulated VIM's."""
    found = []
    for path in sorted(root.rglob("*")):
        exempt = path.name.startswith("world.db") or {"packages", "artifacts"} & {*path.relative_to(root).parts}
        if path.is_file() and not exempt:
            found += canaries.in_text(str(path.relative_to(root)), path.read_bytes())
    return found


def holding(root: Path, texts: list[str]) -> list[str]:
    """The files that have any of `texts` in them."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(text.encode() in path.read_bytes() for text in texts)]


async def test_no_secret_is_found_anywhere(
    start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    canaries = Canaries()
    async with start(engine=True, settings={"events.test_callbacks": False}) as run:
        identity = run.program.identity
        token = str(await identity.ensure_first_token())
        _, other_token = await identity.issue_token(PROJECT, "another", ["member"])
        client, secret = await identity.create_client(PROJECT, "a client", ["member"])
        async with served(run.program) as url:
            answers = Answers(url, token, canaries)
            granted = await answers.ask(
                "/oauth2/token", "POST", data={"grant_type": "client_credentials"}, auth=(client, secret)
            )
            assert granted.status_code == 200, granted.text
            given_out = [token, other_token, secret, granted.json()["access_token"]]
            await a_life(run, answers, canaries)
            await answers.close()
        engine = run.program.store.engine
        found = [
            f"{name}: {place}"
            for name, canary in canaries
            for place in await asyncio.to_thread(canary.in_database, engine)
        ]
        assert await asyncio.to_thread(canaries.control.in_database, engine)
        events = await run.program.events.read(None, limit=10_000)
        assert len(events) > 50
        found += canaries.in_text("events", msgspec.json.encode(events))
    assert {"API (as it is)", "CLI (as it is)"} <= set(answers.control)
    found += answers.found + await asyncio.to_thread(in_files, tmp_path, canaries)
    captured = capfd.readouterr()
    log = captured.out + captured.err
    assert "operation.taken" in log, "logs are looked through"
    found += canaries.in_text("log", log)
    assert found == []
    assert not await asyncio.to_thread(holding, tmp_path, given_out)
    assert not [one for one in given_out if one in log]
