"""From a descriptor and a record to the resources that should exist: the desired state of a VNF. Pure.

Names are paths that stay the same over the instance's life: `image/<template>`, `link/<link>`, `external/<link>`,
`<VDU>/<key>` for a VNFC's machine, `<VDU>/<key>/<connection point or storage>` for what belongs to it. Which sort lives
within which is the VIM's trait, so one descriptor lands on any VIM.
"""

from __future__ import annotations

import re
from typing import Any

from fairlead.descriptors import BootData, ConnectionPoint, Flavour, SoftwareImage, Storage, StorageKind, Vdu, VduKind
from fairlead.descriptors import VirtualLink as LinkDescriptor
from fairlead.errors import Unprocessable
from fairlead.operations import Sealer
from fairlead.resources import (
    UNDECIDED,
    AffinityGroupSpec,
    Attachment,
    ComputeSpec,
    File,
    ImageSpec,
    Name,
    NetworkSpec,
    Ownership,
    PortSpec,
    Ref,
    Resource,
    SecretRef,
    Spec,
    Subnet,
    VolumeSpec,
)
from fairlead.vnf.connectivity import Connectivity
from fairlead.vnf.context import VnfContext, flavour_of
from fairlead.vnf.record import Instantiated, VnfRecord, compute_name

__all__ = ["wanted_resources"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


def wanted_resources(record: VnfRecord, context: VnfContext, sealer: Sealer) -> dict[Name, Resource[Any]]:
    """The resources of an instantiated VNF; none of one that is not.

    Raises Unprocessable for what the descriptor or the request leaves open, or the VIM has no sort for.
    """
    if record.instantiated is None:
        return {}
    return _Wanted(record, record.instantiated, context, sealer).all()


class _Wanted:
    def __init__(self, record: VnfRecord, state: Instantiated, context: VnfContext, sealer: Sealer) -> None:
        self._record = record
        self._state = state
        self._context = context
        self._sealer = sealer
        self._flavour: Flavour = flavour_of(context.vnfd, state.flavour)
        self._connectivity = Connectivity(self._flavour, state.external_links, state.managed_links)
        self._made: dict[Name, Resource[Any]] = {}
        self._images: dict[str, SoftwareImage] = {}
        for image in self._flavour.images.values():
            self._images.setdefault(self._digest(image), image)

    def all(self) -> dict[Name, Resource[Any]]:
        self._connectivity.check(self._state.members)
        for link in self._flavour.links.values():
            self._link(link)
        for external in self._state.external_links:
            name, label = Name(f"external/{external.id}"), external.resource_id
            self._add(name, NetworkSpec(label=label, internal=False), Ownership.GIVEN, existing=external.resource_id)
        for rule in self._flavour.placement_rules.values():
            if "affinity-group" in self._context.where.traits.sorts and any(
                m in self._flavour.vdus for m in rule.members
            ):
                self._add(Name(f"group/{rule.id}"), AffinityGroupSpec(policy=str(rule.sort), scope=rule.scope))
        for vdu in self._flavour.vdus.values():
            for index, key in enumerate(self._state.members.get(vdu.id, ())):
                self._vnfc(vdu, key, index)
        return self._made

    def _add(
        self,
        name: Name,
        spec: Spec,
        ownership: Ownership = Ownership.OWNED,
        *,
        within: Name | None = None,
        existing: str | None = None,
    ) -> None:
        self._made[name] = Resource(name, spec, self._context.where.vim, ownership, within, existing)

    # -- links -------------------------------------------------------------------------------------------------------

    def _link(self, link: LinkDescriptor) -> None:
        name = Name(f"link/{link.id}")
        managed = self._connectivity.managed.get(link.id)
        label = self._label(link.id)
        if managed is not None:
            spec = NetworkSpec(label=managed.resource_id)
            self._add(name, spec, Ownership.GIVEN, existing=managed.resource_id)
            return
        subnets = tuple(
            Subnet(
                cidr=protocol.cidr,
                gateway=protocol.gateway_ip,
                pools=tuple((pool.start, pool.end) for pool in protocol.allocation_pools),
                dhcp=protocol.dhcp_enabled is not False,
            )
            for protocol in link.l3_protocol_data
        )
        mtu = next((protocol.mtu for protocol in link.l2_protocol_data if protocol.mtu), None)
        self._add(name, NetworkSpec(label=label, subnets=subnets, mtu=mtu))

    def _label(self, part: str) -> str:
        """A name for people and for engines: of the instance and of the part."""
        stem = self._record.name or self._record.id[:8]
        return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{stem}-{part}").strip("-.")[:63]

    # -- VNFCs -------------------------------------------------------------------------------------------------------

    def _vnfc(self, vdu: Vdu, key: str, index: int) -> None:
        name = compute_name(vdu.id, key)
        ports = tuple(self._port(vdu, key, index, point) for point in self._points(vdu))
        volumes = tuple(self._volume(key, vdu, self._flavour.storages[storage]) for storage in vdu.storages)
        image = self._image(self._image_of(vdu))
        environment, files, user_data = self._boot(vdu.boot_data)
        cpus, memory = self._size(vdu)
        spec = ComputeSpec(
            label=self._label(f"{vdu.id}-{key}"),
            image=image,
            cpus=cpus,
            memory=memory,
            disk=sum(storage.size for storage in vdu.local_storages),
            ports=tuple(Ref(port) for port in ports),
            volumes=tuple(volume for volume in volumes if volume is not None),
            groups=self._groups(vdu),
            environment=environment,
            files=files,
            user_data=user_data,
            constraints=dict(vdu.nfvi_constraints),
            power="on" if self._state.started else "off",
        )
        self._add(name, spec)

    def _points(self, vdu: Vdu) -> list[ConnectionPoint]:
        return [self._flavour.connection_points[point] for point in vdu.connection_points]

    def _port(self, vdu: Vdu, key: str, index: int, point: ConnectionPoint) -> Name:
        name = Name(f"{vdu.id}/{key}/{point.id}")
        network = self._connectivity.network_of(point)
        asked = self._connectivity.asked(point, index)
        fixed = asked.addresses or (point.fixed_ip_addresses if index == 0 else ())
        spec = PortSpec(
            network=Ref(network),
            addresses=fixed or UNDECIDED,
            mac=asked.mac or UNDECIDED,
            order=point.order or 0,
            vnic_type=point.vnic_type or "normal",
        )
        within = compute_name(vdu.id, key) if self._context.where.traits.within.get("port") == "compute" else None
        self._add(name, spec, within=within)
        return name

    def _volume(self, key: str, vdu: Vdu, storage: Storage) -> Attachment | None:
        if storage.kind is not StorageKind.BLOCK or storage.size is None:
            raise Unprocessable(
                f"Storage '{storage.id}' is of the kind '{storage.kind}', which no VIM here has.",
                code="unsupported-on-vim",
                place=str(storage.mark),
                remedy="Use block storage.",
            )
        name = Name(f"{vdu.id}/{key}/{storage.id}" if storage.per_vnfc_instance else f"storage/{storage.id}")
        image = self._image(storage.image) if storage.image is not None else None
        self._add(name, VolumeSpec(size=storage.size, image=image))
        return Attachment(volume=Ref(name), at=storage.requirements.get("mount_path"))

    def _image_of(self, vdu: Vdu) -> SoftwareImage | None:
        if vdu.kind is VduKind.COMPUTE:
            return vdu.image
        if len(vdu.containers) != 1:
            raise Unprocessable(
                f"VDU '{vdu.id}' has {len(vdu.containers)} containers; one for each VDU is what VIMs here take.",
                code="unsupported-on-vim",
                place=str(vdu.mark),
                remedy="Give each container a VDU of its own.",
            )
        return vdu.containers[0].image

    def _image(self, image: SoftwareImage | None) -> Ref | None:
        """The image resource; machines with the same content share one. It has the name of the flavour's first image with
        that content, whoever is there of those that use it: a name that changed would replace the others."""
        if image is None:
            return None
        digest = self._digest(image)
        first = self._images.get(digest, image)
        name = Name(f"image/{first.id}")
        if name not in self._made:
            spec = ImageSpec(
                label=first.name if first.path or first.file is None else first.file,
                digest=digest,
                artifact=f"{self._context.package}/{first.path}" if first.path else None,
                container_format=first.container_format or "bare",
                disk_format=first.disk_format or "raw",
                minimum_disk=first.min_disk or 0,
                minimum_memory=first.min_ram or 0,
            )
            self._add(name, spec, Ownership.SHARED)
        return Ref(name)

    def _digest(self, image: SoftwareImage) -> str:
        checksum = f"{image.checksum.algorithm}:{image.checksum.hash}" if image.checksum else None
        return self._context.digests.get(image.path or "") or checksum or f"name:{image.name}:{image.version}"

    def _size(self, vdu: Vdu) -> tuple[float, int]:
        if vdu.kind is VduKind.CONTAINERS and vdu.containers:
            container = vdu.containers[0]
            thousandths = container.cpu_limit or container.cpu_request or 1000
            return thousandths / 1000, container.memory_limit or container.memory_request or 0
        return float(vdu.cpus or 1), vdu.memory or 0

    def _groups(self, vdu: Vdu) -> tuple[Ref, ...]:
        rules = self._flavour.placement_rules.values()
        names = (Name(f"group/{rule.id}") for rule in rules if vdu.id in rule.members)
        return tuple(Ref(name) for name in names if name in self._made)

    # -- boot data ---------------------------------------------------------------------------------------------------

    def _boot(self, boot: BootData | None) -> tuple[dict[str, str | SecretRef], tuple[File, ...], SecretRef | None]:
        """Environment, files and user data; all of it is secret, for it may hold passwords."""
        if boot is None:
            return {}, (), None
        environment: dict[str, str | SecretRef] = {
            name: self._sealer.seal(str(value)) for name, value in boot.key_values.items()
        }
        text = boot.content
        if text is None and boot.source_path is not None:
            raw = self._context.files.get(boot.source_path)
            if raw is None:
                raise Unprocessable(
                    f"The package has no file '{boot.source_path}', which boot data names.",
                    code="artifact-missing",
                    place=str(boot.mark),
                )
            text = raw.decode("utf-8", errors="surrogateescape")
        if text is None:
            return environment, (), None
        content = self._sealer.seal(_VARIABLE.sub(lambda found: self._value(found, boot), text))
        if boot.destination_path is None:
            return environment, (), content
        return environment, (File(path=boot.destination_path, content=content),), None

    def _value(self, found: re.Match[str], boot: BootData) -> str:
        """What stands for a variable: the request's additional parameter, else the package's own data, else itself."""
        name = found.group(1)
        if name in self._state.parameters:
            return str(self._state.parameters[name])
        return str(boot.data.get(name, found.group(0)))
