"""`[remember]`: its rules, and the generated code."""

from __future__ import annotations

import pytest

from scaffold import places
from scaffold.rendering.render import render
from scaffold.spec.parse import parse
from tests.scaffold.spec.quoll import faults

HEAD = '[handler]\nname = "quoll"\n[config]\nurl = {}\nkey = { secret = true }\n'
REMEMBER = '[remember]\nissue = "reply.number"\n'
CLOSE = (
    "[[request]]\nwhen = \"memory.issue and event.level == 'OK'\"\n"
    'url = "${config.url}/close/${memory.issue}"\n'
)
OPEN = (
    '[[request]]\nwhen = "event.level != \'OK\'"\nurl = "${config.url}/open"\n'
    'json = { text = "${event.message}", key = "${config.key}" }\n'
)
GOOD = HEAD + REMEMBER + CLOSE + OPEN


def service(text: str) -> str:
    spec = parse(text, "quoll.toml")
    [file] = [
        each
        for each in places.files(spec.names, "runtime")
        if each.path.name == "service.py"
    ]
    return render(file.template, spec)


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        # the table
        (HEAD + "[remember]\n" + OPEN, "remember", "is empty"),
        ("remember = 5\n" + HEAD + OPEN, "remember", "must be a table"),
        (
            (HEAD + REMEMBER + CLOSE + OPEN).replace("url =", "to =").replace("/", ""),
            "remember",
            "needs requests over HTTP",
        ),
        (
            HEAD + REMEMBER + "[hook]\n[[request]]\ndata = { a = '${memory.issue}' }\n",
            "remember",
            "needs requests over HTTP",
        ),
        # its keys
        (GOOD.replace("issue =", '"The issue" ='), "remember.The issue", "not a name"),
        (
            GOOD.replace("[remember]", '[remember]\n"is-sue" = "reply.a"').replace(
                "issue =", "is_sue ="
            ),
            "remember.is_sue",
            "has the same name in Python as 'is-sue'",
        ),
        (
            GOOD.replace(
                "[remember]",
                "[remember]\n" + "".join(f'k{i} = "reply.a"\n' for i in range(20)),
            ),
            "remember.issue",
            "is one value too many; at most 20",
        ),
        # its values
        (
            GOOD.replace('"reply.number"', "5"),
            "remember.issue",
            "must be an expression",
        ),
        (
            GOOD.replace('"reply.number"', '"event.id"'),
            "remember.issue",
            "'event.id' is not available here: [response]",
        ),
        (
            GOOD.replace('"reply.number"', '"config.url"'),
            "remember.issue",
            "is not part of the answer",
        ),
        (
            GOOD.replace('"reply.number"', '"memory.issue"'),
            "remember.issue",
            "is not available here: remembered values are known in requests",
        ),
        (
            GOOD.replace('"reply.number"', '"pick(reply.a, config.key)"'),
            "remember.issue",
            "would show the secret config.key",
        ),
        (
            HEAD + REMEMBER + OPEN,
            "remember.issue",
            "is not used; write memory.issue, or remove it",
        ),
        # its use
        (
            HEAD + CLOSE + OPEN,
            "request[1].when",
            "is not available here: nothing is remembered; add [remember]",
        ),
        (
            GOOD.replace("close/${memory.issue}", "close/${memory.isue}"),
            "request[1].url",
            "unknown name 'memory.isue'",
        ),
        (
            GOOD + "[response]\nmessage = '${memory.issue}'\n",
            "response.message",
            "are known in requests, checks and lets only",
        ),
        (
            GOOD + "[let]\nmemory = '${event.id}'\n",
            "let.memory",
            "'memory' is a reserved name",
        ),
    ],
)
def test_errors(text: str, where: str, problem: str) -> None:
    found = faults(text)
    assert [at for at, told in found if problem in told][:1] == [where], found


def test_values_are_read_of_the_answer() -> None:
    made = service(GOOD)
    assert 'return {"issue": get(response.json, "number")}' in made
    assert "    remembers = True\n" in made
    assert "memory = recalled()" in made
    assert 'if get(memory, "issue") and event.state.level == Level.OK:' in made


def test_lets_and_checks_may_use_the_memory() -> None:
    made = service(
        HEAD
        + REMEMBER
        + '[let]\nplace = "/issues/${memory.issue}"\n'
        + "[[check]]\nthat = \"memory.issue or event.level != 'OK'\"\n"
        + "error = 'nothing was opened'\n"
        + OPEN.replace("/open", "${place}")
    )
    assert made.index("memory = recalled()") < made.index("place = ")


def test_a_variable_of_a_template_has_another_name() -> None:
    option = '[option]\nmemory = { type = "template" }\n'
    made = service(
        HEAD
        + option
        + REMEMBER
        + CLOSE
        + OPEN.replace("${event", "${opt.memory}${event")
    )
    assert "memory_text = options.memory.render(event)" in made


def test_steps_and_memory() -> None:
    step = '[[request]]\nname = "login"\nurl = "${config.url}/login"\n'
    made = service(HEAD + REMEMBER + step + CLOSE + OPEN)
    guard, _, rest = made.partition("yield Step(")
    assert "return\n" in guard
    assert rest.count("yield Request(") == 2


def test_a_handler_without_memory_may_have_a_let_of_that_name() -> None:
    text = HEAD + "[let]\nmemory = '${event.id}'\n" + OPEN
    assert "recalled" not in service(text.replace("${event.message}", "${memory}"))
