"""What is stored and cannot be read stops its own instance, which says so; the program starts and serves the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from fairlead.errors import Conflict, FairleadError, Quarantined, Unprocessable
from fairlead.events import Event
from fairlead.operations import OperationState
from fairlead.operations.tables import operations, resources
from fairlead.secrets.tables import secrets
from fairlead.sol import TerminateVnfRequest, TerminationType
from fairlead.vims.tables import vims
from fairlead.vnf import vnf_instances
from tests.support.running import PROJECT, Running, eventually
from tests.vnf.cases import HEAL_ONE, SCALE_IN, SCALE_OUT, TERMINATE
from tests.vnf.conftest import Start

S = OperationState
Harm = Callable[[Running, str], Awaitable[None]]
WRONG: tuple[Any, ...] = ("garbage", {}, {"schema": 99}, {"schema": 1}, {"schema": "1", "record": None}, [1], 7)
"""JSON that is none of our documents."""


async def harm(run: Running, table: sa.Table, where: sa.ColumnElement[bool], **values: Any) -> None:
    """Change rows behind the program's back."""
    changed = await run.program.store.write(lambda tx: tx.run(tx.update(table).where(where).values(**values)))
    assert changed


async def quarantined(run: Running, subject: str) -> list[Event]:
    return [event for event in await run.events(subject=subject) if event.type == "quarantine.entered"]


async def told(run: Running, subject: str) -> Event:
    """The event that tells of the quarantine."""

    async def look() -> list[Event]:
        return await quarantined(run, subject)

    (event,) = await eventually(look, what=f"the quarantine of {subject}")
    card = event.data["error"]
    assert card["code"]
    assert card["detail"]
    assert card["remedy"]
    assert event.project == PROJECT
    return event


async def serves_the_rest(run: Running, vnf: str) -> None:
    """Another instance is shown, listed and scaled as if nothing had happened."""
    shown, _ = await run.program.vnfs.show(PROJECT, vnf)
    assert shown.id == vnf
    page = await run.program.vnfs.page(PROJECT, None, None, 100)
    assert vnf in {row.id for row in page.rows}
    for row in page.rows:
        assert msgspec.json.decode(row.view)["id"] == row.id
    await run.do(vnf, "scale", SCALE_OUT)
    await run.do(vnf, "scale", SCALE_IN)
    assert await quarantined(run, vnf) == []


async def refused(run: Running, vnf: str) -> FairleadError:
    """What the instance answers to a request to heal it."""
    with pytest.raises((Quarantined, Unprocessable)) as answer:
        await run.begin(vnf, "heal", HEAL_ONE)
    assert answer.value.card()["remedy"]
    return answer.value


@pytest.mark.parametrize("document", WRONG, ids=str)
async def test_the_record_of_an_instance(start_small: Start, document: Any) -> None:
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        await harm(run, vnf_instances, vnf_instances.c.id == broken, document=document)
    async with start_small() as run:
        event = await told(run, broken)
        error = await refused(run, broken)
        assert isinstance(error, Quarantined)
        assert error.status == 409
        assert event.data["error"] == error.card()
        assert error.resource == broken
        assert (await run.program.vnfs.show(PROJECT, broken))[0].id == broken, "what is known of it is still shown"
        with pytest.raises(Conflict):
            await run.program.vnfs.delete(PROJECT, broken, None)
        await serves_the_rest(run, whole)


@pytest.mark.parametrize(
    "document", ["garbage", {}, {"schema": 99, "resource": {}}, {"schema": 1, "resource": {}}], ids=str
)
async def test_the_row_of_a_resource(start_small: Start, document: Any) -> None:
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        where = sa.and_(resources.c.owner == broken, resources.c.name == "worker/k1")
        await harm(run, resources, where, document=document)
    async with start_small() as run:
        event = await told(run, broken)
        assert event.data["error"]["resource"] == "worker/k1"
        assert isinstance(await refused(run, broken), Quarantined)
        await serves_the_rest(run, whole)


@pytest.mark.parametrize("values", [{"state": "nonsense"}, {"outputs": "garbage"}], ids=str)
async def test_a_column_of_a_resource(start_small: Start, values: dict[str, Any]) -> None:
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        where = sa.and_(resources.c.owner == broken, resources.c.name == "gate/k1")
        await harm(run, resources, where, **values)
    async with start_small() as run:
        await told(run, broken)
        assert isinstance(await refused(run, broken), Quarantined)
        await serves_the_rest(run, whole)


