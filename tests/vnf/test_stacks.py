"""Packages that bring templates, on a VIM that has stacks: the stack, its members and the parameter `nfv`. Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from fairlead.descriptors import Vnfd
from fairlead.errors import Unprocessable
from fairlead.hot import paths_of
from fairlead.resources import (
    UNDECIDED,
    Fitting,
    Ownership,
    Ref,
    SecretRef,
    StackSpec,
    decode_resource,
    encode_resource,
    flat,
    references,
    tree,
)
from fairlead.sol import ExtVirtualLinkData, decode
from fairlead.vims import Traits
from tests.hot.samples import TACKER, files_of, vnfd_of
from tests.support.openstack.tacker import external_links
from tests.vnf.desired import EVERYTHING, Wanted, managed, wanted

STACKS = Traits(sorts=EVERYTHING.sorts | {"stack"})
SMALL = ("userdata_standard", "change_vnfpkg")
DEFAULT = ("basic_lcms_max", "scale_ng")


def stacked(package: str, vdu1: int = 2, **more: Any) -> Wanted:
    """What a package of Tacker's with so many of VDU1 and one of VDU2 comes to."""
    ports = ("port-1", "port-2") if package in DEFAULT else ()
    asked = external_links(
        ("net-1", "subnet-1"), ("net-2", "subnet-2"), ports=ports, fixed="10.82.0.77", small=package in SMALL
    )
    links = decode(tuple[ExtVirtualLinkData, ...], msgspec.json.encode(asked))
    files = files_of(package)
    settings: dict[str, Any] = {
        "members": {"VDU1": vdu1, "VDU2": 1},
        "links": links,
        "traits": STACKS,
        "templates": {path: files[path] for path in paths_of(files)},
        **more,
    }
    vnfd: Vnfd = settings.pop("vnfd", vnfd_of(package))
    return wanted(vnfd, **settings)


def nfv(found: Wanted) -> Any:
    """The parameter as nested maps."""
    return tree(found.spec("stack").parameters)


def main(found: Wanted) -> Any:
    """The main template, which was rewritten."""
    return json.loads(found.secret(found.spec("stack").template))


@pytest.mark.parametrize("package", TACKER)
def test_everything_that_the_templates_make_for_the_descriptor_is_a_member(package: str) -> None:
    found = stacked(package)
    members = {name: resource for name, resource in found.resources.items() if resource.within == "stack"}
    assert members.keys() == found.spec("stack").places.keys()
    assert {"VDU1/k1", "VDU1/k2", "VDU2/k1", "link/internalVL1"} <= members.keys()
    others = {name: resource.ownership for name, resource in found.resources.items() if name not in members}
    assert others.pop("stack") is Ownership.OWNED
    assert set(others.values()) == {Ownership.GIVEN, Ownership.SHARED}
    for resource in found.resources.values():
        assert references(resource.spec) <= found.resources.keys()


def test_a_vim_without_stacks_works_from_the_descriptor() -> None:
    files = files_of("individual_vnfc_max")
    found = stacked("individual_vnfc_max", traits=EVERYTHING, templates={path: files[path] for path in paths_of(files)})
    assert "stack" not in found.resources
    assert all(resource.within is None for resource in found.resources.values())


def test_with_default_user_data_a_group_s_members_are_found_by_their_keys() -> None:
    spec: StackSpec = stacked("basic_lcms_max").spec("stack")
    assert spec.groups == {"VDU1_scale_group": ("k1", "k2")}
    assert spec.places["VDU1/k2/VDU1_CP3"] == "VDU1_scale_group/k2/VDU1_CP3"
    assert spec.places["VDU2/k1"] == "VDU2"
    assert spec.places["VDU2/k1/VDU2-VirtualStorage"] == "VDU2-VirtualStorage"


def test_with_standard_user_data_each_has_a_place_of_its_own_for_life() -> None:
    two, three = (stacked("individual_vnfc_max", number).spec("stack") for number in (2, 3))
    assert two.groups == {}
    assert two.places["VDU1/k2"] == "VDU1-1/VDU1"
    assert two.places.items() <= three.places.items()


