"""An entry of a clouds.yaml as the VIM that it describes.

The file is OpenStack's own way to write down how to reach a cloud, and operators have it already. What is secret in it
may stand in a `secure.yaml` beside it. Vendor profiles are not known: such an entry says where the cloud is somewhere
else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairlead.cli.values import read_document, text_of
from fairlead.errors import BadRequest

__all__ = ["vim_from_clouds"]

Document = dict[str, Any]


def vim_from_clouds(path: str, cloud: str | None) -> Document:
    """Type, interface, credentials and settings of the entry `cloud`; of the only one when it is None.

    Raises BadRequest (`unreadable-file`, `unknown-cloud`, `cloud-without-address`).
    """
    clouds = _clouds(path)
    if cloud is None and len(clouds) == 1:
        (cloud,) = clouds
    if cloud is None or cloud not in clouds:
        raise BadRequest(
            f"{path} has no cloud '{cloud}'." if cloud else f"{path} has several clouds.",
            code="unknown-cloud",
            place=path,
            remedy=f"Name one by --cloud: {', '.join(sorted(clouds)) or 'there are none'}.",
        )
    entry = clouds[cloud]
    auth = {key: str(value) for key, value in (entry.get("auth") or {}).items() if value is not None}
    auth_url = auth.pop("auth_url", None)
    if auth_url is None:
        raise BadRequest(
            f"The cloud '{cloud}' does not say where its Keystone is.",
            code="cloud-without-address",
            place=f"{path} clouds.{cloud}.auth.auth_url",
            remedy="Give auth_url there; vendor profiles are not read.",
        )
    for old, new in (("tenant_name", "project_name"), ("tenant_id", "project_id")):
        if old in auth:
            auth.setdefault(new, auth.pop(old))
    interface: Document = {"auth_url": auth_url}
    if region := entry.get("region_name") or _first_region(entry):
        interface["region"] = region
    if faces := entry.get("interface") or entry.get("endpoint_type"):
        interface["interface"] = str(faces).removesuffix("URL")
    if entry.get("cacert"):
        interface["ca"] = text_of(str(Path(path).parent / str(entry["cacert"])))
    found: Document = {"type": "openstack", "interface": interface, "credentials": auth}
    if entry.get("verify") is False:
        found["settings"] = {"insecure": True}
    return found


def _clouds(path: str) -> Document:
    document = read_document(path)
    secure = Path(path).parent / "secure.yaml"
    if isinstance(document, dict) and secure.is_file() and isinstance(hidden := read_document(str(secure)), dict):
        document = _over(document, hidden)
    clouds = document.get("clouds") if isinstance(document, dict) else None
    if not isinstance(clouds, dict) or not all(isinstance(entry, dict) for entry in clouds.values()):
        raise BadRequest(f"{path} has no 'clouds'.", code="unreadable-file", place=path)
    return clouds


def _over(below: Document, above: Mapping[str, Any]) -> Document:
    """`above` put over `below`, object by object."""
    both = {key: _over(below[key], value) for key, value in above.items() if _objects(below.get(key), value)}
    return {**below, **above, **both}


def _objects(*values: Any) -> bool:
    return all(isinstance(value, dict) for value in values)


def _first_region(entry: Mapping[str, Any]) -> str | None:
    regions = entry.get("regions") or ()
    first = regions[0] if regions else None
    return first.get("name") if isinstance(first, dict) else first
