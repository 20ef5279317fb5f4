"""The endpoints: posts events and rows as JSON, or with their templates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote as escape

from runtime.alert.serialize import event_line, row_line
from runtime.alert.types import Event, EventData, EventState, Row
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.golang.quoting import quote
from runtime.golang.templates import Struct, TemplateError
from runtime.golang.utf8 import scrub
from runtime.outbound.client import HttpClient, Request, Response
from runtime.outbound.headers import HeaderNameError, check_names
from runtime.secrets import Secret, redact
from runtime.secrets.urls import hidden_url
from runtime.services.expressions import basic_auth
from runtime.services.httppost.config import NO_BASIC_AUTH, BasicAuth, Config
from runtime.services.httppost.templates import Template, event_data, parsed, row_data
from runtime.services.server import UNNAMED, Server
from runtime.trouble import complain
from runtime.units import SECOND, ZERO_TIME, Duration

_URL_CHARACTERS = "%/:?#[]@!$&'()*+,;="
# Kapacitor's words, for an endpoint that does not exist as well
_NO_TARGET = (
    "An appropriately formatted url must be specified if an endpoint is not specified"
)
_log = logging.getLogger("kapacitor.httppost")

_NO_REASON = "unknown error, use .captureResponse() to capture the HTTP response"


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        url: template of the URL, used if the endpoint does not exist.
        endpoint: name of a configured endpoint.
        headers: headers of the request, in addition to those of the endpoint.
        capture_response: True to include the response in errors.
        timeout: time limit of a request; 0 for the client's own limit.
        skip_ssl_verification: True to accept any certificate.
    """

    url: str = ""
    endpoint: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    capture_response: bool = False
    timeout: Duration = Duration(0)
    skip_ssl_verification: bool = False


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of the service test.

    Attributes:
        endpoint: ignored: the test posts to the URL.
        url: URL to post to.
        headers: headers of the request.
        timeout: time limit of a request; 0 for the client's own limit.
    """

    endpoint: str = "example"
    url: str = "http://localhost:3000/"
    headers: dict[str, str] = field(default_factory=lambda: {"Auth": "secret"})
    timeout: Duration = Duration(0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A target and its templates.

    Attributes:
        url: template of the URL, over the event.
        headers: headers of the requests.
        basic_auth: user name and password.
        alert_template: template of alert bodies; None to post the event as JSON.
        row_template: template of the bodies of nodes.
    """

    url: Template
    headers: Mapping[str, str] = field(default_factory=dict)
    basic_auth: BasicAuth = NO_BASIC_AUTH
    alert_template: Template | None = None
    row_template: Template | None = None

    @classmethod
    def of(cls, config: Config) -> Endpoint:
        """The endpoint of a configuration table.

        Raises:
            ConfigError: a template cannot be read, or does not parse.
        """
        try:
            url = parsed(config.url, "url")
        except TemplateError as error:
            text = (
                f"invalid URL template syntax {quote(hidden_url(config.url))}: {error}"
            )
            raise ConfigError(text) from None
        return cls(
            url,
            config.headers,
            config.basic_auth,
            config.body_template("alert"),
            config.body_template("row"),
        )


class Posted(NamedTuple):
    """The answer of an endpoint to one row.

    Attributes:
        status: status of the response.
        problem: error, as far as the caller wants it; "" for a success.
        replaced: reason why the row was posted as JSON instead of by its template, or
            "".
    """

    status: int
    problem: str
    replaced: str = ""


