"""Finding, and deleting, what is in a VIM with our deployment id and in no row of ours.

The VIM is listed first and the rows are read after it: whatever was being made meanwhile has its row by then, for an
intent is written before the call. So what is listed and not known to any row is nobody's. It comes from calls whose
answer never came, made by workers that were killed or superseded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog

from fairlead.errors import FairleadError
from fairlead.events import EventLog
from fairlead.operations.sharing import SHARED_OWNER
from fairlead.operations.tables import operations, resources, shared
from fairlead.resources import Kind, VimId
from fairlead.store import Store, Tx
from fairlead.vims import Driver, Tagged, VimRegistry

__all__ = ["Sweeper"]

log = structlog.get_logger()


class Sweeper:
    """Sweeps VIMs. With `delete` False, what is found is only reported."""

    def __init__(self, store: Store, events: EventLog, vims: VimRegistry, *, delete: bool = True) -> None:
        self._store = store
        self._events = events
        self._vims = vims
        self._delete = delete

    async def sweep_instance(self, owner: str, vims: Iterable[VimId]) -> str | None:
        """Sweep what carries `owner`, or is shared, out of `vims`; words on what could not be looked at or deleted."""
        words = []
        for vim in vims:
            if self._vims.contributed(vim):
                continue
            try:
                found = await self.sweep_vim(vim, owner)
            except FairleadError as error:
                words.append(f"VIM '{vim}' could not be swept ({error.code}); the regular sweep will try again")
            else:
                words += [f"{item.sort} {item.handle}" for item in found if not self._delete]
        return "; ".join(words) or None

    async def sweep_all(self) -> int:
        """Sweep every registered VIM; how many things were found."""
        number = 0
        for vim in await self._vims.all_ids():
            try:
                number += len(await self.sweep_vim(VimId(vim)))
            except FairleadError as error:
                log.warning("sweep.vim-not-swept", vim=vim, code=error.code, cause=error.cause)
        return number

    async def sweep_vim(self, vim: VimId, owner: str | None = None) -> list[Tagged]:
        """What was found in one VIM that no row knows; deleted unless told otherwise. Raises VimError."""
        leftovers, driver = await self.leftovers(vim, None if owner is None else (owner, SHARED_OWNER))
        lost = []
        failure: FairleadError | None = None
        for item in leftovers:
            try:
                if await self._clear(vim, driver.kinds[item.sort], item):
                    lost.append(item)
            except FairleadError as error:
                log.warning("sweep.not-deleted", vim=vim, sort=item.sort, handle=item.handle, code=error.code)
                failure = failure or error
        if failure is not None:
            raise failure
        return lost

    async def leftovers(self, vim: VimId, owners: Collection[str] | None) -> tuple[list[Tagged], Driver]:
        """What there is in one VIM of these owners, or of anybody, that no row knows. Raises VimError."""
        await self._vims.prepare([vim])
        driver = self._vims.driver(vim)
        listed = [item for item in await driver.tagged() if owners is None or item.tag.owner in owners]
        known = await self._known([item.tag.incarnation for item in listed])
        lost = (item for item in listed if item.tag.incarnation not in known)
        return sorted(lost, key=lambda one: _LAST_FIRST.get(one.sort, 1)), driver

    async def _clear(self, vim: VimId, kind: Kind[Any], item: Tagged) -> bool:
        """Delete one leftover, unless only reports are wanted; False when it has ended meanwhile, as it was to."""
        async with self._vims.slot(vim):
            if await kind.read(item.handle) is None:
                return False
            log.warning("sweep.leftover", vim=vim, sort=item.sort, handle=item.handle, name=item.tag.name)
            if self._delete:
                await kind.delete(item.handle)
        await self._tell(vim, item)
        return True

    async def _known(self, incarnations: list[str]) -> set[str]:
        """Which of `incarnations` some row knows."""
        known: set[str] = set()
        for start in range(0, len(incarnations), 500):
            part = incarnations[start : start + 500]
            for table in (resources, shared):
                rows = await self._store.read(partial(_rows_of, table, part))
                known |= {row.incarnation for row in rows}
        return known

    async def _tell(self, vim: VimId, item: Tagged) -> None:
        type_ = "leftover.deleted" if self._delete else "leftover.found"
        data = {"vim": vim, "sort": item.sort, "handle": item.handle, "incarnation": item.tag.incarnation}
        concerned = operations.c.subject == item.tag.owner
        project = await self._store.read(
            lambda tx: tx.scalar(tx.select(operations, operations.c.project).where(concerned).limit(1))
        )
        await self._store.write(
            lambda tx: self._events.append(
                tx, project=project or "system", type=type_, subject=item.tag.owner, resource=item.tag.name, data=data
            )
        )


_LAST_FIRST = {"compute": 0, "port": 1, "volume": 2, "image": 3, "network": 4}
"""What is used goes after what uses it."""


def _rows_of(table: sa.Table, incarnations: list[str], tx: Tx) -> list[Any]:
    column = table.c.incarnation
    return tx.all(tx.select(table, column).where(column.in_(incarnations)))
