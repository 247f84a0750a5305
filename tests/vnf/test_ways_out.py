"""Every operation of a VNF, with every call that changes the infrastructure refused once: back to before, or given up."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import Conflict
from fairlead.operations import OperationState
from fairlead.resources import State
from fairlead.sol import HealVnfRequest, document
from tests.support.running import PROJECT, Running
from tests.vnf.cases import CASES, SCALE_OUT, TERMINATE, Case
from tests.vnf.conftest import Start

S = OperationState
CHANGING = "[cupd]*"
"""Create, update, perform, delete; reading calls begin with other letters."""


async def refused(run: Running, case: Case, vnf: str, number: int) -> str | None:
    """Begin the operation with its call `number` refused, and wait for it; its id, or None when it had fewer calls."""
    await run.fault(CHANGING, "refused", after=number)
    operation = await run.begin(vnf, case.operation, case.request)
    stopped = await run.stopped(operation)
    if stopped.state is S.COMPLETED:
        return None
    assert stopped.state is S.FAILED_TEMP, stopped.error
    assert stopped.error is not None
    assert stopped.error["code"] == "vim-refused"
    return operation


async def view(run: Running, vnf: str) -> dict[str, Any]:
    """What a user sees of an instance, without the ids that each new life of a resource has."""
    shown = document((await run.program.vnfs.show(PROJECT, vnf))[0])
    info = shown.get("instantiatedVnfInfo", {})
    return {
        "state": shown["instantiationState"],
        "power": info.get("vnfState"),
        "scale": info.get("scaleStatus"),
        "vnfcs": [(one["id"], one["vduId"], one["vnfcState"]) for one in info.get("vnfcInfo", ())],
        "machines": sorted(one["vduId"] for one in info.get("vnfcResourceInfo", ())),
        "volumes": len(info.get("virtualStorageResourceInfo", ())),
        "addresses": [point["cpProtocolInfo"] for point in info.get("extCpInfo", ())],
    }


@pytest.mark.parametrize("name", CASES)
async def test_whatever_fails_the_way_back_leads_to_what_was_before(start_small: Start, name: str) -> None:
    case = CASES[name]
    async with start_small() as run:
        await run.package()
        vnf = await case.instance(run)
        world, shown = run.picture(), await view(run, vnf)
        number = 0
        while (operation := await refused(run, case, vnf, number)) is not None:
            await run.program.occurrences.rollback(PROJECT, operation)
            await run.reached(operation, S.ROLLED_BACK)
            assert run.picture() == world, f"call {number} was refused"
            assert await view(run, vnf) == shown, f"call {number} was refused"
            number += 1
        assert number >= 2, "the operation makes calls"
        assert await run.program.sweeper.sweep_all() == 0


@pytest.mark.parametrize(
    "name", [name for name in CASES if name not in ("scale to level", "start", "terminate forcefully")]
)
async def test_whatever_fails_an_operation_that_is_given_up_leaves_an_honest_record(
    start_small: Start, name: str
) -> None:
    """Every thing in the infrastructure is recorded, what is shown is there, and terminating clears it all."""
    case = CASES[name]
    async with start_small() as run:
        await run.package()
        number = 0
        while True:
            vnf = await case.instance(run)
            operation = await refused(run, case, vnf, number)
            if operation is None:
                break
            assert (await run.program.occurrences.fail(PROJECT, operation)).operation_state == "FAILED"
            rows = await run.records(vnf)
            recorded = {row.handle for row in (*rows.current.values(), *rows.leaving)}
            assert {thing.handle for thing in run.things()} <= recorded
            await shown_is_there(run, vnf)
            await run.do(vnf, "terminate", TERMINATE)
            assert run.things() == []
            await run.program.vnfs.delete(PROJECT, vnf, None)
            number += 1
        assert number >= 2


@pytest.mark.parametrize("name", ["heal one", "heal all with their volumes", "stop", "scale out", "scale in"])
async def test_after_an_operation_that_was_given_up_others_can_be_rolled_back_and_a_heal_makes_it_whole(
    start_small: Start, name: str
) -> None:
    """However little an operation has left of it: what it was not about comes back."""
    case, heal = CASES[name], Case("heal", HealVnfRequest())
    async with start_small() as run:
        await run.package()
        number = 0
        while True:
            vnf = await case.instance(run)
            before = await view(run, vnf)
            operation = await refused(run, case, vnf, number)
            if operation is None:
                break
            await run.program.occurrences.fail(PROJECT, operation)
            again = await refused(run, heal, vnf, 0)
            assert again is not None
            await run.program.occurrences.rollback(PROJECT, again)
            await run.reached(again, S.ROLLED_BACK)
            await run.behave()
            await run.do(vnf, heal.operation, heal.request)
            rows = await run.records(vnf)
            assert ({row.state for row in rows.current.values()}, rows.leaving) == ({State.READY}, ())
            shown = await view(run, vnf)
            assert len(shown["machines"]) == len(shown["vnfcs"]) >= 2
            if case.operation == "heal":
                assert shown["vnfcs"] == before["vnfcs"]
            await run.do(vnf, "terminate", TERMINATE)
            await run.program.vnfs.delete(PROJECT, vnf, None)
            number += 1
        assert number >= 2


async def shown_is_there(run: Running, vnf: str) -> None:
    """What ETSI's view lists is in the infrastructure."""
    shown = document((await run.program.vnfs.show(PROJECT, vnf))[0]).get("instantiatedVnfInfo", {})
    handles = {thing.handle for thing in run.things()}
    for machine in shown.get("vnfcResourceInfo", ()):
        assert machine["computeResource"]["resourceId"] in handles | {""}
    for volume in shown.get("virtualStorageResourceInfo", ()):
        assert volume["storageResource"]["resourceId"] in handles | {""}


