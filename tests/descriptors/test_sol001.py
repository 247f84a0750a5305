"""Our tables of types against ETSI's own type files of every version, which lie beside the repository.

Whatever ETSI's files of VNFDs define must be in the tables, with each property of the same type, the same constraints and the
same default. Where a table differs, it is named below with the reason. Types of network services and physical functions
(the files `nsd` and `pnfd`) are of other descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from fairlead.descriptors import Problems, sol001
from fairlead.descriptors.problems import Severity
from fairlead.descriptors.scalars import SCALAR_UNITS, BadScalar, parse_scalar
from fairlead.descriptors.schema import MISSING, Schema
from fairlead.descriptors.source import Node, compose
from fairlead.descriptors.typedefs import TypeDef, read_type
from fairlead.descriptors.types import Types
from tests.descriptors.samples import ROOT

ETSI = ROOT.parent / "shared" / "etsi" / "sol001-types"
VERSIONS = ("2.5.1", "2.6.1", "2.7.1", "2.8.1", "3.3.1", "3.5.1", "3.6.1", "3.7.1", "4.2.1", "4.3.1", "4.4.1")
SECTIONS = ("node_types", "capability_types", "policy_types", "group_types", "artifact_types", "data_types")

OPTIONAL = {
    "L3AddressData.ip_address_assignment": "not required since 4.3.1",
    "VirtualNetworkInterfaceRequirements.support_mandatory": "not required since 4.3.1",
    "RequestedAdditionalCapability.target_performance_parameters": "Tacker's packages ask for flavours without",
    "SwImageData.checksum": "not required since 4.3.1",
    "SwImageData.disk_format": "not required since 4.3.1, as container images have none",
    "SwImageData.min_disk": "not required since 4.3.1",
    "SwImageData.size": "not required since 4.3.1",
    "SwImage.name": "may be given by sw_image_data instead; that one of both is there is checked",
    "SwImage.version": "as name",
    "SwImage.checksum": "as SwImageData",
    "SwImage.container_format": "as name",
    "SwImage.disk_format": "as SwImageData",
    "SwImage.min_disk": "as SwImageData",
    "SwImage.size": "as SwImageData",
    "BootDataVimSpecificProperties.vim_type": "not required since 4.4.1",
    "LcmCoordinationAction.action": "not required in 3.5.1",
    "OsContainerDeployableUnit.mcio_identification_data": "not in 4.2.1",
    "VirtualCp.additionalServiceData": "not required since 4.3.1",
    "PlacementGroup.description": "no package in the field gives one",
}
LOOSER = {
    "VNF.vnfm_info": "ETSI's pattern refuses the value of Tacker's own packages",
    "VirtualNetworkInterfaceRequirements.network_interface_requirements": "one entry at most in 3.6.1 and 3.7.1 only",
    "ExtendedResourceData.extended_resource": "one entry at most: several requests in one map are understood",
}
OTHER_DEFAULT = {
    "VnfAdditionalConfigurableProperties.is_writable_anytime": "false in 2.7.1 only",
    "Compute.boot_order": "a list without a default up to 2.7.1",
}
OTHER_TYPE = {"VnfVirtualLink.externally_managed": "3.6.1 gives a string an entry schema"}


@cache
def etsi() -> dict[tuple[str, str, str], TypeDef]:
    """Every type of the files of VNFDs, by version, section and name."""
    if not ETSI.is_dir():
        pytest.skip("the directory shared/etsi is not here")
    found = {}
    for version in VERSIONS:
        for part in ("common", "vnfd"):
            path = ETSI / version / f"etsi_nfv_sol001_{part}_types.yaml"
            problems = Problems()
            root = compose(path.read_bytes(), path.name, problems) if path.exists() else None
            for section in (*SECTIONS, "relationship_types", "interface_types"):
                definitions = root.get(section) if root is not None else None
                for name, node in ((definitions.mapping or {}) if definitions is not None else {}).items():
                    found[version, section, name] = read_type(section, name, node, node.mark, problems)
            assert not [each for each in problems if each.severity is Severity.ERROR]
    return found


@cache
def ours() -> Types:
    return Types(Problems())


def properties() -> Iterator[tuple[str, Schema, Schema]]:
    """Every property in every version, as `Type.property`, with ETSI's schema and ours; sizes and the like excepted."""
    for (_, section, name), definition in etsi().items():
        table = ours().find(section, name)
        for key, schema in definition.properties.items():
            if table is not None and key in table.properties:
                yield f"{name.rpartition('.')[2]}.{key}", schema, table.properties[key]


def test_every_type_is_in_the_tables() -> None:
    assert len(etsi()) > 1000
    missing = {(section, name) for _, section, name in etsi() if ours().find(section, name) is None}
    assert missing == set()


def test_every_property_is_in_the_tables() -> None:
    missing = set()
    for (_, section, name), definition in etsi().items():
        table = ours().find(section, name)
        missing |= {(name, key) for key in definition.properties if table is None or key not in table.properties}
    assert missing == set()


