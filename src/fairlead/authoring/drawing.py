"""A flavour as a graph for Graphviz: machines and containers, links, the outside, storages, and what scales.

fairlead package show . --format dot | dot -Tsvg > vnf.svg
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fairlead.descriptors import ConnectionPoint, ConnectionPointKind, Flavour, PlacementSort, Vdu, VduKind, VirtualLink

__all__ = ["as_dot"]


def as_dot(flavour: Flavour, title: str) -> str:
    """The flavour in the language of dot; every name is quoted, so any descriptor makes a graph."""
    lines = [
        f"graph {_quoted(title)} {{",
        f"  graph [label={_quoted(title)}, labelloc=t, rankdir=LR, fontname=Helvetica];",
        "  node [fontname=Helvetica, fontsize=11];",
        "  edge [fontname=Helvetica, fontsize=9];",
        *(f"  {line}" for line in _lines(flavour)),
        "}",
    ]
    return "\n".join(lines)


def _lines(flavour: Flavour) -> Iterator[str]:
    for vdu in flavour.vdus.values():
        shape = "component" if vdu.kind is VduKind.CONTAINERS else "box3d" if vdu.max_instances > 1 else "box"
        yield _node("vdu", vdu.id, _of_vdu(flavour, vdu), shape=shape)
    for link in flavour.links.values():
        yield _node("link", link.id, _of_link(link), shape="ellipse", style="filled", fillcolor="lightblue")
    for point in flavour.connection_points.values():
        yield from _point(flavour, point)
    for storage in flavour.storages.values():
        size = _size(storage.size) if storage.size is not None else storage.kind.value
        yield _node("storage", storage.id, [storage.id, size], shape="cylinder")
    for vdu in flavour.vdus.values():
        yield from (_edge(("vdu", vdu.id), ("storage", storage)) for storage in vdu.storages)
    for mciop in flavour.mciops.values():
        yield _node("chart", mciop.id, [mciop.id, "chart"], shape="note")
        yield from (_edge(("chart", mciop.id), ("vdu", vdu), style="dashed") for vdu in mciop.vdus)
    for rule in flavour.placement_rules.values():
        what = "together" if rule.sort is PlacementSort.AFFINITY else "apart"
        yield _node("rule", rule.id, [rule.id, f"{what} ({rule.scope})"], shape="octagon", style="dashed")
        for member in rule.members:
            sort = "vdu" if member in flavour.vdus else "link"
            yield _edge(("rule", rule.id), (sort, member), style="dashed")


def _point(flavour: Flavour, point: ConnectionPoint) -> Iterator[str]:
    """An edge from machine to link; a point that several stand behind is a node of its own."""
    if point.kind is ConnectionPointKind.EXTERNAL:
        return
    if point.external is not None:
        yield _node("outside", point.external, [point.external], shape="ellipse", style="dashed")
    to = ("outside", point.external) if point.external is not None else ("link", point.link) if point.link else None
    addresses = [*point.fixed_ip_addresses, *(["trunk"] if point.trunk else [])]
    label = "\n".join([point.id, *addresses])
    if point.kind is ConnectionPointKind.VDU and len(point.vdus) == 1:
        if to is not None:
            yield _edge(("vdu", point.vdus[0]), to, label=label)
        return
    yield _node("point", point.id, [point.id, point.kind.value, *addresses], shape="diamond")
    yield from (_edge(("vdu", vdu), ("point", point.id)) for vdu in point.vdus if vdu in flavour.vdus)
    if to is not None:
        yield _edge(("point", point.id), to)


def _of_vdu(flavour: Flavour, vdu: Vdu) -> list[str]:
    sizes = [f"{vdu.cpus} vCPU" if vdu.cpus is not None else "", _size(vdu.memory) if vdu.memory is not None else ""]
    low, high = vdu.min_instances, vdu.max_instances
    image = vdu.image.name if vdu.image is not None else ""
    scaled = [aspect.id for aspect in flavour.aspects.values() if any(aspect.increments(vdu.id))]
    return [
        vdu.id,
        ", ".join(part for part in sizes if part),
        *([image] if vdu.kind is VduKind.COMPUTE else [each.image.name for each in vdu.containers if each.image]),
        f"{low} of it" if low == high else f"{low} to {high} of it",
        f"scaled by {', '.join(scaled)}" if scaled else "",
    ]


def _of_link(link: VirtualLink) -> list[str]:
    return [link.id, *(protocol.cidr for protocol in link.l3_protocol_data)]


def _size(size: int) -> str:
    for unit, name in ((2**30, "GiB"), (2**20, "MiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} B"


def _node(sort: str, name: str, label: Iterable[str], **attributes: str) -> str:
    said = {"label": "\n".join(part for part in label if part)} | attributes
    return f"{_quoted(f'{sort} {name}')} [{_attributes(said)}];"


def _edge(one: tuple[str, str], other: tuple[str, str], **attributes: str) -> str:
    ends = " -- ".join(_quoted(f"{sort} {name}") for sort, name in (one, other))
    return f"{ends} [{_attributes(attributes)}];" if attributes else f"{ends};"


def _attributes(said: dict[str, str]) -> str:
    return ", ".join(f"{key}={_quoted(value)}" for key, value in said.items())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
