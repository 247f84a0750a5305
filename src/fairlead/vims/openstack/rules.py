"""The pure half of the kinds: what a change means on OpenStack.

Whatever Nova, Neutron and Cinder can change about a thing that is there is changed in place: power, size, name, ports
and data volumes of a server, and by a rebuild what it starts from, if that is an image; addresses of a port; name, MTU
and further subnets of a network; size of a volume, upwards. All else replaces it, and these rules say why. A port keeps
its addresses and its MAC over that: they are pinned when first seen, and given as fixed ones from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec

from fairlead.resources import (
    AffinityGroupSpec,
    ComputeSpec,
    DefaultRules,
    FloatingIpSpec,
    ImageSpec,
    Name,
    NetworkSpec,
    Order,
    Outputs,
    PortSpec,
    Ref,
    RouterSpec,
    Rules,
    TrunkSpec,
    Undecided,
    VolumeSpec,
)

__all__ = [
    "RULES",
    "ComputeRules",
    "FloatingIpRules",
    "GroupRules",
    "ImageRules",
    "NetworkRules",
    "PortRules",
    "QosRules",
    "RouterRules",
    "SecurityGroupRules",
    "TrunkRules",
    "VolumeRules",
    "boot_volume",
]


def _reason(old: Any, new: Any, fields: Mapping[str, str], what: str) -> str | None:
    changed = [words for field, words in fields.items() if getattr(old, field) != getattr(new, field)]
    return f"{what} cannot change {' and '.join(changed)}" if changed else None


def boot_volume(spec: ComputeSpec) -> str | Ref | None:
    """The volume that a server without an image starts from: its first."""
    return spec.volumes[0].volume if spec.image is None and spec.volumes else None


class ComputeRules(DefaultRules):
    """A server. A resize may copy its disk over the network, so it may take longer than other changes."""

    def replaced_by(self, old: ComputeSpec, new: ComputeSpec) -> str | None:
        rebuilt = {
            "image": "its image",
            "files": "its files",
            "environment": "its environment",
            "user_data": "its user data",
            "key": "its key pair",
        }
        fields = {"groups": "its server groups", "constraints": "its constraints", "zone": "its zone"}
        if old.image is None or new.image is None:
            fields |= rebuilt
        reason = _reason(old, new, fields, "a server")
        if reason is None and boot_volume(old) != boot_volume(new):
            return "a server cannot change the volume that it starts from"
        return reason

    def rebinds(self, spec: ComputeSpec, replaced: Set[Name]) -> bool:
        """Ports and data volumes are plugged and unplugged, and it is rebuilt from another image; nothing else is changed under
        a server."""
        fixed = (boot_volume(spec), *spec.groups, *spec.trunks)
        return not any(isinstance(held, Ref) and held.name in replaced for held in fixed)

    def order(self, old: ComputeSpec, new: ComputeSpec) -> Order:
        """Its ports and volumes can be had once only."""
        return Order.DELETE_FIRST if old.ports or new.ports or old.volumes or new.volumes else Order.CREATE_FIRST

    def remark(self, old: ComputeSpec, new: ComputeSpec, replaced: Set[Name]) -> str | None:
        image = isinstance(new.image, Ref) and new.image.name in replaced
        boot = ("image", "files", "environment", "user_data", "key")
        if image or any(getattr(old, field) != getattr(new, field) for field in boot):
            return "it is rebuilt: its host, ports and volumes stay, its own disk is made anew"
        return None

    def patience(self, verb: str) -> float:
        return 1800.0 if verb == "update" else 900.0


class PortRules(DefaultRules):
    """A port."""

    def replaced_by(self, old: PortSpec, new: PortSpec) -> str | None:
        if old.network != new.network:
            return "it moves to another network"
        fields = {"vnic_type": "the type of its NIC", "profile": "the profile of its binding", "mac": "its MAC"}
        return _reason(old, new, fields, "a port in use")

    def rebinds(self, spec: PortSpec, replaced: Set[Name]) -> bool:
        """Groups, rates and the addresses of others are changed under it; its network is not."""
        return not (isinstance(spec.network, Ref) and spec.network.name in replaced)

    def order(self, old: PortSpec, new: PortSpec) -> Order:
        fixed = not isinstance(new.addresses, Undecided) or not isinstance(new.mac, Undecided)
        return Order.DELETE_FIRST if fixed else Order.CREATE_FIRST


class NetworkRules(DefaultRules):
    """A network with its subnets."""

    def replaced_by(self, old: NetworkSpec, new: NetworkSpec) -> str | None:
        if not {subnet.cidr for subnet in old.subnets} <= {subnet.cidr for subnet in new.subnets}:
            return "a network in use cannot lose a subnet"
        return _reason(old, new, {"internal": "whether it has a way out"}, "a network in use")

    def order(self, old: NetworkSpec, new: NetworkSpec) -> Order:
        return Order.DELETE_FIRST


class VolumeRules(DefaultRules):
    """A volume. One that is filled from an image takes as long as the image is large."""

    irreversible = True

    def replaced_by(self, old: VolumeSpec, new: VolumeSpec) -> str | None:
        if new.size < old.size:
            return "a volume cannot shrink"
        return _reason(old, new, {"image": "what it was filled from", "volume_type": "its type"}, "a volume")

    def patience(self, verb: str) -> float:
        return 1800.0


class ImageRules(DefaultRules):
    """An image, sent once for each VIM and digest."""

    irreversible = True

    def replaced_by(self, old: ImageSpec, new: ImageSpec) -> str | None:
        fields = ("digest", "artifact") if new.artifact is not None else ("label", "digest", "artifact")
        return "it is another image" if any(getattr(old, f) != getattr(new, f) for f in fields) else None

    def patience(self, verb: str) -> float:
        return 3600.0


class GroupRules(DefaultRules):
    """A server group."""

    def replaced_by(self, old: AffinityGroupSpec, new: AffinityGroupSpec) -> str | None:
        fields = {"policy": "its policy", "scope": "its scope", "soft": "how strict it is"}
        return _reason(old, new, fields, "a server group")


class SecurityGroupRules(DefaultRules):
    """A security group: all about it changes in place."""

    def rebinds(self, spec: Any, replaced: Set[Name]) -> bool:
        return True


class QosRules(DefaultRules):
    """A QoS policy: all about it changes in place."""


class RouterRules(DefaultRules):
    """A router. What it connects is what it is for."""

    def replaced_by(self, old: RouterSpec, new: RouterSpec) -> str | None:
        return _reason(old, new, {"network": "the network that it connects"}, "a router")

    def order(self, old: RouterSpec, new: RouterSpec) -> Order:
        """A subnet's gateway address is one router's."""
        return Order.DELETE_FIRST


class FloatingIpRules(DefaultRules):
    """A floating IP. Its address is lost with it, so it goes last."""

    irreversible = True

    def replaced_by(self, old: FloatingIpSpec, new: FloatingIpSpec) -> str | None:
        return _reason(old, new, {"network": "the network that its address is on"}, "a floating IP")

    def rebinds(self, spec: FloatingIpSpec, replaced: Set[Name]) -> bool:
        """It can lead to another port; it cannot be without its router."""
        return not (isinstance(spec.router, Ref) and spec.router.name in replaced)

    def order(self, old: FloatingIpSpec, new: FloatingIpSpec) -> Order:
        return Order.DELETE_FIRST

    def pin(self, spec: FloatingIpSpec, outputs: Outputs) -> FloatingIpSpec:
        """The address is what Neutron gave, also where another had been asked for."""
        return msgspec.structs.replace(spec, address=outputs.get("address", spec.address))


class TrunkRules(DefaultRules):
    """A trunk."""

    def replaced_by(self, old: TrunkSpec, new: TrunkSpec) -> str | None:
        return _reason(old, new, {"port": "the port that it is made of"}, "a trunk")

    def rebinds(self, spec: TrunkSpec, replaced: Set[Name]) -> bool:
        """Ports within it come and go."""
        return not (isinstance(spec.port, Ref) and spec.port.name in replaced)

    def order(self, old: TrunkSpec, new: TrunkSpec) -> Order:
        return Order.DELETE_FIRST


RULES: Mapping[str, Rules[Any]] = {
    "image": ImageRules(),
    "network": NetworkRules(),
    "security-group": SecurityGroupRules(),
    "qos": QosRules(),
    "router": RouterRules(),
    "port": PortRules(),
    "floating-ip": FloatingIpRules(),
    "trunk": TrunkRules(),
    "volume": VolumeRules(),
    "affinity-group": GroupRules(),
    "compute": ComputeRules(),
}
