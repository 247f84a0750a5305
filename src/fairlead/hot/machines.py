"""One machine with its ports and volumes, in whichever template it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from fairlead.descriptors import (
    BootData,
    ConnectionPoint,
    ConnectionPointKind,
    Flavour,
    SoftwareImage,
    StorageKind,
    Vdu,
)
from fairlead.hot.documents import Document, Gaps, Scope, name_of, param, resource
from fairlead.hot.sizes import gibibytes

__all__ = ["Around", "write_machine"]

_ALLOWED: Final = "openstack.allowed_addresses"
_BINDING: Final = "openstack.binding."
_KEY: Final = "openstack.key"
_METADATA: Final = "openstack.metadata."
_KNOWN: Final = (_KEY, _METADATA, "openstack.extra_spec.", "openstack.placement")
_VNIC_TYPES: Final = frozenset(
    {"normal", "direct", "direct-physical", "macvtap", "baremetal", "virtio-forwarder", "smart-nic"}
)


@dataclass(slots=True)
class Around:
    """What lies around machines in the main template: its resources by what they are of in the descriptor."""

    flavour: Flavour
    parameters: Document
    gaps: Gaps
    networks: dict[str, str] = field(default_factory=dict)
    subnets: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    security: dict[str, list[str]] = field(default_factory=dict)
    virtual_ips: dict[str, list[str]] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    ways: dict[str, list[str]] = field(default_factory=dict)

    def floating_network(self, point: ConnectionPoint) -> str:
        """The parameter for the network from which a connection point gets a floating address."""
        name = name_of("floating_network", point.id)
        self.parameters[name] = {
            "type": "string",
            "description": f"Network from which {point.id} gets a floating address",
            "constraints": [{"custom_constraint": "neutron.network"}],
        }
        return name

    def network_of(self, point: ConnectionPoint) -> Document | None:
        """The network of a connection point: a link's, or a parameter for one outside; None with a gap if it has none."""
        if point.link is not None and point.link in self.networks:
            return resource(self.networks[point.link])
        if point.external is None:
            self.gaps.add(f'"{point.id}" is on no link', point.mark)
            return None
        name = name_of("network", point.id)
        self.parameters[name] = {
            "type": "string",
            "description": f"Network outside, for {point.id}",
            "constraints": [{"custom_constraint": "neutron.network"}],
        }
        return param(name)

    def image(self, image: SoftwareImage) -> Document:
        """The parameter for an image, which is looked for in Glance under its name."""
        name = name_of("image", image.id)
        self.parameters[name] = {
            "type": "string",
            "description": f"Image of {image.id}, version {image.version}"
            + (f"; the package has it as {image.path}" if image.path else ""),
            "default": image.name if image.path or image.file is None else image.file,
            "constraints": [{"custom_constraint": "glance.image"}],
        }
        return param(name)


def write_machine(scope: Scope, vdu: Vdu, around: Around) -> None:
    """Write the machine, its ports and its volumes."""
    _Machine(scope, vdu, around).write()


