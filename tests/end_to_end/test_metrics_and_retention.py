"""What a worker tells Prometheus, and what is forgotten after its time."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import generate_latest

from fairlead.operations import OperationState
from fairlead.operations.retention import forget_finished
from fairlead.operations.tables import operations, steps
from tests.support.running import instantiate_request, running


async def test_operations_are_counted_by_the_state_in_which_they_stopped(store_url: str, tmp_path: Path) -> None:
    async with running(store_url, tmp_path) as it:
        await it.package()
        await it.instantiated("good")
        await it.fault("create", "refused", sort="compute")
        bad = await it.vnf("bad")
        await it.reached(
            await it.begin(bad, "instantiate", instantiate_request(address=None)), OperationState.FAILED_TEMP
        )
        told = generate_latest(it.program.metrics).decode()
    for state in ("COMPLETED", "FAILED_TEMP"):
        assert f'fairlead_operations_stopped_total{{role="vnf",state="{state}",type="instantiate"}} 1.0' in told
    assert 'fairlead_operation_duration_seconds_count{role="vnf",type="instantiate"} 2.0' in told


async def test_finished_operations_are_forgotten_with_their_journals(store_url: str, tmp_path: Path) -> None:
    async with running(store_url, tmp_path) as it:
        await it.package()
        await it.instantiated()
        before = it.program.clock.now() + 1
        assert await forget_finished(it.program.store, before - 3600) == 0
        assert await forget_finished(it.program.store, before) == 1
        left = await it.program.store.read(lambda tx: tx.all(tx.select(operations, operations.c.subject)))
        journals = await it.program.store.read(lambda tx: tx.all(tx.select(steps, steps.c.operation)))
    assert left == []
    assert journals == []


async def test_an_open_operation_is_never_forgotten(store_url: str, tmp_path: Path) -> None:
    async with running(store_url, tmp_path) as it:
        await it.package()
        await it.fault("create", "refused", sort="network")
        vnf = await it.vnf()
        await it.reached(await it.begin(vnf, "instantiate", instantiate_request()), OperationState.FAILED_TEMP)
        assert await forget_finished(it.program.store, it.program.clock.now() + 1) == 0
