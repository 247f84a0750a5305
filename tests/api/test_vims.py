"""The registry of infrastructures over HTTP."""

from __future__ import annotations

from tests.api.conftest import Api, problem

VIMS = "/fairlead/v1/vims"
LAB = {"name": "lab one", "type": "simulated", "interface": {}, "credentials": {"password": "hunter2"}}


async def test_an_infrastructure_is_registered_changed_checked_and_forgotten(api: Api) -> None:
    client = api.client()
    answer = await client.post(VIMS, json=LAB)
    assert answer.status_code == 201
    assert "hunter2" not in answer.text
    assert (await client.get(answer.headers["Location"])).json() == answer.json()
    assert (await client.get(f"{VIMS}/lab%20one")).json()["name"] == "lab one"
    changed = await client.patch(f"{VIMS}/lab%20one", json={"default": True})
    assert changed.json()["default"] is True
    assert (await client.get(VIMS)).json() == [changed.json()]
    assert (await client.post(f"{VIMS}/lab%20one/check")).json()["reachable"] is True
    assert (await client.delete(f"{VIMS}/lab%20one")).status_code == 204
    problem(await client.get(f"{VIMS}/lab%20one"), 404, "vim-not-found")


async def test_only_an_administrator_shares_an_infrastructure(api: Api) -> None:
    problem(await api.client().post(VIMS, json=LAB | {"shared": True}), 403, "role-missing")
    assert (await api.client(api.admin).post(VIMS, json=LAB | {"shared": True})).status_code == 201
    for refused in (
        await api.client().patch(f"{VIMS}/lab%20one", json={"shared": False}),
        await api.client().delete(f"{VIMS}/lab%20one"),
    ):
        problem(refused, 403, "role-missing")
    assert (await api.client(api.admin).patch(f"{VIMS}/lab%20one", json={"shared": False})).status_code == 200
    problem(await api.client().patch(f"{VIMS}/lab%20one", json={"shared": True}), 403, "role-missing")


async def test_only_an_administrator_is_trusted_with_the_machine_itself(api: Api) -> None:
    await api.client().post(VIMS, json=LAB)
    await api.client().patch(f"{VIMS}/lab%20one", json={"default": True})
    await api.client(api.admin).patch(f"{VIMS}/lab%20one", json={"default": False})
    await api.client(api.admin).post(VIMS, json=LAB | {"name": "another"})
    assert api.vims.trusted == [False, False, True, True]


async def test_a_registration_that_is_no_object_is_refused(api: Api) -> None:
    problem(await api.client().post(VIMS, json=[1]), 400, "wrong-body")


async def test_an_infrastructure_is_asked_what_it_lacks(api: Api) -> None:
    client = api.client()
    await client.post(VIMS, json=LAB)
    answer = await client.post(f"{VIMS}/lab%20one/lint", json={"needs": [{"sort": "image", "name": "debian-12"}]})
    assert answer.status_code == 200
    assert answer.json()["lacks"] == [{"need": 0, "code": "vim-lacks-image", "detail": "debian-12"}]
    problem(await client.post(f"{VIMS}/nowhere/lint", json={"needs": []}), 404, "vim-not-found")


async def test_needs_that_cannot_be_are_refused(api: Api) -> None:
    client = api.client()
    await client.post(VIMS, json=LAB)
    for wrong in ({"sort": "wish", "name": "x"}, {"sort": "image"}, {"sort": "image", "name": "x", "more": 1}):
        problem(await client.post(f"{VIMS}/lab%20one/lint", json={"needs": [wrong]}), 400, "wrong-body")
    many = [{"sort": "image", "name": "x"}] * 1001
    problem(await client.post(f"{VIMS}/lab%20one/lint", json={"needs": many}), 400, "wrong-body")
