"""From descriptors to resources: Tacker's packages, our own sample and the small VNF; names, references, whose they are."""

from __future__ import annotations

import pytest

from fairlead.descriptors import Severity, Vnfd, read_vnfd
from fairlead.errors import Unprocessable
from fairlead.resources import UNDECIDED, Attachment, Ownership, Ref, SecretRef, references
from fairlead.sol import ExtVirtualLinkData
from fairlead.vims import Traits
from tests.descriptors.samples import ROOT, valid
from tests.descriptors.test_foreign_packages import TACKER, vnfd_of
from tests.support.packages import VNFD
from tests.vnf.desired import EVERYTHING, Wanted, external, managed, wanted

MAX = "tacker-individual_vnfc_max"
OUTSIDE = (
    external(
        "net0",
        "id-of-net0",
        virtual_link_external1_1=("10.10.0.11", "10.10.0.12"),
    ),
    external("net1", "id-of-net1", virtual_link_external2_1=None, virtual_link_external2_2=("10.10.1.1",)),
)
LOCAL = (external("net", "id-of-net", virtual_link_external1_1=None, virtual_link_external1_2=None),)


def small(source: str = VNFD) -> Vnfd:
    return valid(read_vnfd({"Definitions/v.yaml": source.encode(), "Files/image.tar": b"image"}, "Definitions/v.yaml"))


def edge_gateway() -> tuple[Vnfd, dict[str, bytes]]:
    """The sample's descriptor, and the files of its package but for the images, which are built."""
    root = ROOT / "samples" / "edge-gateway" / "package"
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return valid(read_vnfd(files, "Definitions/edge_gateway.yaml", missing_artifacts=Severity.WARNING)), files


def maximal(**more: object) -> Wanted:
    numbers = {"VDU1": 2, "VDU2": 1}
    return wanted(vnfd_of(MAX), members=numbers, links=OUTSIDE, **more)  # type: ignore[arg-type]


def well_formed(found: Wanted) -> None:
    """Every reference leads to something wanted, and what is given names what is there."""
    for resource in found.resources.values():
        assert references(resource.spec) <= found.resources.keys()
        assert (resource.ownership is Ownership.GIVEN) == (resource.existing is not None)
        assert resource.vim == "vim-1"
        assert resource.within is None or resource.within in found.resources


# -- Tacker's packages ---------------------------------------------------------------------------------------------------


def test_each_member_has_its_machine_its_ports_and_its_volume_by_name() -> None:
    found = maximal()
    well_formed(found)
    assert found.names("compute") == ["VDU1/k1", "VDU1/k2", "VDU2/k1"]
    assert found.names("port")[:5] == [f"VDU1/k1/VDU1_CP{number}" for number in range(1, 6)]
    assert len(found.names("port")) == 5 + 5 + 4
    assert found.names("volume") == [
        "VDU1/k1/VDU1-VirtualStorage",
        "VDU1/k2/VDU1-VirtualStorage",
        "VDU2/k1/VDU2-VirtualStorage",
    ]
    assert found.names("network") == [
        "external/net0",
        "external/net1",
        "link/internalVL1",
        "link/internalVL2",
        "link/internalVL3",
    ]
    assert found.names("affinity-group") == ["group/policy_affinity_group"]


def test_a_machine_refers_to_its_own_ports_in_order_its_volume_and_its_group() -> None:
    spec = maximal().spec("VDU1/k2")
    assert [ref.name for ref in spec.ports] == [f"VDU1/k2/VDU1_CP{number}" for number in range(1, 6)]
    assert spec.volumes == (Attachment(volume=Ref("VDU1/k2/VDU1-VirtualStorage")),)  # type: ignore[arg-type]
    assert [ref.name for ref in spec.groups] == ["group/policy_affinity_group"]
    assert spec.image is None, "it starts from its volume"
    assert spec.power == "on"


def test_external_networks_are_given_and_internal_ones_are_ours() -> None:
    found = maximal()
    outside, inside = found.resources["external/net0"], found.resources["link/internalVL1"]
    assert (outside.ownership, outside.existing) == (Ownership.GIVEN, "id-of-net0")
    assert (inside.ownership, inside.existing) == (Ownership.OWNED, None)
    assert inside.spec.internal
    assert inside.spec.subnets


