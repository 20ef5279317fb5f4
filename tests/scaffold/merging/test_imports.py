"""Imports of a merged module: their places, and the comments that move with them."""

import pytest

from scaffold.layout.style import PLAIN, by_black
from scaffold.merging.python import merged
from scaffold.merging.versions import Versions


def clean(base, mine, new):
    """The text of a merge without conflicts."""
    merge = merged(Versions(base, mine, new), PLAIN, "fail")
    assert merge.conflicts == ()
    return merge.text


USE = "\n\ndef f():\n    return os, b\n"
OWN = USE.replace("return", "# own\n    return")


@pytest.mark.parametrize(
    "imports",
    ["import os\nfrom a import b\n", "import os\nfrom a import b, c\n", "import os, sys\nfrom a import b\n"],
)  # fmt: skip
def test_a_comment_that_is_generated_now_comes_to_the_import(imports):
    base, mine = f'"""Doc."""\n\n{imports}{USE}', f'"""Doc."""\n\n{imports}{OWN}'
    new = base.replace("from a", "# for b\n# and more\nfrom a")
    assert clean(base, mine, new) == mine.replace(
        "from a", "# for b\n# and more\nfrom a"
    )
    # below one of the person, and only once
    mine = mine.replace("from a", "# mine\nfrom a")
    expected = mine.replace("from a", "# for b\n# and more\nfrom a")
    assert clean(base, mine, new) == expected
    assert clean(base, expected, new) == expected


def test_a_comment_of_an_import_that_the_person_removed_is_not_added():
    base = f"x = 1\nimport os\nfrom a import b\n{USE}"
    mine = base.replace("from a import b\n", "").replace(", b", "")
    assert clean(base, mine, base.replace("from a", "# for b\nfrom a")) == mine


@pytest.mark.parametrize(
    ("base", "mine", "new", "expected"),
    [
        # into brackets with a comment, at the place where it is generated
        (
            "from a import b\n\nx = b\n",
            "from a import (\n    b,\n    d,  # mine\n)\n\nx = b, d\n",
            "from a import b, c\n\nx = b\ny = c\n",
            "from a import (\n    b,\n    c,\n    d,  # mine\n)\n\nx = b, d\ny = c\n",
        ),
        # right after the one that it follows in the new text, with the lines above it
        (
            "import os\nimport z\n\nx = os, z\n",
            "import os\nimport own\nimport z\n\nx = os, z, own\n",
            "import os\n# why\nimport sys\nimport z\n\nx = os, z\ny = sys\n",
            "import os\n# why\nimport sys\nimport own\nimport z\n\nx = os, z, own\ny = sys\n",
        ),
        # after the last one of its modules, if the person moved what it follows
        (
            "from a import b\nfrom c import d\n\nx = b, d\n",
            "from c import d\nx = d, 1\n",
            "from a import b\nfrom c import d\nfrom e import f\n\nx = b, d\ny = f\n",
            "from c import d\nfrom e import f\nx = d, 1\ny = f\n",
        ),
        # after the last one of its modules, of which the person imports something else
        (
            "from a import b\nfrom c import d\nimport z\n\nx = b, d, z\n",
            "from a import own\nimport z\n\nx = own, z, 1\n",
            "from a import b\nfrom c import d\nfrom e import f\nimport z\n\nx = b, d, z\ny = f\n",
            "from a import own\nfrom e import f\nimport z\n\nx = own, z, 1\ny = f\n",
        ),
        # above the others, if there is none that it follows
        (
            "import z\n\nx = z\n",
            "import z\n\nx = z, 1\n",
            "import a\nimport z\n\nx = z\ny = a\n",
            "import a\nimport z\n\nx = z, 1\ny = a\n",
        ),
        # with what is above it, if it is the first one
        (
            '"""Doc."""\n\nx = 1\n',
            '"""Doc."""\n\nx = 1  # mine\n',
            '"""Doc."""\n\n# why\nimport a\n\nx = 1\ny = a\n',
            '"""Doc."""\n\n# why\nimport a\n\nx = 1  # mine\ny = a\n',
        ),
        # with its comment but no blank line, if it follows another one than it should
        (
            "from a import b\nimport c\n\nx = b, c\n",
            "from a import own\nimport z\n\nx = own, z, 1\n",
            "from a import b\nimport c\n\n# why\nimport d\n\nx = b, c\ny = d\n",
            "from a import own\n# why\nimport d\nimport z\n\nx = own, z, 1\ny = d\n",
        ),
        # a star is all there is of its module
        (
            "import z\nfrom a import *\n\nx = 1\n",
            "import z\nfrom a import *\n\nx = 1  # mine\n",
            "import z\nfrom a import *\nfrom a import b\n\nx = 1\ny = b\n",
            "import z\nfrom a import *\nfrom a import b\n\nx = 1  # mine\ny = b\n",
        ),
    ],
    ids=["brackets", "after", "module", "own", "above", "first", "comment", "star"],
)
def test_a_new_import(base, mine, new, expected):
    assert clean(base, mine, new) == expected


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        ("# own\nimport os\nimport sys\n", "# own\nimport sys\n"),
        ("import a\n# own\nimport os\nimport sys\n", "import a\n# own\nimport sys\n"),
        ("import a\n# gen\nimport os\nimport sys\n", "import a\nimport sys\n"),
        ("import os, sys\n", "import sys\n"),
        ("import sys, os\n", "import sys\n"),
        ("import os; import sys\n", "import sys\n"),
    ],
)
def test_an_import_that_goes(mine, expected):
    base = "import a\n# gen\nimport os\nimport sys\n\nx = sys, a\n"
    rest = "\nx = sys, a  # mine\n"
    new = base.replace("# gen\nimport os\n", "")
    assert clean(base, mine + rest, new) == expected + rest


