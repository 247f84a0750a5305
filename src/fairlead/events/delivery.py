"""Delivering notifications: at least once, in the order of the log, and no subscriber waits for another.

Each subscriber has a task of its own, which follows the log from the subscription's cursor and moves the cursor on once a
notification has been taken. So a process that dies between the two sends that one again, under the same id, and none is left
out. A subscriber that does not take it is tried again with growing pauses until the event is older than `patience`; the
next one has its turn then.

One process of an installation does this for all, the one that holds the claim. Should two of them take themselves for that
one, as when the database came back after a break, the cursor tells: it is moved only from where its mover knew it to be,
and who finds it moved stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec
import structlog

from fairlead.clock import Clock
from fairlead.errors import FairleadError, StoreUnavailable
from fairlead.events.callbacks import Callbacks, Credentials, opened
from fairlead.events.event import Event
from fairlead.events.log import EventLog
from fairlead.events.subscribing import Interface, Secrets, Subscription, owner_of
from fairlead.events.tables import subscriptions
from fairlead.sol import encode
from fairlead.store import Store, Tx

__all__ = ["Claim", "Claims", "Delivery"]

log = structlog.get_logger()
_CLAIM: Final = "notifications"
_LOOK: Final = 1.0
"""Seconds between looks for new and deleted subscriptions, and for the claim."""
_SHORTEST, _LONGEST = 1.0, 300.0
"""Seconds before a notification is tried again: the first time, and at most."""
_SKIPPED: Final = 500
"""Events that nobody asked for after which the cursor is moved all the same, so that they are not read again."""
_COLUMNS = tuple(subscriptions.c[name] for name in Subscription.__struct_fields__)


class Claim(Protocol):
    """A claim that is held."""

    def release(self) -> None: ...


class Claims(Protocol):
    """Who among the processes of the installation may do something. The calls block."""

    def take_over(self, name: str, /) -> Claim | None: ...


class Delivery:
    """Tells subscribers. `patience` is in seconds."""

    def __init__(
        self,
        store: Store,
        events: EventLog,
        clock: Clock,
        secrets: Secrets,
        callbacks: Callbacks,
        interfaces: Mapping[str, Interface],
        claims: Claims,
        *,
        patience: float = 86_400.0,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._secrets = secrets
        self._callbacks = callbacks
        self._interfaces = interfaces
        self._claims = claims
        self._patience = patience

    async def follow(self) -> None:
        """Deliver, without end, whenever no other process does."""
        while True:
            claim = None
            try:
                claim = await asyncio.to_thread(self._claims.take_over, _CLAIM)
                if claim is not None:
                    await self._deliver()
            except StoreUnavailable as error:
                log.warning("notifications.waiting", cause=error.cause)
            except Exception as error:
                log.error("notifications.failed", exc_info=error)
            finally:
                if claim is not None:
                    claim.release()
            await self._clock.sleep(_LOOK)

    async def _deliver(self) -> None:
        """Serve every subscription; returns when another process turns out to do it as well."""
        serving: dict[str, asyncio.Task[bool]] = {}
        try:
            while True:
                present = await self._store.read(lambda tx: {row.id for row in tx.find_all(subscriptions, _COLUMNS[0])})
                for id in serving.keys() - present:
                    serving.pop(id).cancel()
                for id in present - serving.keys():
                    serving[id] = asyncio.create_task(self._serve(id), name=f"subscription {id}")
                await self._clock.sleep(_LOOK)
                for id, task in list(serving.items()):
                    if task.done() and not self._goes_on(id, task):
                        return
                    if task.done():
                        del serving[id]
        finally:
            for task in serving.values():
                task.cancel()
            await asyncio.gather(*serving.values(), return_exceptions=True)

    def _goes_on(self, id: str, task: asyncio.Task[bool]) -> bool:
        """Whether the end of one subscriber's task is no reason to stop the others."""
        error = task.exception()
        if error is not None:
            log.error("subscription.failed", subscription=id, exc_info=error)
            return True
        return task.result()

    async def _serve(self, id: str) -> bool:
        """Deliver to one subscriber; returns whether the subscription ended (True) or was served by somebody else."""
        subscription = await self._load(id)
        if subscription is None:
            return True
        interface = self._interfaces.get(subscription.interface)
        if interface is None:
            log.warning("subscription.unknown-interface", subscription=id, interface=subscription.interface)
            await asyncio.Event().wait()
            return True
        cursor, skipped = subscription.cursor, 0
        source = self._events.follow(subscription.project, cursor)
        async with contextlib.aclosing(source):
            async for event in source:
                notification = interface.notification(event, subscription)
                skipped += 1
                if notification is None and skipped < _SKIPPED:
                    continue
                if notification is not None and not await self._insist(subscription, interface, event, notification):
                    return True
                # Shielded: who stops in good order need not send again what has just been taken.
                if not await asyncio.shield(self._store.write(_moved(id, cursor, event.id))):
                    return await self._load(id) is None
                cursor, skipped = event.id, 0
        return True

    async def _insist(
        self, subscription: Subscription, interface: Interface, event: Event, notification: msgspec.Struct
    ) -> bool:
        """Send it until it is taken or too old; False when the subscription has ended meanwhile."""
        body, pause = encode(notification), _SHORTEST
        while True:
            if await self._load(subscription.id) is None:
                return False
            try:
                credentials = await self._credentials(subscription)
                await self._callbacks.send(subscription.callback, credentials, interface.version, body)
            except FairleadError as error:
                too_old = self._clock.now() - event.time > self._patience
                word = "notification.given-up" if too_old else "notification.not-taken"
                log.warning(word, subscription=subscription.id, event_id=event.id, code=error.code, cause=error.cause)
                await self._clock.sleep(pause * random.uniform(0.8, 1.0))
                if too_old:
                    return True
                pause = min(pause * 2, _LONGEST)
            else:
                return True

    async def _credentials(self, subscription: Subscription) -> Credentials:
        if subscription.authentication is None:
            return Credentials()
        return opened(subscription.authentication, await self._secrets.open(owner_of(subscription.id)))

    async def _load(self, id: str) -> Subscription | None:
        row = await self._store.read(lambda tx: tx.find(subscriptions, *_COLUMNS, id=id))
        return Subscription(**row._mapping) if row is not None else None


class _Moved(Protocol):
    def __call__(self, tx: Tx, /) -> bool: ...


def _moved(id: str, cursor: int, to: int) -> _Moved:
    """The transaction that moves a cursor from where it was left; False when it is not there."""

    def work(tx: Tx) -> bool:
        return tx.change(subscriptions, {"id": id, "cursor": cursor}, cursor=to) > 0

    return work
