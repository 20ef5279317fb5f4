"""`[test]` and `[[example]]`."""

from __future__ import annotations

import pytest

from tests.scaffold.spec.quoll import refused, spec_of


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


def test_values_of_a_map_of_templates_may_be_any_json():
    more = '[option.facts]\ntype = "map[template]"\n'
    example = "[[example]]\noptions = { facts = { n = 5, on = true, l = [1, 2] } }\n"
    spec = spec_of(more + example)
    printed = {"n": "5", "on": "true", "l": "[1 2]"}
    assert spec.examples[0].options == {"facts": printed}


@pytest.mark.parametrize("part", ["name", "task", "category", "group", "tags"])
def test_the_data_of_a_service_test_are_set_once(part):
    value = "{}" if part == "tags" else '"x"'
    test = (
        '[test]\nall = { value = { Name = "cpu" }, feeds = "event.data" }\n'
        f'one = {{ value = {value}, feeds = "event.{part}" }}\n'
    )
    problem = "is part of event.data, which 'all' sets; remove one of them"
    assert any(problem in each for _, each in refused(test))
