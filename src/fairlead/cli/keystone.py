"""`fairlead keystone`: Fairlead in an OpenStack's Keystone, so that OpenStack's clients find it and it knows their tokens.

It talks to Keystone, with an administrator's entry of a clouds.yaml, and to no Fairlead. It can be repeated: what is there
is kept, what differs is corrected, and each run shows all there is.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

import click

from fairlead.cli.clouds import vim_from_clouds
from fairlead.cli.invocation import Invocation, Object, pass_invocation
from fairlead.cli.keystone_entries import Entries, Made
from fairlead.cli.output import show, table
from fairlead.cli.values import secret_values

__all__ = ["group"]

_STYLES = {"created": "green", "changed": "yellow", "removed": "yellow"}


@click.group("keystone", cls=Object)
def group() -> None:
    """Fairlead as a service of an OpenStack."""


@group.command("register")
@click.option(
    "--from-clouds",
    envvar="OS_CLIENT_CONFIG_FILE",
    show_envvar=True,
    required=True,
    metavar="FILE",
    help="A clouds.yaml with an administrator of the cloud.",
)
@click.option("--cloud", envvar="OS_CLOUD", show_envvar=True, metavar="NAME", help="Its entry in --from-clouds.")
@click.option("--region", metavar="REGION", help="Where the endpoints are; the cloud's only region, or its entry's.")
@click.option(
    "--service-name", default="fairlead", show_default=True, metavar="NAME", help="`tacker` takes Tacker's over."
)
@click.option("--user", default="fairlead", show_default=True, metavar="NAME", help="Who asks Keystone about tokens.")
@click.option(
    "--password", metavar="@FILE|-", help="The user's password; a new user gets a random one, shown this once."
)
@click.option("--project", default="service", show_default=True, metavar="NAME", help="The user's project.")
@click.option("--domain", default="Default", show_default=True, metavar="NAME", help="The domain of user and project.")
@click.option("--role", default="service", show_default=True, metavar="NAME", help="The user's role in the project.")
@click.option("--remove", is_flag=True, help="Take service, endpoints and user away again.")
@pass_invocation
def register(
    invocation: Invocation, /, from_clouds: str, cloud: str | None, region: str | None, remove: bool, **names: Any
) -> None:
    """Make the service nfv-orchestration with its endpoints, and Fairlead's own user.

    The endpoints are the address in --url (or FAIRLEAD_URL), where clients reach Fairlead. What is printed at the end
    belongs into Fairlead's settings.

    \b
    Examples:
      fairlead keystone register --from-clouds clouds.yaml --cloud admin --url https://nfv.example:9890
      fairlead keystone register --from-clouds clouds.yaml --cloud admin --remove
    """
    vim = vim_from_clouds(from_clouds, cloud)
    with Entries(vim) as entries:
        home = entries.domain(names["domain"])
        if remove:
            made = entries.remove(names["service_name"], names["user"], home)
            show(invocation, {"entries": [one.document() for one in made]}, lambda: _shown(made))
            return
        given = names["password"]
        password = secret_values((f"password={given}",), option="--password")["password"] if given else None
        chosen = password or secrets.token_urlsafe(24)
        region = entries.region(region or vim["interface"].get("region"))
        made = [
            *entries.service(names["service_name"], invocation.url.rstrip("/"), region),
            *entries.user(names["user"], home, names["project"], names["role"], chosen, change=password is not None),
        ]
    new = any(one.what == "user" and one.state == "created" for one in made)
    settings = {
        "auth_url": vim["interface"]["auth_url"],
        "username": names["user"],
        "password": chosen if new and password is None else "...",
        "user_domain": names["domain"],
        "project": names["project"],
        "project_domain": names["domain"],
    }
    document = {"entries": [one.document() for one in made], "settings": settings}
    show(invocation, document, lambda: f"{_shown(made)}\n\n{_settings(settings)}")
    if (urlsplit(invocation.url).hostname or "") in ("127.0.0.1", "::1", "localhost"):
        invocation.note("The address is this machine's own: clients elsewhere need one that they reach, by --url.")


def _shown(made: list[Made]) -> str:
    rows = [(click.style(one.state, fg=_STYLES.get(one.state)), one.what, one.name, one.id) for one in made]
    return table(("", "WHAT", "NAME", "ID"), rows, nothing="There is nothing of it.")


def _settings(settings: dict[str, str]) -> str:
    """The lines of a settings file."""
    lines = [f'{key} = "{value}"' for key, value in settings.items()]
    return "\n".join(('[identity]\nauth = "keystone"\n\n[keystone]', *lines))
