"""Servers, flavours and server groups of the peer."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web

from tests.support.cloud.neutron import Neutron
from tests.support.cloud.storage import Cinder, Glance
from tests.support.cloud.things import Due, Thing, nova_refusal, now

__all__ = ["Nova"]

_TASK = "OS-EXT-STS:task_state"
_ATTACHED = "os-extended-volumes:volumes_attached"
_HOSTS = 2
_ASIDE = {"pause": "PAUSED", "suspend": "SUSPENDED", "shelve": "SHELVED_OFFLOADED", "rescue": "RESCUE"}
_BACK = {"unpause": "PAUSED", "resume": "SUSPENDED", "unshelve": "SHELVED_OFFLOADED", "unrescue": "RESCUE"}
_SIZES = {"m1.nano": (1, 64, 1), "m1.tiny": (1, 128, 1), "m1.small": (2, 256, 1), "m1.huge": (64, 2**19, 10)}


class Nova:
    """Holds servers by id. One of the flavour `m1.huge` finds no host, nor does the third that is to be apart."""

    def __init__(self, neutron: Neutron, cinder: Cinder, glance: Glance, due: Due) -> None:
        self._neutron = neutron
        self._cinder = cinder
        self._glance = glance
        self._due = due
        self.servers: dict[str, Thing] = {}
        self.groups: dict[str, Thing] = {}
        self.limits: dict[str, int] = {}
        self.administrator = False
        """Whether who asks may reset the state of servers."""
        self.losing_deletions = 0
        """How many requests for deletions are noted and forgotten."""
        """Limits and uses in place of those that are so."""
        self.keys: set[str] = set()
        self.flavours: dict[str, Thing] = {name: _flavour(name, *size) for name, size in _SIZES.items()}

    def routes(self) -> list[web.RouteDef]:
        root = "/v2.1"
        return [
            web.get(f"{root}/limits", self._limits),
            web.get(f"{root}/os-keypairs/{{name}}", self._key),
            web.get(f"{root}/os-availability-zone", self._zones),
            web.get(f"{root}/flavors/detail", self._list_flavours),
            web.post(f"{root}/flavors", self._create_flavour),
            web.post(f"{root}/flavors/{{id}}/os-extra_specs", self._specify_flavour),
            web.get(f"{root}/os-server-groups", self._list_groups),
            web.post(f"{root}/os-server-groups", self._create_group),
            web.get(f"{root}/os-server-groups/{{id}}", self._show_group),
            web.delete(f"{root}/os-server-groups/{{id}}", self._delete_group),
            web.get(f"{root}/servers", self._list_names),
            web.get(f"{root}/servers/detail", self._list),
            web.post(f"{root}/servers", self._create),
            web.get(f"{root}/servers/{{id}}", self._show),
            web.get(f"{root}/servers/{{id}}/os-instance-actions", self._actions),
            web.put(f"{root}/servers/{{id}}", self._rename),
            web.delete(f"{root}/servers/{{id}}", self._delete),
            web.post(f"{root}/servers/{{id}}/action", self._act),
            web.get(f"{root}/servers/{{id}}/metadata", self._metadata),
            web.post(f"{root}/servers/{{id}}/metadata", self._mark),
            web.delete(f"{root}/servers/{{id}}/metadata/{{key}}", self._unmark),
            web.post(f"{root}/servers/{{id}}/os-interface", self._plug),
            web.delete(f"{root}/servers/{{id}}/os-interface/{{port}}", self._unplug),
            web.post(f"{root}/servers/{{id}}/os-volume_attachments", self._attach),
            web.delete(f"{root}/servers/{{id}}/os-volume_attachments/{{volume}}", self._detach),
        ]

    async def _limits(self, request: web.Request) -> web.Response:
        live = [server for server in self.servers.values() if server["status"] != "DELETED"]
        used = {"totalInstancesUsed": len(live), "totalCoresUsed": sum(one["flavor"]["vcpus"] for one in live)}
        most = {"maxTotalCores": 200, "maxTotalRAMSize": 512000}
        return web.json_response({"limits": {"absolute": {**most, **used, **self.limits}}})

    async def _key(self, request: web.Request) -> web.Response:
        if request.match_info["name"] not in self.keys:
            raise nova_refusal(404, f"Keypair {request.match_info['name']} not found")
        return web.json_response({"keypair": {"name": request.match_info["name"]}})

    async def _zones(self, request: web.Request) -> web.Response:
        zones = [{"zoneName": name, "zoneState": {"available": True}} for name in ("nova", "fake")]
        return web.json_response({"availabilityZoneInfo": zones})

    async def _list_flavours(self, request: web.Request) -> web.Response:
        return web.json_response({"flavors": list(self.flavours.values())})

    async def _create_flavour(self, request: web.Request) -> web.Response:
        asked = (await request.json())["flavor"]
        if any(flavour["name"] == asked["name"] for flavour in self.flavours.values()):
            raise nova_refusal(409, f"Flavor with name {asked['name']} already exists.")
        made = _flavour(asked["name"], asked["vcpus"], asked["ram"], asked["disk"])
        self.flavours[made["id"]] = made
        return web.json_response({"flavor": made})

    async def _specify_flavour(self, request: web.Request) -> web.Response:
        specs = self.flavours[request.match_info["id"]]["extra_specs"]
        specs |= (await request.json())["extra_specs"]
        return web.json_response({"extra_specs": specs})

    # -- groups ------------------------------------------------------------------------------------------------------

    async def _list_groups(self, request: web.Request) -> web.Response:
        return web.json_response({"server_groups": list(self.groups.values())})

    async def _create_group(self, request: web.Request) -> web.Response:
        made = {**(await request.json())["server_group"], "id": str(uuid.uuid4())}
        self.groups[made["id"]] = made
        return web.json_response({"server_group": made})

    async def _show_group(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.groups:
            raise nova_refusal(404, "Instance group could not be found.")
        return web.json_response({"server_group": self.groups[request.match_info["id"]]})

    async def _delete_group(self, request: web.Request) -> web.Response:
        if self.groups.pop(request.match_info["id"], None) is None:
            raise nova_refusal(404, "Instance group could not be found.")
        return web.Response(status=204)

    # -- servers -----------------------------------------------------------------------------------------------------

    def _one(self, request: web.Request) -> Thing:
        self._due.happen()
        key = request.match_info["id"]
        server = self.servers.get(key)
        if server is None or server["status"] == "DELETED":
            raise nova_refusal(404, f"Instance {key} could not be found.")
        return server

    def _at_rest(self, request: web.Request, *statuses: str) -> Thing:
        server = self._one(request)
        if server[_TASK] is not None or server["status"] not in statuses:
            state = f"task_state {server[_TASK]}" if server[_TASK] else f"vm_state {server['status']}"
            raise nova_refusal(409, f"Cannot do this to instance {server['id']} while it is in {state}")
        return server

    async def _list_names(self, request: web.Request) -> web.Response:
        found = [{"id": server["id"], "name": server["name"]} for server in self._listed(request)]
        return web.json_response({"servers": found})

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"servers": self._listed(request)})

    def _listed(self, request: web.Request) -> list[Thing]:
        self._due.happen()
        found = list(self.servers.values())
        if "changes-since" in request.query:
            found = [server for server in found if server["updated"] >= request.query["changes-since"]]
        else:
            found = [server for server in found if server["status"] != "DELETED"]
        if "tags" in request.query:
            found = [server for server in found if set(request.query["tags"].split(",")) <= set(server["tags"])]
        if "status" in request.query:
            found = [server for server in found if server["status"] == request.query["status"]]
        return found

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({"server": self._one(request)})

    async def _create(self, request: web.Request) -> web.Response:
        whole = await request.json()
        made = self.make(whole["server"], (whole.get("os:scheduler_hints") or {}).get("group"))
        return web.json_response({"server": {"id": made["id"]}}, status=202)

    def make(self, asked: Thing, group: str | None = None) -> Thing:
        flavour = next((f for f in self.flavours.values() if asked["flavorRef"] in (f["id"], f["name"])), None)
        if flavour is None:
            raise nova_refusal(400, "Invalid flavorRef provided.")
        if asked.get("imageRef") is not None and asked["imageRef"] not in self._glance.images:
            raise nova_refusal(400, "Invalid imageRef provided.")
        ports = [] if asked["networks"] == "none" else [one["port"] for one in asked["networks"]]
        for port in ports:
            if port not in self._neutron.ports:
                raise nova_refusal(400, f"Port {port} could not be found.")
        server: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "name": asked["name"],
            "status": "BUILD",
            _TASK: "spawning",
            "metadata": asked.get("metadata", {}),
            "image": {"id": asked["imageRef"]} if asked.get("imageRef") else "",
            "key_name": asked.get("key_name"),
            "tags": asked.get("tags", []),
            "OS-EXT-AZ:availability_zone": asked.get("availability_zone", "nova"),
            "flavor": _embedded(flavour),
            "created": now(),
            "updated": now(),
            _ATTACHED: [],
            "group": group,
            "actions": ["create"],
        }
        self.servers[server["id"]] = server
        for port in ports:
            self._neutron.ports[port] |= {"device_id": server["id"], "binding:vif_type": "ovs"}
        for device in asked.get("block_device_mapping_v2") or ():
            if device["source_type"] == "volume":
                self._hold(server, device["uuid"])
        together = [
            one for one in self.servers.values() if group and one["group"] == group and one["status"] != "DELETED"
        ]
        apart = group is not None and self.groups[group]["policy"] == "anti-affinity"
        if flavour["name"] == "m1.huge" or (apart and len(together) > _HOSTS):
            fault = {"fault": {"code": 500, "message": "No valid host was found. "}}
            self._due.later(lambda: self._become(server, "ERROR", **fault))
        else:
            self._due.later(lambda: self._become(server, "ACTIVE"))
        return server

    def _become(self, server: Thing, status: str, **more: Any) -> None:
        if server["status"] != "DELETED":
            server |= {"status": status, _TASK: None, "updated": now(), **more}

    def _begin(self, server: Thing, task: str, status: str, **more: Any) -> web.Response:
        server |= {_TASK: task, "updated": now()}
        self._due.later(lambda: self._become(server, status, **more))
        return web.Response(status=202)

    async def _actions(self, request: web.Request) -> web.Response:
        server = self._one(request)
        more = {"request_id": f"req-of-{server['name']}", "start_time": server["created"]}
        return web.json_response({"instanceActions": [{"action": action, **more} for action in server["actions"]]})

    async def _rename(self, request: web.Request) -> web.Response:
        server = self._one(request)
        server |= {**(await request.json())["server"], "updated": now()}
        return web.json_response({"server": server})

    async def _delete(self, request: web.Request) -> web.Response:
        server = self._one(request)
        if server[_TASK] == "deleting":
            return web.Response(status=204)
        server |= {_TASK: "deleting", "updated": now()}
        if self.losing_deletions:
            self.losing_deletions -= 1
            return web.Response(status=204)
        server["actions"] = [*server["actions"], "delete"]
        self._due.later(lambda: self.end(server))
        return web.Response(status=204)

    def end(self, server: Thing) -> None:
        server |= {"status": "DELETED", _TASK: None, "updated": now()}
        for port in self._neutron.ports.values():
            if port["device_id"] == server["id"]:
                port |= {"device_id": "", "binding:vif_type": "unbound"}
        for attached in list(server[_ATTACHED]):
            self._let_go(server, attached["id"])

    async def _act(self, request: web.Request) -> web.Response:
        ((action, words),) = (await request.json()).items()
        if action == "os-getConsoleOutput":
            return web.json_response({"output": "the last words"})
        if action == "os-resetState":
            server = self._one(request)
            if not self.administrator:
                raise nova_refusal(403, "Policy doesn't allow os_compute_api:os-admin-actions:reset_state")
            server |= {"status": words["state"].upper(), _TASK: None, "updated": now()}
            return web.Response(status=202)
        if action == "os-stop":
            return self._begin(self._at_rest(request, "ACTIVE"), "powering-off", "SHUTOFF")
        if action == "os-start":
            return self._begin(self._at_rest(request, "SHUTOFF"), "powering-on", "ACTIVE")
        if action == "confirmResize":
            return self._begin(self._at_rest(request, "VERIFY_RESIZE"), "confirming", "ACTIVE")
        if action in _ASIDE:
            aside = self._at_rest(request, "ACTIVE")
            return self._begin(aside, action, _ASIDE[action])
        if action in _BACK:
            return self._begin(self._at_rest(request, _BACK[action]), action, "ACTIVE")
        if action == "rebuild":
            server = self._at_rest(request, "ACTIVE", "SHUTOFF", "ERROR")
            if words["imageRef"] not in self._glance.images:
                raise nova_refusal(400, "Cannot find image for rebuild")
            server |= {"metadata": words["metadata"], "image": {"id": words["imageRef"]}}
            server |= {"user_data": words["user_data"], "rebuilt": server.get("rebuilt", 0) + 1}
            return self._begin(server, "rebuilding", "ACTIVE" if server["status"] == "ERROR" else server["status"])
        server = self._at_rest(request, "ACTIVE", "SHUTOFF")
        flavour = next(f for f in self.flavours.values() if f["id"] == words["flavorRef"])
        return self._begin(server, "resize_prep", "VERIFY_RESIZE", flavor=_embedded(flavour))

    async def _metadata(self, request: web.Request) -> web.Response:
        return web.json_response({"metadata": self._one(request)["metadata"]})

    async def _mark(self, request: web.Request) -> web.Response:
        server = self._one(request)
        server["metadata"] |= (await request.json())["metadata"]
        return web.json_response({"metadata": server["metadata"]})

    async def _unmark(self, request: web.Request) -> web.Response:
        if self._one(request)["metadata"].pop(request.match_info["key"], None) is None:
            raise nova_refusal(404, "Metadata item was not found")
        return web.Response(status=204)

    # -- plugs -------------------------------------------------------------------------------------------------------

    async def _plug(self, request: web.Request) -> web.Response:
        server = self._at_rest(request, "ACTIVE", "SHUTOFF")
        port = (await request.json())["interfaceAttachment"]["port_id"]
        self._neutron.ports[port] |= {"device_id": server["id"], "binding:vif_type": "ovs"}
        return web.json_response({"interfaceAttachment": {"port_id": port}})

    async def _unplug(self, request: web.Request) -> web.Response:
        self._at_rest(request, "ACTIVE", "SHUTOFF")
        port = self._neutron.ports.get(request.match_info["port"])
        if port is not None:
            self._due.later(lambda: port.update({"device_id": "", "binding:vif_type": "unbound"}))
        return web.Response(status=202)

    async def _attach(self, request: web.Request) -> web.Response:
        server = self._at_rest(request, "ACTIVE", "SHUTOFF")
        volume = (await request.json())["volumeAttachment"]["volumeId"]
        self._hold(server, volume)
        return web.json_response({"volumeAttachment": {"volumeId": volume}})

    async def _detach(self, request: web.Request) -> web.Response:
        server, volume = self._at_rest(request, "ACTIVE", "SHUTOFF"), request.match_info["volume"]
        self._due.later(lambda: self._let_go(server, volume))
        return web.Response(status=202)

    def _hold(self, server: Thing, volume: str) -> None:
        if volume not in self._cinder.volumes:
            raise nova_refusal(400, f"Volume {volume} could not be found.")
        self._cinder.volumes[volume] |= {"status": "in-use", "attachments": [{"server_id": server["id"]}]}
        server[_ATTACHED] = [*server[_ATTACHED], {"id": volume}]

    def _let_go(self, server: Thing, volume: str) -> None:
        if volume in self._cinder.volumes:
            self._cinder.volumes[volume] |= {"status": "available", "attachments": []}
        server[_ATTACHED] = [one for one in server[_ATTACHED] if one["id"] != volume]


def _flavour(name: str, vcpus: int, ram: int, disk: int) -> Thing:
    return {"id": name.replace("m1.", ""), "name": name, "vcpus": vcpus, "ram": ram, "disk": disk, "extra_specs": {}}


def _embedded(flavour: Thing) -> Thing:
    return {"original_name": flavour["name"], "vcpus": flavour["vcpus"], "ram": flavour["ram"], "disk": flavour["disk"]}
