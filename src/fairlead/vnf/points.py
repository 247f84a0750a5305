"""The connection points of a VNF: a port for each instance of each, and what ports share. Pure.

What a VIM has no sort for is left out: on a container host, a connection point is a NIC and no more.
"""

from __future__ import annotations

from ipaddress import ip_network

import msgspec

from fairlead.descriptors import ConnectionPoint, ConnectionPointKind, Vdu
from fairlead.errors import Unprocessable
from fairlead.resources import UNDECIDED, Name, PortSpec, Ref, Subport, TrunkSpec
from fairlead.vnf.draft import Draft
from fairlead.vnf.filters import want_filters
from fairlead.vnf.rates import Rates
from fairlead.vnf.record import compute_name
from fairlead.vnf.virtual_ips import VirtualIps
from fairlead.vnf.ways_out import want_floating_ip, want_routers

__all__ = ["Plugs", "Points"]

_ALLOWED = "openstack.allowed_addresses"
_BINDING = "openstack.binding."


class Plugs(msgspec.Struct, frozen=True):
    """The ports that a machine is plugged into, in the order in which its interfaces appear, and its trunks."""

    ports: tuple[Ref, ...]
    trunks: tuple[Ref, ...] = ()


class Points:
    """Wants `<VDU>/<key>/<connection point>`, and for a trunk `<VDU>/<key>/<connection point>/trunk`."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._filters = want_filters(draft)
        self._rates = Rates(draft)
        self._shared = VirtualIps(draft)
        want_routers(draft)
        for name, point in self._shared.want():
            want_floating_ip(draft, point, name)

    def want(self, vdu: Vdu, key: str, index: int) -> Plugs:
        """The ports of one VNFC, the `index`-th of its VDU."""
        points = [self._draft.flavour.connection_points[point] for point in vdu.connection_points]
        names = {point.id: self._port(vdu, key, index, point) for point in points}
        if not self._draft.has("trunk"):
            return Plugs(tuple(Ref(name) for name in names.values()))
        within = {point.id for point in points if point.kind is ConnectionPointKind.SUB}
        trunks = [
            self._trunk(names, parent, children)
            for parent in points
            if (children := [point for point in points if point.parent == parent.id and point.id in within])
        ]
        plugged = (name for point, name in names.items() if point not in within)
        return Plugs(tuple(Ref(name) for name in plugged), tuple(Ref(trunk) for trunk in trunks))

    def _port(self, vdu: Vdu, key: str, index: int, point: ConnectionPoint) -> Name:
        name = Name(f"{vdu.id}/{key}/{point.id}")
        connectivity = self._draft.connectivity
        asked = connectivity.asked(point, index)
        fixed = asked.addresses or (point.fixed_ip_addresses if index == 0 else ())
        requirements = {
            key: value for required in point.interface_requirements for key, value in required.requirements.items()
        }
        others = _ranges(point, requirements.get(_ALLOWED, ""))
        spec = PortSpec(
            network=Ref(connectivity.network_of(point)),
            addresses=fixed or UNDECIDED,
            mac=asked.mac or UNDECIDED,
            order=point.order or 0,
            vnic_type=point.vnic_type or "normal",
            security_groups=self._filters.get(point.id, ()),
            allowed_addresses=(*self._shared.shared_by(point, name), *others),
            qos=self._rates.want(point),
            profile={key[len(_BINDING) :]: value for key, value in requirements.items() if key.startswith(_BINDING)},
        )
        within = compute_name(vdu.id, key) if self._draft.within("port") == "compute" else None
        self._draft.add(name, spec, within=within)
        want_floating_ip(self._draft, point, name)
        return name

    def _trunk(self, names: dict[str, Name], parent: ConnectionPoint, children: list[ConnectionPoint]) -> Name:
        subports = tuple(_subport(point, names[point.id]) for point in children)
        name = Name(f"{names[parent.id]}/trunk")
        return self._draft.add(name, TrunkSpec(port=Ref(names[parent.id]), subports=subports))


def _ranges(point: ConnectionPoint, text: str) -> tuple[str, ...]:
    """Addresses and ranges, by commas."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        try:
            ip_network(part, strict=False)
        except ValueError as error:
            raise Unprocessable(
                f"Connection point '{point.id}' is to use '{part}', which is neither an address nor a range.",
                code="bad-allowed-address",
                place=str(point.mark),
                remedy=f"Write {_ALLOWED} as 10.0.0.1, 10.0.1.0/24.",
            ) from error
    return tuple(parts)


def _subport(point: ConnectionPoint, port: Name) -> Subport:
    """Without an id, a port within a trunk has that of its network."""
    sort = point.segmentation_type or ("inherit" if point.segmentation_id is None else "vlan")
    if sort != "inherit" and point.segmentation_id is None:
        raise Unprocessable(
            f"Connection point '{point.id}' is within a trunk, by a VLAN of no number.",
            code="segmentation-id-missing",
            place=str(point.mark),
            remedy="Give it a segmentation_id, or the segmentation_type inherit.",
        )
    return Subport(port=Ref(port), segmentation_type=sort, segmentation_id=point.segmentation_id)
