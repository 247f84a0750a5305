"""From connection points to ports and to what leads to them, lies between them and is shared by them."""

from __future__ import annotations

import pytest

from fairlead.descriptors import read_vnfd
from fairlead.errors import Unprocessable
from fairlead.resources import UNDECIDED, Ref, SecurityRule, Subport, references
from fairlead.vims import Traits
from tests.descriptors.samples import valid
from tests.support.connecting import CONNECTED
from tests.vnf.desired import EVERYTHING, Wanted, external, managed, wanted

OUTSIDE = (external("outside", "outside", outside=("192.0.2.7",)),)
PORT = "worker/k1/worker_inside"
OUT = (SecurityRule(direction="egress", ether_type="ipv4"), SecurityRule(direction="egress", ether_type="ipv6"))


def connected(source: str = CONNECTED, **more: object) -> Wanted:
    files = {"Definitions/v.yaml": source.encode(), "Files/image.tar": b"image"}
    found = wanted(
        valid(read_vnfd(files, "Definitions/v.yaml")),
        **{"members": {"gate": 1, "worker": 2}, "links": OUTSIDE, **more},  # type: ignore[arg-type]
    )
    for resource in found.resources.values():
        assert references(resource.spec) <= found.resources.keys()
    return found


def ref(name: str, output: str = "id") -> Ref:
    return Ref(name, output)  # type: ignore[arg-type]


def changed(old: str, new: str) -> str:
    assert old in CONNECTED
    return CONNECTED.replace(old, new)


# -- security groups -------------------------------------------------------------------------------------------------


def test_the_rules_of_a_connection_point_become_one_group_that_its_ports_carry() -> None:
    found = connected()
    assert found.names("security-group") == ["security-group/worker_inside"]
    spec = found.spec("security-group/worker_inside")
    assert spec.rules == (SecurityRule(protocol=6, first=80, last=80), SecurityRule(protocol=1), *OUT)
    carrying = [name for name in found.names("port") if found.spec(name).security_groups]
    assert carrying == ["worker/k1/worker_inside", "worker/k2/worker_inside"]
    assert found.spec(PORT).security_groups == (ref("security-group/worker_inside"),)


def test_connection_points_with_the_same_rules_share_a_group_and_others_have_their_own() -> None:
    source = changed(
        "port_range_max: 80 }\n        targets: [ worker_inside ]",
        "port_range_max: 80 }\n        targets: [ worker_inside, gate_inside ]",
    )
    found = connected(source)
    assert found.names("security-group") == ["security-group/gate_inside", "security-group/worker_inside"]
    both = source.replace(
        "protocol: icmp }\n        targets: [ worker_inside ]",
        "protocol: icmp }\n        targets: [ worker_inside, gate_inside ]",
    )
    (group,) = connected(both).names("security-group")
    assert group == "security-group/gate_inside"
    assert connected(both).spec(PORT).security_groups == (ref(group),)


def test_a_rule_of_what_goes_out_shuts_out_the_rest_and_all_ports_need_no_number() -> None:
    source = changed(
        "properties: { protocol: icmp }", "properties: { direction: egress, ether_type: ipv6, protocol: udp }"
    )
    rules = connected(source).spec("security-group/worker_inside").rules
    assert rules[1:] == (SecurityRule(direction="egress", ether_type="ipv6", protocol=17),)


# -- virtual addresses -----------------------------------------------------------------------------------------------


def test_a_virtual_address_is_held_by_a_port_and_may_be_used_by_those_that_share_it() -> None:
    found = connected()
    spec = found.spec("vip/k1/shared")
    assert (spec.network, spec.addresses) == (ref("link/inside"), UNDECIDED)
    for name in ("worker/k1/worker_inside", "worker/k2/worker_inside"):
        assert found.spec(name).allowed_addresses == (ref("vip/k1/shared", "addresses"), "192.0.2.0/28")
    assert found.spec("gate/k1/gate_inside").allowed_addresses == ()


def test_a_virtual_address_that_is_fixed_is_named_as_it_is() -> None:
    fixed = """\
        vip_function: high_availability
        protocol:
          - associated_layer_protocol: ipv4
            address_data:
              - address_type: ip_address
                l3_address_data: { ip_address_assignment: true, floating_ip_activated: true, fixed_ip_address: [ 10.9.0.50 ] }
"""
    found = connected(changed("        vip_function: high_availability\n", fixed))
    assert found.spec("vip/k1/shared").addresses == ("10.9.0.50",)
    assert found.spec(PORT).allowed_addresses[0] == "10.9.0.50"
    assert found.spec("floating-ip/vip/k1/shared").port == ref("vip/k1/shared")


