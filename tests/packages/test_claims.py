"""The right to work on a package: one holder at a time, gone with its process, and kept over a restart of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fairlead.errors import StoreUnavailable
from fairlead.packages import Claims, DatabaseClaims, FileClaims
from fairlead.store import Store
from tests.support.waiting import until

Making = Callable[[], Claims]


@pytest.fixture(params=["file", pytest.param("database", marks=pytest.mark.postgresql)])
def claims(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Making]:
    """Makes the claims of one more process."""
    made: list[Claims] = []

    def make() -> Claims:
        if request.param == "file":
            made.append(FileClaims(tmp_path))
        else:
            url = Store(request.getfixturevalue("postgresql_url")).url
            made.append(DatabaseClaims(url, settling=0.05))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def test_a_claim_has_one_holder(claims: Making) -> None:
    first, second = claims(), claims()
    claim = first.take("a")
    assert claim is not None
    assert (first.take("a"), second.take("a"), second.take_over("a")) == (None, None, None)
    other = second.take("b")
    assert other is not None
    claim.release()
    claim.release()
    await until(lambda: second.take("a") is not None)
    assert first.take("b") is None


async def test_a_claim_ends_with_its_process(claims: Making) -> None:
    gone, left = claims(), claims()
    claim = gone.take("a")
    assert claim is not None
    assert left.take_over("a") is None
    claim.release()
    gone.close()
    await until(lambda: left.take_over("a") is not None)


async def test_a_claim_that_is_taken_again_at_once_is_had(claims: Making) -> None:
    one = claims()
    for _ in range(20):
        claim = one.take("a")
        assert claim is not None
        claim.release()


def test_files_of_claims_that_died_are_removed(tmp_path: Path) -> None:
    locks = tmp_path / "packages" / ".locks"
    claims = FileClaims(tmp_path)
    (locks / "left").touch()
    held = claims.take("held")
    claims.tidy()
    assert [path.name for path in locks.iterdir()] == ["held"]
    assert held is not None
    held.release()
    assert list(locks.iterdir()) == []


@pytest.mark.postgresql
async def test_claims_are_taken_again_after_the_connection_was_lost(postgresql_url: str) -> None:
    store = Store(postgresql_url)
    mine, others = DatabaseClaims(store.url, settling=3.0), DatabaseClaims(store.url, settling=3.0)
    try:
        claim = mine.take("a")
        assert claim is not None
        with store.engine.begin() as connection:
            ended = connection.scalars(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database ="
                    " (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            ).all()
        assert ended == [True]
        # Whoever sees it free at this moment sees it held again before the settling time is over.
        assert others.take_over("a") is None
        another = mine.take("b")
        assert another is not None
    finally:
        mine.close()
        others.close()
        store.close()


def test_a_database_that_is_away_is_told() -> None:
    claims = DatabaseClaims(sa.make_url("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(StoreUnavailable):
        claims.take("a")
    claims.close()
