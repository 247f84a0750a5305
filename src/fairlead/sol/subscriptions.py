"""Subscriptions and the notifications about VNF packages: SOL003 clauses 10.5.2 and 10.5.4, SOL005 clauses 9.5.2 and 9.5.4.

What a subscription of any interface has in common is here once: the callback, and how its subscriber wants to be shown who
calls (SOL013 clause 8.3.4).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from msgspec import field

from fairlead.sol.resource_types import Link
from fairlead.sol.vnf_package import PackageOperationalState, PackageUsageState
from fairlead.sol.wire import Sol

__all__ = [
    "PackageChangeType",
    "ParamsBasic",
    "ParamsOauth2",
    "PkgmLinks",
    "PkgmNotificationType",
    "PkgmNotificationsFilter",
    "PkgmSubscription",
    "PkgmSubscriptionRequest",
    "SubscriptionAuthentication",
    "SubscriptionLinks",
    "VnfPackageChangeNotification",
    "VnfPackageOnboardingNotification",
    "VnfProduct",
    "VnfProductVersion",
    "VnfProductsFromProvider",
]


class ParamsBasic(Sol, frozen=True, kw_only=True):
    user_name: str | None = None
    password: str | None = None


class ParamsOauth2(Sol, frozen=True, kw_only=True):
    client_id: str | None = None
    client_password: str | None = None
    token_endpoint: str | None = None


class SubscriptionAuthentication(Sol, frozen=True, kw_only=True):
    """`auth_type` lists what the subscriber takes; words that are not known here are for others to choose."""

    auth_type: tuple[str, ...]
    params_basic: ParamsBasic | None = None
    params_oauth2_client_credentials: ParamsOauth2 | None = None


class SubscriptionLinks(Sol, frozen=True, kw_only=True):
    self_: Link = field(name="self")


class PkgmNotificationType(StrEnum):
    ONBOARDING = "VnfPackageOnboardingNotification"
    CHANGE = "VnfPackageChangeNotification"


class VnfProductVersion(Sol, frozen=True, kw_only=True):
    vnf_software_version: str
    vnfd_versions: tuple[str, ...] = ()


class VnfProduct(Sol, frozen=True, kw_only=True):
    vnf_product_name: str
    versions: tuple[VnfProductVersion, ...] = ()


class VnfProductsFromProvider(Sol, frozen=True, kw_only=True):
    vnf_provider: str
    vnf_products: tuple[VnfProduct, ...] = ()


class PkgmNotificationsFilter(Sol, frozen=True, kw_only=True):
    """All attributes must match, each by any of its values; an empty one matches anything.

    ETSI's documents disagree on whether `notification_types` and the states are arrays, so one value is taken too.
    """

    notification_types: tuple[PkgmNotificationType, ...] | PkgmNotificationType = ()
    vnf_products_from_providers: tuple[VnfProductsFromProvider, ...] = ()
    vnfd_id: tuple[str, ...] = ()
    vnf_pkg_id: tuple[str, ...] = ()
    operational_state: tuple[PackageOperationalState, ...] | PackageOperationalState = ()
    usage_state: tuple[PackageUsageState, ...] | PackageUsageState = ()
    vnfm_info: tuple[str, ...] = ()


class PkgmSubscriptionRequest(Sol, frozen=True, kw_only=True):
    filter: PkgmNotificationsFilter | None = None
    callback_uri: str
    authentication: SubscriptionAuthentication | None = None


class PkgmSubscription(Sol, frozen=True, kw_only=True):
    id: str
    filter: PkgmNotificationsFilter | None = None
    callback_uri: str
    links: SubscriptionLinks = field(name="_links")


class PackageChangeType(StrEnum):
    OP_STATE_CHANGE = "OP_STATE_CHANGE"
    PKG_DELETE = "PKG_DELETE"


class PkgmLinks(Sol, frozen=True, kw_only=True):
    """Absolute, for whoever is notified has no request whose address the links could begin with."""

    vnf_package: Link
    vnf_package_by_vnfd_id: Link
    subscription: Link


class VnfPackageOnboardingNotification(Sol, frozen=True, kw_only=True, tag_field="notificationType"):
    """`id` is the same for all subscribers and each time it is sent; `time_stamp` is RFC 3339."""

    TYPE: ClassVar[PkgmNotificationType] = PkgmNotificationType.ONBOARDING

    id: str
    subscription_id: str
    time_stamp: str
    vnf_pkg_id: str
    vnfd_id: str
    vnfm_info: tuple[str, ...]
    links: PkgmLinks = field(name="_links")


class VnfPackageChangeNotification(Sol, frozen=True, kw_only=True, tag_field="notificationType"):
    """`operational_state` is there when it is what has changed."""

    TYPE: ClassVar[PkgmNotificationType] = PkgmNotificationType.CHANGE

    id: str
    subscription_id: str
    time_stamp: str
    vnf_pkg_id: str
    vnfd_id: str
    change_type: PackageChangeType
    operational_state: PackageOperationalState | None = None
    links: PkgmLinks = field(name="_links")
