"""What a flavour must carry beyond sizes."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.descriptors import AdditionalCapability, HugePages, Vdu, VduKind
from fairlead.hot.sizes import extra_specs


def vdu(**fields: Any) -> Vdu:
    return Vdu("v", VduKind.COMPUTE, "v", "", 1, 1, **fields)


def capability(*, mandatory: bool) -> tuple[AdditionalCapability, ...]:
    return (AdditionalCapability("m1.tiny", mandatory, parameters={"trait:HW_NIC_SRIOV": "required", "speed": "high"}),)


@pytest.mark.parametrize(
    ("fields", "specs"),
    [
        ({}, {}),
        ({"cpu_pinning_policy": "static"}, {"hw:cpu_policy": "dedicated"}),
        (
            {"cpu_pinning_policy": "dynamic", "cpu_pinning_rules": ("isolate",)},
            {"hw:cpu_policy": "shared", "hw:cpu_thread_policy": "isolate"},
        ),
        ({"numa": True}, {"hw:numa_nodes": "1"}),
        ({"numa": True, "logical_nodes": {"a": {}, "b": {}}}, {"hw:numa_nodes": "2"}),
        ({"huge_pages": (HugePages(2**30, 2**31),)}, {"hw:mem_page_size": "1048576KB"}),
        ({"memory_requirements": {"hw:mem_page_size": "large", "brand": "x"}}, {"hw:mem_page_size": "large"}),
        ({"additional_capabilities": capability(mandatory=True)}, {"trait:HW_NIC_SRIOV": "required"}),
        ({"additional_capabilities": capability(mandatory=False)}, {}),
    ],
)
def test_requirements_become_extra_specs(fields: dict[str, Any], specs: dict[str, str]) -> None:
    assert extra_specs(vdu(**fields)) == specs
