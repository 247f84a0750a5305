"""Attribute filters of SOL013."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadRequest
from fairlead.sol import Filter, Operator, Term, VnfInstance, VnfLcmOpOcc

VNF: dict[str, Any] = {
    "id": "1",
    "vnfInstanceName": "edge (north), 'main'",
    "instantiationState": "INSTANTIATED",
    "metadata": {"site": "north", "rank": 7, "spare": True, "a/b,c@d~e": "odd"},
    "vimConnectionInfo": {"vim1": {"vimType": "containers"}, "vim2": {"vimType": "simulated"}},
    "instantiatedVnfInfo": {
        "flavourId": "simple",
        "scaleStatus": [{"aspectId": "web", "scaleLevel": 2}, {"aspectId": "db", "scaleLevel": 0}],
        "vnfcResourceInfo": [
            {"vduId": "web", "storageResourceIds": ["s1", "s2"]},
            {"vduId": "db"},
        ],
    },
}
OCCURRENCE: dict[str, Any] = {"startTime": "2024-05-01T10:00:00.500Z", "isCancelPending": False, "operation": "SCALE"}


def holds(text: str, document: dict[str, Any] = VNF) -> bool:
    return Filter.parse(text).matches(document)


def test_terms_can_be_read_off_a_filter() -> None:
    parsed = Filter.parse("(eq,a/b,1);(in,c,x,y)")
    assert parsed.terms == (
        Term(Operator.EQ, ("a", "b"), ("1",)),
        Term(Operator.IN, ("c",), ("x", "y")),
    )
    op, path, values = parsed.terms[1]
    assert (op, path, values) == ("in", ("c",), ("x", "y"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(eq,instantiationState,INSTANTIATED)", True),
        ("(eq,instantiationState,NOT_INSTANTIATED)", False),
        ("(neq,instantiationState,NOT_INSTANTIATED)", True),
        ("(in,id,2,1)", True),
        ("(nin,id,2,3)", True),
        ("(nin,id,1,3)", False),
        ("(cont,instantiationState,NOPE,STANT)", True),
        ("(ncont,instantiationState,NOPE)", True),
        ("(ncont,instantiationState,NOPE,STANT)", False),
        ("(eq,id,1);(eq,instantiatedVnfInfo/flavourId,simple)", True),
        ("(eq,id,1);(eq,instantiatedVnfInfo/flavourId,other)", False),
    ],
)
def test_operators_compare_and_terms_are_joined_by_and(text: str, expected: bool) -> None:
    assert holds(text) is expected


def test_a_quoted_value_may_hold_any_sign() -> None:
    assert holds("(eq,vnfInstanceName,'edge (north), ''main''')")
    assert Filter.parse("(in,a,'x;y','(z)','')").terms[0].values == ("x;y", "(z)", "")


def test_a_value_may_be_empty_and_may_hold_signs_that_need_no_quotes() -> None:
    assert Filter.parse("(eq,a,)").terms[0].values == ("",)
    assert Filter.parse("(eq,a,x(y;z)").terms[0].values == ("x(y;z",)


def test_numbers_and_booleans_are_compared_as_what_they_are() -> None:
    assert holds("(eq,metadata/rank,7.0)")
    assert holds("(gt,metadata/rank,6);(gte,metadata/rank,7);(lt,metadata/rank,10);(lte,metadata/rank,7)")
    assert not holds("(gt,metadata/rank,10)")
    assert not holds("(gt,metadata/rank,six)")
    assert holds("(eq,metadata/spare,true)")
    assert not holds("(eq,metadata/spare,True)")


def test_times_are_compared_as_times() -> None:
    assert holds("(eq,startTime,2024-05-01T10:00:00.500000+00:00)", OCCURRENCE)
    assert holds("(gt,startTime,2024-05-01T11:59:00+02:00)", OCCURRENCE)
    assert not holds("(lt,startTime,2024-05-01T10:00:00Z)", OCCURRENCE)


def test_an_array_matches_when_any_element_does() -> None:
    assert holds("(eq,instantiatedVnfInfo/scaleStatus/aspectId,db)")
    assert holds("(gt,instantiatedVnfInfo/scaleStatus/scaleLevel,1)")
    assert holds("(eq,instantiatedVnfInfo/vnfcResourceInfo/storageResourceIds,s2)")
    assert not holds("(eq,instantiatedVnfInfo/scaleStatus/aspectId,lb)")
    assert holds("(neq,instantiatedVnfInfo/scaleStatus/aspectId,db)")
    assert not holds("(nin,instantiatedVnfInfo/scaleStatus/aspectId,db,web)")


def test_maps_are_reached_by_key_or_as_if_they_were_arrays() -> None:
    assert holds("(eq,vimConnectionInfo/@key,vim2)")
    assert not holds("(eq,vimConnectionInfo/@key,vim3)")
    assert holds("(eq,vimConnectionInfo/vim1/vimType,containers)")
    assert holds("(eq,vimConnectionInfo/vimType,simulated)")


def test_escapes_in_names_are_undone() -> None:
    assert holds("(eq,metadata/a~1b~ac~bd~0e,odd)")


@pytest.mark.parametrize("op", ["eq", "in", "gt", "gte", "lt", "lte", "cont"])
def test_an_absent_attribute_equals_nothing(op: str) -> None:
    assert not holds(f"({op},vnfInstanceDescription,x)")


@pytest.mark.parametrize("op", ["neq", "nin", "ncont"])
def test_an_absent_attribute_differs_from_everything(op: str) -> None:
    assert holds(f"({op},vnfInstanceDescription,x)")


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("", 1),
        ("eq,id,1", 1),
        ("(eq,id)", 5),
        ("(eq)", 2),
        ("(eq,id,1", 9),
        ("(eq,id,1)(eq,id,1)", 10),
        ("(eq,id,1);", 11),
        ("(eq,id,'a)", 8),
        ("(eq,id,a'b)", 9),
        ("(eq,id,1,2)", 11),
        ("(eq,id,a\x00)", 9),
    ],
)
def test_a_malformed_filter_is_refused_with_the_position(text: str, character: int) -> None:
    with pytest.raises(BadRequest) as caught:
        Filter.parse(text, VnfInstance)
    error = caught.value
    assert (error.code, error.place) == ("filter-malformed", f"filter, character {character}")
    assert error.remedy


def test_an_unknown_operator_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(BadRequest) as caught:
        Filter.parse("(eq,id,1);(like,id,1)", VnfInstance)
    assert (caught.value.code, caught.value.place) == ("filter-unknown-operator", "filter, character 12")
    assert "ncont" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("(eq,vnfInstanceNam,x)", "vnfInstanceName"),
        ("(eq,instantiatedVnfInfo/scaleStatus/level,1)", "scaleLevel"),
        ("(eq,id/x,1)", "no attributes of its own"),
    ],
)
def test_an_unknown_attribute_is_refused_and_the_known_ones_are_named(text: str, known: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Filter.parse(text, VnfInstance)
    assert caught.value.code == "filter-unknown-attribute"
    assert known in str(caught.value.remedy)


def test_free_maps_take_any_path_and_typed_ones_only_theirs() -> None:
    Filter.parse("(eq,metadata/a/b/c,1);(eq,vimConnectionInfo/any/vimType,x);(eq,_links/self/href,y)", VnfInstance)
    Filter.parse("(eq,operationParams/flavourId,x);(eq,error/status,500)", VnfLcmOpOcc)
    with pytest.raises(BadRequest):
        Filter.parse("(eq,vimConnectionInfo/any/nothing,x)", VnfInstance)


def test_a_filter_of_more_terms_than_anybody_needs_is_refused() -> None:
    with pytest.raises(BadRequest, match="more than"):
        Filter.parse(";".join(["(eq,id,1)"] * 65))


@given(st.text(min_size=0, max_size=30))
def test_any_value_can_be_quoted(value: str) -> None:
    quoted = value.replace("\x00", "").replace("'", "''")
    assert Filter.parse(f"(eq,a,'{quoted}')").terms[0].values == (value.replace("\x00", ""),)


@given(st.text(alphabet="(),;'eqa/@~1", max_size=20))
def test_any_text_is_a_filter_or_a_bad_request(text: str) -> None:
    with contextlib.suppress(BadRequest):
        assert Filter.parse(text).matches(VNF) in (True, False)
