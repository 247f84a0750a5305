"""TOSCA's scalars with units, exactly.

Sizes become whole bytes, times seconds, frequencies hertz and bit rates bits per second. Sizes and frequencies are read
without regard to case, as TOSCA says; in bit rates `b` and `B` differ, as they must. `512 MB` is 512,000,000 bytes and
`512 MiB` is 536,870,912: descriptors mean what they write, and rounding to what a hypervisor wants is done where the
hypervisor is known. TOSCA Simple Profile 1.3, 3.3.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

__all__ = ["SCALAR_UNITS", "BadScalar", "parse_scalar"]

_SCALAR: Final = re.compile(r"\s*([-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,2})?)\s*([A-Za-z]*)\s*\Z")

_PREFIXES: Final[Mapping[str, int]] = {
    "": 1,
    **{f"{letter}": 1000**power for power, letter in enumerate("kMGT", start=1)},
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGT", start=1)},
}
SCALAR_UNITS: Final[Mapping[str, Mapping[str, Decimal]]] = {
    "size": {f"{prefix}B": Decimal(factor) for prefix, factor in _PREFIXES.items()},
    "time": {
        unit: Decimal(factor)
        for unit, factor in (
            ("d", "86400"),
            ("h", "3600"),
            ("m", "60"),
            ("s", "1"),
            ("ms", "0.001"),
            ("us", "0.000001"),
            ("ns", "0.000000001"),
        )
    },
    "frequency": {"Hz": Decimal(1), "kHz": Decimal(10**3), "MHz": Decimal(10**6), "GHz": Decimal(10**9)},
    "bitrate": {
        **{f"{prefix}bps": Decimal(factor) for prefix, factor in _PREFIXES.items()},
        **{f"{prefix}Bps": Decimal(factor * 8) for prefix, factor in _PREFIXES.items()},
    },
}
_ANY_CASE: Final = {
    kind: {unit.lower(): factor for unit, factor in SCALAR_UNITS[kind].items()}
    for kind in ("size", "time", "frequency")
} | {"bitrate": {f"{unit[:-3].lower()}{unit[-3:]}": factor for unit, factor in SCALAR_UNITS["bitrate"].items()}}


class BadScalar(ValueError):
    """The text is no scalar of this kind; `hint` says what would be."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def parse_scalar(text: str, kind: str) -> int | float:
    """`text` as bytes (int), seconds, hertz or bits per second (float) for `kind` size, time, frequency or bitrate."""
    units = SCALAR_UNITS[kind]
    match = _SCALAR.match(text)
    if match is None:
        raise BadScalar(f'"{text}" is not a number with a unit', f"write for example 1 {next(iter(units))}")
    number, unit = match.groups()
    if not unit:
        raise BadScalar(f'"{text}" has no unit', f"one of {', '.join(units)}")
    folded = f"{unit[:-3].lower()}{unit[-3:]}" if kind == "bitrate" else unit.lower()
    factor = _ANY_CASE[kind].get(folded)
    if factor is None:
        likely = next((known for known in units if known[:-1].lower() == unit.lower()), None)
        hint = f"did you mean {number} {likely}?" if likely else f"one of {', '.join(units)}"
        raise BadScalar(f'"{unit}" is not a unit of {kind}', hint)
    try:
        amount = Decimal(number) * factor
    except InvalidOperation:
        raise BadScalar(f'"{text}" is not a number with a unit') from None
    if kind != "size":
        return float(amount)
    if amount != amount.to_integral_value():
        raise BadScalar(f'"{text}" is not a whole number of bytes')
    return int(amount)
