"""Builds the images of the edge gateway from Debian packages, and the CSAR around them.

Nothing here talks to an image registry: mmdebstrap unpacks a role's packages with what they depend on, and this program
writes them as a docker archive of two layers, the packages below and our few files above. Packages are unpacked, not
installed: no maintainer script runs, no root file system has to be entered, and an image takes seconds and a few tens
of MB. What that leaves out (users, links to busybox) stands in `images/every`.

The lower layer is kept under a digest of its recipe, so a change of an entry script rebuilds in under a second.
Needs Fairlead's own virtual environment and mmdebstrap; runs mmdebstrap by sudo where it is not root itself.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from fairlead.authoring.building import build

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "edge-gateway"
RELEASE = "bookworm"
ROLES = ("router", "firewall", "balancer", "server", "client")
IN_PACKAGE = ROLES[:4]
"""The client is what the demonstration sends traffic from; it is no part of the VNF."""
BOOT = {
    "router": ("router.conf", "/etc/frr/frr.conf"),
    "firewall": ("firewall.nft", "/etc/nftables.conf"),
    "balancer": ("haproxy.cfg", "/etc/haproxy/haproxy.cfg"),
    "server": ("nginx.conf", "/etc/nginx/nginx.conf"),
}
"""The file of each role's configuration, and where a guest keeps it."""
VERSION = "1.0.0"
ATTEMPTS = 3
"""How often the packages of an image are asked for: a mirror that is just being brought up to date refuses for a moment."""
EPOCH = 1_761_955_200
"""Every file's time: an image depends on what is in it, not on when it was built."""

NOT_NEEDED = re.compile(
    r"(dev|boot|home|srv|mnt|media|proc|sys|var/lib/(dpkg|apt)|var/cache|etc/(apt|init\.d|logrotate\.d|rsyslog\.d|cron\.\w+|fstab|hostname"
    r"|resolv\.conf|passwd|group)|(usr/)?lib/(systemd|python3[^/]*|udev|tmpfiles\.d|sysusers\.d)|usr/include"
    r"|usr/share/(doc|man|info|locale|perl5?|lintian|zoneinfo|bash-completion|bug|python3?|vim|gcc|gdb)"
    r"|usr/lib/[^/]+/(perl|perl5|perl-base|libperl[^/]*|gconv)|usr/bin/perl[^/]*|usr/lib/frr/(?!zebra$|staticd$|watchfrr$)[a-z0-9-]+)(/|$)"
)


def packages_of(role: str) -> list[str]:
    return [name for part in ("every", role) for name in (HERE / "images" / part / "packages").read_text().split()]


def debian_sources() -> list[str]:
    """The machine's own Debian mirrors, so that a local mirror serves the images as it serves the machine."""
    listed = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "deb $(SITE) $(RELEASE) $(COMPONENT)",
            "Created-By: Packages",
            "Origin: Debian",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted({line for line in listed.stdout.splitlines() if line.split()[2].startswith(RELEASE)})


def unpack_packages(role: str, layer: Path) -> None:
    """Leave a role's packages with what they need at `layer`. SystemExit if Debian's mirrors do not give them in a few attempts."""
    started = time.monotonic()
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=extract",
        "--mode=root",
        "--format=tar",
        '--aptopt=Acquire::Retries "5"',
        "--include=" + ",".join(packages_of(role)),
    ]
    whole, part = layer.with_suffix(".whole"), layer.with_suffix(".part")
    for _ in range(ATTEMPTS):
        with whole.open("wb") as output:
            code = subprocess.run(
                [*as_root, *command, RELEASE, "-", *debian_sources()], stdout=output, check=False
            ).returncode
        if code == 0:
            break
        report(f"{role}: mmdebstrap ended with exit code {code}")
    else:
        raise SystemExit(f"mmdebstrap could not unpack the packages of {role}, {ATTEMPTS} times; its words stand above")
    with tarfile.open(whole) as source, tarfile.open(part, "w") as target:
        for member in source:
            path = member.name.removeprefix("./")
            if member.isdev() or path in ("", ".") or NOT_NEEDED.match(path):
                continue
            target.addfile(plain(member, path), source.extractfile(member) if member.isreg() else None)
    whole.unlink()
    part.rename(layer)
    report(f"{role}: {', '.join(packages_of(role))} unpacked in {time.monotonic() - started:.1f} s")


