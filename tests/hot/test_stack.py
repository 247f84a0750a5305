"""Flavours become templates that Heat can take, and what it cannot say is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fairlead.authoring.drawing import as_dot
from fairlead.authoring.showing import stack_files
from fairlead.csar import META_FILE, read_package
from fairlead.descriptors import Flavour, Severity, Vnfd, read_vnfd
from fairlead.hot import Stack, stack_of
from tests.descriptors.samples import PACKAGES
from tests.hot.validity import check_stack
from tests.support.connecting import CONNECTED
from tests.support.packages import VNFD

SAMPLE = Path(__file__).parents[2] / "samples" / "edge-gateway" / "package"


def flavours_of(path: Path) -> list[Flavour]:
    vnfd = read_package(path, missing_files=Severity.WARNING, digests=False).vnfd
    return list(vnfd.flavours.values()) if vnfd is not None else []


def foreign() -> Iterator[Path]:
    if PACKAGES.is_dir():
        yield from sorted(path.parent.parent for path in PACKAGES.rglob(META_FILE))
        yield from sorted(PACKAGES.rglob("*.csar"))


def small(*changes: tuple[str, str]) -> Flavour:
    """The small package of the tests, with some of its text replaced."""
    text = VNFD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    reading = read_vnfd({"a/a.yaml": text.encode(), "Files/image.tar": b""}, "a/a.yaml")
    assert isinstance(reading.vnfd, Vnfd), reading.problems
    return reading.vnfd.flavours["simple"]


def gaps(stack: Stack) -> str:
    return "\n".join(str(gap) for gap in stack.gaps)


@pytest.mark.parametrize("path", [SAMPLE, *foreign()], ids=lambda path: path.name)
def test_every_package_becomes_valid_hot_or_says_what_cannot_be(path: Path) -> None:
    for flavour in flavours_of(path):
        stack = stack_of(flavour, path.name)
        made = any(vdu.image or vdu.cpus or vdu.storages for vdu in flavour.vdus.values())
        if stack.main["resources"]:
            check_stack(stack.main, stack.nested)
        else:
            assert stack.gaps
            assert not made or all(vdu.kind == "containers" for vdu in flavour.vdus.values())
        texts = stack_files(stack)
        assert yaml.safe_load(texts["main.yaml"]) == stack.main
        assert all(yaml.safe_load(texts[name]) == each for name, each in stack.nested.items())


def test_there_are_foreign_packages_that_become_templates() -> None:
    if not PACKAGES.is_dir():
        pytest.skip("there are no packages of other projects here")
    made = [path.name for path in foreign() if any(stack_of(f, "").nested for f in flavours_of(path))]
    assert {"tacker-basic_lcms_max", "tacker-userdata_standard"} <= set(made)


def test_what_is_scaled_is_a_group_of_a_nested_template_with_policies() -> None:
    stack = stack_of(small(), "small")
    check_stack(stack.main, stack.nested)
    resources = stack.main["resources"]
    group = resources["worker_group"]
    assert group["type"] == "OS::Heat::AutoScalingGroup"
    assert (group["properties"]["min_size"], group["properties"]["max_size"]) == (1, 4)
    assert group["properties"]["resource"]["type"] == "worker.yaml"
    assert resources["workers_worker_out"]["properties"]["scaling_adjustment"] == 1
    assert resources["workers_worker_in"]["properties"]["scaling_adjustment"] == -1
    assert stack.main["parameters"]["count_worker"]["default"] == 1
    nested = stack.nested["worker.yaml"]["resources"]
    assert nested["disk"]["type"] == "OS::Cinder::Volume"
    assert nested["worker_disk_attachment"]["type"] == "OS::Cinder::VolumeAttachment"


def test_what_there_is_one_of_stands_in_the_main_template() -> None:
    stack = stack_of(small(), "small")
    gate = stack.main["resources"]["gate"]["properties"]
    assert gate["networks"] == [
        {"port": {"get_resource": "gate_outside"}},
        {"port": {"get_resource": "gate_inside"}},
    ]
    assert stack.main["resources"]["gate_outside"]["properties"]["network"] == {"get_param": "network_gate_outside"}
    assert stack.main["resources"]["gate_inside"]["depends_on"] == ["inside_subnet"]
    assert gate["metadata"] == {"GREETING": "canary-environment"}


def test_a_boot_file_with_a_place_becomes_a_cloud_config() -> None:
    resources = stack_of(small(), "small").main["resources"]
    (file,) = resources["gate_config"]["properties"]["cloud_config"]["write_files"]
    assert file == {"path": "/etc/gate.conf", "content": "password=canary-file"}
    assert resources["gate"]["properties"]["user_data"] == {"get_resource": "gate_config"}


def test_numbers_can_be_given() -> None:
    parameters = stack_of(small(), "small", {"worker": 3}).main["parameters"]
    assert parameters["count_worker"]["default"] == 3


def test_a_fixed_address_stays_with_one_machine_and_is_a_gap_in_a_group() -> None:
    given = (
        "fixed_ip_address: [ 10.9.0.9 ], floating_ip_activated: false, ip_address_type: ipv4, number_of_ip_address: 1"
    )
    data = f"address_data: [ {{ address_type: ip_address, l3_address_data: {{ {given} }} }} ]"
    address = f"protocol: [ {{ associated_layer_protocol: ipv4, {data} }} ]"
    one = stack_of(small(("order: 1", f"order: 1\n        {address}")), "small")
    assert one.main["resources"]["gate_inside"]["properties"]["fixed_ips"] == [{"ip_address": "10.9.0.9"}]
    place = "    worker_inside:\n      type: tosca.nodes.nfv.VduCp\n      properties:\n"
    many = stack_of(small((place, f"{place}        {address}\n")), "small")
    assert 'the fixed address of "worker_inside" is left out' in gaps(many)
    assert "fixed_ips" not in many.nested["worker.yaml"]["resources"]["worker_inside"]["properties"]


def test_rules_of_placement_become_server_groups_where_nova_has_them() -> None:
    def rule(scope: str) -> tuple[str, str]:
        policy = "tosca.policies.nfv.AntiAffinityRule"
        return (
            "  policies:\n",
            f"  policies:\n    - apart: {{ type: {policy}, targets: [ worker ], properties: {{ scope: {scope} }} }}\n",
        )

    stack = stack_of(small(rule("nfvi_node")), "small")
    check_stack(stack.main, stack.nested)
    assert stack.main["resources"]["apart"]["properties"] == {"policies": ["anti-affinity"]}
    assert stack.nested["worker.yaml"]["resources"]["worker"]["properties"]["scheduler_hints"] == {
        "group": {"get_param": "apart"}
    }
    other = stack_of(small(rule("zone")), "small")
    assert '"apart" is about the scope zone' in gaps(other)
    assert "apart" not in other.main["resources"]


def test_rules_of_traffic_become_security_groups_of_the_ports() -> None:
    policy = "{ type: tosca.policies.nfv.SecurityGroupRule, targets: [ gate_outside ], properties: { protocol: tcp, port_range_min: 80, port_range_max: 81 } }"  # noqa: E501
    stack = stack_of(small(("  policies:\n", f"  policies:\n    - web: {policy}\n")), "small")
    check_stack(stack.main, stack.nested)
    assert stack.main["resources"]["gate_outside"]["properties"]["security_groups"] == [{"get_resource": "web"}]
    (rule,) = stack.main["resources"]["web"]["properties"]["rules"]
    assert rule == {
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 80,
        "port_range_max": 81,
    }


def test_a_virtual_ip_is_a_port_whose_address_others_may_use() -> None:
    point = """\
    shared_address:
      type: tosca.nodes.nfv.VipCp
      properties: { layer_protocols: [ ipv4 ], vip_function: high_availability }
      requirements:
        - target: worker_inside
        - target: gate_inside
        - virtual_link: inside
    disk:
