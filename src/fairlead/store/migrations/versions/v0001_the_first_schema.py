"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

document = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("operation", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=512), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("operation", "action", name=op.f("pk_actions")),
    )
    op.create_table(
        "clients",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("roles", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clients_project"), ["project"], unique=False)

    op.create_table(
        "events",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=True),
        sa.Column("resource", sa.String(length=255), nullable=True),
        sa.Column("data", document, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_operation_id"), ["operation", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_project"), ["project"], unique=False)
        batch_op.create_index(batch_op.f("ix_events_subject_id"), ["subject", "id"], unique=False)

    op.create_table(
        "installation",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
    op.create_table(
        "operations",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("parent", sa.String(length=36), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("cancel", sa.String(length=16), nullable=True),
        sa.Column("expected_plan", sa.String(length=80), nullable=True),
        sa.Column("request", document, nullable=False),
        sa.Column("target", document, nullable=True),
        sa.Column("before", document, nullable=True),
        sa.Column("packages", document, nullable=False),
        sa.Column("error", document, nullable=True),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("entered", sa.Float(), nullable=False),
        sa.Column("view", sa.Text(), nullable=True),
        sa.Column("full", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
    )
    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.create_index("ix_operations_listing", ["project", "id", "state", "subject"], unique=False)
        batch_op.create_index(batch_op.f("ix_operations_parent"), ["parent"], unique=False)
        batch_op.create_index(batch_op.f("ix_operations_project"), ["project"], unique=False)
        batch_op.create_index(batch_op.f("ix_operations_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_operations_subject"), ["subject"], unique=False)
        batch_op.create_index(batch_op.f("ix_operations_worker"), ["worker"], unique=False)
        batch_op.create_index(
            "ux_operations_open",
            ["subject"],
            unique=True,
            sqlite_where=sa.text("open IS 1"),
            postgresql_where=sa.text("open IS true"),
        )

    op.create_table(
        "package_contents",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_package_contents")),
    )
    op.create_table(
        "package_removals",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("digests", document, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_package_removals")),
    )
    op.create_table(
        "packages",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("vnfd_id", sa.String(length=255), nullable=True),
        sa.Column("onboarding", sa.String(length=16), nullable=False),
        sa.Column("operational", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("incoming", sa.String(length=32), nullable=True),
        sa.Column("fetching", sa.Boolean(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("uploaded", sa.Float(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("checksum", sa.String(length=64), nullable=True),
        sa.Column("failure", document, nullable=True),
        sa.Column("user_data", document, nullable=False),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("full", sa.Text(), nullable=False),
        sa.Column("described", document, nullable=True),
        sa.Column("digests", document, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packages")),
        sa.UniqueConstraint("project", "vnfd_id", name=op.f("uq_packages_project_vnfd_id")),
    )
    with op.batch_alter_table("packages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_packages_project"), ["project"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_packages_project_id_vnfd_id_onboarding_operational"),
            ["project", "id", "vnfd_id", "onboarding", "operational"],
            unique=False,
        )

    op.create_table(
        "projects",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_projects")),
    )
    op.create_table(
        "resources",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("sort", sa.String(length=64), nullable=False),
        sa.Column("vim", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("document", document, nullable=False),
        sa.Column("handle", sa.String(length=512), nullable=True),
        sa.Column("outputs", document, nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("pool", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("incarnation", "owner", name=op.f("pk_resources")),
    )
    with op.batch_alter_table("resources", schema=None) as batch_op:
        batch_op.create_index("ix_resources_owner_name", ["owner", "name"], unique=False)
        batch_op.create_index(batch_op.f("ix_resources_project"), ["project"], unique=False)
        batch_op.create_index(batch_op.f("ix_resources_vim"), ["vim"], unique=False)

    op.create_table(
        "secrets",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest", name=op.f("pk_secrets")),
    )
    with op.batch_alter_table("secrets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_secrets_project"), ["project"], unique=False)

    op.create_table(
        "shared_resources",
        sa.Column("vim", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("creator", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("handle", sa.String(length=512), nullable=True),
        sa.Column("since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("vim", "key", name=op.f("pk_shared_resources")),
    )
    op.create_table(
        "shared_uses",
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("incarnation", "owner", "name", name=op.f("pk_shared_uses")),
    )
    op.create_table(
        "steps",
        sa.Column("operation", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=512), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=True),
        sa.Column("does", sa.String(length=16), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("deadline", sa.Float(), nullable=False),
        sa.Column("accepted", sa.Float(), nullable=True),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("ended", sa.Float(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("error", document, nullable=True),
        sa.PrimaryKeyConstraint("operation", "attempt", "step", name=op.f("pk_steps")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("interface", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("filter", document, nullable=True),
        sa.Column("authentication", document, nullable=True),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("project", "interface", "digest", name=op.f("uq_subscriptions_project_interface_digest")),
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscriptions_project"), ["project"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_subscriptions_project_id_interface"), ["project", "id", "interface"], unique=False
        )

    op.create_table(
        "vims",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("default", sa.Boolean(), nullable=False),
        sa.Column("interface", document, nullable=False),
        sa.Column("settings", document, nullable=False),
        sa.Column("credentials", sa.String(length=128), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("updated", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vims")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_vims_project_name")),
    )
    with op.batch_alter_table("vims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vims_project"), ["project"], unique=False)

    op.create_table(
        "vnf_instances",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("vnfd_id", sa.String(length=255), nullable=False),
        sa.Column("package", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("document", document, nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("full", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vnf_instances")),
    )
    with op.batch_alter_table("vnf_instances", schema=None) as batch_op:
        batch_op.create_index("ix_vnf_instances_listing", ["project", "id", "name", "vnfd_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_vnf_instances_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_vnf_instances_package"), ["package"], unique=False)
        batch_op.create_index(batch_op.f("ix_vnf_instances_project"), ["project"], unique=False)
        batch_op.create_index(batch_op.f("ix_vnf_instances_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_vnf_instances_vnfd_id"), ["vnfd_id"], unique=False)

    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("lock", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "tokens",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("roles", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=True),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["client"], ["clients.id"], name=op.f("fk_tokens_client_clients"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_client"), ["client"], unique=False)
        batch_op.create_index(batch_op.f("ix_tokens_project"), ["project"], unique=False)
