"""Operations from the command line: accepted, waited for, told about, and how they end for the shell."""

from __future__ import annotations

import threading

import pytest

from tests.cli.conftest import Run
from tests.support.peer import Peer, until


def started(fairlead: Run, peer: Peer) -> str:
    """An instantiation that is held in its middle; its id."""
    peer.faults.hold = True
    said = fairlead("vnf", "instantiate", "gw", "--flavour", "default", "--no-wait")
    assert said.code == 0
    return said.out.strip()


def failed(fairlead: Run, peer: Peer) -> str:
    """An instantiation that has failed for now; its id."""
    peer.faults.failing_step = "router/k1"
    assert fairlead("vnf", "instantiate", "gw", "--flavour", "default").code == 1
    peer.faults.failing_step = None
    return next(reversed(peer.state.operations))


def test_an_operation_is_waited_for_and_its_steps_are_told(fairlead: Run, peer: Peer, gateway: str) -> None:
    said = fairlead("vnf", "instantiate", gateway, "--flavour", "default")
    assert said.code == 0
    assert "INSTANTIATE COMPLETED" in said.out
    for name in peer.state.resources:
        assert f"+ {name}  done" in said.err
    assert "+ router/k1" in said.err
    assert said.err.rstrip().endswith("INSTANTIATE COMPLETED")


def test_the_whole_life_of_a_network_function(fairlead: Run, gateway: str) -> None:
    commands = (
        ("instantiate", "--flavour", "default"),
        ("operate", "stop"),
        ("operate", "start"),
        ("scale", "--aspect", "servers", "--out"),
        ("scale-to-level", "--level", "large"),
        ("heal", "--cause", "test"),
        ("update", "--metadata", "site=north"),
        ("terminate",),
    )
    for name, *options in commands:
        said = fairlead("vnf", name, gateway, *options)
        assert said.code == 0, (name, said.err)
    assert fairlead("vnf", "delete", gateway).code == 0
    assert fairlead("vnf", "list").out.strip() == "There are no VNF instances."


@pytest.mark.usefixtures("gateway")
def test_without_waiting_the_id_is_all_there_is_on_standard_output(fairlead: Run, peer: Peer) -> None:
    operation = started(fairlead, peer)
    assert operation in peer.state.operations
    peer.faults.hold = False
    said = fairlead("operation", "wait", operation)
    assert (said.code, "COMPLETED" in said.out) == (0, True)


def test_the_documents_come_unchanged_as_json_and_as_yaml(fairlead: Run, peer: Peer, gateway: str) -> None:
    said = fairlead("vnf", "instantiate", gateway, "--flavour", "default", "-o", "json")
    (operation,) = peer.state.operations.values()
    assert said.document == operation
    assert fairlead("-o", "json", "operation", "list").document == [operation]
    assert f"vnfInstanceId: {operation['vnfInstanceId']}" in fairlead("operation", "show", "gw", "-o", "yaml").out


def test_a_failure_is_a_card_with_what_to_do_next(fairlead: Run, peer: Peer, gateway: str) -> None:
    peer.faults.failing_step = "router/k1"
    said = fairlead("vnf", "instantiate", gateway, "--flavour", "default")
    (operation,) = peer.state.operations
    assert said.code == 1
    assert "FAILED_TEMP" in said.out
    for words in (
        "Error: The image is not known to the VIM.",
        "code      image-not-found",
        "resource  router/k1",
        "cause     manifest for frr:1 not found",
        "left      the network inner",
        "next      Load the image, then retry.",
        f"fairlead operation retry {operation}",
        f"fairlead operation rollback {operation}",
        f"fairlead operation fail {operation}",
    ):
        assert words in said.err


def test_a_retry_goes_on_and_a_rollback_goes_back(fairlead: Run, peer: Peer, gateway: str) -> None:
    failed(fairlead, peer)
    assert fairlead("operation", "retry", gateway).code == 0
    assert fairlead("vnf", "terminate", gateway).code == 0
    failed(fairlead, peer)
    said = fairlead("operation", "rollback", gateway)
    assert (said.code, "ROLLED_BACK" in said.out) == (0, True)


@pytest.mark.usefixtures("gateway")
def test_giving_up_and_looking_at_plans_of_a_failed_operation(fairlead: Run, peer: Peer) -> None:
    operation = failed(fairlead, peer)
    said = fairlead("operation", "plan", operation, "retry")
    assert (said.code, "servers/k1" in said.out) == (2, True)
    assert fairlead("operation", "fail", operation).code == 0
    assert fairlead("operation", "retry", operation).code == 2


@pytest.mark.usefixtures("gateway")
def test_a_cancelled_operation_is_what_was_asked_for(fairlead: Run, peer: Peer) -> None:
    operation = started(fairlead, peer)
    until(lambda: len(peer.state.timelines[operation]["steps"]) == 2)

    def go_on() -> None:
        until(lambda: peer.asked("POST", "/cancel"))
        peer.faults.hold = False

    going_on = threading.Thread(target=go_on)
    going_on.start()
    said = fairlead("operation", "cancel", operation)
    going_on.join()
    assert said.code == 0
    assert "interrupted" in said.err


def test_the_time_of_a_wait_is_over_before_the_operation_is(fairlead: Run, peer: Peer, gateway: str) -> None:
    peer.faults.hold = True
    said = fairlead("vnf", "instantiate", gateway, "--flavour", "default", "--timeout", "0.2")
    assert said.code == 3
    (operation,) = peer.state.operations
    assert f"fairlead operation wait {operation}" in said.err


