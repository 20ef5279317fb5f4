"""Go templates: results and errors of messages and details."""

import contextlib
import json
import time
from pathlib import Path

import gotpl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.golang.templates import (
    GoTemplate,
    StringMap,
    Struct,
    TemplateError,
    Time,
    html,
    text,
)
from runtime.units import Duration

SERVER = Struct(
    "kapacitor.serverInfo",
    {"Hostname": "localhost", "ClusterID": "c", "ServerID": "s"},
)
DATA = Struct(
    "kapacitor.messageInfo",
    {
        "Name": "cpu",
        "TaskName": "t",
        "Group": "nil",
        "Tags": StringMap({"host": "a", "dc": "<x>"}),
        "ServerInfo": SERVER,
        "ID": "cpu:nil",
        "Fields": {"v": 1234567.5, "n": 5, "s": "it's <b>"},
        "Level": "CRITICAL",
        "Time": Time(1_500_000_000_123_456_789),
        "Duration": Duration(61_500_000_000),
    },
)


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("plain", set()),
        ("{{ .Name }}:{{- .Group -}} !", {"Name", "Group"}),
        ("{{/* nothing */}}{{ .Name }}{{ .Name }}", {"Name"}),
        ("{{ .Tags.host }}", None),
        ("{{ .Name | html }}", None),
        ("{{ $x := .Name }}", None),
        ("{{ if .Name }}a{{ end }}", None),
        ('{{ define "a" }}{{ .Name }}{{ end }}{{ template "a" . }}', None),
        ("{{ index .Tags 5 }}", None),
        ("{{ . }}", None),
        ("{{ .Group }}" * 17, None),
    ],
)
def test_what_only_prints_fields_is_known_not_to_fail(source, fields):
    assert text(source, "t").fields == fields


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("plain", "plain"),
        ("{{ .ID }} is {{ .Level }}", "cpu:nil is CRITICAL"),
        ('{{ index .Fields "v" }}', "1.2345675e+06"),
        ("{{ .Fields.nope }}|{{ .Tags.nope }}", "<no value>|<no value>"),
        ('{{ index .Tags "nope" }}|{{ index .Fields "nope" }}', "|<no value>"),
        ('{{ index .Fields "v" | printf "%0.3f" }}', "1234567.500"),
        ('{{ index .Fields "nope" | printf "%0.2f" }}', "%!f(<nil>)"),
        ('{{ if eq .Level "OK" }}a{{ else }}b{{ end }}', "b"),
        (
            '{{ if eq .Level "OK" }}a{{ else if eq .Level "X" "CRITICAL" }}b{{ end }}',
            "b",
        ),
        ("{{ range $k, $v := .Tags }}{{ $k }}={{ $v }};{{ end }}", "dc=<x>;host=a;"),
        ("{{ range .Fields.none }}x{{ else }}nothing{{ end }}", "nothing"),
        ("{{ range 3 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "02"),
        ("{{ range 3 }}{{ if eq . 1 }}{{ break }}{{ end }}{{ . }}{{ end }}", "0"),
        ("{{ with .Tags.host }}{{ . }}{{ $.Name }}{{ end }}", "acpu"),
        ("a {{- /* nothing */ -}} b", "ab"),
        ('x  {{- " y " -}}  z', "x y z"),
        ("{{ $x := 1 }}{{ $x = 2 }}{{ $x }}", "2"),
        ("{{ .Time.Unix }}", "1500000000"),
        ('{{ .Time.Format "2006-01-02 15:04:05.000" }}', "2017-07-14 02:40:00.123"),
        ('{{ .Time.Format "Jan _2 06 03:04PM" }}', "Jul 14 17 02:40AM"),
        ("{{ .Time }}", "2017-07-14 02:40:00.123456789 +0000 UTC"),
        ("{{ .Time.Year }} {{ .Time.Weekday }}", "2017 Friday"),
        ("{{ .Duration }} {{ .Duration.Seconds }}", "1m1.5s 61.5"),
        ('{{ printf "%d" .Duration }}', "61500000000"),
        ("{{ .ServerInfo }}", "{localhost c s}"),
        ("{{ .Tags }}", "map[dc:<x> host:a]"),
        ('{{ print 1 2 "a" "b" 3 }}', "1 2ab3"),
        ("{{ len .Tags }} {{ len .Name }}", "2 3"),
        ("{{ slice .Name 1 }} {{ slice .Name 0 2 }} {{ index .Name 0 }}", "pu cp 99"),
        ('{{ and 1 0 }} {{ or "" "x" }} {{ not 0 }}', "0 x true"),
        ("{{ or true (index .Name 99) }}", "true"),
        ("{{ lt 1 2 }} {{ ge 1.5 2.5 }} {{ ne .Name .ID }}", "true false true"),
        (
            '{{ html "<a+b>" }} {{ js "it\'s" }} {{ urlquery "a b" }}',
            "&lt;a+b&gt; it\\'s a+b",
        ),
        ('{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" .Name }}', "[cpu]"),
        ('{{ block "y" .Name }}<{{ . }}>{{ end }}', "<cpu>"),
        ("{{ `raw` }}{{ 'a' }}{{ 0x10 }}{{ 1e3 }}{{ -5 }}", "raw97161000-5"),
    ],
)
def test_text_renders(source: str, rendered: str) -> None:
    assert text(source, "message").render(DATA) == rendered


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{ json . }}", 'template: message:1: function "json" not defined'),
        ("{{ .X }", 'template: message:1: unexpected "}" in operand'),
        ("a\n{{ }}", "template: message:2: missing value for command"),
        ("{{ if .X }}", "template: message:1: unexpected EOF"),
        ("{{ end }}", "template: message:1: unexpected {{end}}"),
        ("{{ .X", "template: message:1: unclosed action"),
        ('{{ "x }}', "template: message:1: unterminated quoted string"),
        ("{{ $x }}", 'template: message:1: undefined variable "$x"'),
        ("{{ (.X }}", "template: message:1: unclosed left paren"),
        ("{{ .X) }}", "template: message:1: unexpected right paren"),
        (
            "{{ .X | 5 }}",
            "template: message:1: non executable command in pipeline stage 2",
        ),
        ("{{ break }}", "template: message:1: {{break}} outside {{range}}"),
        ("{{ /* x }}", "template: message:1: unclosed comment"),
    ],
)
def test_a_template_that_does_not_parse_says_why(source: str, fault: str) -> None:
    with pytest.raises(TemplateError) as caught:
        text(source, "message")
    assert str(caught.value) == fault


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (
            "{{ .Nope }}",
            '1:3: executing "message" at <.Nope>: '
            "can't evaluate field Nope in type kapacitor.messageInfo",
        ),
        (
            'é\n {{ gt (index .Fields "v") 5 }}',
            '2:4: executing "message" at <gt (index .Fields "v...>: error calling gt: '
            "incompatible types for comparison: float64 and int",
        ),
        (
            "{{ index .Name 9 }}",
            '1:3: executing "message" at <index .Name 9>: error calling index: '
            "index out of range: 9",
        ),
        (
            "{{ len }}",
            '1:3: executing "message" at <len>: wrong number of args for len: want 1 got 0',
        ),
        (
            "{{ range .Name }}{{ end }}",
            '1:9: executing "message" at <.Name>: range can\'t iterate over cpu',
        ),
    ],
)
def test_a_template_that_does_not_execute_says_where(source: str, fault: str) -> None:
    template = text(source, "message")
    with pytest.raises(TemplateError) as caught:
        template.render(DATA)
    assert str(caught.value) == f"template: message:{fault}"


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("<b>{{ .Fields.s }}</b>", "<b>it&#39;s &lt;b&gt;</b>"),
        ("{{ .Fields.nope }}", ""),
        (
            "{{ jsonCompact .Tags }}",
            "{&#34;dc&#34;:&#34;\\u003cx\\u003e&#34;,&#34;host&#34;:&#34;a&#34;}",
        ),
        (
            "{{ json .Tags }}",
            "{&#34;dc&#34;:&#34;\\u003cx\\u003e&#34;,&#34;host&#34;:&#34;a&#34;}\n",
        ),
        ('<p title="{{ .Fields.s }}">', '<p title="it&#39;s &lt;b&gt;">'),
        ('<a href="/x?q={{ .Fields.s }}">', '<a href="/x?q=it%27s%20%3cb%3e">'),
        ('<a href="{{ .Name }}">', '<a href="cpu">'),
        (
            "<script>var a = {{ jsonCompact .Tags }}</script>{{ .Name }}",
            '<script>var a = {"dc":"\\u003cx\\u003e","host":"a"}</script>cpu',
        ),
        (
            "<script>{{ .Fields.s }}</script>",
            '<script>"it\'s \\u003cb\\u003e"</script>',
        ),
    ],
)
def test_details_escape_by_context(source: str, rendered: str) -> None:
    assert html(source, "details").render(DATA) == rendered


