"""A Keystone for tests: it gives tokens to its service user and answers about those that the test has made.

It has the parts of Identity API v3 that asking about a token takes, with the statuses that Keystone has. `down` makes it answer
with that status, or not at all (0: connections are closed without an answer).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

__all__ = ["PeerKeystone", "keystone"]

DOMAIN = {"id": "default", "name": "Default"}
SERVICE = ("fairlead", "service secret")


class PeerKeystone:
    """Tokens by name. `asked` has each token that was asked about, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.service = SERVICE
        self.tokens: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.down: int | None = None
        self.forbidden = False
        self.hold = asyncio.Event()
        self.hold.set()
        self.given: set[str] = set()
        self.entries: dict[str, list[dict[str, Any]]] = {}
        self.assigned: set[str] = set()
        self._numbers = itertools.count(1)

    def token(
        self,
        *roles: str,
        project: str | None = "north",
        lifetime: float = 3600.0,
        user: str = "ann",
        **scope: Any,
    ) -> str:
        """A new token of `user`; without a project it has `scope`, or none."""
        name = f"gAAAA-{next(self._numbers)}-{user}"
        ends = datetime.now(UTC) + timedelta(seconds=lifetime)
        said: dict[str, Any] = {
            "user": {"id": f"id-of-{user}", "name": user, "domain": DOMAIN},
            "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "methods": ["password"],
            **scope,
        }
        if project is not None:
            said["project"] = {"id": f"id-of-{project}", "name": project, "domain": DOMAIN}
            said["roles"] = [{"id": role, "name": role} for role in roles]
        self.tokens[name] = said
        return name

    async def _about(self, request: web.Request) -> web.StreamResponse:
        await self.hold.wait()
        self._fail(request)
        if request.headers.get("X-Auth-Token") not in self.given:
            return _error(401, "The request you have made requires authentication.")
        if self.forbidden:
            return _error(403, "You are not authorized to perform the requested action: identity:validate_token.")
        assert "nocatalog" in request.query
        subject = request.headers["X-Subject-Token"]
        self.asked.append(subject)
        if subject not in self.tokens:
            return _error(404, "This is not a recognized Fernet token.")
        return web.json_response({"token": self.tokens[subject]}, headers={"X-Subject-Token": subject})

    async def _give(self, request: web.Request) -> web.StreamResponse:
        self._fail(request)
        body = await request.json()
        password = body["auth"]["identity"]["password"]["user"]
        if (password["name"], password["password"]) != self.service:
            return _error(401, "The request you have made requires authentication.")
        token = f"service-{next(self._numbers)}"
        self.given.add(token)
        ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        said = {"user": {"id": "s", "name": self.service[0], "domain": DOMAIN}, "expires_at": ends, "catalog": []}
        return web.json_response({"token": said}, status=201, headers={"X-Subject-Token": token})

    def _fail(self, request: web.Request) -> None:
        if self.down == 0:
            assert request.transport is not None
            request.transport.abort()
        if self.down is not None:
            raise web.HTTPException(text="down") if self.down == 0 else _Down(self.down)

    # -- what an administrator makes: domains, projects, users, roles, services, endpoints, regions ---------------------------

    def add(self, plural: str, **values: Any) -> dict[str, Any]:
        """A new entry."""
        made = {"id": f"{plural}-{next(self._numbers)}", **values}
        self.entries.setdefault(plural, []).append(made)
        return made

    async def _entries(self, request: web.Request) -> web.StreamResponse:
        self._fail(request)
        if self.forbidden:
            return _error(403, "You are not authorized to perform the requested action.")
        plural, wanted = request.match_info["plural"], request.query
        there = self.entries.setdefault(plural, [])
        if request.method == "POST":
            (values,) = (await request.json()).values()
            return web.json_response({plural.removesuffix("s"): self.add(plural, **values)}, status=201)
        found = [one for one in there if all(one.get(key) == value for key, value in wanted.items())]
        return web.json_response({plural: found})

    async def _entry(self, request: web.Request) -> web.StreamResponse:
        there = self.entries[request.match_info["plural"]]
        found = next((one for one in there if one["id"] == request.match_info["id"]), None)
        if found is None:
            return _error(404, "Could not find it.")
        if request.method == "PATCH":
            (values,) = (await request.json()).values()
            found.update(values)
            return web.json_response({"entry": found})
        there.remove(found)
        return web.Response(status=204)

    async def _assignment(self, request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            self.assigned.add(request.path)
        return web.Response(status=204 if request.path in self.assigned else 404)

    async def _version(self, _request: web.Request) -> web.StreamResponse:
        link = {"rel": "self", "href": f"{self.url}/v3/"}
        return web.json_response({"version": {"id": "v3.14", "status": "stable", "links": [link]}})

    def routes(self) -> list[web.RouteDef]:
        """What it serves."""
        entry, assignment = "/v3/{plural}/{id}", "/v3/projects/{project}/users/{user}/roles/{role}"
        return [
            web.get("/v3", self._version),
            web.get("/v3/auth/tokens", self._about),
            web.post("/v3/auth/tokens", self._give),
            web.route("*", assignment, self._assignment),
            web.route("*", "/v3/{plural}", self._entries),
            web.patch(entry, self._entry),
            web.delete(entry, self._entry),
        ]


class _Down(web.HTTPException):
    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__(text="The service is down.")


def _error(status: int, message: str) -> web.StreamResponse:
    return web.json_response({"error": {"code": status, "message": message}}, status=status)


@contextlib.asynccontextmanager
async def keystone() -> AsyncIterator[PeerKeystone]:
    """One that listens on a free port."""
    peer = PeerKeystone()
    app = web.Application()
    app.router.add_routes(peer.routes())
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield peer
    finally:
        await runner.cleanup()
