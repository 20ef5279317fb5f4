"""The load directory of a real server."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.secrets import Secret
from runtime.server.config.sections import HttpConfig, LoadConfig
from runtime.tasks.load.files import MAX_BYTES, MOST_VALUES
from tests.runtime.alerting import use_hipchat

DBRP = 'dbrp "telegraf"."autogen"\n'
ALERT = "stream|from().measurement('cpu')|alert().crit(lambda: TRUE).topic('{topic}')"
TOPIC = "stream|from().measurement('cpu')|alert().crit(lambda: TRUE).topic(topic)"
HANDLER = "topic: t\nid: {id}\nkind: log\noptions: {{path: /tmp/x}}\n"
HANDLER_OF_X = HANDLER.format(id="x")


class Directory:
    """A load directory with its three parts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("templates", "tasks", "handlers"):
            (root / name).mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "load")


@pytest.fixture
def start(start_kapacitord: Any, directory: Directory) -> Callable[[], Any]:
    return lambda: start_kapacitord(
        f'[load]\n  enabled = true\n  dir = "{directory.root}"\n'
    )


def hang_up(server: Any, until: Callable[[], bool]) -> None:
    """Send SIGHUP and wait until it shows."""
    os.kill(server.process.pid, signal.SIGHUP)
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline, server.log
        server.process_wait(0.02)


def tasks(server: Any) -> dict[str, Any]:
    return {each["id"]: each for each in server.json("GET", "/tasks")["tasks"]}


def handlers(server: Any, topic: str) -> list[str]:
    path = f"/alerts/topics/{topic}/handlers"
    return [each["id"] for each in server.json("GET", path)["handlers"]]


def test_all_kinds_of_files_are_loaded_and_run(
    start: Callable[[], Any], directory: Directory, tmp_path: Path
) -> None:
    directory.write(
        "templates/limit.tick", "var topic = 'x'\n" + ALERT.format(topic="t")
    )
    directory.write("tasks/plain.tick", DBRP + ALERT.format(topic="plain"))
    directory.write(
        "tasks/made.yaml",
        "template-id: limit\ndbrps: [telegraf.autogen]\n"
        "vars:\n  topic: {type: string, value: made}\n",
    )
    directory.write(
        "tasks/json.json",
        '{"template-id": "limit", "dbrps": ["\\"a\\".\\"b.c\\""]}',
    )
    path = tmp_path / "alerts.log"
    directory.write(
        "handlers/log.yml",
        f"topic: plain\nid: file\nkind: log\noptions:\n  path: {path}\n",
    )
    directory.write("tasks/.hidden", "nonsense")
    directory.write("tasks/notes.txt", "nonsense")
    server = start()
    found = tasks(server)
    assert sorted(found) == ["json", "made", "plain"]
    assert all(each["executing"] for each in found.values())
    assert found["json"]["dbrps"] == [{"db": "a", "rp": "b.c"}]
    assert found["made"]["template-id"] == "limit"
    assert found["made"]["vars"]["topic"]["value"] == "made"
    assert handlers(server, "plain") == ["file"]
    server.write("cpu v=1 1")
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        server.process_wait(0.02)


def test_a_hangup_loads_what_changed_and_deletes_what_is_gone(
    start: Callable[[], Any], directory: Directory
) -> None:
    directory.write("templates/t.tick", ALERT.format(topic="t"))
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    directory.write("tasks/b.tick", DBRP + ALERT.format(topic="b"))
    server = start()
    server.json(
        "POST",
        "/tasks",
        {"id": "mine", "script": DBRP + ALERT.format(topic="m"), "type": "stream"},
    )
    directory.remove("tasks/b.tick")
    directory.remove("templates/t.tick")
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="other"))
    directory.write("tasks/c.tick", DBRP + ALERT.format(topic="c"))
    hang_up(server, lambda: sorted(tasks(server)) == ["a", "c", "mine"])
    assert "'other'" in tasks(server)["a"]["script"]
    assert tasks(server)["a"]["executing"]
    assert server.json("GET", "/templates")["templates"] == []


