"""Packages, VIMs, instances, events and access: what is typed, sent and shown."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.peer import Peer


def test_onboarding_is_one_command(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "edge.csar").write_bytes(b"a package")
    said = fairlead("package", "onboard", "edge.csar", "--name", "edge", "--data", "tier=2")
    assert said.code == 0
    (package,) = peer.state.packages.values()
    assert package["userDefinedData"] == {"name": "edge", "tier": 2}
    assert peer.state.uploads[package["id"]] == b"a package"
    assert "ONBOARDED" in said.out


def test_a_folder_is_onboarded_as_the_archive_of_its_files(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    for name in ("Definitions/vnfd.yaml", "TOSCA-Metadata/TOSCA.meta", ".git/config", "Artifacts/a.tar"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    assert fairlead("package", "onboard", "edge").code == 0
    (content,) = peer.state.uploads.values()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    assert names == ["TOSCA-Metadata/TOSCA.meta", "Artifacts/a.tar", "Definitions/vnfd.yaml"]


def test_a_refused_package_shows_every_mistake_and_leaves_nothing(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "edge.csar").write_bytes(b"a package")
    peer.faults.failing_package = True
    said = fairlead("package", "onboard", "edge.csar")
    assert said.code == 1
    assert "vnfd.yaml:7:3 unknown-type no type tosca.X" in said.err
    assert not peer.state.packages
    fairlead("package", "onboard", "edge.csar", "--keep")
    (package,) = peer.state.packages
    assert "vnfd.yaml:7:3" in fairlead("package", "show", package).err


def test_a_package_is_onboarded_from_a_uri_with_credentials(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("its-secret\n")
    uri = "https://vendor.example/edge.csar"
    said = fairlead("package", "onboard", uri, "--credential", "user=me", "--credential", "password=@password")
    assert (said.code, "ONBOARDED" in said.out) == (0, True)
    [request] = peer.asked("POST", "/upload_from_uri")
    assert request["body"] == {"addressInformation": uri, "userName": "me", "password": "its-secret"}
    assert "its-secret" not in said.out + said.err
    (tmp_path / "edge.csar").write_bytes(b"a package")
    assert fairlead("package", "onboard", "edge.csar", "--credential", "user=me").code == 1


def test_a_package_and_its_parts_are_downloaded(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "edge.csar").write_bytes(b"a package")
    fairlead("package", "onboard", "edge.csar", "--name", "edge")
    (id,) = peer.state.packages
    for options, name, path in (
        ((), f"{id}.csar", "/package_content"),
        (("--to", "there"), "there", "/package_content"),
        (("--manifest",), f"{id}.mf", "/manifest"),
        (("--artifacts",), f"{id}-artifacts.zip", "/artifacts"),
        (("--descriptor",), f"{id}-vnfd.zip", "/vnfd"),
        (("--artifact", "Scripts/a b.sh"), "a b.sh", "/artifacts/Scripts/a b.sh"),
    ):
        assert fairlead("package", "download", "edge", *options).out.strip() == name
        assert (tmp_path / name).read_bytes() == b"a package"
        assert peer.asked("GET", path)
    assert fairlead("package", "download", "edge", "--manifest", "--artifact", "a").code == 1
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_is_not_there_creates_nothing(fairlead: Run, peer: Peer) -> None:
    assert fairlead("package", "onboard", "missing.csar").code == 1
    assert not peer.state.packages


@pytest.mark.usefixtures("gateway")
def test_packages_are_listed_changed_and_deleted(fairlead: Run, peer: Peer) -> None:
    assert "Edge Gateway" in fairlead("package", "show", "edge").out
    assert "edge" in fairlead("package", "list").out
    assert fairlead("package", "delete", "edge").code == 2
    assert "DISABLED" in fairlead("package", "disable", "edge").out
    assert fairlead("package", "update", "edge", "--data", "tier=3").code == 0
    assert fairlead("package", "delete", "vnfd-1", "--yes").code == 0
    assert not peer.state.packages


@pytest.mark.usefixtures("gateway")
def test_who_signed_a_package_is_shown(fairlead: Run, peer: Peer) -> None:
    (package,) = peer.state.packages.values()
    assert "signed by" not in fairlead("package", "show", "edge").out
    signer = {
        "subject": "CN=Packages",
        "issuer": "CN=Acme CA",
        "serialNumber": "1f",
        "notAfter": "2027-01-01T00:00:00Z",
    }
    package["signer"] = {**signer, "trusted": True}
    assert "CN=Packages, certified by CN=Acme CA until 2027-01-01T00:00:00Z" in fairlead("package", "show", "edge").out
    package["signer"] = {**signer, "trusted": False}
    assert "nobody has said to trust" in fairlead("package", "show", "edge").out


def test_a_package_without_content_makes_no_instance(fairlead: Run) -> None:
    fairlead("package", "create", "--name", "empty")
    said = fairlead("vnf", "create", "empty")
    assert said.code == 2
    assert "package-not-onboarded" in said.err


def test_a_vim_is_registered_checked_changed_and_forgotten(fairlead: Run, peer: Peer) -> None:
    options = ("--type", "simulated", "--default", "--setting", "latency=0.5", "--interface", "url=unix:///x")
    assert fairlead("vim", "register", "lab", *options).code == 0
    sent = peer.asked("POST", "/vims")[0]["body"]
    assert sent == {
        "name": "lab",
        "type": "simulated",
        "default": True,
        "settings": {"latency": 0.5},
        "interface": {"url": "unix:///x"},
    }
    assert fairlead("vim", "register", "lab", "--type", "simulated").code == 2
    assert fairlead("vim", "check", "lab").code == 0
    assert fairlead("vim", "update", "lab", "--setting", "up=false", "--setting", "latency=null").code == 0
    assert peer.state.vims["vim-0"]["settings"] == {"up": False}
    said = fairlead("vim", "check", "lab")
    assert (said.code, "connection refused" in said.out) == (1, True)
    assert "lab" in fairlead("vim", "list").out
    assert fairlead("vim", "delete", "lab", "--yes").code == 0
    assert fairlead("vim", "show", "lab").code == 1


def test_credentials_are_asked_for_or_read_and_never_shown(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("canary-key\n")
    options = ("--credential", "password=-", "--credential", "key=@key")
    said = fairlead("vim", "register", "lab", "--type", "simulated", *options, input="canary-password\n")
    sent = peer.asked("POST", "/vims")[0]["body"]
    assert sent["credentials"] == {"password": "canary-password", "key": "canary-key"}
    everything = said.out + said.err + fairlead("vim", "show", "lab", "-o", "json").out
    assert "canary" not in everything


def test_an_instance_is_shown_with_its_members(fairlead: Run, gateway: str) -> None:
    fairlead("vnf", "instantiate", gateway, "--flavour", "default")
    said = fairlead("vnf", "show", gateway).out
    for words in (
        "INSTANTIATED STARTED",
        "servers-k1",
        "c0ffee",
        "servers-k2  servers  STOPPED",
        "levels",
        "servers=1",
    ):
        assert words in said


def test_nothing_to_list_is_said(fairlead: Run) -> None:
    assert fairlead("operation", "list").out.strip() == "There are no operations."
    assert fairlead("event", "list").out.strip() == "There are no events."
    assert fairlead("vim", "list").out.strip() == "There are no VIMs."
    assert fairlead("vim", "list", "-o", "json").document == []


def test_events_are_listed_by_what_they_are_about(fairlead: Run, peer: Peer, gateway: str) -> None:
    fairlead("vnf", "heal", gateway)
    (operation,) = peer.state.operations
    found = fairlead("event", "list", "--operation", operation, "-o", "json").document
    assert found == [event for event in peer.state.events if event["operation"] == operation]
    assert "resource.ready" in fairlead("event", "list", "--limit", "20").out


def test_a_new_token_stands_alone_on_standard_output(fairlead: Run, peer: Peer) -> None:
    said = fairlead("token", "create", "ci", "--role", "member")
    assert said.out == "printed-once\n"
    assert "ci" in said.err
    assert "printed-once" not in said.err
    assert peer.asked("POST", "/tokens")[0]["body"] == {"name": "ci", "roles": ["member"]}
    assert "printed-once" not in fairlead("token", "list").out


def test_a_token_may_end_by_itself(fairlead: Run, peer: Peer) -> None:
    began = time.time()
    assert fairlead("token", "create", "ci", "--expires-in", "12h").code == 0
    assert began + 43200 <= peer.asked("POST", "/tokens")[0]["body"]["expires"] <= time.time() + 43200
    assert fairlead("token", "create", "ci", "--expires-in", "soon").code == 1


def test_a_mistake_of_usage_is_not_told_as_a_plan_with_changes(fairlead: Run) -> None:
    for arguments in (("vnf", "plan", "scale", "gw"), ("vnf", "nonsense"), ("vnf", "operate", "gw", "sideways")):
        assert fairlead(*arguments).code == 1


def test_an_unknown_thing_is_an_error(fairlead: Run) -> None:
    said = fairlead("vnf", "show", "nobody")
    assert said.code == 1
    assert "unknown-name" in said.err


def test_an_error_is_a_document_for_those_who_read_documents(fairlead: Run) -> None:
    said = fairlead("vnf", "show", "nobody", "-o", "json")
    assert said.out == ""
    assert '"code": "unknown-name"' in said.err


def test_a_server_that_is_not_there_is_one_clear_card(fairlead: Run, peer: Peer) -> None:
    peer.stop()
    said = fairlead("vnf", "list")
    assert said.code == 1
    assert "cannot-reach-server" in said.err
    assert peer.url in said.err
    assert "Traceback" not in said.err


def test_a_wrong_token_says_how_to_give_one(fairlead: Run) -> None:
    said = fairlead("vnf", "list", "--token", "canary-token")
    assert said.code == 1
    assert "FAIRLEAD_TOKEN" in said.err
    assert "canary-token" not in said.err


def test_what_is_typed_counts_before_the_environment(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file")
    fairlead("--token-file", "token", "vim", "list")
    assert peer.asked("GET", "/vims")[0]["headers"]["authorization"] == "Bearer of-the-file"
    fairlead("vim", "list", "--token", "typed")
    assert peer.asked("GET", "/vims")[1]["headers"]["authorization"] == "Bearer typed"


def test_an_oauth2_client_is_as_good_as_a_token(fairlead: Run, peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("its-secret")
    options = ("--client-id", "robot", "--client-secret-file", "secret")
    assert fairlead("vim", "list", *options).code == 0
    assert len(peer.asked("POST", "/oauth2/token")) == 1
