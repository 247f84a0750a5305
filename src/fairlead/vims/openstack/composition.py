"""What Nova is asked for when a server is made; pure."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from fairlead.errors import VimRefused
from fairlead.resources import Attachment, ComputeSpec, Tag, known
from fairlead.vims.openstack.flavours import Size
from fairlead.vims.openstack.rules import boot_volume
from fairlead.vims.openstack.settings import Settings
from fairlead.vims.openstack.tags import BOOT, POWER, deployment_word, incarnation_word, metadata_of, readable
from fairlead.vims.openstack.userdata import user_data_of

__all__ = [
    "FLAVOUR",
    "boot_mark",
    "check",
    "data_volumes",
    "flavour_name",
    "rebuild_body",
    "server_body",
    "size_of",
    "sized",
]

FLAVOUR = "openstack.flavour"
_SPEC = "openstack.extra_spec."


def check(spec: ComputeSpec) -> None:
    """Raises VimRefused for what Nova has no words for."""
    for key in spec.constraints:
        if key.startswith("openstack.") and key != FLAVOUR and not key.startswith(_SPEC):
            raise VimRefused(
                f"The constraint '{key}' is none that is known here.",
                code="constraint-not-supported",
                cause=key,
                remedy=f"Use {FLAVOUR}, or {_SPEC}<name>.",
            )
    if len(spec.groups) > 1:
        raise VimRefused(
            f"'{spec.label}' is to be in {len(spec.groups)} server groups, and Nova puts a server into one.",
            code="several-server-groups",
            cause=", ".join(str(group) for group in spec.groups),
            remedy="Bind one placement rule to the VDU.",
        )
    if spec.image is None and not spec.volumes:
        raise VimRefused(
            f"'{spec.label}' has neither an image nor a volume to start from.",
            code="nothing-to-start-from",
            cause="no image, no volumes",
            remedy="Give the VDU a software image, or a block storage with one.",
        )


def flavour_name(spec: ComputeSpec) -> str | None:
    """The flavour that is named for it, by the request or the VNFD."""
    return spec.flavour if isinstance(spec.flavour, str) else spec.constraints.get(FLAVOUR)


def size_of(spec: ComputeSpec) -> Size:
    """What a flavour has to hold. A server that starts from an image needs a disk of its own."""
    return sized(spec.cpus, spec.memory, spec.disk, spec.constraints, from_image=spec.image is not None)


def sized(cpus: float, memory: int, disk: int, constraints: Mapping[str, str], *, from_image: bool) -> Size:
    """The same of a machine that is not a spec: cores and bytes."""
    specs = {key.removeprefix(_SPEC): value for key, value in constraints.items() if key.startswith(_SPEC)}
    least = 1 if from_image else 0
    return Size(max(math.ceil(cpus), 1), math.ceil(memory / 2**20), max(math.ceil(disk / 2**30), least), specs)


def data_volumes(spec: ComputeSpec) -> tuple[Attachment, ...]:
    """The volumes that can be plugged and unplugged."""
    return spec.volumes if boot_volume(spec) is None else spec.volumes[1:]


def server_body(spec: ComputeSpec, tag: Tag, flavour: str, settings: Settings) -> dict[str, Any]:
    """The body of the creation (Compute API, `POST /servers`)."""
    metadata = {**spec.metadata, **metadata_of(tag)}
    if spec.image is not None:
        metadata[BOOT] = boot_mark(spec)
    if spec.power == "off":
        metadata[POWER] = "off"
    server: dict[str, Any] = {
        "name": readable(spec.label),
        "flavorRef": flavour,
        "networks": [{"port": known(port)} for port in spec.ports] or "none",
        "metadata": metadata,
        "tags": [incarnation_word(tag.incarnation), deployment_word(tag.deployment)],
        "config_drive": settings.config_drive,
    }
    if spec.image is not None:
        server["imageRef"] = known(spec.image)
    optional: Mapping[str, Any] = {
        "user_data": user_data_of(spec),
        "availability_zone": spec.zone if isinstance(spec.zone, str) else settings.zone,
        "key_name": spec.key or settings.key,
        "block_device_mapping_v2": _mapping(spec),
    }
    server |= {key: value for key, value in optional.items() if value}
    body: dict[str, Any] = {"server": server}
    if spec.groups:
        body["os:scheduler_hints"] = {"group": known(spec.groups[0])}
    return body


def boot_mark(spec: ComputeSpec) -> str:
    """A digest of all that a server is built from, in a form of its own: were it that of a call's body, it would change with the
    code or the VIM's settings, and servers would be built anew for nothing."""
    files = [[file.path, known(file.content), file.mode] for file in spec.files]
    environment = sorted([name, known(value)] for name, value in spec.environment.items())
    plain = [None if value is None else known(value) for value in (spec.image, spec.user_data, spec.key)]
    return hashlib.sha256(json.dumps([*plain, files, environment]).encode()).hexdigest()[:16]


def rebuild_body(spec: ComputeSpec, metadata: Mapping[str, str], settings: Settings) -> dict[str, Any]:
    """The body of an action that builds a server anew where it is; `metadata` is what it has."""
    return {
        "rebuild": {
            "imageRef": known(spec.image),
            "metadata": {**metadata, BOOT: boot_mark(spec)},
            "user_data": user_data_of(spec),
            "key_name": spec.key or settings.key,
        }
    }


def _mapping(spec: ComputeSpec) -> list[dict[str, Any]]:
    """All disks, once there is one beside the image's; volumes are resources of their own and outlive the server."""
    if not spec.volumes:
        return []
    devices: list[dict[str, Any]] = []
    if spec.image is not None:
        devices.append(
            {
                "uuid": known(spec.image),
                "source_type": "image",
                "destination_type": "local",
                "boot_index": 0,
                "delete_on_termination": True,
            }
        )
    for attached in spec.volumes:
        device = {
            "uuid": known(attached.volume),
            "source_type": "volume",
            "destination_type": "volume",
            "boot_index": -1 if devices else 0,
            "delete_on_termination": False,
        }
        if attached.at is not None and re.fullmatch(r"/dev/[a-z]+", attached.at):
            device["device_name"] = attached.at
        devices.append(device)
    return devices
