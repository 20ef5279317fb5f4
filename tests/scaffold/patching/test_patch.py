"""Registrations: read by syntax, decided by key, written as nodes."""

from __future__ import annotations

import ast
import textwrap
from pathlib import PurePosixPath

import libcst
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.errors import PlanError, UnreadableFile
from scaffold.patching.anchors import (
    Anchor,
    CallArguments,
    DictLiteral,
    ImportBlock,
    ListLiteral,
)
from scaffold.patching.outcomes import (
    AlreadyRegistered,
    EntryConflict,
    EntryKept,
    EntryMerged,
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


@pytest.mark.parametrize(
    ("key", "before"),
    [("alpha", '    "bar": 1'), ("bat", "    # about foo"), ("zoo", "}")],
)
def test_an_entry_goes_in_order_and_above_the_comment_of_the_next(
    key: str, before: str
) -> None:
    source = 'K = {\n    "bar": 1,  # the first\n    # about foo\n    "foo": 2,\n}\n'
    text, _ = put(source, DictLiteral("K"), key, f'"{key}": 3,')
    assert f'    "{key}": 3,\n{before}' in text


def test_an_entry_goes_last_where_entries_are_not_in_order() -> None:
    source = 'K = {\n    "foo": 2,\n    "bar": 1,\n'
    text, _ = put(source + "}\n", DictLiteral("K"), "cat", '"cat": 3,')
    assert text == source + '    "cat": 3,\n}\n'


@pytest.mark.parametrize("made", ["class Foo: ...", "def Foo(): ...", "Foo = 1"])
def test_a_name_that_the_module_uses_for_something_else_is_refused(made: str) -> None:
    source = f"from runtime.a import A\n\n{made}\n"
    line = "from runtime.foo import Foo"
    text, outcome = put(source, ImportBlock(), "runtime.foo:Foo", line)
    assert (text, type(outcome)) == (source, NameTaken)


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("from app.a import A, Foo\n", "from app.a import A\n"),
        ("from app.a import Foo, A  # us\n", "from app.a import A  # us\n"),
        (
            "from app.a import (\n    A,\n    Foo,\n)\n",
            "from app.a import (\n    A,\n)\n",
        ),
        ("from app.a import A, \\\n    Foo\n", "from app.a import A\n"),
        ("from app.a import (A, Foo)\n", "from app.a import (A)\n"),
        (
            "try:\n    from app.a import Foo\nexcept E: ...\n",
            "try:\n    pass\nexcept E: ...\n",
        ),
        ("from app.a import Foo; x = 1\n", "x = 1\n"),
        ("x = 1; from app.a import Foo\n", "x = 1\n"),
    ],
)
def test_an_import_is_taken_out_of_the_statement_it_is_in(
    source: str, left: str
) -> None:
    previous = "from app.a import Foo\n"
    asked = Registration(Place(PATH, "x", ImportBlock(), "app.a:Foo"), "", previous)
    patched, [outcome] = register(PATH, source.encode(), [asked])
    assert isinstance(outcome, Unregistered)
    assert patched.decode() == left


@pytest.mark.parametrize(
    ("source", "replaced"),
    [
        (
            "from runtime.x import A, B as C\n",
            "from runtime.x import A, D as C\n",
        ),
        (
            "from runtime.x import B as C, A  # both\n",
            "from runtime.x import D as C, A  # both\n",
        ),
        (
            "from runtime.x import (\n    A,  # one\n    B as C,  # two\n)\n",
            "from runtime.x import (\n    A,  # one\n    D as C,  # two\n)\n",
        ),
        (
            "from .x import (A, B as C)\n",
            "from .x import (A, D as C)\n",
        ),
        (
            "if True:\n    from runtime.x import A, B as C; y = C\n",
            "if True:\n    from runtime.x import A, D as C; y = C\n",
        ),
    ],
)
def test_an_import_is_replaced_in_the_statement_that_it_shares(
    source: str, replaced: str
) -> None:
    old, new = (f"from runtime.x import {name} as C\n" for name in "BD")
    text, outcome = put(source, ImportBlock(), "runtime.x:C", new, old)
    assert isinstance(outcome, EntryUpdated)
    assert text == replaced


