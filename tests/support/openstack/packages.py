"""Network functions for an OpenStack, made from the small one of `tests.support.packages`.

`gate` has a connection outside and one inside, each `worker` one inside and a volume. With an image of their own they
start from a few random bytes, which is enough for hosts of Nova's fake driver; with `guest` they start from the cloud's
image of that name, without files and variables, which only guests with cloud-init understand.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping

from tests.support.packages import VNFD, VNFD_ID, csar

__all__ = ["POINT", "small_on_cloud"]

POINT = "gate_outside"
"""The connection point that a request gives a network."""
_FILES = """\
          kvp_data:
            data: { GREETING: canary-environment }
          content_or_file_data:
            content: "password=canary-file"
            destination_path: /etc/gate.conf
"""
_IMAGE = """\
          file: ../Files/image.tar
          properties: { name: small, version: "1.0", container_format: docker }
"""
_INSIDE = """\
    gate_inside:
      type: tosca.nodes.nfv.VduCp
      properties:
        layer_protocols: [ ipv4 ]
        order: 1
"""
_FIXED = """\
        protocol:
          - associated_layer_protocol: ipv4
            address_data:
              - address_type: ip_address
                l3_address_data:
                  fixed_ip_address: [ {address} ]
                  floating_ip_activated: false
                  ip_address_type: ipv4
                  number_of_ip_address: 1
"""
_WORKERS = "        vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 4 }\n"
_META = """\
TOSCA-Meta-File-Version: 1.0
CSAR-Version: 1.1
Created-By: Tests
Entry-Definitions: Definitions/small.yaml
"""


def small_on_cloud(
    *,
    cidr: str = "10.9.0.0/24",
    guest: str | None = None,
    user_data: Mapping[str, str] | None = None,
    gate: str | None = None,
    flavour: str | None = None,
    image_size: int = 2**16,
    source: str = VNFD,
) -> tuple[str, bytes]:
    """The id of the descriptor, and the package.

    `user_data` is what each VDU runs, by its name; `gate` the address of `gate` inside; `flavour` the one that workers
    ask for; `image_size` the bytes of the image; `source` the descriptor that it is made from.
    """
    vnfd_id = str(uuid.uuid4())
    vnfd = source.replace(VNFD_ID, vnfd_id).replace("cidr: 10.9.0.0/24", f"cidr: {cidr}").replace("256 MiB", "64 MiB")
    vnfd = vnfd.replace(_FILES, "".join(_content((user_data or {}).get("gate", "#!/bin/sh\ntrue\n"))))
    if flavour is not None:
        vnfd = vnfd.replace(_WORKERS, f"{_WORKERS}        nfvi_constraints: {{ openstack.flavour: {flavour} }}\n")
    if worker := (user_data or {}).get("worker"):
        vnfd = vnfd.replace(_WORKERS, f"{_WORKERS}        boot_data:\n{_content(worker)}")
    if gate is not None:
        vnfd = vnfd.replace(_INSIDE, f"{_INSIDE}{_FIXED.format(address=gate)}")
    file = f"          file: {guest or '../Files/image.raw'}\n"
    properties = '          properties: { name: small, version: "1.0", container_format: bare, disk_format: raw }\n'
    files = {
        "TOSCA-Metadata/TOSCA.meta": _META.encode(),
        "Definitions/small.yaml": vnfd.replace(_IMAGE, file + properties).encode(),
    }
    if guest is None:
        files["Files/image.raw"] = os.urandom(image_size)
    return vnfd_id, csar(files)


def _content(script: str) -> str:
    """Boot data that is the user data `script`."""
    lines = "".join(f"              {line}\n" for line in script.splitlines())
    return f"          content_or_file_data:\n            content: |\n{lines}"
