"""What an infrastructure lacks of what a package takes for granted."""

from __future__ import annotations

import pytest

from fairlead.clock import SystemClock
from fairlead.errors import VimRefused, VimUnavailable
from fairlead.resources import ImageSpec, Name, Owner, Resource, Tag, VimId, new_incarnation
from fairlead.vims import Driver, Lack, Need, TellsLacks
from fairlead.vims.containers.composition import check_constraints
from tests.vims.test_simulated import opened

IMAGE = Need(sort="image", name="debian-12")


async def lacks(driver: Driver, *needs: Need) -> list[Lack]:
    assert isinstance(driver, TellsLacks)
    return list((await driver.lacks(needs)).lacks)


async def test_a_simulated_vim_has_what_its_settings_do_not_restrict() -> None:
    driver = opened(SystemClock())
    needs = [IMAGE, Need(sort="flavour", name="m1.tiny"), Need(sort="zone", name="north")]
    assert await lacks(driver, *needs) == []


async def test_a_simulated_vim_lacks_what_its_settings_do_not_name() -> None:
    driver = opened(
        SystemClock(), images=["debian-12"], flavours=["m1.tiny"], zones=[], networks={"public": "192.0.2.0/24"}, cpus=4
    )
    found = await lacks(
        driver,
        IMAGE,
        Need(sort="image", name="debian-13"),
        Need(sort="flavour", name="m1.huge"),
        Need(sort="zone", name="north"),
        Need(sort="network", name="public"),
        Need(sort="network", name="private"),
        Need(sort="machine", name="small", cpus=4),
        Need(sort="machine", name="large", cpus=5),
    )
    assert [(each.need, each.code) for each in found] == [
        (1, "vim-lacks-image"),
        (2, "vim-lacks-flavour"),
        (3, "vim-lacks-zone"),
        (5, "vim-lacks-network"),
        (7, "vim-lacks-room"),
    ]
    assert all(each.detail.endswith(".") for each in found)


async def test_an_image_that_is_lacking_is_refused_when_it_is_wanted() -> None:
    """What `lacks` says is what would happen."""
    driver = opened(SystemClock(), images=["debian-12"])
    for label, there in (("debian-12", True), ("debian-13", False)):
        resource = Resource(Name("image/x"), ImageSpec(label=label, digest=f"name:{label}"), VimId("v"))
        tag = Tag("d", Owner("o"), resource.name, new_incarnation())
        if there:
            await driver.kinds["image"].create(resource, tag)
        else:
            with pytest.raises(VimRefused):
                await driver.kinds["image"].create(resource, tag)


async def test_a_vim_that_is_down_is_an_error_and_no_answer() -> None:
    with pytest.raises(VimUnavailable):
        await lacks(opened(SystemClock(), down=True), IMAGE)


@pytest.mark.parametrize(
    ("constraints", "code"),
    [
        ({"container.capabilities": "SYS_ADMIN"}, "capability-not-allowed"),
        ({"container.sysctls": "kernel.panic=1"}, "sysctl-not-allowed"),
        ({"container.privileged": "true"}, "constraint-not-supported"),
        ({"container.command": "sh -c '"}, "constraint-not-supported"),
    ],
)
def test_what_a_container_must_not_ask_for_is_told_before_it_asks(constraints: dict[str, str], code: str) -> None:
    with pytest.raises(VimRefused) as refused:
        check_constraints(constraints, ["NET_ADMIN"])
    assert refused.value.code == code