"""
    stack = stack_of(small(("    disk:\n", point)), "small")
    check_stack(stack.main, stack.nested)
    assert stack.main["resources"]["shared_address"]["type"] == "OS::Neutron::Port"
    own = stack.main["resources"]["gate_inside"]["properties"]["allowed_address_pairs"]
    assert own == [{"ip_address": {"get_attr": ["shared_address", "fixed_ips", 0, "ip_address"]}}]
    member = stack.nested["worker.yaml"]["resources"]["worker_inside"]["properties"]["allowed_address_pairs"]
    assert member == [{"ip_address": {"get_param": "shared_address_address"}}]


def test_a_trunk_takes_the_ports_within_it() -> None:
    point = """\
    gate_vlan:
      type: tosca.nodes.nfv.VduSubCp
      properties: { layer_protocols: [ ipv4 ], segmentation_type: vlan, segmentation_id: 7 }
      requirements:
        - trunk_binding: gate_inside
        - virtual_link: inside
    disk:
"""
    text = ("    disk:\n", point)
    trunk = ("        order: 1\n", "        order: 1\n        trunk_mode: true\n")
    stack = stack_of(small(text, trunk), "small")
    check_stack(stack.main, stack.nested)
    properties = stack.main["resources"]["gate_inside_trunk"]["properties"]
    assert properties["sub_ports"] == [
        {"port": {"get_resource": "gate_vlan"}, "segmentation_type": "vlan", "segmentation_id": 7}
    ]
    server = stack.main["resources"]["gate"]
    assert {"port": {"get_resource": "gate_vlan"}} not in server["properties"]["networks"]
    assert server["depends_on"] == ["gate_inside_trunk"]


def test_a_gap_has_its_place() -> None:
    (gap,) = [each for each in stack_of(small(), "small").gaps if "bit rate" in each.what]
    assert gap.mark.file == "a/a.yaml"
    assert gap.mark.line == VNFD[: VNFD.index("\n    inside:\n")].count("\n") + 2


@pytest.mark.parametrize("path", [SAMPLE, *foreign()], ids=lambda path: path.name)
def test_every_package_can_be_drawn(path: Path) -> None:
    for flavour in flavours_of(path):
        drawn = as_dot(flavour, 'a "title"')
        assert drawn.startswith('graph "a \\"title\\"" {')
        assert drawn.endswith("}")
        assert drawn.replace('\\"', "").count('"') % 2 == 0
        for vdu in flavour.vdus:
            assert f'"vdu {vdu}" [' in drawn
        ends = {
            end
            for line in drawn.splitlines()
            if " -- " in line
            for end in line.strip().split(" [")[0].rstrip(";").split(" -- ")
        }
        nodes = {
            line.strip().split(" [")[0] for line in drawn.splitlines() if line.startswith('  "') and " -- " not in line
        }
        assert ends <= nodes


def test_a_connected_machine_has_a_router_pairs_a_trunk_and_a_group_that_neutron_understands() -> None:
    reading = read_vnfd({"a/a.yaml": CONNECTED.encode(), "Files/image.tar": b""}, "a/a.yaml")
    assert isinstance(reading.vnfd, Vnfd), reading.problems
    stack = stack_of(reading.vnfd.flavours["simple"], "connected")
    check_stack(stack.main, stack.nested)
    main, worker = stack.main["resources"], stack.nested["worker.yaml"]["resources"]
    (ping,) = main["ping"]["properties"]["rules"]
    assert ping == {"direction": "ingress", "ethertype": "IPv4", "protocol": "icmp"}
    gateway = {"network": {"get_param": "floating_network_worker_inside"}}
    assert main["inside_router"]["properties"] == {"external_gateway_info": gateway}
    assert main["inside_subnet_way"]["properties"]["subnet"] == {"get_resource": "inside_subnet"}
    assert "inside_subnet_way" in main["worker_group"]["depends_on"]
    pairs = worker["worker_inside"]["properties"]["allowed_address_pairs"]
    assert pairs[-1] == {"ip_address": "192.0.2.0/28"}
    assert worker["worker_inside_floating"]["type"] == "OS::Neutron::FloatingIP"
    assert worker["worker_inside_trunk"]["type"] == "OS::Neutron::Trunk"


def test_key_pair_metadata_and_soft_rules_are_said_in_a_machines_own_words() -> None:
    boot = "        boot_data:\n          vim_specific_properties: { properties: { key_name: admin, site: north } }\n"
    words = (
        "        nfvi_constraints: { openstack.metadata.role: gate, openstack.key: other, openstack.placement: soft }\n"
    )
    apart = "    - apart: { type: tosca.policies.nfv.AntiAffinityRule, targets: [ gate ], properties: { scope: nfvi_node } }\n"
    changes = (("        boot_data:\n", words + boot), ("  policies:\n", f"  policies:\n{apart}"))
    stack = stack_of(small(*changes), "small")
    check_stack(stack.main, stack.nested)
    said = stack.main["resources"]["gate"]["properties"]
    assert said["key_name"] == "other"
    assert (said["metadata"]["site"], said["metadata"]["role"]) == ("north", "gate")
    assert stack.main["resources"]["apart"]["properties"] == {"policies": ["soft-anti-affinity"]}
    assert "constraints" not in gaps(stack)
