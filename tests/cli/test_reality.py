"""What the infrastructure says, on the terminal: what stands in the way of a plan, and what is not as recorded."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.conftest import Run
from tests.support.peer import Peer

QUOTA = {
    "code": "quota-exceeded",
    "severity": "error",
    "detail": "The plan needs 3 servers, and 1 of 10 are left.",
    "resource": "web/k2",
    "remedy": "Raise the quota, or free some.",
}
LATE = {"code": "plan-not-checked", "severity": "warning", "detail": "VIM 'x' could not be asked."}
STOPPED = {
    "code": "drift-differs",
    "severity": "error",
    "detail": "its power is off, recorded is on",
    "resource": "web/k1",
    "sort": "compute",
    "repair": "update",
}
PLAN: dict[str, Any] = {
    "operation": "heal",
    "digest": "sha256:0123",
    "plan": {"steps": [{"id": "update web/k1"}]},
    "text": "Plan of heal:\n  ~ compute  web/k1  its power is off, recorded is on",
    "undecided": [],
}


def answer(peer: Peer, call: str, document: dict[str, Any]) -> None:
    """Have the next such call answered with this."""
    peer.state.faults.answers[call] = (200, "application/json", json.dumps(document))


def of(peer: Peer) -> str:
    """Where the one instance has its plans."""
    return f"/fairlead/v1/vnf_instances/{next(iter(peer.state.vnfs))}"


def planned(peer: Peer, *findings: dict[str, Any]) -> None:
    answer(peer, f"POST {of(peer)}/plans", {**PLAN, "findings": findings})


def test_what_cannot_work_is_refused_with_all_that_stands_in_the_way(fairlead: Run, peer: Peer, gateway: str) -> None:
    planned(peer, QUOTA, LATE, {**QUOTA, "resource": "web/k3"})
    said = fairlead("vnf", "instantiate", gateway, "--flavour", "default")
    assert said.code == 2
    for words in ("plan-cannot-work", "2 things stand in the way", "web/k2", "web/k3", "Raise the quota"):
        assert words in said.err
    assert not peer.asked("POST", "/instantiate")


def test_it_is_tried_all_the_same_when_that_is_wanted_or_the_plan_was_looked_at(
    fairlead: Run, peer: Peer, gateway: str
) -> None:
    for option in (("--no-check",), ("--plan", "sha256:0123")):
        assert fairlead("vnf", "scale", gateway, "--aspect", "servers", "--out", *option).code == 0
    assert not peer.asked("POST", "/plans")


def test_a_warning_stops_nothing(fairlead: Run, peer: Peer, gateway: str) -> None:
    planned(peer, LATE)
    assert fairlead("vnf", "heal", gateway).code == 0
    assert peer.asked("POST", "/heal")


def test_a_plan_shows_what_stands_in_its_way(fairlead: Run, peer: Peer, gateway: str) -> None:
    planned(peer, QUOTA)
    said = fairlead("vnf", "plan", "heal", gateway)
    assert said.code == 2
    assert "error: web/k2 quota-exceeded The plan needs 3 servers" in said.out


def test_drift_shows_what_differs_and_the_repair_of_just_that(fairlead: Run, peer: Peer, gateway: str) -> None:
    shown = {**PLAN, "vnfInstanceId": gateway, "drifted": True, "openOperation": None, "findings": [STOPPED]}
    answer(peer, f"GET {of(peer)}/drift", shown)
    said = fairlead("vnf", "drift", gateway)
    assert said.code == 2
    assert "web/k1    compute  its power is off, recorded is on  update" in said.out
    assert f"fairlead vnf repair {gateway} --plan sha256:0123" in said.out
    answer(peer, f"GET {of(peer)}/drift", {**shown, "openOperation": "op-1"})
    assert "Operation op-1 is open" in fairlead("vnf", "drift", gateway).out


def test_nothing_that_differs_is_said_and_ends_with_0(fairlead: Run, peer: Peer, gateway: str) -> None:
    shown = {**PLAN, "plan": {"steps": []}, "drifted": False, "openOperation": None, "findings": []}
    answer(peer, f"GET {of(peer)}/drift", shown)
    said = fairlead("vnf", "drift", gateway)
    assert (said.code, said.out.strip()) == (0, "Everything is as recorded.")


def test_an_infrastructure_that_does_not_answer_is_an_error(fairlead: Run, peer: Peer, gateway: str) -> None:
    problem = json.dumps({"status": 503, "code": "vim-unavailable", "detail": "The cloud cannot be reached."})
    peer.state.faults.answers[f"GET {of(peer)}/drift"] = (503, "application/problem+json", problem)
    said = fairlead("vnf", "drift", gateway)
    assert (said.code, said.out) == (1, "")
    assert "vim-unavailable" in said.err


def test_a_repair_is_a_heal_of_what_has_drifted(fairlead: Run, peer: Peer, gateway: str) -> None:
    said = fairlead("vnf", "repair", gateway, "--vnfc", "web-k1", "--plan", "sha256:0123", "--cause", "night shift")
    assert said.code == 0
    sent = peer.asked("POST", "/heal")[0]
    assert sent["body"] == {
        "vnfcInstanceId": ["web-k1"],
        "cause": "night shift",
        "additionalParams": {"drifted": True},
    }
    assert sent["headers"]["fairlead-plan"] == "sha256:0123"
    fairlead("vnf", "repair", gateway, "--give-up-data")
    assert peer.asked("POST", "/heal")[1]["body"] == {"additionalParams": {"drifted": True, "all": True}}
