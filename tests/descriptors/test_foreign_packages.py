"""Descriptors of other projects, read from beside the repository; and our own sample."""

from __future__ import annotations

import time

import pytest

from fairlead.descriptors import Reading, Severity, Vnfd
from tests.descriptors.samples import ROOT, directory, lenient, valid

TACKER = {
    "tacker-basic_lcms_max": "Definitions/v2_sample1_top.vnfd.yaml",
    "tacker-scale_ng": "Definitions/v2_sample1_top.vnfd.yaml",
    "tacker-individual_vnfc_max": "Definitions/v2_sample3_top.vnfd.yaml",
    "tacker-userdata_standard": "Definitions/v2_sample3_top.vnfd.yaml",
    "tacker-change_vnfpkg": "Definitions/v2_sample4_top.vnfd.yaml",
    "tacker-getting-started": "Definitions/sample_vnfd_top.yaml",
    "tacker-cnf_helm": "Definitions/sample_cnf_top.vnfd.yaml",
}
FRAGMENT = "Definitions/helloworld3_df_simple.yaml"


def reading_of(name: str) -> Reading:
    return lenient(directory(name), TACKER[name])


def vnfd_of(name: str) -> Vnfd:
    return valid(reading_of(name))


@pytest.mark.parametrize("name", TACKER)
def test_tackers_packages_are_read_without_errors(name: str) -> None:
    vnfd = vnfd_of(name)
    assert (vnfd.provider, vnfd.product_name, vnfd.vnfm_info) == ("Company", "Sample VNF", ("Tacker",))
    assert list(vnfd.flavours) == ["simple"]


def test_the_largest_of_tackers_samples_has_all_its_parts() -> None:
    flavour = vnfd_of("tacker-individual_vnfc_max").flavours["simple"]
    assert list(flavour.vdus) == ["VDU1", "VDU2"]
    assert flavour.vdus["VDU1"].connection_points == ("VDU1_CP1", "VDU1_CP2", "VDU1_CP3", "VDU1_CP4", "VDU1_CP5")
    assert flavour.vdus["VDU1"].additional_capabilities[0].name == "m1.tiny"
    assert flavour.vdus["VDU1"].storages == ("VDU1-VirtualStorage",)
    assert flavour.storages["VDU1-VirtualStorage"].image is not None
    assert flavour.connection_points["VDU1_CP1"].external == "virtual_link_external1_1"
    assert flavour.connection_points["VDU1_CP3"].link == "internalVL1"
    assert flavour.aspects["VDU1_scale"].increments("VDU1") == (1, 1)
    assert flavour.levels["instantiation_level_2"].instances == {"VDU1": 3, "VDU2": 1}
    assert flavour.placement_rules["policy_affinity_group"].members == ("VDU1", "VDU2")
    assert flavour.lifecycle["scale_end"].path == "Scripts/sample_script.py"


def test_a_vdu_that_a_chart_creates_needs_no_size() -> None:
    reading = reading_of("tacker-cnf_helm")
    assert valid(reading).flavours["simple"].vdus["VDU1"].cpus is None
    assert {each.code for each in reading.warnings} == {"artifact-missing", "vdu-without-compute"}


@pytest.mark.parametrize("name", ["tacker-multi-flavour", "tacker-multi-flavour-invalid"])
def test_a_flavour_without_its_vnf_type_and_with_impossible_levels_is_refused(name: str) -> None:
    """Both are fragments: the files with the VNF node type lie in another directory of Tacker's tests."""
    reading = lenient(directory(name), FRAGMENT)
    told = {(each.code, each.line) for each in reading.errors}
    assert {("unknown-type", 37), ("level-above-maximum", 246)} <= told
    outside = any(each.code == "artifact-outside-package" and each.line == 64 for each in reading.errors)
    assert outside == name.endswith("invalid")


TYPES = b"""\
tosca_definitions_version: tosca_simple_yaml_1_2
node_types:
  company.provider.VNF:
    derived_from: tosca.nodes.nfv.VNF
    properties:
      descriptor_id: { type: string, default: d }
      descriptor_version: { type: string, default: '1' }
      provider: { type: string, default: p }
      product_name: { type: string, default: n }
      software_version: { type: string, default: '1' }
      vnfm_info: { type: list, entry_schema: { type: string }, default: [ Tacker ] }
      flavour_id: { type: string, default: simple }
      flavour_description: { type: string, default: '' }
    requirements:
      - virtual_link_external: { capability: tosca.capabilities.nfv.VirtualLinkable }
"""