def test_the_tree_of_default_user_data_is_what_tacker_s_class_computes() -> None:
    found = nfv(stacked("basic_lcms_max"))
    vdu1, point = found["VDU"]["VDU1"], found["CP"]["VDU2_CP2"]
    assert (vdu1["computeFlavourId"], vdu1["desired_capacity"], vdu1["name"]) == ("m1.tiny", 2, "VDU1")
    assert vdu1["locationConstraints"] == UNDECIDED
    assert found["VDU"]["VDU1-VirtualStorage"]["vcImageId"] == Ref("image/VDU1-VirtualStorage")  # type: ignore[arg-type]
    assert found["CP"]["VDU1_CP1"]["network"] == Ref("external/outside-1")  # type: ignore[arg-type]
    assert point["fixed_ips"] == [{"ip_address": "10.82.0.77", "subnet": "subnet-2"}, {"subnet": "subnet-2"}]
    assert found["CP"]["VDU2_CP1-2"]["port"] == "port-2"


def test_the_tree_of_standard_user_data_has_an_entry_for_each_vnfc() -> None:
    found = nfv(stacked("userdata_standard"))
    assert {name for name in found["VDU"] if "Storage" not in name} == {"VDU1-0", "VDU1-1", "VDU2-0"}
    assert found["VDU"]["VDU1-1"]["name"] == "VDU1-1"
    assert found["VDU"]["VDU1-0"]["vcImageId"] == Ref("image/VDU1")  # type: ignore[arg-type]
    assert found["CP"]["VDU2_CP1-0"]["fixed_ips"] == [{"subnet": "subnet-1"}]


def test_ports_that_exist_are_given_and_no_members() -> None:
    found = stacked("basic_lcms_max")
    port = found.resources["VDU2/k1/VDU2_CP1-1"]
    assert (port.ownership, port.existing, port.within) == (Ownership.GIVEN, "port-1", None)
    assert Ref(port.name) in found.spec("VDU2/k1").ports


def test_the_request_s_parameters_go_over_ours_for_all_or_for_one_and_are_sealed() -> None:
    wishes = {
        "VDU": {"VDU1": {"computeFlavourId": "canary-all"}, "VDU1-1": {"name": "canary-one"}},
        "more": {"a": {"b": 7}},
    }
    found = stacked("userdata_standard", parameters={"nfv": wishes})
    leaves: Mapping[str, Any] = found.spec("stack").parameters
    assert found.secret(leaves["VDU/VDU1-0/computeFlavourId"]) == "canary-all"
    assert found.secret(leaves["VDU/VDU1-1/computeFlavourId"]) == "canary-all"
    assert found.secret(leaves["VDU/VDU1-1/name"]) == "canary-one"
    assert leaves["VDU/VDU1-0/name"] == "VDU1-0"
    assert leaves["more/a/b"] == 7
    assert "canary" not in str(encode_resource(found.resources["stack"]))


def test_a_managed_link_is_given_and_is_in_the_template_by_its_id() -> None:
    found = stacked("userdata_standard", managed_links=(managed("internalVL1", "net-9"),))
    assert found.resources["link/internalVL1"].ownership is Ownership.GIVEN
    assert "internalVL1" not in main(found)["resources"]
    assert main(found)["resources"]["VDU1-0"]["properties"]["net2"] == "net-9"
    assert nfv(found)["VL"]["internalVL1"]["network"] == "net-9"


def test_templates_are_sent_as_they_were_written_where_nothing_is_to_be_said_otherwise() -> None:
    files = files_of("basic_lcms_max")
    top = files["BaseHOT/simple/sample1.yaml"].replace(b"OS::Neutron::Subnet", b"OS::Heat::None")
    templates = {path: files[path] for path in paths_of(files)} | {"BaseHOT/simple/sample1.yaml": top}
    found = stacked("basic_lcms_max", templates=templates)
    assert found.secret(found.spec("stack").template) == top.decode()
    nested = found.spec("stack").files["VDU1.yaml"]
    assert isinstance(nested, SecretRef)
    assert found.secret(nested) == files["BaseHOT/simple/nested/VDU1.yaml"].decode()


