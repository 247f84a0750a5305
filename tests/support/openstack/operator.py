"""Who else works with a cloud: its administrator, and a member of a project beside Fairlead.

Calls are made one after the other and by hand, through no code of Fairlead's, and whatever is refused raises.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
import yaml
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

__all__ = ["Operator", "Project", "Refused", "cloud_entry", "until"]

_MICROVERSIONS = {"compute": "compute 2.64", "block-storage": "volume 3.42"}
_PREFIXES = {"network": "/v2.0", "image": "/v2"}
_ROLES = ("member", "heat_stack_owner", "creator")
_PATIENCE = 120.0


def cloud_entry() -> dict[str, Any]:
    """The administrator's entry of the cloud for tests; skips the test where there is none."""
    path, name = os.environ.get("OS_CLIENT_CONFIG_FILE"), os.environ.get("FAIRLEAD_TEST_CLOUD")
    if path is None or name is None:
        pytest.skip("OS_CLIENT_CONFIG_FILE and FAIRLEAD_TEST_CLOUD name no OpenStack")
    entry: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))["clouds"][name]
    return entry


class Refused(Exception):
    """The cloud did not do what was asked for."""

    def __init__(self, asked: str, status: int, words: str) -> None:
        super().__init__(f"{asked}: {status} {words}")
        self.status = status


