"""What a package takes for granted is read from it, with its places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairlead.authoring.linting import lint_one
from fairlead.authoring.needs import needs_of_request, needs_of_templates, problems_of
from fairlead.authoring.skeletons import Kind, write_skeleton
from fairlead.descriptors import Severity
from fairlead.vims import Need as Wire
from tests.authoring.desk import lay_out, line_of, spoilt
from tests.descriptors.samples import PACKAGES
from tests.support.packages import VNFD


def needs(folder: Path) -> list[dict[str, Any]]:
    return [dict(each.document) for each in lint_one(folder).needs]


def test_a_new_package_needs_its_image_and_room(tmp_path: Path) -> None:
    write_skeleton(tmp_path, Kind.MACHINE, name="vm", provider="Example", time="2026-01-01T00:00:00Z")
    assert needs(tmp_path) == [
        {"sort": "image", "name": "debian-12"},
        {"sort": "machine", "name": "machine", "cpus": 1, "memory": 512 * 2**20, "constraints": {}},
    ]


def test_the_sizes_of_containers_are_those_of_their_limits(tmp_path: Path) -> None:
    write_skeleton(tmp_path, Kind.CONTAINER, name="web", provider="Example", time="2026-01-01T00:00:00Z")
    assert needs(tmp_path) == [
        {"sort": "image", "name": "docker.io/library/nginx:1.29"},
        {"sort": "machine", "name": "container", "cpus": 0.5, "memory": 128 * 2**20, "constraints": {}},
    ]


def test_an_image_that_the_package_brings_is_no_need(tmp_path: Path) -> None:
    assert {each["sort"] for each in needs(lay_out(tmp_path))} == {"machine"}


def test_constraints_and_zones_come_along(tmp_path: Path) -> None:
    right = "        description: The way in\n"
    vnfd = spoilt(right, f"{right}        nfvi_constraints: {{ zone: north, container.capabilities: SYS_ADMIN }}\n")
    found = lint_one(lay_out(tmp_path, vnfd)).needs
    zone = next(each for each in found if each.document["sort"] == "zone")
    assert zone.document["name"] == "north"
    assert zone.mark.line == line_of("    gate:\n", vnfd)
    machine = next(each for each in found if each.document["name"] == "gate")
    assert machine.document["constraints"]["container.capabilities"] == "SYS_ADMIN"


def test_every_need_is_one_that_the_server_takes(tmp_path: Path) -> None:
    folders = [lay_out(tmp_path, VNFD), *(PACKAGES.glob("tacker-*") if PACKAGES.is_dir() else ())]
    for folder in folders:
        for need in needs(folder):
            msgspec.convert(need, Wire)


def test_the_names_of_flavours_in_packages_of_tacker_are_needs() -> None:
    if not PACKAGES.is_dir():
        pytest.skip("there are no packages of other projects here")
    assert {"sort": "flavour", "name": "m1.tiny"} in needs(PACKAGES / "tacker-basic_lcms_max")


def test_templates_of_heat_need_what_they_name_outright() -> None:
    template = b"""\
heat_template_version: 2018-08-31
resources:
  server:
    type: OS::Nova::Server
    properties:
      image: cirros
      flavor: { get_param: flavor }
      availability_zone: north
      networks: [ { network: public }, { port: { get_resource: port } } ]
  port:
    type: OS::Neutron::Port
    properties: { network: { get_resource: net } }
"""
    files = {"BaseHOT/simple/a.yaml": template, "Definitions/a.yaml": template, "b.yaml": b"image: x", "c.yaml": b"{"}
    found = needs_of_templates(files)
    assert [(each.document["sort"], each.document["name"], each.mark.line) for each in found] == [
        ("image", "cirros", 6),
        ("zone", "north", 8),
        ("network", "public", 9),
    ]


def test_a_request_needs_the_networks_that_it_names() -> None:
    request = {
        "extVirtualLinks": [{"id": "a", "resourceId": "public"}, {"id": "b", "resourceId": "public"}, {"id": "c"}],
        "extManagedVirtualLinks": [{"vnfVirtualLinkDescId": "x", "resourceId": "mine"}],
    }
    assert [each.document["name"] for each in needs_of_request(request)] == ["public", "mine"]
    assert needs_of_request(["no", "request"]) == []


def test_what_is_lacking_becomes_a_problem_at_the_place_of_the_need(tmp_path: Path) -> None:
    write_skeleton(tmp_path, Kind.MACHINE, name="vm", provider="Example", time="2026-01-01T00:00:00Z")
    linted = lint_one(tmp_path)
    lacks = [
        {"need": 0, "code": "vim-lacks-image", "detail": "no image", "remedy": "load it"},
        {"need": 1, "code": "vim-lacks-room", "detail": "tight", "severity": "warning"},
    ]
    one, other = problems_of(linted.needs, lacks)
    assert (one.code, one.hint, one.severity) == ("vim-lacks-image", "load it", Severity.ERROR)
    assert other.severity is Severity.WARNING
    told = linted.told_also([one, other])
    assert (told.errors, told.warnings) == (1, 1)
    text = (tmp_path / "Definitions" / "vm.yaml").read_text().splitlines()
    line = text[told.mistakes[-1].problem.line - 1]
    assert "image:" in line
