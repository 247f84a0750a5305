"""What is decided about containers without asking an engine: addresses, names, words, bodies and what a change means."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairlead.errors import Unprocessable, VimError, VimFull, VimRefused, VimUnavailable
from fairlead.resources import (
    Attachment,
    ComputeSpec,
    File,
    Incarnation,
    Member,
    Name,
    NetworkSpec,
    Order,
    Owner,
    PortSpec,
    Ref,
    Resource,
    Subnet,
    Tag,
    VimId,
)
from fairlead.vims import Access, containers
from fairlead.vims.containers import Container, Nic, driver
from fairlead.vims.containers.addresses import choose, ipam, pools_label, pools_of
from fairlead.vims.containers.codes import CODES
from fairlead.vims.containers.composition import archive, body, check, hostname
from fairlead.vims.containers.labels import engine_name, image_reference, labels_of, tag_of, tag_of_image
from fairlead.vims.containers.refusals import error_of

TAG = Tag("site-1", Owner("6f2c"), Name("VDU1/k3/CP1"), Incarnation("00ff00ff00ff00ff"))
RULES = driver.rules
_replace = msgspec.structs.replace


def compute(**fields: Any) -> ComputeSpec:
    return ComputeSpec(**{"label": "Web Server_1", "image": "sha256:1", **fields})


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subnet", "internal", "expected"),
    [
        pytest.param(Subnet(cidr="10.0.0.0/24"), True, ("10.0.0.254", "10.0.0.128/25"), id="last, and the upper half"),
        pytest.param(Subnet(cidr="10.0.0.0/29"), True, ("10.0.0.6", None), id="too small to halve"),
        pytest.param(
            Subnet(cidr="10.0.0.0/24", gateway="10.0.0.1"), True, ("10.0.0.254", "10.0.0.128/25"), id="a router's own"
        ),
        pytest.param(
            Subnet(cidr="10.0.0.0/24", gateway="10.0.0.254"),
            True,
            ("10.0.0.253", "10.0.0.128/25"),
            id="not the gateway",
        ),
        pytest.param(
            Subnet(cidr="10.0.0.0/24", gateway="10.0.0.1"), False, ("10.0.0.1", "10.0.0.128/25"), id="the host is it"
        ),
        pytest.param(
            Subnet(cidr="10.0.0.0/24", pools=(("10.0.0.64", "10.0.0.127"),)),
            True,
            ("10.0.0.254", "10.0.0.64/26"),
            id="a pool that is a CIDR",
        ),
        pytest.param(
            Subnet(cidr="10.0.0.0/24", pools=(("10.0.0.100", "10.0.0.254"),)),
            True,
            ("10.0.0.99", None),
            id="below a pool that has the end",
        ),
        pytest.param(Subnet(cidr="fd00::/64"), True, ("fd00::ffff", None), id="IPv6"),
    ],
)
def test_the_bridge_takes_an_address_that_nobody_wants(
    subnet: Subnet, internal: bool, expected: tuple[str, str | None]
) -> None:
    config = ipam(subnet, internal=internal)
    assert (config["Gateway"], config.get("IPRange")) == expected


@pytest.mark.parametrize(
    ("subnet", "expected"),
    [
        (Subnet(cidr="10.0.0.0/24", pools=(("10.0.0.16", "10.0.0.31"),)), "10.0.0.16-10.0.0.31"),
        (Subnet(cidr="10.0.0.0/24"), "10.0.0.128-10.0.0.254"),
        (Subnet(cidr="10.0.0.0/24", gateway="10.0.0.254"), "10.0.0.128-10.0.0.253"),
        (Subnet(cidr="10.0.0.0/24", gateway="10.0.0.200"), "10.0.0.128-10.0.0.199,10.0.0.201-10.0.0.254"),
        (Subnet(cidr="10.0.0.0/24", gateway="10.0.0.1"), "10.0.0.128-10.0.0.254"),
        (Subnet(cidr="10.0.0.0/29"), "10.0.0.1-10.0.0.6"),
        (Subnet(cidr="10.0.0.0/31"), ""),
        (Subnet(cidr="fd00::/64"), ""),
        (Subnet(cidr="fd00::/64", pools=(("fd00::10", "fd00::1f"),)), "fd00::10-fd00::1f"),
    ],
)
def test_a_network_carries_the_ranges_that_addresses_are_chosen_from(subnet: Subnet, expected: str) -> None:
    assert pools_label([subnet]) == expected


def test_an_address_of_each_family_is_chosen() -> None:
    pools = pools_of("10.0.0.10-10.0.0.10,fd00::10-fd00::10")
    assert choose(pools, set(), "a network") == ("10.0.0.10", "fd00::10")


def test_every_address_of_the_pools_is_chosen_once() -> None:
    pools = pools_of("10.0.0.10-10.0.0.12,10.0.0.50-10.0.0.50")
    found: set[str] = set()
    while len(found) < 4:
        found |= set(choose(pools, found, "a network"))
    assert found == {"10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.50"}
    with pytest.raises(VimFull) as full:
        choose(pools, found, "a network")
    assert full.value.code == "no-free-address"


@pytest.mark.parametrize(
    "subnet",
    [
        Subnet(cidr="10.0.0.0/33"),
        Subnet(cidr="10.0.0.0/24", gateway="10.0.1.1"),
        Subnet(cidr="10.0.0.0/24", pools=(("10.0.0.9", "10.0.0.3"),)),
        Subnet(cidr="10.0.0.0/24", pools=(("10.0.1.9", "10.0.1.10"),)),
    ],
)
def test_a_subnet_that_cannot_be_is_refused(subnet: Subnet) -> None:
    with pytest.raises(VimRefused) as refused:
        ipam(subnet, internal=True)
    assert refused.value.code == "bad-subnet"


# -- names and words ---------------------------------------------------------------------------------------------------


def test_a_tag_is_read_back_from_labels_and_from_an_images_name() -> None:
    assert tag_of(labels_of(TAG)) == TAG
    assert tag_of({**labels_of(TAG), "maintainer": "somebody"}) == TAG
    assert tag_of({"fairlead.deployment": "site-1"}) is None
    assert tag_of(None) is None
    odd = _replace(TAG, name=Name("images/sha256:ab é"), owner=Owner("UPPER--x"))
    for tag in (TAG, odd):
        assert tag_of_image(image_reference(tag)) == tag
    assert tag_of_image("localhost/fairlead/other:1") is None
    assert tag_of_image("docker.io/library/nginx:latest") is None


def test_engine_names_are_readable_and_end_in_the_incarnation() -> None:
    assert engine_name(TAG) == "vdu1-k3-cp1-00ff00ff00ff00ff"
    assert engine_name(_replace(TAG, name=Name("///"))) == "fairlead-00ff00ff00ff00ff"


@pytest.mark.parametrize(
    ("status", "words", "kind", "code"),
    [
        (500, "database is locked", VimUnavailable, "vim-unavailable"),
        (503, "who knows", VimUnavailable, "vim-unavailable"),
        (500, "write /x: no space left on device", VimFull, "vim-disk-full"),
        (507, "", VimFull, "vim-full"),
        (500, "failed to find free IP in range: 10.0.0.1 - 10.0.0.3", VimFull, "no-free-address"),
        (
            500,
            "IPAM error: requested ip address 10.0.0.5 is already allocated to container ID x",
            VimRefused,
            "address-in-use",
        ),
        (403, "Address already in use", VimRefused, "address-in-use"),
        (500, "subnet 10.0.0.0/24 is already used on the host or by another config", VimRefused, "subnet-overlaps"),
        (403, "Pool overlaps with other one on this address space", VimRefused, "subnet-overlaps"),
        (404, "no such image: x: image not known", VimRefused, "image-missing"),
        (500, "runc: runc create failed: OCI runtime error", VimRefused, "container-does-not-start"),
        (409, 'Conflict. The container name "/x" is already in use by container "y"', VimRefused, "name-taken"),
        (403, "network x has active endpoints", VimRefused, "in-use"),
        (404, "page not found", VimRefused, "not-in-vim"),
        (400, "what is this", VimRefused, "vim-refused"),
    ],
)
def test_an_engines_words_decide_before_its_status(status: int, words: str, kind: type[VimError], code: str) -> None:
    error = error_of(status, words, "do it")
    assert isinstance(error, kind)
    assert error.code == code
    assert words in (error.cause or "")


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_limits_are_hard_and_nothing_restarts_by_itself() -> None:
    wanted = body(Container(compute(cpus=1.5, memory=2**28)), TAG, ())
    host = wanted["HostConfig"]
    assert host["NanoCpus"] == 1_500_000_000
    assert host["Memory"] == host["MemorySwap"] == 2**28
    assert host["RestartPolicy"] == {"Name": "no"}
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]} == {"nofile": 4096, "nproc": 4096}
    assert wanted["Hostname"] == "web-server-1"
    assert "Privileged" not in host


def test_constraints_that_stay_inside_the_container_are_honoured() -> None:
    constraints = {
        "container.capabilities": "NET_ADMIN, cap_net_raw",
        "container.sysctls": "net.ipv4.ip_forward=1,net.ipv4.conf.all.rp_filter=0",
        "container.command": "sh -c 'exec server --port 80'",
        "openstack.hw_qemu_guest_agent": "yes",
    }
    wanted = body(Container(compute(constraints=constraints)), TAG, ("NET_ADMIN", "NET_RAW"))
    assert wanted["HostConfig"]["CapAdd"] == ["NET_ADMIN", "NET_RAW"]
    assert wanted["HostConfig"]["Sysctls"] == {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "0"}
    assert wanted["Cmd"] == ["sh", "-c", "exec server --port 80"]


@pytest.mark.parametrize(
    ("constraints", "code"),
    [
        ({"container.capabilities": "SYS_ADMIN"}, "capability-not-allowed"),
        ({"container.capabilities": "NET_ADMIN,ALL"}, "capability-not-allowed"),
        ({"container.sysctls": "kernel.panic=1"}, "sysctl-not-allowed"),
        ({"container.sysctls": "net.ipv4.ip_forward"}, "sysctl-not-allowed"),
        ({"container.privileged": "true"}, "constraint-not-supported"),
        ({"container.devices": "/dev/kvm"}, "constraint-not-supported"),
        ({"container.command": "sh -c 'no end"}, "constraint-not-supported"),
    ],
)
def test_what_would_reach_beyond_the_container_is_refused(constraints: dict[str, str], code: str) -> None:
    with pytest.raises(VimRefused) as refused:
        body(Container(compute(constraints=constraints)), TAG, ("NET_ADMIN",))
    assert refused.value.code == code
    assert refused.value.remedy


def test_files_keep_their_modes_and_user_data_goes_where_cloud_init_looks() -> None:
    files = (
        File(path="/etc/frr/frr.conf", content="router", mode=0o640),
        File(path="/usr/local/bin/x", content="#", mode=0o755),
    )
    packed = archive(compute(files=files, user_data="#cloud-config\n"))
    assert packed is not None
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        modes = {member.name: member.mode for member in tar.getmembers()}
    assert modes == {
        "etc/frr/frr.conf": 0o640,
        "usr/local/bin/x": 0o755,
        "var/lib/cloud/seed/nocloud/user-data": 0o600,
        "var/lib/cloud/seed/nocloud/meta-data": 0o644,
    }
    assert archive(compute()) is None


def test_a_host_name_is_made_of_any_label() -> None:
    assert hostname("VDU_1.web/k3") == "vdu-1-web-k3"
    assert hostname("---") == "container"
    assert len(hostname("x" * 200)) == 63


@pytest.mark.parametrize(
    ("container", "code"),
    [
        (Container(compute(), (Nic(Name("a"), "n"), Nic(Name("b"), "n"))), "two-ports-on-one-network"),
        (Container(compute(), (Nic(Name("a"), "n", vnic_type="direct"),)), "vnic-type-not-supported"),
        (Container(compute(), (Nic(Name("a"), "n", addresses=("10.0.0.1", "10.0.0.2")),)), "too-many-addresses"),
        (Container(compute(), strangers=("port-7",)), "port-outside-compute"),
    ],
)
def test_what_an_engine_has_no_way_to_do_is_refused_before_it_is_asked(container: Container, code: str) -> None:
    with pytest.raises(VimRefused) as refused:
        check(container)
    assert refused.value.code == code


def test_a_volume_needs_a_path_and_a_container_an_image() -> None:
    for machine, code in (
        (compute(volumes=(Attachment(volume="v"),)), "volume-without-path"),
        (compute(image=None), "image-missing"),
    ):
        with pytest.raises(VimRefused) as refused:
            body(Container(machine), TAG, ())
        assert refused.value.code == code


# -- what a change means -----------------------------------------------------------------------------------------------


def _member(name: str, network: str, **fields: Any) -> tuple[Name, Member]:
    spec = PortSpec(network=network, **fields)
    return Name(name), Member(Resource(Name(name), spec, VimId("v"), within=Name("c")), None, renewed=True)


def test_nics_are_in_the_order_of_the_computes_ports() -> None:
    members = dict([_member("c/a", "net-a", order=5), _member("c/b", "net-b", order=1), _member("c/d", "net-d")])
    folded = RULES["compute"].fold(compute(ports=(Ref(Name("c/d")), Ref(Name("c/a")), Ref(Name("c/b")))), members)
    assert [nic.port for nic in folded.nics] == ["c/d", "c/a", "c/b"]
    assert folded.strangers == ()


def test_a_port_that_is_there_is_known_by_its_network() -> None:
    members = dict([_member("c/a", "net-a"), _member("c/b", "net-b")])
    folded = RULES["compute"].fold(compute(ports=("cid/net-b/1", Ref(Name("c/a")))), members)
    assert [nic.port for nic in folded.nics] == ["c/b", "c/a"]


def test_a_port_whose_network_was_replaced_keeps_its_place() -> None:
    members = dict([_member("c/a", "net-a"), _member("c/b", "net-new"), _member("c/d", "net-d")])
    folded = RULES["compute"].fold(compute(ports=("cid/net-d/1", "cid/net-old/2", "cid/net-a/3")), members)
    assert [nic.port for nic in folded.nics] == ["c/d", "c/b", "c/a"]


def test_a_port_that_is_no_member_is_a_stranger() -> None:
    folded = RULES["compute"].fold(compute(ports=("8d2c-port", Ref(Name("other")))), {})
    assert folded.nics == ()
    assert folded.strangers == ("8d2c-port", "other")


def test_power_and_ports_change_in_place_and_all_else_replaces() -> None:
    rules, old = RULES["compute"], compute(ports=(Ref(Name("c/a")),))
    for same in ({"power": "off"}, {"ports": ()}, {"disk": 5}, {"zone": "z"}):
        assert rules.replaced_by(old, _replace(old, **same)) is None
    changed = {
        "image": "sha256:2",
        "cpus": 2.0,
        "memory": 5,
        "label": "other",
        "environment": {"A": "b"},
        "files": (File(path="/x", content="y"),),
        "user_data": "u",
        "constraints": {"container.command": "x"},
        "volumes": (Attachment(volume="v", at="/v"),),
    }
    for field, value in changed.items():
        assert "cannot be changed in place" in (rules.replaced_by(old, _replace(old, **{field: value})) or "")


def test_what_holds_a_unique_thing_is_deleted_before_it_is_created_again() -> None:
    rules, plain = RULES["compute"], compute()
    assert rules.order(plain, plain) is Order.CREATE_FIRST
    assert rules.order(plain, compute(ports=(Ref(Name("p")),))) is Order.DELETE_FIRST
    assert rules.order(compute(volumes=(Attachment(volume="v", at="/v"),)), plain) is Order.DELETE_FIRST
    network = NetworkSpec(label="n", subnets=(Subnet(cidr="10.0.0.0/24"),))
    moved = _replace(network, subnets=(Subnet(cidr="10.0.1.0/24"),))
    assert RULES["network"].order(network, _replace(network, internal=False)) is Order.DELETE_FIRST
    assert RULES["network"].order(network, moved) is Order.CREATE_FIRST


def test_a_port_moves_by_being_replaced_and_changes_its_address_in_place() -> None:
    rules, port = RULES["port"], PortSpec(network=Ref(Name("a")), addresses=("10.0.0.5",))
    assert rules.replaced_by(port, _replace(port, addresses=("10.0.0.6",))) is None
    assert rules.replaced_by(port, _replace(port, network=Ref(Name("b")))) == "it moves to another network"


# -- registration ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"interface": {}}, "interface.url"),
        ({"interface": {"url": "unix://relative"}}, "interface.url"),
        ({"interface": {"url": "ftp://host"}}, "interface.url"),
        ({"interface": {"url": "https://host:2376/path"}}, "interface.url"),
        ({"settings": {"timeuot": 5}}, "settings"),
        ({"settings": {"timeout": 0}}, "settings.timeout"),
        ({"credentials": {"certificate": "no PEM"}}, "credentials"),
    ],
)
def test_a_registration_that_cannot_be_used_is_refused_with_its_field(fields: dict[str, Any], place: str) -> None:
    right: dict[str, Any] = {"interface": {"url": "unix:///run/podman/podman.sock"}}
    access = Access(id="v", name="v", type="containers", deployment="d", **{**right, **fields})
    with pytest.raises(Unprocessable) as refused:
        driver.validate(access)
    assert refused.value.place == place


def test_a_registration_that_can_be_used_is_accepted() -> None:
    for url in ("unix:///run/podman/podman.sock", "tcp://10.0.0.1:2375", "https://engine.example:2376"):
        driver.validate(Access(id="v", name="v", type="containers", deployment="d", interface={"url": url}))


# -- codes -------------------------------------------------------------------------------------------------------------


def test_every_code_that_the_driver_gives_is_explained() -> None:
    source = Path(containers.__file__).parent
    text = "\n".join(path.read_text() for path in source.glob("*.py") if path.name != "codes.py")
    named = set(re.findall(r"\bcode=\"([a-z-]+)\"", text)) | set(re.findall(r"default_code = \"([a-z-]+)\"", text))
    in_tables = re.findall(r"^\s+\"([a-z]+(?:-[a-z]+)+)\",$", text, re.MULTILINE)
    inline = re.findall(r", Vim[A-Z][a-z]+, \"([a-z-]+)\"", text)
    in_settings = {"bad-vim-settings", "bad-vim-credentials"}
    assert named | set(in_tables) | set(inline) | in_settings >= {"image-missing", "bad-subnet", "vim-disk-full"}
    told_of_packages = {code for code in named if code.startswith("vim-lacks-")}
    assert (named | set(in_tables) | set(inline)) - CODES.keys() - told_of_packages == set()
    assert CODES.keys() - (named | set(in_tables) | set(inline) | in_settings) == set()
