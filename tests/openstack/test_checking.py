"""What `fairlead vim check` says of a cloud."""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.clock import SystemClock
from fairlead.vims import Check
from tests.contract.clouds import OpenStackSubject
from tests.support.cloud import PeerCloud


async def checked(subject: OpenStackSubject, **fields: Any) -> Check:
    access = msgspec.structs.replace(subject.access("test"), **fields)
    driver = subject.type.open(access, subject.files, SystemClock())
    try:
        return await driver.check()
    finally:
        await driver.close()


def codes(check: Check, severity: str) -> set[str]:
    return {finding.code for finding in check.findings if finding.severity == severity}


async def test_a_cloud_that_has_all_is_told_with_its_zones_flavours_and_quotas(peer_subject: OpenStackSubject) -> None:
    check = await checked(peer_subject)
    assert check.reachable
    assert codes(check, "error") == codes(check, "warning") == set()
    assert {"zones", "flavours", "quotas"} <= codes(check, "info")


async def test_a_region_that_is_not_there_leaves_no_service(peer_subject: OpenStackSubject) -> None:
    interface = {**peer_subject.access("test").interface, "region": "two"}
    check = await checked(peer_subject, interface=interface)
    assert not check.reachable
    assert codes(check, "error") == {"service-missing"}


async def test_a_service_that_is_away_leaves_the_others(peer: PeerCloud, peer_subject: OpenStackSubject) -> None:
    peer.fail(r"GET /volume/$", 503, {})
    check = await checked(peer_subject)
    assert check.reachable
    assert [finding.detail.split(":")[0] for finding in check.findings if finding.severity == "error"] == ["Cinder"]


async def test_what_is_risky_or_wrong_in_the_settings_is_shown(peer_subject: OpenStackSubject) -> None:
    check = await checked(peer_subject, settings={"insecure": True, "zone": "nowhere"})
    assert "vim-insecure" in codes(check, "warning")
    assert "zone-missing" in codes(check, "error")


async def test_a_quota_that_is_used_up_is_a_warning(peer: PeerCloud, peer_subject: OpenStackSubject) -> None:
    limits = {"maxTotalInstances": 1, "totalInstancesUsed": 1}
    peer.fail(r"GET /compute/v2.1/limits", 200, {"limits": {"absolute": limits}})
    assert "quota-exceeded" in codes(await checked(peer_subject), "warning")