def test_what_was_removed_while_the_server_was_off_is_deleted_at_the_start(
    start: Callable[[], Any], directory: Directory
) -> None:
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    server = start()
    assert list(tasks(server)) == ["a"]
    server.stop()
    directory.remove("tasks/a.tick")
    server.start()
    assert tasks(server) == {}


@pytest.mark.parametrize("topic", ["handlers", "disk", "s.handlers", "web"])
def test_a_removed_handler_is_gone_whatever_its_topic_is_called(
    start: Callable[[], Any], directory: Directory, topic: str
) -> None:
    def text(id: str) -> str:
        return f"topic: {topic}\nid: {id}\nkind: log\noptions: {{path: /tmp/x}}\n"

    directory.write("handlers/one.yaml", text("one"))
    directory.write("handlers/two.yaml", text("two"))
    server = start()
    assert handlers(server, topic) == ["one", "two"]
    directory.remove("handlers/one.yaml")
    hang_up(server, lambda: handlers(server, topic) == ["two"])


def test_a_missing_directory_is_only_logged(
    start_kapacitord: Any, tmp_path: Path
) -> None:
    server = start_kapacitord(f'[load]\n  enabled = true\n  dir = "{tmp_path}/no"\n')
    assert tasks(server) == {}
    text = f'lvl=warn msg="the load directory does not exist" service=load dir={tmp_path}/no'
    assert text in server.log


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (
            "handlers/bad.yaml",
            "topic: t\nid: h\nkind: nope\n",
            'failed to update handler: unsupported action kind "nope"',
        ),
        (
            "handlers/bad.yaml",
            "topic: t\nid: 5\nkind: log\n",
            "json: cannot unmarshal number into Go struct "
            "field HandlerSpec.id of type string",
        ),
        ("handlers/bad.json", "{", "unexpected EOF"),
        (
            "handlers/bad.yaml",
            "- a\n",
            "the file does not contain a mapping",
        ),
        (
            "tasks/bad.tick",
            DBRP + "stream|nope()",
            "failed to update task: invalid TICKscript: ",
        ),
        (
            "tasks/bad.tick",
            ALERT.format(topic="t"),
            "failed to update task: must specify dbrp",
        ),
        (
            "tasks/bad.yaml",
            "template-id: nope\ndbrps: [a.b]\n",
            "failed to update task: unknown template nope: err: no template exists",
        ),
        (
            "tasks/bad.yaml",
            "template-id: nope\ndbrps: [ab]\n",
            "dbrp ab is not of the form",
        ),
        (
            "templates/bad.tick",
            "",
            "failed to update template: invalid task type: invalid",
        ),
    ],
)
def test_a_file_that_fails_rests_and_everything_else_starts(
    directory: Directory, load: Any, name: str, text: str, fault: str
) -> None:
    directory.write("tasks/good.tick", DBRP + ALERT.format(topic="good"))
    directory.write("handlers/good.yaml", HANDLER.format(id="good"))
    directory.write(name, text)
    api = load()
    assert running(api) == ["good"]
    assert specs(api) == ["good"]
    [(store, file, reason)] = rejected(api)
    assert (store, file) == ("load", name)
    assert reason.startswith(fault)


@pytest.fixture
def load(config: Any, start_api: Any, directory: Directory) -> Callable[[], Any]:
    def start() -> Any:
        config.load = LoadConfig(enabled=True, dir=str(directory.root))
        return start_api(config)

    return start


def reload(api: Any) -> None:
    """Effect of SIGHUP."""
    api.run(api.server.reload())


def running(api: Any) -> list[str]:
    found = api.json("GET", "/tasks?fields=executing")["tasks"]
    return [each["id"] for each in found if each["executing"]]


def specs(api: Any) -> list[str]:
    found = api.json("GET", "/alerts/topics/t/handlers")["handlers"]
    return [each["id"] for each in found]


