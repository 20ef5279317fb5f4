"""No value of a spec can escape from its quotes."""

import ast
import functools
import tomllib

import black
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scaffold import prose
from scaffold.errors import SpecError
from scaffold.spec.parse import parse
from scaffold.spec.toml import toml_text
from tests.draws import drawn
from tests.examples import share
from tests.scaffold.rendered import created, registered

HOSTILE = (
    '"', "'", '"""', "'''", "\\", '\\"', "x\"\nimport os", "# a\rimport os", "\x00", "\r\n",
    "{", "}", "{{ 7 * 7 }}", "{% raw %}", "${", "%s", "{event}", "\N{RIGHT-TO-LEFT OVERRIDE}",
    "\u2028", "\x85", "\x0c", "\\N{BULLET}", "__import__('os').system('x')", "');x=('",
    "é", "\U0001f600", "a" * 200, "\\x41", "\\u0041", "rb''", "\ufeff", "\x7f", "\ud7ff",
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join),
)


def hostile_spec(value):
    """A spec with `value` wherever a text may stand, and the same in an expression."""
    plain = toml_text(value.replace("${", "$${"))
    inside = toml_text("${" + repr(value) + "}")
    # with a space between: a `$` just before `${` makes that a text
    mixed = toml_text(value.replace("${", "$${") + " ${event.id}")
    said = toml_text(words_of(value))
    return parse(f"""
[handler]
name = "hostile"
title = {toml_text("T " + words_of(value)[:50])}
summary = {said}
[config]
doc = {{ doc = {said} }}
url  = {{ required = "enabled", error = {plain}, check = "url", check_error = {plain} }}
text = {{ default = {toml_text(value)}, check = "config.text != 1", check_error = {plain} }}
list = {{ type = "list", default = [{toml_text(value)}] }}
map  = {{ type = "map", default = {{ {toml_text(value)} = {toml_text(value)} }} }}
[option]
text = {{ default = "config.text" }}
more = {{ initial = {toml_text(value)}, doc = {said} }}
[level.color]
OK = {toml_text(value)}
default = {toml_text(value)}
[let]
word = {mixed}
[[check]]
that = {toml_text(repr(value) + " != event.id")}
error = {mixed}
[[request]]
url = "${{config.url}}"
path = [{plain}, {mixed}, {inside}]
query = {{ a = {plain}, b = {mixed} }}
[request.json]
plain = {plain}
inside = {inside}
mixed = {mixed}
word = "${{word}}"
color = "${{level.color}}"
more = "${{opt.more}}"
list = [{plain}, {{ "@for" = "x in config.list", a = "${{x}}", b = {plain} }}]
"empty?" = {plain}
[response]
error = {plain}
message = {toml_text(value.replace("${", "$${") + " ${status}${error}")}
unparsable = {plain}
[test]
message = {{ value = {plain}, feeds = "event.message", doc = {said} }}
more = {plain}
[[example]]
name = {toml_text(value)}
config = {{ text = {toml_text(value)} }}
options = {{ text = {toml_text(value)} }}
event = {{ id = {toml_text(value)}, tags = {{ a = {toml_text(value)} }} }}
want = {{ json = {{ a = {toml_text(value)} }} }}
""")


def words_of(value):
    """Return the part of `value` that specs allow, without control characters."""
    kept = (each if not prose.forbidden(each) else "" for each in value)
    return "words " + "".join(kept)[:400]


class Shape(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.Constant(type(node.value).__name__)

    def visit_FunctionDef(self, node):
        name = node.name if "example_" not in node.name else "example"
        node.name = name
        return self.generic_visit(node)


def shape(text):
    return ast.dump(Shape().visit(ast.parse(text)))


def constants(text):
    return {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
    }


@functools.lru_cache(maxsize=64)
def rendered(value):
    """The spec with `value` in it, and its files."""
    spec = hostile_spec(value)
    return spec, created(spec)


@functools.cache
def shapes():
    """The shapes of the modules of a harmless spec."""
    return {path: shape(text) for path, text in modules(rendered("word")[1])}


def modules(files):
    return [(path, text) for path, text in files.items() if path.endswith(".py")]


@settings(max_examples=share(1 / 5))
@given(VALUES)
@example('"""')
@example('x"\nimport os')
@example("$")
def test_no_value_of_a_spec_becomes_code(value):
    try:
        _, files = rendered(value)
    except SpecError as error:
        assert "looks like a token" in str(error)
        return
    for path, text in modules(files):
        assert shape(text) == shapes()[path], path
    assert value in constants(files["runtime/services/hostile/service.py"])
    assert value in constants(files["runtime/services/hostile/config.py"])


PROSE = [
    *HOSTILE,
    'x\\"\\"\\"\\nimport os',
    'say "hi"',
    "tail\\\\",
    "%(x)s",
    "<script>",
    "a|b",
]


@pytest.mark.parametrize("value", drawn(PROSE, 13))
def test_hostile_words_come_out_of_docstrings_unchanged(value):
    spec, files = rendered(value)
    said = prose.sentence(prose.folded(words_of(value)))
    folder = "runtime/services/hostile"
    doc = ast.get_docstring(class_of(files[f"{folder}/service.py"], "Service"))
    assert prose.folded(doc) == prose.started(said)
    doc = ast.get_docstring(ast.parse(files[f"{folder}/__init__.py"]))
    assert doc == f"The {spec.title} integration."
    for name, each in (("config", "Config"), ("handler", "HandlerConfig")):
        doc = ast.get_docstring(class_of(files[f"{folder}/{name}.py"], each))
        assert said in prose.folded(doc)
    for path, text in modules(files):
        assert black.format_str(text, mode=black.Mode()) == text, path


def class_of(text, name):
    return next(
        each
        for each in ast.parse(text).body
        if isinstance(each, ast.ClassDef) and each.name == name
    )


@pytest.mark.parametrize("value", PROSE)
def test_hostile_words_stay_one_line_of_markdown_and_comments(value):
    spec, files = rendered(value)
    places = registered(spec)
    page = files["docs/handlers/hostile.md"]
    said = [line for line in page.split("\n") if "words" in line]
    assert said
    assert "<script>" not in "\n".join(said)
    benign = rendered("word")[1]["docs/handlers/hostile.md"]
    assert page.count("\n") == benign.count("\n")
    conf = next(text for place, text in places.items() if place.startswith("etc/"))
    tomllib.loads(conf)
    index = next(text for place, text in places.items() if "docs/handlers.md" in place)
    assert index.count("\n") == 1
    assert "](handlers/hostile.md)" in index


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_come_out_of_sample_files_unchanged(value):
    config = tomllib.loads(rendered(value)[1]["examples/hostile/hostile.conf"])
    assert config["hostile"]["text"] == value
