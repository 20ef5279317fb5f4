"""Records, `of`, and templates of a spec: refusals and their messages."""

from __future__ import annotations

import pytest

from scaffold.rendering.render import render
from scaffold.spec.parse import parse
from tests.scaffold.spec.small import HEAD, TAIL, faults

LINKS = 'links = { type = "list", of = { href = "template", text = "str?" } }\n'
LOOP = """\
[[request]]
url = "${config.url}"
[request.json]
x = [{ "@for" = "l in opt.links", a = "EXPR" }]
"""


def looped(expression):
    return HEAD + "[option]\n" + LINKS + LOOP.replace("EXPR", expression)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (
            'of = { href = "templat" }',
            "option.x.of.href: unknown type 'templat' of a field of records (allowed: "
            "str, int, float, bool, duration, url, any, template; did you mean template?)",
        ),
        ("of = {}", "option.x.of: is empty; give it a field"),
        ("of = { a = 1 }", "option.x.of.a: must be a string, not an integer"),
        (
            'of = { a = "str?", b = "str" }',
            "option.x.of.b: must come before the fields that may be missing",
        ),
        ('of = { A = "str" }', "option.x.of.A: 'A' is not a name for a field"),
        (
            'of = { a-b = "str", a_b = "str" }',
            "option.x.of.a_b: has the same Python name as 'a-b'",
        ),
        (
            'type = "map", of = { a = "str" }',
            "option.x.of: conflicts with type 'map' (allowed: type = \"list\")",
        ),
        (
            'of = { a = "str" }, initial = [{ b = "x" }]',
            "option.x.initial[1].b: unknown key (allowed: a)",
        ),
        (
            'of = { a = "str" }, initial = [{}]',
            "option.x.initial[1].a: is missing",
        ),
        (
            'of = { a = "int" }, initial = [{ a = "x" }]',
            "option.x.initial[1].a: must fit type int, but is a string",
        ),
        (
            'of = { a = "str" }, initial = ["x"]',
            "option.x.initial[1]: must be a table, not a string",
        ),
        (
            'of = { a = "str" }, args = true',
            "option.x.args: an option of type records cannot be an argument",
        ),
        (
            'of = { a = "str" }, scope = ["ID"]',
            "option.x.scope: has no effect without a template",
        ),
        (
            'type = "template", scope = ["Fieds"]',
            "option.x.scope: unknown scope 'Fieds' (allowed: ID, Message, Level, Time, "
            "Duration, Details, Name, TaskName, Group, Tags, Fields, Category, "
            "PreviousLevel, Recoverable, Data, Result; did you mean Fields?)",
        ),
        ('type = "template", scope = []', "option.x.scope: is empty"),
        (
            'type = "template", initial = "{{ .ID"',
            "option.x.initial: template: x:1: unclosed action",
        ),
        (
            'type = "template", initial = "{{ .Id }}"',
            "can't evaluate field Id in type alert.TemplateData (allowed: ID, Message",
        ),
        (
            'type = "template", scope = ["Name"], initial = "{{ .ID }}"',
            "can't evaluate field ID in type alert.TemplateData (allowed: Name)",
        ),
        (
            'type = "list[template]", initial = ["{{"]',
            "option.x.initial[1]: template: x:1: unclosed action",
        ),
        (
            'type = "template", default = "opt.y"',
            "'opt.y' is not available here: a default can use settings and the event",
        ),
        (
            'type = "template", default = "event.tags"',
            "option.x.default: is a map of strings, but the option has type template",
        ),
        (
            'type = "template", default = "event.id", bind = "create"',
            "option.x.bind: an option of type template has its default for each event",
        ),
        (
            'type = "list", args = true }\ny = { args = true',
            "option.x.args: takes all further arguments, also those of 'y'; put the list",
        ),
    ],
)
def test_what_is_wrong_with_a_type_is_told_with_its_place(entry, wanted):
    lines = faults(f"{HEAD}[option]\nx = {{ {entry} }}\n{TAIL}")
    assert any(wanted in line for line in lines), lines


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("${l.hreff}", "unknown name 'l.hreff' (allowed: l.href, l.text; did you mean"),
        ("${l}", "'l' needs a key (allowed: l.href, l.text)"),
        ("${opt.links}", "a list of records has no form of its own; write a loop over"),
        ("${json(opt.links)}", "a list of records has no form of its own"),
        ("to ${opt.links}", "a list of records has no form of its own"),
        ("${join(opt.links, ',')}", "join() takes a list, not a list of records"),
        ("${'a' in opt.links}", "a list of records has no form of its own"),
        ("${opt.links == []}", "a list of records has no form of its own"),
        ("${l.text > 5}", "compares the order of a string and an integer"),
    ],
)
def test_records_are_read_in_loops_only(expression, wanted):
    [line] = faults(looped(expression))
    assert wanted in line


def test_records_of_settings_and_options_with_the_same_fields_are_one_class():
    of = 'of = { href = "template", text = "str?" }'
    text = HEAD + f'links = {{ type = "list", {of} }}\n'
    text += f"[option]\nlinks = {{ default = 'config.links' }}\nmore = {{ {of} }}\n"
    text += "links-2 = { tick = 'link', of = { href = 'str' } }\n"
    spec = parse(text + TAIL)
    classes = [each.type.record.class_name for each in spec.options]
    assert classes == ["Link", "Link", "LinkItem"]
    assert [each.is_configured for each in spec.records.values()] == [True, False]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("entries", "Entry"),
        ("boxes", "Box"),
        ("data-list", "DataList"),
        ("address", "Address"),
        ("messages", "MessageItem"),
        ("services", "ServiceItem"),
        ("x", "XItem"),
    ],
)
def test_a_class_is_named_after_one_record(key, name):
    spec = parse(f"{HEAD}[option]\n{key} = {{ of = {{ a = 'str' }} }}\n{TAIL}")
    assert list(spec.records) == [name]


def test_variables_of_templates_keep_clear_of_other_names():
    text = HEAD + "[option]\n"
    for key in ("note", "body", "to", "node", "list"):
        text += f"{key} = {{ type = 'template', tick = false }}\n"
    text += "[let]\nnote = '${opt.note}!'\n" + TAIL
    text += "notes = ['${note}', '${opt.body}', { '@for' = 'to in event.tags', '@value' = '${to}' }]\n"
    spec = parse(text)
    assert [each.local for each in spec.templates] == [
        *("note_text", "body_text", "to_text", "node", "list_text")
    ]


def test_the_choices_of_a_default_are_one_chain():
    text = (
        HEAD
        + "[option]\nnote = { type = 'template', default = \"pick(event.name, 'x')\" }\n"
    )
    spec = parse(text + TAIL.replace("event.message", "opt.note"))
    made = render("create/runtime/services/KIND/service.py.j2", spec)
    assert 'note = options.note.render(event) or event.data.name or "x"\n' in made
