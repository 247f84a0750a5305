"""Uploading packages and waiting for them to be onboarded."""

from __future__ import annotations

import io

import pytest

from fairlead.client import Client
from fairlead.errors import Conflict, FairleadError, NotFound
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
