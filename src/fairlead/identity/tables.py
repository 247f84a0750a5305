"""The tables of projects, OAuth2 clients and tokens.

An access token that a client was granted is a row of `tokens` like any other, with its client named: finding out who
calls is one lookup. Tokens, and clients, go with their project.
"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.store import owned_table, table

__all__ = ["clients", "projects", "tokens"]

projects = table(
    "projects",
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)

clients = owned_table(
    "clients",
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("roles", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)
clients.info["dies_with_project"] = True

tokens = owned_table(
    "tokens",
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("roles", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("client", sa.String(64), sa.ForeignKey("clients.id", ondelete="CASCADE"), index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("expires", sa.Float),
)
tokens.info["dies_with_project"] = True
