"""What is told of a wrong VNFD: code, line and column, and the nearest right word."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import fairlead.csar
import fairlead.descriptors
import fairlead.packages
from fairlead.csar import PACKAGE_CODES
from fairlead.descriptors import CODES, Problem, Severity, read_vnfd
from fairlead.hot import TEMPLATE_CODES
from tests.descriptors.samples import ARTIFACTS, ENTRY, SOURCE, changed, line_of, only, read

MISTAKES = [
    # what was written, what it is changed to, code, text in the line that must be told, hint
    ("  node_templates:\n", "  node_template:\n", "unknown-key", "  node_template:", "node_templates"),
    ("        vdu_profile: {", "        vdu_profil: {", "unknown-property", "vdu_profil:", "vdu_profile"),
    ("        name: router\n", "", "missing-property", "    router:\n", None),
    ("{ virtual_mem_size: 2 GiB }", "{ virtual_mem_size: 2 GX }", "wrong-unit", "2 GX", None),
    ("{ virtual_mem_size: 2 GiB }", "{ virtual_mem_size: 2 Gi }", "wrong-unit", "2 Gi", "2 GiB"),
    ("{ virtual_mem_size: 2 GiB }", "{ virtual_mem_size: 2 }", "wrong-unit", "virtual_mem_size: 2 }", None),
    ("{ virtual_mem_size: 2 GiB }", "{ virtual_mem_size: [] }", "wrong-type", "virtual_mem_size: []", None),
    ("{ get_input: size }", "{ get_input: sizes }", "unknown-input", "get_input: sizes", "size"),
    ("{ get_input: size }", "{ get_property: [ SELF, cores ] }", "dangling-reference", "SELF, cores", None),
    ("{ get_input: size }", "{ token: [ 'a:b', ':', 7 ] }", "dangling-reference", "token:", None),
    ("{ get_input: size }", "two", "wrong-type", "num_virtual_cpu: two", None),
    ("{ get_input: size }", "0", "bad-value", "num_virtual_cpu: 0", None),
    (
        "type: tosca.nodes.nfv.VnfVirtualLink",
        "type: tosca.nodes.nfv.VirtualLink",
        "unknown-type",
        "type: tosca.nodes.nfv.VirtualLink",
        "VnfVirtualLink",
    ),
    ("- virtual_storage: disk", "- virtual_storage: disc", "dangling-reference", "disc", "disk"),
    ("- virtual_storage: disk", "- virtual_storage: inner", "wrong-target", "virtual_storage: inner", None),
    ("- virtual_storage: disk", "- virtual_store: disk", "unknown-requirement", "virtual_store:", "virtual_storage"),
    (
        "        virtual_compute:\n",
        "        virtual_computer:\n",
        "unknown-capability",
        "virtual_computer",
        "virtual_compute",
    ),
    (
        "outside: [ cp_out, virtual_link ]",
        "outside: [ cp_oot, virtual_link ]",
        "dangling-reference",
        "cp_oot",
        "cp_out",
    ),
    ("vnic_type: direct", "vnic_type: direkt", "bad-value", "direkt", "direct"),
    ("scope: nfvi_node", "scope: nfvi_nodes", "bad-value", "nfvi_nodes", "nfvi_node"),
    ("members: [ router ]", "members: [ rooter ]", "dangling-reference", "rooter", "router"),
    ("aspect: width", "aspect: widht", "unknown-aspect", "widht", "width"),
    ("big: { number_of_instances: 2 } }", "bigg: { number_of_instances: 2 } }", "unknown-delta", "bigg", "big"),
    ("default_level: low", "default_level: lov", "unknown-level", "lov", "low"),
    ("          default_level: low\n", "", "no-default-level", "- levels:", None),
    ("high: { number_of_instances: 4 }", "hihg: { number_of_instances: 4 }", "unknown-level", "hihg", "high"),
    (
        "high: { number_of_instances: 4 }",
        "high: { number_of_instances: 5 }",
        "level-above-maximum",
        "high: { number_of_instances: 5",
        None,
    ),
    (
        "high: { number_of_instances: 4 }",
        "high: { number_of_instances: 0 }",
        "level-below-minimum",
        "high: { number_of_instances: 0",
        None,
    ),
    ("{ scale_level: 2 }", "{ scale_level: 3 }", "level-above-maximum", "{ scale_level: 3 }", None),
    ("max_scale_level: 2", "max_scale_level: 3", "steps-and-levels", "max_scale_level: 3", None),
    ("cidr: 10.0.0.0/24", "cidr: 10.0.0.0/33", "bad-address", "10.0.0.0/33", None),
    ("gateway_ip: 10.0.0.1", "gateway_ip: 10.1.0.1", "bad-address", "10.1.0.1", None),
    ("fixed_ip_address: [ 10.0.0.5 ]", "fixed_ip_address: [ 10.9.0.5 ]", "bad-address", "10.9.0.5", None),
    ("order: 0, vnic", "order: 1, vnic", "same-order", "    cp_out:", None),
    (
        "            implementation: hello\n",
        "            implementation: helo\n",
        "dangling-reference",
        "helo\n",
        "hello",
    ),
    (
        "          instantiate_start:\n",
        "          instantiate_begin:\n",
        "unknown-operation",
        "instantiate_begin",
        None,
    ),
    ("file: ../Scripts/hello.sh", "file: ../Scripts/hallo.sh", "artifact-missing", "hallo.sh", "hello.sh"),
    ("file: ../Scripts/hello.sh", "file: ../../hello.sh", "artifact-outside-package", "../../hello.sh", None),
    ("file: ../Scripts/hello.sh", "file: /opt/hello.sh", "artifact-outside-package", "/opt/hello.sh", None),
    ("hash: 932fc", "hash: xyz", "bad-checksum", "hash: xyz", None),
    ("port_range_min: 80", "port_range_min: 70000", "bad-value", "70000", None),
    ("derived_from: tosca.nodes.nfv.VNF", "derived_from: tosca.nodes.nfv.VMF", "unknown-type", "nfv.VMF", "VNF"),
    ("type: acme.Extensions", "type: acme.Extension", "unknown-type", "extensions:", "acme.Extensions"),
    ("tosca_simple_yaml_1_3", "tosca_simple_yaml_9_9", "tosca-version", "tosca_simple_yaml_9_9", None),
    (
        "        description: Routes\n",
        "        description: Routes\n        name: again\n",
        "duplicate-key",
        "name: again",
        None,
    ),
    ("    disk:\n", "    disk: [\n", "yaml-syntax", "", None),
]


@pytest.mark.parametrize(("old", "new", "code", "where", "hint"), MISTAKES)
def test_a_mistake_is_an_error_at_its_own_line(old: str, new: str, code: str, where: str, hint: str | None) -> None:
    source = changed(old, new)
    reading = read(source)
    assert reading.vnfd is None
    found = [each for each in reading.errors if each.code == code]
    assert found, "\n".join(map(str, reading.problems))
    if where:
        assert line_of(where, source) in [each.line for each in found], "\n".join(map(str, found))
    if hint:
        assert any(hint in (each.hint or "") for each in found), found


def test_reading_goes_on_after_the_first_mistake() -> None:
    source = changed("vnic_type: direct", "vnic_type: direkt", changed("scope: nfvi_node", "scope: moon"))
    source = changed("- virtual_storage: disk", "- virtual_storage: disc", source)
    assert sorted(each.code for each in read(source).errors) == ["bad-value", "bad-value", "dangling-reference"]


def test_a_problem_prints_as_place_code_message_and_hint() -> None:
    problem = Problem("unknown-key", "no such key", "Definitions/a.yaml", 7, 3, hint='did you mean "b"?')
    assert str(problem) == 'Definitions/a.yaml:7:3 unknown-key no such key (did you mean "b"?)'


def test_columns_are_counted_from_one() -> None:
    problem = only(read(changed("vnic_type: direct", "vnic_type: direkt")), "bad-value")
    line = changed("vnic_type: direct", "vnic_type: direkt").splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("direkt")


def test_a_missing_artifact_may_be_a_warning_during_development() -> None:
    files = {ENTRY: SOURCE.encode(), **{name: b"" for name in ARTIFACTS if name != "Files/router.qcow2"}}
    strict, lenient = read_vnfd(files, ENTRY), read_vnfd(files, ENTRY, missing_artifacts=Severity.WARNING)
    assert strict.vnfd is None
    assert lenient.vnfd is not None
    assert [each.code for each in lenient.warnings] == ["artifact-missing"]


def test_a_string_without_quotes_that_looks_like_a_number_is_read_as_written() -> None:
    reading = read(changed("default: '2.0'", "default: 2.10"))
    assert reading.vnfd is not None
    assert reading.vnfd.software_version == "2.10"
    assert only(reading, "unquoted-string").severity is Severity.WARNING


def test_an_unknown_vnf_type_is_told_and_the_rest_is_read_on() -> None:
    start, end = SOURCE.index("node_types:"), SOURCE.index("topology_template:")
    source = changed("vnic_type: direct", "vnic_type: direkt", SOURCE[:start] + SOURCE[end:])
    assert {each.code for each in read(source).errors} == {"unknown-type", "bad-value"}


def test_an_import_that_is_not_in_the_package_is_told_unless_it_is_one_of_etsis() -> None:
    missing = read(changed("[ etsi_nfv_sol001_vnfd_types.yaml ]", "[ types.yaml ]"))
    assert only(missing, "file-missing").line == 2
    remote = read(changed("[ etsi_nfv_sol001_vnfd_types.yaml ]", "[ https://example.org/types.yaml ]"))
    assert only(remote, "import-outside-package").line == 2
    url = "https://forge.etsi.org/rep/nfv/SOL001/raw/v3.3.1/etsi_nfv_sol001_vnfd_types.yaml"
    assert read(changed("etsi_nfv_sol001_vnfd_types.yaml", url)).vnfd is not None


def test_documents_that_import_each_other_are_read_once() -> None:
    other = b"tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ vnfd.yaml ]\n"
    reading = read(changed("[ etsi", "[ other.yaml, etsi"), {"Definitions/other.yaml": other})
    assert reading.vnfd is not None
    assert reading.documents == (ENTRY, "Definitions/other.yaml")


COPY = b"""\
tosca_definitions_version: tosca_simple_yaml_1_3
node_types:
  tosca.nodes.nfv.VduCp:
    derived_from: tosca.nodes.nfv.Cp
    properties: { colour: { type: string, required: false } }
