"""`[test]` and `[[example]]`."""

from __future__ import annotations

import pytest

from scaffold.errors import SpecError
from scaffold.spec.parse import parse

HEAD = """\
[handler]
name = "quoll"
[config]
url = {}
user = {}
password = { type = "secret" }
teams = { type = "list" }
n = { type = "int" }
[option]
to = { type = "list" }
sign = {}
[[request]]
url = "${config.url}"
"""


def spec_of(request):
    return parse(HEAD + request, "quoll.toml")


def refused(request):
    with pytest.raises(SpecError) as caught:
        spec_of(request)
    return [(fault.where, fault.problem) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        ('config = { n = "x" }', "must fit type int, but is a string"),
        ('config = { nope = 1 }', "unknown key"),
        ('options = { to = "x" }', "must fit type list[str], but is a string"),
        ('event = { level = "CRIT" }', "unknown level 'CRIT'"),
        ('event = { time = "now" }', "must be an integer, not a string"),
        ('event = { tags = { a = 1 } }', "must be a string, not an integer"),
        ('event = { id = 1 }', "must be a string, not an integer"),
        ("want = { json = { a = 1979-05-27 } }", "is a date or time"),
    ],
)  # fmt: skip
def test_examples_that_no_test_can_run_are_refused(example, problem):
    assert any(problem in each for _, each in refused(f"[[example]]\n{example}\n"))
