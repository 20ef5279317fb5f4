import re
import tomllib
from pathlib import Path

import pytest

from scaffold.flags import Flags
from scaffold.spec.parse import from_flags
from scaffold.spec.schema import schema

ROOT = Path(__file__).parents[3]
SPECS = [
    *sorted(ROOT.glob("runtime/services/*/handler.toml")),
    *sorted(ROOT.glob("tests/scaffold/specs/*.toml")),
]
TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}


def problems(value, rule, where="", root=None):
    """What the schema says is wrong with a value; knows the words that it uses."""
    root = root or rule
    if "$ref" in rule:
        rule = root["$defs"][rule["$ref"].rpartition("/")[2]]
    if "anyOf" in rule:
        tried = [problems(value, each, where, root) for each in rule["anyOf"]]
        return [] if [] in tried else [f"{where}: fits nothing"]
    names = rule.get("type", [])
    wanted = [TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    if wanted and not any(isinstance(value, each) for each in wanted):
        return [f"{where}: is no {names}"]
    if value not in rule.get("enum", [value]) or value != rule.get("const", value):
        return [f"{where}: {value!r} is not allowed"]
    if "pattern" in rule and not re.search(rule["pattern"], value):
        return [f"{where}: {value!r} does not match"]
    found = []
    if isinstance(value, list) and "items" in rule:
        for index, each in enumerate(value):
            found += problems(each, rule["items"], f"{where}[{index}]", root)
    if isinstance(value, dict):
        found += [
            f"{where}.{key}: missing"
            for key in rule.get("required", ())
            if key not in value
        ]
        for key, each in value.items():
            inner = rule.get("properties", {}).get(
                key, rule.get("additionalProperties", {})
            )
            place = f"{where}.{key}"
            found += (
                [f"{place}: unknown"]
                if inner is False
                else problems(each, inner, place, root)
            )
            if "propertyNames" in rule:
                found += problems(key, rule["propertyNames"], place, root)
    return found


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.parent.name + path.stem)
def test_specs_fit_the_schema(path):
    assert problems(tomllib.loads(path.read_text()), schema()) == []


def test_what_flags_make_fits_the_schema():
    spec = from_flags(Flags("foo", fields=["room", "n:int=3"], options=["who:list"]))
    assert problems(tomllib.loads(spec.to_toml()), schema()) == []


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"hook": {}}, ".hook: unknown"),
        ({"handler": {"name": "Foo"}}, ".handler.name: 'Foo' does not match"),
        ({"handler": {}}, ".handler.name: missing"),
        ({"config": {"a b": {}}}, ".config.a b: 'a b' does not match"),
        ({"config": {"a": {"type": "flag"}}}, ".config.a.type: 'flag' is not allowed"),
        ({"request": [{"urls": "x"}]}, ".request[0].url: missing"),
    ],
)
def test_the_schema_refuses_what_specs_may_not_say(change, wanted):
    document = {"handler": {"name": "foo"}, "request": [{"url": "x"}], **change}
    assert wanted in problems(document, schema())
