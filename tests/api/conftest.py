"""The API over a fresh database and small peers, asked in process or as a real server on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest
from litestar import Litestar
from prometheus_client import CollectorRegistry

from fairlead.api import ApiSettings, HttpServer, Services, create_app
from fairlead.clock import SystemClock
from fairlead.events import Callbacks, EventLog, Subscriptions
from fairlead.identity import Identity
from fairlead.packages.notifications import PACKAGE_SUBSCRIPTIONS
from fairlead.secrets import Vault, load_keyring
from fairlead.store import Store
from fairlead.targets import networks
from tests.api import peers
from tests.support.waiting import until


@dataclass
class Api:
    """The application, what it stands on, and who may ask it: `member` is of the project `default`."""

    services: Services
    vnfs: peers.Vnfs
    occurrences: peers.Occurrences
    catalogue: peers.Catalogue
    vims: peers.Vims
    health: peers.Health
    member: str
    reader: str
    admin: str
    stranger: str
    """A member of another project."""

    def __post_init__(self) -> None:
        self.app: Litestar = create_app(self.services)

    def restart(self, **settings: Any) -> None:
        """The application again, with other settings."""
        changed = ApiSettings(**settings)
        fresh = Services(**{**vars(self.services), "settings": changed, "metrics": CollectorRegistry()})
        self.services, self.app = fresh, create_app(fresh)

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client in process; as the member unless `token` says otherwise (empty: nobody)."""
        chosen = self.member if token is None else token
        given = {"Version": "2.0.0", **({"Authorization": f"Bearer {chosen}"} if chosen else {}), **headers}
        transport = httpx.ASGITransport(cast(Any, self.app), raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://fairlead.test", headers=given)

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[Served]:
        """The application behind a real server."""
        listening = socket.create_server(("127.0.0.1", 0))
        server = HttpServer(self.app, self.services.stopping)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        port = listening.getsockname()[1]
        headers = {"Version": "2.0.0", "Authorization": f"Bearer {self.member}"}
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as client:
                yield Served(client, port, server, running)
        finally:
            server.should_exit = True
            await running


@dataclass(frozen=True)
class Served:
    client: httpx.AsyncClient
    port: int
    server: HttpServer
    running: asyncio.Task[None]


@pytest.fixture
def api(sqlite_store: Store, tmp_path: Path) -> Api:
    """On SQLite; the topics that reach the database through the API have a fixture of this name on both."""
    return assembled(sqlite_store, tmp_path)


def assembled(store: Store, tmp_path: Path) -> Api:
    """The application on `store`."""
    clock = SystemClock()
    identity = Identity(store, clock)
    occurrences = peers.Occurrences()
    vnfs, catalogue, vims, health = peers.Vnfs(occurrences), peers.Catalogue(), peers.Vims(), peers.Health()
    vault = Vault(store, load_keyring(tmp_path / "keys"))
    services = Services(
        store=store,
        identity=identity,
        events=EventLog(store, clock),
        subscriptions=Subscriptions(
            store, clock, vault, Callbacks(networks("127.0.0.0/8", "test")), PACKAGE_SUBSCRIPTIONS
        ),
        vault=vault,
        catalogue=catalogue,
        vims=vims,
        vnfs=vnfs,
        occurrences=occurrences,
        settings=ApiSettings(page_size=3),
        clock=clock,
        metrics=CollectorRegistry(),
        health=health,
    )

    async def tokens() -> list[str]:
        admin = await identity.ensure_first_token()
        await identity.create_project("elsewhere")
        member = await identity.issue_token("default", "a member", ["member"])
        reader = await identity.issue_token("default", "a reader", ["reader"])
        stranger = await identity.issue_token("elsewhere", "a stranger", ["member"])
        return [str(admin), member[1], reader[1], stranger[1]]

    admin, member, reader, stranger = asyncio.run(tokens())
    return Api(services, vnfs, occurrences, catalogue, vims, health, member, reader, admin, stranger)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in `answer`, which must be one."""
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = msgspec.json.decode(answer.content)
    assert (answer.status_code, document["status"], document["code"]) == (status, status, code), document
    assert document["detail"]
    assert document["type"].endswith(f"/{code}")
    return document
