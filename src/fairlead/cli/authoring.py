"""`fairlead package init`, `build` and `show --format`: packages before they are in any catalogue."""

from __future__ import annotations

from pathlib import Path

import click

from fairlead.cli.exits import Exit
from fairlead.cli.invocation import Command, Invocation, pass_invocation
from fairlead.cli.lint import summary
from fairlead.cli.output import show

__all__ = ["build", "init", "show_as"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("init", cls=Command)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--kind",
    type=click.Choice(["machine", "container", "hot"]),
    default="machine",
    show_default=True,
    help="Virtual machines, containers, or virtual machines with templates for OpenStack Heat.",
)
@click.option("--name", metavar="NAME", help="The product's name; the directory's unless given.")
@click.option("--provider", metavar="NAME", default="Example", show_default=True, help="Who makes it.")
@click.option("--id", "id_", metavar="ID", help="The VNFD's id; a new one unless given.")
@pass_invocation
def init(invocation: Invocation, directory: Path, kind: str, name: str | None, provider: str, id_: str | None) -> None:
    """Start a package in DIRECTORY: a small one that works, to be changed.

    \b
    Examples:
      fairlead package init firewall --provider "My company"
      fairlead package init web --kind container
    """
    from datetime import UTC, datetime

    from fairlead.authoring.skeletons import Kind, write_skeleton

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    called = name or directory.resolve().name
    written = write_skeleton(directory, Kind(kind), name=called, provider=provider, time=now, id=id_)
    names = [path.as_posix() for path in written]
    show(invocation, {"files": names}, lambda: "\n".join(names))
    invocation.note(f"Next:  fairlead lint {directory}  and then  fairlead package build {directory}")


@click.command("build", cls=Command)
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the CSAR goes, outside of DIRECTORY; NAME.csar here unless given, NAME being the directory's.",
)
@click.option("--key", metavar="FILE", type=_FILE, help="Sign it with this private key (PEM).")
@click.option("--certificate", metavar="FILE", type=_FILE, help="The key's certificate, and those above it (PEM).")
@click.option("--password-file", metavar="FILE", type=_FILE, help="A file with the password of the key.")
@click.option(
    "--option",
    type=click.Choice(["1", "2"]),
    default="1",
    show_default=True,
    help="SOL004's ways to sign: 1, the manifest with its digests; 2, the whole, in a zip with its signature.",
)
@pass_invocation
def build(
    invocation: Invocation,
    directory: Path,
    target: Path | None,
    key: Path | None,
    certificate: Path | None,
    password_file: Path | None,
    option: str,
) -> None:
    """Make a CSAR of DIRECTORY: digests into the manifest, then a zip archive, signed on request.

    The same files make the same bytes (but for signatures by elliptic curves, which differ each time). The package is read
    as onboarding would read it; with errors no file is made. The manifest in DIRECTORY stays as it is, and names that begin
    with a dot are left out.

    \b
    Examples:
      fairlead package build firewall
      fairlead package build firewall --to dist/firewall-1.0.csar
      fairlead package build firewall --key vendor.key --certificate vendor.crt
    """
    from fairlead.authoring.building import build as make
    from fairlead.authoring.building import signing_with

    if (key is None) != (certificate is None):
        raise click.UsageError("--key and --certificate go together.")
    signing = None
    if key is not None and certificate is not None:
        password = password_file.read_text(encoding="utf-8").strip() if password_file is not None else None
        signing = signing_with(key, certificate, option=int(option), password=password)
    whole = signing is not None and signing.option == 2
    path = target or _beside(directory, "zip" if whole else "csar")
    found = make(directory, path, signing=signing)
    for mistake in found.mistakes:
        click.echo(str(mistake), err=True)
    if found.mistakes:
        invocation.note(summary([found]))
    if found.errors:
        invocation.note(f"{path} was not made.")
        click.get_current_context().exit(Exit.ERROR)
    document = {"file": path.as_posix(), "size": path.stat().st_size, "warnings": found.warnings}
    show(invocation, document, path.as_posix)


def _beside(directory: Path, ending: str) -> Path:
    """Where a package goes unless it is said: here, or next to the directory if here is in it."""
    name = f"{directory.resolve().name}.{ending}"
    inside = Path.cwd().resolve().is_relative_to(directory.resolve())
    return directory / ".." / name if inside else Path(name)


def show_as(invocation: Invocation, package: str, format_: str, *, flavour: str | None, to: Path | None) -> None:
    """Print what a package would become, or write it to the directory `to`."""
    from fairlead.authoring.showing import dot_of, hot_of, stack_files, vnfd_at, vnfd_in

    path = Path(package)
    if path.exists():
        vnfd = vnfd_at(path)
    else:
        packages = invocation.client.packages
        vnfd = vnfd_in(packages.descriptor(packages.find(package)["id"]))
    if format_ == "dot":
        click.echo(dot_of(vnfd, flavour))
        return
    stack = hot_of(vnfd, flavour)
    files = stack_files(stack)
    if to is None:
        click.echo("\n---\n".join(f"# {name}\n{text.rstrip()}" for name, text in files.items()))
    else:
        to.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (to / name).write_text(text, encoding="utf-8")
        click.echo("\n".join((to / name).as_posix() for name in files))
    if stack.gaps:
        invocation.note(f"Not said in the templates ({len(stack.gaps)}):")
        for gap in stack.gaps:
            invocation.note(f"  {gap}")
