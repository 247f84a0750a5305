"""The packages of Tacker's functional tests as they are, with the guest of the cloud in place of their images, and what those
tests ask for.

What was left out of the packages here is put in: the image, and a script that does nothing. Descriptors get ids of their own.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

from tests.descriptors.samples import PACKAGES
from tests.support.packages import csar

__all__ = ["external_links", "tacker_package"]

_IMAGE = "Files/images/cirros-0.5.2-x86_64-disk.img"
_HASH = "932fcae93574e242dc3d772d5235061747dfe537668443a1f0567d893614b464"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def tacker_package(name: str, image: bytes, *, changes: Mapping[str, str] | None = None) -> tuple[str, bytes]:
    """The descriptor's id and the package `tacker-<name>` with `image`, a qcow2.

    `changes` are words and what stands in their place, in all files.
    """
    root = PACKAGES / f"tacker-{name}"
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    types = next(content.decode() for path, content in files.items() if path.endswith("_types.yaml") and "v2_" in path)
    found = _ID.search(types)
    assert found is not None
    vnfd_id = str(uuid.uuid4())
    words = {
        found.group(): vnfd_id,
        _HASH: hashlib.sha256(image).hexdigest(),
        "min_ram: 256 MB": "min_ram: 64 MB",
        "name: cirros-0.5.2-x86_64-disk": "name: nfv-tiny",
        **(changes or {}),
    }
    for path, content in files.items():
        if path.endswith(".yaml") and "etsi" not in path:
            text = content.decode()
            for old, new in words.items():
                text = text.replace(old, new)
            files[path] = text.encode()
    return vnfd_id, csar({**files, _IMAGE: image, "Scripts/sample_script.py": b"pass\n"})


def external_links(
    first: tuple[str, str],
    second: tuple[str, str],
    *,
    ports: tuple[str, ...] = (),
    fixed: str | None = None,
    small: bool = False,
) -> list[dict[str, Any]]:
    """The external links of the largest of those requests: two networks, each with its subnet.

    With `ports`, which exist already, VDU2's first two connection points are those; `fixed` is an address of VDU2 on the
    second network. A `small` package has one connection point outside for each VDU.
    """
    dynamic = {"type": "IPV4", "numDynamicAddresses": 1}
    one = [_point("VDU1_CP1", {**dynamic, "subnetId": first[1]})]
    if small:
        one.append(_point("VDU2_CP1", {**dynamic, "subnetId": first[1]}))
        return [{"id": "outside-1", "resourceId": first[0], "extCps": one}]
    for number in range(len(ports)):
        config = {"linkPortId": f"port-{number}"}
        one.append({"cpdId": f"VDU2_CP1-{number + 1}", "cpConfig": {f"VDU2_CP1-{number + 1}": config}})
    two = [_point("VDU1_CP2", {**dynamic, "subnetId": second[1]})]
    if fixed is not None:
        address = {"type": "IPV4", "fixedAddresses": [fixed], "subnetId": second[1]}
        two.append(_point("VDU2_CP2", address, {**dynamic, "subnetId": second[1]}))
    existing = [{"id": f"port-{number}", "resourceHandle": {"resourceId": port}} for number, port in enumerate(ports)]
    return [
        {"id": "outside-1", "resourceId": first[0], "extCps": one, **({"extLinkPorts": existing} if existing else {})},
        {"id": "outside-2", "resourceId": second[0], "extCps": two},
    ]


def _point(cpd: str, *addresses: dict[str, Any]) -> dict[str, Any]:
    protocol = {"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"ipAddresses": list(addresses)}}
    return {"cpdId": cpd, "cpConfig": {cpd: {"cpProtocolData": [protocol]}}}
