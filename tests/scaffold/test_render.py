import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import black
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime.tick.parser import parse as parse_tick
from scaffold import places, prose
from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.layout.fit import fit_module
from scaffold.rendering.render import render
from scaffold.spec.parse import from_flags, parse
from scaffold.spec.toml import toml_text

ROOT = Path(__file__).parents[2]
SPECS = Path(__file__).parent / "specs"
BUNDLED = ("foo", "hipchat")
APIS = tuple(sorted(file.stem for file in (SPECS / "apis").iterdir()))


def spec_of(name):
    path = SPECS / f"{name}.toml"
    if name in APIS:
        path = SPECS / "apis" / f"{name}.toml"
    if name in BUNDLED:
        path = ROOT / "runtime/services" / name / "handler.toml"
    return parse(path.read_text(), str(path))


def created(spec, package="runtime"):
    return {
        str(file.path): render(file.template, spec, package)
        for file in places.files(spec.names, package)
    }


def registered(spec, package="runtime"):
    return {
        f"{place.path}: {place.place}": render(place.template, spec, package)
        for place in places.places(spec.names, package)
    }


FLAGS = (
    from_flags(Flags("tiny")),
    from_flags(Flags("one", fields=["room:str"])),
    from_flags(
        Flags(
            "many_words",
            fields=[
                "token:secret",
                "count:int=3",
                "who:list=a,b",
                "from:str",
                "x:float=1",
            ],
            config=[
                "wait:duration=10s",
                "labels:map=a=b",
                "url:url=http://x.example.com",
            ],
            options=["wake:flag", "extra:map", "after:duration"],
            is_global=True,
            state_changes_only=True,
            title="Many Words, Inc."[:10],
        )
    ),
)
PACKAGES = [f"runtime/services/{spec.names.kind}" for spec in FLAGS]
PACKAGES += [f"runtime/services/{name}" for name in APIS]
PACKAGES += ["runtime/services/minimal", "runtime/services/every_thing"]
ALL = (*map(spec_of, ("minimal", "everything", *APIS, *BUNDLED)), *FLAGS)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.names.kind)
def test_generated_code_is_as_black_leaves_it(spec):
    for path, text in created(spec).items():
        if path.endswith(".py"):
            assert black.format_str(text, mode=black.Mode()) == text, path
            assert fit_module(text) == text, path


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_handlers_are_what_the_templates_give(name):
    for path, text in created(spec_of(name)).items():
        assert (ROOT / path).read_text() == text, f"scaffold regenerate {name}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the runtime with the generated packages of several specs."""
    root = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "runtime", root / "runtime", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    for spec in ALL:
        if spec.names.kind not in BUNDLED:
            for path, text in created(spec).items():
                file = root / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
    return root


def run(tree, *command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tree, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_generated_code_passes_ruff(tree):
    run(tree, "ruff", "check", "tests", *PACKAGES)


def test_generated_code_passes_mypy_strict(tree):
    run(tree, "mypy", "--follow-imports", "silent", *PACKAGES)


def statements(text):
    """The statements of all functions, without docstrings."""
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
    ]
    bodies = [each for function in functions for each in function.body]
    return {
        ast.unparse(each)
        for each in bodies
        if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    }


def test_two_handlers_share_signatures_and_little_else():
    first, second = (
        statements(created(spec_of(name))[f"runtime/services/{name}/service.py"])
        for name in BUNDLED
    )
    assert first & second == {
        "return TestOptions(room=self.config.room)",
        "return (HandlerConfig(room=options.room), Event(topic='', state=state))",
    }


def test_examples_can_be_read():
    for spec in ALL:
        kind = spec.names.kind
        files = created(spec)
        assert tomllib.loads(files[f"examples/{kind}/{kind}.conf"])[kind]["enabled"]
        assert yaml.safe_load(files[f"examples/{kind}/{kind}.yaml"])["kind"] == kind
        parse_tick(files[f"examples/{kind}/{kind}.tick"])


def test_places_have_their_fragments():
    for spec in ALL:
        for place, text in registered(spec).items():
            assert text.strip(), place
            assert text.endswith("\n"), place


def test_handlers_may_be_in_a_package_of_their_own():
    for path, text in created(spec_of("everything"), "alerts").items():
        assert "runtime" not in path
        if path.endswith(".py"):
            assert "from runtime.services.every_thing" not in text


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
    """What a person may write of `value`: all of it that is no control character."""
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


BENIGN = hostile_spec("word")
SHAPES = {
    path: shape(text) for path, text in created(BENIGN).items() if path.endswith(".py")
}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
@example('"""')
@example('x"\nimport os')
@example("$")
def test_no_value_of_a_spec_becomes_code(value):
    try:
        spec = hostile_spec(value)
    except SpecError as error:
        assert "looks like a token" in str(error)
        return
    for path, text in created(spec).items():
        if path.endswith(".py"):
            assert shape(text) == SHAPES[path], path
    assert value in constants(created(spec)["runtime/services/hostile/service.py"])
    assert value in constants(created(spec)["runtime/services/hostile/config.py"])


PROSE = [
    *HOSTILE,
    'x\\"\\"\\"\\nimport os',
    'say "hi"',
    "tail\\\\",
    "%(x)s",
    "<script>",
    "a|b",
]


@pytest.mark.parametrize("value", PROSE)
def test_hostile_words_come_out_of_docstrings_unchanged(value):
    spec = hostile_spec(value)
    files = created(spec)
    said = prose.sentence(prose.folded(words_of(value)))
    folder = "runtime/services/hostile"
    doc = ast.get_docstring(class_of(files[f"{folder}/service.py"], "Service"))
    assert prose.folded(doc) == prose.started(said)
    doc = ast.get_docstring(ast.parse(files[f"{folder}/__init__.py"]))
    assert doc == f"The {spec.title} integration."
    for name, each in (("config", "Config"), ("handler", "HandlerConfig")):
        doc = ast.get_docstring(class_of(files[f"{folder}/{name}.py"], each))
        assert said in prose.folded(doc)
    for path, text in files.items():
        if path.endswith(".py"):
            assert black.format_str(text, mode=black.Mode()) == text, path


def class_of(text, name):
    return next(
        each
        for each in ast.parse(text).body
        if isinstance(each, ast.ClassDef) and each.name == name
    )


@pytest.mark.parametrize("value", PROSE)
def test_hostile_words_stay_one_line_of_markdown_and_comments(value):
    files, places = created(hostile_spec(value)), registered(hostile_spec(value))
    page = files["docs/handlers/hostile.md"]
    said = [line for line in page.split("\n") if "words" in line]
    assert said
    assert "<script>" not in "\n".join(said)
    benign = created(BENIGN)["docs/handlers/hostile.md"]
    assert page.count("\n") == benign.count("\n")
    conf = next(text for place, text in places.items() if place.startswith("etc/"))
    tomllib.loads(conf)
    index = next(text for place, text in places.items() if "docs/handlers.md" in place)
    assert index.count("\n") == 1
    assert "](handlers/hostile.md)" in index


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_come_out_of_sample_files_unchanged(value):
    config = tomllib.loads(
        created(hostile_spec(value))["examples/hostile/hostile.conf"]
    )
    assert config["hostile"]["text"] == value
