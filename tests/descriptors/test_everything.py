"""What a VNFD that says all that SOL001 can say reads as: nothing of it is lost on the way to typed values."""

from __future__ import annotations

from functools import cache

from fairlead.descriptors import (
    AdditionalCapability,
    Address,
    BootData,
    Call,
    Certificate,
    ComponentMapping,
    ConnectionPointProtocol,
    Coordinations,
    DeployableModule,
    Flavour,
    GroupLimit,
    HugePages,
    InterfaceRequirement,
    L2Protocol,
    L3Protocol,
    LocalStorage,
    Maintenance,
    MonitoringParameter,
    OperationsConfiguration,
    PackageChangeSelector,
    PlacementSort,
    Service,
    ServicePort,
    SupportedInterface,
    Timeouts,
    VersionDependency,
    Vnfd,
    VnfProfile,
    read_vnfd,
)
from tests.descriptors.everything import FLAVOUR, TOP_FILE, files
from tests.descriptors.samples import valid


@cache
def vnfd() -> Vnfd:
    reading = read_vnfd(files(), TOP_FILE)
    assert reading.problems == ()
    return valid(reading)


def flavour() -> Flavour:
    return vnfd().flavours["full"]


def test_processors_and_memory_are_read_in_full() -> None:
    server = flavour().vdus["server"]
    assert (server.cpus, server.cpu_architecture, server.cpu_clock) == (4, "x86_64", 2.4e9)
    assert (server.cpu_pinning_policy, server.cpu_pinning_rules) == ("static", ("one-per-core",))
    assert (server.cpu_oversubscription_policy, server.memory_oversubscription_policy) == ("1.5", "none")
    assert (server.numa, server.huge_pages) == (True, (HugePages(2**30, 4 * 2**30),))
    assert (server.cpu_requirements, server.memory_requirements) == ({"flags": "avx2"}, {"ecc": "yes"})
    assert (server.compute_requirements, server.logical_nodes) == (
        {"trusted": "yes"},
        {"numa0": {"numa": "0", "nic": "sriov"}},
    )
    assert server.additional_capabilities == (AdditionalCapability("gpu", True, "2", None, {"cores": "64"}),)


def test_storages_of_all_sorts_and_the_order_to_boot_from_them_are_read() -> None:
    storages, server = flavour().storages, flavour().vdus["server"]
    assert server.boot_order == ("system", "data")
    assert server.local_storages == (LocalStorage(20 * 2**30, {}, True),)
    assert (storages["system"].rdma, storages["system"].requirements) == (True, {"tier": "fast"})
    data = storages["data"]
    assert (data.file_system_protocol, data.link, data.per_vnfc_instance) == ("nfs", "inner", False)
    assert data.maintenance == Maintenance(60.0)
    assert storages["objects"].size == 5 * 10**12


def test_boot_data_for_one_sort_of_vim_is_read() -> None:
    boot = flavour().vdus["server"].boot_data
    kind = "ETSINFV.OPENSTACK_KEYSTONE.V_3"
    assert boot == BootData(content="#cloud-config", vim_type=kind, vim_properties={"key_name": "admin"})


def test_what_maintenance_of_the_platform_a_part_bears_is_read() -> None:
    assert flavour().vdus["server"].maintenance == Maintenance(
        600.0, True, ("live_migration", "offline_migration"), 0.5, 3600.0, (GroupLimit(1, 4),), (GroupLimit(2),)
    )
    assert flavour().placement_rules["apart"].maintenance == Maintenance(300.0)
    assert flavour().links["inner"].maintenance == Maintenance(60.0)


def test_monitoring_parameters_are_read_wherever_they_hang() -> None:
    assert flavour().monitoring == (MonitoringParameter("cpu", "CPU", "v_cpu_usage_mean_vnf", 60.0),)
    assert flavour().vdus["server"].monitoring == (MonitoringParameter("disk", "Disk", "v_disk_usage_peak_vnf"),)
    assert flavour().links["inner"].monitoring == (MonitoringParameter("bytes", "Bytes", "byte_incoming", 10.0),)


