"""Registrations: read by syntax, decided by key, written as nodes."""

from __future__ import annotations

import ast
import textwrap
from pathlib import PurePosixPath

import libcst
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.errors import PlanError
from scaffold.patching.anchors import (
    Anchor,
    CallArguments,
    ClassBody,
    DictLiteral,
    FromImport,
    ImportBlock,
    ListLiteral,
    Methods,
    ModuleClasses,
)
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    EntryConflict,
    EntryKept,
    EntryUpdated,
    NameTaken,
    PlaceMissing,
    PlaceOutcome,
    Registered,
    SurplusKept,
    SurplusRemoved,
    Unregistered,
)
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.slots import UnreadableFile

PATH = PurePosixPath("runtime/some.py")


def put(
    source: str | bytes, anchor: Anchor, key: str, text: str, base: str | None = None
) -> tuple[str, PlaceOutcome]:
    data = source if isinstance(source, bytes) else textwrap.dedent(source).encode()
    asked = Registration(Place(PATH, "place", anchor, key), text, base)
    patched, [outcome] = register(PATH, data, [asked])
    again, [second] = register(PATH, patched, [asked])
    assert again == patched
    if not isinstance(outcome, NameTaken | PlaceMissing):
        assert isinstance(second, AlreadyRegistered | EntryKept | EntryConflict)
    return patched.decode("utf-8", "surrogateescape"), outcome


IMPORTS = """\
\"\"\"Doc.\"\"\"

import os

from runtime.a import A
from runtime.services.foo2.config import Config as Foo2Config
from runtime.services.foo10.config import (
    Config as Foo10Config,
)
from runtime.z import Z

x = 1
"""


def test_a_module_stands_before_the_one_with_a_number_more() -> None:
    import_ = "from runtime.services.{0}.config import Config as {1}Config"
    source = f"import os\n\n{import_.format('slack', 'Slack')}\n"
    slack2 = import_.format("slack2", "Slack2")
    key = "runtime.services.slack2.config:Slack2Config"
    text, _ = put(source, ImportBlock(), key, slack2)
    assert text == source + slack2 + "\n"


def test_imports_are_sorted_by_module_with_numbers_as_numbers() -> None:
    text, outcome = put(
        IMPORTS,
        ImportBlock(),
        "runtime.services.foo3.config:Foo3Config",
        "from runtime.services.foo3.config import Config as Foo3Config",
    )
    lines = text.splitlines()
    assert (
        lines.index("from runtime.services.foo3.config import Config as Foo3Config")
        == lines.index("from runtime.services.foo10.config import (") - 1
    )
    assert outcome.line == 7


def test_an_import_is_registered_by_module_and_name() -> None:
    key = "runtime.services.foo2.config:Foo2Config"
    text, outcome = put(IMPORTS, ImportBlock(), key, "from x import y")
    assert text == IMPORTS
    assert isinstance(outcome, AlreadyRegistered)


def test_another_name_of_the_same_module_does_not_count_as_the_import() -> None:
    line = "from runtime.a import B as C"
    text, _ = put(IMPORTS, ImportBlock(), "runtime.a:C", line)
    assert f"from runtime.a import A\n{line}\n" in text


def test_the_first_import_of_a_package_follows_the_other_imports() -> None:
    text, _ = put(
        "import os\n\nx = 1\n", ImportBlock(), "runtime.a:A", "from runtime.a import A"
    )
    assert text == "import os\n\nfrom runtime.a import A\n\nx = 1\n"


CLASS = """\
class Handlers:
    \"\"\"Doc.\"\"\"

    bar: int = 1  # the first
    # about foo
    foo: int = 2

    def method(self) -> None: ...
"""


@pytest.mark.parametrize(
    ("key", "before"),
    [
        ("alpha", "    bar: int"),
        ("bat", "    # about foo"),
        ("zoo", "\n    def method"),
    ],
)
def test_a_field_goes_in_order_and_above_the_comment_of_the_next(
    key: str, before: str
) -> None:
    text, _ = put(CLASS, ClassBody("Handlers"), key, f"{key}: int = 3")
    assert f"    {key}: int = 3\n{before}" in text


def test_a_field_goes_last_where_fields_are_not_in_order() -> None:
    source = "class Handlers:\n    foo: int = 2\n    bar: int = 1\n"
    text, _ = put(source, ClassBody("Handlers"), "cat", "cat: int = 3")
    assert text == source + "    cat: int = 3\n"


def test_the_first_field_of_a_class_follows_its_docstring() -> None:
    source = 'class Handlers:\n    """Doc."""\n'
    text, _ = put(source, ClassBody("Handlers"), "cat", "cat: int = 3")
    assert text == source + "\n    cat: int = 3\n"