def test_a_vdu_without_a_named_flavour_gets_one_that_fits() -> None:
    vnfd = vnfd_of("userdata_standard")
    flavour = vnfd.flavours["simple"]
    vdus = {name: dataclasses.replace(vdu, additional_capabilities=()) for name, vdu in flavour.vdus.items()}
    changed = dataclasses.replace(vnfd, flavours={"simple": dataclasses.replace(flavour, vdus=vdus)})
    leaf = stacked("userdata_standard", vnfd=changed).spec("stack").parameters["VDU/VDU1-0/computeFlavourId"]
    assert isinstance(leaf, Fitting)
    assert (leaf.cpus, leaf.memory) == (1.0, 512_000_000)


def test_a_plan_can_look_for_the_flavour_of_a_member() -> None:
    """What the request says is sealed, so no plan knows it, and no size is taken for it."""
    named = stacked("userdata_standard").spec("VDU1/k1")
    assert (named.flavour, named.memory) == ("m1.tiny", 0)
    wishes = {"nfv": {"VDU": {"VDU1": {"computeFlavourId": "other"}}}}
    told = stacked("userdata_standard", parameters=wishes).spec("VDU1/k1")
    assert (told.flavour, told.memory) == (None, 0)


@pytest.mark.parametrize(
    ("package", "parameters", "code"),
    [
        ("userdata_standard", {"lcm-operation-user-data-class": "Mine"}, "unsupported-package-script"),
        ("userdata_standard", {"lcm-operation-user-data": "./UserData/mine.py"}, "unsupported-package-script"),
        ("userdata_standard", {"lcm-operation-user-data-class": "DefaultUserData"}, "template-not-scalable"),
        ("userdata_standard", {"nfv": ["VDU1"]}, "bad-nfv-parameter"),
        ("userdata_standard", {"nfv": {"VDU": "VDU1"}}, "bad-nfv-parameter"),
    ],
)
def test_what_cannot_be_is_refused(package: str, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        stacked(package, parameters=parameters)
    assert refused.value.code == code


def test_templates_that_do_not_fit_the_descriptor_are_refused_with_their_file() -> None:
    files = files_of("basic_lcms_max")
    top = files["BaseHOT/simple/sample1.yaml"]
    for changed, code in (
        (top.replace(b"  VDU2:\n", b"  Other:\n"), "template-lacks-vdu"),
        (
            top.replace(b"desired_capacity: { get_param: [ nfv, VDU, VDU1, desired_capacity ] }", b""),
            "template-not-scalable",
        ),
        (top.replace(b"heat_template_version", b"heat_version"), "templates-unreadable"),
        (top.replace(b"computeFlavourId", b"flavourId"), "template-parameter-missing"),
    ):
        templates = {path: files[path] for path in paths_of(files)} | {"BaseHOT/simple/sample1.yaml": changed}
        with pytest.raises(Unprocessable) as refused:
            stacked("basic_lcms_max", templates=templates)
        assert (refused.value.code, str(refused.value.place).partition(":")[0]) == (code, "BaseHOT/simple/sample1.yaml")


def test_a_link_port_that_is_not_listed_is_refused() -> None:
    asked = external_links(("net-1", "s1"), ("net-2", "s2"), ports=("p1", "p2"), fixed="10.82.0.77")
    asked[0]["extLinkPorts"].pop()
    with pytest.raises(Unprocessable) as refused:
        stacked("basic_lcms_max", links=decode(tuple[ExtVirtualLinkData, ...], msgspec.json.encode(asked)))
    assert refused.value.code == "unknown-link-port"


def test_a_stack_is_stored_and_read_again() -> None:
    for package in ("basic_lcms_max", "userdata_standard"):
        resource = stacked(package).resources["stack"]
        assert decode_resource(json.loads(json.dumps(encode_resource(resource)))) == resource


@pytest.mark.parametrize(
    "value", [{"a": {"b": 1, "c/d": [1, {"e~f": None}]}}, {"a": [[1, 2], ["x"]]}, {"#0": {"x": True}, "y": 1}]
)
def test_leaves_by_path_make_the_tree_again(value: Any) -> None:
    assert tree(flat(value)) == value
