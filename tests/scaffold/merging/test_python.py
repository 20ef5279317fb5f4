"""Modules merged by their members."""

from __future__ import annotations

import ast
import textwrap

import pytest

from scaffold.layout.style import PLAIN
from scaffold.merging.clash import ClashError
from scaffold.merging.python import merged
from scaffold.merging.versions import Merge, Take, Versions

BASE = '''\
"""The Foo service."""

from dataclasses import dataclass

from runtime.client import Request, Response


@dataclass(frozen=True)
class Config:
    """Settings.

    Attributes:
        url: the URL.
    """

    url: str = ""
    room: str = ""


class Service:
    """Sends."""

    kind = "foo"

    def request(self, config: Config, event: Event) -> Request:
        """Build the request."""
        body = {"room": config.room, "message": event.message}
        return Request("POST", config.url, body=encode(body))

    def failure(self, response: Response) -> str:
        """Return the error."""
        return f"unexpected {response.status}"


def _helper(text: str) -> str:
    return text


CASES = [
    "a",
    "b",
]
'''


def of_base(mine: str, new: str, take: Take = "fail") -> Merge:
    """The merge of two versions of the module, which must be Python."""
    merge = merged(Versions(BASE, mine, new), PLAIN, take)
    if not merge.conflicts or take not in ("fail", "markers"):
        ast.parse(merge.text)
    return merge


def clean(mine: str, new: str) -> str:
    """The text of a merge without conflicts."""
    merge = of_base(mine, new)
    assert merge.conflicts == ()
    return merge.text


def changed(*pairs: tuple[str, str]) -> str:
    """The module with other pieces."""
    text = BASE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def test_one_side_alone_is_taken_as_it_is() -> None:
    other = changed(('"a",', '"c",'), ('kind = "foo"', 'kind = "bar"'))
    assert clean(other, BASE) == other
    assert clean(BASE, other) == other
    assert clean(other, other) == other


@pytest.mark.parametrize(
    ("mine", "new", "expected"),
    [
        (
            ('    room: str = ""\n', '    room: str = ""\n    own: int = 1\n'),
            ('    room: str = ""\n', '    room: str = ""\n    token: str = ""\n'),
            '    room: str = ""\n    own: int = 1\n    token: str = ""\n',
        ),
        (
            ('    "b",\n', '    "b",\n    "mine",  # ours\n'),
            ('    "b",\n', '    "b",\n    "new",\n'),
            '    "b",\n    "mine",  # ours\n    "new",\n',
        ),
        (
            ("        url: the URL.\n", "        url: the URL.\n        own: ours.\n"),
            ("        url: the URL.\n", "        url: the URL.\n        token: it.\n"),
            "        url: the URL.\n        own: ours.\n        token: it.\n",
        ),
        (
            ("config.room, ", 'config.room, "own": 1, '),
            ("event.message}", 'event.message, "token": config.token}'),
            textwrap.indent(
                'body = {\n    "room": config.room,\n    "own": 1,\n'
                '    "message": event.message,\n    "token": config.token,\n}\n',
                " " * 8,
            ),
        ),
        (
            ("import Request, Response", "import Own, Request, Response"),
            ("import Request, Response", "import Request, Response, Secret"),
            "import Own, Request, Response, Secret\n",
        ),
        (
            ("def _helper(text: str)", "def _helper(text: str, own: int = 1)"),
            ("def _helper(text: str)", "def _helper(text: str, *, size: int)"),
            "def _helper(text: str, own: int = 1, *, size: int) -> str:\n",
        ),
        (
            ("@dataclass(frozen=True)\n", "@own\n@dataclass(frozen=True)\n"),
            ("@dataclass(frozen=True)\n", "@dataclass(frozen=True, slots=True)\n"),
            "@own\n@dataclass(frozen=True, slots=True)\n",
        ),
        (
            ("        body = {", "        log(event)  # ours\n        body = {"),
            ("config.url, body", "config.url, headers={}, body"),
            '        log(event)  # ours\n        body = {"room": config.room, "message": '
            'event.message}\n        return Request("POST", config.url, headers={}, '
            "body=encode(body))\n",
        ),
    ],
    ids=[
        *("fields", "elements", "docstring", "entries", "imports", "parameters"),
        *("decorators", "statements"),
    ],
)
def test_both_sides_add_at_one_spot(
    mine: tuple[str, str], new: tuple[str, str], expected: str
) -> None:
    assert expected in clean(changed(mine), changed(new))


