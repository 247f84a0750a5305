"""The SDK: everything that Fairlead's API offers, as calls that return its documents.

    with Client("http://127.0.0.1:9890", token=token) as fairlead:
        operation = fairlead.vnfs.begin(vnf, "instantiate", {"flavourId": "default"})
        done = fairlead.operations.wait(operation, timeout=600)

It is synchronous, because its users are scripts and the command line. Documents go in and come out as plain
dictionaries in the server's own words, so that a field which a newer server adds is not lost on the way. Failures are
the errors of `fairlead.errors`, rebuilt from the problem details of the answer, so a caller handles the same tree on
both sides of the wire.
"""

from fairlead.client.access import Collection
from fairlead.client.client import DEFAULT_URL, Client
from fairlead.client.credentials import BearerToken, ClientCredentials, Credentials
from fairlead.client.events import Event
from fairlead.client.feed import Feed
from fairlead.client.finding import looks_like_id
from fairlead.client.operations import AT_REST, GOOD, at_rest
from fairlead.client.transport import Document
from fairlead.client.waiting import Watching

__all__ = [
    "AT_REST",
    "DEFAULT_URL",
    "GOOD",
    "BearerToken",
    "Client",
    "ClientCredentials",
    "Collection",
    "Credentials",
    "Document",
    "Event",
    "Feed",
    "Watching",
    "at_rest",
    "looks_like_id",
]
