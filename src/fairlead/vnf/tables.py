"""VNF instances: the record as a document, the columns that filters use, and the two public views as JSON text."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import Document, owned_table

__all__ = ["vnf_instances"]

vnf_instances = owned_table(
    "vnf_instances",
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(255), index=True),
    sa.Column("vnfd_id", sa.String(255), nullable=False, index=True),
    sa.Column("package", sa.String(36), nullable=False, index=True),
    sa.Column("state", sa.String(24), nullable=False, index=True),
    sa.Column("document", Document, nullable=False),
    sa.Column("view", sa.Text, nullable=False),
    sa.Column("full", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)
sa.Index(
    "ix_vnf_instances_listing",
    vnf_instances.c.project,
    vnf_instances.c.id,
    vnf_instances.c.name,
    vnf_instances.c.vnfd_id,
    vnf_instances.c.state,
)
