"""Fixtures for all topics: a fresh database, on SQLite and on PostgreSQL, and `async def` tests without a plugin.

An `async def` test runs by `asyncio.run`, each in a loop of its own, and fails when it is not done within a minute of
real time: that is all that is needed here, so neither pytest-asyncio nor the pytest plugin of anyio is used, and a
plain test may call `asyncio.run` itself just as well. Fixtures are plain functions.

PostgreSQL is used when FAIRLEAD_TEST_POSTGRESQL holds the URL of a server on which databases may be created, for
example `postgresql://postgres@127.0.0.1:5433/postgres`; without it those tests are skipped and say so.

Tests marked `cloud` need FAIRLEAD_TEST_CLOUD, the name of a cloud in `clouds.yaml`, and OS_CLIENT_CONFIG_FILE, the path
of that file; without them they are skipped and say so.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead.clock import SteppedClock
from fairlead.store import Store
from tests.support.databases import PostgresqlServer, create_tables, server_from_environment

PATIENCE = 120.0
"""Seconds of real time after which an `async def` test has failed."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}

    async def limited() -> None:
        async with asyncio.timeout(PATIENCE):
            await pyfuncitem.obj(**arguments)

    asyncio.run(limited())
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cloud") and "FAIRLEAD_TEST_CLOUD" not in os.environ:
        pytest.skip("FAIRLEAD_TEST_CLOUD names no OpenStack; scripts/test --cloud brings one up")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """The server that tests may create databases on; skips where there is none."""
    server = server_from_environment()
    if server is None:
        pytest.skip("FAIRLEAD_TEST_POSTGRESQL names no PostgreSQL server")
    yield server
    server.clean()


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database with all tables; it is dropped after the test."""
    url = postgresql_server.create()
    yield url
    postgresql_server.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database with all tables, once on SQLite and once on PostgreSQL."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return sqlite_database(tmp_path / "fairlead.db")


@pytest.fixture
def open_store(store_url: str) -> Iterator[Callable[[], Store]]:
    """Opens one more store on the test's database, as another process would; all are closed after the test."""
    opened: list[Store] = []

    def another() -> Store:
        opened.append(Store(store_url, patience=5.0))
        return opened[-1]

    yield another
    for one in opened:
        one.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """An open store on a fresh database with all tables."""
    return open_store()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An open store on SQLite, for tests that need a store and do not care which."""
    opened = Store(sqlite_database(tmp_path / "only.db"))
    yield opened
    opened.close()


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that moves only when the test steps it."""
    return SteppedClock()


def sqlite_database(path: Path) -> str:
    url = f"sqlite:///{path}"
    create_tables(url)
    return url