@pytest.mark.parametrize(
    ("first", "place"),
    [
        *[('"""Doc."""', 1), ("f()", 0), ("a = 0", 0)],
        *[("def f(): ...", 0), ("if a: b()", 0)],
    ],
)
def test_a_first_import_stands_above_everything_but_a_docstring(first, place):
    base = f"{first}\n\nx = 1\n"
    text = clean(base, f"{base}# mine\n", f"{first}\n\nimport os\n\nx = 1\ny = os\n")
    statements = [line for line in text.split("\n") if line]
    assert statements.index("import os") == place


def test_one_comment_comes_to_the_import():
    base = f"import os\nfrom a import b\n{USE}"
    new = base.replace("from a", "# for b\nfrom a")
    mine = base.replace(USE, OWN)
    assert clean(base, mine, new) == mine.replace("from a", "# for b\nfrom a")


HEADS = {
    "nothing": "",
    "a docstring": '"""Doc."""\n\n',
    "a licence": "# licence\n\n",
    "a future": '"""Doc."""\n\nfrom __future__ import annotations\n\n',
}
RESTS = {
    "a class": "\nclass A:\n    x = 1\n",
    "a decorated function": "\n@d\ndef f():\n    x = 1\n",
    "a value": "x = 1\n",
    "a commented value": "# about\nx = 1\n",
    "a commented class": "\n# about\nclass A:\n    x = 1\n",
    "a comment for itself": "# about\n\n\nclass A:\n    x = 1\n",
    "a condition": "if X:\n    x = 1\n",
}
FIRST = ("import os\n", "# why\nimport os\n", "import os\n\nfrom a import os\n")


@pytest.mark.parametrize("rest", RESTS.values(), ids=list(RESTS))
@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
def test_a_first_import_leaves_the_module_as_black_does(head, rest):
    base = laid_out(f"{head}{rest}")
    mine = base.replace("x = 1\n", "x = 1  # mine\n")
    for imports in FIRST:
        new = laid_out(f"{head}{imports}\n{rest}\ny = os\n")
        text = clean(base, mine, new)
        assert "# mine" in text
        assert text == laid_out(text)


def test_a_person_who_leaves_no_blank_line_after_imports_gets_none():
    base, new = "import b\n\nx = b\n", "import b\nimport os\n\nx = b\ny = os\n"
    mine = "import b\nx = b, 1\n"
    assert clean(base, mine, new) == "import b\nimport os\nx = b, 1\ny = os\n"


def laid_out(text):
    return by_black(text, PLAIN)
