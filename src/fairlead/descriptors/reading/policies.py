"""Policies that say what is to be done: indicators, changes of package, coordination, interfaces that the VNF offers.

A trigger may call any operation that the VNF's interfaces have, and a policy may name any coordination action that the
template defines; both are references, and are looked at here like all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fairlead.descriptors.policies import (
    Call,
    ComponentMapping,
    CoordinationAction,
    Coordinations,
    Indicator,
    PackageChange,
    PackageChangeSelector,
    SupportedInterface,
    Trigger,
)
from fairlead.descriptors.problems import nearest
from fairlead.descriptors.reading.lifecycle import operation_names
from fairlead.descriptors.reading.picking import declared
from fairlead.descriptors.reading.topology import NodeTemplate, PolicyTemplate, Topology
from fairlead.descriptors.schema import MISSING, Schema
from fairlead.descriptors.source import Node
from fairlead.descriptors.values import Struct

__all__ = ["Actions", "read_actions", "read_triggers"]

_NFV: Final = "tosca.policies.nfv."
_ANY: Final = Schema("any", required=False)


@dataclass(slots=True)
class Actions:
    """What the policies of one template say is to be done; `shaped` are the names of the policies read here."""

    indicators: dict[str, Indicator] = field(default_factory=dict)
    package_changes: dict[str, PackageChange] = field(default_factory=dict)
    coordination_actions: dict[str, CoordinationAction] = field(default_factory=dict)
    coordinations: dict[str, Coordinations] = field(default_factory=dict)
    interfaces: dict[str, SupportedInterface] = field(default_factory=dict)
    shaped: set[str] = field(default_factory=set)


def read_actions(topology: Topology, vnf: NodeTemplate | None) -> Actions:
    """Read these policies; `vnf` is the node whose operations triggers may call."""
    actions = Actions()
    for policy in _of(topology, actions, "LcmCoordinationAction"):
        action = _coordination_action(topology, policy)
        actions.coordination_actions[action.name] = action
    known = actions.coordination_actions
    for policy in _of(topology, actions, "LcmCoordinationsForLcmOperation"):
        operation = policy.properties.get("vnf_lcm_operation", "")
        actions.coordinations[operation] = Coordinations(
            operation,
            _named_actions(topology, policy, known),
            policy.properties.get("referenced_coordination_actions", ()),
            policy.mark,
        )
    for policy in _of(topology, actions, "VnfIndicator"):
        own = {key: value for key, value in policy.properties.plain().items() if key != "source"}
        triggers = read_triggers(topology, policy, vnf)
        source = policy.properties.get("source", "")
        actions.indicators[policy.name] = Indicator(policy.name, policy.type.name, source, triggers, own, policy.mark)
    for policy in _of(topology, actions, "VnfPackageChange"):
        actions.package_changes[policy.name] = _package_change(topology, policy, vnf, known)
    for policy in _of(topology, actions, "SupportedVnfInterface"):
        actions.interfaces[policy.name] = _interface(policy)
    return actions


def _of(topology: Topology, actions: Actions, name: str) -> Iterable[PolicyTemplate]:
    for policy in topology.policies_of(_NFV + name):
        actions.shaped.add(policy.name)
        yield policy


def _coordination_action(topology: Topology, policy: PolicyTemplate) -> CoordinationAction:
    action = policy.properties.get("action")
    schema = policy.type.properties.get("action")
    definition = topology.package.types.find("data_types", schema.type) if schema is not None else None
    values = action if isinstance(action, Struct) else Struct(policy.mark, {}, {})

    def parameters(name: str) -> dict[str, Any]:
        inner = definition.properties.get(name) if definition is not None else None
        type_ = topology.package.types.find("data_types", inner.type) if inner is not None else None
        value = values.get(name)
        return declared(type_, value if isinstance(value, Struct) else None)

    return CoordinationAction(
        policy.name,
        policy.properties.get("action_name", policy.name),
        values.get("description"),
        values.get("endpoint_type"),
        values.get("coordination_stage"),
        parameters("input_parameters"),
        parameters("output_parameters"),
        policy.mark,
    )


def _named_actions(
    topology: Topology, policy: PolicyTemplate, known: Mapping[str, CoordinationAction]
) -> tuple[str, ...]:
    names: tuple[str, ...] = policy.properties.get("actions", ())
    for name in names:
        if name not in known:
            mark = policy.mark_in("actions", name)
            told = f'there is no coordination action "{name}" in this descriptor'
            hint = nearest(name, known) or "name those of elsewhere in referenced_coordination_actions"
            topology.problems.error("dangling-reference", told, mark, hint)
    return names


def _package_change(
    topology: Topology,
    policy: PolicyTemplate,
    vnf: NodeTemplate | None,
    known: Mapping[str, CoordinationAction],
) -> PackageChange:
    values = policy.properties
    selector = values.get("selector", ())
    return PackageChange(
        policy.name,
        tuple(
            PackageChangeSelector(
                each.get("source_descriptor_id", ""),
                each.get("destination_descriptor_id", ""),
                each.get("source_flavour_id", ""),
            )
            for each in (selector if isinstance(selector, tuple) else (selector,))
            if isinstance(each, Struct)
        ),
        values.get("modification_qualifier", ""),
        values.get("destination_flavour_id", ""),
        tuple(
            ComponentMapping(
                each.get("component_type", ""),
                each.get("source_id", ""),
                each.get("destination_id", ""),
                each.get("description"),
                each.mark,
            )
            for each in values.get("component_mappings", ())
        ),
        values.get("additional_modification_description"),
        _named_actions(topology, policy, known),
        values.get("referenced_coordination_actions", ()),
        read_triggers(topology, policy, vnf),
        policy.mark,
    )


def _interface(policy: PolicyTemplate) -> SupportedInterface:
    details = policy.properties.get("details")
    values = details if isinstance(details, Struct) else Struct(policy.mark, {}, {})
    uri: dict[str, str] = {}
    components = values.get("uri_components")
    if isinstance(components, Struct):
        authority = components.get("authority")
        uri = {key: value for key, value in components.values.items() if isinstance(value, str)}
        uri |= authority.values if isinstance(authority, Struct) else {}
    return SupportedInterface(
        policy.properties.get("interface_name", ""),
        policy.target_names,
        uri,
        values.get("interface_specific_data", {}),
        policy.mark,
    )


def read_triggers(topology: Topology, policy: PolicyTemplate, vnf: NodeTemplate | None) -> dict[str, Trigger]:
    """The triggers of a policy, and those that its type declares."""
    found = {}
    for definitions in (policy.type.triggers, _entries(policy.node.get("triggers"))):
        for name, node in definitions.items():
            event, condition = node.get("event"), node.get("condition")
            calls, others = _activities(topology, vnf, node.get("action"))
            given = _read(topology, condition, f'the condition of "{name}"')
            found[name] = Trigger(
                name, event.text if event is not None else "", given, tuple(calls), tuple(others), node.mark
            )
    return found


def _activities(topology: Topology, vnf: NodeTemplate | None, node: Node | None) -> tuple[list[Call], list[Any]]:
    """TOSCA's activities (TOSCA Simple Profile 1.3, 3.6.23): a list of maps with one key each; one map alone is taken, too."""
    calls: list[Call] = []
    others: list[Any] = []
    items = [] if node is None else node.sequence if node.sequence is not None else [node]
    for item in items:
        for key, value in (item.mapping or {}).items():
            if key != "call_operation":
                others.append({key: _read(topology, value, f'"{key}"')})
                continue
            name = value if value.is_text else value.get("operation")
            if name is None or not name.is_text:
                topology.problems.error("missing-key", 'call_operation needs the key "operation"', value.mark)
                continue
            _check_call(topology, vnf, name)
            inputs = _entries(value.get("inputs"))
            read = {key: _read(topology, each, f'the input "{key}"') for key, each in inputs.items()}
            calls.append(Call(name.text, read, name.mark))
    return calls, others


def _check_call(topology: Topology, vnf: NodeTemplate | None, name: Node) -> None:
    interface, _, operation = name.text.rpartition(".")
    if vnf is None or not interface:
        return
    interface = interface.rpartition(".")[2]
    known = operation_names(topology, vnf, interface)
    if known is None:
        hint = nearest(interface, vnf.type.interfaces)
        topology.problems.error("unknown-interface", f'the VNF has no interface "{interface}"', name.mark, hint)
    elif known and operation not in known:
        told = f'"{operation}" is no operation of the interface "{interface}"'
        topology.problems.error("unknown-operation", told, name.mark, nearest(operation, known))


def _read(topology: Topology, node: Node | None, label: str) -> Any:
    value = topology.reader.read(node, _ANY, label) if node is not None else None
    return None if value is MISSING else value


def _entries(node: Node | None) -> Mapping[str, Node]:
    return (node.mapping or {}) if node is not None else {}
