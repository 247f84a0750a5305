"""Registering VIMs, and finding the one that is meant.

A VIM belongs to the project that registered it; a `shared` one can be used by all and changed by its owner only. One
VIM of a project may be its default: what is instantiated without a word about where goes there.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.clock import Clock, iso
from fairlead.errors import BadRequest, Conflict, FairleadError, Forbidden, NotFound, Quarantined, Unprocessable
from fairlead.events import EventLog
from fairlead.resources import SecretRef
from fairlead.secrets import Vault
from fairlead.store import Store, Tx
from fairlead.vims.seam import Access, DriverType
from fairlead.vims.tables import vims

__all__ = ["Registrations", "VimDocument"]


class VimDocument(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A VIM as a user writes it; what is left out keeps its value on update."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    type: str | msgspec.UnsetType = msgspec.UNSET
    interface: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    credentials: dict[str, str | None] | msgspec.UnsetType = msgspec.UNSET
    settings: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    shared: bool | msgspec.UnsetType = msgspec.UNSET
    default: bool | msgspec.UnsetType = msgspec.UNSET


class Registrations:
    """The table of VIMs."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        events: EventLog,
        clock: Clock,
        types: Mapping[str, DriverType],
        deployment: str,
        in_use: Callable[[Tx, str], int],
    ) -> None:
        self._store = store
        self._vault = vault
        self._events = events
        self._clock = clock
        self._types = types
        self._deployment = deployment
        self._in_use = in_use

    def driver_type(self, name: str) -> DriverType:
        """The driver type called `name`.

        Raises Unprocessable (`unknown-vim-type`).
        """
        try:
            return self._types[name]
        except KeyError:
            known = ", ".join(sorted(self._types))
            raise Unprocessable(
                f"There is no driver for VIMs of the type '{name}'.", code="unknown-vim-type", remedy=f"Types: {known}."
            ) from None

    async def register(self, project: str, document: dict[str, Any], *, trusted: bool = True) -> dict[str, Any]:
        """Write down a new VIM; makes no call to it. Returns its document.

        Who is not `trusted` may not name one that gives a hold on Fairlead's own machine: Forbidden. Raises BadRequest,
        Unprocessable for what its driver type does not take, Conflict when the name is taken.
        """
        asked = _read(document)
        if asked.name is msgspec.UNSET or asked.type is msgspec.UNSET:
            raise BadRequest("A VIM needs a name and a type.", place="name" if asked.name is msgspec.UNSET else "type")
        now = self._clock.now()
        row: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "name": asked.name,
            "description": asked.description or "",
            "type": asked.type,
            "shared": asked.shared or False,
            "default": asked.default or False,
            "interface": asked.interface or {},
            "settings": asked.settings or {},
            "version": 1,
            "created": now,
            "updated": now,
            "project": project,
        }
        credentials = _filled(asked.credentials or {})
        self._validate(row, credentials, trusted=trusted)

        def insert(tx: Tx) -> None:
            row["credentials"] = self._keep(tx, project, row["id"], credentials)
            if row["default"]:
                tx.run(tx.update(vims).where(vims.c.project == project).values(default=False))
            tx.insert(vims, **row)
            self._events.append(
                tx, project=project, type="vim.registered", subject=row["id"], data={"name": row["name"]}
            )

        await self._write(insert, asked.name)
        return shown(row)

    async def list(self, project: str) -> list[dict[str, Any]]:
        """The VIMs that `project` can use, by name."""
        query = _visible(project).order_by(vims.c.name)
        return [shown(row._mapping) for row in await self._store.read(lambda tx: tx.all(query))]

    async def find(self, project: str, vim: str | None) -> dict[str, Any]:
        """The row of the VIM whose id or name is `vim`; of the project's default, or only one, when it is None.

        Raises NotFound, or Unprocessable (`no-default-vim`).
        """
        rows = [dict(row._mapping) for row in await self._store.read(lambda tx: tx.all(_visible(project)))]
        if vim is None:
            chosen = [row for row in rows if row["default"] and row["project"] == project] or rows
            if len(chosen) == 1:
                return chosen[0]
            raise Unprocessable(
                "No VIM is named, and the project has no default one." if rows else "No VIM is registered.",
                code="no-default-vim",
                remedy="Name one in vimConnectionInfo, or make one the default." if rows else "Register a VIM first.",
            )
        own_first = sorted(rows, key=lambda row: row["project"] != project)
        for row in own_first:
            if vim in (row["id"], row["name"]):
                return row
        raise NotFound(f"There is no VIM '{vim}'.", code="vim-not-found", resource=vim)

    async def update(
        self, project: str, vim: str, document: dict[str, Any], *, trusted: bool = True, merge: bool = False
    ) -> dict[str, Any]:
        """Change a VIM. The type cannot change. Raises as `register`, of what it is and of what it is to be.

        Interface, credentials and settings are replaced as a whole; with `merge` each of their keys for itself, and
        None takes it away.
        """
        asked = _read(document)
        row = await self._owned(project, vim)
        if asked.type not in (msgspec.UNSET, row["type"]):
            raise Unprocessable("The type of a VIM cannot change.", code="vim-type-fixed", place="type")
        given = {field: value for field, value in msgspec.structs.asdict(asked).items() if value is not msgspec.UNSET}
        credentials = given.pop("credentials", None)
        if credentials is not None:
            credentials = _filled({**await self.credentials(row), **credentials} if merge else credentials)
        for field in ("interface", "settings"):
            if merge and field in given:
                given[field] = _filled({**row[field], **given[field]})
        known = await self.credentials(row) if credentials is None else credentials
        changed = {**row, **given, "version": row["version"] + 1, "updated": self._clock.now()}
        if not trusted:
            self._validate(row, known, trusted=False)
        self._validate(changed, known, trusted=trusted)

        def write(tx: Tx) -> None:
            if credentials is not None:
                changed["credentials"] = self._keep(tx, row["project"], row["id"], credentials)
            if given.get("default"):
                tx.run(tx.update(vims).where(vims.c.project == project).values(default=False))
            values = {field: value for field, value in changed.items() if field not in ("id", "project", "created")}
            tx.run(tx.update(vims).where(vims.c.id == row["id"]).values(**values))
            self._events.append(tx, project=project, type="vim.updated", subject=row["id"])

        await self._write(write, changed["name"])
        return shown(changed)

    async def delete(self, project: str, vim: str) -> None:
        """Forget a VIM. Raises Conflict (`vim-in-use`) while resources are recorded in it."""
        row = await self._owned(project, vim)

        def write(tx: Tx) -> None:
            used = self._in_use(tx, row["id"])
            if used:
                raise Conflict(
                    f"VIM '{row['name']}' holds {used} recorded resources.",
                    code="vim-in-use",
                    resource=row["name"],
                    remedy="Terminate the instances on it first.",
                )
            tx.run(tx.delete(vims).where(vims.c.id == row["id"]))
            self._vault.forget(tx, row["id"])
            self._events.append(tx, project=project, type="vim.deleted", subject=row["id"])

        await self._store.write(write)

    async def row(self, vim_id: str) -> dict[str, Any] | None:
        """The row with this id, whoever's it is."""
        found = await self._store.read(lambda tx: tx.first(tx.select(vims).where(vims.c.id == vim_id)))
        return dict(found._mapping) if found is not None else None

    async def all_ids(self) -> tuple[str, ...]:
        """The ids of all VIMs."""
        rows = await self._store.read(lambda tx: tx.all(tx.select(vims, vims.c.id)))
        return tuple(row.id for row in rows)

    async def credentials(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The credentials in clear. Raises Quarantined when they cannot be decrypted."""
        if not row["credentials"]:
            return {}
        values = await self._vault.open(row["id"])
        try:
            kept: dict[str, str] = msgspec.json.decode(values[SecretRef(row["credentials"])])
        except KeyError:
            raise Quarantined(
                f"The credentials of VIM '{row['name']}' are not in the vault.",
                code="secret-unreadable",
                resource=row["id"],
                remedy="Give them again by an update.",
            ) from None
        return kept

    async def reveal(self, project: str, vim: str, names: Collection[str]) -> dict[str, str]:
        """Those of the credentials called `names`, in clear, for the VIM's owner; for others, and if unreadable, none.

        Never ask for one that proves who somebody is.
        """
        row = await self.find(project, vim)
        if row["project"] != project:
            return {}
        with contextlib.suppress(Quarantined):
            return {name: value for name, value in (await self.credentials(row)).items() if name in names}
        return {}

    async def unreadable(self) -> tuple[tuple[str, str, FairleadError], ...]:
        """Project and id of each VIM whose row, settings or credentials cannot be read, and why."""
        found = []
        for row in await self._store.read(lambda tx: tx.all(tx.select(vims))):
            try:
                self._validate(row._mapping, await self.credentials(row._mapping))
            except FairleadError as error:
                found.append((row.project, row.id, error))
        return tuple(found)

    def access(self, row: Mapping[str, Any], credentials: dict[str, str]) -> Access:
        """What a driver is opened with. Raises Quarantined (`unreadable-document`)."""
        if not isinstance(row["interface"], dict) or not isinstance(row["settings"], dict):
            raise Quarantined(
                f"The registration of VIM '{row['name']}' cannot be read.",
                code="unreadable-document",
                resource=row["id"],
                remedy="Give its interface and settings again by an update, or restore the row from a backup.",
            )
        return Access(
            id=row["id"],
            name=row["name"],
            type=row["type"],
            deployment=self._deployment,
            interface=row["interface"],
            credentials=credentials,
            settings=row["settings"],
        )

    def _validate(self, row: Mapping[str, Any], credentials: dict[str, str], *, trusted: bool = True) -> None:
        type_, access = self.driver_type(row["type"]), self.access(row, credentials)
        type_.validate(access)
        if not trusted and (hold := type_.hold_on_host(access)):
            raise Forbidden(
                f"VIM '{row['name']}' gives a hold on the machine that Fairlead runs on: {hold}.",
                code="role-missing",
                resource=row["name"],
                remedy="Have an administrator register it, and share it if others need it.",
            )

    def _keep(self, tx: Tx, project: str, vim_id: str, credentials: dict[str, str]) -> str | None:
        self._vault.forget(tx, vim_id)
        if not credentials:
            return None
        value = msgspec.json.encode(credentials, order="deterministic").decode()
        secret = self._vault.digest(value)
        self._vault.put(tx, project, vim_id, {secret: value})
        return str(secret.digest)

    async def _owned(self, project: str, vim: str) -> dict[str, Any]:
        row = await self.find(project, vim)
        if row["project"] != project:
            raise NotFound(f"There is no VIM '{vim}' of this project's own.", code="vim-not-found", resource=vim)
        return row

    async def _write(self, work: Callable[[Tx], None], name: Any) -> None:
        try:
            await self._store.write(work)
        except sa.exc.IntegrityError as error:
            raise Conflict(
                f"There is a VIM called '{name}' already.", code="vim-name-taken", resource=str(name)
            ) from error


def _read(document: dict[str, Any]) -> VimDocument:
    try:
        return msgspec.convert(document, VimDocument)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The VIM's document is not right: {error}.", code="bad-vim-document") from error


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _visible(project: str) -> sa.Select[Any]:
    return sa.select(vims).where(sa.or_(vims.c.project == project, vims.c.shared))


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as its public document: without credentials, only whether there are any."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project": row["project"],
        "type": row["type"],
        "interface": row["interface"],
        "settings": row["settings"],
        "shared": row["shared"],
        "default": row["default"],
        "hasCredentials": bool(row["credentials"]),
        "created": iso(row["created"]),
        "updated": iso(row["updated"]),
    }
