"""Images on the peer: their sending is told of, and one that is broken off in the middle leaves nothing."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from fairlead.clock import SystemClock
from fairlead.errors import VimUnavailable
from fairlead.resources.telling import listening
from tests.contract.clouds import OpenStackSubject
from tests.contract.subject import Hands
from tests.support.cloud import PeerCloud
from tests.support.cloud.proxy import cutting

LARGE = 8 * 2**20


@pytest.fixture
def large(peer_subject: OpenStackSubject) -> OpenStackSubject:
    """The subject, with an image of some megabytes."""
    with (peer_subject.files.directory / "image.raw").open("r+b") as file:
        file.truncate(LARGE)
    return peer_subject


async def test_an_upload_that_is_cut_off_is_done_anew_and_nothing_of_it_stays(
    peer: PeerCloud, large: OpenStackSubject
) -> None:
    async with Hands(large) as hands:
        resource = hands.image()
        tag = hands.tag("image")
        with cutting(f"{peer.url}/image/v2", r"PUT .*/file$", after=2**20) as url:
            access = large.access(hands.deployment)
            through = msgspec.structs.replace(access, settings={"endpoints": {"image": url}})
            driver = large.type.open(through, large.files, SystemClock())
            with pytest.raises(VimUnavailable):
                await driver.kinds["image"].create(resource, tag)
            await driver.close()
        assert [image["status"] for image in peer.glance.images.values()] == ["queued"]
        assert await hands.kind("image").find(tag, resource) is None
        assert peer.glance.images == {}, "what was sent of it has been swept away"
        held = await hands.obtain(resource)
        assert len(peer.glance.contents[held.handle]) == LARGE


async def test_an_image_that_was_sent_is_deleted_by_nobody_else_by_mistake(
    peer: PeerCloud, peer_subject: OpenStackSubject
) -> None:
    async with Hands(peer_subject) as hands:
        held = await hands.obtain(hands.image())
        assert peer.glance.images[held.handle]["protected"], "Glance deletes no such image"
        await hands.relinquish(held)
        assert peer.glance.images == {}


async def test_how_much_of_an_image_has_been_sent_is_told_while_it_is_sent(
    peer: PeerCloud, large: OpenStackSubject
) -> None:
    told: list[str] = []

    async def pass_on(words: str) -> None:
        told.append(words)

    async with Hands(large) as hands:
        peer.glance.held.clear()
        with listening(pass_on, SystemClock().now):
            sending = asyncio.create_task(hands.create(hands.image()))
            async with asyncio.timeout(30):
                while not told:
                    await asyncio.wait({sending}, timeout=0.1)
        peer.glance.held.set()
        await sending
    assert told[0].endswith(" of 8 MiB sent")
