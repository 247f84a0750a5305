"""What a machine reads when it starts for the first time: user data, with files and environment for cloud-init; pure.

User data alone reaches the guest byte for byte, whatever reads it there. Files and environment variables have no other
way into a virtual machine, so they travel as a part of their own, in the format of cloud-init (`write_files`), beside
the user data; guests without cloud-init do not understand that. The environment becomes the file
`/etc/fairlead/environment`, readable by root only, in the syntax of a shell.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Mapping
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from fairlead.errors import VimRefused
from fairlead.resources import ComputeSpec, known

__all__ = ["ENVIRONMENT", "user_data_of"]

ENVIRONMENT = "/etc/fairlead/environment"
_LARGEST = 65535
"""Bytes of user data in base64 that Nova takes."""
_KINDS: Mapping[str, str] = {
    "#!": "x-shellscript",
    "#cloud-config": "cloud-config",
    "#include": "x-include-url",
    "#cloud-boothook": "cloud-boothook",
    "## template: jinja": "jinja2",
}


def user_data_of(spec: ComputeSpec) -> str | None:
    """The user data of a server in base64; None when it gets none.

    Raises VimRefused (`user-data-too-large`, `user-data-not-combined`).
    """
    own = known(spec.user_data) if spec.user_data is not None else None
    text = own if not spec.files and not spec.environment else _combined(spec, own)
    if text is None:
        return None
    encoded = base64.b64encode(text.encode("utf-8", errors="surrogateescape")).decode()
    if len(encoded) > _LARGEST:
        raise VimRefused(
            f"The user data of '{spec.label}' is too large for Nova.",
            code="user-data-too-large",
            cause=f"{len(encoded)} bytes in base64, and {_LARGEST} are taken",
            remedy="Bring what is large in the image, or let the machine fetch it.",
        )
    return encoded


def _combined(spec: ComputeSpec, own: str | None) -> str:
    whole = MIMEMultipart(boundary="==fairlead==")
    whole.attach(MIMEText(_cloud_config(spec), "cloud-config", "utf-8"))
    if own is not None:
        kind = next((kind for start, kind in _KINDS.items() if own.startswith(start)), None)
        if kind is None:
            raise VimRefused(
                f"The user data of '{spec.label}' cannot be sent together with files or environment variables.",
                code="user-data-not-combined",
                cause=f"it begins with '{own[:20]}'",
                remedy="Begin it with #cloud-config or #!, or leave files and variables out.",
            )
        whole.attach(MIMEText(own, kind, "utf-8"))
    return whole.as_string()


def _cloud_config(spec: ComputeSpec) -> str:
    """JSON, which is YAML too, so nothing has to be escaped by hand."""
    files = [_file(file.path, known(file.content), file.mode) for file in spec.files]
    if spec.environment:
        lines = [_assignment(name, known(value)) for name, value in sorted(spec.environment.items())]
        files.append(_file(ENVIRONMENT, "".join(lines), 0o600))
    return "#cloud-config\n" + json.dumps({"write_files": files})


def _file(path: str, content: str, mode: int) -> dict[str, str]:
    raw = base64.b64encode(content.encode("utf-8", errors="surrogateescape")).decode()
    return {"path": path, "content": raw, "encoding": "b64", "permissions": f"{mode:04o}", "owner": "root:root"}


def _assignment(name: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise VimRefused(
            f"'{name}' cannot be the name of an environment variable.",
            code="bad-variable-name",
            cause=name,
            remedy="Use letters, digits and underscores.",
        )
    return f"{name}={shlex.quote(value)}\n"
