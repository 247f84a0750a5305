"""The pure half of the simulated kinds: what changes in place and what does not, much as on OpenStack."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from fairlead.resources import (
    ComputeSpec,
    DefaultRules,
    FloatingIpSpec,
    Name,
    NetworkSpec,
    Order,
    PortSpec,
    Ref,
    RouterSpec,
    Rules,
    TrunkSpec,
    Undecided,
    VolumeSpec,
)

__all__ = ["RULES"]


def _changed(old: Any, new: Any, fields: tuple[str, ...]) -> str | None:
    """The first of `fields` that differs and cannot be changed in place, in words."""
    for field in fields:
        if getattr(old, field) != getattr(new, field):
            return f"{field} cannot be changed in place"
    return None


class _Unchangeable(DefaultRules):
    """What is replaced whenever it is to be otherwise."""

    def replaced_by(self, old: Any, new: Any) -> str | None:
        return "it cannot be changed in place"


class _Network(DefaultRules):
    def replaced_by(self, old: NetworkSpec, new: NetworkSpec) -> str | None:
        return _changed(old, new, ("subnets", "internal"))

    def order(self, old: Any, new: Any) -> Order:
        return Order.DELETE_FIRST


class _Port(DefaultRules):
    def replaced_by(self, old: PortSpec, new: PortSpec) -> str | None:
        return _changed(old, new, ("network", "vnic_type", "profile"))

    def rebinds(self, spec: PortSpec, replaced: Set[Name]) -> bool:
        return not (isinstance(spec.network, Ref) and spec.network.name in replaced)

    def order(self, old: PortSpec, new: PortSpec) -> Order:
        return Order.CREATE_FIRST if isinstance(new.addresses, Undecided) else Order.DELETE_FIRST


class _InPlace(DefaultRules):
    """What can be changed in any way."""


class _Router(DefaultRules):
    def replaced_by(self, old: RouterSpec, new: RouterSpec) -> str | None:
        return _changed(old, new, ("network",))

    def order(self, old: RouterSpec, new: RouterSpec) -> Order:
        return Order.DELETE_FIRST


class _FloatingIp(DefaultRules):
    irreversible = True

    def replaced_by(self, old: FloatingIpSpec, new: FloatingIpSpec) -> str | None:
        return _changed(old, new, ("network",))

    def rebinds(self, spec: FloatingIpSpec, replaced: Set[Name]) -> bool:
        return not (isinstance(spec.router, Ref) and spec.router.name in replaced)

    def order(self, old: FloatingIpSpec, new: FloatingIpSpec) -> Order:
        return Order.DELETE_FIRST


class _Trunk(DefaultRules):
    def replaced_by(self, old: TrunkSpec, new: TrunkSpec) -> str | None:
        return _changed(old, new, ("port",))

    def rebinds(self, spec: TrunkSpec, replaced: Set[Name]) -> bool:
        return not (isinstance(spec.port, Ref) and spec.port.name in replaced)

    def order(self, old: TrunkSpec, new: TrunkSpec) -> Order:
        return Order.DELETE_FIRST


class _Volume(DefaultRules):
    irreversible = True

    def replaced_by(self, old: VolumeSpec, new: VolumeSpec) -> str | None:
        if new.size < old.size:
            return "a volume cannot shrink"
        return _changed(old, new, ("image", "volume_type"))


class _Compute(DefaultRules):
    def replaced_by(self, old: ComputeSpec, new: ComputeSpec) -> str | None:
        return _changed(old, new, ("image", "zone", "groups", "files", "environment", "user_data", "constraints"))

    def rebinds(self, spec: ComputeSpec, replaced: Set[Name]) -> bool:
        """Ports and volumes are plugged and unplugged; an image is not changed under a machine, nor what its ports are."""
        fixed = (spec.image, *spec.trunks)
        return not any(isinstance(held, Ref) and held.name in replaced for held in fixed)

    def order(self, old: ComputeSpec, new: ComputeSpec) -> Order:
        return Order.DELETE_FIRST if old.ports or new.ports or old.volumes or new.volumes else Order.CREATE_FIRST


RULES: Mapping[str, Rules[Any]] = {
    "network": _Network(),
    "security-group": _InPlace(),
    "qos": _InPlace(),
    "router": _Router(),
    "port": _Port(),
    "floating-ip": _FloatingIp(),
    "trunk": _Trunk(),
    "volume": _Volume(),
    "image": _Unchangeable(),
    "affinity-group": _Unchangeable(),
    "compute": _Compute(),
}
