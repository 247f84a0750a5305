"""The states of an operation and the requests that each takes, as data."""

from __future__ import annotations

import itertools

import pytest

from fairlead.errors import Conflict
from fairlead.operations import ENDED, OPEN, RUNNING, OperationState
from fairlead.operations.states import REQUESTS, TRANSITIONS, require

S = OperationState

ETSI = {
    S.STARTING: {S.PROCESSING, S.ROLLED_BACK},
    S.PROCESSING: {S.COMPLETED, S.PARTIALLY_COMPLETED, S.FAILED_TEMP},
    S.FAILED_TEMP: {S.PROCESSING, S.ROLLING_BACK, S.FAILED},
    S.ROLLING_BACK: {S.ROLLED_BACK, S.FAILED_TEMP},
}
"""SOL003 figure 5.6.2.2-1, and SOL005's PARTIALLY_COMPLETED."""


@pytest.mark.parametrize(("old", "new"), list(itertools.product(S, S)))
def test_exactly_the_transitions_of_the_standard_are_allowed(old: OperationState, new: OperationState) -> None:
    assert (new in TRANSITIONS[old]) == (new in ETSI.get(old, set()))


def test_every_state_has_its_transitions_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(S)
    reached = {S.STARTING}
    while more := {new for old in reached for new in TRANSITIONS[old]} - reached:
        reached |= more
    assert reached == set(S)


def test_an_operation_is_open_exactly_until_nothing_can_follow() -> None:
    assert {S.COMPLETED, S.PARTIALLY_COMPLETED, S.FAILED, S.ROLLED_BACK} == ENDED
    assert set(S) - ENDED == OPEN
    assert S.FAILED_TEMP in OPEN
    assert S.FAILED_TEMP not in RUNNING
    assert RUNNING < OPEN


@pytest.mark.parametrize(("request_", "state"), list(itertools.product(REQUESTS, S)))
def test_a_request_is_taken_in_its_states_and_refused_in_all_others(request_: str, state: OperationState) -> None:
    taken = {"cancel": RUNNING}.get(request_, {S.FAILED_TEMP})
    if state in taken:
        require(request_, state, "op")
        return
    with pytest.raises(Conflict) as refused:
        require(request_, state, "op")
    assert refused.value.code == "wrong-operation-state"
    assert all(str(one) in refused.value.detail for one in (state, *taken))
