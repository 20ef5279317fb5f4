"""Secrets in scripts: redacted in every response, restored from sent placeholders."""

import logging
from typing import Any

import pytest

from runtime.errors import RefusedError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.secret_properties import ScriptHandlers
from runtime.outbound.client import AiohttpClient
from runtime.services.httpd.messages import status_of
from runtime.tasks.secrets.hiding import Definition, shown
from runtime.tasks.secrets.restoring import restored
from runtime.testing.loopback import LoopbackServer
from runtime.tick.variables import Var

DBRPS = [{"db": "d", "rp": "r"}]
FIELDS = ScriptHandlers(INTEGRATIONS.started({}, AiohttpClient()))
START = "stream|from()|alert()"
UNKNOWN = (
    "the {} has *** in place of a secret ({}) that is not stored here: "
    "write the secret or, better, move it to the configuration"
)


def hidden(script: str, **variables: str) -> Any:
    given = {name: Var("string", value) for name, value in variables.items()}
    return shown(Definition(script, given), FIELDS)


def put_back(sent: str, before: str) -> str:
    return restored(Definition(sent, {}), Definition(before, {}), FIELDS).script


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (f"{START}.hipChat().token('abc')", f"{START}.hipChat().token('***')"),
        (f"{START}.hipchat().Token('''a'c''')", f"{START}.hipchat().Token('''***''')"),
        (f"{START}.hipChat().token('a\\'c')", f"{START}.hipChat().token('***')"),
        (
            f"var t = 'abc' // the token\n{START}.hipChat().room('ä').token(t)",
            f"var t = '***' // the token\n{START}.hipChat().room('ä').token(t)",
        ),
        (
            f"var a = 'x' + 'y'\nvar b = a\n{START}.hipChat().token(b + 'z')",
            f"var a = '***' + '***'\nvar b = a\n{START}.hipChat().token(b + '***')",
        ),
        (
            f"var a = {START}.hipChat()\nvar b = a\nb.room('abc').token('abc')",
            f"var a = {START}.hipChat()\nvar b = a\nb.room('***').token('***')",
        ),
        (
            f"{START}.post('http://h').header('X-Url', 'http://u:p@h/{{{{ .ID }}}}')",
            f"{START}.post('http://h').header('X-Url', 'http://***@h/{{{{ .ID }}}}')",
        ),
        (
            "stream|from()|deadman(1.0, 10s).hipChat().token('abc').id('x')",
            "stream|from()|deadman(1.0, 10s).hipChat().token('***').id('x')",
        ),
        (
            f"{START}.post('http://u:p@h/a?b=c').header('X-Token', 'x').header('B', 'y')",
            f"{START}.post('http://***@h/a?b=***').header('X-Token', '***').header('B', 'y')",
        ),
        (
            "var u = 'u:p'\nstream|httpPost('http://' + u + '@h').header('Cookie', 'x')",
            "var u = '***'\nstream|httpPost('***' + u + '***').header('Cookie', '***')",
        ),
        (
            f"// use 12345678!\n{START}.message('by 12345678').hipChat().token('12345678')",
            f"// use ***!\n{START}.message('by ***').hipChat().token('***')",
        ),
    ],
)
def test_secrets_are_hidden(script: str, expected: str) -> None:
    assert hidden(script).script == expected
    assert put_back(expected, script) == script


@pytest.mark.parametrize(
    "script",
    [
        f"{START}.hipChat().room('r').token('')",
        f"{START}.id('***').post('http://h/{{{{ .ID }}}}?a={{{{ .Level }}}}')",
        f"var token = 'abc'\n{START}.message(token).tcp('h:1')",
        "stream|httpPost('http://h').header('A', 'b')|where(lambda: \"a\" == 'x')",
    ],
)
def test_scripts_without_secrets_are_as_they_were(script: str) -> None:
    assert hidden(script) == shown(Definition(script, {}), ScriptHandlers())
    assert hidden(script).script is script
    assert put_back(script, "") == script


