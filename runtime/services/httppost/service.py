"""The endpoints: posts events and rows as JSON, or with their templates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from runtime.alert.serialize import event_line, row_line
from runtime.alert.types import Event, EventData, EventState, Handler, Row
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.golang.quoting import quote
from runtime.golang.templates import Struct, TemplateError
from runtime.golang.utf8 import scrub
from runtime.outbound.client import HttpClient, Request, Response
from runtime.outbound.connection import Connection
from runtime.outbound.headers import HeaderNameError, check_names, merged
from runtime.outbound.messages import escaped
from runtime.secrets import Secret, redact
from runtime.secrets.urls import hidden_url
from runtime.services.expressions import basic_auth
from runtime.services.httppost.config import NO_BASIC_AUTH, BasicAuth, Config
from runtime.services.httppost.templates import GoTemplate, event_data, parsed, row_data
from runtime.services.options import validate
from runtime.services.server import UNNAMED, Server
from runtime.services.service import (
    HttpService,
    InForce,
    prefixed,
    without_credentials,
)
from runtime.trouble import complain
from runtime.units import ZERO_TIME, Duration

# Kapacitor's text, also for an endpoint that does not exist
_NO_TARGET = (
    "An appropriately formatted url must be specified if an endpoint is not specified"
)
_NO_REASON = "unknown error, use .captureResponse() to capture the HTTP response"
# maximum number of handlers' URLs whose parsed templates are cached
_MOST_URLS = 1000

_log = logging.getLogger("kapacitor.httppost")


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

    def validate(self) -> None:
        """Check the values.

        Raises:
            OptionsError: the options have neither URL nor endpoint, the URL is not a
                template, or a header has an invalid name.
        """
        if not self.url and not self.endpoint:
            raise OptionsError(_NO_TARGET)
        try:
            _at(self.url)
            check_names(self.headers)
        except ConfigError as error:
            raise OptionsError(str(error)) from None
        except HeaderNameError as error:
            raise OptionsError(f"headers: {error}") from None


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
        enabled: True: a configured endpoint is in use.
        url: template of the URL, over the event.
        headers: headers of the requests.
        basic_auth: user name and password.
        alert_template: template of alert bodies; None to post the event as JSON.
        row_template: template of the bodies of nodes.
    """

    enabled: ClassVar[bool] = True

    url: GoTemplate
    headers: Mapping[str, str] = field(default_factory=dict)
    basic_auth: BasicAuth = NO_BASIC_AUTH
    alert_template: GoTemplate | None = None
    row_template: GoTemplate | None = None

    @classmethod
    def of(cls, config: Config) -> Endpoint:
        """The endpoint of a configuration table.

        Raises:
            ConfigError: a template cannot be read, or does not parse.
        """
        return cls(
            _at(config.url).url,
            config.headers,
            config.basic_auth,
            config.body_template("alert"),
            config.body_template("row"),
        )

    def validate(self) -> None:
        """Check nothing: the section is valid, and its templates are parsed."""


@lru_cache(_MOST_URLS)
def _at(url: str) -> Endpoint:
    """The target at a URL, without settings.

    Raises:
        ConfigError: the URL is not a template.
    """
    try:
        return Endpoint(parsed(url, "url"))
    except TemplateError as error:
        text = f"invalid URL template syntax {quote(hidden_url(url))}: {error}"
        raise ConfigError(text) from None


class Posted(NamedTuple):
    """The answer of an endpoint to one row.

    Attributes:
        status: status of the response.
        problem: error, if the caller wants errors; "" for a success.
        replaced: reason why the row was posted as JSON instead of by its template, or
            "".
    """

    status: int
    problem: str
    replaced: str = ""


