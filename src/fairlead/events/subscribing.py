"""Subscriptions: who wants to be told of which events, where, and up to where in the log that has been done.

A subscription is a row with a project, a filter as data, a callback and a cursor into the log. What its interface is (VNF
packages, later VNF lifecycle) it only knows by name: what the filter means, and which event becomes which notification,
is handed over as an `Interface` by whoever puts the program together.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from fairlead.clock import Clock
from fairlead.errors import NotFound
from fairlead.events.callbacks import Callbacks, credentials_of, sealed, secret_of
from fairlead.events.event import Event
from fairlead.events.settled import settled
from fairlead.events.tables import subscriptions
from fairlead.resources import SecretRef
from fairlead.sol import Filter, Operator, SubscriptionAuthentication, Term, document, encode
from fairlead.store import Store, Tx
from fairlead.store.listing import Page, list_page

__all__ = ["Interface", "Secrets", "Subscription", "Subscriptions", "owner_of"]

_INTERFACE = ("interface",)
_INDEXED: Mapping[tuple[str, ...], sa.Column[Any]] = {
    _INTERFACE: subscriptions.c.interface,
    ("id",): subscriptions.c.id,
    ("callbackUri",): subscriptions.c.callback,
}


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription as it is stored. `origin` is what links begin with, `cursor` the last event that was dealt with."""

    id: str
    project: str
    interface: str
    callback: str
    origin: str
    filter: dict[str, Any] | None
    authentication: dict[str, Any] | None
    cursor: int


class Secrets(Protocol):
    """The vault, as far as it is needed here."""

    def digest(self, value: str, /) -> SecretRef: ...
    def put(self, tx: Tx, project: str, owner: str, values: Mapping[SecretRef, str], /) -> None: ...
    def forget(self, tx: Tx, owner: str, /) -> None: ...
    async def open(self, owner: str, /) -> Mapping[SecretRef, str]: ...


@dataclass(frozen=True, kw_only=True)
class Interface:
    """What one of ETSI's interfaces makes of subscriptions and events.

    `prefix` is its path, `version` what the notifications' `Version` header says. `check` raises RequestError for a filter that
    contradicts itself; `notification` gives the document for an event, None when the subscription does not want it.
    """

    name: str
    prefix: str
    version: str
    check: Callable[[Mapping[str, Any] | None], None]
    notification: Callable[[Event, Subscription], msgspec.Struct | None]


class Subscriptions:
    """The subscriptions of the installation, of all `interfaces`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        secrets: Secrets,
        callbacks: Callbacks,
        interfaces: Sequence[Interface],
    ) -> None:
        self._store = store
        self._clock = clock
        self._secrets = secrets
        self._callbacks = callbacks
        self.interfaces = {interface.name: interface for interface in interfaces}

    async def create(
        self,
        project: str,
        interface: str,
        origin: str,
        callback: str,
        filter: Mapping[str, Any] | None,
        authentication: SubscriptionAuthentication | None,
    ) -> tuple[str, bytes | None]:
        """Subscribe; the id and the document to be shown, None for a subscription that was there and is equal.

        The callback is tested first. It is told of everything that happens from now on. Raises BadRequest
        (`bad-callback`), Unprocessable (`callback-refused`, `callback-failed`, `authentication-unsupported`), and what the
        interface says of its filter.
        """
        known = self.interfaces[interface]
        known.check(filter)
        credentials = credentials_of(authentication)
        self._callbacks.check(callback, credentials)
        digest = hashlib.sha256(encode([callback, filter or {}])).hexdigest()

        def equal(tx: Tx) -> str | None:
            found = tx.find(subscriptions, subscriptions.c.id, interface=interface, digest=digest)
            return str(found.id) if found is not None else None

        existing = await self._store.read(equal, project)
        if existing is not None:
            return existing, None
        await self._callbacks.test(callback, credentials)
        id = str(uuid.uuid4())
        secret = secret_of(credentials)
        reference = self._secrets.digest(secret) if secret is not None else None
        view = _view(id, known, callback, filter)

        def work(tx: Tx) -> str | None:
            there = equal(tx)
            if there is not None:
                return there
            tx.insert(
                subscriptions,
                id=id,
                interface=interface,
                digest=digest,
                callback=callback,
                origin=origin,
                filter=filter,
                authentication=sealed(credentials, reference),
                cursor=settled(tx)[0],
                created=self._clock.now(),
                view=view.decode(),
            )
            if secret is not None and reference is not None:
                self._secrets.put(tx, project, owner_of(id), {reference: secret})
            return None

        try:
            there = await self._store.write(work, project)
        except sa.exc.IntegrityError:
            there = await self._store.read(equal, project)  # Another process was faster by a moment.
            if there is None:
                raise
        return (there, None) if there is not None else (id, view)

    async def show(self, project: str, interface: str, id: str) -> bytes:
        """The document to be shown. Raises NotFound (`subscription-not-found`)."""
        column = subscriptions.c.view
        found = await self._store.read(lambda tx: tx.find(subscriptions, column, id=id, interface=interface), project)
        if found is None:
            raise _not_found(id)
        return str(found.view).encode()

    async def page(self, project: str, interface: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        """Subscriptions of one interface in the order of their ids, after the one whose id is `marker`."""

        def work(tx: Tx) -> Page:
            view = subscriptions.c.view
            wanted = _Of(interface, filter)
            return list_page(
                tx, subscriptions, view=view, full=view, indexed=_INDEXED, filter=wanted, marker=marker, limit=limit
            )

        return await self._store.read(work, project)

    async def delete(self, project: str, interface: str, id: str) -> None:
        """End a subscription; at most what is on its way comes still. Raises NotFound (`subscription-not-found`)."""

        def work(tx: Tx) -> None:
            mine = (subscriptions.c.id == id) & (subscriptions.c.interface == interface)
            if not tx.run(tx.delete(subscriptions).where(mine)):
                raise _not_found(id)
            self._secrets.forget(tx, owner_of(id))

        await self._store.write(work, project)


class _Of:
    """A filter that takes only subscriptions of one interface, which their documents do not name."""

    def __init__(self, interface: str, filter: Filter | None) -> None:
        self._filter = filter
        self.terms = (Term(Operator.EQ, _INTERFACE, (interface,)), *(filter.terms if filter is not None else ()))

    def matches(self, document: Mapping[str, Any]) -> bool:
        return self._filter is None or self._filter.matches(document)


def owner_of(subscription: str) -> str:
    """The owner of its secrets in the vault."""
    return f"subscription {subscription}"


def _view(id: str, interface: Interface, callback: str, filter: Mapping[str, Any] | None) -> bytes:
    href = f"{interface.prefix}/subscriptions/{id}"
    chosen = {"filter": document(filter)} if filter is not None else {}
    return encode({"id": id, **chosen, "callbackUri": callback, "_links": {"self": {"href": href}}})


def _not_found(id: str) -> NotFound:
    return NotFound(
        f"There is no subscription '{id}'.",
        code="subscription-not-found",
        resource=id,
        remedy="List the subscriptions of the project to see which there are.",
    )
