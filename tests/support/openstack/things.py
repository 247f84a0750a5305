"""Everything that there is in a project of an OpenStack, marked by Fairlead or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fairlead.resources import Tag
from fairlead.vims.openstack.tags import tag_in, tag_of_line, tag_of_stack
from tests.support.openstack.operator import Operator
from tests.support.thing import Thing

__all__ = ["things_of"]


_DESCRIBED = {
    "security-group": "/security-groups",
    "qos": "/qos/policies",
    "router": "/routers",
    "floating-ip": "/floatingips",
    "trunk": "/trunks",
}
"""What Neutron has beside networks and ports, by sort."""


def things_of(member: Operator, *, but: Collection[str] = ()) -> list[Thing]:
    """All that a project can have of what Fairlead makes, but those with the ids in `but`."""
    project = member.project
    found = [
        _thing("compute", seen, tag_in(seen["metadata"]), running=seen["status"] == "ACTIVE")
        for seen in member.get("compute", "/servers/detail")["servers"]
    ]
    for sort in ("network", "port"):
        found += [
            _thing(sort, seen, tag_of_line(seen["description"]))
            for seen in member.get("network", f"/{sort}s", project_id=project)[f"{sort}s"]
            if not str(seen.get("device_owner", "")).startswith("network:")  # Neutron's own, which go with the network
        ]
    for sort, path in _DESCRIBED.items():
        seen_of_sort = member.get("network", path, project_id=project)[path.rpartition("/")[2].replace("-", "_")]
        usual = {"default"} if sort == "security-group" else set()  # each project has one from the beginning
        found += [
            _thing(sort, seen, tag_of_line(seen["description"]))
            for seen in seen_of_sort
            if seen.get("name") not in usual
        ]
    volumes = member.get("block-storage", "/volumes/detail")["volumes"]
    found += [_thing("volume", seen, tag_in(seen["metadata"])) for seen in volumes]
    images = member.get("image", "/images", owner=project, limit=500)["images"]
    found += [_thing("image", seen, tag_in(seen)) for seen in images]
    groups = member.get("compute", "/os-server-groups")["server_groups"]
    found += [_thing("affinity-group", seen, tag_of_line(seen["name"])) for seen in groups]
    found += [_stack(seen) for seen in member.stacks()]
    return [thing for thing in found if thing.handle not in but]


def _stack(seen: Mapping[str, Any]) -> Thing:
    words = seen.get("tags") or ()
    deployment = next((word.removeprefix("fairlead-d-") for word in words if word.startswith("fairlead-d-")), "")
    named = {"id": f"{seen['stack_name']}/{seen['id']}", "name": seen["stack_name"]}
    return _thing("stack", named, tag_of_stack(words, deployment))


def _thing(sort: str, seen: Mapping[str, Any], tag: Tag | None, *, running: bool = True) -> Thing:
    """What carries no mark belongs to nobody, and has its own name."""
    if tag is None:
        return Thing(sort, seen["id"], "", "", str(seen.get("name")), "", running)
    return Thing(sort, seen["id"], tag.deployment, tag.owner, tag.name, tag.incarnation, running)