def test_templates_do_as_go_does() -> None:
    """A table made by Go: kind, template, output, error, and data.

    Without data of its own a row has that of the first line.
    """
    table = (Path(__file__).parent / "templates_by_go.jsonl").read_text()
    usual, *rows = map(json.loads, table.rstrip("\n").split("\n"))
    wrong = []
    for kind, source, output, error, *data in rows:
        try:
            made = (
                html(source, "details") if kind == "html" else text(source, "message")
            )
            found = made.render(data[0] if data else usual), None
        except TemplateError as fault:
            found = None, str(fault)
        if found != (output, error):
            wrong.append((source, (output, error), found))
    assert wrong == []


@pytest.mark.parametrize(
    "part",
    ["<p " + "a" * 99, "<", "<p '", "<!--", "<script>/", '<script>"\\', "<p =", "</a"],
)
def test_details_of_any_kind_are_read_in_one_go(part: str) -> None:
    started = time.process_time()
    with contextlib.suppress(TemplateError):
        html(part + part[-1] * 100_000, "details")
        html(part * 5_000, "details")
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "source",
    [
        "<p",
        '<p a="',
        "<!-- x",
        "<script>x",
        "<style>",
        "<title>x",
        "<!--{{ . }}",
        "{{ if . }}<p {{ end }}",
        "<script>/* </script>"[:11],
        '<script>"{{ . }}',
    ],
)
def test_details_that_do_not_end_are_refused(source: str) -> None:
    with pytest.raises(TemplateError, match=r"non-text context|different contexts"):
        html(source, "details")


