"""`/subscriptions` of an interface: who wants to be notified, the same for each of ETSI's interfaces.

Made, listed, shown and deleted; there is nothing to change in one. A second one that is equal in callback and filter is not
made: the answer is 303 with the address of the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from litestar import Response

from fairlead.api.answers import document, empty
from fairlead.api.endpoints import Call, Endpoint
from fairlead.api.lists import LIST_PARAMETERS, MARKER, listing
from fairlead.events import Subscriptions
from fairlead.sol import Filter, Interface, Shown, SubscriptionAuthentication
from fairlead.sol import document as plain
from fairlead.store.listing import Page

__all__ = ["SubscriptionResources", "SubscriptionsRequest"]

_PARAMETERS = tuple(each for each in LIST_PARAMETERS if each.name in ("filter", MARKER))


class SubscriptionsRequest(Protocol):
    """What the requests of all interfaces have in common."""

    @property
    def filter(self) -> Any: ...
    @property
    def callback_uri(self) -> str: ...
    @property
    def authentication(self) -> SubscriptionAuthentication | None: ...


class SubscriptionResources:
    """The subscriptions of one interface in one version; `request` is the type of what is asked."""

    def __init__(
        self, subscriptions: Subscriptions, interface: Interface, request: type[SubscriptionsRequest], shown: Shown
    ) -> None:
        self._subscriptions = subscriptions
        self._name = f"{interface.name}.v{interface.major}"
        self._path = f"{interface.prefix}/subscriptions"
        self._request = request
        self._shown = shown

    def endpoints(self, endpoint: Callable[..., Endpoint]) -> list[Endpoint]:
        one = f"{self._path}/{{subscriptionId}}"
        return [
            endpoint(
                method="POST",
                path=self._path,
                serve=self.create,
                summary="Subscribe to notifications",
                request=self._request,
                answers={201: self._shown.type, 303: None},
                errors=(422,),
            ),
            endpoint(
                method="GET",
                path=self._path,
                serve=self.list,
                summary="List subscriptions",
                parameters=_PARAMETERS,
                answers={200: list[self._shown.type]},  # type: ignore[name-defined]
            ),
            endpoint(
                method="GET", path=one, serve=self.show, summary="Show a subscription", answers={200: self._shown.type}
            ),
            endpoint(method="DELETE", path=one, serve=self.delete, summary="End a subscription", answers={204: None}),
        ]

    async def create(self, call: Call) -> Response[Any]:
        request = await call.body(self._request)
        filter = plain(request.filter) if request.filter is not None else None
        origin = call.url("")
        id, shown = await self._subscriptions.create(
            call.project, self._name, origin, request.callback_uri, filter, request.authentication
        )
        headers = {"Location": call.url(f"{self._path}/{id}")}
        return empty(303, headers) if shown is None else document(shown, 201, headers)

    async def list(self, call: Call) -> Response[Any]:
        return await listing(call, self._shown, self._page)

    async def show(self, call: Call) -> Response[Any]:
        return document(await self._subscriptions.show(call.project, self._name, call.path("subscriptionId")))

    async def delete(self, call: Call) -> Response[Any]:
        await self._subscriptions.delete(call.project, self._name, call.path("subscriptionId"))
        return empty()

    async def _page(self, project: str, filter: Filter | None, marker: str | None, limit: int) -> Page:
        return await self._subscriptions.page(project, self._name, filter, marker, limit)
