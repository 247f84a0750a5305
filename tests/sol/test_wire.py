"""Reading and writing ETSI's documents."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadRequest, Conflict
from fairlead.sol import (
    CreateVnfRequest,
    InstantiateVnfRequest,
    OperateVnfRequest,
    ProblemDetails,
    ScaleVnfRequest,
    StopType,
    VnfInfoModificationRequest,
    VnfPackageArtifactInfo,
    decode,
    encode,
    problem_of,
)


def test_names_are_camel_case_on_the_wire_and_absent_attributes_are_left_out() -> None:
    assert encode(CreateVnfRequest(vnfd_id="d", vnf_instance_name="n")) == b'{"vnfdId":"d","vnfInstanceName":"n"}'


def test_a_name_that_etsi_spells_in_its_own_way_is_kept() -> None:
    read = decode(
        VnfPackageArtifactInfo,
        b'{"artifactURI":["http://a.example"],"checksum":{"algorithm":"SHA-256","hash":"00"},"isEncrypted":false}',
    )
    assert read.artifact_uri == ("http://a.example",)


def test_unknown_attributes_are_ignored() -> None:
    assert decode(CreateVnfRequest, b'{"vnfdId":"d","fromTheFuture":{"a":1}}') == CreateVnfRequest(vnfd_id="d")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"flavourId":5}', "flavourId"),
        (
            b'{"flavourId":"f","extVirtualLinks":[{"id":"a","resourceId":1,"extCps":[]}]}',
            "extVirtualLinks[0].resourceId",
        ),
        (b'{"flavourId":"f","extVirtualLinks":{}}', "extVirtualLinks"),
        (b"{}", "the body itself"),
        (b"[]", "the body itself"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_path(body: bytes, place: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode(InstantiateVnfRequest, body)
    assert (caught.value.code, caught.value.place) == ("wrong-body", place)


def test_a_number_in_quotes_is_not_a_number() -> None:
    with pytest.raises(BadRequest, match="numberOfSteps"):
        decode(ScaleVnfRequest, b'{"type":"SCALE_OUT","aspectId":"a","numberOfSteps":"2"}')


def test_a_value_outside_an_enumeration_or_a_range_is_refused() -> None:
    with pytest.raises(BadRequest, match="changeStateTo"):
        decode(OperateVnfRequest, b'{"changeStateTo":"PAUSED"}')
    with pytest.raises(BadRequest, match="gracefulStopTimeout"):
        decode(OperateVnfRequest, b'{"changeStateTo":"STOPPED","gracefulStopTimeout":-1}')
    with pytest.raises(BadRequest, match="numberOfSteps"):
        decode(ScaleVnfRequest, b'{"type":"SCALE_OUT","aspectId":"a","numberOfSteps":0}')


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff\xfe", b"nonsense", b'{"vnfdId":"a\\u0000"}', b'{"vnfdId":"\\ud800"}']
)
def test_what_is_not_json_that_can_be_stored_is_malformed(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        decode(CreateVnfRequest, body)
    assert caught.value.code == "malformed-json"


def test_a_body_of_endless_depth_is_malformed() -> None:
    with pytest.raises(BadRequest):
        decode(dict, b'{"a":' * 100_000 + b"1" + b"}" * 100_000)


def test_a_backslash_before_u0000_makes_it_harmless() -> None:
    assert decode(CreateVnfRequest, rb'{"vnfdId":"a\\u0000"}').vnfd_id == "a\\u0000"


@given(st.text(alphabet='\\u0"a', max_size=12))
def test_no_escaped_nul_gets_in_whatever_stands_before_it(text: str) -> None:
    body = msgspec.json.encode({"vnfdId": text})
    assert decode(CreateVnfRequest, body).vnfd_id == text
    with pytest.raises(BadRequest):
        decode(CreateVnfRequest, body[:-2] + b'\\u0000"}')


def test_a_merge_patch_tells_null_from_absence() -> None:
    patch = decode(VnfInfoModificationRequest, b'{"vnfInstanceName":null,"metadata":{"a":null}}')
    assert patch.vnf_instance_name is None
    assert patch.metadata == {"a": None}
    assert patch.vnf_instance_description is msgspec.UNSET
    assert encode(patch) == b'{"vnfInstanceName":null,"metadata":{"a":null}}'


def test_structs_are_frozen() -> None:
    request = OperateVnfRequest(change_state_to="STOPPED", stop_type=StopType.GRACEFUL)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        request.stop_type = None  # type: ignore[misc]


def test_an_error_becomes_problem_details_with_its_whole_card() -> None:
    error = Conflict(
        "Another operation is open.",
        code="operation-open",
        resource="vnf-1",
        cause="because",
        left="nothing",
        remedy="Wait.",
        more={"problems": [{"file": "a.yaml", "line": 3}], "elsewhere": 1},
    )
    problem = problem_of(error, "/vnflcm/v2/vnf_lcm_op_occs/1")
    assert problem == ProblemDetails(
        type="https://fairlead.example/errors/operation-open",
        title="Conflict",
        status=409,
        detail="Another operation is open.",
        instance="/vnflcm/v2/vnf_lcm_op_occs/1",
        code="operation-open",
        resource="vnf-1",
        cause="because",
        left="nothing",
        remedy="Wait.",
        problems=({"file": "a.yaml", "line": 3},),
    )
