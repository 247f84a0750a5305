"""References, secrets and undecided fields inside specs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.resources import (
    UNDECIDED,
    Attachment,
    ComputeSpec,
    File,
    Name,
    PortSpec,
    Ref,
    SecretRef,
    Spec,
    Undecided,
    known,
    references,
    secret_references,
)
from fairlead.resources.values import carry, resolve, walk

MACHINE = ComputeSpec(
    label="m",
    image=Ref(Name("image")),
    ports=(Ref(Name("p1")), "a-handle", Ref(Name("p2"))),
    volumes=(Attachment(volume=Ref(Name("v")), at="/data"),),
    environment={"WORD": SecretRef("s1"), "PLAIN": "x"},
    files=(File(path="/etc/x", content=SecretRef("s2")),),
    user_data=SecretRef("s3"),
)


class Listed(Spec, frozen=True, kw_only=True, tag="test-listed"):
    items: list[str | Ref]
    table: dict[str, list[str | Ref]]


def test_references_and_secrets_are_found_however_deep() -> None:
    assert references(MACHINE) == {"image", "p1", "p2", "v"}
    assert secret_references(MACHINE) == {SecretRef("s1"), SecretRef("s2"), SecretRef("s3")}
    assert references(Listed(items=[Ref(Name("a"))], table={"x": ["y", Ref(Name("b"))]})) == {"a", "b"}


def test_what_references_finds_is_what_a_walk_would_find() -> None:
    assert references(MACHINE) == {value.name for value in walk(MACHINE) if isinstance(value, Ref)}


def test_everything_that_is_found_is_resolved() -> None:
    resolved = resolve(MACHINE, lambda ref: f"id of {ref.name}", lambda secret: f"value of {secret.digest}")
    assert resolved.ports == ("id of p1", "a-handle", "id of p2")
    assert resolved.volumes[0].volume == "id of v"
    assert resolved.environment == {"WORD": "value of s1", "PLAIN": "x"}
    assert resolved.files[0].content == "value of s2"
    assert not references(resolved)
    assert not secret_references(resolved)
    listed = Listed(items=["x", Ref(Name("a"))], table={"t": [Ref(Name("b"))]})
    assert resolve(listed, lambda ref: ref.name.upper(), str) == Listed(items=["x", "A"], table={"t": ["B"]})


def test_what_needs_no_resolving_is_returned_as_it_is() -> None:
    plain = ComputeSpec(label="m", ports=("a",), environment={"A": "b"})
    assert resolve(plain, _never, _never) is plain


def _never(_: Any) -> str:
    raise AssertionError


def test_an_unresolved_value_is_not_taken_for_a_string() -> None:
    assert known("x") == "x"
    with pytest.raises(TypeError, match="not resolved"):
        known(Ref(Name("a")))


def test_undecided_fields_are_carried_and_no_others() -> None:
    old = PortSpec(network="n", addresses=("10.0.0.9",), mac="fa:16:3e:00:00:01", order=1)
    new = PortSpec(network="n", order=2)
    assert carry(old, new) == PortSpec(network="n", addresses=("10.0.0.9",), mac="fa:16:3e:00:00:01", order=2)
    decided = msgspec.structs.replace(new, addresses=("10.0.0.1",))
    assert carry(old, decided).addresses == ("10.0.0.1",)


def test_a_decision_goes_with_what_it_was_made_for() -> None:
    old = PortSpec(network=Ref(Name("a")), addresses=("10.0.0.9",))
    assert carry(old, PortSpec(network=Ref(Name("b")))).addresses == UNDECIDED
    assert carry(old, PortSpec(network=Ref(Name("a"))), {Name("a")}).addresses == UNDECIDED
    assert carry(old, PortSpec(network=Ref(Name("a"))), {Name("b")}).addresses == ("10.0.0.9",)


def test_nothing_is_carried_between_sorts() -> None:
    assert carry(ComputeSpec(label="x", zone="z"), PortSpec(network="n")) == PortSpec(network="n")
    nothing: Any = None
    assert isinstance(carry(nothing, PortSpec(network="n")).addresses, Undecided)
