"""The template lines that generated lines come from."""

from __future__ import annotations

import re

import pytest

from scaffold import places
from scaffold.layout.style import PLAIN
from scaffold.rendering.product import templates_path
from scaffold.rendering.render import render
from scaffold.rendering.traces import origins
from tests.scaffold.rendered import ALL, spec_of

KINDS = ("minimal", "everything", "foo", "hipchat")
# words of a template's line that are written as they are
PLAIN_WORD = re.compile(r"[A-Za-z_]{4,}")


def text_of(template: str, line: int) -> str:
    return (templates_path() / template).read_text().split("\n")[line - 1]


def literal(line: str) -> set[str]:
    """The words of a template's line that are written in any case."""
    return (
        set()
        if "{%" in line
        else set(PLAIN_WORD.findall(re.sub(r"\{[{%].*?[}%]\}", " ", line)))
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("entry", places.CREATE, ids=lambda entry: entry.template)
def test_every_line_is_like_its_template(kind: str, entry: places.File) -> None:
    spec = spec_of(kind)
    text = render(entry.template, spec)
    found = origins(entry.template, spec, "runtime", PLAIN, ())
    lines = text.split("\n")
    assert len(found) == len(lines)
    unlike = [
        (line, origin)
        for line, origin in zip(lines, found, strict=True)
        if origin is not None and origin.is_sure and line.strip()
        # one line of a template may become several
        if not all(word in text for word in literal(text_of(*origin[:2])))
    ]
    assert unlike == []
    known = [origin for line, origin in zip(lines, found, strict=True) if line.strip()]
    imports = sum(line.startswith(("import ", "from ", "    ")) for line in lines)
    assert known.count(None) <= imports


@pytest.mark.parametrize(
    ("template", "line", "origin"),
    [
        ("create/docs/handlers/KIND.md.j2", "# Foo", "# {{ title|markdown }}"),
        (
            "create/runtime/services/KIND/service.py.j2",
            '    kind: ClassVar[str] = "foo"',
            '    kind: ClassVar[str] = "{{ kind }}"',
        ),
        (
            "create/runtime/services/KIND/service.py.j2",
            '    """Posts alert messages to a room of a Foo server."""',
            '    """{{ view.sentence|docstring|paragraphs(4) }}"""',
        ),
        (
            "create/examples/KIND/KIND.conf.j2",
            "  enabled = true",
            "  enabled = true",
        ),
    ],
)
def test_a_line_is_found(template: str, line: str, origin: str) -> None:
    spec = ALL["foo"]
    number = render(template, spec).split("\n").index(line)
    found = origins(template, spec, "runtime", PLAIN, ())[number]
    assert found is not None
    assert found.is_sure
    assert text_of(found.template, found.line) == origin


def test_a_line_of_a_part_names_the_part() -> None:
    template = "create/runtime/services/KIND/service.py.j2"
    lines = render(template, ALL["foo"]).split("\n")
    number = lines.index('    message: str = "test foo message"')
    found = origins(template, ALL["foo"], "runtime", PLAIN, ())[number]
    assert found is not None
    assert found.template == "parts/declaration.py.j2"
