"""What a machine needs, in Nova's and Cinder's units and in words."""

from __future__ import annotations

from typing import Final

from fairlead.descriptors import Vdu

__all__ = ["gibibytes", "requirements_of"]

_MI: Final = 2**20
_GI: Final = 2**30
_PINNING: Final = {"static": "dedicated", "dynamic": "shared"}


def gibibytes(size: int) -> int:
    """Bytes in whole GiB, at least one, rounded up: what Cinder counts in."""
    return max(-(-size // _GI), 1)


def requirements_of(vdu: Vdu) -> str:
    """What the flavour of a VDU must have, in words."""
    parts = []
    if vdu.cpus is not None:
        parts.append(f"{vdu.cpus} vCPU{'' if vdu.cpus == 1 else 's'}")
    if vdu.memory is not None:
        parts.append(f"{-(-vdu.memory // _MI)} MiB of memory")
    if vdu.local_storages:
        parts.append(f"{gibibytes(sum(each.size for each in vdu.local_storages))} GiB of disk")
    specs = _extra_specs(vdu)
    if specs:
        parts.append("extra specs " + ", ".join(f"{key}={value}" for key, value in specs.items()))
    return ", ".join(parts) or "the descriptor does not say what it needs"


def _extra_specs(vdu: Vdu) -> dict[str, str]:
    """What the flavour must carry beyond sizes (Nova, flavour extra specs)."""
    specs: dict[str, str] = {}
    if vdu.cpu_pinning_policy is not None:
        specs["hw:cpu_policy"] = _PINNING.get(vdu.cpu_pinning_policy, vdu.cpu_pinning_policy)
    if vdu.huge_pages:
        specs["hw:mem_page_size"] = f"{vdu.huge_pages[0].page_size // 1024}KB"
    if vdu.numa:
        specs["hw:numa_nodes"] = str(max(len(vdu.logical_nodes), 1))
    return specs
