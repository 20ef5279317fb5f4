"""Flags and usage of the `kapacitor` command, as Go's flag package has them."""

import socket

import pytest

from runtime.client import tables
from runtime.client.__main__ import run
from runtime.client.errors import UsageError
from runtime.client.flags import Flags
from runtime.golang.yaml import from_yaml
from runtime.testing.loopback import LoopbackServer

NOBODY = "http://127.0.0.1:1"


def test_flags_come_in_every_spelling() -> None:
    flags = Flags(["-a", "1", "--a=2", "-b", "rest", "-a"], texts=("a",), bools=("b",))
    assert (flags.texts("a"), flags.is_set("b"), flags.rest) == (
        ["1", "2"],
        True,
        ["rest", "-a"],
    )


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["-x"], "flag provided but not defined: -x"),
        (["-a"], "flag needs an argument: -a"),
    ],
)
def test_wrong_flags_are_named(arguments: list[str], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        Flags(arguments, texts=("a",))


@pytest.mark.parametrize(
    ("arguments", "code", "first_line"),
    [
        ([], 1, "Error: Must pass a command."),
        (["bogus"], 1, "Unknown command bogus"),
        (["-nope"], 2, "flag provided but not defined: -nope"),
        (["define"], 2, "Must provide a task ID."),
        (["define", "-tick", "x"], 2, "Must provide a task ID."),
        (
            ["define", "t", "-dbrp", "d"],
            2,
            "invalid value \"d\" for flag -dbrp: does not contain a '.', it must be in "
            'the form "dbname"."rpname" where the quotes are optional.',
        ),
        (
            ["list"],
            2,
            "Must specify 'tasks', 'recordings', 'replays', 'topics', or 'topic-handlers'",
        ),
        (
            ["list", "bogus"],
            3,
            "Error: cannot list 'bogus' did you mean 'tasks', 'recordings', 'replays', "
            "'topics', 'topic-handlers' or 'service-tests'?",
        ),
        (
            ["delete", "bogus", "x"],
            3,
            "Error: cannot delete 'bogus' did you mean 'tasks', 'templates', "
            "'recordings', 'replays', 'topics' or 'topic-handlers'?",
        ),
        (
            ["service-tests"],
            3,
            "Error: must provide at least one service name or pattern.",
        ),
        (
            ["-url", "localhost", "level", "debug"],
            4,
            "Unsupported protocol scheme: , your address must start with http:// or https://",
        ),
        (
            ["define-topic-handler", "nofile.yaml"],
            3,
            'Error: failed to open handler spec file "nofile.yaml": '
            "open nofile.yaml: no such file or directory",
        ),
        (
            ["define", "t", "-tick", "nofile.tick"],
            3,
            "Error: open nofile.tick: no such file or directory",
        ),
        (
            ["-url", NOBODY, "level", "debug"],
            3,
            'Error: Post "http://127.0.0.1:1/kapacitor/v1/loglevel": '
            "dial tcp 127.0.0.1:1: connect: connection refused",
        ),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(
    arguments: list[str],
    code: int,
    first_line: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(arguments) == code
    assert capsys.readouterr().err.splitlines()[0] == first_line


def test_a_host_that_nobody_knows_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert run(["-url", "http://nohost.invalid", "level", "debug"]) == 3
    assert capsys.readouterr().err == (
        'Error: Post "http://nohost.invalid/kapacitor/v1/loglevel": '
        "dial tcp: lookup nohost.invalid: Name or service not known\n"
    )


def test_a_bad_environment_variable_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAPACITOR_UNSAFE_SSL", "maybe")
    assert run(["list", "tasks"]) == 1
    assert "KAPACITOR_UNSAFE_SSL" in capsys.readouterr().err


def test_help_shows_a_command_s_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "enable"]) == 0
    assert capsys.readouterr().out.startswith("Usage: kapacitor enable")


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
def test_help_that_is_asked_for_goes_to_standard_output(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([flag]) == 0
    shown = capsys.readouterr()
    assert "Usage: kapacitor [options] [command] [args]" in shown.out
    assert shown.err == ""


YAML = "error converting YAML to JSON: yaml: "


def chained(first: str, link: str) -> str:
    """A document that grows tenfold with each of its lines, by aliases."""
    lines = [f"x0: &x0 {first}"]
    for level in range(1, 15):
        items = ",".join([f"*x{level - 1}"] * 10)
        lines.append(f"x{level}: &x{level} {link.format(items)}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        chained("[lol, lol]", "[{0}]"),
        chained("{a: lol}", "{{b: [{0}]}}"),
        chained("{a: lol}", "{{<<: [{0}]}}"),
        "a: &a " + "x" * 100_000 + "\nb: [" + ",".join(["*a"] * 1000) + "]",
        "a: &a "
        + "x" * 100_000
        + "\nb: {"
        + ",".join(f"k{i}: *a" for i in range(999))
        + "}",
    ],
)
def test_a_document_that_multiplies_by_aliases_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        from_yaml(text)
    assert str(caught.value) == f"{YAML}document contains excessive aliasing"


def test_aliases_that_repeat_little_are_taken() -> None:
    text = "a: &a {b: 1}\nc: [*a, *a]\nd:\n  <<: *a\n  e: 2\n"
    once = {"b": 1}
    assert from_yaml(text) == {"a": once, "c": [once, once], "d": {"b": 1, "e": 2}}
    assert from_yaml("\ud800") == "\ufffd"


def test_handler_files_are_yaml_1_1() -> None:
    assert from_yaml("a: yes\nb: 0644\nc: '10'\nd: 2020-01-01\n") == {
        "a": True,
        "b": 0o644,
        "c": "10",
        "d": "2020-01-01",
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "a: 1\nb: [1, 2\n",
            "error converting YAML to JSON: yaml: line 2: did not find expected ',' or ']'",
        ),
        (
            "a: 1\na: 2\n",
            'error converting YAML to JSON: yaml: line 2: key "a" already set in map',
        ),
        (
            "a: [\n",
            "error converting YAML to JSON: yaml: line 1: "
            "did not find expected node content",
        ),
        (
            "a: b: c\n",
            "error converting YAML to JSON: yaml: line 1: "
            "mapping values are not allowed in this context",
        ),
        (
            "id: h\n match: x\n  kind: y\n",
            "error converting YAML to JSON: yaml: line 2: "
            "mapping values are not allowed in this context",
        ),
        (
            "options:\n  a: 1\n b: 2\n",
            "error converting YAML to JSON: yaml: line 2: did not find expected key",
        ),
        ("[" * 5000, f"{YAML}line 1: exceeded maximum nesting depth"),
        ("- " * 5000 + "a", f"{YAML}line 1: exceeded maximum nesting depth"),
        ("a: &a [*a]", f"{YAML}found unconstructable recursive node"),
        ("a: &a {b: *a}", f"{YAML}found unconstructable recursive node"),
    ],
)
def test_wrong_yaml_names_its_line(text: str, fault: str) -> None:
    with pytest.raises(ValueError) as caught:
        from_yaml(text)
    assert str(caught.value) == fault


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("1970-01-01T00:00:06Z", "01 Jan 70 00:00 UTC"),
        ("2026-11-22T05:21:57.497244138Z", "22 Nov 26 05:21 UTC"),
        ("0001-01-01T00:00:00Z", "01 Jan 01 00:00 UTC"),
    ],
)
def test_dates_are_rfc_822(time: str, text: str) -> None:
    assert tables.rfc822(time) == text


