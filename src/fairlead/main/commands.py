"""The commands that run the program, `serve`, `api` and `worker`, and those that ask it about itself.

They import the program when they are called, so that every other command starts quickly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from fairlead.cli import group

__all__ = ["cli"]

cli = group


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--config", metavar="FILE", help="Settings as TOML; see docs/settings.md."),
        click.option("--data", metavar="DIR", help="Directory for the database, packages and the master key."),
        click.option("--database", metavar="URL", help="postgresql://... in place of SQLite in the data directory."),
        click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error."),
        click.option("--log-format", metavar="FORMAT", help="console or json."),
    ):
        command = option(command)
    return command


def _listen_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--host", metavar="ADDRESS", help="Address to listen on; loopback unless given.")(command)
    return click.option("--port", type=int, metavar="PORT", help="Port to listen on; 9890 unless given.")(command)


@cli.command("serve")
@_options
@_listen_options
def serve_command(**options: Any) -> None:
    """Run Fairlead: API and worker in one process.

    Listens on loopback unless told otherwise, and prints a first token once.
    """
    from fairlead.main.serving import serve

    asyncio.run(serve(_settings(options), works=True))


@cli.command("api")
@_options
@_listen_options
def api_command(**options: Any) -> None:
    """Run the API alone, beside workers on the same PostgreSQL."""
    from fairlead.main.serving import serve

    settings = _settings(options)
    _require_postgresql(settings, "api")
    asyncio.run(serve(settings, works=False))


@cli.command("worker")
@_options
@click.option("--host", metavar="ADDRESS", help="Address to listen on; loopback unless given.")
@click.option("--status-port", type=int, metavar="PORT", help="Answer /health, /ready and /metrics here.")
def worker_command(**options: Any) -> None:
    """Run a worker alone; any number may share one PostgreSQL."""
    from fairlead.main.serving import work

    settings = _settings(options)
    _require_postgresql(settings, "worker")
    asyncio.run(work(settings))


@cli.group("policy")
def policy_group() -> None:
    """Who may do what: the rules of the API."""


@policy_group.command("sample")
def sample_command() -> None:
    """Print a policy.yaml with every rule, its default and the requests that it is of."""
    from fairlead.api import all_rules, sample

    click.echo(sample(all_rules()), nl=False)


@policy_group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_command(file: Path) -> None:
    """Read the rules in FILE as the server does, and say where they are wrong."""
    from fairlead.api import all_rules
    from fairlead.identity import Policy

    Policy(all_rules(), file)
    click.echo(f"{file} is right.")


def _settings(options: dict[str, Any]) -> Any:
    """The settings from file, environment and these options, with logging set up."""
    from fairlead.main.logs import set_up_logging
    from fairlead.settings import load_settings

    config = options.pop("config", None)
    names = {
        "data": "data",
        "database": "store.url",
        "log_level": "log.level",
        "log_format": "log.format",
        "host": "server.host",
        "port": "server.port",
        "status_port": "server.status_port",
    }
    given = {names[name]: value for name, value in options.items() if value is not None}
    settings = load_settings(config, overrides=given)
    set_up_logging(settings.log)
    return settings


def _require_postgresql(settings: Any, command: str) -> None:
    from fairlead.errors import FairleadError

    if not settings.store.url.startswith("postgres"):
        raise FairleadError(
            f"'fairlead {command}' shares its work with other processes, which SQLite does not allow.",
            code="postgresql-needed",
            remedy="Give --database postgresql://..., or run 'fairlead serve'.",
        )
