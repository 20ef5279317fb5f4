import asyncio
import base64
import dataclasses

import pytest

from runtime.alert.serialize import event_line
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.outbound.client import AiohttpClient
from runtime.secrets import Secret
from runtime.services.httppost.config import BasicAuth, Config
from runtime.services.httppost.service import HandlerConfig, Service
from runtime.testing.events import changed_event, sample_event
from runtime.testing.loopback import Answer
from runtime.units import MILLISECOND, Duration


def post(options, *configs, event=None):
    async def send():
        client = AiohttpClient()
        try:
            handler = Service(configs, client).handler(options)
            await handler.handle(event or sample_event())
        finally:
            await client.close()

    asyncio.run(send())


def failure(options, *configs):
    with pytest.raises(DeliveryError) as caught:
        post(options, *configs)
    return caught.value


def test_the_event_is_posted_as_json(server):
    post(HandlerConfig(url=server.url + "/x?a=b"))
    request = server.next()
    assert (request.method, request.path, request.raw_query) == ("POST", "/x", "a=b")
    assert request.headers["Content-Type"] == "application/json"
    assert request.body == event_line(sample_event())


def test_urls_are_templates(server):
    post(HandlerConfig(url=server.url + "/{{ .Level }}/{{ .Message }}"))
    assert server.next().path == "/CRITICAL/CPU%20of%20serverA%20is%20CRITICAL"


def test_an_endpoint_wins_over_the_url(server):
    endpoint = Config("e", server.url + "/e", headers={"X-A": "1", "X-B": "2"})
    options = HandlerConfig(server.url + "/url", "e", headers={"x-b": "3"})
    post(options, endpoint)
    request = server.next()
    assert request.path == "/e"
    assert (request.headers["X-A"], request.headers["X-B"]) == ("1", "3")


def test_without_such_an_endpoint_the_url_is_taken(server):
    post(HandlerConfig(server.url + "/url", "nope"))
    assert server.next().path == "/url"


def test_an_endpoint_may_be_configured_later():
    error = failure(HandlerConfig(endpoint="nope"))
    assert str(error) == 'unknown endpoint "nope"'
    assert error.deferred


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ("{{.Message}}", b"CPU of serverA is CRITICAL"),
        ("{{ json . }}", event_line(sample_event())),
        ("{{ jsonCompact . }}", event_line(sample_event()).rstrip(b"\n")),
        (
            "{{range .Data.Series}}{{.Name}} {{.Tags.host}} {{index .Columns 1}}{{end}}",
            b"cpu serverA usage_idle",
        ),
        (
            "{{ json .Data }}",
            b'{"series":[{"name":"cpu","tags":{"host":"serverA"},"columns":'
            b'["time","usage_idle"],"values":[["2017-07-14T02:40:00Z",3.5]]}]}\n',
        ),
        ("{{.PreviousLevel}} {{.Recoverable}} {{.Duration}}", b"OK true 1m0s"),
    ],
)
def test_an_alert_template_makes_the_body(server, template, body):
    endpoint = Config("e", server.url, alert_template=template)
    post(HandlerConfig(endpoint="e"), endpoint)
    request = server.next()
    assert request.body == body
    assert "Content-Type" not in request.headers


@pytest.mark.parametrize(
    "template",
    [
        "{{ .Nope }}",
        "{{ .Message }}{{ index .Data.Series 9 }}",
        "{{ .Message.Nope }}",
        "{{ range 9999 }}{{ range 9999 }}{{ printf `%9999d` 1 | len }}{{ end }}{{ end }}",
    ],
    ids=["no field", "no index", "not a record", "endless"],
)
def test_an_alert_whose_template_fails_is_posted_as_json(server, template, caplog):
    endpoint = Config("e", server.url, alert_template=template)
    post(HandlerConfig(endpoint="e"), endpoint)
    request = server.next()
    assert request.body == event_line(sample_event())
    assert request.headers["Content-Type"] == "application/json"
    [record] = caplog.records
    text = "failed to execute alert-template: posted the alert as JSON"
    assert record.getMessage() == text
    assert record.err.startswith("failed to execute alert template: ")


def test_a_template_may_be_in_a_file(server, tmp_path):
    path = tmp_path / "alert.tmpl"
    path.write_text("{{.ID}}")
    endpoint = Config("e", server.url, alert_template_file=str(path))
    post(HandlerConfig(endpoint="e"), endpoint)
    assert server.next().body == b"cpu:serverA"