@pytest.mark.parametrize(
    ("var", "text"),
    [
        ({"type": "int", "value": None}, "<nil>"),
        ({"type": "star", "value": None}, "*"),
        ({"type": "list", "value": [{"type": "star", "value": None}]}, "[*]"),
        ({"type": "duration", "value": 3600 * 10**9}, "1h0m0s"),
        (
            {
                "type": "list",
                "value": [{"type": "string", "value": "a"}, {"value": "b"}],
            },
            "[a, b]",
        ),
        ({"type": "bool", "value": True}, "true"),
    ],
)
def test_variables_look_as_go_prints_them(var: dict[str, object], text: str) -> None:
    assert tables.variable(var) == text


def test_names_of_databases_are_quoted_as_go_quotes_them() -> None:
    pairs = [{"db": 'a"b\\', "rp": "é\n"}, {"db": "d", "rp": "r"}]
    assert tables.dbrps(pairs) == r'["a\"b\\"."é\n" "d"."r"]'


@pytest.mark.parametrize("flag", ["-h", "-help", "--help"])
@pytest.mark.parametrize("command", ["", "list", "define"])
def test_help_is_no_failure(
    capsys: pytest.CaptureFixture[str], command: str, flag: str
) -> None:
    assert run(["-url", NOBODY, *command.split(), flag]) == 0
    shown = capsys.readouterr()
    assert shown.out.lstrip().startswith(f"Usage: kapacitor {command or '[options]'}")
    assert shown.err == ""


def test_https_to_a_plain_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with LoopbackServer() as server:
        url = server.url.replace("http:", "https:")
        assert run(["-url", url, "list", "tasks"]) == 3
    assert "http: server gave HTTP response to HTTPS client" in capsys.readouterr().err


def test_moments_have_their_seconds_where_they_matter() -> None:
    time = "2026-11-30T08:04:05.9Z"
    assert tables.rfc822(time) == "30 Nov 26 08:04 UTC"
    assert tables.rfc822(time, seconds=True) == "30 Nov 26 08:04:05 UTC"
