"""What a package takes for granted in an infrastructure, read from the package: pure, and without asking any.

A need is a document as `POST /fairlead/v1/vims/{vim}/lint` takes it, together with the place in the package that it comes from.
Images that a package brings are no needs. Templates of Heat in a package name images, flavours, networks and zones in their own
words; what is there as a plain word counts, what comes in as a parameter does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairlead.descriptors import Mark, Problem, Problems, Severity, SoftwareImage, Vdu, Vnfd
from fairlead.descriptors.problems import NOWHERE
from fairlead.descriptors.source import Node, compose

__all__ = ["Need", "needs_of", "needs_of_request", "needs_of_templates", "problems_of"]

_ZONES: Final = ("availability_zone", "zone")
_HEAT: Final = re.compile(rb"^heat_template_version\s*:", re.MULTILINE)
_LARGEST_TEMPLATE: Final = 2**20
_IN_HEAT: Final = {
    "image": "image",
    "flavor": "flavour",
    "network": "network",
    "floating_network": "network",
    "availability_zone": "zone",
}


@dataclass(frozen=True, slots=True)
class Need:
    """One need: `document` is what is sent, `mark` where it is from."""

    document: Mapping[str, Any]
    mark: Mark


def needs_of(vnfd: Vnfd) -> list[Need]:
    """The needs of all flavours, each once, in their order."""
    found = [
        need
        for flavour in vnfd.flavours.values()
        for need in (
            *(each for image in flavour.images.values() for each in _of_image(image)),
            *(each for vdu in flavour.vdus.values() for each in _of_vdu(vdu)),
        )
    ]
    return _once(found)


def _of_image(image: SoftwareImage) -> Iterator[Need]:
    if image.path is None:
        yield Need({"sort": "image", "name": image.file or image.name}, image.mark)


def _of_vdu(vdu: Vdu) -> Iterator[Need]:
    for capability in vdu.additional_capabilities:
        if capability.name and capability.mandatory:
            yield Need({"sort": "flavour", "name": capability.name}, vdu.mark)
    for key in _ZONES:
        if vdu.nfvi_constraints.get(key):
            yield Need({"sort": "zone", "name": vdu.nfvi_constraints[key]}, vdu.mark)
    cpus: float | None = vdu.cpus
    memory = vdu.memory
    if vdu.containers:
        cpus = sum(each.cpu_limit or each.cpu_request or 0 for each in vdu.containers) / 1000
        memory = sum(each.memory_limit or each.memory_request or 0 for each in vdu.containers)
    sizes = {"cpus": cpus, "memory": memory, "disk": sum(each.size for each in vdu.local_storages) or None}
    said = {key: value for key, value in sizes.items() if value is not None}
    yield Need({"sort": "machine", "name": vdu.id, **said, "constraints": dict(vdu.nfvi_constraints)}, vdu.mark)


def needs_of_request(request: Any) -> list[Need]:
    """The networks that an instantiation request names, as external and as managed links."""
    found = []
    for key in ("extVirtualLinks", "extManagedVirtualLinks"):
        links = request.get(key) if isinstance(request, Mapping) else None
        for link in links if isinstance(links, list) else ():
            if isinstance(link, Mapping) and isinstance(link.get("resourceId"), str):
                found.append(Need({"sort": "network", "name": link["resourceId"]}, NOWHERE))
    return _once(found)


def needs_of_templates(files: Mapping[str, bytes]) -> list[Need]:
    """What templates of Heat among the files of a package name outright."""
    found: list[Need] = []
    for name in files:
        if not name.endswith((".yaml", ".yml")) or name.startswith("Definitions/"):
            continue
        content = files[name]
        root = compose(content, name, Problems()) if _is_heat(content) else None
        resources = root.get("resources") if root is not None else None
        for resource in (resources.mapping or {}).values() if resources is not None else ():
            found += _of_resource(resource)
    return _once(found)


def _is_heat(content: bytes) -> bool:
    return len(content) <= _LARGEST_TEMPLATE and _HEAT.search(content) is not None


def _of_resource(resource: Node) -> Iterator[Need]:
    """The plain words under keys that mean something outside, at any depth."""
    properties = resource.get("properties")
    waiting = [properties] if properties is not None else []
    while waiting:
        node = waiting.pop(0)
        for key, child in (node.mapping or {}).items():
            if key in _IN_HEAT and child.is_text and child.text:
                yield Need({"sort": _IN_HEAT[key], "name": child.text}, child.mark)
            else:
                waiting.append(child)
        waiting += node.sequence or []


def problems_of(needs: Sequence[Need], lacks: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """What an infrastructure answered, as problems at the places of the needs."""
    found = []
    for lack in lacks:
        mark = needs[int(lack["need"])].mark
        severity = Severity.WARNING if lack.get("severity") == "warning" else Severity.ERROR
        code, detail, remedy = str(lack["code"]), str(lack["detail"]), lack.get("remedy")
        found.append(Problem(code, detail, mark.file, mark.line, mark.column, severity, remedy))
    return found


def _once(needs: Iterable[Need]) -> list[Need]:
    """The first of those that ask for the same."""
    first: dict[str, Need] = {}
    for need in needs:
        first.setdefault(repr(sorted(need.document.items(), key=str)), need)
    return list(first.values())
