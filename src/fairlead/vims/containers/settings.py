"""What an operator registers for a container engine: where it is, how to prove who we are, and how it is to be used.

Everything is checked here, once, before any call: a registration that can be read is one that can be used. Keys that are not known
are refused, so that a misspelt setting is told at once and not silently left out.
"""

from __future__ import annotations

import ssl
import tempfile
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from fairlead.errors import Unprocessable
from fairlead.vims.seam import Access

__all__ = ["Place", "Settings", "place_of", "settings_of", "tls_context"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the engine is to be used. Times in seconds."""

    timeout: float = 60.0
    """For one call; a busy engine takes some seconds to start a container, never a minute."""
    load_timeout: float = 900.0
    """For loading one image: some hundred megabytes, unpacked on a slow disk."""
    stop_grace: float = 2.0
    """Between asking a container to end and killing it, when it is powered off. Short, because an operation that is to be graceful
    asks first, by the action `stop`, with a time of its own."""
    allowed_capabilities: tuple[str, ...] = ("NET_ADMIN", "NET_RAW")
    """What packages may ask for with `container.capabilities`; both act inside the container's own network only."""


class Place(msgspec.Struct, frozen=True):
    """Where the engine listens: the path of a socket, or the address of a server."""

    socket: str | None
    address: str

    @property
    def on_host(self) -> bool:
        """Whether it says of itself that this is the machine that Fairlead runs on."""
        host = urlsplit(self.address).hostname or ""
        try:
            return self.socket is not None or ip_address(host).is_loopback or ip_address(host).is_unspecified
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


def settings_of(access: Access) -> Settings:
    """The settings of a registration.

    Raises Unprocessable (`bad-vim-settings`) when they are not right.
    """
    try:
        settings = msgspec.convert(access.settings, Settings)
    except msgspec.ValidationError as error:
        raise _bad(f"The settings of this container engine are not right: {error}.", "settings") from error
    for field in ("timeout", "load_timeout", "stop_grace"):
        if getattr(settings, field) <= 0:
            raise _bad(f"The setting '{field}' must be more than 0 seconds.", f"settings.{field}")
    return settings


def place_of(access: Access) -> Place:
    """Where the engine is.

    Raises Unprocessable (`bad-vim-settings`) for an address that cannot be one.
    """
    url = access.interface.get("url")
    if not isinstance(url, str) or not url:
        raise _bad("A container engine needs 'interface.url'.", "interface.url")
    parts = urlsplit(url)
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return Place(parts.path, "http://engine")
    schemes = {"tcp": "https" if "certificate" in access.credentials else "http", "http": "http", "https": "https"}
    if parts.scheme in schemes and parts.hostname and not parts.path.strip("/"):
        return Place(None, f"{schemes[parts.scheme]}://{parts.netloc}")
    raise _bad(f"'{url}' is not the address of a container engine.", "interface.url")


def tls_context(access: Access) -> ssl.SSLContext | None:
    """TLS with the authority, certificate and key (PEM) in the credentials; None when there are none.

    Raises Unprocessable (`bad-vim-credentials`) when they cannot be read.
    """
    given = {key: value for key, value in access.credentials.items() if key in ("ca", "certificate", "key")}
    if not given:
        return None
    try:
        context = ssl.create_default_context(cadata=given.get("ca"))
        if "certificate" in given:
            with tempfile.TemporaryDirectory() as directory:  # the standard library reads a key from a file only
                pem = Path(directory) / "client.pem"
                pem.touch(mode=0o600)
                pem.write_text(given["certificate"] + "\n" + given.get("key", ""))
                context.load_cert_chain(pem)
    except (ssl.SSLError, ValueError) as error:
        raise Unprocessable(
            f"The credentials of this container engine cannot be used: {error}.",
            code="bad-vim-credentials",
            place="credentials",
            remedy="Give 'ca', 'certificate' and 'key' as PEM text.",
        ) from error
    return context


def _bad(detail: str, place: str) -> Unprocessable:
    return Unprocessable(
        detail,
        code="bad-vim-settings",
        place=place,
        remedy="Give interface.url as unix:///path/of/the/socket, tcp://host:port or https://host:port. "
        f"The settings are {', '.join(Settings.__struct_fields__)}.",
    )