class Service(HttpService[Endpoint, HandlerConfig, TestOptions]):
    """Posts events and rows to endpoints."""

    kind: ClassVar[str] = "httppost"
    prepare_error = "failed to create HTTP request"

    def __init__(
        self, configs: Sequence[Config], client: HttpClient, server: Server = UNNAMED
    ) -> None:
        """Create the endpoints.

        Raises:
            ConfigError: a template cannot be read, or does not parse.
        """
        super().__init__(_at(""), client, server)
        self._endpoints: dict[str, Endpoint] = {}
        self.prepared(configs)()

    @property
    def handler_kind(self) -> str:
        """Name of the kind of its handlers."""
        return "post"

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        """Return a function that applies new endpoints; until its call nothing changes.

        Raises:
            ConfigError: a section belongs to another service, or has an invalid
                template.
        """
        for config in configs:
            self._check_type(config, Config)
        endpoints = {each.endpoint: Endpoint.of(each) for each in configs}

        def swap() -> None:
            self._endpoints = endpoints

        return swap

    def endpoint(self, name: str) -> Endpoint | None:
        """The configured endpoint of that name."""
        return self._endpoints.get(name)

    def default_handler_config(self) -> HandlerConfig:
        """Default options of a handler."""
        return HandlerConfig()

    def handler(self, options: HandlerConfig) -> Handler:
        """A handler that posts its events with `options`.

        An unknown endpoint is accepted here, as it may be configured later; definitions
        are checked with `check_options`.

        Raises:
            OptionsError: the options are invalid.
        """
        validate(options)
        return super().handler(options)

    def check_options(self, options: HandlerConfig) -> None:
        """Refuse a definition for an endpoint that does not exist.

        Raises:
            OptionsError: the endpoint is unknown and no URL is given, or the options are
                invalid.
        """
        super().check_options(options)
        if not options.url and self.endpoint(options.endpoint) is None:
            raise OptionsError(_NO_TARGET)

    def chosen(self, options: HandlerConfig) -> InForce[Endpoint]:
        """Return the endpoint of a handler, or its URL.

        Raises:
            DeliveryError: the endpoint is unknown, and no URL is given.
        """
        endpoint = self.endpoint(options.endpoint)
        if endpoint is None and options.url:
            endpoint = _at(options.url)
        if endpoint is None:
            # the endpoint may be configured later; until then its events wait
            text = f"unknown endpoint {quote(options.endpoint)}"
            raise DeliveryError(text, retry=True, deferred=True)
        return InForce(endpoint)

    def request(
        self, config: Endpoint, options: HandlerConfig, event: Event
    ) -> Request:
        """Build the request that posts `event`; as JSON if its template fails.

        Raises:
            DeliveryError: the template of the URL fails.
        """
        content = _Content("alert", config.alert_template, event_data(event))
        body = _body(content, lambda: event_line(event))
        if body.replaced:
            text = "failed to execute alert-template: posted the alert as JSON"
            where = {"topic": event.topic, "endpoint": options.endpoint}
            err = redact(body.replaced, self.secrets(config, options))
            complain(_log, text, {**where, "event": event.state.id, "err": err})
        return _request(config, options, content, body)

    def connection(self, config: Endpoint, options: HandlerConfig) -> Connection:
        """Return the settings of the connection for a request."""
        return Connection(
            verify=not options.skip_ssl_verification, limit=options.timeout
        )

    def secrets(self, config: Endpoint, options: HandlerConfig) -> Iterable[Secret]:
        """The secrets that errors must not show; headers hold keys."""
        values = (*config.headers.values(), *options.headers.values())
        hidden = [Secret(value, is_known=False) for value in values]
        return [*super().secrets(config, options), *hidden]

    def failure_with(
        self, config: Endpoint, options: HandlerConfig, response: Response
    ) -> str:
        """Return the error of a response that means failure."""
        code, reason = response.status, quote(_reason(response, options))
        return f"POST returned non 2xx status code: code={code} err={reason}"

    async def post_row(
        self, endpoint: Endpoint, options: HandlerConfig, row: Row
    ) -> Posted:
        """Post `row`; as JSON if its template fails.

        Raises:
            DeliveryError: there was no answer.
        """
        content = _Content("row", endpoint.row_template, row_data(row))
        body = _body(content, lambda: row_line(row))
        secrets = [*self.secrets(endpoint, options)]
        with prefixed(self.prepare_error):
            request = _request(endpoint, options, content, body)
        try:
            response = await self.exchange(InForce(endpoint), options, request)
        except DeliveryError as error:
            shown = without_credentials(error, request)
            raise error.replace(redact(str(shown), secrets)) from None
        problem = "" if self.accepts(response) else _reason(response, options)
        return Posted(
            response.status, redact(problem, secrets), redact(body.replaced, secrets)
        )

    def test_options(self) -> TestOptions:
        """The service test's options with their current defaults."""
        return TestOptions()

    def test_event(self, options: TestOptions) -> tuple[HandlerConfig, Event]:
        """Options of the service test, and an empty event.

        Raises:
            DeliveryError: the options are invalid.
        """
        config = HandlerConfig(
            options.url, headers=options.headers, timeout=options.timeout
        )
        try:
            config.validate()
        except OptionsError as error:
            raise DeliveryError(str(error)) from None
        state = EventState("", time=ZERO_TIME)
        return config, Event("", state, EventData(recoverable=False))


class _Content(NamedTuple):
    """The content to post.

    Attributes:
        kind: `alert` or `row`.
        template: template of the body, or None.
        data: data for templates.
    """

    kind: str
    template: GoTemplate | None
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
    # an alert must not be lost because of its text
    except TemplateError as error:
        replaced = f"failed to execute {content.kind} template: {error}"
        return _Body(json(), is_json=True, replaced=replaced)
    return _Body(text, is_json=False)


def _request(
    endpoint: Endpoint, options: HandlerConfig, content: _Content, body: _Body
) -> Request:
    headers = {"Content-Type": "application/json"} if body.is_json else {}
    try:
        url = escaped(scrub(endpoint.url.render(content.data)))
    except TemplateError as error:
        raise DeliveryError(f"failed to execute url template: {error}") from None
    auth = endpoint.basic_auth
    user = basic_auth(auth.username, auth.password.reveal()) if auth else {}
    return Request(
        "POST",
        url,
        headers=merged(headers, endpoint.headers, user, options.headers),
        body=body.text,
    )


def _reason(response: Response, options: HandlerConfig) -> str:
    return response.text if options.capture_response else _NO_REASON