def test_variables_that_a_task_sets_are_hidden_where_they_are_secrets() -> None:
    script = f"var t string\nvar r = 'r'\n{START}.hipChat().room(r).token(t)"
    found = hidden(script, t="abc", r="ops")
    assert {name: var.value for name, var in found.variables.items()} == {
        "t": "***",
        "r": "ops",
    }
    assert found.script == script
    assert found.hide("no abc") == "no ***"


def test_a_script_that_does_not_parse_shows_no_text() -> None:
    assert hidden("stream|from(.token('abc')").script == "stream|from(.token('***')"


TWO = f"{START}.hipChat().room('a').token('A')\n{START}.hipChat().room('b').token('B')"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        # as it was shown
        (TWO.replace("'A'", "'***'").replace("'B'", "'***'"), TWO),
        # one of them new
        (
            TWO.replace("'A'", "'C'").replace("'B'", "'***'"),
            TWO.replace("'A'", "'C'"),
        ),
        # turned round
        (
            f"{START}.hipChat().room('b').token('***').hipChat().room('a').token('***')",
            f"{START}.hipChat().room('b').token('B').hipChat().room('a').token('A')",
        ),
        # one of them left
        (
            f"var t = '***'\n{START}.hipChat().room('b').token(t)",
            f"var t = 'B'\n{START}.hipChat().room('b').token(t)",
        ),
        # its properties in another order, and more handlers of other kinds
        (
            f"{START}.foo().hipChat().token('***').room('a')",
            f"{START}.foo().hipChat().token('A').room('a')",
        ),
    ],
)
def test_a_secret_comes_back_to_its_handler(sent: str, expected: str) -> None:
    assert put_back(sent, TWO) == expected


ALIKE = f"{START}.hipChat().token('A')\n{START}.hipChat().token('B')"
NAMED = f"var t = 'A'\nvar u = 'B'\n{START}.hipChat().room('a').token(t)"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        # of a variable, in whatever room
        (
            NAMED.replace("'A'", "'***'").replace("'a'", "'x'"),
            NAMED.replace("'a'", "'x'"),
        ),
        # of two handlers that are alike, when nothing has changed at all
        (ALIKE.replace("'A'", "'***'").replace("'B'", "'***'"), ALIKE),
    ],
)
def test_a_secret_comes_back_to_its_variable_or_script(
    sent: str, expected: str
) -> None:
    before = NAMED if "var" in sent else ALIKE
    assert put_back(sent, before) == expected


POST = f"{START}.post('http://h').header('X-Token', 'x').timeout(10s)"


@pytest.mark.parametrize(
    ("sent", "before"),
    [
        (f"{START}.hipChat().token('***')", "stream|from()"),
        (f"{START}.hipChat().token('a***')", f"{START}.hipChat().token('abc')"),
        # another room
        (
            f"{START}.hipChat().room('x').token('***')",
            f"{START}.hipChat().room('a').token('A')",
        ),
        (
            f"{START}.hipChat().room('x').token('***').hipChat().room('b').token('***')",
            TWO,
        ),
        (
            f"var r = 'x'\n{START}.hipChat().room(r).token('***')",
            f"var r = 'a'\n{START}.hipChat().room(r).token('A')",
        ),
        # another endpoint, header or time
        (POST.replace("'x'", "'***'").replace("//h", "//evil"), POST),
        (POST.replace("'x'", "'***'") + ".header('B', 'y')", POST),
        (POST.replace("'x'", "'***'").replace("10s", "11s"), POST),
        (POST.replace("'x'", "'***'") + ".captureResponse()", POST),
        (
            "stream|httpPost('***' + '@evil/')",
            "stream|httpPost('http://u:p' + '@h/')",
        ),
        # another variable, in another room
        (
            NAMED.replace("'A'", "'***'")
            .replace("'a'", "'x'")
            .replace("var t", "var v")
            .replace("token(t)", "token(v)"),
            NAMED,
        ),
        # a text that repeats it, in a script that has changed
        (
            f"{START}.message('by ***').hipChat().room('a').token('***').foo()",
            f"{START}.message('by 12345678').hipChat().room('a').token('12345678')",
        ),
        # two that are alike
        (ALIKE.replace("'A'", "'***'").replace("'B'", "'***'") + ".foo()", ALIKE),
        # which one?
        (f"{START}.hipChat().room('c').token('***')", TWO),
        (
            f"{START}.hipChat().room('b').token('***').hipChat().room('c').token('***')"
            ".hipChat().room('d').token('***')",
            TWO,
        ),
        # it may have moved
        (
            f"{START}.hipChat().room('b').token('***').hipChat().room('c').token('***')",
            TWO,
        ),
    ],
)
def test_what_is_hidden_must_be_known(sent: str, before: str) -> None:
    with pytest.raises(
        RefusedError, match="has \\*\\*\\* in place of a secret"
    ) as told:
        put_back(sent, before)
    assert status_of(told.value) == 400


