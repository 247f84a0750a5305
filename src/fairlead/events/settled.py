"""How far the log may be read: up to the oldest writer that is still open.

On PostgreSQL a row gets its id when it is inserted and becomes visible when its transaction commits, so 6 can be there
before 5 is; a reader that had gone on to 6 would never see 5. So a transaction that appends first takes a shared
advisory lock whose key is the last id given out: all its own ids are higher. PostgreSQL frees the lock just after the
commit has become visible. A reader takes the highest visible id, then looks at the locks, and goes no further than
the lowest of them; then it reads.

The usual other way, storing the transaction's id with the row and comparing it with `pg_snapshot_xmin`, was not taken:
the order of transaction ids is not that of the rows' ids; any long transaction of any database of the server would
hold all streams back; and a dump restored into a new server carries transaction ids that this one has yet to reach.
SQLite has one writer at a time, so its ids are in order by themselves.
"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import Tx

__all__ = ["announce", "settled"]

_MARK = 0x4641
"""The upper 16 bits of our lock keys; the lower 48 are the id."""

# Plain table clauses: these look at ids only, of all projects, also within one project's transaction.
_events = sa.table("events", sa.column("id", sa.BigInteger))
_sequence = sa.table("events_id_seq", sa.column("last_value", sa.BigInteger), sa.column("is_called", sa.Boolean))
_locks = sa.table(
    "pg_locks",
    *(sa.column(name) for name in ("locktype", "database", "classid", "objid", "objsubid")),
    schema="pg_catalog",
)
_databases = sa.table("pg_database", sa.column("oid"), sa.column("datname"), schema="pg_catalog")


def announce(tx: Tx) -> None:
    """Say that `tx` is going to append: to be called before its first row gets an id."""
    if tx.dialect != "postgresql":
        return
    last = sa.case((_sequence.c.is_called, _sequence.c.last_value), else_=_sequence.c.last_value - 1)
    key = last.bitwise_or(sa.literal(_MARK << 48, sa.BigInteger))
    tx.all(sa.select(sa.func.pg_advisory_xact_lock_shared(key)).select_from(_sequence))


def settled(tx: Tx) -> tuple[int, bool]:
    """The id up to which nothing can appear any more, and whether an open writer holds later rows back.

    What is read up to that id must be read by a later statement of the same READ COMMITTED transaction: each statement
    of it sees what was committed when it began.
    """
    newest = sa.select(sa.func.max(_events.c.id)).scalar_subquery()
    if tx.dialect != "postgresql":
        return int(tx.scalar(sa.select(newest)) or 0), False
    high, low = sa.cast(_locks.c.classid, sa.BigInteger), sa.cast(_locks.c.objid, sa.BigInteger)
    here = sa.select(_databases.c.oid).where(_databases.c.datname == sa.func.current_database()).scalar_subquery()
    oldest = (
        sa.select(sa.func.min(high.bitwise_and(0xFFFF).bitwise_lshift(sa.literal(32, sa.Integer)).bitwise_or(low)))
        .where(_locks.c.locktype == "advisory", _locks.c.objsubid == 1, _locks.c.database == here)
        .where(high.bitwise_rshift(sa.literal(16, sa.Integer)) == _MARK)
        .scalar_subquery()
    )
    # One statement: its snapshot is taken first, the locks are looked at after that.
    top, fence = tx.first(sa.select(newest, oldest))
    top = int(top or 0)
    return (top, False) if fence is None or fence >= top else (int(fence), True)
