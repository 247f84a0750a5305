"""VNF packages (`/vnfpkgm/v2`): created, uploaded as a stream of any length, onboarded by the server in the background.

ETSI's package has no name. Here one is found by its id, its VNFD's id, a `name` in its user-defined data, or its
product's name, in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote

from fairlead.client.events import Events
from fairlead.client.feed import Feed
from fairlead.client.finding import find
from fairlead.client.transport import Document, Transport
from fairlead.client.waiting import Watching, wait_until
from fairlead.errors import BadRequest, ServerUnreachable, UnexpectedAnswer

__all__ = ["Packages"]

_PATH = "/vnfpkgm/v2/vnf_packages"
_CHUNK = 1 << 20
_AT_REST = frozenset({"CREATED", "ONBOARDED", "ERROR"})
_SILENCE = 60.0
"""Seconds for which a download may stand still."""
_ANSWER_TO_UPLOAD = 600.0
"""Seconds for the server to take the last byte, digest and store a large package."""


class Packages:
    """The catalogue of VNF packages."""

    def __init__(self, transport: Transport, events: Events) -> None:
        self._transport = transport
        self._events = events

    def create(self, user_defined_data: Mapping[str, Any] | None = None) -> Document:
        """An empty package, to be filled by `upload`."""
        body = {"userDefinedData": dict(user_defined_data)} if user_defined_data else {}
        return self._transport.document("POST", _PATH, body=body)

    def upload(self, package: str, content: IO[bytes], *, size: int, sent: Callable[[int], None] | None = None) -> None:
        """Send `size` bytes of a CSAR; `sent` is told how many have gone. Onboarding goes on afterwards: see `wait`."""

        def chunks() -> Iterator[bytes]:
            total = 0
            while chunk := content.read(_CHUNK):
                yield chunk
                total += len(chunk)
                if sent is not None:
                    sent(total)

        headers = {"Content-Type": "application/zip", "Content-Length": str(size)}
        path = f"{_PATH}/{package}/package_content"
        self._transport.request("PUT", path, content=chunks(), headers=headers, timeout=_ANSWER_TO_UPLOAD)

    def upload_from_uri(self, package: str, uri: str, credentials: Mapping[str, str] | None = None) -> None:
        """Have the server fetch the content from `uri`; how that goes is seen in the package: see `wait`.

        `credentials` are `user` and `password`, or `client`, `secret` and `token-endpoint` for OAuth2 client credentials.
        Raises BadRequest (`bad-credentials`).
        """
        body = {"addressInformation": uri, **_credentials(credentials or {})}
        self._transport.request("POST", f"{_PATH}/{package}/package_content/upload_from_uri", body=body)

    def list(self, *, filter: str | None = None) -> Iterator[Document]:
        """The packages, with their user-defined data, which a list leaves out by itself."""
        return self._transport.pages(_PATH, {"fields": "userDefinedData"} | ({"filter": filter} if filter else {}))

    def show(self, package: str) -> Document:
        return self._transport.document("GET", f"{_PATH}/{package}")

    def descriptor(self, package: str) -> bytes:
        """The files of an onboarded package's VNFD as a zip archive."""
        path = f"{_PATH}/{package}/vnfd"
        return self._transport.request("GET", path, headers={"Accept": "application/zip"}).content

    def download(self, package: str, part: str = "package_content") -> Iterator[bytes]:
        """The content of an onboarded package, piece by piece, or a part of it: `manifest`, `artifacts` (an archive of its
        files), `artifacts/<path>`.

        When the connection breaks it goes on where it was, as long as some progress is made each time. Raises
        UnexpectedAnswer (`download-changed`) when what was being fetched has become something else.
        """
        path, got, tag = f"{_PATH}/{package}/{quote(part)}", 0, None
        while True:
            headers = {"Accept": "*/*", "Accept-Encoding": "identity"} | (
                {"Range": f"bytes={got}-", "If-Range": tag} if got and tag else {}
            )
            before = got
            try:
                with self._transport.stream(path, params={}, headers=headers, silence=_SILENCE) as answer:
                    if got and answer.status_code != 206:
                        raise UnexpectedAnswer(
                            f"Package {package} has changed while it was downloaded.",
                            code="download-changed",
                            remedy="Download it again.",
                        )
                    tag = answer.headers.get("ETag")
                    for piece in answer.iter_bytes():
                        yield piece
                        got += len(piece)
                return
            except ServerUnreachable:
                if got == before or tag is None:
                    raise

    def find(self, text: str) -> Document:
        """The package that `text` names. Raises NotFound, or BadRequest when several bear the name."""
        return find(
            self._transport,
            _PATH,
            text,
            ("vnfdId", "userDefinedData/name", "vnfProductName"),
            what="package",
            describe=lambda one: (
                f"{one.get('vnfProductName', '')} {one.get('vnfdVersion', '')} {one['onboardingState']}"
            ),
        )

    def modify(self, package: str, changes: Mapping[str, Any]) -> Document:
        """Change `operationalState` or `userDefinedData`; the answer is what was changed."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self._transport.document("PATCH", f"{_PATH}/{package}", body=dict(changes), headers=headers)

    def delete(self, package: str) -> None:
        self._transport.request("DELETE", f"{_PATH}/{package}")

    def wait(self, package: str, *, timeout: float | None = None, watching: Watching | None = None) -> Document:
        """The package once it is onboarded, or has failed (`onboardingFailureDetails` says why)."""
        with Feed(self._events, subject=package) as feed:
            return wait_until(
                lambda: self.show(package),
                lambda document: document["onboardingState"] in _AT_REST,
                feed,
                what=f"Package {package}",
                timeout=timeout,
                watching=watching,
            )


def _credentials(given: Mapping[str, str]) -> Document:
    """Credentials in the words of the API."""
    if not given:
        return {}
    if given.keys() == {"user", "password"}:
        return {"userName": given["user"], "password": given["password"]}
    if given.keys() == {"client", "secret", "token-endpoint"}:
        params = {
            "clientId": given["client"],
            "clientPassword": given["secret"],
            "tokenEndpoint": given["token-endpoint"],
        }
        return {"authType": "OAUTH2_CLIENT_CREDENTIALS", "paramsOauth2ClientCredentials": params}
    raise BadRequest(
        f"Credentials for fetching a package are not {', '.join(sorted(given))}.",
        code="bad-credentials",
        remedy="Give user and password; or client, secret and token-endpoint.",
    )
