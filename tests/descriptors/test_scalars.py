"""Scalars with units, and the notation of our type tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.descriptors import BadScalar, parse_scalar, sol001
from fairlead.descriptors.problems import Problems
from fairlead.descriptors.schema import Constraint, parse_schema
from fairlead.descriptors.types import Types


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("512 MB", "size", 512_000_000),
        ("512MiB", "size", 512 * 2**20),
        ("3 gb", "size", 3_000_000_000),
        ("1 KIB", "size", 1024),
        ("1.5 GB", "size", 1_500_000_000),
        ("0 B", "size", 0),
        ("10 ms", "time", 0.01),
        ("2 h", "time", 7200),
        ("2.4 GHz", "frequency", 2.4e9),
        ("1 Mbps", "bitrate", 1e6),
        ("1 MBps", "bitrate", 8e6),
        ("1 Kibps", "bitrate", 1024),
    ],
)
def test_a_scalar_is_read_exactly(text: str, kind: str, expected: float) -> None:
    assert parse_scalar(text, kind) == expected


@pytest.mark.parametrize(
    "text", ["512", "MB", "5 XB", "5 Mi", "0.3 B", "five MB", "1e999 TB", "-", "", "5 MB MB", "1" * 100 + " B"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadScalar):
        parse_scalar(text, "size")


@given(st.integers(0, 10**15), st.sampled_from(["B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"]))
def test_whole_numbers_of_any_unit_are_exact(number: int, unit: str) -> None:
    factor = 1000 if "i" not in unit else 1024
    power = " KMGT".find(unit[0].upper()) if unit != "B" else 0
    assert parse_scalar(f"{number} {unit}", "size") == number * factor**power


def test_the_notation_of_the_tables_says_type_optional_constraints_default_and_older_forms() -> None:
    schema = parse_schema("map<string in a|b>? len>=1 / list<string> = x")
    assert (schema.type, schema.required, schema.default) == ("map", False, "x")
    assert schema.constraints == (Constraint("min_length", 1),)
    assert schema.entry is not None
    assert schema.entry.constraints == (Constraint("valid_values", ("a", "b")),)
    assert [other.type for other in schema.others] == ["list"]


def test_every_type_that_the_tables_name_is_in_the_tables() -> None:
    types = Types(Problems())
    for section, names in (
        ("data_types", [f"tosca.datatypes.nfv.{name}" for name in sol001.DATA_TYPES]),
        ("node_types", list(sol001.NODE_TYPES)),
        ("capability_types", list(sol001.CAPABILITY_TYPES)),
        ("policy_types", list(sol001.POLICY_TYPES)),
        ("group_types", list(sol001.GROUP_TYPES)),
        ("artifact_types", list(sol001.ARTIFACT_TYPES)),
    ):
        for name in names:
            definition = types.find(section, name)
            assert definition is not None, name
            for schema in definition.properties.values():
                for form in (schema, *schema.others):
                    inner = form.entry or form
                    assert types.primitive(inner.type) or types.find("data_types", inner.type), (name, inner.type)
            for capability in (*definition.capabilities.values(), *definition.requirements.values()):
                assert types.find("capability_types", capability), (name, capability)
