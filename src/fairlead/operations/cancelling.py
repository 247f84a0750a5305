"""Cancelling: a flag in the operation's row, looked at between and inside steps.

The worker that has the operation may be in another process than the request, so each worker reads the flags of all that
it has in hand together, once in `_INTERVAL`; in one process the request also tells the worker directly.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from fairlead.clock import Clock
from fairlead.operations.tables import operations
from fairlead.resources import CancelMode
from fairlead.store import Store, Tx

__all__ = ["Cancel", "Cancels"]

log = structlog.get_logger()

_INTERVAL = 1.0


class Cancel:
    """The engine's `Cancellation` for one operation."""

    def __init__(self, mode: CancelMode | None = None) -> None:
        self._mode = mode
        self._forceful = asyncio.Event()
        if mode is CancelMode.FORCEFUL:
            self._forceful.set()

    def mode(self) -> CancelMode | None:
        return self._mode

    async def forceful(self) -> None:
        await self._forceful.wait()

    def ask(self, mode: CancelMode) -> None:
        """The user wants it to stop; a forceful wish is not weakened by a later graceful one."""
        if self._mode is not CancelMode.FORCEFUL:
            self._mode = mode
        if mode is CancelMode.FORCEFUL:
            self._forceful.set()


class Cancels:
    """The wishes of users concerning the operations that this process has in hand."""

    def __init__(self, store: Store, clock: Clock, worker: str) -> None:
        self._store = store
        self._clock = clock
        self._worker = worker
        self._watched: dict[str, Cancel] = {}

    def watch(self, operation: str, mode: CancelMode | None) -> Cancel:
        """Start looking after an operation."""
        cancel = Cancel(mode)
        self._watched[operation] = cancel
        return cancel

    def of(self, operation: str) -> Cancel:
        """The wishes concerning one watched operation."""
        return self._watched[operation]

    def forget(self, operation: str, cancel: Cancel) -> None:
        """Stop looking after it, unless it has been taken again meanwhile."""
        if self._watched.get(operation) is cancel:
            del self._watched[operation]

    def ask(self, operation: str, mode: CancelMode) -> None:
        """A request in this process."""
        if operation in self._watched:
            self._watched[operation].ask(mode)

    @property
    def watched(self) -> frozenset[str]:
        """The operations in hand."""
        return frozenset(self._watched)

    async def follow(self) -> None:
        """Read the flags of all operations in hand, for as long as the worker runs."""
        while True:
            await self._clock.sleep(_INTERVAL)
            if self._watched:
                try:
                    for row in await self._store.read(self._asked):
                        self.ask(row.id, CancelMode(row.cancel))
                except Exception as error:  # noqa: BLE001 - the next look may go well, and nobody else looks
                    log.warning("cancels.not-read", error=repr(error))

    def _asked(self, tx: Tx) -> list[Any]:
        where = (operations.c.worker == self._worker, operations.c.cancel.is_not(None))
        return tx.all(tx.select(operations, operations.c.id, operations.c.cancel).where(*where))
