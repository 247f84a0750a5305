"""The arithmetic of levels, and the choice of who goes: pure, on flavours made here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.descriptors import Aspect, Flavour, InstantiationLevel, Vdu, VduKind
from fairlead.errors import Unprocessable
from fairlead.vnf.scaling import choose_members, counts, level_counts, next_scale, numbers_at, scale_of_level


def flavour(
    aspects: Mapping[str, Aspect],
    levels: Mapping[str, InstantiationLevel] | None = None,
    default: str | None = None,
    initial: Mapping[str, int] | None = None,
) -> Flavour:
    vdus = {id_: Vdu(id_, VduKind.COMPUTE, id_, "", 1, 20) for id_ in ("A", "B")}
    return Flavour(
        "simple",
        "",
        vdus,
        aspects=aspects,
        levels=levels or {},
        default_level=default,
        initial_deltas={"A": 1, "B": 2} if initial is None else initial,
    )


def aspect(limit: int, steps: tuple[str, ...], **deltas: Mapping[str, int]) -> Aspect:
    return Aspect("x", "x", "", limit, steps, deltas)


UNIFORM = flavour({"x": aspect(3, ("one",), A={"one": 1}, B={"one": 2})})
NON_UNIFORM = flavour({"x": aspect(4, ("d1", "d2", "d2", "d3"), A={"d1": 1, "d2": 2, "d3": 4}, B={"d3": 1})})
TWO = flavour({"x": aspect(2, ("one",), A={"one": 1}), "y": aspect(2, ("two",), A={"two": 3}, B={"two": 1})})


@pytest.mark.parametrize(("level", "numbers"), [(0, (1, 2)), (1, (2, 4)), (2, (3, 6)), (3, (4, 8))])
def test_with_uniform_deltas_each_step_adds_the_same(level: int, numbers: tuple[int, int]) -> None:
    assert tuple(counts(UNIFORM, {"x": level}).values()) == numbers


@pytest.mark.parametrize(("level", "numbers"), [(0, (1, 2)), (1, (2, 2)), (2, (4, 2)), (3, (6, 2)), (4, (10, 3))])
def test_with_other_deltas_each_step_adds_its_own(level: int, numbers: tuple[int, int]) -> None:
    assert tuple(counts(NON_UNIFORM, {"x": level}).values()) == numbers


def test_aspects_add_up() -> None:
    assert counts(TWO, {"x": 2, "y": 1}) == {"A": 1 + 2 + 3, "B": 2 + 1}


def test_an_aspect_without_named_steps_adds_its_only_delta() -> None:
    assert counts(flavour({"x": aspect(2, (), A={"any": 2})}), {"x": 2}) == {"A": 5, "B": 2}


@pytest.mark.parametrize("level", [-1, 4, 99])
def test_a_level_beyond_the_aspect_is_refused_with_the_range(level: int) -> None:
    with pytest.raises(Unprocessable) as refused:
        counts(UNIFORM, {"x": level})
    assert refused.value.code == "scale-level-out-of-range"
    assert refused.value.remedy == "Choose a level from 0 to 3."


def test_an_unknown_aspect_is_refused_with_those_there_are() -> None:
    unknown: tuple[Callable[[], object], ...] = (lambda: counts(TWO, {"z": 1}), lambda: next_scale(TWO, {}, "z", 1))
    for call in unknown:
        with pytest.raises(Unprocessable) as refused:
            call()
        assert refused.value.code == "unknown-aspect"
        assert refused.value.remedy == "Aspects: x, y."


def test_scaling_goes_by_steps_and_not_beyond() -> None:
    assert next_scale(TWO, {"x": 0, "y": 1}, "x", 2) == {"x": 2, "y": 1}
    assert next_scale(TWO, {"x": 2, "y": 1}, "x", -1) == {"x": 1, "y": 1}
    for scale, steps in (({"x": 2}, 1), ({"x": 0}, -1)):
        with pytest.raises(Unprocessable):
            next_scale(TWO, scale, "x", steps)


LEVELS = {
    "small": InstantiationLevel("small", "", {"x": 0}, {"A": 1, "B": 2}),
    "odd": InstantiationLevel("odd", "", {"x": 1}, {"A": 5}),
    "large": InstantiationLevel("large", "", {"x": 3}),
}
LEVELLED = flavour({"x": aspect(3, ("one",), A={"one": 1}, B={"one": 2})}, LEVELS, "small")


def test_the_default_level_is_taken_where_none_is_named() -> None:
    assert scale_of_level(LEVELLED, None) == {"x": 0}
    assert scale_of_level(LEVELLED, "large") == {"x": 3}
    assert scale_of_level(UNIFORM, None) == {"x": 0}, "a flavour without levels begins at 0"


def test_an_unknown_level_is_refused_with_those_there_are() -> None:
    with pytest.raises(Unprocessable) as refused:
        scale_of_level(LEVELLED, "huge")
    assert refused.value.code == "unknown-instantiation-level"
    assert refused.value.remedy == "Levels: large, odd, small."


def test_what_a_level_says_itself_goes_before_arithmetic() -> None:
    assert level_counts(LEVELLED, "large", {"x": 3}) == {"A": 4, "B": 8}
    assert level_counts(LEVELLED, "odd", {"x": 1}) == {"A": 5, "B": 4}
    assert level_counts(LEVELLED, None, {"x": 0}) == {"A": 1, "B": 2}


def test_scaling_keeps_what_an_odd_level_has_beyond_arithmetic() -> None:
    assert numbers_at(LEVELLED, {"x": 1}, "odd") == {"A": 5, "B": 4}
    assert numbers_at(LEVELLED, {"x": 2}, "odd") == {"A": 6, "B": 6}
    assert numbers_at(LEVELLED, {"x": 2}, None) == counts(LEVELLED, {"x": 2})


def test_a_vdu_without_an_initial_delta_has_what_the_default_level_says_or_its_least() -> None:
    without = flavour(
        dict(LEVELLED.aspects), {"small": InstantiationLevel("small", "", {"x": 0}, {"A": 3})}, "small", {}
    )
    assert counts(without, {"x": 0}) == {"A": 3, "B": 1}
    assert counts(flavour({}, initial={}), {}) == {"A": 1, "B": 1}


# -- who goes ----------------------------------------------------------------------------------------------------------------


def test_new_members_get_keys_that_were_never_given() -> None:
    assert choose_members((), 0, 2) == (("k1", "k2"), 2)
    assert choose_members(("k1", "k4"), 4, 4) == (("k1", "k4", "k5", "k6"), 6)


def test_the_newest_go_and_nobody_is_renamed() -> None:
    assert choose_members(("k1", "k2", "k3", "k4"), 4, 2) == (("k1", "k2"), 4)


def test_the_unhealthy_go_before_the_newest() -> None:
    assert choose_members(("k1", "k2", "k3"), 3, 2, unhealthy={"k1"}) == (("k2", "k3"), 3)
    assert choose_members(("k1", "k2", "k3"), 3, 1, unhealthy={"k1"}) == (("k2",), 3)


def test_the_chosen_go_before_the_unhealthy() -> None:
    kept, _ = choose_members(("k1", "k2", "k3", "k4"), 4, 3, unhealthy={"k4"}, chosen={"k2"})
    assert kept == ("k1", "k3", "k4")
    kept, _ = choose_members(("k1", "k2", "k3", "k4"), 4, 2, unhealthy={"k4"}, chosen={"k2"})
    assert kept == ("k1", "k3")


def test_of_more_chosen_than_go_the_newest_go() -> None:
    assert choose_members(("k1", "k2", "k3"), 3, 2, chosen={"k1", "k2", "k3"})[0] == ("k1", "k2")


KEYS = st.lists(st.integers(1, 30), unique=True, max_size=12).map(
    lambda found: tuple(f"k{key}" for key in sorted(found))
)


@given(KEYS, st.integers(0, 15), st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)))
def test_the_number_is_right_order_stays_and_no_key_comes_back(
    keys: tuple[str, ...], number: int, unhealthy: set[int], chosen: set[int]
) -> None:
    sick, named = {f"k{key}" for key in unhealthy}, {f"k{key}" for key in chosen}
    left, counter = choose_members(keys, 30, number, unhealthy=sick, chosen=named)
    assert len(left) == number
    stayed = [key for key in left if key in keys]
    assert stayed == [key for key in keys if key in left], "in their order"
    assert all(int(key[1:]) > 30 for key in left if key not in keys)
    assert counter == 30 + max(number - len(keys), 0)
    gone = [key for key in keys if key not in left]
    if any(key not in named for key in gone):
        assert not [key for key in stayed if key in named], "no chosen one stays while another goes"