def rejected(api: Any) -> list[tuple[str, str, str]]:
    found = api.json("GET", "/storage/rejected")["rejected"]
    return [(each["store"], each["id"], each["error"]) for each in found]


def files(api: Any) -> list[str]:
    return [file for _, file, _ in rejected(api)]


def internal(api: Any) -> dict[str, str]:
    status, text = api.ask("GET", "/alerts/topics/_internal/events?min-level=INFO")
    events = json.loads(text)["events"] if status == 200 else []
    return {each["id"]: each["state"]["message"] for each in events}


def write(api: Any, lines: str) -> None:
    answer = api.answer("POST", "/kapacitor/v1/write?db=telegraf&rp=autogen", lines)
    assert answer.status == 204


def test_a_server_says_why_a_file_rests_and_starts(
    start: Callable[[], Any], directory: Directory
) -> None:
    directory.write("handlers/bad.yaml", "topic: t\nid: h\nkind: nope\n")
    directory.write("tasks/good.tick", DBRP + ALERT.format(topic="good"))
    server = start()
    assert tasks(server)["good"]["executing"]
    [line] = [each for each in server.log.splitlines() if "failed to load file" in each]
    assert "lvl=error" in line
    assert "file=handlers/bad.yaml" in line
    reason = 'failed to update handler: unsupported action kind \\"nope\\"'
    assert reason in line
    assert "handlers/bad.yaml" in server.cli("list", "rejected")
    directory.remove("handlers/bad.yaml")
    hang_up(server, lambda: "handlers/bad.yaml" not in server.cli("list", "rejected"))


@pytest.mark.parametrize(
    "text",
    [
        "a: [" + "x, " * MOST_VALUES + "x]\n",
        "".join(f"k{number}:\n" for number in range(MOST_VALUES)),
        "".join(f"k{number}: {{a: b}}\n" for number in range(MOST_VALUES)),
        "[" + "[], " * MOST_VALUES + "]",
    ],
)
@pytest.mark.parametrize("name", ["tasks/many.yaml", "handlers/many.yml"])
def test_a_document_of_very_many_values_does_not_delay_the_start(
    load: Any, directory: Directory, name: str, text: str
) -> None:
    directory.write(name, text)
    directory.write("tasks/good.tick", DBRP + ALERT.format(topic="good"))
    api = load()
    assert running(api) == ["good"]
    [(_, file, reason)] = rejected(api)
    assert file == name
    assert reason.endswith(f"document contains more than {MOST_VALUES} values")


def test_whatever_lies_there_the_rest_starts(load: Any, directory: Directory) -> None:
    root = directory.root
    directory.write("tasks/good.tick", DBRP + ALERT.format(topic="good"))
    (root / "tasks/folder.tick").mkdir()
    os.mkfifo(root / "tasks/pipe.tick")
    (root / "tasks/latin.tick").write_bytes(b"// caf\xe9\n" + DBRP.encode())
    (root / "tasks/empty.tick").write_text("")
    (root / "tasks/dangling.tick").symlink_to("nowhere.tick")
    (root / "tasks/circle.tick").symlink_to("circle.tick")
    (root / "tasks/linked.tick").symlink_to(root / "elsewhere.txt")
    directory.write("elsewhere.txt", DBRP + ALERT.format(topic="linked"))
    (root / "tasks/huge.tick").write_text(" " * (MAX_BYTES + 1))
    (root / "tasks/null.yaml").write_text("")
    (root / "tasks/deep.json").write_text("[" * 100_000)
    (root / "tasks/a b.tick").write_text(DBRP + ALERT.format(topic="x"))
    Path(os.fsdecode(os.fsencode(root) + b"/tasks/\xff.tick")).write_text(DBRP)
    directory.write("tasks/query.tick", DBRP + "batch|query('x').every(1m).period(1m)")
    directory.write("tasks/out.tick", DBRP + "stream|from()|influxDBOut()")
    directory.write("tasks/mine.tick", DBRP + "stream|from()@mine()")
    api = load()
    assert running(api) == ["good", "linked", "out"]
    reasons = {file: reason for _, file, reason in rejected(api)}
    expected = {
        "tasks/a b.tick": "failed to update task: task ID must contain only",
        "tasks/circle.tick": "too many levels of symbolic links",
        "tasks/dangling.tick": "no such file or directory",
        "tasks/deep.json": "it is nested too deeply",
        "tasks/empty.tick": "failed to update task: must provide TICKscript",
        "tasks/folder.tick": "it is a directory",
        "tasks/huge.tick": "it has more than 8388608 bytes",
        "tasks/latin.tick": "it is not UTF-8 text: byte 6",
        "tasks/mine.tick": "failed to start task: mine2: user defined functions",
        "tasks/null.yaml": "the file does not contain a mapping",
        "tasks/pipe.tick": "it is not a regular file",
        "tasks/query.tick": "failed to start task: failed to parse InfluxQL query",
        "tasks/?.tick": "failed to update task: task ID must contain only",
    }
    assert reasons.keys() == expected.keys()
    for file, reason in reasons.items():
        assert reason.startswith(expected[file]), file
    assert internal(api) == {
        f"load:{file}": f"{file} cannot be loaded: {reason}"
        for file, reason in reasons.items()
    }
    query = api.json("GET", "/tasks/query")
    assert (query["type"], query["status"]) == ("batch", "enabled")
    # a restart finds the same, and repeats no event
    for _ in range(2):
        api.restart()
        assert {file: reason for _, file, reason in rejected(api)} == reasons
    assert api.json("GET", "/alerts/topics/_internal")["collected"] == 0


