"""Fields added, renamed and removed in specs of every kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.spec import fields
from scaffold.spec.edits import edited
from scaffold.spec.parse import differences, from_flags, parse
from tests.draws import drawn
from tests.scaffold.rendered import ALL
from tests.scaffold.spec.small import HEAD, TAIL

SPECS = {kind: spec for kind, spec in ALL.items() if spec.text}
FIELDS = [
    (kind, key)
    for kind, spec in SPECS.items()
    for key in dict.fromkeys(
        (*spec.document["config"], *spec.document.get("option", {}))
    )
]
OF_THE_DAY = drawn(FIELDS, 60)


def after(spec, edits):
    return parse(edited(spec.text, edits, "x.toml"), "x.toml")


def renamed(spec, old, new):
    return after(spec, fields.renamed(spec, old, new))


def with_field(spec, *texts, **more):
    flags = Flags(spec.names.kind, texts, **more)
    return after(spec, fields.added(spec, flags)[0])


def refused(call, *given):
    with pytest.raises(SpecError) as caught:
        call(*given)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(("kind", "key"), OF_THE_DAY, ids=lambda each: each)
def test_any_field_can_be_renamed_and_back(kind, key):
    spec = SPECS[kind]
    other = renamed(spec, key, "zz-top")
    # keys that are padded to one column may lose that, as a longer one does not fit
    assert renamed(other, "zz-top", key).text.split() == spec.text.split()
    assert not list(fields.uses(other.document, key))
    for table in ("config", "option"):
        was = list(spec.document.get(table, {}))
        now = list(other.document.get(table, {}))
        assert now == ["zz-top" if each == key else each for each in was]
    # the names that the service expects
    keys = [[*each.get("json", {})] for each in spec.document["request"]]
    assert [[*each.get("json", {})] for each in other.document["request"]] == keys


@pytest.mark.parametrize("kind", SPECS)
def test_what_was_added_is_added_once_and_can_be_removed(kind):
    spec = SPECS[kind]
    more = with_field(spec, "zz:int=3")
    assert more.document["config"]["zz"] == {"type": "int", "default": 3}
    assert "zz" in more.document["test"]
    assert with_field(more, "zz:int=3").text == more.text
    assert after(more, fields.removed(more, "zz")).text == spec.text


TEXTS = st.lists(
    st.sampled_from(["a:str", "b:int=3", "c-d:list=x,y", "from:secret", "e:map=a=b"]),
    unique=True,
)


@given(TEXTS, st.data())
def test_added_fields_are_those_of_a_new_handler(texts, data):
    count = data.draw(st.integers(0, len(texts)))
    whole = from_flags(Flags("foo", texts, ("w:duration=1s",), ("o:flag",)))
    part = parse(from_flags(Flags("foo", texts[:count])).text)
    part = with_field(
        part, *texts[count:], config=["w:duration=1s"], options=["o:flag"]
    )
    assert differences(whole, part) == []
    wanted, found = whole.document, part.document
    assert found["request"] == wanted["request"]
    assert found["test"] == wanted["test"]


def test_a_setting_becomes_an_option_too():
    spec = with_field(parse(HEAD + TAIL), "room:str")
    assert spec.document["option"] == {
        "room": {"default": "config.room", "bind": "create"}
    }
    assert spec.document["config"] == {"url": {}, "room": {}}


def test_a_field_is_not_sent_in_a_body_of_tables():
    body = TAIL.replace("[request.json]", "[request.json.card]")
    spec = with_field(parse(HEAD + body), "to:str")
    assert spec.document["request"][0]["json"] == {"card": {"text": "${event.message}"}}


def test_a_field_is_not_sent_where_it_is_not_clear_how():
    second = TAIL.replace("[[request]]", '[[request]]\nwhen = "event.id"')
    spec = with_field(parse(HEAD + second + TAIL), "to:str")
    assert [each["json"] for each in spec.document["request"]] == [
        {"text": "${event.message}"}
    ] * 2
    assert "config.to" not in "".join(spec.warnings)
    assert "option.to: is not used" in "".join(spec.warnings)


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["room:int"], ["--field room:int: config.room already exists, as str"]),
        (
            ["to:strr", "class"],
            ["--field to:strr: unknown type 'strr'"],
        ),
        (["a:str", "a:int"], ["--field a:int: 'a' is already given by --field a:str"]),
    ],
)
def test_a_wrong_new_field_is_refused(texts, lines):
    found = refused(fields.added, parse(HEAD + TAIL), Flags("foo", texts))
    assert [line.partition(" (")[0] for line in found] == lines


def test_a_name_that_is_reserved_is_refused():
    spec = parse(HEAD + TAIL)
    lines = refused(renamed, spec, "room", "enabled")
    assert "config.enabled: 'enabled' is a reserved name; use another" in lines[0]


def test_unknown_and_taken_names_are_refused():
    spec = parse(HEAD + TAIL)
    unknown = "FIELD: unknown field 'rom' (allowed: room, url; did you mean room?)"
    assert refused(fields.renamed, spec, "rom", "x") == [unknown]
    assert refused(fields.removed, spec, "rom") == [unknown]
    taken = ["NEW: the field 'url' already exists"]
    assert refused(fields.renamed, spec, "room", "url") == taken


def test_a_field_in_use_is_not_removed():
    text = (
        HEAD
        + TAIL
        + 'room = "${config.room}"\nx = "to ${config.room} ${config.room}"\n'
    )
    lines = refused(fields.removed, parse(text, "foo.toml"), "room")
    assert lines == [
        "foo.toml:10: request[1].json.room: uses the field 'room'; remove that first",
        "foo.toml:11: request[1].json.x: uses the field 'room'; remove that first",
    ]


def test_a_test_option_of_the_new_name_is_in_the_way():
    text = HEAD + "[option]\nroom = {}\n" + TAIL + 'room = "${opt.room}"\n'
    text += '[test]\nroom = ""\nhall = { value = "", feeds = "event.id" }\n'
    lines = refused(fields.renamed, parse(text), "room", "hall")
    assert lines == ["NEW: [test] already has an option 'hall'"]


SMALL = HEAD + "[option]\nroom = {}  # own\n" + TAIL


def formerly(spec):
    [option] = spec.options
    [field] = [each for each in spec.config if each.key == option.key]
    assert field.formerly == option.formerly
    return option.key, option.formerly


def test_a_name_is_kept_as_a_former_one():
    def kept(spec, old, new):
        return after(spec, fields.renamed(spec, old, new, keeps_alias=True))

    spec = kept(parse(SMALL), "room", "hall")
    assert spec.text == SMALL.replace("room = {}", 'hall = { formerly = "room" }')
    spec = kept(spec, "hall", "chat")
    assert formerly(spec) == ("chat", ("room", "hall"))
    spec = renamed(spec, "chat", "place")
    assert formerly(spec) == ("place", ("room", "hall"))
    # a name that comes back is not a former one
    spec = kept(spec, "place", "room")
    assert formerly(spec) == ("room", ("hall", "place"))
    spec = after(spec, fields.removed(spec, "hall"))
    assert formerly(spec) == ("room", ("place",))
    spec = after(spec, fields.removed(spec, "place"))
    assert spec.text == SMALL


def test_a_former_name_is_not_free():
    text = SMALL.replace("room = {}", 'room = { formerly = "hall" }')
    spec = parse(text.replace("[option]", "wait = {}\n[option]"))
    belongs = "'hall' is a former name of the field 'room'"
    for names in (("hall", "x"), ("wait", "hall")):
        [line] = refused(fields.renamed, spec, *names)
        assert belongs in line
    [line] = refused(with_field, spec, "hall:int")
    assert belongs in line
