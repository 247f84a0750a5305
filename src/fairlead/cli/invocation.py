"""One run of the command: where the server is, who asks, and how answers are shown.

The global options are accepted before the object and after the action, because nobody remembers which side an option
belongs on: `fairlead -o json vnf list` and `fairlead vnf list -o json` are the same. `Command` is the class of all
commands that do so.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from fairlead.errors import BadRequest

if TYPE_CHECKING:
    from fairlead.client import Client, Credentials

__all__ = ["Command", "Invocation", "Object", "global_options", "pass_invocation"]

_WAYS = ("token", "token_file", "client_id")
DEFAULT_URL = "http://127.0.0.1:9890"


@dataclass
class Invocation:
    """The global options of this run, and the client made from them when the first request needs it."""

    url: str = DEFAULT_URL
    token: str | None = None
    token_file: str | None = None
    client_id: str | None = None
    client_secret_file: str | None = None
    ca_file: str | None = None
    output: str = "table"
    no_color: bool = field(default_factory=lambda: bool(os.environ.get("NO_COLOR")))
    chosen: str | None = None
    """Which of the ways to say who asks was typed; it counts before what the environment holds."""
    _client: Client | None = field(default=None, repr=False)

    @property
    def client(self) -> Client:
        """The API."""
        if self._client is None:
            from fairlead.client import Client

            self._client = Client(self.url, credentials=self._credentials(), ca_file=self.ca_file)
            click.get_current_context().find_root().call_on_close(self._client.close)
        return self._client

    @property
    def color(self) -> bool | None:
        """For `click.echo`: False where there must be no colours, None to let the stream decide."""
        return False if self.no_color else None

    @property
    def interactive(self) -> bool:
        """Whether somebody sits there who can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something that cannot be undone, unless told not to or nobody can answer. Raises Abort on no."""
        if not yes and self.interactive:
            click.confirm(question, abort=True, err=True)

    def note(self, text: str) -> None:
        """Tell the user something that is not the answer: on standard error, and for people only."""
        click.echo(text, err=True)

    def _credentials(self) -> Credentials | None:
        from fairlead.client import BearerToken, ClientCredentials

        ways = (self.chosen,) if self.chosen else _WAYS
        if self.token and "token" in ways:
            return BearerToken(self.token)
        if self.token_file and "token_file" in ways:
            return BearerToken(_secret(self.token_file, "token"))
        if self.client_id and "client_id" in ways:
            if not self.client_secret_file:
                raise BadRequest(
                    "A client id was given without the client's secret.",
                    code="no-client-secret",
                    remedy="Name the file that holds it with --client-secret-file.",
                )
            return ClientCredentials(self.client_id, _secret(self.client_secret_file, "client's secret"))
        return None


def _secret(path: str, what: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(
            f"The {what} cannot be read from {path}.", code="unreadable-file", place=path, cause=str(error)
        ) from error


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)


def global_options(*, defaults: bool) -> list[click.Parameter]:
    """The global options; with `defaults` those of the root, which read the environment, too."""

    def option(*names: str, env: str | None = None, hidden: bool = True, **more: Any) -> click.Option:
        return click.Option(
            names,
            expose_value=False,
            callback=_kept,
            envvar=env if defaults else None,
            show_envvar=defaults,
            hidden=hidden and not defaults,
            **more,
        )

    return [
        option("--url", env="FAIRLEAD_URL", help=f"Where the server is; {DEFAULT_URL} unless given."),
        option("--token", env="FAIRLEAD_TOKEN", help="The bearer token. Better in the environment or a file."),
        option("--token-file", env="FAIRLEAD_TOKEN_FILE", metavar="FILE", help="A file that holds the token."),
        option("--client-id", env="FAIRLEAD_CLIENT_ID", help="An OAuth2 client, in place of a token."),
        option(
            "--client-secret-file",
            env="FAIRLEAD_CLIENT_SECRET_FILE",
            metavar="FILE",
            help="A file that holds the OAuth2 client's secret.",
        ),
        option("--ca-file", env="FAIRLEAD_CA_FILE", metavar="FILE", help="Certificates to trust for https."),
        option(
            "-o",
            "--output",
            env="FAIRLEAD_OUTPUT",
            hidden=False,
            type=click.Choice(["table", "json", "yaml"]),
            help="How answers are shown; json and yaml are the API's documents, unchanged.",
        ),
        option("--no-color", is_flag=True, default=None, help="No colours. NO_COLOR in the environment does the same."),
    ]


def _kept(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is None:
        return
    invocation, name = context.ensure_object(Invocation), str(parameter.name)
    setattr(invocation, name, value)
    if name in _WAYS and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        invocation.chosen = name


class Command(click.Command):
    """An action: a command that takes the global options as well."""

    def __init__(self, name: str | None, *, params: list[click.Parameter] | None = None, **more: Any) -> None:
        super().__init__(name, params=[*(params or ()), *global_options(defaults=False)], **more)


class Object(click.Group):
    """An object: a group of actions."""

    command_class = Command
