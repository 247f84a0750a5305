"""What is in a simulated VIM: a small SQLite file, outside of Fairlead's own database and of its transactions.

It is the peer that crash tests compare Fairlead's records with, so it must not lose or undo anything that was accepted: every
call is one transaction, committed at once, which no other process's call can come between. Losing power may lose the last
moments; killing processes may not.
"""

from __future__ import annotations

import ipaddress
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Thing", "World", "used_by"]

_worlds: dict[str, World] = {}


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the VIM. `fate` is what becomes of it at `due`: ready, failed, gone or stuck."""

    handle: str
    sort: str
    tag: dict[str, str]
    spec: dict[str, Any]
    outputs: dict[str, Any]
    created: float
    due: float
    fate: str = "ready"
    detail: str = ""
    version: int = 0


class World:
    """The things of one simulated VIM, and how often each fault has happened."""

    def __init__(self, path: str | None) -> None:
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS things (handle TEXT PRIMARY KEY, sort TEXT, incarnation TEXT, cpus REAL,"
            " ends REAL, body BLOB)"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS by_incarnation ON things (incarnation)")
        self._db.execute("CREATE INDEX IF NOT EXISTS by_sort ON things (sort)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS uses (used TEXT, user TEXT, PRIMARY KEY (used, user)) WITHOUT ROWID"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS by_user ON uses (user)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS addresses (network TEXT, address TEXT, port TEXT, PRIMARY KEY (network, address))"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER)")

    @classmethod
    def at(cls, path: str | None, vim: str) -> World:
        """The world in the file `path`; without one, that of the VIM `vim` in this process."""
        key = path or f"memory:{vim}"
        if key not in _worlds:
            _worlds[key] = cls(path)
        return _worlds[key]

    @classmethod
    def forget_all(cls) -> None:
        """Let go of every world of this process (a child after a fork must open its own)."""
        _worlds.clear()

    @contextmanager
    def call(self) -> Iterator[None]:
        """All that is read and written within is one transaction; what raises undoes it."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def put(self, thing: Thing) -> None:
        """Write `thing`, new or changed, with what it uses and the addresses that it holds."""
        with self.call():
            self._put(thing)

    def _put(self, thing: Thing) -> None:
        self._db.execute("DELETE FROM uses WHERE user = ?", (thing.handle,))
        self._db.execute("DELETE FROM addresses WHERE port = ?", (thing.handle,))
        for used in used_by(thing.sort, thing.spec):
            self._db.execute("INSERT OR IGNORE INTO uses VALUES (?, ?)", (used, thing.handle))
        for address in thing.outputs.get("addresses", ()):
            self._db.execute(
                "INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)", (thing.spec["network"], address, thing.handle)
            )
        self._db.execute(
            "INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?)",
            (
                thing.handle,
                thing.sort,
                thing.tag.get("incarnation"),
                thing.spec.get("cpus", 0.0),
                thing.due if thing.fate == "gone" else None,
                msgspec.json.encode(thing),
            ),
        )

    def get(self, handle: str) -> Thing | None:
        """The thing called `handle`."""
        row = self._db.execute("SELECT body FROM things WHERE handle = ?", (handle,)).fetchone()
        return msgspec.json.decode(row[0], type=Thing) if row else None

    def remove(self, handle: str) -> None:
        """Take it out of the world."""
        with self.call():
            self._db.execute("DELETE FROM things WHERE handle = ?", (handle,))
            self._db.execute("DELETE FROM uses WHERE user = ?", (handle,))
            self._db.execute("DELETE FROM addresses WHERE port = ?", (handle,))

    def users(self, handle: str) -> list[str]:
        """The handles of what uses it."""
        return [row[0] for row in self._db.execute("SELECT user FROM uses WHERE used = ?", (handle,))]

    def holder(self, network: str, address: str) -> str | None:
        """The port that holds `address` on `network`."""
        query = "SELECT port FROM addresses WHERE network = ? AND address = ?"
        row = self._db.execute(query, (network, address)).fetchone()
        return str(row[0]) if row else None

    def used_cpus(self, now: float) -> float:
        """Cores in use by computes at `now`."""
        query = "SELECT coalesce(sum(cpus), 0) FROM things WHERE sort = 'compute' AND (ends IS NULL OR ends > ?)"
        return float(self._db.execute(query, (now,)).fetchone()[0])

    def all(self, sort: str | None = None) -> list[Thing]:
        """Everything, or all of one sort."""
        query, values = (
            ("SELECT body FROM things", ()) if sort is None else ("SELECT body FROM things WHERE sort = ?", (sort,))
        )
        return [msgspec.json.decode(row[0], type=Thing) for row in self._db.execute(query, values)]

    def by_incarnation(self, incarnation: str) -> list[Thing]:
        """What carries this incarnation: one thing, unless somebody made two."""
        rows = self._db.execute("SELECT body FROM things WHERE incarnation = ?", (incarnation,))
        return [msgspec.json.decode(row[0], type=Thing) for row in rows]

    def number(self, sort: str, now: float) -> int:
        """How many there are of one sort at `now`."""
        query = "SELECT count(*) FROM things WHERE sort = ? AND (ends IS NULL OR ends > ?)"
        return int(self._db.execute(query, (sort, now)).fetchone()[0])

    def count(self, name: str) -> int:
        """Add one to the counter `name` and return what it was before."""
        with self.call():
            self._db.execute(
                "INSERT INTO counts VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (name,)
            )
            return int(self._db.execute("SELECT value FROM counts WHERE name = ?", (name,)).fetchone()[0]) - 1

    def free_address(self, network: Thing) -> tuple[str, ...]:
        """One address for each subnet of `network` that no port has yet."""
        query = "SELECT address FROM addresses WHERE network = ?"
        taken = {row[0] for row in self._db.execute(query, (network.handle,))}
        chosen = []
        for subnet in network.spec.get("subnets", ()):
            for address in _candidates(subnet):
                if address not in taken and address != subnet.get("gateway"):
                    chosen.append(address)
                    break
        return tuple(chosen)


_ONE = ("network", "image", "qos", "router", "port")
_MANY = ("ports", "groups", "security_groups", "trunks")


def used_by(sort: str, spec: dict[str, Any]) -> set[str]:
    """The handles that a thing refers to. The networks of floating IPs are the VIM's own, and called by name."""
    used = {spec.get(field) for field in _ONE if not (sort == "floating-ip" and field == "network")}
    used |= {handle for field in _MANY for handle in spec.get(field, ())}
    used |= {attached["volume"] for attached in spec.get("volumes", ())}
    used |= {within["port"] for within in spec.get("subports", ())}
    return {str(handle) for handle in used if handle}


def _candidates(subnet: dict[str, Any]) -> Any:
    """Addresses of a subnet's pools, or of all of it, in order; at most 4096."""
    if subnet.get("pools"):
        for first, last in subnet["pools"]:
            start, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
            for number in range(int(start), min(int(end), int(start) + 4095) + 1):
                yield str(ipaddress.ip_address(number))
        return
    for count, host in enumerate(ipaddress.ip_network(subnet["cidr"]).hosts()):
        if count >= 4096:
            return
        yield str(host)
