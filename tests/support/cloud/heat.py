"""Stacks of the peer: a small Heat, which makes what templates say in the peer's other services.

It knows servers, ports, volumes, networks with subnets, volume types, server groups, nested templates and AutoScalingGroups, of the
functions get_param, get_resource and list_join. As Heat does, it makes anew what failed, was marked, or has other properties,
in a group removes first what failed and then what is oldest, and goes on with what is nested whatever is said of it.
"""

from __future__ import annotations

import copy
import itertools
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from aiohttp import web

from tests.support.cloud.neutron import Neutron
from tests.support.cloud.nova import Nova
from tests.support.cloud.storage import Cinder
from tests.support.cloud.things import Due, Refusal, Thing, now

__all__ = ["Heat"]

_GROUP = "OS::Heat::AutoScalingGroup"
_WORKING = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


class Heat:
    """Holds stacks by id, those nested in others with them. `scripted` are names of resources that fail, with Heat's words;
    for `dragging` seconds Heat tries again, and only its events tell of it."""

    def __init__(self, nova: Nova, neutron: Neutron, cinder: Cinder, due: Due, project: str) -> None:
        self._nova, self._neutron, self._cinder, self._due = nova, neutron, cinder, due
        self._project = project
        self._numbers = itertools.count()
        self.stacks: dict[str, Thing] = {}
        self.others: dict[str, Thing] = {}
        """Volume types and server groups."""
        self.scripted: dict[str, str] = {}
        self.dragging = 0.0
        self.undeletable = 0
        """How many deletions of stacks fail."""

    def routes(self) -> list[web.RouteDef]:
        root = "/v1/{project}/stacks"
        one = f"{root}/{{name}}/{{id}}"
        return [
            web.get(root, self._list),
            web.post(root, self._create),
            web.get(one, self._show),
            web.put(one, self._update),
            web.delete(one, self._delete),
            web.get(f"{one}/resources", self._resources),
            web.patch(f"{one}/resources/{{resource}}", self._mark),
            web.get(f"{one}/environment", self._environment),
            web.get(f"{one}/events", self._events),
        ]

    # -- stacks --------------------------------------------------------------------------------------------------------

    def _one(self, request: web.Request) -> Thing:
        stack = self.stacks.get(request.match_info["id"])
        if stack is None:
            raise _refusal(404, f"The Stack ({request.match_info['name']}) could not be found.")
        self._look(stack)
        return stack

    async def _list(self, request: web.Request) -> web.Response:
        asked = set(filter(None, request.query.get("tags", "").split(",")))
        found = [one for one in self.stacks.values() if one["owner"] is None and one["status"] != "DELETE_COMPLETE"]
        for stack in found:
            self._look(stack)
        return web.json_response({"stacks": [_shown(one) for one in found if asked <= set(one["tags"])]})

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if any(
            one["name"] == asked["stack_name"] and one["status"] != "DELETE_COMPLETE" for one in self.stacks.values()
        ):
            raise _refusal(409, f"The Stack ({asked['stack_name']}) already exists.")
        _accept(asked)
        stack = self._new(asked["stack_name"], None)
        self._begin(stack, "CREATE", asked)
        return web.json_response({"stack": {"id": stack["id"], "links": []}}, status=201)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({"stack": _shown(self._one(request))})

    async def _update(self, request: web.Request) -> web.Response:
        stack = self._one(request)
        if stack["status"] == "DELETE_COMPLETE":
            raise _refusal(404, "The Stack could not be found.")
        asked = await request.json()
        _accept(asked)
        stack["updated"] = now()
        self._begin(stack, "UPDATE", asked)
        return web.Response(status=202)

    async def _delete(self, request: web.Request) -> web.Response:
        stack = self._one(request)
        if self.undeletable:
            self.undeletable -= 1
            stack |= {"status": "DELETE_FAILED", "reason": "Resource DELETE failed: Conflict: the subnet is in use"}
            return web.Response(status=204)
        stack["status"] = "DELETE_IN_PROGRESS"
        self._due.later(lambda: self._end(stack))
        return web.Response(status=204)

    async def _environment(self, request: web.Request) -> web.Response:
        return web.json_response(self._one(request)["environment"])

    def _new(self, name: str, owner: str | None) -> Thing:
        stack: Thing = {
            "id": str(uuid.uuid4()),
            "name": name,
            "owner": owner,
            "status": "CREATE_IN_PROGRESS",
            "reason": "",
        }
        stack |= {"created": now(), "updated": None, "tags": [], "parts": {}, "environment": {}, "events": []}
        self.stacks[stack["id"]] = stack
        return stack

    def _begin(self, stack: Thing, action: str, asked: Mapping[str, Any]) -> None:
        stack |= {"status": f"{action}_IN_PROGRESS", "reason": f"Stack {action} started", "events": []}
        stack |= {"tags": asked.get("tags", "").split(","), "environment": asked["environment"]}
        parameters = dict(asked["environment"]["parameters"])
        self._make(stack, yaml.safe_load(asked["template"]), asked["files"], parameters)

    def _look(self, stack: Thing) -> None:
        """Whether what it consists of is there by now."""
        self._due.happen()
        if stack["status"] not in _WORKING:
            return
        action = stack["status"].partition("_")[0]
        states = {part["name"]: self._state(part) for part in stack["parts"].values()}
        for name, (state, reason) in states.items():
            stack["parts"][name] |= {"status": f"{stack['parts'][name]['action']}_{state}", "reason": reason}
        failed = [(name, reason) for name, (state, reason) in states.items() if state == "FAILED"]
        if failed:
            stack |= {"status": f"{action}_FAILED", "reason": f"Resource {action} failed: {failed[0][1]}"}
        elif all(state == "COMPLETE" for state, _ in states.values()):
            stack |= {"status": f"{action}_COMPLETE", "reason": f"Stack {action} completed successfully"}

    def _state(self, part: Thing) -> tuple[str, str]:
        if part["fault"]:
            if time.monotonic() < part["until"]:
                return "IN_PROGRESS", ""
            return "FAILED", f"ResourceInError: resources.{part['name']}: {part['fault']}"
        if part["kind"] == "OS::Nova::Server":
            server = self._nova.servers[part["id"]]
            if server["status"] == "ERROR":
                words = f'Went to status ERROR due to "Message: {server["fault"]["message"]}, Code: 500"'
                return "FAILED", f"ResourceInError: resources.{part['name']}: {words}"
            return ("COMPLETE" if server["status"] in ("ACTIVE", "SHUTOFF") else "IN_PROGRESS"), ""
        if part["nested"]:
            inner = self.stacks[part["id"]]
            self._look(inner)
            return inner["status"].partition("_")[2], inner["reason"].partition(": ")[2]
        return "COMPLETE", ""

    def _end(self, stack: Thing) -> None:
        for part in list(stack["parts"].values()):
            self._remove(part)
        stack |= {"parts": {}, "status": "DELETE_COMPLETE"}

    # -- resources -----------------------------------------------------------------------------------------------------

    def _within(self, stack: Thing, owner: str | None = None) -> Iterator[tuple[Thing, Thing, str | None]]:
        for part in stack["parts"].values():
            yield stack, part, owner
            if part["nested"]:
                yield from self._within(self.stacks[part["id"]], part["name"])

    async def _resources(self, request: web.Request) -> web.Response:
        found = []
        for stack, part, owner in self._within(self._one(request)):
            links = [{"rel": "stack", "href": self._href(stack)}]
            if part["nested"]:
                links.append({"rel": "nested", "href": self._href(self.stacks[part["id"]])})
            shown = {"resource_name": part["name"], "resource_type": part["kind"], "resource_status": part["status"]}
            shown |= {"resource_status_reason": part["reason"], "physical_resource_id": part["id"], "links": links}
            found.append({**shown, "creation_time": part["created"], "parent_resource": owner})
        return web.json_response({"resources": found})

    async def _mark(self, request: web.Request) -> web.Response:
        stack = self._one(request)
        part = stack["parts"].get(request.match_info["resource"])
        if part is None:
            raise _refusal(404, "The Resource could not be found.")
        if stack["status"] in _WORKING:
            action = stack["status"].partition("_")[0]
            raise _refusal(409, f"Stack {stack['name']} already has an action ({action}) in progress.")
        part |= {"status": "CHECK_FAILED", "reason": (await request.json())["resource_status_reason"]}
        return web.Response(status=200)

    async def _events(self, request: web.Request) -> web.Response:
        whole = self._one(request)
        found = []
        for stack, part, _ in self._within(whole):
            state, reason = self._state(part)
            if part["fault"]:
                state, reason = "FAILED", part["fault"]
            if state == "FAILED":
                event = {"resource_name": part["name"], "resource_status": f"{part['action']}_FAILED"}
                event |= {"resource_status_reason": reason, "event_time": now(), "physical_resource_id": part["id"]}
                found.append({**event, "links": [{"rel": "stack", "href": self._href(stack)}]})
        return web.json_response({"events": found})

    def _href(self, stack: Thing) -> str:
        return f"http://heat/v1/{self._project}/stacks/{stack['name']}/{stack['id']}"

    # -- making --------------------------------------------------------------------------------------------------------

    def _make(self, stack: Thing, template: Thing, files: Mapping[str, str], parameters: Thing) -> None:
        """Bring the stack's parts to what the template says."""
        wanted, parts = template["resources"], stack["parts"]
        for name in [name for name in parts if name not in wanted]:
            self._remove(parts.pop(name))
        replaced = []
        for name in _in_order(wanted):
            resource = wanted[name]
            ids = {known: part["id"] for known, part in parts.items()}
            properties = _resolved(resource.get("properties") or {}, parameters, ids, stack["name"])
            part = parts.get(name)
            anew = part is not None and (_fails(part) or part["kind"] != resource["type"])
            if part is not None and not anew and (part["nested"] or part["properties"] == properties):
                if part["nested"]:
                    self._make_nested(part, properties, files)
                continue
            if part is not None:
                replaced.append(part)
                if part["kind"] == "OS::Nova::Server":
                    self._remove(part)
            parts[name] = self._made(stack, name, resource["type"], properties, files)
        for part in replaced:
            self._remove(part)

    def _made(self, stack: Thing, name: str, kind: str, properties: Thing, files: Mapping[str, str]) -> Thing:
        part: Thing = {
            "name": name,
            "kind": kind,
            "properties": properties,
            "action": "CREATE",
            "nested": False,
            "fault": "",
        }
        part |= {"status": "CREATE_IN_PROGRESS", "reason": "", "id": str(uuid.uuid4()), "created": now()}
        part |= {"fault": self.scripted.get(name, ""), "until": time.monotonic() + self.dragging}
        if part["fault"]:
            return part
        if kind in files or kind == _GROUP:
            inner = self._new(f"{stack['name']}-{name}-{next(self._numbers)}", stack["id"])
            part |= {"nested": True, "id": inner["id"]}
            self._make_nested(part, properties, files)
            return part
        if kind == "OS::Neutron::Net":
            part["id"] = self._neutron.make_network({"name": name})["id"]
        elif kind == "OS::Neutron::Subnet":
            part["id"] = self._neutron.make_subnet({"network_id": properties["network"], "cidr": properties["cidr"]})[
                "id"
            ]
        elif kind == "OS::Neutron::Port":
            fixed = [one for one in properties.get("fixed_ips") or () if one.get("ip_address")]
            body = {"network_id": properties["network"], **({"fixed_ips": fixed} if fixed else {})}
            part["id"] = self._neutron.make_port(body)["id"]
        elif kind == "OS::Cinder::Volume":
            part["id"] = self._cinder.make({"size": properties["size"], "name": name})["id"]
        elif kind == "OS::Nova::Server":
            part["id"] = self._server(name, properties)["id"]
        else:
            self.others[part["id"]] = part
        return part

    def _server(self, name: str, properties: Thing) -> Thing:
        networks = [{"port": one["port"]} for one in properties.get("networks") or ()]
        disks = [
            {"source_type": "volume", "uuid": one["volume_id"]}
            for one in properties.get("block_device_mapping_v2") or ()
        ]
        asked = {"name": properties.get("name", name), "flavorRef": properties["flavor"], "networks": networks}
        return self._nova.make({**asked, "block_device_mapping_v2": disks})

    def _make_nested(self, part: Thing, properties: Thing, files: Mapping[str, str]) -> None:
        inner = self.stacks[part["id"]]
        part["properties"] = properties
        inner |= {"status": "UPDATE_IN_PROGRESS", "updated": now()}
        if part["kind"] != _GROUP:
            self._make(inner, yaml.safe_load(files[part["kind"]]), files, properties)
            return
        number = int(properties["desired_capacity"])
        there = sorted(
            inner["parts"].values(),
            key=lambda one: (not one["status"].endswith("FAILED"), one["created"], one["name"]),
        )
        stay = [one["name"] for one in there[max(len(there) - number, 0) :]]
        stay += [f"m{next(self._numbers):06d}" for _ in range(number - len(stay))]
        member = properties["resource"]
        template = {"resources": {name: {"type": member["type"], "properties": member["properties"]} for name in stay}}
        self._make(inner, template, files, {})

    def _remove(self, part: Thing) -> None:
        id_, kind = part["id"], part["kind"]
        if part["nested"]:
            self._end(self.stacks[id_])
        elif kind == "OS::Nova::Server" and id_ in self._nova.servers:
            self._nova.end(self._nova.servers[id_])
        for held in (
            self._neutron.ports,
            self._neutron.networks,
            self._neutron.subnets,
            self._cinder.volumes,
            self.others,
        ):
            held.pop(id_, None)


