"""The tables of the catalogue: the packages, their contents, and the files that have yet to be removed.

What the storage keeps has a key that is made up for each upload and never used again. A content is one such file with
the number of packages that have it: packages with the same digest, of whichever project, share one. A removal is written
in the transaction that makes a file superfluous and struck out once the file is gone, so a crash between the two leaves
neither a file that nobody knows nor a row without its file. Nothing is ever deleted because no row names it: a data
directory next to a fresh database keeps its files.
"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import Document, owned_table, table

__all__ = ["contents", "packages", "removals"]

packages = owned_table(
    "packages",
    sa.Column("id", sa.String(36), primary_key=True),
    # Set while the package is onboarded, so that the constraint below is of onboarded packages.
    sa.Column("vnfd_id", sa.String(255)),
    sa.Column("onboarding", sa.String(16), nullable=False),
    sa.Column("operational", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    # The key of the upload that is under way, and whether it is fetched from a URI.
    sa.Column("incoming", sa.String(32)),
    sa.Column("fetching", sa.Boolean, nullable=False, default=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("uploaded", sa.Float),
    sa.Column("size", sa.BigInteger),
    sa.Column("checksum", sa.String(64)),
    sa.Column("failure", Document),
    sa.Column("user_data", Document, nullable=False),
    sa.Column("schema", sa.Integer, nullable=False),
    sa.Column("view", sa.Text, nullable=False),
    sa.Column("full", sa.Text, nullable=False),
    sa.Column("described", Document),
    sa.Column("digests", Document),
    sa.UniqueConstraint("project", "vnfd_id"),
    sa.Index(None, "project", "id", "vnfd_id", "onboarding", "operational"),
)

contents = table(
    "package_contents",
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("key", sa.String(32), nullable=False),
    sa.Column("users", sa.Integer, nullable=False),
)

removals = table(
    "package_removals",
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("digests", Document, nullable=False),
)