class Operator:
    """One user in one project."""

    def __init__(self, auth: Mapping[str, str], region: str) -> None:
        self.auth = dict(auth)
        self.region = region
        values: dict[str, Any] = {**auth, "auth_url": _v3(auth["auth_url"])}
        self._session = Session(auth=v3.Password(**values), timeout=120)

    @classmethod
    def admin(cls) -> Self:
        """The cloud's administrator."""
        entry = cloud_entry()
        return cls(entry["auth"], entry["region_name"])

    @property
    def project(self) -> str:
        """The project's id."""
        return str(self._session.get_project_id())

    def token(self) -> str:
        """A token of the user's."""
        return str(self._session.get_token())

    def endpoint(self, service: str) -> str:
        """Where a service is, without a slash at the end."""
        url = self._session.get_endpoint(service_type=service, interface="public", region_name=self.region)
        return str(url).rstrip("/")

    def close(self) -> None:
        self._session.session.close()

    def call(self, method: str, service: str, path: str, body: Any = None, **query: Any) -> Any:
        """One call: its answer's JSON, or None. Raises Refused."""
        headers = {"OpenStack-API-Version": _MICROVERSIONS[service]} if service in _MICROVERSIONS else {}
        if (method, service) == ("PATCH", "image"):
            headers["Content-Type"] = "application/openstack-images-v2.1-json-patch"
        answer = self._session.request(
            _PREFIXES.get(service, "") + path,
            method,
            endpoint_filter={"service_type": service, "interface": "public", "region_name": self.region},
            headers={"Accept": "application/json", **headers},
            params=query,
            connect_retries=3,
            raise_exc=False,
            **({} if body is None else {"json": body}),
        )
        if answer.status_code >= 400:
            raise Refused(f"{method} {service} {path}", answer.status_code, answer.text[:500])
        return answer.json() if "json" in answer.headers.get("Content-Type", "") and answer.content else None

    def get(self, service: str, path: str, **query: Any) -> Any:
        return self.call("GET", service, path, **query)

    def there(self, service: str, path: str) -> bool:
        """Whether there is such a thing."""
        try:
            self.get(service, path)
        except Refused as error:
            if error.status != 404:
                raise
            return False
        return True

    def delete(self, service: str, path: str) -> None:
        """Delete it; what is gone is fine."""
        try:
            self.call("DELETE", service, path)
        except Refused as error:
            if error.status != 404:
                raise

    def stacks(self) -> list[dict[str, Any]]:
        """The project's stacks. Heat shows an administrator those of others, too, and names projects to nobody else."""
        project = self.project
        found = self.get("orchestration", "/stacks")["stacks"]
        return [
            one for one in found if one.get("project", project) == project and one["stack_status"] != "DELETE_COMPLETE"
        ]

    # -- servers -----------------------------------------------------------------------------------------------------

    def server(self, server: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get("compute", f"/servers/{server}")["server"]
        return found

    def console(self, server: str) -> str:
        """What it has printed."""
        body = {"os-getConsoleOutput": {"length": 400}}
        return str(self.call("POST", "compute", f"/servers/{server}/action", body)["output"])

    def remove_server(self, server: str) -> None:
        """Delete it, and wait until it is gone."""
        self.delete("compute", f"/servers/{server}")
        until(lambda: not self.there("compute", f"/servers/{server}"), f"server {server} is gone")

    def remove_image(self, image: str) -> None:
        """Delete it, though it be protected."""
        freed = [{"op": "replace", "path": "/protected", "value": False}]
        self.call("PATCH", "image", f"/images/{image}", freed)
        self.delete("image", f"/images/{image}")

    # -- networks ----------------------------------------------------------------------------------------------------

    def network(self, name: str, cidr: str) -> str:
        """A network of the operator's, without a DHCP server."""
        made = self.call("POST", "network", "/networks", {"network": {"name": name, "port_security_enabled": False}})
        network = str(made["network"]["id"])
        subnet = {"network_id": network, "cidr": cidr, "ip_version": 4, "gateway_ip": None, "enable_dhcp": False}
        self.call("POST", "network", "/subnets", {"subnet": subnet})
        return network

    def port(self, network: str, address: str | None = None) -> str:
        """A port of the operator's."""
        body: dict[str, Any] = {"network_id": network}
        if address is not None:
            body["fixed_ips"] = [{"ip_address": address}]
        return str(self.call("POST", "network", "/ports", {"port": body})["port"]["id"])


class Project:
    """A Keystone project of its own, with a user of its own in it, who may have a further role. `admin` makes and removes it,
    and sets its quotas."""

    def __init__(self, admin: Operator, name: str, *, role: str = "member") -> None:
        self.admin = admin
        self.name = f"{name}-{uuid.uuid4().hex[:8]}"
        made = admin.call("POST", "identity", "/projects", {"project": {"name": self.name, "domain_id": "default"}})
        self.id = str(made["project"]["id"])
        password = uuid.uuid4().hex
        user = {"name": self.name, "password": password, "domain_id": "default"}
        self.user = str(admin.call("POST", "identity", "/users", {"user": user})["user"]["id"])
        for each in {*_ROLES, role}:
            found = admin.get("identity", "/roles", name=each)["roles"][0]["id"]
            admin.call("PUT", "identity", f"/projects/{self.id}/users/{self.user}/roles/{found}")
        auth = {**admin.auth, "username": self.name, "password": password, "project_name": self.name}
        self.member = Operator(auth, admin.region)
        self.quota("compute", instances=60, cores=200, ram=100_000)
        self.quota("block-storage", volumes=60, gigabytes=200)

    def quota(self, service: str, **limits: int) -> None:
        """Set limits of a service for this project."""
        if service == "network":
            self.admin.call("PUT", "network", f"/quotas/{self.id}", {"quota": limits})
            return
        force = {"force": True} if service == "compute" else {}
        self.admin.call("PUT", service, f"/os-quota-sets/{self.id}", {"quota_set": {**limits, **force}})

    def revoke_tokens(self) -> None:
        """Make all tokens of the member invalid: Keystone does when a password is set, be it the same."""
        password = self.member.auth["password"]
        self.admin.call("PATCH", "identity", f"/users/{self.user}", {"user": {"password": password}})

    def remove(self) -> None:
        """Remove it with all that is in it."""
        member, admin = self.member, self.admin
        for seen in member.stacks():
            member.delete("orchestration", f"/stacks/{seen['stack_name']}/{seen['id']}")
        until(lambda: not member.stacks(), "the project's stacks are gone")
        servers = member.get("compute", "/servers")["servers"]
        for seen in servers:
            member.delete("compute", f"/servers/{seen['id']}")
        until(lambda: not member.get("compute", "/servers")["servers"], "the project's servers are gone")
        self._remove_ways()
        for service, kind in (("network", "ports"), ("network", "networks"), ("block-storage", "volumes")):
            for seen in member.get(service, f"/{kind}", **({"project_id": self.id} if service == "network" else {}))[
                kind
            ]:
                if not str(seen.get("device_owner", "")).startswith("network:"):
                    member.delete(service, f"/{kind}/{seen['id']}")
        for seen in member.get("image", "/images", owner=self.id)["images"]:
            member.remove_image(seen["id"])
        for seen in member.get("compute", "/os-server-groups")["server_groups"]:
            member.delete("compute", f"/os-server-groups/{seen['id']}")
        until(lambda: not member.get("block-storage", "/volumes")["volumes"], "the project's volumes are gone")
        for seen in admin.get("network", "/security-groups", project_id=self.id)["security_groups"]:
            admin.delete("network", f"/security-groups/{seen['id']}")
        member.close()
        admin.delete("identity", f"/users/{self.user}")
        admin.delete("identity", f"/projects/{self.id}")

    def _remove_ways(self) -> None:
        """Floating IPs, trunks and routers, which hold ports and networks."""
        member = self.member
        for kind in ("floatingips", "trunks"):
            for seen in member.get("network", f"/{kind}", project_id=self.id)[kind]:
                member.delete("network", f"/{kind}/{seen['id']}")
        for router in member.get("network", "/routers", project_id=self.id)["routers"]:
            for port in member.get("network", "/ports", device_id=router["id"])["ports"]:
                body = {"port_id": port["id"]}
                member.call("PUT", "network", f"/routers/{router['id']}/remove_router_interface", body)
            member.delete("network", f"/routers/{router['id']}")


def until(condition: Callable[[], object], what: str, patience: float = _PATIENCE) -> None:
    """Look until it is so. Raises TimeoutError after `patience` seconds."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not so after {patience:g} s: {what}")
        time.sleep(0.3)


def _v3(url: str) -> str:
    plain = url.rstrip("/")
    return plain if plain.endswith("/v3") else f"{plain}/v3"
