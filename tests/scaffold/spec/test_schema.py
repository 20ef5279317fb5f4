"""The JSON Schema, compared with the reader."""

import copy
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.spec import keys
from scaffold.spec.parse import from_flags, parse
from scaffold.spec.schema import schema
from scaffold.spec.toml import toml_text

ROOT = Path(__file__).parents[3]
SPECS = [
    *sorted(ROOT.glob("runtime/services/*/handler.toml")),
    *sorted(ROOT.glob("tests/scaffold/specs/**/*.toml")),
]
VALIDATOR = Draft202012Validator(schema())
HEAD = '[handler]\nname = "foo"\n[config]\nurl = {}\n'
REQUEST = '[[request]]\nurl = "${config.url}"\n'


def problems(text):
    errors = VALIDATOR.iter_errors(tomllib.loads(text))
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_the_schema_is_one():
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.parent.name + path.stem)
def test_specs_fit_the_schema(path):
    assert problems(path.read_text()) == []


def test_what_flags_make_fits_the_schema():
    flags = Flags("foo", fields=["room", "n:int=3"], options=["who:list"])
    assert problems(from_flags(flags).to_toml()) == []


def described(rule, path="spec"):
    """Each key of a schema with its description, whichever table it is in."""
    for name, inner in rule.get("properties", {}).items():
        yield f"{path}.{name}", inner.get("description", "")
        yield from described(inner, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(rule.get(word), dict):
            yield from described(rule[word], path)
    for part in rule.get("anyOf", ()):
        if part.get("additionalProperties") is False:
            yield from described(part, path)


def test_every_key_has_its_description():
    found = dict(described(schema()))
    for name, known in {
        "": keys.SPEC, ".handler": keys.HANDLER, ".handler.wrap": keys.WRAP, ".hook": keys.HOOK, ".config": keys.CONFIG,
        ".option": keys.OPTION, ".level": keys.LEVEL, ".check": keys.CHECK,
        ".request": keys.REQUEST, ".request.auth": keys.AUTH, ".test": keys.TEST,
        ".connection": keys.CONNECTION, ".instances": keys.INSTANCES,
        ".response": keys.RESPONSE, ".example": keys.EXAMPLE,
        ".example.event": keys.EXAMPLE_EVENT, ".example.want": keys.EXAMPLE_WANT,
    }.items():  # fmt: skip
        for key in known:
            assert found.pop(f"spec{name}.{key.name}") == key.meaning
    assert found == {}


SEVERAL = REQUEST + '[instances]\nkey = "id"\n'
TLS = HEAD.replace('"foo"', '"foo"\ntls = true')
BAD = {
    "unknown table": HEAD + REQUEST + "[nope]\n",
    "unknown key of a connection": HEAD + REQUEST + '[connection]\nx = "1"\n',
    "certificate without a key": HEAD
    + REQUEST
    + '[connection]\ncert = ["config.url"]\n',
    "verification as a boolean": HEAD + REQUEST + "[connection]\nverify = true\n",
    "instances without a key": HEAD + REQUEST + "[instances]\n",
    "unknown default of instances": HEAD + SEVERAL + 'default = "first"\n',
    "flag that instances add": HEAD + "default = {}\n" + SEVERAL,
    "early option of instances": HEAD
    + SEVERAL
    + '[option]\na = { default = "config.url", bind = "create" }\n',
    "global without a default": HEAD.replace('"foo"', '"foo"\nflags = ["global"]')
    + SEVERAL
    + 'default = "none"\n',
    "setting that tls adds": TLS + "ssl-ca = {}\n" + REQUEST,
    "authorities besides tls": TLS + REQUEST + '[connection]\nca = "config.url"\n',
    "no name": "[handler]\n[config]\nurl = {}\n" + REQUEST,
    "no request": HEAD,
    "empty requests": "request = []\n" + HEAD,
    "name in capitals": HEAD.replace("foo", "Foo") + REQUEST,
    "reserved name": HEAD.replace("foo", "class") + REQUEST,
    "name of the runtime": HEAD.replace("foo", "handlers") + REQUEST,
    "name of a property": HEAD.replace("foo", "inhibit") + REQUEST,
    "two underscores": HEAD.replace("foo", "a__b") + REQUEST,
    "underscore at the end": HEAD.replace("foo", "a_") + REQUEST,
    "unknown flag": HEAD.replace('"foo"', '"foo"\nflags = ["globl"]') + REQUEST,
    "state changes without global": HEAD.replace(
        '"foo"', '"foo"\nflags = ["state-changes-only"]'
    )
    + REQUEST,
    "control character": HEAD.replace('"foo"', '"foo"\nsummary = "a\\u001bb"')
    + REQUEST,
    "bidi mark": HEAD + 'r = { doc = "a\\u202eb" }\n' + REQUEST,
    "long title": HEAD.replace('"foo"', f'"foo"\ntitle = "{"x" * 61}"') + REQUEST,
    "enabled as a key": HEAD + "enabled = {}\n" + REQUEST,
    "switch as a key": HEAD + "state-changes-only = {}\n" + REQUEST,
    "global as a key": HEAD + "global = {}\n" + REQUEST,
    "blank in a key": HEAD + '"a b" = {}\n' + REQUEST,
    "flag as a setting": HEAD + 'a = { type = "flag" }\n' + REQUEST,
    "default of int": HEAD + 'a = { type = "int", default = "x" }\n' + REQUEST,
    "default of bool": HEAD + 'a = { type = "bool", default = 1 }\n' + REQUEST,
    "default of list": HEAD + 'a = { type = "list", default = "x" }\n' + REQUEST,
    "default of map": HEAD
    + 'a = { type = "map[str]", default = { a = 1 } }\n'
    + REQUEST,
    "default of str": HEAD + 'a = { type = "str", default = 5 }\n' + REQUEST,
    "default of url": HEAD + 'a = { type = "url", default = "ftp://x" }\n' + REQUEST,
    "large integer": HEAD
    + 'a = { type = "int", default = 9223372036854775808 }\n'
    + REQUEST,
    "secret with default": HEAD + 'a = { type = "secret", default = "x" }\n' + REQUEST,
    "secret bool": HEAD + 'a = { type = "bool", secret = true }\n' + REQUEST,
    "number as URL": HEAD + 'a = { type = "int", check = "url" }\n' + REQUEST,
    "error without required": HEAD + 'a = { error = "x" }\n' + REQUEST,
    "check_error without check": HEAD + 'a = { check_error = "x" }\n' + REQUEST,
    "unknown required": HEAD + 'a = { required = "yes" }\n' + REQUEST,
    "bind without default": HEAD + '[option]\na = { bind = "create" }\n' + REQUEST,
    "bind and initial": HEAD
    + "[option]\na = { bind = \"create\", default = \"'x'\", initial = 'x' }\n"
    + REQUEST,
    "initial of int": HEAD
    + '[option]\na = { type = "int", initial = "x" }\n'
    + REQUEST,
    "tick true": HEAD + "[option]\na = { tick = true }\n" + REQUEST,
    "tick with a blank": HEAD + '[option]\na = { tick = "a b" }\n' + REQUEST,
    "default no expression": HEAD + "[option]\na = { default = 5 }\n" + REQUEST,
    "level with mixed types": HEAD + '[level.x]\nOK = 1\nINFO = "a"\n' + REQUEST,
    "empty level": HEAD + "[level.x]\n" + REQUEST,
    "unknown level": HEAD + '[level.x]\nCRIT = "a"\n' + REQUEST,
    "let with the name of a function": HEAD + '[let]\nlower = "x"\n' + REQUEST,
    "check without error": HEAD + '[[check]]\nthat = "True"\n' + REQUEST,
    "request without url": HEAD + "[[request]]\n",
    "two bodies": HEAD + REQUEST + "json = {}\nform = {}\n",
    "text and json": HEAD + REQUEST + 'text = "a"\njson = {}\n',
    "form as a list": HEAD + REQUEST + "form = []\n",
    "GET with a body": HEAD + REQUEST + 'method = "GET"\ntext = "a"\n',
    "unknown method": HEAD + REQUEST + 'method = "SEND"\n',
    "sorted without json": HEAD + REQUEST + 'sorted = true\ntext = "a"\n',
    "header name": HEAD + REQUEST + 'headers = { "X:Y" = "a" }\n',
    "header of the connection": HEAD + REQUEST + 'headers = { hOSt = "a" }\n',
    "line end in a header": HEAD + REQUEST + 'headers = { X = "a\\nb" }\n',
    "list in a header": HEAD + REQUEST + 'headers = { X = ["a"] }\n',
    "token in a header": HEAD + REQUEST + 'headers = { Authorization = "a" }\n',
    "token and header": HEAD
    + REQUEST
    + "auth = { token = \"'a'\" }\nheaders = { authorization = '${config.url}' }\n",
    "token and basic": HEAD
    + REQUEST
    + "auth = { token = 'config.url', basic = ['config.url', 'config.url'] }\n",
    "scheme alone": HEAD + REQUEST + 'auth = { scheme = "Bearer" }\n',
    "basic of one": HEAD + REQUEST + 'auth = { basic = ["config.url"] }\n',
    "status": HEAD + REQUEST + "[response]\nok = [20]\n",
    "status as a string": HEAD + REQUEST + '[response]\nok = ["200"]\n',
    "feed": HEAD + REQUEST + '[test]\na = { feeds = "event.idd" }\n',
    "level of an example": HEAD + REQUEST + '[[example]]\nevent = { level = "CRIT" }\n',
    "tags of an example": HEAD
    + REQUEST
    + "[[example]]\nevent = { tags = { a = 1 } }\n",
    "name of a step": HEAD + REQUEST + 'name = "Log in"\n' + REQUEST,
    "keep without a step": HEAD + REQUEST + 'keep = "1h"\n',
    "keep as a number": HEAD + REQUEST + 'name = "login"\nkeep = 5\n' + REQUEST,
    "that without a step": HEAD + REQUEST + "that = 'reply.ok'\n",
    "accepted without a step": HEAD + REQUEST + "accepted = '{}'\n",
    "recipients of a step": HEAD
    + REQUEST
    + 'name = "a"\n"@for" = "x in event.tags"\n'
    + REQUEST,
    "empty memory": HEAD + REQUEST + "[remember]\n",
    "key of the memory": HEAD + REQUEST + '[remember]\n"Issue" = "reply.a"\n',
    "number in the memory": HEAD + REQUEST + "[remember]\nissue = 5\n",
    "key of want": HEAD + REQUEST + "[[example]]\nwant = { body = 1 }\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_the_schema_refuses_what_the_reader_refuses(text):
    with pytest.raises(SpecError):
        parse(text)
    assert problems(text)


GOOD = {
    "step": HEAD + REQUEST + 'name = "log-in"\nkeep = "1h"\n' + REQUEST,
    "recipients": HEAD + REQUEST + '"@for" = "k, v in event.tags"\n',
    "maps in headers": HEAD + REQUEST + 'headers = { "..." = ["event.tags"] }\n',
    "memory": HEAD
    + REQUEST
    + 'headers = { X-A = "${memory.issue}" }\n[remember]\nissue = "reply.a"\n',
    "empty auth": HEAD + REQUEST + "auth = {}\n",
    "optional header": HEAD + REQUEST + 'headers = { "X-Y?" = "a" }\n',
    "authorization from a setting": HEAD
    + REQUEST
    + "headers = { Authorization = 'k ${config.url}' }\n",
    "doc over two lines": HEAD + 'r = { doc = "a\\n\\tb" }\n' + REQUEST,
    "integer for float": HEAD + 'a = { type = "float", default = 1 }\n' + REQUEST,
    "duration": HEAD + 'a = { type = "duration", default = "1m" }\n' + REQUEST,
    "global alone": HEAD.replace('"foo"', '"foo"\nflags = ["global"]') + REQUEST,
    "from as a key": HEAD + "from = {}\n" + REQUEST,
    "check_error of a url": HEAD
    + 'a = { type = "url", check_error = "x" }\n'
    + REQUEST,
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_the_schema_accepts_what_the_reader_accepts(text):
    assert parse(text)
    assert problems(text) == []


DOCUMENTS = [tomllib.loads(path.read_text()) for path in SPECS]
VALUES = (
    "", "a", "config.url", "'x'", "a\nb", "Foo", "url", "int", "list[str]", "GET",
    "1m", "https://x.example.com/", "global", 0, -1, 1.5, True, False, [], ["a"], [1],
    {}, {"a": "b"}, {"a": 1},
)  # fmt: skip
NAMES = tuple(
    key.name
    for known in (keys.CONFIG, keys.OPTION, keys.REQUEST, keys.RESPONSE, keys.TEST)
    for key in known
)


def places(value, path=()):
    """The paths of all values of a document."""
    inner = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


@given(st.data())
def test_the_schema_refuses_nothing_that_the_reader_accepts(data):
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    *path, last = data.draw(st.sampled_from(list(places(document))))
    at = document
    for key in path:
        at = at[key]
    value = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    if isinstance(at[last], dict) and data.draw(st.booleans()):
        at[last][data.draw(st.sampled_from(NAMES))] = value
    else:
        at[last] = value
    text = "".join(f"{key} = {toml_text(each)}\n" for key, each in document.items())
    try:
        parse(text)
    except SpecError:
        return
    assert problems(text) == []
