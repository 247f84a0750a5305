"""Projects, tokens and OAuth2 clients under `/fairlead/v1`: three lists of the same shape, for administrators.

A secret is in the answer to the request that made it and nowhere else. Times are seconds since the epoch, as in events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Response

from fairlead.api.answers import created, document, empty
from fairlead.api.endpoints import Call, Endpoint, Parameter
from fairlead.errors import NotFound
from fairlead.identity import Action, Client, Identity, Project, Role, Token

__all__ = ["Administration"]

_ROOT = "/fairlead/v1"
_endpoint = partial(Endpoint, tag="Projects and credentials", action=Action.ADMINISTER)
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class ProjectRequest(msgspec.Struct, frozen=True):
    """A project to be."""

    name: _Name
    description: str = ""


class TokenRequest(msgspec.Struct, frozen=True):
    """A token to be; `project` is the caller's own when absent."""

    name: _Name
    project: _Name | None = None
    roles: tuple[str, ...] = (Role.MEMBER.value,)
    expires: float | None = None


class ClientRequest(msgspec.Struct, frozen=True):
    """An OAuth2 client to be; `project` is the caller's own when absent."""

    name: _Name
    project: _Name | None = None
    roles: tuple[str, ...] = (Role.MEMBER.value,)


class ShownProject(msgspec.Struct, frozen=True):
    """`id` is the name."""

    id: str
    name: str
    description: str
    created: float


class NewToken(Token, frozen=True):
    """A token with itself, this once."""

    token: str


class NewClient(Client, frozen=True):
    """A client with its secret, this once."""

    client_secret: str


class Administration:
    """The interface over projects and `credentials`, without which it is one over projects that are made elsewhere."""

    def __init__(self, identity: Identity, *, credentials: bool) -> None:
        self._identity = identity
        self._credentials = credentials

    def endpoints(self) -> list[Endpoint]:
        of_projects = self._of(
            "project", ProjectRequest, ShownProject, ShownProject, self.projects, self.create_project
        )
        if not self._credentials:
            return [one for one in of_projects if one.method != "POST"]
        return [
            *of_projects,
            *self._of("token", TokenRequest, NewToken, Token, self.tokens, self.create_token),
            *self._of("client", ClientRequest, NewClient, Client, self.clients, self.create_client),
        ]

    def _of(
        self,
        word: str,
        request: Any,
        made: Any,
        shown: Any,
        find: Callable[[Call], Awaitable[Sequence[Any]]],
        create: Callable[[Call], Awaitable[Response[Any]]],
    ) -> list[Endpoint]:
        path = f"{_ROOT}/{word}s"
        of_project = () if word == "project" else (Parameter("project", f"Only the {word}s of this project."),)
        return [
            _endpoint(
                method="POST",
                path=path,
                serve=create,
                summary=f"Create a {word}",
                request=request,
                answers={201: made},
                errors=(404, 409),
            ),
            _endpoint(
                method="GET",
                path=path,
                serve=partial(self.list, find),
                summary=f"List the {word}s",
                parameters=of_project,
                answers={200: list[shown]},
            ),
            _endpoint(
                method="GET",
                path=f"{path}/{{id}}",
                serve=partial(self.show, word, find),
                summary=f"Show a {word}",
                answers={200: shown},
            ),
            _endpoint(
                method="DELETE",
                path=f"{path}/{{id}}",
                serve=partial(self.delete, word),
                summary=f"Delete a {word}",
                answers={204: None},
                errors=(409,),
            ),
        ]

    async def list(self, find: Callable[[Call], Awaitable[Sequence[Any]]], call: Call) -> Response[Any]:
        return document(list(await find(call)))

    async def show(self, word: str, find: Callable[[Call], Awaitable[Sequence[Any]]], call: Call) -> Response[Any]:
        wanted = call.path("id")
        for one in await find(call):
            if one.id == wanted:
                return document(one)
        raise NotFound(f"There is no {word} with the id '{wanted}'.", code=f"{word}-not-found")

    async def delete(self, word: str, call: Call) -> Response[Any]:
        delete: dict[str, Callable[[str], Awaitable[None]]] = {
            "project": self._identity.delete_project,
            "token": self._identity.revoke_token,
            "client": self._identity.delete_client,
        }
        await delete[word](call.path("id"))
        return empty()

    async def projects(self, _call: Call) -> Sequence[ShownProject]:
        return [_shown(project) for project in await self._identity.list_projects()]

    async def tokens(self, call: Call) -> Sequence[Token]:
        return await self._identity.list_tokens(call.query.get("project"))

    async def clients(self, call: Call) -> Sequence[Client]:
        return await self._identity.list_clients(call.query.get("project"))

    async def create_project(self, call: Call) -> Response[Any]:
        wanted = await call.body(ProjectRequest)
        made = await self._identity.create_project(wanted.name, wanted.description)
        return created(call, _shown(made), f"{_ROOT}/projects/{quote(made.name, safe='')}")

    async def create_token(self, call: Call) -> Response[Any]:
        wanted = await call.body(TokenRequest)
        project = wanted.project or call.project
        id_, token = await self._identity.issue_token(project, wanted.name, wanted.roles, wanted.expires)
        (shown,) = (one for one in await self._identity.list_tokens(project) if one.id == id_)
        return created(call, NewToken(**msgspec.structs.asdict(shown), token=token), f"{_ROOT}/tokens/{id_}")

    async def create_client(self, call: Call) -> Response[Any]:
        wanted = await call.body(ClientRequest)
        project = wanted.project or call.project
        id_, secret = await self._identity.create_client(project, wanted.name, wanted.roles)
        (shown,) = (one for one in await self._identity.list_clients(project) if one.id == id_)
        return created(call, NewClient(**msgspec.structs.asdict(shown), client_secret=secret), f"{_ROOT}/clients/{id_}")


def _shown(project: Project) -> ShownProject:
    return ShownProject(project.name, project.name, project.description, project.created)