def test_a_trunk_has_its_subport_and_the_virtual_function_that_it_asks_for() -> None:
    trunk, subport = flavour().connection_points["trunk"], flavour().connection_points["trunk_in_vlan"]
    assert (trunk.trunk, trunk.vnic_type, trunk.bandwidth, trunk.ip_stack_mode) == (
        True,
        "direct",
        1000,
        "ipv4_or_ipv6",
    )
    assert trunk.interface_requirements == (
        InterfaceRequirement({"interfaceType": "SR-IOV"}, "fast", True, {"numa": "0"}, "A virtual function"),
    )
    assert (subport.parent, subport.vdus, subport.segmentation_type, subport.segmentation_id) == (
        "trunk",
        ("server",),
        "vlan",
        100,
    )
    assert subport.external == "outside"


def test_addresses_are_read_by_layer_protocol() -> None:
    assert flavour().connection_points["trunk"].protocols == (
        ConnectionPointProtocol("ethernet", (Address(mac_assignment=True),)),
        ConnectionPointProtocol("ipv4", (Address(None, True, "external", True, "ipv4", 2),)),
    )


def test_virtual_connection_points_have_their_targets_and_services() -> None:
    shared, web = flavour().connection_points["shared_ip"], flavour().connection_points["web"]
    assert (shared.targets, shared.vdus, shared.vip_function) == (("trunk",), ("server",), "load_balance")
    port = ServicePort("http", "tcp", 80, True)
    assert web.services == (Service((port,), "www.example.org", ("/a", "/b")),)
    assert (web.vdus, web.address_pool_name_configurable) == (("pod",), True)


def test_a_link_has_both_layers_and_its_quality() -> None:
    link = flavour().links["inner"]
    assert link.l2_protocol_data == (L2Protocol("l2", "vlan", True, 9000, "7", "ethernet"),)
    assert link.l3_protocol_data == (L3Protocol("ipv4", "10.1.0.0/16", "l3", dhcp_enabled=False, layer="ipv4"),)
    assert (link.latency, link.packet_delay_variation, link.packet_loss_ratio) == (0.005, 0.001, 0.01)
    assert (link.externally_managed, link.test_access) == ("allowed", ("passive_monitoring",))


def test_container_units_have_their_containers_and_constraints() -> None:
    pod = flavour().vdus["pod"]
    (nginx,) = pod.containers
    assert (pod.mcio_name, pod.mcio_type, pod.storages) == ("web", "StatefulSet", ("objects",))
    assert pod.mcio_constraints == ("anti_affinity_zone", "node_additional_capability_ssd")
    assert nginx.extended_resources == (({"gpu": "nvidia.com/gpu"}, 1),)
    assert (nginx.huge_pages, nginx.cpu_pinning_policy) == ((HugePages(2 * 2**20, 64 * 2**20),), "dynamic")
    assert flavour().mciops["chart"].vdus == ("pod",)


def test_steps_of_an_aspect_add_machines_addresses_and_bit_rate() -> None:
    aspect = flavour().aspects["width"]
    assert aspect.increments("server") == (1, 3)
    assert aspect.virtual_ip_increments("shared_ip") == (0, 1)
    assert aspect.link_increments("inner") == ((50, None), (150, 15))
    assert flavour().initial_deltas == {"server": 1}
    assert flavour().initial_virtual_ips == {"shared_ip": 1}
    assert flavour().initial_bitrates == {"inner": (100, 10)}


def test_levels_say_numbers_of_machines_addresses_and_bit_rate() -> None:
    large = flavour().levels["large"]
    assert (large.scale_levels, large.instances) == ({"width": 2}, {"server": 5, "pod": 3})
    assert (large.virtual_ips, large.link_bitrates) == ({"shared_ip": 2}, {"inner": (300, 30)})


def test_placement_knows_the_scopes_of_containers() -> None:
    rules = flavour().placement_rules
    assert (rules["apart"].scope, rules["apart"].members) == ("cis_node", ("server", "pod"))
    assert (rules["together"].sort, rules["together"].scope) == (PlacementSort.AFFINITY, "container_namespace")


