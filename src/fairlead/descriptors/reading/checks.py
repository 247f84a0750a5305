"""What can be wrong with a flavour although each of its parts is right: sums, ranges, addresses, names used twice.

These checks run on the finished values, with the marks that those carry, so they are the same however a flavour was
written. Each is one small function over a flavour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from fairlead.descriptors.compute import HugePages, OsContainer, Vdu
from fairlead.descriptors.problems import Mark, Problems, nearest
from fairlead.descriptors.reading.addresses import check_fixed_addresses
from fairlead.descriptors.vnfd import Bitrates, Flavour, InstantiationLevel, PlacementSort

__all__ = ["check_flavour"]


def check_flavour(
    flavour: Flavour, descriptor_id: str, count_marks: Mapping[tuple[str, str], Mark], problems: Problems
) -> None:
    """Run every check of this module; `count_marks` are the places of the numbers of VDUs at levels."""
    for check in _CHECKS:
        check(flavour, problems)
    for level in flavour.levels.values():
        _sums(flavour, level, count_marks, problems)
    _mappings(flavour, descriptor_id, problems)


def _instance_ranges(flavour: Flavour, problems: Problems) -> None:
    for vdu in flavour.vdus.values():
        if vdu.min_instances > vdu.max_instances:
            told = f'"{vdu.id}" has at least {vdu.min_instances} and at most {vdu.max_instances} instances'
            problems.error("bad-range", told, vdu.mark)


def _sums(
    flavour: Flavour, level: InstantiationLevel, count_marks: Mapping[tuple[str, str], Mark], problems: Problems
) -> None:
    """A level given both as scale levels and as instances must say the same twice."""
    if not level.scale_levels:
        return
    for name, count in level.instances.items():
        initial = flavour.initial_deltas.get(name)
        if initial is None:
            continue
        reached = initial + sum(
            sum(flavour.aspects[aspect].increments(name)[:scale])
            for aspect, scale in level.scale_levels.items()
            if aspect in flavour.aspects
        )
        if reached != count:
            told = f'the level "{level.id}" has {count} instances of "{name}", and its scale levels come to {reached}'
            problems.warning("level-sum", told, count_marks.get((level.id, name), level.mark))


def _scaling(flavour: Flavour, problems: Problems) -> None:
    """The highest scale level of every aspect must stay within each VDU's maximum."""
    for vdu in flavour.vdus.values():
        aspects = [aspect for aspect in flavour.aspects.values() if vdu.id in aspect.deltas]
        if not aspects:
            continue
        if vdu.id not in flavour.initial_deltas:
            told = f'"{vdu.id}" is scaled, and has no VduInitialDelta; its minimum is taken'
            problems.warning("no-initial-delta", told, vdu.mark)
        _highest(flavour, vdu, problems)


def _highest(flavour: Flavour, vdu: Vdu, problems: Problems) -> None:
    initial = flavour.initial_deltas.get(vdu.id, vdu.min_instances)
    for aspect in flavour.aspects.values():
        if vdu.id in aspect.deltas:
            highest = initial + sum(aspect.increments(vdu.id))
            if highest > vdu.max_instances:
                told = f'"{aspect.id}" scales "{vdu.id}" to {highest} instances, its maximum is {vdu.max_instances}'
                problems.error("level-above-maximum", told, aspect.mark)


def _connection_point_orders(flavour: Flavour, problems: Problems) -> None:
    for vdu in flavour.vdus.values():
        seen: dict[int, str] = {}
        for name in vdu.connection_points:
            point = flavour.connection_points[name]
            if point.order is None:
                continue
            if point.order in seen:
                told = f'"{seen[point.order]}" and "{name}" of "{vdu.id}" both have the order {point.order}'
                problems.error("same-order", told, point.mark)
            seen.setdefault(point.order, name)


def _addresses(flavour: Flavour, problems: Problems) -> None:
    for point in flavour.connection_points.values():
        check_fixed_addresses(point, flavour.links.get(point.link or ""), problems)


def _sizes(flavour: Flavour, problems: Problems) -> None:
    """Huge pages fit into the memory, a container's requests into its limits, an image into its machine."""
    for vdu in flavour.vdus.values():
        _huge_pages(vdu.id, vdu.huge_pages, vdu.memory, vdu.mark, problems)
        if vdu.image is not None and vdu.memory is not None and (vdu.image.min_ram or 0) > vdu.memory:
            told = f'"{vdu.id}" has {vdu.memory} bytes of memory, and its image wants {vdu.image.min_ram}'
            problems.error("bad-range", told, vdu.image.mark)
        for each in vdu.containers:
            _limits(each, problems)
            _huge_pages(each.id, each.huge_pages, each.memory_limit, each.mark, problems)
    for storage in flavour.storages.values():
        if storage.image is not None and storage.size is not None and (storage.image.min_disk or 0) > storage.size:
            told = f'"{storage.id}" has {storage.size} bytes, and its image wants {storage.image.min_disk}'
            problems.error("bad-range", told, storage.image.mark)


