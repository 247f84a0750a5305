"""What a correct VNFD reads as."""

from __future__ import annotations

import pytest

from fairlead.descriptors import (
    AllocationPool,
    Aspect,
    Checksum,
    LocalStorage,
    Mark,
    PlacementSort,
    VduKind,
)
from tests.descriptors.samples import ENTRY, HEAD, SOURCE, TEMPLATE, TYPES, changed, line_of, read, simple, valid


def test_a_correct_descriptor_has_no_problems_at_all() -> None:
    assert read().problems == ()


def test_the_identity_comes_from_the_defaults_of_the_vendors_node_type() -> None:
    vnfd = valid(read())
    assert (vnfd.descriptor_id, vnfd.provider, vnfd.product_name) == ("router-1", "Acme", "Router")
    assert (vnfd.software_version, vnfd.descriptor_version, vnfd.vnfm_info) == ("2.0", "1.0", ("Fairlead",))
    assert vnfd.default_flavour == "simple"


def test_extensions_declared_by_a_derived_type_carry_the_value_that_the_template_gives() -> None:
    extensions = valid(read()).extensions
    assert list(extensions) == ["log_level"]
    assert (extensions["log_level"].type, extensions["log_level"].default) == ("string", "debug")


def test_properties_that_only_etsi_declares_are_not_listed_as_configurable() -> None:
    assert valid(read()).configurable_properties == {}


def test_sizes_are_whole_bytes() -> None:
    router = simple().vdus["router"]
    assert router.memory == 2 * 2**30
    assert router.local_storages == (LocalStorage(3_000_000_000),)
    assert router.image is not None
    assert (router.image.min_disk, router.image.size) == (2**30, 512_000_000)
    assert simple().storages["disk"].size == 10_000_000_000


def test_an_input_with_a_default_gives_its_value() -> None:
    assert simple().vdus["router"].cpus == 2


FUNCTIONS = [
    ("{ get_property: [ SELF, name ] }", "router"),
    ("{ get_property: [ disk, virtual_block_storage_data, size_of_storage ] }", "10 GB"),
    ("{ get_property: [ VNF, provider ] }", "Acme"),
    ("{ concat: [ { get_input: size }, ' cores of ', { get_property: [ VNF, product_name ] } ] }", "2 cores of Router"),
    ("{ join: [ [ a, b, c ], '-' ] }", "a-b-c"),
    ("{ token: [ 'a:b:c', ':', 1 ] }", "b"),
]


@pytest.mark.parametrize(("function", "value"), FUNCTIONS)
def test_functions_that_the_package_alone_decides_are_evaluated(function: str, value: str) -> None:
    source = changed("        description: Routes\n", f"        description: {function}\n")
    assert simple(source).vdus["router"].description == value


def test_paths_are_inside_the_package_wherever_they_were_written() -> None:
    flavour = simple()
    router = flavour.vdus["router"]
    assert router.image is not None
    assert router.image.path == "Files/router.qcow2"
    assert router.boot_data is not None
    assert router.boot_data.source_path == "Files/boot.sh"
    assert flavour.lifecycle["instantiate_start"].path == "Scripts/hello.sh"


def test_boot_data_keeps_key_values_and_substitutions_apart() -> None:
    boot = simple().vdus["router"].boot_data
    assert boot is not None
    assert (boot.key_values, boot.data, boot.destination_path) == ({"role": "edge"}, {"port": "80"}, "/boot.sh")


def test_an_image_has_its_checksum() -> None:
    image = simple().vdus["router"].image
    assert image is not None
    digest = "932fcae93574e242dc3d772d5235061747dfe537668443a1f0567d893614b464"
    assert image.checksum == Checksum("sha-256", digest)


def test_an_image_described_only_by_its_artifact_is_read_as_since_sol001_4_3() -> None:
    start, end = SOURCE.index("        sw_image_data:"), SOURCE.index("      capabilities:\n        virtual_compute")
    source = SOURCE[:start] + SOURCE[end:]
    artifact = "image: { type: tosca.artifacts.nfv.SwImage, file: ../Files/router.qcow2"
    properties = "properties: { name: r, version: '7', container_format: docker, min_ram: 1 kB }"
    image = simple(changed(artifact, f"{artifact}, {properties}", source)).vdus["router"].image
    assert image is not None
    assert (image.name, image.version, image.container_format, image.min_ram) == ("r", "7", "docker", 1000)


