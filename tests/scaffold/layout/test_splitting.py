"""Random statements are split as black splits them."""

from __future__ import annotations

import ast
import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold.layout import fit
from scaffold.layout.fit import fit_module
from scaffold.layout.printer import source
from scaffold.layout.style import Style, by_black

NAMES = ("a", "config", "options", "event", "response", "a_long_name", "self")
LEAVES = st.one_of(
    st.sampled_from(NAMES).map(ast.Name),
    st.sampled_from(
        [
            "",
            "text",
            "a longer text with blanks",
            "x" * 30,
            "通知をしてください",
            5,
            1.5,
            None,
        ]
    ).map(ast.Constant),
    st.just(ast.Attribute(ast.Attribute(ast.Name("event"), "state"), "message")),
)
COMPARISONS = (ast.Eq(), ast.In(), ast.NotIn(), ast.Is(), ast.IsNot(), ast.Lt())


def branches(inner: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[ast.expr]:
    some = st.lists(inner, max_size=3)
    keywords = st.lists(st.builds(ast.keyword, st.just("key"), inner), max_size=1)
    functions = st.sampled_from(("f", "text", "given", "join")).map(ast.Name)
    items = st.lists(st.tuples(st.sampled_from((None, "k", "key")), inner), max_size=3)
    methods = st.sampled_from(("replace", "strip", "reveal"))
    return st.one_of(
        st.builds(ast.Call, functions, some, keywords),
        st.builds(lambda of, name, arguments: ast.Call(ast.Attribute(of, name), arguments, []), inner, methods, some),
        items.map(table),
        st.builds(ast.List, some),
        st.builds(ast.Tuple, some),
        st.builds(ast.BoolOp, st.sampled_from((ast.And(), ast.Or())), st.lists(inner, min_size=2, max_size=3)),
        st.builds(ast.IfExp, inner, inner, inner),
        st.builds(lambda left, sign, right: ast.Compare(left, [sign], [right]), inner, st.sampled_from(COMPARISONS), inner),
        st.builds(ast.BinOp, inner, st.sampled_from((ast.Add(), ast.Sub(), ast.Mult())), inner),
        st.builds(lambda of: ast.Subscript(of, ast.Slice(None, ast.Constant(5))), inner),
        st.builds(lambda of: ast.JoinedStr([ast.Constant("some text "), ast.FormattedValue(of, -1)]), st.sampled_from(NAMES).map(ast.Name)),
        st.builds(lambda of, each, tests: ast.ListComp(each, [ast.comprehension(ast.Name("x"), of, tests, 0)]), inner, inner, st.lists(inner, max_size=1)),
        st.builds(ast.UnaryOp, st.just(ast.Not()), inner),
    )  # fmt: skip


def table(items: list[tuple[str | None, ast.expr]]) -> ast.expr:
    """A dictionary; an item without a key is unpacked."""
    keys: list[ast.expr | None] = [
        None if key is None else ast.Constant(key) for key, _ in items
    ]
    return ast.Dict(keys, [value for _, value in items])


EXPRESSIONS = st.recursive(LEAVES, branches, max_leaves=12)
STATEMENTS = (
    "    return {}\n",
    "name = {}\n",
    "name: dict[str, object] = {}\n",
    "if {}:\n    pass\n",
    "    if {}:\n        raise Error\n",
    "assert {}\n",
    "    assert request.headers == {}\n",
    "raise Error({})\n",
    "    f({})\n",
    "    return handler, Event({}, state=state)\n",
    "    options = replace(self, more={}, less=less)\n",
)


@given(EXPRESSIONS, st.sampled_from(STATEMENTS), st.sampled_from((40, 60, 79, 88, 120)))
def test_random_statements_are_laid_out_as_black_does(
    node: ast.expr, statement: str, limit: int
) -> None:
    text = statement.format(source(node))
    if text.startswith("    "):
        text = f"def f():\n{text}"
    try:
        ast.parse(text)
    except SyntaxError:  # `x == not y`
        return
    if by_black(text, Style(line_length=100_000)) == text:
        assert fit_module(text, Style(line_length=limit)) == by_black(
            text, Style(line_length=limit)
        )


def test_most_statements_need_no_black(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(fit, "by_black", lambda text, *_: asked.append(text) or text)
    tried = []

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(EXPRESSIONS, st.sampled_from(STATEMENTS))
    def lay_out(node: ast.expr, statement: str) -> None:
        text = statement.format(source(node))
        with contextlib.suppress(SyntaxError):
            text = f"def f():\n{text}" if text[0] == " " else text
            tried.append(fit_module(text, Style(60)))

    lay_out()
    assert len(asked) < len(tried) / 4
