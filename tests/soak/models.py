"""The network functions that are soaked: a small one of busybox, made here, and the sample.

The small one is quick enough for some thousand operations in twenty minutes. Each instance has a package of its own, because two
networks of an engine cannot have the same subnet.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from pathlib import Path
from typing import Any

from tests.support.images import docker_archive
from tests.support.packages import VNFD, VNFD_ID, csar

__all__ = ["NETWORK", "TAKEN", "Model", "gateway", "small"]

NETWORK = "soak-outside"
"""The operator's network, to which every network function has one connection."""
TAKEN = "10.78.0.250"
"""An address on it that a container of somebody else's has."""
_GATEWAY_ID = "4b1f6c0e-6a7e-4f43-9d0c-2f5c7a1e8d10"
_META = """\
TOSCA-Meta-File-Version: 1.0
CSAR-Version: 1.1
Created-By: Soak
Entry-Definitions: Definitions/small.yaml
"""


class Model:
    """One network function to be operated. `least` and `most` are its numbers of scalable VNFCs, `fixed` the others."""

    def __init__(
        self, name: str, *, vnfd: str, package: Path, aspect: str, point: str, fixed: int, least: int, most: int
    ) -> None:
        self.name = name
        self.vnfd = vnfd
        self.package = package
        self.aspect = aspect
        self.fixed = fixed
        self.least = least
        self.most = most
        self._point = point

    def instantiate(self, address: str, level: str | None) -> dict[str, Any]:
        """The request to instantiate it with `address` on the operator's network."""
        addresses = [{"type": "IPV4", "fixedAddresses": [address]}]
        protocol = {"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"ipAddresses": addresses}}
        config = {"first": {"cpProtocolData": [protocol]}}
        points = [{"cpdId": self._point, "cpConfig": config}]
        link = {"id": "outside", "resourceId": NETWORK, "extCps": points}
        request: dict[str, Any] = {"flavourId": "simple", "extVirtualLinks": [link]}
        return request if level is None else {**request, "instantiationLevelId": level}


def small(number: int, directory: Path) -> Model:
    """The small network function, with a package of its own."""
    vnfd_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"soak/{number}"))
    with tempfile.TemporaryDirectory() as scratch:
        image = docker_archive(Path(scratch) / "image.tar", [f"soak-{number}:1"]).read_bytes()
    digest = hashlib.sha256(image).hexdigest()
    vnfd = VNFD.replace(VNFD_ID, vnfd_id).replace("10.9.0.0/24", f"10.79.{number}.0/24")
    vnfd = vnfd.replace("256 MiB", "64 MiB").replace(
        "size_of_storage: 1 GiB", "size_of_storage: 1 GiB\n          vdu_storage_requirements: { mount_path: /data }"
    )
    files = {
        "TOSCA-Metadata/TOSCA.meta": _META.encode(),
        "Definitions/small.yaml": vnfd.encode(),
        "Files/image.tar": image,
    }
    package = directory / f"small-{number}-{digest[:8]}.csar"
    package.write_bytes(csar(files))
    return Model(
        f"small-{number}",
        vnfd=vnfd_id,
        package=package,
        aspect="workers",
        point="gate_outside",
        fixed=1,
        least=1,
        most=4,
    )


def gateway(package: Path) -> Model:
    """The sample."""
    return Model(
        "edge-gateway",
        vnfd=_GATEWAY_ID,
        package=package,
        aspect="servers",
        point="router_external",
        fixed=3,
        least=2,
        most=6,
    )
