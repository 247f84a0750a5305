"""Every error code that this driver gives, with what it means; a test keeps the list complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["CODES"]

CODES: Final[Mapping[str, str]] = {
    "action-not-supported": "This sort of resource has no such action.",
    "address-in-use": "Another container, or the engine's own bridge, has the address that was asked for.",
    "address-outside-network": "The address that was asked for is in none of the network's subnets.",
    "bad-subnet": "A subnet, its gateway or its pools do not fit together.",
    "bad-vim-credentials": "The registration's TLS authority, certificate or key cannot be used.",
    "bad-vim-settings": "The registration's address or settings cannot be used.",
    "capability-not-allowed": "The package asks for a capability that the VIM's settings do not allow.",
    "constraint-not-supported": "The package asks for something of a container that no engine is asked for here.",
    "container-does-not-start": "The engine cannot start the container: its command, limits or sysctls are wrong.",
    "image-format-unknown": "The artifact is neither a docker archive nor an OCI archive, or is damaged.",
    "image-in-use": "Containers that were made from the image are still there.",
    "image-missing": "The engine does not have the image, and the package does not bring it.",
    "image-not-loaded": "The engine took the image's archive and has no image of it.",
    "in-use": "It cannot be deleted while others use it.",
    "mac-not-supported": "The engine gave a NIC another MAC than the one asked for.",
    "name-taken": "The engine has something else under the name that this resource is to have.",
    "network-in-use": "Containers are still connected to the network.",
    "network-missing": "The engine does not have the network.",
    "no-free-address": "All addresses that may be given out on a network are in use.",
    "no-free-subnet": "The engine has no subnet left to choose.",
    "not-in-vim": "The engine has no such thing.",
    "port-outside-compute": "Ports on a container engine are made with their container; they cannot be given.",
    "subnet-overlaps": "Another network of the engine, or its host, has addresses of the subnet.",
    "sysctl-not-allowed": "The package asks for a sysctl that would reach beyond its container.",
    "too-many-addresses": "A port asks for more than one address of a family.",
    "two-ports-on-one-network": "An engine connects a container to a network once.",
    "vim-disk-full": "The disk of the engine's host is full.",
    "vim-full": "The engine's host has no room left.",
    "vim-refused": "The engine refused; its own words say why.",
    "vim-unavailable": "The engine does not answer, not in time, or failed in a way that may pass.",
    "vnic-type-not-supported": "Container engines have NICs of the type 'normal' only.",
    "volume-image-not-supported": "A volume of a container engine cannot be filled from an image.",
    "volume-missing": "The engine does not have the volume.",
    "volume-without-path": "A volume is to be mounted, and it is not said where.",
}
