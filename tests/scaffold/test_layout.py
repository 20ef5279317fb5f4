"""Lines that are too long get black's form."""

from __future__ import annotations

import pytest

from scaffold.rendering import layout
from scaffold.rendering.layout import fit_entry, fit_module

ENTRIES = [
    (
        '"{}": lambda services, options, context: from_spec(services.{}, options, context),',
        ("x = {\n", "}\n"),
        "    ",
    ),
    (
        '"{}": lambda node, services: from_tick(node.handlers_of({}Handler), services.{}),',
        ("x = {\n", "}\n"),
        "    ",
    ),
    (
        "from runtime.services.{}.handler import HandlerConfig as {}HandlerConfig",
        ("", ""),
        "",
    ),
    (
        "{} = {}Service(config.{}, client),".replace(" = ", "="),
        ("x(\n", ")\n"),
        "        ",
    ),
    ("{}: {}Config = setting({}Config(), key=name)", ("class X:\n", ""), "    "),
    (
        "@prop\ndef {}(self) -> HandlerService[{}HandlerConfig]:\n    return 1",
        ("class X:\n", ""),
        "    ",
    ),
]


@pytest.mark.parametrize("length", [1, 8, 12, 16, 20, 24, 28, 32, 36, 40])
@pytest.mark.parametrize(("entry", "frame", "indent"), ENTRIES)
def test_the_short_way_gives_what_black_gives(
    monkeypatch: pytest.MonkeyPatch,
    entry: str,
    frame: tuple[str, str],
    indent: str,
    length: int,
) -> None:
    text = entry.replace("{}", "n" * length) + "\n"
    quick = fit_entry(text, frame, indent)
    monkeypatch.setattr(layout, "_split", lambda text: "")
    monkeypatch.setattr(layout, "_fits", lambda text, width: False)
    assert quick == fit_entry(text, frame, indent)


def test_a_module_that_fits_is_left_alone() -> None:
    assert fit_module("x = {  'a':1 }\n") == "x = {  'a':1 }\n"


def test_a_module_with_a_long_line_is_formatted() -> None:
    text = f"x = f({'a' * 40}, {'b' * 40})\n"
    assert fit_module(text) == f"x = f(\n    {'a' * 40}, {'b' * 40}\n)\n"
