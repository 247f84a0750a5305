"""Ways out on the peer: which external network is meant, and what is told where there is none."""

from __future__ import annotations

import msgspec
import pytest

from fairlead.errors import VimRefused
from fairlead.resources import FloatingIpSpec, Name, PortSpec, QosSpec, Ref, RouterSpec
from fairlead.vims.openstack.refusals import Denied
from tests.contract.clouds import OpenStackSubject, peer_access
from tests.contract.subject import Hands
from tests.support.cloud import PeerCloud

_replace = msgspec.structs.replace
ROUTER = RouterSpec(label="router", network=Ref(Name("link")))


async def linked(hands: Hands) -> None:
    await hands.obtain(hands.network("link", internal=False))
    await hands.obtain(hands.resource("port", PortSpec(network=Ref(Name("link")))))


async def test_the_only_external_network_is_taken_and_of_several_the_one_that_is_named(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await linked(hands)
        with pytest.raises(VimRefused) as missing:
            await hands.create(hands.resource("router", ROUTER))
        assert missing.value.code == "external-network-missing"
        public = peer.routing.add_external("public")
        router = await hands.obtain(hands.resource("router", ROUTER))
        assert peer.routing.routers[router.handle]["external_gateway_info"] == {"network_id": public["id"]}
        await hands.relinquish(router)
    other = peer.routing.add_external("other")
    async with Hands(peer_subject) as hands:
        await linked(hands)
        with pytest.raises(VimRefused) as ambiguous:
            await hands.create(hands.resource("router", ROUTER))
        assert ambiguous.value.code == "external-network-ambiguous"
        assert "other" in (ambiguous.value.cause or "")
        named = await hands.obtain(hands.resource("router", _replace(ROUTER, external="other")))
        assert peer.routing.routers[named.handle]["external_gateway_info"] == {"network_id": other["id"]}


async def test_a_port_that_no_router_connects_cannot_have_a_floating_ip_and_it_is_said_why(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    peer.routing.add_external("public")
    async with Hands(peer_subject) as hands:
        await linked(hands)
        with pytest.raises(VimRefused) as refused:
            await hands.create(hands.resource("floating", FloatingIpSpec(port=Ref(Name("port")))))
        assert refused.value.code == "floating-ip-unreachable"


async def test_a_floating_ip_that_is_made_anew_gets_its_address_where_that_may_be_chosen_and_else_another(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    peer.routing.add_external("public")
    async with Hands(peer_subject) as hands:
        await linked(hands)
        await hands.obtain(hands.resource("router", ROUTER))
        spec = FloatingIpSpec(port=Ref(Name("port")), address="172.24.4.99")
        denied = await hands.obtain(hands.resource("one", spec))
        assert denied.outputs["address"] != "172.24.4.99"
        rules = hands.subject.type.rules["floating-ip"]
        assert rules.pin(spec, denied.outputs).address == denied.outputs["address"]
        peer.routing.choosy = True
        chosen = await hands.obtain(hands.resource("two", spec))
        assert chosen.outputs["address"] == "172.24.4.99"


async def test_that_neutron_lets_only_administrators_make_policies_is_told(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    words = {"NeutronError": {"type": "PolicyNotAuthorized", "message": "rule:create_policy is disallowed by policy"}}
    async with Hands(peer_subject) as hands:
        peer.fail(r"POST .*/policies$", 403, words)
        with pytest.raises(Denied) as denied:
            await hands.create(hands.resource("slow", QosSpec(label="slow", max_rate=1)))
        assert denied.value.code == "qos-not-allowed"


@pytest.mark.parametrize(
    ("bit_rates", "kinds"), [("limit", {"bandwidth_limit"}), ("guarantee", {"bandwidth_limit", "minimum_bandwidth"})]
)
async def test_guarantees_are_asked_for_where_the_vim_is_to_give_them_only(
    peer: PeerCloud, peer_subject: OpenStackSubject, bit_rates: str, kinds: set[str]
) -> None:
    subject = OpenStackSubject(
        peer_subject.files.directory, _replace(peer_access(peer), settings={"bit_rates": bit_rates})
    )
    async with Hands(subject) as hands:
        held = await hands.obtain(hands.resource("q", QosSpec(label="q", max_rate=1_500_001, min_rate=1000)))
        rules = peer.routing.policies[held.handle]["rules"]
        assert {rule["type"] for rule in rules} == kinds
        assert {rule["max_kbps"] for rule in rules if "max_kbps" in rule} == {1501}
        changed = await hands.update(held, QosSpec(label="q", max_rate=1000))
        assert {rule["type"] for rule in peer.routing.policies[changed.handle]["rules"]} == {"bandwidth_limit"}


async def test_ports_that_do_not_filter_need_no_allowance_for_the_addresses_of_others(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.obtain(hands.network("link"))
        spec = PortSpec(network=Ref(Name("link")), allowed_addresses=("192.0.2.1",))
        held = await hands.obtain(hands.resource("port", spec))
        kind = hands.kind("port")
        assert peer.neutron.ports[held.handle]["allowed_address_pairs"] == []
        assert kind.settled(await kind.read(held.handle) or {}, spec)


async def test_a_type_of_nic_that_neutron_does_not_have_is_refused_and_others_and_their_profile_are_asked_for(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.obtain(hands.network("link"))
        with pytest.raises(VimRefused) as refused:
            await hands.create(hands.resource("no", PortSpec(network=Ref(Name("link")), vnic_type="ptp")))
        assert refused.value.code == "vnic-type-not-supported"
        spec = PortSpec(network=Ref(Name("link")), vnic_type="direct", profile={"trusted": "true"})
        held = await hands.obtain(hands.resource("fast", spec))
        seen = peer.neutron.ports[held.handle]
        assert (seen["binding:vnic_type"], seen["binding:profile"]) == ("direct", {"trusted": "true"})
