"""Master keys: made once, kept private, rotated, lost."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fairlead.errors import FairleadError, Quarantined
from fairlead.secrets import Keyring, load_keyring


def test_what_is_sealed_can_be_unsealed_in_the_same_context_only() -> None:
    ring = Keyring(Keyring.new_key())
    sealed = ring.seal(b"open sesame", "vim/1")
    assert b"sesame" not in sealed.encode()
    assert ring.unseal(sealed, "vim/1") == b"open sesame"
    with pytest.raises(Quarantined) as caught:
        ring.unseal(sealed, "vim/2")
    assert caught.value.code == "secret-unreadable"


def test_sealing_the_same_twice_gives_different_text() -> None:
    ring = Keyring(Keyring.new_key())
    assert ring.seal(b"a", "x") != ring.seal(b"a", "x")


def test_a_digest_is_equal_for_equal_values_and_depends_on_the_key() -> None:
    ring, other = Keyring(Keyring.new_key()), Keyring(Keyring.new_key())
    assert ring.digest(b"a") == ring.digest(b"a")
    assert ring.digest(b"a") != ring.digest(b"b")
    assert ring.digest(b"a") != other.digest(b"a")


def test_after_rotation_the_new_key_seals_the_old_still_unseals_and_digests_stay() -> None:
    old, new = Keyring.new_key(), Keyring.new_key()
    before, after = Keyring(old), Keyring(f"{new}\n{old}")
    sealed = before.seal(b"kept", "x")
    assert after.unseal(sealed, "x") == b"kept"
    assert after.digest(b"kept") == before.digest(b"kept")
    with pytest.raises(Quarantined):
        before.unseal(after.seal(b"later", "x"), "x")


def test_a_lost_key_is_told_with_its_id_and_what_to_do() -> None:
    lost, ring = Keyring(Keyring.new_key()), Keyring(Keyring.new_key())
    with pytest.raises(Quarantined) as caught:
        ring.unseal(lost.seal(b"gone", "vim/1"), "vim/1")
    assert lost.current in str(caught.value.cause)
    assert "master key" in str(caught.value.remedy)


@pytest.mark.parametrize(
    "damaged", ["", "v1", "v2.00000000.AAAA", "v1.{key}.", "v1.{key}.!!!", "v1.{key}.AAAA", "nonsense"]
)
def test_a_damaged_sealed_value_is_quarantined(damaged: str) -> None:
    ring = Keyring(Keyring.new_key())
    with pytest.raises(Quarantined):
        ring.unseal(damaged.format(key=ring.current), "x")


def test_the_key_file_is_made_at_first_for_its_owner_only_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "master.key"
    first = load_keyring(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_keyring(path).ids == first.ids
    assert [file.name for file in path.parent.iterdir()] == ["master.key"]


def test_a_key_file_that_is_missing_where_keys_are_in_use_is_not_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with pytest.raises(FairleadError) as caught:
        load_keyring(path, in_use=True)
    assert (caught.value.code, caught.value.place) == ("master-key-missing", str(path))
    assert not path.exists()
    made = load_keyring(path)
    assert load_keyring(path, in_use=True).ids == made.ids


def test_programs_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: load_keyring(tmp_path / "master.key"), range(8)))
    assert len({ring.current for ring in rings}) == 1


def test_keys_of_the_environment_come_before_the_file(tmp_path: Path) -> None:
    key = Keyring.new_key()
    assert load_keyring(tmp_path / "master.key", keys=key).ids == Keyring(key).ids
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_that_others_may_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    load_keyring(path)
    path.chmod(0o644)
    with capture_logs() as logs:
        load_keyring(path)
    assert logs[0]["mode"] == "0644"


@pytest.mark.parametrize("text", ["", "# only a remark\n", "short", "not/base64/!", "é" * 43])
def test_a_keyring_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(FairleadError) as caught:
        load_keyring(path)
    assert caught.value.code in ("master-key-invalid", "master-key-unreadable")
    assert caught.value.remedy


def test_a_keyring_shows_ids_and_no_keys() -> None:
    key = Keyring.new_key()
    assert key not in repr(Keyring(key))
