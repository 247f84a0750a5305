"""VDUs, their containers, images and storages, out of checked node templates."""

from __future__ import annotations

from typing import Any, Final

from fairlead.descriptors.compute import (
    AdditionalCapability,
    BootData,
    Checksum,
    HugePages,
    LocalStorage,
    OsContainer,
    SoftwareImage,
    Storage,
    StorageKind,
    Vdu,
    VduKind,
)
from fairlead.descriptors.functions import descend
from fairlead.descriptors.problems import Mark, nearest
from fairlead.descriptors.reading.picking import maintenance, monitoring, plain, struct
from fairlead.descriptors.reading.template import resolve_file
from fairlead.descriptors.reading.topology import COMPUTE, CONTAINER_UNIT, NodeTemplate, Topology
from fairlead.descriptors.source import Node
from fairlead.descriptors.values import Struct

__all__ = ["read_storages", "read_vdus"]

_IMAGE_ARTIFACT: Final = "tosca.artifacts.nfv.SwImage"
_STORAGES: Final = (
    ("tosca.nodes.nfv.Vdu.VirtualBlockStorage", StorageKind.BLOCK, "virtual_block_storage_data", "size_of_storage"),
    (
        "tosca.nodes.nfv.Vdu.VirtualObjectStorage",
        StorageKind.OBJECT,
        "virtual_object_storage_data",
        "max_size_of_storage",
    ),
    ("tosca.nodes.nfv.Vdu.VirtualFileStorage", StorageKind.FILE, "virtual_file_storage_data", "size_of_storage"),
)


def read_storages(topology: Topology) -> dict[str, Storage]:
    """All storages of the template, by name, in the order of the file."""
    found = {}
    for node in topology.nodes.values():
        for type_name, kind, data_key, size_key in _STORAGES:
            if topology.is_a(node, type_name):
                data = struct(node.properties.get(data_key), node.mark)
                found[node.name] = Storage(
                    node.name,
                    kind,
                    data.get(size_key),
                    _image(topology, node),
                    node.properties.get("per_vnfc_instance", True),
                    data.get("vdu_storage_requirements", {}),
                    data.get("file_system_protocol"),
                    node.target("virtual_link"),
                    data.get("rdma_enabled", False),
                    maintenance(node.properties.get("nfvi_maintenance_info")),
                    node.mark,
                )
    return found


def read_vdus(
    topology: Topology, storages: dict[str, Storage], connection_points: dict[str, tuple[str, ...]]
) -> dict[str, Vdu]:
    """All VDUs; `connection_points` are the ids of those bound to each VDU, in order."""
    found = {}
    for node in topology.nodes.values():
        points = connection_points.get(node.name, ())
        if topology.is_a(node, COMPUTE):
            found[node.name] = _machine(topology, node, points)
        elif topology.is_a(node, CONTAINER_UNIT):
            found[node.name] = _container_unit(topology, node, points)
    for vdu in found.values():
        _check_image(topology, vdu, storages)
    return found


def _machine(topology: Topology, node: NodeTemplate, points: tuple[str, ...]) -> Vdu:
    compute = node.capabilities.get("virtual_compute")
    if compute is None:
        told = f'"{node.name}" says nothing of its CPU and memory; only templates that the package brings can create it'
        topology.problems.warning("vdu-without-compute", told, node.mark)
        compute = Struct(node.mark, {}, {})
    properties = node.properties
    memory, cpu = struct(compute.get("virtual_memory"), node.mark), struct(compute.get("virtual_cpu"), node.mark)
    pinning = struct(cpu.get("virtual_cpu_pinning"), node.mark)
    low, high = _instances(properties)
    return Vdu(
        id=node.name,
        kind=VduKind.COMPUTE,
        name=properties.get("name", node.name),
        description=properties.get("description", ""),
        min_instances=low,
        max_instances=high,
        cpus=cpu.get("num_virtual_cpu"),
        memory=memory.get("virtual_mem_size"),
        local_storages=tuple(
            LocalStorage(
                each.get("size_of_storage", 0),
                each.get("vdu_storage_requirements", {}),
                each.get("rdma_enabled", False),
            )
            for each in compute.get("virtual_local_storage", ())
        ),
        image=_image(topology, node),
        storages=tuple(node.targets("virtual_storage")),
        connection_points=points,
        boot_data=_boot_data(topology, node),
        boot_order=_boot_order(topology, node),
        nfvi_constraints=_constraints(properties.get("nfvi_constraints")),
        additional_capabilities=_additional(compute.get("requested_additional_capabilities")),
        logical_nodes=_logical_nodes(compute.get("logical_node")),
        cpu_architecture=cpu.get("cpu_architecture"),
        cpu_clock=cpu.get("virtual_cpu_clock"),
        cpu_oversubscription_policy=cpu.get("virtual_cpu_oversubscription_policy"),
        memory_oversubscription_policy=memory.get("virtual_mem_oversubscription_policy"),
        cpu_pinning_policy=pinning.get("virtual_cpu_pinning_policy"),
        cpu_pinning_rules=pinning.get("virtual_cpu_pinning_rule", ()),
        cpu_requirements=cpu.get("vdu_cpu_requirements", {}),
        memory_requirements=memory.get("vdu_mem_requirements", {}),
        numa=memory.get("numa_enabled", False),
        huge_pages=_huge_pages(memory.get("huge_pages_requirements")),
        compute_requirements=compute.get("compute_requirements", {}),
        configurable=plain(properties.get("configurable_properties")),
        monitoring=monitoring(properties.get("monitoring_parameters")),
        maintenance=maintenance(struct(properties.get("vdu_profile"), node.mark).get("nfvi_maintenance_info")),
        certificates=tuple(node.targets("installable_certificate")),
        artifacts=node.artifacts,
        mark=node.mark,
    )


