import ast

import pytest

from scaffold.expressions.code import ExpressionError
from scaffold.expressions.interpolation import pieces


def test_texts_are_cut_at_their_expressions():
    texts = [
        each if isinstance(each, str) else ast.unparse(each)
        for each in pieces("a ${x} $${y} ${get(z, '}')} ${ {'a': 1} } $")
    ]
    assert texts == ["a ", "x", " ${y} ", "get(z, '}')", " ", "{'a': 1}", " $"]


@pytest.mark.parametrize("text", ["${", "${x", "${}", "${x y}", "a ${x:>3}"])
def test_an_unfinished_expression_is_refused(text):
    with pytest.raises(ExpressionError):
        pieces(text)


def test_backslashes_of_regular_expressions_bring_no_warning(recwarn):
    [node] = pieces(r"${matches(event.id, '^\d+\.$')}")
    assert node.args[1].value == r"^\d+\.$"
    assert not recwarn.list