def test_a_server_that_goes_away_during_a_wait_and_comes_back_is_waited_for(
    fairlead: Run, peer: Peer, gateway: str
) -> None:
    peer.faults.hold = True

    def restart() -> None:
        until(lambda: peer.asked("GET", "/timeline"))
        peer.stop()
        peer.faults.hold = False
        peer.start()

    restarting = threading.Thread(target=restart)
    restarting.start()
    said = fairlead("vnf", "instantiate", gateway, "--flavour", "default")
    restarting.join()
    assert said.code == 0


def test_a_request_whose_answer_is_lost_is_not_told_as_failed(fairlead: Run, peer: Peer, gateway: str) -> None:
    vnf = next(iter(peer.state.vnfs))
    peer.faults.unanswered.add(f"POST /vnflcm/v2/vnf_instances/{vnf}/heal")
    said = fairlead("vnf", "heal", gateway)
    assert said.code == 3
    assert "no-answer" in said.err
    assert f"fairlead operation list --vnf {vnf}" in said.err


@pytest.mark.usefixtures("gateway")
def test_a_request_that_was_never_sent_is_an_error(fairlead: Run, peer: Peer) -> None:
    peer.faults.hold = True
    operation = started(fairlead, peer)
    (vnf,) = peer.state.vnfs
    peer.stop()
    assert fairlead("operation", "cancel", operation).code == 1
    assert fairlead("vnf", "heal", vnf).code == 1


def test_a_second_operation_is_refused(fairlead: Run, peer: Peer, gateway: str) -> None:
    started(fairlead, peer)
    said = fairlead("vnf", "heal", gateway)
    assert said.code == 2
    assert "operation-in-progress" in said.err


def test_a_plan_that_has_moved_is_refused(fairlead: Run, peer: Peer, gateway: str) -> None:
    peer.state.plans_moved = True
    said = fairlead("vnf", "heal", gateway, "--plan", "sha256:0123")
    assert (said.code, "plan-moved" in said.err) == (2, True)
    peer.state.plans_moved = False
    assert fairlead("vnf", "heal", gateway, "--plan", "sha256:0123").code == 0
    assert peer.asked("POST", "/heal")[-1]["headers"]["fairlead-plan"] == "sha256:0123"


def test_a_plan_says_what_would_be_done_and_does_nothing(fairlead: Run, peer: Peer, gateway: str) -> None:
    said = fairlead("vnf", "plan", "instantiate", gateway, "--flavour", "default")
    assert said.code == 2
    assert "+ compute  router/k1  new" in said.out
    assert "router/k1  host" in said.out
    assert "--plan sha256:0123" in said.out
    assert not peer.state.operations
    fairlead("vnf", "instantiate", gateway, "--flavour", "default")
    assert fairlead("vnf", "plan", "instantiate", gateway, "--flavour", "default").code == 0


def test_a_plan_sends_what_the_operation_would(fairlead: Run, peer: Peer, gateway: str) -> None:
    options = ("--flavour", "default", "--ext-link", "out=net:cp:192.0.2.9", "--param", "a=1")
    fairlead("vnf", "plan", "instantiate", gateway, *options)
    fairlead("vnf", "instantiate", gateway, *options)
    planned = peer.asked("POST", "/plans")[0]["body"]
    assert planned == {"operation": "instantiate", "request": peer.asked("POST", "/instantiate")[0]["body"]}


def test_a_named_vim_becomes_the_vim_connection(fairlead: Run, peer: Peer, gateway: str) -> None:
    fairlead("vim", "register", "edge", "--type", "containers")
    fairlead("vnf", "instantiate", gateway, "--flavour", "default", "--vim", "edge", "--ext-link", "o=n:cp")
    sent = peer.asked("POST", "/instantiate")[0]["body"]
    assert sent["vimConnectionInfo"] == {"edge": {"vimId": "vim-0", "vimType": "containers"}}
    assert sent["extVirtualLinks"][0]["vimConnectionId"] == "edge"


def test_a_request_comes_from_a_file_or_from_standard_input(fairlead: Run, peer: Peer, gateway: str) -> None:
    text = "flavourId: small\nlocalizationLanguage: en\n"
    said = fairlead("vnf", "instantiate", gateway, "--request", "-", "--flavour", "large", input=text)
    assert said.code == 0
    assert peer.asked("POST", "/instantiate")[0]["body"] == {"flavourId": "large", "localizationLanguage": "en"}


@pytest.mark.parametrize("option", ["--timeline"])
def test_the_timeline_is_a_chart_and_a_document(fairlead: Run, peer: Peer, gateway: str, option: str) -> None:
    fairlead("vnf", "instantiate", gateway, "--flavour", "default")
    said = fairlead("operation", "show", gateway, option)
    assert said.code == 0
    assert "+ router/k1" in said.out
    assert "instantiate COMPLETED" in said.out
    (operation,) = peer.state.operations
    assert fairlead("operation", "show", operation, option, "-o", "json").document == peer.state.timelines[operation]


@pytest.mark.usefixtures("gateway")
def test_operations_are_listed_by_instance_and_by_whether_they_are_open(fairlead: Run, peer: Peer) -> None:
    fairlead("vnf", "create", "edge", "--name", "other")
    fairlead("vnf", "heal", "other")
    operation = failed(fairlead, peer)
    assert [one["id"] for one in fairlead("operation", "list", "--vnf", "gw", "-o", "json").document] == [operation]
    assert [one["id"] for one in fairlead("operation", "list", "--open", "-o", "json").document] == [operation]
    assert len(fairlead("operation", "list", "-o", "json").document) == 2
