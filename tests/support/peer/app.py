"""The peer's HTTP: the paths, headers and documents that Fairlead's API has."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Litestar, Request, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody
from litestar.response import Response, Stream

from fairlead.sol import Filter
from tests.support.peer.state import TOKEN, Document, Refused, State

__all__ = ["create_app"]

Req = Request[Any, Any, Any]
_OPERATIONS = ("instantiate", "operate", "scale", "scale_to_level", "heal", "terminate")


def create_app(state: State) -> Litestar:
    """The peer's application on `state`."""
    known = _Api(state)
    return Litestar(
        route_handlers=known.handlers(),
        before_request=known.before,
        on_startup=[state.resume],
        exception_handlers={Refused: lambda _, error: _problem(error)},
        openapi_config=None,
        logging_config=None,
    )


class _Api:
    def __init__(self, state: State) -> None:
        self.state = state

    async def before(self, request: Req) -> Response[Any] | None:
        body = await request.body() if request.method in ("POST", "PATCH") else b""
        entry = {
            "method": request.method,
            "path": request.url.path,
            "query": dict(request.query_params.items()),
            "headers": dict(request.headers.items()),
            "body": msgspec.json.decode(body) if body[:1] in (b"{", b"[") else None,
        }
        self.state.requests.append(entry)
        prepared = self.state.faults.answers.pop(f"{request.method} {request.url.path}", None)
        if prepared is not None:
            status, media, text = prepared
            return Response(text, status_code=status, media_type=media)
        if request.url.path == "/oauth2/token" or request.url.path.endswith("/api_versions"):
            return None
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token != TOKEN and token not in self.state.tokens:
            return _problem(Refused(401, "unauthenticated", "No valid token was sent."))
        served = self.state.faults.versions
        version = request.headers.get("version")
        if request.url.path.startswith(("/vnflcm/", "/vnfpkgm/")) and version not in served:
            return _problem(Refused(406, "version-not-served", f"Version {version} is not served."))
        return None

    def page(self, request: Req, found: Any) -> Response[Any]:
        text = request.query_params.get("filter")
        wanted = [one for one in found if text is None or Filter.parse(text).matches(one)]
        start = int(request.query_params.get("nextpage_opaque_marker", 0))
        headers = {}
        if start + self.state.page_size < len(wanted):
            more = f"nextpage_opaque_marker={start + self.state.page_size}" + (f"&filter={text}" if text else "")
            # An address that nobody reaches: clients behind a proxy see such ones.
            headers["Link"] = f'<http://inside.invalid{request.url.path}?{more}>;rel="next"'
        return Response(wanted[start : start + self.state.page_size], headers=headers)

    def one(self, found: dict[str, Document], id: str, what: str) -> Document:
        if id not in found:
            raise Refused(404, f"{what}-not-found", f"There is no {what} '{id}'.")
        return found[id]

    def handlers(self) -> list[Any]:
        return [*self.access(), *self.vims(), *self.packages(), *self.vnfs(), *self.operations(), self.events()]

    def access(self) -> list[Any]:
        state = self.state

        @post("/oauth2/token", status_code=200)
        async def token(request: Req) -> Response[Any]:
            given = base64.b64decode(request.headers.get("authorization", "Basic ").split(" ", 1)[1]).decode()
            if given != "robot:its-secret":
                return Response({"error": "invalid_client"}, status_code=401)
            made = f"oauth-{len(state.tokens)}"
            state.tokens[made] = {"id": made}
            return Response({"access_token": made, "token_type": "Bearer", "expires_in": 3600})

        @post("/fairlead/v1/tokens")
        async def create(data: JSONBody[Document]) -> Document:
            made = {"id": f"t{len(state.tokens)}", **data, "token": "printed-once"}
            state.tokens[made["id"]] = made
            return made

        @get("/fairlead/v1/tokens")
        async def list_(request: Req) -> Response[Any]:
            shown = [{k: v for k, v in one.items() if k != "token"} for one in state.tokens.values()]
            return self.page(request, shown)

        @get(["/vnflcm/v2/api_versions", "/vnfpkgm/v2/api_versions"])
        async def versions() -> Document:
            listed = [{"version": version} for version in (*state.faults.versions, "1.3.0")]
            return {"uriPrefix": "/", "apiVersions": listed}

        return [token, create, list_, versions]

    def vims(self) -> list[Any]:
        state = self.state

        def named(vim: str) -> Document:
            for one in state.vims.values():
                if vim in (one["id"], one["name"]):
                    return one
            raise Refused(404, "vim-not-found", f"There is no VIM '{vim}'.")

        @post("/fairlead/v1/vims")
        async def register(data: JSONBody[Document]) -> Document:
            if any(one["name"] == data["name"] for one in state.vims.values()):
                raise Refused(409, "vim-name-taken", f"There is a VIM called '{data['name']}' already.")
            secret = data.pop("credentials", None)
            made: Document = {
                "id": f"vim-{len(state.vims)}",
                "interface": {},
                "settings": {},
                "shared": False,
                "default": False,
            }
            made |= data | {"hasCredentials": secret is not None}
            state.vims[made["id"]] = made
            return made

        @get("/fairlead/v1/vims")
        async def list_(request: Req) -> Response[Any]:
            return self.page(request, state.vims.values())

        @get("/fairlead/v1/vims/{vim:str}")
        async def show(vim: FromPath[str]) -> Document:
            return named(vim)

        @patch("/fairlead/v1/vims/{vim:str}")
        async def update(vim: FromPath[str], data: JSONBody[Document]) -> Document:
            named(vim).update(data)
            return named(vim)

        @delete("/fairlead/v1/vims/{vim:str}")
        async def remove(vim: FromPath[str]) -> None:
            del state.vims[named(vim)["id"]]

        @post("/fairlead/v1/vims/{vim:str}/check", status_code=200)
        async def check(vim: FromPath[str]) -> Document:
            up = named(vim)["settings"].get("up", True)
            finding = {"severity": "error", "code": "vim-unavailable", "detail": "connection refused"}
            return {"reachable": up, "version": "1.41", "findings": [] if up else [finding]}

        @post("/fairlead/v1/vims/{vim:str}/lint", status_code=200)
        async def lint(vim: FromPath[str], data: JSONBody[Document]) -> Document:
            there = named(vim)["settings"].get("images", [])
            lacks = [
                {"need": number, "code": "vim-lacks-image", "detail": f"no image '{need['name']}'", "remedy": "load it"}
                for number, need in enumerate(data["needs"])
                if need["sort"] == "image" and need["name"] not in there
            ]
            return {"vim": named(vim)["name"], "type": "simulated", "checked": ["image", "machine"], "lacks": lacks}

        return [register, list_, show, update, remove, check, lint]

    def packages(self) -> list[Any]:
        state = self.state

        @post("/vnfpkgm/v2/vnf_packages")
        async def create(data: JSONBody[Document]) -> Document:
            return state.create_package(data.get("userDefinedData", {}))

        @get("/vnfpkgm/v2/vnf_packages")
        async def list_(request: Req) -> Response[Any]:
            return self.page(request, state.packages.values())

        @get("/vnfpkgm/v2/vnf_packages/{id:str}")
        async def show(id: FromPath[str]) -> Document:
            return self.one(state.packages, id, "package")

        @patch("/vnfpkgm/v2/vnf_packages/{id:str}", status_code=200)
        async def modify(id: FromPath[str], request: Req) -> Document:
            changes: Document = msgspec.json.decode(await request.body())
            self.one(state.packages, id, "package").update(changes)
            return changes

        @delete("/vnfpkgm/v2/vnf_packages/{id:str}")
        async def remove(id: FromPath[str]) -> None:
            if self.one(state.packages, id, "package")["operationalState"] == "ENABLED":
                raise Refused(409, "package-enabled", "The package is enabled.", remedy="Disable it first.")
            del state.packages[id]

        @put("/vnfpkgm/v2/vnf_packages/{id:str}/package_content", status_code=202)
        async def upload(id: FromPath[str], request: Req) -> None:
            found = self.one(state.packages, id, "package")
            content = b"".join([chunk async for chunk in request.stream()])
            state.onboard(found, content)

        @post("/vnfpkgm/v2/vnf_packages/{id:str}/package_content/upload_from_uri", status_code=202)
        async def fetch(id: FromPath[str], data: JSONBody[Document]) -> None:
            state.onboard(self.one(state.packages, id, "package"), data["addressInformation"].encode())

        @get(["/vnfpkgm/v2/vnf_packages/{id:str}/package_content", "/vnfpkgm/v2/vnf_packages/{id:str}/{part:path}"])
        async def download(id: FromPath[str], request: Req) -> Response[Any] | Stream:
            content = state.uploads[self.one(state.packages, id, "package")["id"]]
            return _part_of(content, request, state.faults)

        return [create, list_, show, modify, remove, upload, fetch, download]

    def vnfs(self) -> list[Any]:
        state = self.state

        @post("/vnflcm/v2/vnf_instances")
        async def create(data: JSONBody[Document]) -> Document:
            return state.create_vnf(data)

        @get("/vnflcm/v2/vnf_instances")
        async def list_(request: Req) -> Response[Any]:
            return self.page(request, state.vnfs.values())

        @get("/vnflcm/v2/vnf_instances/{id:str}")
        async def show(id: FromPath[str]) -> Document:
            return self.one(state.vnfs, id, "vnf")

        @delete("/vnflcm/v2/vnf_instances/{id:str}")
        async def remove(id: FromPath[str]) -> None:
            if self.one(state.vnfs, id, "vnf")["instantiationState"] == "INSTANTIATED":
                raise Refused(409, "still-instantiated", "The instance is instantiated.", remedy="Terminate it first.")
            del state.vnfs[id]

        @post("/vnflcm/v2/vnf_instances/{id:str}/{operation:str}", status_code=202)
        async def begin(id: FromPath[str], operation: FromPath[str], request: Req) -> Response[Any] | Stream:
            if operation not in _OPERATIONS:
                raise Refused(404, "not-found", f"There is no {operation}.")
            return await self.begun(id, operation, request)

        @patch("/vnflcm/v2/vnf_instances/{id:str}", status_code=202)
        async def modify(id: FromPath[str], request: Req) -> Response[Any] | Stream:
            return await self.begun(id, "modify", request)

        @post("/fairlead/v1/vnf_instances/{id:str}/plans", status_code=200)
        async def plan(id: FromPath[str], data: JSONBody[Document]) -> Document:
            vnf = self.one(state.vnfs, id, "vnf")
            done = data["operation"] == "instantiate" and vnf["instantiationState"] == "INSTANTIATED"
            return self.plan(data["operation"], () if done else state.resources)

        @get("/fairlead/v1/vnf_instances/{id:str}/drift")
        async def drift(id: FromPath[str]) -> Document:
            self.one(state.vnfs, id, "vnf")
            return {**self.plan("heal", ()), "vnfInstanceId": id, "drifted": False, "openOperation": None}

        return [create, list_, show, remove, begin, modify, plan, drift]

    async def begun(self, id: str, operation: str, request: Req) -> Response[Any] | Stream:
        vnf = self.one(self.state.vnfs, id, "vnf")
        data = msgspec.json.decode(await request.body())
        made = self.state.begin(vnf, operation, data, request.headers.get("fairlead-plan"))
        if f"{request.method} {request.url.path}" in self.state.faults.unanswered:
            self.state.faults.unanswered.clear()
            return Stream(_cut_off(), status_code=202)
        place = f"http://inside.invalid/vnflcm/v2/vnf_lcm_op_occs/{made}"
        return Response(None, status_code=202, headers={"Location": place})

    def plan(self, operation: FromPath[str], names: Any) -> Document:
        changes = [{"name": name, "verb": "create", "sort": "compute", "reason": "new"} for name in names]
        lines = [f"  + compute  {name}  new" for name in names]
        return {
            "operation": operation,
            "digest": "sha256:0123",
            "empty": not changes,
            "plan": {
                "changes": changes,
                "steps": [{"id": f"create {name}", "does": "obtain", "after": []} for name in names],
                "totals": {"create": len(changes)} if changes else {},
            },
            "text": "\n".join(
                [f"Plan: {operation}", *lines, f"{len(changes)} to create." if changes else "Nothing to do."]
            ),
            "undecided": [{"resource": "router/k1", "field": "host"}] if changes else [],
            "findings": [],
        }

    def operations(self) -> list[Any]:
        state = self.state

        @get("/vnflcm/v2/vnf_lcm_op_occs")
        async def list_(request: Req) -> Response[Any]:
            return self.page(request, state.operations.values())

        @get("/vnflcm/v2/vnf_lcm_op_occs/{id:str}")
        async def show(id: FromPath[str]) -> Document:
            return self.one(state.operations, id, "operation")

        @post("/vnflcm/v2/vnf_lcm_op_occs/{id:str}/{task:str}", status_code=202)
        async def task(id: FromPath[str], task: FromPath[str]) -> Response[Any]:
            found = self.one(state.operations, id, "operation")
            takers = ("STARTING", "PROCESSING", "ROLLING_BACK") if task == "cancel" else ("FAILED_TEMP",)
            if found["operationState"] not in takers:
                raise Refused(409, "wrong-state", f"An operation in {found['operationState']} takes no {task}.")
            if task == "fail":
                return Response(state.fail(id), status_code=200)
            if task == "cancel":
                found["isCancelPending"] = True
            elif task == "retry":
                state.again(id, "PROCESSING", "COMPLETED")
            else:
                state.again(id, "ROLLING_BACK", "ROLLED_BACK")
            return Response(None, status_code=202)

        @get("/fairlead/v1/vnf_lcm_op_occs/{id:str}/timeline")
        async def timeline(id: FromPath[str]) -> Document:
            return self.one(state.timelines, id, "operation")

        @post("/fairlead/v1/vnf_lcm_op_occs/{id:str}/plans", status_code=200)
        async def plan(id: FromPath[str], data: JSONBody[Document]) -> Document:
            self.one(state.operations, id, "operation")
            return self.plan(data["action"], ("servers/k1",))

        return [list_, show, task, timeline, plan]

    def events(self) -> Any:
        state = self.state

        @get("/fairlead/v1/events")
        async def events(request: Req) -> Response[Any] | Stream:
            query = request.query_params
            after = request.headers.get("last-event-id") or query.get("after")
            start = len(state.events) if after is None else int(after)
            if "text/event-stream" not in request.headers.get("accept", ""):
                found = [one for one in state.events if one["id"] > start and _wanted(one, query)]
                return Response(found[: int(query.get("limit", 100))])
            if state.faults.no_stream:
                raise Refused(404, "not-found", "There is no stream.")
            return Stream(_stream(state, start, query), media_type="text/event-stream")

        return events