def test_a_method_keeps_a_blank_line_on_each_side() -> None:
    source = """\
    class Node:
        def other(self): ...

        @prop
        def bar(self):
            return 1

        @prop
        def foo(self):
            return 2
    """
    fragment = "@prop\ndef cat(self):\n    return 3"
    text, outcome = put(source, Methods("Node", "prop"), "cat", fragment)
    assert (
        "return 1\n\n    @prop\n    def cat(self):\n        return 3\n\n    @prop\n"
        in text
    )
    assert outcome.line == 8
    text, _ = put(source, Methods("Node", "prop"), "zoo", "@prop\ndef zoo(self): ...")
    assert text.endswith("return 2\n\n    @prop\n    def zoo(self): ...\n")


def test_a_name_that_the_class_uses_for_something_else_is_refused() -> None:
    source = "class Node:\n    info: int\n\n    @prop\n    def foo(self): ...\n"
    text, outcome = put(
        source, Methods("Node", "prop"), "info", "@prop\ndef info(self): ..."
    )
    assert (text, type(outcome)) == (source, NameTaken)


def test_a_class_stands_two_lines_from_its_neighbours() -> None:
    source = "class Base: ...\n\n\n@d\nclass Bar(Base):\n    x = 1\n\n\nHANDLERS = {}\n"
    text, _ = put(
        source, ModuleClasses("Base"), "Foo", "@d\nclass Foo(Base):\n    y = 1"
    )
    assert "    x = 1\n\n\n@d\nclass Foo(Base):\n    y = 1\n\n\nHANDLERS" in text
    text, _ = put(source, ModuleClasses("Base"), "Ant", "class Ant(Base):\n    y = 1")
    assert "class Base: ...\n\n\nclass Ant(Base):\n    y = 1\n\n\n@d\nclass Bar" in text


def test_dict_entries_may_span_lines() -> None:
    source = """\
    KINDS: dict[str, object] = {
        "bar": lambda: (
            1
        ),
        **more,
        "foo": 2,  # two
    }
    """
    text, _ = put(source, DictLiteral("KINDS"), "cat", '"cat": 3,')
    assert text.endswith('    **more,\n    "cat": 3,\n    "foo": 2,  # two\n}\n')


def test_a_call_inside_a_function_takes_an_argument() -> None:
    source = "def f():\n    return Services(\n        foo=Foo(config.foo),\n    )\n"
    text, _ = put(source, CallArguments("Services"), "bar", "bar=Bar(config.bar),")
    assert "Services(\n        bar=Bar(config.bar),\n        foo" in text


def test_a_list_takes_a_text() -> None:
    text, _ = put('KINDS = (\n    "foo",\n)\n', ListLiteral("KINDS"), "bar", '"bar",')
    assert text == 'KINDS = (\n    "bar",\n    "foo",\n)\n'


def test_names_of_an_import_are_sorted_as_import_sorters_do() -> None:
    source = "from runtime.alert import Bar as Baz\nfrom runtime.alert import (\n    CONSTANT,\n    Foo,\n    function,\n)\n"
    text, _ = put(source, FromImport("alert"), "bar", "bar,")
    assert "    Foo,\n    bar,\n    function,\n" in text
    text, _ = put(source, FromImport("alert"), "Zoo", "Zoo,")
    assert "    Foo,\n    Zoo,\n    function,\n" in text


def test_tabs_stay_tabs() -> None:
    source = "class Node:\n\t@prop\n\tdef foo(self):\n\t\treturn 1\n"
    text, _ = put(
        source, Methods("Node", "prop"), "zoo", "@prop\ndef zoo(self):\n    return 2"
    )
    assert text == source + "\n\t@prop\n\tdef zoo(self):\n\t\treturn 2\n"


def test_an_entry_that_is_too_long_gets_the_form_that_black_gives_it() -> None:
    source = 'KINDS = {\n    "foo": 1,\n}\n'
    entry = f'"zoo": lambda services: from_spec(services.{"z" * 60}, options),'
    text, _ = put(source, DictLiteral("KINDS"), "zoo", entry)
    assert (
        f'    "zoo": lambda services: from_spec(\n        services.{"z" * 60}, options\n    ),\n'
        in text
    )


