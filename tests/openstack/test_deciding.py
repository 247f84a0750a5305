"""What is decided without asking a cloud: tags, flavours, bodies, user data, what an answer means and what a change means."""

from __future__ import annotations

import base64
import email
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairlead.errors import VimError, VimFull, VimRefused, VimUnavailable
from fairlead.resources import (
    Attachment,
    ComputeSpec,
    Failed,
    File,
    ImageSpec,
    Incarnation,
    Name,
    NetworkSpec,
    Order,
    Owner,
    Pending,
    PortSpec,
    Ready,
    Ref,
    Subnet,
    Tag,
    VolumeSpec,
)
from fairlead.vims.openstack import driver
from fairlead.vims.openstack.composition import check, server_body, size_of
from fairlead.vims.openstack.flavours import Flavour, Size, chosen
from fairlead.vims.openstack.images import check_format
from fairlead.vims.openstack.refusals import Answer, Denied, InUse, NotThere, Taken, error_of
from fairlead.vims.openstack.servers import server_status
from fairlead.vims.openstack.settings import Settings
from fairlead.vims.openstack.tags import deployment_word, line_of, metadata_of, same, tag_in, tag_of_line
from fairlead.vims.openstack.userdata import user_data_of

TAG = Tag("site-1", Owner("6f2c"), Name("VDU1/k3/CP1"), Incarnation("00ff00ff00ff00ff"))
RULES = driver.rules
_replace = msgspec.structs.replace


def compute(**fields: Any) -> ComputeSpec:
    return ComputeSpec(**{"label": "web", "image": "image-1", "memory": 2**26, **fields})


# -- tags --------------------------------------------------------------------------------------------------------------


def test_a_tag_is_read_back_as_it_was_written() -> None:
    assert tag_in(metadata_of(TAG)) == TAG
    assert tag_of_line(line_of(TAG)) == TAG
    assert tag_of_line("fairlead of somebody else") is None
    assert tag_in({"fairlead_deployment": "site-1"}) is None


def test_a_long_name_is_cut_and_still_the_same() -> None:
    long = _replace(TAG, name=Name("x" * 400))
    assert len(line_of(long)) == 255
    assert all(len(value) <= 255 for value in metadata_of(long).values())
    assert same(long, metadata_of(long))
    assert tag_of_line(line_of(long)) is not None


def test_a_deployment_is_a_word_that_nova_takes() -> None:
    for deployment in ("site-1", "x" * 200, "a/b,c"):
        word = deployment_word(deployment)
        assert len(word) <= 60
        assert not set(word) & set("/,")
    assert deployment_word("a/b") != deployment_word("a/c")


# -- flavours ----------------------------------------------------------------------------------------------------------

FLAVOURS = (
    Flavour("1", "tiny", 1, 128, 1),
    Flavour("2", "small", 2, 512, 1),
    Flavour("3", "pinned", 2, 512, 1, {"hw:cpu_policy": "dedicated"}),
    Flavour("4", "large", 8, 8192, 40),
)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param(Size(1, 128, 1), "tiny", id="exact"),
        pytest.param(Size(1, 129, 1), "small", id="the smallest that holds it"),
        pytest.param(Size(1, 64, 1, {"hw:cpu_policy": "dedicated"}), "pinned", id="with what was asked for"),
        pytest.param(Size(2, 512, 2), "large", id="its disk counts"),
        pytest.param(Size(9, 1, 1), None, id="none holds it"),
    ],
)
def test_the_flavour_is_the_smallest_that_holds_what_is_asked(size: Size, expected: str | None) -> None:
    found = chosen(FLAVOURS, size)
    assert (found.name if found else None) == expected


