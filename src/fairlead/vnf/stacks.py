"""A VNF whose package brings templates of Heat, on a VIM that has stacks: one stack, and its members. Pure.

What the templates make for the descriptor's VDUs, connection points, storages and links is recorded under the same names as
on any other VIM, each within the stack; what else they make (a volume type, a subnet) is the stack's own affair. Images and
what exists outside are resources beside it. A member `k1` has the index 0 in names that Heat sees, for its life.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fairlead.descriptors import ConnectionPoint, Problems, Vdu, VduKind, VirtualLink
from fairlead.errors import Unprocessable
from fairlead.hot import (
    Brought,
    Room,
    has_shape_of_standard,
    indexed,
    parameters_asked,
    paths_of,
    read_brought,
    rooms_of,
    unrolled,
)
from fairlead.resources import (
    UNDECIDED,
    Attachment,
    ComputeSpec,
    Fitting,
    Leaf,
    Name,
    NetworkSpec,
    Ownership,
    PortSpec,
    Ref,
    StackSpec,
    VolumeSpec,
    pointer,
)
from fairlead.vnf.draft import Draft
from fairlead.vnf.images import Images
from fairlead.vnf.links import want_external_links, want_managed_link
from fairlead.vnf.nfv_tree import NfvTree
from fairlead.vnf.record import compute_name
from fairlead.vnf.user_data import UserData, user_data_asked

__all__ = ["STACK", "is_stacked", "want_stack"]

STACK: Final = Name("stack")
_PORT: Final = "OS::Neutron::Port"
_VOLUME: Final = "OS::Cinder::Volume"
_NETWORK: Final = "OS::Neutron::Net"


def is_stacked(draft: Draft) -> bool:
    """Whether the VNF is to be a stack: the VIM has them, and the package brings templates for the flavour."""
    return draft.has("stack") and bool(paths_of(draft.context.templates, draft.flavour.id))


def want_stack(draft: Draft) -> None:
    """Want `stack` and everything in and beside it.

    Raises Unprocessable for templates that cannot be used so, and for parameters that nobody gives.
    """
    _Stack(draft, _read(draft)).want()


def _read(draft: Draft) -> Brought:
    problems = Problems()
    brought = read_brought(draft.context.templates, draft.flavour.id, problems)
    if brought is None:
        first = problems.sorted()[0]
        raise Unprocessable(
            f"The package's templates cannot be read: {first.message}.",
            code="templates-unreadable",
            place=str(first.mark),
            remedy="Correct them with the help of `fairlead lint`, and onboard the package again.",
        )
    return brought


class _Stack:
    def __init__(self, draft: Draft, brought: Brought) -> None:
        self._draft = draft
        self._brought = brought
        machines = [vdu for vdu in draft.flavour.vdus.values() if vdu.kind is VduKind.COMPUTE]
        self._rooms = rooms_of(brought, tuple(vdu.id for vdu in machines))
        shaped = has_shape_of_standard(brought, tuple(vdu.id for vdu in machines))
        asked = user_data_asked(draft.state.parameters)
        self._standard = shaped if asked is None else asked is UserData.STANDARD
        self._images = Images(draft)
        self._tree = NfvTree(draft, self._images)
        self._places: dict[str, str] = {}
        self._groups: dict[str, tuple[str, ...]] = {}

    def want(self) -> None:
        """The stack, what it is made of, and its members."""
        draft = self._draft
        want_external_links(draft)
        managed = {link: data.resource_id for link, data in draft.connectivity.managed.items()}
        for link in draft.flavour.links.values():
            self._link(link)
        repeated: dict[str, list[int]] = {}
        for vdu in draft.flavour.vdus.values():
            keys = draft.state.members.get(vdu.id, ())
            if not keys and vdu.id not in self._rooms:
                continue
            room = self._room(vdu, len(keys))
            if self._is_repeated(room):
                repeated[vdu.id] = [_index(key) for key in keys]
                for key in keys:
                    self._tree.vdu(vdu, len(keys), _index(key))
            else:
                self._tree.vdu(vdu, len(keys), None)
            if room.group:
                self._groups[room.resource] = tuple(keys)
        self._tree.links(managed)
        leaves = self._tree.with_request(draft.state.parameters.get("nfv"))
        for vdu in draft.flavour.vdus.values():
            for index, key in enumerate(draft.state.members.get(vdu.id, ())):
                self._vnfc(vdu, self._rooms[vdu.id], key, index, leaves)
        main = unrolled(self._brought.main, repeated, managed)
        self._require_all(main, leaves)
        text = self._brought.text if main is self._brought.main else json.dumps(main, indent=1)
        seal = draft.sealer.seal
        spec = StackSpec(
            label=draft.label("stack"),
            template=seal(text),
            files={name: seal(file) for name, file in self._brought.files.items()},
            parameters=leaves if self._takes_parameter(main) else {},
            places=self._places,
            groups=self._groups,
        )
        draft.add(STACK, spec)

    def _takes_parameter(self, main: Mapping[str, Any]) -> bool:
        """Heat refuses what a template does not declare; what the request gives is handed to it all the same, for it to say so."""
        return "nfv" in (main.get("parameters") or {}) or "nfv" in self._draft.state.parameters

    def _is_repeated(self, room: Room) -> bool:
        return self._standard and room.repeated

    def _room(self, vdu: Vdu, number: int) -> Room:
        """Where the VDU's servers are. Raises Unprocessable (`template-lacks-vdu`, `template-not-scalable`)."""
        room = self._rooms.get(vdu.id)
        if room is None:
            raise Unprocessable(
                f"The package's templates make no server for VDU '{vdu.id}'.",
                code="template-lacks-vdu",
                place=self._brought.path,
                remedy=f"Call its resource of the type OS::Nova::Server '{vdu.id}'.",
            )
        most = number if self._is_repeated(room) or room.resized else 1
        if number > most:
            raise Unprocessable(
                f"There are to be {number} of VDU '{vdu.id}', and the package's templates always make one.",
                code="template-not-scalable",
                place=self._brought.path,
                remedy="Let an AutoScalingGroup make it, with the desired capacity [nfv, VDU, NAME, desired_capacity], or "
                "a nested template with the user data class StandardUserData.",
            )
        return room

    def _require_all(self, main: Mapping[str, Any], leaves: Mapping[str, Any]) -> None:
        """Everything that the template asks of the parameter is there. Raises Unprocessable (`template-parameter-missing`)."""
        asked = {
            "/".join(f"#{part}" if isinstance(part, int) else part.replace("/", "~1") for part in path)
            for path in parameters_asked(main)
        }
        missing = [
            path
            for path in sorted(asked)
            if path not in leaves and not any(leaf.startswith(f"{path}/") for leaf in leaves)
        ]
        if missing:
            words = ", ".join(f"nfv/{path}".replace("/#", "/") for path in missing)
            raise Unprocessable(
                f"The package's template asks for what neither the request nor the descriptor gives: {words}.",
                code="template-parameter-missing",
                place=self._brought.path,
                remedy="Give networks, subnets, addresses and ports in extVirtualLinks, and anything else in "
                "additionalParams.nfv.",
            )

    # -- members -------------------------------------------------------------------------------------------------------

    def _link(self, link: VirtualLink) -> None:
        if link.id in self._draft.connectivity.managed:
            want_managed_link(self._draft, link.id)
        elif _is(self._brought.resources.get(link.id), _NETWORK):
            self._add_member(Name(f"link/{link.id}"), NetworkSpec(label=link.id), link.id)

    def _add_member(self, name: Name, spec: Any, place: str) -> Name:
        self._places[name] = place
        return self._draft.add(name, spec, within=STACK)

    def _vnfc(self, vdu: Vdu, room: Room, key: str, index: int, leaves: Mapping[str, Leaf]) -> None:
        draft, beside = self._draft, room.beside(self._brought)
        stem = ""
        if room.group:
            stem = f"{room.resource}/{key}/"
        elif self._is_repeated(room):
            stem = f"{indexed(vdu.id, _index(key))}/"
        elif room.file is not None:
            stem = f"{room.resource}/"
        points = [draft.flavour.connection_points[point] for point in vdu.connection_points]
        which = _index(key) if self._is_repeated(room) else index
        ports = [self._port(vdu, key, which, point, beside, stem) for point in points]
        volumes = [self._volume(vdu, key, storage, beside, stem) for storage in vdu.storages]
        name = indexed(vdu.id, _index(key)) if self._is_repeated(room) else vdu.id
        flavour = leaves.get(f"VDU/{pointer(name)}/computeFlavourId")
        size = flavour if isinstance(flavour, Fitting) else Fitting()
        spec = ComputeSpec(
            label=draft.label(f"{vdu.id}-{key}"),
            image=self._images.want(vdu.image),
            cpus=size.cpus,
            memory=size.memory,
            disk=size.disk,
            flavour=flavour if isinstance(flavour, str) else None,
            ports=tuple(Ref(port) for port in ports if port is not None),
            volumes=tuple(Attachment(volume=Ref(volume)) for volume in volumes if volume is not None),
            power="on" if draft.state.started else "off",
        )
        self._add_member(compute_name(vdu.id, key), spec, f"{stem}{vdu.id}")

    def _port(
        self, vdu: Vdu, key: str, index: int, point: ConnectionPoint, beside: Mapping[str, Any], stem: str
    ) -> Name | None:
        """A port of the stack's own, or one that exists already; None where the templates have none by that name."""
        draft, name = self._draft, Name(f"{vdu.id}/{key}/{point.id}")
        network: str | Ref = ""
        if point.external is not None:
            network = Ref(draft.connectivity.network_of(point))
        elif f"link/{point.link}" in draft.made:
            network = Ref(Name(f"link/{point.link}"))
        if _is(beside.get(point.id), _PORT):
            spec = PortSpec(network=network, addresses=UNDECIDED, order=point.order or 0)
            return self._add_member(name, spec, f"{stem}{point.id}")
        existing = draft.connectivity.link_port(point, index)
        if existing is None:
            return None
        return draft.add(name, PortSpec(network=network), Ownership.GIVEN, existing=existing)

    def _volume(self, vdu: Vdu, key: str, storage: str, beside: Mapping[str, Any], stem: str) -> Name | None:
        described = self._draft.flavour.storages[storage]
        if not _is(beside.get(storage), _VOLUME):
            return None
        spec = VolumeSpec(size=described.size or 0, image=self._images.want(described.image))
        return self._add_member(Name(f"{vdu.id}/{key}/{storage}"), spec, f"{stem}{storage}")


def _index(key: str) -> int:
    """The index of a member in names that Heat sees: `k1` is 0."""
    return int(key[1:]) - 1


def _is(resource: Any, type_: str) -> bool:
    return isinstance(resource, Mapping) and resource.get("type") == type_
