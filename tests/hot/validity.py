"""Whether documents are HOT: known sections, known properties of known resources, references that lead somewhere, no circles.

The properties are those of Heat's documentation (2023.1 to 2025.1), of the resource types that Fairlead writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["check_stack"]

SECTIONS = {"heat_template_version", "description", "parameters", "resources", "outputs", "conditions"}
PARAMETER = {"type", "label", "description", "default", "hidden", "constraints", "immutable", "tags"}
TYPES = {"string", "number", "json", "comma_delimited_list", "boolean"}
RESOURCE = {"type", "properties", "depends_on", "metadata", "update_policy", "deletion_policy", "condition"}
PROPERTIES: dict[str, tuple[set[str], set[str]]] = {
    "OS::Neutron::Net": (
        set(),
        {"name", "admin_state_up", "port_security_enabled", "qos_policy", "shared", "tags", "value_specs"},
    ),
    "OS::Neutron::Subnet": (
        {"network"},
        {
            "allocation_pools",
            "cidr",
            "dns_nameservers",
            "enable_dhcp",
            "gateway_ip",
            "host_routes",
            "ip_version",
            "ipv6_address_mode",
            "ipv6_ra_mode",
            "name",
            "value_specs",
        },
    ),
    "OS::Neutron::Port": (
        {"network"},
        {
            "allowed_address_pairs",
            "binding:vnic_type",
            "fixed_ips",
            "mac_address",
            "name",
            "security_groups",
            "value_specs",
        },
    ),
    "OS::Neutron::Trunk": ({"port"}, {"sub_ports", "name"}),
    "OS::Neutron::FloatingIP": ({"floating_network"}, {"port_id", "fixed_ip_address"}),
    "OS::Neutron::Router": (set(), {"name", "external_gateway_info", "value_specs"}),
    "OS::Neutron::RouterInterface": ({"router"}, {"subnet", "port"}),
    "OS::Neutron::SecurityGroup": (set(), {"name", "description", "rules"}),
    "OS::Nova::Server": (
        {"flavor"},
        {
            "availability_zone",
            "block_device_mapping_v2",
            "config_drive",
            "image",
            "key_name",
            "metadata",
            "name",
            "networks",
            "scheduler_hints",
            "user_data",
            "user_data_format",
        },
    ),
    "OS::Nova::ServerGroup": (set(), {"name", "policies", "rules"}),
    "OS::Cinder::Volume": (set(), {"size", "image", "name", "volume_type", "metadata"}),
    "OS::Cinder::VolumeAttachment": ({"instance_uuid", "volume_id"}, {"mountpoint"}),
    "OS::Heat::CloudConfig": (set(), {"cloud_config"}),
    "OS::Heat::AutoScalingGroup": (
        {"max_size", "min_size", "resource"},
        {"desired_capacity", "cooldown", "rolling_updates"},
    ),
    "OS::Heat::ResourceGroup": ({"resource_def"}, {"count", "index_var", "removal_policies"}),
    "OS::Heat::ScalingPolicy": (
        {"adjustment_type", "auto_scaling_group_id", "scaling_adjustment"},
        {"cooldown", "min_adjustment_step"},
    ),
}
FUNCTIONS = {"get_param", "get_resource", "get_attr", "get_file", "str_replace", "list_join", "repeat"}


def check_stack(main: Mapping[str, Any], nested: Mapping[str, Mapping[str, Any]]) -> None:
    """Fail with what is wrong."""
    for file, template in {"main": main, **nested}.items():
        _check_template(file, template, nested)
    used = set(_types(main))
    assert nested.keys() <= used, f"nobody uses {nested.keys() - used}"


def _types(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for each in value.values():
            yield from _types(each)


def _check_template(file: str, template: Mapping[str, Any], nested: Mapping[str, Mapping[str, Any]]) -> None:
    assert template["heat_template_version"] == "2018-08-31"
    assert template.keys() <= SECTIONS
    assert template["resources"], f"{file} makes nothing"
    parameters, resources = template.get("parameters", {}), template["resources"]
    for name, parameter in parameters.items():
        assert parameter.keys() <= PARAMETER, name
        assert parameter["type"] in TYPES, name
    needs: dict[str, set[str]] = {}
    for name, resource in resources.items():
        assert "/" not in name
        assert resource.keys() <= RESOURCE, name
        _check_member(resource, nested, where=f"{file}: {name}")
        needs[name] = set(resource.get("depends_on", ()))
        for function, argument in _calls(resource.get("properties", {})):
            target = argument[0] if isinstance(argument, list) else argument
            if function == "get_param":
                assert target in parameters, f"{file}: {name} asks for the parameter {target}"
            elif function in ("get_resource", "get_attr"):
                needs[name].add(target)
        assert needs[name] <= resources.keys(), f"{file}: {name} refers to {needs[name] - resources.keys()}"
    asked = {argument for _, argument in _calls(resources) if isinstance(argument, str)}
    assert parameters.keys() <= asked, f"{file}: nobody uses the parameters {parameters.keys() - asked}"
    _check_order(needs)


def _check_member(resource: Mapping[str, Any], nested: Mapping[str, Mapping[str, Any]], *, where: str) -> None:
    """A resource, or the member of a group, which is one, too."""
    type_, properties = resource["type"], resource.get("properties", {})
    if type_.endswith(".yaml"):
        parameters = nested[type_].get("parameters", {})
        assert properties.keys() <= parameters.keys(), where
        needed = {name for name, each in parameters.items() if "default" not in each}
        assert needed <= properties.keys(), where
        return
    assert type_ in PROPERTIES, f"{where}: is there a resource type {type_}?"
    required, optional = PROPERTIES[type_]
    assert required <= properties.keys() <= required | optional, f"{where}: {sorted(properties)}"
    assert all(value is not None for value in properties.values()), where
    for key in ("resource", "resource_def"):
        if key in properties:
            _check_member(properties[key], nested, where=f"{where}.{key}")


def _calls(value: Any) -> Iterator[tuple[str, Any]]:
    """The calls of functions in a value, inner ones too."""
    if isinstance(value, Mapping):
        if len(value) == 1 and (name := next(iter(value))) in FUNCTIONS:
            yield name, value[name]
        for each in value.values():
            yield from _calls(each)
    elif isinstance(value, list):
        for each in value:
            yield from _calls(each)


def _check_order(needs: Mapping[str, set[str]]) -> None:
    done: set[str] = set()
    while len(done) < len(needs):
        ready = {name for name in needs.keys() - done if needs[name] <= done}
        assert ready, f"a circle among {sorted(needs.keys() - done)}"
        done |= ready
