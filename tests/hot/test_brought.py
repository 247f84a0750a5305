"""Templates that packages bring: where the machines of a VDU are in them, what is wrong, and what they come to."""

from __future__ import annotations

import copy

import pytest

from fairlead.hot import has_shape_of_standard, indexed, parameters_asked, rooms_of, unrolled
from tests.hot.samples import NESTED, TACKER, TOP, brought_by, files_of, problems_in, vnfd_of

VDUS = ("VDU1", "VDU2")
GOOD_TOP = """\
heat_template_version: 2018-08-31
parameters:
  nfv: { type: json }
resources:
  VDU1:
    type: VDU1.yaml
    properties:
      flavor: { get_param: [ nfv, VDU, VDU1, computeFlavourId ] }
      net: { get_resource: internalVL1 }
  VDU2: { type: OS::Nova::Server, depends_on: VDU1 }
  internalVL1: { type: OS::Neutron::Net }
  inside: { type: OS::Neutron::Subnet, properties: { network: { get_resource: internalVL1 }, cidr: 10.0.0.0/24 } }
"""
GOOD_NESTED = """\
heat_template_version: 2018-08-31
parameters:
  flavor: { type: string }
  net: { type: string }
resources:
  VDU1: { type: OS::Nova::Server, properties: { flavor: { get_param: flavor } } }
"""


def files() -> dict[str, bytes]:
    texts = {TOP: GOOD_TOP, NESTED: GOOD_NESTED}
    return {path: text.encode() for path, text in texts.items()}


@pytest.mark.parametrize("package", TACKER)
def test_tacker_s_templates_are_right_and_each_vdu_has_its_room(package: str) -> None:
    brought = brought_by(files_of(package))
    rooms = rooms_of(brought, VDUS)
    assert rooms.keys() == set(VDUS)
    assert has_shape_of_standard(brought, VDUS) is (package not in ("basic_lcms_max", "scale_ng"))
    assert {problem.code for problem in problems_in(files_of(package), vnfd_of(package))} <= {"script-not-run"}


def test_a_group_is_a_room_whose_number_can_be_set() -> None:
    room = rooms_of(brought_by(files_of("basic_lcms_max")), VDUS)["VDU1"]
    assert (room.resource, room.file, room.group, room.resized) == ("VDU1_scale_group", "VDU1.yaml", True, True)


def test_a_script_is_told_once_with_its_place_and_the_operations_that_it_is_for() -> None:
    (told,) = problems_in(files_of("individual_vnfc_max"), vnfd_of("individual_vnfc_max"))
    assert (told.code, told.file, told.line) == ("script-not-run", "Definitions/v2_sample3_df_simple.yaml", 50)
    assert "instantiate_start, instantiate_end" in told.message


def test_user_data_other_than_tacker_s_own_two_is_warned_of() -> None:
    more = {**files_of("basic_lcms_max"), "UserData/mine.py": b"", "UserData/userdata_standard.py": b""}
    (told,) = problems_in(more, vnfd_of("basic_lcms_max"))
    assert (told.code, told.file) == ("script-not-run", "UserData/mine.py")


@pytest.mark.parametrize(
    ("path", "old", "new", "code", "line"),
    [
        (TOP, "parameters:", "parameters: [", "yaml-syntax", 4),
        (TOP, "heat_template_version: 2018-08-31\n", "", "hot-version", 1),
        (TOP, "type: VDU1.yaml", "type: VDU3.yaml", "hot-file-missing", 6),
        (
            TOP,
            "  internalVL1: { type: OS::Neutron::Net }",
            "  internalVL1: { types: OS::Neutron::Net }",
            "hot-shape",
            11,
        ),
        (TOP, "depends_on: VDU1", "metadata: { it: { get_attr: [ VDU1, name ] } }", "hot-refers-to-vdu", 5),
        (TOP, "  VDU2: { type: OS::Nova::Server", "  Vdu2: { type: OS::Nova::Server", "hot-vdu-missing", 0),
        (NESTED, "resources:\n", "resource:\n", "hot-shape", 1),
    ],
)
def test_a_mistake_is_told_with_its_place(path: str, old: str, new: str, code: str, line: int) -> None:
    changed = files()
    assert old in changed[path].decode()
    changed[path] = changed[path].decode().replace(old, new).encode()
    told = [problem for problem in problems_in(changed, vnfd_of("basic_lcms_max")) if problem.code == code]
    assert [(problem.file, problem.line) for problem in told] == [(path, line)]


