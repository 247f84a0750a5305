"""`fairlead serve` as a process, with an OpenStack as its VIM, and an operation of it seen to its end."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairlead.client import Client, Document
from tests.support.openstack.comparing import compare
from tests.support.openstack.operator import Operator
from tests.support.openstack.packages import POINT
from tests.support.rows import Rows
from tests.support.serving import Process

__all__ = ["Deployed", "Instance", "registration"]

_PATIENCE = 240.0
"""Seconds for an operation to come to rest."""


def registration(member: Operator, *, zone: str | None = "fake", **settings: Any) -> dict[str, Any]:
    """The document that registers the cloud as `member` sees it."""
    credentials = {key: value for key, value in member.auth.items() if key != "auth_url"}
    return {
        "name": "cloud",
        "type": "openstack",
        "default": True,
        "interface": {"auth_url": member.auth["auth_url"], "region": member.region},
        "credentials": credentials,
        "settings": {**({"zone": zone} if zone else {}), **settings},
    }


class Deployed:
    """One Fairlead, with SQLite in `data`, and what it has in the project of `member`."""

    def __init__(self, data: Path, member: Operator, *, zone: str | None = "fake", **settings: Any) -> None:
        self.member = member
        self.process = Process("serve", data)
        self.process.start()
        self.rows = Rows(f"sqlite:///{data / 'fairlead.db'}")
        self.client = Client(self.process.url, token=self.process.token)
        self.vim = self.client.vims.register(registration(member, zone=zone, **settings))["id"]
        self.known: set[str] = set()
        """What the operator has in the project."""
        self.packages: list[str] = []

    def onboard(self, vnfd: str, content: bytes) -> str:
        """Onboard a package; its descriptor's id."""
        made = self.client.packages.create({})
        self.client.packages.upload(made["id"], io.BytesIO(content), size=len(content))
        done = self.client.packages.wait(made["id"], timeout=60)
        assert done["onboardingState"] == "ONBOARDED", done
        self.packages.append(str(made["id"]))
        return vnfd

    def create(self, vnfd: str, outside: str, name: str = "vnf") -> Instance:
        """An instance, whose connection point outside will be on the network `outside`."""
        made = self.client.vnfs.create({"vnfdId": vnfd, "vnfInstanceName": name})
        return Instance(self, str(made["id"]), outside)

    def restart(self) -> None:
        """Kill it as a crash does, and start it again."""
        self.process.kill()
        self.process.start()

    def close(self) -> None:
        """End it. What it has left in the cloud stays."""
        self.client.close()
        self.rows.close()
        self.process.stop()


class Instance:
    """One instance of a network function."""

    def __init__(self, deployed: Deployed, id_: str, outside: str) -> None:
        self.deployed = deployed
        self.id = id_
        self.patience = _PATIENCE
        self._outside = outside

    @property
    def _client(self) -> Client:
        return self.deployed.client

    # -- operations --------------------------------------------------------------------------------------------------

    def begin(self, kind: str, request: Mapping[str, Any] | None = None) -> str:
        """Begin an operation; its id."""
        return self._client.vnfs.begin(self.id, kind, self.request(kind) if request is None else request)

    def request(self, kind: str) -> dict[str, Any]:
        """What is asked for where a test does not say."""
        link = {"id": "outside", "resourceId": self._outside, "extCps": [{"cpdId": POINT, "cpConfig": {"one": {}}}]}
        requests: dict[str, dict[str, Any]] = {
            "instantiate": {"flavourId": "simple", "extVirtualLinks": [link]},
            "scale": {"type": "SCALE_OUT", "aspectId": "workers", "numberOfSteps": 1},
            "heal": {},
            "operate": {"changeStateTo": "STOPPED", "stopType": "FORCEFUL"},
            "terminate": {"terminationType": "FORCEFUL"},
        }
        return requests[kind]

    def rest(self, operation: str, patience: float | None = None) -> Document:
        """The operation once nothing happens to it by itself."""
        return self._client.operations.wait(operation, timeout=patience or self.patience)

    def do(self, kind: str, request: Mapping[str, Any] | None = None) -> Document:
        """Do it, and fail the test unless it is done and cloud and records agree."""
        done = self.rest(self.begin(kind, request))
        assert done["operationState"] == "COMPLETED", done
        self.agree()
        return done

    def fail(self, kind: str, request: Mapping[str, Any] | None = None) -> Document:
        """Do it, and fail the test unless it stops; the operation."""
        done = self.rest(self.begin(kind, request))
        assert done["operationState"] == "FAILED_TEMP", done
        return done

    def roll_back(self, operation: str) -> None:
        """Roll it back, and fail the test unless that is done and cloud and records agree."""
        self._client.operations.rollback(operation)
        done = self.rest(operation)
        assert done["operationState"] == "ROLLED_BACK", done
        self.agree()

    def retry(self, operation: str) -> None:
        """Retry it, and fail the test unless it is done and cloud and records agree."""
        self._client.operations.retry(operation)
        done = self.rest(operation)
        assert done["operationState"] == "COMPLETED", done
        self.agree()

    def until_steps(self, operation: str, number: int) -> int:
        """Return once so many of its steps have begun, or all that there are; how many there are in the plan by then."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            began = len(self._client.operations.timeline(operation)["steps"])
            if began >= number or self._client.operations.show(operation)["operationState"] not in _GOING:
                return began
            time.sleep(0.02)
        raise TimeoutError(f"{number} steps of {operation} have not begun")

    def interrupt(self, operation: str) -> None:
        """Kill Fairlead, start it again, and fail the test unless this operation was under way and is done then."""
        self.deployed.process.kill()
        running = self.deployed.rows.running()
        self.deployed.process.start()
        assert running == [operation], f"{operation} had ended before Fairlead did"
        done = self.rest(operation)
        assert done["operationState"] == "COMPLETED", done

    # -- what there is -----------------------------------------------------------------------------------------------

    def show(self) -> Document:
        return self._client.vnfs.show(self.id)

    def vnfcs(self, vdu: str) -> dict[str, str]:
        """The VNFCs of a VDU: their servers by their ids."""
        found = self.show().get("instantiatedVnfInfo", {}).get("vnfcResourceInfo", ())
        return {one["id"]: one["computeResource"]["resourceId"] for one in found if one["vduId"] == vdu}

    def agree(self) -> None:
        """Fail the test unless all that is recorded is there as recorded, and nothing else is."""
        wrong = compare(self.deployed.rows, self.deployed.member, self.deployed.known, self.id)
        assert not wrong, "\n".join(wrong)

    def finish(self) -> None:
        """Terminate and delete it, and fail the test unless nothing is left of it."""
        if self.show()["instantiationState"] == "INSTANTIATED":
            self.do("terminate")
        self.agree()
        assert not self.deployed.rows.of(self.id)
        self._client.vnfs.delete(self.id)


_GOING = ("STARTING", "PROCESSING", "ROLLING_BACK")
