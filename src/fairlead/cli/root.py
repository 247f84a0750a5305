"""The command `fairlead` itself: its help, its global options, and what becomes of an error."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from fairlead import __version__
from fairlead.cli import access, event, explain, keystone, lint, operation, package, vim, vnf
from fairlead.cli.cards import show_error
from fairlead.cli.exits import EXIT_CODES, Exit, exit_of
from fairlead.cli.invocation import Invocation, global_options
from fairlead.errors import BadRequest, FairleadError

__all__ = ["group"]

_HELP = f"""Network functions, from package to traffic.

Every command is an object and an action. Things are named by id or by a name that only one of them has.

\b
Examples:
  fairlead vim register edge --type containers --default
  fairlead lint edge-gateway.csar
  fairlead package onboard edge-gateway.csar
  fairlead vnf create edge-gateway --name gw
  fairlead vnf plan instantiate gw --flavour simple
  fairlead vnf instantiate gw --flavour simple
  fairlead operation show gw --timeline
  fairlead vnf terminate gw

{EXIT_CODES}"""


class _Root(click.Group):
    """A group whose errors are cards and whose exit codes mean what `exits.py` says."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        invocation = extra.setdefault("obj", Invocation())
        run = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        sys.exit(_guarded(run, invocation))


def _guarded(run: Callable[[], Any], invocation: Invocation) -> int:
    try:
        code = run()
        return code if isinstance(code, int) else Exit.DONE
    except FairleadError as error:
        show_error(invocation, error)
        return exit_of(error)
    except click.ClickException as error:
        error.show()
        return Exit.ERROR
    except click.Abort:
        click.echo("Aborted.", err=True)
        return Exit.ERROR
    except OSError as error:
        if error.errno != errno.EPIPE:
            if error.filename is None:
                raise
            show_error(invocation, _of_file(error))
            return Exit.ERROR
        # Whoever read our output has closed it; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR


def _of_file(error: OSError) -> FairleadError:
    """What keeps a file or directory of this machine from being used."""
    place = str(error.filename)
    return BadRequest(
        f"{place} cannot be read or written.",
        code="file-not-usable",
        place=place,
        cause=error.strerror,
        remedy="See that it exists, and that you may use it.",
    )


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"fairlead {__version__}")
        context.exit()


_VERSION = click.Option(
    ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)

group = _Root(
    "fairlead",
    help=_HELP,
    params=[*global_options(defaults=True), _VERSION],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

for _object in (
    vim.group,
    package.group,
    vnf.group,
    operation.group,
    event.group,
    *access.groups,
    keystone.group,
    lint.command,
    explain.command,
):
    group.add_command(_object)
