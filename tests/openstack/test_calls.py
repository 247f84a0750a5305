"""How a cloud is called: one token, no call more than is needed, patience where it asks for it, and errors with its own words."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from fairlead.clock import SystemClock
from fairlead.errors import VimFull, VimUnavailable
from fairlead.resources import Failed, Gone, Handle, Name, PortSpec, VolumeSpec
from fairlead.vims.openstack import servers, underway
from fairlead.vims.openstack.refusals import Denied
from fairlead.vims.openstack.tags import metadata_of
from tests.contract.clouds import OpenStackSubject
from tests.contract.subject import Hands, all_of
from tests.support.cloud import PeerCloud


async def test_all_calls_share_one_token_and_ask_for_nothing_else(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await all_of(hands.create(hands.resource(f"v{number}", VolumeSpec(size=1))) for number in range(30))
        assert peer.tokens == 1
        assert {call.split("?")[0].split("/")[1] for call in peer.seen} == {"volume"}
        assert len(peer.seen) == 30


async def test_what_neutron_can_is_asked_once_by_all_who_want_to_know_at_the_same_time(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await all_of(hands.create(hands.network(f"link-{number}")) for number in range(5))
        assert len([call for call in peer.seen if "/extensions" in call]) == 1


async def test_a_token_that_was_revoked_is_replaced_at_once(peer: PeerCloud, peer_subject: OpenStackSubject) -> None:
    async with Hands(peer_subject) as hands:
        held = await hands.obtain(hands.network())
        peer.valid.clear()
        assert await hands.kind("network").read(held.handle) is not None
        assert peer.tokens == 2


async def test_a_token_of_the_second_in_which_others_were_revoked_is_replaced_as_well(
    peer: PeerCloud, peer_subject: OpenStackSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.vims.openstack.cloud._NEXT_SECOND", 0.01)
    async with Hands(peer_subject) as hands:
        await hands.driver.capacity()
        for _ in range(3):
            peer.fail("GET /compute/.*limits", 401, {"error": {"message": "The request requires authentication"}})
        await hands.driver.capacity()
        assert not peer.faults
        assert peer.tokens == 3


async def test_a_token_that_was_revoked_before_an_upload_is_replaced_and_the_file_sent_from_its_beginning(
    peer: PeerCloud, peer_subject: OpenStackSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.vims.openstack.cloud._NEXT_SECOND", 0.01)
    async with Hands(peer_subject) as hands:
        peer.fail("PUT /image/", 401, {"error": {"message": "The request requires authentication"}})
        held = await hands.obtain(hands.image())
        assert peer.glance.contents[held.handle] == (peer_subject.files.directory / "image.raw").read_bytes()
        assert peer.tokens == 2


async def test_credentials_that_are_refused_are_told_and_not_tried_for_a_minute(peer_subject: OpenStackSubject) -> None:
    access = peer_subject.access("test")
    wrong = msgspec.structs.replace(access, credentials={**access.credentials, "password": "not-it"})
    driver = peer_subject.type.open(wrong, peer_subject.files, SystemClock())
    check = await driver.check()
    assert (check.reachable, check.findings[0].code) == (False, "vim-credentials-refused")
    assert "not-it" not in check.findings[0].detail
    with pytest.raises(Denied):
        await driver.kinds["network"].read(Handle("x"))
    await driver.close()


async def test_a_service_that_says_when_to_ask_again_is_left_alone_until_then(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        held = await hands.obtain(hands.network())
        peer.fail(r"GET /network/v2.0/networks/", 429, {"message": "slow down"}, Retry_After="0.3")
        began = time.monotonic()
        with pytest.raises(VimUnavailable) as slowed:
            await hands.kind("network").read(held.handle)
        assert slowed.value.code == "vim-rate-limit"
        assert await hands.kind("network").read(held.handle) is not None
        assert time.monotonic() - began >= 0.3


async def test_an_error_has_the_services_words_and_the_id_of_the_request(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        with pytest.raises(VimFull) as full:
            await hands.create(hands.resource("huge", VolumeSpec(size=2**50)))
        assert (full.value.code, full.value.resource) == ("quota-exceeded", "huge")
        assert "VolumeSizeExceedsAvailableQuota" in (full.value.cause or "")
        assert f"req-{len(peer.seen)}" in (full.value.cause or "")


async def test_many_servers_are_read_by_one_list_and_then_by_what_changed(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.basis()
        machines = await all_of(hands.machine(f"server-{number}") for number in range(6))
        wanted = {"compute": {machine.compute.handle for machine in machines}}
        peer.seen.clear()
        first = await hands.driver.observe(wanted)
        await hands.kind("compute").delete(machines[0].compute.handle)
        await hands.wait(machines[0].compute, lambda _, seen: seen is None)
        peer.seen.clear()
        second = await hands.driver.observe(wanted)
        assert [call for call in peer.seen if "changes-since" not in call] == []
        assert len(peer.seen) == 1
        changed = {key for key in first if first[key] != second[key]}
        assert changed == {("compute", machines[0].compute.handle)}
        assert second["compute", machines[0].compute.handle] is None


@pytest.mark.parametrize(("believed", "whole"), [(60.0, 1), (0.0, None)])
async def test_while_a_server_is_built_or_deleted_little_is_asked_about_it_and_all_once_in_a_while(
    peer: PeerCloud, peer_subject: OpenStackSubject, monkeypatch: pytest.MonkeyPatch, believed: float, whole: int | None
) -> None:
    monkeypatch.setattr(underway, "_BELIEVED", believed)
    async with Hands(peer_subject) as hands:
        await hands.basis()
        machine = await hands.machine("server")
        built = _kinds_of_looks(peer, machine.compute.handle)
        peer.seen.clear()
        await hands.relinquish(machine.compute)
        gone = _kinds_of_looks(peer, machine.compute.handle)
        for looks, little in ((built, "building"), (gone, "there")):
            assert looks[-1] == "whole"
            if whole is None:
                assert set(looks) == {"whole"}
            else:
                assert (looks.count("whole"), looks[0]) == (whole, little)


async def test_a_server_that_fails_while_it_is_built_has_failed_at_the_next_look(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.basis()
        compute, _ = hands.parts("huge", (), flavour="m1.huge")
        held = await hands.create(compute)
        status = await hands.status(held)
        assert isinstance(status, Failed)
        assert status.code == "no-valid-host"
        assert _kinds_of_looks(peer, held.handle)[-1] == "whole"


@pytest.mark.parametrize("administrator", [True, False])
async def test_a_deletion_that_nova_has_noted_and_lost_is_asked_for_again_or_told(
    peer: PeerCloud, peer_subject: OpenStackSubject, monkeypatch: pytest.MonkeyPatch, administrator: bool
) -> None:
    monkeypatch.setattr(underway, "_LOST", 0.1)
    monkeypatch.setattr(underway, "_BELIEVED", 0.05)
    async with Hands(peer_subject) as hands:
        await hands.basis()
        held = (await hands.machine("server")).compute
        peer.nova.losing_deletions, peer.nova.administrator = 1, administrator
        await hands.kind("compute").delete(held.handle)
        status = await hands.wait(
            held, lambda status, _: isinstance(status, Gone) or (isinstance(status, Failed) and status.undead)
        )
        assert isinstance(status, Gone) is administrator
        if isinstance(status, Failed):
            assert status.code == "deletion-lost"
            assert held.handle in status.reason
            peer.nova.servers[held.handle] |= {"status": "ERROR", "OS-EXT-STS:task_state": None}
            await hands.relinquish(held)


def _kinds_of_looks(peer: PeerCloud, server: str) -> list[str]:
    """What Nova was asked of a server: all, whether it is being built, or whether it is there."""
    kinds = {
        r"GET /compute/v2.1/servers[?].*status=BUILD": "building",
        rf"GET /compute/v2.1/servers/{server}/metadata": "there",
        rf"GET /compute/v2.1/servers/{server}$|GET /compute/v2.1/servers/detail": "whole",
    }
    return [kind for call in peer.seen for pattern, kind in kinds.items() if re.match(pattern, call)]


async def test_a_server_that_vanished_without_a_word_is_gone_once_all_are_listed_again(
    peer: PeerCloud, peer_subject: OpenStackSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.basis()
        machines = await all_of(hands.machine(f"server-{number}") for number in range(5))
        handles = {machine.compute.handle for machine in machines}
        lost = machines[0].compute.handle
        await hands.driver.observe({"compute": handles})
        del peer.nova.servers[lost]
        assert (await hands.driver.observe({"compute": handles}))["compute", lost] is not None
        monkeypatch.setattr(servers, "_FORGET", 0.0)
        assert (await hands.driver.observe({"compute": handles}))["compute", lost] is None


async def test_what_an_answer_has_told_is_not_asked_again_and_all_else_is(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        network = await hands.obtain(hands.network())
        port = await hands.obtain(hands.resource("port", PortSpec(network=network.handle)))
        await hands.driver.observe({"port": {port.handle}})
        await hands.relinquish(port)
        assert isinstance(await hands.status(port), Gone)
        calls = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[?].*", "", call) for call in peer.seen]
        assert calls == [
            "GET /network/v2.0/extensions",
            "POST /network/v2.0/networks",
            "POST /network/v2.0/subnets",
            "POST /network/v2.0/ports",
            "GET /network/v2.0/ports",
            "DELETE /network/v2.0/ports/",
            "GET /network/v2.0/ports",
        ]


async def test_an_image_whose_upload_broke_off_is_found_by_nobody_and_sent_anew(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        peer.fail(r"PUT /image/", 503, {"message": "gone away"})
        image, tag = hands.image(), hands.tag("image")
        with pytest.raises(VimUnavailable):
            await hands.create(image, tag=tag)
        assert await hands.kind("image").find(tag, image) is None
        assert peer.glance.images == {}
        held = await hands.obtain(image)
        assert peer.glance.contents[held.handle] == (peer_subject.files.directory / "image.raw").read_bytes()


async def test_a_network_whose_subnet_is_refused_is_taken_away_again(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        peer.fail(
            r"POST /network/v2.0/subnets", 409, {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded"}}
        )
        with pytest.raises(VimFull) as full:
            await hands.create(hands.network("link"))
        assert full.value.resource == "link"
        assert peer.neutron.networks == {}
        assert Name("link") not in hands.held


@pytest.mark.parametrize(("status", "over"), [(500, True), (503, True), (429, True), (502, False), (504, False)])
async def test_a_call_that_was_answered_by_the_service_is_over(
    peer: PeerCloud, peer_subject: OpenStackSubject, status: int, over: bool
) -> None:
    async with Hands(peer_subject) as hands:
        peer.fail(r"POST /network/v2.0/networks", status, {"message": "not now"})
        with pytest.raises(VimUnavailable) as failed:
            await hands.create(hands.network())
        assert failed.value.over is over


async def test_a_proxys_page_in_place_of_an_answer_is_told_as_such_and_what_was_asked_for_is_found_again(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        network, tag = hands.network(), hands.tag("link")
        peer.fail("POST /network/v2.0/networks", 200, "<html><body><h1>Under maintenance</h1></body></html>")
        with pytest.raises(VimUnavailable) as failed:
            await hands.create(network, tag=tag)
        assert (failed.value.code, failed.value.cause) == ("vim-unreadable", "200 Under maintenance")
        assert not failed.value.over
        peer.fail("GET /network/v2.0/networks", 200, "")
        with pytest.raises(VimUnavailable) as failed:
            await hands.kind("network").find(tag, network)
        assert failed.value.code == "vim-unreadable"
        assert await hands.kind("network").find(tag, network) is None


def _page(tagged: Mapping[str, str], number: int, *, last: bool = False) -> dict[str, Any]:
    """One page of Nova's list."""
    server = {"id": str(uuid.UUID(int=number)), "metadata": tagged, "created": "2026-01-01T00:00:00Z"}
    return {"servers": [server], **({} if last else {"servers_links": [{"rel": "next", "href": "http://else.where/"}]})}