def test_basic_auth_is_sent_and_not_told(server):
    server.status, server.body = 500, "you are me:hunter22!"
    auth = BasicAuth("me", Secret("hunter22!"))
    endpoint = Config("e", server.url, basic_auth=auth)
    error = failure(HandlerConfig(endpoint="e", capture_response=True), endpoint)
    sent = base64.b64encode(b"me:hunter22!").decode()
    assert server.next().headers["Authorization"] == f"Basic {sent}"
    assert "hunter22" not in str(error)


def test_headers_replace_each_other_in_any_case(server):
    auth = BasicAuth("me", Secret("hunter22!"))
    endpoint = Config("e", server.url, {"content-type": "text/x"}, auth)
    post(HandlerConfig(endpoint="e", headers={"authorization": "Other"}), endpoint)
    headers = server.next().headers
    assert headers["Content-Type"] == "text/x"
    assert headers["Authorization"] == "Other"


def test_a_line_end_in_a_url_is_sent(server):
    event = changed_event(sample_event(), {"message": "two\nlines"})
    post(HandlerConfig(server.url + "/{{ .Message }}"), event=event)
    assert server.next().path == "/two%0Alines"


def test_a_refusal_may_pass_after_a_time(server):
    server.answers.append(Answer(429, headers={"Retry-After": "7"}))
    error = failure(HandlerConfig(server.url))
    assert (error.retry, error.retry_after_s) == (True, 7.0)


@pytest.mark.parametrize("said", [{"url": "http://h/{{"}, {"headers": {"a b": "c"}}])
def test_a_service_test_with_invalid_options_fails(said):
    service = Service((), AiohttpClient())
    options = dataclasses.replace(service.test_options(), **said)
    with pytest.raises(DeliveryError, match=r"invalid URL template|headers: net/http"):
        asyncio.run(service.test(options))


def test_a_refusal_is_told_as_far_as_wanted(server):
    server.status, server.body = 503, "down"
    short = failure(HandlerConfig(server.url))
    assert short.retry
    assert str(short) == (
        "POST returned non 2xx status code: code=503 "
        'err="unknown error, use .captureResponse() to capture the HTTP response"'
    )
    full = failure(HandlerConfig(server.url, capture_response=True))
    assert str(full) == 'POST returned non 2xx status code: code=503 err="down"'


def test_any_2xx_will_do(server):
    server.status = 201
    post(HandlerConfig(server.url))


def test_a_slow_endpoint_is_given_up(server):
    server.hang = True
    error = failure(HandlerConfig(server.url, timeout=Duration(50 * MILLISECOND)))
    assert str(error) == f'Post "{server.url}": context deadline exceeded'
    assert error.retry


def test_a_template_that_fails_is_told():
    error = failure(HandlerConfig(url="http://h/{{ .Nope }}"))
    assert str(error).startswith(
        "failed to create HTTP request: failed to execute url template: template: url:"
    )
    assert not error.retry


def test_somewhere_must_be_said():
    with pytest.raises(OptionsError) as caught:
        Service((), AiohttpClient()).handler(HandlerConfig())
    assert str(caught.value) == (
        "An appropriately formatted url must be specified if an endpoint is not "
        "specified"
    )


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (Config("", "http://h"), "must specify endpoint name"),
        (Config("e"), "must specify url"),
        (
            Config("e", "http://[::1"),
            'invalid URL "http://[::1": parse "http://[::1": missing \']\' in host',
        ),
        (
            Config("e", "http://h", alert_template="a", alert_template_file="/b"),
            "must specify only one of alert-template and alert-template-file",
        ),
        (
            Config("e", "http://h", row_template_file="b"),
            "must use an absolute path for row-template-file",
        ),
    ],
)
def test_wrong_tables_are_refused(config, text):
    with pytest.raises(ConfigError) as caught:
        config.validate()
    assert str(caught.value) == text


def test_a_template_that_is_none_is_refused_with_its_place():
    with pytest.raises(ConfigError) as caught:
        Service([Config("e", "http://h", alert_template="{{")], AiohttpClient())
    assert str(caught.value).startswith(
        'failed to get alert-template for endpoint "e": failed to parse template: '
    )


def test_the_service_test_posts_to_the_url(server):
    async def send():
        client = AiohttpClient()
        service = Service((), client)
        assert service.test_options().endpoint == "example"
        await service.test(
            dataclasses.replace(
                service.test_options(), url=server.url, headers={"Auth": "s"}
            )
        )
        await client.close()

    asyncio.run(send())
    request = server.next()
    assert request.headers["Auth"] == "s"
    assert request.json["level"] == "OK"
    assert request.json["data"] == {"series": None}
