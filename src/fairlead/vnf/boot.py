"""What a machine finds at its first start: environment, files and user data. Pure.

All of it is sealed, for it may hold passwords.
"""

from __future__ import annotations

import re

import msgspec

from fairlead.descriptors import BootData
from fairlead.errors import Unprocessable
from fairlead.resources import File, SecretRef
from fairlead.vnf.draft import Draft

__all__ = ["Boot", "boot_of"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


class Boot(msgspec.Struct, frozen=True):
    """As a ComputeSpec has it."""

    environment: dict[str, str | SecretRef] = {}
    files: tuple[File, ...] = ()
    user_data: SecretRef | None = None


def boot_of(draft: Draft, boot: BootData | None) -> Boot:
    """What the descriptor's boot data come to. Raises Unprocessable (`artifact-missing`)."""
    if boot is None:
        return Boot()
    environment: dict[str, str | SecretRef] = {
        name: draft.sealer.seal(str(value)) for name, value in boot.key_values.items()
    }
    text = boot.content
    if text is None and boot.source_path is not None:
        raw = draft.context.files.get(boot.source_path)
        if raw is None:
            raise Unprocessable(
                f"The package has no file '{boot.source_path}', which boot data names.",
                code="artifact-missing",
                place=str(boot.mark),
            )
        text = raw.decode("utf-8", errors="surrogateescape")
    if text is None:
        return Boot(environment)
    content = draft.sealer.seal(_VARIABLE.sub(lambda found: _value(draft, found, boot), text))
    if boot.destination_path is None:
        return Boot(environment, (), content)
    return Boot(environment, (File(path=boot.destination_path, content=content),))


def _value(draft: Draft, found: re.Match[str], boot: BootData) -> str:
    """What stands for a variable: the request's additional parameter, else the package's own data, else itself."""
    name = found.group(1)
    if name in draft.state.parameters:
        return str(draft.state.parameters[name])
    return str(boot.data.get(name, found.group(0)))
