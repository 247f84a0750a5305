"""Bringing the database to the schema of this version.

Revisions are Alembic's, run by `migrate` without an `alembic.ini` or an `env.py`: one transaction for all of them, on
SQLite as on PostgreSQL, under a lock, so that programs that start at once find it done or wait. A database of a newer
version is refused rather than guessed at. A revision is a frozen copy of what the rooms' tables were when it was
made; a test holds that all of them together give just the tables of today.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fairlead.errors import FairleadError
from fairlead.store.engine import Store
from fairlead.store.tables import metadata
from fairlead.store.transactions import Tx

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

__all__ = ["HEAD", "migrate", "scripts"]

HEAD = "0001"
"""The newest revision; a test compares it with the scripts. It is known here so that a start with nothing to do, which
is nearly every one, does not import Alembic."""

_LOCK = 0x4641_4D49_4752
_VERSIONS = "alembic_version"


def migrate(store: Store) -> None:
    """Create the tables, or bring them to this version's schema; nothing is changed when it fails.

    Raises FairleadError (codes `database-newer`, `database-unversioned`) and StoreUnavailable.
    """
    if store.read_now(_revision) != HEAD:
        store.write_now(_upgrade)


def scripts() -> ScriptDirectory:
    """The revisions, for Alembic."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _upgrade(tx: Tx) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    if tx.dialect == "postgresql":
        tx.scalar(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    known = scripts()
    current = _revision(tx)
    if current == HEAD:
        return
    if current is None:
        _refuse_unversioned(tx)
    elif current not in {script.revision for script in known.walk_revisions()}:
        raise FairleadError(
            f"The database has the schema '{current}', of a newer version of Fairlead; this one knows '{HEAD}'.",
            code="database-newer",
            remedy="Run the newer version, or restore the backup from before it was installed.",
        )
    context = MigrationContext.configure(
        tx._connection,
        opts={"script": known, "fn": lambda revision, _: known._upgrade_revs("head", revision), "as_sql": False},
    )
    with Operations.context(context):
        context.run_migrations()


def _revision(tx: Tx) -> str | None:
    """The revision that the database is at; None when it has never been migrated."""
    if not sa.inspect(tx._connection).has_table(_VERSIONS):
        return None
    value = tx.scalar(sa.select(sa.column("version_num")).select_from(sa.table(_VERSIONS)))
    return str(value) if value is not None else None


def _refuse_unversioned(tx: Tx) -> None:
    there = set(sa.inspect(tx._connection).get_table_names()) & set(metadata.tables)
    if there:
        raise FairleadError(
            f"The database has tables of Fairlead's ({', '.join(sorted(there)[:3])} ...) and no note of their version.",
            code="database-unversioned",
            remedy="Use an empty database, or restore a complete backup.",
        )