def test_ports_go_on_the_networks_of_their_connection_points() -> None:
    found = maximal()
    networks = {name: found.spec(name).network.name for name in found.names("port") if name.startswith("VDU1/k1")}
    assert networks == {
        "VDU1/k1/VDU1_CP1": "external/net0",
        "VDU1/k1/VDU1_CP2": "external/net1",
        "VDU1/k1/VDU1_CP3": "link/internalVL1",
        "VDU1/k1/VDU1_CP4": "link/internalVL2",
        "VDU1/k1/VDU1_CP5": "link/internalVL3",
    }


def test_the_addresses_of_a_request_go_to_the_members_in_their_order() -> None:
    found = maximal()
    assert found.spec("VDU1/k1/VDU1_CP1").addresses == ("10.10.0.11",)
    assert found.spec("VDU1/k2/VDU1_CP1").addresses == ("10.10.0.12",)
    assert found.spec("VDU1/k1/VDU1_CP2").addresses == UNDECIDED
    assert found.spec("VDU2/k1/VDU2_CP2").addresses == ("10.10.1.1",)


def test_images_of_volumes_are_shared_by_content() -> None:
    found = maximal()
    images = {name: found.resources[name] for name in found.names("image")}
    assert {image.ownership for image in images.values()} == {Ownership.SHARED}
    used = {found.spec(name).image.name for name in found.names("volume")}
    assert used == set(images)


@pytest.mark.parametrize("name", [name for name in TACKER if name != "tacker-cnf_helm"])
def test_every_virtual_machine_package_comes_to_something_well_formed(name: str) -> None:
    vnfd = vnfd_of(name)
    flavour = vnfd.flavours["simple"]
    points = dict.fromkeys({value: key for key, value in flavour.external.items()}.values())
    links = (external("net", "id-of-net", **points),) if points else ()
    found = wanted(vnfd, members=dict.fromkeys(flavour.vdus, 2), links=links)
    well_formed(found)
    assert len(found.names("compute")) == 2 * len(flavour.vdus)
    assert all(found.spec(machine).memory or found.spec(machine).cpus for machine in found.names("compute"))


def test_an_anti_affinity_rule_becomes_a_group_only_where_the_vim_has_such() -> None:
    vnfd = vnfd_of("tacker-userdata_standard")
    with_groups = wanted(vnfd, members={"VDU1": 2, "VDU2": 1}, links=LOCAL)
    (group,) = with_groups.names("affinity-group")
    assert with_groups.spec(group).policy == "anti-affinity"
    without = wanted(
        vnfd, members={"VDU1": 2, "VDU2": 1}, links=LOCAL, traits=Traits(EVERYTHING.sorts - {"affinity-group"})
    )
    assert without.names("affinity-group") == []
    assert without.spec("VDU1/k1").groups == ()


def test_a_network_that_somebody_manages_takes_the_place_of_ours() -> None:
    found = maximal(managed_links=(managed("internalVL2", "id-of-theirs"),))
    well_formed(found)
    theirs = found.resources["link/internalVL2"]
    assert (theirs.ownership, theirs.existing) == (Ownership.GIVEN, "id-of-theirs")
    assert found.spec("VDU1/k1/VDU1_CP4").network.name == "link/internalVL2"


def test_a_managed_link_that_the_flavour_does_not_have_is_refused() -> None:
    with pytest.raises(Unprocessable) as refused:
        maximal(managed_links=(managed("internalVL9", "x"),))
    assert refused.value.code == "unknown-link"
    assert refused.value.remedy == "Links: internalVL1, internalVL2, internalVL3."


def test_external_connection_points_without_a_network_are_all_named() -> None:
    with pytest.raises(Unprocessable) as refused:
        wanted(vnfd_of(MAX), members={"VDU1": 1, "VDU2": 1}, links=OUTSIDE[:1])
    assert refused.value.code == "external-link-missing"
    assert "virtual_link_external2_1" in refused.value.detail
    assert "virtual_link_external2_2" in refused.value.detail


def test_an_unknown_connection_point_is_refused_with_those_there_are() -> None:
    with pytest.raises(Unprocessable) as refused:
        wanted(vnfd_of(MAX), members={"VDU1": 1}, links=(*OUTSIDE, external("x", "y", nowhere=None)))
    assert refused.value.code == "unknown-cpd"
    assert "virtual_link_external1_1" in (refused.value.remedy or "")


def test_where_ports_live_in_machines_they_are_members_of_them() -> None:
    inside = Traits(EVERYTHING.sorts - {"affinity-group"}, within={"port": "compute"})
    found = maximal(traits=inside)
    well_formed(found)
    assert {found.resources[name].within for name in found.names("port")} == set(found.names("compute"))


