"""Which notifications about VNF packages an event becomes, and for whom: SOL003 clause 10.5.2, SOL005 clause 9.5.2. Pure.

All that filters ask for stands in the event, as it was when it happened: a deleted package cannot be asked any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from fairlead.clock import iso
from fairlead.errors import Unprocessable
from fairlead.events import Event, Interface, Subscription
from fairlead.packages.describing import Described
from fairlead.sol import (
    VNFPKGM,
    VNFPKGM_V1,
    Link,
    PackageChangeType,
    PackageOperationalState,
    PkgmLinks,
    PkgmNotificationsFilter,
    PkgmNotificationType,
    VnfPackageChangeNotification,
    VnfPackageOnboardingNotification,
    VnfProductsFromProvider,
)
from fairlead.sol import Interface as SolInterface

__all__ = ["CHANGED_STATE", "PACKAGE_SUBSCRIPTIONS", "described_data", "matches", "notification"]

T = TypeVar("T", bound=str)
CHANGED_STATE: Final = "operationalStateChanged"
"""In the data of `package.changed`: that it was the operational state."""
_IDS: Final = uuid.UUID("6d4c1f0e-6f0b-4d0e-9d53-0f9d2a4b7c11")


def described_data(described: Described | None) -> dict[str, Any]:
    """What an event says of an onboarded package for the sake of filters."""
    if described is None:
        return {}
    return {
        "vnfdId": described.vnfd_id,
        "vnfProvider": described.vnf_provider,
        "vnfProductName": described.vnf_product_name,
        "vnfSoftwareVersion": described.vnf_software_version,
        "vnfdVersion": described.vnfd_version,
        "vnfmInfo": list(described.vnfm_info),
    }


def check(filter: Mapping[str, Any] | None) -> None:
    """Raises Unprocessable (`exclusive-attributes`) for a filter that ETSI's rules do not allow."""
    asked = _filter(filter)
    ways = {
        "vnfProductsFromProviders": asked.vnf_products_from_providers,
        "vnfdId": asked.vnfd_id,
        "vnfPkgId": asked.vnf_pkg_id,
    }
    named = [name for name, values in ways.items() if values]
    if len(named) > 1:
        raise Unprocessable(
            f"{' and '.join(named)} are alternatives.",
            code="exclusive-attributes",
            place="filter",
            remedy="Name packages in one of these ways; make a second subscription for another.",
        )
    types = _all(asked.notification_types)
    of_changes = asked.vnf_pkg_id or _all(asked.operational_state) or _all(asked.usage_state)
    if of_changes and types and PkgmNotificationType.CHANGE not in types:
        raise Unprocessable(
            "vnfPkgId, operationalState and usageState are of changes, and notificationTypes leaves changes out.",
            code="exclusive-attributes",
            place="filter.notificationTypes",
            remedy="Add VnfPackageChangeNotification, or leave these attributes out.",
        )


def matches(filter: PkgmNotificationsFilter, type: PkgmNotificationType, event: Event) -> bool:
    """Whether a notification of `type` about `event` passes `filter`."""
    data = event.data
    pairs = (
        (_all(filter.notification_types), (type,)),
        (filter.vnfd_id, (data.get("vnfdId"),)),
        (filter.vnf_pkg_id, (event.subject,)),
        (_all(filter.operational_state), (data.get("operationalState"),)),
        (_all(filter.usage_state), (data.get("usageState"),)),
        (filter.vnfm_info, data.get("vnfmInfo", ())),
    )
    if any(wanted and not set(wanted) & set(there) for wanted, there in pairs):
        return False
    providers = filter.vnf_products_from_providers
    return not providers or any(_made_by(one, data) for one in providers)


def notification(prefix: str, event: Event, subscription: Subscription) -> msgspec.Struct | None:
    """The notification about `event`, with links below `prefix`; None when there is none that the subscription wants."""
    type = _type(event)
    if type is None or not matches(_filter(subscription.filter), type, event):
        return None
    base, vnfd_id = f"{subscription.origin}{prefix}", str(event.data["vnfdId"])
    common: dict[str, Any] = {
        # The time too: ids begin anew when a database is restored from a backup.
        "id": str(uuid.uuid5(_IDS, f"{event.id} {event.time} {event.subject}")),
        "subscription_id": subscription.id,
        "time_stamp": iso(event.time),
        "vnf_pkg_id": event.subject,
        "vnfd_id": vnfd_id,
        "links": PkgmLinks(
            vnf_package=Link(href=f"{base}/vnf_packages/{event.subject}"),
            vnf_package_by_vnfd_id=Link(href=f"{base}/onboarded_vnf_packages/{vnfd_id}"),
            subscription=Link(href=f"{base}/subscriptions/{subscription.id}"),
        ),
    }
    if type is PkgmNotificationType.ONBOARDING:
        return VnfPackageOnboardingNotification(vnfm_info=tuple(event.data.get("vnfmInfo", ())), **common)
    if event.type == "package.deleted":
        return VnfPackageChangeNotification(change_type=PackageChangeType.PKG_DELETE, **common)
    state = PackageOperationalState(event.data["operationalState"])
    return VnfPackageChangeNotification(
        change_type=PackageChangeType.OP_STATE_CHANGE, operational_state=state, **common
    )


def _type(event: Event) -> PkgmNotificationType | None:
    """Packages that were never onboarded, and other changes, are told to nobody."""
    if event.data.get("onboardingState") != "ONBOARDED" or "vnfdId" not in event.data:
        return None
    if event.type == "package.onboarded":
        return PkgmNotificationType.ONBOARDING
    if event.type == "package.deleted" or (event.type == "package.changed" and event.data.get(CHANGED_STATE)):
        return PkgmNotificationType.CHANGE
    return None


def _made_by(wanted: VnfProductsFromProvider, data: Mapping[str, Any]) -> bool:
    if wanted.vnf_provider != data.get("vnfProvider"):
        return False
    products = [one for one in wanted.vnf_products if one.vnf_product_name == data.get("vnfProductName")]
    if not wanted.vnf_products or any(not one.versions for one in products):
        return bool(products) or not wanted.vnf_products
    versions = [
        version
        for one in products
        for version in one.versions
        if version.vnf_software_version == data.get("vnfSoftwareVersion")
    ]
    return any(not one.vnfd_versions or data.get("vnfdVersion") in one.vnfd_versions for one in versions)


def _filter(filter: Mapping[str, Any] | None) -> PkgmNotificationsFilter:
    return msgspec.convert(filter or {}, PkgmNotificationsFilter)


def _all(values: tuple[T, ...] | T) -> tuple[T, ...]:
    return values if isinstance(values, tuple) else (values,)


def _interface(interface: SolInterface) -> Interface:
    def of_it(event: Event, subscription: Subscription) -> msgspec.Struct | None:
        return notification(interface.prefix, event, subscription)

    name = f"{interface.name}.v{interface.major}"
    return Interface(name=name, prefix=interface.prefix, version=interface.newest, check=check, notification=of_it)


PACKAGE_SUBSCRIPTIONS: Final = (_interface(VNFPKGM), _interface(VNFPKGM_V1))
"""What subscriptions to `/vnfpkgm` are, in each of its versions."""
