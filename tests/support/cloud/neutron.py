"""Networks, subnets and ports of the peer."""

from __future__ import annotations

import random
import uuid
from ipaddress import ip_address, ip_network
from typing import Any

from aiohttp import web

from tests.support.cloud.things import Thing, now, refused, wanted

__all__ = ["Neutron"]


class Neutron:
    """Holds them by id."""

    def __init__(self, project: str) -> None:
        self._project = project
        self.networks: dict[str, Thing] = {}
        self.subnets: dict[str, Thing] = {}
        self.ports: dict[str, Thing] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2.0/extensions", self._extensions),
            web.get("/v2.0/{sort}", self._list),
            web.get("/v2.0/{sort}/{id}", self._show),
            web.post("/v2.0/networks", self._create_network),
            web.post("/v2.0/subnets", self._create_subnets),
            web.post("/v2.0/ports", self._create_port),
            web.put("/v2.0/{sort}/{id}", self._update),
            web.delete("/v2.0/networks/{id}", self._delete_network),
            web.delete("/v2.0/subnets/{id}", self._delete_subnet),
            web.delete("/v2.0/ports/{id}", self._delete_port),
        ]

    async def _extensions(self, request: web.Request) -> web.Response:
        return web.json_response({"extensions": [{"alias": "port-security"}]})

    def _all(self, request: web.Request) -> dict[str, Thing]:
        found: dict[str, Thing] = getattr(self, request.match_info["sort"])
        return found

    def _one(self, request: web.Request) -> Thing:
        sort, key = request.match_info["sort"], request.match_info["id"]
        try:
            return self._all(request)[key]
        except KeyError:
            kind = sort.removesuffix("s").capitalize()
            raise refused(404, f"{kind}NotFound", f"{kind} {key} could not be found.") from None

    async def _list(self, request: web.Request) -> web.Response:
        suits = wanted(request, "id", "name", "description", "device_id", "network_id", "project_id")
        fields = request.query.getall("fields", [])
        found = [thing for thing in self._all(request).values() if suits(thing)]
        shown = [{field: thing.get(field) for field in fields or thing} for thing in found]
        return web.json_response({request.match_info["sort"]: shown})

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({request.match_info["sort"].removesuffix("s"): self._one(request)})

    async def _create_network(self, request: web.Request) -> web.Response:
        asked = (await request.json())["network"]
        made = {"mtu": 1450, "subnets": [], "status": "ACTIVE", **asked, **self._new()}
        self.networks[made["id"]] = made
        return web.json_response({"network": made}, status=201)

    async def _create_subnets(self, request: web.Request) -> web.Response:
        made = [self._create_subnet(asked) for asked in (await request.json())["subnets"]]
        return web.json_response({"subnets": made}, status=201)

    def _create_subnet(self, asked: Thing) -> Thing:
        network = self.networks[asked["network_id"]]
        cidr = ip_network(asked["cidr"])
        for other in network["subnets"]:
            if cidr.overlaps(ip_network(self.subnets[other]["cidr"])):
                words = f"Requested subnet with cidr: {cidr} for network: {network['id']} overlaps with another subnet."
                raise refused(400, "InvalidInput", words)
        made = {"gateway_ip": None, "enable_dhcp": True, "allocation_pools": [], **asked, **self._new()}
        self.subnets[made["id"]] = made
        network["subnets"].append(made["id"])
        return made

    async def _create_port(self, request: web.Request) -> web.Response:
        asked = (await request.json())["port"]
        network = self.networks.get(asked["network_id"])
        if network is None:
            raise refused(404, "NetworkNotFound", f"Network {asked['network_id']} could not be found.")
        mac = asked.get("mac_address") or "fa:16:3e:" + ":".join(f"{random.randrange(256):02x}" for _ in range(3))
        made: dict[str, Any] = {
            "status": "DOWN",
            "device_id": "",
            "binding:vnic_type": "normal",
            "binding:vif_type": "unbound",
            **asked,
            **self._new(),
            "mac_address": mac,
            "fixed_ips": self._addresses(network, asked.get("fixed_ips")),
        }
        self.ports[made["id"]] = made
        return web.json_response({"port": made}, status=201)

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
            {"ip_address": next(str(host) for host in list(subnet.hosts())[1:] if str(host) not in taken)}
            for subnet in subnets[:1]
        ]

    async def _update(self, request: web.Request) -> web.Response:
        thing, sort = self._one(request), request.match_info["sort"].removesuffix("s")
        thing.update((await request.json())[sort])
        return web.json_response({sort: thing})

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
        if self.ports.pop(key, None) is None:
            raise refused(404, "PortNotFound", f"Port {key} could not be found.")
        return web.Response(status=204)

    def _new(self) -> Thing:
        return {"id": str(uuid.uuid4()), "project_id": self._project, "created_at": now()}