def test_what_is_mended_or_gone_is_over(load: Any, directory: Directory) -> None:
    for name in ("a", "b", "c"):
        directory.write(f"tasks/{name}.tick", "nonsense")
    api = load()
    assert files(api) == ["tasks/a.tick", "tasks/b.tick", "tasks/c.tick"]
    assert api.ask("DELETE", "/storage/rejected/load/tasks/a.tick") == (
        409,
        "tasks/a.tick is a file: repair or remove it, and reload",
    )
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    directory.remove("tasks/b.tick")
    reload(api)
    assert (files(api), running(api)) == (["tasks/c.tick"], ["a"])
    assert list(internal(api)) == ["load:tasks/c.tick"]
    api.restart(lambda: directory.remove("tasks/c.tick"))
    assert (files(api), internal(api)) == ([], {})


def test_what_was_loaded_before_stays_while_its_file_is_broken(
    load: Any, directory: Directory
) -> None:
    directory.write("templates/t.tick", "var topic = 'x'\n" + ALERT.format(topic="t"))
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    directory.write("tasks/b.yaml", "template-id: t\ndbrps: [telegraf.autogen]\n")
    directory.write("handlers/h.yaml", HANDLER.format(id="h"))
    directory.write("handlers/gone.yaml", HANDLER.format(id="gone"))
    api = load()
    assert (running(api), specs(api)) == (["a", "b"], ["gone", "h"])
    for name in ("templates/t.tick", "tasks/a.tick", "tasks/b.yaml", "handlers/h.yaml"):
        directory.write(name, "{")
    directory.remove("handlers/gone.yaml")
    for again in (reload, lambda api: api.restart()):
        again(api)
        assert (running(api), specs(api)) == (["a", "b"], ["h"])
        assert len(files(api)) == 4
        assert api.json("GET", "/templates")["templates"][0]["id"] == "t"


def test_a_missing_directory_deletes_nothing(load: Any, directory: Directory) -> None:
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    api = load()
    away = directory.root.with_name("away")
    directory.root.rename(away)
    reload(api)
    assert (running(api), files(api)) == (["a"], [str(directory.root)])
    away.rename(directory.root)
    (directory.root / "tasks/a.tick").unlink()
    (directory.root / "tasks").rmdir()
    reload(api)
    assert (running(api), files(api)) == ([], [])