def _wanted(event: Document, query: Any) -> bool:
    return all(query.get(name) in (None, event[name]) for name in ("operation", "subject"))


async def _stream(state: State, start: int, query: Any) -> AsyncIterator[bytes]:
    sent = 0
    yield b": here\n\n"
    while True:
        news = state.news
        for event in state.events[start:]:
            start = event["id"]
            if not _wanted(event, query) or state.faults.silent_stream:
                continue
            if sent == state.faults.break_streams_after:
                raise ConnectionAbortedError
            sent += 1
            text = msgspec.json.encode(event).decode()
            yield f"id: {event['id']}\nevent: {event['type']}\ndata: {text}\n\n".encode()
        await news.wait()


def _part_of(content: bytes, request: Req, faults: Any) -> Response[Any] | Stream:
    """What a Range asks for; the connection breaks after some bytes of it, as often as the faults say."""
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    asked = request.headers.get("range") if request.headers.get("if-range") == tag else None
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
    headers = {"ETag": tag, "Content-Length": str(len(content) - start)}
    if asked:
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    status = 206 if asked else 200

    async def pieces() -> AsyncIterator[bytes]:
        if faults.cut_downloads > 0:
            faults.cut_downloads -= 1
            yield content[start : start + faults.cut_after]
            raise ConnectionError("cut off")
        yield content[start:]

    return Stream(pieces(), status_code=status, headers=headers, media_type="application/zip")


async def _cut_off() -> AsyncIterator[bytes]:
    """An answer whose connection closes before it is complete."""
    yield b" "
    raise ConnectionAbortedError


def _problem(error: Refused) -> Response[Any]:
    return Response(error.document, status_code=error.status, media_type="application/problem+json")