def test_connection_points_of_a_vdu_come_in_their_order() -> None:
    assert simple().vdus["router"].connection_points == ("cp_out", "cp_in")


def test_a_connection_point_mapped_to_a_requirement_is_external_under_its_name() -> None:
    flavour = simple()
    assert (flavour.connection_points["cp_out"].external, flavour.connection_points["cp_out"].link) == ("outside", None)
    assert (flavour.connection_points["cp_in"].external, flavour.connection_points["cp_in"].link) == (None, "inner")
    assert list(flavour.external_connection_points) == ["cp_out"]


def test_a_connection_point_without_link_and_mapping_is_external_under_its_own_name() -> None:
    flavour = simple(changed("      outside: [ cp_out, virtual_link ]\n", "      outside: []\n"))
    assert flavour.connection_points["cp_out"].external == "cp_out"


def test_addresses_of_a_connection_point_are_collected() -> None:
    point = simple().connection_points["cp_in"]
    assert (point.fixed_ip_addresses, point.ip_address_assignment, point.bandwidth) == (("10.0.0.5",), False, 1_000_000)


def test_a_link_has_its_subnet() -> None:
    link = simple().links["inner"]
    (subnet,) = link.l3_protocol_data
    assert (link.connectivity, link.flow, link.max_bitrate, link.min_bitrate) == (
        ("ipv4",),
        "mesh",
        (100, 50),
        (10, None),
    )
    assert (subnet.cidr, subnet.gateway_ip, subnet.dhcp_enabled) == ("10.0.0.0/24", "10.0.0.1", True)
    assert subnet.allocation_pools == (AllocationPool("10.0.0.10", "10.0.0.99"),)


def test_levels_have_scale_levels_and_instances() -> None:
    flavour = simple()
    assert flavour.default_level == "low"
    assert (flavour.levels["high"].scale_levels, flavour.levels["high"].instances) == ({"width": 2}, {"router": 4})
    assert flavour.initial_deltas == {"router": 1}


def test_steps_of_different_size_add_up_one_after_the_other() -> None:
    assert simple().aspects["width"].increments("router") == (1, 2)


def test_one_step_holds_for_all_scale_levels() -> None:
    aspect = Aspect("a", "a", "", 3, ("step",), {"vdu": {"step": 2}})
    assert aspect.increments("vdu") == (2, 2, 2)
    assert aspect.increments("another") == (0, 0, 0)


def test_a_placement_rule_on_a_group_names_its_members() -> None:
    rule = simple().placement_rules["apart"]
    assert (rule.sort, rule.scope, rule.targets, rule.members) == (
        PlacementSort.ANTI_AFFINITY,
        "nfvi_node",
        ("all",),
        ("router",),
    )


def test_a_security_group_rule_takes_its_defaults() -> None:
    rule = simple().security_group_rules["web"]
    assert (rule.direction, rule.ether_type, rule.protocol, rule.port_min, rule.port_max) == (
        "ingress",
        "ipv4",
        "tcp",
        80,
        80,
    )


def test_operations_with_nothing_behind_them_are_left_out() -> None:
    lifecycle = simple().lifecycle
    assert list(lifecycle) == ["instantiate_start"]
    assert lifecycle["instantiate_start"].inputs == {"greeting": "hi"}


def test_constraints_for_the_platform_are_a_map_in_both_forms_that_sol001_had() -> None:
    assert simple().vdus["router"].nfvi_constraints == {"zone": "a"}
    older = changed("nfvi_constraints: { zone: a }", "nfvi_constraints: [ zone=b, ssd ]")
    assert simple(older).vdus["router"].nfvi_constraints == {"zone": "b", "ssd": ""}


def test_every_value_knows_its_place() -> None:
    flavour = simple()
    assert flavour.vdus["router"].mark == Mark(ENTRY, line_of("    router:\n", SOURCE), 5)
    assert flavour.links["inner"].mark == Mark(ENTRY, line_of("    inner:\n", SOURCE), 5)