def test_an_indicator_calls_an_operation_of_the_vnf() -> None:
    load = flavour().indicators["load"]
    assert (load.type, load.source, load.properties) == ("acme.Load", "vnf", {"unit": "percent"})
    trigger = load.triggers["too_high"]
    assert (trigger.event, trigger.condition) == ("load", [{"load": [{"greater_or_equal": 80}]}])
    assert trigger.calls == (Call("Vnflcm.scale", {"type": "SCALE_OUT", "aspect": "width"}),)


def test_coordination_has_its_actions_and_the_operations_that_ask_for_them() -> None:
    drain = flavour().coordination_actions["drain"]
    assert (drain.description, drain.endpoint, drain.stage) == ("Let it finish", "vnf", "start")
    assert drain.inputs["reason"].default == "none"
    assert flavour().coordinations == {"scale": Coordinations("scale", ("drain",), ("warn",))}


def test_a_change_of_package_maps_components() -> None:
    change = flavour().package_changes["upgrade"]
    assert change.selectors == (PackageChangeSelector("core-1", "core-2", "full"),)
    assert (change.qualifier, change.destination_flavour, change.actions) == ("up", "full", ("drain",))
    assert change.mappings == (ComponentMapping("vdu", "server", "machine"),)


def test_interfaces_that_the_vnf_offers_have_their_address() -> None:
    uri = {"scheme": "https", "host": "core.example.org", "port": "443", "path": "/config"}
    assert flavour().supported_interfaces == {
        "configuration": SupportedInterface("vnf_configuration", ("trunk",), uri, {"version": "2"})
    }


def test_modules_that_may_be_left_out_and_certificates_are_read() -> None:
    assert flavour().deployable_modules == {
        "web_module": DeployableModule("web_module", "web", ("pod", "chart"), "The web part")
    }
    profile = {"id": "base", "issuer": "Acme CA", "subject": {"common_name": "core.example.org"}}
    requests = ({"id": "rsa", "supported_min_keylength": 3072},)
    assert flavour().certificates == {
        "oam_certificate": Certificate("oam_certificate", "oam", "VNFOAM_CERT", profile, requests)
    }
    assert flavour().vdus["server"].certificates == ("oam_certificate",)


def test_operations_have_their_configuration_and_declared_parameters() -> None:
    assert flavour().operations == OperationsConfiguration(
        True, True, False, ("broken", "tired"), Timeouts(120.0, 3600.0), Timeouts(30.0)
    )
    parameters = flavour().parameters["instantiate"]
    assert {name: each.default for name, each in parameters.items()} == {"realm": None, "seats": 10}


def test_a_service_is_told_how_it_may_use_the_flavour() -> None:
    dependency = VersionDependency("hss", (("hss-1", "hss-2"),))
    assert flavour().profile == VnfProfile(1, 2, "small", {}, 3, (dependency,))


def test_what_can_be_configured_and_modified_is_declared() -> None:
    assert vnfd().extensions["colour"].default == "red"
    assert list(vnfd().configurable_properties) == ["additional_configurable_properties"]


def test_flavours_in_several_files_are_each_read_in_their_own_scope() -> None:
    more = files()
    second = FLAVOUR.replace("flavour_id: full }", "flavour_id: lean }", 1).replace(
        "num_virtual_cpu: 4", "num_virtual_cpu: 2"
    )
    more["Definitions/lean.yaml"] = second.encode()
    more[TOP_FILE] = more[TOP_FILE].replace(b"  - flavour.yaml\n", b"  - flavour.yaml\n  - lean.yaml\n")
    both = valid(read_vnfd(more, TOP_FILE))
    assert {id: each.vdus["server"].cpus for id, each in both.flavours.items()} == {"full": 4, "lean": 2}
    assert both.default_flavour == "full"
    more["Definitions/lean.yaml"] = FLAVOUR.encode()
    assert [each.code for each in read_vnfd(more, TOP_FILE).errors] == ["duplicate-flavour"]
