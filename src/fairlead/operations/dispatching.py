"""Seeing to it that every operation that should be running is in some worker's hands.

Three things can keep it from that: the accepting process died before it enqueued, the worker that had it is gone, or a
run ended without moving it. One sweep over the rows covers all three. A lost worker is fenced first, by raising the
epoch of whatever it had, and only then is the work given out again.
"""

from __future__ import annotations

from typing import Any

import structlog

from fairlead.clock import Clock
from fairlead.operations.execution import Execution
from fairlead.operations.liveness import Liveness
from fairlead.operations.runner import Runner
from fairlead.operations.states import RUNNING
from fairlead.operations.tables import operations, workers
from fairlead.store import Store, Tx

__all__ = ["Dispatcher"]

log = structlog.get_logger()
_INTERVAL = 0.5
_OVERLOOKED = 5.0
"""Seconds after which an accepted operation that nobody has taken is enqueued again."""


class Dispatcher:
    """One worker's part in the sweep over rows."""

    def __init__(
        self, store: Store, clock: Clock, execution: Execution, liveness: Liveness, runner: Runner, worker: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._execution = execution
        self._liveness = liveness
        self._runner = runner
        self._worker = worker
        self._seen: dict[str, tuple[int, float]] = {}

    async def follow(self) -> None:
        """Sweep again and again, for as long as the worker runs."""
        while True:
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - the next sweep may go well, and without it nothing is resumed
                log.warning("dispatch.sweep-failed", error=repr(error))
            await self._clock.sleep(_INTERVAL)

    async def sweep(self) -> None:
        """Take over from the lost, and give out again what nobody has."""
        for worker in await self._liveness.lost():
            await self._take_over(worker)
        rows = await self._store.read(self._unattended)
        now = self._clock.now()
        current: dict[str, tuple[int, float]] = {}
        for row in rows:
            if row.id in self._runner.cancels.watched or row.id in self._runner.quarantined:
                continue
            epoch, since = self._seen.get(row.id, (-1, now))
            since = since if epoch == row.epoch else now
            current[row.id] = (row.epoch, since)
            if now - since >= _OVERLOOKED:
                log.info("operation.given-out-again", operation=row.id)
                await self._execution.enqueue(row.id, await self._fence(row), row.depth)
                current.pop(row.id)
        self._seen = current

    def _unattended(self, tx: Tx) -> list[Any]:
        """Running operations that no other worker has: nobody's, this one's, or those of a worker that is forgotten."""
        states = [str(state) for state in RUNNING]
        known = tx.select(workers, workers.c.id).where(workers.c.id != self._worker)
        nobody = operations.c.worker.is_(None) | operations.c.worker.not_in(known)
        columns = (operations.c.id, operations.c.epoch, operations.c.depth)
        return tx.all(tx.select(operations, *columns).where(operations.c.state.in_(states), nobody))

    async def _fence(self, row: Any) -> int:
        """Raise the epoch, so that whatever still holds the operation at the old one is superseded; the new epoch."""
        where = (operations.c.id == row.id, operations.c.epoch == row.epoch)
        await self._store.write(
            lambda tx: tx.run(tx.update(operations).where(*where).values(epoch=row.epoch + 1, worker=None))
        )
        return int(row.epoch) + 1

    async def _take_over(self, worker: str) -> None:
        states = [str(state) for state in RUNNING]

        def fence(tx: Tx) -> list[Any]:
            where = (operations.c.worker == worker, operations.c.state.in_(states))
            tx.run(tx.update(operations).where(*where).values(epoch=operations.c.epoch + 1))
            columns = (operations.c.id, operations.c.epoch, operations.c.depth)
            rows = tx.all(tx.select(operations, *columns).where(*where))
            tx.run(tx.update(operations).where(*where).values(worker=None))
            return rows

        rows = await self._store.write(fence)
        log.warning("worker.lost", worker=worker, operations=len(rows))
        for row in rows:
            await self._execution.enqueue(row.id, row.epoch, row.depth)
        await self._execution.clear(worker)
        await self._liveness.bury(worker)
