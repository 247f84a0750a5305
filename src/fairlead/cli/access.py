"""`fairlead project`, `token` and `client`: who may ask for what. Most of it needs an administrator's token.

A secret is shown once, when it is made: alone on standard output, so that it goes straight into a file or a variable,
with everything else on standard error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from fairlead.cli.invocation import Invocation, Object, pass_invocation
from fairlead.cli.output import fields, moment, show, table

if TYPE_CHECKING:
    from fairlead.client import Collection

__all__ = ["groups"]

Document = dict[str, Any]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.group("project", cls=Object)
def project() -> None:
    """Projects: the owners of everything, who do not see each other's things."""


@click.group("token", cls=Object)
def token() -> None:
    """Bearer tokens: what FAIRLEAD_TOKEN holds."""


@click.group("client", cls=Object)
def client() -> None:
    """OAuth2 clients: an id and a secret, exchanged for tokens that end by themselves."""


groups = (project, token, client)


@project.command("create")
@click.argument("name")
@click.option("--description", metavar="TEXT", help="What it is for.")
@pass_invocation
def create_project(invocation: Invocation, name: str, description: str | None) -> None:
    """Create the project NAME."""
    document = {"name": name} | ({"description": description} if description else {})
    created = invocation.client.projects.create(document)
    show(invocation, created, lambda: fields((key, _cell(key, value)) for key, value in created.items()))


def _owner(command: Callable[..., Any]) -> Callable[..., Any]:
    role = click.option("--role", multiple=True, metavar="ROLE", help="A role (repeatable).")
    of = click.option("--project", metavar="PROJECT", help="Whose; the caller's own project unless given.")
    return of(role(command))


@token.command("create")
@click.argument("name")
@_owner
@click.option("--expires-in", metavar="TIME", help="How long it is valid: 90m, 12h, 30d; for ever unless given.")
@pass_invocation
def create_token(
    invocation: Invocation, name: str, project: str | None, role: tuple[str, ...], expires_in: str | None
) -> None:
    """Make a token; it is shown this once.

    \b
    Example:
      fairlead token create ci --role member --expires-in 30d > ci.token
    """
    wanted = _wanted(name, project, role)
    if expires_in is not None:
        wanted["expires"] = time.time() + _seconds(expires_in)
    created = invocation.client.tokens.create(wanted)
    _show_secret(invocation, created, "token")


@client.command("create")
@click.argument("name")
@_owner
@pass_invocation
def create_client(invocation: Invocation, name: str, project: str | None, role: tuple[str, ...]) -> None:
    """Make an OAuth2 client; its secret is shown this once."""
    created = invocation.client.clients.create(_wanted(name, project, role))
    _show_secret(invocation, created, "client_secret")


def _wanted(name: str, project: str | None, roles: Sequence[str]) -> Document:
    given = {"name": name, "project": project, "roles": list(roles)}
    return {key: value for key, value in given.items() if value}


def _seconds(text: str) -> int:
    """The seconds in a time such as `12h`."""
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _UNITS:
        raise click.BadParameter(f"{text!r} is not a number with s, m, h or d.", param_hint="--expires-in")
    return int(number) * _UNITS[unit]


def _show_secret(invocation: Invocation, created: Mapping[str, Any], field: str) -> None:
    secret = created.get(field) or created.get("secret")
    if invocation.output == "table":
        invocation.note(fields((key, _cell(key, value)) for key, value in created.items() if value != secret))
    show(invocation, dict(created), lambda: str(secret))


def _listing(of: click.Group, collection: Callable[[Invocation], Collection], columns: Sequence[str]) -> None:
    name = str(of.name)

    @of.command("list", help=f"List the {name}s.")
    @pass_invocation
    def _(invocation: Invocation) -> None:
        found = collection(invocation).list()
        rows = [[_cell(key, one.get(key)) for key in columns] for one in found]
        headings = [key.upper().replace("_", " ") for key in columns]
        show(invocation, found, lambda: table(headings, rows, nothing=f"There are no {name}s."))

    @of.command("delete", help=f"Delete a {name} by its id.")
    @click.argument("id")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @pass_invocation
    def _(invocation: Invocation, id: str, yes: bool) -> None:
        invocation.confirm(f"Delete the {name} {id}?", yes=yes)
        collection(invocation).delete(id)
        invocation.note(f"Deleted {id}.")


def _cell(key: str, value: Any) -> Any:
    return moment(value) if key in ("created", "expires") and value is not None else value


_listing(project, lambda invocation: invocation.client.projects, ("id", "name", "description"))
_listing(token, lambda invocation: invocation.client.tokens, ("id", "name", "project", "roles", "created", "expires"))
_listing(client, lambda invocation: invocation.client.clients, ("id", "name", "project", "roles", "created"))