def test_members_of_both_sides_are_kept_and_spaced() -> None:
    own = "\n    def own(self) -> None:\n        pass\n"
    made = "\n    def made(self) -> None:\n        pass\n"
    end = '        return f"unexpected {response.status}"\n'
    text = clean(changed((end, end + own)), changed((end, end + made)))
    assert end + own + made + "\n\ndef _helper" in text


def test_what_a_person_moved_stays_where_it_is() -> None:
    start, stop = BASE.index("def _helper"), BASE.index("CASES")
    moved = BASE[:start] + BASE[stop:] + "\n\n" + BASE[start:stop].rstrip("\n") + "\n"
    text = clean(moved, changed(("return text", "return text.strip()")))
    assert text == moved.replace("return text", "return text.strip()")


def test_layout_is_left_as_it_is() -> None:
    mine = changed(
        ('"POST", config.url, ', '\n            "POST", config.url,\n            ')
    )
    mine = "# SPDX-License-Identifier: MIT\n" + mine.replace("'", "'")
    text = clean(mine, changed(('    "b",\n', '    "b",\n    "c",\n')))
    assert text == mine.replace('    "b",\n', '    "b",\n    "c",\n')


def test_an_import_stays_while_an_edit_uses_it() -> None:
    unused = changed(
        ("import Request, Response", "import Request"),
        ("response: Response", "response: object"),
    )
    own = "\n\ndef own(response: Response) -> None:\n    pass\n"
    assert "import Request\n" in clean(BASE, unused)
    assert "import Request, Response\n" in clean(BASE + own, unused)


@pytest.mark.parametrize(
    "own",
    [
        "try:\n    from runtime.client import Request, Response\nexcept ImportError:\n"
        "    raise\n",
        "if True:\n    from runtime.client import Request, Response\n",
        "import runtime.client\n\nRequest = Response = runtime.client\n",
        "from runtime.client import *\n",
        "",
    ],
    ids=["try", "if", "values", "star", "nothing"],
)
def test_an_import_that_a_person_replaced_is_not_added_again(own: str) -> None:
    line = "from runtime.client import Request, Response\n"
    mine = changed((line, own))
    assert clean(mine, BASE) == mine
    made = changed(("Sends.", "Posts."))
    assert clean(mine, made) == mine.replace("Sends.", "Posts.")


def test_an_import_comes_back_for_new_code() -> None:
    line = "from dataclasses import dataclass\n"
    gone = ("@dataclass(frozen=True)\n", "")
    made = "\n\n@dataclass\nclass Made:\n    a: int\n"
    assert line in clean(changed((line, ""), gone), BASE + made)


@pytest.mark.parametrize(
    ("names", "now", "expected"),
    [
        ("Own, Request", "Request, aware", "Own, Request, aware"),
        ("Request, Response", "NONE, Request, Response", "NONE, Request, Response"),
    ],
)
def test_an_import_gets_the_place_it_is_generated_at(
    names: str, now: str, expected: str
) -> None:
    line = "import Request, Response"
    text = clean(changed((line, f"import {names}")), changed((line, f"import {now}")))
    assert f"import {expected}\n" in text


def test_a_helper_stays_while_an_edit_uses_it() -> None:
    start, stop = BASE.index("def _helper"), BASE.index("CASES")
    without = BASE[:start] + BASE[stop:]
    own = "\n\ndef own() -> str:\n    return _helper('')\n"
    assert "_helper" not in clean(BASE, without)
    assert "def _helper" in clean(BASE + own, without)