def test_the_refusal_says_that_something_else_has_changed() -> None:
    with pytest.raises(RefusedError) as told:
        put_back(
            f"{START}.hipChat().room('x').token('***')",
            f"{START}.hipChat().room('a').token('A')",
        )
    assert str(told.value) == (
        "the script has *** in place of a secret (hipChat.token) of a variable "
        "that was renamed, or of a handler that was changed: write the secret or, "
        "better, move it to the configuration"
    )


def test_urls_come_back_as_they_were_and_others_are_new() -> None:
    before = f"{START}.post('http://u:p@h/?a=b')"
    shown_as = f"{START}.post('http://***@h/?a=***')"
    assert put_back(shown_as, before) == before
    other = f"{START}.post('http://v:q@h/')"
    assert put_back(other, before) == other
    with pytest.raises(RefusedError):
        put_back(shown_as.replace("/?", "/x?"), before)


SCRIPT = "stream\n    |from()\n    |alert()\n        .hipChat()\n        .token('{}')\n"


def define(api: Any, token: str = "abcdefgh", **more: Any) -> Any:
    body = {"id": "x", "dbrps": DBRPS, "script": SCRIPT.format(token)} | more
    return api.json("POST", "/tasks", body)


def task_of(api: Any, id: str = "x") -> Any:
    """Return a task as stored by the server, since responses do not show it."""
    return api.server._all_tasks.records.get(id)


def stored(api: Any, id: str = "x") -> str:
    return str(task_of(api, id).script)


def test_no_answer_shows_the_token_of_a_task(api: Any) -> None:
    assert define(api)["script"] == SCRIPT.format("***")
    for query in ("", "?script-format=raw", "?dot-view=labels"):
        assert "abcdefgh" not in api.ask("GET", f"/tasks/x{query}")[1]
    assert "abcdefgh" not in api.ask("GET", "/tasks")[1]
    assert stored(api) == SCRIPT.format("abcdefgh")


def test_a_task_that_is_sent_back_keeps_its_token(api: Any) -> None:
    define(api)
    script = api.json("GET", "/tasks/x")["script"]
    changed = script.replace("from()", "from().measurement('cpu')")
    api.json("PATCH", "/tasks/x", {"script": changed, "status": "enabled"})
    assert stored(api) == changed.replace("***", "abcdefgh")
    api.restart()
    assert stored(api) == changed.replace("***", "abcdefgh")
    assert api.json("GET", "/tasks/x")["error"] == ""


def test_a_new_task_needs_its_token(api: Any) -> None:
    body = {"id": "x", "dbrps": DBRPS, "script": SCRIPT.format("***")}
    expected = (400, UNKNOWN.format("script", "hipChat.token"))
    assert api.ask("POST", "/tasks", body) == expected
    define(api)
    body = {"id": "y", "dbrps": DBRPS, "script": SCRIPT.format("***")}
    assert api.ask("POST", "/tasks", body) == expected
    assert [task["id"] for task in api.json("GET", "/tasks")["tasks"]] == ["x"]


def test_variables_that_are_sent_back_keep_their_secret(api: Any) -> None:
    script = f"var t string\nvar r = 'r'\n{START}.hipChat().room(r).token(t)"
    token = {"type": "string", "value": "abc", "description": ""}
    define(api, script=script, vars={"t": token})
    told = api.json("GET", "/tasks/x")["vars"]
    assert told["t"]["value"] == "***"
    told["r"] = {"type": "string", "value": "ops"}
    api.json("PATCH", "/tasks/x", {"vars": told})
    task = task_of(api)
    assert {name: var.value for name, var in task.vars.items()} == {
        "t": "abc",
        "r": "ops",
    }
    body = {"id": "y", "dbrps": DBRPS, "script": script, "vars": told}
    expected = (400, UNKNOWN.format("variable t", "hipChat.token"))
    assert api.ask("POST", "/tasks", body) == expected


