"""The tables of the event log and of those who have subscribed to it."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import Document, owned_table

__all__ = ["events", "subscriptions"]

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

subscriptions = owned_table(
    "subscriptions",
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("interface", sa.String(32), nullable=False),
    # The digest of callback and filter, so that there is no second one that is equal.
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("callback", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("filter", Document),
    # Without what is secret in it, which lies in the vault.
    sa.Column("authentication", Document),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("view", sa.Text, nullable=False),
    sa.UniqueConstraint("project", "interface", "digest"),
    sa.Index(None, "project", "id", "interface"),
)
