"""Requests with a name: their rules, and the generated code."""

from __future__ import annotations

import pytest

from scaffold import places
from scaffold.errors import SpecError
from scaffold.rendering.render import render
from scaffold.spec.parse import parse
from tests.scaffold.spec.quoll import faults

HEAD = (
    '[handler]\nname = "quoll"\n[config]\nurl = {}\nkey = { secret = true }\n'
    '[option]\nroom = {}\nto = { type = "list" }\n'
)
LOGIN = (
    '[[request]]\nname = "login"\nurl = "${config.url}/login"\n'
    'json = { key = "${config.key}" }\n'
)
SEND = (
    '[[request]]\nurl = "${config.url}/send"\nauth = { token = "login.reply.token" }\n'
    'json = { text = "${event.message}", room = "${opt.room}" }\n'
)


def service(text: str) -> str:
    """The method of the generated service that yields its requests."""
    made = rendered("service.py", text)
    return made.partition("    def requests(")[2].partition("\n    def ")[0]


def generated_tests(text: str) -> str:
    """The generated tests of the service."""
    return rendered("test_quoll_service.py", text)


def rendered(name: str, text: str) -> str:
    """A generated file."""
    spec = parse(text, "quoll.toml")
    [file] = [
        each for each in places.files(spec.names, "runtime") if each.path.name == name
    ]
    return render(file.template, spec)


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        # names
        (
            LOGIN.replace('"login"', '"Log in"') + SEND.replace("login", "log"),
            "request[1].name",
            "'Log in' is not a name for a step",
        ),
        (
            LOGIN.replace('"login"', '"event"'),
            "request[1].name",
            "'event' is a reserved name",
        ),
        (LOGIN + LOGIN + SEND, "request[2].name", "'login' is already defined"),
        (
            f"[let]\nlogin = '${{event.id}}'\n{LOGIN}{SEND}",
            "request[1].name",
            "'login' is already defined",
        ),
        (LOGIN.replace('"login"', "5"), "request[1].name", "must be a string"),
        # places
        (SEND + LOGIN, "request[2].name", "is a step, and no request after it"),
        (LOGIN, "request[1].name", "is a step, and no request after it"),
        (
            SEND.replace("[[request]]", '[[request]]\nname = "login"'),
            "request[1].name",
            "is a step, and no request after it",
        ),
        (
            "".join(LOGIN.replace("login", f"step{i}") for i in range(9))
            + SEND.replace("login", "step0"),
            "request[9]",
            "is one step too many; a handler has at most 8",
        ),
        (
            LOGIN.replace("url", "to").replace("/login", "")
            + SEND.replace("url", "to").replace("/send", ""),
            "request[1].name",
            "needs requests over HTTP",
        ),
        (
            "[hook]\n[[request]]\nname = 'a'\ndata = { a = 1 }\n[[request]]\ndata = { a = 1 }\n",
            "request[1].name",
            "needs requests over HTTP",
        ),
        # answers
        (
            SEND.replace("[[request]]", "[[request]]\nwhen = 'opt.room'")
            + LOGIN
            + SEND,
            "request[1].auth.token",
            "'login.reply' is not available here: the answer of a step is known",
        ),
        (
            f"[let]\ntoken = '${{login.reply.token}}'\n{LOGIN}{SEND}",
            "let.token",
            "is not available here: the answer of a step is known in the requests",
        ),
        (
            f"{LOGIN}{SEND}[response]\nmessage = '${{login.reply.x}}'\n",
            "response.message",
            "[response] reads the answer to the request that delivers the event",
        ),
        (
            LOGIN + SEND.replace("login.reply.token", "login.token"),
            "request[2].auth.token",
            "unknown name 'login.token'",
        ),
        (
            LOGIN + SEND.replace("login.reply.token", "logn.reply.token"),
            "request[2].auth.token",
            "unknown name 'logn'",
        ),
        (
            LOGIN + SEND.replace("login.reply.token", "login"),
            "request[2].auth.token",
            "'login' needs a key",
        ),
        # keep
        (LOGIN + "keep = '1 h'\n" + SEND, "request[1].keep", "is not a duration"),
        (LOGIN + "keep = '0s'\n" + SEND, "request[1].keep", "must be longer than 0s"),
        (LOGIN + "keep = '-1h'\n" + SEND, "request[1].keep", "is negative"),
        (LOGIN + "keep = 60\n" + SEND, "request[1].keep", "must be a string"),
        (LOGIN + SEND + "keep = '1h'\n", "request[2].keep", "without 'name'"),
        (LOGIN + SEND + "accepted = '{}'\n", "request[2].accepted", "without 'name'"),
        # conditions
        (
            LOGIN + SEND + "that = 'reply.ok'\n",
            "request[2].that",
            "only steps have it; write it in [response]",
        ),
        (
            LOGIN + "that = 'login.reply.ok'\n" + SEND,
            "request[1].that",
            "can use status, body, reply, error and parse_error of its own answer",
        ),
        (
            LOGIN + "that = \"event.level == 'OK'\"\n" + SEND,
            "request[1].that",
            "can use status, body, reply",
        ),
        (
            LOGIN + "that = 'reply.ok ='\n" + SEND,
            "request[1].that",
            "not an expression",
        ),
        # logins that expire
        (
            SEND.replace("login.reply.token", "config.key")
            + "[response]\nexpired = 'reply.code == 1'\n",
            "response.expired",
            "has no effect without a login: give the step that logs in a 'keep'",
        ),
        (
            LOGIN
            + SEND.replace('/send"', '/${login.reply.id}"')
            + "[response]\nexpired = 'reply.code == 1'\n",
            "response.expired",
            "has no effect without a login",
        ),
        (
            LOGIN + SEND + "[response]\nexpired = 'reply.code = 1'\n",
            "response.expired",
            "not an expression",
        ),
        (
            LOGIN + SEND + "[response]\nexpired = 'login.reply.code == 1'\n",
            "response.expired",
            "[response] reads the answer to the request that delivers the event",
        ),
        (
            LOGIN + SEND + "expired = 'reply.code == 1'\n",
            "request[2].expired",
            "unknown key",
        ),
        (
            LOGIN.replace("url", "to").replace("/login", "")
            + SEND.replace("url", "to").replace("/send", "")
            + "[response]\nthat = 'body'\nexpired = 'body'\n",
            "response.expired",
            "has no effect with 'to': a login needs requests over HTTP",
        ),
        # recipients
        (
            LOGIN.replace("[[request]]", '[[request]]\n"@for" = "x in opt.to"') + SEND,
            "request[1].@for",
            "conflicts with 'name': a step has one answer",
        ),
        (
            "[[request]]\n'@for' = 'x in opt.room'\nurl = '${config.url}'\n",
            "request[1].@for",
            "loops over a string; use a list or a map",
        ),
        (
            "[[request]]\n'@for' = 'opt.to'\nurl = '${config.url}'\n",
            "request[1].@for",
            "'opt.to' is not a loop; write 'x in EXPRESSION'",
        ),
        (
            "[[request]]\n'@for' = 'config in opt.to'\nurl = '${config.url}'\n",
            "request[1].@for",
            "'config' is already defined",
        ),
        (
            "[[request]]\n'@for' = 5\nurl = '${config.url}'\n",
            "request[1].@for",
            "must be an expression in quotes",
        ),
        (
            "[[request]]\n'@for' = 'x in opt.to'\nwhen = 'x'\nurl = '${config.url}'\n",
            "request[1].when",
            "unknown name 'x'",
        ),
        (
            "[hook]\n[[request]]\n'@for' = 'x in opt.to'\ndata = { a = '${x}' }\n",
            "request[1].@for",
            "needs a request over HTTP",
        ),
    ],
)
def test_errors(text: str, where: str, problem: str) -> None:
    found = faults(HEAD + text)
    assert [at for at, told in found if problem in told] == [where], found


