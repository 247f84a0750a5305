"""Things by id or by name."""

from __future__ import annotations

import pytest

from fairlead.client import Client
from fairlead.errors import BadRequest, NotFound
from tests.support.peer import Peer


def test_an_instance_is_found_by_its_id_and_by_its_name(client: Client) -> None:
    made = client.vnfs.create({"vnfdId": "vnfd-1", "vnfInstanceName": "gw"})
    assert client.vnfs.find(made["id"])["id"] == made["id"]
    assert client.vnfs.find("gw")["id"] == made["id"]


@pytest.mark.parametrize("name", ["a,b", "it's (here)", "north/east & 50%", "Gerät"])
def test_a_name_may_hold_what_a_filter_is_made_of(client: Client, name: str) -> None:
    client.vnfs.create({"vnfdId": "vnfd-1", "vnfInstanceName": "another"})
    made = client.vnfs.create({"vnfdId": "vnfd-1", "vnfInstanceName": name})
    assert client.vnfs.find(name)["id"] == made["id"]


def test_a_name_that_two_bear_is_an_error_that_lists_them(client: Client) -> None:
    ids = [client.vnfs.create({"vnfdId": "vnfd-1", "vnfInstanceName": "gw"})["id"] for _ in range(2)]
    with pytest.raises(BadRequest) as caught:
        client.vnfs.find("gw")
    assert caught.value.code == "ambiguous-name"
    assert all(id in caught.value.detail for id in ids)


def test_a_name_that_looks_like_an_id_is_still_found(client: Client) -> None:
    name = "00000000-0000-4000-8000-000000000000"
    made = client.vnfs.create({"vnfdId": "vnfd-1", "vnfInstanceName": name})
    assert client.vnfs.find(name)["id"] == made["id"]


def test_what_is_not_there_is_told_with_where_to_look(client: Client) -> None:
    with pytest.raises(NotFound) as caught:
        client.vnfs.find("nobody")
    assert "fairlead vnf list" in str(caught.value.remedy)


def test_a_package_is_found_by_descriptor_name_and_product(peer: Peer, client: Client) -> None:
    made = client.packages.create({"name": "edge"})
    peer.state.packages[made["id"]] |= {"vnfdId": "vnfd-9", "vnfProductName": "Edge Gateway"}
    for text in (made["id"], "vnfd-9", "edge", "Edge Gateway"):
        assert client.packages.find(text)["id"] == made["id"]
