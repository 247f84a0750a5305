"""VNF lifecycle management in the words of version 1 (SOL003 2.6.1), which python-tackerclient speaks unless told otherwise.

Two things have another form there: VIM connections are an array whose elements have an `id`, and so are the configurations of an
external connection point, each with the `cpInstanceId` of an instance that is there already. What came later is left in the
answers, for clients read over attributes that they do not know. All functions take and give plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import BadRequest

__all__ = ["request_from_v1", "vnf_instance_v1", "vnf_lcm_op_occ_v1"]

Document = dict[str, Any]


def request_from_v1(request: Mapping[str, Any]) -> Document:
    """The request of an operation, or of a change, in today's words.

    Raises BadRequest (`wrong-body`) where what should be an array of objects is not one.
    """
    found = dict(request)
    if found.get("vimConnectionInfo") is not None:
        found["vimConnectionInfo"] = _keyed(found["vimConnectionInfo"], "vimConnectionInfo", "id", "any")
    if "virtualLinkDescId" in found:
        found["vnfVirtualLinkDescId"] = found.pop("virtualLinkDescId")
    for key in ("extVirtualLinks", "extManagedVirtualLinks"):
        if key in found:
            found[key] = [
                _link_from_v1(link, f"{key}[{number}]") for number, link in enumerate(_array(found[key], key))
            ]
    return found


def vnf_instance_v1(instance: Mapping[str, Any]) -> Document:
    """A VnfInstance."""
    shown = _with_links(instance)
    if "vimConnectionInfo" in shown:
        shown["vimConnectionInfo"] = _listed(shown["vimConnectionInfo"])
    info = shown.get("instantiatedVnfInfo")
    if info is not None and "extVirtualLinkInfo" in info:
        links = [
            {key: value for key, value in link.items() if key != "currentVnfExtCpData"}
            for link in info["extVirtualLinkInfo"]
        ]
        shown["instantiatedVnfInfo"] = {**info, "extVirtualLinkInfo": links}
    return shown


def vnf_lcm_op_occ_v1(occurrence: Mapping[str, Any]) -> Document:
    """A VnfLcmOpOcc; its parameters are shown as a client of this version would have sent them."""
    shown = _with_links(occurrence)
    for key in ("operationParams", "changedInfo"):
        if isinstance(shown.get(key), Mapping):
            shown[key] = _request_to_v1(shown[key])
    return shown


def _request_to_v1(request: Mapping[str, Any]) -> Document:
    shown = dict(request)
    if isinstance(shown.get("vimConnectionInfo"), Mapping):
        shown["vimConnectionInfo"] = _listed(shown["vimConnectionInfo"])
    if "extVirtualLinks" in shown:
        shown["extVirtualLinks"] = [_link_to_v1(link) for link in shown["extVirtualLinks"]]
    return shown


def _link_from_v1(link: Any, place: str) -> Document:
    found = dict(_object(link, place))
    if "virtualLinkDescId" in found:
        found["vnfVirtualLinkDescId"] = found.pop("virtualLinkDescId")
    if "extCps" in found:
        found["extCps"] = [
            _point_from_v1(point, f"{place}.extCps[{number}]")
            for number, point in enumerate(_array(found["extCps"], f"{place}.extCps"))
        ]
    return found


def _point_from_v1(point: Any, place: str) -> Document:
    found = dict(_object(point, place))
    if isinstance(found.get("cpConfig"), list):
        found["cpConfig"] = _keyed(found["cpConfig"], f"{place}.cpConfig", "cpInstanceId", "cp")
    return found


def _link_to_v1(link: Mapping[str, Any]) -> Document:
    def shown(point: Mapping[str, Any]) -> Document:
        configured = point.get("cpConfig")
        return (
            {**point, "cpConfig": _listed(configured, "cpInstanceId")}
            if isinstance(configured, Mapping)
            else dict(point)
        )

    return {**link, "extCps": [shown(point) for point in link.get("extCps", ())]}


def _keyed(elements: Any, place: str, key: str, otherwise: str) -> Document:
    """An array as an object by the `key` of its elements; those without one are called `otherwise` and a number."""
    found: Document = {}
    for number, element in enumerate(_array(elements, place)):
        values = dict(_object(element, f"{place}[{number}]"))
        name = values.pop(key, None) or f"{otherwise}{number or ''}"
        if not isinstance(name, str) or name in found:
            raise _wrong(f"{place}[{number}].{key}", f"a {key} of its own")
        found[name] = values
    return found


def _listed(values: Mapping[str, Any], key: str = "id") -> list[Document]:
    return [{key: name, **(value or {})} for name, value in values.items()]


def _with_links(thing: Mapping[str, Any]) -> Document:
    links = {
        name: {"href": link["href"].replace("/vnflcm/v2/", "/vnflcm/v1/", 1)}
        for name, link in thing.get("_links", {}).items()
    }
    return {**thing, "_links": links}


def _array(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(place, "an array")
    return value


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(place, "an object")
    return value


def _wrong(place: str, expected: str) -> BadRequest:
    return BadRequest(
        f"The body does not fit version 1: {place} is to be {expected}.",
        code="wrong-body",
        place=place,
        remedy="Correct the value at this path, or ask version 2, whose VIM connections and configurations are objects.",
    )
