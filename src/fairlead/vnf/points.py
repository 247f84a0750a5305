"""The connection points of a VNF: a port for each instance of each, and what ports share. Pure."""

from __future__ import annotations

from fairlead.descriptors import ConnectionPoint, Vdu
from fairlead.resources import UNDECIDED, Name, PortSpec, Ref
from fairlead.vnf.draft import Draft
from fairlead.vnf.record import compute_name

__all__ = ["Points"]


class Points:
    """Wants `<VDU>/<key>/<connection point>`."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def want(self, vdu: Vdu, key: str, index: int) -> tuple[Ref, ...]:
        """The ports of one VNFC, the `index`-th of its VDU, in the order in which its interfaces appear."""
        points = (self._draft.flavour.connection_points[point] for point in vdu.connection_points)
        return tuple(Ref(self._port(vdu, key, index, point)) for point in points)

    def _port(self, vdu: Vdu, key: str, index: int, point: ConnectionPoint) -> Name:
        name = Name(f"{vdu.id}/{key}/{point.id}")
        connectivity = self._draft.connectivity
        asked = connectivity.asked(point, index)
        fixed = asked.addresses or (point.fixed_ip_addresses if index == 0 else ())
        spec = PortSpec(
            network=Ref(connectivity.network_of(point)),
            addresses=fixed or UNDECIDED,
            mac=asked.mac or UNDECIDED,
            order=point.order or 0,
            vnic_type=point.vnic_type or "normal",
        )
        within = compute_name(vdu.id, key) if self._draft.within("port") == "compute" else None
        return self._draft.add(name, spec, within=within)
