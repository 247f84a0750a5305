"""The peer as a server on a free port, in a thread with a loop of its own, since each test has a loop of its own too.

`faults` are for calls by method and path: each answers with its words in place of the service, as JSON, or, if they are a mere
text, as a page; or, with the status 0, it lets the service do it and closes the connection in place of an answer. `seen` has
every call but those for tokens.
"""

from __future__ import annotations

import asyncio
import re
import threading
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.support.cloud.heat import Heat
from tests.support.cloud.neutron import Neutron
from tests.support.cloud.nova import Nova
from tests.support.cloud.routing import Routing
from tests.support.cloud.storage import Cinder, Glance
from tests.support.cloud.things import Due, Refusal

__all__ = ["PROJECT", "PeerCloud"]

PROJECT = "0123456789abcdef0123456789abcdef"
_PATHS = {
    "compute": "/compute/v2.1",
    "network": "/network",
    "volumev3": f"/volume/v3/{PROJECT}",
    "image": "/image",
    "orchestration": f"/heat/v1/{PROJECT}",
}
Fault = tuple[str, int, Any, dict[str, str]]


class PeerCloud:
    """One cloud, from `with` to its end. `password` is what Keystone takes."""

    def __init__(self) -> None:
        due = Due()
        self.neutron = Neutron(PROJECT)
        self.routing = Routing(self.neutron)
        self.neutron.holds = self.routing.held_by_trunk
        self.cinder = Cinder(due)
        self.glance = Glance()
        self.nova = Nova(self.neutron, self.cinder, self.glance, due)
        self.heat = Heat(self.nova, self.neutron, self.cinder, due, PROJECT)
        self.password = "secret"
        self.faults: list[Fault] = []
        self.delays: dict[str, float] = {}
        """By the beginning of `METHOD /path`: seconds until such calls are answered."""
        self.seen: list[str] = []
        self.tokens = 0
        self.valid: set[str] = set()
        self.url = ""
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    def __enter__(self) -> PeerCloud:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def fail(self, on: str, status: int, body: Any = None, **headers: str) -> None:
        """Have the next call that `on`, a regular expression on `METHOD /path`, matches answered with this."""
        self.faults.append((on, status, body, {name.replace("_", "-"): value for name, value in headers.items()}))

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        app = web.Application(client_max_size=2**30, middlewares=[self._middleware])
        app.router.add_get("/identity/v3", self._about_keystone)
        app.router.add_post("/identity/v3/auth/tokens", self._token)
        for path, services in (
            ("/compute", (self.nova,)),
            ("/network", (self.routing, self.neutron)),
            ("/volume", (self.cinder,)),
            ("/image", (self.glance,)),
            ("/heat", (self.heat,)),
        ):
            part = web.Application(client_max_size=2**30)
            part.router.add_get("/", self._version)
            for service in services:
                part.add_routes(service.routes())
            app.add_subapp(path, part)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._started.set()
        await self._over.wait()
        await runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        call = f"{request.method} {request.path}"
        ours = request.path.startswith("/identity") or request.path.count("/") < 3
        if not ours:
            self.seen.append(f"{request.method} {request.path_qs}")
            if request.headers.get("X-Auth-Token") not in self.valid:
                return web.json_response({"error": {"message": "The request requires authentication"}}, status=401)
        await asyncio.sleep(next((seconds for begin, seconds in self.delays.items() if call.startswith(begin)), 0.0))
        fault = next((fault for fault in self.faults if re.search(fault[0], call)), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault[1]:
                await request.read()
                if isinstance(fault[2], str):
                    return web.Response(text=fault[2], status=fault[1], headers=fault[3], content_type="text/html")
                return web.json_response(fault[2], status=fault[1], headers=fault[3])
        try:
            answer: web.StreamResponse = await handler(request)
        except Refusal as refusal:
            answer = web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        answer.headers["x-openstack-request-id"] = f"req-{len(self.seen)}"
        if fault is not None and request.transport is not None:
            request.transport.abort()
        return answer

    async def _about_keystone(self, request: web.Request) -> web.Response:
        links = [{"rel": "self", "href": f"{self.url}/identity/v3/"}]
        return web.json_response({"version": {"id": "v3.14", "status": "stable", "links": links}})

    async def _version(self, request: web.Request) -> web.Response:
        version = {"id": "v9.9", "status": "CURRENT", "version": "9.99", "min_version": "2.1", "links": []}
        return web.json_response({"versions": [version]})

    async def _token(self, request: web.Request) -> web.Response:
        identity = (await request.json())["auth"]["identity"]
        if identity.get("password", {}).get("user", {}).get("password") != self.password:
            words = "The request you have made requires authentication."
            return web.json_response({"error": {"code": 401, "message": words, "title": "Unauthorized"}}, status=401)
        self.tokens += 1
        token = f"token-{self.tokens}"
        self.valid.add(token)
        catalogue = [
            {
                "type": sort,
                "name": sort,
                "id": sort,
                "endpoints": [
                    {"interface": "public", "region": "one", "region_id": "one", "id": sort, "url": self.url + path}
                ],
            }
            for sort, path in _PATHS.items()
        ]
        body = {
            "token": {
                "methods": ["password"],
                "user": {"id": "u", "name": "demo", "domain": {"id": "default", "name": "Default"}},
                "project": {"id": PROJECT, "name": "demo", "domain": {"id": "default", "name": "Default"}},
                "roles": [{"id": "member", "name": "member"}],
                "expires_at": "2099-01-01T00:00:00.000000Z",
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "catalog": catalogue,
            }
        }
        return web.json_response({**body}, status=201, headers={"X-Subject-Token": token})
