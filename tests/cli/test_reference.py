"""The help texts and docs/cli.md are complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fairlead.cli import group

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(of: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and its words; those that run the program (`serve` ...) are not of this room."""
    for name, command in of.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        elif path:
            yield (*path, name), command


ALL = dict(commands(group))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_says_what_it_does_and_takes(words: tuple[str, ...]) -> None:
    command = ALL[words]
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option) and not option.hidden)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_and_its_options_are_in_the_reference(words: tuple[str, ...]) -> None:
    head, action = f"fairlead {words[0]} ", words[-1]
    lines = [line for line in PAGE.splitlines() if head in line]
    assert any(action in line.split(head)[1].replace("|", " ").split() for line in lines), (
        f"{words} is not in docs/cli.md"
    )
    for option in ALL[words].params:
        if isinstance(option, click.Option) and not option.hidden:
            assert any(name in PAGE for name in option.opts), f"{option.opts} of {words} is not in docs/cli.md"


def test_every_exit_code_is_in_the_help_and_in_the_reference() -> None:
    shown = group.get_help(click.Context(group, info_name="fairlead"))
    for code in range(4):
        assert f"\n    {code}  " in shown
        assert f"| {code} |" in PAGE
