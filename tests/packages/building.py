"""Makes packages for the tests of this topic, in memory and on disk, right ones and wrong ones."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from fairlead.csar import META_FILE, PackageReading
from fairlead.descriptors import Problem
from tests.descriptors.samples import ARTIFACTS, PACKAGES, SOURCE

__all__ = ["PACKAGES", "Entries", "codes", "entries", "manifest", "only", "write_directory", "write_zip"]

Entries = dict[str, bytes]
META = """\
TOSCA-Meta-File-Version: 1.0
CSAR-Version: 1.1
Created-By: Acme
Entry-Definitions: Definitions/vnfd.yaml
ETSI-Entry-Manifest: vnfd.mf
ETSI-Entry-Change-Log: ChangeLog.txt
"""
METADATA = """\
metadata:
  vnf_product_name: Router
  vnf_provider_id: Acme
  vnf_package_version: 1.0
  vnf_release_date_time: 2026-01-20T11:20:43+03:00
"""


def manifest(files: Entries, metadata: str = METADATA) -> bytes:
    """A manifest with the SHA-256 digest of each of the files."""
    blocks = [
        f"\nSource: {name}\nAlgorithm: SHA-256\nHash: {hashlib.sha256(content).hexdigest()}\n"
        for name, content in files.items()
        if name not in ("vnfd.mf", META_FILE)
    ]
    return (metadata + "".join(blocks)).encode()


def entries(more: Mapping[str, bytes | None] | None = None, *, meta: str = META) -> Entries:
    """The files of a correct package; `more` adds files or, with None, takes them away."""
    files: Entries = {
        META_FILE: meta.encode(),
        "Definitions/vnfd.yaml": SOURCE.encode(),
        "ChangeLog.txt": b"first\n",
        **{name: content or b"content of " + name.encode() for name, content in ARTIFACTS.items()},
    }
    files["vnfd.mf"] = manifest(files)
    for name, content in (more or {}).items():
        if content is None:
            del files[name]
        else:
            files[name] = content
    return files


def write_zip(path: Path, files: Entries | Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    """A zip archive of the entries, in their order; pairs may repeat a name."""
    pairs = files.items() if isinstance(files, dict) else files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in pairs:
            archive.writestr(name, content)
    return path


def write_directory(path: Path, files: Entries) -> Path:
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path


def codes(problems: Iterable[Problem]) -> list[str]:
    return [each.code for each in problems]


def only(reading: PackageReading, code: str) -> Problem:
    found = [each for each in reading.problems if each.code == code]
    assert len(found) == 1, "\n".join(map(str, reading.problems)) or "no problems at all"
    return found[0]
