"""How long a VNFD takes to be read and checked: pure work, no database and no VIM.

The descriptor of 60 kB is the sample of the tests with as many groups of machines as fill it: machines with image and boot data,
disks, connection points, links with subnets, aspects, levels and placement rules. A package of Tacker's is read as onboarding does
it, compared in turns with what PyYAML's fastest loader takes for the same files without understanding any of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import yaml

from fairlead.csar import read_package
from fairlead.descriptors import Severity, Vnfd, read_vnfd
from tests.bench.figures import Figure, Skipped, median_of
from tests.descriptors.samples import ARTIFACTS, ENTRY, HEAD, PACKAGES, TEMPLATE, TYPES

__all__ = ["large_vnfd", "measure"]

_SIZE = 60_000
_RUNS = 21
_PACKAGE = "tacker-basic_lcms_max"


def measure() -> list[Figure]:
    source = large_vnfd(_SIZE)
    files = {ENTRY: source.encode(), **ARTIFACTS}
    reading = read_vnfd(files, ENTRY)
    assert reading.problems == (), reading.problems[:3]
    took = [_milliseconds(lambda: read_vnfd(files, ENTRY)) for _ in range(_RUNS)]
    note = f"{len(source):,} bytes, {len(_flavour(reading.vnfd))} VDUs"
    figures = [median_of("VNFD of 60 kB read and checked", took, "ms", target=50.0, note=note)]
    root = PACKAGES / _PACKAGE
    if not root.is_dir():
        raise Skipped(f"there is no {root}")
    return [*figures, *_onboarding(root)]


def _onboarding(root: Path) -> list[Figure]:
    """Both in turns; the ratio is taken pair by pair, so that what else the machine does falls on both alike."""
    assert read_package(root, missing_files=Severity.WARNING).vnfd is not None
    texts = {path: path.read_bytes() for path in sorted(root.rglob("*.yaml"))}
    own = {path: text for path, text in texts.items() if path.parent.name == "Definitions" and "etsi_" not in path.name}
    rounds = [
        (
            _milliseconds(lambda: read_package(root, missing_files=Severity.WARNING)),
            _milliseconds(lambda: _parse(texts)),
            _milliseconds(lambda: _parse(own)),
        )
        for _ in range(_RUNS)
    ]
    sizes = [sum(map(len, each.values())) for each in (texts, own)]
    return [
        median_of("onboarding of basic_lcms_max, read and checked", [each[0] for each in rounds], "ms"),
        median_of(
            "the same over bare parsing of its YAML files",
            [each[0] / each[1] for each in rounds],
            "x",
            target=1.0,
            note=f"{len(texts)} files, {sizes[0]:,} bytes",
        ),
        median_of(
            "the same over bare parsing of the vendor's files",
            [each[0] / each[2] for each in rounds],
            "x",
            note=f"{len(own)} files, {sizes[1]:,} bytes",
        ),
    ]


def _parse(texts: dict[Path, bytes]) -> None:
    for text in texts.values():
        yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _milliseconds(work: Callable[[], object]) -> float:
    """Of processor time: pure work takes no other, and other processes do not count in it."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def _flavour(vnfd: Vnfd | None) -> dict[str, object]:
    assert vnfd is not None
    return dict(vnfd.flavours["simple"].vdus)


def large_vnfd(size: int) -> str:
    """A valid VNFD of at least `size` bytes: the sample, with further groups of machines."""
    nodes = _between("    router:\n", "  groups:\n")
    rules = _between("    - initial:\n", "    - levels:\n") + _between("    - counts:\n", "    - apart:\n")
    more_nodes, more_rules, aspects, scale = "", "", "", dict.fromkeys(("low", "high"), "")
    number = 0
    while len(HEAD + TYPES + TEMPLATE + more_nodes + more_rules) < size:
        number += 1
        more_nodes += _renamed(nodes, number)
        more_rules += _renamed(rules, number)
        step = f"width{number}: {{ name: width, description: More, max_scale_level: 2, step_deltas: [ small, big ] }}"
        aspects += f"            {step}\n"
        for level, reached in (("low", 0), ("high", 2)):
            scale[level] += f", width{number}: {{ scale_level: {reached} }}"
    template = TEMPLATE.replace("  groups:\n", f"{more_nodes}  groups:\n")
    template = template.replace("    - initial:\n", f"{aspects}{more_rules}    - initial:\n")
    for level, reached in (("low", 0), ("high", 2)):
        first = f"width: {{ scale_level: {reached} }}"
        template = template.replace(first, first + scale[level])
    return HEAD + TYPES + template


def _between(first: str, last: str) -> str:
    return TEMPLATE[TEMPLATE.index(first) : TEMPLATE.index(last)]


def _renamed(text: str, number: int) -> str:
    for name in ("router", "disk", "cp_in", "cp_out", "inner"):
        text = text.replace(f"    {name}:\n", f"    {name}{number}:\n")
        text = text.replace(f": {name}\n", f": {name}{number}\n").replace(f"[ {name} ]", f"[ {name}{number} ]")
    for name in ("initial", "deltas", "counts"):
        text = text.replace(f"    - {name}:\n", f"    - {name}{number}:\n")
    return text.replace("aspect: width\n", f"aspect: width{number}\n")