class _Machine:
    def __init__(self, scope: Scope, vdu: Vdu, around: Around) -> None:
        self._scope = scope
        self._template = scope.template
        self._vdu = vdu
        self._around = around
        self._gaps = around.gaps
        self._ports: dict[str, str] = {}

    def write(self) -> None:
        vdu = self._vdu
        points = [self._around.flavour.connection_points[each] for each in vdu.connection_points]
        for point in points:
            self._port(point)
        trunks = self._trunks(points)
        boot, attached = self._volumes()
        flavor = name_of("flavor", vdu.id)
        group = self._around.groups.get(vdu.id)
        image = self._around.image(vdu.image) if vdu.image is not None and boot is None else None
        properties: dict[str, Any] = {
            "flavor": self._scope.outer(flavor, param(flavor)),
            "image": self._outer_param(image),
            "block_device_mapping_v2": [{"volume_id": resource(boot), "boot_index": 0}] if boot is not None else None,
            "networks": [
                {"port": resource(self._ports[point.id])}
                for point in points
                if point.id in self._ports and point.kind is ConnectionPointKind.VDU
            ],
            "scheduler_hints": {"group": self._scope.outer(group, resource(group))} if group is not None else None,
            **self._own_words(self._boot(vdu.boot_data)),
        }
        more = {"depends_on": trunks} if trunks else {}
        server = self._template.add(name_of(vdu.id), "OS::Nova::Server", properties, **more)
        for storage, volume in attached:
            self._template.add(
                name_of(vdu.id, storage, "attachment"),
                "OS::Cinder::VolumeAttachment",
                {"instance_uuid": resource(server), "volume_id": volume},
            )
        if unknown := [key for key in vdu.nfvi_constraints if not key.startswith(_KNOWN)]:
            keys = ", ".join(unknown)
            self._gaps.add(f'the constraints of "{vdu.id}" ({keys}) are for another kind of infrastructure', vdu.mark)

    def _outer_param(self, expression: Document | None) -> Any:
        return None if expression is None else self._scope.outer(expression["get_param"], expression)

    # -- ports -------------------------------------------------------------------------------------------------------

    def _port(self, point: ConnectionPoint) -> None:
        if point.kind not in (ConnectionPointKind.VDU, ConnectionPointKind.SUB):
            return
        network = self._around.network_of(point)
        if network is None:
            return
        name = next(iter(network.values()))
        pairs = [
            {"ip_address": self._scope.outer(f"{port}_address", {"get_attr": [port, "fixed_ips", 0, "ip_address"]})}
            for port in self._around.virtual_ips.get(point.id, ())
        ]
        asked = {key: value for each in point.interface_requirements for key, value in each.requirements.items()}
        others = [each.strip() for each in asked.get(_ALLOWED, "").split(",") if each.strip()]
        pairs += [{"ip_address": each} for each in others]
        profile = {key[len(_BINDING) :]: value for key, value in asked.items() if key.startswith(_BINDING)}
        groups = [self._scope.outer(each, resource(each)) for each in self._around.security.get(point.id, ())]
        properties = {
            "network": self._scope.outer(name, network),
            "fixed_ips": self._fixed(point),
            "binding:vnic_type": self._vnic_type(point),
            "security_groups": groups or None,
            "allowed_address_pairs": pairs or None,
            "value_specs": {"binding:profile": profile} if profile else None,
        }
        # In one template, too, only what is named is there first.
        subnets = [] if self._scope.nested else self._around.subnets.get(point.link or "", [])
        more = {"depends_on": list(subnets)} if subnets else {}
        port = self._template.add(name_of(point.id), "OS::Neutron::Port", properties, **more)
        self._ports[point.id] = port
        if point.floating_ip:
            self._floating(point, port)
        if point.bandwidth:
            self._gaps.add(f'the bandwidth of "{point.id}" is not enforced', point.mark)

    def _fixed(self, point: ConnectionPoint) -> list[Document] | None:
        if point.fixed_ip_addresses and self._scope.nested:
            told = f'the fixed address of "{point.id}" is left out, as all members of its group would get it'
            self._gaps.add(told, point.mark)
            return None
        return [{"ip_address": address} for address in point.fixed_ip_addresses] or None

    def _vnic_type(self, point: ConnectionPoint) -> str | None:
        if point.vnic_type is None or point.vnic_type in _VNIC_TYPES:
            return point.vnic_type
        self._gaps.add(f'Neutron has no ports of the type {point.vnic_type} ("{point.id}")', point.mark)
        return None

    def _floating(self, point: ConnectionPoint, port: str) -> None:
        name = self._around.floating_network(point)
        properties = {"floating_network": self._scope.outer(name, param(name)), "port_id": resource(port)}
        ways = [] if self._scope.nested else self._around.ways.get(point.link or "", [])
        more = {"depends_on": list(ways)} if ways else {}
        self._template.add(name_of(point.id, "floating"), "OS::Neutron::FloatingIP", properties, **more)

    def _trunks(self, points: list[ConnectionPoint]) -> list[str]:
        """The trunks of ports that have others within them."""
        found = []
        for parent in points:
            below = [each for each in points if each.parent == parent.id and each.id in self._ports]
            sub_ports = []
            for each in below:
                if each.segmentation_id is None:
                    told = f'"{each.id}" needs a segmentation_id to be a part of the trunk "{parent.id}"'
                    self._gaps.add(told, each.mark)
                    continue
                sort = each.segmentation_type or "vlan"
                sub_ports.append(
                    {
                        "port": resource(self._ports[each.id]),
                        "segmentation_type": sort,
                        "segmentation_id": each.segmentation_id,
                    }
                )
            if sub_ports and parent.id in self._ports:
                properties = {"port": resource(self._ports[parent.id]), "sub_ports": sub_ports}
                found.append(self._template.add(name_of(parent.id, "trunk"), "OS::Neutron::Trunk", properties))
        return found

    # -- volumes -----------------------------------------------------------------------------------------------------

    def _volumes(self) -> tuple[str | None, list[tuple[str, Any]]]:
        """The volume to boot from, if there is one, and the others with what names them."""
        boot: str | None = None
        attached: list[tuple[str, Any]] = []
        for id in self._vdu.storages:
            storage = self._around.flavour.storages[id]
            if id in self._around.shared:
                shared = self._around.shared[id]
                attached.append((id, self._scope.outer(shared, resource(shared))))
            elif storage.kind is StorageKind.BLOCK and storage.size is not None:
                image = self._outer_param(self._around.image(storage.image)) if storage.image is not None else None
                properties = {"size": gibibytes(storage.size), "image": image}
                volume = self._template.add(name_of(id), "OS::Cinder::Volume", properties)
                if image is not None and boot is None:
                    boot = volume
                else:
                    attached.append((id, resource(volume)))
        return boot, attached

    def _own_words(self, said: Document) -> Document:
        """`said`, with what the VDU's own constraints say of its key pair and metadata."""
        constraints = self._vdu.nfvi_constraints
        metadata = {key[len(_METADATA) :]: str(v) for key, v in constraints.items() if key.startswith(_METADATA)}
        if metadata or "metadata" in said:
            said = {**said, "metadata": {**said.get("metadata", {}), **metadata}}
        return said | ({"key_name": constraints[_KEY]} if _KEY in constraints else {})

    # -- boot data ---------------------------------------------------------------------------------------------------

    def _boot(self, boot: BootData | None) -> Document:
        """User data and metadata; a file with a place in the machine becomes a part of a cloud-config."""
        if boot is None:
            return {}
        said: Document = {}
        if boot.key_values:
            said["metadata"] = {key: str(value) for key, value in boot.key_values.items()}
        ours = "OPENSTACK" in (boot.vim_type or "OPENSTACK").upper()
        if boot.vim_properties and not ours:
            self._gaps.add(f'the boot properties of "{self._vdu.id}" are for another kind of VIM', boot.mark)
        elif boot.vim_properties:
            properties = {key: str(value) for key, value in boot.vim_properties.items()}
            if key := properties.pop("key_name", None):
                said["key_name"] = key
            said["metadata"] = {**said.get("metadata", {}), **properties}
        content: Any = boot.content if boot.content is not None else None
        if content is None and boot.source_path is not None:
            content = {"get_file": boot.source_path}
        if content is None:
            return said
        if boot.data:
            params = {f"${{{key}}}": str(value) for key, value in boot.data.items()}
            content = {"str_replace": {"template": content, "params": params}}
        if boot.destination_path is not None:
            files = {"write_files": [{"path": boot.destination_path, "content": content}]}
            config = self._template.add(
                name_of(self._vdu.id, "config"), "OS::Heat::CloudConfig", {"cloud_config": files}
            )
            content = resource(config)
        return said | {"user_data": content, "user_data_format": "RAW"}
