"""Which workers live: on PostgreSQL by advisory locks, each held on a direct connection of its worker's own.

The lock ends with the connection, so no clock is compared with another. A process that hangs keeps its connection, so
each asks the server to end it when it has been silent for `_SILENCE`. A survivor takes over only what it saw lost
twice, a settling interval apart, on one healthy connection of its own: a restart of the database drops every lock at
once, and everybody gets the chance to hold theirs again first. A worker that does not hold its lock begins no call
(`guard`). One that was taken for dead and lives signs in again with its next beat. On SQLite there is one process:
every other worker that a row names is gone.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql

from fairlead.clock import Clock
from fairlead.operations.states import RUNNING
from fairlead.operations.tables import operations, workers
from fairlead.store import Store, Tx

__all__ = ["Liveness"]

log = structlog.get_logger()
_CONNECTION = {"connect_timeout": 5, "keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 3}
"""Libpq's words for noticing within seconds that the server's machine is gone."""
_BEAT = 0.5
_SILENCE = 4.0
"""Seconds after which the server ends the connection of a worker that does not beat any more: with the settling interval,
what a takeover of a hanging worker takes. Many beats, for a process on a busy machine may miss some."""


class Liveness:
    """This worker's own sign of life, and its view of the others'."""

    def __init__(self, store: Store, clock: Clock, worker: str, *, settling: float = 1.5) -> None:
        self._store = store
        self._clock = clock
        self._worker = worker
        self._settling = settling
        self._lock_key = secrets.randbits(62)
        self._held = asyncio.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._suspects: dict[str, tuple[float, int]] = {}
        self._connection_number = 0
        self._confirmed: set[str] = set()

    async def start(self) -> None:
        """Become a worker that others can see. Returns once the lock is held."""
        self._loop = asyncio.get_running_loop()
        if self._store.sqlite:
            await self._store.write(lambda tx: tx.insert(workers, **self._row()))
            self._held.set()
            return
        self._thread = threading.Thread(target=self._hold, name="worker-lock", daemon=True)
        self._thread.start()
        await self._held.wait()

    @property
    def held(self) -> bool:
        """Whether this worker may begin calls now."""
        return self._held.is_set()

    async def guard(self) -> None:
        """Return while this worker may begin calls; wait while it may not."""
        await self._held.wait()

    async def stop(self) -> None:
        """Let go of the lock, in good order; with operations in hand the worker stays known, to be found lost at once."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

        def sign_out(tx: Tx) -> None:
            running = operations.c.state.in_([str(state) for state in RUNNING])
            in_hand = tx.select(operations, operations.c.id).where(operations.c.worker == self._worker, running)
            if tx.first(in_hand) is None:
                tx.run(tx.delete(workers).where(workers.c.id == self._worker))

        await self._store.write(sign_out)

    async def lost(self) -> frozenset[str]:
        """Workers that are gone for certain; each is told until it is buried."""
        if self._store.sqlite:
            rows = await self._store.read(lambda tx: tx.all(tx.select(workers, workers.c.id)))
            return frozenset({row.id for row in rows} - {self._worker})
        found, self._confirmed = self._confirmed, set()
        return frozenset(found)

    async def bury(self, worker: str) -> None:
        """Forget a lost worker once what it had in hand is taken over."""
        await self._store.write(lambda tx: tx.run(tx.delete(workers).where(workers.c.id == worker)))
        self._confirmed = self._confirmed - {worker}

    # -- in the thread that owns the direct connection -------------------------------------------------------------------

    def _hold(self) -> None:
        """Hold the lock on one connection; when that is lost, on a new one; look for the lost each time round."""
        engine = sa.create_engine(self._store.url, poolclass=sa.pool.NullPool, connect_args=_CONNECTION)
        while not self._stopping.is_set():
            try:
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    self._connection_number += 1
                    self._suspects.clear()
                    self._beat_while_connected(connection)
            except Exception as error:  # noqa: BLE001 - whatever it is: without this thread the worker is as good as dead
                log.warning("worker.lock-lost", cause=str(getattr(error, "orig", error)).strip()[:200])
            self._set_held(False)
            self._stopping.wait(_BEAT)
        engine.dispose()

    def _beat_while_connected(self, connection: sa.Connection) -> None:
        if (connection.dialect.server_version_info or ()) >= (14,):
            connection.exec_driver_sql(f"SET idle_session_timeout = '{_SILENCE:g}s'")
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(self._lock_key))):
            return  # The server has not noticed yet that the former connection is gone.
        while True:
            sign_in = postgresql.insert(workers).values(**self._row()).on_conflict_do_nothing()
            connection.execute(sign_in)
            self._set_held(True)
            if self._stopping.wait(_BEAT):
                return
            self._look(connection)

    def _row(self) -> dict[str, Any]:
        return {"id": self._worker, "lock": self._lock_key, "started": self._clock.now()}

    def _look(self, connection: sa.Connection) -> None:
        """Try the others' locks: one that can be had is nobody's. Twice so, a settling interval apart, and it is
        lost."""
        rows = connection.execute(sa.select(workers.c.id, workers.c.lock).where(workers.c.id != self._worker)).all()
        now = time.monotonic()
        for row in rows:
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(row.lock))):
                self._suspects.pop(row.id, None)
                continue
            connection.execute(sa.select(sa.func.pg_advisory_unlock(row.lock)))
            seen, number = self._suspects.setdefault(row.id, (now, self._connection_number))
            if number == self._connection_number and now - seen >= self._settling:
                self._confirmed = self._confirmed | {row.id}

    def _set_held(self, held: bool) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._held.set if held else self._held.clear)
