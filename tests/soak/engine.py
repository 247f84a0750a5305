"""The container engine as somebody else sees it, who may look at everything and do harm."""

from __future__ import annotations

import time
from typing import Any

import httpx

from fairlead.vims.containers.labels import tag_of, tag_of_image
from tests.support.thing import Thing

__all__ = ["Engine", "Thing"]

_TRIES = 20


class Engine:
    """One engine at `unix://` or `tcp://`."""

    def __init__(self, address: str) -> None:
        socket = address.removeprefix("unix://") if address.startswith("unix://") else None
        transport = httpx.HTTPTransport(uds=socket, retries=2)
        base = "http://engine" if socket else address.replace("tcp://", "http://")
        self._http = httpx.Client(transport=transport, base_url=f"{base}/v1.41", timeout=120.0)

    def close(self) -> None:
        self._http.close()

    def things(self) -> list[Thing]:
        """Everything of any deployment of Fairlead's."""
        found = [
            self._thing("compute", seen["Id"], seen.get("Labels"), running=seen["State"] == "running")
            for seen in self._get("/containers/json", all="1")
        ]
        found += [self._thing("network", seen["Id"], seen.get("Labels")) for seen in self._get("/networks")]
        volumes = self._get("/volumes").get("Volumes") or ()
        found += [self._thing("volume", seen["Name"], seen.get("Labels")) for seen in volumes]
        references = {name for seen in self._get("/images/json") for name in seen.get("RepoTags") or ()}
        for reference in sorted(references):
            if (tag := tag_of_image(reference)) is not None:
                found.append(Thing("image", reference, tag.deployment, tag.owner, tag.name, tag.incarnation))
        return [thing for thing in found if thing is not None]

    def _thing(self, sort: str, handle: str, labels: Any, *, running: bool = True) -> Thing | None:
        tag = tag_of(labels)
        if tag is None:
            return None
        return Thing(sort, handle, tag.deployment, tag.owner, tag.name, tag.incarnation, running)

    # -- harm --------------------------------------------------------------------------------------------------------

    def kill(self, container: str) -> None:
        """Kill a container's first process; what is not there or does not run is fine."""
        self._http.post(f"/containers/{container}/kill")

    def remove(self, container: str) -> None:
        """Remove a container, running or not."""
        self._http.delete(f"/containers/{container}", params={"force": "1"})

    # -- somebody else's network and container -------------------------------------------------------------------------

    def occupy(self, network: str, subnet: str, address: str, image: bytes, reference: str) -> None:
        """A network with one container on it that has `address`."""
        self._http.post("/images/load", content=image, headers={"Content-Type": "application/x-tar"}).raise_for_status()
        pool = {"Subnet": subnet}
        self._post("/networks/create", {"Name": network, "Internal": True, "IPAM": {"Config": [pool]}})
        limits = [{"Name": name, "Soft": 4096, "Hard": 4096} for name in ("nofile", "nproc")]
        endpoint = {"IPAMConfig": {"IPv4Address": address}}
        body = {
            "Image": reference,
            "HostConfig": {"NetworkMode": network, "Ulimits": limits},
            "NetworkingConfig": {"EndpointsConfig": {network: endpoint}},
        }
        made = self._post("/containers/create", body, name=f"{network}-holder")
        self._post(f"/containers/{made['Id']}/start", None)

    def vacate(self, network: str, reference: str) -> None:
        """Take away what `occupy` made."""
        self.remove(f"{network}-holder")
        self._http.delete(f"/networks/{network}")
        self._http.delete(f"/images/{reference}", params={"force": "1"})

    def _get(self, path: str, **params: str) -> Any:
        answer = self._http.get(path, params=params)
        for _ in range(_TRIES):
            # An engine that lists while something is being removed may find it gone half-way, and answers with 500.
            if answer.status_code < 500:
                break
            time.sleep(0.1)
            answer = self._http.get(path, params=params)
        return answer.raise_for_status().json()

    def _post(self, path: str, body: Any, **params: str) -> Any:
        answer = self._http.post(path, json=body, params=params).raise_for_status()
        return answer.json() if answer.content else None
