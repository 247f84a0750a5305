"""Migrations lead to just the tables of today, once, and refuse what they do not know."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairlead.errors import FairleadError
from fairlead.events import EventLog
from fairlead.store import Store
from fairlead.store.migrations import HEAD, migrate, scripts
from tests.support.databases import PostgresqlServer, create_tables
from tests.support.revisions import differences, import_all_tables

NewDatabase = Callable[[], str]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Gives the URLs of empty databases."""
    urls: list[str] = []
    server: PostgresqlServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")

    def another() -> str:
        urls.append(server.create(empty=True) if server else f"sqlite:///{tmp_path}/empty-{len(urls)}.db")
        return urls[-1]

    yield another
    if server is not None:
        for url in urls:
            server.drop(url)


@pytest.fixture
def empty(new_database: NewDatabase) -> Iterator[Store]:
    store = Store(new_database())
    yield store
    store.close()


_OTHERS = re.compile("alembic|^(ix|pk)_test_|^test_")


def described(store: Store) -> dict[str, Any]:
    """All that the database itself tells of its tables, in its own words; tables of other tests are left out."""
    inspector = sa.inspect(store.engine)
    tables = [
        name for name in inspector.get_table_names() if name != "alembic_version" and not name.startswith("test_")
    ]
    if store.sqlite:
        statement = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        statement = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    with store.engine.connect() as connection:
        indexes = {name: text for name, text in connection.exec_driver_sql(statement) if not _OTHERS.search(name)}
        autoincrement = (
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'").all()
            if store.sqlite
            else []
        )
    return {
        "indexes": indexes,
        "autoincrement": autoincrement,
        **{
            name: {
                "columns": {column["name"]: repr(column) for column in inspector.get_columns(name)},
                "key": inspector.get_pk_constraint(name),
                "foreign": inspector.get_foreign_keys(name),
                "unique": sorted(repr(each) for each in inspector.get_unique_constraints(name)),
            }
            for name in tables
        },
    }


def test_the_migrated_schema_is_that_of_the_rooms_tables(empty: Store, new_database: NewDatabase) -> None:
    import_all_tables()
    migrate(empty)
    changed = [str(change) for change in differences(empty).ops]
    assert changed == [], "make a revision: python -m tests.support.revisions 'what has changed'"
    url = new_database()
    create_tables(url)
    other = Store(url)
    try:
        assert described(empty) == described(other)
    finally:
        other.close()


def test_migrating_again_changes_nothing_and_loses_nothing(empty: Store) -> None:
    migrate(empty)
    log = EventLog(empty)
    empty.write_now(lambda tx: log.append(tx, project="p", type="vnf.created", subject="a"))
    migrate(empty)
    with empty.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 1
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD


@pytest.mark.postgresql
def test_programs_that_start_at_once_migrate_once(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.create(empty=True)
    stores = [Store(url) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(migrate, stores))
        assert sa.inspect(stores[0].engine).has_table("events")
    finally:
        for store in stores:
            store.close()
        postgresql_server.drop(url)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty: Store) -> None:
    migrate(empty)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(FairleadError) as caught:
        migrate(empty)
    assert caught.value.code == "database-newer"
    assert "9999" in caught.value.detail
    with empty.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"


def test_tables_of_ours_without_a_version_are_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(FairleadError) as caught:
        migrate(store)
    assert caught.value.code == "database-unversioned"


def test_a_migration_that_fails_leaves_nothing_behind(empty: Store) -> None:
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE ix_events_project (n int)")
    with pytest.raises(sa.exc.DBAPIError):
        migrate(empty)
    assert sa.inspect(empty.engine).get_table_names() == ["ix_events_project"]


def test_the_known_head_is_the_newest_revision() -> None:
    assert scripts().get_heads() == [HEAD]


def test_a_start_with_nothing_to_do_does_not_import_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ready.db"
    store = Store(url)
    migrate(store)
    store.close()
    program = (
        "import sys; from fairlead.store import Store; from fairlead.store.migrations import migrate;"
        f"store = Store({url!r}); migrate(store); store.close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
