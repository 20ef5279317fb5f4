"""No secret leaves: each is a canary, and everything the server says is searched.

The integrations are found in the registry: one that is added is covered.
"""

import asyncio
import base64
import copy
import dataclasses
import functools
import html
import http.client
import json
import logging
import pickle
import re
import shutil
import sys
import traceback
import urllib.parse

import pytest

from runtime.alert.types import Level, Recipient
from runtime.delivery import Address, Backlog, Dispatcher, RetryPolicy
from runtime.errors import KapacitorError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.secret_properties import ScriptHandlers
from runtime.outbound.client import AiohttpClient, TimeLimits
from runtime.secrets import Secret, secrets_in
from runtime.server.config.config import Config
from runtime.server.config.text import dump
from runtime.server.logs import LogfmtFormatter
from runtime.services.deliveries.statistics import delivery_statistics
from runtime.settings import camel_case
from runtime.store.database import Store
from runtime.testing.events import sample_event
from runtime.testing.loopback import Answer, LoopbackServer
from runtime.testing.registry import (
    HTTP_KINDS,
    KINDS,
    integration,
    plain_options,
)
from tests.draws import drawn

SERVICES = INTEGRATIONS.started({}, AiohttpClient())
SCRIPT_CANARY = "canary-in-a-script-0123456789"
PASSWORD = 'canary-password/+ "<é'
SHARED_SECRET = "canary-shared-secret/+<é"
OWN_CANARIES = (SCRIPT_CANARY, PASSWORD, SHARED_SECRET)
# starting a server for each kind takes a minute
OF_THE_DAY = drawn(KINDS, 4)
SECTIONS = """
[logging]
  level = "DEBUG"
[auth]
  enabled = true
  bcrypt-cost = 4
"""


def script():
    """A script that gives each handler that has a secret property a secret."""
    secrets_of = ScriptHandlers(SERVICES).secret_fields
    handlers = [
        f".{name}()"
        + "".join(
            f".{camel_case(each)}('{SCRIPT_CANARY}')" for each in secrets_of(kind)
        )
        for name, kind in INTEGRATIONS.properties.items()
        if secrets_of(kind)
    ]
    assert handlers
    url = f"http://u:{SCRIPT_CANARY}@127.0.0.1:1/{SCRIPT_CANARY}?k={SCRIPT_CANARY}"
    return f"""\
var token = '{SCRIPT_CANARY}' // {SCRIPT_CANARY}
stream
    |from().measurement('cpu')
    |httpPost('{url}').header('X-Key', token)
    |alert()
        .id('{{{{ .Name }}}}')
        .crit(lambda: "value" > 90)
        .topic('cpu')
        .post('{url}').header('Authorization', 'Bearer ' + token)
        {"".join(handlers)}
"""


@functools.cache
def forms(canary):
    """A secret as it may turn up."""
    return tuple(dict.fromkeys(_forms(canary)))


def _forms(canary):
    data = canary.encode()
    yield canary
    for safe in ("", "/"):
        yield urllib.parse.quote(canary, safe=safe)
    yield urllib.parse.quote_plus(canary)
    for ascii_only in (True, False):
        yield json.dumps(canary, ensure_ascii=ascii_only)[1:-1]
    yield json.dumps(json.dumps(canary))[3:-3]
    yield html.escape(canary)
    yield repr(canary)[1:-1]
    # base64 at each of the three alignments, without what neighbours change
    for shift in range(3):
        coded = base64.b64encode(b"x" * shift + data).decode()
        yield coded[4 if shift else 0 : -4]
        yield coded[4 if shift else 0 : -4].replace("+", "-").replace("/", "_")
    yield data.hex()


def found_in(text, canaries):
    """The canaries that a text shows, in any form; also split over lines."""
    whole = text + re.sub(r"\s*\n\s*", "", text)
    return [each for each in canaries if any(form in whole for form in forms(each))]


def test_the_search_finds_what_it_should():
    canary = 'a-secret/+ "<é'
    for form in forms(canary):
        assert found_in(f"x{form}y", [canary])
    coded = base64.b64encode(f"user:{canary}".encode()).decode()
    assert found_in(coded, [canary])
    assert found_in('a-secr\n   et/+ "<é', [canary])
    assert not found_in("a-secret", [canary])


