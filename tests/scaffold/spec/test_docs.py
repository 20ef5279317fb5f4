import re
from pathlib import Path

from scaffold.expressions.functions import FUNCTIONS
from scaffold.spec.parse import parse
from scaffold.spec.schema import schema
from scaffold.spec.scopes import EVENT

DOCS = (Path(__file__).parents[3] / "docs/specs.md").read_text()


def test_the_example_is_a_good_spec():
    [example] = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert parse(example).names.kind == "zulip"


def test_every_function_is_described():
    for function in FUNCTIONS.values():
        assert f"| `{function.signature}` | {function.meaning} |" in DOCS


def test_every_name_of_an_event_is_described():
    for name in EVENT:
        assert re.search(rf"\b{name}\b", DOCS)


def test_every_key_is_described():
    properties = schema()["properties"]
    for table, rule in properties.items():
        assert f"`[{table}" in DOCS or f"`[[{table}]]`" in DOCS
        rule = rule.get("items", rule)
        entry = rule.get("additionalProperties") or rule
        for key in entry.get("properties", {}):
            assert re.search(rf"`{key}`", DOCS), f"{table}.{key}"
