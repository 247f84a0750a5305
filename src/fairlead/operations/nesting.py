"""Operations that an operation starts: a network service instantiates its VNFs, a pool its members.

A child's id is a function of its parent's instance and of what it is for, so starting it again finds it. A parent that
waits holds no slot of a VIM and none of a queue that its children need. Cancel goes down to children by the parent's id
(`Operations.cancel`); a child that stops in FAILED_TEMP is for the caller to make a failure of its own change.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from fairlead.clock import Clock
from fairlead.operations.occurrence import Operation, fetch, load
from fairlead.operations.runner import Runner
from fairlead.operations.service import Operations
from fairlead.operations.states import RUNNING
from fairlead.operations.tables import operations
from fairlead.operations.types import Role
from fairlead.resources import Tag
from fairlead.store import Store, Tx

__all__ = ["Children"]

_NAMESPACE = uuid.UUID("6f1c0f3e-6a5e-4f0a-9a3c-0d6f5f3b8e21")
_SHORTEST, _LONGEST = 0.2, 2.0


class Children:
    """Starts and awaits child operations."""

    def __init__(self, store: Store, clock: Clock, operations: Operations, runner: Runner) -> None:
        self._store = store
        self._clock = clock
        self._operations = operations
        self._runner = runner

    @staticmethod
    def id_of(tag: Tag, purpose: str) -> str:
        """The id of the child that `tag`'s resource needs for `purpose` (`create`, `delete`, `update 3`)."""
        return str(uuid.uuid5(_NAMESPACE, f"{tag.owner}/{tag.name}/{tag.incarnation}/{purpose}"))

    async def start(self, tag: Tag, purpose: str, role: Role, subject: str, type_name: str, request: Any) -> str:
        """Start the child, or find it started; its id. Raises what `Operations.accept` raises."""
        parent = await self._store.read(lambda tx: _open_operation(tx, tag.owner))
        project = parent.project if parent is not None else await self._store.read(lambda tx: _project(tx, subject))
        return await self._operations.accept(
            project,
            role,
            subject,
            type_name,
            request,
            operation=self.id_of(tag, purpose),
            parent=parent,
            automatic=True,
        )

    async def find(self, tag: Tag, purpose: str) -> Operation | None:
        """The child, when it was ever started."""
        wanted = self.id_of(tag, purpose)
        row = await self._store.read(lambda tx: tx.first(tx.select(operations).where(operations.c.id == wanted)))
        return load(row) if row is not None else None

    async def stopped(self, operation: str) -> Operation:
        """The operation once it has stopped: ended, or in FAILED_TEMP. Has no deadline of its own."""
        pause = _SHORTEST
        while True:
            told = self._runner.stopped(operation)
            found = await self._store.read(lambda tx: fetch(tx, operation))
            if found.state not in RUNNING:
                return found
            waiting = asyncio.ensure_future(told.wait())
            sleeping = asyncio.ensure_future(self._clock.sleep(pause))
            await asyncio.wait((waiting, sleeping), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            sleeping.cancel()
            pause = min(pause * 1.5, _LONGEST)


def _open_operation(tx: Tx, subject: str) -> Operation | None:
    row = tx.first(tx.select(operations).where(operations.c.subject == subject, operations.c.open.is_(True)))
    return load(row) if row is not None else None


def _project(tx: Tx, subject: str) -> str:
    """The project of the last operation of an instance."""
    order = operations.c.started.desc()
    return str(
        tx.scalar(tx.select(operations, operations.c.project).where(operations.c.subject == subject).order_by(order))
    )