class Modes(LoopbackServer):
    """Repeats what it was sent."""

    def answer(self, request):
        shown = f"{request.path}?{request.raw_query} {dict(request.headers)} "
        body = shown.encode() + request.body
        return Answer(self.status, body, self.headers)


FAILURES = {
    "refused": {},
    "unknown host": {},
    "hung": {},
    "redirected": {"status": 302, "headers": {"Location": "http://127.0.0.1:1/x"}},
    "redirected to itself": {"status": 307, "headers": {"Location": "/y"}},
    "bad request": {"status": 400},
    "unauthorized": {"status": 401},
    "not found": {"status": 404},
    "too large": {"status": 413},
    "too many": {"status": 429, "headers": {"Retry-After": "7"}},
    "internal error": {"status": 500},
    "unavailable": {"status": 503},
    "a broken handler": {},
    "a broken client": {},
    "disabled": {},
}


# errors other than answers of an HTTP server
ANY_TRANSPORT = ("refused", "unknown host", "a broken handler", "disabled")


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        (kind, failure)
        for failure in FAILURES
        for kind in (KINDS if failure in ANY_TRANSPORT else drawn(HTTP_KINDS, 8))
    ],
)
def test_no_failure_shows_a_secret(kind, failure, tmp_path, caplog, monkeypatch):
    with Modes() as server:
        for name, value in FAILURES[failure].items():
            setattr(server, name, value)
        server.hang = failure == "hung"
        url = server.url
        if failure == "unknown host":
            url = "http://nowhere.invalid"
        made = integration(kind, url)
        if failure == "refused":
            server.refuse()
        said = asyncio.run(shown_by(made, failure, tmp_path, caplog, monkeypatch))
    assert said
    assert found_in(said, made.canaries) == []


async def shown_by(made, failure, tmp_path, caplog, monkeypatch):
    """All that one failed delivery leaves behind."""
    caplog.set_level(logging.DEBUG)
    caplog.handler.setFormatter(LogfmtFormatter())
    asyncio.get_running_loop().set_debug(True)
    store = Store(tmp_path / "db")
    dispatcher = Dispatcher(Backlog(store, policy=RetryPolicy(base_s=1e6, cap_s=1e6)))
    client = AiohttpClient(TimeLimits(0.3, 0.3))
    service = INTEGRATIONS.started(made.tables, client)[made.kind]
    if failure == "disabled" and hasattr(made.config, "enabled"):
        service.prepared([dataclasses.replace(made.config, enabled=False)])()
    handler = service.handler(made.options)
    if failure == "a broken client":

        async def send(request):
            raise ValueError(f"{request.url} {request.headers} {request.body!r}")

        monkeypatch.setattr(client, "send", send)
    if failure == "a broken handler":

        class Broken:
            options = made.options

            async def handle(self, event):
                raise ValueError(str([s.reveal() for s in secrets_in(self.options)]))

        handler = Broken()
    address = Address("t", "h")
    notices = []
    dispatcher.noticed = lambda address, level, text: notices.append(text)
    dispatcher.backlog.offer(address, sample_event(Level.CRITICAL), Recipient(handler))
    dispatcher.backlog.keep()
    dispatcher.backlog.release()
    await dispatcher.start()
    async with asyncio.timeout(10):
        # some kinds do without what was to fail
        while (
            not dispatcher.backlog.queues.counters()[address].failed
            and dispatcher.backlog.pending
        ):
            await asyncio.sleep(0.001)
    said = [
        caplog.text,
        "".join(traceback.format_exc()),
        repr(dispatcher.backlog.outbox.lookup.messages()),
        repr(delivery_statistics(dispatcher.backlog)),
        repr(notices),
        *(repr(each) for each in (service, handler, made.config, made.options)),
        *(str(vars(each)) for each in (service, client) if hasattr(each, "__dict__")),
    ]
    await dispatcher.close(1)
    await client.close()
    said.append(repr(store.query("SELECT * FROM deliveries")))
    store.close()
    return "\n".join(said)


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_shows_a_secret(kind):
    made = integration(kind, "http://127.0.0.1:1")
    service = INTEGRATIONS.started(made.tables, AiohttpClient())[kind]
    for value in (made.config, made.options, service.handler(made.options)):
        shown = f"{value!r} {value!s} {value} {[value]} {(value,)!r}"
        assert found_in(shown, made.canaries) == []
    for secret in secrets_in((made.config, made.options)):
        for act in (pickle.dumps, copy.deepcopy, json.dumps):
            with pytest.raises(TypeError) as caught:
                act(secret)
            assert found_in(str(caught.value), made.canaries) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_refusal_of_a_configuration_shows_a_secret(kind):
    made = integration(kind, "http://127.0.0.1:1")
    broken = ["ht!tp://user:{}@h", "http://h:port/{}", "%zz{}", "http://[{}"]
    for field in dataclasses.fields(made.config):
        if not isinstance(getattr(made.config, field.name), Secret):
            continue
        for form in broken:
            canary = "canary-in-a-value"
            wrong = Secret(form.format(canary))
            try:
                dataclasses.replace(made.config, **{field.name: wrong}).validate()
            except KapacitorError as error:
                assert found_in(str(error), [canary]) == []


