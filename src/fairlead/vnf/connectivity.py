"""Which network each connection point goes on, and which addresses were asked for it. Pure.

External connection points are named in requests by the id of their CPD, which is the name under which the descriptor
makes them external, or their own. The configurations of one CPD are for its instances in order (SOL003 clause
4.4.1.10).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fairlead.descriptors import ConnectionPoint, Flavour
from fairlead.errors import Unprocessable
from fairlead.resources import Name
from fairlead.sol import ExtManagedVirtualLinkData, ExtVirtualLinkData, VnfExtCpConfig, VnfExtCpData

__all__ = ["Asked", "Connectivity"]


class Asked(msgspec.Struct, frozen=True):
    """What a request asks for one port."""

    addresses: tuple[str, ...] = ()
    mac: str | None = None


class Connectivity:
    """The links of one VNF: its own, those managed for it, and the external ones."""

    def __init__(
        self,
        flavour: Flavour,
        external: tuple[ExtVirtualLinkData, ...],
        managed: tuple[ExtManagedVirtualLinkData, ...],
    ) -> None:
        self._flavour = flavour
        self.managed = {link.vnf_virtual_link_desc_id: link for link in managed}
        self._external: dict[str, tuple[ExtVirtualLinkData, VnfExtCpData]] = {}
        for link in external:
            for data in link.ext_cps:
                self._external[self._point_id(data.cpd_id)] = (link, data)

    def _point_id(self, cpd: str) -> str:
        """The connection point that a request means by a CPD id. Raises Unprocessable (`unknown-cpd`)."""
        points = self._flavour.connection_points
        if cpd in self._flavour.external:
            return self._flavour.external[cpd]
        if cpd in points and points[cpd].external is not None:
            return cpd
        known = ", ".join(sorted(self._flavour.external))
        raise Unprocessable(
            f"'{cpd}' is no external connection point of flavour '{self._flavour.id}'.",
            code="unknown-cpd",
            place="extVirtualLinks",
            remedy=f"External connection points: {known or 'none'}.",
        )

    def check(self, members: Mapping[str, tuple[str, ...]]) -> None:
        """Every external connection point of a member must be on a link, and every managed link must exist.

        Raises Unprocessable (`external-link-missing`, `unknown-link`).
        """
        for link in self.managed:
            if link not in self._flavour.links:
                known = ", ".join(sorted(self._flavour.links)) or "none"
                raise Unprocessable(
                    f"Flavour '{self._flavour.id}' has no internal link '{link}'.",
                    code="unknown-link",
                    place="extManagedVirtualLinks",
                    remedy=f"Links: {known}.",
                )
        open_ends = [
            point
            for vdu in self._flavour.vdus.values()
            if members.get(vdu.id)
            for point in vdu.connection_points
            if self._flavour.connection_points[point].external is not None and point not in self._external
        ]
        if open_ends:
            names = {point: name for name, point in self._flavour.external.items()}
            words = ", ".join(sorted(names.get(point, point) for point in open_ends))
            raise Unprocessable(
                f"No network is given for: {words}.",
                code="external-link-missing",
                place="extVirtualLinks",
                remedy="Name an existing network for each external connection point.",
            )

    def network_of(self, point: ConnectionPoint) -> Name:
        """The name of the network resource that a connection point goes on."""
        if point.external is not None:
            return Name(f"external/{self._external[point.id][0].id}")
        if point.link is None:
            raise Unprocessable(
                f"Connection point '{point.id}' is on no link.",
                code="connection-point-without-link",
                place=str(point.mark),
            )
        return Name(f"link/{point.link}")

    def cpd_of(self, point: str) -> str:
        """The CPD id under which requests know an external connection point."""
        return self._external[point][1].cpd_id if point in self._external else point

    def asked(self, point: ConnectionPoint, index: int) -> Asked:
        """What was asked for the `index`-th instance of an external connection point."""
        chosen = self.config(point.id, index)
        if chosen is None:
            return Asked()
        addresses: list[str] = []
        mac = None
        for protocol in chosen[1].cp_protocol_data:
            ethernet = protocol.ip_over_ethernet
            if ethernet is not None:
                mac = mac or ethernet.mac_address
                addresses += [address for ip in ethernet.ip_addresses for address in ip.fixed_addresses]
        return Asked(tuple(addresses), mac)

    def link_port(self, point: ConnectionPoint, index: int) -> str | None:
        """The port that exists already and is to be the `index`-th instance of an external connection point.

        Raises Unprocessable (`unknown-link-port`).
        """
        chosen = self.config(point.id, index)
        if chosen is None or chosen[1].link_port_id is None:
            return None
        link = self._external[point.id][0]
        for port in link.ext_link_ports:
            if port.id == chosen[1].link_port_id:
                return port.resource_handle.resource_id
        raise Unprocessable(
            f"'{chosen[1].link_port_id}' is none of the ports of external link '{link.id}'.",
            code="unknown-link-port",
            place="extVirtualLinks",
            remedy="Name it in the link's extLinkPorts, with the handle of the port.",
        )

    def config(self, point: str, index: int) -> tuple[str, VnfExtCpConfig] | None:
        """The configuration, with its name, of the `index`-th instance of an external connection point."""
        if point not in self._external:
            return None
        configs = [(name, config) for name, config in self._external[point][1].cp_config.items() if config is not None]
        return configs[index] if index < len(configs) else None
