"""docs/settings.md, made from the docstrings in `fairlead.settings`: `python -m tests.support.settings_reference` writes it."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from fairlead import settings

__all__ = ["PAGE", "reference"]

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

_HEAD = """# Settings

Each setting can be given in the settings file, in the environment and, some of them, on the command line; each is stronger
than the one before. The file is TOML: the one named by `--config` or `FAIRLEAD_CONFIG`, otherwise
`~/.config/fairlead/fairlead.toml` (not for root) or `/etc/fairlead/fairlead.toml`. A name that is not known is an error.

```toml
data = "/srv/fairlead"

[server]
host = "0.0.0.0"

[store]
url = "postgresql://fairlead@db.example/fairlead"
```

In the environment `server.host` is `FAIRLEAD_SERVER_HOST`. An empty variable counts as not set.
"""


def reference() -> str:
    """The page as it should be."""
    top = _documented(settings.Settings)
    lines = [_HEAD, "| setting | default | |", "|---|---|---|", f"| `data` | | {top['data']} |", ""]
    for name, type_ in get_type_hints(settings.Settings).items():
        if not is_dataclass(type_):
            continue
        documented = _documented(type_)
        lines += [
            f"## [{name}]",
            "",
            inspect.cleandoc(type_.__doc__ or ""),
            "",
            "| setting | default | |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{name}.{each.name}` | {_shown(each.default)} | {documented[each.name]} |" for each in fields(type_)
        ]
        lines.append("")
    return "\n".join(lines)


def _documented(group: Any) -> dict[str, str]:
    """The docstring after each field, on one line."""
    body = ast.parse(inspect.getsource(group)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for one, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(after, ast.Expr):
            assert isinstance(after.value, ast.Constant)
            found[one.target.id] = re.sub(r"\s+", " ", str(after.value.value))
    return found


def _shown(default: Any) -> str:
    if default is None or default == "":
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
