"""What is in a simulated VIM: a small SQLite file, outside of Fairlead's own database and of its transactions.

It is the peer that crash tests compare Fairlead's records with, so it must not lose or undo anything that was accepted: every
change is committed at once. Losing power may lose the last moments; killing processes may not.
"""

from __future__ import annotations

import ipaddress
import sqlite3
import threading
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Thing", "World"]

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
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS things (handle TEXT PRIMARY KEY, sort TEXT, incarnation TEXT, owner TEXT, body BLOB)"
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

    def put(self, thing: Thing) -> None:
        """Write `thing`, new or changed, with what it uses and the addresses that it holds."""
        self._db.execute("DELETE FROM uses WHERE user = ?", (thing.handle,))
        for used in _used(thing):
            self._db.execute("INSERT OR IGNORE INTO uses VALUES (?, ?)", (used, thing.handle))
        for address in thing.outputs.get("addresses", ()):
            self._db.execute(
                "INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)", (thing.spec["network"], address, thing.handle)
            )
        self._db.execute(
            "INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?)",
            (
                thing.handle,
                thing.sort,
                thing.tag.get("incarnation"),
                thing.tag.get("owner"),
                msgspec.json.encode(thing),
            ),
        )

    def get(self, handle: str) -> Thing | None:
        """The thing called `handle`."""
        row = self._db.execute("SELECT body FROM things WHERE handle = ?", (handle,)).fetchone()
        return msgspec.json.decode(row[0], type=Thing) if row else None

    def remove(self, handle: str) -> None:
        """Take it out of the world."""
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

    def used_cpus(self) -> float:
        """Cores in use by computes."""
        query = "SELECT coalesce(sum(json_extract(body, '$.spec.cpus')), 0) FROM things WHERE sort = 'compute'"
        return float(self._db.execute(query).fetchone()[0])

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

    def number(self, sort: str) -> int:
        """How many there are of one sort."""
        return int(self._db.execute("SELECT count(*) FROM things WHERE sort = ?", (sort,)).fetchone()[0])

    def count(self, name: str) -> int:
        """Add one to the counter `name` and return what it was before."""
        with self._lock:
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


def _used(thing: Thing) -> set[str]:
    """The handles that a thing refers to."""
    spec = thing.spec
    used = {spec.get("network"), spec.get("image"), *spec.get("ports", ()), *spec.get("groups", ())}
    used |= {attached["volume"] for attached in spec.get("volumes", ())}
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
