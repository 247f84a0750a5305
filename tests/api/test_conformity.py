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
    "/vnflcm/v2": "openapi-sol002-sol003-3.7.1/SOL003/VNFLifecycleManagement/VNFLifecycleManagement.yaml",
    "/vnfpkgm/v2": "openapi-sol005-3.7.1/SOL005/VNFPackageManagement/VNFPackageManagement.yaml",
}


def served(api: Api, prefix: str) -> dict[tuple[str, str], Endpoint]:
    """The endpoints below `prefix`, but for those that ETSI keeps in a document of their own."""
    found = {(one.path.removeprefix(prefix), one.method.lower()): one for one in endpoints(api.services)}
    return {key: one for key, one in found.items() if one.path.startswith(prefix) and one.interface is not None}


@pytest.mark.parametrize("prefix", _DOCUMENTS)
def test_every_endpoint_is_one_of_etsis_with_its_statuses(api: Api, prefix: str) -> None:
    paths = etsi.read(_DOCUMENTS[prefix])["paths"]
    for (path, method), endpoint in served(api, prefix).items():
        theirs = {str(status) for status in paths[path][method]["responses"]}
        ours = {str(status) for status in (*endpoint.answers, *endpoint.errors)}
        # SOL013 clause 6.4 lets any operation answer 422 and 412.
        assert ours - {"422", "412"} <= theirs, endpoint.path


@pytest.mark.parametrize("prefix", _DOCUMENTS)
def test_etsis_query_parameters_are_taken(api: Api, prefix: str) -> None:
    document = etsi.read(_DOCUMENTS[prefix])
    for (path, method), endpoint in served(api, prefix).items():
        theirs = {_name(parameter) for parameter in document["paths"][path][method].get("parameters", ())}
        ours = {parameter.name for parameter in endpoint.parameters}
        wanted = {"filter", "fields", "all_fields", "exclude_fields", "exclude_default", "nextpage_opaque_marker"}
        assert theirs & wanted <= ours, endpoint.path


@pytest.mark.parametrize(("name", "major"), [("VNFLCM", 2), ("VNFPKGM", 2)])
def test_the_newest_version_is_that_of_etsis_document(name: str, major: int) -> None:
    interface = getattr(sol, name)
    version = str(etsi.read(_DOCUMENTS[interface.prefix])["info"]["version"]).partition("-")[0]
    assert (interface.newest, interface.major) == (version, major)


def _name(parameter: dict[str, Any]) -> str:
    """The name of a parameter that is given by reference, as far as it concerns queries."""
    if "name" in parameter:
        return str(parameter["name"])
    name = str(parameter["$ref"]).rsplit("/", 1)[-1]
    for known in ("exclude_default", "exclude_fields", "all_fields", "fields", "filter", "nextpage_opaque_marker"):
        if name.startswith(known):
            return known
    return name
