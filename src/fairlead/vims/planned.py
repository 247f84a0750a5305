"""What a plan takes for granted in its infrastructures: the same needs as those of a package, read from its changes. Pure.

Only what is to be made, or made larger, needs anything. What replaces something that goes first needs no more room than
that had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from fairlead.resources import (
    Change,
    ComputeSpec,
    Do,
    FloatingIpSpec,
    ImageSpec,
    Name,
    NetworkSpec,
    Ownership,
    Plan,
    PortSpec,
    Ref,
    Resource,
    RouterSpec,
    SecurityGroupSpec,
    Spec,
    Undecided,
    Verb,
    VimId,
    VolumeSpec,
)
from fairlead.vims.needs import Need, NeedSort

__all__ = ["needs_of_plan"]

_COUNTED: Mapping[str, NeedSort] = {"affinity-group": "group", "trunk": "trunk"}
_SIZE = ("cpus", "memory", "disk", "flavour", "constraints")


def needs_of_plan(plan: Plan) -> dict[VimId, list[Need]]:
    """The needs of what `plan` makes, by VIM, in the order of its changes."""
    target = plan.target()
    ending = {step.id: step.old.name for step in plan.steps if step.do is Do.RELINQUISH and step.old is not None}
    after = {step.name: step.after for step in plan.steps if step.do is Do.OBTAIN}
    found: dict[VimId, list[Need]] = {}
    for change in plan.changes:
        new = change.new
        if new is None or change.verb not in (Verb.CREATE, Verb.REPLACE, Verb.UPDATE):
            continue
        makes_room = any(ending.get(step) == change.name for step in after.get(change.name, ()))
        adds = (
            change.verb is not Verb.UPDATE
            and not makes_room
            and (change.old is None or change.old.handle is None or change.verb is Verb.REPLACE)
        )
        inside = _by_template(new, target)
        needs = _of_member(new, adds=adds) if inside else _of(change, new, target, adds=adds)
        found.setdefault(new.vim, []).extend(needs)
    return {vim: needs for vim, needs in found.items() if needs}


def _by_template(new: Resource[Any], target: Mapping[Name, Resource[Any]]) -> bool:
    """Whether it is made by a composite's own template, which may bring what it needs."""
    composite = target.get(new.within) if new.within is not None else None
    return composite is not None and not isinstance(composite.spec, ComputeSpec)


def _of_member(new: Resource[Any], *, adds: bool) -> Iterator[Need]:
    """The room that what a template makes takes: what else it needs the template may bring."""
    spec, name = new.spec, new.name
    if not adds or new.ownership is Ownership.GIVEN:
        return
    if isinstance(spec, ComputeSpec):
        yield msgspec.structs.replace(_machine(spec, name, {}, adds=True), brought=True)
    elif isinstance(spec, PortSpec):
        yield Need(sort="port", name=name, resource=name, brought=True)
    else:
        yield from (msgspec.structs.replace(need, brought=True) for need in _room(spec, name))


def _of(change: Change, new: Resource[Any], target: Mapping[Name, Resource[Any]], *, adds: bool) -> Iterator[Need]:
    spec, name = new.spec, new.name
    if new.ownership is Ownership.GIVEN:
        if isinstance(spec, NetworkSpec) and new.existing and change.verb is not Verb.UPDATE:
            yield Need(sort="network", name=new.existing, resource=name)
    elif isinstance(spec, ImageSpec):
        if spec.artifact is None and change.verb is not Verb.UPDATE:
            yield Need(sort="image", name=spec.label, resource=name)
    elif isinstance(spec, ComputeSpec):
        if change.verb is not Verb.UPDATE or _grows(change, spec):
            yield _machine(spec, name, target, adds=adds)
    elif isinstance(spec, PortSpec):
        yield from _port(change, spec, name, target, adds=adds)
    elif change.verb is not Verb.UPDATE and adds:
        yield from _room(spec, name)


def _room(spec: Spec, name: Name) -> Iterator[Need]:
    """What needs nothing but its room, or little more."""
    if isinstance(spec, NetworkSpec):
        yield Need(sort="link", name=spec.label, resource=name, ranges=tuple(subnet.cidr for subnet in spec.subnets))
    elif isinstance(spec, VolumeSpec):
        yield Need(sort="volume", name=name, resource=name, disk=spec.size, type=spec.volume_type)
    elif isinstance(spec, SecurityGroupSpec):
        yield Need(sort="security-group", name=spec.label, resource=name, number=len(spec.rules))
    elif isinstance(spec, RouterSpec):
        yield Need(sort="router", name=name, resource=name, network=spec.external)
    elif isinstance(spec, FloatingIpSpec):
        yield Need(sort="floating-ip", name=name, resource=name, network=spec.network)
    elif (sort := _COUNTED.get(spec.sort())) is not None:
        yield Need(sort=sort, name=name, resource=name)


def _grows(change: Change, spec: ComputeSpec) -> bool:
    old = change.old.resource.spec if change.old is not None else spec
    return any(getattr(old, field) != getattr(spec, field) for field in _SIZE)


def _machine(spec: ComputeSpec, name: Name, target: Mapping[Name, Resource[Any]], *, adds: bool) -> Need:
    image = target[spec.image.name].spec if isinstance(spec.image, Ref) and spec.image.name in target else None
    least = image if isinstance(image, ImageSpec) else None
    return Need(
        sort="machine",
        name=name,
        resource=name,
        cpus=spec.cpus,
        memory=spec.memory,
        disk=spec.disk,
        constraints=spec.constraints,
        flavour=spec.flavour if isinstance(spec.flavour, str) else None,
        zone=spec.zone if isinstance(spec.zone, str) else None,
        from_image=spec.image is not None,
        least_disk=least.minimum_disk if least else 0,
        least_memory=least.minimum_memory if least else 0,
        adds=adds,
    )


def _port(
    change: Change, spec: PortSpec, name: Name, target: Mapping[Name, Resource[Any]], *, adds: bool
) -> Iterator[Need]:
    if adds:
        yield Need(sort="port", name=name, resource=name)
    network = target.get(spec.network.name) if isinstance(spec.network, Ref) else None
    if isinstance(spec.addresses, Undecided) or network is None:
        return
    held = set(change.old.outputs.get("addresses", ())) if change.old is not None else set()
    given = network.existing if network.ownership is Ownership.GIVEN else None
    ranges = tuple(subnet.cidr for subnet in network.spec.subnets)
    for address in spec.addresses:
        if address not in held and (given or ranges):
            yield Need(sort="address", name=address, resource=name, network=given, ranges=ranges)
