"""A plan lists at once all that stands in its way in the infrastructure, and nothing is touched for it."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.resources import CancelMode
from fairlead.sol import HealVnfRequest
from tests.support.running import OUTSIDE, OUTSIDE_ADDRESS, PROJECT, Running, instantiate_request
from tests.vnf.cases import SCALE_OUT, TERMINATE
from tests.vnf.conftest import Start


async def findings(run: Running, vnf: str, operation: str, request: Any) -> list[tuple[str, str, str | None]]:
    """Code, severity and resource of what is found."""
    plan = await run.program.vnfs.plan(PROJECT, vnf, operation, request)
    return [(one["code"], one["severity"], one.get("resource")) for one in plan["findings"]]


async def test_a_plan_that_can_be_done_has_no_findings(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.vnf()
        assert await findings(run, vnf, "instantiate", instantiate_request(level="more")) == []
        await run.do(vnf, "instantiate", instantiate_request(level="more"))
        for operation, request in (("scale", SCALE_OUT), ("heal", HealVnfRequest()), ("terminate", TERMINATE)):
            assert await findings(run, vnf, operation, request) == []


async def test_everything_that_stands_in_the_way_is_told_at_once_and_nothing_is_touched(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        first = await run.instantiated("first")
        vnf = await run.vnf("second")
        there = run.picture(first)
        await run.behave(quota={"compute": len(run.things("compute")), "volume": 1}, images=[])
        found = await findings(run, vnf, "instantiate", instantiate_request())
        assert ("address-in-use", "error", "gate/k1/gate_outside") in found
        assert [code for code, _, _ in found].count("quota-exceeded") == 2
        await run.behave()
        assert await findings(run, vnf, "instantiate", instantiate_request(address="203.0.113.1")) == [
            ("address-outside-network", "error", "gate/k1/gate_outside")
        ]
        run.world.remove(OUTSIDE)
        assert await findings(run, vnf, "instantiate", instantiate_request()) == [
            ("vim-lacks-network", "error", "external/outside")
        ]
        assert run.picture(first) == there
        assert not (await run.records(vnf)).current


async def test_the_address_that_is_kept_over_a_heal_is_not_in_anybodys_way(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        holder = next(one for one in run.things("port") if OUTSIDE_ADDRESS in one.outputs["addresses"])
        run.world.remove(holder.handle)
        drifted = HealVnfRequest(additional_params={"drifted": True})
        found = await findings(run, vnf, "heal", drifted)
        assert [code for code, _, _ in found] == ["drift-gone"]


async def test_an_infrastructure_that_does_not_answer_is_a_warning_and_the_plan_is_shown(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.vnf()
        await run.behave(down=True)
        plan = await run.program.vnfs.plan(PROJECT, vnf, "instantiate", instantiate_request())
        assert [(one["code"], one["severity"]) for one in plan["findings"]] == [("plan-not-checked", "warning")]
        assert not plan["empty"]


@pytest.mark.parametrize("down", [False, True])
async def test_accepting_asks_the_infrastructure_nothing(start_small: Start, down: bool) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.vnf()
        await run.behave(down=down, quota={"compute": 0})
        operation = await run.begin(vnf, "instantiate", instantiate_request())
        assert (await run.show(operation)).subject == vnf
        await run.program.operations.cancel(PROJECT, operation, CancelMode.FORCEFUL)
        await run.stopped(operation)
