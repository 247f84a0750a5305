"""One deployment flavour: a topology template that substitutes the VNF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.descriptors.network import ConnectionPoint, ConnectionPointKind
from fairlead.descriptors.problems import Mark
from fairlead.descriptors.reading.checks import check_flavour
from fairlead.descriptors.reading.connectivity import read_connection_points, read_external, read_links
from fairlead.descriptors.reading.lifecycle import read_interfaces
from fairlead.descriptors.reading.machines import read_storages, read_vdus
from fairlead.descriptors.reading.rules import read_rules
from fairlead.descriptors.reading.template import NodeTemplate, Topology
from fairlead.descriptors.values import Struct
from fairlead.descriptors.vnfd import Flavour, Mciop

__all__ = ["read_flavour"]


def read_flavour(
    topology: Topology, flavour_id: str, vnf: NodeTemplate | None, properties: Struct, mark: Mark
) -> Flavour:
    """The flavour of a template; `properties` are those of the VNF node, complete for this flavour."""
    external = read_external(topology)
    points = read_connection_points(topology, external)
    storages = read_storages(topology)
    vdus = read_vdus(topology, storages, _bound(points))
    rules = read_rules(topology, vdus)
    interfaces = read_interfaces(topology, vnf) if vnf is not None else {}
    lifecycle = {name: each for key, found in interfaces.items() if key == "Vnflcm" for name, each in found.items()}
    flavour = Flavour(
        id=flavour_id,
        description=properties.get("flavour_description", ""),
        vdus=vdus,
        links=read_links(topology),
        connection_points=points,
        external=external,
        storages=storages,
        mciops={
            node.name: Mciop(node.name, tuple(node.targets("associatedVdu")), node.artifacts, node.mark)
            for node in topology.of_type("tosca.nodes.nfv.Mciop")
        },
        aspects=rules.aspects,
        levels=rules.levels,
        default_level=rules.default_level,
        initial_deltas=rules.initial_deltas,
        groups=rules.groups,
        placement_rules=rules.placement,
        security_group_rules=rules.security,
        other_policies=rules.others,
        lifecycle=lifecycle,
        interfaces={key: found for key, found in interfaces.items() if key != "Vnflcm"},
        artifacts=vnf.artifacts if vnf is not None else {},
        operations_configuration=_plain(properties.get("lcm_operations_configuration")),
        profile=_plain(properties.get("vnf_profile")),
        monitoring=_monitoring(vnf),
        mark=mark,
    )
    if not flavour.vdus:
        topology.problems.error("no-vdu", f'the flavour "{flavour_id}" has no VDU', mark)
    check_flavour(flavour, topology.problems)
    return flavour


def _bound(points: Mapping[str, ConnectionPoint]) -> dict[str, tuple[str, ...]]:
    """The connection points of each VDU, those with an `order` first and in that order, the rest in the file's."""
    bound: dict[str, list[ConnectionPoint]] = {}
    for point in points.values():
        if point.kind in (ConnectionPointKind.VDU, ConnectionPointKind.SUB):
            for vdu in point.vdus:
                bound.setdefault(vdu, []).append(point)
    return {
        vdu: tuple(point.id for point in sorted(found, key=lambda point: (point.order is None, point.order or 0)))
        for vdu, found in bound.items()
    }


def _plain(value: Any) -> dict[str, Any]:
    return value.plain() if isinstance(value, Struct) else {}


def _monitoring(vnf: NodeTemplate | None) -> Any:
    properties = vnf.node.get("properties") if vnf is not None else None
    found = properties.get("monitoring_parameters") if properties is not None else None
    return found.plain_value() if found is not None else None