def _huge_pages(name: str, pages: tuple[HugePages, ...], memory: int | None, mark: Mark, problems: Problems) -> None:
    for each in pages:
        if each.page_size and each.total % each.page_size:
            told = (
                f'"{name}" asks for {each.total} bytes in pages of {each.page_size}, which is no whole number of them'
            )
            problems.error("bad-range", told, mark)
    wanted = sum(each.total for each in pages)
    if memory is not None and wanted > memory:
        problems.error("bad-range", f'"{name}" asks for {wanted} bytes of huge pages and {memory} of memory', mark)


def _limits(container: OsContainer, problems: Problems) -> None:
    for what, request, limit in (
        ("CPU", container.cpu_request, container.cpu_limit),
        ("memory", container.memory_request, container.memory_limit),
        ("ephemeral storage", container.ephemeral_storage_request, container.ephemeral_storage_limit),
    ):
        if request is not None and limit is not None and request > limit:
            told = f'"{container.id}" requests {request} of {what}, and its limit is {limit}'
            problems.error("bad-range", told, container.mark)


def _bitrates(flavour: Flavour, problems: Problems) -> None:
    """A link's bit rates are within what its profile says."""
    for link in flavour.links.values():
        if link.max_bitrate is None:
            continue
        most = link.max_bitrate
        if link.min_bitrate is not None and _above(link.min_bitrate, most):
            problems.error("bad-range", f'the least bit rate of "{link.id}" is above its most', link.mark)
        for level in flavour.levels.values():
            rate = level.link_bitrates.get(link.id)
            if rate is not None and _above(rate, most):
                told = f'the level "{level.id}" gives "{link.id}" more than its maximum bit rate'
                problems.error("level-above-maximum", told, level.mark)


def _above(rate: Bitrates, most: Bitrates) -> bool:
    return rate[0] > most[0] or (rate[1] is not None and most[1] is not None and rate[1] > most[1])


def _numbers_at_first(flavour: Flavour, problems: Problems) -> None:
    """Whoever instantiates must know how many instances of each VDU there are."""
    if flavour.aspects and not flavour.levels:
        told = f'the flavour "{flavour.id}" is scaled and has no instantiation levels; it begins at scale level 0'
        problems.warning("no-levels", told, flavour.mark)
    counted = {vdu for level in flavour.levels.values() for vdu in level.instances} | flavour.initial_deltas.keys()
    counted |= {vdu for aspect in flavour.aspects.values() for vdu in aspect.deltas}
    for vdu in flavour.vdus.values():
        if vdu.id not in counted and vdu.min_instances < vdu.max_instances:
            told = f'nothing says how many instances of "{vdu.id}" there are; its minimum {vdu.min_instances} is taken'
            problems.warning("no-levels", told, vdu.mark)


def _contradictions(flavour: Flavour, problems: Problems) -> None:
    """No two VDUs can be kept together and apart at once."""
    together = [rule for rule in flavour.placement_rules.values() if rule.sort is PlacementSort.AFFINITY]
    for rule in flavour.placement_rules.values():
        for other in together:
            shared = set(rule.members) & set(other.members)
            alone = len(rule.members) == len(other.members) == 1
            if rule.sort is PlacementSort.AFFINITY or rule.scope != other.scope or len(shared) < (1 if alone else 2):
                continue
            names = " and ".join(f'"{name}"' for name in sorted(shared))
            told = f'"{rule.id}" keeps {names} apart, and "{other.id}" keeps them together'
            problems.error("contradiction", told, rule.mark)


def _mappings(flavour: Flavour, descriptor_id: str, problems: Problems) -> None:
    """A change of package maps components of this descriptor to those of another, or the other way round."""
    known = {
        "vdu": flavour.vdus,
        "cp": flavour.connection_points,
        "virtual_link": flavour.links,
        "virtual_storage": flavour.storages,
        "instantiation_level": flavour.levels,
        "scaling_aspect": flavour.aspects,
    }
    for change in flavour.package_changes.values():
        here = [each.source_descriptor == descriptor_id for each in change.selectors]
        there = [each.destination_descriptor == descriptor_id for each in change.selectors]
        for mapping in change.mappings:
            own = known.get(mapping.sort)
            for name, is_own in ((mapping.source, all(here)), (mapping.destination, all(there))):
                if here and own is not None and is_own and name not in own:
                    told = f'this descriptor has no {mapping.sort} "{name}"'
                    problems.error("dangling-reference", told, mapping.mark, nearest(name, own))


def _unused(flavour: Flavour, problems: Problems) -> None:
    used = {name for vdu in flavour.vdus.values() for name in vdu.storages}
    for storage in flavour.storages.values():
        if storage.id not in used:
            problems.warning("unused", f'no VDU uses the storage "{storage.id}"', storage.mark)
    linked = {point.link for point in flavour.connection_points.values()} | set(flavour.external.values())
    linked |= {storage.link for storage in flavour.storages.values()}
    for link in flavour.links.values():
        if link.id not in linked:
            problems.warning("unused", f'nothing is connected to the link "{link.id}"', link.mark)


_CHECKS: Final[tuple[Callable[[Flavour, Problems], None], ...]] = (
    _instance_ranges,
    _scaling,
    _connection_point_orders,
    _addresses,
    _sizes,
    _bitrates,
    _numbers_at_first,
    _contradictions,
    _unused,
)
