"""The registered VIMs. Credentials are not here: the row names a secret by its keyed digest."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import Document, owned_table

__all__ = ["vims"]

vims = owned_table(
    "vims",
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False, default=""),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False, default=False),
    sa.Column("default", sa.Boolean, nullable=False, default=False),
    sa.Column("interface", Document, nullable=False),
    sa.Column("settings", Document, nullable=False),
    sa.Column("credentials", sa.String(128)),
    sa.Column("version", sa.Integer, nullable=False, default=1),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.UniqueConstraint("project", "name"),
)
