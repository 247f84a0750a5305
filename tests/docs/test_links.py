"""What the documents refer to is there: files, headings, commands with their options, scripts, settings, metrics, paths."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from fairlead.main import cli
from fairlead.settings import names

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "samples").glob("*/README.md")),
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
SYNTAX = re.compile(r"[\[\]|<>]|\.\.\.|\bACTION\b")
"""What a synopsis has and a command line does not."""


def lines_of(page: Path) -> Iterator[tuple[str, str]]:
    """Every line or piece of code, with its place."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{page.relative_to(ROOT)}:{number}"
        if line.startswith("    "):
            yield place, line.strip()
        else:
            yield from ((place, code) for code in CODE.findall(line))


def written() -> Iterator[tuple[str, str]]:
    """All that begins like a command of ours."""
    for page in PAGES:
        for place, line in lines_of(page):
            typed = line.split("  #")[0].strip().removesuffix("&").split(" > ")[0].strip()
            command = re.search(r"(?:^|\s)(?:\S*/bin/)?(fairlead( .*)?)$", typed)
            if command is not None:
                yield place, command[1]


def is_synopsis(line: str) -> bool:
    return SYNTAX.search(re.sub(r"'[^']*'|\"[^\"]*\"|\S*:\.\.\.\S*", "", line)) is not None


COMMANDS = [(place, line) for place, line in written() if not is_synopsis(line)]
SYNOPSES = [(place, line) for place, line in written() if is_synopsis(line)]


def check(words: list[str]) -> None:
    """Have click read `words` as it would from the shell, without doing anything. Raises click's UsageError."""
    command: click.Command = cli
    context = click.Context(command, info_name="fairlead", resilient_parsing=False)
    options: list[str] = []
    while isinstance(command, click.Group) and words:
        name, *words = words
        if name.startswith("-"):
            options.append(name)
            continue
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r} in {context.command_path!r}"
        command = found
        context = click.Context(command, info_name=name, parent=context)
    for option in options:
        assert any(option in parameter.opts for parameter in cli.params), option
    if not isinstance(command, click.Group):
        parser = command.make_parser(context)
        values, rest, _ = parser.parse_args(list(words))
        assert not rest, f"{rest} is too much"
        _complete(command, values)


def _complete(command: click.Command, values: dict[str, Any]) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and parameter.required:
            assert values.get(str(parameter.name)), f"{parameter.human_readable_name} is missing"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} in {page.name}"
        assert there.is_relative_to(ROOT), f"{target} in {page.name} leads out of the repository"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("place", "line"), COMMANDS, ids=lambda text: text)
def test_every_command_line_can_be_read_by_the_command(place: str, line: str) -> None:
    del place
    check(shlex.split(line)[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_script_file_and_test_folder_that_is_named_exists(page: Path) -> None:
    for place, code in lines_of(page):
        for named in re.findall(r"(?<![\w./-])((?:scripts|samples|tests|docs|\.ci)/[\w./-]+)", code):
            assert (ROOT / named.rstrip(".")).exists(), f"{place}: {named}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(page: Path) -> None:
    groups = {name.partition(".")[0] for name in names() if "." in name} - {"events", "vims", "packages", "identity"}
    for place, code in lines_of(page):
        named = re.match(r"([a-z]+\.[a-z_]+)(?: = .*)?$", code)
        if named and named[1].partition(".")[0] in groups and not named[1].endswith((".md", ".py")):
            assert named[1] in names() or named[1].startswith("operation."), f"{place}: {named[1]}"


@pytest.mark.parametrize(("place", "line"), SYNOPSES, ids=lambda text: text)
def test_every_synopsis_is_of_commands_and_options_that_exist(place: str, line: str) -> None:
    del place
    first = line.split()[1]
    if first.isupper():
        return
    command = cli.commands[first]
    known = {name for one in (command, *_within(command)) for option in one.params for name in option.opts}
    known |= {name for one in _within(command) for option in one.params for name in option.secondary_opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= known


def _within(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        for one in command.commands.values():
            yield one
            yield from _within(one)


def test_there_are_command_lines_to_look_at() -> None:
    assert len(COMMANDS) > 40
    assert len(SYNOPSES) > 20
