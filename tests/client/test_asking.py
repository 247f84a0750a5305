"""One request: who asks, in which version, and what an answer that is not a good one becomes."""

from __future__ import annotations

import pytest

from fairlead.client import Client, ClientCredentials
from fairlead.errors import (
    BadRequest,
    Conflict,
    FairleadError,
    NotFound,
    ServerUnreachable,
    StoreUnavailable,
    Unauthenticated,
    UnexpectedAnswer,
    VimFull,
    VimUnavailable,
)
from tests.support.peer import Peer

VNFS = "/vnflcm/v2/vnf_instances"


def test_a_problem_document_becomes_the_error_it_was_made_from(peer: Peer, client: Client) -> None:
    body = (
        '{"type":"about:blank","title":"Conflict","status":409,"detail":"It is in use.","code":"vim-in-use",'
        '"resource":"edge","place":"file:1:2","cause":"their words","left":"nothing","remedy":"Wait.","problems":[1]}'
    )
    peer.faults.answers["GET /fairlead/v1/vims"] = (409, "application/problem+json", body)
    with pytest.raises(Conflict) as caught:
        client.vims.list()
    error = caught.value
    assert (error.code, error.detail, error.resource, error.place) == (
        "vim-in-use",
        "It is in use.",
        "edge",
        "file:1:2",
    )
    assert (error.cause, error.left, error.remedy) == ("their words", "nothing", "Wait.")
    assert error.more == {"problems": [1]}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (503, "store-unavailable", StoreUnavailable),
        (503, "vim-unavailable", VimUnavailable),
        (503, "vim-full", VimFull),
        (404, "some-new-code", NotFound),
        (500, "internal-error", FairleadError),
    ],
)
def test_status_and_code_together_choose_the_error(
    peer: Peer, client: Client, status: int, code: str, expected: type[FairleadError]
) -> None:
    body = f'{{"status":{status},"detail":"So it is.","code":"{code}"}}'
    peer.faults.answers["GET /fairlead/v1/vims"] = (status, "application/problem+json", body)
    with pytest.raises(FairleadError) as caught:
        client.vims.list()
    assert type(caught.value) is expected
    assert caught.value.code == code


def test_an_answer_of_a_proxy_is_told_as_one(peer: Peer, client: Client) -> None:
    peer.faults.answers["GET /fairlead/v1/vims"] = (502, "text/html", "<html>Bad Gateway</html>")
    with pytest.raises(ServerUnreachable) as caught:
        client.vims.list()
    assert caught.value.code == "server-unavailable"


@pytest.mark.parametrize("body", ["<html>Welcome</html>", '"just a string"'])
def test_an_answer_that_is_not_the_apis_is_told_as_such(peer: Peer, client: Client, body: str) -> None:
    peer.faults.answers["GET /fairlead/v1/vims"] = (200, "text/html", body)
    with pytest.raises(UnexpectedAnswer):
        client.vims.list()


def test_a_server_that_is_not_there_is_named_with_its_address(peer: Peer) -> None:
    peer.stop()
    with Client(peer.url, token=peer.token) as client, pytest.raises(ServerUnreachable) as caught:
        client.vims.list()
    assert caught.value.code == "cannot-reach-server"
    assert peer.url in caught.value.detail
    assert "fairlead serve" in str(caught.value.remedy)


def test_a_connection_that_breaks_after_the_request_was_sent_leaves_the_outcome_open(
    peer: Peer, client: Client
) -> None:
    vnf = client.vnfs.create({"vnfdId": "vnfd-1"})
    path = f"{VNFS}/{vnf['id']}/heal"
    peer.faults.unanswered.add(f"POST {path}")
    with pytest.raises(ServerUnreachable) as caught:
        client.vnfs.begin(vnf["id"], "heal", {})
    assert caught.value.code == "no-answer"


@pytest.mark.parametrize("url", ["127.0.0.1:9890", "ftp://somewhere", "http://"])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Client(url)
    assert caught.value.code == "bad-url"


def test_no_token_is_told_as_unauthenticated(peer: Peer) -> None:
    with Client(peer.url) as client, pytest.raises(Unauthenticated):
        client.vims.list()


def test_the_lifecycle_interface_is_asked_for_in_a_version_and_our_own_is_not(peer: Peer, client: Client) -> None:
    list(client.vnfs.list())
    client.vims.list()
    assert peer.asked("GET", VNFS)[0]["headers"]["version"] == "2.0.0"
    assert "version" not in peer.asked("GET", "/vims")[0]["headers"]


def test_a_server_of_another_version_is_asked_in_the_newest_that_it_serves(peer: Peer, client: Client) -> None:
    peer.faults.versions = ("2.3.0", "2.10.0")
    assert list(client.vnfs.list()) == []
    assert peer.asked("GET", VNFS)[-1]["headers"]["version"] == "2.10.0"
    list(client.vnfs.list())
    assert len(peer.asked("GET", "/vnflcm/v2/api_versions")) == 1


def test_a_server_that_serves_no_version_of_ours_refuses(peer: Peer, client: Client) -> None:
    peer.faults.versions = ("3.0.0",)
    with pytest.raises(FairleadError) as caught:
        list(client.vnfs.list())
    assert caught.value.code == "version-not-served"


def test_a_list_is_followed_page_by_page_at_the_address_that_was_given(peer: Peer, client: Client) -> None:
    peer.state.page_size = 2
    names = [f"vnf-{number}" for number in range(5)]
    for name in names:
        client.vnfs.create({"vnfdId": "vnfd-1", "vnfInstanceName": name})
    found = list(client.vnfs.list(filter="(eq,vnfdId,vnfd-1)"))
    assert [one["vnfInstanceName"] for one in found] == names
    assert len(peer.asked("GET", VNFS)) == 3


def test_pages_are_read_only_as_far_as_they_are_used(peer: Peer, client: Client) -> None:
    peer.state.page_size = 1
    for _ in range(3):
        client.vnfs.create({"vnfdId": "vnfd-1"})
    next(client.vnfs.list())
    assert len(peer.asked("GET", VNFS)) == 1


def test_client_credentials_fetch_one_token_for_many_requests(peer: Peer) -> None:
    with Client(peer.url, credentials=ClientCredentials("robot", "its-secret")) as client:
        client.vims.list()
        client.vims.list()
    assert len(peer.asked("POST", "/oauth2/token")) == 1


def test_a_token_that_the_server_has_forgotten_is_fetched_again_once(peer: Peer) -> None:
    with Client(peer.url, credentials=ClientCredentials("robot", "its-secret")) as client:
        client.vims.list()
        peer.state.tokens.clear()
        client.vims.list()
    assert len(peer.asked("POST", "/oauth2/token")) == 2


def test_a_token_is_renewed_before_it_ends(peer: Peer) -> None:
    now = 0.0
    with Client(peer.url, credentials=ClientCredentials("robot", "its-secret", now=lambda: now)) as client:
        client.vims.list()
        now = 3580.0
        client.vims.list()
    assert len(peer.asked("POST", "/oauth2/token")) == 2


def test_a_wrong_client_secret_is_told_and_not_shown(peer: Peer) -> None:
    with (
        Client(peer.url, credentials=ClientCredentials("robot", "canary-secret")) as client,
        pytest.raises(Unauthenticated) as caught,
    ):
        client.vims.list()
    assert caught.value.code == "client-refused"
    assert "canary-secret" not in str(caught.value.card())
