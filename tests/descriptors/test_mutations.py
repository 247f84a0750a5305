"""Each valid descriptor with one thing broken: the reader must point at what was broken.

The share of mutants whose line is told is printed by sort of mutation (`pytest -s` shows it).
"""

from __future__ import annotations

import sys
from collections import Counter

from fairlead.descriptors import Reading
from tests.descriptors import everything
from tests.descriptors.mutating import Mutant, Sort, choose, mutants
from tests.descriptors.samples import ARTIFACTS, ENTRY, PACKAGES, ROOT, SOURCE, directory, lenient
from tests.descriptors.test_foreign_packages import TACKER
from tests.descriptors.test_vnfd import CONTAINERS

LEAST = 0.95
OF_EACH = 240
SEED = 20250801
FOREIGN = (
    "tacker-basic_lcms_max",
    "tacker-individual_vnfc_max",
    "tacker-change_vnfpkg",
    "tacker-getting-started",
    "tacker-cnf_helm",
)


def sources() -> list[tuple[dict[str, bytes], str]]:
    """The files of each valid descriptor, and its entry; other projects' where they are at hand."""
    edge = ROOT / "samples" / "edge-gateway" / "package"
    own = {path.relative_to(edge).as_posix(): path.read_bytes() for path in edge.rglob("*") if path.is_file()}
    return [
        ({ENTRY: SOURCE.encode(), **ARTIFACTS}, ENTRY),
        ({ENTRY: CONTAINERS.encode(), **ARTIFACTS}, ENTRY),
        (everything.files(), everything.TOP_FILE),
        (own, "Definitions/edge_gateway.yaml"),
        *((directory(name), TACKER[name]) for name in FOREIGN if (PACKAGES / name).is_dir()),
    ]


def test_a_broken_thing_is_told_at_its_line() -> None:
    made: Counter[Sort] = Counter()
    told: Counter[Sort] = Counter()
    missed: list[str] = []
    for files, entry in sources():
        before = _said(lenient(files, entry))
        for mutant in choose(mutants(files, entry), OF_EACH, SEED):
            text = files[mutant.file].decode()
            reading = lenient({**files, mutant.file: mutant.apply(text).encode()}, entry)
            made[mutant.sort] += 1
            if _tells(reading, mutant, before):
                told[mutant.sort] += 1
            else:
                missed.append(_shown(mutant, text))
    rates = {sort: told[sort] / made[sort] for sort in Sort}
    lines = [f"{sort.value:22} {told[sort]:5} of {made[sort]:5} told: {rate:.1%}" for sort, rate in rates.items()]
    total = f"{'all':22} {told.total():5} of {made.total():5} told: {told.total() / made.total():.1%}"
    sys.stdout.write("\n" + "\n".join([*lines, total, *missed]) + "\n")
    assert made.total() >= (2000 if (PACKAGES / FOREIGN[0]).is_dir() else 900)
    assert min(rates.values()) >= LEAST, "\n".join(missed)


def test_the_mutants_of_a_seed_are_always_the_same() -> None:
    files: dict[str, bytes] = {ENTRY: SOURCE.encode(), **ARTIFACTS}
    assert choose(mutants(files, ENTRY), 50, 1) == choose(mutants(files, ENTRY), 50, 1)


def _said(reading: Reading) -> set[tuple[str, str]]:
    return {(each.code, each.message) for each in reading.problems}


def _tells(reading: Reading, mutant: Mutant, before: set[tuple[str, str]]) -> bool:
    """Whether anything is told at the mutant's line that was not told, there or elsewhere, before."""
    return any(
        (each.file, each.line) in mutant.lines and (each.code, each.message) not in before for each in reading.problems
    )


def _shown(mutant: Mutant, text: str) -> str:
    line = text.count("\n", 0, mutant.start) + 1
    return f"{mutant.file}:{line} {mutant.sort.value}: {text[mutant.start : mutant.end][:60]!r} to {mutant.new!r}"