def _boot_order(topology: Topology, node: NodeTemplate) -> tuple[str, ...]:
    """True (since SOL001 2.8.1) is the order of the storages; before, the order was a list of them."""
    value = node.properties.get("boot_order", False)
    storages = tuple(node.targets("virtual_storage"))
    if not isinstance(value, tuple):
        return storages if value else ()
    given = descend(node.node.get("properties"), ["boot_order"])
    for each in (given.sequence or []) if given is not None else []:
        if each.text not in storages:
            told = f'"{each.text}" is no storage of "{node.name}"'
            topology.problems.error("dangling-reference", told, each.mark, nearest(each.text, storages))
    return value


def _container_unit(topology: Topology, node: NodeTemplate, points: tuple[str, ...]) -> Vdu:
    properties = node.properties
    low, high = _instances(properties)
    mcio = struct(properties.get("mcio_identification_data"), node.mark)
    return Vdu(
        id=node.name,
        kind=VduKind.CONTAINERS,
        name=properties.get("name", node.name),
        description=properties.get("description", ""),
        min_instances=low,
        max_instances=high,
        containers=tuple(
            _container(topology, topology.nodes[target])
            for target in node.targets("container")
            if target in topology.nodes
        ),
        storages=tuple(node.targets("virtual_storage")),
        connection_points=points,
        nfvi_constraints=_constraints(properties.get("nfvi_constraints")),
        additional_capabilities=_additional(properties.get("requested_additional_capabilities")),
        logical_nodes=_logical_nodes(properties.get("logical_node")),
        mcio_name=mcio.get("name"),
        mcio_type=mcio.get("type"),
        mcio_constraints=properties.get("mcio_constraint_params", ()),
        configurable=plain(properties.get("configurable_properties")),
        monitoring=monitoring(properties.get("monitoring_parameters")),
        maintenance=maintenance(struct(properties.get("vdu_profile"), node.mark).get("nfvi_maintenance_info")),
        certificates=tuple(node.targets("installable_certificate")),
        artifacts=node.artifacts,
        mark=node.mark,
    )


def _container(topology: Topology, node: NodeTemplate) -> OsContainer:
    properties = node.properties
    pinning = struct(properties.get("cpu_pinning_requirements"), node.mark)
    return OsContainer(
        id=node.name,
        name=properties.get("name", node.name),
        description=properties.get("description", ""),
        image=_image(topology, node),
        cpu_request=properties.get("requested_cpu_resources"),
        cpu_limit=properties.get("cpu_resource_limit"),
        memory_request=properties.get("requested_memory_resources"),
        memory_limit=properties.get("memory_resource_limit"),
        ephemeral_storage_request=properties.get("requested_ephemeral_storage_resources"),
        ephemeral_storage_limit=properties.get("ephemeral_storage_resource_limit"),
        extended_resources=tuple(
            (each.get("extended_resource", {}), each.get("amount", 0))
            for each in properties.get("extended_resource_requests", ())
        ),
        huge_pages=_huge_pages(properties.get("huge_pages_resources")),
        cpu_pinning_policy=pinning.get("virtual_cpu_pinning_policy"),
        cpu_pinning_rules=pinning.get("virtual_cpu_pinning_rule", ()),
        mark=node.mark,
    )


