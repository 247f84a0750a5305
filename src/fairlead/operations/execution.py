"""The port to the execution engine: something that calls `run(operation, epoch)` soon, in some worker, and forgets
nothing.

Our rows are the truth; the engine wakes a worker. The one implementation is DBOS Transact (docs/decisions/0001): an
operation at an epoch is a workflow whose id names both, so enqueueing twice is one workflow. A worker that accepts an
operation starts it itself, without waiting for a queue to be polled; a process that only accepts leaves it in a queue.
A workflow does nothing but hand over to the worker's own event loop. Each depth of nesting has a queue of its own, so
that parents that wait can never keep their children from running.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import sqlalchemy as sa
import structlog

from fairlead.clock import iso

__all__ = ["DbosExecution", "Execution", "Run"]

log = structlog.get_logger()
Run = Callable[[str, int], Awaitable[None]]

SCHEMA = "1"
"""The `application_version`: a workflow is picked up by workers of the same number only."""
_DEPTHS = 4
_CONNECTIONS = 2
_FORGOTTEN_AT_ONCE = 500
_SILENCE = 5.0
"""Seconds after which PostgreSQL ends a transaction of a process that hangs, as in our own connections."""
_POLLING = 0.1
"""Seconds between looks into the queue in which processes that only accept put users' operations."""
_POLLING_IN_CASE = 2.0
"""The same for queues that get only what is left over: workers start what they accept, and nested operations, themselves."""


class Execution(Protocol):
    """What operations need of an execution engine."""

    async def start(self, run: Run | None) -> None:
        """Begin to call `run` for what is, and will be, enqueued; with None, only enqueue for others."""
        ...

    async def enqueue(self, operation: str, epoch: int, depth: int) -> None:
        """Have `run(operation, epoch)` called once, soon, by some worker."""
        ...

    async def clear(self, worker: str) -> None:
        """Have what the lost worker `worker` left in the engine ended."""
        ...

    async def forget(self, older_than: float) -> int:
        """Delete what the engine has kept of runs that ended before `older_than` (seconds since the epoch)."""
        ...

    async def stop(self) -> None:
        """Call `run` no more."""
        ...


class DbosExecution:
    """DBOS, embedded. `url` is the database of its own tables; `concurrency` how many operations run here at once."""

    def __init__(self, url: str, worker: str, *, concurrency: int = 2000) -> None:
        self._url = url
        self._worker = worker
        self._concurrency = concurrency
        self._workflow: Any = None
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._run: Run | None = None
        self._runs: set[asyncio.Task[None]] = set()
        self._engine: sa.Engine | None = None

    async def start(self, run: Run | None) -> None:
        from dbos import DBOS, DBOSClient

        _log_as_we_do()
        if run is None:
            serializer = _json_serializer()
            self._client = await asyncio.to_thread(
                DBOSClient,
                system_database_url=self._url,
                serializer=serializer,
                sys_db_idle_transaction_timeout_sec=_SILENCE,
            )
            return
        self._run = run
        self._loop = asyncio.get_running_loop()
        shared = not self._url.startswith("sqlite")
        self._engine = None if shared else _sqlite_engine(self._url)
        config: Any = {
            "name": "fairlead",
            "system_database_url": self._url,
            "system_database_engine": self._engine,
            "application_version": SCHEMA,
            "executor_id": self._worker,
            "run_admin_server": False,
            "sys_db_idle_transaction_timeout_sec": _SILENCE,
            "log_level": "ERROR",
            "serializer": _json_serializer(),
        }
        DBOS(config=config)

        async def hand_over(operation: str, epoch: int) -> None:
            await self._hand_over(operation, epoch)

        self._workflow = DBOS.workflow(name="operation")(hand_over)
        await asyncio.to_thread(DBOS.launch)
        for depth in range(_DEPTHS):
            await DBOS.register_queue_async(
                f"operations-{depth}",
                worker_concurrency=self._concurrency,
                polling_interval_sec=_POLLING if shared and depth == 0 else _POLLING_IN_CASE,
            )

    async def _hand_over(self, operation: str, epoch: int) -> None:
        """The workflow: run the operation on the worker's loop, and end well whatever came of it, for the row says
        that."""
        if self._loop is None or self._run is None:
            return
        future = asyncio.run_coroutine_threadsafe(self._guarded(operation, epoch), self._loop)
        await asyncio.wrap_future(future)

    async def _guarded(self, operation: str, epoch: int) -> None:
        run, task = self._run, asyncio.current_task()
        assert task is not None
        if run is None:
            return
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)
        try:
            await run(operation, epoch)
        except asyncio.CancelledError:
            log.info("operation.interrupted", operation=operation)
        except Exception as error:  # noqa: BLE001 - the sweep will find the row
            log.error("operation.run-failed", operation=operation, error=repr(error))

    async def enqueue(self, operation: str, epoch: int, depth: int) -> None:
        from dbos import DBOS, SetWorkflowID

        if self._client is not None:
            options: Any = {
                "workflow_name": "operation",
                "queue_name": f"operations-{min(depth, _DEPTHS - 1)}",
                "workflow_id": f"{operation}/{epoch}",
                "app_version": SCHEMA,
            }
            await self._client.enqueue_async(options, operation, epoch)
            return
        with SetWorkflowID(f"{operation}/{epoch}"):
            await DBOS.start_workflow_async(self._workflow, operation, epoch)

    async def clear(self, worker: str) -> None:
        from dbos import DBOS

        for status in await DBOS.list_workflows_async(status="PENDING", executor_id=worker):
            await DBOS.resume_workflow_async(status.workflow_id, queue_name="operations-0")

    async def forget(self, older_than: float) -> int:
        from dbos import DBOS

        number = 0
        while self._client is None:
            ended = await DBOS.list_workflows_async(
                completed_before=iso(older_than), limit=_FORGOTTEN_AT_ONCE, load_input=False, load_output=False
            )
            await DBOS.delete_workflows_async([status.workflow_id for status in ended])
            number += len(ended)
            if len(ended) < _FORGOTTEN_AT_ONCE:
                break
        return number

    async def stop(self) -> None:
        from dbos import DBOS

        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
            self._client = None
            return
        self._run = None
        for task in self._runs:
            task.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True, workflow_completion_timeout_sec=0)
        if self._engine is not None:
            self._engine.dispose()
        # DBOS makes its own threads the loop's for `to_thread`, and leaves them there when it has ended them.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


def _log_as_we_do() -> None:
    """Have DBOS's lines go where the program's go: it writes to the standard error of its first start otherwise."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _sqlite_engine(url: str) -> sa.Engine:
    """The engine's own SQLite database: a write-ahead log that does not wait for the disk, and few connections.

    What a power failure takes from it, the sweep over our rows gives out again. DBOS's own choice, a rollback journal and
    twenty threads that try for its lock, makes some operations wait for seconds when many begin at once.
    """
    engine = sa.create_engine(
        url, pool_size=_CONNECTIONS, max_overflow=0, pool_timeout=60, connect_args={"check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, record: Any) -> None:  # noqa: ARG001
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _json_serializer() -> Any:
    """Workflows carry an id and a number: JSON, in place of the pickles that DBOS would write."""
    from dbos import Serializer

    class JsonSerializer(Serializer):
        def serialize(self, data: Any) -> str:
            return json.dumps(data, default=str)

        def deserialize(self, serialized_data: str) -> Any:
            return json.loads(serialized_data)

        def name(self) -> str:
            return "json"

    return JsonSerializer()
