"""Lines that are too long get black's form, without black where that is possible."""

from __future__ import annotations

import subprocess
import sys

import black
import pytest

from scaffold.layout import fit
from scaffold.layout.fit import fit_entry, fit_module
from scaffold.layout.style import Style, by_black

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
    ("{}={}Service(config.{}, client),", ("x(\n", ")\n"), "        "),
    ("{}: {}Config = setting({}Config(), key=name)", ("class X:\n", ""), "    "),
    (
        "@prop\ndef {}(self) -> HandlerService[{}HandlerConfig]:\n    return 1",
        ("class X:\n", ""),
        "    ",
    ),
]


def framed(text: str, frame: tuple[str, str], style: Style) -> str:
    """Return an entry as black formats it in its frame, one level deep."""
    head, tail = frame
    inner = "".join(f"    {line}\n" for line in text.splitlines())
    return by_black(f"{head}{inner if head else text}{tail}", style)


@pytest.mark.parametrize("limit", [60, 79, 88, 120])
@pytest.mark.parametrize("length", [1, 8, 12, 16, 20, 24, 28, 32, 36, 40])
@pytest.mark.parametrize(("entry", "frame", "indent"), ENTRIES)
def test_entries_are_laid_out_as_black_does(
    entry: str, frame: tuple[str, str], indent: str, length: int, limit: int
) -> None:
    text = entry.replace("{}", "n" * length) + "\n"
    style = Style(line_length=limit)
    deeper = Style(line_length=limit - len(indent) + 4) if frame[0] else style
    made = fit_entry(text, frame, indent, style)
    assert framed(made, frame, deeper) == framed(text, frame, deeper)
    inner = "".join(f"    {line}\n" for line in made.splitlines())
    head, tail = frame
    assert framed(text, frame, deeper) == f"{head}{inner if head else made}{tail}"


def test_a_module_that_fits_is_left_alone() -> None:
    assert fit_module("x = {  'a':1 }\n") == "x = {  'a':1 }\n"


def test_a_module_with_a_long_line_is_laid_out() -> None:
    text = f"x = f({'a' * 40}, {'b' * 40})\n"
    assert fit_module(text) == f"x = f(\n    {'a' * 40}, {'b' * 40}\n)\n"


CALL = '''\
def f():
    """Docs."""
    if x:
        return Request("POST", {}, body=encode(body),)
    return (1,)
'''


def test_a_call_with_a_comma_at_its_end_is_opened_only_if_it_is_too_long() -> None:
    assert '    return Request("POST", url, body=encode(body))\n' in fit_module(
        CALL.format("url")
    )
    assert fit_module(CALL.format("u" * 50)) == CALL.format("u" * 50).replace(
        f'("POST", {"u" * 50}, body=encode(body),)',
        f'(\n            "POST",\n            {"u" * 50},\n'
        "            body=encode(body),\n        )",
    )


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("通知" * 10, 40),
        ("é" * 40, 40),
        ("ｆｕｌｌ" * 5, 40),
    ],
)
def test_width_is_counted_as_black_counts_it(text: str, columns: int) -> None:
    for more in range(3):
        source = f'raise ConfigError("{text}", {"n" * (68 - columns + more)})\n'
        assert fit_module(source) == by_black(source, Style())


@pytest.mark.parametrize(
    "text", ["e\N{COMBINING ACUTE ACCENT}" * 25, "\U0001f600" * 30]
)
def test_where_versions_of_black_differ_about_a_width_black_is_asked(text: str) -> None:
    source = f'raise ConfigError("{text}", {"n" * 12})\n'
    assert fit_module(source) == by_black(source, Style())


@pytest.mark.parametrize(
    "style",
    [
        Style(keeps_trailing_commas=False),
        Style(line_length=79),
        Style(is_preview=True, line_length=100),
        Style(normalizes_strings=False, line_length=60),
        Style(targets=("py311",)),
    ],
    ids=["magic", "79", "preview", "strings", "target"],
)
def test_the_settings_of_the_project_count(style: Style) -> None:
    text = f"x = f(aaaaaaaaaaaaaaaaaaaaaaaa, {'b' * 30}, key=cccccccccccccc)\n"
    text += "y = [\n    1,\n    2,\n]\n"
    mode = black.Mode(
        line_length=style.line_length,
        magic_trailing_comma=style.keeps_trailing_commas,
        string_normalization=style.normalizes_strings,
        preview=style.is_preview,
    )
    assert fit_module(text, style) == black.format_str(text, mode=mode)


FORMS = [
    "x = {a} or {b} or {c}",
    "return {a} if {b} else {c}",
    "action = {a} if {b} in ('x', 'y') else {c} if {b} else {a} if {c} else 'z'",
    'script = ".foo({a}{b}{c})"',
    "return {a}, Event({b}, {c})",
    "def request(self, {a}: str, {b}: int, {c}: Event) -> Request | None:\n    return {a}",
    "if {a} and not {b} and {c}:\n    pass",
    "assert request.headers.items() >= {{{a}: {b}, 'x': {c}}}.items()",
    "raise DeliveryError(f'{{{a}}} and {{{b}}}', {c})",
    "cases = [\n    (500, '{a}', '{b}'),\n    (1, '{a}', '{a} {b} {c}'),\n]",
    "cases = [\n    Case(usual, options=Options({a}='', {b}=2), changes={{'{c}': 1}}),\n]",
    "def f() -> None:\n    cases = [\n        Case(1),\n        Case({a}, o=f({b}, x={c})),\n    ]",
    "@parametrize(\n    ('a', 'b'),\n    [\n        ({a}, {b}, {{'x': '{c}'}}),\n    ],\n)\ndef f(): ...",
    "x: dict[str, str] = {{**given({a}, {b}), 'y': [each for each in {c} if each]}}",
]


@pytest.mark.parametrize("form", FORMS)
def test_what_templates_write_needs_no_black(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = form.replace("'", '"').format(a="a" * 40, b="b" * 40, c="c" * 15) + "\n"
    want = by_black(text, Style())
    assert want != text or form.startswith("script")
    monkeypatch.setattr(fit, "by_black", None)
    assert fit_module(text) == want


def test_black_is_not_imported_for_lines_that_are_laid_out_here() -> None:
    code = (
        "import sys; from scaffold.layout.fit import fit_module;"
        "fit_module('x = f(' + 'a' * 50 + ', ' + 'b' * 50 + ')\\n');"
        "assert 'black' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
