"""A VIM in the words of OpenStack Tacker: the translation to and from a registration, both ways, without any I/O.

Tacker's document has places for an OpenStack's password only. What it has no place for (region, endpoints' interface,
certificate authority, application credential, token) is taken from `auth_cred`, and from `extra` as well, for
python-tackerclient passes nothing else of its configuration file on. What is empty counts as not given: the client sends all
its fields, empty ones, too. There is no store behind this: what is shown is made of the registration each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from fairlead.errors import BadRequest, Unprocessable

__all__ = ["PUBLIC", "TackerVim", "changed", "registered", "tacker_view"]

Document = dict[str, Any]

PUBLIC: Final = (
    "username",
    "user_id",
    "user_domain_name",
    "user_domain_id",
    "project_name",
    "project_id",
    "project_domain_name",
    "project_domain_id",
    "application_credential_id",
    "application_credential_name",
)
"""Credentials that prove nothing: they say who somebody claims to be."""
_APPLICATION: Final = ("application_credential_id", "application_credential_name", "application_credential_secret")
_PLACE: Final = {"region": "region", "interface": "interface", "ca": "ca"}
_PROJECT: Final = {
    "name": "project_name",
    "id": "project_id",
    "project_domain_name": "project_domain_name",
    "project_domain_id": "project_domain_id",
}
_VERIFY: Final = {"true": True, "false": False}
_STATUS: Final = "ACTIVE"
"""Of all that are registered, as in Tacker itself since it asks VIMs no more; `fairlead vim check` asks."""


class TackerVim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A VIM as Tacker's clients send it; None, and an empty string, is what is not given."""

    name: str | None = None
    type: str | None = None
    description: str | None = None
    auth_url: str | None = None
    vim_project: dict[str, str | None] | None = None
    auth_cred: dict[str, str | bool | None] | None = None
    is_default: bool | None = None
    tenant_id: str | None = None
    project_id: str | None = None
    extra: dict[str, Any] | None = None


def registered(vim: TackerVim) -> Document:
    """What a new VIM is to be, as the registry takes it.

    Raises BadRequest and Unprocessable (`unsupported-vim-form`, `bad-vim-settings`).
    """
    type_ = vim.type or "openstack"
    if not vim.auth_url:
        raise BadRequest("A VIM needs an auth_url.", place="vim.auth_url", remedy="Say where its Keystone is.")
    document = {"name": vim.name, "type": type_, "default": bool(vim.is_default), "description": vim.description or ""}
    if type_ in ("kubernetes", "helm"):
        return {**document, "interface": {"url": vim.auth_url}}
    place, credentials, settings = _access(vim, type_)
    if any(key in credentials for key in _APPLICATION):
        credentials = {key: value for key, value in credentials.items() if key not in _PROJECT.values()}
    return {**document, "interface": place, "credentials": credentials, "settings": settings}


def changed(vim: TackerVim, type_: str) -> Document:
    """What is to change of a VIM of the type `type_`, each key for itself; None takes one away. Raises as `registered`."""
    given = {"name": vim.name, "type": vim.type, "description": vim.description, "default": vim.is_default}
    document: Document = {key: value for key, value in given.items() if value is not None}
    if not (vim.auth_url or vim.vim_project or vim.auth_cred or vim.extra):
        return document
    place, credentials, settings = _access(vim, type_)
    if "token" in credentials:
        credentials = dict.fromkeys(("username", "user_id", "password", *_APPLICATION)) | credentials
    elif "application_credential_secret" in credentials:
        without = ("password", "token", *_PROJECT.values())
        credentials = {**credentials, **dict.fromkeys(without)}
    elif "password" in credentials:
        credentials = dict.fromkeys(("token", *_APPLICATION)) | credentials
    found = {"interface": place, "credentials": credentials, "settings": settings}
    return document | {key: value for key, value in found.items() if value}


def tacker_view(vim: Mapping[str, Any], known: Mapping[str, str]) -> Document:
    """A registered VIM as Tacker shows it; `known` are those of its credentials that are `PUBLIC`."""
    place, settings = vim["interface"], vim["settings"]
    credentials = {key: value for key, value in known.items() if key not in _PROJECT.values()}
    if vim["hasCredentials"]:
        application = any(key in known for key in _APPLICATION)
        credentials["application_credential_secret" if application else "password"] = "***"
    if vim["type"] == "openstack":
        credentials["cert_verify"] = str(not settings.get("insecure", False))
    region = place.get("region")
    return {
        "id": vim["id"],
        "name": vim["name"],
        "description": vim["description"],
        "type": vim["type"],
        "tenant_id": vim["project"],
        "auth_url": place.get("auth_url") or place.get("url") or "",
        "vim_project": {key: known[name] for key, name in _PROJECT.items() if name in known},
        "auth_cred": credentials,
        "is_default": vim["default"],
        "status": _STATUS,
        "placement_attr": {"regions": [region]} if region else {},
        "extra": {key: place[key] for key in ("region", "interface") if key in place},
        "created_at": vim["created"],
        "updated_at": vim["updated"],
    }


def _access(vim: TackerVim, type_: str) -> tuple[Document, Document, Document]:
    """Interface, credentials and settings that `vim` gives."""
    if type_ != "openstack":
        raise Unprocessable(
            f"Tacker's form has no words for a VIM of the type '{type_}'.",
            code="unsupported-vim-form",
            place="vim.type",
            remedy="Use `fairlead vim`, or /fairlead/v1/vims.",
        )
    place: Document = {"auth_url": vim.auth_url} if vim.auth_url else {}
    credentials: Document = {}
    settings: Document = {}
    for key, value in _given(vim.vim_project):
        if key not in _PROJECT:
            raise _unknown(f"vim.vim_project.{key}")
        credentials[_PROJECT[key]] = value
    for key, value in _given(vim.auth_cred):
        if key == "cert_verify":
            settings["insecure"] = not _verify(value)
        elif key in _PLACE:
            place[_PLACE[key]] = value
        else:
            credentials[key] = value  # what is none is refused by the registry, with a list of those there are
    for key, value in _given(vim.extra):
        if key in _PLACE:
            place[_PLACE[key]] = value
        elif key in (*_APPLICATION, "token"):
            credentials[key] = value
        else:
            raise _unknown(f"vim.extra.{key}")
    return place, credentials, settings


def _given(values: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in (values or {}).items() if value not in (None, "")]


def _verify(value: Any) -> bool:
    verify = value if isinstance(value, bool) else _VERIFY.get(str(value).lower())
    if verify is None:
        raise Unprocessable(
            "cert_verify is neither 'True' nor 'False'.",
            code="bad-vim-settings",
            place="vim.auth_cred.cert_verify",
            remedy="Leave it out: certificates are verified unless it is 'False'.",
        )
    return verify


def _unknown(place: str) -> Unprocessable:
    return Unprocessable(
        f"'{place}' means nothing here.",
        code="unsupported-vim-form",
        place=place,
        remedy=f"In extra there may be {', '.join((*_PLACE, *_APPLICATION, 'token'))}; in vim_project {', '.join(_PROJECT)}.",
    )
