"""A way to run the program in a test: on the test's database and in its directory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.support.running import Running, running

Start = Callable[..., AbstractAsyncContextManager[Running]]

__all__ = ["Start"]


@pytest.fixture
def start(store_url: str, tmp_path: Path) -> Start:
    """Starts the program, once on SQLite and once on PostgreSQL; see `running` for what it takes."""
    return partial(running, store_url, tmp_path)


@pytest.fixture
def start_small(sqlite_url: str, tmp_path: Path) -> Start:
    """Starts the program on SQLite, for what does not depend on the database."""
    return partial(running, sqlite_url, tmp_path)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    from tests.conftest import sqlite_database

    return sqlite_database(tmp_path / "fairlead.db")
