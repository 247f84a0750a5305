"""Container images made by code: busybox and nothing else, so that no test needs a registry.

busybox is Debian's static one; the layer has it under `bin` with a link for each command that a test uses. The archive comes as
docker archives and as OCI archives are, and equal input gives equal bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["BUSYBOX", "UNTIL_ASKED", "docker_archive", "oci_archive"]

BUSYBOX = Path("/bin/busybox")
UNTIL_ASKED = ("sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait")
"""Runs until it is asked to end, and then ends at once: a first process without a trap would not hear of it."""
_COMMANDS = (
    "sh",
    "sleep",
    "ip",
    "cat",
    "ls",
    "stat",
    "ping",
    "nc",
    "httpd",
    "sysctl",
    "hostname",
    "env",
    "mount",
    "id",
    "dd",
)
_DIRECTORIES = ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "var")


def docker_archive(path: Path, names: Iterable[str] = (), command: Iterable[str] = UNTIL_ASKED) -> Path:
    """A docker archive at `path` whose own names are `names`; packed when `path` ends in `.gz`."""
    layer = _layer()
    config = _config(layer, command)
    digest = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{digest}.json", "RepoTags": list(names) or None, "Layers": ["layer.tar"]}]
    return _write(path, {f"{digest}.json": config, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()})


def oci_archive(path: Path, command: Iterable[str] = UNTIL_ASKED) -> Path:
    """An OCI archive at `path`, with a packed layer, for amd64 behind an index that has another architecture first."""
    layer = _layer()
    packed, config = gzip.compress(layer, mtime=0), _config(layer, command)
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [_descriptor(packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    written = json.dumps(manifest).encode()
    media = "application/vnd.oci.image.manifest.v1+json"
    other = {**_descriptor(b"{}", media), "platform": {"architecture": "s390x", "os": "linux"}}
    ours = {**_descriptor(written, media), "platform": {"architecture": "amd64", "os": "linux"}}
    blobs = {_blob(content): content for content in (packed, config, written)}
    index = {"schemaVersion": 2, "manifests": [other, ours]}
    layout = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    return _write(path, {**layout, **blobs})


def _layer() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for directory in _DIRECTORIES:
            member = tarfile.TarInfo(directory)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if directory == "tmp" else 0o755
            tar.addfile(member)
        content = BUSYBOX.read_bytes()
        member = tarfile.TarInfo("bin/busybox")
        member.size, member.mode = len(content), 0o755
        tar.addfile(member, io.BytesIO(content))
        for command in _COMMANDS:
            member = tarfile.TarInfo(f"bin/{command}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(member)
    return packed.getvalue()


def _config(layer: bytes, command: Iterable[str]) -> bytes:
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": list(command), "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "fairlead tests"}],
    }
    return json.dumps(document).encode()


def _descriptor(content: bytes, media_type: str) -> dict[str, object]:
    return {
        "mediaType": media_type,
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "size": len(content),
    }


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def _write(path: Path, members: Mapping[str, bytes]) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    raw = packed.getvalue()
    path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
    return path
