"""A flavour to a stack: links, groups and parameters in the main template, and in it the machines.

A VDU of which there is always one is written into the main template. One that is scaled by an aspect becomes an
AutoScalingGroup, one of which there are several a ResourceGroup; its machine, ports and volumes are then a template of
their own, because a group's member is one resource to Heat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fairlead.descriptors import (
    PROTOCOLS,
    WITH_PORTS,
    Aspect,
    ConnectionPoint,
    ConnectionPointKind,
    Flavour,
    PlacementSort,
    StorageKind,
    Vdu,
    VduKind,
    VirtualLink,
)
from fairlead.hot.documents import Document, Gaps, Scope, Stack, Template, name_of, param, resource
from fairlead.hot.machines import Around, write_machine
from fairlead.hot.sizes import gibibytes, requirements_of

__all__ = ["stack_of"]

_PROTOCOLS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
_IP_VERSIONS: Final = {"ipv4": 4, "ipv6": 6}


def stack_of(flavour: Flavour, description: str, numbers: Mapping[str, int] | None = None) -> Stack:
    """The templates of a flavour; `numbers` are of instances by VDU, those of the default level unless given."""
    return _Writer(flavour, description, numbers or {}).stack()


class _Writer:
    def __init__(self, flavour: Flavour, description: str, numbers: Mapping[str, int]) -> None:
        self._flavour = flavour
        self._numbers = numbers
        self._main = Template(description)
        self._nested: dict[str, Document] = {}
        self._gaps = Gaps()
        self._around = Around(flavour, self._main.parameters, self._gaps)

    def stack(self) -> Stack:
        for link in self._flavour.links.values():
            self._link(link)
        self._placement()
        self._security()
        for point in self._flavour.connection_points.values():
            if point.kind is ConnectionPointKind.VIRTUAL_IP:
                self._virtual_ip(point)
            elif point.kind is ConnectionPointKind.VIRTUAL:
                self._gaps.add(f'"{point.id}" is a service of containers, which Heat does not make', point.mark)
        self._shared_storages()
        for vdu in self._flavour.vdus.values():
            self._vdu(vdu)
        for mciop in self._flavour.mciops.values():
            self._gaps.add(f'"{mciop.id}" is a chart, which Heat does not deploy', mciop.mark)
        return Stack(self._main.document(), self._nested, self._gaps.all())

    # -- what machines share -----------------------------------------------------------------------------------------

    def _link(self, link: VirtualLink) -> None:
        mtu = next((each.mtu for each in link.l2_protocol_data if each.mtu), None)
        net = self._main.add(name_of(link.id), "OS::Neutron::Net", {"value_specs": {"mtu": mtu} if mtu else None})
        self._around.networks[link.id] = net
        for number, subnet in enumerate(link.l3_protocol_data):
            mode = subnet.ipv6_address_mode
            properties = {
                "network": resource(net),
                "ip_version": _IP_VERSIONS.get(subnet.ip_version.lower(), 4),
                "cidr": subnet.cidr,
                "gateway_ip": subnet.gateway_ip,
                "enable_dhcp": subnet.dhcp_enabled,
                "allocation_pools": [{"start": pool.start, "end": pool.end} for pool in subnet.allocation_pools]
                or None,
                "ipv6_address_mode": mode,
                "ipv6_ra_mode": mode,
            }
            name = self._main.add(
                name_of(link.id, f"subnet{number + 1 if number else ''}"), "OS::Neutron::Subnet", properties
            )
            self._around.subnets.setdefault(link.id, []).append(name)
        self._way_out(link)
        if not link.l3_protocol_data:
            self._gaps.add(f'"{link.id}" has no subnet, so ports on it get no addresses', link.mark)
        if link.max_bitrate is not None and link.max_bitrate[0]:
            self._gaps.add(f'the bit rate of "{link.id}" is not enforced', link.mark)

    def _way_out(self, link: VirtualLink) -> None:
        """A router for a link with floating addresses on it; the external network is that of the first of them."""
        points = self._flavour.connection_points.values()
        floating = next((each for each in points if each.link == link.id and each.floating_ip), None)
        if floating is None:
            return
        gateway = {"network": param(self._around.floating_network(floating))}
        router = self._main.add(name_of(link.id, "router"), "OS::Neutron::Router", {"external_gateway_info": gateway})
        for subnet in self._around.subnets.get(link.id, []):
            properties = {"router": resource(router), "subnet": resource(subnet)}
            name = self._main.add(name_of(subnet, "way"), "OS::Neutron::RouterInterface", properties)
            self._around.ways.setdefault(link.id, []).append(name)

    def _placement(self) -> None:
        for rule in self._flavour.placement_rules.values():
            members = [each for each in rule.members if each in self._flavour.vdus]
            if not members:
                continue
            if rule.scope != "nfvi_node":
                told = f'"{rule.id}" is about the scope {rule.scope}; Nova groups machines by hosts only'
                self._gaps.add(told, rule.mark)
                continue
            policy = "affinity" if rule.sort is PlacementSort.AFFINITY else "anti-affinity"
            if any(self._flavour.vdus[vdu].nfvi_constraints.get("openstack.placement") == "soft" for vdu in members):
                policy = f"soft-{policy}"
            group = self._main.add(name_of(rule.id), "OS::Nova::ServerGroup", {"policies": [policy]})
            for vdu in members:
                if vdu in self._around.groups:
                    told = f'"{vdu}" is under several placement rules; Nova takes one group, so "{rule.id}" is left out for it'
                    self._gaps.add(told, rule.mark)
                else:
                    self._around.groups[vdu] = group

    def _security(self) -> None:
        for rule in self._flavour.security_group_rules.values():
            number = PROTOCOLS[rule.protocol]
            ports = number in WITH_PORTS and (
                rule.port_min > 0 or rule.port_max < 65535
            )  # else all, which has no number
            said: Document = {
                "direction": rule.direction,
                "ethertype": "IPv6" if rule.ether_type.lower() == "ipv6" else "IPv4",
                "protocol": _PROTOCOLS.get(number, str(number)),
                "port_range_min": max(rule.port_min, 1) if ports else None,
                "port_range_max": rule.port_max if ports else None,
            }
            rules = [{key: value for key, value in said.items() if value is not None}]
            properties = {"description": rule.description, "rules": rules}
            group = self._main.add(name_of(rule.id), "OS::Neutron::SecurityGroup", properties)
            for point in self._flavour.connection_points.values():
                if point.id in rule.targets or set(point.vdus) & set(rule.targets):
                    self._around.security.setdefault(point.id, []).append(group)

    def _virtual_ip(self, point: ConnectionPoint) -> None:
        fixed = [{"ip_address": address} for address in point.fixed_ip_addresses]
        network = self._around.network_of(point)
        if network is None:
            return
        port = self._main.add(name_of(point.id), "OS::Neutron::Port", {"network": network, "fixed_ips": fixed or None})
        for target in point.targets:
            self._around.virtual_ips.setdefault(target, []).append(port)

    def _shared_storages(self) -> None:
        for storage in self._flavour.storages.values():
            if storage.kind is not StorageKind.BLOCK or storage.size is None:
                self._gaps.add(
                    f'"{storage.id}" is storage of the kind {storage.kind}, which machines cannot attach', storage.mark
                )
            elif not storage.per_vnfc_instance:
                image = self._around.image(storage.image) if storage.image is not None else None
                size = gibibytes(storage.size)
                properties = {"size": size, "image": image}
                self._around.shared[storage.id] = self._main.add(name_of(storage.id), "OS::Cinder::Volume", properties)
                told = f'"{storage.id}" is shared: it needs a volume type that can be attached to several machines'
                self._gaps.add(told, storage.mark)

    # -- machines ----------------------------------------------------------------------------------------------------

    def _vdu(self, vdu: Vdu) -> None:
        if vdu.kind is VduKind.CONTAINERS:
            self._gaps.add(f'"{vdu.id}" is made of containers, which Heat does not make', vdu.mark)
            return
        self._main.parameters[name_of("flavor", vdu.id)] = _flavor(vdu)
        aspects = [each for each in self._flavour.aspects.values() if any(each.increments(vdu.id))]
        number = self._number(vdu)
        if not aspects and number == 1:
            write_machine(Scope(self._main, nested=False), vdu, self._around)
            return
        template = Template(f"One {vdu.id} with its ports and volumes")
        scope = Scope(template, nested=True)
        write_machine(scope, vdu, self._around)
        file = f"{name_of(vdu.id)}{'_' if vdu.id == 'main' else ''}.yaml"
        self._nested[file] = template.document()
        member: Document = {"type": file, **({"properties": scope.arguments} if scope.arguments else {})}
        count = name_of("count", vdu.id)
        self._main.parameters[count] = _count(vdu, number)
        if not aspects:
            properties: dict[str, Any] = {"count": param(count), "resource_def": member}
            self._main.add(name_of(vdu.id, "group"), "OS::Heat::ResourceGroup", properties, **self._after_subnets(vdu))
            return
        properties = {
            "min_size": vdu.min_instances,
            "max_size": vdu.max_instances,
            "desired_capacity": param(count),
            "resource": member,
        }
        name = name_of(vdu.id, "group")
        group = self._main.add(name, "OS::Heat::AutoScalingGroup", properties, **self._after_subnets(vdu))
        for aspect in aspects:
            self._scaling(aspect, vdu, group)

    def _after_subnets(self, vdu: Vdu) -> Document:
        """Ports get their addresses from subnets, which Heat does not see from the networks that a group is given."""
        points = (self._flavour.connection_points[each] for each in vdu.connection_points)
        links = [point.link or "" for point in points]
        around = self._around
        subnets = [name for link in links for name in (*around.subnets.get(link, ()), *around.ways.get(link, ()))]
        return {"depends_on": list(dict.fromkeys(subnets))} if subnets else {}

    def _scaling(self, aspect: Aspect, vdu: Vdu, group: str) -> None:
        steps = set(aspect.increments(vdu.id))
        if len(steps) != 1:
            told = f'the steps of "{aspect.id}" add different numbers of "{vdu.id}"; a scaling policy adds one number'
            self._gaps.add(told, aspect.mark)
            return
        scaled = [each for each in self._flavour.vdus if any(aspect.increments(each))]
        if len(scaled) > 1:
            told = f'"{aspect.id}" scales {" and ".join(scaled)} together; Heat has a policy for each of them'
            self._gaps.add(told, aspect.mark)
        for way, sign in (("out", 1), ("in", -1)):
            properties = {
                "auto_scaling_group_id": resource(group),
                "adjustment_type": "change_in_capacity",
                "scaling_adjustment": sign * next(iter(steps)),
            }
            self._main.add(name_of(aspect.id, vdu.id, way), "OS::Heat::ScalingPolicy", properties)

    def _number(self, vdu: Vdu) -> int:
        """How many there are at first: as asked for, as the default level says, or by its scale levels."""
        level = self._flavour.levels.get(self._flavour.default_level or "")
        if vdu.id in self._numbers:
            return self._numbers[vdu.id]
        if level is not None and vdu.id in level.instances:
            return level.instances[vdu.id]
        number = self._flavour.initial_deltas.get(vdu.id, vdu.min_instances)
        for aspect in self._flavour.aspects.values() if level is not None else ():
            number += sum(aspect.increments(vdu.id)[: level.scale_levels.get(aspect.id, 0)]) if level else 0
        return number


def _flavor(vdu: Vdu) -> Document:
    """The parameter that names Nova's flavour; Tacker's packages say which one as an additional capability."""
    said: Document = {
        "type": "string",
        "description": f"Flavour of {vdu.id}: {requirements_of(vdu)}",
        "constraints": [{"custom_constraint": "nova.flavor"}],
    }
    named = [each.name for each in vdu.additional_capabilities if each.name]
    return said | ({"default": named[0]} if named else {})


def _count(vdu: Vdu, number: int) -> Document:
    return {
        "type": "number",
        "description": f"How many instances of {vdu.id} there are",
        "default": number,
        "constraints": [{"range": {"min": vdu.min_instances, "max": vdu.max_instances}}],
    }
