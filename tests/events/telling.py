"""Delivery as one process has it, and as a process of its own that can be killed.

python -m tests.events.telling URL KEYS
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from fairlead.clock import Clock, SystemClock
from fairlead.events import Callbacks, Delivery, Event, EventLog, Interface, Subscription, Subscriptions
from fairlead.events.delivery import Claim
from fairlead.packages import DatabaseClaims
from fairlead.secrets import Vault, load_keyring
from fairlead.store import Store
from fairlead.targets import networks

__all__ = ["PROJECT", "Free", "Telling"]

PROJECT = "acme"
LOOPBACK = networks("127.0.0.0/8", "test")


class Told(msgspec.Struct, frozen=True):
    id: int
    subject: str
    to: str


def notification(event: Event, subscription: Subscription) -> Told | None:
    wanted = (subscription.filter or {}).get("subjects")
    return Told(event.id, event.subject, subscription.id) if wanted is None or event.subject in wanted else None


def anything(_filter: Mapping[str, Any] | None) -> None:
    pass


class Free:
    """Claims that one at a time has, among those who share this; like a lock in the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take_over(self, _name: str) -> Claim | None:
        return self._lock if self._lock.acquire(blocking=False) else None


class Telling:
    """A process that subscribes and delivers; `keys` is where its master key is."""

    def __init__(
        self, store: Store, keys: Path, *, clock: Clock | None = None, claims: Any = None, patience: float = 86_400.0
    ) -> None:
        self.store = store
        self.clock = clock or SystemClock()
        self.events = EventLog(store, self.clock, poll=0.05)
        vault = Vault(store, load_keyring(keys))
        callbacks = Callbacks(LOOPBACK)
        interface = Interface(
            name="test.v1", prefix="/test/v1", version="1.0.0", check=anything, notification=notification
        )
        self.subscriptions = Subscriptions(store, self.clock, vault, callbacks, [interface])
        self.delivery = Delivery(
            store,
            self.events,
            self.clock,
            vault,
            callbacks,
            self.subscriptions.interfaces,
            claims or Free(),
            patience=patience,
        )

    async def subscribe(self, url: str, filter: dict[str, Any] | None = None, authentication: Any = None) -> str:
        id, _ = await self.subscriptions.create(PROJECT, "test.v1", "http://here", url, filter, authentication)
        return id

    async def happen(self, *subjects: str, project: str = PROJECT) -> None:
        for subject in subjects:
            await self.store.write(
                lambda tx, s=subject: self.events.append(tx, project=project, type="thing.done", subject=s)  # type: ignore[misc]
            )


if __name__ == "__main__":
    _, url, directory = sys.argv
    opened = Store(url)
    among = Free() if opened.sqlite else DatabaseClaims(opened.url, settling=0.3)
    asyncio.run(Telling(opened, Path(directory), claims=among).delivery.follow())
