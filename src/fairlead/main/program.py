"""Everything that one process of Fairlead needs, made from its parts, started and stopped in order.

This is the one place that knows every room. Drivers are found by the entry points of the group `fairlead.vims`; roles,
driver types, the clock and the execution engine can be handed in, which is how tests run the whole program on peers of
the real parts.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Coroutine, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from prometheus_client import CollectorRegistry

from fairlead.clock import Clock, SystemClock
from fairlead.csar import load_trust
from fairlead.errors import FairleadError, StoreUnavailable
from fairlead.events import Callbacks, Delivery, EventLog, Subscriptions
from fairlead.identity import Identity, Keystone, KeystoneAccess
from fairlead.main.inspection import Inspection
from fairlead.operations import (
    DbosExecution,
    Dispatcher,
    Execution,
    Liveness,
    Operations,
    Role,
    Runner,
    Sweeper,
    count_in_vim,
)
from fairlead.operations.retention import forget_finished
from fairlead.operations.tables import installation, operations
from fairlead.packages import Catalogue, DatabaseClaims, FileClaims, LocalStorage, PackageStorage
from fairlead.packages.fetching import Fetcher
from fairlead.packages.locks import FileLock
from fairlead.packages.notifications import PACKAGE_SUBSCRIPTIONS
from fairlead.packages.s3 import S3Access, S3Storage
from fairlead.secrets import Vault, any_sealed, load_keyring
from fairlead.settings import Settings
from fairlead.store import Store, Tx
from fairlead.store.migrations import migrate
from fairlead.targets import networks
from fairlead.vims import DriverType, Registrations, VimRegistry
from fairlead.vnf import Occurrences, VnfRole, Vnfs, vnf_instances

__all__ = ["Program", "driver_types", "package_storage"]

log = structlog.get_logger()
_DAY = 86_400.0
_RECOVERING = 60.0
_FORGETTING = 3600.0
"""Seconds between looks for what is older than it is to be kept."""


def driver_types() -> dict[str, DriverType]:
    """The driver types that are installed, by name."""
    return {point.name: point.load() for point in entry_points(group="fairlead.vims")}


class Program:
    """One process of Fairlead.

    `works` makes it a worker: it runs operations. A process that does not (`fairlead api`) accepts them and leaves them
    to others, which needs PostgreSQL. Call `start` before anything else, `stop` at the end.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        works: bool = True,
        clock: Clock | None = None,
        store: Store | None = None,
        types: Mapping[str, DriverType] | None = None,
        roles: Sequence[Role] = (),
        execution: Execution | None = None,
    ) -> None:
        self.settings = settings
        self.works = works
        self.clock = clock or SystemClock()
        self.worker = f"worker-{secrets.token_hex(6)}"
        self.store = store or Store(settings.store_url, patience=settings.store.patience)
        migrate(self.store)
        self.metrics = CollectorRegistry()
        sealed = self.store.read_now(any_sealed)
        keyring = load_keyring(settings.master_key_file, keys=settings.secrets.master_keys, in_use=sealed)
        self.vault = Vault(self.store, keyring)
        self.events = EventLog(self.store, self.clock, poll=settings.events.poll)
        self.identity = Identity(
            self.store, self.clock, cache=settings.identity.cache, lifetime=settings.identity.access_token_lifetime
        )
        self.keystone = (
            keystone_of(settings, self.clock, self.identity) if settings.identity.auth == "keystone" else None
        )
        claims = FileClaims(settings.data) if self.store.sqlite else DatabaseClaims(self.store.url)
        self.catalogue = Catalogue(
            self.store,
            self.events,
            self.clock,
            package_storage(settings),
            claims,
            _package_uses,
            upload_limit=settings.packages.upload_limit,
            fetcher=Fetcher(networks(settings.packages.fetch_allow, "packages.fetch_allow")),
            fetch_timeout=settings.packages.fetch_timeout,
            trust=load_trust(settings.packages.signatures, settings.packages.trust_anchors),
        )
        callbacks = Callbacks(
            networks(settings.events.callback_allow, "events.callback_allow"), tests=settings.events.test_callbacks
        )
        self.subscriptions = Subscriptions(self.store, self.clock, self.vault, callbacks, PACKAGE_SUBSCRIPTIONS)
        self.delivery = Delivery(
            self.store,
            self.events,
            self.clock,
            self.vault,
            callbacks,
            self.subscriptions.interfaces,
            claims,
            patience=settings.events.delivery_patience,
        )
        self.deployment = deployment_id(self.store)
        registrations = Registrations(
            self.store,
            self.vault,
            self.events,
            self.clock,
            types if types is not None else driver_types(),
            self.deployment,
            count_in_vim,
        )
        self.vims = VimRegistry(
            registrations,
            self.catalogue,
            self.clock,
            calls_at_once=settings.vims.calls_at_once,
            poll_shortest=settings.vims.poll_shortest,
            poll_longest=settings.vims.poll_longest,
        )
        self.sweeper = Sweeper(self.store, self.events, self.vims, delete=settings.operations.delete_leftovers)
        self.liveness = Liveness(self.store, self.clock, self.worker, settling=settings.operations.takeover_settling)
        self.execution = execution or DbosExecution(
            settings.execution_url, self.worker, concurrency=settings.operations.concurrency
        )
        self.vnf_role = VnfRole(self.catalogue, self.vims, self.clock)
        self.roles = {role.name: role for role in (self.vnf_role, *roles)}
        self.runner = Runner(
            self.store,
            self.events,
            self.vault,
            self.vims,
            self.clock,
            self.roles,
            self.deployment,
            self.worker,
            self.sweeper,
            self.liveness.guard,
            self.metrics,
        )
        self.dispatcher = Dispatcher(self.store, self.clock, self.execution, self.liveness, self.runner, self.worker)
        self.operations = Operations(
            self.store,
            self.events,
            self.vault,
            self.vims,
            self.clock,
            self.execution,
            self.roles,
            self.sweeper,
            self.runner.cancels,
        )
        self.inspection = Inspection(self.store, self.events, self.clock, self.catalogue, self.vims, self.roles)
        self.vnfs = Vnfs(self.store, self.events, self.clock, self.catalogue, self.operations, self.vnf_role)
        self.occurrences = Occurrences(self.store, self.operations)
        self._tasks: list[asyncio.Task[None]] = []
        self._alone: FileLock | None = None

    def _claim_database(self) -> FileLock | None:
        """SQLite serves one process: the lock that keeps a second one off, which would take this one for lost."""
        if not self.store.sqlite or not self.store.url.database:
            return None
        lock = FileLock.take(Path(f"{self.store.url.database}.lock"))
        if lock is None:
            raise FairleadError(
                f"Another process of Fairlead works on {self.store.url.database}.",
                code="database-in-use",
                remedy="Stop it first, or give each its own --data; for several processes use PostgreSQL.",
            )
        return lock

    async def start(self) -> None:
        """Begin to work; returns once operations can be accepted. What was interrupted goes on.

        Raises FairleadError (`database-in-use`) for an SQLite database that another process works on.
        """
        self._alone = self._claim_database()
        await self.catalogue.recover()
        if self.works:
            await self.liveness.start()
        await self.execution.start(self.runner.run if self.works else None)
        if self.works:
            self._begin(self.dispatcher.follow(), "dispatcher")
            self._begin(self.runner.cancels.follow(), "cancels")
            self._begin(self._sweep_regularly(), "sweeper")
            self._begin(self._forget_regularly(), "retention")
            self._begin(self._recover_regularly(), "packages")
            self._begin(self._reseal(), "resealing")
            self._begin(self.inspection.follow(), "inspection")
            self._begin(self.delivery.follow(), "notifications")
        log.info("program.started", worker=self.worker if self.works else None, deployment=self.deployment)

    async def stop(self) -> None:
        """Stop in good order; what is running is left as it stands, to go on at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.execution.stop()
        await self.catalogue.stop()
        await self.vims.close()
        if self.keystone is not None:
            await self.keystone.close()
        if self.works:
            with contextlib.suppress(StoreUnavailable):
                await self.liveness.stop()
        self.store.close()
        if self._alone is not None:
            self._alone.release()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _sweep_regularly(self) -> None:
        """Look for leftovers in every VIM, from time to time."""
        while True:
            await self.clock.sleep(self.settings.operations.sweep_interval)
            try:
                await self.sweeper.sweep_all()
            except Exception as error:  # noqa: BLE001 - the next sweep may go well
                log.warning("sweep.failed", error=repr(error))

    async def _reseal(self) -> None:
        """Have every secret sealed under the newest master key."""
        try:
            number = await self.vault.reseal()
        except FairleadError as error:
            log.warning("vault.not-resealed", code=error.code, cause=error.cause, remedy="Restart to try again.")
        else:
            if number:
                log.info("vault.resealed", number=number)

    async def _recover_regularly(self) -> None:
        """Take up packages that another process left in the middle of its onboarding."""
        while True:
            await self.clock.sleep(_RECOVERING)
            try:
                await self.catalogue.recover()
            except Exception as error:  # noqa: BLE001 - the next time may go well
                log.warning("packages.recovery-failed", error=repr(error))

    async def _forget_regularly(self) -> None:
        """Forget events and finished operations after the time that the settings say."""
        while True:
            now = self.clock.now()
            try:
                await self.events.prune(now - self.settings.events.retention * _DAY)
                await forget_finished(self.store, now - self.settings.operations.retention * _DAY)
                if self.works:
                    await self.execution.forget(now - _DAY)
            except Exception as error:  # noqa: BLE001 - the next time may go well
                log.warning("retention.failed", error=repr(error))
            await self.clock.sleep(_FORGETTING)


def keystone_of(settings: Settings, clock: Clock, identity: Identity) -> Keystone:
    """Who says whose a token is, where it is not Fairlead itself."""
    chosen = settings.keystone
    access = KeystoneAccess(
        auth_url=chosen.auth_url,
        username=chosen.username,
        password=chosen.password,
        user_domain=chosen.user_domain,
        project=chosen.project,
        project_domain=chosen.project_domain,
        application_credential_id=chosen.application_credential_id,
        application_credential_secret=chosen.application_credential_secret,
        ca=chosen.ca,
        insecure=chosen.insecure,
        timeout=chosen.timeout,
    )
    return Keystone(access, clock, identity.ensure_project, cache=chosen.cache)


def package_storage(settings: Settings) -> PackageStorage:
    """Where packages are kept."""
    chosen = settings.packages
    if chosen.storage == "local":
        return LocalStorage(settings.data)
    access = S3Access(
        bucket=chosen.s3_bucket or "",
        prefix=chosen.s3_prefix,
        endpoint=chosen.s3_endpoint,
        region=chosen.s3_region,
        access_key=chosen.s3_access_key,
        secret_key=chosen.s3_secret_key,
    )
    return S3Storage(settings.data, access)


def _package_uses(tx: Tx, package: str) -> list[str]:
    """The instances and open operations that use a package."""
    rows = tx.all(tx.select(vnf_instances, vnf_instances.c.id).where(vnf_instances.c.package == package))
    used = [f"VNF instance {row.id}" for row in rows]
    names = sa.cast(operations.c.packages, sa.Text).contains(package)
    named = tx.select(operations, operations.c.id).where(operations.c.open.is_(True), names)
    used += [f"operation {row.id}" for row in tx.all(named)]
    return used


def deployment_id(store: Store) -> str:
    """This installation's id, which everything that it makes in a VIM carries; chosen once, at the first start."""

    def choose(tx: Tx) -> str:
        known = tx.scalar(tx.select(installation, installation.c.value).where(installation.c.name == "deployment"))
        if known is not None:
            return str(known)
        chosen = secrets.token_hex(6)
        tx.insert(installation, name="deployment", value=chosen)
        return chosen

    try:
        return store.write_now(choose)
    except sa.exc.IntegrityError:
        return store.write_now(choose)  # Another process of this installation has chosen at the same moment.