async def stopped_scaling(run: Running, vnf: str) -> str:
    """A scale out that stopped in the middle."""
    await run.fault("create", "refused", sort="compute")
    operation = await run.begin(vnf, "scale", SCALE_OUT)
    await run.reached(operation, S.FAILED_TEMP)
    await run.behave()
    return operation


@pytest.mark.parametrize("column", ["target", "before"])
@pytest.mark.parametrize("document", ["garbage", {}, {"schema": 99}, {"schema": 1}, None], ids=str)
async def test_what_an_operation_was_decided_to_do(start_small: Start, column: str, document: Any) -> None:
    """It cannot go on or back; it can be given up, and the instance terminated."""
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        operation = await stopped_scaling(run, broken)
        await harm(run, operations, operations.c.id == operation, **{column: document})
    async with start_small() as run:
        event = await told(run, broken)
        assert event.operation == operation
        await serves_the_rest(run, whole)
        assert (await run.program.occurrences.show(PROJECT, operation)).id == operation
        for ask in (run.program.occurrences.retry, run.program.occurrences.rollback):
            await ask(PROJECT, operation)
            stopped = await run.reached(operation, S.FAILED_TEMP)
            assert stopped.error is not None
            assert stopped.error["code"] in ("unreadable-document", "unknown-schema")
            assert stopped.error["remedy"]
        assert (await run.program.occurrences.fail(PROJECT, operation)).operation_state == "FAILED"
        await run.do(broken, "terminate", TERMINATE)
        assert {thing.tag["owner"] for thing in run.things()} == {whole, "shared"}


@pytest.mark.parametrize("values", [{"schema": 99}, {"request": "garbage"}, {"packages": 7}, {"cancel": "?"}], ids=str)
@pytest.mark.parametrize("state", [S.FAILED_TEMP, S.PROCESSING])
async def test_the_row_of_an_operation(start_small: Start, values: dict[str, Any], state: OperationState) -> None:
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        operation = await stopped_scaling(run, broken)
        await harm(run, operations, operations.c.id == operation, state=str(state), worker=None, **values)
    async with start_small() as run:
        event = await told(run, broken)
        assert event.operation == operation
        await serves_the_rest(run, whole)
        assert (await run.program.occurrences.show(PROJECT, operation)).id == operation
        for ask in (run.program.occurrences.retry, run.program.occurrences.fail):
            with pytest.raises(Quarantined) as answer:
                await ask(PROJECT, operation)
            assert answer.value.remedy
        with pytest.raises(Conflict) as busy:
            await run.begin(broken, "heal", HEAL_ONE)
        assert operation in busy.value.detail


@pytest.mark.parametrize("document", [{"vnfdId": 7}, {"changeStateTo": "ASIDE"}], ids=str)
async def test_the_request_of_an_operation(start_small: Start, document: dict[str, Any]) -> None:
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        operation = await stopped_scaling(run, broken)
        await harm(run, operations, operations.c.id == operation, request=document)
    async with start_small() as run:
        await told(run, broken)
        await run.program.occurrences.retry(PROJECT, operation)
        stopped = await run.reached(operation, S.FAILED_TEMP)
        assert stopped.error is not None
        assert stopped.error["code"] == "unreadable-document"
        await run.program.occurrences.fail(PROJECT, operation)
        await serves_the_rest(run, whole)


@pytest.mark.parametrize(
    "values",
    [{"interface": "garbage"}, {"settings": [1]}, {"settings": {"faults": "many"}}, {"type": "vanished"}],
    ids=str,
)
async def test_the_row_of_a_vim(start_small: Start, values: dict[str, Any]) -> None:
    async with start_small() as run:
        await run.package()
        whole = await run.instantiated("whole")
        document = {
            "name": "broken",
            "type": "simulated",
            "interface": {"state": str(run.program.settings.data / "b.db")},
        }
        vim = (await run.program.vims.register(PROJECT, document))["id"]
        await harm(run, vims, vims.c.id == vim, **values)
    async with start_small() as run:
        await told(run, vim)
        listed = await run.program.vims.list(PROJECT)
        assert {one["name"] for one in listed} == {"sim", "broken"}
        with pytest.raises((Quarantined, Unprocessable)):
            await run.program.vims.check(PROJECT, "broken")
        assert (await run.program.vims.check(PROJECT, "sim"))["reachable"]
        await serves_the_rest(run, whole)
        assert await run.program.sweeper.sweep_all() == 0, "the others are swept all the same"


