"""What is told of a VNFD whose parts are right one by one and cannot be together."""

from __future__ import annotations

import pytest

from fairlead.descriptors import Problem, Reading, Severity, read_vnfd
from tests.descriptors.everything import FLAVOUR, FLAVOUR_FILE, TOP_FILE, files
from tests.descriptors.samples import changed, line_of

CONTRADICTIONS = [
    # what is written, what it is changed to, code, text in the line that must be told
    ("step_deltas: [ first, second ]", "step_deltas: [ first, third ]", "missing-delta", "third ]"),
    ("max_scale_level: 2, step", "max_scale_level: 3, step", "steps-and-levels", "max_scale_level: 3"),
    ("second: { number_of_instances: 3 }", "second: { number_of_instances: 9 }", "level-above-maximum", "width: { name"),
    ("initial_delta: { number_of_instances: 1 } }\n        targets: [ server ]",
     "initial_delta: { number_of_instances: 7 } }\n        targets: [ server ]", "level-above-maximum", "instances: 7"),
    ("large: { number_of_instances: 3 } } }\n        targets: [ pod ]",
     "large: { number_of_instances: 4 } } }\n        targets: [ pod ]", "level-above-maximum", "instances: 4"),
    ("scale_level: 2 } } }", "scale_level: 3 } } }", "level-above-maximum", "scale_level: 3"),
    ("large: { description: Large, scale_info: { width:", "large: { description: Large, scale_info: { widht:",
     "unknown-aspect", "widht"),
    ("targets: [ pod ]\n    - ip_levels", "targets: [ pod, server ]\n    - ip_levels", "said-twice", "[ pod, server ]"),
    ("instantiation_level: small", "instantiation_level: smal", "unknown-level", "level: smal\n"),
    ("max_bitrate_requirements: { root: 1000, leaf: 100 }", "max_bitrate_requirements: { root: 5 }", "bad-range",
     "    inner:\n"),
    ("large: { bitrate_requirements: { root: 300", "large: { bitrate_requirements: { root: 3000",
     "level-above-maximum", "large: { description"),
    ("requested_size: 4 GiB", "requested_size: 5 GB", "bad-range", "    server:\n"),
    ("requested_size: 4 GiB", "requested_size: 9 GiB", "bad-range", "    server:\n"),
    ("requested_cpu_resources: 500", "requested_cpu_resources: 1500", "bad-range", "    nginx:\n"),
    ("memory_resource_limit: 128 MiB", "memory_resource_limit: 32 MiB", "bad-range", "    nginx:\n"),
    ("version: '1', container_format: bare }", "version: '1', container_format: bare, min_disk: 11 GiB }", "bad-range",
     "min_disk: 11 GiB"),
    ("trunk_mode: true", "trunk_mode: false", "wrong-target", "trunk_binding: trunk"),
    ("- target: trunk", "- target: inner", "wrong-target", "target: inner"),
    ("- target: pod", "- target: shared_ip", "wrong-target", "target: shared_ip"),
    ("- trunk_binding: trunk", "- virtual_binding: server", "missing-requirement", "    trunk_in_vlan:"),
    ("- associatedVdu: pod", "- associatedVdu: server", "wrong-target", "associatedVdu: server"),
    ("        - virtual_binding: server\n        - virtual_link: inner",
     "        - virtual_binding: server\n        - virtual_link: inner\n        - virtual_link: inner # twice",
     "too-many-requirements", "inner # twice"),
    ("- installable_certificate: oam_certificate", "- installable_certificate: oam", "dangling-reference",
     "installable_certificate: oam\n"),
    ("actions: [ drain ], referenced", "actions: [ dry ], referenced", "dangling-reference", "[ dry ]"),
    ("actions: [ drain ]\n", "actions: [ dry ]\n", "dangling-reference", "[ dry ]"),
    ("source_id: server", "source_id: servant", "dangling-reference", "servant"),
    ("operation: Vnflcm.scale", "operation: Vnflcm.scal", "unknown-operation", "Vnflcm.scal\n"),
    ("operation: Vnflcm.scale", "operation: Vnflcmm.scale", "unknown-interface", "Vnflcmm"),
    ("            event: load\n", "            evnt: load\n", "unknown-key", "evnt"),
    ("properties: { scope: container_namespace }\n        targets: [ chart ]",
     "properties: { scope: cis_node }\n        targets: [ near ]", "contradiction", "    - apart:"),
    ("cidr: 10.1.0.0/16, ", "cidr: 10.1.0.0/16, gateway_ip: 10.2.0.1, ", "bad-address", "gateway_ip: 10.2.0.1"),
    ("cidr: 10.1.0.0/16, ",
     "cidr: 10.1.0.0/16, ip_allocation_pools: [ { start_ip_address: 10.1.0.9, end_ip_address: 10.1.0.2 } ], ",
     "bad-range", "10.1.0.9"),
]  # fmt: skip
SUSPICIONS = [
    ("deltas: { first: { number_of_instances: 0 }, second: { number_of_instances: 1 } }",
     "deltas: { first: { number_of_instances: 0 } }", "missing-delta", "deltas: { first: { number_of_instances: 0 } }"),
    ("small: { number_of_instances: 1 }, large: { number_of_instances: 5 }", "small: { number_of_instances: 1 }",
     "missing-level", "levels: { small: { number_of_instances: 1 } }"),
    ("large: { number_of_instances: 5 }", "large: { number_of_instances: 4 }", "level-sum",
     "large: { number_of_instances: 4 }"),
    ("targets: [ near ]", "targets: [ pod, server ]", "unused", "    near:"),
    ("        - container: nginx\n", "", "unused", "    nginx:"),
    ("        - installable_certificate: oam_certificate\n", "", "unused", "    oam_certificate:"),
    ("        - virtual_storage: data\n", "", "unused", "    data:"),
    ("topology_template:\n", "topology_template:\n  inputs: { spare: { type: string } }\n", "unused", "spare"),
    ("        targets: [ pod ]\n    - ip_levels", "        targets: []\n    - ip_levels", "no-levels", "    pod:"),
]  # fmt: skip


