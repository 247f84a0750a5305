"""VNFs whose packages bring templates, on the peer's Heat: each operation, what goes wrong, and crashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import Unprocessable
from fairlead.operations import OperationState
from tests.bench.cloud.shape import package
from tests.openstack.stacking import FORCEFUL, Stacking, instantiation, stacking
from tests.support.cloud import PeerCloud
from tests.support.running import PROJECT, eventually

ALL = ("basic_lcms_max", "individual_vnfc_max", "userdata_standard", "change_vnfpkg")


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The names of what has come, gone or been replaced."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def members_of(names: set[str], member: str) -> set[str]:
    return {name for name in names if name == member or name.startswith(f"{member}/")}


@pytest.mark.parametrize("package", ALL)
async def test_a_whole_life(peer: PeerCloud, tmp_path: Path, package: str) -> None:
    async with stacking(peer, tmp_path, package) as one:
        await one.do("instantiate", **instantiation(peer, package))
        await one.agrees()
        small = await one.handles()
        await one.scale("OUT", additionalParams={})
        await one.agrees()
        large = await one.handles()
        assert changed(small, large) == members_of(set(large), "VDU1/k2")
        assert "VDU1/k2" in large
        await one.do("heal", vnfcInstanceId=["VDU1-k1"])
        await one.agrees()
        healed = await one.handles()
        assert changed(large, healed) == {"VDU1/k1"}
        await one.do("heal", vnfcInstanceId=["VDU1-k2"], additionalParams={"all": True})
        whole = await one.handles()
        volumes = {name for name in whole if name.startswith("VDU1/k2/") and "Storage" in name}
        assert changed(healed, whole) == {"VDU1/k2", *volumes}
        await one.scale("IN", additionalParams={"vnfcInstanceId": ["VDU1-k1"]})
        await one.agrees()
        left = await one.handles()
        assert changed(whole, left) == members_of(set(whole), "VDU1/k1")
        await one.do("heal")
        await one.agrees()
        assert changed(left, await one.handles()) == {"VDU1/k2", "VDU2/k1"}
        await one.do("terminate", **FORCEFUL)
        one.nothing_left()


async def test_a_template_that_does_not_declare_the_parameter_is_not_given_it(peer: PeerCloud, tmp_path: Path) -> None:
    request = instantiation(peer, "userdata_standard")
    async with stacking(peer, tmp_path, package(template=True)) as one:
        plain = {"flavourId": "simple", "vimConnectionInfo": request["vimConnectionInfo"]}
        told = await one.fail("instantiate", **plain, additionalParams={"nfv": {"VDU": {"one": {"image": "x"}}}})
        assert "(nfv) was not defined" in str(told.error)
        await one.roll_back(told.id)
        await one.do("instantiate", **plain)
        await one.agrees()
        await one.do("terminate", **FORCEFUL)
        one.nothing_left()


async def test_power_is_changed_without_heat(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "userdata_standard") as one:
        await one.do("instantiate", **instantiation(peer, "userdata_standard"))
        peer.seen.clear()
        await one.do("operate", changeStateTo="STOPPED", stopType="FORCEFUL")
        assert {server["status"] for server in peer.nova.servers.values()} == {"SHUTOFF"}
        await one.do("operate", changeStateTo="STARTED")
        assert {server["status"] for server in peer.nova.servers.values()} == {"ACTIVE"}
        assert not [call for call in peer.seen if call.startswith(("PUT /heat", "POST /heat"))]


async def test_servers_are_asked_to_stop_before_their_stack_is_deleted(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "userdata_standard") as one:
        await one.do("instantiate", **instantiation(peer, "userdata_standard"))
        peer.seen.clear()
        await one.do("terminate", terminationType="GRACEFUL", gracefulTerminationTimeout=5)
        ends = [number for number, call in enumerate(peer.seen) if call.startswith("DELETE /heat")]
        stops = [
            number for number, call in enumerate(peer.seen) if call.startswith("POST") and call.endswith("/action")
        ]
        assert len(stops) == 2
        assert max(stops) < min(ends)
        one.nothing_left()


async def test_a_member_keeps_its_index_for_life(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "individual_vnfc_max") as one:
        await one.do("instantiate", **instantiation(peer, "individual_vnfc_max"))
        await one.scale("OUT")
        await one.scale("IN", additionalParams={"vnfcInstanceId": ["VDU1-k1"]})
        await one.scale("OUT")
        (stack,) = [one for one in peer.heat.stacks.values() if one["owner"] is None]
        assert {"VDU1-1", "VDU1-2", "VDU2-0"} <= stack["parts"].keys()
        assert "VDU1-0" not in stack["parts"]


async def test_a_server_that_no_host_can_hold_is_told_in_heat_s_words_and_leaves_nothing(
    peer: PeerCloud, tmp_path: Path
) -> None:
    huge = {"requested_additional_capability_name: m1.tiny": "requested_additional_capability_name: m1.huge"}
    async with stacking(peer, tmp_path, "basic_lcms_max", changes=huge) as one:
        failed = await one.fail("instantiate", **instantiation(peer, "basic_lcms_max"))
        assert failed.error is not None
        assert failed.error["code"] == "no-valid-host"
        assert "No valid host was found" in str(failed.error)
        await one.roll_back(failed.id)
        one.nothing_left()


async def test_a_scaling_that_fails_is_rolled_back_to_what_was_there(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "scale_ng") as one:
        await one.do("instantiate", **instantiation(peer, "scale_ng"))
        before = await one.handles()
        peer.heat.scripted["VDU1-VolumeType"] = "Volume Type VDU1-multi already exists. (HTTP 409)"
        failed = await one.fail("scale", type="SCALE_OUT", aspectId="VDU1_scale", numberOfSteps=1)
        assert "already exists" in str(failed.error)
        peer.heat.scripted.clear()
        await one.roll_back(failed.id)
        await one.agrees()
        assert await one.handles() == before
        await one.do("terminate", **FORCEFUL)
        one.nothing_left()


async def test_a_failure_is_told_before_heat_has_given_up_and_the_rollback_waits_until_it_has(
    peer: PeerCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.vims.openstack.stacks._LOOK_AGAIN", 0.05)
    async with stacking(peer, tmp_path, "scale_ng") as one:
        await one.do("instantiate", **instantiation(peer, "scale_ng"))
        before = await one.handles()
        peer.heat.scripted["VDU1"] = "No valid host was found."
        peer.heat.dragging = 4.0
        failed = await one.fail("scale", type="SCALE_OUT", aspectId="VDU1_scale", numberOfSteps=1)
        assert failed.error is not None
        assert failed.error["code"] == "no-valid-host"
        assert "UPDATE_IN_PROGRESS" in {stack["status"] for stack in peer.heat.stacks.values()}
        peer.heat.scripted.clear()
        await one.roll_back(failed.id)
        await one.agrees()
        assert await one.handles() == before


async def test_a_scaling_that_fails_is_retried_by_another_update(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "individual_vnfc_max") as one:
        await one.do("instantiate", **instantiation(peer, "individual_vnfc_max"))
        before = await one.handles()
        peer.heat.scripted["VDU1-1"] = "out of luck"
        failed = await one.fail("scale", type="SCALE_OUT", aspectId="VDU1_scale", numberOfSteps=1)
        peer.heat.scripted.clear()
        await one.retry(failed.id)
        await one.agrees()
        after = await one.handles()
        assert changed(before, after) == members_of(set(after), "VDU1/k2")


@pytest.mark.parametrize(
    ("on", "status"),
    [(r"POST .*/stacks$", 0), (r"POST .*/stacks$", 503), (r"PUT .*/stacks/", 0), (r"PATCH .*/resources/", 0)],
)
async def test_a_lost_answer_makes_nothing_twice(peer: PeerCloud, tmp_path: Path, on: str, status: int) -> None:
    async with stacking(peer, tmp_path, "basic_lcms_max") as one:
        if "POST" not in on:
            await one.do("instantiate", **instantiation(peer, "basic_lcms_max"))
        peer.fail(on, status)
        if "POST" in on:
            await one.do("instantiate", **instantiation(peer, "basic_lcms_max"))
        await one.do("heal", vnfcInstanceId=["VDU1-k1"])
        assert not peer.faults
        assert len([stack for stack in peer.heat.stacks.values() if stack["owner"] is None]) == 1
        await one.agrees()


async def test_each_operation_goes_on_after_a_stop_at_any_of_its_calls(peer: PeerCloud, tmp_path: Path) -> None:
    package = "basic_lcms_max"
    async with stacking(peer, tmp_path, package) as one:
        vnf = one.vnf
    plans: list[tuple[str, dict[str, Any]]] = [
        ("instantiate", instantiation(peer, package)),
        ("scale", {"type": "SCALE_OUT", "aspectId": "VDU1_scale", "numberOfSteps": 1}),
        ("heal", {"vnfcInstanceId": ["VDU1-k1"]}),
        ("scale", {"type": "SCALE_IN", "aspectId": "VDU1_scale", "numberOfSteps": 1}),
        ("terminate", FORCEFUL),
    ]
    for kind, asked in plans:
        await stopped_often(peer, tmp_path, package, vnf, kind, asked)
    async with stacking(peer, tmp_path, package, vnf=vnf) as one:
        one.nothing_left()
        assert len([stack for stack in peer.heat.stacks.values() if stack["owner"] is None]) == 1


async def stopped_often(
    peer: PeerCloud, directory: Path, package: str, vnf: str, kind: str, asked: dict[str, Any]
) -> None:
    """Do it with a program that is stopped after one more of its calls to Heat each time."""
    async with stacking(peer, directory, package, vnf=vnf) as one:
        operation = await one.begin(kind, **asked)
    for calls in range(1, 60):
        async with stacking(peer, directory, package, vnf=vnf) as one:
            if await ended(one, operation, len(heat_calls(peer)) + calls):
                if kind != "terminate":
                    await one.agrees()
                return
    raise AssertionError(f"{kind} has not come to its end")


async def ended(one: Stacking, operation: str, calls: int) -> bool:
    """Whether the operation is done, asked when it is, or when there have been so many calls to Heat."""

    async def look() -> bool:
        found = await one.running.show(operation)
        assert found.state is not OperationState.FAILED_TEMP, found.error
        return found.state is OperationState.COMPLETED or len(heat_calls(one.peer)) >= calls

    await eventually(look, what=operation)
    return (await one.running.show(operation)).state is OperationState.COMPLETED


def heat_calls(peer: PeerCloud) -> list[str]:
    return [call for call in peer.seen if "/heat/" in call]


async def test_a_stack_that_no_row_knows_is_seen_by_its_tags_and_swept(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "userdata_standard") as one:
        await one.do("instantiate", **instantiation(peer, "userdata_standard"))
        (row,) = [row for row in (await one.records()).current.values() if row.resource.spec.sort() == "stack"]
        driver = one.running.program.vims.driver(row.resource.vim)
        tagged = {(item.sort, str(item.handle)): item.tag for item in await driver.tagged()}
        tag = tagged["stack", str(row.handle)]
        assert (tag.incarnation, tag.owner, tag.name) == (row.incarnation, one.vnf, "stack")
        assert not [key for key in tagged if key[0] in ("compute", "port", "volume")]
        (made,) = [stack for stack in peer.heat.stacks.values() if stack["owner"] is None]
        words = [word.replace(tag.incarnation, "0123456789abcdef") for word in made["tags"]]
        stray = {**made, "id": "stray", "name": "stray", "tags": words, "parts": {}}
        peer.heat.stacks["stray"] = stray
        (swept,) = await one.running.program.sweeper.sweep_vim(row.resource.vim)
        assert swept.handle == "stray/stray"
        assert stray["status"].startswith("DELETE")
        assert made["status"] == "CREATE_COMPLETE"
        await one.agrees()


async def test_a_stack_that_cannot_be_deleted_is_told_of_and_goes_by_a_retry(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "userdata_standard") as one:
        await one.do("instantiate", **instantiation(peer, "userdata_standard"))
        peer.heat.undeletable = 3
        failed = await one.fail("terminate", **FORCEFUL)
        assert "the subnet is in use" in str(failed.error)
        assert peer.heat.undeletable == 0, "a deletion that fails is asked for again"
        peer.heat.undeletable = 2
        await one.retry(failed.id)
        one.nothing_left()


async def test_what_has_become_of_members_is_seen_and_repaired_through_their_stack(
    peer: PeerCloud, tmp_path: Path
) -> None:
    async with stacking(peer, tmp_path, "individual_vnfc_max") as one:
        await one.do("instantiate", **instantiation(peer, "individual_vnfc_max"))
        assert await drifted(one) == set()
        before = await one.handles()
        peer.nova.servers[before["VDU1/k1"]]["status"] = "SHUTOFF"
        peer.nova.servers[before["VDU2/k1"]]["status"] = "DELETED"
        assert await drifted(one) == {"VDU1/k1", "VDU2/k1"}
        await one.do("heal", additionalParams={"drifted": True})
        assert await drifted(one) == set()
        assert changed(before, await one.handles()) == {"VDU2/k1"}
        assert peer.nova.servers[before["VDU1/k1"]]["status"] == "ACTIVE"
        await one.agrees()


async def drifted(one: Stacking) -> set[str]:
    """The names of what is not as recorded."""
    found = await one.running.program.vnfs.drift(PROJECT, one.vnf)
    return {finding["resource"] for finding in found["findings"]}


async def test_an_operation_that_was_given_up_leaves_a_stack_that_the_next_one_brings_in_order(
    peer: PeerCloud, tmp_path: Path
) -> None:
    async with stacking(peer, tmp_path, "individual_vnfc_max") as one:
        await one.do("instantiate", **instantiation(peer, "individual_vnfc_max"))
        peer.heat.scripted["VDU1-1"] = "out of luck"
        failed = await one.fail("scale", type="SCALE_OUT", aspectId="VDU1_scale", numberOfSteps=1)
        await one.running.program.operations.fail(PROJECT, failed.id)
        peer.heat.scripted.clear()
        await one.do("heal", vnfcInstanceId=["VDU1-k1"])
        await one.agrees()
        assert {name for name in await one.handles() if name.count("/") == 1 and name.startswith("VDU")} == {
            "VDU1/k1",
            "VDU2/k1",
        }
        await one.do("terminate", **FORCEFUL)
        one.nothing_left()


async def test_a_script_that_would_have_to_be_run_is_refused_before_anything_is_done(
    peer: PeerCloud, tmp_path: Path
) -> None:
    async with stacking(peer, tmp_path, "userdata_standard") as one:
        asked = instantiation(peer, "userdata_standard")
        for parameters in (
            {},
            {"lcm-operation-user-data-class": "MyUserData", "fairlead-package-scripts": "skip"},
            {"lcm-operation-user-data": "./UserData/mine.py", "fairlead-package-scripts": "skip"},
        ):
            with pytest.raises(Unprocessable) as refused:
                await one.begin("instantiate", **{**asked, "additionalParams": parameters})
            assert refused.value.code == "unsupported-package-script"
        assert not heat_calls(peer)


async def test_what_a_template_asks_for_and_nobody_gives_is_told_at_once(peer: PeerCloud, tmp_path: Path) -> None:
    async with stacking(peer, tmp_path, "basic_lcms_max") as one:
        asked = instantiation(peer, "basic_lcms_max")
        for link in asked["extVirtualLinks"]:
            for point in link["extCps"]:
                for config in point["cpConfig"].values():
                    for protocol in config.get("cpProtocolData", ()):
                        for address in protocol["ipOverEthernet"]["ipAddresses"]:
                            address.pop("subnetId", None)
        with pytest.raises(Unprocessable) as refused:
            await one.begin("instantiate", **asked)
        assert refused.value.code == "template-parameter-missing"
        assert "nfv/CP/VDU1_CP1/fixed_ips/0/subnet" in refused.value.detail