@pytest.mark.parametrize("name", ["instantiate", "scale out", "heal one", "terminate gracefully"])
async def test_whatever_fails_a_retry_leads_to_the_target(start: Start, name: str) -> None:
    """One after the other, each call is refused once, and each time the operation is retried."""
    case = CASES[name]
    async with start() as run:
        await run.package()
        vnf = await case.instance(run)
        await run.behave(
            faults=[{"on": CHANGING, "effect": "refused", "after": after, "detail": str(after)} for after in (0, 1, 3)]
        )
        operation = await run.begin(vnf, case.operation, case.request)
        tries = 0
        while (await run.stopped(operation)).state is S.FAILED_TEMP:
            tries += 1
            await run.program.occurrences.retry(PROJECT, operation)
        assert (await run.show(operation)).state is S.COMPLETED
        assert tries >= 2
        assert len(run.names()) == len(set(run.names()))
        expected = {"instantiate": 3, "scale out": 4, "heal one": 3, "terminate gracefully": 0}[name]
        assert len(run.things("compute")) == expected


async def test_addresses_and_macs_survive_a_rolled_back_and_a_completed_heal(start: Start) -> None:
    async with start() as run:
        await run.package()
        case = CASES["heal all with their volumes"]
        vnf = await case.instance(run)

        def ports() -> dict[str, Any]:
            return {
                thing.tag["name"]: thing.outputs["addresses"] + [thing.outputs["mac"]] for thing in run.things("port")
            }

        before = ports()
        assert before["gate/k1/gate_outside"][0] == "192.0.2.7"
        operation = await refused(run, case, vnf, 4)
        assert operation is not None
        await run.program.occurrences.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        assert ports() == before
        await run.behave()
        await run.do(vnf, case.operation, case.request)
        assert ports() == before


async def test_an_instance_with_a_given_up_instantiation_is_cleared_before_it_is_deleted(start: Start) -> None:
    case = CASES["instantiate"]
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        operation = await refused(run, case, vnf, 4)
        assert operation is not None
        with pytest.raises(Conflict, match="open"):
            await run.program.vnfs.delete(PROJECT, vnf, None)
        await run.program.occurrences.fail(PROJECT, operation)
        with pytest.raises(Conflict) as left:
            await run.program.vnfs.delete(PROJECT, vnf, None)
        assert left.value.code == "resources-left"
        await run.behave()
        await run.do(vnf, "terminate", TERMINATE)
        await run.program.vnfs.delete(PROJECT, vnf, None)
        assert run.things() == []


async def test_after_a_given_up_scale_out_the_next_one_goes_on_from_what_is_there(start: Start) -> None:
    async with start() as run:
        await run.package()
        case = CASES["scale out"]
        vnf = await case.instance(run)
        operation = await refused(run, case, vnf, 2)
        assert operation is not None
        await run.program.occurrences.fail(PROJECT, operation)
        await run.behave()
        await run.do(vnf, "scale", SCALE_OUT)
        assert len(run.things("compute")) == 4
        shown = await view(run, vnf)
        assert [power for *_, power in shown["vnfcs"]] == ["STARTED"] * 4
        assert len({id_ for id_, *_ in shown["vnfcs"]}) == 4