def test_an_entry_of_ours_is_replaced_and_a_persons_is_kept() -> None:
    source = 'KINDS = {\n    "foo": 7,\n    "zoo": 2,  # said\n}\n'
    text, outcome = put(
        source, DictLiteral("KINDS"), "zoo", '"zoo": 3,', base='"zoo": 2,\n'
    )
    assert isinstance(outcome, EntryUpdated)
    assert text == source.replace("2", "3")
    text, outcome = put(
        source, DictLiteral("KINDS"), "foo", '"foo": 1,', base='"foo": 1,\n'
    )
    assert (text, type(outcome)) == (source, EntryKept)
    text, outcome = put(
        source, DictLiteral("KINDS"), "foo", '"foo": 9,', base='"foo": 1,\n'
    )
    assert (text, type(outcome)) == (source, EntryConflict)


@pytest.mark.parametrize(
    ("anchor", "source"),
    [
        (DictLiteral("K"), "K = {'foo': (\n    Foo\n)}\n"),
        (DictLiteral("K"), "K = {\n  'foo' : Foo,  # noqa\n}\n"),
        (ListLiteral("K"), "K = ['foo']\n"),
        (ClassBody("K"), "class K: foo : Foo\n"),
        (ClassBody("K"), "class K:\n\tfoo: (Foo)  # mine\n"),
        (CallArguments("K"), "x = K(foo = Foo(), bar=1)\n"),
    ],
)
def test_another_layout_is_no_edit(anchor: Anchor, source: str) -> None:
    texts = {
        DictLiteral: '"foo": Foo,',
        ListLiteral: '"foo",',
        ClassBody: "foo: Foo",
        CallArguments: "foo=Foo(),",
    }
    fragment = texts[type(anchor)]
    text, outcome = put(source, anchor, "foo", fragment, fragment + "\n")
    assert (text, type(outcome)) == (source, AlreadyRegistered)


def test_a_comment_beside_an_entry_stays_when_the_entry_is_to_go() -> None:
    source = b'K = {\n    "foo": 1,  # for the night shift\n}\n'
    asked = Registration(Place(PATH, "x", DictLiteral("K"), "foo"), "", '"foo": 1,\n')
    patched, [outcome] = register(PATH, source, [asked])
    assert (patched, type(outcome)) == (source, EntryConflict)


def test_an_entry_without_a_text_any_more_goes_with_its_blank_line() -> None:
    source = "class A:\n    @p\n    def a(self): ...\n\n    @p\n    def b(self): ...\n"
    for key, left in (("a", "b"), ("b", "a")):
        previous = f"@p\ndef {key}(self): ...\n"
        asked = Registration(Place(PATH, "x", Methods("A", "p"), key), "", previous)
        patched, [outcome] = register(PATH, source.encode(), [asked])
        assert isinstance(outcome, Unregistered)
        assert patched.decode() == f"class A:\n    @p\n    def {left}(self): ...\n"


@pytest.mark.parametrize(
    ("source", "anchor", "problem"),
    [
        ("x = 1\n", DictLiteral("KINDS"), "not found"),
        (
            "KINDS = {\n    1: 2,\n}\nKINDS = {\n    1: 2,\n}\n",
            DictLiteral("KINDS"),
            "found 2 times",
        ),
        ("KINDS = dict(foo=1)\n", DictLiteral("KINDS"), "is not a dict literal"),
        ("KINDS = {k: 1 for k in x}\n", DictLiteral("KINDS"), "is not a dict literal"),
        ("class B: ...\n", ClassBody("A"), "not found"),
        ("f(\n    a=1,\n)\nf(\n    a=1,\n)\n", CallArguments("f"), "found 2 times"),
        ("from runtime.other import A\n", FromImport("alert"), "not found"),
        ("x = 1\n", ModuleClasses("Base"), "not found"),
    ],
)
def test_a_place_that_is_missing_or_computed_is_an_error_with_the_snippet(
    source: str, anchor: Anchor, problem: str
) -> None:
    text, outcome = put(source, anchor, "zoo", '"zoo": 3,')
    assert text == source
    assert isinstance(outcome, PlaceMissing)
    error = outcome.error
    assert error is not None
    assert problem in error.problem
    assert '"zoo": 3,' in str(error)
    assert str(PATH) in str(error)


def test_a_place_that_is_missing_hinders_no_other() -> None:
    asked = [
        Registration(Place(PATH, name, DictLiteral(name), "zoo"), '"zoo": 3,')
        for name in ("ONE", "TWO", "THREE")
    ]
    patched, outcomes = register(PATH, b"TWO = {\n}\n", asked)
    assert patched == b'TWO = {\n    "zoo": 3,\n}\n'
    assert [type(each) for each in outcomes] == [PlaceMissing, Registered, PlaceMissing]


METHOD = "    @p\n    def {}(self): ...\n"