def test_files_too_many_too_few_and_for_no_flavour_are_told() -> None:
    vnfd = vnfd_of("basic_lcms_max")
    assert problems_in(files(), vnfd) == ()
    unused = {**files(), "BaseHOT/simple/nested/other.yaml": GOOD_NESTED.encode()}
    assert [problem.code for problem in problems_in(unused, vnfd)] == ["hot-file-unused"]
    several = {**files(), "BaseHOT/simple/second.yaml": GOOD_TOP.encode()}
    assert [problem.code for problem in problems_in(several, vnfd)] == ["hot-top"]
    strange = {path.replace("simple", "grand"): content for path, content in files().items()}
    assert [problem.code for problem in problems_in(strange, vnfd)] == ["hot-unknown-flavour"]


def test_a_vdu_s_resource_is_written_out_for_each_member_with_a_part_of_the_parameters_of_its_own() -> None:
    brought = brought_by(files())
    before = copy.deepcopy(brought.main)
    said = unrolled(brought.main, {"VDU1": [0, 2]}, {})
    assert brought.main == before
    assert [name for name in said["resources"] if name.startswith("VDU1")] == ["VDU1-0", "VDU1-2"]
    flavour = said["resources"]["VDU1-2"]["properties"]["flavor"]
    assert flavour == {"get_param": ["nfv", "VDU", "VDU1-2", "computeFlavourId"]}
    assert said["resources"]["VDU2"]["depends_on"] == ["VDU1-0", "VDU1-2"]


def test_a_member_keeps_its_words_whoever_else_comes_or_goes() -> None:
    main = brought_by(files_of("individual_vnfc_max")).main
    few, many = (unrolled(main, {"VDU1": some, "VDU2": [0]}, {}) for some in ([1], [0, 1, 2]))
    assert few["resources"][indexed("VDU1", 1)] == many["resources"][indexed("VDU1", 1)]
    assert set(few["resources"]) < set(many["resources"])


def test_a_managed_link_is_taken_out_with_its_subnets() -> None:
    main = brought_by(files_of("userdata_standard")).main
    said = unrolled(main, {"VDU1": [0], "VDU2": [0]}, {"internalVL1": "net-7"})
    assert said["resources"].keys() == {"VDU1-0", "VDU2-0", "internalVL2", "internalVL2_subnet", "nfvi_node_affinity"}
    assert said["resources"]["VDU1-0"]["properties"]["net2"] == "net-7"
    assert said["resources"]["VDU2-0"]["properties"]["net2"] == "net-7"


@pytest.mark.parametrize(("package", "user"), [("basic_lcms_max", "VDU1_scale_group"), ("userdata_standard", "VDU2-0")])
def test_what_hands_a_network_on_is_made_after_its_subnets(package: str, user: str) -> None:
    main = brought_by(files_of(package)).main
    repeated = {"VDU1": [0], "VDU2": [0]} if package == "userdata_standard" else {}
    resources = unrolled(main, repeated, {})["resources"]
    subnets = {name for name, one in resources.items() if one["type"] == "OS::Neutron::Subnet"}
    assert set(resources[user]["depends_on"]) == subnets
    assert not [
        name for name, one in resources.items() if one["type"].startswith("OS::Neutron") and "depends_on" in one
    ]


def test_what_templates_ask_of_the_parameters_is_found_at_any_depth() -> None:
    asked = set(parameters_asked(brought_by(files_of("basic_lcms_max")).main))
    assert ("CP", "VDU2_CP2", "fixed_ips", 0, "ip_address") in asked
    assert ("VDU", "VDU1", "desired_capacity") in asked
    assert len(asked) == 17