"""


def test_a_property_that_only_the_packages_copy_of_etsis_types_knows_is_a_warning() -> None:
    source = changed("vnic_type: direct", "vnic_type: direct, colour: red")
    assert only(read(source), "unknown-property").severity is Severity.ERROR
    with_copy = read(source, {"Definitions/etsi_nfv_sol001_vnfd_types.yaml": COPY})
    assert with_copy.vnfd is not None
    assert only(with_copy, "sol001-drift").line == line_of("colour: red", source)


def test_a_broken_copy_of_etsis_types_harms_nothing() -> None:
    broken = {"Definitions/etsi_nfv_sol001_vnfd_types.yaml": b"node_types: [ {"}
    assert read(SOURCE, broken).problems == ()
    source = changed("vnic_type: direct", "vnic_type: direct, colour: red")
    assert {each.code for each in read(source, broken).problems} == {"unknown-property", "sol001-drift"}


def test_functions_that_refer_to_each_other_end_with_a_problem() -> None:
    source = changed("        name: router\n", "        name: { get_property: [ router, description ] }\n")
    source = changed(
        "        description: Routes\n", "        description: { get_property: [ router, name ] }\n", source
    )
    assert "function-loop" in {each.code for each in read(source).errors}


def test_a_type_derived_from_itself_is_told() -> None:
    reading = read(changed("derived_from: tosca.nodes.nfv.VNF", "derived_from: acme.Router"))
    assert "type-loop" in {each.code for each in reading.errors}


def test_the_descriptor_of_a_network_service_is_told_once() -> None:
    head = "tosca_definitions_version: tosca_simple_yaml_1_3\n"
    source = head + "topology_template:\n  node_templates:\n    NS: { type: tosca.nodes.nfv.NS }\n"
    assert [each.code for each in read(source).problems] == ["not-a-vnfd"]


def test_a_pattern_that_could_take_forever_is_not_tried() -> None:
    slow = "{ type: string, constraints: [ pattern: '(a+)+$' ], default: " + "a" * 60 + "b }"
    assert read(changed("{ type: string, default: Acme }", slow)).vnfd is not None


def test_reading_stops_at_a_thousand_problems() -> None:
    source = SOURCE + "".join(f"unknown{n}: 1\n" for n in range(5000))
    reading = read(source)
    assert reading.vnfd is None
    assert len(reading.problems) == 1001
    assert only(reading, "too-many-problems").severity is Severity.ERROR


RECURSIVE = """\
  acme.Loop:
    derived_from: tosca.datatypes.Root
    properties: { a: { type: acme.Loop, default: {} }, b: { type: acme.Loop, default: {} } }