def test_an_import_that_no_longer_fits_its_line_is_laid_out() -> None:
    other = "Other" + "r" * 50
    old, new = (
        "from runtime.x import B as C\n",
        f"from runtime.x import D{'d' * 30} as C\n",
    )
    text, _ = put(
        f"from runtime.x import {other}, B as C\n",
        ImportBlock(),
        "runtime.x:C",
        new,
        old,
    )
    assert text == f"from runtime.x import (\n    {other},\n    D{'d' * 30} as C,\n)\n"


def test_an_import_moves_to_another_module_out_of_the_statement_that_it_shares() -> (
    None
):
    source = b"from runtime.x import A, B\n\nprint(A, B)\n"
    asked = [
        Registration(Place(PATH, "import", ImportBlock(), key), text, base)
        for key, text, base in (
            ("runtime.x:A", "", "from runtime.x import A\n"),
            ("runtime.y:A", "from runtime.y import A\n", None),
        )
    ]
    patched, outcomes = register(PATH, source, asked)
    assert list(map(type, outcomes)) == [Unregistered, Registered]
    assert patched == (
        b"from runtime.x import B\nfrom runtime.y import A\n\nprint(A, B)\n"
    )


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import app.a, os\nx = app.a.Foo\n", AlreadyRegistered),
        ("import os, app.a as a\n", AlreadyRegistered),
        ("import os, \\\n    app.a\n", AlreadyRegistered),
        ("import app.a as Foo, os\n", EntryConflict),
    ],
)
def test_an_import_of_several_modules_is_read(
    source: str, found: type[PlaceOutcome]
) -> None:
    asked = Place(PATH, "x", ImportBlock(), "app.a:Foo")
    previous = "from app.a import Foo\n"
    for text in ("from app.a import Bar as Foo", ""):
        registration = Registration(asked, text, previous)
        patched, [outcome] = register(PATH, source.encode(), [registration])
        assert patched.decode() == source
        assert isinstance(outcome, found)


@pytest.mark.parametrize(
    "literal", ['{"foo"}', 'frozenset({"foo"})', '{\n    "foo",\n}']
)
def test_the_last_member_of_a_set_is_refused_by_name(literal: str) -> None:
    source = f"\nK = {literal}\n"
    asked = Registration(Place(PATH, "x", ListLiteral("K"), "foo"), "", '"foo",\n')
    told = "would be left with an empty set, which has no literal; make it a list"
    with pytest.raises(PlanError, match=rf"some\.py:2: {told}$"):
        register(PATH, source.encode(), [asked])


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
    ("merged", "after", "kind"),
    [
        ('"foo": 8,\n', '"foo": 8', EntryMerged),
        ('"foo":  7,\n', '"foo": 7', EntryMerged),
        (None, '"foo": 7', EntryConflict),
    ],
)
def test_an_edited_entry_is_merged(
    merged: str | None, after: str, kind: type[PlaceOutcome]
) -> None:
    place = Place(PATH, "x", DictLiteral("K"), "foo")
    seen: list[str] = []

    def merge(asked: Registration, now: str) -> str | None:
        seen.append(now)
        return merged

    for text, told in (('"foo": 9,', kind), ("", EntryConflict)):
        asked = Registration(place, text, '"foo": 1,\n')
        data, [outcome] = register(PATH, b'K = {"foo": 7}\n', [asked], merge=merge)
        left = after if text else '"foo": 7'
        assert data.decode() == f"K = {{{left}}}\n"
        assert (type(outcome), outcome.path) == (told, PATH)
    assert seen == ['"foo": 7,\n']


