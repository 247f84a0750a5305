"""What ETSI calls the types of VIM in `vimType` (the registry of SOL003 clause 4.4.1.6, register.etsi.org/NFV), and we ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["names_vim_type", "shown_vim_type"]

_REGISTERED: Final[Mapping[str, tuple[str, str]]] = {
    "openstack": ("ETSINFV.OPENSTACK_KEYSTONE.", "V_3"),
    "kubernetes": ("ETSINFV.KUBERNETES.", "V_1"),
    "helm": ("ETSINFV.HELM.", "V_3"),
}
"""By our type: what ETSI's begins with, and the version of it that is meant today."""


def shown_vim_type(type_: str) -> str:
    """ETSI's name of our `type_`; our own for what ETSI has no name for."""
    return "".join(_REGISTERED.get(type_, (type_,)))


def names_vim_type(given: str | None, type_: str) -> bool:
    """Whether `given` means our `type_`: our name or ETSI's, of any version and in any case; nothing means any."""
    if not given:
        return True
    begin, _ = _REGISTERED.get(type_, (type_, ""))
    return given.lower() == type_ or (given.upper().startswith(begin) and type_ in _REGISTERED)
