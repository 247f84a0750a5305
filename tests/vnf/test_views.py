"""What ETSI's clients see of an instance and of its operations: conformant, true, and with ids that last as they should."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fairlead.operations import OperationState
from fairlead.sol import HealVnfRequest, VnfInstance, VnfLcmOpOcc, encode
from tests.sol import etsi
from tests.support.running import OUTSIDE_ADDRESS, PROJECT, Running
from tests.vnf.cases import CASES, HEAL_ONE, SCALE_IN, SCALE_OUT, STOP, TERMINATE
from tests.vnf.conftest import Start

S = OperationState
MORE = {
    "error": {"code", "resource", "place", "cause", "left", "remedy", "step", "console", "others"},
    "instantiatedVnfInfo": {"vnfcInfo"},
}
"""Attributes beyond SOL003's: ours where ETSI allows more, and one of SOL002."""


def conforms(value: Any, place: str) -> list[str]:
    """What in `value` does not fit ETSI's schema at `place`: unknown attributes, and mandatory ones that are missing."""
    if isinstance(value, list):
        return [problem for one in value for problem in conforms(one, place)]
    if not isinstance(value, dict):
        return []
    schema = etsi.schema(place)
    if "properties" not in schema:
        return []
    known = set(schema["properties"])
    more = MORE.get(place.rsplit("/", 1)[-1], set())
    problems = [f"{place}: {name} is not known" for name in value.keys() - known - more]
    problems += [f"{place}: {name} is missing" for name in set(schema.get("required", ())) - value.keys()]
    for name in value.keys() & known:
        problems += conforms(value[name], f"{place}/{name}")
    return problems


async def instance(run: Running, vnf: str) -> dict[str, Any]:
    return on_the_wire((await run.program.vnfs.show(PROJECT, vnf))[0])


def on_the_wire(shown: VnfInstance | VnfLcmOpOcc) -> dict[str, Any]:
    """What a client reads."""
    found: dict[str, Any] = msgspec.json.decode(encode(shown))
    return found


def changes_of(occurrence: VnfLcmOpOcc) -> dict[str, Any]:
    return dict(on_the_wire(occurrence).get("resourceChanges", {}))


def by_change(changes: dict[str, Any], kind: str, what: str = "computeResource") -> dict[str, set[str]]:
    """The handles of the affected resources of a kind, by how they were affected."""
    found: dict[str, set[str]] = {}
    for one in changes.get(kind, ()):
        found.setdefault(one["changeType"], set()).add(one[what]["resourceId"])
    return found


def handles(run: Running, sort: str) -> set[str]:
    return {thing.handle for thing in run.things(sort)}


@pytest.mark.parametrize("name", CASES)
async def test_instances_and_occurrences_conform_to_the_schemas_of_etsi(start_small: Start, name: str) -> None:
    case = CASES[name]
    async with start_small() as run:
        await run.package()
        vnf = await case.instance(run)
        assert conforms(await instance(run, vnf), "sol003:VnfInstance") == []
        await run.fault("[cupd]*", "refused", after=1)
        operation = await run.begin(vnf, case.operation, case.request)
        await run.reached(operation, S.FAILED_TEMP)
        for request in (None, "retry"):
            if request:
                await run.program.occurrences.retry(PROJECT, operation)
                await run.reached(operation, S.COMPLETED)
            shown = on_the_wire(await run.program.occurrences.show(PROJECT, operation))
            assert conforms(shown, "sol003:VnfLcmOpOcc") == []
            assert conforms(await instance(run, vnf), "sol003:VnfInstance") == []


