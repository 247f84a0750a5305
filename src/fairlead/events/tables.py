"""The table of the event log."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import Document, owned_table

__all__ = ["events"]

events = owned_table(
    "events",
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(255), nullable=False),
    sa.Column("operation", sa.String(64)),
    sa.Column("resource", sa.String(255)),
    sa.Column("data", Document, nullable=False),
    sa.Index(None, "subject", "id"),
    sa.Index(None, "operation", "id"),
    # Without this SQLite gives the id of a pruned newest row out again, and whoever had read up to it misses the new one.
    sqlite_autoincrement=True,
)
events.info["dies_with_project"] = True
