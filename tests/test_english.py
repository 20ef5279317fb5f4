"""Docstrings, messages, help and pages avoid the worst patterns of clumsy English.

A noun clause ("Whether it is enabled") in place of a noun or a verb, "is no" for "is not
a", pronouns without a referent, and unusual words for common terms.
"""

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from runtime.services.httpd.openapi_operations import OPERATIONS, PARAMETERS
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
    | \| [ ]+ {CLAUSE} (?! (?: [ ] \w+ )? [ ]* \|)  # of a cell in a table
    | (?<! there [ ] ) \b (?:is|are|was|were) [ ] no [ ] (?! longer\b)
    | \b (?:nobody|somebody|whoever) \b
    | so [ ] manieth | \b any [ ] more \b (?! [ ] than) | \b for [ ] ever \b
    | \b of [ ] no [ ] use \b | \b in [ ] circles \b | \b belongs? [ ] into \b
    | \b whole [ ] numbers? \b | \b (?:small|capital) [ ] letters \b
    | \b in [ ] the [ ] place [ ] of \b
    | \b tells \b | \b anew \b                 # shows, names, emits; again
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


LEVELS = frozenset(("debug", "info", "warning", "error", "exception"))


class Texts(NamedTuple):
    """The texts of a module: strings, docstrings, messages of loggers."""

    strings: list[str]
    docstrings: list[str]
    logged: list[str]


@functools.cache
def read(module):
    """Return the texts of a module; each is parsed once for all tests."""
    texts = Texts([], [], [])
    for node in ast.walk(ast.parse(module)):
        match node:
            case ast.Constant(value=str(text)) if " " in text:
                texts.strings.append(text)
            case (
                ast.Module()
                | ast.ClassDef()
                | ast.FunctionDef()
                | ast.AsyncFunctionDef()
            ):
                texts.docstrings.append(ast.get_docstring(node) or "")
            case ast.Call(
                ast.Attribute(ast.Name("log" | "_log"), level),
                [ast.Constant(value=str(text)), *_],
            ) if (
                level in LEVELS
            ):
                texts.logged.append(text)
    return texts


def comments(module):
    return re.findall(r"(?m)(?:^|\s)# (.*)", module)


def texts_of(module):
    """Return the docstrings, messages and comments of a module."""
    return [*read(module).strings, *comments(module)]


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
        "every so manieth point",
        "lower case: put it in the place of the other",
        "The report tells its state.",
        "The line is laid out anew.",
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
        "There is no topic cpu.",
        "| refused | why | instead |",
    ],
)
def test_a_plain_text_is_not_found(text):
    assert found_in("text", [text]) == []


def test_the_generator():
    modules = sorted((ROOT / "scaffold").rglob("*.py"))
    assert len(modules) > 50
    assert [x for m in modules for x in found_in(m, texts_of(m.read_text()))] == []


def test_the_runtime():
    modules = sorted((ROOT / "runtime").rglob("*.py"))
    assert len(modules) > 200
    assert [x for m in modules for x in found_in(m, texts_of(m.read_text()))] == []


@pytest.mark.parametrize(
    ("folder", "least"), [("tests", 400), ("bench", 10), ("examples", 1)]
)
def test_tests_and_benchmarks(folder, least):
    modules = sorted((ROOT / folder).rglob("*.py"))
    found = []
    # their other strings are data
    for module in modules:
        text = module.read_text()
        found += found_in(module, [*read(text).docstrings, *comments(text)])
    assert len(modules) >= least
    assert found == []


def entries(module, sections):
    """Return the first lines of the entries of sections in docstrings."""
    section = re.compile(rf"(?m)^(?:{sections}):\n((?:    .*\n?)+)")
    for doc in read(module).docstrings:
        for part in section.findall(doc):
            yield from re.findall(r"(?m)^    ([\w.*]+: .*)", part)


# neither a clause ("whether it may be tried again") nor the rest of a phrase that begins
# with the name ("of the handler", "as it was sent")
ENTRY = re.compile(
    rf"[\w*]+: (?:{CLAUSE}|(?:when|of|by|as|in|below|told|that|beside|it is|it may)\b)"
)
# only the end of a sentence that began in the summary: "Check that it fits." "it does."
ELLIPSIS = re.compile(
    r"[\w.]+: (?:(?:it|they|one|that|there|this|none)"
    r" (?:is|are|does|do|would|cannot|can|has|have)"
    r"(?: not| none| one| wrong| too much| such| it)?|always|the same)\."
)


@pytest.mark.parametrize(
    "entry",
    ["retry: whether it may succeed later", "due: when it is tried", "id: of the task"],
)
def test_an_entry_that_is_no_noun_phrase_is_found(entry):
    assert ENTRY.match(entry)


@pytest.mark.parametrize("entry", ["KeyError: there is none.", "ValueError: it does."])
def test_an_entry_that_is_the_end_of_a_sentence_is_found(entry):
    assert ELLIPSIS.match(entry)


@pytest.mark.parametrize(
    ("package", "sections", "clumsy", "least"),
    [
        ("runtime", "Attributes|Args", ENTRY, 1000),
        ("runtime", "Raises", ELLIPSIS, 300),
        ("scaffold", "Attributes|Args", ENTRY, 500),
        ("scaffold", "Raises", ELLIPSIS, 60),
    ],
    ids=["runtime", "runtime-errors", "scaffold", "scaffold-errors"],
)
def test_entries_of_docstrings_are_phrases_of_their_own(
    package, sections, clumsy, least
):
    modules = sorted((ROOT / package).rglob("*.py"))
    found = [(m, each) for m in modules for each in entries(m.read_text(), sections)]
    assert len(found) > least
    assert [each for each in found if clumsy.match(each[1])] == []


def test_log_messages_begin_with_what_happened():
    modules = sorted((ROOT / "runtime").rglob("*.py"))
    found = [(m, text) for m in modules for text in read(m.read_text()).logged]
    assert len(found) > 50
    # "a task failed to start": "failed to start a task" can be searched for
    assert [
        each for each in found if re.match(r"(?:an?|some) |[A-Z][a-z]+ed ", each[1])
    ] == []
    assert [each for each in found if re.search(r"[^.]\.\Z", each[1])] == []


def test_operations_of_the_api_are_imperative_sentences():
    texts = [each.summary for each in OPERATIONS]
    texts += [description for _, description in PARAMETERS.values()]
    assert len(texts) > 80
    sentence = re.compile(r"[A-Z][^.;]*(?:; [^.;]+)?\.(?: [A-Z][^.;]*\.)?")
    assert [each for each in texts if not sentence.fullmatch(each)] == []
    assert found_in("api", texts) == []
    articles = re.compile("(?:A|An|The|All|This) ")
    assert [each for each in texts if articles.match(each)] == []


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


PAGES = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "etc/*", "examples/**/*.md")
    for path in sorted(ROOT.glob(pattern))
]


@pytest.mark.parametrize("page", PAGES)
def test_pages(page):
    assert found_in(page, [(ROOT / page).read_text()]) == []