def test_a_wrong_name_is_one_fault() -> None:
    assert len(faults(HEAD + LOGIN.replace('"login"', '"Login"') + SEND)) == 1


@pytest.mark.parametrize(
    "text",
    [
        LOGIN + "accepted = 'hello'\n" + SEND,
        LOGIN + "accepted = '[1]'\n" + SEND,
        LOGIN + SEND + "[response]\nthat = \"body == 'ok'\"\naccepted = 'ok'\n",
    ],
    ids=["a string", "a list", "the response's"],
)
def test_answers_of_the_fake_server_that_are_no_objects(text: str) -> None:
    with pytest.raises(SpecError, match=r"cannot answer all requests .*a JSON object"):
        service(HEAD + text)


def test_a_condition_of_a_step() -> None:
    accepted = 'accepted = \'{"errcode": 0, "ok": true}\'\n'
    made = service(HEAD + LOGIN + "that = 'reply.errcode == 0'\n" + accepted + SEND)
    assert 'accepts=lambda response: get(response.json, "errcode") == 0' in made
    made = service(HEAD + LOGIN + "that = 'reply.ok'\n" + accepted + SEND)
    assert 'accepts=lambda response: bool(get(response.json, "ok"))' in made


def test_a_condition_that_reads_an_option() -> None:
    that = "that = 'status == 201 or not opt.room'\n"
    made = service(HEAD + LOGIN + that + SEND)
    assert "accepts=lambda response: response.status == 201 or not options.room" in made


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("that = 'reply.errcode == 0'\n", r"request\[1\].that"),
        (
            "that = 'reply.errcode == 0'\naccepted = '{\"errcode\": 1}'\n",
            r"request\[1\].accepted",
        ),
    ],
)
def test_the_fake_server_must_pass_the_condition_of_a_step(
    text: str, where: str
) -> None:
    with pytest.raises(SpecError, match=rf"{where}.*accepted = '…' with an answer"):
        service(HEAD + LOGIN + text + SEND)