def test_descriptors_that_say_the_same_are_equal_wherever_they_say_it() -> None:
    moved = HEAD + "\n\n# a comment\n\n" + TYPES + TEMPLATE
    assert valid(read(moved)) == valid(read())


def test_a_flavour_in_its_own_file_takes_its_inputs_from_the_vnf_node_above() -> None:
    top = HEAD.replace("[ etsi", "[ flavour.yaml, etsi") + (
        "topology_template:\n  inputs: { chosen: { type: string } }\n  node_templates:\n    VNF:\n      type: acme.Router\n"
        "      properties: { flavour_id: { get_input: chosen }, provider: Elsewhere }\n"
    )
    template = changed(
        "    size: { type: integer, default: 2 }\n",
        "    size: { type: integer, default: 3 }\n    provider: { type: string }\n",
        TEMPLATE,
    )
    template = changed("        description: Routes\n", "        description: { get_input: provider }\n", template)
    files = {"Definitions/flavour.yaml": (HEAD + TYPES + template).encode()}
    vnfd = valid(read(top, files))
    assert vnfd.provider == "Elsewhere"
    assert vnfd.flavours["simple"].vdus["router"].cpus == 3
    assert vnfd.flavours["simple"].vdus["router"].description == "Elsewhere"


CONTAINERS = (
    HEAD
    + TYPES
    + """\
topology_template:
  substitution_mappings: { node_type: acme.Router, requirements: { outside: [ service, virtual_link ] } }
  node_templates:
    VNF: { type: acme.Router }
    pod:
      type: tosca.nodes.nfv.Vdu.OsContainerDeployableUnit
      properties:
        name: pod
        description: A pod
        vdu_profile: { min_number_of_instances: 2, max_number_of_instances: 2 }
        mcio_identification_data: { name: web, type: Deployment }
      requirements:
        - container: nginx
        - container: sidecar
    nginx:
      type: tosca.nodes.nfv.Vdu.OsContainer
      properties: { name: nginx, description: Web, requested_cpu_resources: 500, memory_resource_limit: 1 GiB }
      artifacts:
        image:
          type: tosca.artifacts.nfv.SwImage
          file: registry.example.org/nginx:1.27
          properties: { name: nginx, version: '1.27', container_format: docker }
    sidecar:
      type: tosca.nodes.nfv.Vdu.OsContainer
      properties: { name: sidecar, description: Logs }
      artifacts:
        image:
          type: tosca.artifacts.nfv.SwImage
          file: logs:2
          properties: { name: logs, version: '2', container_format: docker }
    service:
      type: tosca.nodes.nfv.VirtualCp
      properties: { layer_protocols: [ ipv4 ] }
      requirements:
        - target: pod
    chart:
      type: tosca.nodes.nfv.Mciop
      artifacts:
        helm: { type: tosca.artifacts.nfv.HelmChart, file: ../Files/router.qcow2 }
      requirements:
        - associatedVdu: pod
"""
)


def test_a_container_unit_is_a_vdu_with_its_containers() -> None:
    pod = simple(CONTAINERS).vdus["pod"]
    assert (pod.kind, pod.mcio_name, pod.mcio_type) == (VduKind.CONTAINERS, "web", "Deployment")
    assert [container.id for container in pod.containers] == ["nginx", "sidecar"]
    nginx = pod.containers[0]
    assert (nginx.cpu_request, nginx.memory_limit, nginx.memory_request) == (500, 2**30, None)


def test_an_image_in_a_registry_has_no_path_and_is_not_missed() -> None:
    reading = read(CONTAINERS)
    assert reading.problems == ()
    image = valid(reading).flavours["simple"].images["nginx"]
    assert (image.file, image.path) == ("registry.example.org/nginx:1.27", None)


def test_a_virtual_connection_point_has_the_vdus_behind_it() -> None:
    flavour = simple(CONTAINERS)
    assert flavour.connection_points["service"].vdus == ("pod",)
    assert flavour.connection_points["service"].external == "outside"


def test_a_helm_chart_names_the_vdus_that_it_deploys() -> None:
    chart = simple(CONTAINERS).mciops["chart"]
    assert (chart.vdus, chart.artifacts["helm"].path) == (("pod",), "Files/router.qcow2")
