"""A container engine tells what it lacks, and changes nothing for it."""

from __future__ import annotations

import pytest

from fairlead.resources import Name
from fairlead.vims import Need, TellsLacks
from tests.contract.subject import Hands
from tests.contract.subjects import ContainersSubject

pytestmark = pytest.mark.containers


async def test_an_engine_tells_what_it_lacks(subject: ContainersSubject) -> None:
    async with Hands(subject) as hands:
        await hands.basis("link")
        assert isinstance(hands.driver, TellsLacks)
        before = await hands.driver.tagged()
        image, network = hands.held[Name("image")].handle, hands.held[Name("link")].handle
        needs = [
            Need(sort="image", name=str(image)),
            Need(sort="image", name="registry.example/nothing:1"),
            Need(sort="network", name=str(network)),
            Need(sort="network", name="nowhere"),
            Need(sort="network", name="../../info"),
            Need(sort="machine", name="vast", cpus=100_000, memory=2**60),
            Need(sort="machine", name="bold", constraints={"container.capabilities": "SYS_ADMIN"}),
            Need(sort="zone", name="north"),
        ]
        answer = await hands.driver.lacks(needs)
        assert answer.looked_at == ("image", "network", "machine", "link", "address")
        assert [(each.need, each.code) for each in answer.lacks] == [
            (1, "vim-lacks-image"),
            (3, "vim-lacks-network"),
            (4, "vim-lacks-network"),
            (5, "vim-lacks-room"),
            (5, "vim-lacks-room"),
            (6, "capability-not-allowed"),
        ]
        assert await hands.driver.tagged() == before