async def test_a_list_that_comes_in_pages_is_read_to_its_end(peer: PeerCloud, peer_subject: OpenStackSubject) -> None:
    async with Hands(peer_subject) as hands:
        tagged = metadata_of(hands.tag("server"))
        for number in (1, 2, 3):
            peer.fail("GET /compute/.*/servers/detail", 200, _page(tagged, number, last=number == 3))
        there = await hands.driver.tagged()
        assert [thing.handle for thing in there] == [str(uuid.UUID(int=number)) for number in (1, 2, 3)]
        asked = [call for call in peer.seen if "/servers/detail" in call]
        assert [str(uuid.UUID(int=2)) in call for call in asked] == [False, False, True]


async def test_a_list_of_which_the_same_page_comes_again_and_again_is_given_up(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        tagged = metadata_of(hands.tag("server"))
        for _ in range(5):
            peer.fail("GET /compute/.*/servers/detail", 200, _page(tagged, 1))
        with pytest.raises(VimUnavailable) as failed:
            await hands.driver.tagged()
        assert failed.value.code == "vim-unreadable"
        assert len(peer.faults) == 3


async def test_a_call_for_which_there_is_no_connection_is_over(peer_subject: OpenStackSubject) -> None:
    driver = peer_subject.type.open(peer_subject.unreachable(), peer_subject.files, SystemClock())
    with pytest.raises(VimUnavailable) as failed:
        await driver.kinds["network"].read(Handle("x"))
    assert failed.value.over
    await driver.close()


async def test_a_call_whose_answer_was_lost_is_not_over(peer_subject: OpenStackSubject) -> None:
    async with peer_subject.losing("volume", "test") as access:
        driver = peer_subject.type.open(access, peer_subject.files, SystemClock())
        hands = Hands(peer_subject, deployment="test")
        spec = hands.resource("v", VolumeSpec(size=1))
        with pytest.raises(VimUnavailable) as failed:
            await driver.kinds["volume"].create(spec, hands.tag("v"))
        assert not failed.value.over
        await driver.close()
        await hands.close()
