"""ETSI's names of types of VIM."""

from __future__ import annotations

import pytest

from fairlead.sol.vim_types import names_vim_type, shown_vim_type


@pytest.mark.parametrize(
    ("given", "type_", "same"),
    [
        ("ETSINFV.OPENSTACK_KEYSTONE.V_3", "openstack", True),
        ("ETSINFV.OPENSTACK_KEYSTONE.v_2", "openstack", True),
        ("openstack", "openstack", True),
        (None, "openstack", True),
        ("", "simulated", True),
        ("simulated", "simulated", True),
        ("ETSINFV.KUBERNETES.V_1", "openstack", False),
        ("simulated", "openstack", False),
        ("simulated.more", "simulated", False),
    ],
)
def test_a_type_has_our_name_and_etsis(given: str | None, type_: str, same: bool) -> None:
    assert names_vim_type(given, type_) is same


def test_what_etsi_has_a_name_for_is_shown_by_it() -> None:
    assert shown_vim_type("openstack") == "ETSINFV.OPENSTACK_KEYSTONE.V_3"
    assert shown_vim_type("simulated") == "simulated"
