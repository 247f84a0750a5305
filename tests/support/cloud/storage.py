"""Volumes and images of the peer."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import json
import threading
import uuid

from aiohttp import web

from tests.support.cloud.things import Due, Refusal, Thing, nova_refusal, now, wanted

__all__ = ["Cinder", "Glance"]


class Cinder:
    """Holds volumes by id."""

    def __init__(self, due: Due) -> None:
        self._due = due
        self.volumes: dict[str, Thing] = {}
        self.limits: dict[str, int] = {}
        """Limits and uses in place of those that are so."""
        self.types = ["file"]
        self.messages: dict[str, list[Thing]] = {}
        """What users are told, by volume."""

    def routes(self) -> list[web.RouteDef]:
        root = "/v3/{project}"
        return [
            web.get(f"{root}/limits", self._limits),
            web.get(f"{root}/types", self._types),
            web.get(f"{root}/volumes/detail", self._list),
            web.get(f"{root}/volumes/{{id}}", self._show),
            web.get(f"{root}/messages", self._messages),
            web.post(f"{root}/volumes", self._create),
            web.post(f"{root}/volumes/{{id}}/action", self._act),
            web.delete(f"{root}/volumes/{{id}}", self._delete),
        ]

    async def _limits(self, request: web.Request) -> web.Response:
        used = {
            "totalVolumesUsed": len(self.volumes),
            "totalGigabytesUsed": sum(v["size"] for v in self.volumes.values()),
        }
        return web.json_response({"limits": {"absolute": {"maxTotalVolumes": -1, **used, **self.limits}}})

    async def _types(self, request: web.Request) -> web.Response:
        return web.json_response({"volume_types": [{"id": name, "name": name} for name in self.types]})

    async def _messages(self, request: web.Request) -> web.Response:
        told = self.messages.get(request.query.get("resource_uuid", ""), ())
        return web.json_response({"messages": list(told)})

    def _one(self, request: web.Request) -> Thing:
        self._due.happen()
        key = request.match_info["id"]
        if key not in self.volumes:
            raise nova_refusal(404, f"Volume {key} could not be found.")
        return self.volumes[key]

    async def _list(self, request: web.Request) -> web.Response:
        self._due.happen()
        asked = ast.literal_eval(request.query.get("metadata", "{}")).items()
        found = [one for one in self.volumes.values() if asked <= one["metadata"].items()]
        return web.json_response({"volumes": found})

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({"volume": self._one(request)})

    async def _create(self, request: web.Request) -> web.Response:
        asked = (await request.json())["volume"]
        if asked["size"] > 1000:
            words = "VolumeSizeExceedsAvailableQuota: Requested volume exceeds allowed gigabytes quota."
            raise nova_refusal(413, words)
        return web.json_response({"volume": self.make(asked)}, status=202)

    def make(self, asked: Thing) -> Thing:
        made = {"metadata": {}, **asked, "id": str(uuid.uuid4()), "status": "creating", "attachments": []}
        made["created_at"] = now()[:-1]
        self.volumes[made["id"]] = made
        self._due.later(lambda: made["status"] == "creating" and made.update(status="available"))
        return made

    async def _act(self, request: web.Request) -> web.Response:
        volume, asked = self._one(request), await request.json()
        volume["size"] = asked["os-extend"]["new_size"]
        return web.Response(status=202)

    async def _delete(self, request: web.Request) -> web.Response:
        volume = self._one(request)
        if volume["status"] not in ("available", "error"):
            raise nova_refusal(400, "Invalid volume: Volume status must be available or error.")
        volume["status"] = "deleting"
        self._due.later(lambda: self.volumes.pop(volume["id"], None))
        return web.Response(status=202)


class Glance:
    """Holds images by id. While `held` is clear, nothing that is sent is taken."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.held.set()
        self.images: dict[str, Thing] = {}
        self.contents: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/images", self._list),
            web.get("/v2/images/{id}", self._show),
            web.post("/v2/images", self._create),
            web.patch("/v2/images/{id}", self._patch),
            web.put("/v2/images/{id}/file", self._upload),
            web.delete("/v2/images/{id}", self._delete),
        ]

    def _one(self, request: web.Request) -> Thing:
        key = request.match_info["id"]
        if key not in self.images:
            raise Refusal(404, {"message": f"No image found with ID {key}<br /><br />", "code": "404 Not Found"})
        return self.images[key]

    async def _list(self, request: web.Request) -> web.Response:
        suits = wanted(request, "name", "status", "fairlead_deployment")
        return web.json_response({"images": [image for image in self.images.values() if suits(image)]})

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._one(request))

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["id"] in self.images:
            raise Refusal(409, {"message": f"Image ID {asked['id']} already exists!", "code": "409 Conflict"})
        made = {**asked, "status": "queued", "created_at": now()}
        self.images[made["id"]] = made
        return web.json_response(made, status=201)

    async def _patch(self, request: web.Request) -> web.Response:
        if request.content_type != "application/openstack-images-v2.1-json-patch":
            raise Refusal(415, {"message": "Unsupported Content-Type", "code": "415 Unsupported Media Type"})
        image = self._one(request)
        for change in json.loads(await request.text()):
            image[change["path"].lstrip("/")] = change["value"]
        return web.json_response(image)

    async def _upload(self, request: web.Request) -> web.Response:
        image = self._one(request)
        await asyncio.to_thread(self.held.wait, 60)
        content = await request.read()
        image |= {"status": "active", "size": len(content), "os_hash_value": hashlib.sha512(content).hexdigest()}
        self.contents[image["id"]] = content
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        image = self._one(request)
        if image.get("protected"):
            raise Refusal(
                403, {"message": f"Image {image['id']} is protected and cannot be deleted.", "code": "403 Forbidden"}
            )
        del self.images[image["id"]]
        return web.Response(status=204)
