"""Whatever is given to the reader, it answers with problems: no crash, no hang, no growth beyond its bounds."""

from __future__ import annotations

import random
import time
import tracemalloc
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.descriptors import Reading, Severity, read_vnfd
from tests.descriptors import everything
from tests.descriptors.samples import ARTIFACTS, ENTRY, SOURCE, read

SLOWEST = 5.0
"""Seconds of processor time for one reading; an honest one takes some milliseconds."""
LARGEST = 64 * 2**20
QUICKLY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
TEXTS = [ENTRY, everything.FLAVOUR_FILE, everything.TOP_FILE, "Definitions/types.yaml"]
WORDS = sorted({word for word in (SOURCE + everything.FLAVOUR).replace(":", " ").split() if word.isidentifier()})

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(WORDS),
    st.sampled_from(
        ["tosca.nodes.nfv.VNF", "tosca.nodes.nfv.Vdu.Compute", "acme.Router", "1 GiB", "1e400 B", "[", "&a", "*a"]
    ),
    st.text(max_size=20),
)
KEYS = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(["get_input", "get_property", "concat", "<<"]), st.text(max_size=8)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
DOCUMENT = yaml.safe_load(SOURCE)


def bounded(reading: Reading, began: float) -> None:
    assert time.process_time() - began < SLOWEST
    assert len(reading.problems) <= 1001
    assert (reading.vnfd is None) == any(each.severity is Severity.ERROR for each in reading.problems)
    for each in reading.problems:
        assert min(each.line, each.column) >= 0
        assert each.message


@QUICKLY
@given(st.binary(max_size=400))
def test_any_bytes_are_answered_with_problems(content: bytes) -> None:
    began = time.process_time()
    bounded(read_vnfd({ENTRY: content}, ENTRY), began)


@QUICKLY
@given(st.text(alphabet=st.sampled_from(" \n:-[]{},&*!|>'\"#%@`\tab0.<?\u00e9\u2028"), max_size=200))
def test_any_arrangement_of_yamls_signs_is_answered_with_problems(text: str) -> None:
    began = time.process_time()
    bounded(read_vnfd({ENTRY: text.encode()}, ENTRY), began)
    began = time.process_time()
    bounded(read(f"{SOURCE}\n{text}"), began)


@QUICKLY
@given(VALUES)
def test_any_document_is_answered_with_problems(value: object) -> None:
    began = time.process_time()
    bounded(read(yaml.safe_dump(value)), began)


@QUICKLY
@given(VALUES, st.integers(min_value=0, max_value=10_000))
def test_any_value_in_the_place_of_any_other_is_answered_with_problems(value: object, number: int) -> None:
    places = list(_places(DOCUMENT, ()))
    document = _with(DOCUMENT, places[number % len(places)], value)
    began = time.process_time()
    bounded(read(yaml.safe_dump(document, sort_keys=False)), began)


@QUICKLY
@given(st.integers(), st.sampled_from(TEXTS))
def test_descriptors_with_pieces_moved_about_are_answered_with_problems(seed: int, file: str) -> None:
    dice = random.Random(seed)
    files = {**everything.files(), ENTRY: SOURCE.encode(), **ARTIFACTS}
    lines = files[file].decode().splitlines(keepends=True)
    for _ in range(dice.randint(1, 6)):
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        action = dice.randrange(5)
        if action == 0:
            lines[at], lines[other] = lines[other], lines[at]
        elif action == 1:
            lines.insert(at, lines[other])
        elif action == 2 and len(lines) > 1:
            del lines[at]
        elif action == 3:
            lines[at] = " " * dice.randrange(9) + lines[at].lstrip(" ")
        else:
            cut = dice.randrange(len(lines[at]) + 1)
            lines[at] = (
                lines[at][:cut]
                + dice.choice(["{", "}", "[", "]", ":", "- ", "*a ", "&a ", "\x00", "\n"])
                + lines[at][cut:]
            )
    files[file] = "".join(lines).encode()
    entry = ENTRY if file == ENTRY else everything.TOP_FILE
    began = time.process_time()
    bounded(read_vnfd(files, entry), began)


def test_hostile_files_cost_a_bounded_amount() -> None:
    bombs = {
        "aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)),
        "depth": "[" * 100_000,
        "maps in maps": "".join(f"{' ' * n}a:\n" for n in range(3000)),
        "one long word": "a" * 2_000_000,
        "many keys": "".join(f"key{n}: 1\n" for n in range(100_000)),
        "many numbers": f"a: [{'9' * 50_000}, {'0x' + 'f' * 50_000}, 1e999999]\n",
        "many misspelt types": SOURCE.replace("  groups:\n", "".join(
            f"    n{n}: {{ type: tosca.nodes.nfv.Vdu.Computer{n} }}\n" for n in range(3000)
        ) + "  groups:\n"),
        "many inputs": SOURCE.replace("  inputs:\n", "  inputs:\n" + "".join(
            f"    i{n}: {{ type: string, default: {{ get_input: i{n + 1} }} }}\n" for n in range(2000)
        )),
        "types in a long line": SOURCE.replace("data_types:\n", "data_types:\n" + "".join(
            f"  acme.T{n}: {{ derived_from: acme.T{n + 1} }}\n" for n in range(3000)
        )),
    }  # fmt: skip
    for name, text in bombs.items():
        began = time.process_time()
        reading = read(text)
        bounded(reading, began)
        assert reading.vnfd is None, name
        assert _most_memory(text) < LARGEST + 40 * len(text), name


def _most_memory(text: str) -> int:
    tracemalloc.start()
    try:
        read(text)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _places(value: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], new: object) -> Any:
    """A copy with another value at the end of the path."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy
