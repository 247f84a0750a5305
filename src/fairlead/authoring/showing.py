"""What a package would become: a drawing, or templates for OpenStack Heat."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml

from fairlead.authoring.drawing import as_dot
from fairlead.authoring.linting import lint_one
from fairlead.csar import open_csar
from fairlead.descriptors import Flavour, Severity, Vnfd, read_vnfd
from fairlead.errors import Unprocessable
from fairlead.hot import Stack, stack_of

__all__ = ["dot_of", "flavour_of", "hot_of", "stack_files", "vnfd_at", "vnfd_in"]


def vnfd_at(path: Path) -> Vnfd:
    """The descriptor of the package at `path`. Raises Unprocessable (`package-has-mistakes`)."""
    found = lint_one(path)
    if found.vnfd is None:
        first = next(each for each in found.mistakes if each.problem.severity is Severity.ERROR)
        raise Unprocessable(
            f"{path} has mistakes, so nothing can be made of it: {first.problem.message}.",
            code="package-has-mistakes",
            place=f"{first.file}:{first.problem.line}:{first.problem.column}",
            remedy=f"See all of them with: fairlead lint {path}",
        )
    return found.vnfd


def vnfd_in(archive: bytes) -> Vnfd:
    """The descriptor in an archive of its files alone, as the catalogue gives it: what it names may not be there.

    Raises Unprocessable (`package-has-mistakes`) if it is not one that this version reads.
    """
    with tempfile.NamedTemporaryFile(suffix=".csar") as file:
        file.write(archive)
        file.flush()
        with open_csar(Path(file.name)) as csar:
            reading = read_vnfd(csar.files, csar.entry or "", missing_artifacts=Severity.WARNING)
    if reading.vnfd is None:
        raise Unprocessable(
            f"This version does not read the descriptor of the package: {reading.errors[0].message}.",
            code="package-has-mistakes",
            place=str(reading.errors[0].mark),
            remedy="Use the version of fairlead that the server has.",
        )
    return reading.vnfd


def flavour_of(vnfd: Vnfd, flavour: str | None) -> Flavour:
    """The flavour that is asked for, or the default one. Raises Unprocessable (`unknown-flavour`)."""
    wanted = flavour or vnfd.default_flavour
    if wanted not in vnfd.flavours:
        raise Unprocessable(
            f"{vnfd.product_name} has no flavour '{wanted}'.",
            code="unknown-flavour",
            remedy=f"Flavours: {', '.join(sorted(vnfd.flavours))}.",
        )
    return vnfd.flavours[wanted]


def dot_of(vnfd: Vnfd, flavour: str | None) -> str:
    """A drawing of a flavour."""
    one = flavour_of(vnfd, flavour)
    return as_dot(one, f"{vnfd.product_name} {vnfd.software_version}, flavour {one.id}")


def hot_of(vnfd: Vnfd, flavour: str | None) -> Stack:
    """The templates of a flavour."""
    one = flavour_of(vnfd, flavour)
    return stack_of(one, f"{vnfd.product_name} {vnfd.software_version}, flavour {one.id}")


def stack_files(stack: Stack) -> dict[str, str]:
    """The templates as text by file name, `main.yaml` first; the gaps stand as comments at its head."""
    gaps = "# Files in get_file are those of the package.\n" + "".join(
        f"# Not said here: {gap}\n" for gap in stack.gaps
    )
    files: dict[str, Any] = {"main.yaml": stack.main, **stack.nested}
    texts = {name: yaml.dump(each, Dumper=_Dumper, sort_keys=False, width=120) for name, each in files.items()}
    return texts | {"main.yaml": gaps + texts["main.yaml"]}


class _Dumper(yaml.SafeDumper):
    """Without anchors and aliases, which nobody writes in templates."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