def test_parts_of_a_core_and_of_a_unit_are_rounded_up() -> None:
    assert size_of(compute(cpus=0.5, memory=2**20 + 1, disk=1)) == Size(1, 2, 1)
    assert size_of(compute(image=None, volumes=(Attachment(volume="v"),), memory=2**20)).disk == 0


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_a_server_starts_from_its_image_and_has_its_volumes_beside() -> None:
    volumes = (Attachment(volume="v1", at="/dev/vdb"), Attachment(volume="v2", at="/data"))
    body = server_body(compute(volumes=volumes, ports=("p1", "p2"), groups=("g",)), TAG, "f", Settings())
    server = body["server"]
    assert server["networks"] == [{"port": "p1"}, {"port": "p2"}]
    assert [(d["uuid"], d["boot_index"], d.get("device_name")) for d in server["block_device_mapping_v2"]] == [
        ("image-1", 0, None),
        ("v1", -1, "/dev/vdb"),
        ("v2", -1, None),
    ]
    assert body["os:scheduler_hints"] == {"group": "g"}
    assert tag_in(server["metadata"]) == TAG


def test_a_server_without_an_image_starts_from_its_first_volume_which_outlives_it() -> None:
    spec = compute(image=None, volumes=(Attachment(volume="v1"), Attachment(volume="v2")))
    server = server_body(spec, TAG, "f", Settings(zone="a"))["server"]
    assert "imageRef" not in server
    assert [device["boot_index"] for device in server["block_device_mapping_v2"]] == [0, -1]
    assert not any(device["delete_on_termination"] for device in server["block_device_mapping_v2"])
    assert (server["networks"], server["availability_zone"]) == ("none", "a")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"image": None}, "nothing-to-start-from"),
        ({"groups": ("a", "b")}, "several-server-groups"),
        ({"constraints": {"openstack.colour": "red"}}, "constraint-not-supported"),
    ],
)
def test_what_nova_has_no_words_for_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(VimRefused) as refused:
        check(compute(**fields))
    assert refused.value.code == code


# -- user data ---------------------------------------------------------------------------------------------------------


def decoded(spec: ComputeSpec) -> str:
    return base64.b64decode(user_data_of(spec) or "").decode()


def test_user_data_alone_arrives_byte_for_byte() -> None:
    assert user_data_of(compute()) is None
    assert decoded(compute(user_data="anything at all\n")) == "anything at all\n"


def test_files_and_variables_travel_beside_the_user_data() -> None:
    files = (File(path="/etc/a.conf", content="a: 'b'", mode=0o600),)
    text = decoded(compute(user_data="#!/bin/sh\ntrue\n", files=files, environment={"PEER": "it's"}))
    first, second = [part for part in email.message_from_string(text).walk() if not part.is_multipart()]
    payload = first.get_payload(decode=True)
    assert isinstance(payload, bytes)
    config = json.loads(payload.decode().removeprefix("#cloud-config\n"))
    written = {f["path"]: (base64.b64decode(f["content"]).decode(), f["permissions"]) for f in config["write_files"]}
    assert written == {
        "/etc/a.conf": ("a: 'b'", "0600"),
        "/etc/fairlead/environment": ("PEER='it'\"'\"'s'\n", "0600"),
    }
    assert second.get_content_type() == "text/x-shellscript"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"user_data": "x" * 60000}, "user-data-too-large"),
        ({"user_data": "whatever", "environment": {"A": "b"}}, "user-data-not-combined"),
        ({"environment": {"a b": "c"}}, "bad-variable-name"),
    ],
)
def test_user_data_that_cannot_be_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(VimRefused) as refused:
        user_data_of(compute(**fields))
    assert refused.value.code == code


