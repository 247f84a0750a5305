"""Notifications about packages: what is told of what happens, and which filters it passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from fairlead.events import Event, Subscription
from fairlead.packages.notifications import PACKAGE_SUBSCRIPTIONS
from fairlead.sol import VnfPkgInfoModifications, document
from fairlead.store import Store
from tests.events.receiver import receiving
from tests.packages.shelf import DISABLED, ENABLED, PROJECT, Shelf
from tests.sol import etsi
from tests.support.running import eventually, running

INTERFACE, OLD = PACKAGE_SUBSCRIPTIONS
_SCHEMAS = "openapi-sol002-sol003-3.7.1/SOL003/VNFPackageManagementNotification/definitions"
DEFINITIONS = f"{_SCHEMAS}/SOL003VNFPackageManagementNotification_def.yaml"


def subscription(filter: dict[str, Any] | None = None) -> Subscription:
    return Subscription(
        id="s",
        project=PROJECT,
        interface=INTERFACE.name,
        callback="http://there",
        origin="https://here",
        filter=filter,
        authentication=None,
        cursor=0,
    )


def told(events: list[Event], filter: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    found = [INTERFACE.notification(event, subscription(filter)) for event in events]
    return [document(one) for one in found if one is not None]


async def a_life(shelf: Shelf) -> tuple[str, list[Event]]:
    """A package that is onboarded, given data, disabled, enabled, disabled, deleted; and one that is never onboarded."""
    empty = await shelf.created()
    package = await shelf.onboarded()
    data = VnfPkgInfoModifications(user_defined_data={"a": 1})
    for change in (data, DISABLED, ENABLED, DISABLED):
        await shelf.catalogue.modify(PROJECT, package, change)
    for one in (empty, package):
        await shelf.catalogue.delete(PROJECT, one)
    return package, await shelf.events.read(PROJECT)


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "data")


async def test_onboarding_changes_of_state_and_deletion_are_told_and_nothing_else(shelf: Shelf) -> None:
    package, events = await a_life(shelf)
    notifications = told(events)
    assert [(one["notificationType"], one.get("changeType"), one.get("operationalState")) for one in notifications] == [
        ("VnfPackageOnboardingNotification", None, None),
        ("VnfPackageChangeNotification", "OP_STATE_CHANGE", "DISABLED"),
        ("VnfPackageChangeNotification", "OP_STATE_CHANGE", "ENABLED"),
        ("VnfPackageChangeNotification", "OP_STATE_CHANGE", "DISABLED"),
        ("VnfPackageChangeNotification", "PKG_DELETE", None),
    ]
    assert {one["vnfPkgId"] for one in notifications} == {package}
    assert len({one["id"] for one in notifications}) == 5
    assert told(events) == notifications, "the same identifiers each time"
    vnfd = notifications[0]["vnfdId"]
    assert notifications[0]["_links"] == {
        "vnfPackage": {"href": f"https://here/vnfpkgm/v2/vnf_packages/{package}"},
        "vnfPackageByVnfdId": {"href": f"https://here/vnfpkgm/v2/onboarded_vnf_packages/{vnfd}"},
        "subscription": {"href": "https://here/vnfpkgm/v2/subscriptions/s"},
    }


async def test_notifications_have_etsis_attributes(shelf: Shelf) -> None:
    _, events = await a_life(shelf)
    schemas = etsi.read(DEFINITIONS)["definitions"]
    for one in told(events):
        schema = schemas[one["notificationType"]]
        assert set(schema["required"]) <= one.keys() <= schema["properties"].keys()
        links = schemas["PkgmLinks"]
        assert set(links["required"]) <= one["_links"].keys() <= links["properties"].keys()


def event(type: str = "package.onboarded", **data: Any) -> Event:
    known = {
        "onboardingState": "ONBOARDED",
        "operationalState": "ENABLED",
        "usageState": "NOT_IN_USE",
        "vnfdId": "v",
        "vnfProvider": "Acme",
        "vnfProductName": "Router",
        "vnfSoftwareVersion": "1.0",
        "vnfdVersion": "2.0",
        "vnfmInfo": ["etsivnfm:v2.3.1", "own"],
    }
    return Event(id=1, time=0.0, project=PROJECT, type=type, subject="p", data={**known, **data})


def of_products(*products: dict[str, Any], provider: str = "Acme") -> dict[str, Any]:
    return {"vnfProductsFromProviders": [{"vnfProvider": provider, **({"vnfProducts": products} if products else {})}]}


def of_versions(*versions: dict[str, Any]) -> dict[str, Any]:
    return of_products({"vnfProductName": "Router", "versions": versions})


@pytest.mark.parametrize(
    ("filter", "passes"),
    [
        ({}, True),
        ({"notificationTypes": "VnfPackageOnboardingNotification"}, True),
        ({"notificationTypes": ["VnfPackageChangeNotification"]}, False),
        ({"vnfdId": ["x", "v"]}, True),
        ({"vnfdId": ["x"]}, False),
        ({"vnfPkgId": ["p"]}, True),
        ({"vnfPkgId": ["v"]}, False),
        ({"operationalState": ["ENABLED"], "vnfdId": ["x"]}, False),
        ({"operationalState": "DISABLED"}, False),
        ({"usageState": ["NOT_IN_USE"]}, True),
        ({"usageState": ["IN_USE"]}, False),
        ({"vnfmInfo": ["own"]}, True),
        ({"vnfmInfo": ["other"]}, False),
        (of_products(), True),
        (of_products(provider="Else"), False),
        (of_products({"vnfProductName": "Router"}), True),
        (of_products({"vnfProductName": "Switch"}), False),
        (of_products({"vnfProductName": "Switch"}, {"vnfProductName": "Router"}), True),
        (of_versions({"vnfSoftwareVersion": "1.0"}), True),
        (of_versions({"vnfSoftwareVersion": "1.1"}), False),
        (of_versions({"vnfSoftwareVersion": "1.0", "vnfdVersions": ["1.0", "2.0"]}), True),
        (of_versions({"vnfSoftwareVersion": "1.0", "vnfdVersions": ["1.0"]}), False),
    ],
)
def test_a_filter_passes_what_matches_each_attribute_by_any_value(filter: dict[str, Any], passes: bool) -> None:
    plain = msgspec.json.decode(msgspec.json.encode(filter))
    assert bool(told([event()], plain)) is passes


def test_version_1_links_into_version_1() -> None:
    made = document(OLD.notification(event(), subscription()))
    assert made["_links"]["subscription"]["href"] == "https://here/vnfpkgm/v1/subscriptions/s"


async def test_the_program_notifies_of_packages(store_url: str, tmp_path: Path) -> None:
    settings = {"events.callback_allow": "127.0.0.0/8"}
    async with receiving() as receiver, running(store_url, tmp_path, settings=settings) as run:
        project = "default"
        subscriptions = run.program.subscriptions
        id, _ = await subscriptions.create(project, INTERFACE.name, "http://here", receiver.url, None, None)
        package = await run.package()
        await run.program.catalogue.modify(project, package, DISABLED)
        await run.program.catalogue.delete(project, package)

        async def all_three() -> bool:
            return len(receiver.taken) >= 3

        await eventually(all_three)
    assert [one.get("changeType") for one in receiver.taken] == [None, "OP_STATE_CHANGE", "PKG_DELETE"]
    assert {one["subscriptionId"] for one in receiver.taken} == {id}
