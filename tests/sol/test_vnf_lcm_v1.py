"""Requests and answers of version 1 of the lifecycle interface, there and back."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import BadRequest
from fairlead.sol import InstantiateVnfRequest, decode, encode
from fairlead.sol.vnf_lcm_v1 import request_from_v1, vnf_instance_v1, vnf_lcm_op_occ_v1

ADDRESSES = [{"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"ipAddresses": [{"type": "IPV4"}]}}]
OLD: dict[str, Any] = {
    "flavourId": "simple",
    "vimConnectionInfo": [{"id": "here", "vimId": "cloud", "vimType": "ETSINFV.OPENSTACK_KEYSTONE.v_2"}],
    "extVirtualLinks": [
        {
            "id": "outside",
            "resourceId": "net",
            "vimConnectionId": "here",
            "extCps": [
                {
                    "cpdId": "left",
                    "cpConfig": [
                        {"cpInstanceId": "one", "cpProtocolData": ADDRESSES},
                        {"linkPortId": "port"},
                    ],
                }
            ],
        }
    ],
    "extManagedVirtualLinks": [{"id": "m", "virtualLinkDescId": "inside", "resourceId": "net2"}],
    "additionalParams": {"vimConnectionInfo": "is the caller's own"},
}
NEW: dict[str, Any] = {
    **OLD,
    "vimConnectionInfo": {"here": {"vimId": "cloud", "vimType": "ETSINFV.OPENSTACK_KEYSTONE.v_2"}},
    "extVirtualLinks": [
        {
            **OLD["extVirtualLinks"][0],
            "extCps": [
                {
                    "cpdId": "left",
                    "cpConfig": {"one": {"cpProtocolData": ADDRESSES}, "cp1": {"linkPortId": "port"}},
                }
            ],
        }
    ],
    "extManagedVirtualLinks": [{"id": "m", "vnfVirtualLinkDescId": "inside", "resourceId": "net2"}],
}


def test_arrays_become_objects_and_arrays_again() -> None:
    assert request_from_v1(OLD) == NEW
    asked = decode(InstantiateVnfRequest, encode(request_from_v1(OLD)))
    assert asked.vim_connection_info["here"].vim_id == "cloud"
    assert asked.ext_managed_virtual_links[0].vnf_virtual_link_desc_id == "inside"
    shown = vnf_lcm_op_occ_v1({"operationParams": NEW, "_links": {"self": {"href": "/vnflcm/v2/vnf_lcm_op_occs/1"}}})
    assert shown["operationParams"]["vimConnectionInfo"] == OLD["vimConnectionInfo"]
    (point,) = shown["operationParams"]["extVirtualLinks"][0]["extCps"]
    assert point["cpConfig"] == [
        {"cpInstanceId": "one", "cpProtocolData": ADDRESSES},
        {"cpInstanceId": "cp1", "linkPortId": "port"},
    ]
    assert shown["_links"]["self"]["href"] == "/vnflcm/v1/vnf_lcm_op_occs/1"


@pytest.mark.parametrize("request_", [{}, {"terminationType": "FORCEFUL"}, {"vnfInstanceName": "x", "metadata": None}])
def test_what_is_the_same_in_both_is_left_alone(request_: dict[str, Any]) -> None:
    assert request_from_v1(request_) == request_


def test_todays_configurations_are_understood_too() -> None:
    assert request_from_v1({"extVirtualLinks": NEW["extVirtualLinks"]}) == {"extVirtualLinks": NEW["extVirtualLinks"]}


@pytest.mark.parametrize(
    ("request_", "place"),
    [
        ({"vimConnectionInfo": {"here": {}}}, "vimConnectionInfo"),
        ({"vimConnectionInfo": ["x"]}, "vimConnectionInfo[0]"),
        ({"vimConnectionInfo": [{"id": "a"}, {"id": "a"}]}, "vimConnectionInfo[1].id"),
        ({"vimConnectionInfo": [{"id": 7}]}, "vimConnectionInfo[0].id"),
        ({"extVirtualLinks": "x"}, "extVirtualLinks"),
        ({"extVirtualLinks": [{"extCps": {}}]}, "extVirtualLinks[0].extCps"),
        ({"extVirtualLinks": [{"extCps": [{"cpConfig": [1]}]}]}, "extVirtualLinks[0].extCps[0].cpConfig[0]"),
    ],
)
def test_what_is_no_array_of_objects_is_told_with_its_place(request_: dict[str, Any], place: str) -> None:
    with pytest.raises(BadRequest) as caught:
        request_from_v1(request_)
    assert (caught.value.code, caught.value.place) == ("wrong-body", place)


def test_an_instance_is_shown_in_the_old_words() -> None:
    info = {"flavourId": "f", "extVirtualLinkInfo": [{"id": "l", "currentVnfExtCpData": [], "resourceHandle": {}}]}
    instance = {
        "id": "i",
        "vimConnectionInfo": {"here": {"vimId": "v"}},
        "instantiatedVnfInfo": info,
        "_links": {"self": {"href": "http://h/vnflcm/v2/vnf_instances/i"}},
    }
    assert vnf_instance_v1(instance) == {
        "id": "i",
        "vimConnectionInfo": [{"id": "here", "vimId": "v"}],
        "instantiatedVnfInfo": {"flavourId": "f", "extVirtualLinkInfo": [{"id": "l", "resourceHandle": {}}]},
        "_links": {"self": {"href": "http://h/vnflcm/v1/vnf_instances/i"}},
    }
    assert "vimConnectionInfo" not in vnf_instance_v1({"id": "i", "_links": {}})
