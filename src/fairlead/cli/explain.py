"""`fairlead explain`: what a code means and what to do about it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from fairlead.cli.invocation import Command, Invocation, pass_invocation
from fairlead.cli.output import show, table
from fairlead.errors import BadRequest

if TYPE_CHECKING:
    from fairlead.authoring.explaining import Explanation

__all__ = ["command"]


@click.command("explain", cls=Command)
@click.argument("code", required=False)
@click.option("--list", "list_", is_flag=True, help="List all codes.")
@pass_invocation
def command(invocation: Invocation, code: str | None, list_: bool) -> None:
    """Explain CODE, of a mistake in a package or of an error.

    \b
    Examples:
      fairlead explain level-sum
      fairlead explain package-in-use
      fairlead explain --list
    """
    from fairlead.authoring.explaining import all_explanations

    if list_:
        found = all_explanations()
        rows = [(each.code, each.section, each.meaning) for each in found]
        show(invocation, [_document(each) for each in found], lambda: table(("CODE", "WHERE", "WHAT"), rows))
    elif code is None:
        raise click.UsageError("Name a CODE, or give --list.")
    else:
        known = _known(code)
        show(invocation, [_document(each) for each in known], lambda: "\n\n".join(_text(each) for each in known))


def _known(code: str) -> tuple[Explanation, ...]:
    from fairlead.authoring.explaining import closest, explain

    found = explain(code)
    if not found:
        hint = closest(code)
        raise BadRequest(
            f"There is no code '{code}'.",
            code="unknown-code",
            remedy=f"{hint[0].upper()}{hint[1:]}" if hint else "All of them: fairlead explain --list",
        )
    return found


def _document(one: Explanation) -> dict[str, Any]:
    from dataclasses import asdict

    return {key: value for key, value in asdict(one).items() if value is not None}


def _text(one: Explanation) -> str:
    status = f", HTTP {one.status}" if one.status else ""
    parts = [f"{click.style(one.code, bold=True)}  ({one.section}{status})", "", *_wrapped(one.meaning)]
    if one.remedy:
        parts += ["", *_wrapped(f"What to do: {one.remedy}")]
    if one.example:
        parts += ["", "  wrong:", *_indented(one.example.wrong), "  right:", *_indented(one.example.right)]
    return "\n".join(parts)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 98, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _indented(lines: str) -> list[str]:
    return textwrap.indent(textwrap.dedent(lines), "    ").splitlines()
