"""Projects and their credentials, and the answer to who is calling.

An answer is kept for a few seconds (`cache`), so that a busy client costs one lookup per few seconds and not one per
request. The price: what is revoked here stops working at once in this process, and within `cache` seconds in the other
processes on the same database.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from fairlead.clock import Clock
from fairlead.errors import BadRequest, Conflict, NotFound, Unauthenticated
from fairlead.identity.credentials import (
    bearer,
    digest,
    matches,
    new_access_token,
    new_client_secret,
    new_id,
    new_token,
)
from fairlead.identity.policy import Caller, Role
from fairlead.identity.tables import clients, projects, tokens
from fairlead.store import Store, Tx, metadata

__all__ = ["AccessToken", "Client", "Identity", "Project", "Token"]

FIRST_PROJECT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REMEMBERED = 10_000


class Project(msgspec.Struct, frozen=True):
    """A project; its name is its id. `created`, here and below, is seconds since the epoch."""

    name: str
    description: str
    created: float


class Token(msgspec.Struct, frozen=True):
    """A token as it can be shown: without itself. `expires` is None for one that does not."""

    id: str
    project: str
    name: str
    roles: list[str]
    created: float
    expires: float | None


class Client(msgspec.Struct, frozen=True):
    """An OAuth2 client as it can be shown: without its secret."""

    id: str
    project: str
    name: str
    roles: list[str]
    created: float


class AccessToken(msgspec.Struct, frozen=True):
    """What the client-credentials grant gives; `lifetime` in seconds."""

    token: str
    lifetime: float
    roles: list[str]


class _Known(NamedTuple):
    caller: Caller
    token_id: str
    client_id: str | None
    until: float


class Identity:
    """The installation's projects and credentials.

    `cache` is for how many seconds an authentication is remembered, `lifetime` for how many an access token is valid.
    """

    def __init__(self, store: Store, clock: Clock, *, cache: float = 5.0, lifetime: float = 3600.0) -> None:
        self._store = store
        self._clock = clock
        self._cache = cache
        self._lifetime = lifetime
        self._known: dict[str, _Known] = {}

    async def ensure_first_token(self) -> str | None:
        """A new admin token of the project `default`, when there is no valid one of any project; otherwise None.

        It is returned this once. Whoever revoked the last admin token gets a new one by starting the program again.
        """
        token = new_token()
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            if tx.first(sa.select(projects).where(projects.c.name == FIRST_PROJECT)) is None:
                tx.put(projects, name=FIRST_PROJECT, description="Made at the first start.", created=now)
            # The row is locked so that of two programs that start at once one makes the token.
            tx.lock(sa.select(projects).where(projects.c.name == FIRST_PROJECT))
            valid = sa.or_(tokens.c.expires.is_(None), tokens.c.expires > now)
            held = tx.all(sa.select(tokens.c.roles).where(tokens.c.client.is_(None), valid))
            if any(Role.ADMIN in row.roles.split() for row in held):
                return False
            _insert_token(tx, new_id(), FIRST_PROJECT, "first", [Role.ADMIN], token, now, None)
            return True

        return token if await self._store.write(work) else None

    async def authenticate(self, authorization: str | None) -> Caller:
        """Who sends the `Authorization` header `authorization`.

        Raises Unauthenticated: `no-credentials`, `credentials-malformed`, `token-invalid`, `token-expired`.
        """
        key = digest(bearer(authorization))
        now = self._clock.now()
        known = self._known.get(key)
        if known is not None and known.until > now:
            return known.caller
        row = await self._store.read(lambda tx: tx.first(sa.select(tokens).where(tokens.c.digest == key)))
        if row is None:
            self._known.pop(key, None)
            raise Unauthenticated(
                "The token is not known; it may have been revoked.",
                code="token-invalid",
                remedy="Ask an admin for a token, or start Fairlead again when no admin has one.",
            )
        if row.expires is not None and row.expires <= now:
            self._known.pop(key, None)
            raise Unauthenticated("The token has expired.", code="token-expired", remedy="Get a new token.")
        caller = Caller(row.project, frozenset(row.roles.split()), row.name)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[key] = _Known(caller, row.id, row.client, min(now + self._cache, row.expires or now + self._cache))
        return caller

    async def create_project(self, name: str, description: str = "") -> Project:
        """Raises BadRequest (`name-invalid`) or Conflict (`project-exists`)."""
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f"'{name}' cannot be the name of a project.",
                code="name-invalid",
                remedy="Use 1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit.",
            )
        made = Project(name, description, self._clock.now())

        def work(tx: Tx) -> None:
            if tx.first(sa.select(projects).where(projects.c.name == name)) is not None:
                raise Conflict(f"There is a project '{name}' already.", code="project-exists")
            tx.insert(projects, **msgspec.structs.asdict(made))

        try:
            await self._store.write(work)
        except sa.exc.IntegrityError:
            raise Conflict(f"There is a project '{name}' already.", code="project-exists") from None
        return made

    async def ensure_project(self, name: str, description: str) -> None:
        """Have a project of somebody else's making: Keystone's, by its id."""

        def known(tx: Tx) -> bool:
            return tx.first(sa.select(projects.c.name).where(projects.c.name == name)) is not None

        def make(tx: Tx) -> None:
            if not known(tx):
                tx.insert(projects, name=name, description=description, created=self._clock.now())

        if not await self._store.read(known):
            with contextlib.suppress(sa.exc.IntegrityError):  # another process has seen it at the same moment
                await self._store.write(make)

    async def list_projects(self) -> list[Project]:
        """All projects, by name."""
        rows = await self._store.read(lambda tx: tx.all(sa.select(projects).order_by(projects.c.name)))
        return [Project(**row._mapping) for row in rows]

    async def delete_project(self, name: str) -> None:
        """Delete an empty project with its tokens, clients and events.

        Raises NotFound, or Conflict (`project-in-use`) when it still owns something else.
        """
        owned = [each for each in metadata.sorted_tables if each.info.get("owned")]

        def work(tx: Tx) -> None:
            _lock_project(tx, name)
            kept = [each for each in owned if not each.info.get("dies_with_project")]
            left = [
                each.name for each in kept if tx.first(sa.select(each.c.project).where(each.c.project == name).limit(1))
            ]
            if left:
                raise Conflict(
                    f"Project '{name}' still has {', '.join(left)}.",
                    code="project-in-use",
                    remedy="Terminate and delete its instances, then its packages and VIMs.",
                )
            for each in reversed(owned):
                tx.run(sa.delete(each).where(each.c.project == name))
            tx.run(sa.delete(projects).where(projects.c.name == name))

        await self._store.write(work)
        self._known.clear()

    async def issue_token(
        self, project: str, name: str, roles: Iterable[str], expires: float | None = None
    ) -> tuple[str, str]:
        """The id of a new token and the token itself, which nobody can look up later.

        Raises NotFound for the project, BadRequest (`role-unknown`) for a role.
        """
        token_id, token, now, checked = new_id(), new_token(), self._clock.now(), _checked(roles)

        def work(tx: Tx) -> None:
            _lock_project(tx, project)
            _insert_token(tx, token_id, project, name, checked, token, now, expires)

        await self._store.write(work)
        return token_id, token

    async def list_tokens(self, project: str | None = None) -> list[Token]:
        """The tokens of `project`, or of all, oldest first; without those that clients were granted."""

        def work(tx: Tx) -> list[Any]:
            mine = tx.select(tokens).where(tokens.c.client.is_(None))
            return tx.all(mine.order_by(tokens.c.created, tokens.c.id))

        rows = await self._store.read(work, project)
        return [Token(row.id, row.project, row.name, row.roles.split(), row.created, row.expires) for row in rows]

    async def revoke_token(self, token_id: str, project: str | None = None) -> None:
        """Make a token invalid: here at once, in other processes within `cache` seconds. Raises NotFound."""
        await self._delete(tokens, token_id, project, "token")
        self._known = {key: known for key, known in self._known.items() if known.token_id != token_id}

    async def create_client(self, project: str, name: str, roles: Iterable[str]) -> tuple[str, str]:
        """The id of a new OAuth2 client and its secret, which nobody can look up later. Raises as `issue_token`."""
        client_id, secret, now, checked = new_id(), new_client_secret(), self._clock.now(), _checked(roles)

        def work(tx: Tx) -> None:
            _lock_project(tx, project)
            tx.insert(
                clients,
                id=client_id,
                project=project,
                name=name,
                roles=" ".join(checked),
                digest=digest(secret),
                created=now,
            )

        await self._store.write(work)
        return client_id, secret

    async def list_clients(self, project: str | None = None) -> list[Client]:
        """The clients of `project`, or of all, oldest first."""
        ordered = (clients.c.created, clients.c.id)
        rows = await self._store.read(lambda tx: tx.all(tx.select(clients).order_by(*ordered)), project)
        return [Client(row.id, row.project, row.name, row.roles.split(), row.created) for row in rows]

    async def delete_client(self, client_id: str, project: str | None = None) -> None:
        """Delete a client and what it was granted; as `revoke_token`. Raises NotFound."""
        await self._delete(clients, client_id, project, "client")
        self._known = {key: known for key, known in self._known.items() if known.client_id != client_id}

    async def token_by_client_credentials(self, client_id: str, secret: str, scope: str | None = None) -> AccessToken:
        """The client-credentials grant (RFC 6749, 4.4). `scope`: a choice of the client's roles, apart by spaces.

        Raises Unauthenticated (`invalid-client`) or BadRequest (`invalid-scope`).
        """
        token, now = new_access_token(), self._clock.now()

        def work(tx: Tx) -> list[str]:
            row = tx.first(sa.select(clients).where(clients.c.id == client_id))
            if not matches(secret, row.digest if row is not None else None):
                raise Unauthenticated("The client or its secret is not known.", code="invalid-client")
            roles: list[str] = row.roles.split()
            asked = scope.split() if scope else roles
            if not set(asked) <= set(roles):
                raise BadRequest(
                    f"The client does not have the scope '{scope}'.",
                    code="invalid-scope",
                    remedy=f"Ask for one or more of: {' '.join(roles)}; or leave the scope out.",
                )
            tx.run(sa.delete(tokens).where(tokens.c.client == client_id, tokens.c.expires <= now))
            expires = now + self._lifetime
            _insert_token(tx, new_id(), row.project, row.name, asked, token, now, expires, client=client_id)
            return asked

        return AccessToken(token, self._lifetime, await self._store.write(work))

    async def _delete(self, source: sa.Table, row_id: str, project: str | None, word: str) -> None:
        if not await self._store.write(lambda tx: tx.run(tx.delete(source).where(source.c.id == row_id)), project):
            raise NotFound(f"There is no {word} with the id '{row_id}'.", code=f"{word}-not-found")


def _insert_token(
    tx: Tx,
    token_id: str,
    project: str,
    name: str,
    roles: Iterable[str],
    token: str,
    now: float,
    expires: float | None,
    *,
    client: str | None = None,
) -> None:
    tx.insert(
        tokens,
        id=token_id,
        project=project,
        name=name,
        roles=" ".join(roles),
        digest=digest(token),
        client=client,
        created=now,
        expires=expires,
    )


def _lock_project(tx: Tx, name: str) -> None:
    """Have the project stay as it is until the transaction ends. Raises NotFound."""
    if tx.lock(sa.select(projects).where(projects.c.name == name)) is None:
        raise NotFound(f"There is no project '{name}'.", code="project-not-found")


def _checked(roles: Iterable[str]) -> list[str]:
    asked = sorted(set(roles))
    unknown = [role for role in asked if role not in list(Role)]
    if unknown or not asked:
        raise BadRequest(
            f"There is no role '{unknown[0]}'." if unknown else "A credential needs at least one role.",
            code="role-unknown",
            remedy=f"Choose from: {', '.join(Role)}.",
        )
    return asked