@pytest.mark.parametrize(
    ("mine", "new", "where"),
    [
        (('kind = "foo"', 'kind = "a"'), ('kind = "foo"', 'kind = "b"'), "the value `kind` of the class `Service`"),
        (("return text", "return text + 1"), ("return text", "return text + 2"), "the function `_helper`"),
        (("Sends.", "Mine."), ("Sends.", "New."), "the docstring of the class `Service`"),
        (('"a",', '"x",'), ('"a",', '"y",'), "the value `CASES`"),
        (("config.room, ", "mine, "), ("config.room, ", "new, "), "the function `request` of the class `Service`"),
        (("text: str", "text: int"), ("text: str", "text: bytes"), "the function `_helper`"),
    ],
)  # fmt: skip
def test_one_thing_that_both_changed_is_a_conflict(
    mine: tuple[str, str], new: tuple[str, str], where: str
) -> None:
    assert of_base(changed(mine), changed(new)).conflicts == (where,)
    assert mine[1] in of_base(changed(mine), changed(new), "mine").text
    assert new[1] in of_base(changed(mine), changed(new), "generated").text
    both = of_base(changed(mine), changed(new), "both").text
    assert mine[1] in both
    assert new[1] in both
    marked = of_base(changed(mine), changed(new), "markers").text.split("\n")
    places = [
        marked.index(marker)
        for marker in ("<<<<<<< mine", "||||||| generated before", "=======")
    ]
    assert places == sorted(places)
    assert mine[1] in "\n".join(marked[places[0] : places[1]])
    assert new[1] in "\n".join(marked[places[2] :])


def test_a_member_that_one_side_removed_and_the_other_changed_is_a_conflict() -> None:
    start, stop = BASE.index("def _helper"), BASE.index("CASES")
    without = BASE[:start] + BASE[stop:]
    other = changed(("return text", "return text.strip()"))
    assert of_base(without, other).conflicts == ("the function `_helper`",)
    assert of_base(other, without).conflicts == ("the function `_helper`",)


def test_what_is_no_python_is_not_merged_so() -> None:
    with pytest.raises(ClashError):
        merged(Versions(BASE, BASE + "(", BASE), PLAIN, "fail")


def parts(base: str, mine: str, new: str, take: Take = "fail") -> Merge:
    return merged(Versions(base, mine, new), PLAIN, take)


@pytest.mark.parametrize(
    ("base", "mine", "new", "expected"),
    [
        # a star with and without a name, and keywords that are collected
        ("*a", "x, *a", "*a, **k", "x, *a, **k"),
        ("a, /", "a, /, b", "a, /, *, c=1", "a, /, b, *, c=1"),
        ("**k", "x, **k", "**k", "x, **k"),
        ("a", "a, x: int = 1", "a, **k", "a, x: int = 1, **k"),
    ],
)
def test_parameters_of_every_kind(
    base: str, mine: str, new: str, expected: str
) -> None:
    texts = [f"def f({each}) -> int:\n    return 1\n" for each in (base, mine, new)]
    merge = parts(*texts)
    assert merge.conflicts == ()
    assert merge.text == f"def f({expected}) -> int:\n    return 1\n"


def test_parameters_that_become_too_long_are_laid_out_with_the_result() -> None:
    result = "dict[str, tuple[int, ...]]"
    texts = [
        f"def f({each}) -> {result}:\n    return 1\n"
        for each in ("a", "a, mine: dict[str, int]", "a, b: int = 3, c: int = 4")
    ]
    merge = parts(*texts)
    assert merge.conflicts == ()
    assert merge.text == (
        "def f(\n    a, mine: dict[str, int], b: int = 3, c: int = 4\n"
        f") -> {result}:\n    return 1\n"
    )