async def test_an_instance_shows_what_it_has(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        info = (await instance(run, vnf))["instantiatedVnfInfo"]
        assert (info["flavourId"], info["vnfState"]) == ("simple", "STARTED")
        assert info["scaleStatus"] == [{"aspectId": "workers", "scaleLevel": 1}]
        machines = {one["computeResource"]["resourceId"] for one in info["vnfcResourceInfo"]}
        assert machines == handles(run, "compute")
        volumes = {one["id"]: one["storageResource"]["resourceId"] for one in info["virtualStorageResourceInfo"]}
        assert set(volumes.values()) == handles(run, "volume")
        assert {one["networkResource"]["resourceId"] for one in info["vnfVirtualLinkResourceInfo"]} == handles(
            run, "network"
        )
        for machine in info["vnfcResourceInfo"]:
            assert set(machine.get("storageResourceIds", ())) <= volumes.keys()
        (outer,) = info["extCpInfo"]
        (protocol,) = outer["cpProtocolInfo"]
        addresses = protocol["ipOverEthernet"]["ipAddresses"]
        assert addresses == [{"type": "IPV4", "addresses": [OUTSIDE_ADDRESS]}]
        ids = {one["id"] for one in info["vnfcInfo"]}
        assert ids == {"gate-k1", "worker-k1", "worker-k2"}


async def test_references_inside_a_view_lead_somewhere(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        info = (await instance(run, vnf))["instantiatedVnfInfo"]
        resources = {one["id"] for one in info["vnfcResourceInfo"]}
        assert {one["vnfcResourceInfoId"] for one in info["vnfcInfo"]} == resources
        points = {point["id"]: point for one in info["vnfcResourceInfo"] for point in one["vnfcCpInfo"]}
        outer = {one["id"] for one in info["extCpInfo"]}
        assert {point["vnfExtCpId"] for point in points.values() if "vnfExtCpId" in point} == outer
        ports = {port["id"]: port for link in info["vnfVirtualLinkResourceInfo"] for port in link["vnfLinkPorts"]}
        assert {port["cpInstanceId"] for port in ports.values()} == {
            id_ for id_, point in points.items() if "vnfExtCpId" not in point
        }
        assert {point["vnfLinkPortId"] for point in points.values() if "vnfLinkPortId" in point} == ports.keys()
        outside = {port["id"] for link in info["extVirtualLinkInfo"] for port in link["extLinkPorts"]}
        assert {one["extLinkPortId"] for one in info["extCpInfo"]} == outside


async def test_a_vnfc_keeps_its_id_over_heals_and_its_resource_gets_a_new_one(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        before = (await instance(run, vnf))["instantiatedVnfInfo"]
        await run.do(vnf, "heal", HEAL_ONE)
        after = (await instance(run, vnf))["instantiatedVnfInfo"]
        lives = [{one["id"]: one["vnfcResourceInfoId"] for one in info["vnfcInfo"]} for info in (before, after)]
        assert lives[0].keys() == lives[1].keys()
        assert {id_ for id_ in lives[0] if lives[0][id_] != lives[1][id_]} == {"worker-k1"}
        assert before["virtualStorageResourceInfo"] == after["virtualStorageResourceInfo"], "volumes stay"


async def test_a_vnfc_can_be_healed_by_the_id_of_its_resource_too(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated(level="more")
        info = (await instance(run, vnf))["instantiatedVnfInfo"]
        resource = next(one["vnfcResourceInfoId"] for one in info["vnfcInfo"] if one["id"] == "worker-k2")
        await run.do(vnf, "heal", HealVnfRequest(vnfc_instance_id=(resource,)))
        after = (await instance(run, vnf))["instantiatedVnfInfo"]
        assert next(one["vnfcResourceInfoId"] for one in after["vnfcInfo"] if one["id"] == "worker-k2") != resource


async def test_affected_resources_are_what_has_changed_in_the_infrastructure(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        for case, request in (
            ("instantiate", CASES["instantiate"].request),
            ("scale", SCALE_OUT),
            ("heal", HEAL_ONE),
            ("scale", SCALE_IN),
            ("terminate", TERMINATE),
        ):
            before = {sort: handles(run, sort) for sort in ("compute", "volume", "network")}
            changes = changes_of(await run.do(vnf, case, request))
            for sort, kind, what in (
                ("compute", "affectedVnfcs", "computeResource"),
                ("volume", "affectedVirtualStorages", "storageResource"),
                ("network", "affectedVirtualLinks", "networkResource"),
            ):
                told, now = by_change(changes, kind, what), handles(run, sort)
                assert told.get("ADDED", set()) == now - before[sort], (case, sort)
                assert told.get("REMOVED", set()) == before[sort] - now, (case, sort)


async def test_stopping_modifies_every_machine_and_nothing_else(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated()
        changes = changes_of(await run.do(vnf, "operate", STOP))
        assert by_change(changes, "affectedVnfcs") == {"MODIFIED": handles(run, "compute")}
        assert set(changes) == {"affectedVnfcs"}
        info = (await instance(run, vnf))["instantiatedVnfInfo"]
        assert info["vnfState"] == "STOPPED"
        assert {one["vnfcState"] for one in info["vnfcInfo"]} == {"STOPPED"}


async def test_an_operation_that_stopped_tells_what_it_has_affected_so_far_and_one_rolled_back_that_it_has_not(
    start: Start,
) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.instantiated()
        before = handles(run, "volume")
        await run.fault("create", "refused", sort="compute")
        operation = await run.begin(vnf, "scale", SCALE_OUT)
        await run.reached(operation, S.FAILED_TEMP)
        shown = on_the_wire(await run.program.occurrences.show(PROJECT, operation))
        told = by_change(shown["resourceChanges"], "affectedVirtualStorages", "storageResource")
        assert told == {"ADDED": handles(run, "volume") - before}
        assert shown["error"]["status"] >= 400
        assert set(shown["_links"]) == {"self", "vnfInstance", "retry", "rollback", "fail"}
        await run.program.occurrences.rollback(PROJECT, operation)
        await run.reached(operation, S.ROLLED_BACK)
        shown = on_the_wire(await run.program.occurrences.show(PROJECT, operation))
        assert "resourceChanges" not in shown
        assert set(shown["_links"]) == {"self", "vnfInstance"}


async def test_links_say_what_can_be_asked_next(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        assert set((await instance(run, vnf))["_links"]) == {"self", "instantiate"}
        await run.do(vnf, "instantiate", CASES["instantiate"].request)
        links = set((await instance(run, vnf))["_links"])
        assert {"self", "terminate", "scale", "scaleToLevel", "heal", "operate"} <= links
        assert "instantiate" not in links


async def test_a_terminated_instance_is_as_it_was_created(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        created = await instance(run, vnf)
        await run.do(vnf, "instantiate", CASES["instantiate"].request)
        await run.do(vnf, "terminate", TERMINATE)
        assert await instance(run, vnf) == created


async def test_the_entity_tag_changes_with_the_instance_and_not_otherwise(start: Start) -> None:
    async with start() as run:
        await run.package()
        vnf = await run.vnf()
        tags = [(await run.program.vnfs.show(PROJECT, vnf))[1] for _ in range(2)]
        assert len(set(tags)) == 1
        await run.do(vnf, "instantiate", CASES["instantiate"].request)
        assert (await run.program.vnfs.show(PROJECT, vnf))[1] not in tags