def test_a_stopped_vnf_wants_its_machines_off() -> None:
    found = maximal(started=False)
    assert {found.spec(name).power for name in found.names("compute")} == {"off"}


def test_a_vnf_that_is_not_instantiated_wants_nothing() -> None:
    assert wanted(vnfd_of(MAX), members={}, links=OUTSIDE).names("compute") == []


# -- the edge gateway --------------------------------------------------------------------------------------------------------


GATEWAY_OUTSIDE = (external("operator", "operator", router_external=("10.61.0.1",)),)
GATEWAY_MEMBERS = {"router": 1, "firewall": 1, "balancer": 1, "server": 2}
CONTAINERS = Traits(EVERYTHING.sorts - {"affinity-group"}, within={"port": "compute"})


def gateway(members: dict[str, int] | None = None) -> Wanted:
    vnfd, files = edge_gateway()
    return wanted(vnfd, members=members or GATEWAY_MEMBERS, links=GATEWAY_OUTSIDE, traits=CONTAINERS, files=files)


def test_the_gateway_is_four_sorts_of_containers_on_networks_of_their_own() -> None:
    found = gateway()
    well_formed(found)
    assert [name.split("/")[0] for name in found.names("compute")] == [
        "balancer",
        "firewall",
        "router",
        "server",
        "server",
    ]
    assert found.spec("router/k1/" + _outer(found)).addresses == ("10.61.0.1",)
    assert len(found.names("image")) == 4


def _outer(found: Wanted) -> str:
    (name,) = (n for n in found.names("port") if found.spec(n).network.name == "external/operator")
    return name.rsplit("/", 1)[-1]


def test_addresses_of_the_descriptor_are_for_the_first_member_only() -> None:
    found = gateway()
    fixed = {n for n in found.names("port") if n.startswith("server/k2/") and found.spec(n).addresses != UNDECIDED}
    assert fixed == set()


def test_what_boot_data_says_is_secret_whatever_it_is() -> None:
    found = gateway()
    held = [value for name in found.names("compute") for value in found.spec(name).environment.values()]
    held += [file.content for name in found.names("compute") for file in found.spec(name).files]
    assert all(isinstance(value, SecretRef) for value in held)


def test_another_server_changes_nothing_of_the_others() -> None:
    before, after = gateway(), gateway({**GATEWAY_MEMBERS, "server": 3})
    assert set(after.resources) - set(before.resources) == {
        "server/k3",
        *(n for n in after.names("port") if n.startswith("server/k3/")),
        *(n for n in after.names("volume") if n.startswith("server/k3/")),
    }
    assert all(after.resources[name] == resource for name, resource in before.resources.items())


# -- the small VNF -----------------------------------------------------------------------------------------------------------


SMALL_OUTSIDE = (external("outside", "outside", outside=("192.0.2.7",)),)


def little(source: str = VNFD, **more: object) -> Wanted:
    return wanted(small(source), members={"gate": 1, "worker": 2}, links=SMALL_OUTSIDE, **more)  # type: ignore[arg-type]


def test_machines_of_one_content_share_one_image() -> None:
    found = little(digests={"Files/image.tar": "sha256:feed"})
    assert found.names("image") == ["image/gate"]
    assert found.spec("image/gate").digest == "sha256:feed"
    assert found.spec("image/gate").artifact == "package-1/Files/image.tar"
    assert {found.spec(name).image for name in found.names("compute")} == {Ref("image/gate")}  # type: ignore[arg-type]


def test_the_image_keeps_its_name_when_the_machine_that_it_is_named_after_is_gone() -> None:
    found = wanted(small(VNFD), members={"gate": 0, "worker": 2}, links=SMALL_OUTSIDE)
    assert found.names("image") == ["image/gate"]
    assert {found.spec(name).image for name in found.names("compute")} == {Ref("image/gate")}  # type: ignore[arg-type]


def test_boot_data_is_sealed_and_its_variables_are_filled_in() -> None:
    source = VNFD.replace('content: "password=canary-file"', 'content: "user=${user} left=${unknown}"')
    found = little(source, parameters={"user": "alice"})
    spec = found.spec("gate/k1")
    assert found.secret(spec.environment["GREETING"]) == "canary-environment"
    (file,) = spec.files
    assert (file.path, found.secret(file.content)) == ("/etc/gate.conf", "user=alice left=${unknown}")
    assert spec.user_data is None


def test_content_without_a_place_is_user_data() -> None:
    source = VNFD.replace("            destination_path: /etc/gate.conf\n", "")
    spec = little(source).spec("gate/k1")
    assert spec.files == ()
    assert isinstance(spec.user_data, SecretRef)