def test_an_import_under_another_name_stays_while_it_is_used() -> None:
    head = "import numpy as np\nimport a.b as c\n"
    use = "\nx = np\n"
    assert (
        parts(head + use, head + use + "# mine\n", "y = 1\n").text == "y = 1\n# mine\n"
    )
    own = use + "mine = c\n"
    kept = parts(head + use, head + own, "y = 1\n").text
    assert kept.splitlines()[0] == "import a.b as c"
    assert sorted(kept.splitlines()[1:]) == ["mine = c", "y = 1"]


@pytest.mark.parametrize(
    ("texts", "where"),
    [
        (("f(1)\n", "f(2)\n", "f(3)\n"), "the call `f`"),
        (("a = 1; b = 2\n", "a = 1; b = 3\n", "a = 2; b = 2\n"), "the line with `;`"),
        (
            ("for a in b: c()\n", "for a in b: d()\n", "for a in b: e()\n"),
            "the `for` loop",
        ),
        (("a += 1\n", "a += 2\n", "a += 3\n"), "the changed value"),
        (("a\n", "b\n", "c\n"), "the expression"),
        (
            ("def f(): ...\n", "def f(): return 1\n", "class f: ...\n"),
            "the function `f`",
        ),
        (("a = 1\n", "a: int = 1\n", "a = 2\n"), "the value `a`"),
        (("class A: ...\n", "class A: x = 1\n", "class A: y = 1\n"), "the class `A`"),
        (
            ("if a:\n    f(1)\n", "if a:\n    f(2)\n    f(3)\n", "if a:\n    f(4)\n"),
            "the condition `a`",
        ),
    ],
)
def test_statements_that_cannot_be_merged(
    texts: tuple[str, str, str], where: str
) -> None:
    [conflict] = parts(*texts).conflicts
    assert conflict.startswith(where)
    assert parts(*texts, take="mine").text.strip().startswith(texts[1].strip())


def test_what_an_edit_uses_by_another_member_stays() -> None:
    helpers = "def h(): return k()\n\n\ndef k(): ...\n\n\n"
    text = parts(f"{helpers}x = 1\n", f"{helpers}x = h()\n", "x = 1\n").text
    assert text == f"{helpers}x = h()\n"
    base = "class C:\n    def h(self): return self.k()\n\n    def k(self): ...\n"
    own = base + "\n    def own(self): return self.h()\n"
    text = parts(base, own, "class C:\n    x = 1\n").text
    assert "def h(self)" in text
    assert "def k(self)" in text
    # a name in a string that is one word may be one that is looked up
    named = parts(f"{helpers}x = 1\n", f"{helpers}x = 'k'\n", "x = 1\n").text
    assert "def k" in named
    assert (
        "def k"
        not in parts(f"{helpers}x = 1\n", f"{helpers}x = 'a k'\n", "x = 1\n").text
    )


@pytest.mark.parametrize(("indent", "blank"), [("", "\n\n\n"), ("    ", "\n\n")])
def test_a_definition_of_each_side_is_set_apart(indent: str, blank: str) -> None:
    head = "class A:\n" if indent else ""
    texts = [
        head + blank.join(f"{indent}def {name}(): ..." for name in names) + "\n"
        for names in (
            "ab",
            ("a", "own", "b"),
            ("a", "new", "b"),
            ("a", "own", "new", "b"),
        )
    ]
    assert parts(*texts[:3]).text == texts[3]


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ("class A(B):\n", "@own\nclass A(B, own):\n"),
        ("class A(B, x=1):\n", "class A(B, x=1, own=2):\n"),
        ("class A(B):\n", "class A(C):\n"),
        ("@d\ndef f():\n", "@d\n@own\nasync def f():\n"),
        ("@d\ndef f():\n", "@own\n@d\ndef f():\n"),
    ],
)
def test_a_head_is_taken_from_the_side_that_changed_it(base: str, head: str) -> None:
    old, one, other, both = (
        f"    x = {x}\n    y = {y}\n" for x, y in ((1, 1), (2, 1), (1, 2), (2, 2))
    )
    assert parts(base + old, head + one, base + other) == Merge(head + both)
    assert parts(base + old, base + one, head + other) == Merge(head + both)


