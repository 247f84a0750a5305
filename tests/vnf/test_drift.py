"""What is not as recorded is told with the plan of its repair; the repair brings it back, and touches nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.errors import Conflict, FairleadError, Unprocessable, VimUnavailable
from fairlead.operations import OperationState
from fairlead.sol import HealVnfRequest
from fairlead.vims.simulated.world import Thing
from tests.support.running import OUTSIDE, PROJECT, Running
from tests.vnf.conftest import Start

REPAIR = HealVnfRequest(additional_params={"drifted": True})
_replace = msgspec.structs.replace


def thing(run: Running, name: str) -> Thing:
    """The thing in the infrastructure that was made under `name`."""
    (found,) = [one for one in run.things() if one.tag["name"] == name]
    return found


def meddle(run: Running, name: str, outputs: dict[str, Any] | None = None, **spec: Any) -> None:
    """Change a thing behind Fairlead's back."""
    was = thing(run, name)
    run.world.put(_replace(was, spec={**was.spec, **spec}, outputs={**was.outputs, **(outputs or {})}))


async def drift(run: Running, vnf: str) -> dict[str, Any]:
    """What the API tells of an instance."""
    return await run.program.vnfs.drift(PROJECT, vnf)


async def told(run: Running, vnf: str) -> list[tuple[str, str, str | None, str | None]]:
    """Resource, code, field and repair of each finding."""
    found = (await drift(run, vnf))["findings"]
    return [(one["resource"], one["code"], one.get("field"), one["repair"]) for one in found]


async def repaired(run: Running, vnf: str) -> list[str]:
    """Repair it by the plan that is shown, and see that nothing differs any more; the steps that were made."""
    shown = await drift(run, vnf)
    assert shown["drifted"]
    operation = await run.begin(vnf, "heal", REPAIR, plan=shown["digest"])
    await run.reached(operation, OperationState.COMPLETED)
    after = await drift(run, vnf)
    assert (after["drifted"], after["findings"], after["empty"]) == (False, [], True)
    steps = (await run.program.operations.timeline(PROJECT, operation))["steps"]
    return sorted(step["id"].split("#")[0] for step in steps)