@pytest.mark.parametrize("names", ["aab", "abb", "aaab", "abbb", "aaabbb", "aa", "aaa"])
@pytest.mark.parametrize("key", ["a", "b"])
def test_further_copies_of_an_entry_are_removed(names: str, key: str) -> None:
    source = "class A:\n" + "\n".join(METHOD.format(name) for name in names)
    text = f"@p\ndef {key}(self): ...\n"
    asked = Registration(Place(PATH, "x", Methods("A", "p"), key), text, text)
    if key not in names:
        return
    patched, outcomes = register(PATH, source.encode(), [asked])
    first, *surplus = outcomes
    assert isinstance(first, AlreadyRegistered)
    assert [type(each) for each in surplus] == [SurplusRemoved] * (names.count(key) - 1)
    left = "".join(
        name for at, name in enumerate(names) if name != key or names.index(key) == at
    )
    whole = "class A:\n" + "\n".join(METHOD.format(name) for name in left)
    assert patched.decode() == whole
    assert register(PATH, patched, [asked])[0] == patched


@pytest.mark.parametrize("order", [("1,", "1,  # mine"), ("1,  # mine", "1,")])
def test_of_two_copies_the_one_that_somebody_edited_is_kept(
    order: tuple[str, str],
) -> None:
    source = "K = {\n" + "".join(f'    "a": {each}\n' for each in order) + "}\n"
    asked = Registration(
        Place(PATH, "x", DictLiteral("K"), "a"), '"a": 1,', '"a": 1,\n'
    )
    patched, outcomes = register(PATH, source.encode(), [asked])
    assert patched == b'K = {\n    "a": 1,  # mine\n}\n'
    assert {type(each) for each in outcomes} == {AlreadyRegistered, SurplusRemoved}


def test_two_edited_copies_are_both_kept_and_reported() -> None:
    source = b'K = {\n    "a": 2,\n    "a": 3,\n}\n'
    asked = Registration(
        Place(PATH, "x", DictLiteral("K"), "a"), '"a": 1,', '"a": 1,\n'
    )
    patched, outcomes = register(PATH, source, [asked])
    assert patched == source
    assert [(type(each), each.was) for each in outcomes] == [
        (EntryKept, 2),
        (SurplusKept, 3),
    ]


@pytest.mark.parametrize(
    "source",
    [
        'if TYPE:\n    KINDS = {\n        "foo": 1,\n    }\n',
        'try:\n    KINDS = {\n        "foo": 1,\n    }\nexcept E:\n    pass\n',
        'A = KINDS = {\n    "foo": 1,\n}\n',
        'KINDS: dict[str, int] = {\n    "foo": (1),\n}\n',
        'KINDS = {\n    "foo": 1\n    ,\n}\n',
        'KINDS = {\n    "foo": (\n        1  # )\n    ),\n}\n',
    ],
)
def test_a_place_is_found_by_its_syntax(source: str) -> None:
    text, _ = put(source, DictLiteral("KINDS"), "zoo", '"zoo": 3,')
    values = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Dict):
            values = dict.fromkeys(ast.literal_eval(key) for key in node.keys if key)
    assert list(values) == ["foo", "zoo"]


