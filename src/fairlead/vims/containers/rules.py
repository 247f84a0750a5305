"""The pure half of the kinds: what a change means on a container engine.

A container is a composite: its ports have no life without it, and it is created with them. `fold` makes the one value that
says all, a `Container`: the machine and its NICs in order. Connecting, disconnecting and power are changes in place; an engine can
change nothing else about a container, so all else replaces it. A port keeps its addresses and its MAC over that: they are
pinned when first seen, and given as fixed ones from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec

from fairlead.resources import (
    ComputeSpec,
    DefaultRules,
    ImageSpec,
    Member,
    Name,
    NetworkSpec,
    Order,
    PortSpec,
    Ref,
    Rules,
    Undecided,
    VolumeSpec,
)

__all__ = ["RULES", "ComputeRules", "Container", "ImageRules", "NetworkRules", "Nic", "PortRules", "VolumeRules"]


class Nic(msgspec.Struct, frozen=True):
    """One port as its container sees it; `addresses` and `mac` are None where the engine is to choose."""

    port: Name
    network: str
    addresses: tuple[str, ...] | None = None
    mac: str | None = None
    vnic_type: str = "normal"


class Container(msgspec.Struct, frozen=True):
    """A compute resource with its member ports, in the order in which interfaces appear.

    `strangers` are ports that are no members of it, which no engine can connect.
    """

    machine: ComputeSpec
    nics: tuple[Nic, ...] = ()
    strangers: tuple[str, ...] = ()


_FIXED = {
    "image": "the image",
    "label": "the host name",
    "cpus": "the number of cores",
    "memory": "the memory",
    "environment": "the environment",
    "files": "a file",
    "user_data": "the user data",
    "volumes": "a volume",
    "constraints": "a constraint",
}


class ComputeRules(DefaultRules):
    """A container."""

    def replaced_by(self, old: ComputeSpec, new: ComputeSpec) -> str | None:
        changed = [words for field, words in _FIXED.items() if getattr(old, field) != getattr(new, field)]
        return f"{' and '.join(changed)} of a container cannot be changed in place" if changed else None

    def order(self, old: ComputeSpec, new: ComputeSpec) -> Order:
        """Its addresses, MACs and volumes can be had once only."""
        held = old.ports or new.ports or old.volumes or new.volumes
        return Order.DELETE_FIRST if held else Order.CREATE_FIRST

    def fold(self, spec: ComputeSpec, members: Mapping[Name, Member]) -> Container:
        waiting = {name: m.resource.spec for name, m in members.items() if isinstance(m.resource.spec, PortSpec)}
        places: list[Name | None] = []
        strangers = []
        for port in spec.ports:
            member = _member_at(port, waiting)
            if member is not None or _former(port):
                places.append(member)
            else:
                strangers.append(port.name if isinstance(port, Ref) else port)
        rest = sorted(waiting.keys() - set(places), key=lambda name: (waiting[name].order, name))
        names = [member if member is not None else rest.pop(0) for member in places if member is not None or rest]
        return Container(spec, tuple(_nic(name, waiting[name]) for name in [*names, *rest]), tuple(strangers))


def _former(port: str | Ref) -> bool:
    """Whether `port` is the handle of a port, resolved while its member is changing to another network."""
    return isinstance(port, str) and port.count("/") == 2


def _member_at(port: str | Ref, waiting: Mapping[Name, PortSpec]) -> Name | None:
    """The member that an entry of `ComputeSpec.ports` means.

    It is a reference while the port is to be made, and the port's handle, which names its network, once it is there.
    """
    if isinstance(port, Ref):
        return port.name if port.name in waiting else None
    network = port.split("/")[1] if _former(port) else None
    return next((name for name, spec in waiting.items() if spec.network == network), None)


def _nic(name: Name, spec: PortSpec) -> Nic:
    return Nic(
        port=name,
        network=spec.network if isinstance(spec.network, str) else "",
        addresses=None if isinstance(spec.addresses, Undecided) else spec.addresses,
        mac=None if isinstance(spec.mac, Undecided) else spec.mac,
        vnic_type=spec.vnic_type,
    )


class PortRules(DefaultRules):
    """A NIC of a container."""

    def replaced_by(self, old: PortSpec, new: PortSpec) -> str | None:
        if old.network != new.network:
            return "it moves to another network"
        return "the type of its NIC changes" if old.vnic_type != new.vnic_type else None

    def order(self, old: PortSpec, new: PortSpec) -> Order:
        return Order.DELETE_FIRST


class NetworkRules(DefaultRules):
    """A bridge."""

    def replaced_by(self, old: NetworkSpec, new: NetworkSpec) -> str | None:
        fields = {"subnets": "its subnets", "internal": "whether it has a way out", "mtu": "its MTU"}
        changed = [words for field, words in fields.items() if getattr(old, field) != getattr(new, field)]
        return f"a network of a container engine cannot change {' and '.join(changed)}" if changed else None

    def order(self, old: NetworkSpec, new: NetworkSpec) -> Order:
        """Two networks cannot have one subnet at once."""
        shared = {subnet.cidr for subnet in old.subnets} & {subnet.cidr for subnet in new.subnets}
        return Order.DELETE_FIRST if shared else Order.CREATE_FIRST


class VolumeRules(DefaultRules):
    """A directory; its size is not limited, so it can be any other."""

    irreversible = True

    def replaced_by(self, old: VolumeSpec, new: VolumeSpec) -> str | None:
        return "a volume cannot be filled from another image" if old.image != new.image else None

    def rebinds(self, spec: VolumeSpec, replaced: Set[Name]) -> bool:
        return True


class ImageRules(DefaultRules):
    """An image under a name of ours."""

    irreversible = True

    def replaced_by(self, old: ImageSpec, new: ImageSpec) -> str | None:
        fields = ("digest", "artifact") if new.artifact is not None else ("label", "digest", "artifact")
        return "it is another image" if any(getattr(old, f) != getattr(new, f) for f in fields) else None


RULES: Mapping[str, Rules[Any]] = {
    "image": ImageRules(),
    "network": NetworkRules(),
    "volume": VolumeRules(),
    "compute": ComputeRules(),
    "port": PortRules(),
}
