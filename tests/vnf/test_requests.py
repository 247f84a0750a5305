"""Requests of VNF operations: what is modified and how, who is healed or scaled away, and what is refused beforehand."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from fairlead.errors import Conflict, FairleadError, NotFound, PreconditionFailed, Unprocessable
from fairlead.operations.tables import operations
from fairlead.sol import (
    HealVnfRequest,
    InstantiateVnfRequest,
    ScaleInfo,
    ScaleVnfRequest,
    ScaleVnfToLevelRequest,
    VimConnectionInfo,
    VnfInfoModificationRequest,
    VnfInstance,
    decode,
    document,
)
from tests.support.running import PROJECT, Running, instantiate_request
from tests.vnf.cases import HEAL_ONE, SCALE_IN, SCALE_OUT, STOP, TERMINATE
from tests.vnf.conftest import Start


async def shown(run: Running, vnf: str) -> VnfInstance:
    return (await run.program.vnfs.show(PROJECT, vnf))[0]


def patch(**changes: Any) -> VnfInfoModificationRequest:
    """A merge patch as a client writes it."""
    return decode(VnfInfoModificationRequest, msgspec.json.encode(changes))


async def number_of_operations(run: Running) -> int:
    return len(await run.program.store.read(lambda tx: tx.all(tx.select(operations, operations.c.id))))


async def refuses(
    run: Running,
    code: str,
    vnf: str,
    operation: str,
    request: msgspec.Struct,
    error: type[FairleadError] = Unprocessable,
) -> FairleadError:
    """The request is refused with this code, by a plan as well as by the operation, and nothing is written."""
    before = await number_of_operations(run)
    for ask in (run.program.vnfs.plan, run.program.vnfs.begin):
        with pytest.raises(error) as refused:
            await ask(PROJECT, vnf, operation, request)
        assert refused.value.code == code
    assert await number_of_operations(run) == before
    return refused.value


# -- modify ------------------------------------------------------------------------------------------------------------------


async def test_a_modification_is_a_merge_patch(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf("first")
        await run.do(vnf, "modify", patch(metadata={"a": 1, "b": {"c": 2, "d": 3}}, vnfInstanceDescription="words"))
        await run.do(vnf, "modify", patch(metadata={"a": None, "b": {"c": None, "e": 4}, "f": [1]}))
        found = await shown(run, vnf)
        assert found.metadata == {"b": {"d": 3, "e": 4}, "f": [1]}
        assert (found.vnf_instance_name, found.vnf_instance_description) == ("first", "words")
        await run.do(vnf, "modify", patch(vnfInstanceName="second", vnfInstanceDescription=None, metadata=None))
        found = await shown(run, vnf)
        assert (found.vnf_instance_name, found.vnf_instance_description) == ("second", None)
        assert found.metadata == {}


async def test_what_was_changed_is_told_with_the_occurrence(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        occurrence = await run.do(vnf, "modify", patch(vnfInstanceName="other", metadata={"a": 1}))
        told = document(occurrence)
        assert (told["operation"], told["changedInfo"]) == (
            "MODIFY_INFO",
            {"vnfInstanceName": "other", "metadata": {"a": 1}},
        )
        assert "resourceChanges" not in told


async def test_a_modification_makes_no_call_and_touches_nothing_that_a_failure_left(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        await run.fault("create", "refused", sort="compute")
        failed = await run.begin(vnf, "instantiate", instantiate_request())
        await run.stopped(failed)
        await run.program.occurrences.fail(PROJECT, failed)
        before = run.things()
        await run.behave(down=True)
        await run.do(vnf, "modify", patch(vnfInstanceName="renamed"))
        await run.behave()
        assert run.things() == before
        assert (await shown(run, vnf)).vnf_instance_name == "renamed"


async def test_a_machine_keeps_its_label_when_the_instance_is_renamed(start: Start) -> None:
    """A new name is for what comes new: nothing is replaced for it."""
    async with start() as run:
        await run.package()
        vnf = await run.instantiated("first")
        before = {thing.handle for thing in run.things("compute")}
        await run.do(vnf, "modify", patch(vnfInstanceName="second"))
        await run.do(vnf, "scale", SCALE_OUT)
        assert before < {thing.handle for thing in run.things("compute")}


async def test_properties_of_single_vnfcs_are_merged_by_their_ids(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated()
        for properties in ({"speed": 1, "mode": "a"}, {"speed": None, "size": 2}):
            change = {"id": "worker-k1", "vnfcConfigurableProperties": properties}
            await run.do(vnf, "modify", patch(vnfcInfoModifications=[change]))
        info = document(await shown(run, vnf))["instantiatedVnfInfo"]["vnfcInfo"]
        found = {one["id"]: one.get("vnfcConfigurableProperties", {}) for one in info}
        assert found == {"gate-k1": {}, "worker-k1": {"mode": "a", "size": 2}}


@pytest.mark.parametrize("attribute", ["vnfdId", "vnfPkgId"])
async def test_what_a_modification_cannot_change_is_refused(start_small: Start, attribute: str) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.vnf()
        await refuses(run, "not-modifiable", vnf, "modify", patch(**{attribute: "other"}))
        await run.do(vnf, "instantiate", instantiate_request())
        await refuses(run, "not-modifiable", vnf, "modify", patch(**{attribute: "other"}), Conflict)


# -- who goes, who is healed ---------------------------------------------------------------------------------------------


async def members(run: Running, vnf: str) -> list[str]:
    info = document(await shown(run, vnf))["instantiatedVnfInfo"]
    return [one["id"] for one in info["vnfcInfo"] if one["vduId"] == "worker"]


async def test_scaling_in_takes_the_newest_unless_one_is_chosen_and_keys_are_not_given_again(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        await run.do(vnf, "scale", SCALE_OUT)
        assert await members(run, vnf) == ["worker-k1", "worker-k2", "worker-k3"]
        chosen = {"vnfcInstanceId": ["worker-k1"]}
        await run.do(vnf, "scale", msgspec.structs.replace(SCALE_IN, additional_params=chosen))
        assert await members(run, vnf) == ["worker-k2", "worker-k3"]
        await run.do(vnf, "scale", SCALE_IN)
        assert await members(run, vnf) == ["worker-k2"]
        await run.do(vnf, "scale", SCALE_OUT)
        assert await members(run, vnf) == ["worker-k2", "worker-k4"]


async def test_scaling_in_takes_the_unhealthy_before_the_newest(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        await run.fault("create", "failed", sort="compute", name="worker/k1")
        healing = await run.begin(vnf, "heal", HEAL_ONE)
        await run.stopped(healing)
        await run.program.occurrences.fail(PROJECT, healing)
        await run.behave()
        await run.do(vnf, "scale", SCALE_IN)
        assert await members(run, vnf) == ["worker-k2"]


async def test_several_steps_at_once_and_levels(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated()
        await run.do(vnf, "scale", ScaleVnfRequest(type=SCALE_OUT.type, aspect_id="workers", number_of_steps=3))
        assert len(await members(run, vnf)) == 4
        await run.do(vnf, "scale_to_level", ScaleVnfToLevelRequest(instantiation_level_id="more"))
        assert len(await members(run, vnf)) == 2
        to = (ScaleInfo(aspect_id="workers", scale_level=3),)
        await run.do(vnf, "scale_to_level", ScaleVnfToLevelRequest(scale_info=to))
        assert len(await members(run, vnf)) == 4
        status = document(await shown(run, vnf))["instantiatedVnfInfo"]["scaleStatus"]
        assert [(one["aspectId"], one["scaleLevel"]) for one in status] == [("workers", 3)]


async def test_an_instance_can_begin_at_the_scale_levels_of_the_request(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        to = (ScaleInfo(aspect_id="workers", scale_level=2),)
        await run.do(vnf, "instantiate", msgspec.structs.replace(instantiate_request(), target_scale_level_info=to))
        assert len(await members(run, vnf)) == 3


# -- what is refused beforehand ------------------------------------------------------------------------------------------


async def test_requests_that_cannot_be_done_are_refused_with_nothing_written(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf, bare = await run.instantiated(), await run.vnf("bare")
        away = ScaleVnfRequest(type=SCALE_OUT.type, aspect_id="elsewhere")
        far = ScaleVnfRequest(type=SCALE_OUT.type, aspect_id="workers", number_of_steps=9)
        missing = InstantiateVnfRequest(flavour_id="simple")
        both = ScaleVnfToLevelRequest(
            instantiation_level_id="more", scale_info=(ScaleInfo(aspect_id="workers", scale_level=1),)
        )
        unregistered = {"x": VimConnectionInfo(vim_type="simulated", interface_info={"endpoint": "http://x"})}
        several = {name: VimConnectionInfo(vim_id=run.vim, vim_type="simulated") for name in ("a", "b")}
        other = {"x": VimConnectionInfo(vim_id=run.vim, vim_type="ETSINFV.OPENSTACK_KEYSTONE.V_3")}
        unknown = {"x": VimConnectionInfo(vim_id="nowhere", vim_type="simulated")}
        whole = instantiate_request()
        for code, subject, operation, request in (
            ("unknown-aspect", vnf, "scale", away),
            ("scale-level-out-of-range", vnf, "scale", far),
            ("unknown-vnfc", vnf, "heal", HealVnfRequest(vnfc_instance_id=("nobody",))),
            ("exclusive-attributes", vnf, "scale_to_level", both),
            ("external-link-missing", bare, "instantiate", missing),
            ("unknown-flavour", bare, "instantiate", msgspec.structs.replace(missing, flavour_id="large")),
            ("unknown-instantiation-level", bare, "instantiate", instantiate_request(level="huge")),
            ("unregistered-vim", bare, "instantiate", msgspec.structs.replace(whole, vim_connection_info=unregistered)),
            ("vim-type-differs", bare, "instantiate", msgspec.structs.replace(whole, vim_connection_info=other)),
            ("several-vims", bare, "instantiate", msgspec.structs.replace(whole, vim_connection_info=several)),
        ):
            refused = await refuses(run, code, subject, operation, request)
            assert refused.place or code == "unknown-aspect", code
        nowhere = msgspec.structs.replace(whole, vim_connection_info=unknown)
        await refuses(run, "vim-not-found", bare, "instantiate", nowhere, NotFound)


async def test_operations_in_the_wrong_state_are_conflicts(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf, bare = await run.instantiated(), await run.vnf("bare")
        await refuses(run, "already-instantiated", vnf, "instantiate", instantiate_request(), Conflict)
        for operation, request in (
            ("scale", SCALE_OUT),
            ("heal", HEAL_ONE),
            ("operate", STOP),
            ("terminate", TERMINATE),
        ):
            await refuses(run, "not-instantiated", bare, operation, request, Conflict)
        with pytest.raises(Conflict) as still:
            await run.program.vnfs.delete(PROJECT, vnf, None)
        assert still.value.code == "still-instantiated"
        for call in ("show", "delete"):
            with pytest.raises(NotFound):
                await getattr(run.program.vnfs, call)(PROJECT, "nobody", *((None,) if call == "delete" else ()))


async def test_twenty_conflicting_requests_at_once_are_one_operation_and_conflicts(start: Start) -> None:
    async with start(behaviour={"latency": {"ready": 0.3}}) as run:
        await run.package()
        vnf = await run.vnf()
        asked = (run.begin(vnf, "instantiate", instantiate_request()) for _ in range(20))
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        accepted = [outcome for outcome in outcomes if isinstance(outcome, str)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert (len(accepted), len(refused)) == (1, 19)
        assert {one.status for one in refused} == {409}
        await run.stopped(accepted[0])
        assert len(run.things("compute")) == 2


async def test_a_plan_that_was_looked_at_is_done_and_one_that_has_moved_is_not(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated()
        looked_at = await run.program.vnfs.plan(PROJECT, vnf, "scale", SCALE_OUT)
        await run.do(vnf, "scale", SCALE_OUT, plan=looked_at["digest"])
        before = await number_of_operations(run)
        with pytest.raises(Conflict) as moved:
            await run.begin(vnf, "scale", SCALE_OUT, plan=looked_at["digest"])
        assert moved.value.code == "plan-moved"
        assert await number_of_operations(run) == before


async def test_a_request_for_what_has_changed_since_is_refused(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        _, tag = await run.program.vnfs.show(PROJECT, vnf)
        await run.do(vnf, "modify", patch(vnfInstanceName="a"), if_match=tag)
        for ask in (
            run.begin(vnf, "modify", patch(vnfInstanceName="b"), if_match=tag),
            run.program.vnfs.delete(PROJECT, vnf, tag),
        ):
            with pytest.raises(PreconditionFailed):
                await ask
        await run.program.vnfs.delete(PROJECT, vnf, "*")


async def test_a_vim_may_be_named_by_its_name(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        named = {"here": VimConnectionInfo(vim_id="sim", vim_type="simulated")}
        await run.do(vnf, "instantiate", msgspec.structs.replace(instantiate_request(), vim_connection_info=named))
        connections = (await shown(run, vnf)).vim_connection_info
        assert [(key, info.vim_id) for key, info in connections.items()] == [("here", run.vim)]


async def test_what_was_chosen_once_is_not_chosen_again(start: Start) -> None:
    """The default VIM changes while an operation waits: it goes on, or back, where it was."""
    async with start() as run:
        await run.package()
        for action in ("retry", "rollback"):
            vnf = await run.vnf(action)
            await run.fault("create", "refused", sort="compute")
            operation = await run.begin(vnf, "instantiate", instantiate_request(address=None))
            await run.stopped(operation)
            document_ = {"name": f"second-{action}", "type": "simulated", "interface": {}, "default": True}
            second = (await run.program.vims.register(PROJECT, document_))["id"]
            await getattr(run.program.occurrences, action)(PROJECT, operation)
            ended = await run.stopped(operation)
            assert str(ended.state) == ("COMPLETED" if action == "retry" else "ROLLED_BACK"), ended.error
            await run.program.vims.delete(PROJECT, second)
            await run.program.vims.update(PROJECT, "sim", {"default": True})
        assert len(run.things("compute")) == 2