def test_an_import_inside_a_class_is_a_member_of_it() -> None:
    base = "class A:\n    a = 1\n"
    mine = "class A:\n    import os\n    a = 1\n"
    assert parts(base, mine, f"{base}    b = 2\n").text == f"{mine}    b = 2\n"


@pytest.mark.parametrize(
    ("base", "mine", "new", "expected"),
    [
        ("{'a': 1}", "{'a': 1, **m}", "{'a': 1, 'c': 3}", "{'a': 1, **m, 'c': 3}"),
        ("[a, b]", "[a, own, b]", "[a, new, b]", "[a, own, new, b]"),
        ("f(a, b=1)", "f(a, b=1, c=2)", "f(a, b=1, d=3)", "f(a, b=1, c=2, d=3)"),
        # another layout is not a change
        ("f(a)", "f(a, c=2)", "f(\n    a,\n)", "f(a, c=2)"),
        ("[a]", "[a, own]", "[\n    a,\n]", "[a, own]"),
    ],
)
def test_values_of_both_sides(base: str, mine: str, new: str, expected: str) -> None:
    merge = parts(f"X = {base}\n", f"X = {mine}\n", f"X = {new}\n")
    assert merge == Merge(f"X = {expected}\n")


@pytest.mark.parametrize(
    ("base", "mine", "new"),
    [
        # of kinds that differ
        ("[a]", "{a: 1}", "[a, b]"),
        ("[a]", "[a, b]", "{a: 1}"),
        ("{a: 1}", "[a]", "[a, b]"),
        ("{a}", "[a, b]", "{a, c}"),
        ("f(a)", "[a]", "f(a, b)"),
        ("'a'", "['a']", "'b'"),
        # strings with other quotes or prefixes, and of one line
        ("'''a\nb'''", '"""a\nc"""', "'''d\nb'''"),
        ("'''a\nb'''", "r'''a\nc'''", "'''d\nb'''"),
        ("'a'", "'b'", "'c'"),
        # of a kind that has no parts
        ("a", "b", "c"),
        ("-a", "-b", "-c"),
    ],
)
def test_values_that_only_a_person_can_merge(base: str, mine: str, new: str) -> None:
    merge = parts(f"X = {base}\n", f"X = {mine}\n", f"X = {new}\n")
    assert merge.conflicts == ("the value `X`",)


def test_strings_are_merged_by_their_lines() -> None:
    for quote in ("'''", "r'''"):
        texts = ["a\nb\nc", "own\nb\nc", "a\nb\nnew", "own\nb\nnew"]
        base, mine, new, both = (f"X = {quote}{each}'''\n" for each in texts)
        assert parts(base, mine, new) == Merge(both)


IN_FUNCTION = "def f():\n    a()\n    {}\n    return 1\n"


@pytest.mark.parametrize(
    ("base", "mine", "new"),
    [
        # of a kind that has no parts to merge
        ("del a", "del a, b", "del a, c"),
        ("match a:\n        case 1: b()", "match a:\n        case 2: b()", "match a:\n        case 3: b()"),
        # of kinds that differ
        ("for x in a:\n        b()", "while a:\n        b()", "for x in c:\n        b()"),
        ("for x in a:\n        b()", "for x in c:\n        b()", "while a:\n        b()"),
        ("while a:\n        b()", "for x in a:\n        b()", "for x in c:\n        b()"),
        ("x = 1", "x: int = 1", "x = 2"),
        ("return a", "b()", "return c"),
    ],
    ids=["del", "match", "mine", "new", "base", "assignment", "simple"],
)  # fmt: skip
def test_statements_of_other_kinds_are_settled_as_a_whole(
    base: str, mine: str, new: str
) -> None:
    texts = [IN_FUNCTION.format(each) for each in (base, mine, new)]
    assert parts(*texts).conflicts == ("the function `f`",)
    assert parts(*texts, take="mine").text == texts[1]
    assert parts(*texts, take="generated").text == texts[2]
    both = IN_FUNCTION.format(f"{mine}\n    {new}")
    assert parts(*texts, take="both").text == both
    marked = parts(*texts, take="markers").text
    assert marked == IN_FUNCTION.replace("    {}\n", "{}").format(
        f"<<<<<<< mine\n    {mine}\n||||||| generated before\n    {base}\n"
        f"=======\n    {new}\n>>>>>>> generated now\n"
    )


