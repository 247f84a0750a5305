"""What every room's tables have in common: one metadata, JSON documents, and the owner column.

Documents are JSON beside the indexed columns that filters and paging use. Points in time are seconds since the epoch, as
floating-point numbers. A table made by `owned_table` has a `project`, which the session of a request is bound to.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

__all__ = ["Document", "metadata", "owned_table", "table"]

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Document = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
"""The column type of a JSON document."""


def table(name: str, *columns: Any, **options: Any) -> sa.Table:
    """A table that belongs to the installation as a whole."""
    return sa.Table(name, metadata, *columns, **options)


def owned_table(name: str, *columns: Any, **options: Any) -> sa.Table:
    """A table each of whose rows belongs to a project."""
    owner = sa.Column("project", sa.String(64), nullable=False, index=True)
    made = sa.Table(name, metadata, owner, *columns, **options)
    made.info["owned"] = True
    return made