def _fails(part: Thing) -> bool:
    """What is a stack itself is updated though it failed, unless it was marked."""
    return bool(part["status"] == "CHECK_FAILED" or (part["status"].endswith("FAILED") and not part["nested"]))


def _in_order(resources: Mapping[str, Thing]) -> list[str]:
    """The names, each after those that it refers to; subnets before ports, as Heat sees to it."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in ordered:
            return
        for other in _referred(resources[name]):
            if other in resources and other != name:
                visit(other)
        ordered[name] = None

    for first in (True, False):
        for name in resources:
            if (resources[name]["type"] == "OS::Neutron::Subnet") is first:
                visit(name)
    return list(ordered)


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"get_resource"}:
            yield value["get_resource"]
        for inner in value.values():
            yield from _referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _referred(inner)


def _resolved(value: Any, parameters: Thing, ids: Mapping[str, str], stack: str) -> Any:
    if isinstance(value, list):
        return [_resolved(one, parameters, ids, stack) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"get_resource"}:
        return ids[value["get_resource"]]
    if set(value) == {"list_join"}:
        between, parts = value["list_join"]
        return between.join(_resolved(parts, parameters, ids, stack))
    if set(value) == {"get_param"}:
        path = value["get_param"] if isinstance(value["get_param"], list) else [value["get_param"]]
        found: Any = {**parameters, "OS::stack_name": stack}
        for part in path:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return ""
        return copy.deepcopy(found)
    return {key: _resolved(inner, parameters, ids, stack) for key, inner in value.items()}


def _shown(stack: Thing) -> Thing:
    names = {
        "id": "id",
        "stack_name": "name",
        "stack_status": "status",
        "stack_status_reason": "reason",
        "tags": "tags",
    }
    shown = {public: stack[private] for public, private in names.items()}
    return {**shown, "creation_time": stack["created"], "updated_time": stack["updated"]}


def _accept(asked: Mapping[str, Any]) -> None:
    declared = yaml.safe_load(asked["template"]).get("parameters") or {}
    for name in sorted(asked["environment"]["parameters"].keys() - declared.keys()):
        raise _refusal(400, f"The Parameter ({name}) was not defined in template.")


def _refusal(status: int, message: str) -> Refusal:
    return Refusal(status, {"code": status, "error": {"type": "Error", "message": message, "traceback": None}})