def test_a_boot_file_that_the_package_lacks_is_named_with_its_place() -> None:
    source = VNFD.replace('content: "password=canary-file"', "source_path: ../Files/image.tar")
    with pytest.raises(Unprocessable) as refused:
        little(source)
    assert refused.value.code == "artifact-missing"
    assert "v.yaml:" in (refused.value.place or "")
    spec = little(source, files={"Files/image.tar": b"hello"}).spec("gate/k1")
    assert len(spec.files) == 1


@pytest.mark.parametrize(("name", "stem"), [("gate way/1", "gate-way-1"), (None, "0a1b2c3d"), ("ü" * 80, "")])
def test_labels_are_names_that_every_engine_takes(name: str | None, stem: str) -> None:
    label = little(name=name).spec("worker/k1").label
    assert label.startswith(stem)
    assert 0 < len(label) <= 63
    assert all(character.isascii() and (character.isalnum() or character in "-.") for character in label)


def test_a_link_that_is_named_twice_takes_the_later_word() -> None:
    first: tuple[ExtVirtualLinkData, ...] = (external("a", "one", outside=("192.0.2.1",)),)
    both = (*first, external("b", "two", outside=("192.0.2.2",)))
    found = wanted(small(), members={"gate": 1}, links=both)
    assert found.spec("gate/k1/gate_outside").network.name == "external/b"


def test_what_a_machine_asks_of_its_host_is_said_in_openstacks_words_and_its_own_words_are_the_last() -> None:
    pinned = VNFD.replace(
        "virtual_cpu: { num_virtual_cpu: 1 }",
        "virtual_cpu: { num_virtual_cpu: 1, virtual_cpu_pinning: { virtual_cpu_pinning_policy: static } }",
    )
    assert little(pinned).spec("gate/k1").constraints == {"openstack.extra_spec.hw:cpu_policy": "dedicated"}
    own = pinned.replace(
        "        description: The way in\n",
        '        description: The way in\n        nfvi_constraints: { "openstack.extra_spec.hw:cpu_policy": shared }\n',
    )
    assert little(own).spec("gate/k1").constraints == {"openstack.extra_spec.hw:cpu_policy": "shared"}


STORAGE = "virtual_block_storage_data:\n          size_of_storage: 1 GiB\n"
WITH_IMAGE = (
    STORAGE
    + """\
      artifacts:
        root:
          type: tosca.artifacts.nfv.SwImage
          file: ../Files/image.tar
          properties: { name: root, version: "1.0", container_format: bare, disk_format: raw }
"""
)


def test_a_machine_starts_from_the_first_storage_of_its_boot_order_that_has_an_image() -> None:
    source = VNFD.replace(STORAGE, WITH_IMAGE)
    assert source != VNFD
    plain = little(source).spec("worker/k1")
    assert plain.image is not None, "without a boot order, it has an image of its own"
    ordered = source.replace(
        "description: Does the work\n        boot_order: false", "description: Does the work\n        boot_order: true"
    )
    spec = little(ordered).spec("worker/k1")
    assert spec.image is None
    assert [attached.volume.name for attached in spec.volumes] == ["worker/k1/disk"]
    blank = VNFD.replace(
        "description: Does the work\n        boot_order: false", "description: Does the work\n        boot_order: true"
    )
    assert little(blank).spec("worker/k1").image is not None, "nothing starts from an empty disk"


def test_key_pair_and_metadata_come_from_boot_data_and_from_the_machines_own_words() -> None:
    properties = "{ vim_type: ETSINFV.OPENSTACK_KEYSTONE.V_3, properties: { key_name: admin, site: north } }"
    boot = f"        boot_data:\n          vim_specific_properties: {properties}\n"
    source = VNFD.replace("        boot_data:\n", boot, 1)
    spec = little(source).spec("gate/k1")
    assert (spec.key, spec.metadata, spec.constraints) == ("admin", {"site": "north"}, {})
    own = source.replace(
        "        description: The way in\n",
        "        description: The way in\n        nfvi_constraints: { openstack.key: other, openstack.metadata.role: gate }\n",
    )
    spec = little(own).spec("gate/k1")
    assert (spec.key, spec.metadata, spec.constraints) == ("other", {"site": "north", "role": "gate"}, {})
    elsewhere = source.replace("ETSINFV.OPENSTACK_KEYSTONE.V_3", "ETSINFV.KUBERNETES.V_1")
    assert little(elsewhere).spec("gate/k1").key is None
