"""The parameter `nfv` of a package's templates: what Tacker's two standard user data classes compute. Pure.

    VDU/<vdu>:      computeFlavourId, vcImageId, locationConstraints, desired_capacity, name
    VDU/<storage>:  vcImageId
    CP/<point>:     network, fixed_ips/#<n>: {ip_address, subnet}, port
    VL/<link>:      network

Where each VNFC has a resource of its own, the first two levels have the VNFC's index at the end of their names: `VDU1-0`.
The request's `additionalParams.nfv` goes over it; what it says of `VDU1` holds for all of `VDU1-0`, `VDU1-1` and so on. Its texts
may be secrets and are sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.descriptors import ConnectionPoint, SoftwareImage, Vdu
from fairlead.errors import Unprocessable
from fairlead.hot import indexed
from fairlead.resources import UNDECIDED, Fitting, Leaf, Ref, flat, pointer
from fairlead.sol import IpAddressData
from fairlead.vnf.draft import Draft
from fairlead.vnf.images import Images

__all__ = ["NfvTree"]

_FLAVOUR = "openstack.flavour"


class NfvTree:
    """The leaves, by path, as they are added."""

    def __init__(self, draft: Draft, images: Images) -> None:
        self._draft = draft
        self._images = images
        self._leaves: dict[str, Leaf] = {}
        self._names: dict[tuple[str, str], list[str]] = {}

    def vdu(self, vdu: Vdu, number: int, index: int | None) -> None:
        """One VDU, of which there are `number`; with an `index`, one VNFC of it."""
        self._put("VDU", vdu.id, index, "computeFlavourId", self._flavour(vdu))
        self._put("VDU", vdu.id, index, "locationConstraints", UNDECIDED)
        self._put("VDU", vdu.id, index, "desired_capacity", number)
        self._put("VDU", vdu.id, index, "name", vdu.id if index is None else indexed(vdu.id, index))
        self._image(vdu.id, index, vdu.image)
        for id in vdu.storages:
            self._image(id, index, self._draft.flavour.storages[id].image)
        for id in vdu.connection_points:
            self._point(self._draft.flavour.connection_points[id], index)

    def links(self, networks: Mapping[str, str]) -> None:
        """The links that somebody else manages."""
        for link, network in networks.items():
            self._put("VL", link, None, "network", network)

    def with_request(self, wishes: Any) -> dict[str, Leaf]:
        """All leaves, with those of the request's `additionalParams.nfv` in place of ours."""
        if wishes is None:
            return self._leaves
        if not isinstance(wishes, Mapping) or not all(isinstance(part, Mapping) for part in wishes.values()):
            raise Unprocessable(
                "The additional parameter nfv is a map with VDU, CP and VL, each a map by name.",
                code="bad-nfv-parameter",
                place="additionalParams/nfv",
                remedy="Give it in the shape in which the template asks for it.",
            )
        leaves = dict(self._leaves)
        for section, parts in wishes.items():
            exact = {name: part for name, part in parts.items() if (section, name) not in self._names}
            for name, part in parts.items():
                for each in self._names.get((section, name), ()):
                    self._override(leaves, f"{section}/{pointer(each)}", part)
            for name, part in exact.items():
                self._override(leaves, f"{section}/{pointer(str(name))}", part)
        return leaves

    def _override(self, leaves: dict[str, Leaf], path: str, part: Any) -> None:
        for inner, value in flat(part, path).items():
            for there in [each for each in leaves if inner.startswith(f"{each}/") or each.startswith(f"{inner}/")]:
                del leaves[there]
            leaves[inner] = self._draft.sealer.seal(value) if isinstance(value, str) else value

    def _put(self, section: str, id: str, index: int | None, leaf: str, value: Leaf) -> None:
        name = id if index is None else indexed(id, index)
        names = self._names.setdefault((section, id), [])
        if name not in names:
            names.append(name)
        self._leaves[f"{section}/{pointer(name)}/{leaf}"] = value

    # -- leaves --------------------------------------------------------------------------------------------------------

    def _flavour(self, vdu: Vdu) -> Leaf:
        """What the descriptor names, in Tacker's words or ours, else one that holds the VDU."""
        named = next((each.name for each in vdu.additional_capabilities if each.name), None)
        if chosen := vdu.nfvi_constraints.get(_FLAVOUR, named):
            return chosen
        disk = sum(storage.size for storage in vdu.local_storages)
        return Fitting(
            cpus=float(vdu.cpus or 1), memory=vdu.memory or 0, disk=disk, constraints=dict(vdu.nfvi_constraints)
        )

    def _image(self, id: str, index: int | None, image: SoftwareImage | None) -> None:
        reference = self._images.want(image)
        if reference is not None:
            self._put("VDU", id, index, "vcImageId", reference)

    def _point(self, point: ConnectionPoint, index: int | None) -> None:
        """A connection point outside, or on a link that somebody else manages."""
        connectivity = self._draft.connectivity
        if point.external is None:
            managed = connectivity.managed.get(point.link or "")
            if managed is not None:
                self._put("CP", point.id, index, "network", managed.resource_id)
            return
        self._put("CP", point.id, index, "network", Ref(connectivity.network_of(point)))
        port = connectivity.link_port(point, index or 0)
        if port is not None:
            self._put("CP", point.id, index, "port", port)
        for number, fixed in enumerate(self._fixed(point, index or 0)):
            for key, value in fixed.items():
                self._put("CP", point.id, index, f"fixed_ips/#{number}/{key}", value)

    def _fixed(self, point: ConnectionPoint, index: int) -> list[dict[str, str]]:
        """The addresses asked for; an instance that none are asked for has the dynamic ones of the first."""
        connectivity = self._draft.connectivity
        config = connectivity.config(point.id, index)
        first = config or connectivity.config(point.id, 0)
        if first is None:
            return []
        wishes = [
            address
            for protocol in first[1].cp_protocol_data
            if protocol.ip_over_ethernet is not None
            for address in protocol.ip_over_ethernet.ip_addresses
        ]
        return [entry for wish in wishes for entry in _entries(wish, fixed=config is not None)]


def _entries(wish: IpAddressData, *, fixed: bool) -> list[dict[str, str]]:
    subnet = {"subnet": wish.subnet_id} if wish.subnet_id is not None else {}
    if wish.fixed_addresses:
        addresses = wish.fixed_addresses if fixed else ()
        return [{"ip_address": address, **subnet} for address in addresses]
    return [subnet] * (wish.num_dynamic_addresses or 1) if subnet else []