def test_the_generated_tests_try_an_answer_that_a_step_refuses() -> None:
    accepted = "that = 'reply.errcode == 0'\naccepted = '{\"errcode\": 0}'\n"
    response = "[response]\nerror = 'errmsg'\n"
    made = generated_tests(HEAD + LOGIN + accepted + SEND + response)
    test = made.partition("def test_a_refused_step(")
    assert '"errcode": 1' in test[0]
    assert "assert len(server.taken()) == before + 1" in test[2]


def test_the_fake_server_must_not_say_that_a_login_has_expired() -> None:
    expired = "[response]\nexpired = 'reply.code != 0'\n"
    with pytest.raises(SpecError, match=r"response\.expired.*a body that it is false"):
        generated_tests(HEAD + LOGIN + SEND + expired)
    accepted = "accepted = '{\"code\": 7}'\n"
    with pytest.raises(SpecError, match=r"the body fulfills 'expired'"):
        generated_tests(HEAD + LOGIN + SEND + expired + accepted)


@pytest.mark.parametrize(
    ("login", "response", "bodies", "total"),
    [
        ("keep = '1h'\n", "expired = \"reply.code in ['a', 'b']\"\n", 2, 5),
        ("", "expired = \"reply.code == 'a'\"\n", 1, 3),
        ("", "expired = 'status == 419'\n", 1, 3),
    ],
)
def test_the_generated_tests_try_an_expired_login(
    login: str, response: str, bodies: int, total: int
) -> None:
    made = generated_tests(HEAD + LOGIN + login + SEND + f"[response]\n{response}")
    values, _, test = made.partition("def test_an_expired_login_is_renewed(")
    assert f"assert len(server.taken()) == {total}\n" in test
    values = values.rpartition("@pytest.mark.parametrize(")[2]
    assert values.count("login-token") == bodies
    assert ("Answer(419, body)" in test) == ("419" in response)


def test_a_step_comes_before_the_request_that_uses_it() -> None:
    made = service(HEAD + LOGIN + SEND)
    assert made.index('login = yield Step(\n            "login"') < made.index(
        "get(login.json"
    )
    assert "is_login=True" in made


def test_a_shared_answer() -> None:
    made = service(HEAD + LOGIN + "keep = '1h30m'\n" + SEND)
    assert "keep_s=5400" in made
    assert "is_login" not in made


def test_an_answer_that_is_also_part_of_a_path_is_no_login() -> None:
    text = SEND.replace('/send"', '/${login.reply.id}"')
    assert "is_login" not in service(HEAD + LOGIN + text)


def test_an_answer_that_nothing_reads_has_no_name() -> None:
    text = SEND.replace('auth = { token = "login.reply.token" }\n', "")
    made = service(HEAD + LOGIN + text)
    assert "\n        yield Step(" in made


def test_a_step_with_a_condition() -> None:
    made = service(HEAD + LOGIN + "when = 'opt.room'\n" + SEND)
    assert "login = NO_ANSWER\n        if options.room:\n" in made


def test_nothing_is_sent_where_nothing_would_be_delivered() -> None:
    text = SEND + "when = \"event.level != 'OK'\"\n"
    made = service(HEAD + LOGIN + text)
    assert made.index("if event.state.level == Level.OK:\n            return\n") < (
        made.index("Step(")
    )
    assert made.count("Level.OK") == 1


def test_a_condition_that_reads_an_answer_comes_after_it() -> None:
    text = SEND + "when = 'login.reply.ready'\n"
    made = service(HEAD + LOGIN + text)
    assert made.index("Step(") < made.index('if get(login.json, "ready"):')


def test_requests_before_a_step_do_not_need_it() -> None:
    first = '[[request]]\nwhen = "event.level == \'OK\'"\nurl = "${config.url}/close"\n'
    made = service(HEAD + first + LOGIN + SEND)
    close, _, rest = made.partition("return\n")
    assert "/close" in close
    assert ("Step(" in close, "Step(" in rest) == (False, True)


def test_a_request_for_each_recipient() -> None:
    made = service(
        HEAD
        + "[[request]]\nwhen = \"event.level == 'OK'\"\n'@for' = 'number in opt.to'\n"
        + 'url = "${config.url}/${number}"\n'
        + SEND.replace("login.reply.token", "config.key")
    )
    assert (
        "        if event.state.level == Level.OK:\n"
        "            for number in options.to:\n"
        '                yield Addressed(number, Request("POST", f"{config.url}/{number}"))\n'
        "            return\n"
    ) in made


def test_a_handler_without_steps_has_one_request() -> None:
    text = HEAD + SEND.replace("login.reply.token", "config.key")
    assert service(text) == ""
