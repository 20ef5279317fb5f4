"""Output and exit codes of `kapacitor`, against a real server."""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.client import __main__ as main
from runtime.testing.loopback import LoopbackServer

SCRIPT = "stream\n    |from()\n        .measurement('cpu')\n"
ALERT = """\
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .warn(lambda: "v" > 70)
        .crit(lambda: "v" > 80)
        .topic('cpu')
"""
IDS = "handler ID must contain only letters, numbers, '-', '.' and '_'. "


class Shell:
    """Runs commands in a server's directory, but in this process: that is faster."""

    def __init__(self, server: Shell) -> None:
        self.directory: Path = server.directory
        self.url: str = server.url
        self.json = server.json
        self.write = server.write

    def cli(self, *arguments: str, code: int = 0) -> str:
        """Return the output of a command."""
        printed = io.StringIO()
        with (
            contextlib.chdir(self.directory),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            found = main.run(["-url", self.url, *arguments])
        assert found == code, printed.getvalue()
        return printed.getvalue()


@pytest.fixture(scope="module", autouse=True)
def _utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def server(start_shared_kapacitord) -> Shell:
    return Shell(start_shared_kapacitord())


@pytest.fixture(scope="module")
def other(start_shared_kapacitord) -> Shell:
    """A server on which nothing is defined."""
    return Shell(start_shared_kapacitord())


def put(server: Shell, name: str, text: str) -> str:
    (server.directory / name).write_text(text)
    return name


def define(server: Shell, id: str, script: str = SCRIPT) -> None:
    tick = put(server, f"{id}.tick", script)
    assert server.cli("define", id, "-tick", tick, "-dbrp", "d.r") == ""


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the bare command."""
    output, errors = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        for name, value in environment.items():
            patch.setenv(name, value)
        code = main.run(list(arguments))
    return code, output.getvalue(), errors.getvalue()


# --- tasks


def test_listing_tasks(server: Shell) -> None:
    define(server, "list-1")
    define(server, "list-longer")
    assert server.cli("enable", "list-1") == ""
    assert server.cli("list", "tasks", "list-*") == (
        "ID          Type      Status    Executing Databases and Retention Policies\n"
        'list-1      stream    enabled   true      ["d"."r"]\n'
        'list-longer stream    disabled  false     ["d"."r"]\n'
    )
    assert server.cli("list", "tasks", "nothing") == (
        "ID Type      Status    Executing Databases and Retention Policies\n"
    )


def test_showing_a_task_that_was_never_enabled(server: Shell) -> None:
    define(server, "shown")
    shown = server.cli("show", "shown")
    shown = re.sub(
        r"(Created|Modified): \d\d [A-Z][a-z]{2} \d\d \d\d:\d\d UTC", r"\1: T", shown
    )
    assert shown == (
        "ID: shown\n"
        "Error: \n"
        "Template: \n"
        "Type: stream\n"
        "Status: disabled\n"
        "Executing: false\n"
        "Created: T\n"
        "Modified: T\n"
        "LastEnabled: 01 Jan 01 00:00 UTC\n"
        'Databases Retention Policies: ["d"."r"]\n'
        "TICKscript:\n"
        f"{SCRIPT}\n"
        "DOT:\n"
        "digraph shown {\nstream0 -> from1;\n}\n"
    )


def test_showing_the_variables_of_a_task(server: Shell) -> None:
    script = (
        "var n int\nvar d duration\nvar l list\nvar s string\n"
        'stream|from().measurement(s).groupBy(l)|where(lambda: "v" > n)|shift(d)'
    )
    items = [{"type": "string", "value": each} for each in ("a", "b")]
    values = {
        "n": {"type": "int", "value": 5},
        "d": {"type": "duration", "value": "1h"},
        "l": {"type": "list", "value": items},
        "s": {"type": "string", "value": "text"},
    }
    tick = put(server, "with-vars.tick", script)
    variables = put(server, "with-vars.json", json.dumps(values))
    files = ("-tick", tick, "-vars", variables)
    assert server.cli("define", "with-vars", *files, "-dbrp", "d.r") == ""
    lines = server.cli("show", "with-vars").splitlines()
    start = lines.index("Vars:")
    header = f"{'Name':<30}{'Type':<10}{'Value':<40}"
    assert lines[start + 1].rstrip() == header.rstrip()
    rows = {line.rstrip() for line in lines[start + 2 : start + 6]}
    assert rows == {
        f"{'d':<30}{'duration':<10}1h0m0s",
        f"{'l':<30}{'list':<10}[a, b]",
        f"{'n':<30}{'int':<10}5",
        f"{'s':<30}{'string':<10}text",
    }
    assert "DOT:" in lines[start + 6 :]


def test_the_life_of_a_task(server: Shell) -> None:
    define(server, "life")
    for command in ("enable", "reload", "disable", "reload"):
        assert server.cli(command, "life") == ""
    # a reload also starts what was disabled
    assert server.json("GET", "/tasks/life")["executing"] is True
    # a new script is taken over at once, or not
    tick = put(server, "life.tick", f"{SCRIPT}    |log()\n")
    assert server.cli("define", "life", "-tick", tick, "-no-reload") == ""
    nodes = server.json("GET", "/tasks/life")["stats"]["node-stats"]
    assert "log2" not in nodes
    assert server.cli("define", "life", "-tick", tick) == ""
    nodes = server.json("GET", "/tasks/life")["stats"]["node-stats"]
    assert "log2" in nodes
    assert server.cli("delete", "tasks", "li?e") == ""
    assert server.cli("show", "life", code=3) == "Error: no task exists\n"


@pytest.mark.parametrize(
    ("arguments", "noun"),
    [
        (["enable"], "task"),
        (["disable"], "task"),
        (["reload"], "task"),
        (["delete", "tasks"], "task"),
        (["delete", "templates"], "template"),
        (["delete", "recordings"], "recording"),
        (["delete", "replays"], "replay"),
        (["delete", "topics"], "topic"),
    ],
)
def test_what_matches_nothing_is_named(
    server: Shell, arguments: list[str], noun: str
) -> None:
    said = server.cli(*arguments, "gone", "al*o")
    assert said == f"no {noun} matches 'gone'\nno {noun} matches 'al*o'\n"


def test_databases_may_be_quoted_and_repeated(server: Shell) -> None:
    tick = put(server, "dbrps.tick", SCRIPT)
    server.cli("define", "dbrps", "-tick", tick, "-dbrp", '"a.b"."c"', "-dbrp", "d.r")
    assert server.json("GET", "/tasks/dbrps")["dbrps"] == [
        {"db": "a.b", "rp": "c"},
        {"db": "d", "rp": "r"},
    ]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "bogus(",
            "invalid TICKscript: parser: unexpected EOF line 1 char 7 in "
            '"bogus(". expected: "number","string","duration","identifier","TRUE",'
            '"FALSE","==","(","-","!"',
        ),
        ("var x = 1", "invalid task type: invalid"),
        (
            "stream\n    |from()\n    .nope()",
            'invalid TICKscript: line 3 char 6: no method or property "nope" on '
            "*pipeline.FromNode",
        ),
    ],
)
def test_scripts_that_are_refused(server: Shell, script: str, text: str) -> None:
    tick = put(server, "bad.tick", script)
    arguments = ("define", "bad", "-tick", tick, "-dbrp", "d.r")
    assert server.cli(*arguments, code=3) == f"Error: {text}\n"


def test_definitions_that_are_refused(server: Shell) -> None:
    tick = put(server, "good.tick", SCRIPT)

    def refused(*arguments: str) -> str:
        text: str = server.cli("define", *arguments, code=3)
        return text

    assert refused("x", "-tick", tick) == "Error: must specify dbrp\n"
    assert refused("a b", "-tick", tick, "-dbrp", "d.r") == (
        "Error: task ID must contain only letters, numbers, '-', '.' and '_'. \"a b\"\n"
    )
    assert refused("x", "-dbrp", "d.r") == "Error: must provide TICKscript\n"
    assert "no such file" in refused("x", "-tick", "nofile.tick", "-dbrp", "d.r")
    assert refused("x", "-template", "nope", "-dbrp", "d.r") == (
        "Error: unknown template nope: err: no template exists\n"
    )
    file = put(server, "t.txt", "id: x")
    assert refused("x", "-file", file) == (
        "Error: bad file extension. Must be YAML or JSON\n"
    )
    file = put(server, "f.yaml", "id: other\ndbrps: ['d.r']\ntemplate-id: t\n")
    assert refused("x", "-file", file) == (
        "Error: Task id given on command line does not match id in f.yaml\n"
    )
    # a type that does not exist is ignored
    assert server.cli("define", "typed", "-type", "bogus", "-tick", tick, "-dbrp", "d.r") == ""  # fmt: skip


def test_templates(server: Shell, other: Shell) -> None:
    assert other.cli("list", "templates") == f"ID Type      {'Vars':<40}\n"
    script = "var m string\nstream|from().measurement(m)\n"
    tick = put(server, "tmpl.tick", script)
    assert server.cli("define-template", "tmpl", "-tick", tick) == ""
    [header, row] = server.cli("list", "templates").splitlines()
    assert header == f"ID   Type      {'Vars':<40}"
    assert row.rstrip() == "tmpl stream    m"
    variables = put(server, "vars.json", '{"m":{"type":"string","value":"cpu"}}')
    assert server.cli("define", "of-tmpl", "-template", "tmpl", "-vars", variables, "-dbrp", "d.r") == ""  # fmt: skip
    assert "Template: tmpl\n" in server.cli("show", "of-tmpl")
    # YAML, with everything in it
    file = put(
        server,
        "task.yaml",
        "template-id: tmpl\ndbrps: ['d.r']\nvars:\n  m:\n    type: string\n    value: x\n",
    )
    assert server.cli("define", "of-yaml", "-file", file) == ""
    assert server.json("GET", "/tasks/of-yaml")["vars"]["m"]["value"] == "x"
    shown = server.cli("show-template", "tmpl")
    assert shown.startswith("ID: tmpl\n")
    assert f"{'m':<30}{'string':<10}{'<required>':<40}" in shown
    assert server.cli("delete", "tasks", "of-*") == ""
    assert server.cli("delete", "templates", "tmpl") == ""
    assert server.json("GET", "/templates")["templates"] == []


# --- topics and handlers


@pytest.fixture(scope="module")
def cpu(server: Shell) -> Shell:
    """Three events on the topic `cpu`, and three handlers."""
    define(server, "cpu-alert", ALERT)
    server.cli("enable", "cpu-alert")
    lines = ("cpu,host=a v=90 6", "cpu,host=bb v=75 0", "cpu,host=c v=75 4")
    server.write("\n".join((*lines, "cpu,host=c v=1 5")), "db=d&rp=r&precision=s")
    for id in ("hip", "foo", "crit"):
        handler = {"id": id, "kind": "foo"}
        server.json("POST", "/alerts/topics/cpu/handlers", handler)
    return server


def test_showing_a_topic(cpu: Shell) -> None:
    assert cpu.cli("show-topic", "cpu") == (
        "ID: cpu\n"
        "Level: CRITICAL\n"
        "Collected: 4\n"
        "Handlers: [crit, foo, hip]\n"
        "Events:\n"
        "Event Level    Message       Date                   \n"
        "bb    WARNING  bb is WARNING 01 Jan 70 00:00 UTC    \n"
        "c     OK       c is OK       01 Jan 70 00:00 UTC    \n"
        "a     CRITICAL a is CRITICAL 01 Jan 70 00:00 UTC    \n"
    )
    assert cpu.cli("show-topic", "nope", code=3) == 'Error: unknown topic: "nope"\n'


def test_listing_topics(cpu: Shell) -> None:
    assert cpu.cli("list", "topics", "cpu") == (
        "ID  Level     Collected\ncpu CRITICAL          4\n"
    )
    define(cpu, "quiet", "stream|from()|alert().crit(lambda: FALSE).foo()")
    cpu.cli("enable", "quiet")
    assert cpu.cli("list", "topics", "main:quiet:*") == (
        "ID                Level     Collected\nmain:quiet:alert2 OK                0\n"
    )


def test_unknown_keys_of_files_are_reported(server: Shell) -> None:
    file = put(server, "typo.yaml", "topic: cli\nid: typo\nkind: log\nmach: 'TRUE'\n")
    assert server.cli("define-topic-handler", file, code=3) == (
        'Error: failed to read handler spec file "typo.yaml": unknown key "mach"; did '
        'you mean "match"?\n'
    )
    file = put(server, "typo.json", '{"template-id": "t", "var": {}}')
    assert server.cli("define", "typo", "-file", file, code=3) == (
        'Error: failed to read task vars file "typo.json": unknown key "var"; did you '
        'mean "vars"?\n'
    )


def test_showing_a_topic_with_more_than_one_page(server: Shell) -> None:
    define(server, "many", ALERT.replace("'cpu'", "'many'"))
    server.cli("enable", "many")
    lines = "\n".join(f"many,host=h{number:03} v=75 {number}" for number in range(250))
    server.write(lines, "db=d&rp=r&precision=s")
    shown = server.cli("show-topic", "many")
    assert [shown.count(f"h{number:03} is WARNING") for number in range(250)] == (
        [1] * 250
    )
    server.cli("delete", "tasks", "many")


def test_the_life_of_a_topic_handler(server: Shell) -> None:
    file = put(
        server,
        "yh.yaml",
        "topic: cli\nID: yh\nkind: hipchat\n"
        "match: level() == CRITICAL\noptions:\n  room: 'alerts'\n",
    )
    assert server.cli("define-topic-handler", file) == ""
    shown = "ID: yh\nTopic: cli\nKind: hipchat\nMatch: {}\nOptions: {}\n"
    assert server.cli("show-topic-handler", "cli", "yh") == shown.format(
        "level() == CRITICAL", '{"room":"alerts"}'
    )
    listed = "Topic      ID         Kind       \ncli        yh         hipchat    \n"
    assert server.cli("list", "topic-handlers", "cli") == listed
    assert server.cli("list", "topic-handlers", "c*", "y*") == listed
    assert server.cli("list", "topics", "cli") == (
        "ID  Level     Collected\ncli OK                0\n"
    )
    # defining it again replaces it
    file = put(server, "yh.json", '{"topic":"cli","id":"yh","kind":"hipchat"}')
    assert server.cli("define-topic-handler", file) == ""
    assert server.cli("show-topic-handler", "cli", "yh") == shown.format("", "null")
    # without a pattern nothing is deleted
    assert server.cli("delete", "topic-handlers", "cli") == ""
    assert server.cli("list", "topic-handlers", "cli") == listed
    assert server.cli("delete", "topic-handlers", "cli", "*") == ""
    assert server.cli("show-topic-handler", "cli", "yh", code=3) == (
        'Error: unknown handler: "yh"\n'
    )
    assert server.cli("delete", "topics", "cli") == ""


def test_columns_of_topic_handlers_grow(server: Shell) -> None:
    id = "a-handler-with-a-long-name"
    text = f"topic: long\nid: {id}\nkind: foo\n"
    server.cli("define-topic-handler", put(server, "long.yml", text))
    assert server.cli("list", "topic-handlers", "long") == (
        f"Topic      {'ID':<27}Kind       \nlong       {id} foo        \n"
    )


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        (
            "set.yaml",
            "topic: t\nid: h\nkind: foo\noptions: !!set {a, b}\n",
            'failed to unmarshal yaml handler file "set.yaml": error converting YAML '
            "to JSON: Object of type set is not JSON serializable",
        ),
        (
            "h.txt",
            "topic: t\nid: h\nkind: foo\n",
            "bad file extension. Must be YAML or JSON",
        ),
        ("noid.yaml", "topic: t\nkind: foo\n", f'invalid handler spec: {IDS}""'),
        (
            "synt.yaml",
            "topic: t\nid: [a\n",
            'failed to unmarshal yaml handler file "synt.yaml": error converting YAML '
            "to JSON: yaml: line 2: did not find expected ',' or ']'",
        ),
        (
            "bad.json",
            '{"topic": "t"',
            'failed to unmarshal json handler file "bad.json": unexpected EOF',
        ),
        (
            "nofile",
            None,
            'failed to open handler spec file "nofile": open nofile: no such '
            "file or directory",
        ),
        (
            "nofile.yaml",
            None,
            'failed to open handler spec file "nofile.yaml": open nofile.yaml: no such '
            "file or directory",
        ),
        (
            "opts.yaml",
            "topic: t\nid: h\nkind: hipchat\noptions:\n  rooom: a\n",
            "failed to create handler: failed to decode options into "
            "*hipchat.HandlerConfig: 1 error(s) decoding:\n\n"
            "* '' has invalid keys: rooom",
        ),
        (
            "kind.yaml",
            "topic: t\nid: h\nkind: nope\n",
            'failed to create handler: unsupported action kind "nope"',
        ),
        (
            "nokind.yaml",
            "topic: t\nid: h\n",
            "invalid handler spec: handler Kind must not be empty",
        ),
        (
            "yes.yaml",
            "topic: t\nid: h\nkind: foo\noptions:\n  room: yes\n",
            "failed to create handler: failed to decode options into "
            "*foo.HandlerConfig: 1 error(s) decoding:\n\n"
            "* 'room' expected type 'string', got unconvertible type 'bool', "
            "value: 'true'",
        ),
    ],
)
def test_handler_files_that_are_refused(
    server: Shell, name: str, text: str | None, error: str
) -> None:
    if text is not None:
        put(server, name, text)
    found = server.cli("define-topic-handler", name, code=3)
    assert found == f"Error: {error}\n"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "&a [*a]",
        "topic: &a [*a]",
        "!!python/object/apply:os.system ['true']",
        "- 1",
        "text",
        "",
        "\x00",
        "topic: t\nid: h\nkind: {}\n",
    ],
)
def test_hostile_handler_files(server: Shell, text: str) -> None:
    for suffix in ("yaml", "json"):
        file = put(server, f"hostile.{suffix}", text)
        found = server.cli("define-topic-handler", file, code=3)
        assert found.startswith("Error: ")
        assert "Traceback" not in found


def test_octal_numbers_of_handler_files(server: Shell) -> None:
    text = "topic: octal\nid: h\nkind: log\noptions:\n  path: /x\n  mode: 0644\n"
    server.cli("define-topic-handler", put(server, "octal.yaml", text))
    found = server.json("GET", "/alerts/topics/octal/handlers/h")
    assert found["options"] == {"mode": 0o644, "path": "/x"}


def test_a_handler_file_without_a_topic(server: Shell) -> None:
    file = put(server, "notopic.yaml", "id: lost\nkind: foo\n")
    assert server.cli("define-topic-handler", file) == ""
    assert server.json("GET", "/alerts/topics/handlers/handlers/lost")["kind"] == "foo"


# --- service tests


def test_listing_service_tests(server: Shell) -> None:
    header, *names = server.cli("list", "service-tests").splitlines()
    assert header == "Service Name"
    assert names == sorted(names)
    assert {"foo", "hipchat"} <= set(names)
    assert server.cli("list", "service-tests", "hip*") == "Service Name\nhipchat\n"


def test_service_tests(server: Shell) -> None:
    assert server.cli("service-tests", "foo", "hipchat", "unknown") == (
        "Service             Success   Message\n"
        "foo                 false     service is not enabled\n"
        "hipchat             false     service is not enabled\n"
    )
    assert server.cli("service-tests", code=3) == (
        "Error: must provide at least one service name or pattern.\n"
    )


# --- the rest


def test_other_commands(server: Shell) -> None:
    assert server.cli("version").startswith(
        "Kapacitor OSS 1.8.3 (git: scaffold-alerts "
    )
    assert server.cli("level", "error") == ""
    assert server.cli("level", "bogus", code=3) == "Error: invalid log level\n"
    assert server.cli("level", "info") == ""
    assert server.cli("vars") != ""
    labels = [
        line.partition(":")[0] for line in server.cli("stats", "general").splitlines()
    ]
    assert labels[-2:] == ["Platform", "Version"]
    assert "OSS" in server.cli("stats", "general")


def test_statistics_of_writes(server: Shell) -> None:
    server.write("cpu v=1 1", "db=stat&rp=a-rather-long-policy")
    head, *rows = server.cli("stats", "ingress").splitlines()
    assert head.startswith("Database Retention Policy     Measurement Points Received")
    assert "stat     a-rather-long-policy cpu                       1" in rows


def test_what_does_not_run_says_why(server: Shell) -> None:
    define(server, "q", "batch|query('SELECT v FROM d.r.m').every(1m)")
    reason = "InfluxDB not configured, cannot query InfluxDB for batch query"
    assert server.cli("enable", "q", code=3).startswith(f"Error: {reason}")
    found = server.cli("list", "tasks", "q")
    assert found.splitlines()[1].split()[:4] == ["q", "batch", "enabled", "false"]
    assert f"q: {reason}" in found
    assert f"Error: {reason}" in server.cli("show", "q")
    define(server, "out", "stream|from()|influxDBOut()")
    warning = "Warning: influxdb_out2: no InfluxDB cluster configured cannot use the "
    assert server.cli("enable", "out").count(warning) == 1
    assert server.cli("show", "out").count(warning) == 1
    server.cli("delete", "tasks", "q", "out")


@pytest.mark.parametrize(
    ("arguments", "code"), [((), 1), (("define",), 0), (("help",), 0), (("a", "b"), 1)]
)
def test_help(arguments: tuple[str, ...], code: int) -> None:
    found, output, _ = run("help", *arguments)
    assert (found, "Usage: kapacitor" in output) == (code, True)


def test_help_lists_each_command_and_calls_none_unsupported() -> None:
    output = run("help")[1]
    listed = re.findall(r"(?m)^    ([a-z-]+)  ", output.partition("Options:")[0])
    assert sorted(listed) == sorted([*main.MODULES, "help"])
    assert "not supported" not in output


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["bogus"], 1, "Unknown command bogus"),
        ([], 1, "Error: Must pass a command."),
        (["list"], 2, "Must specify 'tasks', 'recordings', 'replays', 'topics', or"),
        (
            ["list", "bogus"],
            3,
            "Error: cannot list 'bogus' did you mean 'tasks', 'recordings', 'replays', "
            "'topics', 'topic-handlers' or 'service-tests'?",
        ),
        (
            ["delete", "x", "y"],
            3,
            "Error: cannot delete 'x' did you mean 'tasks', 'templates', 'recordings', "
            "'replays', 'topics' or 'topic-handlers'?",
        ),
        (["help", "bogus"], 1, "Unknown command bogus"),
        (["list", "-x"], 3, "Error: cannot list '-x'"),
        (["record", "odd"], 3, "Error: Unknown record type"),
        (["replay", "-nope"], 2, "flag provided but not defined: -nope"),
        (["replay-live", "odd"], 3, "Error: Unknown replay-live type"),
        (["backup"], 3, "Error: must provide file path for backup."),
        (["stats"], 3, "Usage: kapacitor stats <general|ingress>"),
        (["stats"], 3, "Error: must provide a stats category"),
        (["stats", "odd"], 0, "unknown statistics category 'odd'"),
        (["watch"], 3, "Error: must provide task ID."),
        (["watch", "t", "x"], 3, "Error: bad keyvalue pair: 'x'"),
        (["logs", "-x"], 3, "Error: bad keyvalue pair: '-x'"),
        (["show-topic-handler", "x"], 2, "Must specify both topic and handler IDs"),
        (["level"], 2, "Must pass a log level"),
    ],
)
def test_wrong_commands(
    server: Shell, arguments: list[str], code: int, text: str
) -> None:
    found, _, errors = run("-url", server.url, *arguments)
    assert found == code
    assert text in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "command",
    [
        "define",
        "define-template",
        "define-topic-handler",
        "enable",
        "disable",
        "reload",
        "delete",
        "list",
        "show",
        "show-template",
        "show-topic",
        "show-topic-handler",
        "level",
        "record",
        "replay-live",
    ],
)
def test_missing_arguments(command: str) -> None:
    code, _, errors = run("-url", "http://127.0.0.1:1", command)
    assert code == 2
    assert errors.strip()
    assert "Traceback" not in errors


def test_where_the_server_is(server: Shell) -> None:
    missing = "dial tcp 127.0.0.1:1: connect: connection refused"
    code, output, errors = run("-url", "http://127.0.0.1:1", "list", "tasks")
    assert (code, output) == (3, "")
    assert errors.startswith('Error: Get "http://127.0.0.1:1/kapacitor/v1/tasks?')
    assert errors.endswith(f": {missing}\n")
    # the flag wins over the environment; any path is dropped
    url = f"{server.url}/some/path"
    nobody = "http://127.0.0.1:1"
    assert run("list", "topics", KAPACITOR_URL=url)[0] == 0
    assert run("-url", url, "list", "topics", KAPACITOR_URL=nobody)[0] == 0
    assert run("list", "topics", KAPACITOR_URL=nobody)[0] == 3


def test_what_answers_may_be_no_kapacitor() -> None:
    with LoopbackServer(body="<html>") as web:
        for command in (["list", "tasks"], ["show", "x"], ["version"], ["vars"]):
            code, _, errors = run("-url", web.url, *command)
            assert "Traceback" not in errors
            assert code in (0, 3)


def test_urls_that_are_none() -> None:
    code, _, errors = run("-url", "localhost", "list", "tasks")
    assert code == 4
    assert (
        "Unsupported protocol scheme: , your address must start with http:// or "
        "https://" in errors
    )
    assert run("list", "tasks", KAPACITOR_UNSAFE_SSL="maybe")[0] == 1
    code, _, errors = run("-url", "http://", "list", "tasks")
    assert (code, errors) == (4, 'parse "http://": missing host\n')
    for url in ("http://[", "http://h:x", "ftp://h", "http://\x7f"):
        code, _, errors = run("-url", url, "list", "tasks")
        assert code in (3, 4)
        assert "Traceback" not in errors
