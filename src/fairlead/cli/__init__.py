"""The command line: object, then action, over the API and nothing else.

`group` is the command `fairlead`; `main.py` adds `serve` to it. Modules of commands import click only, and what is slow
to import (HTTP, terminal display, YAML) where it is used: `fairlead --help` must not wait for what it does not need.
"""

from fairlead.cli.root import group

__all__ = ["group"]