def broken(old: str, new: str) -> tuple[Reading, str]:
    source = changed(old, new, FLAVOUR)
    return read_vnfd({**files(), FLAVOUR_FILE: source.encode()}, TOP_FILE), source


def told(reading: Reading, code: str, severity: Severity) -> list[Problem]:
    return [each for each in reading.problems if each.code == code and each.severity is severity]


@pytest.mark.parametrize(("old", "new", "code", "where"), CONTRADICTIONS)
def test_what_cannot_be_is_an_error_at_its_line(old: str, new: str, code: str, where: str) -> None:
    reading, source = broken(old, new)
    assert reading.vnfd is None
    lines = [each.line for each in told(reading, code, Severity.ERROR)]
    assert line_of(where, source) in lines, "\n".join(map(str, reading.problems))


@pytest.mark.parametrize(("old", "new", "code", "where"), SUSPICIONS)
def test_what_is_hardly_meant_is_a_warning_at_its_line(old: str, new: str, code: str, where: str) -> None:
    reading, source = broken(old, new)
    assert reading.vnfd is not None, "\n".join(map(str, reading.problems))
    lines = [each.line for each in told(reading, code, Severity.WARNING)]
    assert line_of(where, source) in lines, "\n".join(map(str, reading.problems))


def test_types_that_nothing_is_of_are_told() -> None:
    more = files()
    more["Definitions/types.yaml"] += b"  acme.Spare: { derived_from: tosca.datatypes.Root }\n"
    reading = read_vnfd(more, TOP_FILE)
    assert [(each.code, each.file) for each in reading.problems] == [("unused", "Definitions/types.yaml")]


def test_defaults_in_types_are_held_against_their_types_whether_used_or_not() -> None:
    more = files()
    more["Definitions/types.yaml"] = more["Definitions/types.yaml"].replace(b"default: 10", b"default: ten")
    assert [each.code for each in read_vnfd(more, TOP_FILE).errors] == ["wrong-type"]


def test_a_top_file_that_stands_for_another_vnf_is_told() -> None:
    more = files()
    top = more[TOP_FILE].decode()
    more[TOP_FILE] = top.replace("type: acme.Core", "type: acme.Cor").encode()
    (problem,) = [each for each in read_vnfd(more, TOP_FILE).errors if each.file == TOP_FILE]
    assert (problem.code, problem.hint) == ("unknown-type", 'did you mean "acme.Core"?')


def test_all_mistakes_of_all_files_come_back_at_once() -> None:
    more = files()
    more[TOP_FILE] = more[TOP_FILE].replace(b"  node_templates:", b"  node_template:")
    more[FLAVOUR_FILE] = more[FLAVOUR_FILE].replace(b"scope: cis_node", b"scope: moon").replace(b"8 GiB", b"8 GX")
    more["Definitions/types.yaml"] = more["Definitions/types.yaml"].replace(
        b"derived_from: tosca.int", b"derived: tosca.int"
    )
    codes = {(each.file, each.code) for each in read_vnfd(more, TOP_FILE).errors}
    assert {
        (TOP_FILE, "unknown-key"),
        (FLAVOUR_FILE, "bad-value"),
        (FLAVOUR_FILE, "wrong-unit"),
        ("Definitions/types.yaml", "wrong-shape"),
    } <= codes