class Talk:
    """Everything a server was heard to say."""

    def __init__(self, server):
        self._server = server
        self.heard = {}

    def __call__(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port)
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data)
        answer = connection.getresponse()
        content = answer.read()
        text = f"{answer.getheaders()}\n{content.decode('utf-8', 'replace')}"
        connection.close()
        self.heard[f"{method} {path} {len(self.heard)}"] = text
        return answer.status, content

    def read_files(self):
        """Return the content of the disk, as a reader of the files sees it."""
        for path in (self._server.directory / "data").rglob("*"):
            if path.is_file():
                text = path.read_bytes().decode("utf-8", "replace")
                self.heard[f"{path.name} {len(self.heard)}"] = text


def wait_for(met):
    for _ in range(2000):
        if found := met():
            return found
    raise AssertionError("it did not happen in time")


@pytest.mark.parametrize("kind", OF_THE_DAY)
def test_no_answer_no_log_line_and_no_file_shows_a_secret(
    kind, start_kapacitord, monkeypatch, tmp_path
):
    monkeypatch.setenv("KAPACITOR_HTTP_SHARED_SECRET", SHARED_SECRET)
    with Modes(status=400) as server:
        # others than HTTP would wait for a greeting that it never sends
        url = server.url if kind in HTTP_KINDS else "http://127.0.0.1:9"
        made = integration(kind, url)
        config = Config(handlers=made.tables)
        text = dump(config, reveal=True)
        tables = re.split(r"\n(?=\[)", text)
        own = [t for t in tables if re.match(rf"\[+{kind}[\].]", t.lstrip())]
        hipchat = '\n[hipchat]\n  url = "http://127.0.0.1:1"\n'
        more = SECTIONS + ("" if kind == "hipchat" else hipchat)
        process = start_kapacitord("\n".join(own) + more)
        ask = Talk(process)
        backup = explore(ask, kind, made, server)
        process.stop()
        ask.read_files()
    said = {**ask.heard, "log": process.log, "kapacitord config": dump(config)}
    canaries = (*made.canaries, *OWN_CANARIES)
    shown = {where: found_in(text, canaries) for where, text in said.items()}
    assert {where: found for where, found in shown.items() if found} == {}
    assert "found secrets in a script" in process.log
    key = process.directory / "data" / "kapacitor.db.key"
    assert_holds(backup, key, tmp_path / "copy.db", (SCRIPT_CANARY, *made.canaries))


def assert_holds(backup, key, path, canaries):
    """The searched data contained the secrets: with the key they are found."""
    path.write_bytes(backup)
    shutil.copy(key, f"{path}.key")
    store = Store(path)
    buckets = store.query("SELECT DISTINCT bucket FROM entries")
    kept = repr([store.values.items(bucket) for (bucket,) in buckets])
    store.close()
    assert found_in(kept, canaries)


