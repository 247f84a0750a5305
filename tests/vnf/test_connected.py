"""A VNF that is connected in all ways: its life on a simulated VIM, and what users see of it."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import Unprocessable
from fairlead.operations import OperationState
from fairlead.sol import HealVnfRequest, document
from tests.support.connecting import CONNECTED
from tests.support.packages import small_package
from tests.support.running import PROJECT, Running, instantiate_request
from tests.vnf.cases import SCALE_IN, SCALE_OUT, TERMINATE
from tests.vnf.conftest import Start
from tests.vnf.test_zones import SOURCE

HEAL = HealVnfRequest(vnfc_instance_id=("worker-k1",))


async def connected(run: Running) -> str:
    await run.package(small_package(CONNECTED))
    return await run.instantiated(level="least")


async def info(run: Running, vnf: str) -> dict[str, Any]:
    found: dict[str, Any] = document((await run.program.vnfs.show(PROJECT, vnf))[0])["instantiatedVnfInfo"]
    return found


def points(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The connection points of the first worker, by their descriptors."""
    (worker,) = (one for one in shown["vnfcResourceInfo"] if one["metadata"]["vnfcInfoId"] == "worker-k1")
    return {point["cpdId"]: point for point in worker["vnfcCpInfo"]}


async def test_users_see_floating_addresses_shared_addresses_and_what_a_port_carries(start_small: Start) -> None:
    async with start_small() as run:
        shown = await info(run, await connected(run))
        mine = points(shown)
        (floating,) = run.things("floating-ip")
        assert mine["worker_inside"]["metadata"] == {"floatingIpAddress": floating.outputs["address"]}
        assert mine["worker_vlan"]["parentCpId"] == mine["worker_inside"]["id"]
        (shared,) = shown["vipCpInfo"]
        assert (shared["cpdId"], tuple(shared["associatedVnfcCpIds"])) == ("shared", (mine["worker_inside"]["id"],))
        (link,) = (one for one in shown["vnfVirtualLinkResourceInfo"] if one["vnfVirtualLinkDescId"] == "inside")
        ports = link["vnfLinkPorts"]
        assert [port["vipCpInstanceId"] for port in ports if "vipCpInstanceId" in port] == [shared["cpInstanceId"]]
        assert len(ports) == 3


async def test_a_healed_machine_keeps_its_floating_address_its_trunk_and_its_share_of_an_address(
    start_small: Start,
) -> None:
    async with start_small() as run:
        vnf = await connected(run)
        before = run.picture(), points(await info(run, vnf))
        (old,) = (thing.handle for thing in run.things("compute") if thing.tag["name"] == "worker/k1")
        await run.do(vnf, "heal", HEAL)
        (new,) = (thing.handle for thing in run.things("compute") if thing.tag["name"] == "worker/k1")
        assert old != new
        assert (run.picture(), points(await info(run, vnf))) == before


async def test_scaling_out_and_in_makes_and_ends_what_a_member_has_for_itself(start_small: Start) -> None:
    async with start_small() as run:
        vnf = await connected(run)
        before = run.picture()
        await run.do(vnf, "scale", SCALE_OUT)
        assert run.names("floating-ip") == [f"floating-ip/worker/k{key}/worker_inside" for key in (1, 2)]
        assert run.names("trunk") == [f"worker/k{key}/worker_inside/trunk" for key in (1, 2)]
        assert run.names("router") == ["router/inside"]
        await run.do(vnf, "scale", SCALE_IN)
        assert run.picture() == before
        await run.do(vnf, "terminate", TERMINATE)
        assert run.things() == []


@pytest.mark.parametrize("sort", ["router", "floating-ip", "trunk", "security-group", "port"])
async def test_a_refusal_of_any_of_it_is_rolled_back_and_nothing_stays(start_small: Start, sort: str) -> None:
    async with start_small() as run:
        await run.package(small_package(CONNECTED))
        vnf = await run.vnf()
        await run.fault("create", "refused", sort=sort)
        operation = await run.begin(vnf, "instantiate", instantiate_request(level="least"))
        stopped = await run.stopped(operation)
        assert stopped.state is OperationState.FAILED_TEMP
        await run.program.occurrences.rollback(PROJECT, operation)
        await run.reached(operation, OperationState.ROLLED_BACK)
        assert run.things() == []


async def test_members_that_are_to_be_apart_get_zones_and_keep_them(start_small: Start) -> None:
    async with start_small() as run:
        await run.behave(zones=["north", "south"])
        await run.package(small_package(SOURCE))
        vnf = await run.instantiated(level="more")
        assert zones(run) == {"gate/k1": None, "worker/k1": "north", "worker/k2": "south"}
        await run.do(vnf, "scale", SCALE_IN)
        await run.do(vnf, "scale", SCALE_OUT)
        assert zones(run) == {"gate/k1": None, "worker/k1": "north", "worker/k3": "south"}
        await run.do(vnf, "heal", HEAL)
        assert zones(run)["worker/k1"] == "north"
        with pytest.raises(Unprocessable) as refused:
            await run.begin(vnf, "scale", SCALE_OUT)
        assert refused.value.code == "not-enough-zones"
        await run.behave(zones=["east", "north", "south"])
        await run.do(vnf, "scale", SCALE_OUT)
        assert zones(run)["worker/k4"] == "east"


async def test_a_member_of_an_operation_that_was_given_up_keeps_its_zone_too(start_small: Start) -> None:
    async with start_small() as run:
        await run.behave(zones=["east", "north", "south"])
        await run.package(small_package(SOURCE))
        vnf = await run.instantiated(level="more")
        faults = [{"on": "create", "effect": "failed", "sort": "compute", "name": "worker/k3"}]
        await run.behave(zones=["east", "north", "south"], faults=faults)
        operation = await run.begin(vnf, "scale", SCALE_OUT)
        await run.reached(operation, OperationState.FAILED_TEMP)
        await run.program.occurrences.fail(PROJECT, operation)
        await run.behave(zones=["another", "east", "north", "south"])
        await run.do(vnf, "heal", HealVnfRequest(vnfc_instance_id=("worker-k3",)))
        assert zones(run) == {"gate/k1": None, "worker/k1": "east", "worker/k2": "north", "worker/k3": "south"}


async def test_how_far_the_sending_of_an_image_is_stands_in_the_event_log_and_in_the_timeline(
    start_small: Start,
) -> None:
    async with start_small() as run:
        await run.behave(latencies={"image": {"call": 0.2}})
        await run.package()
        vnf = await run.instantiated(level="least")
        told = [event for event in await run.events(subject=vnf) if event.type == "step.progress"]
        assert [event.data for event in told] == [{"step": "create image/gate", "detail": "it takes 0.2 s to send"}]
        assert told[0].resource == "image/gate"
        (operation,) = {event.operation for event in told}
        steps = {step["id"]: step for step in (await run.program.operations.timeline(PROJECT, str(operation)))["steps"]}
        assert steps["create image/gate"]["progress"] == "it takes 0.2 s to send"
        assert steps["create image/gate"]["outcome"] == "done"


def zones(run: Running) -> dict[str, str | None]:
    return {thing.tag["name"]: thing.spec["zone"] for thing in run.things("compute")}
