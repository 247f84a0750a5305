"""The portable specs: what can be asked of any VIM, whatever it is built on.

A spec is a frozen value in the units of the docstrings (bytes, cores). Only fields are added, never renamed, and each
new one has a default: specs are stored. A room that manages something else contributes its own spec type by deriving
from `Spec` with a `tag` of its own; `spec_type` finds it again by that tag when a stored document is read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from fairlead.errors import Quarantined
from fairlead.resources.values import UNDECIDED, Ref, SecretRef, Undecided

__all__ = [
    "AffinityGroupSpec",
    "Attachment",
    "ComputeSpec",
    "File",
    "FloatingIpSpec",
    "ImageSpec",
    "NetworkSpec",
    "PortSpec",
    "QosSpec",
    "RouterSpec",
    "SecurityGroupSpec",
    "SecurityRule",
    "Spec",
    "Subnet",
    "Subport",
    "TrunkSpec",
    "VolumeSpec",
    "known",
    "spec_type",
]

_types: dict[str, type[Spec]] = {}
_building = threading.Lock()


class Spec(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """The root of all specs; a subclass is found again by its `tag`."""

    decided_for: ClassVar[Mapping[str, str]] = {}
    """Fields that may be undecided, and for each the field for whose value it is decided: with that one it changes."""

    @classmethod
    def sort(cls) -> str:
        """The tag: `network`, `port`, `compute` and so on; what a reader sees as the sort of a resource."""
        return str(cls.__struct_config__.tag)


def spec_type(tag: str) -> type[Spec]:
    """The spec type registered under `tag`.

    Raises Quarantined when no room of this program contributes such a type.
    """
    if tag not in _types:
        with _building:
            _types.update({spec.sort(): _ready(spec) for spec in _subclasses(Spec)})
    try:
        return _types[tag]
    except KeyError:
        raise Quarantined(
            f"A stored resource is of the sort '{tag}', which this version does not know.",
            code="unknown-resource-type",
            remedy="Run the version of Fairlead that wrote it, or install the driver that contributes this sort.",
        ) from None


def _ready(spec: type[Spec]) -> type[Spec]:
    """`spec`, with what msgspec needs to read it built: it builds that at first use, and not safely in two threads."""
    msgspec.json.Decoder(spec)
    return spec


def _subclasses(spec: type[Spec]) -> Iterator[type[Spec]]:
    for subclass in spec.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def known(value: Any) -> str:
    """`value` as a string; it must be resolved by now. For kinds, which are given resolved specs only."""
    if not isinstance(value, str):
        raise TypeError(f"not resolved yet: {value!r}")
    return value


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """One address range of a network. `pools` are (first, last) pairs from which addresses may be chosen."""

    cidr: str
    gateway: str | None = None
    pools: tuple[tuple[str, str], ...] = ()
    dhcp: bool = True


class NetworkSpec(Spec, frozen=True, kw_only=True, tag="network"):
    """A layer 2 network with its subnets. Outputs: `id`.

    `internal` networks have no way out but through the network functions on them; another has a gateway in each subnet,
    chosen by the VIM where none is given.
    """

    label: str
    subnets: tuple[Subnet, ...] = ()
    internal: bool = True
    mtu: int | None = None


class PortSpec(Spec, frozen=True, kw_only=True, tag="port"):
    """A connection point's port on a network. Outputs: `id`, `addresses` (tuple of strings), `mac`.

    With `security_groups` only what they allow passes. `allowed_addresses` are those of others that it may use as its own:
    addresses, ranges, or references to the `addresses` of ports. `profile` goes to the VIM's binding as it is.
    """

    decided_for: ClassVar[Mapping[str, str]] = {"addresses": "network", "mac": "network"}

    network: str | Ref
    addresses: tuple[str, ...] | Undecided = UNDECIDED
    mac: str | Undecided = UNDECIDED
    order: int = 0
    vnic_type: str = "normal"
    security_groups: tuple[str | Ref, ...] = ()
    allowed_addresses: tuple[str | tuple[str, ...] | Ref, ...] = ()
    qos: str | Ref | None = None
    profile: dict[str, str] = msgspec.field(default_factory=dict)


class SecurityRule(msgspec.Struct, frozen=True, kw_only=True):
    """What may pass: `ingress` or `egress`, `ipv4` or `ipv6`, the IANA number of a protocol (None: any), and its ports from
    `first` to `last` (None: all of them)."""

    direction: str = "ingress"
    ether_type: str = "ipv4"
    protocol: int | None = None
    first: int | None = None
    last: int | None = None


class SecurityGroupSpec(Spec, frozen=True, kw_only=True, tag="security-group"):
    """All that may pass at the ports that carry it: what no rule names does not. Outputs: `id`."""

    label: str
    rules: tuple[SecurityRule, ...] = ()


class QosSpec(Spec, frozen=True, kw_only=True, tag="qos"):
    """Rates at the ports that carry it, in bit/s, each way; None: no limit, no guarantee. Outputs: `id`."""

    label: str
    max_rate: int | None = None
    min_rate: int | None = None


class RouterSpec(Spec, frozen=True, kw_only=True, tag="router"):
    """A way out for one network, to an external network (None: the VIM's own choice). Outputs: `id`."""

    label: str
    network: str | Ref
    external: str | None = None


class FloatingIpSpec(Spec, frozen=True, kw_only=True, tag="floating-ip"):
    """An address on an external network (None: the VIM's own choice) at which a port is reached from outside.

    `router` is what has to be there for that, where it is ours. Outputs: `id`, `address`.
    """

    decided_for: ClassVar[Mapping[str, str]] = {"address": "network"}

    port: str | Ref
    network: str | None = None
    router: str | Ref | None = None
    address: str | Undecided = UNDECIDED


class Subport(msgspec.Struct, frozen=True, kw_only=True):
    """A port within another's traffic, told apart by `segmentation_id` (with `inherit`: that of its network)."""

    port: str | Ref
    segmentation_type: str = "vlan"
    segmentation_id: int | None = None


class TrunkSpec(Spec, frozen=True, kw_only=True, tag="trunk"):
    """A port that carries others. Outputs: `id`."""

    port: str | Ref
    subports: tuple[Subport, ...] = ()


class VolumeSpec(Spec, frozen=True, kw_only=True, tag="volume"):
    """A block volume; `size` in bytes. Outputs: `id`."""

    size: int
    image: str | Ref | None = None
    volume_type: str | None = None


class ImageSpec(Spec, frozen=True, kw_only=True, tag="image"):
    """A software image. Shared per VIM by `digest` (`sha256:...`). Outputs: `id`.

    `artifact` names the bytes: `<package id>/<path in the package>`, or None when the VIM must have the image already
    under `label`.
    """

    label: str
    digest: str
    artifact: str | None = None
    container_format: str = "bare"
    disk_format: str = "raw"
    minimum_disk: int = 0
    minimum_memory: int = 0


class AffinityGroupSpec(Spec, frozen=True, kw_only=True, tag="affinity-group"):
    """Members are to be kept together or apart. `policy`: affinity or anti-affinity; `scope` as in SOL001."""

    policy: str
    scope: str
    soft: bool = False


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is there when the machine starts; `mode` is the Unix permission bits."""

    path: str
    content: str | SecretRef
    mode: int = 0o644


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A volume and where the machine sees it (a mount path on containers, a device name on virtual machines)."""

    volume: str | Ref
    at: str | None = None


class ComputeSpec(Spec, frozen=True, kw_only=True, tag="compute"):
    """One machine: a server, or a container. Outputs: `id`, and `host` where the VIM tells it.

    `cpus` in cores, `memory` and `disk` in bytes. `power` is `on` or `off`. `constraints` are the VDU's own words to
    one type of infrastructure, as `container.capabilities`. `ports` are in the order in which interfaces appear; `trunks`
    are those of its ports that have to be trunks before it starts. Without an `image` it starts from its first volume.
    `metadata` is what the machine and its owner can read of it, `key` the name of a key pair at the VIM.
    """

    label: str
    image: str | Ref | None = None
    cpus: float = 1.0
    memory: int = 0
    disk: int = 0
    flavour: str | Undecided | None = None
    ports: tuple[str | Ref, ...] = ()
    volumes: tuple[Attachment, ...] = ()
    groups: tuple[str | Ref, ...] = ()
    environment: dict[str, str | SecretRef] = msgspec.field(default_factory=dict)
    files: tuple[File, ...] = ()
    user_data: str | SecretRef | None = None
    constraints: dict[str, str] = msgspec.field(default_factory=dict)
    zone: str | Undecided | None = None
    power: str = "on"
    trunks: tuple[str | Ref, ...] = ()
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    key: str | None = None
