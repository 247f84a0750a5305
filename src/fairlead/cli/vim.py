"""`fairlead vim`: the infrastructures that network functions run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from fairlead.cli.clouds import vim_from_clouds
from fairlead.cli.exits import Exit
from fairlead.cli.invocation import Invocation, Object, pass_invocation
from fairlead.cli.output import fields, show, table
from fairlead.cli.requests import merged, without_nothing
from fairlead.cli.values import key_values, read_document, secret_values
from fairlead.errors import BadRequest

__all__ = ["group"]

Document = dict[str, Any]


@click.group("vim", cls=Object)
def group() -> None:
    """Infrastructures (VIMs): register, check, look at.

    VIM is an id or a name.
    """


def _settings(command: Any) -> Any:
    for option in (
        click.option("--file", "file", metavar="FILE", help="The VIM as JSON or YAML; options go over it."),
        click.option("--description", metavar="TEXT", help="Words for people."),
        click.option("--from-clouds", metavar="FILE", help="A clouds.yaml that describes the OpenStack."),
        click.option("--cloud", metavar="NAME", help="Its entry in --from-clouds."),
        click.option("--shared/--not-shared", default=None, help="Whether all projects may use it."),
        click.option("--default/--not-default", default=None, help="Whether it is used where none is named."),
        click.option("--setting", multiple=True, metavar="KEY=VALUE", help="A setting (repeatable)."),
        click.option(
            "--credential",
            multiple=True,
            metavar="KEY=VALUE",
            help="A credential (repeatable); @FILE reads a file, - asks without echo.",
        ),
        click.option("--interface", multiple=True, metavar="KEY=VALUE", help="How it is reached (repeatable)."),
    ):
        command = option(command)
    return command


@group.command("register")
@click.argument("name", required=False)
@click.option("--type", "type_", metavar="TYPE", help="What it is: openstack, containers ...")
@_settings
@pass_invocation
def register(invocation: Invocation, /, name: str | None, type_: str | None, **values: Any) -> None:
    """Register an infrastructure under NAME.

    \b
    Examples:
      fairlead vim register edge --type containers --default \\
          --interface url=unix:///run/podman/podman.sock
      fairlead vim register cloud --from-clouds clouds.yaml --cloud mycloud
      fairlead vim register lab --type simulated --setting 'latency={"ready": 1}'
      fairlead vim register --file vim.yaml --credential password=-
    """
    document = _document(values) | without_nothing({"name": name, "type": type_})
    for field, option in (("name", "NAME"), ("type", "--type")):
        if field not in document:
            raise click.UsageError(f"Missing {option} (or {field} in --file).")
    created = invocation.client.vims.register(document)
    show(invocation, created, lambda: _details(created))


@group.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the infrastructures that the project can use."""
    found = invocation.client.vims.list()
    rows = [(one["id"], one["name"], one["type"], one.get("default"), one.get("shared")) for one in found]
    headings = ("ID", "NAME", "TYPE", "DEFAULT", "SHARED")
    show(invocation, found, lambda: table(headings, rows, nothing="There are no VIMs."))


@group.command("show")
@click.argument("vim")
@pass_invocation
def show_(invocation: Invocation, vim: str) -> None:
    """Show an infrastructure; its credentials are never shown."""
    found = invocation.client.vims.show(vim)
    show(invocation, found, lambda: _details(found))


@group.command("update")
@click.argument("vim")
@click.option("--name", metavar="NAME", help="A new name.")
@_settings
@pass_invocation
def update(invocation: Invocation, /, vim: str, name: str | None, **values: Any) -> None:
    """Change an infrastructure's settings or credentials."""
    changes = _document(values) | without_nothing({"name": name})
    if not changes:
        raise click.UsageError("Say what to change: see --help.")
    before = invocation.client.vims.show(vim)
    for field in ("interface", "settings"):
        if field in changes:
            # The server replaces an object as a whole; here each key is changed alone, and null removes it.
            put = {**(before.get(field) or {}), **changes[field]}
            changes[field] = {key: value for key, value in put.items() if value is not None}
    changed = invocation.client.vims.update(before["id"], changes)
    show(invocation, changed, lambda: _details(changed))


@group.command("delete")
@click.argument("vim")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_invocation
def delete(invocation: Invocation, vim: str, yes: bool) -> None:
    """Forget an infrastructure that nothing uses."""
    invocation.confirm(f"Delete the VIM {vim}?", yes=yes)
    invocation.client.vims.delete(vim)
    invocation.note(f"Deleted {vim}.")


@group.command("check")
@click.argument("vim")
@pass_invocation
def check(invocation: Invocation, vim: str) -> None:
    """Ask an infrastructure now whether it can be worked with; exit code 1 when it cannot."""
    found = invocation.client.vims.check(vim)
    show(invocation, found, lambda: _report(found))
    if not found.get("reachable"):
        click.get_current_context().exit(Exit.ERROR)


def _document(values: Mapping[str, Any]) -> Document:
    given = without_nothing(
        {
            "interface": key_values(values["interface"], option="--interface"),
            "credentials": secret_values(values["credential"], option="--credential"),
            "settings": key_values(values["setting"], option="--setting"),
            "description": values["description"],
            "default": values["default"],
            "shared": values["shared"],
        }
    )
    if values["cloud"] and not values["from_clouds"]:
        raise click.UsageError("--cloud names an entry of --from-clouds.")
    if values["from_clouds"]:
        given = merged(vim_from_clouds(values["from_clouds"], values["cloud"]), given)
    if not values["file"]:
        return given
    base = read_document(values["file"])
    if not isinstance(base, dict):
        raise BadRequest("A VIM is an object.", code="bad-request-file", place=values["file"])
    return merged(base, given)


def _report(check: Mapping[str, Any]) -> str:
    state = click.style("reachable", fg="green") if check.get("reachable") else click.style("not reachable", fg="red")
    head = fields(
        [("state", state), ("version", check.get("version")), *_flat({"capacity": check.get("capacity") or {}})]
    )
    findings = [(one.get("severity"), one.get("code"), one.get("detail")) for one in check.get("findings") or ()]
    shown = table(("FINDING", "CODE", "WHAT"), findings)
    return head + (f"\n\n{shown}" if shown else "")


def _details(vim: Mapping[str, Any]) -> str:
    return fields(_flat(vim))


def _flat(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The document with the fields of its objects as rows of their own."""
    rows: list[tuple[str, Any]] = []
    for key, value in document.items():
        if isinstance(value, Mapping):
            rows += [(f"{key}.{name}", item) for name, item in value.items()]
        else:
            rows.append((key, value))
    return rows
