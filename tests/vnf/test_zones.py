"""Members that are to be apart over zones: who goes where, and that it stays so."""

from __future__ import annotations

import msgspec
import pytest

from fairlead.descriptors import Flavour, read_vnfd
from fairlead.errors import Unprocessable, VimUnavailable
from fairlead.resources import Name, VimId
from fairlead.vnf.record import Instantiated
from fairlead.vnf.zones import spread
from tests.descriptors.samples import valid
from tests.support.packages import VNFD
from tests.vnf.desired import external, wanted

APART = """\
  policies:
    - apart:
        type: tosca.policies.nfv.AntiAffinityRule
        properties: { scope: zone }
        targets: [ worker ]
"""
SOURCE = VNFD.replace("  policies:\n", APART)
SOFT = SOURCE.replace(
    "        description: Does the work\n",
    "        description: Does the work\n        nfvi_constraints: { openstack.placement: soft }\n",
)
OUTSIDE = (external("outside", "outside", outside=("192.0.2.7",)),)


def flavour(source: str = SOURCE) -> Flavour:
    files = {"Definitions/v.yaml": source.encode(), "Files/image.tar": b"image"}
    return valid(read_vnfd(files, "Definitions/v.yaml")).flavours["simple"]


def state(*keys: str, **zones: str) -> Instantiated:
    return Instantiated(
        flavour="simple",
        vim=VimId("v"),
        scale={},
        members={"gate": ("k1",), "worker": keys},
        counters={},
        zones={Name(f"worker/{key}"): zone for key, zone in zones.items()},
    )


def placed(before: Instantiated, *zones: str, source: str = SOURCE) -> dict[str, str]:
    found = spread(before, flavour(source), zones)
    return {name.removeprefix("worker/"): zone for name, zone in found.zones.items()}


def test_each_member_goes_to_a_zone_of_its_own_in_the_order_of_their_names() -> None:
    assert placed(state("k1", "k2", "k3"), "c", "a", "b") == {"k1": "a", "k2": "b", "k3": "c"}


def test_what_was_decided_stays_and_a_new_member_takes_a_zone_that_is_free() -> None:
    assert placed(state("k1", "k3", "k4", k1="b", k3="c"), "a", "b", "c") == {"k1": "b", "k3": "c", "k4": "a"}
    assert placed(state("k1", k1="gone"), "a", "b") == {"k1": "gone"}, "a zone that is no more moves nobody"
    assert placed(state("k2", k1="a", k2="b"), "a", "b") == {"k2": "b"}, "who has left is forgotten"


def test_more_members_than_zones_are_refused_unless_the_rule_is_a_wish() -> None:
    with pytest.raises(Unprocessable) as refused:
        placed(state("k1", "k2", "k3"), "a", "b")
    assert (refused.value.code, refused.value.resource) == ("not-enough-zones", "worker/k3")
    assert placed(state("k1", "k2", "k3"), "a", "b", source=SOFT) == {"k1": "a", "k2": "b", "k3": "a"}


def test_zones_that_are_not_known_hold_up_new_members_only() -> None:
    with pytest.raises(VimUnavailable) as away:
        spread(state("k1", "k2", k1="a"), flavour(), None)
    assert away.value.code == "zones-not-known"
    assert spread(state("k1", k1="a"), flavour(), None).zones == {"worker/k1": "a"}


def test_where_there_are_no_zones_nothing_is_spread() -> None:
    assert placed(state("k1", "k2")) == {}


def test_a_machine_has_its_zone_and_no_server_group_stands_for_the_rule() -> None:
    vnfd = valid(read_vnfd({"Definitions/v.yaml": SOURCE.encode(), "Files/image.tar": b"image"}, "Definitions/v.yaml"))
    members = {"gate": 1, "worker": 2}
    zones = {Name("worker/k1"): "a", Name("worker/k2"): "b"}
    found = wanted(vnfd, members=members, links=OUTSIDE, zones=("a", "b"), decided=zones)
    assert [found.spec(name).zone for name in found.names("compute")] == [None, "a", "b"]
    assert found.names("affinity-group") == []
    assert found.spec("worker/k1").groups == ()
    without = wanted(vnfd, members=members, links=OUTSIDE)
    assert without.names("affinity-group") == ["group/apart"]


def test_a_rule_about_hosts_may_be_a_wish_too() -> None:
    source = SOFT.replace("scope: zone", "scope: nfvi_node")
    vnfd = valid(read_vnfd({"Definitions/v.yaml": source.encode(), "Files/image.tar": b"image"}, "Definitions/v.yaml"))
    found = wanted(vnfd, members={"gate": 1, "worker": 2}, links=OUTSIDE)
    assert found.spec("group/apart").soft
    assert found.spec("worker/k1").constraints == {}


def test_the_decision_is_stored_with_the_record() -> None:
    before = state("k1", k1="a")
    assert msgspec.convert(msgspec.to_builtins(before), Instantiated) == before
