"""Queries, read as Go reads them."""

import pytest

from runtime.golang.queries import parse_query


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("db=d&rp=r&db=e", {"db": ["d", "e"], "rp": ["r"]}),
        ("a&b=&=c&&", {"a": [""], "b": [""], "": ["c"]}),
        ("a+b=c%20d%26%3b&x==y=", {"a b": ["c d&;"], "x": ["=y="]}),
        # a malformed part is dropped
        ("db=d;rp=r&x=y", {"x": ["y"]}),
        ("a=%zz&b=%&c=%4&%g0=d&e=%41", {"e": ["A"]}),
        ("é=%C3%A9", {"é": ["é"]}),
    ],
)
def test_queries(text: str, values: dict[str, list[str]]) -> None:
    assert parse_query(text) == values