class Service:
    """Posts events and rows to endpoints."""

    kind = "httppost"
    handler_kind = "post"
    is_global = False
    state_changes_only = False

    def __init__(
        self, configs: Sequence[Config], client: HttpClient, server: Server = UNNAMED
    ) -> None:
        """Make the endpoints.

        Raises:
            ConfigError: a template cannot be read, or does not parse.
        """
        self._client = client
        self._endpoints: dict[str, Endpoint] = {}
        self.prepared(configs)()

    async def open(self) -> None:
        """Start the service."""

    async def close(self) -> None:
        """Stop the service."""

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """Return a function that applies new endpoints; nothing changes before.

        Raises:
            ConfigError: one belongs to no endpoint, or has an invalid template.
        """
        endpoints: dict[str, Endpoint] = {}
        for config in configs:
            if not isinstance(config, Config):
                raise ConfigError(
                    "expected config object to be of type httppost.Config, "
                    f"got {type(config).__name__}"
                )
            endpoints[config.endpoint] = Endpoint.of(config)

        def swap() -> None:
            self._endpoints = endpoints

        return swap

    def endpoint(self, name: str) -> Endpoint | None:
        """The configured endpoint of that name."""
        return self._endpoints.get(name)

    def default_handler_config(self) -> HandlerConfig:
        """Default options of a handler."""
        return HandlerConfig()

    def handler(self, options: HandlerConfig) -> EndpointHandler:
        """A handler that posts its events with `options`.

        An unknown endpoint is accepted here, as it may be configured later; definitions
        are checked with `EndpointHandler.check`.

        Raises:
            OptionsError: they name neither URL nor endpoint, the URL is not a template,
                or a header has no name that can be sent.
        """
        if not options.url and not options.endpoint:
            raise OptionsError(_NO_TARGET)
        try:
            url = parsed(options.url, "url") if options.url else None
        except TemplateError as error:
            text = (
                f"invalid URL template syntax {quote(hidden_url(options.url))}: {error}"
            )
            raise OptionsError(text) from None
        try:
            check_names(options.headers)
        except HeaderNameError as error:
            raise OptionsError(f"headers: {error}") from None
        return EndpointHandler(self, options, url)

    async def post(
        self, endpoint: Endpoint, options: HandlerConfig, event: Event
    ) -> None:
        """Post `event`; as JSON if its template fails.

        Raises:
            DeliveryError: it was not delivered.
        """
        template = endpoint.alert_template
        content = _Content("alert", template, event_data(event))
        body = _body(content, lambda: event_line(event))
        request = _request(endpoint, options, content, body)
        secrets = _secrets(endpoint, options)
        if body.replaced:
            text = "failed to execute alert-template: posted the alert as JSON"
            where = {"topic": event.topic, "endpoint": options.endpoint}
            err = redact(body.replaced, secrets)
            complain(_log, text, {**where, "event": event.state.id, "err": err})
        try:
            response = await self._client.send(request)
            if not _is_success(response):
                raise _refused(response, options)
        except DeliveryError as error:
            # an endpoint may repeat what it was sent in its answer
            raise error.replace(redact(str(error), secrets)) from None

    async def post_row(
        self, endpoint: Endpoint, options: HandlerConfig, row: Row
    ) -> Posted:
        """Post `row`; as JSON if its template fails.

        Raises:
            DeliveryError: no answer came.
        """
        content = _Content("row", endpoint.row_template, row_data(row))
        body = _body(content, lambda: row_line(row))
        request = _request(endpoint, options, content, body)
        secrets = _secrets(endpoint, options)
        try:
            response = await self._client.send(request)
        except DeliveryError as error:
            raise error.replace(redact(str(error), secrets)) from None
        problem = "" if _is_success(response) else _reason(response, options)
        return Posted(
            response.status, redact(problem, secrets), redact(body.replaced, secrets)
        )

    def test_options(self) -> TestOptions:
        """The service test's options with their present defaults."""
        return TestOptions()

    async def test(self, options: TestOptions) -> None:
        """Post an empty event to the URL.

        Raises:
            DeliveryError: it was not delivered.
        """
        said = HandlerConfig(
            options.url, headers=options.headers, timeout=options.timeout
        )
        state = EventState("", time=ZERO_TIME)
        try:
            handler = self.handler(said)
        except OptionsError as error:
            raise DeliveryError(str(error)) from None
        await handler.handle(Event("", state, EventData(recoverable=False)))


