"""Uploading packages and waiting for them to be onboarded."""

from __future__ import annotations

import io

import pytest

from fairlead.client import Client
from fairlead.errors import BadRequest, Conflict, FairleadError, NotFound, ServerUnreachable, UnexpectedAnswer
from tests.support.peer import Peer


def test_a_package_is_sent_as_it_is_with_its_length_and_told_about_on_the_way(peer: Peer, client: Client) -> None:
    content = bytes(range(256)) * 12_000
    made = client.packages.create({"name": "edge"})
    sent: list[int] = []
    client.packages.upload(made["id"], io.BytesIO(content), size=len(content), sent=sent.append)
    done = client.packages.wait(made["id"], timeout=10)
    assert done["onboardingState"] == "ONBOARDED"
    assert peer.state.uploads[made["id"]] == content
    assert sent[-1] == len(content)
    headers = peer.asked("PUT", "/package_content")[0]["headers"]
    assert headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in headers


def test_a_package_that_cannot_be_onboarded_ends_the_wait(peer: Peer, client: Client) -> None:
    peer.faults.failing_package = True
    made = client.packages.create()
    client.packages.upload(made["id"], io.BytesIO(b"zip"), size=3)
    done = client.packages.wait(made["id"], timeout=10)
    assert done["onboardingState"] == "ERROR"
    assert done["onboardingFailureDetails"]["problems"][0]["line"] == 7


def test_a_refused_upload_is_told_in_the_servers_words_even_when_it_is_large(client: Client) -> None:
    content = bytes(8 << 20)
    with pytest.raises(NotFound) as caught:
        client.packages.upload("00000000-0000-4000-8000-000000000000", io.BytesIO(content), size=len(content))
    assert caught.value.code == "package-not-found"


def test_states_and_data_are_changed_by_a_merge_patch(peer: Peer, client: Client) -> None:
    made = client.packages.create()
    assert client.packages.modify(made["id"], {"operationalState": "ENABLED"}) == {"operationalState": "ENABLED"}
    assert peer.asked("PATCH", made["id"])[0]["headers"]["content-type"] == "application/merge-patch+json"
    with pytest.raises(Conflict):
        client.packages.delete(made["id"])


def test_a_deleted_package_is_gone(client: Client) -> None:
    made = client.packages.create()
    client.packages.delete(made["id"])
    with pytest.raises(FairleadError):
        client.packages.show(made["id"])


def downloadable(client: Client, content: bytes) -> str:
    made = client.packages.create()
    client.packages.upload(made["id"], io.BytesIO(content), size=len(content))
    client.packages.wait(made["id"], timeout=10)
    return str(made["id"])


def test_a_download_that_breaks_goes_on_where_it_was(peer: Peer, client: Client) -> None:
    content = bytes(range(256)) * 100
    id = downloadable(client, content)
    peer.faults.cut_downloads = 3
    assert b"".join(client.packages.download(id)) == content
    ranges = [one["headers"].get("range") for one in peer.asked("GET", "/package_content")]
    assert ranges == [None, "bytes=1000-", "bytes=2000-", "bytes=3000-"]


def test_a_download_that_makes_no_progress_ends(peer: Peer, client: Client) -> None:
    id = downloadable(client, b"content")
    peer.faults.cut_downloads, peer.faults.cut_after = 10, 0
    with pytest.raises(ServerUnreachable) as caught:
        list(client.packages.download(id))
    assert caught.value.code == "no-answer"


def test_a_download_does_not_go_on_with_another_content(peer: Peer, client: Client) -> None:
    id = downloadable(client, bytes(5000))
    peer.faults.cut_downloads = 1
    pieces = client.packages.download(id)
    next(pieces)
    peer.state.uploads[id] = b"another"
    with pytest.raises(UnexpectedAnswer) as caught:
        list(pieces)
    assert caught.value.code == "download-changed"


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        ({}, {}),
        ({"user": "me", "password": "p"}, {"userName": "me", "password": "p"}),
        (
            {"client": "me", "secret": "s", "token-endpoint": "https://a/token"},
            {
                "authType": "OAUTH2_CLIENT_CREDENTIALS",
                "paramsOauth2ClientCredentials": {
                    "clientId": "me",
                    "clientPassword": "s",
                    "tokenEndpoint": "https://a/token",
                },
            },
        ),
    ],
    ids=["none", "basic", "oauth2"],
)
def test_a_server_is_asked_to_fetch(
    peer: Peer, client: Client, credentials: dict[str, str], sent: dict[str, object]
) -> None:
    made = client.packages.create()
    client.packages.upload_from_uri(made["id"], "https://vendor.example/a.csar", credentials)
    [request] = peer.asked("POST", "/upload_from_uri")
    assert request["body"] == {"addressInformation": "https://vendor.example/a.csar", **sent}


def test_credentials_that_are_no_pair_are_refused(client: Client) -> None:
    with pytest.raises(BadRequest) as caught:
        client.packages.upload_from_uri("p", "https://vendor.example/a.csar", {"user": "me"})
    assert caught.value.code == "bad-credentials"
