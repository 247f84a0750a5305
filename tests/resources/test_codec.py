"""Documents: what is stored can be read again, by this release and by later ones, or says why not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.errors import Quarantined
from fairlead.resources import (
    SCHEMA,
    UNDECIDED,
    AffinityGroupSpec,
    Attachment,
    ComputeSpec,
    File,
    FloatingIpSpec,
    Handle,
    ImageSpec,
    Incarnation,
    Name,
    NetworkSpec,
    Ownership,
    PortSpec,
    QosSpec,
    Recorded,
    Ref,
    Resource,
    RouterSpec,
    SecretRef,
    SecurityGroupSpec,
    SecurityRule,
    Spec,
    State,
    Subnet,
    Subport,
    TrunkSpec,
    VimId,
    VolumeSpec,
    codec,
    decode_recorded,
    decode_resource,
    decode_resources,
    encode_recorded,
    encode_resource,
    encode_resources,
    spec_type,
    upcast,
)

SPECS: list[Spec] = [
    NetworkSpec(
        label="n",
        subnets=(Subnet(cidr="10.0.0.0/24", gateway="10.0.0.1", pools=(("10.0.0.5", "10.0.0.9"),)),),
        mtu=9000,
    ),
    NetworkSpec(label="n"),
    PortSpec(network=Ref(Name("n")), addresses=("10.0.0.5", "fd00::5"), mac="fa:16:3e:00:00:01", order=3),
    PortSpec(network="net-7", addresses=UNDECIDED, mac=UNDECIDED, vnic_type="direct"),
    PortSpec(
        network="net-7",
        security_groups=(Ref(Name("s")), "group-7"),
        allowed_addresses=("10.0.0.0/28", Ref(Name("vip"), "addresses"), ("10.0.0.7",)),
        qos=Ref(Name("q")),
        profile={"trusted": "true"},
    ),
    SecurityGroupSpec(label="s", rules=(SecurityRule(protocol=6, first=80, last=80), SecurityRule(direction="egress"))),
    QosSpec(label="q", max_rate=10**6, min_rate=1),
    RouterSpec(label="r", network=Ref(Name("n")), external="public"),
    FloatingIpSpec(port=Ref(Name("p")), router=Ref(Name("r")), address=UNDECIDED),
    TrunkSpec(port=Ref(Name("p")), subports=(Subport(port=Ref(Name("c")), segmentation_id=7), Subport(port="port-8"))),
    VolumeSpec(size=2**40, image=Ref(Name("i"), "id"), volume_type="fast"),
    ImageSpec(label="i", digest="sha256:1", artifact="p/i.qcow2", minimum_memory=1),
    AffinityGroupSpec(policy="anti-affinity", scope="nfvi-node", soft=True),
    ComputeSpec(
        label="c",
        image=Ref(Name("i")),
        cpus=0.25,
        memory=2**33,
        flavour=UNDECIDED,
        ports=(Ref(Name("p")), "port-7"),
        volumes=(Attachment(volume=Ref(Name("v")), at="/x"), Attachment(volume="vol-1")),
        groups=(Ref(Name("g")),),
        environment={"A": SecretRef("s"), "B": "plain"},
        files=(File(path="/f", content=SecretRef("t"), mode=0o600),),
        user_data=SecretRef("u"),
        constraints={"container.capabilities": "NET_ADMIN"},
        zone=UNDECIDED,
        power="off",
        trunks=(Ref(Name("t")),),
        metadata={"site": "north"},
        key="admin",
    ),
]


def through_json(document: dict[str, Any]) -> Any:
    return msgspec.json.decode(msgspec.json.encode(document))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.sort())
def test_every_spec_comes_back_as_it_was(spec: Spec) -> None:
    for fields in ({}, {"within": Name("stack"), "bound": (Incarnation("i-1"),), "composed": "abc"}):
        resource: Resource[Any] = Resource(Name("r/1"), spec, VimId("v"), **fields)  # type: ignore[arg-type]
        assert decode_resource(through_json(encode_resource(resource))) == resource


def test_every_portable_sort_is_among_those_that_were_tried() -> None:
    ours = {one.sort() for one in Spec.__subclasses__() if one.__module__ == "fairlead.resources.specs"}
    assert {spec.sort() for spec in SPECS} == ours


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("ownership", list(Ownership))
def test_every_record_comes_back_as_it_was(state: State, ownership: Ownership) -> None:
    resource = Resource(Name("r"), VolumeSpec(size=1), VimId("v"), ownership, existing="thing")
    row = Recorded(resource, Incarnation("i"), state, Handle("h"), {"id": "h", "addresses": ["10.0.0.1"]}, 12.5)
    assert decode_recorded(through_json(encode_recorded(row))) == row


def test_a_set_of_resources_carries_its_schema() -> None:
    resources = {Name("a"): Resource(Name("a"), VolumeSpec(size=1), VimId("v"))}
    document = through_json(encode_resources(resources))
    assert document["schema"] == SCHEMA
    assert decode_resources(document, what="target") == resources


def test_a_document_of_an_earlier_release_is_lifted_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "SCHEMA", 3)
    monkeypatch.setattr(codec, "UPCASTERS", {1: lambda d: {**d, "two": True}, 2: lambda d: {**d, "three": True}})
    assert upcast({"schema": 1}, what="thing") == {"schema": 1, "two": True, "three": True}
    assert upcast({"schema": 3}, what="thing") == {"schema": 3}


@pytest.mark.parametrize("document", [{}, {"schema": SCHEMA + 1}, {"schema": 0}, {"schema": "1"}, None, [], "text"])
def test_a_document_of_an_unknown_schema_is_set_aside(document: Any) -> None:
    with pytest.raises(Quarantined) as broken:
        upcast(document, what="target of an operation")
    assert broken.value.code == "unknown-schema"
    assert "target of an operation" in broken.value.detail


GOOD = encode_resource(Resource(Name("r"), VolumeSpec(size=1), VimId("v")))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"spec": None}, "unreadable-document"),
        ({"spec": {}}, "unreadable-document"),
        ({"spec": {"type": "volume"}}, "unreadable-document"),
        ({"spec": {"type": "volume", "size": "big"}}, "unreadable-document"),
        ({"spec": {"type": "teapot"}}, "unknown-resource-type"),
        ({"ownership": "borrowed"}, "unreadable-document"),
        ({"bound": 7}, "unreadable-document"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_a_reason(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Quarantined) as broken:
        decode_resource({**GOOD, **change})
    assert broken.value.code == code
    assert broken.value.remedy


@pytest.mark.parametrize("field", ["name", "spec", "vim", "ownership"])
def test_what_lacks_a_field_says_which(field: str) -> None:
    with pytest.raises(Quarantined, match=f"'{field}'"):
        decode_resource({key: value for key, value in GOOD.items() if key != field})


@pytest.mark.parametrize("change", [{"state": "asleep"}, {"resource": None}, {"resource": "text"}])
def test_a_record_that_cannot_be_read_is_set_aside(change: dict[str, Any]) -> None:
    row = Recorded(Resource(Name("r"), VolumeSpec(size=1), VimId("v")), Incarnation("i"), State.READY)
    with pytest.raises(Quarantined):
        decode_recorded({**encode_recorded(row), **change})
    with pytest.raises(Quarantined):
        decode_recorded({})


@pytest.mark.parametrize("document", [{"schema": 1}, {"schema": 1, "resources": 7}, {"schema": 1, "resources": ["x"]}])
def test_a_set_that_cannot_be_read_is_set_aside(document: dict[str, Any]) -> None:
    with pytest.raises(Quarantined):
        decode_resources(document, what="target")


def test_a_spec_type_that_another_room_contributes_is_found() -> None:
    class Contributed(Spec, frozen=True, kw_only=True, tag="test-contributed"):
        colour: str = "red"

    assert spec_type("test-contributed") is Contributed