async def test_the_file_of_a_package(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        broken = await run.instantiated("broken")
        there = (run.program.settings.data / "packages").rglob("*")
        files = [path for path in there if path.is_file() and ".locks" not in path.parts]
        assert files
        for path in files:
            path.rename(path.with_name("elsewhere"))
    async with start_small() as run:
        event = await told(run, broken)
        assert event.data["error"]["code"] == "package-file-missing"
        error = await refused(run, broken)
        assert error.code == "package-file-missing"
        for path in files:
            path.with_name("elsewhere").rename(path)
        await run.do(broken, "heal", HEAL_ONE)


async def test_a_secret_whose_key_is_lost(start_small: Start) -> None:
    """What needs the secret stops and says so; terminating needs none."""
    async with start_small() as run:
        await run.package()
        broken = await run.instantiated("broken")
        await harm(run, secrets, secrets.c.owner == broken, sealed="garbage")
        asked = HEAL_ONE.__class__(vnfc_instance_id=("gate-k1",))
        operation = await run.begin(broken, "heal", asked)
        stopped = await run.stopped(operation)
        if stopped.state is S.FAILED_TEMP:
            assert stopped.error is not None
            assert stopped.error["code"] == "secret-unreadable"
            await told(run, broken)
            await run.program.occurrences.fail(PROJECT, operation)
        await run.do(broken, "terminate", TerminateVnfRequest(termination_type=TerminationType.GRACEFUL))
        assert run.things() == []


@pytest.mark.parametrize("readable", [True, False])
async def test_a_view_that_is_not_json_is_computed_again(start_small: Start, readable: bool) -> None:
    """Lists are put together from views that nobody decodes: one that is damaged would break them all."""
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        shown = await run.program.vnfs.show(PROJECT, broken)
        await harm(run, vnf_instances, vnf_instances.c.id == broken, view="{", full="{")
        if not readable:
            await harm(run, vnf_instances, vnf_instances.c.id == broken, document="garbage")
        with pytest.raises(Quarantined):
            await run.program.vnfs.show(PROJECT, broken)
    async with start_small() as run:
        await run.program.inspection.look()
        page = await run.program.vnfs.page(PROJECT, None, None, 100)
        assert {msgspec.json.decode(row.view)["id"] for row in page.rows} == {broken, whole}
        if readable:
            assert await run.program.vnfs.show(PROJECT, broken) == shown
        else:
            assert (await run.program.vnfs.show(PROJECT, broken))[0].id == broken


async def test_several_things_at_once_on_either_database(start: Start) -> None:
    async with start() as run:
        await run.package()
        whole = await run.instantiated("whole")
        broken = [await run.instantiated(name, address=None) for name in ("record", "resource", "row", "decision")]
        stopped = [await stopped_scaling(run, vnf) for vnf in broken[2:]]
        await harm(run, vnf_instances, vnf_instances.c.id == broken[0], document="garbage")
        await harm(run, resources, resources.c.owner == broken[1], document={"schema": 99})
        await harm(run, operations, operations.c.id == stopped[0], schema=99, state="PROCESSING", worker=None)
        await harm(run, operations, operations.c.id == stopped[1], target={})
    async with start() as run:
        for vnf in broken:
            await told(run, vnf)
        for vnf in broken[:2]:
            assert isinstance(await refused(run, vnf), Quarantined)
        await serves_the_rest(run, whole)
        assert await run.program.inspection.look() == 4


async def test_the_same_finding_is_told_once(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        broken = await run.instantiated("broken")
        await harm(run, vnf_instances, vnf_instances.c.id == broken, document="garbage")
        for _ in range(3):
            assert await run.program.inspection.look() == 1
        await told(run, broken)
        await harm(run, vnf_instances, vnf_instances.c.id == broken, document={"schema": 99})
        await run.program.inspection.look()
        assert len(await quarantined(run, broken)) == 2


async def test_where_all_is_well_nothing_is_told(start_small: Start) -> None:
    async with start_small() as run:
        await run.package()
        vnf = await run.instantiated()
        await stopped_scaling(run, vnf)
        assert await run.program.inspection.look() == 0
        assert await quarantined(run, vnf) == []


async def test_text_in_the_database_that_is_not_even_json(start_small: Start) -> None:
    """PostgreSQL does not take such; SQLite does, from whoever edits its file."""
    async with start_small() as run:
        await run.package()
        broken, whole = await run.instantiated("broken"), await run.instantiated("whole", address=None)
        await harm(run, vnf_instances, vnf_instances.c.id == broken, document=sa.literal_column("'{'"))
    async with start_small() as run:
        await told(run, broken)
        assert isinstance(await refused(run, broken), Quarantined)
        await serves_the_rest(run, whole)
