"""The VNFCs of a VNF: a machine for each, with its volumes. Pure."""

from __future__ import annotations

import msgspec

from fairlead.descriptors import SoftwareImage, Storage, StorageKind, Vdu, VduKind
from fairlead.errors import Unprocessable
from fairlead.hot.sizes import extra_specs
from fairlead.resources import AffinityGroupSpec, Attachment, ComputeSpec, Name, Ref, VolumeSpec
from fairlead.vnf.boot import boot_of
from fairlead.vnf.draft import Draft
from fairlead.vnf.images import Images
from fairlead.vnf.points import Points
from fairlead.vnf.record import compute_name
from fairlead.vnf.zones import is_soft, over_zones

__all__ = ["Machines"]

_KEY = "openstack.key"
_METADATA = "openstack.metadata."


class Machines:
    """Wants `<VDU>/<key>` for each VNFC, with `<VDU>/<key>/<storage>` and `group/<rule>`."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._images = Images(draft)
        self._points = Points(draft)

    def want(self) -> None:
        """All of them. Raises Unprocessable for what the VIM has no sort for."""
        draft = self._draft
        spread = {rule.id for rule in over_zones(draft.flavour)} if draft.context.where.zones != () else set()
        for rule in draft.flavour.placement_rules.values():
            grouped = rule.id not in spread and any(member in draft.flavour.vdus for member in rule.members)
            if draft.has("affinity-group") and grouped:
                soft = is_soft(draft.flavour, rule)
                spec = AffinityGroupSpec(policy=str(rule.sort), scope=rule.scope, soft=soft)
                draft.add(Name(f"group/{rule.id}"), spec)
        for vdu in draft.flavour.vdus.values():
            for index, key in enumerate(draft.state.members.get(vdu.id, ())):
                self._vnfc(vdu, key, index)

    def _vnfc(self, vdu: Vdu, key: str, index: int) -> None:
        draft = self._draft
        plugs = self._points.want(vdu, key, index)
        storages = [draft.flavour.storages[storage] for storage in vdu.storages]
        first = _started_from(vdu, storages)
        if first is not None:
            storages.sort(key=lambda storage: storage is not first)
        volumes = tuple(self._volume(key, vdu, storage) for storage in storages)
        image = self._images.want(_image_of(vdu)) if first is None else None
        boot = boot_of(draft, vdu.boot_data)
        cpus, memory = _size(vdu)
        words = _words(vdu)
        spec = ComputeSpec(
            label=draft.label(f"{vdu.id}-{key}"),
            image=image,
            cpus=cpus,
            memory=memory,
            disk=sum(storage.size for storage in vdu.local_storages),
            ports=plugs.ports,
            volumes=volumes,
            groups=self._groups(vdu),
            environment=boot.environment,
            files=boot.files,
            user_data=boot.user_data,
            constraints=words.constraints,
            power="on" if draft.state.started else "off",
            zone=draft.state.zones.get(compute_name(vdu.id, key)),
            trunks=plugs.trunks,
            metadata=words.metadata,
            key=words.key,
        )
        draft.add(compute_name(vdu.id, key), spec)

    def _volume(self, key: str, vdu: Vdu, storage: Storage) -> Attachment:
        if storage.kind is not StorageKind.BLOCK or storage.size is None:
            raise Unprocessable(
                f"Storage '{storage.id}' is of the kind '{storage.kind}', which no VIM here has.",
                code="unsupported-on-vim",
                place=str(storage.mark),
                remedy="Use block storage.",
            )
        name = Name(f"{vdu.id}/{key}/{storage.id}" if storage.per_vnfc_instance else f"storage/{storage.id}")
        image = self._images.want(storage.image) if storage.image is not None else None
        self._draft.add(name, VolumeSpec(size=storage.size, image=image))
        return Attachment(volume=Ref(name), at=storage.requirements.get("mount_path"))

    def _groups(self, vdu: Vdu) -> tuple[Ref, ...]:
        rules = self._draft.flavour.placement_rules.values()
        names = (Name(f"group/{rule.id}") for rule in rules if vdu.id in rule.members)
        return tuple(Ref(name) for name in names if name in self._draft.made)


class _Words(msgspec.Struct, frozen=True):
    """What a VDU says to its infrastructure."""

    constraints: dict[str, str]
    metadata: dict[str, str]
    key: str | None


def _words(vdu: Vdu) -> _Words:
    """What SOL001 has attributes for in OpenStack's own words, then what the boot data ask of the VIM, then the VDU's own
    constraints, which are the last."""
    asked = {f"openstack.extra_spec.{key}": value for key, value in extra_specs(vdu).items()}
    boot = vdu.boot_data
    if boot is not None and "OPENSTACK" in (boot.vim_type or "OPENSTACK").upper():
        asked |= {_KEY if key == "key_name" else f"{_METADATA}{key}": str(v) for key, v in boot.vim_properties.items()}
    asked |= vdu.nfvi_constraints
    asked.pop("openstack.placement", None)
    key = asked.pop(_KEY, None)
    metadata = {name[len(_METADATA) :]: asked.pop(name) for name in list(asked) if name.startswith(_METADATA)}
    return _Words(asked, metadata, key)


def _started_from(vdu: Vdu, storages: list[Storage]) -> Storage | None:
    """The storage that the machine starts from: the first with an image, in the boot order, where the VDU has one or no image
    of its own."""
    if vdu.kind is not VduKind.COMPUTE or (vdu.image is not None and not vdu.boot_order):
        return None
    order = {storage: number for number, storage in enumerate(vdu.boot_order)}
    bootable = [storage for storage in storages if storage.image is not None and (not order or storage.id in order)]
    return min(bootable, key=lambda storage: order.get(storage.id, 0), default=None)


def _image_of(vdu: Vdu) -> SoftwareImage | None:
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


def _size(vdu: Vdu) -> tuple[float, int]:
    if vdu.kind is VduKind.CONTAINERS and vdu.containers:
        container = vdu.containers[0]
        thousandths = container.cpu_limit or container.cpu_request or 1000
        return thousandths / 1000, container.memory_limit or container.memory_request or 0
    return float(vdu.cpus or 1), vdu.memory or 0