def test_a_conflict_is_named_by_all_that_it_is_in() -> None:
    texts = [f"class A:\n    class B:\n        x = {value}\n" for value in (1, 2, 3)]
    where = "the value `x` of the class `B` of the class `A`"
    assert parts(*texts).conflicts == (where,)


@pytest.mark.parametrize(
    ("base", "mine", "new", "expected"),
    [
        # one statement of each side, in a block that both changed
        ("f(1)\n    g(1)", "f(2)\n    g(1)", "f(1)\n    g(2)", "f(2)\n    g(2)"),
        ("if a:\n        f(1)\n        g(1)", "if a:\n        f(2)\n        g(1)", "if a:\n        f(1)\n        g(2)", "if a:\n        f(2)\n        g(2)"),
        ("for x in a:\n        f(1)", "for x in b:\n        f(1)", "for x in a:\n        f(2)", "for x in b:\n        f(2)"),
    ],
)  # fmt: skip
def test_statements_in_blocks(base: str, mine: str, new: str, expected: str) -> None:
    texts = [IN_FUNCTION.format(each) for each in (base, mine, new)]
    assert parts(*texts) == Merge(IN_FUNCTION.format(expected))


@pytest.mark.parametrize(
    ("base", "mine", "new", "expected"),
    [
        # elements without names beside arguments with one
        ("f(a, b=1)", "f(a, b=2)", "f(a, b=1, c=3)", "f(a, b=2, c=3)"),
        ("[a, b]", "[b]", "[a, b, c]", "[b, c]"),
        ("{a, b}", "{a, b, own}", "{a}", "{a, own}"),
        ("[a, a]", "[a, a, own]", "[a]", "[a, own]"),
        ("[a]", "[a, a]", "[a, b]", "[a, a, b]"),
        ("{**a, 'b': 1}", "{**a, 'b': 2}", "{**a, **c, 'b': 1}", "{**a, **c, 'b': 2}"),
    ],
)
def test_values_lose_and_get_entries(
    base: str, mine: str, new: str, expected: str
) -> None:
    merge = parts(f"X = {base}\n", f"X = {mine}\n", f"X = {new}\n")
    assert merge == Merge(f"X = {expected}\n")


@pytest.mark.parametrize(
    ("base", "mine", "new"),
    [
        ("with a as b:", "with a as  b:", "with a as c:"),
        ("with a as b, c:", "with  a as  b,  c:", "with a as b, d:"),
        ("for x in a:", "for  x  in a:", "for y in a:"),
    ],
)
@pytest.mark.parametrize("is_swapped", [False, True])
def test_another_layout_of_a_head_changes_nothing(
    base: str, mine: str, new: str, *, is_swapped: bool
) -> None:
    heads = Versions(base, new, mine) if is_swapped else Versions(base, mine, new)
    bodies = Versions("one()", "one()\n    two()", "one(1)")
    texts = (f"{head}\n    {body}\n" for head, body in zip(heads, bodies, strict=True))
    merge = merged(Versions(*texts), PLAIN, "")
    assert not merge.conflicts
    expected = ast.parse(f"{new}\n    one(1)\n    two()\n")
    assert ast.dump(ast.parse(merge.text)) == ast.dump(expected)
