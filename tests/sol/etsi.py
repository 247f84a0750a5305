"""ETSI's own schemas, read from the OpenAPI documents that lie beside the repository; tests skip where they are absent."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

__all__ = ["enumeration", "properties", "read", "required", "schema"]

_ROOT = Path(__file__).parents[3] / "shared" / "etsi"
_FILES = {
    "sol003": "openapi-sol002-sol003-3.7.1/SOL003/VNFLifecycleManagement/definitions/SOL003VNFLifecycleManagement_def.yaml",
    "sol003-general": "openapi-sol002-sol003-3.7.1/SOL003/General_Definitions/SOL003_def.yaml",
    "sol003-packages": "openapi-sol002-sol003-3.7.1/SOL003/VNFPackageManagement/definitions/SOL003VNFPackageManagement_def.yaml",
    "sol003-notifications": "openapi-sol002-sol003-3.7.1/SOL003/VNFPackageManagementNotification/definitions/"
    "SOL003VNFPackageManagementNotification_def.yaml",
    "sol002": "openapi-sol002-sol003-3.7.1/SOL002/VNFLifecycleManagement/definitions/SOL002VNFLifecycleManagement_def.yaml",
    "sol005-packages": "openapi-sol005-3.7.1/SOL005/VNFPackageManagement/definitions/SOL005VNFPackageManagement_def.yaml",
    "sol005-general": "openapi-sol005-3.7.1/SOL005/definitions/SOL005_def.yaml",
}


class _Loader(yaml.SafeLoader):
    """Without timestamps: ETSI's examples hold strings that only look like dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def read(path: str) -> dict[str, Any]:
    """One of the documents."""
    if not _ROOT.is_dir():
        pytest.skip("ETSI's OpenAPI documents are not beside the repository (shared/etsi)")
    return dict(yaml.load((_ROOT / path).read_text(), _Loader))


def definitions(file: str) -> dict[str, Any]:
    return dict(read(_FILES[file])["definitions"])


def schema(place: str) -> dict[str, Any]:
    """The schema at `file:Type/property/...`; arrays and maps are gone into."""
    file, _, path = place.partition(":")
    name, *inner = path.split("/")
    found = definitions(file)[name]
    for step in inner:
        found = _into(found)["properties"][step]
    return _into(found)


def properties(place: str) -> set[str]:
    return set(schema(place)["properties"])


def required(place: str) -> set[str]:
    return set(schema(place).get("required", ()))


def enumeration(place: str) -> set[str]:
    return {str(value) for value in schema(place)["enum"]}


def _into(found: dict[str, Any]) -> dict[str, Any]:
    while found.get("type") == "array" or ("additionalProperties" in found and "properties" not in found):
        found = found["items"] if found.get("type") == "array" else found["additionalProperties"]
    return found