def test_a_virtual_address_that_is_not_dedicated_is_that_of_the_first_member() -> None:
    found = connected(
        changed(
            "vip_function: high_availability", "vip_function: high_availability\n        dedicated_ip_address: false"
        )
    )
    assert [name for name in found.resources if name.startswith("vip/")] == []
    assert found.spec("worker/k1/worker_inside").allowed_addresses == ("192.0.2.0/28",)
    assert found.spec("worker/k2/worker_inside").allowed_addresses[0] == ref("worker/k1/worker_inside", "addresses")


def test_there_are_as_many_virtual_addresses_as_the_scale_level_says() -> None:
    more = """\
  policies:
    - shared_deltas:
        type: tosca.policies.nfv.VipCpScalingAspectDeltas
        properties: { aspect: workers, deltas: { one: { number_of_instances: 1 } } }
        targets: [ shared ]
    - shared_initial:
        type: tosca.policies.nfv.VipCpInitialDelta
        properties: { initial_delta: { number_of_instances: 1 } }
        targets: [ shared ]
"""
    source = changed("  policies:\n", more)
    names = [name for name in connected(source, scale={"workers": 2}).names("port") if name.startswith("vip/")]
    assert names == ["vip/k1/shared", "vip/k2/shared", "vip/k3/shared"]


# -- ways out --------------------------------------------------------------------------------------------------------


def test_a_floating_ip_has_a_router_for_the_link_of_its_port() -> None:
    found = connected()
    assert found.names("router") == ["router/inside"]
    assert found.spec("router/inside").network == ref("link/inside")
    assert not found.spec("link/inside").internal
    assert found.spec("link/vlan").internal
    assert found.names("floating-ip") == [f"floating-ip/worker/k{key}/worker_inside" for key in (1, 2)]
    spec = found.spec(f"floating-ip/{PORT}")
    assert (spec.port, spec.router, spec.network, spec.address) == (ref(PORT), ref("router/inside"), None, UNDECIDED)


def test_a_network_that_is_given_has_its_own_way_out() -> None:
    found = connected(managed_links=(managed("inside", "theirs"),))
    assert found.names("router") == []
    assert found.spec(f"floating-ip/{PORT}").router is None


# -- rates and trunks ------------------------------------------------------------------------------------------------


def test_rates_of_a_link_and_of_a_connection_point_come_together_at_its_ports() -> None:
    found = connected()
    assert found.names("qos") == ["qos/gate_inside", "qos/worker_inside"]
    workers = found.spec("qos/worker_inside")
    assert (workers.max_rate, workers.min_rate) == (500_000, 2_000_000)
    assert (found.spec("qos/gate_inside").max_rate, found.spec("qos/gate_inside").min_rate) == (500_000, None)
    assert found.spec(PORT).qos == ref("qos/worker_inside")
    assert found.spec("worker/k1/worker_vlan").qos is None, "rates of 0 say nothing"


def test_a_port_within_another_is_no_interface_of_its_own() -> None:
    found = connected()
    spec = found.spec("worker/k1")
    assert spec.ports == (ref(PORT),)
    assert spec.trunks == (ref(f"{PORT}/trunk"),)
    trunk = found.spec(f"{PORT}/trunk")
    within = Subport(port=ref("worker/k1/worker_vlan"), segmentation_type="vlan", segmentation_id=7)
    assert (trunk.port, trunk.subports) == (ref(PORT), (within,))
    assert found.spec("gate/k1").trunks == ()


def test_a_port_within_a_trunk_without_a_number_is_refused_or_inherits_that_of_its_network() -> None:
    with pytest.raises(Unprocessable) as refused:
        connected(changed("        segmentation_id: 7\n", ""))
    assert refused.value.code == "segmentation-id-missing"
    assert "v.yaml:" in (refused.value.place or "")
    source = changed("        segmentation_type: vlan\n        segmentation_id: 7\n", "")
    (within,) = connected(source).spec(f"{PORT}/trunk").subports
    assert (within.segmentation_type, within.segmentation_id) == ("inherit", None)


def test_an_address_of_others_that_is_none_is_told_with_its_place() -> None:
    with pytest.raises(Unprocessable) as refused:
        connected(changed("192.0.2.0/28", "192.0.2.0/280"))
    assert refused.value.code == "bad-allowed-address"
    assert "v.yaml:" in (refused.value.place or "")


# -- elsewhere -------------------------------------------------------------------------------------------------------


def test_what_a_vim_has_no_sort_for_is_left_out() -> None:
    bare = Traits(frozenset({"network", "port", "volume", "image", "compute"}), within={"port": "compute"})
    found = connected(traits=bare)
    assert {resource.spec.sort() for resource in found.resources.values()} <= bare.sorts
    spec = found.spec(PORT)
    assert (spec.security_groups, spec.qos) == ((), None)
    assert found.spec("link/inside").internal
    assert len(found.spec("worker/k1").ports) == 2
    assert "qos" in EVERYTHING.sorts
    assert connected(traits=Traits(EVERYTHING.sorts - {"qos"})).spec(PORT).qos is None