def test_every_capability_requirement_interface_and_target_is_in_the_tables() -> None:
    missing = set()
    for (_, section, name), definition in etsi().items():
        table = ours().find(section, name)
        assert table is not None
        for part in ("capabilities", "requirements", "interfaces"):
            given: dict[str, str] = getattr(definition, part)
            missing |= {(name, key) for key, type_ in given.items() if getattr(table, part).get(key) != type_}
        missing |= {(name, target) for target in definition.targets if target not in table.targets}
        missing |= {(name, operation) for operation in definition.operations if operation not in table.operations}
    assert missing == set()


def test_a_requirement_is_needed_only_where_every_version_needs_it() -> None:
    for (version, section, name), definition in etsi().items():
        table = ours().find(section, name)
        for key, (least, most) in definition.occurrences.items():
            own_least, own_most = table.occurrences.get(key, (0, None)) if table is not None else (0, None)
            assert own_least <= least, (version, name, key)
            assert own_most is None or (most is not None and own_most >= most), (version, name, key)


def test_every_parent_within_sol001_is_in_the_tables() -> None:
    wrong = {
        name
        for (_, section, name), definition in etsi().items()
        if definition.parent is not None
        and ".nfv." in definition.parent
        and not ours().derives(section, name, definition.parent)
    }
    assert wrong == set()


def test_every_property_has_a_type_that_some_form_of_the_table_has() -> None:
    wrong = {name for name, theirs, own in properties() if _shape(theirs) not in map(_shape, (own, *own.others))}
    assert wrong == OTHER_TYPE.keys()


def test_a_property_that_a_version_does_not_require_is_not_required_by_the_tables() -> None:
    assert {name for name, theirs, own in properties() if own.required and not theirs.required} == set()


def test_properties_that_are_relaxed_are_known() -> None:
    relaxed = {
        name
        for name, theirs, own in properties()
        if theirs.required and not own.required and own.default is MISSING and theirs.default is MISSING
    }
    assert relaxed == OPTIONAL.keys()


def test_no_constraint_refuses_a_value_that_etsi_allows() -> None:
    asked: dict[str, set[str]] = {}
    given: dict[str, set[str]] = {}
    values = set()
    for name, theirs, own in properties():
        for depth, (each, table) in enumerate(_pairs(theirs, own)):
            wanted, taken = _rules(each), _rules(table)
            asked.setdefault(f"{name} {depth}", set()).update(wanted)
            given.setdefault(f"{name} {depth}", set()).update(taken)
            if not set(map(str, wanted.get("valid_values", ()))) <= set(
                taken.get("valid_values", wanted.get("valid_values", ()))
            ):
                values.add(name)
    assert values == set()
    assert {name for name, rules in given.items() if rules - asked[name]} == set()


def test_every_constraint_of_etsi_is_in_the_tables() -> None:
    looser = set()
    for name, theirs, own in properties():
        for each, table in _pairs(theirs, own):
            wanted, taken = _rules(each), _rules(table)
            same = all(taken.get(rule) == operand for rule, operand in wanted.items() if rule != "valid_values")
            if not same or wanted.keys() - taken.keys():
                looser.add(name)
    assert looser == LOOSER.keys()


def test_defaults_are_those_of_etsi() -> None:
    wrong = set()
    for name, theirs, own in properties():
        default = theirs.default.plain_value() if isinstance(theirs.default, Node) else theirs.default
        if default != own.default:
            wrong.add(name)
    assert wrong == OTHER_DEFAULT.keys()


def test_types_beyond_these_versions_are_those_of_sol001_5() -> None:
    known = {name for _, _, name in etsi()}
    tables = (
        sol001.NODE_TYPES,
        sol001.CAPABILITY_TYPES,
        sol001.POLICY_TYPES,
        sol001.GROUP_TYPES,
        sol001.ARTIFACT_TYPES,
    )
    own = {name for table in tables for name in table} | {f"tosca.datatypes.nfv.{name}" for name in sol001.DATA_TYPES}
    assert {name.rpartition(".")[2] for name in own - known} == {
        "DeployableModule",
        "DeployableModuleMember",
        "Certificate",
        "InstallableCertificate",
        "CertificateBaseProfile",
        "CertSubjectData",
        "CSRRequirements",
    }


def _shape(schema: Schema) -> str:
    return f"{schema.type}<{_shape(schema.entry)}>" if schema.entry is not None else schema.type


def _pairs(theirs: Schema, own: Schema) -> Iterator[tuple[Schema, Schema]]:
    """ETSI's schema and the form of ours that has its type, and so on for their entries."""
    form = next((each for each in (own, *own.others) if _shape(each) == _shape(theirs)), None)
    while theirs is not None and form is not None:
        yield theirs, form
        if theirs.entry is None or form.entry is None:
            return
        theirs, form = theirs.entry, form.entry


def _rules(schema: Schema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in schema.constraints:
        operand = each.operand.plain_value() if isinstance(each.operand, Node) else each.operand
        if each.rule == "in_range":
            found |= {"greater_or_equal": operand[0], "less_or_equal": operand[1]}
        elif each.rule == "valid_values":
            found["valid_values"] = tuple(operand)
        else:
            found[each.rule] = _number(operand)
    return found


def _number(operand: Any) -> Any:
    for kind in SCALAR_UNITS if isinstance(operand, str) else ():
        try:
            return parse_scalar(operand, kind)
        except BadScalar:
            continue
    return operand
