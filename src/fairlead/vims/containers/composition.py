"""From a Container to what the engine is asked for; pure.

Limits are hard: memory without swap, cores as a share of time, file and process numbers always given, because an engine's own
defaults fail where it may not raise them. Nothing restarts by itself: whether a container that has ended is to be healed is
decided above. Of a VDU's constraints those that begin with `container.` are ours, and only those that act inside the
container are honoured:

- `container.capabilities`  `NET_ADMIN,NET_RAW`, each of which the VIM's settings must allow
- `container.sysctls`       `net.ipv4.ip_forward=1,...`, only `net.` ones, which belong to the container's own network
- `container.command`       in place of the image's command, split as a shell would
"""

from __future__ import annotations

import io
import re
import shlex
import tarfile
from collections.abc import Collection, Mapping
from typing import Any

from fairlead.errors import VimRefused
from fairlead.resources import ComputeSpec, Tag, known
from fairlead.vims.containers.labels import ADDRESSES, labels_of
from fairlead.vims.containers.rules import Container

__all__ = ["USER_DATA", "archive", "body", "check", "check_constraints"]

USER_DATA = "var/lib/cloud/seed/nocloud"
"""Where cloud-init's NoCloud source looks for `user-data` and `meta-data`; an image without cloud-init may read them as well."""
_LIMIT = 4096


def check(container: Container) -> None:
    """What an engine would take amiss in its own words, or do silently otherwise.

    Raises VimRefused.
    """
    if container.strangers:
        raise _refused(
            f"The ports {', '.join(container.strangers)} are not members of this container.",
            "port-outside-compute",
            "Ports on a container engine are made with their container; they cannot be given.",
        )
    networks = [nic.network for nic in container.nics]
    if len(set(networks)) < len(networks):
        raise _refused(
            "Two ports of this container are on one network.",
            "two-ports-on-one-network",
            "Put them on different networks: an engine connects a container to a network once.",
        )
    for nic in container.nics:
        if nic.vnic_type != "normal":
            raise _refused(
                f"A container engine has no NIC of the type '{nic.vnic_type}'.",
                "vnic-type-not-supported",
                "Use 'normal', or another VIM.",
            )
        families = [":" in address for address in nic.addresses or ()]
        if len(set(families)) < len(families):
            raise _refused(
                f"'{nic.port}' asks for more than one address of a family.",
                "too-many-addresses",
                "Ask for at most one IPv4 and one IPv6 address for each port.",
            )


def body(container: Container, tag: Tag, allowed: Collection[str]) -> dict[str, Any]:
    """The creation's body, without the networks. Raises VimRefused for what may not be asked for."""
    machine = container.machine
    if machine.image is None:
        raise _refused("The container has no image.", "image-missing", "Give the VDU a software image.")
    host: dict[str, Any] = {
        "RestartPolicy": {"Name": "no"},
        "Ulimits": [{"Name": name, "Soft": _LIMIT, "Hard": _LIMIT} for name in ("nofile", "nproc")],
        "NanoCpus": round(machine.cpus * 1e9),
        "CapAdd": _capabilities(machine.constraints, allowed),
        "Sysctls": _sysctls(machine.constraints),
        "Mounts": _mounts(machine),
    }
    if machine.memory:
        host |= {"Memory": machine.memory, "MemorySwap": machine.memory}
    wanted: dict[str, Any] = {
        "Image": machine.image,
        "Hostname": hostname(machine.label),
        "Env": [f"{name}={known(value)}" for name, value in sorted(machine.environment.items())],
        "Labels": labels_of(tag) | _addresses(container),
        "HostConfig": host,
    }
    if command := machine.constraints.get("container.command"):
        wanted["Cmd"] = _split(command)
    return wanted


def check_constraints(constraints: Mapping[str, str], allowed: Collection[str]) -> None:
    """Raises VimRefused for what a machine may not ask for."""
    _capabilities(constraints, allowed)
    _sysctls(constraints)
    if command := constraints.get("container.command"):
        _split(command)


def _addresses(container: Container) -> dict[str, str]:
    addresses = [address for nic in container.nics for address in nic.addresses or ()]
    return {ADDRESSES: ",".join(addresses)} if addresses else {}


def archive(machine: ComputeSpec) -> bytes | None:
    """The files that are to be there when the container starts, as a tar archive; None when there are none."""
    files = [(file.path.lstrip("/"), known(file.content).encode(), file.mode) for file in machine.files]
    if machine.user_data is not None:
        host = hostname(machine.label)
        files.append((f"{USER_DATA}/user-data", known(machine.user_data).encode(), 0o600))
        files.append((f"{USER_DATA}/meta-data", f"instance-id: {host}\nlocal-hostname: {host}\n".encode(), 0o644))
    if not files:
        return None
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, content, mode in files:
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
        end = tar.offset
    # Without the padding that tar adds for tapes: Podman's reader ends at the end mark, and what is written after that breaks.
    return packed.getvalue()[: end + 2 * tarfile.BLOCKSIZE]


def hostname(label: str) -> str:
    """`label` as a host name (RFC 1123)."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:63].strip("-") or "container"


def _capabilities(constraints: Mapping[str, str], allowed: Collection[str]) -> list[str]:
    asked = {part.strip().upper().removeprefix("CAP_") for part in _list(constraints, "container.capabilities")}
    permitted = {name.upper().removeprefix("CAP_") for name in allowed}
    if too_much := sorted(asked - permitted):
        raise _refused(
            f"The package asks for the capabilities {', '.join(too_much)}, which this VIM does not allow.",
            "capability-not-allowed",
            f"Allow them in the VIM's setting 'allowed_capabilities' (now: {', '.join(sorted(permitted)) or 'none'}), "
            "or use a package that does without.",
        )
    return sorted(asked)


def _sysctls(constraints: Mapping[str, str]) -> dict[str, str]:
    pairs = dict(part.partition("=")[::2] for part in _list(constraints, "container.sysctls"))
    wanted = {name.strip(): value.strip() for name, value in pairs.items()}
    for name, value in wanted.items():
        if not name.startswith("net.") or not value:
            raise _refused(
                f"The package asks for the sysctl '{name}={value}', which would reach beyond its container.",
                "sysctl-not-allowed",
                "Ask only for sysctls that begin with 'net.', each with a value.",
            )
    return wanted


def _mounts(machine: ComputeSpec) -> list[dict[str, Any]]:
    mounts = []
    for attached in machine.volumes:
        if attached.at is None or not attached.at.startswith("/"):
            raise _refused(
                f"The volume '{attached.volume}' has no path to be mounted at.",
                "volume-without-path",
                "Give the attachment an absolute path.",
            )
        mounts.append({"Type": "volume", "Source": known(attached.volume), "Target": attached.at})
    return mounts


def _list(constraints: Mapping[str, str], key: str) -> list[str]:
    unknown = [
        name
        for name in constraints
        if name.startswith("container.")
        and name.removeprefix("container.") not in ("capabilities", "sysctls", "command")
    ]
    if unknown:
        raise _refused(
            f"The package asks for '{unknown[0]}', which is not supported on a container engine.",
            "constraint-not-supported",
            "Leave it out. Nothing that gives a container power over its host can be asked for.",
        )
    return [part for part in constraints.get(key, "").split(",") if part.strip()]


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise _refused(
            f"The constraint 'container.command' cannot be read: {error}.",
            "constraint-not-supported",
            "Quote it as for a shell.",
        ) from error


def _refused(detail: str, code: str, remedy: str) -> VimRefused:
    return VimRefused(detail, code=code, remedy=remedy)