def explore(ask, kind, made, server):
    """Send all secrets to the server, and return a backup with them."""
    base = "/kapacitor/v1"
    user = {"name": "eve", "password": PASSWORD, "type": "admin"}
    assert ask("POST", f"{base}/users", user)[0] == 200
    assert ask("POST", f"{base}/users", user)[0] == 400
    ask("PATCH", f"{base}/users/eve", {"password": PASSWORD, "type": PASSWORD})
    ask("POST", f"{base}/users", {**user, "name": "bob", "password": [PASSWORD]})
    task = {
        "id": "t",
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": script(),
        "status": "enabled",
    }
    status, body = ask("POST", f"{base}/tasks", task)
    assert status == 200, body
    back = json.loads(body)["script"]
    assert ask("PATCH", f"{base}/tasks/t", {"script": back})[0] == 200
    assert ask("POST", f"{base}/tasks", {**task, "id": "u", "script": back})[0] == 400
    template = {"id": "t", "script": script()}
    assert ask("POST", f"{base}/templates", template)[0] == 200
    kinds = {"httppost": "post"}
    handler_kind = kinds.get(kind, kind)
    assert handler_kind in INTEGRATIONS.kinds
    handler = {
        "id": "h",
        "kind": handler_kind,
        "options": plain_options(made.options),
    }
    handlers = f"{base}/alerts/topics/cpu/handlers"
    status, body = ask("POST", handlers, handler)
    assert status == 200, body
    ask("PUT", f"{handlers}/h", handler)
    ask("PATCH", f"{handlers}/h", [{"op": "add", "path": "/match", "value": "x("}])
    ask("POST", handlers, handler)
    ask("POST", handlers, {**handler, "id": "i", "kind": "nope"})
    wrong = {**handler["options"], "nope": made.canaries[-1] if made.canaries else 1}
    ask("POST", handlers, {**handler, "id": "j", "options": wrong})
    numbers = {key: [value] for key, value in handler["options"].items()}
    ask("POST", handlers, {**handler, "id": "k", "options": numbers})
    said = plain_options(made.config)
    table = f"{base}/config/{kind}"
    for value in (said, {**said, "nope": 1}, {k: [v] for k, v in said.items()}):
        ask("POST", f"{table}/", {"set": value})
        ask("POST", table, {"add": value})
    for canary in made.canaries:
        ask("POST", f"{table}/", {"set": {"url": f"ht!tp://user:{canary}@h"}})
    ask("GET", f"{base}/service-tests/{kind}")
    ask("POST", f"{base}/service-tests/{kind}", {})
    ask("POST", f"{base}/service-tests/{kind}", {"nope": "x"})
    write(ask)
    wait_for(lambda: b'"attempts": 1' in ask("GET", f"{base}/deliveries")[1])
    sweep(ask, base)
    ask.read_files()
    _, backup = ask("GET", f"{base}/storage/backup")
    ask("POST", f"{base}/deliveries/resend")
    ask("DELETE", f"{handlers}/h")
    ask("DELETE", f"{base}/tasks/t")
    sweep(ask, base)
    ask.read_files()
    return backup


def write(ask):
    connection = http.client.HTTPConnection("127.0.0.1", ask._server.port)
    connection.request("POST", "/write?db=d&rp=r", b"cpu value=95 1\n")
    assert connection.getresponse().status == 204
    connection.close()


def sweep(ask, base):
    """GET and break every route there is, but the log, which never ends."""
    routes = json.loads(ask("GET", f"{base}/:routes")[1])
    ids = ("", "t", "cpu", "cpu/handlers", "cpu/handlers/h", "cpu/events", "1", "2")
    for pattern, methods in routes.items():
        if pattern.endswith("/logs"):
            continue
        for rest in ids if pattern.endswith("/") else ("",):
            if "GET" in methods:
                ask("GET", f"{pattern}{rest}")
        if "POST" in methods and not pattern.endswith("/write"):
            ask("POST", pattern, ["nonsense"])
    for path in ("/debug/vars", "/debug/pprof/", "/metrics", f"{base}/config"):
        ask("GET", path)


def test_what_is_logged_hides_secrets_wherever_they_come_from(caplog):
    secret = Secret("a-secret-in-a-traceback")
    formatter = LogfmtFormatter()
    try:
        raise ValueError(f"oops {secret.reveal()}")
    except ValueError:
        record = logging.getLogger("kapacitor").makeRecord(
            "kapacitor",
            logging.ERROR,
            __file__,
            1,
            "said %s",
            (urllib.parse.quote(secret.reveal()),),
            sys.exc_info(),
            extra={"url": f"http://h/?t={secret.reveal()}", "other": "a\0b"},
        )
    line = formatter.format(record)
    assert found_in(line.partition("\n")[0], [secret.reveal()]) == []
    assert "oops ***" in line
