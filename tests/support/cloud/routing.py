"""Routers, floating IPs, QoS policies and trunks of the peer."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web

from tests.support.cloud.neutron import Neutron
from tests.support.cloud.things import Thing, refused, wanted

__all__ = ["Routing"]

_RATES = {"bandwidth_limit_rules": "bandwidth_limit", "minimum_bandwidth_rules": "minimum_bandwidth"}


class Routing:
    """Holds them by id. `choosy`: floating addresses may be chosen, as by administrators."""

    def __init__(self, neutron: Neutron) -> None:
        self._neutron = neutron
        self.routers: dict[str, Thing] = {}
        self.floatingips: dict[str, Thing] = {}
        self.policies: dict[str, Thing] = {}
        self.trunks: dict[str, Thing] = {}
        self.choosy = False

    def routes(self) -> list[web.RouteDef]:
        root = "/v2.0"
        return [
            web.post(f"{root}/routers", self._create_router),
            web.put(f"{root}/routers/{{id}}/add_router_interface", self._connect),
            web.put(f"{root}/routers/{{id}}/remove_router_interface", self._disconnect),
            web.delete(f"{root}/routers/{{id}}", self._delete_router),
            web.post(f"{root}/floatingips", self._create_floating),
            web.put(f"{root}/floatingips/{{id}}", self._associate),
            web.delete(f"{root}/floatingips/{{id}}", self._delete_floating),
            web.post(f"{root}/qos/policies", self._create_policy),
            web.post(f"{root}/qos/policies/{{id}}/{{rules}}", self._create_rate),
            web.delete(f"{root}/qos/policies/{{id}}/{{rules}}/{{rule}}", self._delete_rate),
            web.delete(f"{root}/qos/policies/{{id}}", self._delete_policy),
            web.post(f"{root}/trunks", self._create_trunk),
            web.put(f"{root}/trunks/{{id}}/add_subports", self._add_subports),
            web.put(f"{root}/trunks/{{id}}/remove_subports", self._remove_subports),
            web.delete(f"{root}/trunks/{{id}}", self._delete_trunk),
            *(
                route
                for path, things, member in (
                    ("routers", self.routers, "router"),
                    ("floatingips", self.floatingips, "floatingip"),
                    ("qos/policies", self.policies, "policy"),
                    ("trunks", self.trunks, "trunk"),
                )
                for route in self._usual(f"{root}/{path}", things, member)
            ),
        ]

    def _usual(self, path: str, things: dict[str, Thing], member: str) -> list[web.RouteDef]:
        """The list, one, and a change of it."""

        async def all_of(request: web.Request) -> web.Response:
            suits = wanted(request, "id", "name", "description", "project_id")
            found = [thing for thing in things.values() if suits(thing)]
            return web.json_response({path.rpartition("/")[2]: found})

        async def show(request: web.Request) -> web.Response:
            return web.json_response({member: self._one(things, request, member)})

        async def change(request: web.Request) -> web.Response:
            thing = self._one(things, request, member)
            thing.update((await request.json())[member])
            return web.json_response({member: thing})

        return [web.get(path, all_of), web.get(f"{path}/{{id}}", show), web.put(f"{path}/{{id}}", change)]

    def _one(self, things: dict[str, Thing], request: web.Request, member: str) -> Thing:
        key = request.match_info["id"]
        if key not in things:
            raise refused(404, f"{member.capitalize()}NotFound", f"{member.capitalize()} {key} could not be found.")
        return things[key]

    def add_external(self, name: str) -> Thing:
        """An external network of somebody else's."""
        made: dict[str, Any] = {"name": name, "router:external": True, "subnets": [], "status": "ACTIVE", "mtu": 1500}
        made |= {**self._neutron.new(), "project_id": "theirs", "description": "", "port_security_enabled": True}
        self._neutron.networks[made["id"]] = made
        return made

    # -- routers -----------------------------------------------------------------------------------------------------

    async def _create_router(self, request: web.Request) -> web.Response:
        asked = (await request.json())["router"]
        network = self._neutron.networks.get(asked["external_gateway_info"]["network_id"])
        if network is None or not network["router:external"]:
            raise refused(400, "BadRequest", "Bad router request: Network is not an external network.")
        made = {"status": "ACTIVE", **asked, **self._neutron.new()}
        self.routers[made["id"]] = made
        return web.json_response({"router": made}, status=201)

    def _interfaces(self, router: str) -> list[Thing]:
        return [port for port in self._neutron.ports.values() if port["device_id"] == router]

    async def _connect(self, request: web.Request) -> web.Response:
        router, subnet = self._one(self.routers, request, "router"), (await request.json())["subnet_id"]
        found = self._neutron.subnets[subnet]
        if found["gateway_ip"] is None:
            raise refused(400, "BadRequest", "Bad router request: Subnet for router interface must have a gateway IP.")
        network = self._neutron.networks[found["network_id"]]
        asked = {"network_id": network["id"], "fixed_ips": [{"ip_address": found["gateway_ip"], "subnet_id": subnet}]}
        owner = {"device_id": router["id"], "device_owner": "network:router_interface", "description": ""}
        port = self._neutron.add_port(network, {**asked, **owner})
        port["project_id"] = "theirs"
        return web.json_response({"port_id": port["id"], "subnet_id": subnet})

    async def _disconnect(self, request: web.Request) -> web.Response:
        router, port = self._one(self.routers, request, "router"), (await request.json())["port_id"]
        network = self._neutron.ports[port]["network_id"]
        reached = {p["id"] for p in self._neutron.ports.values() if p["network_id"] == network}
        if any(one["port_id"] in reached for one in self.floatingips.values()):
            words = f"Router interface on router {router['id']} cannot be deleted, as it is required by one or more floating IPs."
            raise refused(409, "RouterInterfaceInUseByFloatingIP", words)
        del self._neutron.ports[port]
        return web.json_response({"port_id": port})

    async def _delete_router(self, request: web.Request) -> web.Response:
        router = self._one(self.routers, request, "router")
        if self._interfaces(router["id"]):
            raise refused(409, "RouterInUse", f"Router {router['id']} still has ports")
        del self.routers[router["id"]]
        return web.Response(status=204)

    # -- floating IPs ------------------------------------------------------------------------------------------------

    def _check_reached(self, port: str | None) -> None:
        if port is None:
            return
        network = self._neutron.ports[port]["network_id"]
        routed = any(
            one["network_id"] == network and one["device_id"] in self.routers for one in self._neutron.ports.values()
        )
        if not routed:
            words = (
                "External network is not reachable from subnet. Therefore, cannot associate Port with a Floating IP."
            )
            raise refused(404, "ExternalGatewayForFloatingIPNotFound", words)

    async def _create_floating(self, request: web.Request) -> web.Response:
        asked = (await request.json())["floatingip"]
        if "floating_ip_address" in asked and not self.choosy:
            words = "(rule:create_floatingip and rule:create_floatingip:floating_ip_address) is disallowed by policy"
            raise refused(403, "PolicyNotAuthorized", words)
        self._check_reached(asked["port_id"])
        address = f"172.24.4.{10 + len(self.floatingips)}"
        made = {"floating_ip_address": address, "status": "ACTIVE", **asked, **self._neutron.new()}
        self.floatingips[made["id"]] = made
        return web.json_response({"floatingip": made}, status=201)

    async def _associate(self, request: web.Request) -> web.Response:
        floating = self._one(self.floatingips, request, "floatingip")
        asked = (await request.json())["floatingip"]
        self._check_reached(asked["port_id"])
        floating.update(asked)
        return web.json_response({"floatingip": floating})

    async def _delete_floating(self, request: web.Request) -> web.Response:
        del self.floatingips[self._one(self.floatingips, request, "floatingip")["id"]]
        return web.Response(status=204)

    # -- QoS ---------------------------------------------------------------------------------------------------------

    async def _create_policy(self, request: web.Request) -> web.Response:
        made = {**(await request.json())["policy"], **self._neutron.new(), "rules": []}
        self.policies[made["id"]] = made
        return web.json_response({"policy": made}, status=201)

    async def _create_rate(self, request: web.Request) -> web.Response:
        policy, kind = self._one(self.policies, request, "policy"), _RATES[request.match_info["rules"]]
        asked = (await request.json())[f"{kind}_rule"]
        if any((rule["type"], rule["direction"]) == (kind, asked["direction"]) for rule in policy["rules"]):
            raise refused(409, "QoSRulesConflict", f"Rule {kind} conflicts with rule")
        policy["rules"].append({**asked, "type": kind, "id": str(uuid.uuid4())})
        return web.json_response({f"{kind}_rule": policy["rules"][-1]}, status=201)

    async def _delete_rate(self, request: web.Request) -> web.Response:
        policy = self._one(self.policies, request, "policy")
        policy["rules"] = [rule for rule in policy["rules"] if rule["id"] != request.match_info["rule"]]
        return web.Response(status=204)

    async def _delete_policy(self, request: web.Request) -> web.Response:
        policy = self._one(self.policies, request, "policy")
        if any(port["qos_policy_id"] == policy["id"] for port in self._neutron.ports.values()):
            raise refused(409, "QosPolicyInUse", f"QoS Policy {policy['id']} is used by port.")
        del self.policies[policy["id"]]
        return web.Response(status=204)

    # -- trunks ------------------------------------------------------------------------------------------------------

    def held_by_trunk(self, port: str) -> bool:
        """Whether it is in a trunk, or one."""
        return any(
            port == trunk["port_id"] or port in {one["port_id"] for one in trunk["sub_ports"]}
            for trunk in self.trunks.values()
        )

    def _wired(self, port: str) -> bool:
        return bool(self._neutron.ports[port]["device_id"])

    async def _create_trunk(self, request: web.Request) -> web.Response:
        asked = (await request.json())["trunk"]
        for port in (asked["port_id"], *(one["port_id"] for one in asked["sub_ports"])):
            if port not in self._neutron.ports:
                raise refused(404, "PortNotFound", f"Port {port} could not be found.")
            if self._wired(port):
                raise refused(409, "ParentPortInUse", f"Port {port} is currently in use and is not eligible.")
        made = {"status": "DOWN", **asked, **self._neutron.new()}
        self.trunks[made["id"]] = made
        return web.json_response({"trunk": made}, status=201)

    async def _add_subports(self, request: web.Request) -> web.Response:
        trunk = self._one(self.trunks, request, "trunk")
        trunk["sub_ports"] = [*trunk["sub_ports"], *(await request.json())["sub_ports"]]
        return web.json_response(trunk)

    async def _remove_subports(self, request: web.Request) -> web.Response:
        trunk = self._one(self.trunks, request, "trunk")
        gone = {one["port_id"] for one in (await request.json())["sub_ports"]}
        trunk["sub_ports"] = [one for one in trunk["sub_ports"] if one["port_id"] not in gone]
        return web.json_response(trunk)

    async def _delete_trunk(self, request: web.Request) -> web.Response:
        trunk = self._one(self.trunks, request, "trunk")
        if self._wired(trunk["port_id"]):
            raise refused(409, "TrunkInUse", f"Trunk {trunk['id']} is currently in use.")
        del self.trunks[trunk["id"]]
        return web.Response(status=204)
