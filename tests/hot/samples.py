"""Packages that bring templates: Tacker's, and a small one in which single things can be made wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from fairlead.descriptors import Problem, Problems, Vnfd, read_vnfd
from fairlead.hot import Brought, check_brought, read_brought
from tests.descriptors.samples import PACKAGES

__all__ = ["NESTED", "TACKER", "TOP", "brought_by", "files_of", "problems_in", "vnfd_of"]

TACKER = ("basic_lcms_max", "individual_vnfc_max", "userdata_standard", "scale_ng", "change_vnfpkg")
TOP = "BaseHOT/simple/top.yaml"
NESTED = "BaseHOT/simple/nested/VDU1.yaml"


@cache
def files_of(package: str) -> Mapping[str, bytes]:
    """The files of one of Tacker's packages."""
    root = PACKAGES / f"tacker-{package}"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@cache
def vnfd_of(package: str) -> Vnfd:
    """The descriptor of one of Tacker's packages."""
    files = files_of(package)
    meta = files["TOSCA-Metadata/TOSCA.meta"].decode()
    entry = next(line.split(": ")[1] for line in meta.splitlines() if line.startswith("Entry-Definitions"))
    vnfd = read_vnfd(files, entry.strip()).vnfd or read_vnfd(_whole(files), entry.strip()).vnfd
    assert vnfd is not None
    return vnfd


def _whole(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """With the files that were left out of the package here."""
    return {**files, "Scripts/sample_script.py": b"", "Files/images/cirros-0.5.2-x86_64-disk.img": b"image"}


def brought_by(files: Mapping[str, bytes], flavour: str = "simple") -> Brought:
    """The templates, in which nothing is wrong."""
    problems = Problems()
    brought = read_brought(files, flavour, problems)
    assert brought is not None
    assert not len(problems)
    return brought


def problems_in(files: Mapping[str, bytes], vnfd: Vnfd) -> tuple[Problem, ...]:
    """What is wrong with templates and scripts."""
    problems = Problems()
    check_brought(files, vnfd, problems)
    return problems.sorted()
