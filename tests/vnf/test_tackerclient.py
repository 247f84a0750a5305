"""`openstack vnflcm ...` as it is, in both versions of the interface, against a whole Fairlead on the simulated infrastructure."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.operations import OperationState
from tests.api.commands import Tacker
from tests.security.conftest import served
from tests.support.packages import VNFD_ID
from tests.support.running import OUTSIDE, PROJECT, Running
from tests.vnf.conftest import Start

PROTOCOL = [{"layerProtocol": "IP_OVER_ETHERNET", "ipOverEthernet": {"ipAddresses": []}}]
POINTS = {"1": [{"cpProtocolData": PROTOCOL}], "2": {"first": {"cpProtocolData": PROTOCOL}}}
CONNECTIONS = {"1": [{"id": "here", "vimId": "sim", "vimType": "simulated"}], "2": {"here": {"vimId": "sim"}}}


def request(version: str) -> dict[str, Any]:
    """A request to instantiate, as the version has it."""
    link = {"id": "outside", "resourceId": OUTSIDE, "extCps": [{"cpdId": "outside", "cpConfig": POINTS[version]}]}
    return {"flavourId": "simple", "extVirtualLinks": [link], "vimConnectionInfo": CONNECTIONS[version]}


async def settled(run: Running, operations: Tacker) -> str:
    """The id of the newest operation, once it is done."""
    rows = (await operations("ListVnfLcmOp"))["rows"]
    going = [row["ID"] for row in rows if row["Operation State"] not in ("COMPLETED", "ROLLED_BACK", "FAILED")]
    for id_ in going:
        await run.reached(id_, OperationState.COMPLETED)
    return str(going[-1])


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_life(start_small: Start, tmp_path: Path, version: str) -> None:
    async with start_small() as run, served(run.program) as url:
        await run.package()
        await run.program.identity.create_project(PROJECT)
        _, token = await run.program.identity.issue_token(PROJECT, "somebody", ["member"])
        vnfs = Tacker("v1.vnflcm.vnflcm", url, token, version)
        operations = Tacker("v1.vnflcm.vnflcm_op_occs", url, token, version)
        file = tmp_path / "instantiate.json"
        await asyncio.to_thread(file.write_text, json.dumps(request(version)), encoding="utf-8")
        made = await vnfs("CreateVnfLcm", VNFD_ID, "--name", "small")
        vnf = made["ID"]
        assert f"/vnflcm/v{version}/" in made["Links"].human_readable()

        await vnfs("InstantiateVnfLcm", vnf, str(file))
        shown = await operations("ShowVnfLcmOp", await settled(run, operations))
        assert (shown["Operation"], shown["Operation State"]) == ("INSTANTIATE", "COMPLETED")
        found = await vnfs("ShowVnfLcm", vnf)
        connections = json.loads(found["VIM Connection Info"].human_readable())
        assert isinstance(connections, list) is (version == "1")
        assert found["Instantiation State"] == "INSTANTIATED"
        assert "vnfcResourceInfo" in found["Instantiated Vnf Info"].human_readable()

        await vnfs("ScaleVnfLcm", vnf, "--type", "SCALE_OUT", "--aspect-id", "workers")
        await settled(run, operations)
        await vnfs("HealVnfLcm", vnf, "--cause", "a trial")
        await settled(run, operations)
        await asyncio.to_thread(file.write_text, json.dumps({"vnfInstanceName": "other"}), encoding="utf-8")
        await vnfs("UpdateVnfLcm", vnf, "--I", str(file))
        await settled(run, operations)
        (row,) = (await vnfs("ListVnfLcm"))["rows"]
        assert (row["ID"], row["VNF Instance Name"]) == (vnf, "other")

        await run.fault("delete", "refused", sort="compute")
        await vnfs("TerminateVnfLcm", vnf, "--termination-type", "FORCEFUL")
        (going,) = [one["ID"] for one in (await operations("ListVnfLcmOp"))["rows"] if one["Operation"] == "TERMINATE"]
        await run.reached(going, OperationState.FAILED_TEMP)
        await operations("RetryVnfLcmOp", going)
        await run.reached(going, OperationState.COMPLETED)
        await vnfs("DeleteVnfLcm", vnf)
        assert (await vnfs("ListVnfLcm"))["rows"] == []
        assert run.things("compute") == []
