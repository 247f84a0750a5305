"""The Version header of SOL013."""

from __future__ import annotations

import pytest

from fairlead.errors import BadRequest, NotAcceptable
from fairlead.sol import VNFLCM, VNFPKGM


@pytest.mark.parametrize("header", ["2.0.0", "2.3.0", " 2.1.0 ", "2.3.0-impl:etsi.org:ETSI_NFV_OpenAPI:1"])
def test_every_minor_version_up_to_ours_is_served(header: str) -> None:
    assert VNFLCM.negotiate(header) == header.strip().partition("-")[0]


@pytest.mark.parametrize("header", ["1.3.0", "2.4.0", "3.0.0", "2.99.0"])
def test_another_version_is_not_acceptable_and_the_supported_ones_are_named(header: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        VNFLCM.negotiate(header)
    assert caught.value.code == "version-not-supported"
    assert "2.0.0" in str(caught.value.remedy)


@pytest.mark.parametrize("header", ["", "2", "2.0", "v2.0.0", "2.0.0-beta", "2.0.0.0", "two"])
def test_what_is_no_version_is_a_bad_request(header: str) -> None:
    with pytest.raises(BadRequest) as caught:
        VNFLCM.negotiate(header)
    assert caught.value.code == "version-malformed"


def test_the_header_may_be_missing_only_where_tackers_client_leaves_it_out() -> None:
    assert VNFPKGM.negotiate(None) == VNFPKGM.newest
    with pytest.raises(BadRequest) as caught:
        VNFLCM.negotiate(None)
    assert caught.value.code == "version-missing"


def test_the_versions_document_lists_what_is_accepted() -> None:
    information = VNFLCM.information()
    assert information.uri_prefix == "/vnflcm/v2"
    for offered in information.api_versions:
        assert VNFLCM.negotiate(offered.version) == offered.version
