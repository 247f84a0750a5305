"""The table of sealed values: each belongs to an owner (an instance, a VIM) and is found by its digest."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import owned_table

__all__ = ["secrets"]

secrets = owned_table(
    "secrets",
    sa.Column("owner", sa.String(255), primary_key=True),
    sa.Column("digest", sa.String(80), primary_key=True),
    sa.Column("key", sa.String(16), nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
)
