"""The canary search finds what is there, in each form: a search that finds nothing proves nothing by itself."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import sqlalchemy as sa

from fairlead.store import Store
from tests.support.canary import Canary


@pytest.mark.parametrize("prefix", ["", "a", "ab", "abc"])
def test_it_is_found_in_text_in_each_form(prefix: str) -> None:
    canary = Canary()
    hidden = (prefix + canary.text + "tail").encode()
    assert canary.in_text("log", hidden.decode())
    assert canary.in_text("log", b"x" + base64.b64encode(hidden))
    assert canary.in_text("log", hidden.hex().upper())
    assert not canary.in_text("log", Canary().text)


def test_it_is_found_in_any_column_of_any_table(store: Store) -> None:
    canary = Canary()
    with store.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE elsewhere (n int, t text)")
        connection.execute(sa.text("INSERT INTO elsewhere VALUES (1, :t)"), {"t": f'{{"password": "{canary.text}"}}'})
    assert [place.split(" ")[0].split(".", 1)[1] for place in canary.in_database(store.engine)] == ["elsewhere.t"]


def test_it_is_found_in_files_and_their_names(tmp_path: Path) -> None:
    canary = Canary()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "log.txt").write_text(f"said {canary.text}")
    (tmp_path / "b.bin").write_bytes(b"\xff\x00" + canary.text.encode())
    assert len(canary.in_directory(tmp_path)) == 2
