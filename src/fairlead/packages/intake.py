"""Taking packages in: an upload as a stream to the storage, then onboarding in the background, both safe to be cut off.

    CREATED ─┬─> UPLOADING ──> PROCESSING ─┬─> ONBOARDED
    ERROR  <─┘       └─> as before         └─> ERROR

Whoever works on a package holds its claim in the storage, which ends with its process. So a row that says UPLOADING or
PROCESSING and that nobody has claimed was left behind: an upload is put back to be repeated, onboarding is begun again,
by the next start or by the next upload. A package at which the process has died several times is given up instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import Conflict, FairleadError, StoreUnavailable
from fairlead.events import EventLog
from fairlead.packages.contents import Limits
from fairlead.packages.onboarding import Onboarded, onboard
from fairlead.packages.receiving import Received, receive, storage_failed
from fairlead.packages.records import PackageRecord, find, in_state, locked, save
from fairlead.packages.removing import Removals
from fairlead.packages.storage import Claim, PackageStorage
from fairlead.packages.tables import packages, removals
from fairlead.packages.threads import settled, to_end
from fairlead.sol import PackageOnboardingState as State
from fairlead.sol import PackageOperationalState, ProblemDetails, problem_of
from fairlead.store import Store, Tx

__all__ = ["Intake"]

log = structlog.get_logger()
T = TypeVar("T")
_AT_ONCE = 2
"""Packages that are read at a time; each keeps a core busy."""
_ATTEMPTS = 5
"""Starts at which onboarding is begun again before the package is taken to be what kills the process."""
_PAUSE = 1.0
_PATIENCE = 120.0
"""Seconds for which a sender may be silent in the middle of an upload."""


class Intake:
    """Uploads and onboarding of this process. `limit` is the most bytes that a package may have."""

    def __init__(
        self,
        store: Store,
        events: EventLog,
        clock: Clock,
        storage: PackageStorage,
        removals: Removals,
        *,
        limit: int,
        limits: Limits | None,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._storage = storage
        self._removals = removals
        self._limit = limit
        self._limits = limits
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def upload(self, project: str, package: str, chunks: AsyncIterator[bytes]) -> None:
        """Store what `chunks` bring; returns once it is safe on the disk, and onboarding goes on in the background.

        Raises NotFound, Conflict (`package-state`), TooLarge, StorageFull, and what `chunks` raises; then the package
        is as it was.
        """
        claim = await self.claim(project, package)
        arriving: asyncio.Future[None] | None = None
        beginning = asyncio.ensure_future(self._store.write(partial(self._begin, package=package), project))
        try:
            await settled(beginning)
            received = await receive(self._storage, package, chunks, self._clock, limit=self._limit, patience=_PATIENCE)
            work = partial(self._received, package=package, received=received, now=self._clock.now())
            arriving = asyncio.ensure_future(self._store.write(work, project))
            await settled(arriving)
        except BaseException:
            if not _succeeded(beginning):
                claim.release()
            elif not _succeeded(arriving):
                await asyncio.shield(self._spawn(self._put_back(package, claim), claim))
            else:
                self._spawn(self._onboard(package, claim), claim)
            raise
        self._spawn(self._onboard(package, claim), claim)

    async def claim(self, project: str, package: str) -> Claim:
        """The right to work on a package of `project`. Raises NotFound, Conflict (`package-state`)."""
        record = await self._store.read(lambda tx: find(tx, package), project)
        claim = await to_end(self._storage.claim, package)
        if claim is None:
            raise in_state(record, "is being taken in at this moment", "Wait until that has ended.")
        return claim

    async def recover(self) -> None:
        """Go on with what a process that is gone has left; what is being worked on is left alone."""
        unfinished = (State.UPLOADING, State.PROCESSING)
        statement = packages.c.onboarding.in_(unfinished)
        rows = await self._store.read(lambda tx: tx.all(tx.select(packages, packages.c.id).where(statement)))
        for (package,) in rows:
            claim = await to_end(self._storage.claim, package)
            if claim is None:
                continue
            try:
                state = await self._store.write(partial(self._take_over, package=package))
            except FairleadError as error:
                claim.release()
                log.warning("package.not-recovered", package=package, code=error.code, detail=error.detail)
                continue
            if state is State.UPLOADING:
                await self._put_back(package, claim)
            elif state is State.PROCESSING:
                self._spawn(self._onboard(package, claim), claim)
            else:
                await self._removals.carry_out(package, claim)

    async def idle(self) -> None:
        """Wait until nothing goes on in the background."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """End what goes on in the background; `recover` takes it up again."""
        for task in self._tasks:
            task.cancel()
        await self.idle()

    # -- uploading ---------------------------------------------------------------------------------------------------

    def _begin(self, tx: Tx, package: str) -> None:
        record = locked(tx, package)
        # UPLOADING and not claimed: whoever did that is gone.
        if record.onboarding not in (State.CREATED, State.ERROR, State.UPLOADING):
            raise in_state(
                record,
                f"is {record.onboarding}; content can be uploaded to a package that is CREATED or in ERROR",
                "Create another package for another content.",
            )
        save(tx, replace(record, onboarding=State.UPLOADING))
        self._tell(tx, "package.changed", record, State.UPLOADING)

    def _received(self, tx: Tx, package: str, received: Received, now: float) -> None:
        record = locked(tx, package)
        save(
            tx,
            replace(
                record,
                onboarding=State.PROCESSING,
                failure=None,
                attempts=0,
                uploaded=now,
                size=received.size,
                checksum=received.checksum,
            ),
        )
        tx.run(tx.delete(removals).where(removals.c.package == package))
        self._tell(tx, "package.uploaded", record, State.PROCESSING, size=received.size)

    async def _put_back(self, package: str, claim: Claim) -> None:
        """Nothing has come of an upload: the package is as it was, and its upload can be repeated."""

        def put_back(tx: Tx) -> None:
            record = locked(tx, package)
            if record.onboarding in (State.UPLOADING, State.PROCESSING):
                state = State.CREATED if record.failure is None else State.ERROR
                save(tx, replace(record, onboarding=state))
                self._tell(tx, "package.changed", record, state)

        try:
            await to_end(self._storage.delete, package)
        except OSError as error:
            log.warning("package.upload-not-removed", package=package, cause=str(error))
        try:
            await self._insist(put_back)
        finally:
            claim.release()

    # -- onboarding --------------------------------------------------------------------------------------------------

    async def _onboard(self, package: str, claim: Claim) -> None:
        """Read the package, and write what came of it."""
        async with self._slots:
            outcome = await self._read(package)
        failure = await self._accept(package, outcome) if isinstance(outcome, Onboarded) else outcome
        if failure is not None:
            await self._insist(lambda tx: self._refuse(tx, package, failure))
            await self._removals.carry_out(package, claim)

    async def _read(self, package: str) -> Onboarded | ProblemDetails:
        try:
            record = await self._insist(lambda tx: find(tx, package))
            path = await to_end(self._storage.path, package)
            uploaded = record.uploaded or record.created
            return await to_end(onboard, path, uploaded=uploaded, limits=self._limits)
        except FairleadError as error:
            return problem_of(error)
        except OSError as error:
            return problem_of(storage_failed(error))
        except Exception as error:  # noqa: BLE001 - whatever a package brings about, it concerns that package only
            return _unexpected(package, error)

    async def _accept(self, package: str, onboarded: Onboarded) -> ProblemDetails | None:
        """Write that the package is onboarded; the reason if it cannot be."""
        while True:
            try:
                await self._insist(lambda tx: self._accepted(tx, package, onboarded))
                return None
            except Conflict as error:
                return problem_of(error)
            except sa.exc.IntegrityError:
                # Another package with this VNFD came first by a hair, and the next attempt sees it.
                continue
            except Exception as error:  # noqa: BLE001 - such as text that the database cannot hold
                return _unexpected(package, error)

    def _accepted(self, tx: Tx, package: str, onboarded: Onboarded) -> None:
        record = locked(tx, package)
        if record.onboarding is not State.PROCESSING:
            return
        vnfd_id = onboarded.described.vnfd_id
        same = (packages.c.project == record.project, packages.c.vnfd_id == vnfd_id, packages.c.id != package)
        other = tx.scalar(tx.select(packages, packages.c.id).where(*same))
        if other is not None:
            raise Conflict(
                f"The project has a package of VNFD {vnfd_id} already, {other}.",
                code="vnfd-id-taken",
                resource=other,
                remedy="Delete that package first, or give the VNFD of this one an id of its own.",
            )
        save(
            tx,
            replace(
                record,
                onboarding=State.ONBOARDED,
                operational=PackageOperationalState.ENABLED,
                vnfd_id=vnfd_id,
                failure=None,
                described=onboarded.described,
            ),
            digests=dict(onboarded.digests),
        )
        warnings = [str(each) for each in onboarded.warnings[:20]]
        self._tell(tx, "package.onboarded", record, State.ONBOARDED, vnfdId=vnfd_id, warnings=warnings)

    def _refuse(self, tx: Tx, package: str, failure: ProblemDetails) -> None:
        record = locked(tx, package)
        if record.onboarding is not State.PROCESSING:
            return
        save(tx, replace(record, onboarding=State.ERROR, failure=failure, size=None, checksum=None))
        self._removals.note(tx, package)
        self._tell(tx, "package.failed", record, State.ERROR, code=failure.code, detail=failure.detail)

    def _take_over(self, tx: Tx, package: str) -> State:
        """What there is to do for an unfinished package that nobody works on any more."""
        record = locked(tx, package)
        if record.onboarding is not State.PROCESSING:
            return record.onboarding
        if record.attempts >= _ATTEMPTS:
            error = FairleadError(
                f"Fairlead has ended {record.attempts} times while it read this package, which is read no more.",
                code="onboarding-given-up",
                remedy="Look in the log for how it ended, and upload the package again.",
            )
            self._refuse(tx, package, problem_of(error))
            return State.ERROR
        save(tx, replace(record, attempts=record.attempts + 1))
        return State.PROCESSING

    # -- both --------------------------------------------------------------------------------------------------------

    def _tell(self, tx: Tx, type: str, record: PackageRecord, state: State, **data: Any) -> None:
        told = {"onboardingState": state.value, **data}
        self._events.append(tx, project=record.project, type=type, subject=record.id, data=told)

    async def _insist(self, work: Callable[[Tx], T]) -> T:
        """Write, as often as it takes: nobody else would, if this were left out while the database is away."""
        while True:
            try:
                return await settled(asyncio.ensure_future(self._store.write(work)))
            except StoreUnavailable:
                await self._clock.sleep(_PAUSE)

    def _spawn(self, work: Coroutine[Any, Any, None], claim: Claim) -> asyncio.Task[None]:
        """Do `work` in the background; the claim ends with it, even if it is cancelled before it began."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, claim))
        return task

    def _ended(self, claim: Claim, task: asyncio.Task[None]) -> None:
        claim.release()
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("package.work-failed", exc_info=error)


def _succeeded(transaction: asyncio.Future[None] | None) -> bool:
    return (
        transaction is not None
        and transaction.done()
        and not transaction.cancelled()
        and transaction.exception() is None
    )


def _unexpected(package: str, error: Exception) -> ProblemDetails:
    log.error("package.onboarding-failed", package=package, exc_info=error)
    return problem_of(
        FairleadError(
            "Something in the package was not foreseen, and it cannot be onboarded.",
            code="onboarding-failed",
            cause=f"{type(error).__name__}: {error}".replace("\x00", "\ufffd")[:1000],
            remedy="This is a fault of Fairlead: report it with the package.",
        )
    )
