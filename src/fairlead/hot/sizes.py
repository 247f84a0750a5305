"""What a machine needs, in Nova's and Cinder's units and in words."""

from __future__ import annotations

from typing import Final

from fairlead.descriptors import Vdu

__all__ = ["extra_specs", "gibibytes", "requirements_of"]

_MI: Final = 2**20
_GI: Final = 2**30
_PINNING: Final = {"static": "dedicated", "dynamic": "shared"}
_THREADS: Final = ("prefer", "isolate", "require")


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
    specs = extra_specs(vdu)
    if specs:
        parts.append("extra specs " + ", ".join(f"{key}={value}" for key, value in specs.items()))
    return ", ".join(parts) or "the descriptor does not say what it needs"


def extra_specs(vdu: Vdu) -> dict[str, str]:
    """What the flavour must carry beyond sizes (Nova, flavour extra specs).

    Requirements for a platform are in SOL001 pairs of a registry of one's own; those with a colon in their name are
    extra specs as they stand. What a capability asks for counts where it is mandatory.
    """
    specs: dict[str, str] = {}
    if vdu.cpu_pinning_policy is not None:
        specs["hw:cpu_policy"] = _PINNING.get(vdu.cpu_pinning_policy, vdu.cpu_pinning_policy)
    if threads := next((rule for rule in vdu.cpu_pinning_rules if rule in _THREADS), None):
        specs["hw:cpu_thread_policy"] = threads
    if vdu.huge_pages:
        specs["hw:mem_page_size"] = f"{vdu.huge_pages[0].page_size // 1024}KB"
    if vdu.numa:
        specs["hw:numa_nodes"] = str(max(len(vdu.logical_nodes), 1))
    asked = [vdu.cpu_requirements, vdu.memory_requirements, vdu.compute_requirements]
    asked += [capability.parameters for capability in vdu.additional_capabilities if capability.mandatory]
    for requirements in asked:
        specs |= {key: str(value) for key, value in requirements.items() if ":" in key}
    return specs
