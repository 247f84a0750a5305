"""A main template said for given members and networks: what Tacker's standard user data and its managed links come to.

A resource that stands for each VNFC of a VDU is written out, one for each: `VDU1` becomes `VDU1-0`, `VDU1-1`, each with its
own part of the parameter `nfv`. A link that somebody else manages is taken out, with its subnets, and its network stands
wherever it was referred to. Indices are whatever the caller gives, so a member keeps its own for life. What hands a network
on to a nested template is made after the network's subnets: Heat does not see that ports in there need them, and on a slow
cloud they come first and get no address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from fairlead.hot.documents import Document

__all__ = ["indexed", "parameters_asked", "referring_to", "unrolled"]

_SECTIONS: Final = ("VDU", "CP")


def indexed(name: str, index: int) -> str:
    """The name of what stands for one VNFC."""
    return f"{name}-{index}"


def unrolled(main: Document, members: Mapping[str, Sequence[int]], networks: Mapping[str, str]) -> Document:
    """`main` with the resource of each VDU in `members` once for each index, and with `networks`, ids or names by link,
    in place of the links that they are. The given document stays as it is, and is returned if nothing is to be said
    otherwise."""
    resources: Document = {}
    subnets = {name for name, one in main["resources"].items() if _on_network(one) in networks}
    written = {vdu: [indexed(vdu, index) for index in indices] for vdu, indices in members.items()}
    for name, resource in main["resources"].items():
        if name in networks or name in subnets:
            continue
        if name in members:
            for index in members[name]:
                resources[indexed(name, index)] = _said(resource, networks, written, index)
        else:
            resources[name] = _said(resource, networks, written, None)
    rest = {key: _said(value, networks, written, None) for key, value in main.items() if key != "resources"}
    said = {**rest, "resources": _after_subnets(resources)}
    return main if said == main else said


def _after_subnets(resources: Document) -> Document:
    """`resources`, those that hand networks on after the subnets of these."""
    subnets: dict[str, list[str]] = {}
    for name, resource in resources.items():
        network = _on_network(resource)
        if network is not None:
            subnets.setdefault(network, []).append(name)
    ordered: Document = {}
    for name, resource in resources.items():
        used = {value for value in _functions(resource.get("properties"), "get_resource") if isinstance(value, str)}
        needed = sorted(subnet for network in used for subnet in subnets.get(network, ()))
        if needed and _hands_on(resource):
            named = resource.get("depends_on") or []
            before = named if isinstance(named, list) else [named]
            resource = {**resource, "depends_on": list(dict.fromkeys([*before, *needed]))}
        ordered[name] = resource
    return ordered


def _hands_on(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is a nested template, or makes some."""
    member = (resource.get("properties") or {}).get("resource")
    kinds = (resource.get("type"), member.get("type") if isinstance(member, dict) else None)
    return any(str(kind).endswith((".yaml", ".yml")) for kind in kinds)


def _on_network(resource: Mapping[str, Any]) -> str | None:
    """The network of the template that a subnet is on."""
    if resource.get("type") != "OS::Neutron::Subnet":
        return None
    properties = resource.get("properties") or {}
    network = properties.get("network") or properties.get("network_id")
    return network.get("get_resource") if isinstance(network, dict) else None


def _said(value: Any, networks: Mapping[str, str], written: Mapping[str, list[str]], index: int | None) -> Any:
    if isinstance(value, list):
        return [_said(one, networks, written, index) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key == "get_resource" and inner in networks:
            return networks[inner]
        if key == "get_param" and index is not None and _of_member(inner):
            return {key: [*inner[:2], indexed(inner[2], index), *inner[3:]]}
    said = {key: _said(inner, networks, written, index) for key, inner in value.items()}
    if "depends_on" in value:
        said["depends_on"] = _after(value["depends_on"], networks, written)
    return said


def _of_member(path: Any) -> bool:
    """Whether a parameter is one that each VNFC has of its own."""
    return isinstance(path, list) and len(path) > 2 and path[0] == "nfv" and path[1] in _SECTIONS


def _after(names: Any, networks: Mapping[str, str], written: Mapping[str, list[str]]) -> list[str]:
    """`depends_on` with all of what a name stands for now."""
    listed = names if isinstance(names, list) else [names]
    return [one for name in listed if name not in networks for one in written.get(name, [name])]


def parameters_asked(document: Any) -> Iterator[tuple[str | int, ...]]:
    """The paths into the parameter `nfv` that `document` asks for, without the word itself."""
    for value in _functions(document, "get_param"):
        if isinstance(value, list) and value and value[0] == "nfv" and all(isinstance(p, str | int) for p in value):
            yield tuple(value[1:])


def referring_to(document: Any, names: Iterable[str]) -> set[str]:
    """Those of `names` to which `document` refers by get_resource or get_attr."""
    wanted = set(names)
    found = {value for value in _functions(document, "get_resource") if isinstance(value, str)}
    found |= {value[0] for value in _functions(document, "get_attr") if isinstance(value, list) and value}
    return {name for name in found if isinstance(name, str)} & wanted


def _functions(document: Any, name: str) -> Iterator[Any]:
    """What each use of Heat's function `name` is given, at any depth."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if name in value and len(value) == 1:
                yield value[name]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