# -- images ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "spec", "why"),
    [
        (b"QFI\xfb" + bytes(64), {"disk_format": "qcow2"}, None),
        (bytes(64), {"disk_format": "raw"}, None),
        (b"QFI\xfb" + bytes(64), {"disk_format": "raw"}, "said to be raw, and is qcow2"),
        (bytes(64), {"disk_format": "qcow2"}, "said to be qcow2, and is not"),
        (b"\x1f\x8b" + bytes(64), {"disk_format": "qcow2"}, "packed with gzip"),
        (bytes(64), {"container_format": "docker"}, "docker"),
    ],
)
def test_an_image_that_no_server_starts_from_is_told_before_it_is_sent(
    tmp_path: Path, content: bytes, spec: dict[str, str], why: str | None
) -> None:
    (tmp_path / "image").write_bytes(content)
    image = ImageSpec(label="i", digest="d", **spec)  # type: ignore[arg-type]
    if why is None:
        check_format(tmp_path / "image", image)
        return
    with pytest.raises(VimRefused, match=why) as refused:
        check_format(tmp_path / "image", image)
    assert refused.value.code == "image-format-not-usable"


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        pytest.param(
            ("compute", 403, {"forbidden": {"message": "Quota exceeded for cores: Requested 1, but already used 20"}}),
            VimFull,
            "quota-exceeded",
            id="Nova's quota",
        ),
        pytest.param(
            (
                "network",
                409,
                {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port']."}},
            ),
            VimFull,
            "quota-exceeded",
            id="Neutron's quota",
        ),
        pytest.param(
            (
                "block-storage",
                413,
                {"overLimit": {"message": "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded"}},
            ),
            VimFull,
            "quota-exceeded",
            id="Cinder's quota",
        ),
        pytest.param(
            (
                "network",
                409,
                {"NeutronError": {"type": "IpAddressGenerationFailure", "message": "No more IP addresses available"}},
            ),
            VimFull,
            "no-free-address",
            id="no address left",
        ),
        pytest.param(
            (
                "network",
                409,
                {
                    "NeutronError": {
                        "type": "IpAddressAlreadyAllocated",
                        "message": "IP address 1.2.3.4 already allocated",
                    }
                },
            ),
            Taken,
            "address-in-use",
            id="address taken",
        ),
        pytest.param(
            (
                "network",
                409,
                {"NeutronError": {"type": "NetworkInUse", "message": "There are one or more ports still in use"}},
            ),
            InUse,
            "network-in-use",
            id="network in use",
        ),
        pytest.param(
            ("network", 409, {"NeutronError": {"type": "SecurityGroupInUse", "message": "Security Group x in use."}}),
            InUse,
            "in-use",
            id="group in use",
        ),
        pytest.param(
            ("compute", 409, {"conflictingRequest": {"message": "Cannot 'stop' while it is in task_state deleting"}}),
            VimUnavailable,
            "server-busy",
            id="busy",
        ),
        pytest.param(
            ("compute", 400, {"badRequest": {"message": "No valid host was found. No valid host found for resize"}}),
            VimFull,
            "no-valid-host",
            id="no host",
        ),
        pytest.param(("image", 404, None), NotThere, "not-in-vim", id="gone"),
        pytest.param(("image", 409, {"message": "Image ID x already exists!"}), Taken, "vim-conflict", id="taken"),
        pytest.param(("network", 403, {"message": "rule: not allowed"}), Denied, "vim-denied", id="policy"),
        pytest.param(("image", 410, {"message": "Gone"}), NotThere, "not-in-vim", id="gone"),
        pytest.param(
            (
                "compute",
                409,
                {"conflictingRequest": {"message": "Port 5f0c2a1e-52d4-4d0e-9f0f-6a1c2f0c7b11 is still in use."}},
            ),
            InUse,
            "port-in-use",
            id="a port that another server has",
        ),
        pytest.param(
            ("compute", 429, {"overLimit": {"message": "slow down"}}), VimUnavailable, "vim-rate-limit", id="429"
        ),
        pytest.param(("compute", 500, None), VimUnavailable, "vim-unavailable", id="5xx"),
        pytest.param(("compute", 503, None), VimUnavailable, "vim-unavailable", id="away"),
        pytest.param(
            ("compute", 400, {"badRequest": {"message": "nobody knows"}}), VimRefused, "vim-refused", id="400"
        ),
    ],
)
def test_an_answer_means_what_its_words_say(answer: tuple[str, int, Any], kind: type[VimError], code: str) -> None:
    service, status, body = answer
    error = error_of(Answer(service, status, body, request="req-1"), "do it")
    assert (type(error), error.code) == (kind, code)
    assert "req-1" in (error.cause or "")