ODD = {
    "crlf": b'K = {\r\n    "foo": 1,\r\n}\r\n',
    "mixed line ends": b'x = 1\r\nK = {\n    "foo": 1,\n}\r\n',
    "byte order mark": b'\xef\xbb\xbfK = {\n    "foo": 1,\n}\n',
    "mark and crlf": b'\xef\xbb\xbf# x\r\nK = {\r\n    "foo": 1,\r\n}\r\n',
    "cookie": b'# -*- coding: latin-1 -*-\nx = "\xe9"\nK = {\n    "foo": 1,\n}\n',
    "form feed": b'x = 1\n\x0c\nK = {\n    "foo": 1,\n}\n',
    "form feed in a line": b'x = """\x0c\x0b"""\nK = {\n    "foo": 1,\n}\n',
    "tabs": b'K = {\n\t"foo": 1,\n}\n',
    "two blanks": b'K = {\n  "foo": 1,\n}\n',
    "odd spacing": b'K   =  {\n    "foo" :1  ,   \n   }   \n\n\n\n',
    "comments": b'K = {  # open\n    # above\n    "foo": 1,  # beside\n    # below\n}  # close\n',
    "no final newline": b'K = {\n    "foo": 1,\n}',
    "unicode": 'x = "äöü \u2028 ✓"\nK = {\n    "foo": "ä",\n}\n'.encode(),
    "continuation": b'x = 1 + \\\n    2\nK = {\n    "foo": 1,\n}\n',
    "conflict marker in a text": b'x = """\n<<<<<<< a\n"""\nK = {\n    "foo": 1,\n}\n',
    "bad escape": b'x = "\\d"\nK = {\n    "foo": 1,\n}\n',
    "semicolons": b'x = 1; y = 2\nK = {\n    "foo": 1,\n}; z = 3\n',
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_every_byte_outside_the_inserted_line_stays(data: bytes) -> None:
    asked = Registration(Place(PATH, "x", DictLiteral("K"), "zoo"), '"zoo": 3,')
    patched, [outcome] = register(PATH, data, [asked])
    lines = patched.split(b"\n")
    inserted = lines.pop(outcome.line - 1)
    assert b"\n".join(lines) == data
    assert inserted.strip() == b'"zoo": 3,'
    assert inserted.endswith(b"\r") == (data.count(b"\r\n") > data.count(b"\n") / 2)


def test_a_last_line_without_an_end_stays_without() -> None:
    text, _ = put(b"class A:\n    foo: int", ClassBody("A"), "zoo", "zoo: int")
    assert text == "class A:\n    foo: int\n    zoo: int"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"x = '\xe9'\n", "some.py:1: is not utf-8 text"),
        ("x = 1\n".encode("utf-16"), "some.py:1: holds a NUL byte"),
        (b"x = 1\n\0\n", "some.py:2: holds a NUL byte"),
        (b"x = (\n", "some.py:1: "),
        (b"print 1\n", "some.py:1: "),
        (
            b"x = 1\n<<<<<<< a\ny\n=======\nz\n>>>>>>> b\n",
            "some.py:2: holds a conflict marker",
        ),
        (b"x = 1\ry = 2\n", "some.py:1: holds a carriage return inside a line"),
        (b"x = 1\ny = 2\r", "some.py: ends in a bare carriage return"),
        (b"# coding: klingon\n", "some.py:1: names an unknown encoding"),
        (b"x = " + b"-" * 50_000 + b"1\n", "some.py"),
        (b"#" * 1_000_001, "is larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    data: bytes, problem: str
) -> None:
    with pytest.raises(UnreadableFile, match=r"some\.py") as caught:
        put(data, DictLiteral("K"), "zoo", '"zoo": 3,')
    assert problem in str(caught.value)


def test_a_fragment_that_does_not_fit_is_found_out() -> None:
    with pytest.raises(PlanError):
        put('K = {\n    "foo": 1,\n}\n', DictLiteral("K"), "zoo", '"other": 3,')


def test_several_entries_go_into_one_file_at_once() -> None:
    source = b"from runtime.a import A\n\n\nclass H:\n    foo: int\n\n\nx = f(\n    foo=1,\n)\n"
    asked = [
        Registration(
            Place(PATH, "i", ImportBlock(), "runtime.b:B"), "from runtime.b import B"
        ),
        Registration(Place(PATH, "f", ClassBody("H"), "zoo"), "zoo: int"),
        Registration(Place(PATH, "c", CallArguments("f"), "zoo"), "zoo=2,"),
        Registration(
            Place(PATH, "i", ImportBlock(), "runtime.c:C"), "from runtime.c import C"
        ),
    ]
    patched, outcomes = register(PATH, source, asked)
    assert patched == (
        b"from runtime.a import A\nfrom runtime.b import B\nfrom runtime.c import C\n"
        b"\n\nclass H:\n    foo: int\n    zoo: int\n\n\nx = f(\n    foo=1,\n    zoo=2,\n)\n"
    )
    assert [outcome.line for outcome in outcomes] == [2, 8, 13, 3]


@given(
    names=st.lists(
        st.from_regex(r"[a-z]{1,6}", fullmatch=True), min_size=1, max_size=5
    ),
    newline=st.sampled_from(["\n", "\r\n"]),
    comment=st.sampled_from(["", "  # note"]),
)
def test_any_order_of_registrations_gives_the_same_valid_module(
    names: list[str], newline: str, comment: str
) -> None:
    text = f'K = {{\n    "m": 0,{comment}\n}}\n'.replace("\n", newline)
    results = set()
    for order in (names, names[::-1], sorted(names)):
        data = text.encode()
        for name in order:
            asked = Registration(
                Place(PATH, "x", DictLiteral("K"), name), f'"{name}": 1,'
            )
            data, _ = register(PATH, data, [asked])
        results.add(data)
    [data] = results
    # The lossless parser reads the same entries, and gives back the same bytes.
    module = libcst.parse_module(data)
    assert module.bytes == data
    scope: dict[str, dict[str, int]] = {}
    exec(data, scope)
    assert list(scope["K"]) == sorted({*names, "m"})
