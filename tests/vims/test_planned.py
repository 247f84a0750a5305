"""What a plan needs of its infrastructures is read from its changes: only what is made needs anything."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.resources import (
    ComputeSpec,
    Handle,
    ImageSpec,
    Name,
    NetworkSpec,
    Ownership,
    PortSpec,
    Recorded,
    Records,
    Ref,
    Resource,
    State,
    Subnet,
    VimId,
    VolumeSpec,
    diff,
    new_incarnation,
)
from fairlead.vims import Need, needs_of_plan
from fairlead.vims.openstack import driver

VIM = VimId("cloud")
_replace = msgspec.structs.replace


class _Rules:
    def rules(self, resource: Resource[Any]) -> Any:
        return driver.rules[resource.spec.sort()]


def resource(name: str, spec: Any, **fields: Any) -> Resource[Any]:
    return Resource(Name(name), spec, VIM, **fields)


WANTED: dict[Name, Resource[Any]] = {
    one.name: one
    for one in (
        resource(
            "image", ImageSpec(label="debian", digest="name:debian", minimum_disk=2**31), ownership=Ownership.SHARED
        ),
        resource("outside", NetworkSpec(label="public"), ownership=Ownership.GIVEN, existing="public"),
        resource("inside", NetworkSpec(label="inside", subnets=(Subnet(cidr="10.0.0.0/24"),))),
        resource("web/in", PortSpec(network=Ref(Name("inside")), addresses=("10.0.0.9",))),
        resource("web/out", PortSpec(network=Ref(Name("outside")), addresses=("192.0.2.9",))),
        resource("store", VolumeSpec(size=2**30, volume_type="fast")),
        resource(
            "web",
            ComputeSpec(
                label="web",
                image=Ref(Name("image")),
                cpus=2,
                memory=2**28,
                zone="north",
                ports=(Ref(Name("web/in")), Ref(Name("web/out"))),
            ),
        ),
    )
}


def recorded() -> Records:
    """All of it, made."""
    rows = []
    for one in WANTED.values():
        outputs: dict[str, Any] = {"id": f"id-{one.name}"}
        if isinstance(one.spec, PortSpec):
            outputs |= {"addresses": one.spec.addresses, "mac": "fa:16:3e:00:00:01"}
            spec = driver.rules["port"].pin(one.spec, outputs)
            one = _replace(one, spec=spec)
        rows.append(Recorded(one, new_incarnation(), State.READY, Handle(f"id-{one.name}"), outputs))
    return Records.of(rows)


def needs(records: Records, wanted: dict[Name, Resource[Any]], **more: Any) -> list[Need]:
    return needs_of_plan(diff(records, wanted, _Rules(), **more)).get(VIM, [])


def test_what_is_made_needs_room_and_what_is_there_before_it() -> None:
    found = needs(Records(), WANTED)
    assert {(need.sort, need.name, need.resource) for need in found} == {
        ("image", "debian", "image"),
        ("network", "public", "outside"),
        ("link", "inside", "inside"),
        ("port", "web/in", "web/in"),
        ("port", "web/out", "web/out"),
        ("address", "10.0.0.9", "web/in"),
        ("address", "192.0.2.9", "web/out"),
        ("volume", "store", "store"),
        ("machine", "web", "web"),
    }
    machine = next(need for need in found if need.sort == "machine")
    assert (machine.zone, machine.cpus, machine.least_disk, machine.adds) == ("north", 2, 2**31, True)
    inside, outside = sorted((need for need in found if need.sort == "address"), key=lambda need: need.name)
    assert (inside.network, inside.ranges) == (None, ("10.0.0.0/24",))
    assert outside.network == "public"


def test_what_a_template_makes_needs_room_and_whatever_else_may_come_with_the_template() -> None:
    composite = resource("stack", NetworkSpec(label="stands for a stack"))
    specs = {
        "stack/web": ComputeSpec(label="web", flavour="made by the template", ports=(Ref(Name("stack/in")),)),
        "stack/in": PortSpec(network=Ref(Name("stack/link")), addresses=("10.0.0.9",)),
        "stack/link": NetworkSpec(label="link"),
        "stack/disk": VolumeSpec(size=2**30, image=Ref(Name("image"))),
    }
    inside = [resource(name, spec, within=Name("stack")) for name, spec in specs.items()]
    image = resource("image", ImageSpec(label="shipped", artifact="p/image", digest="sha256:1"))
    found = needs(Records(), {one.name: one for one in (composite, image, *inside)})
    assert {(need.sort, need.resource, need.brought) for need in found} == {
        ("link", "stack", False),
        ("machine", "stack/web", True),
        ("port", "stack/in", True),
        ("link", "stack/link", True),
        ("volume", "stack/disk", True),
    }


def test_a_port_within_a_machine_has_an_address_like_any_other() -> None:
    port = _replace(WANTED[Name("web/out")], within=Name("web"))
    found = needs(Records(), {**WANTED, port.name: port})
    assert ("address", "web/out") in {(need.sort, need.resource) for need in found}


def test_what_is_there_needs_nothing_and_neither_does_its_end() -> None:
    assert needs(recorded(), recorded().resources()) == []
    assert needs(recorded(), {}) == []


def test_what_is_replaced_after_its_own_end_needs_no_more_room_and_keeps_its_address() -> None:
    found = needs(recorded(), recorded().resources(), tainted={Name("web"), Name("web/out")})
    assert [(need.sort, need.name, need.adds) for need in found] == [("machine", "web", False)]


@pytest.mark.parametrize(("fields", "asked"), [({"memory": 2**30}, True), ({"power": "off"}, False)])
def test_a_machine_that_grows_needs_a_flavour_and_no_room_for_another(fields: dict[str, Any], asked: bool) -> None:
    wanted = recorded().resources()
    wanted[Name("web")] = _replace(wanted[Name("web")], spec=_replace(wanted[Name("web")].spec, **fields))
    found = needs(recorded(), wanted)
    assert [(need.sort, need.adds) for need in found] == ([("machine", False)] if asked else [])