@pytest.mark.parametrize(
    ("one", "other", "topic"),
    [
        ("tasks/x.json", "tasks/x.yaml", "one"),
        ("tasks/x.yaml", "tasks/x.yml", "one"),
    ],
)
def test_of_two_files_with_one_task_the_first_counts(
    load: Any, directory: Directory, one: str, other: str, topic: str
) -> None:
    directory.write("templates/t.tick", "var topic = 'x'\n" + TOPIC)
    for name, value in ((one, "one"), (other, "other")):
        variables = {"topic": {"type": "string", "value": value}}
        source = {"template-id": "t", "dbrps": ["telegraf.autogen"], "vars": variables}
        directory.write(name, json.dumps(source))
    api = load()
    assert api.json("GET", "/tasks/x")["vars"]["topic"]["value"] == topic
    assert rejected(api) == [("load", other, f"task x is defined in {one} already")]


def test_of_two_files_with_one_handler_the_first_counts(
    load: Any, directory: Directory
) -> None:
    directory.write("handlers/a.yaml", HANDLER.format(id="h"))
    directory.write("handlers/b.yaml", HANDLER.format(id="h").replace("/x", "/y"))
    api = load()
    path = "/alerts/topics/t/handlers/h"
    assert api.json("GET", path)["options"] == {"path": "/tmp/x"}
    reason = "handler h of topic t is defined in handlers/a.yaml already"
    assert rejected(api) == [("load", "handlers/b.yaml", reason)]
    directory.remove("handlers/a.yaml")
    reload(api)
    assert api.json("GET", path)["options"] == {"path": "/tmp/y"}
    assert rejected(api) == []


def test_a_document_gives_variables_to_the_script_of_its_name(
    load: Any, directory: Directory
) -> None:
    directory.write("tasks/x.tick", DBRP + "var topic = 'x'\n" + TOPIC)
    value = "vars: {{topic: {{type: string, value: {}}}}}\n"
    directory.write("tasks/x.yaml", value.format("mine"))
    api = load()
    found = api.json("GET", "/tasks/x")
    assert (found["vars"]["topic"]["value"], found["template-id"]) == ("mine", "")
    directory.write("tasks/x.yaml", value.format("[broken"))
    reload(api)
    assert files(api) == ["tasks/x.yaml"]
    assert api.json("GET", "/tasks/x")["vars"]["topic"]["value"] == "mine"
    directory.remove("tasks/x.yaml")
    reload(api)
    assert (files(api), api.json("GET", "/tasks/x")["vars"]) == ([], {})


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (
            "handlers/x.yaml",
            HANDLER_OF_X + "mach: level() == CRITICAL\n",
            'unknown key "mach"; did you mean "match"?',
        ),
        ("handlers/x.yaml", HANDLER_OF_X + "zzz: 1\n", 'unknown key "zzz"'),
        ("handlers/x.json", '{"topics": "t"}', 'unknown key "topics"; did you mean'),
        (
            "tasks/x.yaml",
            "template-id: t\nvar: {}\n",
            'unknown key "var"; did you mean "vars"?',
        ),
        (
            "tasks/x.yaml",
            "template-id: t\nid: y\n",
            "its ID must be that of the file, x",
        ),
    ],
)
def test_unknown_keys_are_reported(
    load: Any, directory: Directory, name: str, text: str, reason: str
) -> None:
    directory.write(name, text)
    api = load()
    [(_, file, found)] = rejected(api)
    assert (file, found[: len(reason)]) == (name, reason)


def test_keys_may_be_written_in_any_case(load: Any, directory: Directory) -> None:
    directory.write(
        "handlers/x.yaml", "Topic: t\nID: x\nKind: log\noptions: {path: /x}"
    )
    assert specs(load()) == ["x"]


def test_no_secret_of_a_script_is_listed(load: Any, directory: Directory) -> None:
    script = DBRP + "stream|from()|alert().hipChat().token('s3cret')) .room('a'"
    directory.write("tasks/x.tick", script)
    api = load()
    [(_, _, reason)] = rejected(api)
    assert reason.startswith("failed to update task: invalid TICKscript: parser: unexp")
    assert "cret" not in reason
    assert "cret" not in json.dumps(internal(api))


