"""A package from nothing to a running VNF, by the command line and `fairlead serve`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.serving import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served program with a simulated VIM that has one image and one network."""
    served = Served(tmp_path_factory.mktemp("authoring") / "data")
    served.start()
    settings = ("--setting", 'networks={"public": "192.0.2.0/24"}', "--setting", 'images=["debian-12"]')
    served.run("vim", "register", "sim", "--type", "simulated", "--default", *settings).ok()
    yield served
    served.stop()


@pytest.mark.parametrize(("kind", "vdu"), [("machine", "machine"), ("hot", "machine"), ("container", "container")])
def test_a_new_package_is_built_onboarded_and_runs(served: Served, tmp_path: Path, kind: str, vdu: str) -> None:
    folder, archive = tmp_path / kind, tmp_path / f"{kind}.csar"
    served.run("package", "init", str(folder), "--kind", kind).ok()
    linted = served.run("lint", str(folder), "--strict", "--vim", "sim")
    if kind == "container":
        assert linted.code == 1
        assert "vim-lacks-image" in linted.out
        served.run("vim", "update", "sim", "--setting", 'images=["docker.io/library/nginx:1.29"]').ok()
        linted = served.run("lint", str(folder), "--strict", "--vim", "sim")
    linted.ok()
    served.run("package", "build", str(folder), "--to", str(archive)).ok()
    served.run("package", "onboard", str(archive)).ok()
    assert served.run("package", "show", kind, "--format", "dot").ok().out.startswith(f'graph "{kind} 1.0')
    fetched = tmp_path / "fetched.csar"
    served.run("package", "download", kind, "--to", str(fetched)).ok()
    assert fetched.read_bytes() == archive.read_bytes()
    served.run("vnf", "create", kind, "--name", f"{kind}-1").ok()
    link = ("--ext-link", f"outside=public:{vdu}_outside")
    served.run("vnf", "instantiate", f"{kind}-1", "--flavour", "simple", *link).ok()
    served.run("vnf", "scale", f"{kind}-1", "--aspect", f"{vdu}s", "--out").ok()
    shown = served.ask("vnf", "show", f"{kind}-1")["instantiatedVnfInfo"]
    assert len(shown["vnfcResourceInfo"]) == 2
    served.run("vnf", "terminate", f"{kind}-1", "--yes").ok()


def test_a_folder_is_onboarded_as_it_is(served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    served.run("package", "init", str(folder)).ok()
    served.run("package", "onboard", str(folder)).ok()
    (found,) = [one for one in served.ask("package", "list") if one.get("vnfProductName") == "folder"]
    assert found["onboardingState"] == "ONBOARDED"