def test_with_its_type_and_possible_levels_the_fragment_is_a_valid_descriptor() -> None:
    files = directory("tacker-multi-flavour")
    files["Definitions/types.yaml"] = TYPES
    text = files[FRAGMENT].decode().replace("imports:\n", "imports:\n  - types.yaml\n")
    first, second = text.split("- VDU1_instantiation_levels", 1)
    files[FRAGMENT] = f"{first}- VDU1_instantiation_levels{second.replace('instances: 3', 'instances: 1', 1)}".encode()
    flavour = valid(lenient(files, FRAGMENT)).flavours["simple"]
    assert flavour.lifecycle["instantiate_end"].dependencies == ("ScriptANSIBLE/config_complex_end.yaml",)
    assert flavour.connection_points["CP1"].vnic_type == "direct-physical"


def test_descriptors_in_a_dialect_of_their_own_are_told_what_sol001_says_instead() -> None:
    reading = lenient(directory("free5gmano-v305-cni/vnfpackage/amf"), "Definitions/amf.yaml")
    told = {(each.code, each.line): each.hint for each in reading.errors}
    assert "512 MiB" in str(told["wrong-unit", 26])
    assert "disk_format" in str(told["unknown-property", 21])
    assert "tosca.nodes.nfv.Cp" in str(told["unknown-type", 50])


def test_descriptors_of_services_and_physical_functions_are_recognised() -> None:
    service = lenient(directory("free5gmano-v305-cni/ns"), "Definitions/ns.yaml")
    physical = lenient(directory("onap-pnf/ran-du"), "ran-du.yaml")
    assert [each.code for each in service.errors] == ["not-a-vnfd"]
    assert [each.code for each in physical.errors] == ["not-a-vnfd"]


def test_etsis_own_type_files_are_not_parsed_when_nothing_asks_for_them() -> None:
    files = directory("tacker-basic_lcms_max")
    entry = TACKER["tacker-basic_lcms_max"]
    for name in files:
        if "etsi_nfv_sol001" in name:
            files[name] = b"}{ not read"
    assert lenient(files, entry).vnfd is not None


def test_our_sample_is_read_without_errors() -> None:
    root = ROOT / "samples" / "edge-gateway" / "package"
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    reading = lenient(files, "Definitions/edge_gateway.yaml")
    flavour = valid(reading).flavours["simple"]
    assert {"router", "firewall", "balancer", "server"} <= flavour.vdus.keys()
    router = flavour.vdus["router"]
    assert router.image is not None
    assert (router.image.container_format, router.image.path) == ("docker", "Files/images/router.tar")
    assert router.boot_data is not None
    assert router.boot_data.source_path == "Files/config/router.conf"
    assert flavour.connection_points["router_front"].fixed_ip_addresses == ("10.61.1.1",)
    assert flavour.connection_points["router_external"].external == "external"
    assert {each.code for each in reading.problems} <= {"artifact-missing"}


def test_a_descriptor_of_fifty_kilobytes_is_read_in_far_less_than_a_second() -> None:
    """A guard against accidents of growth only; the figure that counts is taken by the benchmarks."""
    from tests.descriptors.samples import ARTIFACTS, ENTRY, SOURCE

    start, end = SOURCE.index("    cp_in:\n"), SOURCE.index("  groups:\n")
    nodes = SOURCE[start:end]
    copies = "".join(
        nodes.replace("cp_in", f"in{n}")
        .replace("cp_out", f"out{n}")
        .replace("inner", f"link{n}")
        .replace("order:", "#")
        for n in range(40)
    ).replace("ipv4 ], # 0, vnic_type: direct }", "ipv4 ] }")
    source = SOURCE[:end] + copies + SOURCE[end:]
    began = time.perf_counter()
    reading = lenient({ENTRY: source.encode(), **ARTIFACTS}, ENTRY)
    assert time.perf_counter() - began < 1
    assert len(source) > 50_000
    assert not [each for each in reading.problems if each.severity is Severity.ERROR], reading.errors[:3]
