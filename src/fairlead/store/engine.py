"""Where transactions run.

SQLite has one writer, so writes go through one thread that takes all that is queued into one commit, each in a
savepoint of its own: a hundred operations that journal at once cost one fsync. PostgreSQL gets a pool of threads and
connections. Either way a transaction whose connection was lost is run again, with pauses, until `patience` seconds are
over; only then StoreUnavailable. A process that hangs in the middle of a transaction keeps its rows locked for everybody,
so PostgreSQL is told to end transactions that are silent for `silence` seconds; whoever wakes up then runs it again.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from fairlead.errors import StoreUnavailable
from fairlead.store.commits import CertainCommit
from fairlead.store.transactions import Tx

__all__ = ["Store", "normalised_url"]

T = TypeVar("T")
_GROUP = 128
_THREADS = 8
_NOTICING = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
"""Libpq's words for noticing within a dozen seconds that the server's machine is gone."""
Job = tuple[Callable[[Tx], Any], str | None, "Future[Any]"]


def normalised_url(url: str) -> sa.URL:
    """The SQLAlchemy URL for `url`, with the one driver that is used for each database.

    Accepts `sqlite:///file`, `postgresql://...` and `postgres://...`.
    """
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    made = sa.make_url(url)
    return made.set(drivername="postgresql+psycopg") if made.get_backend_name() == "postgresql" else made


class Store:
    """The database of one process. Open it with `Store(url)`, end it with `close()`."""

    def __init__(self, url: str, *, patience: float = 30.0, silence: float = 5.0) -> None:
        self.url = normalised_url(url)
        self.patience = patience
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.engine = _sqlite_engine(self.url) if self.sqlite else _postgresql_engine(self.url, silence)
        self._readers = ThreadPoolExecutor(2 if self.sqlite else _THREADS, thread_name_prefix="store")
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._writer: threading.Thread | None = None
        if self.sqlite:
            self._writer = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
            self._writer.start()

    async def read(self, work: Callable[[Tx], T], project: str | None = None) -> T:
        """Run `work`, which only reads, and return what it returns.

        Raises StoreUnavailable when the database does not answer for `patience` seconds, and whatever `work` raises.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work, project)

    async def write(self, work: Callable[[Tx], T], project: str | None = None) -> T:
        """Run `work` in a transaction that is committed when it returns. Raises as `read` does."""
        if self.sqlite:
            return await asyncio.wrap_future(self._queued(work, project))
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.write_now, work, project)

    def read_now(self, work: Callable[[Tx], T], project: str | None = None) -> T:
        """`read` for callers that are in a thread already."""
        return self._insist(lambda: self._read_once(work, project))

    def write_now(self, work: Callable[[Tx], T], project: str | None = None) -> T:
        """`write` for callers that are in a thread already."""
        if self.sqlite:
            return self._queued(work, project).result()
        return self._insist(CertainCommit(self.engine, work, project).attempt)

    def close(self) -> None:
        """Finish what is queued and let go of the database."""
        if self._writer is not None:
            with self._closing:
                self._closed = True
                self._jobs.put(None)
            self._writer.join()
        self._readers.shutdown()
        self.engine.dispose()

    def _read_once(self, work: Callable[[Tx], T], project: str | None) -> T:
        with self.engine.connect() as connection:
            return work(Tx(connection, project))

    def _queued(self, work: Callable[[Tx], T], project: str | None) -> Future[T]:
        """Hand `work` to the writer."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise StoreUnavailable("The program is stopping and writes no more.")
            self._jobs.put((work, project, future))
        return future

    def _insist(self, attempt: Callable[[], T]) -> T:
        """`attempt`, again and again while the connection is lost or the transaction was a deadlock's victim."""
        give_up = time.monotonic() + self.patience
        pause = 0.05
        while True:
            try:
                return attempt()
            except sa.exc.DBAPIError as error:
                if not _passing(error):
                    raise
                if time.monotonic() + pause > give_up:
                    raise StoreUnavailable(
                        f"The database has not answered for {self.patience:g} s.",
                        cause=str(error.orig).strip(),
                        remedy="Start the database again; operations go on by themselves.",
                    ) from error
                time.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, 1.0)

    def _write_forever(self) -> None:
        while True:
            job = self._jobs.get()
            batch = []
            while job is not None:
                # From here on nobody can take the job back; one that was given up before is left out.
                if job[2].set_running_or_notify_cancel():
                    batch.append(job)
                if len(batch) >= _GROUP or self._jobs.empty():
                    break
                job = self._jobs.get()
            if batch:
                self._write_batch(batch)
            if job is None:
                return

    def _write_batch(self, batch: list[Job]) -> None:
        """All of `batch` in one commit; one that raises is rolled back by itself."""
        try:
            outcomes = self._insist(lambda: self._attempt_batch(batch))
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            for _, _, future in batch:
                future.set_exception(error)
            return
        for (_, _, future), (tx, result, error_of_one) in zip(batch, outcomes, strict=True):
            if error_of_one is not None:
                future.set_exception(error_of_one)
            else:
                tx.committed()
                future.set_result(result)

    def _attempt_batch(self, batch: list[Job]) -> list[tuple[Tx, Any, BaseException | None]]:
        outcomes: list[tuple[Tx, Any, BaseException | None]] = []
        with self.engine.begin() as connection:
            for work, project, _ in batch:
                tx = Tx(connection, project)
                connection.exec_driver_sql("SAVEPOINT job")
                try:
                    result = work(tx)
                    connection.exec_driver_sql("RELEASE job")
                    outcomes.append((tx, result, None))
                except BaseException as error:
                    if isinstance(error, sa.exc.DBAPIError) and _passing(error):
                        raise
                    # When the database has given up the whole transaction, this fails too, and with it the batch.
                    connection.exec_driver_sql("ROLLBACK TO job")
                    connection.exec_driver_sql("RELEASE job")
                    outcomes.append((tx, None, error))
        return outcomes


def _passing(error: sa.exc.DBAPIError) -> bool:
    """Whether the same transaction may succeed when run again."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state)[:2] in ("08", "57", "40") or state in ("55P03", "25P03")
    text = str(error.orig)
    return isinstance(error, sa.exc.OperationalError) and any(
        words in text
        for words in ("connect", "server closed", "locked", "terminat", "shutting down", "starting up", "SSL")
    )


def _decode(text: str | bytes) -> Any:
    """A stored document. What is not JSON becomes a text, which is no document of any room: one such row must not keep
    those beside it from being read."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        return f"not JSON: {error}"


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _postgresql_engine(url: sa.URL, silence: float) -> sa.Engine:
    options = f"{url.query.get('options', '')} -c idle_in_transaction_session_timeout={round(silence * 1000)}"
    return sa.create_engine(
        url,
        json_serializer=_encode,
        json_deserializer=_decode,
        pool_size=_THREADS,
        max_overflow=4,
        pool_pre_ping=False,
        connect_args={"prepare_threshold": 3, "options": options.strip(), **_NOTICING},
    )


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        json_serializer=_encode,
        json_deserializer=_decode,
        connect_args={"check_same_thread": False, "timeout": 30},
        poolclass=sa.pool.QueuePool,
        pool_size=4,
        max_overflow=8,
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, record: Any) -> None:  # noqa: ARG001
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writing = threading.current_thread().name == "store-writer"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