def test_markup_is_no_part_of_a_services_words() -> None:
    text = "<html><body><h1>409 Conflict</h1>Image is <b>busy</b><br /></body></html>"
    assert "<" not in str(error_of(Answer("image", 409, None, text), "do it").cause)


# -- status ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({"status": "BUILD", "task": "spawning"}, Pending),
        ({"status": "ACTIVE", "task": None}, Ready),
        ({"status": "ACTIVE", "task": "deleting"}, Pending),
        ({"status": "SHUTOFF", "task": None}, Failed),
        ({"status": "SHUTOFF", "task": None, "off": True}, Ready),
        ({"status": "SHUTOFF", "task": "powering-on"}, Pending),
        ({"status": "PAUSED", "task": None}, Failed),
        ({"status": "VERIFY_RESIZE", "task": None}, Pending),
        ({"status": "ERROR", "task": None, "fault": "No valid host was found. "}, Failed),
    ],
)
def test_a_servers_status_is_read_from_its_words(view: dict[str, Any], expected: type[Any]) -> None:
    status = server_status({"id": "s", "off": False, "host": None, "flavour": None, **view})
    assert isinstance(status, expected)
    if isinstance(status, Failed) and view["status"] == "ERROR":
        assert (status.code, status.reason) == ("no-valid-host", "No valid host was found. ")


# -- changes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"power": "off"},
        {"memory": 2**30},
        {"label": "other"},
        {"ports": ("p",)},
        {"flavour": "large"},
        {"metadata": {"a": "b"}},
        {"image": "other"},
        {"user_data": "other"},
        {"key": "other"},
    ],
)
def test_what_nova_can_change_is_changed_in_place(fields: dict[str, Any]) -> None:
    assert RULES["compute"].replaced_by(compute(), compute(**fields)) is None


@pytest.mark.parametrize(
    ("sort", "old", "new"),
    [
        ("compute", compute(image=None), compute(image="other")),
        ("compute", compute(image=None), compute(image=None, user_data="other")),
        ("compute", compute(), compute(zone="other")),
        (
            "compute",
            compute(image=None, volumes=(Attachment(volume="a"),)),
            compute(image=None, volumes=(Attachment(volume="b"),)),
        ),
        ("port", PortSpec(network="a"), PortSpec(network="b")),
        ("network", NetworkSpec(label="a", subnets=(Subnet(cidr="10.0.0.0/24"),)), NetworkSpec(label="a")),
        ("volume", VolumeSpec(size=2**31), VolumeSpec(size=2**30)),
    ],
)
def test_what_cannot_be_changed_has_a_reason(sort: str, old: Any, new: Any) -> None:
    assert len((RULES[sort].replaced_by(old, new) or "").split()) > 2


def test_ports_data_volumes_and_images_rebind_and_nothing_else_does() -> None:
    spec = compute(image=Ref(Name("i")), ports=(Ref(Name("p")),), volumes=(Attachment(volume=Ref(Name("v"))),))
    rules = RULES["compute"]
    assert rules.rebinds(spec, {Name("p"), Name("v")})
    assert rules.rebinds(spec, {Name("i")})
    assert not rules.rebinds(_replace(spec, image=None), {Name("v")})
    assert not rules.rebinds(_replace(spec, groups=(Ref(Name("g")),)), {Name("g")})
    assert "rebuilt" in (rules.remark(spec, spec, {Name("i")}) or "")
    assert "rebuilt" in (rules.remark(spec, _replace(spec, user_data="other"), set()) or "")
    assert rules.remark(spec, _replace(spec, power="off"), {Name("p")}) is None
    assert rules.order(spec, spec) is Order.DELETE_FIRST
