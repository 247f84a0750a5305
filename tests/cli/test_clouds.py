"""An OpenStack is registered from the clouds.yaml that its operator has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.peer import Peer

CLOUDS = """
clouds:
  lab:
    auth: {auth_url: "https://lab.example:5000/v3", username: nfv, project_name: nfv, user_domain_name: Default}
    region_name: one
    interface: internalURL
    cacert: ca.pem
    verify: false
  bare:
    auth: {username: nfv}
"""


@pytest.fixture
def clouds(tmp_path: Path) -> Path:
    path = tmp_path / "clouds.yaml"
    path.write_text(CLOUDS)
    (tmp_path / "secure.yaml").write_text("clouds: {lab: {auth: {password: its-secret}}}")
    (tmp_path / "ca.pem").write_text("a certificate")
    return path


def test_an_entry_of_a_clouds_file_becomes_a_vim(fairlead: Run, peer: Peer, clouds: Path) -> None:
    said = fairlead("vim", "register", "cloud", "--from-clouds", str(clouds), "--cloud", "lab", "--setting", "zone=a")
    assert said.code == 0, said.err
    [request] = peer.asked("POST", "/vims")
    assert request["body"] == {
        "name": "cloud",
        "type": "openstack",
        "interface": {
            "auth_url": "https://lab.example:5000/v3",
            "region": "one",
            "interface": "internal",
            "ca": "a certificate",
        },
        "credentials": {
            "username": "nfv",
            "password": "its-secret",
            "project_name": "nfv",
            "user_domain_name": "Default",
        },
        "settings": {"insecure": True, "zone": "a"},
    }
    assert "its-secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(("--cloud", "none"), "unknown-cloud", id="an entry that is not there"),
        pytest.param((), "unknown-cloud", id="no entry named among several"),
        pytest.param(("--cloud", "bare"), "cloud-without-address", id="an entry of a vendor's profile"),
    ],
)
def test_what_an_entry_lacks_is_told(fairlead: Run, clouds: Path, arguments: tuple[str, ...], code: str) -> None:
    said = fairlead("vim", "register", "cloud", "--from-clouds", str(clouds), *arguments)
    assert said.code == 1
    assert code in said.err


def test_a_cloud_without_its_file_is_a_mistake_of_usage(fairlead: Run) -> None:
    assert "--from-clouds" in fairlead("vim", "register", "cloud", "--cloud", "lab").err
