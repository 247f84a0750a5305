"""The client: one connection to one server, and the API in groups of calls."""

from __future__ import annotations

from types import TracebackType

from fairlead.client.access import Collection
from fairlead.client.credentials import BearerToken, Credentials
from fairlead.client.events import Events
from fairlead.client.operations import Operations
from fairlead.client.packages import Packages
from fairlead.client.transport import Transport
from fairlead.client.vims import Vims
from fairlead.client.vnfs import Vnfs

__all__ = ["DEFAULT_URL", "Client"]

DEFAULT_URL = "http://127.0.0.1:9890"


class Client:
    """A Fairlead server. Give a `token`, or `credentials` of another sort; `timeout` is for one request, in seconds.

    `ca_file` holds the certificates to trust beside an https address; without it the system's are trusted.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        credentials: Credentials | None = None,
        timeout: float = 30.0,
        ca_file: str | None = None,
    ) -> None:
        shown = credentials or (BearerToken(token) if token else None)
        self._transport = Transport(url, credentials=shown, timeout=timeout, ca_file=ca_file)
        self.events = Events(self._transport)
        self.vims = Vims(self._transport)
        self.packages = Packages(self._transport, self.events)
        self.vnfs = Vnfs(self._transport)
        self.operations = Operations(self._transport, self.events)
        self.projects = Collection(self._transport, "projects")
        self.tokens = Collection(self._transport, "tokens")
        self.clients = Collection(self._transport, "clients")

    @property
    def url(self) -> str:
        """The server's address."""
        return self._transport.url

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
