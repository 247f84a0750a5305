"""Resources for bundles: a network with a port and a machine on it, or many machines that need nothing."""

from __future__ import annotations

from typing import Any

from fairlead.resources import (
    Attachment,
    ComputeSpec,
    ImageSpec,
    Name,
    NetworkSpec,
    Ownership,
    PortSpec,
    Ref,
    Resource,
    SecretRef,
    Subnet,
    VimId,
    VolumeSpec,
)

__all__ = ["image", "machine", "machines", "network", "port", "site", "volume"]


def network(vim: VimId, name: str = "net") -> Resource[Any]:
    """A network with one subnet."""
    return Resource(Name(name), NetworkSpec(label=name, subnets=(Subnet(cidr="10.1.0.0/24"),)), vim)


def port(vim: VimId, name: str = "port", on: str = "net", addresses: tuple[str, ...] | None = None) -> Resource[Any]:
    """A port on the network `on`; its address is the VIM's choice unless one is given."""
    spec = PortSpec(network=Ref(Name(on)))
    return Resource(Name(name), spec if addresses is None else PortSpec(network=spec.network, addresses=addresses), vim)


def volume(vim: VimId, name: str = "disk", size: int = 2**30) -> Resource[Any]:
    """A volume."""
    return Resource(Name(name), VolumeSpec(size=size), vim)


def image(vim: VimId, name: str = "image", digest: str = "sha256:1") -> Resource[Any]:
    """An image that all who use this content share."""
    return Resource(Name(name), ImageSpec(label=name, digest=digest), vim, Ownership.SHARED)


def machine(
    vim: VimId,
    name: str = "machine",
    *,
    ports: tuple[str, ...] = (),
    disks: tuple[str, ...] = (),
    image: str | None = None,
    power: str = "on",
    secret: SecretRef | None = None,
    **more: Any,
) -> Resource[Any]:
    """A machine on `ports` with `disks`."""
    spec = ComputeSpec(
        label=name,
        image=Ref(Name(image)) if image else None,
        ports=tuple(Ref(Name(port)) for port in ports),
        volumes=tuple(Attachment(volume=Ref(Name(disk))) for disk in disks),
        power=power,
        user_data=secret,
        **more,
    )
    return Resource(Name(name), spec, vim)


def machines(vim: VimId, number: int) -> list[Resource[Any]]:
    """Machines that need nothing: `m1`, `m2` ..."""
    return [machine(vim, f"m{index}", cpus=0.1) for index in range(1, number + 1)]


def site(vim: VimId) -> list[Resource[Any]]:
    """A network, a port on it, a volume, and a machine with both: the smallest thing with all sorts of dependencies."""
    return [network(vim), port(vim), volume(vim), machine(vim, ports=("port",), disks=("disk",))]
