"""Texts sent by servers cannot control the terminal that lists them."""

from __future__ import annotations

import io

import pytest

from runtime.client import __main__ as client
from runtime.client.terminal import Shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb\x9bc\x7f\x08", "a\\rb\\x9bc\\x7f\\x08"),
        ("\u202egpj.exe \u2066x", "\\u202egpj.exe \\u2066x"),
        ("ID\tLevel\nä 日本 €\n", "ID\tLevel\nä 日本 €\n"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    out = io.StringIO()
    print(text, end="", file=Shown(out))
    assert out.getvalue() == shown


def test_every_command_prints_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(arguments: list[str]) -> int:
        print("\x1b]0;title\x07")
        client.sys.stderr.write("\x1b[2J")
        return 3

    monkeypatch.setattr(client, "run", run)
    monkeypatch.setattr("sys.stdout", client.sys.stdout)
    monkeypatch.setattr("sys.stderr", client.sys.stderr)
    with pytest.raises(SystemExit) as ended:
        client.main()
    assert ended.value.code == 3
    assert capsys.readouterr() == ("\\x1b]0;title\\x07\n", "\\x1b[2J")
