"""Fresh databases for tests.

Each test on PostgreSQL gets a database of its own, copied from a template that has all tables: copying takes some ten
milliseconds, and nothing that one test leaves behind (rows, locks, tables of the execution engine) can reach the next.
"""

from __future__ import annotations

import os
import uuid

import psycopg
import sqlalchemy as sa
from psycopg import sql

from fairlead.store import Store, metadata, normalised_url
from fairlead.store.migrations import HEAD

__all__ = ["PostgresqlServer", "create_tables", "server_from_environment"]


def create_tables(url: str) -> None:
    """Create the tables of all rooms that are imported by now, those of every test module that was collected.

    The database says that it has the newest schema, so that a whole program can be started on it. That migrations lead
    to the same tables is what tests/store/test_migrations.py holds.
    """
    store = Store(url)
    try:
        metadata.create_all(store.engine)
        with store.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")
    finally:
        store.close()


class PostgresqlServer:
    """A server on which databases may be created."""

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._prefix = f"fairlead_{uuid.uuid4().hex[:8]}"
        self._made = 0
        self._templates: dict[int, str] = {}

    def create(self, *, empty: bool = False) -> str:
        """The URL of a new database, with all tables unless `empty`."""
        if empty:
            return self._address(self._new())
        # One more template when a module with tables was imported since.
        tables = len(metadata.tables)
        if tables not in self._templates:
            self._templates[tables] = self._new()
            create_tables(self._address(self._templates[tables]))
        return self._address(self._new(self._templates[tables]))

    def drop(self, url: str) -> None:
        """Drop the database at `url`, whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), sa.make_url(url).database or "")

    def clean(self) -> None:
        """Drop the templates."""
        for template in self._templates.values():
            self.drop(self._address(template))

    def _new(self, template: str | None = None) -> str:
        self._made += 1
        name = f"{self._prefix}_{self._made}"
        if template is None:
            self._run(sql.SQL("CREATE DATABASE {}"), name)
        else:
            self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, template)
        return name

    def _address(self, database: str) -> str:
        return self._url.set(database=database).render_as_string(hide_password=False)

    def _run(self, statement: sql.SQL, *names: str) -> None:
        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.format(*(sql.Identifier(name) for name in names)))


def server_from_environment() -> PostgresqlServer | None:
    """The server that FAIRLEAD_TEST_POSTGRESQL names; None when it names none."""
    url = os.environ.get("FAIRLEAD_TEST_POSTGRESQL")
    return PostgresqlServer(normalised_url(url)) if url else None