"""


def test_a_type_whose_default_holds_itself_ends_with_a_problem() -> None:
    source = changed("  acme.Extensions:\n", f"{RECURSIVE}  acme.Extensions:\n")
    source = changed("log_level: { type: string, default: info }", "log_level: { type: acme.Loop }", source)
    source = changed("{ log_level: debug }", "{ log_level: {} }", source)
    assert "values-too-many" in {each.code for each in read(source).errors}


def test_functions_that_multiply_end_with_a_problem() -> None:
    fan = ", ".join(["{ get_property: [ router, description ] }"] * 30)
    source = changed("        description: Routes\n", f"        description: {{ concat: [ {fan} ] }}\n")
    assert read(source).vnfd is None


def test_a_long_line_of_derived_types_costs_little() -> None:
    line = "".join(f"  acme.T{n}: {{ derived_from: acme.T{n - 1} }}\n" for n in range(1, 900))
    reading = read(changed("data_types:\n", f"data_types:\n  acme.T0: {{ derived_from: string }}\n{line}"))
    assert "type-loop" in {each.code for each in reading.errors}


@pytest.mark.parametrize(
    ("rooms", "own", "known"),
    [
        ((fairlead.descriptors,), CODES, CODES),
        ((fairlead.csar, fairlead.packages), PACKAGE_CODES, {**PACKAGE_CODES, **CODES}),
        ((fairlead.hot,), TEMPLATE_CODES, TEMPLATE_CODES),
    ],
    ids=["descriptors", "packages", "templates"],
)
def test_every_code_that_is_raised_is_explained_and_every_explained_code_is_raised(
    rooms: tuple[ModuleType, ...], own: dict[str, str], known: dict[str, str]
) -> None:
    folders = [Path(str(room.__file__)).parent for room in rooms]
    paths = [path for folder in folders for path in folder.rglob("*.py") if path.name != "codes.py"]
    text = "".join(path.read_text() for path in paths)
    raised = set(re.findall(r'(?:\.error|\.warning|\.add|report|_refuse)\(\s*"([a-z0-9-]+)"', text))
    assert raised <= known.keys()
    assert {code for code in own if f'"{code}"' not in text} == set()