def plain(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    member.name, member.mtime, member.pax_headers = path, EPOCH, {}
    member.uname = member.gname = ""
    return member


def upper_layer(role: str, lower: Path) -> bytes:
    """Our own files of a role, with links to busybox for the commands that no package brought."""
    with tarfile.open(lower) as packages:
        taken = set(packages.getnames())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for directory in ("run", "tmp", "root", "var/lib", "var/log", "var/tmp", "proc", "sys", "dev", "etc"):
            entry = plain(tarfile.TarInfo(directory), directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if directory.endswith("tmp") else 0o755
            layer.addfile(entry)
        applets = (HERE / "images" / "every" / "applets").read_text().split()
        links = {"var/run": "/run"} | {f"bin/{applet}": "busybox" for applet in applets}
        for path, target in sorted(links.items()):
            if not taken & {path, f"usr/{path}"}:
                entry = plain(tarfile.TarInfo(path), path)
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                layer.addfile(entry)
        for root in (HERE / "images" / "every" / "rootfs", HERE / "images" / role / "rootfs"):
            for file in sorted(path for path in root.rglob("*") if path.is_file()):
                content = file.read_bytes()
                entry = plain(tarfile.TarInfo(), file.relative_to(root).as_posix())
                entry.size, entry.mode = len(content), 0o755 if os.access(file, os.X_OK) else 0o644
                layer.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def write_image(role: str, lower: Path, image: Path) -> None:
    """A docker archive: what `docker save` writes and both engines load."""
    upper = upper_layer(role, lower)
    with lower.open("rb") as file:
        digests = [hashlib.file_digest(file, "sha256").hexdigest(), hashlib.sha256(upper).hexdigest()]
    config = json.dumps(
        {
            "architecture": subprocess.run(
                ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
            ).stdout.strip(),
            "os": "linux",
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH)),
            "config": {
                "Entrypoint": ["/usr/local/bin/entrypoint"],
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        }
    ).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    layers = [f"{digest}/layer.tar" for digest in digests]
    manifest = [{"Config": name, "RepoTags": [f"localhost/edge-gateway-{role}:{VERSION}"], "Layers": layers}]
    part = image.with_suffix(".part")
    with tarfile.open(part, "w") as archive:
        for path, content in ((name, config), ("manifest.json", json.dumps(manifest).encode()), (layers[1], upper)):
            entry = plain(tarfile.TarInfo(), path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        entry = plain(tarfile.TarInfo(), layers[0])
        entry.size = lower.stat().st_size
        with lower.open("rb") as file:
            archive.addfile(entry, file)
    part.rename(image)


def build_image(role: str) -> Path:
    recipe = "\n".join((RELEASE, NOT_NEEDED.pattern, *packages_of(role)))
    lower = CACHE / "layers" / f"{role}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.tar"
    if not lower.exists():
        unpack_packages(role, lower)
    ours = hashlib.sha256(lower.name.encode() + upper_layer(role, lower) + Path(__file__).read_bytes()).hexdigest()
    image = CACHE / "images" / f"{role}.tar"
    made_from = image.with_suffix(".recipe")
    if not image.exists() or not made_from.exists() or made_from.read_text() != ours:
        write_image(role, lower, image)
        made_from.write_text(ours)
    return image


def package_files(images: dict[str, Path]) -> dict[str, Path]:
    """What the package for container hosts is made of, by its place in it."""
    files = {
        path.relative_to(HERE / "package").as_posix(): path for path in (HERE / "package").rglob("*") if path.is_file()
    }
    return files | {f"Files/images/{role}.tar": images[role] for role in IN_PACKAGE}


def guests_files(guests: dict[str, Path]) -> dict[str, Path]:
    """What the package for OpenStack is made of: its own descriptor, disks, and boot scripts made of the configuration."""
    files = {
        path.relative_to(HERE / "package").as_posix(): path
        for path in (HERE / "package").rglob("*")
        if path.is_file() and path.parent.name not in ("Definitions", "config") and path.suffix != ".mf"
    }
    own = ("Definitions/edge_gateway.yaml", "edge_gateway.mf")
    files |= {name: HERE / "guests" / name for name in own}
    template = (HERE / "guests" / "boot.sh").read_text()
    for role, (name, place) in BOOT.items():
        content = (HERE / "package/Files/config" / name).read_text().rstrip()
        script = CACHE / "guests" / f"{role}.sh"
        script.write_text(template.replace("PATH", place).replace("CONTENT", content))
        files[f"Files/boot/{role}.sh"] = script
    return files | {f"Files/images/{role}.qcow2": guests[role] for role in IN_PACKAGE}


def build_package(name: str, files: dict[str, Path]) -> Path:
    """The CSAR: what `fairlead package build` makes of a folder with these files."""
    digests = {}
    for place, path in files.items():
        with path.open("rb") as file:
            digests[place] = hashlib.file_digest(file, "sha256").hexdigest()
    recipe = json.dumps([digests, Path(__file__).read_text()], sort_keys=True)
    package, made_from = CACHE / f"{name}.csar", CACHE / f"{name}.recipe"
    if package.exists() and made_from.exists() and made_from.read_text() == recipe:
        return package
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        for place, path in files.items():
            target = Path(folder) / place
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target) if path.is_relative_to(CACHE) else shutil.copyfile(path, target)
        found = build(Path(folder), package, level=1)
    if found.mistakes:
        raise SystemExit("\n".join(str(mistake) for mistake in found.mistakes))
    made_from.write_text(recipe)
    return package


def build_guest(role: str, image: Path) -> Path:
    """The role as a virtual machine's disk: the image's layers under a kernel, see `devcloud/build-guest`."""
    maker = HERE.parent.parent / "devcloud"
    parts = [maker / "build-guest", *sorted((maker / "guest").iterdir()), image.with_suffix(".recipe")]
    recipe = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    guest = CACHE / "guests" / f"edge-gateway-{role}.qcow2"
    made_from = guest.with_suffix(".recipe")
    if guest.exists() and made_from.exists() and made_from.read_text() == recipe:
        return guest
    started = time.monotonic()
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    system = Path(tempfile.mkdtemp(dir=CACHE))
    try:
        with tarfile.open(image) as archive:
            manifest = archive.extractfile("manifest.json")
            assert manifest is not None
            for name in json.load(manifest)[0]["Layers"]:
                layer = archive.extractfile(name)
                assert layer is not None
                unpack = [*as_root, "tar", "--extract", "--preserve-permissions", "--directory", str(system)]
                subprocess.run(unpack, input=layer.read(), check=True)
        command = [*as_root, "bash", str(maker / "build-guest"), str(guest.parent), guest.stem, str(system)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    finally:
        subprocess.run([*as_root, "rm", "-rf", "--one-file-system", str(system)], check=True)
    made_from.write_text(recipe)
    report(f"{guest.name}: {guest.stat().st_size / 1e6:.0f} MB, {time.monotonic() - started:.1f} s")
    return guest


def report(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Build the edge gateway's images and package; prints the package's path."
    )
    parser.add_argument(
        "--guests", action="store_true", help="build disks of virtual machines, and the package of them"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what was built before")
    arguments = parser.parse_args()
    started = time.monotonic()
    if arguments.fresh:
        shutil.rmtree(CACHE, ignore_errors=True)
    for directory in ("layers", "images", "guests"):
        (CACHE / directory).mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
            images = dict(zip(ROLES, pool.map(build_image, ROLES), strict=True))
        if arguments.guests:
            guests = {role: build_guest(role, images[role]) for role in IN_PACKAGE}
            package = build_package("edge-gateway-guests", guests_files(guests))
        else:
            package = build_package("edge-gateway", package_files(images))
    report(f"{package.name}: {package.stat().st_size / 1e6:.0f} MB, {time.monotonic() - started:.1f} s")
    sys.stdout.write(f"{package}\n")


if __name__ == "__main__":
    main()
