"""What is served against ETSI's OpenAPI documents: the same paths, methods, statuses and parameters."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead import sol
from fairlead.api.app import endpoints
from fairlead.api.endpoints import Endpoint
from tests.api.conftest import Api
from tests.sol import etsi

_DOCUMENTS = {
    "/vnflcm/v2": ("openapi-sol002-sol003-3.7.1/SOL003/VNFLifecycleManagement/VNFLifecycleManagement.yaml",),
    "/vnfpkgm/v2": (
        "openapi-sol005-3.7.1/SOL005/VNFPackageManagement/VNFPackageManagement.yaml",
        "openapi-sol002-sol003-3.7.1/SOL003/VNFPackageManagement/VNFPackageManagement.yaml",
    ),
}


def operations(prefix: str) -> dict[tuple[str, str], dict[str, Any]]:
    """ETSI's operations, by path and method; what two documents have is the first one's."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name in _DOCUMENTS[prefix]:
        paths = etsi.read(name)["paths"]
        for path, item in paths.items():
            if set(item) == {"$ref"} and item["$ref"].startswith("#/paths/"):
                item = paths[item["$ref"].removeprefix("#/paths/").replace("~1", "/")]
            for method in item.keys() & {"get", "put", "post", "patch", "delete"}:
                found.setdefault((path, method), item[method])
    return found


def served(api: Api, prefix: str) -> dict[tuple[str, str], Endpoint]:
    """The endpoints below `prefix`, but for those that ETSI keeps in a document of their own."""
    found = {(one.path.removeprefix(prefix), one.method.lower()): one for one in endpoints(api.services)}
    return {key: one for key, one in found.items() if one.path.startswith(prefix) and one.interface is not None}


@pytest.mark.parametrize("prefix", _DOCUMENTS)
def test_every_endpoint_is_one_of_etsis_with_its_statuses(api: Api, prefix: str) -> None:
    known = operations(prefix)
    for (path, method), endpoint in served(api, prefix).items():
        theirs = {str(status) for status in known[path, method]["responses"]}
        ours = {str(status) for status in (*endpoint.answers, *endpoint.errors)}
        # SOL013 clause 6.4 lets any operation answer 422 and 412.
        assert ours - {"422", "412"} <= theirs, endpoint.path


def test_all_of_etsis_package_management_is_served(api: Api) -> None:
    """But for what is told in docs/api.md."""
    missing = operations("/vnfpkgm/v2").keys() - served(api, "/vnfpkgm/v2").keys()
    assert {path for path, _ in missing} - {"/api_versions"} == {"/vnf_packages/{vnfPkgId}/ext_artifacts_access"}


@pytest.mark.parametrize("prefix", _DOCUMENTS)
def test_etsis_query_parameters_are_taken(api: Api, prefix: str) -> None:
    known = operations(prefix)
    for (path, method), endpoint in served(api, prefix).items():
        theirs = {_name(parameter) for parameter in known[path, method].get("parameters", ())}
        ours = {parameter.name for parameter in endpoint.parameters}
        wanted = {
            *("filter", "fields", "all_fields", "exclude_fields", "exclude_default", "nextpage_opaque_marker"),
            *("Range", "include_signatures", "exclude_all_mano_artifacts", "exclude_all_non_mano_artifacts"),
            *("include_external_artifacts", "select_non_mano_artifact_sets"),
        }
        assert theirs & wanted <= ours, endpoint.path


@pytest.mark.parametrize(("name", "major"), [("VNFLCM", 2), ("VNFPKGM", 2)])
def test_the_newest_version_is_that_of_etsis_document(name: str, major: int) -> None:
    interface = getattr(sol, name)
    version = str(etsi.read(_DOCUMENTS[interface.prefix][0])["info"]["version"]).partition("-")[0]
    assert (interface.newest, interface.major) == (version, major)


def _name(parameter: dict[str, Any]) -> str:
    """The name of a parameter that is given by reference, as far as it concerns queries."""
    if "name" in parameter:
        return str(parameter["name"])
    name = str(parameter["$ref"]).rsplit("/", 1)[-1]
    for known in (
        "include_signatures",
        "exclude_default",
        "exclude_fields",
        "all_fields",
        "fields",
        "filter",
        "nextpage_opaque_marker",
    ):
        if name.startswith(known):
            return known
    return name
