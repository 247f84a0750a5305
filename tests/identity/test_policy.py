"""What a caller may do, and the operator's own rules over that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairlead.api import all_rules, sample
from fairlead.errors import FairleadError, Forbidden
from fairlead.identity import Caller, Policy, policy

SHOW, CREATE, SHARE = "vnflcm:vnf_instances:show", "vnflcm:vnf_instances:create", "fairlead:vims:share"


def caller(*roles: str, user: str = "", project: str = "p") -> Caller:
    return Caller(project, frozenset(roles), "somebody", user)


def written(directory: Path, text: str) -> Path:
    file = directory / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("reader", {SHOW}),
        ("member", {SHOW, CREATE}),
        ("admin", {SHOW, CREATE, SHARE}),
        ("Member", {SHOW, CREATE}),
        ("king", set()),
    ],
)
def test_a_role_allows_what_the_defaults_say_and_nothing_else(role: str, allowed: set[str]) -> None:
    rules = Policy(all_rules())
    for rule in (SHOW, CREATE, SHARE):
        assert rules.allows(caller(role), rule) is (rule in allowed)
        if rule in allowed:
            rules.require(caller(role), rule)
        else:
            with pytest.raises(Forbidden) as caught:
                rules.require(caller(role), rule)
            assert caught.value.code == "role-missing"
            assert rule in caught.value.detail
            assert "admin" in (caught.value.remedy or "")
    assert not rules.allows(caller(), SHOW)


def test_every_default_is_a_reader_a_member_or_an_admin() -> None:
    rules = Policy(all_rules())
    for rule in all_rules():
        enough = rules.roles(rule.name)
        assert enough in (["admin", "member", "reader"], ["admin", "member"], ["admin"]), rule
        changing = any(not request.startswith("GET ") for request in rule.requests)
        asking = rule.name.endswith((":plans", ":check", ":lint"))
        assert not (changing and not asking and "reader" in enough), f"a reader may not change anything: {rule}"


def test_an_operators_rules_go_over_the_defaults(tmp_path: Path) -> None:
    text = f"""
        # helpers of one's own are fine
        "operators": "role:nfv and not user_id:eve"
        "{CREATE}": "rule:operators or rule:admin_api"
        "project_reader_or_admin": "@"
        "{SHARE}": "project_id:core"
        "vnflcm:vnf_instances:terminate": "!"
    """
    rules = Policy(all_rules(), written(tmp_path, text))
    assert rules.allows(caller("nfv", user="ann"), CREATE)
    assert not rules.allows(caller("nfv", user="eve"), CREATE)
    assert not rules.allows(caller("member"), CREATE)
    assert rules.allows(caller(), SHOW)
    assert rules.allows(caller(project="core"), SHARE)
    assert not rules.allows(caller("admin"), SHARE)
    with pytest.raises(Forbidden) as caught:
        rules.require(caller("admin"), "vnflcm:vnf_instances:terminate")
    assert caught.value.remedy == "The policy is: !."


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f'"{CREATE}": "@"\n"vnflcm:vnf_instance:show": "@"', 2, "no rule 'vnflcm:vnf_instance:show'"),
        (f'\n\n"{CREATE}": "role:member or"', 3, "cannot be understood"),
        (f'"{CREATE}": "member"', 1, "cannot be understood"),
        (f'"{CREATE}": "(role:member"', 1, "cannot be understood"),
        (f'"{CREATE}": "rule:nobody_wrote_this"', 1, "refers to a rule 'nobody_wrote_this'"),
        (f'"one": "rule:two"\n"two": "rule:one"\n"{CREATE}": "rule:one"', 1, "refers to itself"),
        (f'"{CREATE}": "http://judge.example/"', 1, "asks another server"),
        (f'"{CREATE}": "@"\n"{CREATE}": "!"', 2, "there twice"),
        (f'"{CREATE}": [["role:member"]]', 1, "one line of text"),
        (f'"{CREATE}": "@"\n  - x', 2, "not YAML"),
        ("- x", 1, "not an object"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(FairleadError, match=words) as caught:
        Policy(all_rules(), file)
    assert (caught.value.code, caught.value.place) == ("policy-invalid", f"{file}:{line}")
    assert caught.value.remedy


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FairleadError, match="No such file") as caught:
        Policy(all_rules(), tmp_path / "none.yaml")
    assert caught.value.code == "policy-invalid"


def test_a_changed_file_is_read_again_and_a_broken_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_LOOKING", 0.0)
    file = written(tmp_path, f'"{CREATE}": "!"')
    rules = Policy(all_rules(), file)
    assert not rules.allows(caller("member"), CREATE)
    _later(written(tmp_path, f'"{CREATE}": "role:member"'), 1)
    assert rules.allows(caller("member"), CREATE)
    _later(written(tmp_path, f'"{CREATE}": "role:"member"'), 2)
    assert rules.allows(caller("member"), CREATE)
    file.unlink()
    assert rules.allows(caller("member"), CREATE)
    _later(written(tmp_path, ""), 3)
    assert rules.allows(caller("member"), CREATE)
    assert not rules.allows(caller("reader"), CREATE)


def test_the_sample_changes_nothing_and_all_of_it_can_be_taken(tmp_path: Path) -> None:
    assert Policy(all_rules(), written(tmp_path, sample(all_rules()))).roles(CREATE) == ["admin", "member"]
    taken = "\n".join(line.removeprefix("#") for line in sample(all_rules()).splitlines() if line.startswith('#"'))
    rules = Policy(all_rules(), written(tmp_path, taken))
    plain = Policy(all_rules())
    assert [rules.roles(rule.name) for rule in all_rules()] == [plain.roles(rule.name) for rule in all_rules()]


def _later(file: Path, seconds: int) -> None:
    """Have the file be as if it had been written later, however coarse the file system's times are."""
    time = file.stat().st_mtime + seconds
    os.utime(file, (time, time))
