"""The tables of operations: the operations themselves, the journal of their steps, and the record of resources.

`operations` has a unique index over the instance of open operations: two of one instance cannot be accepted, whoever
asks and wherever. `resources` is keyed by incarnation, so a former life and a new one under the same name stand beside
each other.
"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import Document, owned_table, table

__all__ = ["actions", "installation", "operations", "resources", "shared", "shared_uses", "steps", "workers"]

operations = owned_table(
    "operations",
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(36), nullable=False, index=True),
    sa.Column("state", sa.String(24), nullable=False, index=True),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False, default=0),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("worker", sa.String(64), index=True),
    sa.Column("parent", sa.String(36), index=True),
    sa.Column("depth", sa.Integer, nullable=False, default=0),
    sa.Column("automatic", sa.Boolean, nullable=False, default=False),
    sa.Column("cancel", sa.String(16)),
    sa.Column("expected_plan", sa.String(80)),
    sa.Column("request", Document, nullable=False),
    sa.Column("target", Document),
    sa.Column("before", Document),
    sa.Column("packages", Document, nullable=False),
    sa.Column("error", Document),
    sa.Column("schema", sa.Integer, nullable=False),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("entered", sa.Float, nullable=False),
    sa.Column("view", sa.Text),
    sa.Column("full", sa.Text),
)
sa.Index(
    "ux_operations_open",
    operations.c.subject,
    unique=True,
    sqlite_where=operations.c.open.is_(True),
    postgresql_where=operations.c.open.is_(True),
)
operations.info["dies_with_project"] = True
sa.Index("ix_operations_listing", operations.c.project, operations.c.id, operations.c.state, operations.c.subject)

steps = table(
    "steps",
    sa.Column("operation", sa.String(36), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("step", sa.String(512), primary_key=True),
    sa.Column("name", sa.String(512)),
    sa.Column("does", sa.String(16), nullable=False),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("deadline", sa.Float, nullable=False),
    sa.Column("accepted", sa.Float),
    sa.Column("progress", sa.Text),
    sa.Column("ended", sa.Float),
    sa.Column("outcome", sa.String(16)),
    sa.Column("error", Document),
)

resources = owned_table(
    "resources",
    sa.Column("incarnation", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(512), nullable=False),
    sa.Column("sort", sa.String(64), nullable=False),
    sa.Column("vim", sa.String(36), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("document", Document, nullable=False),
    sa.Column("handle", sa.String(512)),
    sa.Column("outputs", Document, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("pool", sa.String(36)),
    sa.Index("ix_resources_owner_name", "owner", "name"),
)

shared = table(
    "shared_resources",
    sa.Column("vim", sa.String(36), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("incarnation", sa.String(32), nullable=False),
    sa.Column("creator", sa.String(36)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("handle", sa.String(512)),
    sa.Column("since", sa.Float, nullable=False),
)

shared_uses = table(
    "shared_uses",
    sa.Column("incarnation", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(512), primary_key=True),
)

actions = table(
    "actions",
    sa.Column("operation", sa.String(36), primary_key=True),
    sa.Column("action", sa.String(512), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

workers = table(
    "workers",
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("lock", sa.BigInteger, nullable=False),
    sa.Column("started", sa.Float, nullable=False),
)

installation = table(
    "installation",
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
