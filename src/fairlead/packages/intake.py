"""Taking packages in: an upload as a stream to the storage, then onboarding in the background, both safe to be cut off.

    CREATED ─┬─> UPLOADING ──> PROCESSING ─┬─> ONBOARDED
    ERROR  <─┘       └─> as before         └─> ERROR

Whoever works on a package holds its claim, which ends with its process. So a row that says UPLOADING or PROCESSING and
that nobody has claimed was left behind: an upload is put back to be repeated, onboarding is begun again, by the next
start or by the next upload. A package at which the process has died several times is given up instead. Each upload has a
key of its own in the row, so one that was taken for dead and lives cannot write over what came after it.

The module is long because the states above and all ways between them, the broken ones too, are to be read in one place.
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
from fairlead.csar.contents import Limits
from fairlead.csar.trust import Trust
from fairlead.errors import Conflict, FairleadError, StorageUnavailable, StoreUnavailable, Unprocessable
from fairlead.events import EventLog
from fairlead.packages.claims import Claim, Claims
from fairlead.packages.notifications import described_data
from fairlead.packages.onboarding import Onboarded, onboard
from fairlead.packages.receiving import Received, receive, storage_failed
from fairlead.packages.records import PackageRecord, find, in_state, locked, save
from fairlead.packages.removing import Removals
from fairlead.packages.sharing import Moved, key_of, leave, share
from fairlead.packages.storage import PackageStorage, new_key
from fairlead.packages.tables import contents, packages
from fairlead.packages.threads import settled, to_end
from fairlead.sol import PackageOnboardingState as State
from fairlead.sol import PackageOperationalState, PackageUsageState, ProblemDetails, problem_of
from fairlead.store import Store, Tx

__all__ = ["Intake"]

log = structlog.get_logger()
T = TypeVar("T")
_AT_ONCE = 2
"""Packages that are read at a time; each keeps a core busy."""
_FETCHES = 8
"""Packages that are fetched at a time; more wait for their turn."""
_ATTEMPTS = 5
"""Starts at which onboarding is begun again before the package is taken to be what kills the process."""
_PAUSE = 1.0
_PATIENCE = 120.0
"""Seconds for which a sender may be silent in the middle of an upload."""
_STORAGE_PATIENCE = 600.0
"""Seconds for which a storage that does not answer is waited for before onboarding fails."""


class Intake:
    """Uploads and onboarding of this process. `limit` is the most bytes that a package may have."""

    def __init__(
        self,
        store: Store,
        events: EventLog,
        clock: Clock,
        storage: PackageStorage,
        claims: Claims,
        removals: Removals,
        *,
        limit: int,
        limits: Limits | None,
        fetch_timeout: float,
        trust: Trust | None,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._storage = storage
        self._claims = claims
        self._removals = removals
        self._limit = limit
        self._limits = limits
        self._fetch_timeout = fetch_timeout
        self._fetches = asyncio.Semaphore(_FETCHES)
        self._trust = trust
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def upload(self, project: str, package: str, chunks: AsyncIterator[bytes]) -> None:
        """Store what `chunks` bring; returns once it is safe on the disk, and onboarding goes on in the background.

        Raises NotFound, Conflict (`package-state`), TooLarge, StorageFull, and what `chunks` raises; then the package
        is as it was.
        """
        claim = await self.claim(project, package)
        key = new_key()
        beginning = asyncio.ensure_future(self._store.write(partial(self._begin, package=package, key=key), project))
        taken: asyncio.Future[str | None] | None = None
        try:
            await settled(beginning)
            received = await self._receive(key, chunks)
            taken = asyncio.ensure_future(self._take(package, key, received))
            superfluous = await settled(taken)
        except BaseException:
            if not _succeeded(beginning):
                claim.release()
            elif taken is None or not _succeeded(taken):
                await asyncio.shield(self._spawn(self._put_back(package, key), claim))
            else:
                self._spawn(self._onboard(package, taken.result()), claim)
            raise
        self._spawn(self._onboard(package, superfluous), claim)

    async def fetch(self, project: str, package: str, chunks: AsyncIterator[bytes]) -> None:
        """As `upload`, of what Fairlead itself fetches: returns at once, and what goes wrong stands in the package.

        Raises NotFound, Conflict (`package-state`).
        """
        claim = await self.claim(project, package)
        key = new_key()
        work = partial(self._begin, package=package, key=key, fetching=True)
        beginning = asyncio.ensure_future(self._store.write(work, project))
        try:
            await settled(beginning)
        except BaseException:
            if _succeeded(beginning):
                self._spawn(self._fetched(package, key, chunks), claim)
            else:
                claim.release()
            raise
        self._spawn(self._fetched(package, key, chunks), claim)

    async def claim(self, project: str, package: str) -> Claim:
        """The right to work on a package of `project`. Raises NotFound, Conflict (`package-state`)."""
        record = await self._store.read(lambda tx: find(tx, package), project)
        claim = await to_end(self._claims.take, package)
        if claim is None:
            raise in_state(record, "is being taken in at this moment", "Wait until that has ended.")
        return claim

    async def recover(self) -> None:
        """Go on with what a process that is gone has left; what is being worked on is left alone."""
        unfinished = (State.UPLOADING, State.PROCESSING)
        statement = packages.c.onboarding.in_(unfinished)
        rows = await self._store.read(lambda tx: tx.all(tx.select(packages, packages.c.id).where(statement)))
        for (package,) in rows:
            claim = await to_end(self._claims.take_over, package)
            if claim is None:
                continue
            try:
                state, key = await self._store.write(partial(self._take_over, package=package))
            except FairleadError as error:
                claim.release()
                log.warning("package.not-recovered", package=package, code=error.code, detail=error.detail)
                continue
            if state is State.PROCESSING:
                self._spawn(self._onboard(package), claim)
            else:
                claim.release()
                await self._removals.carry_out(key)

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

    def _begin(self, tx: Tx, package: str, key: str, fetching: bool = False) -> None:
        record = locked(tx, package)
        # UPLOADING and not claimed: whoever did that is gone.
        if record.onboarding not in (State.CREATED, State.ERROR, State.UPLOADING):
            raise in_state(
                record,
                f"is {record.onboarding}; content can be uploaded to a package that is CREATED or in ERROR",
                "Create another package for another content.",
            )
        if record.incoming is not None:
            self._removals.note(tx, record.incoming)
        save(tx, replace(record, onboarding=State.UPLOADING, incoming=key, fetching=fetching))
        self._tell(tx, "package.changed", record, State.UPLOADING)

    async def _fetched(self, package: str, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Fetch a package and onboard it; a failure is the package's."""
        try:
            async with self._fetches, asyncio.timeout(self._fetch_timeout):
                received = await self._receive(key, chunks)
            superfluous = await self._take(package, key, received)
        except TimeoutError:
            error = Unprocessable(
                f"The package could not be fetched within {self._fetch_timeout:g} s.",
                code="fetch-failed",
                remedy="Ask again, or upload the package itself.",
            )
            await self._put_back(package, key, problem_of(error))
        except FairleadError as error:
            await self._put_back(package, key, problem_of(error))
        except Exception as error:  # noqa: BLE001 - whatever a strange server brings about, it concerns this package only
            await self._put_back(package, key, _unexpected(package, error))
        else:
            await self._onboard(package, superfluous)

    async def _receive(self, key: str, chunks: AsyncIterator[bytes]) -> Received:
        return await receive(self._storage, key, chunks, self._clock, limit=self._limit, patience=_PATIENCE)

    async def _take(self, package: str, key: str, received: Received) -> str | None:
        """What was received becomes the package's content, or the same that is there already does. Returns the key that
        nobody needs now."""
        while True:
            found = await self._store.read(lambda tx: key_of(tx, received.checksum))
            sound = found is not None and await self._size(found) == received.size
            work = partial(self._taken, package=package, key=key, received=received, found=found, sound=sound)
            try:
                return await self._store.write(work)
            except (Moved, sa.exc.IntegrityError):
                # Another package with this content came between, and the next attempt sees it.
                continue

    async def _size(self, key: str) -> int | None:
        try:
            return await to_end(self._storage.size, key)
        except OSError:
            return None

    def _taken(self, tx: Tx, package: str, key: str, received: Received, found: str | None, sound: bool) -> str | None:
        record = locked(tx, package)
        if record.onboarding is not State.UPLOADING or record.incoming != key:
            raise in_state(record, "was taken from this upload, which was thought to be dead", "Upload it again.")
        superfluous = share(tx, received.checksum, key, found=found, sound=sound)
        if superfluous is not None:
            self._removals.note(tx, superfluous)
        changed = replace(
            record,
            onboarding=State.PROCESSING,
            incoming=None,
            fetching=False,
            failure=None,
            attempts=0,
            uploaded=self._clock.now(),
            size=received.size,
            checksum=received.checksum,
        )
        save(tx, changed)
        self._tell(tx, "package.uploaded", record, State.PROCESSING, size=received.size)
        return superfluous

    async def _put_back(self, package: str, key: str, failure: ProblemDetails | None = None) -> None:
        """Nothing has come of an upload: the package is as it was, or in error with `failure`, and the upload can be
        repeated."""
        await self._insist(lambda tx: self._abandon(tx, package, key, failure))
        await self._removals.carry_out(key)

    def _abandon(self, tx: Tx, package: str, key: str, failure: ProblemDetails | None) -> None:
        record = locked(tx, package)
        if tx.find(contents, contents.c.digest, key=key) is None:
            self._removals.note(tx, key)
        if record.onboarding is not State.UPLOADING or record.incoming != key:
            return
        failure = failure or record.failure
        state = State.CREATED if failure is None else State.ERROR
        save(tx, replace(record, onboarding=state, incoming=None, fetching=False, failure=failure))
        self._tell(tx, "package.changed", record, state)

    # -- onboarding --------------------------------------------------------------------------------------------------

    async def _onboard(self, package: str, superfluous: str | None = None) -> None:
        """Read the package, and write what came of it."""
        await self._removals.carry_out(superfluous)
        async with self._slots:
            outcome = await self._read(package)
        failure = await self._accept(package, outcome) if isinstance(outcome, Onboarded) else outcome
        if failure is not None:
            await self._removals.carry_out(await self._insist(lambda tx: self._refuse(tx, package, failure)))

    async def _read(self, package: str) -> Onboarded | ProblemDetails:
        """What is in the package, or why that is not known. A storage that does not answer is waited for."""
        pause, give_up = _PAUSE, self._clock.now() + _STORAGE_PATIENCE
        while True:
            try:
                return await self._read_once(package)
            except StorageUnavailable as error:
                if self._clock.now() + pause > give_up:
                    return problem_of(error)
                log.warning("package.storage-unavailable", package=package, cause=error.cause)
                await self._clock.sleep(pause)
                pause = min(2 * pause, 30.0)
            except FairleadError as error:
                return problem_of(error)
            except OSError as error:
                return problem_of(storage_failed(error))
            except Exception as error:  # noqa: BLE001 - whatever a package brings about, it concerns that package only
                return _unexpected(package, error)

    async def _read_once(self, package: str) -> Onboarded:
        record = await self._insist(lambda tx: find(tx, package))
        key = await self._insist(lambda tx: key_of(tx, record.checksum or ""))
        if key is None:
            raise FileNotFoundError(f"there is no content {record.checksum}")
        uploaded = record.uploaded or record.created

        def read() -> Onboarded:
            with self._storage.open(key) as content:
                return onboard(content, f"{package}.csar", uploaded=uploaded, limits=self._limits, trust=self._trust)

        return await to_end(read)

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
        self._tell(
            tx,
            "package.onboarded",
            record,
            State.ONBOARDED,
            operationalState=PackageOperationalState.ENABLED.value,
            usageState=PackageUsageState.NOT_IN_USE.value,
            **described_data(onboarded.described),
            warnings=warnings,
        )

    def _refuse(self, tx: Tx, package: str, failure: ProblemDetails) -> str | None:
        """The package is in error, and its content is not needed for it any more. Returns the key to remove, if any."""
        record = locked(tx, package)
        if record.onboarding is not State.PROCESSING:
            return None
        superfluous = leave(tx, record.checksum or "")
        if superfluous is not None:
            self._removals.note(tx, superfluous)
        save(tx, replace(record, onboarding=State.ERROR, failure=failure, size=None, checksum=None))
        self._tell(tx, "package.failed", record, State.ERROR, code=failure.code, detail=failure.detail)
        return superfluous

    def _take_over(self, tx: Tx, package: str) -> tuple[State, str | None]:
        """What there is to do for an unfinished package that nobody works on any more: its state then, and the key to
        remove."""
        record = locked(tx, package)
        if record.onboarding is State.UPLOADING and record.incoming is not None:
            self._abandon(tx, package, record.incoming, _interrupted() if record.fetching else None)
            return State.CREATED, record.incoming
        if record.onboarding is not State.PROCESSING:
            return record.onboarding, None
        if record.attempts >= _ATTEMPTS:
            error = FairleadError(
                f"Fairlead has ended {record.attempts} times while it read this package, which is read no more.",
                code="onboarding-given-up",
                remedy="Look in the log for how it ended, and upload the package again.",
            )
            return State.ERROR, self._refuse(tx, package, problem_of(error))
        save(tx, replace(record, attempts=record.attempts + 1))
        return State.PROCESSING, None

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


def _succeeded(work: asyncio.Future[Any]) -> bool:
    return work.done() and not work.cancelled() and work.exception() is None


def _interrupted() -> ProblemDetails:
    return problem_of(
        FairleadError(
            "Fairlead ended while it fetched the package.",
            code="fetch-interrupted",
            remedy="Ask for it again, with its credentials.",
        )
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