async def test_nothing_differs_of_what_nobody_touched(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        shown = await drift(run, vnf)
        assert (shown["drifted"], shown["findings"], shown["empty"]) == (False, [], True)


async def test_a_machine_that_was_stopped_is_started_and_keeps_its_life(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        before = run.picture()
        meddle(run, "worker/k1", power="off")
        assert await told(run, vnf) == [("worker/k1", "drift-differs", "power", "update")]
        lives = {one.handle for one in run.things()}
        assert await repaired(run, vnf) == ["update worker/k1"]
        assert {one.handle for one in run.things()} == lives
        assert run.picture() == before


@pytest.mark.parametrize("field", ["label", "memory"])
async def test_a_name_and_a_size_that_were_changed_are_changed_back(start_small: Start, field: str) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        before = run.picture()
        changes: dict[str, Any] = {"label": "renamed", "memory": 2**33}
        meddle(run, "worker/k1", **{field: changes[field]})
        assert await told(run, vnf) == [("worker/k1", "drift-differs", field, "update")]
        assert await repaired(run, vnf) == ["update worker/k1"]
        assert run.picture() == before


async def test_what_is_gone_is_made_anew_with_its_addresses_and_the_rest_stays(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        before = run.picture()
        ports = [name for name in run.names("port") if name.startswith("worker/k1/")]
        for name in ports:
            run.world.remove(thing(run, name).handle)
        others = {one.handle for one in run.things()}
        found = await told(run, vnf)
        assert [(name, "drift-gone", None, "replace") for name in ports] == [one for one in found if "gone" in one[1]]
        steps = await repaired(run, vnf)
        assert set(steps) == {
            *(f"{verb} {name}" for name in ports for verb in ("create", "delete")),
            "update worker/k1",
        }
        assert run.picture() == before
        assert others <= {one.handle for one in run.things()}


async def test_a_machine_that_is_gone_comes_back_on_its_ports(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        before = run.picture()
        run.world.remove(thing(run, "worker/k1").handle)
        assert await told(run, vnf) == [("worker/k1", "drift-gone", None, "replace")]
        assert await repaired(run, vnf) == ["create worker/k1", "delete worker/k1"]
        assert run.picture() == before


async def test_a_port_that_was_unplugged_or_got_other_addresses_is_put_right_in_place(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        before = run.picture()
        lives = {one.handle for one in run.things()}
        port = next(name for name in run.names("port") if name.startswith("worker/k1/"))
        meddle(run, port, outputs={"addresses": ["192.0.2.99"]})
        meddle(run, "worker/k1", ports=[])
        assert [one[:3] for one in await told(run, vnf)] == [
            ("worker/k1", "drift-differs", "ports"),
            (port, "drift-differs", "addresses"),
        ]
        assert set(await repaired(run, vnf)) == {"update worker/k1", f"update {port}"}
        assert (run.picture(), {one.handle for one in run.things()}) == (before, lives)


async def test_what_has_failed_is_replaced_but_a_volume_only_where_its_data_may_be_lost(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        volume = next(name for name in run.names("volume") if name.startswith("worker/k1/"))
        for name in ("worker/k1", volume):
            run.world.put(_replace(thing(run, name), fate="failed", detail="out of order"))
        found = {one["resource"]: one for one in (await drift(run, vnf))["findings"]}
        assert (found["worker/k1"]["repair"], found[volume]["repair"]) == ("replace", "nothing")
        assert "out of order" in found["worker/k1"]["detail"]
        await run.do(vnf, "heal", REPAIR)
        assert await told(run, vnf) == [(volume, "drift-failed", None, "nothing")]
        await run.do(vnf, "heal", HealVnfRequest(additional_params={"drifted": True, "all": True}))
        assert await told(run, vnf) == []


async def test_what_nothing_is_recorded_of_is_told_and_a_repair_deletes_it(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        worker = thing(run, "worker/k1")
        tag = {**worker.tag, "incarnation": "0123456789abcdef", "name": "worker/k9"}
        run.world.put(
            _replace(worker, handle="compute-stray", tag=tag, spec={**worker.spec, "ports": [], "volumes": []})
        )
        assert await told(run, vnf) == [("worker/k9", "drift-unknown", None, "delete")]
        assert (await drift(run, vnf))["drifted"]
        await run.do(vnf, "heal", REPAIR)
        assert await told(run, vnf) == []
        assert "worker/k9" not in run.names()


async def test_a_network_of_somebody_else_that_is_gone_is_told_and_left(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        run.world.remove(OUTSIDE)
        assert await told(run, vnf) == [("external/outside", "drift-gone", None, "nothing")]


async def test_an_infrastructure_that_does_not_answer_is_an_error_and_no_repair_begins(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        await run.behave(down=True)
        for look in (drift(run, vnf), run.begin(vnf, "heal", REPAIR)):
            with pytest.raises(VimUnavailable):
                await look
        await run.behave(down=False)
        assert (await drift(run, vnf))["openOperation"] is None


async def test_a_repair_of_one_vnfc_leaves_the_others_as_they_are(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        for name in ("worker/k1", "worker/k2"):
            meddle(run, name, power="off")
        one = HealVnfRequest(vnfc_instance_id=("worker-k1",), additional_params={"drifted": True})
        await run.do(vnf, "heal", one)
        assert await told(run, vnf) == [("worker/k2", "drift-differs", "power", "update")]


async def test_a_repair_by_a_plan_that_has_moved_is_refused(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        meddle(run, "worker/k1", power="off")
        digest = (await drift(run, vnf))["digest"]
        meddle(run, "worker/k2", power="off")
        with pytest.raises(Conflict) as refused:
            await run.begin(vnf, "heal", REPAIR, plan=digest)
        assert refused.value.code == "plan-moved"


async def test_a_repair_that_failed_is_seen_as_such_and_both_ways_out_lead_to_what_was_recorded(
    start_small: Start,
) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        before = run.picture()
        for word in ("retry", "rollback"):
            meddle(run, "worker/k1", power="off")
            await run.fault("update", "refused", sort="compute")
            operation = await run.begin(vnf, "heal", REPAIR)
            await run.reached(operation, OperationState.FAILED_TEMP)
            assert (await drift(run, vnf))["openOperation"] == operation
            await getattr(run.program.occurrences, word)(PROJECT, operation)
            done = OperationState.COMPLETED if word == "retry" else OperationState.ROLLED_BACK
            await run.reached(operation, done)
            assert run.picture() == before
            assert await told(run, vnf) == []


async def test_an_instance_that_is_not_instantiated_has_no_drift_and_a_parameter_of_a_wrong_type_is_refused(
    start_small: Start,
) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.vnf()
        errors: list[FairleadError] = []
        for asked in (REPAIR, HealVnfRequest(additional_params={"drifted": "yes"})):
            with pytest.raises((Conflict, Unprocessable)) as refused:
                await run.begin(vnf, "heal", asked)
            errors.append(refused.value)
        assert errors[0].code == "not-instantiated"
        made = await run.instantiated("other")
        with pytest.raises(Unprocessable) as wrong:
            await run.begin(made, "heal", HealVnfRequest(additional_params={"drifted": "yes"}))
        assert wrong.value.code == "bad-heal-parameter"