# --- templates and their tasks change together

TEMPLATE = "stream|from().measurement('cpu')|alert().crit(lambda: {}).topic('{}')"


def made(*variables: str) -> str:
    lines = "".join(f"  {each}\n" for each in variables)
    vars = f"vars:\n{lines}" if lines else ""
    return f"template-id: t\ndbrps: [telegraf.autogen]\n{vars}"


LIMIT = "limit: {type: int, value: 5}"


@pytest.mark.parametrize(
    ("before", "vars_before", "after", "vars_after"),
    [
        ("", (), "var limit int\n", (LIMIT,)),
        ("var limit = 3\n", (), "var limit int\n", (LIMIT,)),
        (
            "var limit float\n",
            ("limit: {type: float, value: 3}",),
            "var limit int\n",
            (LIMIT,),
        ),
        (
            "var old string\n",
            ("old: {type: string, value: x}",),
            "var limit int\n",
            (LIMIT,),
        ),
        ("var limit int\n", (LIMIT,), "", ()),
        (
            "var a int\nvar limit int\n",
            (LIMIT, "a: {type: int, value: 1}"),
            "var limit int\n",
            (LIMIT,),
        ),
    ],
    ids=["gained", "default", "type", "renamed", "last", "removed"],
)
@pytest.mark.parametrize("at_start", [True, False])
def test_a_template_and_its_tasks_change_together(
    load: Any,
    directory: Directory,
    before: str,
    vars_before: tuple[str, ...],
    after: str,
    vars_after: tuple[str, ...],
    at_start: bool,
) -> None:
    def write_all(head: str, variables: tuple[str, ...], topic: str) -> None:
        crit = '"v" > limit' if "limit" in head else "TRUE"
        if "limit float" in head:
            crit = '"v" > float(limit)'
        directory.write("templates/t.tick", head + TEMPLATE.format(crit, topic))
        for id in ("a", "b"):
            directory.write(f"tasks/{id}.yaml", made(*variables))

    write_all(before, vars_before, "before")
    api = load()
    assert (files(api), running(api)) == ([], ["a", "b"])
    write_all(after, vars_after, "after")
    if at_start:
        api.restart()
    else:
        reload(api)
    assert (rejected(api), running(api)) == ([], ["a", "b"])
    for id in ("a", "b"):
        found = api.json("GET", f"/tasks/{id}")
        assert "'after'" in found["script"]
        assert len(found["vars"]) == len(vars_after)
    write(api, "cpu v=9i 1")
    assert api.json("GET", "/alerts/topics/after")["level"] == "CRITICAL"


def test_of_several_tasks_only_the_broken_one_rests(
    load: Any, directory: Directory
) -> None:
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "old"))
    for id in ("a", "b", "c"):
        directory.write(f"tasks/{id}.yaml", made())
    api = load()
    head = "var limit int\n"
    directory.write("templates/t.tick", head + TEMPLATE.format('"v" > limit', "new"))
    directory.write("tasks/a.yaml", made(LIMIT))
    directory.write("tasks/b.yaml", made("limit: {type: string, value: x}"))
    reload(api)
    assert files(api) == ["tasks/b.yaml", "tasks/c.yaml"]
    # the others go on as they were
    assert running(api) == ["a", "b", "c"]
    scripts = {id: api.json("GET", f"/tasks/{id}")["script"] for id in ("a", "b", "c")}
    assert ["'new'" in scripts[id] for id in ("a", "b", "c")] == [True, False, False]
    directory.write("tasks/b.yaml", made(LIMIT))
    directory.write("tasks/c.yaml", made(LIMIT))
    reload(api)
    assert (files(api), running(api)) == ([], ["a", "b", "c"])