@given(
    st.lists(
        st.sampled_from(
            [
                "<script>",
                "</script>",
                "<style>",
                "</style>",
                "<!--",
                "-->",
                "/*",
                "*/",
                "//",
                "\n",
                '"',
                "'",
                "`",
                "/",
                "\\",
                "<",
                ">",
                "<a href=",
                "{{ . }}",
                "x",
            ]
        ),
        max_size=12,
    ),
    st.text("<>\"'`/*-\\\n=+x&;{}()"),
)
def test_no_value_gets_out_of_its_place(parts: list[str], value: str) -> None:
    with contextlib.suppress(TemplateError):
        made = html("".join(parts), "details").render(value)
        harmless = html("".join(parts), "details").render("x")
        for sign in ("<", "</script", "-->", "<!--"):
            assert made.count(sign) == harmless.count(sign)


def test_a_script_url_in_an_attribute_is_made_harmless() -> None:
    template = html('<a href="{{ . }}">', "details")
    assert template.render("javascript:alert(1)") == '<a href="#ZgotmplZ">'


@pytest.mark.parametrize("source", ["<p {{ .ID }}>", '<p onclick="{{ .ID }}">'])
def test_details_refuse_what_cannot_be_made_safe(source: str) -> None:
    with pytest.raises(TemplateError, match="cannot escape"):
        html(source, "details")


def test_json_of_a_value_that_is_not_finite_is_null() -> None:
    made = html("{{ jsonCompact . }}", "details").render({"v": float("inf")})
    assert made == "{&#34;v&#34;:null}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ .Name }}",
        '{{ printf "%5.2f|%-8s|%q|%x" .F .Name .Name .N }}',
        "{{ if and .N (gt .N 3) }}yes{{ end }}",
        "{{ range $i, $e := .L }}{{ $i }}{{ $e }}{{ end }}",
        '{{ with $x := index .M "a" }}{{ $x }}{{ end }}',
        "{{- .Name -}} x",
    ],
)
def test_an_independent_implementation_agrees(source: str) -> None:
    data = {"Name": "é<x>", "F": 2.5, "N": 5, "L": ["a", "b"], "M": {"a": "b"}}
    expected = gotpl.render(source, data)
    assert text(source, "message").render(data) == expected


@given(st.text())
def test_any_text_parses_or_is_refused(source: str) -> None:
    try:
        made = text(source, "message")
    except TemplateError as fault:
        assert str(fault).startswith("template: message:")
    else:
        assert isinstance(made, GoTemplate)


@given(st.text(alphabet='{}.$"`|()= \n-ifendrangewith/*x1,', max_size=40))
def test_hostile_actions_never_break_the_parser(source: str) -> None:
    try:
        text("{{" + source + "}}", "message").render(DATA)
    except TemplateError as fault:
        assert str(fault).startswith("template: message:")


@pytest.mark.parametrize(
    "source",
    [
        "{{ if true }}" * 500 + "{{ end }}" * 500,
        "{{ if false }}" + "{{ else if false }}" * 500 + "{{ end }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    ],
)
def test_templates_are_not_nested_without_end(source: str) -> None:
    with pytest.raises(TemplateError, match="template: message:1: nested too deep"):
        text(source, "message")


def test_templates_that_call_themselves_end() -> None:
    source = '{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}'
    with pytest.raises(TemplateError, match="exceeded maximum template depth"):
        text(source, "message").render({})
