"""The generator, its templates and its output avoid the worst patterns of clumsy English.

A noun clause ("Whether it is enabled") in place of a noun or a verb, "is no number" for
"is not a number", and pronouns without a referent.
"""

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from scaffold import places
from scaffold.cli.application import scaffold
from scaffold.rendering.projects import project_files
from scaffold.rendering.render import render
from scaffold.spec.parse import parse

ROOT = Path(__file__).parent.parent
SPECS = (
    "runtime/services/foo/handler.toml",
    "runtime/services/hipchat/handler.toml",
    "tests/scaffold/specs/minimal.toml",
)

CLAUSE = r"(?:what|whatever|whether|how|where|which|who|whose|whom|why)\b"
CLUMSY = re.compile(
    rf"""
      \A \s* {CLAUSE} (?! [^.]* \?)              # the start of a docstring or message
    | "{{3}} {CLAUSE}                            # of a docstring in a template
    | ^ \s* [\w*]+ : [ ] {CLAUSE}                # of an attribute or argument
    | \| [ ]* {CLAUSE} (?! [ ] \w+ [ ]* \|)      # of a cell in a table
    | \b (?:is|are|was|were) [ ] no [ ] (?! longer\b)
    | \b (?:nobody|somebody|whoever) \b
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def texts_of(module):
    """Return the docstrings, messages and comments of a module."""
    for node in ast.walk(ast.parse(module)):
        match node:
            case ast.Constant(value=str(text)) if " " in text:
                yield text
    yield from re.findall(r"(?m)(?:^|\s)# (.*)", module)


def found_in(name, texts):
    return [
        f"{name}: {text[max(0, found.start() - 30) : found.end() + 30]!r}"
        for text in texts
        for found in CLUMSY.finditer(text)
    ]


def generated():
    files = project_files("alerts", "my-alerts")
    for path in SPECS:
        spec = parse((ROOT / path).read_text(), path)
        for file in places.files(spec.names, "runtime"):
            files[file.path] = render(file.template, spec, "runtime")
        for place in places.places(spec.names, "runtime"):
            yield place.path, [render(place.template, spec, "runtime")]
    for path, text in files.items():
        yield path, texts_of(text) if path.suffix == ".py" else [text]


@pytest.mark.parametrize(
    "text",
    [
        "Whether the answer means success.",
        "What one handler says.\n\n    Attributes:\n",
        "The table.\n\n        enabled: whether the service sends alerts.",
        "| `enabled` | bool | `false` | Whether the service sends alerts. |",
        '    """What to say about an answer."""',
        "5 is no string",
        "It is kept unless somebody edited it.",
    ],
)
def test_a_clumsy_text_is_found(text):
    assert found_in("text", [text])


@pytest.mark.parametrize(
    "text",
    [
        "Return True if the response means success.",
        "The file is no longer generated.",
        "Where next?",
        "is there no way?",
    ],
)
def test_a_plain_text_is_not_found(text):
    assert found_in("text", [text]) == []


def test_the_generator():
    modules = sorted((ROOT / "scaffold").rglob("*.py"))
    assert len(modules) > 50
    assert [x for m in modules for x in found_in(m, texts_of(m.read_text()))] == []


def openings(module):
    """Return the first lines of a module's docstrings."""
    for node in ast.walk(ast.parse(module)):
        match node:
            case (
                ast.Module()
                | ast.ClassDef()
                | ast.FunctionDef()
                | ast.AsyncFunctionDef()
            ):
                yield (ast.get_docstring(node) or "").partition("\n")[0]


def test_docstrings_of_the_runtime_open_with_a_noun_or_a_verb():
    modules = sorted((ROOT / "runtime").rglob("*.py"))
    assert len(modules) > 200
    clause = re.compile(rf"\A{CLAUSE}", re.IGNORECASE)
    lines = [(m, line) for m in modules for line in openings(m.read_text())]
    assert [each for each in lines if clause.match(each[1])] == []


def entries(module):
    """Return the first lines of the attributes and arguments in docstrings."""
    for node in ast.walk(ast.parse(module)):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                doc = ast.get_docstring(node) or ""
                for part in re.findall(
                    r"(?m)^(?:Attributes|Args):\n((?:    .*\n?)+)", doc
                ):
                    yield from re.findall(r"(?m)^    ([\w*]+: .*)", part)


# neither a clause ("whether it may be tried again") nor the rest of a phrase that begins
# with the name ("of the handler", "as it was sent")
ENTRY = re.compile(rf"[\w*]+: (?:{CLAUSE}|(?:when|of|by|as|told|that|beside)\b)")


@pytest.mark.parametrize(
    "entry",
    ["retry: whether it may succeed later", "due: when it is tried", "id: of the task"],
)
def test_an_entry_that_is_no_noun_phrase_is_found(entry):
    assert ENTRY.match(entry)


def test_attributes_and_arguments_of_the_runtime_are_noun_phrases():
    modules = sorted((ROOT / "runtime").rglob("*.py"))
    found = [(m, entry) for m in modules for entry in entries(m.read_text())]
    assert len(found) > 1000
    assert [each for each in found if ENTRY.match(each[1])] == []


def test_templates():
    templates = sorted((ROOT / "templates").rglob("*.j2"))
    assert len(templates) > 40
    assert [x for t in templates for x in found_in(t, [t.read_text()])] == []


def test_generated_files():
    texts = list(generated())
    assert len(texts) > 50
    assert [x for path, parts in texts for x in found_in(path, parts)] == []


def test_each_command_is_described_on_one_line():
    shown = CliRunner().invoke(scaffold, ["--help"]).output
    listed = shown.partition("Commands:")[2].strip().splitlines()
    assert len(listed) == len(scaffold.commands)
    assert [line for line in listed if re.search(r"\.\.\.|  (?:A|An|The) ", line)] == []


@pytest.mark.parametrize("page", ["scaffold", "specs", "handlers"])
def test_documentation(page):
    assert found_in(page, [(ROOT / f"docs/{page}.md").read_text()]) == []