def test_variables_that_stay_do_not_change_what_is_beside_a_secret(api: Any) -> None:
    script = f"var u string\n{START}.post(u).header('X-Token', 'abc')"
    url = {"type": "string", "value": "http://u:p@h", "description": ""}
    define(api, script=script, vars={"u": url})
    changed = api.json("GET", "/tasks/x?script-format=raw")["script"] + ".foo()"
    api.json("PATCH", "/tasks/x", {"script": changed})
    assert stored(api) == f"{script}.foo()"
    assert task_of(api).vars["u"].value == "http://u:p@h"
    body = {"script": changed, "vars": {"u": url | {"value": "http://u:p@i"}}}
    assert api.ask("PATCH", "/tasks/x", body)[0] == 400


def test_templates_hide_and_keep_their_secrets(api: Any) -> None:
    script = f"var t = 'abc'\n{START}.hipChat().token(t)"
    made = api.json("POST", "/templates", {"id": "t", "script": script})
    assert made["vars"]["t"]["value"] == "***"
    assert "abc" not in str(made) + str(api.json("GET", "/templates"))
    changed = made["script"].replace("from()", "from().measurement('cpu')")
    api.json("PATCH", "/templates/t", {"script": changed})
    task = {"id": "x", "dbrps": DBRPS, "template-id": "t"}
    assert "abc" not in str(api.json("POST", "/tasks", task))
    assert stored(api) == changed.replace("***", "abc")
    body = {"id": "u", "script": changed}
    assert api.ask("POST", "/templates", body)[0] == 400


def test_the_log_warns_once_for_each_definition(api: Any, caplog: Any) -> None:
    caplog.set_level(logging.WARNING)
    define(api)
    [record] = caplog.records
    assert (record.levelname, record.task, record.properties) == (
        "WARNING",
        "x",
        "hipChat.token",
    )
    caplog.clear()
    api.json("PATCH", "/tasks/x", {"status": "enabled"})
    api.json("GET", "/tasks/x")
    assert caplog.records == []
    api.json("PATCH", "/tasks/x", {"script": SCRIPT.format("ijklmnop")})
    assert len(caplog.records) == 1
    assert "ijklmnop" not in str(vars(caplog.records[0]))


def test_the_error_of_a_task_shows_no_secret(api: Any) -> None:
    script = f"{START}.details('{{{{').post('http://u:abcdefgh@h/{{{{ nope }}}}')"
    body = {"id": "x", "dbrps": DBRPS, "script": script, "status": "enabled"}
    status, text = api.ask("POST", "/tasks", body)
    assert status == 500
    assert "abcdefgh" not in text + api.ask("GET", "/tasks/x")[1]


def test_the_command_line_shows_and_defines_without_the_token(
    start_kapacitord: Any,
) -> None:
    with LoopbackServer() as room:
        server = start_kapacitord(f'[hipchat]\nenabled = true\nurl = "{room.url}"\n')
        script = server.directory / "x.tick"
        crit = "|alert().id('x').crit(lambda: TRUE)"
        secret = SCRIPT.replace("|alert()", crit).format("abcdefgh")
        script.write_text(f'dbrp "telegraf"."autogen"\n{secret}')
        server.cli("define", "x", "-tick", str(script))
        server.cli("enable", "x")
        shown = server.cli("show", "x")
        assert "abcdefgh" not in shown
        text = shown.partition("TICKscript:\n")[2].partition("DOT:")[0]
        script.write_text(text.replace("from()", "from().measurement('cpu')"))
        server.cli("define", "x", "-tick", str(script))
        server.write("cpu value=1 1")
        assert room.next().raw_query == "auth_token=abcdefgh"
        refused = server.cli("define", "y", "-tick", str(script), code=3)
        assert "has *** in place of a secret (hipChat.token)" in refused
        assert server.log.count("found secrets in a script") == 2
