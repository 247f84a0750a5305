"""Networks, subnets, ports and security groups of the peer; what is between networks is in `routing`."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from aiohttp import web

from tests.support.cloud.things import Thing, now, refused, wanted

__all__ = ["Neutron"]


_FILTERS = ("id", "name", "description", "device_id", "network_id", "project_id", "router:external")


def _member(request: web.Request) -> str:
    """The key of one in bodies."""
    return request.match_info["sort"].replace("-", "_").removesuffix("s")


class Neutron:
    """Holds them by id."""

    def __init__(self, project: str) -> None:
        self._project = project
        self.networks: dict[str, Thing] = {}
        self.subnets: dict[str, Thing] = {}
        self.ports: dict[str, Thing] = {}
        self.security_groups: dict[str, Thing] = {}
        self.extensions = {"port-security", "security-group", "router", "qos", "trunk"}
        self.add_security_group({"name": "default"})
        self.holds: Callable[[str], bool] = lambda _: False
        """Whether something else has a port that keeps it."""
        self.limits: dict[str, int] = {}
        """How many there may be, by sort."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2.0/extensions", self._extensions),
            web.get("/v2.0/quotas/{project}/details", self._quotas),
            web.get("/v2.0/{sort}", self._list),
            web.get("/v2.0/{sort}/{id}", self._show),
            web.post("/v2.0/networks", self._create_network),
            web.post("/v2.0/subnets", self._create_subnets),
            web.post("/v2.0/ports", self._create_port),
            web.post("/v2.0/security-groups", self._create_security_group),
            web.post("/v2.0/security-group-rules", self._create_security_rules),
            web.delete("/v2.0/security-group-rules/{id}", self._delete_security_rule),
            web.delete("/v2.0/security-groups/{id}", self._delete_security_group),
            web.put("/v2.0/{sort}/{id}", self._update),
            web.delete("/v2.0/networks/{id}", self._delete_network),
            web.delete("/v2.0/subnets/{id}", self._delete_subnet),
            web.delete("/v2.0/ports/{id}", self._delete_port),
        ]

    async def _extensions(self, request: web.Request) -> web.Response:
        return web.json_response({"extensions": [{"alias": alias} for alias in sorted(self.extensions)]})

    async def _quotas(self, request: web.Request) -> web.Response:
        there = {
            "network": self.networks,
            "subnet": self.subnets,
            "port": self.ports,
            "security_group": self.security_groups,
        }
        told = {
            sort: {"limit": self.limits.get(sort, -1), "used": len(there.get(sort, ())), "reserved": 0}
            for sort in (*there, "security_group_rule", "router", "floatingip", "trunk")
        }
        return web.json_response({"quota": told})

    def _all(self, request: web.Request) -> dict[str, Thing]:
        found: dict[str, Thing] = getattr(self, request.match_info["sort"].replace("-", "_"))
        return found

    def _one(self, request: web.Request) -> Thing:
        sort, key = request.match_info["sort"], request.match_info["id"]
        try:
            return self._all(request)[key]
        except KeyError:
            kind = sort.removesuffix("s").capitalize()
            raise refused(404, f"{kind}NotFound", f"{kind} {key} could not be found.") from None

    async def _list(self, request: web.Request) -> web.Response:
        suits = wanted(request, *_FILTERS)
        fields = request.query.getall("fields", [])
        found = [thing for thing in self._all(request).values() if suits(thing)]
        if addresses := {one.removeprefix("ip_address=") for one in request.query.getall("fixed_ips", [])}:
            found = [thing for thing in found if addresses & {fixed["ip_address"] for fixed in thing["fixed_ips"]}]
        shown = [{field: thing.get(field) for field in fields or thing} for thing in found]
        return web.json_response({request.match_info["sort"].replace("-", "_"): shown})

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({_member(request): self._one(request)})

    async def _create_network(self, request: web.Request) -> web.Response:
        return web.json_response({"network": self.make_network((await request.json())["network"])}, status=201)

    def make_network(self, asked: Thing) -> Thing:
        usual = {
            "mtu": 1450,
            "subnets": [],
            "status": "ACTIVE",
            "description": "",
            "port_security_enabled": True,
            "router:external": False,
        }
        made = {**usual, **asked, **self.new()}
        self.networks[made["id"]] = made
        return made

    async def _create_subnets(self, request: web.Request) -> web.Response:
        made = [self.make_subnet(asked) for asked in (await request.json())["subnets"]]
        return web.json_response({"subnets": made}, status=201)

    def make_subnet(self, asked: Thing) -> Thing:
        network = self.networks[asked["network_id"]]
        cidr = ip_network(asked["cidr"])
        asked = {"gateway_ip": str(next(cidr.hosts())), **asked}
        for other in network["subnets"]:
            if cidr.overlaps(ip_network(self.subnets[other]["cidr"])):
                words = f"Requested subnet with cidr: {cidr} for network: {network['id']} overlaps with another subnet."
                raise refused(400, "InvalidInput", words)
        made = {"enable_dhcp": True, "allocation_pools": [], **asked, **self.new()}
        self.subnets[made["id"]] = made
        network["subnets"].append(made["id"])
        return made

    async def _create_port(self, request: web.Request) -> web.Response:
        return web.json_response({"port": self.make_port((await request.json())["port"])}, status=201)

    def make_port(self, asked: Thing) -> Thing:
        network = self.networks.get(asked["network_id"])
        if network is None:
            raise refused(404, "NetworkNotFound", f"Network {asked['network_id']} could not be found.")
        return self.add_port(network, asked)

    def add_port(self, network: Thing, asked: Thing) -> Thing:
        mac = asked.get("mac_address") or "fa:16:3e:" + ":".join(f"{random.randrange(256):02x}" for _ in range(3))
        filtered = asked.get("port_security_enabled", network["port_security_enabled"])
        made: dict[str, Any] = {
            "status": "DOWN",
            "name": "",
            "description": "",
            "device_id": "",
            "device_owner": "",
            "binding:vnic_type": "normal",
            "binding:vif_type": "unbound",
            "port_security_enabled": filtered,
            "security_groups": [next(iter(self.security_groups))] if filtered else [],
            "allowed_address_pairs": [],
            "qos_policy_id": None,
            **asked,
            **self.new(),
            "mac_address": mac,
            "fixed_ips": self._addresses(network, asked.get("fixed_ips")),
        }
        self._check_filters(made)
        self.ports[made["id"]] = made
        return made

    def _check_filters(self, port: Thing) -> None:
        if port["port_security_enabled"]:
            return
        if port["security_groups"]:
            words = "Port Security must be enabled in order to have security groups and/or IP addresses."
            raise refused(409, "PortSecurityAndIPRequiredForSecurityGroups", words)
        if port["allowed_address_pairs"]:
            words = "Port Security must be enabled in order to have allowed address pairs on a port."
            raise refused(409, "AddressPairAndPortSecurityRequired", words)

    def _addresses(self, network: Thing, asked: list[Thing] | None) -> list[Thing]:
        taken = {fixed["ip_address"] for port in self.ports.values() for fixed in port["fixed_ips"]}
        subnets = [ip_network(self.subnets[key]["cidr"]) for key in network["subnets"]]
        for fixed in asked or ():
            address = ip_address(fixed["ip_address"])
            if not any(address in subnet for subnet in subnets):
                words = f"IP address {address} is not a valid IP for any of the subnets on the specified network."
                raise refused(400, "InvalidIpForNetwork", words)
            if str(address) in taken:
                words = f"IP address {address} already allocated in subnet."
                raise refused(409, "IpAddressAlreadyAllocated", words)
        if asked is not None:
            return asked
        return [
            {
                "ip_address": next(str(host) for host in list(subnet.hosts())[1:] if str(host) not in taken),
                "subnet_id": network["subnets"][0],
            }
            for subnet in subnets[:1]
        ]

    async def _update(self, request: web.Request) -> web.Response:
        thing, asked = self._one(request), (await request.json())[_member(request)]
        if request.match_info["sort"] == "ports":
            self._check_filters({**thing, **asked})
        thing.update(asked)
        return web.json_response({_member(request): thing})

    # -- security groups ---------------------------------------------------------------------------------------------

    def add_security_group(self, asked: Thing) -> Thing:
        made = {**asked, **self.new(), "security_group_rules": []}
        for ether_type in ("IPv4", "IPv6"):
            made["security_group_rules"].append(self._rule(made["id"], direction="egress", ethertype=ether_type))
        self.security_groups[made["id"]] = made
        return made

    def _rule(self, group: str, **asked: Any) -> Thing:
        usual = dict.fromkeys(
            ("protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id"), None
        )
        return {**usual, **asked, "security_group_id": group, **self.new()}

    async def _create_security_group(self, request: web.Request) -> web.Response:
        made = self.add_security_group((await request.json())["security_group"])
        return web.json_response({"security_group": made}, status=201)

    async def _create_security_rules(self, request: web.Request) -> web.Response:
        made = []
        for asked in (await request.json())["security_group_rules"]:
            group = self.security_groups.get(asked["security_group_id"])
            if group is None:
                words = f"Security group {asked['security_group_id']} does not exist"
                raise refused(404, "SecurityGroupNotFound", words)
            if 0 in (asked.get("port_range_min"), asked.get("port_range_max")):
                raise refused(400, "SecurityGroupInvalidPortValue", "Invalid value for port 0")
            same = [{**rule, **asked} == rule for rule in group["security_group_rules"]]
            if any(same):
                raise refused(409, "SecurityGroupRuleExists", "Security group rule already exists.")
            made.append(self._rule(group=group["id"], **{k: v for k, v in asked.items() if "group_id" not in k}))
            group["security_group_rules"].append(made[-1])
        return web.json_response({"security_group_rules": made}, status=201)

    async def _delete_security_rule(self, request: web.Request) -> web.Response:
        for group in self.security_groups.values():
            rules = group["security_group_rules"]
            group["security_group_rules"] = [rule for rule in rules if rule["id"] != request.match_info["id"]]
            if group["security_group_rules"] != rules:
                return web.Response(status=204)
        raise refused(404, "SecurityGroupRuleNotFound", "Security group rule does not exist.")

    async def _delete_security_group(self, request: web.Request) -> web.Response:
        key = request.match_info["id"]
        if any(key in port["security_groups"] for port in self.ports.values()):
            raise refused(409, "SecurityGroupInUse", f"Security Group {key} in use.")
        if self.security_groups.pop(key, None) is None:
            raise refused(404, "SecurityGroupNotFound", f"Security group {key} does not exist")
        return web.Response(status=204)

    # -- ends --------------------------------------------------------------------------------------------------------

    async def _delete_network(self, request: web.Request) -> web.Response:
        key = request.match_info["id"]
        if any(port["network_id"] == key for port in self.ports.values()):
            words = f"Unable to complete operation on network {key}. There are one or more ports still in use on the network."
            raise refused(409, "NetworkInUse", words)
        if self.networks.pop(key, None) is None:
            raise refused(404, "NetworkNotFound", f"Network {key} could not be found.")
        self.subnets = {name: subnet for name, subnet in self.subnets.items() if subnet["network_id"] != key}
        return web.Response(status=204)

    async def _delete_subnet(self, request: web.Request) -> web.Response:
        subnet = self.subnets.pop(request.match_info["id"], None)
        if subnet is None:
            raise refused(404, "SubnetNotFound", f"Subnet {request.match_info['id']} could not be found.")
        self.networks[subnet["network_id"]]["subnets"].remove(subnet["id"])
        return web.Response(status=204)

    async def _delete_port(self, request: web.Request) -> web.Response:
        key = request.match_info["id"]
        if self.holds(key):
            raise refused(409, "PortInUseAsTrunkParent", f"Port {key} is currently a parent port for trunk.")
        if self.ports.pop(key, None) is None:
            raise refused(404, "PortNotFound", f"Port {key} could not be found.")
        return web.Response(status=204)

    def new(self) -> Thing:
        return {"id": str(uuid.uuid4()), "project_id": self._project, "created_at": now()}
