"""Attribute selectors of SOL013."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import BadRequest
from fairlead.sol import VNF_INSTANCES, VNF_LCM_OP_OCCS, Selectors

VNF: dict[str, Any] = {
    "id": "1",
    "vnfdId": "d",
    "instantiationState": "INSTANTIATED",
    "vnfConfigurableProperties": {"x": 1},
    "metadata": {"site": "north"},
    "vimConnectionInfo": {"v": {"vimType": "containers", "interfaceInfo": {"endpoint": "e"}}},
    "instantiatedVnfInfo": {
        "flavourId": "simple",
        "vnfState": "STARTED",
        "extCpInfo": [],
        "scaleStatus": [{"aspectId": "web", "scaleLevel": 2}],
        "vnfcResourceInfo": [
            {"id": "r1", "vduId": "web", "computeResource": {"resourceId": "c"}, "metadata": {"a": 1}}
        ],
    },
    "_links": {"self": {"href": "/vnflcm/v2/vnf_instances/1"}},
}
SIMPLE = {"id", "vnfdId", "instantiationState", "_links"}


def select(**query: str) -> dict[str, Any]:
    return Selectors.parse(query, VNF_INSTANCES).apply(VNF)


def test_without_a_selector_the_default_set_is_left_out() -> None:
    assert set(select()) == SIMPLE
    assert select() == select(exclude_default="")


def test_all_fields_shows_everything() -> None:
    assert select(all_fields="") == VNF


def test_fields_adds_the_named_complex_attributes_to_the_simple_and_mandatory_ones() -> None:
    assert set(select(fields="metadata")) == {*SIMPLE, "metadata"}


def test_fields_reaches_into_structures_and_arrays() -> None:
    info = select(fields="instantiatedVnfInfo/vnfcResourceInfo/metadata,instantiatedVnfInfo/scaleStatus")[
        "instantiatedVnfInfo"
    ]
    assert set(info) == {"flavourId", "vnfState", "extCpInfo", "scaleStatus", "vnfcResourceInfo"}
    assert info["vnfcResourceInfo"] == VNF["instantiatedVnfInfo"]["vnfcResourceInfo"]
    (machine,) = select(fields="instantiatedVnfInfo/vnfcResourceInfo/vnfcCpInfo")["instantiatedVnfInfo"][
        "vnfcResourceInfo"
    ]
    assert set(machine) == {"id", "vduId", "computeResource"}


def test_fields_reaches_into_maps_of_structures() -> None:
    shown = select(fields="vimConnectionInfo/interfaceInfo")
    assert shown["vimConnectionInfo"] == VNF["vimConnectionInfo"]


def test_exclude_fields_takes_away_optional_complex_attributes_only() -> None:
    shown = select(exclude_fields="metadata,instantiatedVnfInfo/scaleStatus,_links,id,instantiatedVnfInfo/extCpInfo")
    assert set(shown) == set(VNF) - {"metadata"}
    assert set(shown["instantiatedVnfInfo"]) == {"flavourId", "vnfState", "extCpInfo", "vnfcResourceInfo"}


def test_fields_with_exclude_default_keeps_what_the_default_set_does_not_name() -> None:
    occurrence = {
        "id": "1",
        "operationParams": {"a": 1},
        "error": {"status": 500},
        "affectedVipCps": [],
        "warnings": ["w"],
    }
    shown = Selectors.parse({"fields": "error", "exclude_default": ""}, VNF_LCM_OP_OCCS).apply(occurrence)
    assert set(shown) == {"id", "error", "affectedVipCps"}


def test_only_the_default_view_counts_as_default() -> None:
    assert Selectors.parse({}, VNF_INSTANCES).is_default
    assert Selectors.parse({"exclude_default": ""}, VNF_INSTANCES).is_default
    for query in ({"all_fields": ""}, {"fields": "metadata"}, {"exclude_fields": "metadata"}):
        assert not Selectors.parse(query, VNF_INSTANCES).is_default


@pytest.mark.parametrize(
    "names",
    [
        ("all_fields", "fields"),
        ("all_fields", "exclude_fields"),
        ("all_fields", "exclude_default"),
        ("fields", "exclude_fields"),
        ("exclude_fields", "exclude_default"),
        ("fields", "exclude_fields", "exclude_default"),
    ],
)
def test_contradicting_selectors_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(BadRequest) as caught:
        select(**dict.fromkeys(names, "metadata"))
    assert caught.value.code == "selectors-contradict"


@pytest.mark.parametrize("query", [{"fields": "meta"}, {"exclude_fields": "id/x"}, {"fields": ""}, {"fields": ","}])
def test_an_unknown_attribute_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as caught:
        select(**query)
    assert caught.value.code == "selector-unknown-attribute"
    assert caught.value.remedy


def test_selecting_changes_nothing_in_the_document() -> None:
    before = repr(VNF)
    select(fields="instantiatedVnfInfo/scaleStatus")
    select(exclude_fields="instantiatedVnfInfo/scaleStatus")
    assert repr(VNF) == before