def _image(topology: Topology, node: NodeTemplate) -> SoftwareImage | None:
    """The image of a node: its `sw_image_data`, or since SOL001 4.3.1 the properties of its SwImage artifact."""
    types = topology.package.types
    artifact = next(
        (
            each
            for each in node.artifacts.values()
            if each.type is not None and types.derives("artifact_types", each.type, _IMAGE_ARTIFACT)
        ),
        None,
    )
    data = node.properties.get("sw_image_data")
    values: dict[str, Any] = {**(artifact.properties if artifact else {}), **(data.values if data else {})}
    if artifact is None and not values:
        return None
    mark = data.mark if data else artifact.mark if artifact else node.mark
    for key in ("name", "version", "container_format") if data is None else ():
        if key not in values:
            told = f'the image of "{node.name}" needs the property "{key}"'
            topology.problems.error("missing-property", told, mark)
    if artifact is None:
        told = (
            f'the image of "{node.name}" has no artifact of type {_IMAGE_ARTIFACT}, so there is no file to take it from'
        )
        topology.problems.warning("image-without-artifact", told, mark)
    return SoftwareImage(
        id=node.name,
        name=values.get("name", node.name),
        version=values.get("version", ""),
        container_format=values.get("container_format", "bare"),
        file=artifact.file if artifact else None,
        path=artifact.path if artifact else None,
        checksum=_checksum(topology, values.get("checksum"), data.mark_of("checksum") if data else mark),
        disk_format=values.get("disk_format"),
        min_disk=values.get("min_disk"),
        min_ram=values.get("min_ram"),
        size=values.get("size"),
        provider=values.get("provider"),
        operating_system=values.get("operating_system"),
        environments=values.get("supported_virtualisation_environments", ()),
        mark=mark,
    )


_DIGITS: Final = {"sha-224": 56, "sha-256": 64, "sha-384": 96, "sha-512": 128}


def _checksum(topology: Topology, value: Any, mark: Mark) -> Checksum | None:
    if isinstance(value, str):
        algorithm = next((name for name, digits in _DIGITS.items() if digits == len(value)), "sha-256")
        value = Struct(mark, {"algorithm": algorithm, "hash": value}, {})
    if not isinstance(value, Struct) or not {"algorithm", "hash"} <= value.values.keys():
        return None
    algorithm, digest = value.values["algorithm"], value.values["hash"].lower()
    wanted = _DIGITS.get(algorithm)
    if wanted is not None and (len(digest) != wanted or set(digest) - set("0123456789abcdef")):
        told = f"{algorithm} is {wanted} hexadecimal digits, this is {len(digest)} characters"
        topology.problems.error("bad-checksum", told, value.mark_of("hash"))
    return Checksum(algorithm, digest)


def _check_image(topology: Topology, vdu: Vdu, storages: dict[str, Storage]) -> None:
    if vdu.kind is VduKind.CONTAINERS:
        for container in vdu.containers:
            if container.image is None:
                told = f'the container "{container.id}" has no image; only a chart of the package can give it one'
                topology.problems.warning("vdu-without-image", told, container.mark)
        return
    if vdu.image is None and vdu.cpus is not None:
        on_storage = any(name in storages and storages[name].image for name in vdu.storages)
        if not on_storage:
            told = f'"{vdu.id}" has no image, neither its own nor on a storage'
            topology.problems.warning("vdu-without-image", told, vdu.mark, "give it sw_image_data and an artifact")


def _boot_data(topology: Topology, node: NodeTemplate) -> BootData | None:
    value = node.properties.get("boot_data")
    mark = node.properties.mark_of("boot_data")
    if value is None:
        return None
    if isinstance(value, str):
        return BootData(content=value, mark=mark)
    file = struct(value.get("content_or_file_data"), mark)
    vim = struct(value.get("vim_specific_properties"), mark)
    source: Node | None = descend(node.node.get("properties"), ["boot_data", "content_or_file_data", "source_path"])
    path = file.get("source_path")
    if path is not None and source is not None and source.is_text:
        path = resolve_file(topology, source)
    return BootData(
        struct(value.get("kvp_data"), mark).get("data", {}),
        file.get("content"),
        path,
        file.get("destination_path"),
        file.get("data", {}),
        vim.get("vim_type"),
        vim.get("properties", {}),
        mark,
    )


def _instances(properties: Struct) -> tuple[int, int]:
    profile = struct(properties.get("vdu_profile"), properties.mark)
    return profile.get("min_number_of_instances", 0), profile.get("max_number_of_instances", 0)


def _constraints(value: Any) -> dict[str, str]:
    """A map since SOL001 2.7.1; before, a list of words, of which `key=value` is split."""
    if isinstance(value, tuple):
        return {key: rest for key, _, rest in (str(each).partition("=") for each in value)}
    return value or {}


def _additional(value: dict[str, Struct] | None) -> tuple[AdditionalCapability, ...]:
    return tuple(
        AdditionalCapability(
            each.get("requested_additional_capability_name", ""),
            each.get("support_mandatory", False),
            each.get("min_requested_additional_capability_version"),
            each.get("preferred_requested_additional_capability_version"),
            each.get("target_performance_parameters", {}),
        )
        for each in (value or {}).values()
    )


def _logical_nodes(value: dict[str, Struct] | None) -> dict[str, dict[str, str]]:
    return {name: each.get("logical_node_requirements", {}) for name, each in (value or {}).items()}


def _huge_pages(value: tuple[Struct, ...] | None) -> tuple[HugePages, ...]:
    return tuple(HugePages(each.get("hugepage_size", 0), each.get("requested_size", 0)) for each in value or ())
