"""`fairlead lint`: every mistake in descriptors and packages, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fairlead import __version__
from fairlead.cli.exits import Exit
from fairlead.cli.invocation import Command, Invocation, pass_invocation

if TYPE_CHECKING:
    from fairlead.authoring.linting import Linted

__all__ = ["command", "summary"]


@click.command("lint", cls=Command)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif"]),
    help="text: a line for each mistake; sarif: SARIF 2.1.0, for editors and code hosts.",
)
@click.option("--vim", metavar="VIM", help="Ask the server what this infrastructure lacks for it, too.")
@click.option(
    "--request",
    metavar="FILE",
    help="With --vim: an instantiation request (JSON or YAML), whose networks are looked for, too.",
)
@click.option(
    "--trust",
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="Certificates (PEM, or a folder of them) of those whose signatures are trusted.",
)
@click.option("--strict", is_flag=True, help="Warnings end with exit code 1, too.")
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[Path, ...],
    format_: str | None,
    vim: str | None,
    request: str | None,
    trust: Path | None,
    strict: bool,
) -> None:
    """Tell every mistake in packages and descriptors.

    PATH is a CSAR, the folder of a package, a folder with packages in it, or one file of a descriptor. Nothing is sent
    anywhere; with --vim the server is asked whether images, flavours, networks, zones and room are there that the
    packages take for granted. Each mistake is a line:

    \b
      file:line:column code message (hint)

    \b
    Exit codes:
      0  no mistakes, or warnings only
      1  errors (with --strict: or warnings)

    \b
    Examples:
      fairlead lint edge-gateway.csar
      fairlead lint samples/edge-gateway/package --strict
      fairlead lint packages --format sarif > lint.sarif
      fairlead lint edge-gateway.csar --vim edge
    """
    from fairlead.authoring.linting import lint, load_trust

    if request is not None and vim is None:
        raise click.UsageError("--request goes with --vim.")
    found = lint(paths, load_trust("verify", trust) if trust is not None else None)
    if vim is not None:
        found = [_with_vim(invocation, each, vim, request) for each in found]
    shown = format_ or ("json" if invocation.output == "json" else "text")
    _show(invocation, found, shown)
    if any(each.errors or (strict and each.warnings) for each in found):
        click.get_current_context().exit(Exit.ERROR)


def _with_vim(invocation: Invocation, linted: Linted, vim: str, request: str | None) -> Linted:
    """With what the infrastructure lacks; nothing is asked for what has errors, as its needs are not known."""
    from fairlead.authoring.needs import needs_of_request, problems_of
    from fairlead.cli.values import read_document

    if linted.vnfd is None:
        invocation.note(f"{linted.path}: correct the errors first; {vim} was not asked.")
        return linted
    needs = [*linted.needs, *(needs_of_request(read_document(request)) if request is not None else ())]
    answer = invocation.client.vims.lint(vim, [each.document for each in needs])
    unknown = sorted({str(each.document["sort"]) for each in needs} - set(answer["checked"]))
    if unknown:
        invocation.note(f"{linted.path}: {answer['vim']} ({answer['type']}) cannot tell of: {', '.join(unknown)}.")
    return linted.told_also(problems_of(needs, answer["lacks"]))


def _show(invocation: Invocation, found: list[Linted], shown: str) -> None:
    from fairlead.authoring.reports import as_json, as_sarif

    if shown != "text":
        document = as_sarif(found, __version__) if shown == "sarif" else as_json(found)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for each in found:
        for mistake in each.mistakes:
            click.echo(str(mistake))
    invocation.note(summary(found))


def summary(found: list[Linted]) -> str:
    """How many mistakes there are, for people."""
    errors, warnings = sum(each.errors for each in found), sum(each.warnings for each in found)
    read = _count(len(found), "package or file", "packages and files")
    if not errors and not warnings:
        return f"No mistakes in {read}."
    told = " and ".join(_count(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n)
    return f"{told} in {read}. More of one:  fairlead explain CODE"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
