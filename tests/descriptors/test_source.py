"""YAML text to marked values: places, plain scalars, and files made to hurt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.descriptors import Mark, Problems, read_vnfd
from fairlead.descriptors.source import Node, compose


def composed(text: str | bytes) -> tuple[Node | None, list[str]]:
    problems = Problems()
    node = compose(text.encode() if isinstance(text, str) else text, "f", problems)
    return node, [problem.code for problem in problems]


def value(text: str) -> Any:
    node, problems = composed(text)
    assert node is not None, problems
    assert problems == []
    return node.plain_value()


def test_every_value_and_key_has_line_and_column_counted_from_one() -> None:
    node, _ = composed("a:\n  - b\n  - c: d\n")
    assert node is not None
    assert node.key_mark("a") == Mark("f", 1, 1)
    first, second = node.value["a"].value
    assert first.mark == Mark("f", 2, 5)
    assert second.value["c"].mark == Mark("f", 3, 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("true", True),
        ("No", False),
        ("~", None),
        ("2020-01-01", "2020-01-01"),
        ("2022-01-20T11:20:43+03:00", "2022-01-20T11:20:43+03:00"),
        ("0123", "0123"),
        ("12e5", "12e5"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("'12'", "12"),
        ("!!str 12", "12"),
    ],
)
def test_plain_scalars_stay_strings_unless_they_can_mean_nothing_else(text: str, expected: object) -> None:
    assert value(f"a: {text}") == {"a": expected}


def test_a_scalar_keeps_its_text() -> None:
    node, _ = composed("a: 1.10")
    assert node is not None
    assert (node.value["a"].value, node.value["a"].text) == (1.1, "1.10")


def test_aliases_and_merge_keys_are_read() -> None:
    assert value("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne: *x") == {
        "a": {"b": 1, "c": 2},
        "d": {"c": 3, "b": 1},
        "e": {"b": 1, "c": 2},
    }


def bomb() -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[" * 100_000, "yaml-too-deep"),
        (b"{a: " * 100_000, "yaml-too-deep"),
        (b"- " * 50_000, "yaml-too-deep"),
        (bomb().encode(), "yaml-too-large"),
        (b"a: &a [*a]", "yaml-alias"),
        (b"a: *nothing", "yaml-alias"),
        (b"x" * (9 * 2**20), "yaml-too-large"),
        (b"a: [", "yaml-syntax"),
        (b"a: \x00", "yaml-syntax"),
        (b"\xff\xfe\x00", "yaml-syntax"),
        (b"a: 1\n--- b", "yaml-several-documents"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_with_one_problem(text: bytes, code: str) -> None:
    node, problems = composed(text)
    assert node is None
    assert problems == [code]


def test_a_chain_of_aliases_cannot_go_deeper_than_brackets_can() -> None:
    text = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100))
    assert composed(text)[1] == ["yaml-too-deep"]


def test_a_key_that_stands_twice_is_told_at_its_second_place() -> None:
    problems = Problems()
    node = compose(b"a: 1\nb: 2\na: 3", "f", problems)
    (problem,) = problems
    assert (problem.code, problem.line) == ("duplicate-key", 3)
    assert node is not None
    assert node.plain_value() == {"a": 1, "b": 2}


def test_a_tag_of_another_language_builds_nothing() -> None:
    node, problems = composed("a: !!python/object/apply:os.system [ls]\nb: !!python/name:os.system x")
    assert node is not None
    assert problems == ["yaml-tag"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise(content: bytes) -> None:
    read_vnfd({"a.yaml": content}, "a.yaml")


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
KEYS = st.sampled_from(
    [
        "topology_template",
        "node_templates",
        "type",
        "properties",
        "policies",
        "groups",
        "get_input",
        "substitution_mappings",
        "imports",
        "node_types",
        "tosca.nodes.nfv.VNF",
        "derived_from",
        "capabilities",
        "requirements",
        "artifacts",
        "file",
        "targets",
        "interfaces",
        "Vnflcm",
    ]
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=25
)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_no_shape_whatever_raises(tree: object) -> None:
    read_vnfd({"a.yaml": json.dumps(tree).encode()}, "a.yaml")
