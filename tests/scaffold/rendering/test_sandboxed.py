"""Templates of a project: as capable as the product's, and confined."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold import overrides, places
from scaffold.errors import TemplateFailed
from scaffold.rendering.overrides import Override
from scaffold.rendering.render import render
from tests.draws import drawn
from tests.scaffold.rendered import ALL, spec_of

PAGE = "create/docs/handlers/KIND.md.j2"
SERVICE = "create/runtime/services/KIND/service.py.j2"
IMPORTS = "parts/imports.py.j2"
FOO = spec_of("foo")


def override(name: str, text: str) -> Override:
    return Override(name, text, PurePosixPath("templates", name))


def rendered(text: str, name: str = PAGE) -> str:
    """Return the result of a template of the project for foo."""
    return render(name, FOO, overrides=(override(name, text),))


@pytest.mark.parametrize("kind", drawn(ALL, 12))
def test_the_products_templates_give_the_same_in_the_sandbox(kind: str) -> None:
    own = tuple(override(*each) for each in overrides.product().items())
    for entry in (*places.CREATE, *places.EDIT):
        expected = render(entry.template, ALL[kind])
        assert render(entry.template, ALL[kind], overrides=own) == expected


def test_other_templates_stay_the_products() -> None:
    own = (override(PAGE, "# {{ title|upper }}\n"),)
    assert render(PAGE, FOO, overrides=own) == "# FOO\n"
    assert render(SERVICE, FOO, overrides=own) == render(SERVICE, FOO)


def test_a_part_is_used_by_every_template_that_includes_it() -> None:
    text = overrides.product()[IMPORTS]
    own = (override(IMPORTS, text + "from acme import tracing\n"),)
    service = overrides.product()[SERVICE].replace("\n\n@dataclass", "\n\n@tracing")
    both = (
        *own,
        override(SERVICE, service.replace("(frozen=True, slots=True)", "", 1)),
    )
    assert "from acme import tracing\n" in render(SERVICE, FOO, overrides=both)
    assert render(SERVICE, FOO, overrides=own) == render(SERVICE, FOO)


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ view.__class__ }}",
    "{{ view.__init__.__globals__ }}",
    "{{ view['__dict__'] }}",
    "{{ view.spec.to_toml() }}",
    "{{ view.spec.to_toml }}",
    "{{ 'a'.format(view) }}",
    "{{ '{0.__class__}'.format(view) }}",
    "{{ 'a'.upper() }}",
    "{{ [].append(1) }}",
    "{{ view|attr('__class__') }}",
    "{{ [view]|map(attribute='__class__')|list }}",
    "{{ [view]|sort(attribute='__class__.x') }}",
    "{{ [view]|join(attribute='__class__') }}",
    "{{ self.__init__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ cycler.__init__ }}",
    "{{ lipsum }}",
    "{{ config }}",
    "{{ range.__self__ }}",
    "{{ '%s' % view }}",
    "{% include '/etc/passwd' %}",
    "{% include '../pyproject.toml' %}",
    "{% include 'init/pyproject.toml.j2' ignore missing %}{{ 1 / 0 }}",
    "{% include 'create/../../pyproject.toml' %}",
    "{% extends view %}",
    "{{ view }}",
    "{{ [1] }}",
    "{{ missing }}",
    "{{ 1 / 0 }}",
    "{{ view.style.line_length + 'a' }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_a_way_out_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        rendered(f"# Foo\n\n{text}\n")
    assert (str(caught.value.path), caught.value.line) == (f"templates/{PAGE}", 3)


BOMBS = [
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999999) %}{% endfor %}",
    "{% for a in range(9999) %}" + "x" * 1000 + "{% endfor %}",
    "{{ 'a' * 999999999 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 'a'|indent(999999999, first=true) }}",
    "{{ '%999999999d' % 1 }}",
    "{{ 'a'|paragraphs(99999999) }}",
    "{% set a = 'x' * 1 %}",
    "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% macro f(x) %}{{ f(x ~ x) }}{% endmacro %}{{ f('0123456789') }}",
    "{% macro f(x) %}{{ f(x + x) }}{% endmacro %}{{ f('0123456789') }}",
    "{% macro f(x) %}{{ f(x|replace('a', 'aaaaaaaa')) }}{% endmacro %}{{ f('a') }}",
    "{% macro f(x) %}{{ f([x, x]|join) }}{% endmacro %}{{ f('a') }}",
    "{% include 'create/docs/handlers/KIND.md.j2' %}" * 2,
    "{% for a in [1, [2]] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:40])
def test_work_without_bounds_is_refused(text: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        rendered(text)
    assert str(caught.value.path) == f"templates/{PAGE}"


@pytest.mark.parametrize(
    "text", ["def (:\n", "x = (\n", "\0", "class Service:\n  x\n y\n", "x = 'é\n"]
)
def test_what_is_not_python_is_refused(text: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        rendered(text, SERVICE)
    assert str(caught.value.path) == f"templates/{SERVICE}"


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("{{ 'a' ~ 1 ~ 'b' }}", "a1b"),
        ("{{ 'a' + 'b' }}{{ 1 + 2 }}", "ab3"),
        ("{% for a in range(3) %}{{ loop.index }}{% endfor %}", "123"),
        ("{% for a in 'xy' %}{{ a }}{{ '' if loop.last else ',' }}{% endfor %}", "x,y"),
        ("{% set s = joiner('|') %}{{ s() }}a{{ s() }}b", "a|b"),
        ("{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f('a') }}", "<a>"),
        ("{{ {'a': 'b'}['a'] }}{{ 'ab'[1] }}", "bb"),
        ("{{ ['a', 'b']|join(', ') }}", "a, b"),
        ("{{ view.summary|length < 99 }}", "True"),
    ],
)
def test_what_templates_need_works(text: str, gives: str) -> None:
    assert rendered(text) == gives
