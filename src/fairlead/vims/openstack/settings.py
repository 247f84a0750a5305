"""What an operator registers for an OpenStack: where it is, how to prove who we are, and how it is to be used.

Everything is checked here, once, before any call: a registration that can be read is one that can be used. Keys that
are not known are refused, so that a misspelt setting is told at once and not silently left out. A trust in any
certificate (`insecure`) has to be asked for, and `check` shows it for as long as it stands.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from fairlead.errors import Unprocessable
from fairlead.vims.seam import Access

__all__ = ["SERVICES", "Place", "Settings", "Way", "leads_home", "on_host", "place_of", "settings_of", "way_of"]

SERVICES = ("compute", "network", "block-storage", "image", "orchestration")
"""The services that are used, as the service types authority calls them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the cloud is to be used. Times in seconds."""

    timeout: float = 60.0
    """For one call. Nova takes some seconds for a server on a busy cloud, never a minute."""
    upload_timeout: float = 3600.0
    """For sending one image: some gigabytes over a slow line."""
    insecure: bool = False
    """Trust any certificate."""
    zone: str | None = None
    """The availability zone of servers for which none is decided; None: Nova's default."""
    volume_zone: str | None = None
    """The availability zone of volumes; None: Cinder's default."""
    volume_type: str | None = None
    """The type of volumes for which none is asked; None: Cinder's default."""
    key: str | None = None
    """The Nova key pair that servers get; None: none."""
    create_flavours: bool = False
    """Whether a flavour is created where none fits; Nova's policy must allow it, usually to administrators only."""
    port_security: bool = False
    """Whether networks that we create filter what is sent from and to other addresses than a port's own. Network functions forward
    packets of others, so it is off unless asked for. Networks that are given keep what they have."""
    floating_network: str | None = None
    """The external network that floating IPs and routers are on, by name or id; None: the only one that there is."""
    bit_rates: Literal["ignore", "limit", "guarantee"] = "ignore"
    """What becomes of the bit rates of links and connection points. SOL001 has every link state some, so they are often filler; and
    Neutron lets only administrators make QoS policies, unless its policy says otherwise."""
    config_drive: bool = True
    """Whether servers get their metadata and user data on a drive, which works on networks without DHCP and metadata service."""
    endpoints: dict[str, str] = {}
    """URLs in place of those in the service catalogue, by service type: `compute`, `network`, `block-storage`, `image`,
    `orchestration`."""


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the cloud is. `ca` is the authority of its certificates, as PEM text."""

    auth_url: str
    region: str | None = None
    interface: Literal["public", "internal", "admin"] = "public"
    ca: str | None = None


class Way(msgspec.Struct, frozen=True):
    """How we prove who we are: what Keystone calls it, and its values."""

    method: Literal["password", "application-credential", "token"]
    values: Mapping[str, str]


_PROJECT = ("project_id", "project_name", "project_domain_id", "project_domain_name")
_USER = ("user_domain_id", "user_domain_name")
_WAYS: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "password": (("username", "user_id"), frozenset({"username", "user_id", "password", *_USER, *_PROJECT})),
    "application-credential": (
        ("application_credential_id", "application_credential_name"),
        frozenset(
            {
                "application_credential_id",
                "application_credential_name",
                "application_credential_secret",
                "username",
                "user_id",
                *_USER,
            }
        ),
    ),
    "token": (("token",), frozenset({"token", *_PROJECT})),
}
_HELP = (
    "Give username, password and project_name (with user_domain_name and project_domain_name), or application_credential_id and "
    "application_credential_secret, or token."
)


def settings_of(access: Access) -> Settings:
    """The settings of a registration.

    Raises Unprocessable (`bad-vim-settings`) when they are not right.
    """
    try:
        settings = msgspec.convert(access.settings, Settings)
    except msgspec.ValidationError as error:
        raise _bad(f"The settings of this OpenStack are not right: {error}.", "settings") from error
    for field in ("timeout", "upload_timeout"):
        if getattr(settings, field) <= 0:
            raise _bad(f"The setting '{field}' must be more than 0 seconds.", f"settings.{field}")
    for service, url in settings.endpoints.items():
        if service not in SERVICES:
            raise _bad(f"There is no service '{service}' to give an endpoint for.", f"settings.endpoints.{service}")
        _http(url, f"settings.endpoints.{service}")
    return settings


def place_of(access: Access) -> Place:
    """Where the cloud is.

    Raises Unprocessable (`bad-vim-settings`, `bad-vim-credentials` for an authority that cannot be read).
    """
    try:
        place = msgspec.convert(access.interface, Place)
    except msgspec.ValidationError as error:
        raise _bad(f"The interface of this OpenStack is not right: {error}.", "interface") from error
    _http(place.auth_url, "interface.auth_url")
    if place.ca is not None:
        try:
            ssl.create_default_context(cadata=place.ca)
        except (ssl.SSLError, ValueError) as error:
            detail = f"The authority of this OpenStack's certificates cannot be read: {error}."
            raise Unprocessable(
                detail, code="bad-vim-credentials", place="interface.ca", remedy="Give 'ca' as PEM text."
            ) from error
    return place


def way_of(access: Access) -> Way:
    """How we prove who we are.

    Raises Unprocessable (`bad-vim-credentials`) when it is not clear.
    """
    given = {key: value for key, value in access.credentials.items() if value and key != "notifications"}
    method: Literal["password", "application-credential", "token"] = "password"
    if any(key.startswith("application_credential_") for key in given):
        method = "application-credential"
    elif "token" in given:
        method = "token"
    names, known = _WAYS[method]
    for key in given:
        if key not in known:
            raise _unclear(f"The credential '{key}' is not one of a {method.replace('-', ' ')}.", key)
    if not any(name in given for name in names):
        raise _unclear(f"The credentials lack '{names[0]}'.", names[0])
    secret = {"password": "password", "application-credential": "application_credential_secret", "token": "token"}[
        method
    ]
    if secret not in given:
        raise _unclear(f"The credentials lack '{secret}'.", secret)
    if method == "password" and not {"project_id", "project_name"} & given.keys():
        raise _unclear("The credentials name no project.", "project_name")
    return Way(method, _with_domains(given))


def _with_domains(given: Mapping[str, str]) -> dict[str, str]:
    """`given`, with Keystone's default domain where a name is given without one."""
    values = dict(given)
    if "username" in values and not {"user_domain_id", "user_domain_name"} & values.keys():
        values["user_domain_id"] = "default"
    if "project_name" in values and not {"project_domain_id", "project_domain_name"} & values.keys():
        values["project_domain_id"] = "default"
    return values


def on_host(url: str) -> bool:
    """Whether `url` says of itself that it is on the machine that Fairlead runs on."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def leads_home(url: str, place: Place) -> bool:
    """Whether a cloud that is elsewhere says that a service of it is on the machine that Fairlead runs on."""
    return on_host(url) and not on_host(place.auth_url)


def _http(url: str, place: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise _bad(f"'{url}' is not the address of an OpenStack service.", place)


def _bad(detail: str, place: str) -> Unprocessable:
    return Unprocessable(
        detail,
        code="bad-vim-settings",
        place=place,
        remedy="Give interface.auth_url as https://host:port/v3, and where needed region, interface and ca. "
        f"The settings are {', '.join(Settings.__struct_fields__)}.",
    )


def _unclear(detail: str, key: str) -> Unprocessable:
    return Unprocessable(detail, code="bad-vim-credentials", place=f"credentials.{key}", remedy=_HELP)
