"""What ports share and what leads to them: security groups, rates, virtual addresses, routers, floating IPs, trunks.

A driver need not have these sorts; one that has a sort is held to all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from fairlead.clock import SystemClock
from fairlead.errors import VimError, VimUnavailable
from fairlead.resources import (
    Compares,
    FloatingIpSpec,
    Incarnation,
    Name,
    Pending,
    PortSpec,
    QosSpec,
    Ready,
    Ref,
    Resource,
    RouterSpec,
    SecurityGroupSpec,
    SecurityRule,
    Seen,
    Spec,
    Subport,
    TrunkSpec,
)
from tests.contract.subject import Hands, Subject

_replace = msgspec.structs.replace
WEB = SecurityRule(protocol=6, first=80, last=80)
PING = SecurityRule(protocol=1)
ANY_OUT = SecurityRule(direction="egress")
SORTS = ("security-group", "qos", "router", "floating-ip", "trunk")
SEVERAL_CALLS = ("security-group", "qos", "router")
"""Those whose creation may end half made."""


@asynccontextmanager
async def linked(subject: Subject) -> AsyncIterator[Hands]:
    """Hands with a network that has a way out."""
    if not subject.type.traits.sorts.issuperset(SORTS):
        pytest.skip("this VIM has ports and networks only")
    async with Hands(subject) as held:
        await held.obtain(held.network("link", internal=False))
        yield held


def port(hands: Hands, name: str, **fields: Any) -> Resource[Any]:
    return hands.resource(name, PortSpec(network=Ref(Name("link")), **fields))


async def one_of(hands: Hands, sort: str) -> Resource[Any]:
    """One of `sort` as wanted, with what it needs there already."""
    spec: Spec
    if sort == "security-group":
        spec = SecurityGroupSpec(label="filter", rules=(WEB, ANY_OUT))
    elif sort == "qos":
        spec = QosSpec(label="slow", max_rate=1_000_000)
    elif sort == "router":
        spec = RouterSpec(label="router", network=Ref(Name("link")))
    elif sort == "floating-ip":
        await hands.obtain(port(hands, "port"))
        await hands.obtain(hands.resource("way out", RouterSpec(label="way out", network=Ref(Name("link")))))
        spec = FloatingIpSpec(port=Ref(Name("port")), router=Ref(Name("way out")))
    else:
        await hands.obtain(port(hands, "parent"))
        await hands.obtain(port(hands, "child"))
        within = Subport(port=Ref(Name("child")), segmentation_id=7)
        spec = TrunkSpec(port=Ref(Name("parent")), subports=(within,))
    return hands.resource(f"a {sort}", spec)


@pytest.mark.parametrize("sort", SORTS)
async def test_each_is_made_found_by_its_exact_tag_listed_and_ended(subject: Subject, sort: str) -> None:
    async with linked(subject) as hands:
        resource = await one_of(hands, sort)
        before = {thing.handle for thing in await hands.driver.tagged()}
        held = await hands.obtain(resource)
        assert held.outputs["id"]
        find = hands.kind(sort).find
        assert await find(held.tag, held.concrete) == held.handle
        assert await find(_replace(held.tag, incarnation=Incarnation("0" * 16)), held.concrete) is None
        observed = await hands.driver.observe({sort: {held.handle}})
        assert observed[sort, held.handle] == await hands.kind(sort).read(held.handle)
        kind, there = hands.kind(sort), observed[sort, held.handle] or {}
        assert kind.settled(there, held.concrete.spec)
        assert isinstance(kind, Compares)
        assert kind.seen(there, held.concrete.spec, held.outputs) == Seen(held.concrete.spec)
        assert [thing.handle for thing in await hands.driver.tagged() if thing.tag == held.tag] == [held.handle]
        await hands.kind(sort).update(held.handle, held.concrete.spec, held.concrete.spec)
        assert isinstance(await hands.status(held), Ready)
        await hands.relinquish(held)
        await hands.kind(sort).delete(held.handle)
        assert await find(held.tag, held.concrete) is None
        assert {thing.handle for thing in await hands.driver.tagged()} == before


@pytest.mark.parametrize("sort", SEVERAL_CALLS)
async def test_a_creation_whose_answer_was_lost_has_made_one_thing_that_is_found_and_whole(
    subject: Subject, sort: str
) -> None:
    async with linked(subject) as hands:
        resource = await one_of(hands, sort)
        concrete, tag = hands.concrete(resource), hands.tag(resource.name)
        async with hands.subject.losing(sort, hands.deployment) as access:
            driver = hands.subject.type.open(access, hands.subject.files, SystemClock())
            with pytest.raises(VimUnavailable):
                await driver.kinds[sort].create(concrete, tag)
            await driver.close()
        handle = await hands.kind(sort).find(tag, concrete)
        assert handle is not None
        assert [thing.handle for thing in await hands.driver.tagged() if thing.tag == tag] == [handle]
        kind = hands.kind(sort)
        for _ in range(1000):
            observed = await kind.read(handle)
            if not isinstance(kind.status(observed), Pending):
                break
            await asyncio.sleep(0.02)
        assert kind.settled(observed or {}, concrete.spec)


async def test_the_rules_of_a_security_group_change_in_place(subject: Subject) -> None:
    async with linked(subject) as hands:
        held = await hands.obtain(
            hands.resource("filter", SecurityGroupSpec(label="filter", rules=(WEB, ANY_OUT, SecurityRule(protocol=50))))
        )
        kind = hands.kind("security-group")
        other = SecurityGroupSpec(label="filter", rules=(PING, ANY_OUT, SecurityRule(ether_type="ipv6", protocol=58)))
        assert hands.subject.type.rules["security-group"].replaced_by(held.resource.spec, other) is None
        assert not kind.settled(await kind.read(held.handle) or {}, other)
        changed = await hands.update(held, other)
        assert changed.handle == held.handle
        again = await hands.update(changed, other)
        observed = await kind.read(again.handle) or {}
        assert isinstance(kind, Compares)
        without = _replace(other, rules=other.rules[1:])
        seen = kind.seen(observed, without, {})
        assert isinstance(seen, Seen)
        assert set(seen.spec.rules) == set(other.rules)
        assert kind.settled(observed, other)
        assert not kind.settled(observed, _replace(other, rules=()))


async def test_a_port_is_filtered_limited_and_may_use_the_addresses_of_others_and_again_not(subject: Subject) -> None:
    async with linked(subject) as hands:
        shared = await hands.obtain(port(hands, "shared"))
        await hands.obtain(hands.resource("filter", SecurityGroupSpec(label="filter", rules=(WEB,))))
        await hands.obtain(hands.resource("slow", QosSpec(label="slow", max_rate=1_000_000)))
        wanted = port(
            hands,
            "port",
            security_groups=(Ref(Name("filter")),),
            allowed_addresses=(Ref(Name("shared"), "addresses"), "192.0.2.0/24"),
            qos=Ref(Name("slow")),
        )
        held, kind = await hands.obtain(wanted), hands.kind("port")
        assert held.concrete.spec.allowed_addresses[0] == shared.outputs["addresses"]
        assert kind.settled(await kind.read(held.handle) or {}, held.concrete.spec)
        assert isinstance(kind, Compares)
        seen = kind.seen(await kind.read(held.handle) or {}, held.concrete.spec, held.outputs)
        assert seen == Seen(held.concrete.spec)
        plain = await hands.update(held, port(hands, "port").spec)
        seen = kind.seen(await kind.read(held.handle) or {}, held.concrete.spec, held.outputs)
        assert isinstance(seen, Seen)
        assert seen.spec.security_groups == () or seen.amiss
        assert seen.spec.qos is None
        assert plain.handle == held.handle
        assert not kind.settled(await kind.read(held.handle) or {}, held.concrete.spec)
        back = await hands.update(plain, wanted.spec)
        assert kind.settled(await kind.read(back.handle) or {}, back.concrete.spec)
        assert back.outputs["addresses"] == held.outputs["addresses"]


async def test_what_ports_use_cannot_go_before_them(subject: Subject) -> None:
    async with linked(subject) as hands:
        group = await hands.obtain(hands.resource("filter", SecurityGroupSpec(label="filter", rules=(WEB,))))
        rates = await hands.obtain(hands.resource("slow", QosSpec(label="slow", max_rate=1_000_000)))
        held = await hands.obtain(port(hands, "port", security_groups=(Ref(Name("filter")),), qos=Ref(Name("slow"))))
        for used in (group, rates):
            with pytest.raises(VimError) as refused:
                await hands.kind(used.sort).delete(used.handle)
            assert refused.value.cause
        for each in (held, group, rates):
            await hands.relinquish(each)


async def test_a_floating_ip_keeps_its_address_when_it_leads_to_another_port(subject: Subject) -> None:
    async with linked(subject) as hands:
        for name in ("one", "two"):
            await hands.obtain(port(hands, name))
        router = await hands.obtain(hands.resource("router", RouterSpec(label="router", network=Ref(Name("link")))))
        spec = FloatingIpSpec(port=Ref(Name("one")), router=Ref(Name("router")))
        held = await hands.obtain(hands.resource("floating", spec))
        address = held.outputs["address"]
        rules = hands.subject.type.rules["floating-ip"]
        assert rules.pin(spec, held.outputs).address == address
        assert rules.irreversible
        with pytest.raises(VimError):
            await hands.kind("router").delete(router.handle)
        moved = await hands.update(held, _replace(spec, port=Ref(Name("two"))))
        assert (moved.handle, moved.outputs["address"]) == (held.handle, address)
        await hands.relinquish(hands.held[Name("two")])
        assert isinstance(await hands.status(moved), Ready), "it outlives its port"
        back = await hands.update(moved, spec)
        assert back.outputs["address"] == address


async def test_ports_within_a_trunk_come_and_go_while_a_machine_has_it(subject: Subject) -> None:
    async with linked(subject) as hands:
        await hands.obtain(hands.image())
        for name in ("parent", "child", "other"):
            await hands.obtain(port(hands, name))
        one = Subport(port=Ref(Name("child")), segmentation_id=7)
        two = Subport(port=Ref(Name("other")), segmentation_id=8)
        trunk = await hands.obtain(hands.resource("trunk", TrunkSpec(port=Ref(Name("parent")), subports=(one,))))
        compute, _ = hands.parts("server", [])
        spec = _replace(compute.spec, ports=(Ref(Name("parent")),), trunks=(Ref(Name("trunk")),))
        server = await hands.obtain(_replace(compute, spec=spec))
        assert not hands.subject.type.rules["compute"].rebinds(spec, {Name("trunk")})
        both = await hands.update(trunk, _replace(trunk.resource.spec, subports=(one, two)))
        other = await hands.update(both, _replace(trunk.resource.spec, subports=(two,)))
        renumbered = await hands.update(
            other, _replace(trunk.resource.spec, subports=(_replace(two, segmentation_id=9),))
        )
        assert renumbered.handle == trunk.handle
        with pytest.raises(VimError):
            await hands.kind("trunk").delete(trunk.handle)
        for each in (server, renumbered, *(hands.held[Name(name)] for name in ("parent", "child", "other"))):
            await hands.relinquish(each)
