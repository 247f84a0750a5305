"""What goes wrong is told in the cloud's own words, with the id of the request, the end of the console, and a code of its own."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest

from fairlead.errors import VimUnavailable
from fairlead.resources import Failed, Ready, VolumeSpec
from fairlead.vims.openstack.cloud import pause_of
from fairlead.vims.openstack.servers import server_status, server_view
from tests.contract.clouds import OpenStackSubject
from tests.contract.subject import Files, Hands
from tests.support.cloud import PeerCloud


async def test_a_server_that_failed_is_told_with_its_fault_its_console_and_the_request(
    peer_subject: OpenStackSubject,
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.basis()
        compute, _ = hands.parts("server", [], memory=2**39)
        held = await hands.create(compute)
        status = await hands.status(held)
        assert isinstance(status, Failed)
        assert (status.code, status.request, status.console) == ("no-valid-host", "req-of-server", "the last words")
        assert "No valid host" in status.reason


async def test_neither_console_nor_request_are_worth_failing_for(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        await hands.basis()
        compute, _ = hands.parts("server", [], memory=2**39)
        held = await hands.create(compute)
        for call in ("POST .*/action", "GET .*/os-instance-actions"):
            peer.fail(call, 403, {"forbidden": {"message": "not for you"}})
        status = await hands.status(held)
        assert isinstance(status, Failed)
        assert (status.code, status.request, status.console) == ("no-valid-host", None, None)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Quota exceeded for instances: Requested 1, but already used 1 of 1 instances", "quota-exceeded"),
        ("Exceeded maximum number of retries. Exhausted all hosts available for retrying", "no-valid-host"),
        ("Build of instance 4 aborted: Failed to allocate the network(s)", None),
    ],
)
def test_what_nova_says_of_a_server_after_it_was_accepted_has_the_code_of_a_refusal(
    words: str, code: str | None
) -> None:
    """Two that are asked for at once may both be accepted although there is room for one."""
    seen = {"id": "s", "name": "one", "status": "ERROR", "fault": {"code": 403, "message": words}}
    status = server_status(server_view(seen))
    assert isinstance(status, Failed)
    assert (status.code, status.reason) == (code, words)


async def test_a_volume_that_failed_is_told_with_cinders_words_for_users(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        volume = await hands.obtain(hands.resource("store", VolumeSpec(size=2**30)))
        peer.cinder.volumes[volume.handle]["status"] = "error"
        message = {"user_message": "schedule allocate volume: no back end", "request_id": "req-7", "created_at": "1"}
        peer.cinder.messages[volume.handle] = [message]
        status = await hands.status(volume)
        assert isinstance(status, Failed)
        assert (status.request, "no back end" in status.reason) == ("req-7", True)


def dated(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("by_date", [False, True], ids=["seconds", "date"])
async def test_a_service_is_left_alone_for_as_long_as_it_asks_and_then_asked_again(
    peer: PeerCloud, peer_subject: OpenStackSubject, by_date: bool
) -> None:
    async with Hands(peer_subject) as hands:
        held = await hands.obtain(hands.network())
        pause = dated(3) if by_date else "2"
        peer.fail(r"GET /network/v2.0/networks/", 429, {"message": "slow down"}, Retry_After=pause)
        kind = hands.kind("network")
        with pytest.raises(VimUnavailable) as slowed:
            await kind.read(held.handle)
        assert (slowed.value.code, slowed.value.retryable) == ("vim-rate-limit", True)
        asked, began = len(peer.seen), time.monotonic()
        waiting = asyncio.gather(*(kind.read(held.handle) for _ in range(3)))
        await asyncio.sleep(0.5)
        assert len(peer.seen) == asked
        assert all(isinstance(kind.status(seen), Ready) for seen in await waiting)
        assert time.monotonic() - began > 1


def test_the_pause_is_read_in_both_forms_by_the_clock_of_who_answers() -> None:
    date = "Sat, 21 Nov 2026 20:00:00 GMT"
    assert pause_of("7", date) == 7.0
    assert pause_of("-3", None) == 0.0
    assert pause_of("Sat, 21 Nov 2026 20:00:30 GMT", date) == 30.0
    assert pause_of("Sat, 21 Nov 2026 19:00:00 GMT", date) == 0.0
    assert pause_of("tomorrow", date) is None
    assert pause_of(None, date) is None


async def test_a_service_that_takes_too_long_is_told_as_such(peer: PeerCloud, peer_subject: OpenStackSubject) -> None:
    access = peer_subject.access("late")
    quick = OpenStackSubject(
        peer_subject.files.directory, msgspec.structs.replace(access, settings={**access.settings, "timeout": 0.3})
    )
    assert isinstance(quick.files, Files)
    async with Hands(quick) as hands:
        held = await hands.obtain(hands.network())
        peer.delays["GET /network/v2.0/networks/"] = 2.0
        with pytest.raises(VimUnavailable) as late:
            await hands.kind("network").read(held.handle)
        assert (late.value.code, late.value.retryable) == ("vim-timeout", True)
        assert late.value.cause
