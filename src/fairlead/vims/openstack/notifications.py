"""What OpenStack's services tell of themselves: their notifications, from the cloud's own RabbitMQ.

Only operators have access to it, so it is asked for on purpose: by the credential `notifications`, for the address holds a
password. A queue of our own is bound to the exchanges of the services, so nobody else loses a message by it, and it goes
with the connection. What is told is only a reason to look: the watcher reads the thing itself, and goes on reading now and then,
for notifications may be lost, and not all services send them for all that happens.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fairlead.errors import Unprocessable, VimError, VimUnavailable
from fairlead.resources import Handle
from fairlead.vims.openstack.settings import Place, on_host
from fairlead.vims.seam import Access, Finding

__all__ = ["Notifications", "changed_by", "notifications_host", "notifications_of"]

_EXCHANGES: Final = ("nova", "neutron", "cinder", "heat")
"""What the services call theirs, unless `control_exchange` says otherwise."""
_TOPICS: Final = ("notifications", "versioned_notifications")
_PRIORITIES: Final = ("info", "error", "warn", "sample", "debug", "audit", "critical")
_PATIENCE: Final = 10.0
_LATER = 30.0
"""Seconds between looks for exchanges that were not there."""
_HEARTBEAT: Final = 15
"""Seconds; a connection that says nothing for twice that is lost."""
_ARGUMENTS: Final = {"x-message-ttl": 60_000, "x-max-length": 10_000}
"""Of our queue: what is older than a minute has been read by then anyway."""
Key = tuple[str, Handle]


def notifications_of(access: Access) -> str | None:
    """The address in a registration; None where there is none. Raises Unprocessable (`bad-vim-credentials`)."""
    url = access.credentials.get("notifications")
    if not url:
        return None
    if not _is_broker(url):
        raise Unprocessable(
            "The address of the cloud's notifications is none of a RabbitMQ with user and password.",
            code="bad-vim-credentials",
            place="credentials.notifications",
            remedy="Write amqp://user:password@host:5672/ or amqps://..., with the virtual host as the path.",
        )
    return url


def _is_broker(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("amqp", "amqps") and bool(parts.hostname and parts.username) and not parts.query


def notifications_host(access: Access) -> str | None:
    """The host and port of the address, if it is on the machine that Fairlead runs on."""
    url = notifications_of(access)
    if url is None or not on_host(url):
        return None
    return urlsplit(url).netloc.rpartition("@")[2]


class Notifications:
    """The notifications of one cloud. Nothing is opened before `follow`; the library is loaded then, too."""

    def __init__(self, url: str, place: Place, *, insecure: bool, exchanges: tuple[str, ...] = _EXCHANGES) -> None:
        self._url = url
        self._exchanges = exchanges
        self._tls: ssl.SSLContext | None = None
        if url.startswith("amqps:"):
            self._tls = ssl.create_default_context(cadata=place.ca)
            if insecure:
                self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    async def follow(self) -> AsyncGenerator[Key, None]:
        """What changes, by sort and handle, from now on. Raises VimUnavailable when the connection is lost."""
        from aio_pika.exceptions import AMQPError

        try:
            async with asyncio.timeout(_PATIENCE):
                connection = await self._connect()
            async with connection:
                async with asyncio.timeout(_PATIENCE):
                    queue, missing = await self._queue(connection)
                binding = asyncio.create_task(_bind_later(connection, queue, missing), name="notifications-binding")
                try:
                    async with queue.iterator(no_ack=True) as messages:
                        async for message in messages:
                            for key in changed_by(message.body):
                                yield key
                finally:
                    binding.cancel()
        except (AMQPError, OSError, TimeoutError) as error:
            raise self._lost(repr(error)) from None
        raise self._lost("the connection has ended")

    async def findings(self) -> tuple[Finding, ...]:
        """Nothing when they can be followed; else why not."""
        try:
            await self._try()
        except VimError as error:
            return (Finding("warning", error.code, f"{error.detail} ({error.cause})"),)
        return ()

    async def _try(self) -> None:
        from aio_pika.exceptions import AMQPError

        try:
            async with asyncio.timeout(_PATIENCE), await self._connect() as connection:
                await self._queue(connection)
        except (AMQPError, OSError, TimeoutError) as error:
            raise self._lost(repr(error)) from None

    async def _connect(self) -> Any:
        import aio_pika

        for library in ("aio_pika", "aiormq"):  # what they would tell with a trace is told here in a line
            logging.getLogger(library).setLevel(logging.CRITICAL)
        kind = aio_pika.Connection  # not the one that connects again by itself: the watcher sees to that
        return await aio_pika.connect(
            self._url, connection_class=kind, ssl_context=self._tls, timeout=_PATIENCE, heartbeat=_HEARTBEAT
        )

    async def _queue(self, connection: Any) -> tuple[Any, list[str]]:
        """Our queue, bound to those exchanges that there are, and those that there are not. Raises VimUnavailable if none is."""
        channel = await connection.channel(publisher_confirms=False)
        queue = await channel.declare_queue(exclusive=True, auto_delete=True, arguments=dict(_ARGUMENTS))
        missing = [exchange for exchange in self._exchanges if not await _bound(connection, queue, exchange)]
        if len(missing) == len(self._exchanges):
            raise self._lost(f"it has none of the exchanges {', '.join(self._exchanges)}")
        return queue, missing

    def _lost(self, cause: str) -> VimError:
        secret = urlsplit(self._url).password
        return VimUnavailable(
            "The cloud's notifications are not followed; it is asked in their place.",
            code="notifications-lost",
            cause=cause.replace(secret, "***") if secret else cause,
            remedy="Check the credential 'notifications' of the VIM, and that its RabbitMQ can be reached.",
        )


async def _bound(connection: Any, queue: Any, exchange: str) -> bool:
    """Bind `queue` to `exchange`, if there is one."""
    from aio_pika.exceptions import ChannelClosed

    trial = await connection.channel(publisher_confirms=False)
    try:
        # Asked for, not declared: whoever is first to declare an exchange says of what sort it is.
        await trial.get_exchange(exchange, ensure=True)
    except ChannelClosed:
        return False
    with suppress(ChannelClosed):
        await trial.close()
    for topic in _TOPICS:
        for priority in _PRIORITIES:
            await queue.bind(exchange, f"{topic}.{priority}")
    return True


async def _bind_later(connection: Any, queue: Any, missing: list[str]) -> None:
    """Bind to what is not there yet: after a restart of RabbitMQ each service makes its exchange when it is back."""
    from aio_pika.exceptions import AMQPError

    with suppress(AMQPError, OSError):  # the loss of a connection is told by whoever reads from it
        while missing:
            await asyncio.sleep(_LATER)
            missing = [exchange for exchange in missing if not await _bound(connection, queue, exchange)]


def changed_by(body: bytes) -> list[Key]:
    """What a message is about; nothing, for those that are not understood."""
    try:
        envelope = msgspec.json.decode(body)
        event = msgspec.json.decode(envelope["oslo.message"]) if "oslo.message" in envelope else envelope
        sort, _, what = str(event["event_type"]).partition(".")
        payload = event["payload"]
        found = list(_changed(sort, what, payload))
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError):
        return []
    return [(sort, Handle(handle)) for sort, handle in found if isinstance(handle, str)]


def _changed(sort: str, what: str, payload: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """`sort` and `what`: the first word of the type of event, and the others."""
    if sort == "compute":  # compute.instance.create.end
        return [("compute", payload.get("instance_id"))]
    if sort == "instance":  # the same, versioned
        return [("compute", payload["nova_object.data"].get("uuid"))]
    if sort in ("compute_task", "scheduler"):  # compute_task.build_instances, of what could not be placed
        return [("compute", payload.get("instance_id") or payload.get("instance_uuid"))]
    if sort == "volume":
        return [("volume", payload.get("volume_id"))]
    if sort in ("port", "network"):  # port.create.end, of one or of several
        several = payload.get(f"{sort}s") or [payload.get(sort) or {}]
        return [(sort, one.get("id")) for one in several] + [(sort, payload.get(f"{sort}_id"))]
    if sort == "orchestration" and what.startswith("stack."):  # arn:openstack:heat::PROJECT:stacks/NAME/ID
        return [("stack", str(payload["stack_identity"]).partition(":stacks/")[2] or None)]
    return []