def test_a_template_that_breaks_a_task_of_the_api_rests(
    load: Any, directory: Directory
) -> None:
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "old"))
    directory.write("tasks/a.yaml", made())
    api = load()
    body = {
        "id": "mine",
        "template-id": "t",
        "status": "enabled",
        "dbrps": [{"db": "telegraf", "rp": "autogen"}],
    }
    api.json("POST", "/tasks", body)
    directory.write(
        "templates/t.tick", "var limit int\n" + TEMPLATE.format("TRUE", "new")
    )
    reload(api)
    assert rejected(api) == [
        (
            "load",
            "templates/t.tick",
            "failed to update template: error reloading associated task mine: "
            'missing value for var "limit".',
        )
    ]
    assert running(api) == ["a", "mine"]


def test_a_script_takes_the_place_of_a_template(
    load: Any, directory: Directory
) -> None:
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "old"))
    directory.write("tasks/a.yaml", made())
    api = load()
    directory.remove("tasks/a.yaml")
    directory.write("tasks/a.tick", DBRP + TEMPLATE.format("TRUE", "own"))
    reload(api)
    found = api.json("GET", "/tasks/a")
    assert (found["template-id"], "'own'" in found["script"]) == ("", True)
    assert (found["executing"], files(api)) == (True, [])


def test_a_task_of_a_removed_template_rests(load: Any, directory: Directory) -> None:
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "old"))
    directory.write("tasks/a.yaml", made())
    api = load()
    directory.remove("templates/t.tick")
    reload(api)
    assert files(api) == ["tasks/a.yaml"]
    assert running(api) == ["a"]
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "old"))
    reload(api)
    assert (files(api), running(api)) == ([], ["a"])


# --- what has not changed is left alone

WINDOW = DBRP + (
    "stream|from().measurement('cpu')|window().periodCount(3).everyCount(3)"
    "|count('v')|alert().crit(lambda: TRUE).topic('w')"
)


GATHERING = "topic: w\nid: h\nkind: aggregate\noptions: {interval: 3600000000000, topic: gathered}\n"


def test_a_hangup_leaves_alone_what_has_not_changed(
    load: Any, directory: Directory
) -> None:
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "t"))
    directory.write("tasks/made.yaml", made())
    directory.write("tasks/w.tick", WINDOW)
    directory.write("handlers/h.yaml", GATHERING)
    api = load()
    before = {
        path: api.json("GET", path)
        for path in ("/templates/t", "/tasks/made", "/tasks/w")
    }
    alerts = api.server._alerts
    # to replace it would end what it gathers
    handler = alerts.handlers.running(alerts.handlers.get("w", "h"))
    write(api, "cpu v=1 1\ncpu v=1 2")
    directory.write("tasks/w.tick", WINDOW)  # touched, but the same
    reload(api)
    for path, tree in before.items():
        after = api.json("GET", path)
        for key in ("created", "modified", "last-enabled"):
            assert after.get(key) == tree.get(key), path
    counted = api.json("GET", "/tasks/w")["stats"]["node-stats"]["stream0"]
    assert counted["collected"] == 2
    write(api, "cpu v=1 3")
    # the window that was half full at the hangup
    assert api.json("GET", "/alerts/topics/w")["level"] == "CRITICAL"
    assert alerts.handlers.running(alerts.handlers.get("w", "h")) is handler
    directory.write("handlers/h.yaml", GATHERING + "match: 'TRUE'\n")
    reload(api)
    assert alerts.handlers.get("w", "h").match == "TRUE"


def test_a_task_that_was_switched_off_stays_off_until_its_file_changes(
    load: Any, directory: Directory
) -> None:
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "t"))
    directory.write("tasks/a.yaml", made())
    directory.write("tasks/b.tick", DBRP + ALERT.format(topic="b"))
    api = load()
    for id in ("a", "b"):
        api.json("PATCH", f"/tasks/{id}", {"status": "disabled"})
    reload(api)
    assert running(api) == []
    api.restart()
    assert running(api) == []
    directory.write("templates/t.tick", TEMPLATE.format("FALSE", "t"))
    directory.write("tasks/b.tick", DBRP + ALERT.format(topic="c"))
    reload(api)
    assert running(api) == ["b"]
    assert "FALSE" in api.json("GET", "/tasks/a")["script"]