@pytest.mark.parametrize(
    ("anchor", "source"),
    [
        (DictLiteral("K"), "K = {'foo': (\n    Foo\n)}\n"),
        (DictLiteral("K"), "K = {\n  'foo' : Foo,  # noqa\n}\n"),
        (ListLiteral("K"), "K = ['foo']\n"),
        (CallArguments("K"), "x = K(foo = Foo(), bar=1)\n"),
    ],
)
def test_another_layout_is_no_edit(anchor: Anchor, source: str) -> None:
    texts = {
        DictLiteral: '"foo": Foo,',
        ListLiteral: '"foo",',
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
        ("KINDS = [k for k in x]\n", ListLiteral("KINDS"), "is not a list literal"),
        ("K = {1: 2}\nK = {}\n", DictLiteral("K"), "found 2 times"),
        ("K = {1: 2}\nK = f()\n", DictLiteral("K"), "found 2 times"),
        ("f = g(f.a)\n", CallArguments("f"), "not found"),
        ("f(\n    a=1,\n)\nf(\n    a=1,\n)\n", CallArguments("f"), "found 2 times"),
        ("f.g\n", CallArguments("f"), "not found"),
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
    assert error.problem == f"{anchor.name}: {problem}"
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


def listed(names: str) -> str:
    return "K = {\n" + "".join(f'    "{name}": 1,\n' for name in names) + "}\n"


@pytest.mark.parametrize("names", ["aab", "abb", "aaab", "abbb", "aaabbb", "aa", "aaa"])
@pytest.mark.parametrize("key", ["a", "b"])
def test_further_copies_of_an_entry_are_removed(names: str, key: str) -> None:
    source = listed(names)
    text = f'"{key}": 1,\n'
    asked = Registration(Place(PATH, "x", DictLiteral("K"), key), text, text)
    if key not in names:
        return
    patched, outcomes = register(PATH, source.encode(), [asked])
    first, *surplus = outcomes
    assert isinstance(first, AlreadyRegistered)
    assert [type(each) for each in surplus] == [SurplusRemoved] * (names.count(key) - 1)
    left = "".join(
        name for at, name in enumerate(names) if name != key or names.index(key) == at
    )
    assert patched.decode() == listed(left)
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
    "warning": b'y = x is 1\nK = {\n    "foo": 1,\n}\n',
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
    line = "from app.b import B"
    text, _ = put(b"from app.a import A", ImportBlock(), "app.b:B", line)
    assert text == f"from app.a import A\n{line}"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"x = '\xe9'\n", "some.py:1: is not utf-8 text"),
        ("x = 1\n".encode("utf-16"), "some.py:1: contains a NUL byte"),
        (b"x = 1\n\0\n", "some.py:2: contains a NUL byte"),
        (b"x = (\n", "some.py:1: "),
        (b"print 1\n", "some.py:1: "),
        (
            b"x = 1\n<<<<<<< a\ny\n=======\nz\n>>>>>>> b\n",
            "some.py:2: contains a conflict marker",
        ),
        (b"x = 1\ry = 2\n", "some.py:1: contains a carriage return inside a line"),
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
    with pytest.raises(PlanError, match="`zoo` did not fit there"):
        put('K = {\n    "foo": 1,\n}\n', DictLiteral("K"), "zoo", '"other": 3,')


def test_several_entries_go_into_one_file_at_once() -> None:
    source = (
        b"from runtime.a import A\n\nH = [\n    'foo',\n]\n\nx = f(\n    foo=1,\n)\n"
    )
    asked = [
        Registration(
            Place(PATH, "i", ImportBlock(), "runtime.b:B"), "from runtime.b import B"
        ),
        Registration(Place(PATH, "f", ListLiteral("H"), "zoo"), "'zoo',"),
        Registration(Place(PATH, "c", CallArguments("f"), "zoo"), "zoo=2,"),
        Registration(
            Place(PATH, "i", ImportBlock(), "runtime.c:C"), "from runtime.c import C"
        ),
    ]
    patched, outcomes = register(PATH, source, asked)
    assert patched == (
        b"from runtime.a import A\nfrom runtime.b import B\nfrom runtime.c import C\n"
        b"\nH = [\n    'foo',\n    'zoo',\n]\n\nx = f(\n    foo=1,\n    zoo=2,\n)\n"
    )
    assert [outcome.line for outcome in outcomes] == [2, 7, 12, 3]


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