@dataclass(frozen=True, slots=True)
class EndpointHandler:
    """Posts events through its service.

    Attributes:
        service: service that posts.
        options: options of this handler.
        url: URL to post to if the endpoint does not exist.
    """

    service: Service
    options: HandlerConfig
    url: Template | None

    def check(self) -> None:
        """Refuse a definition for an endpoint that does not exist.

        Raises:
            OptionsError: the endpoint does not exist, and there is no URL instead.
        """
        if self.url is None and self.service.endpoint(self.options.endpoint) is None:
            raise OptionsError(_NO_TARGET)

    async def handle(self, event: Event) -> None:
        """Post `event` to its endpoint as currently configured.

        Raises:
            DeliveryError: it was not delivered.
        """
        name = self.options.endpoint
        endpoint = self.service.endpoint(name) if name else None
        if endpoint is None and self.url is not None:
            endpoint = Endpoint(self.url)
        if endpoint is None:
            # it may be configured later; until then the options are kept
            raise DeliveryError(f"unknown endpoint {quote(name)}", retry=True)
        await self.service.post(endpoint, self.options, event)


class _Content(NamedTuple):
    """The content to post.

    Attributes:
        kind: `alert` or `row`.
        template: template of the body, or None.
        data: data for templates.
    """

    kind: str
    template: Template | None
    data: Struct


class _Body(NamedTuple):
    """The rendered body.

    Attributes:
        text: encoded body.
        is_json: True for the JSON that is posted without a template.
        replaced: reason why the template was not used, or "".
    """

    text: bytes
    is_json: bool
    replaced: str = ""


def _body(content: _Content, json: Callable[[], bytes]) -> _Body:
    if content.template is None:
        return _Body(json(), is_json=True)
    try:
        text = scrub(content.template.render(content.data)).encode()
    # no alert is lost for its text
    except TemplateError as error:
        replaced = f"failed to execute {content.kind} template: {error}"
        return _Body(json(), is_json=True, replaced=replaced)
    return _Body(text, is_json=False)


def _request(
    endpoint: Endpoint, options: HandlerConfig, content: _Content, body: _Body
) -> Request:
    headers = {"Content-Type": "application/json"} if body.is_json else {}
    try:
        url = escape(scrub(endpoint.url.render(content.data)), safe=_URL_CHARACTERS)
    except TemplateError as error:
        text = f"failed to create HTTP request: failed to execute url template: {error}"
        raise DeliveryError(text) from None
    headers = _over(headers, endpoint.headers)
    if auth := endpoint.basic_auth:
        headers = _over(headers, basic_auth(auth.username, auth.password.reveal()))
    return Request(
        "POST",
        url,
        headers=_over(headers, options.headers),
        body=body.text,
        verify=not options.skip_ssl_verification,
        limit_s=options.timeout / SECOND or None,
    )


def _over(headers: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """`headers` updated with `more`; names match in any case."""
    names = {name.lower() for name in more}
    kept = {name: each for name, each in headers.items() if name.lower() not in names}
    return kept | dict(more)


def _is_success(response: Response) -> bool:
    return 200 <= response.status < 300


def _reason(response: Response, options: HandlerConfig) -> str:
    return response.text if options.capture_response else _NO_REASON


def _refused(response: Response, options: HandlerConfig) -> DeliveryError:
    reason = quote(_reason(response, options))
    return response.error(
        f"POST returned non 2xx status code: code={response.status} err={reason}"
    )


def _secrets(endpoint: Endpoint, options: HandlerConfig) -> list[Secret]:
    """The secrets to redact; headers hold keys."""
    headers = {**endpoint.headers, **options.headers}
    hidden = [Secret(value, is_known=False) for value in headers.values()]
    auth = endpoint.basic_auth
    pair = Secret(f"{auth.username}:{auth.password.reveal()}", is_known=False)
    return [*hidden, auth.password, pair] if auth else hidden
