"""A commit whose answer was lost: did it happen?

When a connection breaks while PostgreSQL commits, the transaction may have taken effect, so running it again could do the
same thing twice. PostgreSQL remembers what became of a transaction id; the next attempt asks for it first. The
price is one short statement before each commit. Where the id is not known any more, because another server took over
that had not yet heard of the transaction, it has not happened there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from fairlead.errors import StoreUnavailable
from fairlead.store.transactions import Tx

__all__ = ["CertainCommit"]

T = TypeVar("T")
_STILL_OPEN = 10.0
"""Seconds to wait for a transaction that has lost its client and not ended."""


class _Lost(NamedTuple, Generic[T]):
    transaction: str
    tx: Tx
    result: T


class CertainCommit(Generic[T]):
    """One transaction on PostgreSQL that takes effect once, however often `attempt` has to be called."""

    def __init__(self, engine: sa.Engine, work: Callable[[Tx], T], project: str | None) -> None:
        self._engine = engine
        self._work = work
        self._project = project
        self._lost: _Lost[T] | None = None

    def attempt(self) -> T:
        """Run and commit it, unless an earlier attempt turns out to have been committed. Raises what the driver raises."""
        with self._engine.connect() as connection:
            if self._lost is not None:
                if self._happened(connection, self._lost.transaction):
                    self._lost.tx.committed()
                    return self._lost.result
                self._lost = None
                connection.rollback()
            tx = Tx(connection, self._project)
            result = self._work(tx)
            transaction = connection.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()::text").scalar()
            try:
                connection.commit()
            except sa.exc.DBAPIError:
                if transaction is not None:
                    self._lost = _Lost(transaction, tx, result)
                raise
        tx.committed()
        return result

    def _happened(self, connection: sa.Connection, transaction: str) -> bool:
        """Whether `transaction` was committed; waits a little for one that has not ended yet."""
        status = sa.text("SELECT pg_xact_status(CAST(:transaction AS xid8))")
        give_up = time.monotonic() + _STILL_OPEN
        while True:
            try:
                found = connection.scalar(status, {"transaction": transaction})
            except sa.exc.DataError:
                return False
            if found != "in progress":
                return bool(found == "committed")
            if time.monotonic() > give_up:
                raise StoreUnavailable(
                    "The connection to the database broke during a commit, and the database has not ended it yet.",
                    remedy="Try again in a while; the change may turn out to have been made.",
                )
            time.sleep(0.05)
