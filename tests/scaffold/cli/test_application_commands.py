"""docs/commands.md has the output of `--help`; `python FILE` writes it."""

from __future__ import annotations

from pathlib import Path

import click
from click.testing import CliRunner

from scaffold.cli.application import scaffold

PAGE = Path(__file__).parents[3] / "docs/commands.md"
HEAD = """\
# Commands

The help of every command, as `scaffold COMMAND --help` prints it. [The life of an integration](life.md) shows them at work.
"""


def page() -> str:
    """The page, made from the commands."""
    return HEAD + "".join(
        f"\n## scaffold {name}\n\n```\n{_help(name)}```\n"
        for name in sorted(scaffold.commands)
    )


def _help(name: str) -> str:
    done = CliRunner().invoke(
        scaffold, [name, "--help"], prog_name="scaffold", terminal_width=88
    )
    assert done.exit_code == 0
    return done.output


def test_the_page_shows_every_command() -> None:
    assert PAGE.read_text() == page(), f"write it with: python {__file__}"


def test_every_option_is_described() -> None:
    bare = [
        f"{name} {option.opts[0]}"
        for name, command in scaffold.commands.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert bare == []


if __name__ == "__main__":
    PAGE.write_text(page())
