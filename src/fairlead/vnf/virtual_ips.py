"""Virtual addresses that connection points share (SOL001 VipCp). Pure.

A port of its own holds such an address, so that nobody else gets it, and the ports of the members may use it as their
own. An address that is fixed is named to them as it is, since it can change while its port stays; one that the VIM
chooses stays with its port, and they refer to that. One that is not dedicated is the address of the first member.
"""

from __future__ import annotations

from fairlead.descriptors import ConnectionPoint, ConnectionPointKind
from fairlead.resources import UNDECIDED, Name, PortSpec, Ref
from fairlead.vnf.draft import Draft
from fairlead.vnf.scaling import virtual_ip_counts

__all__ = ["VirtualIps"]


class VirtualIps:
    """Wants `vip/<key>/<connection point>`."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        points = draft.flavour.connection_points.values()
        self._points = [point for point in points if point.kind is ConnectionPointKind.VIRTUAL_IP]
        if draft.within("port") is not None:
            self._points = []
        self._numbers = virtual_ip_counts(draft.flavour, draft.state.scale, draft.state.level)

    def want(self) -> list[tuple[Name, ConnectionPoint]]:
        """The ports that hold them."""
        return [(self._port(point, index), point) for point, index in self._held()]

    def _held(self) -> list[tuple[ConnectionPoint, int]]:
        dedicated = (point for point in self._points if point.dedicated_ip_address)
        return [(point, index) for point in dedicated for index in range(self._numbers.get(point.id, 1))]

    def _port(self, point: ConnectionPoint, index: int) -> Name:
        connectivity = self._draft.connectivity
        spec = PortSpec(
            network=Ref(connectivity.network_of(point)),
            addresses=self._fixed(point, index) or UNDECIDED,
            mac=connectivity.asked(point, index).mac or UNDECIDED,
        )
        return self._draft.add(_name(point, index), spec)

    def _fixed(self, point: ConnectionPoint, index: int) -> tuple[str, ...]:
        asked = self._draft.connectivity.asked(point, index)
        return asked.addresses or (point.fixed_ip_addresses if index == 0 else ())

    def shared_by(self, point: ConnectionPoint, port: Name) -> tuple[str | Ref, ...]:
        """The virtual addresses that `port`, one of `point`, may use."""
        found: list[str | Ref] = []
        for shared in self._points:
            if point.id not in shared.targets:
                continue
            if not shared.dedicated_ip_address:
                first = self._first_member(shared)
                found += [Ref(first, "addresses")] if first not in (None, port) and first is not None else []
                continue
            for index in range(self._numbers.get(shared.id, 1)):
                found += self._fixed(shared, index) or (Ref(_name(shared, index), "addresses"),)
        return tuple(found)

    def _first_member(self, shared: ConnectionPoint) -> Name | None:
        for target in shared.targets:
            for vdu in self._draft.flavour.connection_points[target].vdus:
                for key in self._draft.state.members.get(vdu, ()):
                    return Name(f"{vdu}/{key}/{target}")
        return None


def _name(point: ConnectionPoint, index: int) -> Name:
    return Name(f"vip/k{index + 1}/{point.id}")