def test_what_was_deleted_over_the_api_comes_back(
    load: Any, directory: Directory
) -> None:
    directory.write("templates/t.tick", TEMPLATE.format("TRUE", "t"))
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    directory.write("handlers/h.yaml", HANDLER.format(id="h"))
    api = load()
    for path in ("/templates/t", "/tasks/a", "/alerts/topics/t/handlers/h"):
        assert api.ask("DELETE", path)[0] == 204
    reload(api)
    assert (running(api), specs(api)) == (["a"], ["h"])
    assert api.ask("GET", "/templates/t")[0] == 200


def test_a_task_that_does_not_run_is_tried_again(
    load: Any, directory: Directory
) -> None:
    directory.write(
        "tasks/a.tick",
        DBRP + "stream|from()|alert().crit(lambda: TRUE).post().endpoint('x')",
    )
    directory.write("tasks/q.tick", DBRP + "batch|query('x').every(1m).period(1m)")
    api = load()
    before = api.json("GET", "/tasks/q")
    reload(api)
    after = api.json("GET", "/tasks/q")
    assert (before["modified"], before["error"]) == (after["modified"], after["error"])
    assert "tasks/q.tick" in files(api)


def test_secrets_of_an_unchanged_handler_are_read_again(
    load: Any, directory: Directory, config: Any, tmp_path: Path
) -> None:
    secret = tmp_path / "token"
    secret.write_text("one")
    directory.write(
        "handlers/h.yaml",
        "topic: t\nid: h\nkind: hipchat\noptions:\n  room: r\n"
        f"  token: {{file: {secret}}}\n",
    )
    use_hipchat(config, "http://127.0.0.1:1", room="r")
    api = load()
    alerts = api.server._alerts

    def token() -> Any:
        return alerts.handlers.running(alerts.handlers.get("t", "h")).options.token

    assert token() == Secret("one")
    secret.write_text("two")
    reload(api)
    assert token() == Secret("two")


def test_files_may_use_what_strangers_may_not(
    config: Any, start_api: Any, directory: Directory
) -> None:
    spec = "topic: t\nid: h\nkind: log\noptions: {path: /tmp/x}\n"
    directory.write("handlers/log.yaml", spec)
    config.http = HttpConfig(bind_address="127.1:0", log_enabled=False)
    config.load = LoadConfig(enabled=True, dir=str(directory.root))
    api = start_api(config)
    assert api.ask("GET", "/alerts/topics/t/handlers/h")[0] == 200
    api.restart()
    assert api.ask("GET", "/alerts/topics/t/handlers/h")[0] == 200


def test_a_database_that_takes_nothing_is_tried_again(
    load: Any, directory: Directory
) -> None:
    for name in ("a", "b"):
        directory.write(f"tasks/{name}.tick", DBRP + ALERT.format(topic=name))
    api = load()

    def database(*statements: str) -> None:
        # other users may not open it
        for statement in statements:
            api.run(execute(statement))

    async def execute(statement: str) -> None:
        await api.server._compute.run(api.server._store.execute, statement)

    database(
        *(
            f"CREATE TRIGGER no_{verb} BEFORE {verb} ON entries "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
            for verb in ("INSERT", "UPDATE", "DELETE")
        )
    )
    directory.remove("tasks/a.tick")
    directory.write("tasks/b.tick", DBRP + ALERT.format(topic="other"))
    directory.write("tasks/c.tick", DBRP + ALERT.format(topic="c"))
    reload(api)
    assert running(api) == ["a", "b"]
    assert files(api) == ["tasks/a.tick", "tasks/b.tick", "tasks/c.tick"]
    assert all("no room" in reason for _, _, reason in rejected(api))
    database(*(f"DROP TRIGGER no_{verb}" for verb in ("INSERT", "UPDATE", "DELETE")))
    reload(api)
    assert (running(api), files(api)) == (["b", "c"], [])
