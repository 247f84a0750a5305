"""Appending to the event log, reading it, following it, and forgetting what is old.

Appending is part of the caller's transaction, so an event exists exactly when the change it tells of does. Following
costs one reader per process, however many follow (`following.py`).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from weakref import WeakSet

import sqlalchemy as sa

from fairlead.clock import Clock, SystemClock
from fairlead.events.event import Event
from fairlead.events.following import Follower, Stretch, Tail, Wanted
from fairlead.events.settled import announce, settled
from fairlead.events.tables import events
from fairlead.store import Store, Tx

__all__ = ["EventLog"]

_TYPE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+")
_PAGE = 500
_PRUNED_AT_ONCE = 1000


class EventLog:
    """The event log of the installation. `poll` is how often, in seconds, other processes' events are looked for."""

    def __init__(self, store: Store, clock: Clock | None = None, *, poll: float = 0.5) -> None:
        self._store = store
        self._clock = clock or SystemClock()
        self._poll = poll
        self._announced: WeakSet[Tx] = WeakSet()
        self._settled = 0
        self._tail: Tail | None = None

    def append(
        self,
        tx: Tx,
        *,
        project: str,
        type: str,
        subject: str,
        operation: str | None = None,
        resource: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one event in `tx`; it becomes visible when `tx` is committed, and wakes the followers then."""
        if not _TYPE.fullmatch(type):
            raise ValueError(f"an event's type is dotted lower-case words, not {type!r}")
        if tx not in self._announced:
            announce(tx)
            tx.after_commit(self._committed)
            self._announced.add(tx)
        tx.insert(
            events,
            time=self._clock.now(),
            project=project,
            type=type,
            subject=subject,
            operation=operation,
            resource=resource,
            data=dict(data or {}),
        )

    async def read(
        self,
        project: str | None,
        after: int = 0,
        limit: int = 100,
        *,
        subject: str | None = None,
        operation: str | None = None,
    ) -> list[Event]:
        """At most `limit` events with ids above `after`, in order; of all projects when `project` is None."""
        return (await self._stretch(Wanted(project, subject, operation), after, limit)).events

    async def latest(self) -> int:
        """The id to follow from in order to see only what happens from now on."""
        return (await self._stretch(Wanted(), None, 0)).seen

    async def follow(
        self,
        project: str | None,
        after: int | None = None,
        *,
        subject: str | None = None,
        operation: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """All events with ids above `after`, in order, then new ones as they come, without end.

        With `after` None it begins with what happens from now on. Raises what reading the database raises, but for
        StoreUnavailable: then it waits.
        """
        source = self.follow_with_pauses(project, after, subject=subject, operation=operation, pause=None)
        async with contextlib.aclosing(source):
            async for event in source:
                if event is not None:
                    yield event

    async def follow_with_pauses(
        self,
        project: str | None,
        after: int | None = None,
        *,
        subject: str | None = None,
        operation: str | None = None,
        pause: float | None,
    ) -> AsyncGenerator[Event | None, None]:
        """As `follow`, and None whenever nothing has come for `pause` seconds of real time: for keeping a line open."""
        wanted = Wanted(project, subject, operation)
        follower = Follower(wanted)
        tail = self._running_tail()
        await tail.join(follower)
        try:
            position = follower.start if after is None else after
            while True:
                while position < follower.start:
                    stretch = await self._stretch(wanted, position, _PAGE)
                    for event in stretch.events:
                        yield event
                    position = stretch.seen
                batch = await follower.take(pause)
                if batch is None:
                    tail.resume(follower)
                elif not batch:
                    yield None
                else:
                    for event in batch:
                        if event.id > position:
                            position = event.id
                            yield event
        finally:
            tail.leave(follower)

    async def prune(self, older_than: float) -> int:
        """Delete the events from before `older_than` (seconds since the epoch); how many they were.

        Ids follow time but for seconds at most, so it deletes from the first up to one that is young enough, in many
        small transactions, so that nobody waits for it.
        """

        def boundary(tx: Tx) -> int:
            young = sa.select(sa.func.min(events.c.id)).where(events.c.time >= older_than)
            every = sa.select(sa.func.max(events.c.id) + 1)
            return int(tx.scalar(young) or tx.scalar(every) or 0)

        before = await self._store.read(boundary)

        def delete(tx: Tx) -> int:
            oldest = sa.select(events.c.id).where(events.c.id < before).order_by(events.c.id).limit(_PRUNED_AT_ONCE)
            return tx.run(tx.delete(events).where(events.c.id.in_(oldest)))

        pruned = 0
        while count := await self._store.write(delete):
            pruned += count
        return pruned

    async def _stretch(self, wanted: Wanted, after: int | None, limit: int) -> Stretch:
        """The part of the log after `after`, or after its end, that is `wanted`; no further than it is settled."""

        def work(tx: Tx) -> tuple[Stretch, int]:
            end, held = settled(tx)
            # A writer may announce a lower id than it is going to get, but what was settled once stays so.
            end = max(end, self._settled)
            start = end if after is None else after
            if limit == 0 or end <= start:
                return Stretch([], max(start, end), held), end
            statement = tx.select(events).where(events.c.id > start, events.c.id <= end)
            for column, value in wanted._asdict().items():
                if value is not None:
                    statement = statement.where(events.c[column] == value)
            found = [Event(**row._mapping) for row in tx.all(statement.order_by(events.c.id).limit(limit))]
            return Stretch(found, found[-1].id if len(found) == limit else end, held), end

        stretch, end = await self._store.read(work, wanted.project)
        self._settled = max(self._settled, end)
        return stretch

    def _running_tail(self) -> Tail:
        if self._tail is None or not self._tail.belongs_here():
            self._tail = Tail(lambda after: self._stretch(Wanted(), after, _PAGE), self._clock, self._poll)
        return self._tail

    def _committed(self) -> None:
        if self._tail is not None:
            self._tail.nudge()
