"""One deployment flavour: a topology template that substitutes the VNF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fairlead.descriptors.network import ConnectionPoint, ConnectionPointKind
from fairlead.descriptors.operations import OperationsConfiguration, Timeouts, VersionDependency, VnfProfile
from fairlead.descriptors.policies import Policy
from fairlead.descriptors.problems import Mark, nearest
from fairlead.descriptors.reading.checks import check_flavour
from fairlead.descriptors.reading.connectivity import read_connection_points, read_external, read_links
from fairlead.descriptors.reading.lifecycle import read_interfaces, read_parameters
from fairlead.descriptors.reading.machines import read_storages, read_vdus
from fairlead.descriptors.reading.picking import entries, monitoring, plain
from fairlead.descriptors.reading.policies import read_actions, read_triggers
from fairlead.descriptors.reading.rules import Rules, read_rules
from fairlead.descriptors.reading.topology import NodeTemplate, Topology
from fairlead.descriptors.typedefs import TypeDef
from fairlead.descriptors.values import Struct
from fairlead.descriptors.vnfd import Certificate, DeployableModule, Flavour, Mciop

__all__ = ["read_flavour"]


def read_flavour(
    topology: Topology, flavour_id: str, vnf_type: TypeDef, vnf: NodeTemplate | None, properties: Struct, mark: Mark
) -> Flavour:
    """The flavour of a template for the VNF node type `vnf_type`; `properties` are those of the VNF node, complete."""
    external = read_external(topology)
    points = read_connection_points(topology, external)
    storages = read_storages(topology)
    vdus = read_vdus(topology, storages, _bound(points))
    rules = read_rules(topology, vdus)
    actions = read_actions(topology, vnf)
    shaped = rules.shaped | actions.shaped
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
        initial_virtual_ips=rules.initial_virtual_ips,
        initial_bitrates=rules.initial_bitrates,
        groups=rules.groups,
        placement_rules=rules.placement,
        security_group_rules=rules.security,
        indicators=actions.indicators,
        package_changes=actions.package_changes,
        coordination_actions=actions.coordination_actions,
        coordinations=actions.coordinations,
        supported_interfaces=actions.interfaces,
        other_policies={
            policy.name: Policy(
                policy.name,
                policy.type.name,
                policy.target_names,
                policy.properties.plain(),
                read_triggers(topology, policy, vnf),
                policy.mark,
            )
            for policy in topology.policies
            if policy.name not in shaped
        },
        deployable_modules={
            node.name: DeployableModule(
                node.name,
                node.properties.get("name", node.name),
                tuple(node.targets("member")),
                node.properties.get("description"),
                node.mark,
            )
            for node in topology.of_type("tosca.nodes.nfv.DeployableModule")
        },
        certificates={node.name: _certificate(node) for node in topology.of_type("tosca.nodes.nfv.Certificate")},
        lifecycle=lifecycle,
        interfaces={key: found for key, found in interfaces.items() if key != "Vnflcm"},
        artifacts=vnf.artifacts if vnf is not None else {},
        parameters=read_parameters(topology, vnf_type),
        operations=_operations(properties.get("lcm_operations_configuration")),
        profile=_profile(topology, rules, properties.get("vnf_profile")),
        monitoring=monitoring(properties.get("monitoring_parameters")),
        mark=mark,
    )
    if not flavour.vdus:
        topology.problems.error("no-vdu", f'the flavour "{flavour_id}" has no VDU', mark)
    check_flavour(flavour, properties.get("descriptor_id", ""), rules.count_marks, topology.problems)
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


_OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "instantiate": frozenset({"target_scale_levels_supported"}),
    "scale": frozenset({"scaling_by_more_than_one_step_supported"}),
    "scale_to_level": frozenset({"arbitrary_target_levels_supported"}),
    "heal": frozenset({"causes"}),
    "terminate": frozenset({"min_graceful_termination_timeout", "max_recommended_graceful_termination_timeout"}),
    "operate": frozenset({"min_graceful_stop_timeout", "max_recommended_graceful_stop_timeout"}),
}


def _operations(value: Any) -> OperationsConfiguration:
    given = {name: plain(each) for name, each in value.values.items()} if isinstance(value, Struct) else {}
    own = {
        name: {key: each for key, each in values.items() if key not in _OPERATIONS.get(name, ())}
        for name, values in given.items()
    }

    def of(operation: str, key: str, default: Any) -> Any:
        return given.get(operation, {}).get(key, default)

    return OperationsConfiguration(
        of("instantiate", "target_scale_levels_supported", False),
        of("scale", "scaling_by_more_than_one_step_supported", False),
        of("scale_to_level", "arbitrary_target_levels_supported", False),
        of("heal", "causes", ()),
        _timeouts(given.get("terminate"), "graceful_termination_timeout"),
        _timeouts(given.get("operate"), "graceful_stop_timeout"),
        {name: values for name, values in own.items() if values},
    )


def _timeouts(values: Mapping[str, Any] | None, key: str) -> Timeouts | None:
    least = values.get(f"min_{key}") if values is not None else None
    return Timeouts(least, (values or {}).get(f"max_recommended_{key}")) if least is not None else None


def _profile(topology: Topology, rules: Rules, value: Any) -> VnfProfile | None:
    if not isinstance(value, Struct):
        return None
    level = value.get("instantiation_level")
    if level is not None and level not in rules.levels:
        told = f'there is no instantiation level "{level}"'
        mark = value.mark_of("instantiation_level")
        topology.problems.error("unknown-level", told, mark, nearest(level, rules.levels))
    scale = entries(value.get("target_vnf_scale_level_info"))
    for aspect, each in scale.items():
        if aspect not in rules.aspects:
            hint = nearest(aspect, rules.aspects)
            topology.problems.error("unknown-aspect", f'there is no scaling aspect "{aspect}"', each.mark, hint)
    return VnfProfile(
        value.get("min_number_of_instances", 0),
        value.get("max_number_of_instances", 0),
        level,
        {aspect: each.get("scale_level", 0) for aspect, each in scale.items()},
        value.get("service_availability_level"),
        tuple(
            VersionDependency(
                each.get("dependent_constituent_id", ""),
                tuple(one.get("descriptor_id", ()) for one in each.get("version_dependency_statement", ())),
            )
            for each in value.get("version_dependency", ())
        ),
    )


def _certificate(node: NodeTemplate) -> Certificate:
    values = node.properties
    return Certificate(
        node.name,
        values.get("name", node.name),
        values.get("certificate_type", ""),
        plain(values.get("certificate_base_profile")),
        tuple(plain(each) for each in values.get("csr_requirements", ())),
        node.mark,
    )
